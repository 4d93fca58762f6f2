"""Questions about the made-up people, and routes files to ask them by."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Any, Final

from connectors.contract import Question
from connectors.departments import fleet
from connectors.departments.people import XU
from policies.catalogue import Catalogue
from policies.strict_yaml import read_yaml
from policies.vocabulary import Item, Scalar, Subject

ITEMS: Final[Mapping[str, Item]] = Catalogue.load().items
DEPARTMENT: Final = {
    "real_estate_registration": "property_registry",
    "deed_tax": "tax",
    "marriage_check_single": "civil_affairs",
    "hpf_remote_account": "beijing_fund",
}


def question(
    item: str,
    fields: Sequence[str] = (),
    *,
    subject: Subject = XU,
    params: Mapping[str, str] | None = None,
    expect: Mapping[str, Scalar] | None = None,
) -> Question:
    """Return a question with every forwarded id distinct; all fields of the item unless told otherwise."""
    return Question(
        call="call-0001",
        item=ITEMS[item],
        fields=tuple(fields) or tuple(ITEMS[item].fields),
        params=params or {},
        expect=expect or {},
        subject=subject,
        requester="yz-hpf",
        operator="desk7.op3",
        matter="purchase_withdrawal",
        case="YZ-2026-000123",
        consent="jti-of-the-consent-0001",
    )


def routes_text(store: Path) -> str:
    """Return the test departments' own routes, as if they listened on a port where nobody does."""
    template = Path(fleet.__file__).with_name("routes.yaml.template").read_text(encoding="utf-8")
    return Template(template).substitute(dict.fromkeys(fleet.NAMES, "1"), tax_store=store)


def shipped_route(item: str, folder: Path) -> dict[str, Any]:
    """Return one of those routes as plain data, read as strictly as the broker reads it."""
    file = folder / "shipped.yaml"
    file.write_text(routes_text(folder), encoding="utf-8")
    whole, _ = read_yaml(file, dict[str, Any])
    route: dict[str, Any] = next(entry for entry in whole["items"] if entry["item"] == item)["routes"][0]
    return route


def write_secrets(folder: Path) -> Path:
    """Return a secrets folder holding what the routes name."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for name in ("property-registry-key", "beijing-fund-secret"):
        file = folder / name
        file.touch(mode=0o600)
        file.write_text("not-a-real-secret\n", encoding="utf-8")
    return folder
