"""Plans on a real post: written by one, approved by another, in force, kept; and what services answer about them."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.people import QUETIGNY, Browser, make_people
from tests.post import Answer, RunningPost, make, running
from tests.services.signals.control.sites import crossroads
from vigie.services.signals.control.site import site_to_json

LAMPS = 20
PLANS, LIGHTING = "/api/v1/plans", "/api/v1/services/lighting"
DIJON = "dijon-metropole/dijon"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("post")


@pytest.fixture(scope="module")
def post(folder: Path) -> Iterator[RunningPost]:
    secret = make(folder, lamps=LAMPS)
    make_people(folder)
    with running(folder, secret) as started:
        yield started


@pytest.fixture(scope="module")
def manager(post: RunningPost) -> Browser:
    return Browser(post, "manager")


@pytest.fixture(scope="module")
def deputy(post: RunningPost) -> Browser:
    return Browser(post, "deputy")


@pytest.fixture(scope="module")
def local(post: RunningPost) -> Browser:
    """The manager of one commune."""
    return Browser(post, "mayor")


def night(level: int, *, area: str = "", name: str = "Nuit", **more: Any) -> dict[str, Any]:
    """A programme: a level from ten in the evening until five."""
    window = {"start": {"by": "clock", "minute": 1_320}, "end": {"by": "clock", "minute": 300}, "level": level}
    rule = {"name": "toutes les nuits", "windows": [window]}
    return {"name": name, "rank": "area", "area": area, "rules": [rule]} | more


def make_plan(who: Browser, body: dict[str, Any], kind: str = "lighting.programme") -> Answer:
    return who.ask("POST", PLANS, {"kind": kind, "body": body, "reason": "essai"})


def approve(who: Browser, plan: dict[str, Any]) -> Answer:
    seen = plan["draft_version"]
    said = {"version": seen["version"], "revision": seen["revision"], "reason": "vu"}
    return who.ask("POST", f"{PLANS}/{plan['id']}/approve", said)


def test_a_plan_is_written_by_one_approved_by_another_and_read_in_the_journal(
    manager: Browser, deputy: Browser
) -> None:
    made = make_plan(manager, night(70))
    assert made.status == 201, made
    plan = made.body
    assert (plan["in_force"], plan["draft"], plan["draft_version"]["revision"]) == (None, 1, 1)
    own = approve(manager, plan)
    assert (own.status, own.body["rule"]) == (409, "engine.second_person")
    done = approve(deputy, plan)
    assert done.status == 200, done
    assert (done.body["in_force"], done.body["draft"]) == (1, None)
    assert done.body["in_force_version"]["approver"]["id"] != done.body["in_force_version"]["editor"]["id"]

    # A second version beside it, which takes its place.
    said = {"version": 1, "revision": 0, "body": night(60), "reason": "moins"}
    saved = manager.ask("PUT", f"{PLANS}/{plan['id']}/draft", said)
    assert saved.status == 200, saved
    assert (saved.body["in_force"], saved.body["draft"]) == (1, 2)
    assert approve(deputy, saved.body).body["in_force"] == 2
    states = [(each["version"], each["state"]) for each in revisions(manager, plan["id"])]
    assert states == [(2, "in_force"), (1, "superseded")]
    (row,) = [each for each in manager.ask("GET", PLANS).body["items"] if each["id"] == plan["id"]]
    assert (row["title"], row["rank"], row["editor"]["name"]) == ("Nuit", "area", "Manager Durand")
    first = manager.ask("GET", f"{PLANS}/{plan['id']}/revisions/1/1").body
    assert first["body"]["rules"][0]["windows"][0]["level"] == 70

    for kind in ("PlanSaved", "PlanMoved"):
        facts = deputy.ask("GET", f"/api/v1/journal?type={kind}").body["items"]
        assert [each["summary"]["version"] for each in facts if each["summary"]["plan_id"] == plan["id"]] == [2, 1]
        assert facts[0]["summary"]["title"] == "Nuit"
    gone = deputy.ask("POST", f"{PLANS}/{plan['id']}/withdraw", {"version": 2, "reason": "fini"})
    assert gone.status == 204, gone
    assert manager.ask("GET", f"{PLANS}/{plan['id']}").status == 404
    assert [each["state"] for each in revisions(manager, plan["id"])] == ["withdrawn", "superseded"]


def revisions(who: Browser, plan_id: str) -> list[dict[str, Any]]:
    return who.ask("GET", f"{PLANS}/{plan_id}/revisions").body["items"]


def test_of_two_who_edit_one_draft_the_second_sees_the_first_and_nothing_is_lost(
    manager: Browser, deputy: Browser
) -> None:
    plan = make_plan(manager, night(50, name="A deux")).body
    path = f"{PLANS}/{plan['id']}/draft"
    first = manager.ask("PUT", path, {"version": 1, "revision": 1, "body": night(40, name="A deux")})
    assert first.status == 200, first
    second = deputy.ask("PUT", path, {"version": 1, "revision": 1, "body": night(30, name="A deux")})
    assert (second.status, second.body["rule"]) == (409, "engine.plan_changed")
    assert second.body["values"] == {"version": 1, "revision": 2}
    # Who approved what they had not seen last would be approving something else.
    late = approve(deputy, plan)
    assert (late.status, late.body["rule"]) == (409, "engine.plan_changed")
    again = deputy.ask("PUT", path, {"version": 1, "revision": 2, "body": night(30, name="A deux")})
    assert again.body["draft_version"]["revision"] == 3
    assert [each["revision"] for each in revisions(manager, plan["id"])] == [3, 2, 1]
    kept = manager.ask("GET", f"{PLANS}/{plan['id']}/revisions/1/2").body
    assert kept["body"]["rules"][0]["windows"][0]["level"] == 40
    thrown = manager.ask("POST", f"{PLANS}/{plan['id']}/discard", {"version": 1, "revision": 3, "reason": "essai"})
    assert thrown.status == 204, thrown


def test_what_is_sent_twice_is_done_once(manager: Browser, deputy: Browser) -> None:
    """A lost answer: who sends again gets what they would have got, and no second plan, revision or clash."""
    said, key = {"kind": "lighting.programme", "body": night(50, name="Deux fois"), "reason": ""}, "a-key"
    made, again = (manager.ask("POST", PLANS, said, idempotency_key=key) for _ in range(2))
    assert (made.status, again.status) == (201, 200)
    assert made.body == again.body
    plan = made.body["id"]
    assert deputy.ask("POST", PLANS, said, idempotency_key=key).body["id"] != plan, "another's key is another's"

    body = night(40, name="Deux fois")
    save = {"version": 1, "revision": 1, "body": body, "reason": "moins"}
    first, second = (manager.ask("PUT", f"{PLANS}/{plan}/draft", save) for _ in range(2))
    assert (first.status, second.status) == (200, 200)
    assert first.body == second.body
    assert [each["revision"] for each in revisions(manager, plan)] == [2, 1]
    # The same words of somebody else, or on another ground, are no repetition.
    assert deputy.ask("PUT", f"{PLANS}/{plan}/draft", save).status == 409
    other = {**save, "body": night(30, name="Deux fois")}
    assert manager.ask("PUT", f"{PLANS}/{plan}/draft", other).status == 409

    gone = {"version": 1, "revision": 2, "reason": "plus besoin"}
    assert manager.ask("POST", f"{PLANS}/{plan}/discard", gone).status == 204
    assert manager.ask("POST", PLANS, said, idempotency_key=key).status == 404, "it was made, and is no more"


def test_a_manager_of_a_commune_writes_for_that_commune_alone(manager: Browser, local: Browser) -> None:
    assert make_plan(local, night(50)).status == 403
    assert make_plan(local, night(50, area="dijon-metropole/dijon")).status == 403
    own = make_plan(local, night(50, area=QUETIGNY, name="Quetigny"))
    assert own.status == 201, own
    # It cannot be made one of another place by a later save.
    moved = {"version": 1, "revision": 1, "body": night(50, area="")}
    assert local.ask("PUT", f"{PLANS}/{own.body['id']}/draft", moved).status == 403
    whole = make_plan(manager, night(80, name="Ville")).body
    # The whole town's concerns the commune too: it is seen there, and not written.
    seen = local.ask("GET", f"{PLANS}/{whole['id']}").body
    assert (seen["may_write"], seen["may_approve"]) == (False, False)
    said = {"version": 1, "revision": 1, "body": night(10, area=QUETIGNY)}
    assert local.ask("PUT", f"{PLANS}/{whole['id']}/draft", said).status == 403
    elsewhere = make_plan(manager, night(80, name="Dijon", area="dijon-metropole/dijon")).body
    for path in ("", "/revisions", "/revisions/1/1"):
        assert local.ask("GET", f"{PLANS}/{elsewhere['id']}{path}").status == 404
    assert elsewhere["id"] not in {each["id"] for each in local.ask("GET", PLANS).body["items"]}


@pytest.mark.parametrize(
    ("login", "statuses"), [("operator", (200, 403)), ("crew", (200, 403)), ("elected", (200, 403))]
)
def test_who_may_not_write_plans_reads_them(post: RunningPost, login: str, statuses: tuple[int, int]) -> None:
    somebody = Browser(post, login)
    assert (somebody.ask("GET", PLANS).status, make_plan(somebody, night(50)).status) == statuses


def test_without_an_account_no_plan_is_seen(post: RunningPost) -> None:
    assert post.ask("GET", PLANS).status == 401
    assert post.ask("POST", f"{LIGHTING}/night", b'{"night": "2026-11-26"}').status == 401


@pytest.mark.parametrize(
    ("body", "rule"),
    [
        (night(101), "engine.plan_form"),
        (night(50) | {"rank": "king"}, "engine.plan_form"),
        (night(50) | {"nmae": "x"}, "engine.plan_form"),
        ({}, "engine.plan_form"),
    ],
)
def test_a_document_of_another_form_is_refused(manager: Browser, body: dict[str, Any], rule: str) -> None:
    said = make_plan(manager, body)
    assert (said.status, said.body["rule"]) == (422, rule)
    assert make_plan(manager, night(50), kind="lighting.program").status == 422


def test_findings_keep_a_plan_from_being_approved_until_they_are_answered(manager: Browser, deputy: Browser) -> None:
    lost = make_plan(manager, night(50, name="Rue perdue", target={"streets": ["Rue Perdue", "Rue Verte"]})).body
    said = approve(deputy, lost)
    assert (said.status, said.body["rule"]) == (409, "engine.plan_findings")
    assert [each["rule"] for each in said.body["values"]["findings"]] == ["lighting.unknown_street"]
    answered = night(50, name="Rue perdue", target={"streets": ["Rue Perdue", "Rue Verte"]}, answer="Bientôt ouverte.")
    path = f"{PLANS}/{lost['id']}"
    saved = manager.ask("PUT", f"{path}/draft", {"version": 1, "revision": 1, "body": answered}).body
    assert approve(deputy, saved).status == 200
    assert deputy.ask("POST", f"{path}/withdraw", {"version": 1, "reason": "essai"}).status == 204
    nobody = make_plan(manager, night(50, name="Personne", area="dijon-metropole/longvic", answer="Tant pis.")).body
    refused = approve(deputy, nobody).body
    assert {"lighting.speaks_for_none"} < {each["rule"] for each in refused["values"]["findings"]}


def test_a_document_is_checked_before_it_is_saved_and_told_in_brief(post: RunningPost, manager: Browser) -> None:
    supervisor = Browser(post, "supervisor")
    body = {"name": "Les Halles", "kind": "market", "streets": ["street-none"], "hours": "sat 06:00-14:00"}
    said = {"kind": "roads.occasion", "body": body}
    found = supervisor.ask("POST", f"{PLANS}/checks", said)
    assert (found.status, [each["rule"] for each in found.body["findings"]]) == (200, ["roads.occasion_street"])
    assert manager.ask("POST", f"{PLANS}/checks", said).status == 403
    assert supervisor.ask("POST", f"{PLANS}/checks", said | {"kind": "roads.party"}).status == 422
    told = supervisor.ask("POST", f"{PLANS}/checks", {"kind": "lighting.programme", "body": night(101)})
    assert (told.status, told.body["rule"]) == (422, "engine.plan_form")
    # Who only reads plans has none to check.
    assert Browser(post, "elected").ask("POST", f"{PLANS}/checks", said).status == 403
    made = make_plan(supervisor, body, "roads.occasion").body
    (row,) = supervisor.ask("GET", f"{PLANS}?kind=roads.occasion").body["items"]
    assert (row["id"], row["brief"]) == (
        made["id"],
        {"kind": "market", "hours": "sat 06:00-14:00", "first": "", "last": "", "streets": 1},
    )


def test_a_check_tells_nothing_of_what_is_elsewhere(post: RunningPost) -> None:
    """Neither that a plan of another commune has this name, nor that a junction is there."""
    planner, supervisor, surveyor = (Browser(post, login) for login in ("planner", "supervisor", "surveyor"))
    corners = [[5.0, 47.0], [5.1, 47.0], [5.1, 47.1]]
    fence = {"name": "Dépôt", "area": DIJON, "corners": corners}
    made = make_plan(planner, fence, "roads.fence")
    assert approve(supervisor, made.body).status == 200

    def rules(who: Browser, area: str) -> list[str]:
        said = {"kind": "roads.fence", "body": fence | {"area": area}}
        return [each["rule"] for each in who.ask("POST", f"{PLANS}/checks", said).body["findings"]]

    assert (rules(planner, QUETIGNY), rules(surveyor, QUETIGNY)) == (["roads.fence_name"], [])
    # Two that have one name would be one to whoever reads it: approval still finds that.
    second = make_plan(surveyor, fence | {"area": QUETIGNY}, "roads.fence")
    refused = approve(supervisor, second.body).body
    assert [each["rule"] for each in refused["values"]["findings"]] == ["roads.fence_name"]

    site = json.loads(site_to_json(crossroads()))
    said: dict[str, Any] = {}
    for asset in ("junction-j1", "junction-none"):
        said = {"kind": "signals.junction", "body": {"asset": asset, "site": site, "area": QUETIGNY}}
        told = surveyor.ask("POST", f"{PLANS}/checks", said)
        assert told.status == 403
        assert told.body["detail"] == f"It takes 'see' for signals where {asset!r} lies."
    found = supervisor.ask("POST", f"{PLANS}/checks", said).body["findings"]
    assert "signals.no_such_junction" in {each["rule"] for each in found}


def test_work_is_planned_at_what_its_writer_sees(post: RunningPost) -> None:
    """Its orders tell where each asset stands: two who see none of them could otherwise learn that from each other."""
    planner, supervisor = Browser(post, "planner"), Browser(post, "supervisor")
    body = {"name": "Visite", "kind": "cabinet", "category": "lighting", "every_days": 365, "since": "2026-01-01"}
    assert make_plan(planner, body, "roads.preventive").status == 403
    lamps = make_plan(planner, body | {"kind": "luminaire"}, "roads.preventive").body
    said = {"version": 1, "revision": 1, "body": body}
    assert planner.ask("PUT", f"{PLANS}/{lamps['id']}/draft", said).status == 403
    seen = make_plan(supervisor, body, "roads.preventive").body
    refused = approve(planner, seen)
    assert [each["rule"] for each in refused.body["values"]["findings"]] == ["roads.preventive_nobody"]
    assert make_plan(supervisor, body | {"area": "dijon-metropole/longvic"}, "roads.preventive").status == 403


def test_a_night_and_a_reason_are_told_under_a_draft_and_in_force(manager: Browser, local: Browser) -> None:
    draft = {"body": night(50, area=QUETIGNY, name="Quetigny la nuit")}
    told = manager.ask("POST", f"{LIGHTING}/night", {"night": "2026-11-26", "draft": draft}).body
    assert len(told["no"]) == LAMPS
    assert {each["name"] for each in told["programmes"]} >= {"Quetigny la nuit"}
    levels = {tuple(span[2] for span in spans) for spans in told["spans"]}
    assert levels == {(100,), (100, 50, 100)}
    plain = manager.ask("POST", f"{LIGHTING}/night", {"night": "2026-11-26"}).body
    assert {tuple(span[2] for span in spans) for spans in plain["spans"]} == {(100,)}
    elsewhere = {"body": night(40, area="dijon-metropole/dijon", name="Dijon la nuit")}
    commune = local.ask("POST", f"{LIGHTING}/night", {"night": "2026-11-26", "draft": elsewhere}).body
    assert len(commune["no"]) == LAMPS // 2
    assert "Dijon la nuit" not in {each["name"] for each in commune["programmes"]}

    lamp = "luminaire-000001"
    asked = {"lamp": lamp, "at": "2026-11-26T23:30:00+01:00", "draft": draft}
    why = manager.ask("POST", f"{LIGHTING}/why", asked).body
    assert (why["level"], why["opinions"][0]["name"], why["opinions"][0]["heard"]) == (50, "Quetigny la nuit", True)
    assert local.ask("POST", f"{LIGHTING}/why", {"lamp": "luminaire-000000"}).status == 404
    holiday = manager.ask("POST", f"{LIGHTING}/why", asked | {"at": "2026-07-14T23:40:00+02:00"}).body
    assert holiday["holiday"] == "Fête nationale"


def test_a_year_is_summed_in_force_and_under_a_draft(manager: Browser, deputy: Browser) -> None:
    tariff = {"peak_eur_per_kwh": 0.25, "off_peak_eur_per_kwh": 0.15, "kg_co2_per_kwh": 0.05, "source": "contrat"}
    assert approve(deputy, make_plan(manager, tariff, kind="lighting.tariff").body).status == 200
    second = approve(deputy, make_plan(manager, tariff, kind="lighting.tariff").body)
    assert [each["rule"] for each in second.body["values"]["findings"]] == ["lighting.one_tariff"]
    years = manager.ask("POST", f"{LIGHTING}/year", {"year": 2026, "draft": {"body": night(50)}}).body
    assert years["draft"]["whole"]["kwh"] < years["in_force"]["whole"]["kwh"]
    assert years["draft"]["whole"]["eur"] < years["in_force"]["whole"]["eur"]
    assert years["tariff"]["source"] == "contrat"
    wrong = manager.ask("POST", f"{LIGHTING}/check", {"draft": {"body": night(50, area="nowhere")}}).body
    assert wrong["lamps"] == 0
    assert manager.ask("POST", f"{LIGHTING}/year", {"year": 1}).status == 422


def test_compliance_is_told_in_scope_in_pages_and_as_a_table(manager: Browser, local: Browser) -> None:
    whole = manager.ask("GET", f"{LIGHTING}/compliance?limit=5").body
    assert (whole["lamps"], whole["total"], len(whole["items"])) == (LAMPS, LAMPS, 5)
    assert {each["area"]: each["lamps"] for each in whole["areas"]} == dict.fromkeys((DIJON, QUETIGNY), LAMPS // 2)
    owed = next(each for each in whole["rules"] if each["rule"] == "lighting.owed_flux")
    assert (owed["lamps"], owed["article"]) == (LAMPS, "27.12.2018, art. 5")
    rest = manager.ask("GET", f"{LIGHTING}/compliance?after={whole['next']}&limit=500").body
    assert (len(rest["items"]), rest["next"]) == (LAMPS - 5, None)
    commune = local.ask("GET", f"{LIGHTING}/compliance").body
    assert (commune["lamps"], [each["area"] for each in commune["areas"]]) == (LAMPS // 2, [QUETIGNY])
    assert manager.ask("GET", f"{LIGHTING}/compliance?rule=nothing").status == 404
    table = local.ask("GET", f"{LIGHTING}/compliance.csv?rule=lighting.owed_flux")
    head, *rows = csv.reader(io.StringIO(table.body))
    assert head[0] == "identifiant"
    assert len({row[0] for row in rows}) == LAMPS // 2
    assert "Flux lumineux non renseigné" in {row[5] for row in rows}


def test_batches_and_a_round_are_told_where_nothing_is_wrong(manager: Browser, local: Browser) -> None:
    found = manager.ask("GET", f"{LIGHTING}/batches").body
    assert (found["since"], found["lamps"], found["batches"]) == (None, LAMPS, [])
    assert local.ask("GET", f"{LIGHTING}/batches").body["lamps"] == LAMPS // 2
    head = next(csv.reader(io.StringIO(manager.ask("GET", f"{LIGHTING}/batches.csv").body)))
    assert head[:3] == ["source", "puissance (W)", "année"]
    tour = manager.ask("POST", f"{LIGHTING}/round", {"lon": 5.0, "lat": 47.3, "hours": 7}).body
    assert (tour["stops"], tour["open"]) == ([], 0)
    assert manager.ask("POST", f"{LIGHTING}/round", {"lon": 5.0, "lat": 47.3, "hours": 24}).status == 422
    assert manager.ask("POST", f"{LIGHTING}/round", {"lon": 5.0, "lat": 47.3, "worth": {"x": 1}}).status == 404


def test_plans_outlive_a_kill(folder: Path, tmp_path: Path) -> None:
    own = tmp_path / "post"
    secret = make(own, lamps=LAMPS)
    make_people(own)
    with running(own, secret) as post:
        manager, deputy = Browser(post, "manager"), Browser(post, "deputy")
        plan = make_plan(manager, night(70)).body
        approve(deputy, plan)
        drafted = manager.ask("PUT", f"{PLANS}/{plan['id']}/draft", {"version": 1, "revision": 0, "body": night(60)})
        before = json.dumps(drafted.body, sort_keys=True)
        post.process.kill()
        post.process.wait()
    with running(own, secret) as post:
        after = Browser(post, "manager").ask("GET", f"{PLANS}/{plan['id']}").body
        assert json.dumps(after, sort_keys=True) == before
