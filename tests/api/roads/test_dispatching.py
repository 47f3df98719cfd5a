"""Rounds of work orders at a real post: proposed through its streets, changed by hand, judged, given to crews."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from itertools import pairwise
from typing import Any
from zoneinfo import ZoneInfo

import pytest
import shapely

from tests.people import AtWork, Browser, make_people
from tests.post import NO_RESERVE, RunningPost, make, running
from vigie.app import installation
from vigie.core.drafts import Draft
from vigie.core.hours import DAYS
from vigie.settings import Settings

AREA = "dijon-metropole/dijon"
DAY = (datetime.now(UTC) + timedelta(days=2)).date().isoformat()
PARIS = ZoneInfo("Europe/Paris")
LON, LAT, STEP = 5.0, 47.3, 0.004


def street(key: str, *corners: tuple[float, float]) -> Draft:
    line = shapely.LineString(corners)
    return Draft(key=key, kind="street", lon=corners[0][0], lat=corners[0][1], area=AREA, name=key,
                 geometry=shapely.to_wkb(line), attributes={"speed_limit": 50.0})  # fmt: skip


def crew(key: str, place: int, hours: str | None = "mon-sun 08:00-12:00", **said: Any) -> Draft:
    said["hours"] = hours
    return Draft(key=key, kind="crew", name=key, lon=LON + place * STEP, lat=LAT, area=AREA,
                 attributes={name: value for name, value in said.items() if value})  # fmt: skip


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPost]:
    """One street of ten stretches, an electrical crew at one end of it and one for roads at the other."""
    folder = tmp_path_factory.mktemp("post")
    secret = make(folder, lamps=1)
    places = [(LON + n * STEP, LAT) for n in range(11)]
    with installation(Settings(data=folder, **NO_RESERVE)) as opened:
        streets = [street(f"s{n}", a, b) for n, (a, b) in enumerate(pairwise(places))]
        crews = [
            crew("lights", 0, skills="electrical until 2099-01-01"),
            crew("roads", 10, skills="asphalt"),
            crew("expired", 5, skills="electrical until 2020-01-01", hours="mon-sun 08:00-08:20"),
            crew("soon", 5, skills=f"electrical until {date.fromisoformat(DAY) + timedelta(days=38)}"),
            crew("always", 0, hours="mon-sun 00:00-24:00"),
            crew("never", 0, hours=f"{DAYS[(datetime.fromisoformat(DAY).weekday() + 3) % 7]} 08:00-12:00"),
            crew("town", 0, hours=None),
            crew("busy", 5, hours="mon-sun 08:00-18:00"),
            crew("truck", 5, hours="mon-sun 08:00-18:00", capacity=1_000),
            crew("night", 9, hours="mon-sun 23:59-23:58"),
        ]
        opened.take_assets("town", [*streets, *crews])
    make_people(folder)
    with running(folder, secret) as started:
        yield started


@pytest.fixture(scope="module")
def operator(post: RunningPost) -> Browser:
    return AtWork().browser(post, "operator")


def opened(browser: Browser, at: int, **said: Any) -> str:
    body = {"kind": "roads.work_order", "category": "surface", "lon": LON + at * STEP, "lat": LAT} | said
    answer = browser.ask("POST", "/api/v1/cases", body)
    assert answer.status == 201, answer.body
    return answer.body["id"]


def lit(browser: Browser, at: int, **said: Any) -> str:
    return opened(browser, at, document={"takes_min": 30, "skills": ["electrical"]}, **said)


def ask(browser: Browser, path: str, status: int = 200, **said: Any) -> Any:
    answer = browser.ask("POST", f"/api/v1/roads/dispatch{path}", {"day": DAY} | said)
    assert answer.status == status, answer.body
    return answer.body


def rounds(told: Any) -> dict[str, list[str]]:
    return {each["crew"]["name"]: [stop["case"]["id"] for stop in each["stops"]] for each in told["rounds"]}


def test_a_day_is_proposed_given_and_planned_anew_with_nothing_moved(operator: Browser) -> None:
    lamps, holes = [lit(operator, n) for n in (2, 1, 3)], [opened(operator, n) for n in (8, 9)]
    long = opened(operator, 5, document={"takes_min": 600})
    cases = [*lamps, *holes, long]
    crews = ["crew-lights", "crew-roads", "crew-expired"]
    told = ask(operator, "/proposals", crews=crews, cases=cases, limit_s=0.3)
    assert told["findings"] == []
    assert set(rounds(told)["lights"]) >= set(lamps)
    assert [(each["case"]["id"], each["why"]) for each in told["left"]] == [(long, "no_window")]
    first = told["rounds"][0]
    assert first["leave"] < first["stops"][0]["start"] < first["back"]
    assert first["distance_m"] > 500
    chosen = [{"crew": f"crew-{name}", "cases": own} for name, own in rounds(told).items()]
    given = ask(operator, "", rounds=chosen)
    assert (len(given["moved"]), given["refused"]) == (5, {})
    assert all(each["planned"].startswith(DAY) and each["state"] == "assigned" for each in given["moved"])
    again = ask(operator, "/proposals", crews=crews, cases=cases, limit_s=0.3)
    assert (rounds(again), again["moved"]) == (rounds(told), [])
    for each in cases:
        operator.ask("POST", f"/api/v1/cases/{each}/moves", {"event": "finish"})


def test_rounds_by_hand_are_timed_and_judged(operator: Browser) -> None:
    lamp, hole = lit(operator, 2), opened(operator, 8)
    by_hand = [{"crew": "crew-roads", "cases": [hole, lamp]}]
    told = ask(operator, "/checks", rounds=by_hand)
    assert [(each["rule"], each["case"], each["skill"]) for each in told["findings"]] == [("skill", lamp, "electrical")]
    assert ask(operator, "", 409, rounds=by_hand)["rule"] == "engine.rounds_rule"
    expired = ask(operator, "/checks", rounds=[{"crew": "crew-expired", "cases": [lamp]}])["findings"]
    assert {each["rule"] for each in expired} == {"expired", "shift"}
    late = [{"crew": "crew-lights", "cases": [lit(operator, n) for n in range(1, 10)]}]
    assert [each["rule"] for each in ask(operator, "/checks", rounds=late)["findings"]] == ["shift"]
    assert ask(operator, "", 409, rounds=late)["rule"] == "engine.rounds_reason"
    given = ask(operator, "", rounds=late, reason="they stay longer, and get it back")
    assert len(given["moved"]) == 9
    assert ask(operator, "/checks", 422, rounds=[*late, late[0]])["rule"] == "engine.rounds_twice"


def test_nobody_is_given_by_hand_what_they_may_not_do_on_that_day(operator: Browser) -> None:
    lamp, hole = lit(operator, 2), opened(operator, 8)

    def given(case: str, crew: str, **said: Any) -> Any:
        return operator.ask("POST", f"/api/v1/cases/{case}/moves", {"event": "assign", "crew": crew} | said)

    for crew in ("crew-roads", "crew-expired"):
        refused = given(lamp, crew)
        assert (refused.status, refused.body["rule"]) == (409, "engine.crew_skill")
    many = {"event": "assign", "crew": "crew-roads", "cases": {lamp: 1, hole: 1}}
    answer = operator.ask("POST", "/api/v1/cases/moves", many).body
    assert ([each["id"] for each in answer["moved"]], answer["refused"]) == ([hole], {lamp: "engine.crew_skill"})
    assert given(lamp, "crew-lights").status == 200
    # The day on which it is planned is what counts.
    soon = (datetime.now(UTC) + timedelta(days=40)).date()
    assert given(lamp, "crew-soon", planned=f"{soon + timedelta(days=1)}T08:00:00Z").body["rule"] == "engine.crew_skill"
    assert given(lamp, "crew-soon", planned=f"{soon}T08:00:00Z").status == 200


def test_what_somebody_has_moved_meanwhile_is_told_and_keeps_nobody_else_from_their_work(operator: Browser) -> None:
    one, other = opened(operator, 7), opened(operator, 6)
    operator.ask("PATCH", f"/api/v1/cases/{one}", {"revision": 1, "priority": 1})
    given = ask(operator, "", rounds=[{"crew": "crew-roads", "cases": [one, other]}], revisions={one: 1, other: 1})
    assert ([each["id"] for each in given["moved"]], given["refused"]) == ([other], {one: "engine.case_changed"})


def asked_for(told: Any) -> set[str]:
    """What is in a round, or left out."""
    return {case for own in rounds(told).values() for case in own} | {each["case"]["id"] for each in told["left"]}


def at_hand(told: Any) -> dict[str, list[str]]:
    return {each["crew"]["name"]: [case["id"] for case in each["under_way"]] for each in told["rounds"]}


def test_what_a_crew_has_begun_takes_its_time_though_it_is_not_named_and_tomorrow_it_begins_at_its_depot(
    operator: Browser,
) -> None:
    begun, other = opened(operator, 8, document={"takes_min": 120}), opened(operator, 9)
    for event in ("assign", "start"):
        operator.ask("POST", f"/api/v1/cases/{begun}/moves", {"event": event, "crew": "crew-always"})
    by_hand = [{"crew": "crew-always", "cases": [other]}]
    today = ask(operator, "/checks", day=None, rounds=by_hand)
    assert at_hand(today) == {"always": [begun]}
    now = datetime.now(UTC)
    (stop,) = today["rounds"][0]["stops"]
    assert datetime.fromisoformat(stop["start"]) > now + timedelta(minutes=119)
    later = ask(operator, "/checks", rounds=by_hand)
    assert at_hand(later) == {"always": []}
    assert later["rounds"][0]["leave"] < later["rounds"][0]["stops"][0]["start"] < f"{DAY}T01"
    given = ask(operator, "", rounds=[{"crew": "crew-always", "cases": [begun, other]}])
    assert ([each["id"] for each in given["moved"]], given["refused"]) == ([other], {begun: "engine.life"})
    operator.ask("POST", f"/api/v1/cases/{begun}/moves", {"event": "finish"})


def given_for(browser: Browser, case: str, crew: str, at: str) -> None:
    answer = browser.ask("POST", f"/api/v1/cases/{case}/moves", {"event": "assign", "crew": crew, "planned": at})
    assert answer.status == 200, answer.body


def test_what_a_crew_has_to_do_already_takes_its_time_though_nobody_names_it(operator: Browser) -> None:
    theirs, mine = opened(operator, 5, document={"takes_min": 90}), opened(operator, 6, document={"takes_min": 120})
    given_for(operator, theirs, "crew-busy", f"{DAY}T09:00:00Z")
    for told in (
        ask(operator, "/checks", rounds=[{"crew": "crew-busy", "cases": [mine]}]),
        ask(operator, "/proposals", crews=["crew-busy"], cases=[mine], limit_s=0.1),
    ):
        (own,) = told["rounds"]
        assert (told["findings"], told["left"], rounds(told)) == ([], [], {"busy": [mine]})
        (stays,), (stop,) = own["given"], own["stops"]
        assert stays["case"]["id"] == theirs
        assert f"{DAY}T09:00" <= stays["start"] <= f"{DAY}T09:31"
        assert stop["leave"] < stays["arrival"] or stop["arrival"] > stays["leave"]
    given = ask(operator, "", rounds=[{"crew": "crew-busy", "cases": [mine]}])
    assert [each["id"] for each in given["moved"]] == [mine]


def test_an_order_is_begun_in_its_hours_and_takes_room_of_the_vehicle(operator: Browser) -> None:
    heavy = {"load_kg": 600, "takes_min": 10}
    one, other = (opened(operator, n, document=heavy) for n in (4, 5))
    late = opened(operator, 6, document={"hours": "mon-sun 14:00-15:00"})
    never = opened(
        operator, 6, document={"hours": f"{DAYS[(datetime.fromisoformat(DAY).weekday() + 3) % 7]} 08:00-09:00"}
    )
    by_hand = [{"crew": "crew-truck", "cases": [one, late]}]
    told = ask(operator, "/checks", rounds=by_hand)
    assert told["findings"] == []
    assert datetime.fromisoformat(told["rounds"][0]["stops"][1]["start"]).astimezone(PARIS).hour == 14
    full = ask(operator, "/checks", rounds=[{"crew": "crew-truck", "cases": [one, other]}])
    assert [(each["rule"], each["over"]) for each in full["findings"]] == [("capacity", 200)]
    left = ask(operator, "/proposals", crews=["crew-truck"], cases=[never], limit_s=0.1)["left"]
    assert [each["why"] for each in left] == ["no_window"]
    wrong = operator.ask("POST", "/api/v1/cases", {"kind": "roads.work_order", "category": "surface", "lon": LON,
                                                   "lat": LAT, "document": {"hours": "at noon"}})  # fmt: skip
    assert wrong.status == 422


def test_the_shift_that_goes_on_past_midnight_is_planned_as_the_day_on_which_it_began(operator: Browser) -> None:
    now = datetime.now(PARIS)
    if now.hour == 23 and now.minute > 50:
        pytest.skip("the night crew has gone home, and the next goes out at midnight")
    yesterday = str(now.date() - timedelta(days=1))
    hole = opened(operator, 8, document={"takes_min": 1})
    told = ask(operator, "/checks", day=yesterday, rounds=[{"crew": "crew-night", "cases": [hole]}])
    (stop,) = told["rounds"][0]["stops"]
    assert now <= datetime.fromisoformat(stop["start"]) < now + timedelta(hours=1)
    # Who works by day has gone home.
    assert ask(operator, "/checks", day=yesterday, rounds=[{"crew": "crew-roads", "cases": [hole]}])["rounds"] == []
    # What it is given for later in its shift is of that shift.
    given_for(operator, hole, "crew-night", (now + timedelta(minutes=1)).isoformat())
    assert hole in asked_for(ask(operator, "/proposals", day=yesterday, crews=["crew-night"], limit_s=0.1))
    assert hole not in asked_for(ask(operator, "/proposals", day=str(now.date()), crews=["crew-night"], limit_s=0.1))
    before = str(now.date() - timedelta(days=2))
    assert ask(operator, "/checks", 422, day=before, rounds=[{"crew": "crew-night", "cases": [hole]}])["rule"] == (
        "engine.rounds_day"
    )


def test_what_is_given_to_who_does_not_work_is_told(operator: Browser) -> None:
    here = opened(operator, 4)
    given = ask(operator, "", rounds=[{"crew": "crew-never", "cases": [here]}])
    assert (given["moved"], given["refused"]) == ([], {here: "engine.rounds_out"})


def test_who_works_when_the_town_does_is_free_on_its_public_holidays(operator: Browser) -> None:
    here, today = opened(operator, 4), datetime.now(UTC).date()
    christmas = min(each for year in (0, 1) if (each := date(today.year + year, 12, 25)) > today)
    before = christmas - timedelta(days=7)
    free = {
        day: ask(operator, "/checks", day=str(day), rounds=[{"crew": "crew-town", "cases": [here]}])["rounds"] == []
        for day in (before, christmas)
    }
    assert free == {before: before.weekday() >= 5, christmas: True}


def test_what_a_crew_had_that_is_gone_is_planned_again(operator: Browser) -> None:
    attributes = {"hours": "mon-sun 08:00-12:00"}
    made = operator.ask("POST", "/api/v1/assets", {"kind": "crew", "id": "crew-leaving", "name": "leaving", "lon": LON,
                                                   "lat": LAT, "attributes": attributes, "reason": "new"})  # fmt: skip
    assert made.status == 201, made.body
    hole = opened(operator, 9)
    later = (datetime.now(UTC) + timedelta(days=9)).isoformat()
    given = {"event": "assign", "crew": "crew-leaving", "planned": later}
    assert operator.ask("POST", f"/api/v1/cases/{hole}/moves", given).status == 200
    chosen = {"crews": ["crew-roads"], "limit_s": 0.1}
    assert hole not in asked_for(ask(operator, "/proposals", **chosen))
    operator.ask("POST", "/api/v1/assets/crew-leaving/retire", {"reason": "merged"})
    assert hole in asked_for(ask(operator, "/proposals", **chosen))


def test_who_may_not_dispatch_and_what_cannot_be_planned_is_refused(post: RunningPost, operator: Browser) -> None:
    here = opened(operator, 4)
    crew = AtWork().browser(post, "roadman")
    assert crew.ask("POST", "/api/v1/roads/dispatch/proposals", {"day": DAY}).status == 403
    assert ask(operator, "/checks", 422, rounds=[{"crew": "crew-none", "cases": [here]}])["rule"] == "engine.no_crew"
    assert ask(operator, "/checks", 422, rounds=[{"crew": "crew-roads", "cases": ["x"]}])["rule"] == "engine.case_gone"
    assert ask(operator, "/proposals", 422, day="2020-01-01")["rule"] == "engine.rounds_day"
    assert ask(operator, "/proposals", 422, day="2026-02-31")["rule"] == "engine.rounds_day"
    assert ask(operator, "/proposals", crews=[], cases=[here], limit_s=0.1)["left"][0]["why"] in ("no_skill", "no_way")
