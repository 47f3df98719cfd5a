"""Comparisons at a real post that demands one: told by who may plan, behind each order that changes plan or control,
and beside what came of it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from msgspec.structs import replace

from tests.api.signals.test_changes import JUNCTION, SILENT, drafts, followed
from tests.people import Browser, make_people
from tests.post import NO_RESERVE, Answer, RunningPost, now_us, reading, running
from tests.services.signals.control.sites import crossroads
from tests.services.signals.whatif.tried import garbled, tried
from vigie.api.signals.comparisons import told_entry
from vigie.app import Installation, admit_device, installation
from vigie.app.comparisons import tell
from vigie.app.signals import Became, take_in
from vigie.core.times import DAY_US
from vigie.engine.plans import By
from vigie.services.signals import Junction
from vigie.services.signals.whatif.sealed import SealedFile, sealed
from vigie.settings import Settings
from vigie.transports.control import Wrong

SITE = crossroads(JUNCTION)
TELL = "/api/v1/signals/comparisons"
LIST = f"/api/v1/signals/junctions/{JUNCTION}/comparisons"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("post")


@pytest.fixture(scope="module")
def settings(folder: Path) -> Settings:
    return Settings(data=folder, city="Essai", **NO_RESERVE)


@pytest.fixture(scope="module")
def post(folder: Path, settings: Settings) -> Iterator[RunningPost]:
    with installation(settings) as opened:
        assert not opened.take_assets("town", [*drafts()]).refused
        secret = admit_device(opened, "ends", [row[0] for row in opened.facts.registry_rows() if row[2] != "post"])
        _take_ancient(opened)
    make_people(folder, ["operator", "supervisor", "mayor", "elected"])
    (taken,) = take_in(settings, {JUNCTION: SITE})
    assert taken.became is Became.MADE
    with running(folder, secret, environment={"VIGIE_SIGNALS_COMPARISON_NEEDED": "demand"}) as started:
        said = [reading(each, *value, now_us()) for each in (JUNCTION, SILENT) for value in
                (("control", "plan"), ("plan", 2))]  # fmt: skip
        assert started.send(said).status == 200
        yield started


def _take_ancient(opened: Installation) -> None:
    """A fact such as posts took in before they refused it: run at an instant that no calendar names in UTC."""
    at = datetime.fromisoformat("0001-01-01T00:00:00+14:00")
    said = replace(tried([SITE], now_us(), controller="plan", plan=9), at=at)
    file = msgspec.json.decode(sealed(said), type=SealedFile)
    no = next(row[0] for row in opened.facts.registry_rows() if row[1] == JUNCTION)
    by = By("somebody", now_us(), opened.new_id(), "")
    opened.facts.commit([told_entry(file, said, {JUNCTION: (no, "")}, opened.facts.comparisons, by)])


@pytest.fixture(scope="module")
def engineer(post: RunningPost) -> Browser:
    return Browser(post, "supervisor")


@pytest.fixture(scope="module")
def operator(post: RunningPost) -> Browser:
    return Browser(post, "operator")


def preview(who: Browser, action: str, *junctions: str, **params: Any) -> dict[str, list[str]]:
    """The rules that an order's preview says, refusing and not."""
    said = {"action": f"junction.{action}", "params": params, "select": {"assets": junctions or [JUNCTION]}}
    told = who.ask("POST", "/api/v1/commands/preview", said).body
    return {name: [each["rule"].removeprefix("signals.comparison_") for each in told[name]] for name in
            ("refused", "advice")}  # fmt: skip


def refused(rule: str) -> dict[str, list[str]]:
    return {"refused": [rule], "advice": []}


def send(who: Browser, file: bytes) -> Answer:
    """A file as it is, byte by byte."""
    said = {"Cookie": who.cookie, "X-CSRF-Token": who.csrf, "Content-Type": "application/json"}
    return who.post.ask("POST", TELL, file, **said)


