"""What may be where: everything secret or personal is planted, the story and every fault run, then all is searched.

                             log of   operators' problem  ledger   search  departments'  database
                             server   pages     bodies   entries  rows    call records  file
person's name, id number     never    never     never    never    never   never         encrypted only
a record's values            never    never     never    never    never   never         never
operator's name              never    never     never    never    never   never         never
operator's staff id, desk    never    never     never    yes      yes     yes           yes
case, matter, requester      never    never     never    yes      yes     yes           yes
tickets, cookies, nonces     never    never     never    never    never   never         as a hash only
requesters' tokens           never    never     never    never    never   never         never (their jti: yes)
consent tokens (signed text) never    never     never    never    never   never         yes (the proof of the grant)
expected values to compare   never    never     never    never    never   never         in the request and the consent
private keys, secrets        never    never     never    never    never   never         never

The database file includes its write-ahead log. Released values are written nowhere at all.
"""

import base64
import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from broker.client import Reply, RequesterClient
from broker.demo.phone import Phone, ticket_of
from broker.signing import SigningKey
from connectors.departments.faults import FAULTS
from connectors.departments.fleet import NAMES, Fleet
from connectors.departments.people import LIN, UNMARRIED, XU, made_up
from policies.vocabulary import Person
from tests.faults.raw_http import request, send
from tests.staff.desk import operator
from tests.world import ITEMS, World

OPERATOR_NAME = "尉迟不该出现"
OPERATOR = {"id": "clerk-canary", "name": OPERATOR_NAME, "desk": "8号窗口"}
CASE = "CASE-CANARY-77"
STRANGER = made_up("诸葛不该出现", "19770707", 777)
"""Signs in and is refused; no department knows this person."""
VALUES = (
    "文昌示例路88号", "0012345号", "GB00001F00020902", "110000000017", "286500", "28650000", "1234500", "123450000",
    "1800000", "淮海示例路3号", "52311.27", "系统维护中", "NullPointerException",
)  # fmt: skip
"""Of Xu's records, of those of the person wrongly answered about, and of the departments' own errors."""


@dataclass
class Planted:
    """Everything that was somewhere on its way through the broker."""

    people: set[str] = field(default_factory=set)
    short_lived: set[str] = field(default_factory=set)
    """Tickets, cookies, nonces: in the database as a hash at most."""
    tokens: set[str] = field(default_factory=set)
    """What requesters and devices signed, the consents apart."""
    consents: set[str] = field(default_factory=set)
    secrets: set[str] = field(default_factory=set)
    problems: list[Reply] = field(default_factory=list)
    answers: list[Reply] = field(default_factory=list)

    def person(self, person: Person) -> None:
        number = person.id_number
        self.people |= {person.name, number, number.lower(), number[:6] + number[8:17], number[6:14] + number[14:]}

    def took(self, reply: Reply) -> Reply:
        (self.problems if reply.status >= 400 else self.answers).append(reply)
        return reply

    @property
    def everywhere_forbidden(self) -> set[str]:
        return self.people | self.short_lived | self.tokens | self.consents | self.secrets | {OPERATOR_NAME, *VALUES}


class Recording(RequesterClient):
    """A centre whose every signed token is remembered."""

    planted: Planted

    def sign(self, typ: str, members: dict[str, object]) -> str:
        token = super().sign(typ, dict(members))
        self.planted.tokens |= {token, token.rsplit(".", 1)[-1]}
        return token


@pytest.fixture(autouse=True)
def straightened(fleet: Fleet) -> Iterator[None]:
    yield
    for name in NAMES:
        fleet.set_fault(name, "none")


async def recording(world: World, planted: Planted, name: str) -> Recording:
    plain = await world.centre(name)
    centre = Recording(plain.http, plain.issuer, plain.requester, plain.key)
    object.__setattr__(centre, "planted", planted)
    return centre


async def enrolled(world: World, planted: Planted, person: Person) -> Phone:
    phone = await world.phone(person)
    planted.person(person)
    planted.short_lived |= {cookie.value for cookie in phone.http.cookie_jar}
    nonce = (await phone.get("/v1/me/devices/nonce")).members["nonce"]
    planted.short_lived.add(nonce)
    return phone


async def granted(world: World, planted: Planted, centre: Recording, phone: Phone) -> tuple[str, str]:
    """A consent with an expected value, and its request's ticket."""
    items = [{"item": item} for item in ITEMS]
    items[2]["expect"] = {"marital_status": "20"}  # type: ignore[assignment]
    subject = {"name": phone.person.name, "id_number": phone.person.id_number}
    filed = await centre.file(matter="purchase_withdrawal", case=CASE, operator=OPERATOR, subject=subject, items=items)
    assert filed.status == 201, filed.members
    ticket = ticket_of(filed.members["consent_url"])
    planted.short_lived.add(ticket)
    planted.took(await phone.open(ticket))
    agreed = planted.took(await phone.agree(ticket, list(ITEMS)))
    assert agreed.status == 201, agreed.members
    consent = str((await centre.read(filed.members["id"])).members["consent"])
    planted.consents |= {consent, consent.rsplit(".", 1)[-1], consent.split(".")[1]}
    return consent, ticket


