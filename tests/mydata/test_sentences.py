"""The tables from event to sentence: complete, in both languages, and told by what came of a call for one person."""

import re
from typing import Any

import pytest

from audit.events import EVENTS
from broker.names import Names
from broker.notices import TOLD, ending_of, tell
from broker.plain_words import BECAUSE, CHANNELS, CONSENT_STATES, ENDINGS, NOTICES, OUTCOMES
from broker.requesters import Requester
from policies.catalogue import Catalogue
from policies.refusals import Code
from policies.vocabulary import Outcome

CATALOGUE = Catalogue.load()
CENTRE = Requester("yz-hpf", "扬州中心", "Yangzhou centre", frozenset(), suspended=False)
BODY = {
    "requester": "yz-hpf",
    "matter": "purchase_withdrawal",
    "case": "YZ-1",
    "operator": {"id": "clerk-07", "desk": "3号窗口"},
    "number": "WT-7K3M-Q2ZP",
}
COMING = {"consent.witnessed", "consent.reopened", "device.lost", "passkey.registered", "passkey.removed"}
"""Events of other parts of the program: they have their sentence before they have their shape."""


def names(*, english: bool = False) -> Names:
    return Names(english, {CENTRE.id: CENTRE}, CATALOGUE)


def told(event: str, english: bool = False, **members: Any) -> str:
    return tell(names(english=english), {"event": event, "body": BODY | members}, "me")


def test_every_sentence_is_of_a_known_event_and_fills_in() -> None:
    assert {name.partition("/")[0] for name in NOTICES} <= EVENTS.keys() | COMING
    for name, words in NOTICES.items():
        for english in (False, True):
            said = names(english=english).sentence(words, BODY)
            assert "{" not in said, name
            assert not re.search(r"[一-鿿]", said.replace("3号窗口", "")) or not english, name


def test_who_for_what_and_which_case_are_said() -> None:
    released = [{"subject_ref": "me", "item": "deed_tax", "outcome": "found"}]
    said = told("exchange.released", results=released)
    assert said == "扬州中心 3号窗口 为购房提取住房公积金（编号 YZ-1）查了您的信息。"
    english = told("exchange.released", english=True, results=released)
    assert english.startswith("Yangzhou centre, desk 3号窗口, looked up your data for: ")
    assert told("exchange.withheld", operator=None) == "扬州中心想为购房提取住房公积金（编号 YZ-1）查您的信息，没有给。"
    assert "监护人" in told("consent.granted", channel="guardian")
    assert "纸质" in told("consent.granted", channel="assisted")
    assert "您同意了" in told("consent.granted", channel="online")
    assert "退回" in told("exchange.decided", decision="returned")
    assert "WT-7K3M-Q2ZP" in told("question.answered")


def test_what_has_no_sentence_is_told_to_nobody() -> None:
    assert told("session.begun") == ""
    assert "session.begun" not in TOLD
    assert not {"exchange.admitted", "consent.shown", "question.opened", "correction.opened"} & set(TOLD)
    assert {"exchange.released", "device.enrolled", "consent.withdrawn", "question.answered"} <= set(TOLD)


@pytest.mark.parametrize(
    ("outcomes", "ending"),
    [
        (["found", "timeout"], "given"),
        (["match"], "given"),
        (["mismatch", "withheld"], "given"),
        (["found", "pending"], "pending"),
        (["no_record", "no_record"], "nothing"),
        (["no_record", "timeout"], "nothing"),
        (["not_decidable"], "nothing"),
        (["timeout", "department_down", "quota"], "failed"),
        (["denied_by_department", "need_manual"], "failed"),
        (["withheld", "withheld"], "withheld"),
        ([], "withheld"),
    ],
)
def test_a_release_is_told_by_her_own_items(outcomes: list[str], ending: str) -> None:
    assert ending_of(outcomes) == ending
    assert ending in ENDINGS


def test_the_words_cover_their_lists() -> None:
    assert OUTCOMES.keys() == set(Outcome)
    assert BECAUSE.keys() <= set(Code)
    assert CHANNELS.keys() == {"guardian", "entrusted", "assisted"}
    assert CONSENT_STATES.keys() == {"active", "paused", "used_up", "expired", "withdrawn"}
    for outcome in Outcome:
        assert ending_of([outcome]) in ENDINGS


def test_an_id_that_nobody_knows_stands_for_itself() -> None:
    nobody = names()
    assert (nobody.requester("gone"), nobody.matter("gone"), nobody.item("gone")) == ("gone", "gone", "gone")
    assert nobody.fields("gone", ["a", "b"]) == "a、b"
    assert nobody.purpose("gone", "gone", "为什么") == "为什么"
