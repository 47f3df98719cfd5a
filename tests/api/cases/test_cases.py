"""Cases at a real post: listed and counted under a Scope, opened once, moved by whoever may, told to two people at
once."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import msgspec
import pytest

from tests.api.test_pictures import picture
from tests.city import CREW_DRAFT
from tests.people import AtWork, Browser, make_people
from tests.post import NO_RESERVE, Answer, RunningPost, make, now_us, running
from vigie.api.cases.forms import CaseRow
from vigie.api.cases.telling import table_rows
from vigie.app import installation
from vigie.core.plans import Phrase
from vigie.core.times import HOUR_US, SECOND_US, rfc3339, to_us
from vigie.settings import Settings

CASES = "/api/v1/cases"
LAMP, FAR_LAMP = "luminaire-000003", "luminaire-000002"
"""One in Quetigny, one in Dijon."""
ORDER = {"kind": "roads.work_order", "category": "lighting", "assets": [LAMP]}


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPost]:
    """One post for the questions here."""
    folder = tmp_path_factory.mktemp("post")
    secret = make(folder, lamps=4)
    with installation(Settings(data=folder, **NO_RESERVE)) as opened:
        opened.take_assets("crews", [CREW_DRAFT])
    make_people(folder)
    with running(folder, secret) as started:
        yield started


@pytest.fixture(scope="module")
def at_work() -> AtWork:
    return AtWork()


@pytest.fixture
def operator(post: RunningPost, at_work: AtWork) -> Browser:
    return at_work.browser(post, "operator")


@pytest.fixture
def crew(post: RunningPost, at_work: AtWork) -> Browser:
    """Of Quetigny's lighting."""
    return at_work.browser(post, "crew")


def opened(browser: Browser, **said: Any) -> dict[str, Any]:
    answer = browser.ask("POST", CASES, ORDER | said)
    assert answer.status == 201, answer.body
    return answer.body


def moved(browser: Browser, case: dict[str, Any], event: str, **said: Any) -> Any:
    return browser.ask("POST", f"{CASES}/{case['id']}/moves", {"event": event} | said)


def test_an_order_goes_from_the_desk_to_the_crew_and_is_done(operator: Browser, crew: Browser) -> None:
    case = opened(operator, title="Globe cracked", words="Above the crossing.", priority=2)
    assert (case["state"], case["late"], case["area"]) == ("open", False, "dijon-metropole/quetigny")
    assert case["may"] == ["assign", "start", "finish", "block", "cancel"]
    given = moved(operator, case, "assign", crew="crew-e1", revision=1).body
    assert (given["state"], given["crew"]["name"]) == ("assigned", "Équipe 1")
    assert [row["cases"] for row in crew.ask("GET", f"{CASES}/crews").body["items"]] == [1]
    (mine,) = crew.ask("GET", f"{CASES}?crew=crew-e1&state=live").body["items"]
    assert mine["may"] == ["start", "finish", "block"]
    started = moved(crew, case, "start", revision=2).body
    document = {"takes_min": 20, "spent_min": 25, "checklist": [{"what": "voltage", "done": True}]}
    changed = crew.ask("PATCH", f"{CASES}/{case['id']}", {"revision": started["revision"], "document": document})
    assert changed.body["revision"] == 4
    assert moved(crew, case, "finish", revision=4).body["over"]
    sheet = operator.ask("GET", f"{CASES}/{case['id']}").body
    assert [each["what"] for each in sheet["timeline"]] == ["finish", "changed", "start", "assign", "opened"]
    assert sheet["timeline"][0]["who"]["name"] == "Crew Durand"
    assert sheet["document"]["checklist"] == [{"what": "voltage", "done": True}]
    assert (sheet["words"], sheet["opener"]["name"]) == ("Above the crossing.", "Operator Durand")


def patched(browser: Browser, case: dict[str, Any], document: Any, status: int = 200, revision: int = 0) -> Any:
    """What is answered to a change of a document as it is now, or was at a revision."""
    revision = revision or browser.ask("GET", f"{CASES}/{case['id']}").body["row"]["revision"]
    answer = browser.ask("PATCH", f"{CASES}/{case['id']}", {"revision": revision, "document": document})
    assert answer.status == status, answer.body
    return answer.body


