"""Works at a real post: asked for, checked, granted once all is answered, listed where and when they are, and the
requests about buried networks beside them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
import shapely
from msgspec.structs import replace

from tests.people import AtWork, Browser, make_people
from tests.post import NO_RESERVE, RunningPost, make, running
from vigie.app import Installation, installation
from vigie.core.cases import Draft as CaseDraft
from vigie.core.drafts import Draft
from vigie.core.facts import Entry, PersonalErased
from vigie.core.plans import PlanKind
from vigie.core.times import DAY_US, rfc3339
from vigie.engine.plans import By, Plans
from vigie.services.roads.works.coordination import COORDINATION, Coordination
from vigie.services.roads.works.occasions import OCCASION, Occasion
from vigie.services.roads.works.permits import ROADWORKS, Phase, Roadworks, Stretch
from vigie.settings import Settings

AREA = "dijon-metropole/quetigny"
LON, LAT, STEP = 5.0, 47.3, 0.001
WORKS, CASES = "/api/v1/roads/works", "/api/v1/cases"
BEGINS = datetime.now(UTC).replace(tzinfo=None, hour=0, minute=0) + timedelta(days=30)

FAR = BEGINS + timedelta(days=800)
YESTERDAY = (datetime.now(UTC) - timedelta(days=1)).date().isoformat()


def line(key: str, *corners: tuple[float, float], kind: str = "street", **said: Any) -> Draft:
    """A street of Quetigny, or a line of buses."""
    return Draft(key=key, kind=kind, lon=corners[0][0], lat=corners[0][1], area=AREA, name=f"Rue {key}",
                 geometry=shapely.to_wkb(shapely.LineString(corners)), attributes=said)  # fmt: skip


def in_force(kind: PlanKind, body: Any) -> list[Entry]:
    """The facts of a plan that one wrote and another approved."""
    plans, name = Plans(), kind.name
    made = plans.make(name, kind, body, by=By("writer", 1, f"{name}-made"))
    return [made, plans.move(name, "approve", number=1, revision=1, by=By("approver", 2, f"{name}-approved"))]


FORGOTTEN = "forgotten"


def forgotten(opened: Installation) -> None:
    """Works of a person whose name is erased."""
    begins, ends = (moment(days) for days in (600, 601))
    works = Roadworks(owner_name="M. Oubli", phases=(Phase(begins, ends, (Stretch("street-x4"),), "pavement"),))
    draft = CaseDraft(ROADWORKS, "roadworks", 3, area=AREA, lon=LON, lat=LAT, document=works)
    opened.facts.commit([opened.engine().cases.open(FORGOTTEN, draft, by=By("somebody", 1, FORGOTTEN))])
    fields = [f"{FORGOTTEN}/document.owner_name"]
    opened.facts.commit([Entry(PersonalErased(id="e", at=DAY_US, actor="post", rule="its end", fields=fields))])


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPost]:
    """A street of four stretches with another beside it, a bus in one of them, one that was laid a year ago, and a fair
    in one for a day."""
    folder = tmp_path_factory.mktemp("post")
    secret = make(folder, lamps=4)
    along = [(LON + n * STEP, LAT) for n in range(5)]
    beside = [(lon, LAT + STEP) for lon, _ in along]
    day = (BEGINS + timedelta(days=1)).date().isoformat()
    market = Occasion("Foire", "event", ("street-n3",), AREA, first=day, last=day)
    asked_by = Coordination(FAR.year, YESTERDAY)
    laid = (BEGINS - timedelta(days=365)).date().isoformat()
    with installation(Settings(data=folder, **NO_RESERVE)) as opened:
        streets = [
            line(f"s{n}", a, b, **({"surfaced": laid} if n == 3 else {})) for n, (a, b) in enumerate(pairwise(along))
        ]
        streets += [line(f"n{n}", a, b) for n, (a, b) in enumerate(pairwise(beside))]
        streets += [line(f"x{n}", a, b) for n, (a, b) in enumerate(zip(along, beside, strict=True))]
        streets.append(replace(line("far", *along[:2]), area="dijon-metropole/dijon"))
        # One that goes on over a crossing: the network has it in two parts.
        lon, lat = along[4]
        streets.append(line("o", (lon + STEP, lat), (lon, lat), (lon, lat - STEP)))
        opened.take_assets("town", [*streets, line("b", *along[2:4], kind="transit_line", line="L5", mode="bus")])
        opened.facts.commit(in_force(OCCASION, market) + in_force(COORDINATION, asked_by))
        forgotten(opened)
    make_people(folder)
    with running(folder, secret) as started:
        yield started


@pytest.fixture(scope="module")
def at_work() -> AtWork:
    return AtWork()


@pytest.fixture(scope="module")
def operator(post: RunningPost, at_work: AtWork) -> Browser:
    return at_work.browser(post, "operator")


def moment(days: float) -> str:
    return (BEGINS + timedelta(days=days)).isoformat(timespec="minutes")


def document(*streets: str, days: tuple[float, float] = (0, 5), occupancy: str = "lane", **said: Any) -> dict[str, Any]:
    """Works with all acts granted, in whole streets."""
    acts = [{"kind": kind, "state": "granted"} for kind in
            ("permission_de_voirie", "permis_de_stationnement", "traffic_order")]  # fmt: skip
    begins, ends = map(moment, days)
    phase = {"begins": begins, "ends": ends, "occupancy": occupancy,
             "stretches": [{"street": f"street-{each}"} for each in streets]}  # fmt: skip
    return {"owner_name": "Eaux", "nature": "network", "phases": [phase], "acts": acts} | said


def opened(browser: Browser, said: dict[str, Any], **case: Any) -> Any:
    body = {"kind": "roads.roadworks", "category": "roadworks", "title": "Branchement", "document": said} | case
    answer = browser.ask("POST", CASES, body)
    assert answer.status == 201, answer.body
    return answer.body


def moved(browser: Browser, case: Any, event: str, status: int = 200, **said: Any) -> Any:
    answer = browser.ask("POST", f"{CASES}/{case['id']}/moves", {"event": event} | said)
    assert answer.status == status, answer.body
    return answer.body


def written(browser: Browser, case: Any, said: dict[str, Any], status: int = 200) -> Any:
    now = browser.ask("GET", f"{CASES}/{case['id']}").body["row"]
    answer = browser.ask("PATCH", f"{CASES}/{case['id']}", {"revision": now["revision"], "document": said})
    assert answer.status == status, answer.body
    return answer.body


def rules(told: Any) -> list[str]:
    return [each["rule"].removeprefix("roads.works_") for each in told["clashing"]]


def test_a_permit_is_granted_once_its_acts_are_and_its_clashes_are_answered(
    operator: Browser, post: RunningPost, at_work: AtWork
) -> None:
    first = opened(operator, document("s0"))
    assert (first["area"], first["asset"]["id"], first["state"]) == (AREA, "street-s0", "requested")
    moved(operator, first, "grant")
    bare = document("s0", days=(2, 3), acts=[], cuts_surface=True)
    checks = operator.ask("POST", f"{WORKS}/checks", {"document": bare}).body
    assert (rules(checks), checks["needs"]) == (["overlap"], ["permission_de_voirie", "traffic_order"])
    second = opened(operator, bare)
    assert moved(operator, second, "grant", 409)["rule"] == "roads.works_acts"
    whole = bare | {"acts": document("s0")["acts"]}
    written(operator, second, whole)
    refused = moved(operator, second, "grant", 409)
    assert (refused["rule"], refused["values"]) == ("roads.works_clashes", {"count": 1})
    told = operator.ask("GET", f"{WORKS}/{second['id']}").body
    (clash,) = told["clashing"]
    assert (clash["other"], clash["detail"]["number"], clash["answer"]) == (first["id"], first["number"], None)
    written(operator, second, whole | {"answers": [{"clash": clash["key"], "text": "Même entreprise."}]})
    moved(operator, second, "grant")
    # What stands is not changed into something that clashes anew.
    longer = written(
        operator, second, whole | {"phases": document("s0", "s1", days=(2, 3))["phases"], "answers": []}, 409
    )
    assert longer["rule"] == "roads.works_clashes"
    crew = at_work.browser(post, "roadman")
    assert written(crew, second, whole, 403)["rule"] == "engine.case_right"
    moved(crew, second, "begin")
    moved(operator, first, "withdraw", reason="Annulé.")
    found = operator.ask("GET", f"{WORKS}?street=street-s0").body
    assert [(each["case"]["id"], each["clashes"]) for each in found["items"]] == [(second["id"], 0)]
    moved(crew, second, "finish")
    assert operator.ask("GET", f"{WORKS}?street=street-s0").body["total"] == 0


def test_what_stands_around_is_told_and_the_way_round_too(operator: Browser) -> None:
    draft = document("s2", "s3", occupancy="closure", cuts_surface=True)
    told = operator.ask("POST", f"{WORKS}/checks", {"document": draft}).body
    assert rules(told) == ["line_closed", "surface"]
    assert told["clashing"][0]["detail"]["line"] == "L5"
    proposed = operator.ask("POST", f"{WORKS}/diversions", {"document": document("s1", occupancy="closure")}).body
    assert [each["found"] for each in proposed["items"]] == [True, True]
    assert [leg["street"] for leg in proposed["items"][0]["legs"]] == ["street-x1", "street-n1", "street-x2"]
    assert all(280 < each["length_m"] < 310 for each in proposed["items"])
    closed = opened(operator, document("n1", occupancy="closure"))
    moved(operator, closed, "grant")
    led = document("s1", occupancy="closure", diversion=proposed["diversion"])
    assert rules(operator.ask("POST", f"{WORKS}/checks", {"document": led}).body) == ["diversion_closed"]
    around = operator.ask("POST", f"{WORKS}/diversions", {"document": led}).body
    assert "street-n1" not in {leg["street"] for leg in around["diversion"]}
    moved(operator, closed, "withdraw", reason="Annulé.")


def test_a_market_in_force_stands_in_the_way_and_the_years_day_is_told(operator: Browser) -> None:
    told = operator.ask("POST", f"{WORKS}/checks", {"document": document("n3")}).body
    assert (rules(told), told["clashing"][0]["detail"]["name"]) == (["occasion"], "Foire")
    late = operator.ask("POST", f"{WORKS}/checks", {"document": document("n2", days=(800, 801))}).body
    assert (rules(late), late["clashing"][0]["refuses"]) == (["calendar"], False)
    assert operator.ask("GET", f"{WORKS}/calendar?year={FAR.year}").body["asked_by"] == YESTERDAY


def test_works_stay_in_the_area_in_which_they_were_asked_for(operator: Browser) -> None:
    case = opened(operator, document("x1", days=(300, 301)))
    assert written(operator, case, document("far", days=(300, 301)), 409)["rule"] == "engine.case_elsewhere"
    longer = written(operator, case, document("x1", "x2", days=(300, 301)))
    assert (longer["assets"], longer["due"] >= moment(30)[:10]) == (2, True)
    shorter = written(operator, case, document("x2", days=(300, 301)))
    assert (shorter["assets"], shorter["asset"]["id"]) == (1, "street-x2")
    assert operator.ask("GET", f"{CASES}?asset=street-x1").body["items"] == []


def test_works_take_the_right_in_the_area_of_every_street(
    operator: Browser, post: RunningPost, at_work: AtWork
) -> None:
    """Somebody who dispatches in Quetigny and sees all of the town does nothing to a street of Dijon."""
    neighbour, days = at_work.browser(post, "neighbour"), (400, 401)

    def asked(said: dict[str, Any], **case: Any) -> Any:
        body = {"kind": "roads.roadworks", "category": "roadworks", "document": said} | case
        return neighbour.ask("POST", CASES, body)

    smuggled = asked(document("far", days=days), assets=["street-s0"])
    assert (smuggled.status, smuggled.body["rule"]) == (422, "engine.case_assets")
    assert asked(document("s0", "far", days=days)).body["rule"] == "engine.case_right"
    acts = [act | {"area": "dijon-metropole"} for act in document()["acts"]]
    both = opened(operator, document("s0", "far", days=days))
    assert (both["area"], both["assets"]) == (AREA, 2)
    assert moved(neighbour, both, "grant", 403)["rule"] == "engine.case_right"
    # An act that does not say for which of the two it is counts for neither.
    assert moved(operator, both, "grant", 409)["rule"] == "roads.works_acts"
    told = operator.ask("GET", f"{WORKS}/{both['id']}").body
    assert told["needs"] == ["permis_de_stationnement", "traffic_order"]
    assert [each["area"] for each in told["wanted"]] == ["dijon-metropole/dijon", AREA] * 2
    written(operator, both, document("s0", "far", days=days, acts=acts))
    moved(operator, both, "grant")
    own = asked(document("s0", days=(410, 411)))
    assert own.status == 201
    assert written(neighbour, own.body, document("s0", "far", days=(410, 411)), 403)["rule"] == "engine.case_right"
    assert neighbour.ask("GET", f"{CASES}/{both['id']}").body["may_change"] is False


def test_who_manages_the_roads_alone_is_told_of_works_in_streets_that_anybody_sees(
    post: RunningPost, at_work: AtWork
) -> None:
    planner, days = at_work.browser(post, "planner"), (430, 431)
    checks = planner.ask("POST", f"{WORKS}/checks", {"document": document("s0", "far", days=days, acts=[])})
    assert (checks.status, checks.body["needs"]) == (200, ["permis_de_stationnement", "traffic_order"])
    closing = {"document": document("s0", days=days, occupancy="closure")}
    ways = planner.ask("POST", f"{WORKS}/diversions", closing)
    assert (ways.status, ways.body["items"][0]["legs"][0]["street"]) == (200, "street-far")
    # Who has no right over the roads there learns nothing of works in them, though the street is for everybody to see.
    lighting = at_work.browser(post, "manager")
    assert lighting.ask("POST", f"{WORKS}/checks", closing).status == 403


def test_of_works_that_one_does_not_see_neither_number_nor_street_is_told(
    operator: Browser, post: RunningPost, at_work: AtWork
) -> None:
    roadman, days = at_work.browser(post, "roadman"), (420, 421)
    other = opened(operator, document("far", "x0", days=days))
    draft = {"document": document("x0", days=days)}
    (told,) = operator.ask("POST", f"{WORKS}/checks", draft).body["clashing"]
    assert (told["other"], told["detail"]["number"], told["streets"]) == (other["id"], other["number"], ["street-x0"])
    (hidden,) = roadman.ask("POST", f"{WORKS}/checks", draft).body["clashing"]
    assert (hidden["rule"], hidden["detail"]) == ("roads.works_overlap_unseen", {"at": moment(420)})
    assert (hidden["other"], hidden["streets"], hidden["count"], hidden["key"]) == (None, [], 0, told["key"])
    led = document("x0", days=days, occupancy="closure", diversion=[{"street": "street-far", "way": "along"}])
    assert roadman.ask("POST", f"{WORKS}/checks", {"document": led}).status == 403
    assert operator.ask("POST", f"{WORKS}/checks", {"document": led}).status == 200
    closing = {"document": document("s0", days=days, occupancy="closure")}
    ways = [each.ask("POST", f"{WORKS}/diversions", closing).body["items"][0] for each in (operator, roadman)]
    assert [[leg["street"] for leg in way["legs"]][:1] for way in ways] == [["street-far"], ["street-x0"]]
    moved(operator, other, "withdraw", reason="Annulé.")


def test_metres_that_no_street_has_are_not_granted(operator: Browser) -> None:
    said = document(days=(430, 431))
    said["phases"][0]["stretches"] = [{"street": "street-s0", "from_m": 930}]
    case = opened(operator, said | {"answers": [{"clash": "beyond", "text": "So it is."}]})
    assert moved(operator, case, "grant", 409)["rule"] == "roads.works_clashes"
    (told,) = operator.ask("GET", f"{WORKS}/{case['id']}").body["clashing"]
    assert (told["rule"], told["answer"], told["answerable"]) == ("roads.works_beyond", None, False)


def test_works_are_not_looked_for_at_the_end_of_time(operator: Browser) -> None:
    assert operator.ask("GET", f"{WORKS}?to=9999-12-31T23:59:59Z").status == 422
    assert operator.ask("GET", f"{WORKS}?from=0001-01-01T00:00:00Z").status == 422


def test_works_are_listed_where_and_when_they_are(operator: Browser) -> None:
    cases = [opened(operator, document("n0", days=(100 + n, 101 + n), nature="crane")) for n in range(3)]
    late = opened(operator, document("x0", days=(-40, -39), nature="crane"))
    moved(operator, late, "grant")
    page = operator.ask("GET", f"{WORKS}?nature=crane&limit=2").body
    assert (page["total"], page["items"][0]["late"], page["items"][0]["case"]["id"]) == (4, "end", late["id"])
    rest = operator.ask("GET", f"{WORKS}?nature=crane&limit=2&cursor={page['next']}").body
    assert [each["case"]["id"] for each in rest["items"]] == [each["id"] for each in cases[1:]]
    line = page["items"][1]["phases"][0]["stretches"][0]["line"]
    assert (line[0], line[-1]) == ([5.0, 47.301], [5.001, 47.301])
    window = f"from={moment(100.5)}:00Z&to={moment(101.5)}:00Z"
    some = operator.ask("GET", f"{WORKS}?nature=crane&{window}").body
    assert [each["case"]["id"] for each in some["items"]] == [each["id"] for each in cases[:2]]
    assert operator.ask("GET", f"{WORKS}?area=dijon-metropole/dijon").body["items"] == []
    year = (BEGINS + timedelta(days=100)).year
    calendar = operator.ask("GET", f"{WORKS}/calendar?year={year}").body
    assert {each["number"] for each in calendar["works"]} >= {each["number"] for each in cases}
    table = operator.ask("GET", f"{WORKS}/calendar?year={year}", Accept="text/csv")
    assert table.status == 200
    # A person's name is not published; an organisation's is.
    assert {each["owner_name"] for each in calendar["works"] if each["nature"] == "crane"} == {""}
    assert "Eaux" not in table.body
    named = opened(operator, document("n0", days=(110, 111), organisation=True))
    calendar = operator.ask("GET", f"{WORKS}/calendar?year={year}").body
    assert [each["owner_name"] for each in calendar["works"] if each["id"] == named["id"]] == ["Eaux"]


def test_who_does_not_see_roads_sees_no_works(post: RunningPost, at_work: AtWork, operator: Browser) -> None:
    case = opened(operator, document("x3", days=(200, 201)))
    lighting = at_work.browser(post, "crew")
    assert lighting.ask("GET", WORKS).body["items"] == []
    assert lighting.ask("GET", f"{WORKS}/{case['id']}").status == 404
    answer = lighting.ask(
        "POST", CASES, {"kind": "roads.roadworks", "category": "roadworks", "document": document("x3")}
    )
    assert answer.status == 403
    gone = {"kind": "roads.roadworks", "category": "roadworks", "document": document("gone")}
    assert operator.ask("POST", CASES, gone).status == 404


def test_a_request_tells_its_legal_day_and_which_of_our_assets_it_concerns(operator: Browser) -> None:
    received = (datetime.now(UTC) - timedelta(days=60)).date().isoformat()
    said = {"asker_name": "Gaz", "kind": "dict", "received": received,
            "area": [[4.99, 47.29], [5.01, 47.29], [5.01, 47.31], [4.99, 47.31]]}  # fmt: skip
    case = operator.ask("POST", CASES, {"kind": "roads.buried", "category": "lighting", "document": said}).body
    assert (case["late"], case["asset"]["kind"] in ("street", "cabinet", "luminaire")) == (True, True)
    (row,) = operator.ask("GET", "/api/v1/roads/buried").body["items"]
    assert (row["case"]["id"], row["overdue"]) == (case["id"], True)
    later = {"revision": 1, "due": (datetime.now(UTC) + timedelta(days=300)).isoformat()}
    assert operator.ask("PATCH", f"{CASES}/{case['id']}", later).body["rule"] == "engine.case_by_law"
    # Far from all, or with a place beside the document: whatever is nearest stands for it.
    asked = {"kind": "roads.buried", "category": "lighting"}
    for beside in ({"lon": 5.3, "lat": 47.6}, {"assets": ["street-s1"]}):
        other = operator.ask("POST", CASES, asked | beside | {"document": {"received": received}}).body
        assert other["asset"] is not None
        moved(operator, other, "withdraw", reason="Deux fois.")
    assert operator.ask("POST", CASES, asked | {"lon": 5.0, "lat": 47.3}).body["rule"] == "engine.case_form"
    told = operator.ask("GET", f"/api/v1/roads/buried/{case['id']}").body
    assert told["total"] == 5
    assert told["feeders"] == [{"id": "cabinet-cabinet", "name": "", "concerned": True, "fed": 4}]
    assert moved(operator, case, "answer", 409)["rule"] == "roads.buried_unsaid"
    written(operator, case, said | {"answer": "concerned"})
    moved(operator, case, "answer")
    assert operator.ask("GET", "/api/v1/roads/buried").body["items"] == []


def test_a_private_persons_name_is_told_to_who_works_on_it_and_to_nobody_else(
    post: RunningPost, at_work: AtWork, operator: Browser
) -> None:
    name, fair = "Mme Vasseur", {"clash": "fair", "text": "Vu avec Mme Vasseur."}
    case = opened(operator, document("x1", days=(500, 501), owner_name=name, answers=[fair]))
    asked = {"kind": "roads.buried", "category": "lighting", "assets": ["street-s1"]}
    told = {"asker_name": name, "received": BEGINS.date().isoformat(), "stretches": [{"street": "street-s1"}]}
    request = operator.ask("POST", CASES, asked | {"document": told, "assets": []}).body
    pages = [f"{CASES}/{case['id']}", f"{WORKS}/{case['id']}", f"{WORKS}?street=street-x1", f"{CASES}/{request['id']}",
             f"/api/v1/roads/buried/{request['id']}", "/api/v1/roads/buried"]  # fmt: skip
    roadman, elected = at_work.browser(post, "roadman"), at_work.browser(post, "elected")
    for page in pages:
        for browser, shown in ((operator, True), (roadman, True), (elected, False)):
            assert (name in str(browser.ask("GET", page).body)) is shown, (page, shown)
    private = {"until": None, "erased": None, "rule": None}
    for browser, shown in ((operator, True), (elected, False)):
        sheet = browser.ask("GET", pages[0]).body
        assert sheet["private"] == [{"field": each, "shown": shown} | private for each in ("answers", "owner_name")]
    year = (BEGINS + timedelta(days=500)).year
    journal = f"/api/v1/journal?type=CaseOpened&asset={case['id']}"
    for page in (f"{WORKS}/calendar?year={year}", f"{WORKS}/calendar?year={year}&format=csv"):
        assert name not in str(operator.ask("GET", page).body)
    assert name in str(operator.ask("GET", journal).body)
    assert name not in str(elected.ask("GET", journal).body)
    # What is written beside it leaves it where it is.
    written(operator, case, {"nature": "crane"})
    assert operator.ask("GET", pages[1]).body["owner_name"] == name
    assert written(roadman, case, {"nature": "other"}, 403)["rule"] == "engine.case_right"
    moved(operator, case, "withdraw", reason="Annulé.")
    moved(operator, request, "withdraw", reason="Annulé.")
    assert all(each["until"] for each in operator.ask("GET", pages[0]).body["private"])


@pytest.mark.parametrize("login", ["operator", "elected"])
def test_a_name_that_was_erased_is_shown_as_erased_wherever_it_stood(
    post: RunningPost, at_work: AtWork, login: str
) -> None:
    browser, on = at_work.browser(post, login), rfc3339(DAY_US)
    sheet = browser.ask("GET", f"{CASES}/{FORGOTTEN}").body
    gone = {"shown": False, "until": None, "erased": on, "rule": "its end"}
    assert (sheet["document"]["owner_name"], sheet["private"]) == ("", [{"field": "owner_name"} | gone])
    erased = [{"field": "document.owner_name", "on": on, "rule": "its end"}]
    assert [each["gone"] for each in sheet["timeline"]] == [erased]
    assert browser.ask("GET", f"{WORKS}/{FORGOTTEN}").body["owner_name"] == ""
    entries = browser.ask("GET", "/api/v1/journal?type=CaseOpened&limit=200").body["items"]
    (entry,) = (each for each in entries if each["id"] == FORGOTTEN)
    assert (entry["erased"], "document.owner_name" in entry["summary"]) == (erased, False)


def test_a_stretch_is_found_by_name_by_place_and_by_its_id(operator: Browser) -> None:
    found = operator.ask("GET", "/api/v1/roads/streets?name=rue%20n").body
    assert [each["name"] for each in found["items"]] == ["Rue n0", "Rue n1", "Rue n2", "Rue n3"]
    near = operator.ask("GET", f"/api/v1/roads/streets?lon={LON + 1.4 * STEP}&lat={LAT + 0.00005}").body["items"]
    first, *others = near
    assert (first["street"], first["begins_at"], first["ends_at"]) == ("street-s1", "Rue s0", "Rue s2")
    assert first["length_m"] == pytest.approx(75.4, abs=0.3)
    assert first["at_m"] == pytest.approx(0.4 * first["length_m"], abs=0.3)
    assert first["away_m"] == pytest.approx(5.6, abs=0.1)
    assert "street-x1" in {each["street"] for each in others}
    assert all(one["away_m"] <= other["away_m"] <= 40 for one, other in pairwise(near))
    both = operator.ask("GET", "/api/v1/roads/streets?street=street-s1,street-x0,nowhere").body
    assert {each["street"] for each in both["items"]} == {"street-s1", "street-x0"}
    assert operator.ask("GET", "/api/v1/roads/streets?lon=5").status == 400
    assert operator.ask("GET", "/api/v1/roads/streets").body == {"items": [], "total": 0}


def test_a_phase_says_whether_it_is_now_and_a_browser_is_given_the_year_as_csv(operator: Browser) -> None:
    now = datetime.now(UTC).replace(tzinfo=None) - BEGINS
    days = (now.days - 1.0, now.days + 3.0)
    made = opened(operator, document("n3", days=days))
    told = operator.ask("GET", f"{WORKS}/{made['id']}").body
    assert [each["now"] for each in told["phases"]] == [True]
    written(operator, made, document("n3", days=(10, 12)))
    assert [each["now"] for each in operator.ask("GET", f"{WORKS}/{made['id']}").body["phases"]] == [False]
    answer = operator.ask("GET", f"{WORKS}/calendar?year={BEGINS.year}&format=csv")
    assert answer.headers["content-type"].startswith("text/csv")
    moved(operator, made, "withdraw", reason="Fini.")