def test_one_that_was_run_when_no_calendar_says_is_refused_and_read_where_it_is_there(
    operator: Browser, engineer: Browser
) -> None:
    at = datetime.fromisoformat("0001-01-01T00:00:00+14:00")
    assert send(engineer, sealed(replace(tried([SITE], now_us()), at=at))).status == 422
    for path in ("/api/v1/journal", "/api/v1/journal?type=ComparisonTaken"):
        answer = engineer.ask("GET", path)
        assert answer.status == 200
        (fact,) = [each["summary"] for each in answer.body["items"] if each["type"] == "ComparisonTaken"]
        assert (fact["to"], fact["run"]) == ("plan 9", "0001-01-01T00:00:00.000000Z")
    assert [(each["change"], each["stands"]) for each in operator.ask("GET", LIST).body["items"]] == [("plan 9", "old")]
    assert preview(operator, "run_plan", plan=9) == refused("old")


def test_without_a_comparison_nothing_changes_but_the_ways_back_are_open(post: RunningPost, operator: Browser) -> None:
    assert preview(operator, "set_control", control="adaptive") == refused("none")
    assert preview(operator, "run_plan", plan=4) == refused("none")
    nothing = {"refused": [], "advice": []}
    assert preview(operator, "set_control", control="plan") == nothing
    assert preview(operator, "set_mode", mode="flashing") == nothing
    assert preview(operator, "run_plan", plan=2) == nothing, "it runs that plan: this takes it back there"
    order = {"action": "junction.set_control", "params": {"control": "adaptive"}, "select": {"assets": [JUNCTION]}}
    given = operator.ask("POST", "/api/v1/commands", order).body
    assert (given["state"], given["counts"]) == ("refused", {"refused": 1})
    target = operator.ask("GET", f"/api/v1/commands/{given['id']}/targets").body["items"][0]
    assert target["refusal"] == {"rule": "signals.comparison_none", "detail": {}}


def test_the_newest_that_fits_stands_behind_the_order(
    post: RunningPost, operator: Browser, engineer: Browser, settings: Settings
) -> None:
    at_us = now_us()
    fails = sealed(tried([SITE], at_us - 2 * DAY_US, holds=False))
    passes = sealed(tried([SITE, crossroads("elsewhere")], at_us - DAY_US))
    assert send(operator, passes).status == 403
    answer = send(engineer, fails)
    assert (answer.status, answer.body["junctions"], answer.body["unknown"]) == (201, [JUNCTION], [])
    assert preview(operator, "set_control", control="adaptive") == refused("fails")
    answer = send(engineer, passes)
    assert (answer.status, answer.body["junctions"], answer.body["unknown"]) == (201, [JUNCTION], ["elsewhere"])
    # Two engineers with the same file: it is one comparison, told once.
    assert send(engineer, passes).status == 200
    assert tell(settings, passes).holds
    facts = engineer.ask("GET", "/api/v1/journal?type=ComparisonTaken").body["items"]
    assert [(each["summary"]["to"], each["summary"]["holds"]) for each in facts] == [
        ("adaptive", True), ("adaptive", False), ("plan 9", True),
    ]  # fmt: skip
    assert preview(operator, "set_control", control="adaptive") == {"refused": [], "advice": ["passes"]}
    rows = operator.ask("GET", LIST).body["items"][:2]
    assert [(each["stands"], each["seeds"], each["who"]["name"]) for each in rows] == [
        ("passes", 3, "Supervisor Durand"), ("fails", 3, "Supervisor Durand"),
    ]  # fmt: skip
    assert rows[0]["delay"]["difference"] == pytest.approx(-24.1667)
    assert rows[0]["queue"]["after"] == pytest.approx(2.2333)
    whole = post.ask("GET", f"{TELL}/{rows[0]['id']}", Cookie=engineer.cookie)
    assert json.dumps(whole.body) == json.dumps(json.loads(passes))


def test_what_is_old_or_of_another_network_or_of_another_plan_does_not(operator: Browser, engineer: Browser) -> None:
    other = crossroads(JUNCTION)
    other = replace(other, junction=replace(other.junction, stages=other.junction.stages[:1]))
    at_us = now_us()
    for plan, site, ago_days, rule in ((5, SITE, 91, "old"), (6, other, 1, "other"), (7, SITE, 1, "")):
        file = sealed(tried([site], at_us - ago_days * DAY_US, controller="plan", plan=plan))
        assert send(engineer, file).status == 201
        if rule:
            assert preview(operator, "run_plan", plan=plan) == refused(rule)
    assert preview(operator, "run_plan", plan=7) == {"refused": [], "advice": ["passes"]}
    # Of a junction that has no document in force, none is of the junction as it is.
    assert preview(operator, "run_plan", JUNCTION, SILENT, plan=7) == {"refused": ["none"], "advice": ["passes"]}


