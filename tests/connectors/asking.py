"""Questions about the made-up people, and routes files to ask them by."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from string import Template
from typing import Final

from connectors.contract import Question
from connectors.departments import fleet
from connectors.departments.people import XU
from policies.catalogue import Catalogue
from policies.vocabulary import Item, Person, Scalar

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
    person: Person = XU,
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
        person=person,
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


def write_secrets(folder: Path) -> Path:
    """Return a secrets folder holding what the routes name."""
    folder.mkdir(mode=0o700, exist_ok=True)
    for name in ("property-registry-key", "beijing-fund-secret"):
        file = folder / name
        file.touch(mode=0o600)
        file.write_text("not-a-real-secret\n", encoding="utf-8")
    return folder