def test_what_a_patch_does_not_say_of_a_document_stays(operator: Browser) -> None:
    said = {"takes_min": 45, "skills": ["electrical"], "hours": "mon-fri 09:00-16:00",
            "checklist": [{"what": "a"}, {"what": "b"}]}  # fmt: skip
    case = opened(operator, document=said)
    patched(operator, case, {"spent_min": 5, "checklist": [{"what": "a", "done": True}], "hours": None})
    now = operator.ask("GET", f"{CASES}/{case['id']}").body["document"]
    assert (now["takes_min"], now["skills"], now["spent_min"]) == (45, ["electrical"], 5)
    # A list is said whole; null sets a field back.
    assert (now["checklist"], now["hours"]) == ([{"what": "a", "done": True}], "")
    revision = patched(operator, case, {})["revision"]
    assert patched(operator, case, None)["revision"] == revision
    assert patched(operator, case, {"colour": "red"}, 422)["rule"] == "engine.case_form"
    assert patched(operator, case, ["spent_min"], 422)["rule"] == "engine.case_form"


def test_a_crew_says_what_it_did_and_not_what_an_order_takes_of_a_crew(operator: Browser, crew: Browser) -> None:
    case = opened(operator, document={"skills": ["electrical"], "hours": "mon-fri 09:00-16:00", "load_kg": 40})
    for said in ({"skills": []}, {"hours": ""}, {"load_kg": 0}, {"skills": [], "spent_min": 5}):
        assert patched(crew, case, said, 403)["rule"] == "engine.case_right"
    whole = crew.ask("GET", f"{CASES}/{case['id']}").body["document"]
    # What is sent whole, and says of what it takes what was said, is its own to say.
    done = {"takes_min": 25, "spent_min": 20, "checklist": [{"what": "voltage"}], "parts": [{"name": "fuse"}]}
    patched(crew, case, whole | done)
    # Who read an older one is told that first, whatever they would change.
    assert patched(crew, case, {"skills": []}, 409, revision=1)["rule"] == "engine.case_changed"
    patched(operator, case, {"skills": []})
    assert operator.ask("GET", f"{CASES}/{case['id']}").body["document"]["spent_min"] == 20


def test_two_people_at_one_order_are_told_of_each_other(operator: Browser, crew: Browser) -> None:
    case = opened(operator)
    assert moved(crew, case, "start", revision=1).status == 200
    refused = moved(operator, case, "cancel", revision=1, reason="done by others")
    assert (refused.status, refused.body["rule"], refused.body["values"]) == (
        409, "engine.case_changed", {"revision": 2},
    )  # fmt: skip
    late = moved(operator, case, "unassign", revision=2)
    assert (late.status, late.body["rule"]) == (409, "engine.life")


def test_one_act_sent_twice_is_done_once(operator: Browser, crew: Browser) -> None:
    body = ORDER | {"title": "once"}
    first = operator.ask("POST", CASES, body, Idempotency_Key="one-1")
    again = operator.ask("POST", CASES, body, Idempotency_Key="one-1")
    assert (first.status, again.status, first.body["id"]) == (201, 200, again.body["id"])
    note = f"{CASES}/{first.body['id']}/notes"
    assert crew.ask("POST", note, {"text": "seen"}, Idempotency_Key="n-1").status == 200
    assert crew.ask("POST", note, {"text": "seen"}, Idempotency_Key="n-1").status == 200
    start = f"{CASES}/{first.body['id']}/moves"
    for _ in range(2):
        assert crew.ask("POST", start, {"event": "start"}, Idempotency_Key="s-1").body["state"] == "started"
    sheet = crew.ask("GET", f"{CASES}/{first.body['id']}").body
    assert [each["what"] for each in sheet["timeline"]] == ["start", "noted", "opened"]
    assert sheet["timeline"][1]["text"] == "seen"