def test_each_plan_by_the_clock_is_asked_for_that_is_none_that_runs(post: RunningPost, operator: Browser) -> None:
    days = {name: f"mon-sun 00:00={name}" for name in ("2", "7", "5")}
    table = Junction.day_table.code("mon-sun 00:00=5")
    assert post.send([reading(JUNCTION, "day_table", float(table), now_us())]).status == 200
    nothing = {"refused": [], "advice": []}
    assert preview(operator, "run_day_plans", days=days["2"]) == nothing, "it runs that plan"
    assert preview(operator, "run_day_plans", days=days["5"]) == nothing, (
        "it has these tables: this takes it back there"
    )
    passes = {"refused": [], "advice": ["signals.plan_comparison_passes"]}
    assert preview(operator, "run_day_plans", days=days["7"]) == passes
    order = {"action": "junction.run_day_plans", "params": {"days": "mon-sun 00:00=7 06:00=2 09:00=4 22:00=5"}}
    order |= {"select": {"assets": [JUNCTION]}}
    given = operator.ask("POST", "/api/v1/commands", order).body
    assert (given["state"], given["counts"]) == ("refused", {"refused": 1})
    target = operator.ask("GET", f"/api/v1/commands/{given['id']}/targets").body["items"][0]
    assert target["refusal"] == {"rule": "signals.plan_comparison_none", "detail": {"plan": 4}}


def test_what_was_changed_by_hand_or_is_of_no_junction_or_to_come_is_refused(
    post: RunningPost, engineer: Browser, settings: Settings
) -> None:
    at_us = now_us()
    file = sealed(tried([SITE], at_us, holds=False))
    by_hand = file.replace(b'"holds":false', b'"holds":true')
    assert by_hand != file
    made_up = replace(tried([SITE], at_us, holds=False), thresholds={})
    boasts = tried([SITE], at_us, holds=False)
    boasts = replace(boasts, result=replace(boasts.result, holds=True))
    for wrong, why in (
        (by_hand, "seal is broken"), (garbled(file), "no comparison"), (sealed(made_up), "no comparison"),
        (sealed(boasts), "its figures do not show it"),
    ):  # fmt: skip
        answer = send(engineer, wrong)
        assert (answer.status, answer.body["rule"]) == (422, "signals.seal")
        with pytest.raises(Wrong, match=why):
            tell(settings, wrong)
    for other in (tried([crossroads("nowhere")], at_us), tried([SITE], at_us + DAY_US)):
        answer = send(engineer, sealed(other))
        assert (answer.status, answer.body["rule"]) == (409, "signals.not_taken")
    assert send(Browser(post, "mayor"), file).status == 404, "who plans in another town does not see it"


def test_what_was_foretold_is_told_beside_what_came_and_another_document_asks_for_another_comparison(
    post: RunningPost, operator: Browser, settings: Settings
) -> None:
    own = followed(post, operator, [JUNCTION], "plan", "adaptive")
    after = f"/api/v1/signals/junctions/{JUNCTION}/changes/{own}/after"
    foretold = operator.ask("GET", after).body["foretold"]
    assert (foretold["change"], foretold["stands"], foretold["calibration"]) == (
        "adaptive", "passes", {"counts": 44, "met_share": 0.91},
    )  # fmt: skip
    assert foretold["delay"]["high"] < 0
    # The junction is rebuilt: its document is another, and so is what was compared.
    junction = replace(SITE.junction, groups=tuple(replace(each, green_min_s=8) for each in SITE.junction.groups))
    (taken,) = take_in(settings, {JUNCTION: replace(SITE, junction=junction)})
    assert taken.became is Became.CHANGED
    assert preview(operator, "set_control", control="adaptive") == refused("other")
    # What it was worth then does not change with it.
    assert operator.ask("GET", after).body["foretold"]["stands"] == "passes"