async def pulled(world: World, planted: Planted, centre: Recording, consent: str, **members: object) -> Reply:
    return planted.took(await world.pull(centre, consent, **({"case": CASE, "operator": OPERATOR} | members)))


async def refusals(
    world: World, planted: Planted, centre: Recording, other: Recording, phone: Phone, consent: str, ticket: str
) -> None:
    """Every refusal that this story can reach."""
    stranger, his_wife = await enrolled(world, planted, STRANGER), await enrolled(world, planted, LIN)
    for somebody in (stranger, his_wife):
        planted.took(await somebody.open(ticket))
        planted.took(await somebody.compose(ticket, list(ITEMS)))
        planted.took(await somebody.withdraw("nobody-knows-this-one"))
    planted.took(await phone.agree(ticket, list(ITEMS)))  # already decided
    await pulled(world, planted, other, consent)
    await pulled(world, planted, centre, consent, case="YZ-OTHER-CASE")
    await pulled(world, planted, centre, consent, case=XU.id_number)
    await pulled(world, planted, centre, consent, exchange=f"x-{XU.id_number}")
    await pulled(world, planted, centre, consent, matter="rent_withdrawal")
    await pulled(world, planted, centre, consent, items=[{"party": "spouse", "item": "deed_tax"}])
    await pulled(
        world, planted, centre, consent, items=[{"party": "applicant", "item": "deed_tax", "fields": [XU.name]}]
    )
    await pulled(world, planted, centre, consent, items=[{"party": "applicant", "item": XU.id_number}])
    await pulled(world, planted, centre, consent, operator={"id": XU.id_number, "name": XU.name, "desk": "x"})
    await pulled(world, planted, centre, consent, operator={"id": "", "name": OPERATOR_NAME, "desk": ""})
    await pulled(world, planted, centre, consent[:-3] + "AAA")
    await pulled(world, planted, centre, XU.id_number)
    await pulled(world, planted, centre, consent, **{XU.name: XU.id_number})
    await pulled(world, planted, centre, consent, aud="https://elsewhere.example")
    await pulled(world, planted, centre, consent, exp=1, iat=1)
    for changed in ({"name": XU.name, "id_number": "not-a-number"}, {"name": XU.name * 40, "id_number": XU.id_number}):
        planted.took(await centre.file(matter="purchase_withdrawal", case=CASE, subject=changed))
        planted.took(await phone.post("/v1/session/test", changed))
    planted.took(await centre.file(matter=XU.name, case=CASE, operator=OPERATOR))
    stolen = Recording(centre.http, centre.issuer, centre.requester, SigningKey.generate())
    object.__setattr__(stolen, "planted", planted)
    await pulled(world, planted, stolen, consent)


async def raw_bytes(world: World, planted: Planted, consent: str) -> None:
    """Personal values where they do not belong: in addresses, headers, and bodies that are cut off."""
    cookie = next(iter(planted.short_lived))
    spelled = XU.id_number.encode()
    for raw in (
        request(
            "GET", b"/v1/me/consents/" + spelled + b"?name=" + spelled, headers={"Cookie": f"broker_session={cookie}"}
        ),
        request("GET", b"/v1/authorization-requests/" + spelled + b"?wait=" + spelled),
        request(
            "GET",
            b"/" + spelled,
            headers={"User-Agent": XU.name, "Referer": XU.id_number, "X-Request-Id": XU.id_number},
        ),
        request("POST", "/v1/exchanges", body=consent.encode(), headers={"Content-Type": "application/jwt"}),
        request(
            "POST",
            "/v1/session/test",
            body=b'{"name":"' + XU.name.encode(),
            headers={"Content-Type": "application/json"},
        ),
        b"GET /" + XU.name.encode() + b" HTTP/1.1\r\nHost: x\r\n\r\n",
    ):
        reply = await send(world, raw)
        planted.problems.append(Reply(reply.status, {"body": reply.body.decode(), "headers": dict(reply.headers)}))