@pytest.mark.parametrize("login", ["crew", "mayor", "elected", "administrator", "operator"])
def test_who_sees_the_service_there_sees_its_cases(
    post: RunningPost, at_work: AtWork, operator: Browser, login: str
) -> None:
    here, there = opened(operator, title="here"), opened(operator, title="there", assets=[FAR_LAMP])
    signs = opened(operator, title="sign", category="signs")
    told = {each["id"] for each in at_work.browser(post, login).ask("GET", f"{CASES}?limit=500").body["items"]}
    assert here["id"] in told
    whole_town = login in ("elected", "administrator", "operator")
    assert (there["id"] in told) is whole_town
    assert (signs["id"] in told) is whole_town
    asked = {
        case["id"]: at_work.browser(post, login).ask("GET", f"{CASES}/{case['id']}").status for case in (here, there)
    }
    assert asked == {here["id"]: 200, there["id"]: 200 if whole_town else 404}


def test_nobody_without_the_right_opens_moves_or_reads(post: RunningPost, at_work: AtWork, operator: Browser) -> None:
    case = opened(operator)
    elected, crew = at_work.browser(post, "elected"), at_work.browser(post, "crew")
    assert elected.ask("POST", CASES, ORDER).status == 403
    assert crew.ask("POST", CASES, ORDER).status == 403
    assert moved(elected, case, "start").status == 403
    assert moved(crew, case, "cancel", reason="no").status == 403
    assert elected.ask("POST", f"{CASES}/{case['id']}/notes", {"text": "I was here"}).status == 403
    assert crew.ask("PATCH", f"{CASES}/{case['id']}", {"revision": 1, "priority": 1}).status == 403
    assert post.ask("GET", CASES).status == 401
    crew.ask("POST", f"{CASES}/{case['id']}/moves", {"event": "block", "reason": "Mr Martin refuses"})
    blocked, opening = elected.ask("GET", f"{CASES}/{case['id']}").body["timeline"]
    assert (opening["who"]["name"], blocked["text"], blocked["erased"]) == (None, None, False)


def test_many_are_moved_each_for_itself(operator: Browser, crew: Browser) -> None:
    free, begun, far = opened(operator), opened(operator), opened(operator, assets=[FAR_LAMP])
    moved(crew, begun, "start")
    cases = {free["id"]: 1, begun["id"]: 1, far["id"]: 1, "nobody": 1}
    answer = operator.ask("POST", f"{CASES}/moves", {"event": "assign", "crew": "crew-e1", "cases": cases}).body
    assert [each["id"] for each in answer["moved"]] == [free["id"], far["id"]]
    assert answer["refused"] == {begun["id"]: "engine.case_changed", "nobody": "engine.case_gone"}
    rest = crew.ask("POST", f"{CASES}/moves", {"event": "start", "cases": {free["id"]: 2, far["id"]: 2}}).body
    assert rest["refused"] == {far["id"]: "engine.case_gone"}


@pytest.mark.parametrize(
    ("said", "rule"),
    [
        ({"category": "ufo"}, "engine.case_category"),
        ({"kind": "roads.idea"}, "engine.case_kind"),
        ({"assets": []}, "engine.case_nowhere"),
        ({"document": {"takes_min": -5}}, "engine.case_form"),
        ({"document": {"colour": "red"}}, "engine.case_form"),
        ({"title": "two\nlines"}, "engine.case_title"),
    ],
)
def test_what_makes_no_case_is_refused_with_the_rule(operator: Browser, said: dict[str, Any], rule: str) -> None:
    answer = operator.ask("POST", CASES, ORDER | said)
    assert (answer.status in (409, 422), answer.body["rule"]) == (True, rule)


def test_an_unknown_crew_event_and_cursor_are_refused(operator: Browser) -> None:
    case = opened(operator)
    assert moved(operator, case, "assign", crew="crew-e9").body["rule"] == "engine.no_crew"
    assert moved(operator, case, "assign", crew=LAMP).body["rule"] == "engine.no_crew"
    assert moved(operator, case, "dance").body["rule"] == "engine.case_event"
    assert moved(operator, case, "lapse").body["rule"] == "engine.case_by_post"
    assert operator.ask("GET", f"{CASES}?cursor=zz").status == 400
    assert operator.ask("GET", f"{CASES}?priority=9").status == 400
    assert operator.ask("GET", f"{CASES}?box=1,2").status == 400


