"""XML into plain nested data, with document types, entities and external references forbidden."""

from typing import Any
from xml.etree.ElementTree import Element, ParseError

from defusedxml import DefusedXmlException
from defusedxml.ElementTree import fromstring

from connectors.trouble import garbled

_DEEPEST = 40


def read_xml(text: str) -> dict[str, Any]:
    """Return the root's content: a leaf is its text, repeated elements a list, attributes `@name`; no namespaces.

    Raises DepartmentError for what is not well-formed or holds a DTD.
    """
    try:
        root = fromstring(text, forbid_dtd=True, forbid_entities=True, forbid_external=True)
    except DefusedXmlException:
        raise garbled("xml_dtd_or_entity") from None
    except (ParseError, ValueError):
        raise garbled("not_xml") from None
    if _name(root.tag).lower() == "html":
        raise garbled("html_page")
    content = _plain(root, 0)
    return content if isinstance(content, dict) else {"#text": content}


def _plain(element: Element, depth: int) -> Any:
    if depth > _DEEPEST:
        raise garbled("too_deep")
    if not len(element) and not element.attrib:
        return element.text or ""
    tree: dict[str, Any] = {f"@{_name(name)}": value for name, value in element.attrib.items()}
    for child in element:
        _add(tree, _name(child.tag), _plain(child, depth + 1))
    if element.text and element.text.strip():
        tree["#text"] = element.text
    return tree


def _add(tree: dict[str, Any], name: str, content: Any) -> None:
    if name not in tree:
        tree[name] = content
    elif isinstance(tree[name], list):
        tree[name].append(content)
    else:
        tree[name] = [tree[name], content]


def _name(tag: str) -> str:
    return tag.rpartition("}")[2]
