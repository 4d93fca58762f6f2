"""What must not work at a counter: refused plainly, in a page and in JSON, and nothing of it in the log."""

import csv
from io import StringIO
from urllib.parse import quote

import pytest
import pytest_asyncio

from connectors.departments.people import LIN, UNMARRIED, XU
from policies.vocabulary import Person
from tests.desk.counters import CLERK, COLLEAGUE, PIN, Counter
from tests.desk.forms import JSON, Clerk
from tests.world import World

pytestmark = pytest.mark.asyncio(loop_scope="package")

WRONG_PIN = "000999"


@pytest.fixture
def clerk(town: World, counter: Counter) -> Clerk:
    return Clerk(town.http, counter)


@pytest_asyncio.fixture(scope="module", loop_scope="package")
async def seated(town: World, counter: Counter) -> Clerk:
    """Signed in once for all that leaves the session alone: a PIN is slow to hash."""
    made = Clerk(town.http, counter)
    await made.sign_in()
    return made


async def test_only_named_clerks_with_their_own_pin_sign_in(clerk: Clerk) -> None:
    for who, pin in ((CLERK, WRONG_PIN), (("w-99", ""), PIN), (("", ""), ""), (("w-07' OR '1", ""), PIN)):
        answered = await clerk.sign_in(who, pin)
        assert (answered.status, clerk.cookie) == (401, "")
        assert "工号或 PIN 不对" in answered.text
    answered = await clerk.send("/sign-in", number=CLERK[0], pin=PIN, desk="别的窗口")
    assert answered.status == 422
    assert (await clerk.sign_in()).status == 303
    assert "HttpOnly" in (cookie := (await clerk.sign_in()).headers["Set-Cookie"])
    assert "SameSite=strict" in cookie


async def test_who_is_not_signed_in_gets_no_page(clerk: Clerk) -> None:
    for path in ("/", "/cases", "/cases/YZ-2026-000001", "/new", "/parcels", "/cases.csv"):
        answered = await clerk.get(path)
        assert answered.status in (303, 307), path
        assert path == "/" or answered.headers["Location"] == "/sign-in"
    refused = await clerk.get("/cases", **JSON)
    assert (refused.status, refused.members["code"]) == (401, "not_signed_in")
    assert (await clerk.send("/cases", name=XU.name)).status == 401


async def test_a_locked_window_opens_only_to_its_own_clerk(clerk: Clerk, counter: Counter, town: World) -> None:
    await clerk.sign_in()
    case = await clerk.start(LIN)
    assert (await clerk.send("/lock")).status == 303
    for path in ("/cases", f"/cases/{case}", "/cases.csv", "/new"):
        answered = await clerk.get(path)
        assert answered.status == 423
        assert LIN.name not in answered.text
        assert "购房" not in answered.text
    assert (await clerk.get("/cases", **JSON)).members["code"] == "locked"
    assert (await clerk.send(f"/cases/{case}/paper")).status == 423
    colleague = Clerk(town.http, counter)
    await colleague.sign_in(COLLEAGUE)
    refused = await clerk.send("/unlock", pin=WRONG_PIN, number=COLLEAGUE[0])
    assert refused.status == 401, "another's number beside a PIN changes nothing"
    assert (await clerk.get("/cases")).status == 423
    assert (await clerk.send("/unlock", pin=PIN)).status == 303
    assert (await clerk.get("/cases")).status == 200


async def test_wrong_pins_are_counted(clerk: Clerk, counter: Counter, town: World) -> None:
    other = Clerk(town.http, counter)
    await other.sign_in(COLLEAGUE)
    await other.send("/lock")
    statuses = [(await other.send("/unlock", pin=WRONG_PIN)).status for _ in range(6)]
    assert statuses == [401] * 5 + [429]
    assert (await other.send("/unlock", pin=PIN)).status == 429, "the right one, too, waits"
    assert (await clerk.sign_in()).status == 303, "nobody else is kept out"


async def test_a_colleagues_case_looks_like_none(seated: Clerk) -> None:
    paths = ("/cases/YZ-2025-000009", "/cases/..%2Fnew", "/cases/" + "9" * 500, "/cases/%00")
    for path in paths:
        answered = await seated.get(path)
        assert answered.status == 404, path
        assert "没有这件业务" in answered.text
    assert (await seated.send("/cases/YZ-2025-000009/decide", decision="approved")).status == 404


async def test_another_clerk_sees_whose_it_is_and_nothing_more(town: World, counter: Counter, clerk: Clerk) -> None:
    await clerk.sign_in()
    case = await clerk.start(UNMARRIED)
    stranger = Clerk(town.http, counter, cookie=clerk.cookie[:-4] + "AAAA")
    assert (await stranger.get(f"/cases/{case}", **JSON)).status == 401
    listed = await clerk.json("/cases")
    assert case in [one["number"] for one in listed["cases"]]
    again = await clerk.send("/cases", name=UNMARRIED.name, id_number=UNMARRIED.id_number, matter="purchase_withdrawal")
    assert again.status == 200
    assert "已经有在办的业务" in again.text