def test_what_would_never_be_due_or_planned_is_refused(operator: Browser) -> None:
    case = opened(operator)
    for when in ("9999-12-31T23:59:59Z", "0001-01-01T00:00:00+14:00", "2099-01-01T00:00:00Z", "2019-01-01T00:00:00Z"):
        changed = operator.ask("PATCH", f"{CASES}/{case['id']}", {"revision": 1, "due": when})
        answers = [
            operator.ask("POST", CASES, ORDER | {"due": when}), changed,
            moved(operator, case, "assign", crew="crew-e1", planned=when),
        ]  # fmt: skip
        assert [(each.status, each.body["rule"]) for each in answers] == [(422, "engine.case_when")] * 3
    assert operator.ask("GET", f"{CASES}?box=nan,nan,nan,nan").status == 400
    assert operator.ask("GET", f"{CASES}?number=99999999999999999999").status == 400


def test_a_list_is_paged_filtered_and_counted_as_one(operator: Browser) -> None:
    made = [opened(operator, category="signals", priority=1 + n % 2)["id"] for n in range(5)]
    listed, address = [], f"{CASES}?category=signals&limit=2"
    at = ""
    while True:
        page = operator.ask("GET", address + at).body
        assert page["total"] == 5
        listed += [each["id"] for each in page["items"]]
        if page["next"] is None:
            break
        at = f"&cursor={page['next']}"
    assert listed == made[::-1]
    by_due = [each["priority"] for each in operator.ask("GET", f"{CASES}?category=signals&sort=due").body["items"]]
    assert by_due == [1, 1, 1, 2, 2]
    for question in ("category=signals&priority=2", f"asset={LAMP}&category=signals&priority=2"):
        assert operator.ask("GET", f"{CASES}?{question}").body["total"] == 2
    assert operator.ask("GET", f"{CASES}/counts?category=signals").body == {"states": {"open": 5}}
    assert operator.ask("GET", f"{CASES}?category=signals&late=true").body["items"] == []
    assert operator.ask("GET", f"{CASES}?category=signals&box=4,47,6,48&state=live").body["total"] == 5
    assert operator.ask("GET", f"{CASES}?category=signals&box=4,40,6,41").body["total"] == 0


def test_a_list_is_a_table_for_spreadsheets(operator: Browser) -> None:
    opened(operator, title="=HYPERLINK(1)", category="waste")
    answer = operator.ask("GET", f"{CASES}?category=waste", Accept="text/csv")
    head, row = csv.reader(io.StringIO(answer.body))
    assert head[:5] == ["numéro", "état", "catégorie", "priorité", "objet"]
    assert row[1:5] == ["À planifier", "Déchets", "3", "'=HYPERLINK(1)"]


def test_a_table_is_asked_for_in_the_address_and_says_where_it_ends(operator: Browser) -> None:
    for n in range(3):
        opened(operator, title=f"{n}", category="winter", due=f"2027-0{n + 1}-10T12:00:00Z")
    whole = list(csv.reader(io.StringIO(operator.ask("GET", f"{CASES}?category=winter&format=csv&limit=1").body)))
    assert [row[4] for row in whole[1:]] == ["2", "1", "0"]
    due = operator.ask("GET", f"{CASES}?category=winter&due_since=2027-02-01T00:00:00Z&due_until=2027-03-01T00:00:00Z")
    assert [row["title"] for row in due.body["items"]] == ["1"]
    row = msgspec.convert(due.body["items"][0], CaseRow)
    told = list(table_rows([row] * 3, most=2))
    assert [each[0] for each in told] == [row.number, row.number, Phrase("csv.cases.more", {"most": 2})]
    assert len(list(table_rows([row] * 2, most=2))) == 2


