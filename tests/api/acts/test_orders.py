"""Orders on a real post: given by people over the API, picked up by a device, proved by what it reports."""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import shapely

from tests.people import Browser, make_people
from tests.post import NO_RESERVE, Answer, RunningPost, make, now_us, reading, running
from vigie.app import installation
from vigie.core.drafts import Draft
from vigie.core.times import rfc3339
from vigie.settings import Settings

LAMPS = 20
QUETIGNY = "dijon-metropole/quetigny"


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPost]:
    """One post for the questions here."""
    folder = tmp_path_factory.mktemp("post")
    secret = make(folder, lamps=LAMPS)
    make_people(folder)
    with running(folder, secret) as started:
        burn(started)
        yield started


@pytest.fixture(scope="module")
def operator(post: RunningPost) -> Browser:
    return Browser(post, "operator")


@pytest.fixture(scope="module")
def crew(post: RunningPost) -> Browser:
    return Browser(post, "crew")


@pytest.fixture(scope="module")
def supervisor(post: RunningPost) -> Browser:
    return Browser(post, "supervisor")


def burn(post: RunningPost) -> None:
    """All lamps say that they burn: orders that light what is dark go out a few at a time."""
    post.send([reading(f"luminaire-{n:06d}", "level", 5.0, now_us()) for n in range(LAMPS)])


def as_device(post: RunningPost, method: str, path: str, body: Any = None) -> Answer:
    said = None if body is None else json.dumps(body).encode()
    return post.ask(method, path, said, Authorization=f"Bearer {post.secret}", Content_Type="application/json")


def pick_up(post: RunningPost, wait_s: float = 0) -> list[dict[str, Any]]:
    answer = as_device(post, "GET", f"/device/v1/orders?wait_s={wait_s}")
    assert answer.status == 200, answer
    return answer.body["orders"]


def dim(level: float, **select: Any) -> dict[str, Any]:
    return {"action": "luminaire.dim", "params": {"level": level}, "select": select, "reason": "essai"}


def carry_out(post: RunningPost, orders: list[dict[str, Any]]) -> None:
    receipts = [{"order": o["order"], "asset": o["asset"], "result": "accepted"} for o in orders]
    assert as_device(post, "POST", "/device/v1/receipts", receipts).body["taken"] == len(orders)
    done = [reading(o["asset"], "level", float(o["params"]["level"]), now_us()) for o in orders]
    assert post.send(done).body["accepted"] == len(done)


def test_a_way_is_lit_for_a_time_and_the_journal_does_not_say_where_it_leads(operator: Browser) -> None:
    def along(*places: tuple[float, float], within_m: float = 25.0) -> dict[str, Any]:
        params = {"level": 100, "until": rfc3339(now_us() + 3_600_000_000)}
        return {
            "action": "luminaire.dim",
            "params": params,
            "select": {"path": {"places": places, "within_m": within_m}},
        }

    # Lamps stand every 0.75 m along 47.3 from 5.0 on.
    near = operator.ask("POST", "/api/v1/commands/preview", along((5.0, 47.2998), (5.00005, 47.2998)))
    assert near.body["targets"] == len([n for n in range(LAMPS) if n / 1e5 < 5e-5 + 1.6e-4])
    assert operator.ask("POST", "/api/v1/commands/preview", along((5.0, 47.2), (5.0, 47.21))).status == 422
    assert operator.ask("POST", "/api/v1/commands/preview", along((5.0, 47.2), (5.0, 47.3))).status == 422
    given = operator.ask("POST", "/api/v1/commands", along((5.0, 47.3001), (5.00005, 47.3001), within_m=12.0))
    assert given.status == 201
    items = operator.ask("GET", "/api/v1/journal?type=CommandProposed").body["items"]
    assert given.body["id"] in json.dumps(items)
    assert "47.3" not in json.dumps(items)
    assert operator.ask("POST", f"/api/v1/commands/{given.body['id']}/cancel", {"reason": ""}).status == 200


