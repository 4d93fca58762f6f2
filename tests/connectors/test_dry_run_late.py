"""The dry run of the further kinds: each as recorded, and off as soon as its mapping is."""

from pathlib import Path
from shutil import copytree

import pytest

from connectors.departments.late_fleet import SAMPLES
from connectors.dry_run import Rehearsal, rehearse, routes_of, sample_of
from policies.strict_yaml import ConfigurationError
from policies.vocabulary import ItemKind, Outcome
from tests.connectors.asking import ITEMS
from tests.connectors.late_asking import ITEM_OF
from tests.connectors.test_late_configuration import routes


class Folder:
    """One route's file and its sample, to be changed."""

    def __init__(self, path: Path, name: str) -> None:
        self.name = name
        self.routes = path / "departments.yaml"
        self.routes.write_text(routes(name, path), encoding="utf-8")
        copytree(SAMPLES, path / "samples")
        self.sample = sample_of(self.routes, name)

    def run(self) -> Rehearsal:
        (route,) = routes_of(self.routes, ITEM_OF[self.name])
        return rehearse(route, ITEMS[ITEM_OF[self.name]], self.sample)


def change(file: Path, old: str, new: str) -> None:
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, "the file has changed under this test"
    file.write_text(text.replace(old, new), encoding="utf-8")


@pytest.mark.parametrize("name", ITEM_OF)
def test_each_does_as_recorded(tmp_path: Path, name: str) -> None:
    done = Folder(tmp_path, name).run()
    assert done.differences == ()
    assert done.leaves.dropped > 0, "a sample without anything to drop shows no minimising"
    checked = ITEMS[ITEM_OF[name]].kind is ItemKind.VERIFY
    assert done.leaves.outcome is (Outcome.MATCH if checked else Outcome.FOUND)


WRONG = [
    ("civil-affairs-soap", "from: HYZK", "from: HYZT", Outcome.GARBLED),
    ("civil-affairs-soap", "newest_by: GXSJ", "newest_by: OP_DATE", Outcome.GARBLED),
    ("civil-affairs-soap", "queryResponse.return", "queryResponse.out", Outcome.GARBLED),
    ("civil-affairs-soap", 'success: ["0000"]', 'success: ["1"]', Outcome.GARBLED),
    ("civil-affairs-soap", '"20": "20"', '"20": "40"', Outcome.MISMATCH),
    ("civil-affairs-soap", "<NAME>{person.name}</NAME>", "", Outcome.MATCH),
    ("ticket-platform", "ticket_at: data.cxsqdh", "ticket_at: data.ticket", Outcome.GARBLED),
    ("ticket-platform", 'ready: ["3"]', 'ready: ["6"]', Outcome.GARBLED),
    ("ticket-platform", '"4"]\n          ready: ["3"]', '"3"]\n          ready: ["6"]', Outcome.PENDING),
    ("ticket-platform", "from: JZMJ", "from: FWXZ", Outcome.FOUND),
    ("ticket-platform", "list_at: data.list", "list_at: data.rows", Outcome.GARBLED),
    ("ticket-platform", 'lsh: "{call}"', 'lsh: "{case}"', Outcome.FOUND),
    ("pushing-office", "question_at: ywlsh", "question_at: tsbh", Outcome.GARBLED),
    ("pushing-office", "number_at: tsbh", "number_at: number", Outcome.GARBLED),
    ("pushing-office", "from: grzhye, as: yuan", "from: grzhye, as: fen", Outcome.GARBLED),
    ("pushing-office", 'taken: {at: code, success: ["00"]', 'taken: {at: code, success: ["0"]', Outcome.GARBLED),
    *(
        (name, old, new, outcome)
        for name in ("tax-files-sftp", "tax-files-folder")
        for old, new, outcome in (
            ("jsje, sjje, jkrq", "sjje, jsje, jkrq", Outcome.FOUND),
            ("question: lsh", "question: cxzjh", Outcome.GARBLED),
            ('"{param.date_from}", "{param.date_to}"', '"{param.date_to}", "{param.date_from}"', Outcome.FOUND),
            ("person: nsrsbh", "person: nsrmc", Outcome.GARBLED),
            ('success: ["00"]', 'success: ["0"]', Outcome.GARBLED),
        )
    ),
    ("tax-tables", "from: sjje", "from: jsje", Outcome.FOUND),
    ("tax-tables", "from: sjje", "from: jkje", Outcome.GARBLED),
    ("tax-tables", "as_of: sjgxsj", "as_of: dzsphm", Outcome.GARBLED),
    ("tax-tables", 'rq_q: "{param.date_from}"', 'rq_q: "{param.date_to}"', Outcome.FOUND),
    ("tax-tables", "number: sqbh, as_of", "number: cxzjh, as_of", Outcome.GARBLED),
    (
        "tax-manual",
        "paid_amount: {from: paid_amount, as: yuan}",
        "paid_amount: {from: paid_amount, as: fen}",
        Outcome.FOUND,
    ),
    ("tax-manual", "person: person", "person: taxpayer_id", Outcome.GARBLED),
]
"""What somebody may get wrong in a route, and what would then leave."""


