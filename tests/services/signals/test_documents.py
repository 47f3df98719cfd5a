"""A junction's document is read strictly, and nothing that it names is missing; and it is a plan as others are."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
from msgspec.structs import replace

from tests.city import NOW_US
from tests.conftest import PROJECT
from tests.orders import Bench
from tests.services.signals.control.sites import crossroads
from vigie.api.signals import documents_of, sites_of
from vigie.core.calendar import Calendar
from vigie.core.scope import Scope
from vigie.engine.known import Frozen
from vigie.services.signals import JUNCTION_PLAN
from vigie.services.signals.control.site import Feeder, Plan, Site, Step, site_of_json, site_to_json
from vigie.services.signals.control.sitecheck import site_problems
from vigie.services.signals.plans import JunctionPlan, bound

SITE = crossroads(feeders=(Feeder("two", "east", 0.5, (2,), 12),))
DIJON = "dijon-metropole/dijon"
BODY = JunctionPlan("junction-1", SITE, DIJON)


def approached(**fields: Any) -> Site:
    return replace(SITE, approaches=(replace(SITE.approaches[0], **fields), *SITE.approaches[1:]))


WRONG: list[tuple[str, Site]] = [
    ("plan_unknown_group", replace(SITE, plan=Plan(0, (Step(30, frozenset({9})),)))),
    ("gives_way_unknown_group", replace(SITE, gives_way=(frozenset({4}), *SITE.gives_way[1:]))),
    ("unknown_group", approached(ways=(replace(SITE.approaches[0].ways[0], group=4),))),
    ("unknown_detector", approached(stop=99)),
    ("unknown_detector", approached(areas=(replace(SITE.approaches[0].areas[0], detector=16),))),
    ("unknown_detector", replace(SITE, exits={"to north": 16})),
    ("approach_unknown_lane", approached(lane="nowhere")),
    ("leads_nowhere", approached(ways=(replace(SITE.approaches[0].ways[0], exit="nowhere"),))),
    ("exit_unknown_lane", replace(SITE, exits={"nowhere": 12})),
    ("name_twice", replace(SITE, approaches=(*SITE.approaches, SITE.approaches[0]))),
    ("matrix_shape", replace(SITE, gives_way=SITE.gives_way[:-1])),
    ("unknown_approach", replace(SITE, feeders=(Feeder("two", "east", 0.5, (4,), 12),))),
    ("plan_empty", replace(SITE, plan=Plan(0, (Step(0, frozenset({0})),)))),
    ("plan_conflict", replace(SITE, plan=Plan(0, (Step(30, frozenset({0, 2})),)))),
]


def test_a_document_comes_back_as_it_was_and_is_the_same_bytes_each_time() -> None:
    written = site_to_json(SITE)
    assert site_of_json(written) == SITE
    assert site_to_json(site_of_json(written)) == written
    assert site_problems(SITE) == ()


@pytest.mark.parametrize(
    "spoilt",
    [
        {"more": 1},
        {"plan": {"offset_s": 0, "steps": [], "name": "night"}},
        {"plan": {"offset_s": "0", "steps": []}},
        {"exits": {"to north": 400}},
        {"gives_way": [[64]]},
    ],
)
def test_what_is_no_document_is_refused(spoilt: dict[str, Any]) -> None:
    with pytest.raises(msgspec.ValidationError):
        site_of_json(json.dumps(json.loads(site_to_json(SITE)) | spoilt))


@pytest.mark.parametrize(("code", "site"), WRONG, ids=[each[0] for each in WRONG])
def test_what_does_not_fit_together_is_found_and_only_that(code: str, site: Site) -> None:
    found = site_problems(site)
    assert [(each.code, each.refuses) for each in found] == [(code, True)]
    for language in ("fr", "en"):
        texts = json.loads((PROJECT / "src/vigie/texts" / f"{language}.signals.json").read_text("utf-8"))
        assert "{" not in texts[f"finding.signals.{code}"].format(groups="F1", **found[0].detail)


def test_groups_and_detectors_are_counted_from_one_as_the_page_counts_them() -> None:
    sites = [approached(stop=16), approached(ways=(replace(SITE.approaches[0].ways[0], group=4),))]
    told = [each.detail for site in sites for each in site_problems(site)]
    assert told == [{"where": "north", "detector": 17}, {"where": "north", "group": 5}]


def test_a_junction_with_parts_that_do_not_fit_is_looked_at_no_further() -> None:
    site = replace(approached(stop=99), junction=replace(SITE.junction, meetings=SITE.junction.meetings[:-1]))
    assert [each.code for each in site_problems(site)] == ["matrix_shape"]


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    made = Bench(tmp_path)
    yield made
    made.close()


def test_what_is_in_force_is_what_control_knows_after_a_restart_too(bench: Bench) -> None:
    bench.acts.make_plan(JUNCTION_PLAN, BODY, actor="u-manager", reason="", plan_id="p")
    assert sites_of(bench.engine) == {}
    bench.acts.move_plan("p", "approve", number=1, revision=1, actor="u-other", reason="")
    bench.engine.settle()
    assert sites_of(bench.engine) == {"junction-1": SITE}
    bench.restart()
    assert sites_of(bench.engine) == {"junction-1": SITE}


def named(name: str) -> Site:
    return replace(SITE, junction=replace(SITE.junction, name=name))


def found(bench: Bench, body: JunctionPlan, plan: str = "") -> list[tuple[str, bool]]:
    known = Frozen.of(bench.engine, cast(Calendar, None), Scope.everything(), NOW_US)
    return [(each.rule, each.refuses) for each in JUNCTION_PLAN.check(body, plan, known)]


def test_a_document_is_of_a_junction_that_there_is_and_the_only_one_in_force(bench: Bench) -> None:
    junction = next(id for id in bench.engine.registry.ids if id.startswith("junction"))
    body = JunctionPlan(junction, named(junction), DIJON)
    assert found(bench, body) == []
    assert found(bench, JunctionPlan("nowhere", named("nowhere"))) == [("signals.no_such_junction", True)]
    assert found(bench, replace(body, site=SITE)) == [("signals.other_name", True)]
    assert found(bench, replace(body, area="")) == [("signals.other_area", True)]
    lost = replace(body.site, exits={"to north": 16})
    assert found(bench, replace(body, site=lost)) == [("signals.unknown_detector", True)]
    bench.acts.make_plan(JUNCTION_PLAN, body, actor="u-manager", reason="", plan_id="p")
    bench.acts.move_plan("p", "approve", number=1, revision=1, actor="u-other", reason="")
    assert found(bench, body, "p") == []
    assert found(bench, body, "q") == [("signals.junction_twice", True)]


def test_sites_are_bound_to_their_junctions_and_hear_of_bound_neighbours_alone() -> None:
    lights = {
        name: crossroads(name, (Feeder("two", "east", 0.5, (2,), 12), Feeder("three", "east", 0.5, (1,), 9)))
        for name in ("one", "two", "three")
    }
    sites = bound(lights, {"one": "junction-1", "two": "junction-2"})
    assert {asset: site.junction.name for asset, site in sites.items()} == {
        "junction-1": "junction-1",
        "junction-2": "junction-2",
    }
    assert [each.neighbour for each in sites["junction-1"].feeders] == ["junction-2"]
    assert sites["junction-1"].approaches == lights["one"].approaches


def test_the_document_of_a_junction_is_what_is_in_force_and_no_draft_for_another_area(bench: Bench) -> None:
    def draft(plan: str, body: JunctionPlan) -> None:
        bench.acts.make_plan(JUNCTION_PLAN, body, actor="u-manager", reason="", plan_id=plan)

    def document() -> str | None:
        plan = documents_of(bench.engine.plans, {BODY.asset: DIJON}).get(BODY.asset)
        return plan and plan.id

    draft("elsewhere", replace(BODY, area="dijon-metropole/quetigny"))
    assert document() is None
    draft("first", BODY)
    draft("second", BODY)
    assert document() == "first"
    bench.acts.move_plan("second", "approve", number=1, revision=1, actor="u-other", reason="")
    assert document() == "second"
    draft("later", BODY)
    assert document() == "second"