def test_an_order_to_a_street_is_previewed_given_proved_and_read_in_the_journal(
    post: RunningPost, operator: Browser
) -> None:
    said = dim(60, street="Rue Verte")
    preview = operator.ask("POST", "/api/v1/commands/preview", said)
    assert (preview.status, preview.body["targets"], preview.body["refused"]) == (200, LAMPS, [])
    given = operator.ask("POST", "/api/v1/commands", said)
    assert (given.status, given.body["state"], given.body["counts"]) == (201, "running", {"waiting": LAMPS})
    assert given.body["reason"] == "essai"
    orders = pick_up(post)
    assert len(orders) == LAMPS
    assert pick_up(post) == []
    carry_out(post, orders)
    told = operator.ask("GET", f"/api/v1/commands/{given.body['id']}")
    assert (told.body["state"], told.body["counts"]) == ("closed", {"done": LAMPS})
    targets = operator.ask("GET", f"/api/v1/commands/{given.body['id']}/targets?limit=5").body
    assert [each["state"] for each in targets["items"]] == ["done"] * 5
    rest = operator.ask("GET", f"/api/v1/commands/{given.body['id']}/targets?cursor={targets['next']}").body
    assert len(rest["items"]) == LAMPS - 5
    assert rest["next"] is None


def test_a_device_that_waits_is_handed_an_order_as_soon_as_it_is_given(post: RunningPost, operator: Browser) -> None:
    found: list[Any] = []
    waiting = threading.Thread(target=lambda: found.extend(pick_up(post, 20)))
    waiting.start()
    time.sleep(0.3)
    began = time.monotonic()
    assert operator.ask("POST", "/api/v1/commands", dim(33, assets=["luminaire-000002"])).status == 201
    waiting.join(20)
    assert [order["asset"] for order in found] == ["luminaire-000002"]
    assert time.monotonic() - began < 15
    carry_out(post, found)


