"""Residents' applications at a real post: what may be reported, reported with a photo, followed, reopened; told to
others only as far as others may know it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlencode

import jsonschema
import pytest

from tests.api.test_pictures import picture
from tests.people import AtWork, Browser, make_people
from tests.post import Answer, RunningPost, make, running
from vigie.api.open311 import STOP
from vigie.api.open311.door import FORM_BYTES_MAX
from vigie.app.open311 import report_token
from vigie.protocols.open311 import (
    Created,
    Definition,
    Discovery,
    Fault,
    OwnRequest,
    Part,
    Query,
    Request,
    Service,
    Submission,
    decode,
    encode_form,
    encode_multipart,
    encode_query,
)
from vigie.services.roads.reports import SUBJECTS
from vigie.sim.reporting import Residents
from vigie.sim.residents import Told

T = TypeVar("T", Service, Definition, Request, OwnRequest, Created, Fault, Discovery)

V2 = "/open311/v2"
QUETIGNY = "dijon-metropole/quetigny"
LIGHT = Submission(
    "light", 5.00003, 47.30004, description="It blinks, says Paul.", name="Anne Durand", mail="anne@example.org",
    attributes={"what": ("flickers",), "danger": ("yes",)},
)  # fmt: skip
HOLE = Submission("pothole", 5.002, 47.301, "12 rue Verte", "A deep hole.")


class Resident:
    """An application that speaks Open311 to a post, from an address of its own, in one of the two forms."""

    def __init__(self, post: RunningPost, address: str, form: str = "json") -> None:
        self.post, self.form = post, form
        self.said = {"Accept-Language": "en", "X-Forwarded-For": address}

    def get(self, path: str, kind: type[T], query: str = "", **headers: str) -> list[T]:
        answer = self.post.ask("GET", f"{V2}/{path}.{self.form}?{query}", None, **(self.said | headers))
        assert answer.status == 200, answer.body
        return self.read(answer, kind)

    def report(
        self, said: Submission, jurisdiction: str = "", photo: bytes = b"", boundary: str = "edge", **headers: str
    ) -> Created:
        answer = self.send("requests", encode_form(said, jurisdiction), photo, boundary, **headers)
        assert answer.status == 201, answer.body
        (created,) = self.read(answer, Created)
        return created

    def send(
        self,
        path: str,
        fields: Sequence[tuple[str, str]],
        photo: bytes = b"",
        boundary: str = "vigie-of-a-form",
        **headers: str,
    ) -> Answer:
        media, body = "application/x-www-form-urlencoded", urlencode(fields).encode()
        if photo:
            parts = [*(Part(name, value.encode()) for name, value in fields), Part("media", photo, True)]
            media, body = encode_multipart(parts, boundary)
        said = self.said | {"Content-Type": media} | headers
        return self.post.ask("POST", f"{V2}/{path}.{self.form}", body, **said)

    def read(self, answer: Answer, kind: type[T]) -> list[T]:
        body = answer.body if isinstance(answer.body, str) else json.dumps(answer.body)
        return decode(body.encode(), self.form, kind)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("post")


@pytest.fixture(scope="module")
def post(folder: Path) -> Iterator[RunningPost]:
    """One post for the questions here, behind a proxy that says who asks."""
    secret = make(folder, lamps=4)
    make_people(folder, ["operator", "elected", "crew"])
    with running(folder, secret, environment={"VIGIE_PROXIES": "1"}) as started:
        yield started


@pytest.fixture(scope="module")
def at_work() -> AtWork:
    return AtWork()


@pytest.fixture
def operator(post: RunningPost, at_work: AtWork) -> Browser:
    return at_work.browser(post, "operator")


@pytest.fixture(params=["json", "xml"])
def resident(post: RunningPost, request: pytest.FixtureRequest) -> Resident:
    return Resident(post, "192.0.2.1" if request.param == "json" else "192.0.2.2", request.param)


def apart(resident: Resident, said: Submission) -> Submission:
    """The same where nobody else reports anything: what is reported twice is joined while a test looks on."""
    return replace(said, lon=said.lon + (0.002 if resident.form == "xml" else 0.0))


def post_of(resident: Resident, path: str, key: str) -> Answer:
    """What a post answers to whoever has a token."""
    return resident.post.ask("GET", f"{V2}/{path}.{resident.form}", None, **resident.said, Authorization=key)


def case_of(operator: Browser, number: str | None) -> dict[str, Any]:
    (row,) = operator.ask("GET", f"/api/v1/cases?number={number}").body["items"]
    return operator.ask("GET", f"/api/v1/cases/{row['id']}").body


def test_what_may_be_reported_is_told_with_what_is_asked(resident: Resident) -> None:
    (found,) = resident.read(
        resident.post.ask("GET", f"/open311/discovery.{resident.form}", None, Host="town.example"), Discovery
    )
    assert found.endpoints[0].url == "http://town.example/open311/v2"
    told = resident.get("services", Service, f"jurisdiction_id={QUETIGNY}")
    assert [each.service_code for each in told] == list(SUBJECTS)
    assert told[0].service_name == "Street light"
    for service in told:
        if service.metadata:
            (asked,) = resident.get(f"services/{service.service_code}", Definition)
            assert [each.code for each in asked.attributes] == [
                each.code for each in SUBJECTS[service.service_code].questions
            ]


def test_what_is_reported_is_a_case_at_its_lamp_and_its_reporter_is_told_to_few(
    post: RunningPost, at_work: AtWork, operator: Browser
) -> None:
    resident = Resident(post, "192.0.2.3")
    created = resident.report(LIGHT, "dijon-metropole")
    sheet = case_of(operator, created.service_request_id)
    row = sheet["row"]
    # The post may have found its order by now.
    assert row["state"] in ("received", "accepted")
    assert (row["category"], row["service"], row["priority"]) == ("light", "lighting", 2)
    assert (row["asset"]["id"], row["area"], row["street"]) == ("luminaire-000003", QUETIGNY, "Rue Verte")
    assert sheet["contact"] == {"name": "Anne Durand", "mail": "anne@example.org", "phone": "", "language": "en"}
    assert sheet["document"]["answers"] == {"what": ["flickers"], "danger": ["yes"]}
    elected = at_work.browser(post, "elected").ask("GET", f"/api/v1/cases/{row['id']}").body
    assert (elected["contact"], elected["photos"], elected["words"]) == (None, [], "")


def test_who_works_there_does_not_let_everybody_read_what_a_resident_wrote(
    post: RunningPost, at_work: AtWork, operator: Browser
) -> None:
    created = Resident(post, "192.0.2.11").report(replace(LIGHT, lat=47.30012))
    row = case_of(operator, created.service_request_id)["row"]
    body = {"revision": row["revision"], "document": {"words_public": True}}
    crew, elected = at_work.browser(post, "crew"), at_work.browser(post, "elected")
    assert crew.ask("GET", f"/api/v1/cases/{row['id']}").body["words"] == "It blinks, says Paul."
    assert crew.ask("PATCH", f"/api/v1/cases/{row['id']}", body).status == 403
    body["revision"] = case_of(operator, created.service_request_id)["row"]["revision"]
    assert operator.ask("PATCH", f"/api/v1/cases/{row['id']}", body).status == 200
    assert elected.ask("GET", f"/api/v1/cases/{row['id']}").body["words"] == "It blinks, says Paul."
    # What was answered stays where only that is said.
    assert case_of(operator, created.service_request_id)["document"]["answers"] == {
        "what": ["flickers"], "danger": ["yes"]
    }  # fmt: skip


def test_a_lamp_that_is_named_far_from_where_it_is_said_to_be_is_for_a_person(
    post: RunningPost, operator: Browser
) -> None:
    resident = Resident(post, "192.0.2.10")
    for lat, found, named in ((47.3005, "luminaire-000003", True), (47.3025, None, False)):
        said = Submission("light", 5.0, lat, attributes={"asset": ("luminaire-000003",)})
        sheet = case_of(operator, resident.report(said).service_request_id)
        assert (sheet["row"]["asset"] or {}).get("id") == found
        assert (sheet["document"]["answers"]["asset"], sheet["document"]["named"]) == (["luminaire-000003"], named)
    assert sheet["row"]["state"] == "received"


def test_everybody_is_told_how_it_stands_and_neither_words_nor_the_very_place(
    resident: Resident, operator: Browser
) -> None:
    said = apart(resident, Submission("signs", 5.003, 47.30004, description="It hangs, says Paul."))
    created = resident.report(said)
    number, key = created.service_request_id, f"Bearer {created.token}"
    (told,) = resident.get(f"requests/{number}", Request)
    assert (told.status, told.service_code, told.lat) == ("open", "signs", 47.3)
    assert (told.description, told.media_url) == (None, None)
    assert told in resident.get("requests", Request, "service_code=signs&status=open")
    answer = post_of(resident, f"requests/{number}", key)
    assert (answer.headers["cache-control"], answer.headers["vary"]) == ("no-store", "Accept-Language, Authorization")
    (own,) = resident.get(f"requests/{number}", OwnRequest, Authorization=key)
    assert (own.lat, own.description) == (47.30004, "It hangs, says Paul.")
    assert [each.state for each in own.steps] == ["received"]
    (found,) = resident.get(f"tokens/{created.token}", Created)
    assert found.service_request_id == number
    row = case_of(operator, number)["row"]
    body = {"revision": row["revision"], "document": {"words_public": True}}
    assert operator.ask("PATCH", f"/api/v1/cases/{row['id']}", body).status == 200
    assert resident.get(f"requests/{number}", Request)[0].description == "It hangs, says Paul."


def test_closed_is_not_fixed(resident: Resident, operator: Browser) -> None:
    created = resident.report(apart(resident, Submission("green", 5.004, 47.3)))
    number, token = created.service_request_id, created.token or ""
    again = f"requests/{number}/reopen"
    assert resident.send(again, [("token", token)]).status == 409
    case = case_of(operator, number)["row"]
    close = {"event": "close", "reason": "Filled on Monday."}
    assert operator.ask("POST", f"/api/v1/cases/{case['id']}/moves", close).status == 200
    (told,) = resident.get("requests", Request, f"service_request_id={number},999999")
    assert told.status == "closed"
    assert resident.send(again, [("token", token + "0")]).status == 403
    assert resident.send(again, [("token", token), ("description", "It is open again.")]).status == 200
    (own,) = resident.get(f"requests/{number}", OwnRequest, Authorization=f"Bearer {token}")
    assert [(each.state, each.why) for each in own.steps] == [
        ("received", None), ("closed", "Filled on Monday."), ("received", None),
    ]  # fmt: skip
    told_inside = case_of(operator, number)["timeline"][0]
    assert (told_inside["what"], told_inside["text"]) == ("reopen", "It is open again.")


def test_a_photo_comes_with_it_and_others_by_its_token(post: RunningPost, operator: Browser) -> None:
    resident = Resident(post, "192.0.2.4")
    created = resident.report(HOLE, photo=picture())
    path = f"requests/{created.service_request_id}/photos"
    token = [("token", created.token or "")]
    assert resident.send(path, token, picture(200)).status == 201
    assert resident.send(path, token, picture(200)).status == 201
    sheet = case_of(operator, created.service_request_id)
    assert len(sheet["photos"]) == 2
    # What crews add is not the resident's; how many they add at the same time neither.
    address = f"/api/v1/cases/{sheet['row']['id']}/photos"
    said = {"Cookie": operator.cookie, "X-CSRF-Token": operator.csrf, "Content-Type": "image/jpeg"}
    for key in "abcd":
        assert post.ask("POST", address, picture(100), **said, Idempotency_Key=key).status == 201
    with ThreadPoolExecutor(2) as pool:
        statuses = [*pool.map(lambda size: resident.send(path, token, picture(size)).status, range(210, 250, 10))]
    assert sorted(statuses) == [201, 201, 201, 409]
    assert resident.send(path, [("token", "1-0")], picture()).status == 403
    assert resident.send(path, token, b"<svg/>").status == 422
    refused = resident.send("requests", encode_form(HOLE), b"GIF89a")
    assert refused.status == 422


def test_a_photo_that_is_not_kept_loses_no_report(post: RunningPost, folder: Path) -> None:
    resident = Resident(post, "192.0.2.12")
    photos, beside = folder / "photos", folder / "elsewhere"
    resident.report(HOLE, photo=picture())
    photos.rename(beside)
    photos.touch()
    created = resident.report(HOLE, photo=picture(), Idempotency_Key="k")
    photos.unlink()
    beside.rename(photos)
    assert "photo could not be kept" in (created.service_notice or "")
    # The same form again brings it.
    again = resident.report(HOLE, photo=picture(), Idempotency_Key="k")
    assert (again.token, "photo" in (again.service_notice or "").partition("Keep")[0]) == (created.token, False)


def test_one_report_sent_twice_is_one(post: RunningPost) -> None:
    resident = Resident(post, "192.0.2.5")
    # Whoever sends it again wraps it anew.
    first, again = (
        resident.report(HOLE, photo=picture(), boundary=edge, Idempotency_Key="k") for edge in ("one-edge", "other")
    )
    other = resident.report(LIGHT, Idempotency_Key="k")
    assert first == again != other


@pytest.mark.parametrize(
    ("status", "said", "jurisdiction"),
    [
        (404, LIGHT, "nowhere"),
        (400, LIGHT, "dijon-metropole/dijon"),
        (404, Submission("ufo", 5.0, 47.3), ""),
        (400, Submission("light", 2.35, 48.85), ""),
        (400, Submission("light"), ""),
        (400, Submission("light", 5.0, 47.3, media_url="http://127.0.0.1/"), ""),
        (400, Submission("light", 5.0, 47.3, attributes={"what": ("angry",)}), ""),
    ],
)
def test_what_cannot_be_is_refused_as_the_standard_has_it(
    resident: Resident, status: int, said: Submission, jurisdiction: str
) -> None:
    answer = resident.send("requests", encode_form(said, jurisdiction))
    (fault,) = resident.read(answer, Fault)
    assert (answer.status, fault.code) == (status, str(status))
    assert fault.description


@pytest.mark.parametrize(
    ("status", "path"),
    [
        (404, "requests/999999"),
        (404, "requests/../../etc"),
        (404, "tokens/nothing"),
        (404, "services/ufo"),
        (400, "requests?start_date=soon"),
        (404, "requests?jurisdiction_id=nowhere"),
    ],
)
def test_what_is_not_there_is_told_as_the_standard_has_it(post: RunningPost, status: int, path: str) -> None:
    path, _, query = path.partition("?")
    answer = post.ask("GET", f"{V2}/{path}.json?{query}")
    assert answer.status == status
    if answer.headers["content-type"].startswith("application/json"):
        assert answer.body[0]["code"] == str(status)


def test_lists_are_told_in_pages_by_day_and_commune(post: RunningPost) -> None:
    resident = Resident(post, "192.0.2.6")
    numbers = [int(resident.report(HOLE).service_request_id or 0) for _ in range(3)]
    whole = [int(each.service_request_id) for each in resident.get("requests", Request, "service_code=pothole")]
    assert whole == sorted(whole, reverse=True)
    assert whole[:3] == numbers[::-1]
    pages = [
        int(each.service_request_id)
        for page in (1, 2)
        for each in resident.get("requests", Request, f"service_code=pothole&page={page}&page_size=2")
    ]
    assert pages == whole[:4]
    asked = "service_request_id=" + ",".join(map(str, whole[:3]))
    by_id = [
        int(each.service_request_id)
        for page in (1, 2)
        for each in resident.get("requests", Request, f"{asked}&page={page}&page_size=2")
    ]
    assert by_id == whole[:3]
    first_page = post.ask("GET", f"{V2}/requests.json?service_code=pothole&page_size=2")
    following = first_page.headers["link"].partition(">")[0][1:]
    resident.report(HOLE)
    assert [int(each["service_request_id"]) for each in post.ask("GET", f"{V2}/{following}").body] == whole[2:4]
    (first,) = resident.get(f"requests/{numbers[0]}", Request)
    past = Query(0, 86_400_000_000, most=10)
    assert resident.get("requests", Request, encode_query(past)) == []
    assert first.agency_responsible
    quetigny = resident.get("requests", Request, f"jurisdiction_id={QUETIGNY}")
    assert {each.agency_responsible for each in quetigny} == {QUETIGNY}


def test_the_schema_of_the_standard_holds_what_is_told(post: RunningPost, shared: Path) -> None:
    resident = Resident(post, "192.0.2.7")
    resident.report(HOLE)
    schema = json.loads((shared / "standards" / "open311" / "request.json").read_text("utf-8"))
    answer = post.ask("GET", f"{V2}/requests.json")
    assert answer.headers["access-control-allow-origin"] == "*"
    allowed = post.ask("OPTIONS", f"{V2}/requests.json")
    assert (allowed.status, allowed.headers["access-control-allow-methods"]) == (204, "GET, POST")
    assert post.ask("GET", "/open311/discovery.json", None, Host="evil.example/<script>").status == 400
    for each in answer.body:
        jsonschema.validate(each, schema)


def test_who_reports_too_often_waits_and_others_do_not(post: RunningPost) -> None:
    eager = Resident(post, "192.0.2.8")
    answers = [eager.send("requests", []) for _ in range(22)]
    assert [each.status for each in answers[:20]] == [400] * 20
    assert (answers[-1].status, answers[-1].body[0]["code"]) == (429, "429")
    assert int(answers[-1].headers["retry-after"]) > 0
    assert Resident(post, "192.0.2.9").report(HOLE).token
    # One subscriber has 2^64 addresses of IPv6.
    many = [Resident(post, f"2001:db8::{n}").send("requests", []).status for n in range(22)]
    assert many[-1] == 429
    assert Resident(post, "2001:db8:0:1::1").send("requests", []).status == 400


def test_who_gives_an_address_is_told_by_it_unless_they_say_no(post: RunningPost, operator: Browser) -> None:
    resident = Resident(post, "192.0.2.12")
    said = Submission("other", 5.0005, 47.3031, description="Here.", mail="paul@example.org", told=False)
    contact = case_of(operator, resident.report(said).service_request_id)["contact"]
    assert (contact["mail"], contact["language"]) == ("paul@example.org", "")
    for wrong in ("paul@example.org, anne@example.org", "paul@example.org\r\nBcc: anne@example.org", "paul"):
        refused = resident.send("requests", encode_form(replace(said, mail=wrong)))
        assert (refused.status, refused.body[0]["description"][:6]) == (400, "email:")


def test_the_pages_that_mails_lead_to(post: RunningPost, folder: Path, operator: Browser) -> None:
    resident = Resident(post, "192.0.2.13")
    created = resident.report(Submission("other", 5.0006, 47.3041, description="<b>Paul</b>", mail="anne@example.org"))
    number, token = created.service_request_id, created.token
    case = case_of(operator, number)["row"]
    stop = f"/open311/stop/{number}-{report_token(folder, STOP + case['id'])}"
    mine = f"/open311/reports/{token}"

    def page(method: str, path: str, body: bytes | None = None, status: int = 200, media: str = "") -> str:
        said = resident.said | {"Content-Type": media or "application/x-www-form-urlencoded"}
        answer = post.ask(method, path, body, **said)
        assert (answer.status, answer.headers["cache-control"]) == (status, "no-store"), answer.body
        assert "form-action 'self'" in answer.headers["content-security-policy"]
        return answer.body

    told = page("GET", mine)
    assert "Received: we look into it." in told
    assert "Paul" not in told
    assert "<form" not in told, "it is not closed"
    assert "not closed" in page("POST", mine, b"description=again", 409)
    # No photo is read here, nor anything of who has no token.
    too_much = b"x" * (FORM_BYTES_MAX + 1)
    for media, status in (("multipart/form-data; boundary=edge", 415), ("", 413)):
        assert "was not done" in page("POST", mine, too_much, status, media)
        page("POST", f"{mine}0", too_much, 404, media)
    close = {"event": "close", "reason": "Done <i>on Monday</i>."}
    assert operator.ask("POST", f"/api/v1/cases/{case['id']}/moves", close).status == 200
    told = page("GET", mine)
    assert "Done &lt;i&gt;on Monday&lt;/i&gt;." in told
    assert '<form method="post">' in told
    assert "<form" not in page("POST", mine, b"description=It+is+still+there")
    assert case_of(operator, number)["row"]["state"] == "received"
    often = [post.ask("POST", mine, b"", **(resident.said | {"X-Forwarded-For": "192.0.2.14"})) for _ in range(21)]
    assert (often[-1].status, int(often[-1].headers["retry-after"]) > 0) == (429, True)
    # The key to the report stops nothing, and what stops mail opens nothing.
    for path in (stop.replace("stop", "reports"), mine.replace("reports", "stop"), "/open311/stop/x", f"{mine}0"):
        page("GET", path, status=404)
    assert '<form method="post">' in page("GET", stop)
    assert case_of(operator, number)["contact"]["mail"] == "anne@example.org", "to look at it changes nothing"
    for _ in range(2):
        page("POST", stop, b"List-Unsubscribe=One-Click")
    assert case_of(operator, number)["contact"] is None
    assert "<form" not in page("GET", stop)


def test_the_demos_residents_report_by_it_and_what_is_sent_again_is_one(post: RunningPost, operator: Browser) -> None:
    told = Told(0, 0, "pothole", 5.0041, 47.3021, "Nid de poule devant le n° 3")
    people = Residents(f"http://127.0.0.1:{post.port}", 1, ((5.0, 47.3),), lambda: 0)

    async def twice() -> None:
        for _ in range(2):
            await people.report("the-same-form", told)

    asyncio.run(twice())
    items = operator.ask("GET", "/api/v1/cases?kind=roads.report&state=received&limit=100").body["items"]
    (row,) = [each for each in items if abs(each["lon"] - told.lon) < 1e-9]
    # So the demo's dispatcher takes it up.
    assert "accept" in row["may"]
    assert operator.ask("POST", f"/api/v1/cases/{row['id']}/moves", {"event": "accept"}).status == 200