def test_a_change_sent_again_is_no_clash_with_itself(operator: Browser) -> None:
    case = opened(operator)
    said = {"revision": 1, "title": "Mast bent"}
    for _ in range(2):
        answer = operator.ask("PATCH", f"{CASES}/{case['id']}", said, Idempotency_Key="c-1")
        assert (answer.status, answer.body["revision"], answer.body["title"]) == (200, 2, "Mast bent")


def photograph(browser: Browser, case: dict[str, Any], key: str, body: bytes) -> Answer:
    said = {"Cookie": browser.cookie, "X-CSRF-Token": browser.csrf, "Idempotency-Key": key}
    return browser.post.ask("POST", f"{CASES}/{case['id']}/photos", body, Content_Type="image/jpeg", **said)


def test_a_photo_comes_once_loses_its_place_and_is_shown_to_those_who_work_there(
    post: RunningPost, at_work: AtWork, operator: Browser, crew: Browser
) -> None:
    case, sent = opened(operator), picture()
    first, again = photograph(crew, case, "p-1", sent), photograph(crew, case, "p-1", sent)
    assert (first.status, again.status, again.body) == (201, 200, first.body)
    (told,) = operator.ask("GET", f"{CASES}/{case['id']}").body["photos"]
    assert (told["id"], told["width"], told["height"], told["who"]["name"]) == (
        first.body["id"], 200, 300, "Crew Durand",
    )  # fmt: skip
    address = f"{CASES}/{case['id']}/photos/{told['id']}"
    assert [operator.ask("GET", each).status for each in (address, f"{address}/small")] == [200, 200]
    kept = operator.ask("GET", address).body
    elected = at_work.browser(post, "elected")
    assert elected.ask("GET", address).status == 404
    assert elected.ask("GET", f"{CASES}/{case['id']}").body["photos"] == []
    assert photograph(elected, case, "p-2", sent).status == 403
    other = opened(operator)
    assert photograph(crew, other, "p-1", picture(60, 40)).status == 201
    assert operator.ask("GET", address).body == kept
    # A browser asks whether it is there still, and is not sent it again.
    again = post.ask("GET", address, Cookie=crew.cookie, If_None_Match=f'"{told["id"]}"')
    assert (again.status, again.headers["cache-control"]) == (304, "private, no-cache")
    nobody = post.ask("GET", address, Cookie=elected.cookie, If_None_Match=f'"{told["id"]}"')
    assert nobody.status == 404
    broken = photograph(crew, case, "p-3", b"GIF89a")
    assert (broken.status, broken.body["rule"]) == (422, "engine.case_picture")
    assert photograph(crew, case, "p-4", b"x" * (13 << 20)).status == 413
    assert operator.ask("GET", f"{CASES}/{case['id']}/photos/..%2f..%2fkeys").status == 404


def test_kinds_are_told_with_their_states_and_moves(operator: Browser, crew: Browser) -> None:
    kind, reports, *_ = operator.ask("GET", f"{CASES}/kinds").body["items"]
    assert (reports["key"], reports["states"][0]) == ("roads.report", "received")
    assert (kind["key"], kind["may_open"]) == ("roads.work_order", True)
    assert kind["over"] == ["done", "cancelled", "archived"]
    assert kind["moves"]["assign"] == {"verb": "dispatch", "reason": False, "crew": True, "by_post": False}
    assert not crew.ask("GET", f"{CASES}/kinds").body["items"][0]["may_open"]


class Telephone:
    """A crew's telephone: its clock is wrong, and it tells what it keeps until it is answered."""

    AHEAD_US = 3 * HOUR_US

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.kept: list[dict[str, Any]] = []

    def do(self, case: dict[str, Any], what: str, **said: Any) -> None:
        act = {"id": f"{id(self)}-{len(self.kept):08d}", "case": case["id"], "at": self.now(), "what": what}
        self.kept.append(act | said)

    def tell(self) -> list[tuple[str, str | None]]:
        answer = self.browser.ask("POST", "/api/v1/crew/acts", {"sent": self.now(), "acts": self.kept})
        assert answer.status == 200, answer.body
        assert [each["id"] for each in answer.body["outcomes"]] == [each["id"] for each in self.kept]
        return [(each["became"], each["rule"]) for each in answer.body["outcomes"]]

    def now(self) -> str:
        return rfc3339(now_us() + self.AHEAD_US)