def test_an_order_ends_where_the_device_knows_an_end_and_is_told_none_where_it_does_not(
    post: RunningPost, operator: Browser
) -> None:
    lamps = ["luminaire-000014", "luminaire-000016"]
    post.send([reading(lamps[0], "control", "programme", now_us())])
    until = rfc3339((now_us() // 1_000_000 + 4) * 1_000_000)
    said = dim(22, assets=lamps)
    said["params"]["until"] = until
    preview = operator.ask("POST", "/api/v1/commands/preview", said).body
    assert (preview["until"], preview["stays"], preview["lasts_s"]) == (until, 1, 0.0)
    given = operator.ask("POST", "/api/v1/commands", said).body
    assert given["params"] == {"level": 22.0, "until": until}
    orders = pick_up(post)
    assert [order["params"] for order in orders] == [{"level": 22.0, "until": until}, {"level": 22.0}]
    carry_out(post, orders)
    time.sleep(4.1)
    post.send([reading(lamps[0], "control", "programme", now_us())])
    told = operator.ask("GET", f"/api/v1/commands/{given['id']}").body
    assert (told["state"], told["counts"]) == ("closed", {"done": 1, "returned": 1})
    released = {"action": "luminaire.release", "params": {}, "select": {"assets": lamps}}
    preview = operator.ask("POST", "/api/v1/commands/preview", released).body
    assert (preview["already"], [each["rule"] for each in preview["refused"]]) == (1, ["lighting.control_unknown"])
    dawn = operator.ask("POST", "/api/v1/commands/preview", dim(22, assets=lamps)).body["until"]
    assert rfc3339(now_us()) < dawn <= rfc3339(now_us() + 26 * 3_600 * 1_000_000)


def test_another_communes_crew_neither_sees_nor_gives_nor_follows(
    post: RunningPost, operator: Browser, crew: Browser
) -> None:
    dijon = operator.ask("POST", "/api/v1/commands", dim(41, area="dijon-metropole/dijon")).body
    assert dijon["targets"] == LAMPS // 2
    assert crew.ask("GET", f"/api/v1/commands/{dijon['id']}").status == 404
    assert crew.ask("GET", f"/api/v1/commands/{dijon['id']}/targets").status == 404
    assert crew.ask("POST", f"/api/v1/commands/{dijon['id']}/cancel", {}).status == 404
    assert all(each["id"] != dijon["id"] for each in crew.ask("GET", "/api/v1/commands").body["items"])
    refused = crew.ask("POST", "/api/v1/commands", dim(42, area="dijon-metropole/dijon"))
    assert (refused.status, refused.body["rule"]) == (422, "engine.nobody")
    own = crew.ask("POST", "/api/v1/commands", dim(43, street="Rue Verte"))
    assert (own.status, own.body["targets"]) == (201, LAMPS // 2)
    assert operator.ask("POST", f"/api/v1/commands/{dijon['id']}/cancel", {}).body["counts"] == {
        "cancelled": LAMPS // 2
    }
    operator.ask("POST", f"/api/v1/commands/{own.body['id']}/cancel", {})


def test_who_only_looks_on_gives_no_order(post: RunningPost) -> None:
    elected = Browser(post, "elected")
    assert elected.ask("POST", "/api/v1/commands", dim(1, street="Rue Verte")).status == 403
    assert elected.ask("POST", "/api/v1/commands/preview", dim(1, street="Rue Verte")).status == 403


def test_an_order_cannot_be_forged_by_another_site(post: RunningPost, operator: Browser) -> None:
    forged = post.ask(
        "POST",
        "/api/v1/commands",
        json.dumps(dim(1, street="Rue Verte")).encode(),
        Cookie=operator.cookie,
        Content_Type="application/json",
    )
    assert forged.status == 403


def test_who_may_move_an_order_is_told(post: RunningPost, operator: Browser) -> None:
    given = operator.ask("POST", "/api/v1/commands", dim(44, assets=["luminaire-000006"])).body
    assert given["may_move"] is True
    elected = Browser(post, "elected")
    assert elected.ask("GET", f"/api/v1/commands/{given['id']}").body["may_move"] is False
    listed = elected.ask("GET", "/api/v1/commands?open=true").body["items"]
    assert {each["id"]: each["may_move"] for each in listed}[given["id"]] is False
    assert elected.ask("POST", f"/api/v1/commands/{given['id']}/cancel", {}).status == 403
    ended = operator.ask("POST", f"/api/v1/commands/{given['id']}/cancel", {}).body
    assert (ended["state"], ended["may_move"]) == ("closed", True)


def test_an_order_is_given_to_all_targets_of_another(post: RunningPost, operator: Browser, crew: Browser) -> None:
    first = operator.ask("POST", "/api/v1/commands", dim(45, street="Rue Verte")).body
    back = dim(70, order=first["id"])
    preview = operator.ask("POST", "/api/v1/commands/preview", back)
    assert (preview.status, preview.body["targets"]) == (200, LAMPS)
    given = operator.ask("POST", "/api/v1/commands", back).body
    assert given["targets"] == LAMPS
    entry = next(
        each
        for each in Browser(post, "supervisor").ask("GET", "/api/v1/journal?limit=20").body["items"]
        if each["type"] == "CommandProposed" and each["id"] == given["id"]
    )
    assert entry["summary"]["selection"]["order"] == first["id"]
    operator.ask("POST", f"/api/v1/commands/{given['id']}/cancel", {})
    # Of an ended order too; all that is said must fit; and an order that is not seen names nothing.
    one = operator.ask("POST", "/api/v1/commands/preview", dim(70, order=first["id"], assets=["luminaire-000002"]))
    assert one.body["targets"] == 1
    assert crew.ask("POST", "/api/v1/commands/preview", back).status == 404
    assert operator.ask("POST", "/api/v1/commands/preview", dim(70, order="nothing")).status == 404


def test_the_same_key_is_the_same_order(operator: Browser) -> None:
    said = dim(51, assets=["luminaire-000004"])
    first, again = (operator.ask("POST", "/api/v1/commands", said, Idempotency_Key="once") for _ in range(2))
    assert first.body["id"] == again.body["id"]
    other = operator.ask("POST", "/api/v1/commands", dim(52, assets=["luminaire-000004"]), Idempotency_Key="once")
    assert (other.status, other.body["rule"]) == (409, "engine.key_reused")
    assert "another" in other.body["mend"]
    operator.ask("POST", f"/api/v1/commands/{first.body['id']}/cancel", {})


def test_a_key_that_comes_with_other_targets_drops_no_order(tmp_path: Path) -> None:
    secret = make(tmp_path, lamps=LAMPS)
    make_people(tmp_path)
    said, other = dim(51, assets=["luminaire-000004"]), dim(51, assets=["luminaire-000006"])

    def give(operator: Browser, said: dict[str, Any]) -> tuple[int, Any]:
        answer = operator.ask("POST", "/api/v1/commands", said, Idempotency_Key="once")
        return answer.status, answer.body.get("id") or answer.body["rule"]

    with running(tmp_path, secret) as post:
        operator = Browser(post, "operator")
        status, first = give(operator, said)
        assert status == 201
        assert give(operator, other) == (409, "engine.key_reused")
        operator.ask("POST", f"/api/v1/commands/{first}/cancel", {})
    # It has ended, so that a post that starts anew has it on disk alone.
    with running(tmp_path, secret) as post:
        operator = Browser(post, "operator")
        assert give(operator, other) == (409, "engine.key_reused")
        assert give(operator, said) == (200, first)


def test_what_is_no_order_is_refused_with_the_rule(operator: Browser) -> None:
    for said, rule in (
        (dim(400, street="Rue Verte"), "engine.param_wrong"),
        (dim(40, street="Rue Nulle Part"), "engine.nobody"),
        (dim(40, street="Rue Verte") | {"action": "luminaire.melt"}, "engine.no_action"),
    ):
        answer = operator.ask("POST", "/api/v1/commands", said)
        assert (answer.status, answer.body["rule"]) == (422, rule)
    assert operator.ask("POST", "/api/v1/commands", dim(40)).status == 422
    assert operator.ask("POST", "/api/v1/commands", {"order": "dim"}).status == 422


def test_a_hazardous_order_waits_for_its_confirmation(post: RunningPost, operator: Browser) -> None:
    said = {"action": "cabinet.set_full_light", "params": {"on": True}, "select": {"assets": ["cabinet-cabinet"]}}
    without = operator.ask("POST", "/api/v1/commands", said)
    assert (without.status, without.body["rule"]) == (409, "engine.no_reason")
    given = operator.ask("POST", "/api/v1/commands", said | {"reason": "accident"}).body
    assert (given["state"], pick_up(post)) == ("proposed", [])
    confirmed = operator.ask("POST", f"/api/v1/commands/{given['id']}/confirm", {})
    assert (confirmed.status, confirmed.body["state"]) == (200, "running")
    assert [order["params"] for order in pick_up(post)] == [{"on": True}]
    again = operator.ask("POST", f"/api/v1/commands/{given['id']}/confirm", {})
    assert (again.status, again.body["rule"]) == (409, "engine.life")


def test_a_lock_out_refuses_every_order_and_only_its_crew_or_two_persons_lift_it(
    post: RunningPost, operator: Browser, supervisor: Browser, crew: Browser
) -> None:
    form = {"asset": "luminaire-000001", "crew": "Équipe Éclairage Est", "reason": "échelle"}
    assert operator.ask("POST", "/api/v1/consignations", form).status == 403
    outside = crew.ask("POST", "/api/v1/consignations", form | {"asset": "cabinet-cabinet"})
    assert outside.status in (403, 404)
    lock = crew.ask("POST", "/api/v1/consignations", form)
    assert lock.status == 201
    given = operator.ask("POST", "/api/v1/commands", dim(99, assets=["luminaire-000001"])).body
    assert (given["state"], given["counts"]) == ("refused", {"refused": 1})
    target = operator.ask("GET", f"/api/v1/commands/{given['id']}/targets").body["items"][0]
    assert (target["refusal"]["rule"], target["refusal"]["detail"]["crew"]) == (
        "engine.consigned",
        "Équipe Éclairage Est",
    )
    sheet = operator.ask("GET", "/api/v1/assets/luminaire-000001").body
    assert sheet["consignation"]["crew"] == "Équipe Éclairage Est"
    path = f"/api/v1/consignations/{lock.body['id']}"
    assert supervisor.ask("POST", f"{path}/lift", {}).body["rule"] == "engine.consigned_by_others"
    assert supervisor.ask("POST", f"{path}/ask-override", {}).status == 204
    alone = supervisor.ask("POST", f"{path}/override", {})
    assert (alone.status, alone.body["rule"]) == (409, "engine.second_person")
    assert crew.ask("POST", f"{path}/lift", {"reason": "fini"}).status == 204
    assert operator.ask("GET", "/api/v1/consignations").body["items"] == []


def test_a_colleague_of_the_same_crew_lifts_what_the_shift_before_has_locked_out(
    post: RunningPost, crew: Browser, supervisor: Browser
) -> None:
    form = {"asset": "luminaire-000005", "crew": "Équipe Est", "reason": "échelle"}
    lock = crew.ask("POST", "/api/v1/consignations", form).body
    path = f"/api/v1/consignations/{lock['id']}/lift"
    # Another right to lock out there, or the same role over other services, is no member of that crew.
    for other in (supervisor, Browser(post, "roadman")):
        refused = other.ask("POST", path, {})
        assert (refused.status, refused.body["rule"]) == (409, "engine.consigned_by_others")
    colleague = Browser(post, "colleague")
    assert colleague.ask("POST", path, {"reason": "relève, chantier fini"}).status == 204
    lifted = supervisor.ask("GET", "/api/v1/journal?type=ConsignationMoved&limit=1").body["items"][0]
    assert (lifted["actor"]["name"], lifted["summary"]["reason"]) == ("Colleague Durand", "relève, chantier fini")
    # The supervisor's own lock-out is no crew's: nobody but they lifts it alone.
    own = supervisor.ask("POST", "/api/v1/consignations", form).body
    assert colleague.ask("POST", f"/api/v1/consignations/{own['id']}/lift", {}).status == 409
    assert supervisor.ask("POST", f"/api/v1/consignations/{own['id']}/lift", {}).status == 204


def test_a_crews_words_are_told_to_whom_they_concern_and_kept_where_they_can_be_erased(tmp_path: Path) -> None:
    secret = make(tmp_path, lamps=LAMPS)
    make_people(tmp_path)
    with running(tmp_path, secret) as post:
        crew, operator, elected = (Browser(post, each) for each in ("crew", "operator", "elected"))
        form = {"asset": "luminaire-000001", "crew": "Équipe Éclairage Est", "reason": "échelle"}
        lock = crew.ask("POST", "/api/v1/consignations", form).body
        said = dim(99, assets=["luminaire-000001"])
        refused = operator.ask("POST", "/api/v1/commands/preview", said).body["refused"][0]
        detail = {"asset": "luminaire-000001", "consignation": lock["id"]}
        assert refused["detail"] == detail | {"crew": "Équipe Éclairage Est"}
        given = operator.ask("POST", "/api/v1/commands", said).body
        for held in (True, False):
            for person, crew_told, reason_told in ((operator, form["crew"], form["reason"]), (elected, "", "")):
                target = person.ask("GET", f"/api/v1/commands/{given['id']}/targets").body["items"][0]
                told = {"crew": crew_told} if crew_told else {}
                assert target["refusal"] == {"rule": "engine.consigned", "detail": detail | told}
                listed = person.ask("GET", "/api/v1/consignations").body["items"]
                assert [(each["crew"], each["reason"]) for each in listed] == [(crew_told, reason_told)] * held
            if held:
                crew.ask("POST", f"/api/v1/consignations/{lock['id']}/lift", {})
    with sqlite3.connect(tmp_path / "facts.sqlite") as facts:
        assert "Éclairage" not in json.dumps(facts.execute("SELECT refusal FROM target").fetchall())
        assert ("crew", "Équipe Éclairage Est") in facts.execute("SELECT field, value FROM personal").fetchall()


def test_the_journal_says_why_each_act_was_done(tmp_path: Path) -> None:
    secret = make(tmp_path, lamps=LAMPS)
    ids = make_people(tmp_path)
    with running(tmp_path, secret) as post:
        operator, crew, supervisor, second, admin = (
            Browser(post, each) for each in ("operator", "crew", "supervisor", "crew", "administrator")
        )
        given = operator.ask("POST", "/api/v1/commands", dim(40, assets=["luminaire-000003"])).body["id"]
        assert len(pick_up(post)) == 1
        form = {"asset": "luminaire-000001", "crew": "Est", "reason": "échelle"}
        lock = crew.ask("POST", "/api/v1/consignations", form).body["id"]
        post.send([reading("junction-j1", "mode", "flashing", now_us())])
        alarm = operator.ask("GET", "/api/v1/conditions?outlet=alarm&open=true").body["items"][0]["id"]
        token = crew.ask("POST", "/api/v1/tokens", {"name": "t", "role": "crew", "area": QUETIGNY,
                                                    "services": ["lighting"]}).body["id"]  # fmt: skip
        user = ids["elected"]
        acts = [
            (operator, "POST", f"commands/{given}/resend", "CommandMoved"),
            (operator, "POST", f"commands/{given}/cancel", "CommandMoved"),
            (supervisor, "POST", f"consignations/{lock}/ask-override", "ConsignationMoved"),
            (supervisor, "POST", f"consignations/{lock}/withdraw", "ConsignationMoved"),
            (supervisor, "POST", f"consignations/{lock}/ask-override", "ConsignationMoved"),
            (second, "POST", f"consignations/{lock}/override", "ConsignationMoved"),
            (operator, "POST", f"conditions/{alarm}/acknowledge", "ConditionMoved"),
            (admin, "POST", f"users/{user}/close", "UserChanged"),
            (admin, "POST", f"users/{user}/reopen", "UserChanged"),
            (admin, "DELETE", f"users/{user}/roles?role=elected&area=", "RoleWithdrawn"),
            (admin, "DELETE", f"tokens/{token}", "TokenRevoked"),
        ]
        for number, (who, method, path, fact) in enumerate(acts):
            answer = who.ask(method, f"/api/v1/{path}", {"reason": f"raison {number}"})
            assert answer.status in (200, 204), (path, answer)
            newest = supervisor.ask("GET", f"/api/v1/journal?type={fact}&limit=1").body["items"][0]
            assert newest["summary"].get("reason") == f"raison {number}", path
            assert newest["summary"].get("event", "").replace("_", "-") in ("", path.rpartition("/")[2])


def test_an_order_that_is_handed_over_again_wakes_the_device_that_waits(tmp_path: Path) -> None:
    secret = make(tmp_path, lamps=LAMPS)
    make_people(tmp_path, ["operator"])
    with running(tmp_path, secret) as post:
        operator = Browser(post, "operator")
        given = operator.ask("POST", "/api/v1/commands", dim(33, assets=["luminaire-000002"])).body
        assert len(pick_up(post)) == 1
        found: list[Any] = []
        waiting = threading.Thread(target=lambda: found.extend(pick_up(post, 25)))
        waiting.start()
        time.sleep(0.5)
        assert operator.ask("POST", f"/api/v1/commands/{given['id']}/resend", {}).body == {"targets": 1}
        waiting.join(30)
        assert [order["order"] for order in found] == [given["id"]]


def test_names_and_reasons_are_read_where_that_right_holds_and_not_all_over_the_town(
    post: RunningPost, operator: Browser
) -> None:
    neighbour = Browser(post, "neighbour")
    for area, may in (("dijon-metropole/dijon", False), (QUETIGNY, True)):
        given = operator.ask("POST", "/api/v1/commands", dim(71, area=area)).body
        operator.ask("POST", f"/api/v1/commands/{given['id']}/cancel", {})
        listed = {each["id"]: each for each in neighbour.ask("GET", "/api/v1/commands").body["items"]}
        one = neighbour.ask("GET", f"/api/v1/commands/{given['id']}").body
        for told in (one, listed[given["id"]]):
            assert (told["reason"], told["actor"]["name"]) == (("essai", "Operator Durand") if may else ("", None))
    own = neighbour.ask("POST", "/api/v1/commands", dim(72, area=QUETIGNY)).body
    assert own["reason"] == "essai"
    neighbour.ask("POST", f"/api/v1/commands/{own['id']}/cancel", {})


def test_who_acknowledged_an_alarm_is_named_where_that_right_holds(tmp_path: Path) -> None:
    secret = make(tmp_path, lamps=LAMPS)
    make_people(tmp_path)
    with running(tmp_path, secret) as post:
        operator, neighbour, elected = (Browser(post, each) for each in ("operator", "neighbour", "elected"))
        post.send([reading("junction-j1", "mode", "flashing", now_us())])
        alarms = "/api/v1/conditions?outlet=alarm&open=true"
        alarm = operator.ask("GET", alarms).body["items"][0]
        operator.ask("POST", f"/api/v1/conditions/{alarm['id']}/acknowledge", {})
        names = [
            each.ask("GET", alarms).body["items"][0]["acknowledged_by"]["name"]
            for each in (operator, neighbour, elected)
        ]
        assert names == ["Operator Durand", None, None]


def test_the_inventory_by_hand_makes_moves_replaces_and_retires(post: RunningPost, crew: Browser) -> None:
    where = {"lon": 5.0, "lat": 47.3}
    operator = Browser(post, "operator")
    form = {"kind": "luminaire", "name": "Lampe neuve", "street": "Rue Verte", "parent": "cabinet-cabinet", **where}
    made = operator.ask("POST", "/api/v1/assets", form | {"attributes": {"rated_power": 40}})
    assert made.status == 201, made.body
    asset = made.body["id"]
    moved = operator.ask("PATCH", f"/api/v1/assets/{asset}", {"lon": 5.01, "lat": 47.31, "reason": "déplacée"})
    assert (moved.status, moved.body["lon"], moved.body["name"]) == (200, 5.01, "Lampe neuve")
    said = {"serial": "S-1", "model": "LED 40", "reason": "panne"}
    assert operator.ask("POST", f"/api/v1/assets/{asset}/replace", said).status == 204
    assert operator.ask("POST", f"/api/v1/assets/{asset}/replace", said | {"serial": "S-2"}).status == 204
    sheet = operator.ask("GET", f"/api/v1/assets/{asset}").body
    assert [each["serial"] for each in sheet["devices"]] == ["S-2", "S-1"]
    assert sheet["parent"]["id"] == "cabinet-cabinet"
    given = operator.ask("POST", "/api/v1/commands", dim(10, assets=[asset])).body
    assert given["counts"] == {"refused": 1}, "no device speaks for it yet"
    assert operator.ask("POST", f"/api/v1/assets/{asset}/retire", {"reason": "déposée"}).status == 204
    again = operator.ask("POST", f"/api/v1/assets/{asset}/retire", {"reason": "déposée"})
    assert again.status in (404, 422)
    listed = operator.ask("GET", "/api/v1/assets?kind=luminaire&limit=500").body["items"]
    assert asset not in {each["id"] for each in listed}
    wrong = operator.ask("POST", "/api/v1/assets", form | {"attributes": {"colour": "red"}})
    assert wrong.status == 422
    assert Browser(post, "elected").ask("POST", "/api/v1/assets", form).status == 403


def test_what_is_said_of_by_hand_is_more_than_blanks(operator: Browser, supervisor: Browser) -> None:
    lock = {"asset": "luminaire-000009", "crew": "Est", "reason": "échelle"}
    apparatus = {"serial": "S", "model": "M", "reason": "panne"}
    for who, path, form in (
        (supervisor, "consignations", lock),
        (operator, "assets/luminaire-000009/replace", apparatus),
        (operator, "assets/luminaire-000009/retire", {"reason": "déposée"}),
    ):
        for name in set(form) - {"asset"}:
            for blank in ("", " ", "\t\n\u2009"):
                answer = who.ask("POST", f"/api/v1/{path}", form | {name: blank})
                assert (answer.status, f"$.{name}" in answer.body["detail"]) == (422, True), (path, name, answer)


def test_a_name_is_changed_wherever_it_stands_and_what_is_drawn_is_not_moved_by_hand(tmp_path: Path) -> None:
    secret = make(tmp_path, lamps=4)
    make_people(tmp_path)
    with installation(Settings(data=tmp_path, **NO_RESERVE)) as opened:
        # Where the lamp stands, which is in the care of Quetigny, is Dijon by now.
        dijon = shapely.to_wkb(shapely.box(4.9, 47.2, 5.1, 47.4))
        line = shapely.to_wkb(shapely.LineString([(5.0, 47.3), (5.001, 47.3)]))
        where: dict[str, Any] = {"lon": 5.0, "lat": 47.3}
        opened.take_assets("town", [
            Draft(key="d", id="dijon", kind="commune", name="Dijon", area="dijon-metropole", geometry=dijon, **where),
            Draft(key="s", id="rue", kind="street", name="Rue", area=QUETIGNY, geometry=line, **where),
        ])  # fmt: skip
    with running(tmp_path, secret) as post:
        crew, operator = Browser(post, "crew"), Browser(post, "operator")
        lamp = "/api/v1/assets/luminaire-000001"
        renamed = crew.ask("PATCH", lamp, {"name": "Lampe du gué"})
        assert (renamed.status, renamed.body.get("name")) == (200, "Lampe du gué"), renamed
        assert crew.ask("PATCH", lamp, {"lon": 5.0}).status == 403
        for drawn in ("rue", "dijon"):
            assert operator.ask("PATCH", f"/api/v1/assets/{drawn}", {"name": "Autre"}).status == 200
            moved = operator.ask("PATCH", f"/api/v1/assets/{drawn}", {"lon": 5.05})
            assert (moved.status, "is drawn" in moved.body["detail"]) == (422, True)


def test_an_alarm_is_acknowledged_and_the_desk_says_by_whom(post: RunningPost, operator: Browser) -> None:
    post.send([reading("junction-j1", "mode", "flashing", now_us())])
    alarm = next(
        each
        for each in operator.ask("GET", "/api/v1/conditions?outlet=alarm&open=true").body["items"]
        if each["condition"] == "signals_flashing"
    )
    path = f"/api/v1/conditions/{alarm['id']}"
    moved = operator.ask("POST", f"{path}/acknowledge", {})
    assert (moved.status, moved.body["state"]) == (200, "acknowledged")
    assert moved.body["acknowledged_by"]["name"] == "Operator Durand"
    assert operator.ask("POST", f"{path}/acknowledge", {}).status == 409
    assert operator.ask("POST", f"{path}/shelve", {}).body["state"] == "shelved"
    assert operator.ask("POST", f"{path}/unshelve", {}).body["state"] == "unacknowledged"


def test_orders_survive_a_kill_and_none_is_lost_doubled_or_sent_too_late(tmp_path: Path) -> None:
    secret = make(tmp_path, lamps=LAMPS)
    make_people(tmp_path)
    with running(tmp_path, secret) as post:
        burn(post)
        operator = Browser(post, "operator")
        sent = operator.ask("POST", "/api/v1/commands", dim(61, area="dijon-metropole/dijon")).body
        handed = pick_up(post)
        waiting = operator.ask("POST", "/api/v1/commands", dim(62, area=QUETIGNY)).body
        post.kill()
    with running(tmp_path, secret) as post:
        operator = Browser(post, "operator")
        told = operator.ask("GET", f"/api/v1/commands/{sent['id']}").body
        assert (told["state"], told["counts"]) == ("running", {"sent": LAMPS // 2})
        again = pick_up(post)
        assert {order["order"] for order in again} == {waiting["id"]}
        post.send([reading(o["asset"], "level", float(o["params"]["level"]), now_us()) for o in [*handed, *again]])
        post.kill()
    with running(tmp_path, secret) as post:
        operator = Browser(post, "operator")
        for command in (sent, waiting):
            told = operator.ask("GET", f"/api/v1/commands/{command['id']}").body
            assert (told["state"], told["counts"]) == ("closed", {"done": LAMPS // 2})


def test_a_device_that_waits_when_the_post_is_to_stop_is_answered(tmp_path: Path) -> None:
    secret = make(tmp_path, lamps=1)
    found: list[Any] = []
    with running(tmp_path, secret) as stopping:
        waiting = threading.Thread(target=lambda: found.append(pick_up(stopping, 25)))
        waiting.start()
        time.sleep(0.5)
        stopping.process.terminate()
        waiting.join(30)
        assert found == [[]]
        assert stopping.process.wait(30) == 0