@pytest.mark.parametrize(
    "query",
    ["after=1.x", "after=1.YZ-2026-000001.0123456789abcdef", "after=", f"after={'9' * 4000}", "after=1&after=2"],
)
async def test_a_tampered_cursor_is_refused(seated: Clerk, query: str) -> None:
    answered = await seated.get(f"/cases?{query}")
    assert answered.status in (400, 422)


@pytest.mark.parametrize(
    "query",
    [f"number={'a' * 65}", "stage=nowhere", "who=me", "stage=decided&stage=asking", f"number={quote('x' * 9000)}"],
)
async def test_a_huge_or_unknown_filter_is_refused(seated: Clerk, query: str) -> None:
    assert (await seated.get(f"/cases?{query}")).status == 422
    refused = await seated.get(f"/cases?{query}", **JSON)
    assert refused.members["code"] == "invalid_request"
    assert (await seated.send("/find", find="9" * 65)).status == 422


async def test_forms_from_elsewhere_do_nothing(clerk: Clerk) -> None:
    await clerk.sign_in()
    before = len((await clerk.json("/cases"))["cases"])
    for origin in ("https://evil.example", "null", clerk.counter.address + ".evil.example"):
        clerk.origin = origin
        for path in ("/cases", "/lock", "/sign-out", "/parcels", "/unlock"):
            assert (await clerk.send(path, name="x")).status == 403, (origin, path)
    clerk.origin = ""
    assert len((await clerk.json("/cases"))["cases"]) == before


@pytest.mark.parametrize(
    ("name", "number", "matter", "said"),
    [
        ("", XU.id_number, "purchase_withdrawal", "请填写姓名"),
        ("徐" * 61, XU.id_number, "purchase_withdrawal", "请填写姓名"),
        (XU.name, XU.id_number[:-1] + "1", "purchase_withdrawal", "身份证号不对"),
        (XU.name, "' OR 1=1 --", "purchase_withdrawal", "身份证号不对"),
        (XU.name, XU.id_number, "retirement_withdrawal", "请选一项业务"),
        (XU.name, XU.id_number, "../x", "请选一项业务"),
    ],
)
async def test_a_wrong_person_or_matter_is_told_at_its_field(
    seated: Clerk, name: str, number: str, matter: str, said: str
) -> None:
    answered = await seated.send("/cases", name=name, id_number=number, matter=matter)
    assert answered.status == 422
    assert said in answered.text
    assert "/cases/" not in answered.headers.get("Location", "")


async def test_what_is_too_long_or_no_form_is_not_read(clerk: Clerk, town: World) -> None:
    await clerk.sign_in()
    assert (await clerk.send("/parcels", parcel="A" * 100_000)).status == 413
    headers = {"Origin": clerk.counter.address, "Cookie": f"desk_session={clerk.cookie}"}
    async with town.http.post(f"{clerk.counter.address}/cases", json={"name": "x"}, headers=headers) as response:
        assert response.status == 422
    async with town.http.put(f"{clerk.counter.address}/cases", headers=headers) as response:
        assert response.status == 405
    fields = [("item", str(number)) for number in range(200)]
    assert (await clerk.send("/cases", *fields)).status == 422


async def test_a_formula_in_a_cell_is_made_a_text(seated: Clerk) -> None:
    names = ["=HYPERLINK(1)", "+1", "-1", "@SUM", "\uff1d1"]
    for name in names:
        await seated.start(Person(name, LIN.id_number))
    answered = await seated.get("/cases.csv")
    assert answered.headers["Content-Type"].startswith("text/csv")
    cells = [cell for row in csv.reader(StringIO(answered.text.lstrip("\ufeff"))) for cell in row]
    assert {f"'{name[0]}**" for name in names} <= set(cells)
    assert not [cell for cell in cells if cell.startswith(("=", "+", "-", "@", "\uff1d", "\t"))]


async def test_steps_out_of_order_are_refused(seated: Clerk) -> None:
    case = await seated.start(LIN)
    for step in ("renew", "pull", "collect", "again", "show", "rate"):
        answered = await seated.send(f"/cases/{case}/{step}", value="x", rating="5")
        assert answered.status == 409, step
    assert (await seated.send(f"/cases/{case}/ask", item="not_an_item")).status == 422
    assert (await seated.send(f"/cases/{case}/ask")).status == 422
    assert (await seated.send(f"/cases/{case}/decide", decision="eaten")).status == 422


async def test_nothing_personal_stands_in_the_desks_log(clerk: Clerk, counter: Counter) -> None:
    await clerk.sign_in()
    await clerk.get(f"/cases?number={XU.id_number}")
    await clerk.get(f"/{quote(XU.name)}/{XU.id_number}")
    for canary in (XU.name, XU.id_number, LIN.name, LIN.id_number, PIN, clerk.cookie, quote(XU.name)):
        assert canary not in counter.log