def test_a_crew_takes_its_day_along_in_the_order_of_its_round(operator: Browser, crew: Browser) -> None:
    later, sooner, free = (opened(operator, title=title, category="lighting") for title in ("later", "sooner", "free"))
    for case, hour in ((later, "11"), (sooner, "09")):
        moved(operator, case, "assign", crew="crew-e1", planned=f"2030-01-01T{hour}:00:00Z")
    moved(operator, free, "assign", crew="crew-e1")
    day = crew.ask("GET", "/api/v1/crew/day?crew=crew-e1").body
    told = [each["row"]["title"] for each in day["cases"]]
    assert told.index("sooner") < told.index("later") < told.index("free")
    mine = next(each for each in day["cases"] if each["row"]["title"] == "sooner")
    assert mine["planned"] == "2030-01-01T09:00:00.000000Z"
    assert [(each["id"], each["lat"]) for each in mine["about"]] == [(LAMP, 47.3)]
    assert mine["timeline"][0]["what"] == "assign"


def test_a_day_without_a_network_comes_whole_once_and_with_its_own_times(operator: Browser, crew: Browser) -> None:
    case, phone = opened(operator, document={"checklist": [{"what": "voltage"}]}), Telephone(crew)
    before_us = now_us()
    phone.do(case, "move", event="start")
    phone.do(case, "tick", item="voltage")
    phone.do(case, "tick", item="globe")
    phone.do(case, "used", name="LED 40 W", count=2)
    phone.do(case, "used", name="LED 40 W", count=-1)
    phone.do(case, "spent", minutes=25)
    phone.do(case, "note", text="New globe.")
    phone.do(case, "move", event="finish")
    assert phone.tell() == [("done", None)] * 8
    assert phone.tell() == [("again", None)] * 8
    sheet = operator.ask("GET", f"{CASES}/{case['id']}").body
    assert sheet["document"] == {
        "takes_min": 30, "spent_min": 25, "skills": [], "parts": [{"name": "LED 40 W", "count": 1.0}],
        "checklist": [{"what": "voltage", "done": True}, {"what": "globe", "done": True}], "hours": "", "load_kg": 0,
    }  # fmt: skip
    told = [each["what"] for each in reversed(sheet["timeline"])]
    assert told == ["opened", "start", *["changed"] * 5, "noted", "finish"]
    done_us = to_us(datetime.fromisoformat(sheet["timeline"][0]["done"]))
    assert before_us - SECOND_US <= done_us <= now_us() + SECOND_US


def test_two_crews_on_one_order_are_reconciled_and_both_see_what_happened(
    post: RunningPost, at_work: AtWork, operator: Browser, crew: Browser
) -> None:
    case = opened(operator)
    one, other = Telephone(crew), Telephone(at_work.browser(post, "colleague"))
    for phone in (one, other):
        phone.do(case, "move", event="start")
        phone.do(case, "spent", minutes=10)
        phone.do(case, "used", name="fuse")
        phone.do(case, "move", event="finish")
    assert one.tell() == [("done", None)] * 4
    assert other.tell() == [("claimed", None), ("done", None), ("done", None), ("claimed", None)]
    assert other.tell() == [("again", None)] * 4
    sheet = crew.ask("GET", f"{CASES}/{case['id']}").body
    assert (sheet["document"]["spent_min"], sheet["document"]["parts"]) == (20, [{"name": "fuse", "count": 2.0}])
    finished, *_ = sheet["timeline"]
    assert (finished["what"], finished["event"], finished["state"], finished["who"]["name"]) == (
        "claim", "finish", "done", "Colleague Durand",
    )  # fmt: skip


