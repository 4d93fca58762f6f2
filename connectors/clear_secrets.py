"""A secret written in clear into the routes file is refused where it stands: files are reviewed, copied and mailed."""

import re
from typing import Any, Final

from connectors.route import Place

_NAME: Final = re.compile(
    r"(?i)secret|passw|pwd|token|credential|authorization|signature|private|(?:app|api|access|secret|auth)[-_]?key"
)
_XML: Final = re.compile(r"<([A-Za-z_:][\w:.-]*)[^>]*>\s*([^<{\s][^<{]*)</")


def refuse_clear_secrets(template: Any, place: Place) -> None:
    """Raise ConfigurationError for a constant under a name that promises a secret."""
    if isinstance(template, dict):
        for name, content in template.items():
            at = place.at(name)
            if isinstance(content, (str, int)) and _NAME.search(name):
                _refuse_constant(str(content), at)
            refuse_clear_secrets(content, at)
    elif isinstance(template, list):
        for index, content in enumerate(template):
            refuse_clear_secrets(content, place.at(index))
    elif isinstance(template, str):
        for name, content in _XML.findall(template):
            if _NAME.search(name):
                _refuse_constant(content, place)


def _refuse_constant(content: str, place: Place) -> None:
    if content and "{" not in content:
        raise place.error("a secret stands in a file of the secrets folder, never in clear; see `authentication`")