@pytest.mark.parametrize(("name", "right", "wrong", "outcome"), WRONG)
def test_a_wrong_mapping_is_noticed(tmp_path: Path, name: str, right: str, wrong: str, outcome: Outcome) -> None:
    folder = Folder(tmp_path, name)
    change(folder.routes, right, wrong)
    done = folder.run()
    assert done.differences, "nobody would have noticed"
    assert done.leaves.outcome is outcome


@pytest.mark.parametrize("name", ITEM_OF)
def test_another_persons_answer_never_leaves(tmp_path: Path, name: str) -> None:
    folder = Folder(tmp_path, name)
    before, _, rest = folder.sample.read_text(encoding="utf-8").partition("\nanswered:")
    for written in ("32109919860312017X", "32109919860312017x"):
        rest = rest.replace(written, "321099199911050331")
    folder.sample.write_text(f"{before}\nanswered:{rest}", encoding="utf-8")
    done = folder.run()
    assert (done.leaves.outcome, done.leaves.records) == (Outcome.GARBLED, ())
    assert "outcome" in done.differences


@pytest.mark.parametrize(
    ("name", "old", "new", "told"),
    [
        ("ticket-platform", "    collect: >-", "    gather: >-", "no reply is recorded for the step 'collect'"),
        ("pushing-office", "    pushed: >-", "    posted: >-", "no reply is recorded for the step 'pushed'"),
        ("tax-tables", 'status: "2"', 'status: "1"', "no reply is recorded for the step 'status'"),
        ("tax-manual", "said: found", "said: perhaps", "no reply is recorded for the step 'said'"),
        ("tax-tables", 'status: "2"', 'state: "2"', "unknown field `state`"),
    ],
)
def test_a_sample_without_the_whole_answer(tmp_path: Path, name: str, old: str, new: str, told: str) -> None:
    folder = Folder(tmp_path, name)
    change(folder.sample, old, new)
    with pytest.raises(ConfigurationError) as caught:
        folder.run()
    assert str(caught.value).startswith(f"{folder.sample}:")
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("name", "answered", "outcome"),
    [
        ("ticket-platform", """{replies: {submit: '{"code":"20"}'}}""", Outcome.DENIED_BY_DEPARTMENT),
        (
            "ticket-platform",
            """{replies: {submit: '{"code":"00","data":{"cxsqdh":"1"}}', poll: '{"code":"00","data":{"zt":"2"}}'}}""",
            Outcome.PENDING,
        ),
        ("tax-tables", '{status: "9", code: "01"}', Outcome.NO_RECORD),
        ("tax-tables", '{status: "9", code: "20"}', Outcome.DENIED_BY_DEPARTMENT),
        ("tax-files-folder", '{body: "dry-run-call|01|||||||||||\\r\\n"}', Outcome.NO_RECORD),
        ("tax-manual", "{said: denied_by_department}", Outcome.DENIED_BY_DEPARTMENT),
        ("civil-affairs-soap", "{body: <html>busy</html>}", Outcome.GARBLED),
    ],
)
def test_what_is_no_answer_can_be_recorded_too(tmp_path: Path, name: str, answered: str, outcome: Outcome) -> None:
    folder = Folder(tmp_path, name)
    before = folder.sample.read_text(encoding="utf-8").partition("\nanswered:")[0]
    folder.sample.write_text(
        f"{before}\nanswered: {answered}\nleaves: {{outcome: {outcome.value}}}\n", encoding="utf-8"
    )
    done = folder.run()
    assert [name for name in done.differences if name != "sent"] == []


def test_a_long_answer_is_read_as_well(tmp_path: Path) -> None:
    """Connectors read those in a thread, also where there is no other event loop."""
    folder = Folder(tmp_path, "ticket-platform")
    change(folder.sample, '"list":[', '"list":[' + " " * 100_000)
    assert folder.run().differences == ()
