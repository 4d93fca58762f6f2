"""Facts of a made-up call that the shipped rules permit, to be changed one at a time."""

from dataclasses import replace
from typing import Any

from policies.catalogue import Catalogue
from policies.decision import Facts
from policies.vocabulary import ChannelMode, Party, SubjectKind

CATALOGUE = Catalogue.load()
MATTER = CATALOGUE.matter("purchase_withdrawal")


def facts(item_id: str = "deed_tax", **changes: Any) -> Facts:
    """Permitted facts about one item of the shipped matter, with `changes`."""
    need = MATTER.needs[item_id]
    permitted = Facts(
        requester="hpf-yangzhou",
        requester_department="",
        permitted_matters=frozenset({MATTER.id}),
        operator_named=True,
        matter=MATTER.id,
        recipient="",
        subject_kind=SubjectKind.PERSON,
        item=CATALOGUE.item(item_id),
        need=need,
        fields=need.fields,
        mode=ChannelMode.ONLINE,
        evidenced=False,
        uses=3,
        life=30 * 24 * 3600,
        legal_basis=need.legal_basis,
        assurance=2,
        granted_by=frozenset({Party.APPLICANT, *CATALOGUE.item(item_id).joint}),
        agreement_needed=False,
        agreed=False,
    )
    return replace(permitted, **changes)
