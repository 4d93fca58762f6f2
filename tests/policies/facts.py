"""Facts of a made-up call that the shipped rules permit, to be changed one at a time."""

from dataclasses import replace
from typing import Any

from policies.catalogue import Catalogue
from policies.decision import Facts
from policies.vocabulary import ChannelMode, Field, FieldKind, Item, ItemKind, LegalBasis, Need, Party

CATALOGUE = Catalogue.load()
MATTER = CATALOGUE.matter("purchase_withdrawal")


def facts(item_id: str = "deed_tax", **changes: Any) -> Facts:
    """Permitted facts about one item of the shipped matter, with `changes`."""
    need = MATTER.needs[item_id]
    permitted = Facts(
        requester="hpf-yangzhou",
        requester_kind="fund_centre",
        permitted_matters=frozenset({MATTER.id}),
        operator_named=True,
        matter=MATTER.id,
        item=CATALOGUE.item(item_id),
        need=need,
        fields=need.fields,
        mode=ChannelMode.ONLINE,
        legal_basis=need.legal_basis,
        assurance=2,
        granted_by=frozenset({Party.APPLICANT}),
    )
    return replace(permitted, **changes)


def ordinary_facts(**changes: Any) -> Facts:
    """Permitted facts about an item without any sensitive field, on plain consent."""
    field = Field("filed_date", "备案日期", "Date of filing", FieldKind.DATE, sensitive=False, example="2026-01-01")
    item = Item("contract", "合同", "Contract", "housing_construction", ItemKind.QUERY, {"filed_date": field}, {})
    need = Need(item.id, ("filed_date",), True, "核对合同", "Check the contract.", LegalBasis.CONSENT, 30)
    ordinary = facts(item=item, need=need, fields=need.fields, legal_basis=need.legal_basis, assurance=1)
    return replace(ordinary, **changes)
