"""Every page of the auditors in every form, made from the routes themselves: nothing personal stands on any."""

import json

import pytest

from broker.pages.staff_gate import StaffRoute
from broker.staff.roles import Role
from tests.auditing.case import PERSONAL, Case
from tests.staff.desk import NUMBERS
from tests.staff.test_gate import routes
from tests.world import OPERATOR

pytestmark = pytest.mark.asyncio(loop_scope="package")

FORMS = ("", "form=json", "form=csv", "lang=en")
QUERIES = {"/audit/search": "requester=yz-hpf&limit=200", "/v1/log/entries": "limit=500"}
BY_FORM = {"/audit/search", "/audit/calls/{index}", "/audit/entries/{index}", "/audit/unusual", "/audit/inquiries"}


async def addresses(case: Case, route: StaffRoute) -> list[str]:
    """With every entry, or every inquiry's number, in place of the parameter."""
    if "{index}" in route.path:
        return [route.path.replace("{index}", str(entry["index"])) for entry in case.world.entries()[:40]]
    if "{number}" in route.path:
        opened = [entry["body"]["number"] for entry in case.entries("question.opened")]
        return [route.path.replace("{number}", number) for number in opened]
    return [route.path]


async def test_no_personal_value_on_any_page_of_an_auditor(case: Case) -> None:
    with case.world.broker.database.reader.begin() as connection:
        notice = connection.exec_driver_sql("SELECT notice_text FROM consent_request LIMIT 1").scalar_one()
    claim = next(line.split("：", 1)[1] for line in notice.decode().splitlines() if "核对的说法" in line)
    about = case.entries("exchange.released")[0]["index"]
    await case.phone.post("/v1/me/questions", {"about": about, "text": "这是谁查的？"})
    staff = {person.id_number for person, _ in NUMBERS.values()}
    forbidden = {*PERSONAL, claim, OPERATOR["name"], *staff}
    seen = 0
    for route in routes(case.world):
        if "GET" not in (route.methods or ()) or Role.AUDITOR not in route.roles:
            continue
        for address in await addresses(case, route):
            for form in FORMS if route.path in BY_FORM else FORMS[:1]:
                query = "&".join(filter(None, (QUERIES.get(route.path, ""), form)))
                page = await case.desk.get(f"{address}?{query}", Accept="text/html")
                if page.status == 404:
                    continue
                assert page.status == 200, (address, page.text[:300])
                found = [word for word in forbidden if word in page.text or json.dumps(word)[1:-1] in page.text]
                assert not found, (address, form)
                seen += 1
    assert seen > 100
    call = await case.desk.post(f"/audit/calls/{about}", {"reason": "核对告知内容"})
    assert claim in call.text, "the canary lives: a recorded reason shows what was claimed"