def test_what_a_crew_may_not_say_is_refused_and_the_rest_is_taken(operator: Browser, crew: Browser) -> None:
    case, far, phone = opened(operator), opened(operator, assets=[FAR_LAMP]), Telephone(crew)
    phone.do(case, "move", event="cancel", reason="no")
    phone.do(case, "move", event="lapse")
    phone.do(case, "move", event="block")
    phone.do(case, "tick", item="")
    phone.do(far, "note", text="seen from here")
    phone.do(case, "move", event="block", reason="a car stands there")
    assert phone.tell() == [
        ("refused", "engine.case_right"),
        ("refused", "engine.case_event"),
        ("refused", "engine.case_reason"),
        ("refused", "engine.case_form"),
        ("refused", "engine.case_gone"),
        ("done", None),
    ]
    assert crew.ask("GET", f"{CASES}/{case['id']}").body["timeline"][0]["text"] == "a car stands there"


def test_what_was_done_before_an_order_was_opened_again_does_not_end_it(operator: Browser, crew: Browser) -> None:
    case, late = opened(operator), Telephone(crew)
    late.do(case, "move", event="finish")
    late.do(case, "spent", minutes=20)
    moved(operator, case, "finish")
    moved(operator, case, "reopen", reason="it is dark still")
    assert late.tell() == [("claimed", None), ("done", None)]
    assert late.tell() == [("again", None)] * 2
    sheet = operator.ask("GET", f"{CASES}/{case['id']}").body
    assert (sheet["row"]["state"], sheet["document"]["spent_min"]) == ("open", 20)
    assert [each["what"] for each in sheet["timeline"]] == ["changed", "claim", "reopen", "finish", "opened"]
    # What only came back from a crew was done all the same, and what is done after it was opened again counts.
    given, early, now = opened(operator), Telephone(crew), Telephone(crew)
    early.do(given, "move", event="finish")
    moved(operator, given, "assign", crew="crew-e1")
    moved(operator, given, "unassign")
    now.do(case, "move", event="finish")
    assert [*early.tell(), *now.tell()] == [("done", None)] * 2


def test_a_crew_that_is_not_there_refuses_its_own_act_alone(operator: Browser, crew: Browser) -> None:
    first, second, phone = opened(operator), opened(operator), Telephone(crew)
    phone.do(first, "move", event="start", crew="crew-e9")
    phone.do(second, "move", event="start", crew="crew-e1")
    phone.do(first, "move", event="block", reason="w" * 500)
    assert phone.tell() == [("refused", "engine.no_crew"), ("done", None), ("done", None)]
    assert crew.ask("GET", f"{CASES}/{second['id']}").body["row"]["crew"]["id"] == "crew-e1"


def test_a_tick_that_changed_nothing_is_not_done_later(operator: Browser, crew: Browser) -> None:
    case, phone = opened(operator, document={"checklist": [{"what": "voltage", "done": True}]}), Telephone(crew)
    phone.do(case, "tick", item="voltage")
    assert phone.tell() == [("done", None)]
    sheet = operator.ask("GET", f"{CASES}/{case['id']}").body
    assert (sheet["row"]["revision"], [each["what"] for each in sheet["timeline"]]) == (1, ["opened"])
    unticked = sheet["document"] | {"checklist": [{"what": "voltage", "done": False}]}
    assert operator.ask("PATCH", f"{CASES}/{case['id']}", {"revision": 1, "document": unticked}).status == 200
    assert phone.tell() == [("again", None)]
    assert operator.ask("GET", f"{CASES}/{case['id']}").body["document"] == unticked


def test_what_the_post_cannot_read_says_so_by_a_rule(crew: Browser) -> None:
    act = {"id": "unreadable-1", "case": "x", "at": rfc3339(now_us()), "what": "used", "name": "x" * 300}
    answer = crew.ask("POST", "/api/v1/crew/acts", {"sent": rfc3339(now_us()), "acts": [act]})
    assert (answer.status, answer.body["rule"]) == (422, "api.unreadable")


def test_who_does_not_work_takes_no_day_along(post: RunningPost, at_work: AtWork) -> None:
    elected = at_work.browser(post, "elected")
    assert elected.ask("GET", "/api/v1/crew/day?crew=crew-e1").status == 403
    assert elected.ask("POST", "/api/v1/crew/acts", {"sent": rfc3339(now_us()), "acts": []}).status == 403
