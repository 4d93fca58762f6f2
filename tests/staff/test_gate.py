"""Every route of the staff and every role: the matrix is made from the routes themselves, so none is left out."""

import re
from collections.abc import Iterator

from fastapi.routing import APIRoute

from broker.hosts import STAFF
from broker.pages.staff_gate import StaffRoute
from broker.staff.roles import Role
from connectors.departments.people import XU
from tests.staff.desk import SAM, STU, found, hire, sit_down
from tests.world import World

OUTSIDE = {"/staff/sign-in", "/staff/session/test", "/staff/openid", "/staff/return"}
"""Where nobody can be signed in yet."""
SIGNED_IN = {Role.AUDITOR: "a-001", Role.SECURITY: "s-001", Role.SYSTEM: "o-001", Role.STEWARD: "d-001"}


def every_route(world: World) -> Iterator[APIRoute]:
    for included in world.broker_app.routes:
        router = getattr(included, "original_router", None)
        yield from (route for route in (router.routes if router is not None else ()) if isinstance(route, APIRoute))


def routes(world: World) -> Iterator[StaffRoute]:
    return (route for route in every_route(world) if isinstance(route, StaffRoute))


def address(route: StaffRoute) -> str:
    """With something in place of each parameter."""
    return re.sub(r"\{[^}]*\}", "0", route.path)


async def test_each_role_reaches_its_own_and_nothing_else(world: World) -> None:
    await found(world)
    await hire(world, "o-001", SAM, Role.SYSTEM)
    await hire(world, "d-001", STU, Role.STEWARD, "taxation")
    known = list(routes(world))
    assert len(known) >= 7
    desks = {role: await sit_down(world, number) for role, number in SIGNED_IN.items()}
    outsider = await world.phone(XU)
    for route in known:
        assert route.roles, route.path
        for method in route.methods or ():
            if route.path == "/staff/sign-out":
                continue
            for role, desk in desks.items():
                asking = desk.get(address(route), Accept="text/html") if method == "GET" else desk.post(address(route))
                seen = await asking
                assert role in route.roles or seen.status == 403, (method, route.path, role, seen.status)
                assert seen.status < 500, (method, route.path, role)
            if method == "GET":
                stranger = await outsider.get(address(route))
                assert stranger.status == 401, (route.path, "a citizen's session is none here")
    refused = [entry["body"] for entry in world.entries() if entry["event"] == "staff.refused"]
    assert refused
    assert {one["address"] for one in refused} <= {route.path for route in known}


async def test_nothing_stands_beside_the_gate(world: World) -> None:
    beside = {route.path for route in every_route(world) if not isinstance(route, StaffRoute)}
    assert {path for path in beside if f"{path}/".startswith(STAFF)} == OUTSIDE


async def test_another_sites_form_does_nothing(world: World) -> None:
    await found(world)
    desk = await sit_down(world, "s-001")
    for origin in ("https://elsewhere.example", "null", ""):
        assert (await desk.post("/staff/people/a-001/remove", origin=origin)).status == 403
        assert (await desk.post("/staff/session/test", {"number": "a-001"}, origin=origin)).status == 403


async def test_at_rest_and_at_the_end_of_the_day_it_is_over(world: World) -> None:
    await found(world)
    desk = await sit_down(world, "a-001")
    for _ in range(3):
        world.clock.advance(14 * 60)
        assert (await desk.get("/staff", Accept="text/html")).status == 200
    world.clock.advance(16 * 60)
    seen = await desk.get("/staff", Accept="text/html")
    assert seen.status == 401
    assert "请用您自己的身份登录" in seen.text
    assert (await desk.json("/staff"))["code"] == "not_signed_in"
    desk = await sit_down(world, "a-001")
    for _ in range(60):
        world.clock.advance(10 * 60)
        if (await desk.get("/staff", Accept="text/html")).status == 401:
            break
    else:
        raise AssertionError("a session that never ends")


async def test_signing_out_ends_it_and_is_recorded(world: World) -> None:
    await found(world)
    desk = await sit_down(world, "a-001")
    assert (await desk.post("/staff/sign-out")).status == 303
    assert (await desk.get("/staff", Accept="text/html")).status == 401
    assert world.events()[-1] == "staff.signed_out"
    world.check_log()
