"""A late answer about two people rests on two consents: whichever of them ends takes the kept copy with it, at once."""

from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from audit.batch import Transaction
from broker import arrivals, late_answers, waiting
from broker.client import RequesterClient
from broker.demo.phone import Phone
from broker.login import end_sessions
from broker.release import minimise
from connectors.contract import Answer
from connectors.departments.fleet import Fleet
from connectors.departments.late_fleet import LateFleet
from connectors.departments.people import LIN, XU
from consent.erasure import erase, find_subject
from policies.vocabulary import Outcome
from tests.late.world import DAY, Hand, collected, jti_of, kept_rows, open_late_world, outcomes, waiting_rows
from tests.world import World

ITEM = "marriage_check_couple"
COUPLE = {"item": ITEM, "fields": ["couple_match_result"], "expect": {"couple_match_result": "1"}}
HIS_LINE = [{"party": "applicant", "item": ITEM}]
ANSWER = {"said": "found", "couple_match_result": "1"}


@dataclass
class Couple:
    """Two who agreed to one check of their marriage, asked for on his line only."""

    world: World
    centre: RequesterClient
    phones: dict[str, Phone]
    consents: dict[str, str]
    exchange: str = "late-couple"

    async def withdraw(self, party: str) -> None:
        assert (await self.phones[party].withdraw(jti_of(self.consents[party]))).status == 200

    async def answered(self) -> int:
        hand = Hand(self.world, "civil_affairs")
        await hand.enter()
        (row,) = waiting_rows(self.world)
        return await hand.answer(row.question, XU, **ANSWER)


@pytest.fixture
async def world(tmp_path: Path, fleet: Fleet, late: LateFleet) -> AsyncIterator[World]:
    async with open_late_world(tmp_path, fleet, late, "couple-manual") as opened:
        yield opened


async def asked_of(world: World, **of_hers: int) -> Couple:
    """Both agreed, his line is pending; `of_hers` is what her request says further."""
    centre = await world.centre()
    couple = Couple(world, centre, {}, {})
    for party, person in (("applicant", XU), ("spouse", LIN)):
        phone = couple.phones[party] = await world.phone(person)
        further = of_hers if party == "spouse" else {}
        request, ticket = await world.ask(centre, person, party=party, items=[COUPLE], **further)
        assert (await phone.open(ticket)).status == 200
        assert (await phone.agree(ticket, [ITEM])).status == 201
        couple.consents[party] = str((await centre.read(request)).members["consent"])
    reply = await world.pull(centre, *couple.consents.values(), items=HIS_LINE, exchange=couple.exchange)
    assert (reply.status, outcomes(reply)) == (202, {ITEM: "pending"})
    return couple


@pytest.fixture
async def couple(world: World) -> Couple:
    return await asked_of(world)


async def test_it_is_collected_while_both_stand_and_a_pause_only_holds_it_back(couple: Couple) -> None:
    world = couple.world
    assert await couple.answered() == 303
    her_jti = jti_of(couple.consents["spouse"])
    assert (await couple.phones["spouse"].post(f"/v1/me/consents/{her_jti}/pause", {})).status == 200
    assert (await collected(world, couple.centre, couple.exchange)).code == "consent_paused"
    assert kept_rows(world) == 1
    assert (await couple.phones["spouse"].post(f"/v1/me/consents/{her_jti}/resume", {})).status == 200
    reply = await collected(world, couple.centre, couple.exchange)
    assert (reply.status, outcomes(reply)) == (200, {ITEM: "match"})
    world.check_log()


async def test_a_use_that_was_the_last_one_destroys_nothing(world: World) -> None:
    couple = await asked_of(world, uses=1)
    assert await couple.answered() == 303
    await world.broker.storage.record(waiting.clear)
    assert kept_rows(world) == 1
    assert (await collected(world, couple.centre, couple.exchange)).status == 200


@pytest.mark.parametrize("party", ["applicant", "spouse"])
async def test_whoever_withdraws_takes_the_copy_at_once(couple: Couple, party: str) -> None:
    assert await couple.answered() == 303
    assert kept_rows(couple.world) == 1
    await couple.withdraw(party)
    assert kept_rows(couple.world) == 0, "destroyed in the same unit of work"
    assert (await collected(couple.world, couple.centre, couple.exchange)).code == "consent_withdrawn"
    assert waiting_rows(couple.world) == []
    couple.world.check_log()


@pytest.mark.parametrize("person", [XU, LIN])
async def test_whoever_is_erased_takes_the_copy_at_once(couple: Couple, person: object) -> None:
    world = couple.world
    assert await couple.answered() == 303

    def work(transaction: Transaction) -> None:
        keys = world.broker.keys.subjects
        subject_ref = find_subject(transaction.connection, keys, (XU if person is XU else LIN).id_number)
        erase(transaction, subject_ref)
        end_sessions(transaction, subject_ref)

    await world.broker.storage.record(work)
    assert kept_rows(world) == 0


@pytest.mark.parametrize("when", ["kept", "pending"])
async def test_hers_runs_out_before_his(world: World, when: str) -> None:
    couple = await asked_of(world, valid_for=2 * DAY)
    if when == "kept":
        world.clock.advance(DAY / 2)
        assert await couple.answered() == 303
        world.clock.advance(1.6 * DAY)
    else:
        await couple.withdraw("spouse")
    await world.broker.storage.record(waiting.clear)
    assert (kept_rows(world), waiting_rows(world)) == (0, []), "house-keeping knows whose consent has ended"
    answer = await collected(world, couple.centre, couple.exchange)
    assert answer.status in (404, 409), "asked in the row's stead"


async def test_an_answer_that_was_read_before_her_withdrawal_is_not_kept_after_it(couple: Couple) -> None:
    """The department's answer was under way while she withdrew: the unit that keeps it looks once more."""
    world = couple.world
    path, storage = world.broker.path, world.broker.storage
    (task,) = await storage.read(lambda connection: arrivals.tasks(connection, path, "civil_affairs"))
    await couple.withdraw("spouse")
    said = Answer(Outcome.MATCH, task.asked.route, world.broker.directory._now())
    answer = minimise(task.known.line, said)
    kept = await storage.record(lambda transaction: late_answers.keep(transaction, path.subjects, task.asked, answer))
    assert (kept.value, kept_rows(world), waiting_rows(world)) == (False, 0, [])