async def the_whole_story(world: World, fleet: Fleet, planted: Planted) -> None:
    centre, other = await recording(world, planted, "yz-hpf"), await recording(world, planted, "bj-hpf")
    phone = await enrolled(world, planted, XU)
    planted.person(UNMARRIED)  # the person whom a department wrongly answers about
    consent, ticket = await granted(world, planted, centre, phone)
    await refusals(world, planted, centre, other, phone, consent, ticket)
    await raw_bytes(world, planted, consent)
    first = await pulled(world, planted, centre, consent)
    assert "文昌示例路88号" in json.dumps(first.members, ensure_ascii=False), "the canary never lived"
    for fault in FAULTS:
        if fault in {"slow", "hang"}:
            continue  # nothing comes back from those, and each would cost the routes' three seconds
        for name in NAMES:
            fleet.set_fault(name, fault)
        again, _ = await granted(world, planted, centre, phone)
        assert (await pulled(world, planted, centre, again)).status == 200
    for name in NAMES:
        fleet.set_fault(name, "none")
    assert (await pulled(world, planted, centre, consent)).status == 200
    assert (await pulled(world, planted, centre, consent)).status == 200
    assert (await pulled(world, planted, centre, consent)).code == "consent_used_up"
    for row in (await phone.get("/v1/me/consents")).members["consents"]:
        planted.took(await phone.withdraw(row["jti"]))
    assert (await pulled(world, planted, centre, consent)).code == "consent_withdrawn"
    for path in ("/v1/me/accesses", "/v1/me/devices"):
        assert (await phone.get(path)).status == 200


def secrets_of(world: World, fleet: Fleet, phones: list[Phone], centre_keys: list[SigningKey]) -> set[str]:
    """Every private key and shared secret, as text that could stand in a log."""
    files = [file for folder in (world.broker.settings.secrets, fleet.secrets_folder) for file in folder.iterdir()]
    keys = [key.pem().decode() for key in (*centre_keys, *(phone.key for phone in phones))]
    lines = [line for text in (*map(Path.read_text, files), *keys) for line in text.splitlines()]
    return {line.strip() for line in lines if len(line) >= 20 and not line.startswith("-----")}


def found_in(text: str, words: set[str]) -> list[str]:
    """Which kinds of words stand in a text, also where JSON escaped them; the words themselves are not shown."""
    plain = text + text.encode().decode("unicode_escape", "replace") if "\\u" in text else text
    return [f"{word[:2]}...({len(word)})" for word in words if word in plain]


async def test_nothing_personal_and_nothing_secret_anywhere(
    world: World, fleet: Fleet, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    planted = Planted()
    await the_whole_story(world, fleet, planted)
    planted.secrets = secrets_of(world, fleet, world.phones, [])
    forbidden = planted.everywhere_forbidden
    assert len(planted.tokens) > 60
    assert len({reply.code for reply in planted.problems}) > 15, {reply.code for reply in planted.problems}
    assert not found_in(world.log.getvalue(), forbidden | {CASE, OPERATOR["id"], "8号窗口"})
    broker_lines = [record.getMessage() for record in caplog.records if not record.name.startswith("asyncio")]
    assert not found_in("\n".join(broker_lines), forbidden)
    printed = capfd.readouterr()
    assert not found_in(printed.out + printed.err, forbidden)
    exchanges = {entry["body"]["exchange"] for entry in world.entries() if "exchange" in entry["body"]}
    assert len(exchanges) > 10
    desk = await operator(world)
    for path in ("/metrics", "/readyz", "/operate/departments", "/operate/departments?form=json"):
        shown = (await desk.get(path, Accept="text/html")).text
        assert "beijing-fund" in shown
        assert not found_in(shown, forbidden | exchanges | {CASE, OPERATOR["id"], "8号窗口", "yz-hpf"}), path
    for reply in planted.problems:
        assert not found_in(json.dumps([reply.members, reply.headers], ensure_ascii=False), forbidden), reply.code
    assert not found_in(json.dumps(world.entries(), ensure_ascii=False), forbidden)
    with world.broker.database.reader.begin() as connection:
        rows = connection.exec_driver_sql("SELECT * FROM audit_index").all()
    assert not found_in("\n".join(map(str, rows)), forbidden)
    assert any(OPERATOR["id"] in row for row in rows), "the staff id is to be found again"
    for name in NAMES:
        told = json.dumps(fleet.calls(name), ensure_ascii=False)
        assert not found_in(told, forbidden)
        assert CASE in told or name == "beijing_fund"
    world.check_log()


async def test_the_database_file_holds_only_what_it_may(world: World, fleet: Fleet) -> None:
    planted = Planted()
    await the_whole_story(world, fleet, planted)
    planted.secrets = secrets_of(world, fleet, world.phones, [])
    file = world.broker.settings.database
    assert isinstance(file, Path)
    raw = b"".join(part.read_bytes() for part in file.parent.glob(f"{file.name}*") if part.is_file())
    assert CASE.encode() in raw, "the search itself must be able to find"
    for word in planted.everywhere_forbidden - planted.consents:
        # the certificate's and the account's digits are too short to be told from random bytes
        if len(word.encode()) >= 8:
            assert word.encode() not in raw, f"{word[:2]}...({len(word)})"
            assert base64.b64encode(word.encode())[:-4] not in raw
    consent = max(planted.consents, key=len)
    assert consent.encode() in raw, "the signed consent is the proof of the grant"
    payload = base64.urlsafe_b64decode(consent.split(".")[1] + "==").decode()
    assert not found_in(payload, planted.people | {OPERATOR_NAME, *VALUES}), "a token names a person"
