"""Cases: whatever people and the post do, what the tables say after it is what the post holds, and nothing is lost."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace
from sqlalchemy import select, update

from tests.city import CREW_DRAFT, LAMPS, NOW_US, SERVICES
from tests.orders import CREW, OPERATOR, Bench
from vigie.core.calendar import Calendar, date_of
from vigie.core.cases import Draft
from vigie.core.facts import POST, RESIDENT, Entry, PersonalErased
from vigie.core.lives import WORK_ORDER as LIFE
from vigie.core.lives import MoveRefused
from vigie.core.refusals import Refusal
from vigie.core.scope import Scope
from vigie.core.service import Clear, Raise
from vigie.core.times import DAY_US, HOUR_US, MINUTE_US, from_us
from vigie.engine.acts import case_act
from vigie.engine.cases import Case, CaseRefused, Cases, Wanted, case_kinds_of
from vigie.services.lighting.conditions import LAMP_OUT
from vigie.services.roads.orders import LASTS_US, WORK_ORDER, Check, WorkOrder
from vigie.services.roads.reports import REPORT
from vigie.services.roads.works.buried import BURIED, BURIED_OVERDUE, Buried
from vigie.services.roads.works.permits import ROADWORKS, Act, Phase, Roadworks, Stretch
from vigie.store.cases import Filter
from vigie.store.tables import CASES

PARIS = ZoneInfo("Europe/Paris")
KINDS = {kind.key: kind for kind in case_kinds_of(SERVICES)}
EVENTS = [event for event in WORK_ORDER.moves if event != "return"]


@pytest.fixture
def city(bench: Bench) -> Bench:
    bench.engine.attributes.read(bench.engine.registry.version)
    return bench


def open_one(city: Bench, title: str = "A hole", key: str = "") -> Case:
    lamp = city.engine.registry.numbers["luminaire-000003"]
    draft = Draft(WORK_ORDER, "surface", 2, title, "before number 12", assets=(lamp,), document=WorkOrder())
    case = city.acts.open_case(draft, actor=OPERATOR, key=key)
    city.engine.settle()
    return case


def held(city: Bench) -> dict[str, Case]:
    return {case.id: case for case in city.engine.cases}


def on_disk(city: Bench) -> dict[str, Case]:
    return {case.id: case for case in city.facts.cases.live(KINDS.values())}


def listed(city: Bench, **wanted: object) -> list[Case]:
    return city.facts.cases.page(Scope.everything(), Filter(**wanted), KINDS)  # type: ignore[arg-type]


def test_what_was_opened_is_what_is_kept_and_stands_where_its_asset_does(city: Bench) -> None:
    case = open_one(city)
    assert (case.no, case.state, case.area, case.street) == (1, "open", "dijon-metropole/quetigny", "Rue Verte")
    assert case.due_us == NOW_US + 9 * HOUR_US
    assert on_disk(city) == held(city) == {case.id: case}
    city.restart()
    assert held(city) == {case.id: case}
    assert open_one(city).no == 2


def test_one_key_of_one_person_opens_one_case(city: Bench) -> None:
    first, again = open_one(city, key="k"), open_one(city, key="k")
    assert first == again
    assert len(held(city)) == 1


def test_who_has_not_seen_what_became_of_a_case_changes_nothing(city: Bench) -> None:
    case = open_one(city)
    city.acts.change_case(case.id, Wanted(priority=1), revision=1, actor=OPERATOR)
    with pytest.raises(CaseRefused) as refused:
        city.acts.change_case(case.id, Wanted(priority=4), revision=1, actor=CREW)
    assert (refused.value.rule, refused.value.detail) == ("engine.case_changed", {"revision": 2})
    with pytest.raises(CaseRefused):
        city.acts.move_case(case.id, "cancel", actor=CREW, reason="done twice", revision=1)
    # Its level moved it forward: nobody had promised another day.
    assert held(city)[case.id].due_us == NOW_US + 4 * HOUR_US


def test_a_day_that_was_promised_stands_whatever_the_priority(city: Bench) -> None:
    case = open_one(city)
    city.acts.change_case(case.id, Wanted(due_us=NOW_US + 30 * DAY_US), revision=1, actor=OPERATOR)
    city.acts.change_case(case.id, Wanted(priority=1), revision=2, actor=OPERATOR)
    assert held(city)[case.id].due_us == NOW_US + 30 * DAY_US


@pytest.mark.parametrize(
    ("event", "said", "rule"),
    [
        ("assign", {}, "engine.case_crew"),
        ("cancel", {}, "engine.case_reason"),
        ("lapse", {}, "engine.case_by_post"),
    ],
)
def test_a_move_asks_for_what_its_kind_says(city: Bench, event: str, said: dict[str, str], rule: str) -> None:
    case = open_one(city)
    with pytest.raises(CaseRefused) as refused:
        city.acts.move_case(case.id, event, actor=OPERATOR, **said)
    assert refused.value.rule == rule
    with pytest.raises(MoveRefused):
        city.acts.move_case(case.id, "pause", actor=OPERATOR)
    assert held(city) == on_disk(city)


def test_a_document_that_would_not_be_read_again_is_refused(city: Bench) -> None:
    case = open_one(city)
    with pytest.raises(CaseRefused) as refused:
        city.acts.change_case(case.id, Wanted(document=WorkOrder(takes_min=-1)), revision=1, actor=OPERATOR)
    assert refused.value.rule == "engine.case_form"
    assert held(city) == on_disk(city)


def test_the_timeline_says_what_happened_and_what_was_written(city: Bench) -> None:
    case = open_one(city)
    city.acts.note_case(case.id, "Two metres deep.", actor=CREW, key="n")
    city.acts.note_case(case.id, "Two metres deep.", actor=CREW, key="n")
    city.acts.move_case(case.id, "block", actor=CREW, reason="water in it")
    city.engine.settle()
    moved, noted, opened = city.facts.cases.timeline(case.id)
    assert [type(each.fact).__name__ for each in (opened, noted, moved)] == ["CaseOpened", "CaseNoted", "CaseMoved"]
    assert [[field.value for field in each.personal] for each in (noted, moved)] == [
        ["Two metres deep."], ["water in it"]
    ]  # fmt: skip
    assert {field.field: field.value for field in opened.personal} == {"title": "A hole", "words": "before number 12"}


def test_what_a_person_wrote_is_erased_from_everywhere_on_its_day(city: Bench) -> None:
    case = open_one(city)
    late_us = NOW_US + WORK_ORDER.words_days * DAY_US
    assert city.facts.due_for_erasure(late_us - 1) == []
    due = city.facts.due_for_erasure(late_us)
    assert sorted(due) == [f"{case.title_leaf}/title", f"{case.words_leaf}/words"]
    fact = PersonalErased(id="erased", at=late_us, actor="post", rule="end of its purpose", fields=due)
    city.facts.commit([Entry(fact)])
    city.engine.cases.erased(due)
    assert (held(city)[case.id].title, held(city)[case.id].words) == ("", "")
    assert on_disk(city) == held(city)


def test_a_move_on_its_way_while_words_are_erased_does_not_bring_them_back(city: Bench) -> None:
    case = open_one(city)
    late_us = NOW_US + WORK_ORDER.words_days * DAY_US
    due = city.facts.due_for_erasure(late_us)
    city.acts.move_case(case.id, "start", actor=CREW)
    city.facts.commit([Entry(PersonalErased(id="erased", at=late_us, actor="post", rule="its end", fields=due))])
    city.engine.settle()
    (kept,) = on_disk(city).values()
    assert (kept.state, kept.title, kept.words) == ("started", "", "")


def test_a_title_that_is_written_anew_keeps_nobodys_words_longer(city: Bench) -> None:
    case = open_one(city)
    city.clock.at_us += 900 * DAY_US
    city.acts.change_case(case.id, Wanted(title="Another"), revision=1, actor=OPERATOR)
    city.engine.settle()
    first_us = NOW_US + WORK_ORDER.words_days * DAY_US
    assert sorted(city.facts.due_for_erasure(first_us)) == [f"{case.id}/title", f"{case.id}/words"]
    city.facts.commit(
        [Entry(PersonalErased(id="e", at=first_us, actor="post", rule="its end", fields=[f"{case.id}/words"]))]
    )
    (kept,) = on_disk(city).values()
    assert (kept.title, kept.words) == ("Another", "")


def test_a_document_of_another_version_stays_as_it_is_whatever_moves_the_case(city: Bench) -> None:
    case = open_one(city)
    said = b'{"spent_min": 45, "colour": "red"}'
    with city.facts._engine.begin() as write:
        write.execute(update(CASES).values(document=said))
    city.restart()
    city.acts.move_case(case.id, "start", actor=CREW)
    city.engine.settle()
    with city.facts._engine.connect() as read:
        assert read.execute(select(CASES.c.document)).scalar_one() == said


def test_one_key_is_one_act_of_each_sort_in_each_case(city: Bench) -> None:
    one, other = open_one(city, key="k"), open_one(city)
    city.acts.note_case(one.id, "seen", actor=OPERATOR, key="k")
    city.acts.move_case(one.id, "start", actor=OPERATOR, key="k")
    city.acts.move_case(other.id, "start", actor=OPERATOR, key="k")
    city.engine.settle()
    assert [held(city)[each.id].state for each in (one, other)] == ["started", "started"]
    assert [type(each.fact).__name__ for each in city.facts.cases.timeline(one.id)] == [
        "CaseMoved", "CaseNoted", "CaseOpened",
    ]  # fmt: skip
    assert on_disk(city) == held(city)


def test_what_nobody_has_is_not_paused_and_who_begins_it_has_it(city: Bench) -> None:
    case, crew = open_one(city), city.acts.make_asset(CREW_DRAFT, 0, actor=OPERATOR, reason="it goes out")
    other = open_one(city)
    city.acts.move_case(case.id, "start", actor=CREW, crew=crew)
    city.acts.move_case(other.id, "start", actor=CREW)
    assert [held(city)[each.id].crew for each in (case, other)] == [crew, 0]
    city.acts.move_case(case.id, "pause", actor=CREW)
    with pytest.raises(CaseRefused) as refused:
        city.acts.move_case(other.id, "pause", actor=CREW)
    assert refused.value.rule == "engine.case_nobody"


def test_what_is_told_later_was_so_when_it_was_done(city: Bench) -> None:
    case = open_one(city)
    city.clock.at_us += 8 * HOUR_US
    city.acts.move_case(case.id, "finish", actor=CREW, done_us=NOW_US + HOUR_US)
    assert held(city)[case.id].moved_us == NOW_US + HOUR_US


def test_what_a_crew_has_that_is_no_more_nobody_has(city: Bench) -> None:
    crew = city.acts.make_asset(CREW_DRAFT, 0, actor=OPERATOR, reason="it goes out")
    given, begun, blocked, done = (open_one(city).id for _ in range(4))
    for case_id in (given, begun, blocked, done):
        city.acts.move_case(case_id, "assign", actor=OPERATOR, crew=crew, planned_us=NOW_US + HOUR_US)
    city.acts.move_case(begun, "start", actor=CREW)
    city.acts.move_case(blocked, "block", actor=CREW, reason="a car stands there")
    city.acts.move_case(done, "finish", actor=CREW)
    city.acts.retire_asset(crew, actor=OPERATOR, reason="the contract has ended")
    for _ in range(2):
        sweep(city, MINUTE_US)
    told = [(held(city)[each].state, held(city)[each].crew) for each in (given, begun, blocked, done)]
    assert told == [("open", 0), ("open", 0), ("blocked", 0), ("done", crew)]
    assert held(city) == on_disk(city)
    said = city.facts.cases.timeline(given)[0].fact
    assert (said.actor, said.event, said.crew) == ("post", "disband", "crew-e1")  # type: ignore[union-attr]


def test_what_is_so_already_is_wanted_once_though_others_change_it(city: Bench) -> None:
    case = open_one(city)
    city.acts.change_case(case.id, Wanted(priority=2), revision=1, actor=CREW, key="t")
    city.acts.change_case(case.id, Wanted(priority=4), revision=1, actor=OPERATOR)
    city.engine.settle()
    assert city.facts.cases.is_done(case_act(CREW, "change", case.id, "t"))
    city.acts.change_case(case.id, Wanted(priority=2), revision=2, actor=CREW, key="t")
    city.engine.settle()
    assert (held(city)[case.id].priority, held(city)) == (4, on_disk(city))


def lamps_out(city: Bench, *lamps: int) -> None:
    numbers = [city.engine.registry.numbers[f"luminaire-{n:06d}"] for n in lamps]
    now_us = city.clock.now_us()
    city.engine.apply([Raise(LAMP_OUT, no, now_us, {}) for no in numbers], 1, f"test.{now_us}", now_us)


def sweep(city: Bench, later_us: int) -> None:
    city.clock.at_us += later_us
    city.engine._look_after_cases(city.clock.at_us)
    city.engine.settle()


def test_dead_lamps_of_a_cabinet_become_one_order_which_lapses_when_they_are_well(city: Bench) -> None:
    lamps_out(city, *range(LAMPS))
    sweep(city, LASTS_US - 1)
    assert held(city) == {}
    sweep(city, 1)
    (case,) = held(city).values()
    assert (len(case.assets), case.source, case.title) == (LAMPS + 1, "condition:lamp_out", "")
    assert city.engine.registry.ids[case.assets[0]] == "cabinet-cabinet"
    city.restart()
    sweep(city, MINUTE_US)
    assert list(held(city)) == [case.id]
    numbers = case.assets[1:]
    city.engine.apply([Clear(LAMP_OUT, no, city.clock.at_us) for no in numbers], 2, "test.clear", city.clock.at_us)
    sweep(city, MINUTE_US)
    assert held(city)[case.id].state == "cancelled"
    assert [case.id for case in listed(city, states=["open"])] == []


def test_a_request_past_its_legal_day_is_one_alarm_until_it_is_answered(city: Bench) -> None:
    cabinet = city.engine.registry.numbers["cabinet-cabinet"]
    received = date_of(NOW_US // DAY_US).isoformat()
    asked = Draft(BURIED, "lighting", 3, assets=(cabinet,), document=Buried(kind="dict", received=received))
    first, second = (city.acts.open_case(asked, actor=OPERATOR) for _ in range(2))
    assert first.due_us == (NOW_US // DAY_US + 8) * DAY_US

    def alarms() -> list[tuple[int, float | str]]:
        return [(each.asset, each.evidence["number"]) for each in city.engine.conditions if each.kind is BURIED_OVERDUE]

    sweep(city, first.due_us - NOW_US - 1)
    assert alarms() == []
    sweep(city, 1)
    city.restart()
    sweep(city, MINUTE_US)
    assert alarms() == [(cabinet, first.no)]
    with pytest.raises(CaseRefused, match="buried_unsaid"):
        city.acts.move_case(first.id, "answer", actor=OPERATOR)
    city.acts.change_case(
        first.id, Wanted(document=replace(first.document, answer="concerned")), revision=1, actor=OPERATOR
    )
    city.acts.move_case(first.id, "answer", actor=OPERATOR)
    # The alarm names the one that is late still, from the next look on.
    sweep(city, MINUTE_US)
    sweep(city, MINUTE_US)
    present = city.engine.present(BURIED_OVERDUE)
    assert [(each.asset, each.evidence["number"]) for each in present] == [(cabinet, second.no)]
    city.acts.move_case(second.id, "withdraw", actor=OPERATOR, reason="asked twice")
    sweep(city, MINUTE_US)
    assert [each for each in city.engine.conditions if each.state == "unacknowledged"] == []


def test_a_request_from_before_its_day_was_derived_is_alarmed_on_its_day_at_what_is_nearest(city: Bench) -> None:
    cabinet = city.engine.registry.numbers["cabinet-cabinet"]
    received = date_of(NOW_US // DAY_US).isoformat()
    draft = Draft(BURIED, "lighting", 3, lon=5.0, lat=47.3, document=Buried(kind="dict", received=received))
    case = city.acts.open_case(draft, actor=OPERATOR)
    city.engine.settle()
    with city.facts._engine.begin() as write:
        # As a version wrote it that let people promise another day.
        write.execute(update(CASES).values(due_us=case.due_us + 300 * DAY_US))
    city.restart()
    kept = held(city)[case.id]
    assert (kept.due_us, city.engine.cases.due_us(kept)) == (case.due_us + 300 * DAY_US, case.due_us)

    sweep(city, case.due_us - NOW_US - 1)
    assert city.engine.present(BURIED_OVERDUE) == []
    sweep(city, 1)
    (alarm,) = city.engine.present(BURIED_OVERDUE)
    assert (alarm.asset, alarm.evidence["number"]) == (cabinet, case.no)
    city.acts.move_case(case.id, "withdraw", actor=OPERATOR, reason="asked twice")
    sweep(city, MINUTE_US)
    assert city.engine.present(BURIED_OVERDUE) == []


def test_nobody_moves_the_day_that_is_the_laws(city: Bench) -> None:
    cabinet = city.engine.registry.numbers["cabinet-cabinet"]
    asked = Draft(BURIED, "lighting", 3, assets=(cabinet,), document=Buried(kind="dict", received="2026-11-27"))
    with pytest.raises(CaseRefused, match="case_by_law"):
        city.acts.open_case(dataclasses.replace(asked, due_us=NOW_US + 300 * DAY_US), actor=OPERATOR)
    case = city.acts.open_case(asked, actor=OPERATOR)
    with pytest.raises(CaseRefused, match="case_by_law"):
        city.acts.change_case(case.id, Wanted(due_us=NOW_US + 300 * DAY_US), revision=1, actor=OPERATOR)
    # What a form sends back as it was is neither refused nor a promise.
    later = Wanted(document=replace(case.document, received="2026-11-28"), due_us=case.due_us)
    city.acts.change_case(case.id, later, revision=1, actor=OPERATOR)
    city.engine.settle()
    assert held(city)[case.id].due_us == case.due_us + DAY_US
    assert on_disk(city) == held(city)


def test_a_case_is_about_what_its_document_says_and_no_more(city: Bench) -> None:
    first, second = (city.engine.registry.numbers[f"luminaire-00000{n}"] for n in (3, 4))
    case = city.acts.open_case(Draft(WORK_ORDER, "surface", 2, assets=(first, second)), actor=OPERATOR)
    city.acts.change_case(case.id, Wanted(assets=(second,)), revision=1, actor=OPERATOR)
    city.engine.settle()
    changed = held(city)[case.id]
    assert (changed.assets, changed.lon) == ((second,), float(city.engine.registry.lon[second]))
    assert on_disk(city) == held(city)


def test_a_permit_waits_for_its_acts_and_for_what_guards_it(city: Bench) -> None:
    lamp = city.engine.registry.numbers["luminaire-000003"]
    bare = Roadworks(phases=(Phase("2026-12-07T08:00", "2026-12-11T17:00", (Stretch("s"),), "pavement"),))
    case = city.acts.open_case(Draft(ROADWORKS, "roadworks", 3, assets=(lamp,), document=bare), actor=OPERATOR)
    with pytest.raises(CaseRefused, match="works_acts"):
        city.acts.move_case(case.id, "grant", actor=OPERATOR)
    whole = Wanted(document=replace(bare, acts=(Act("permis_de_stationnement", "granted"),)))
    city.acts.change_case(case.id, whole, revision=1, actor=OPERATOR)
    city.engine.cases.guards[ROADWORKS.key] = lambda case, event: Refusal("roads.works_clashes", {"count": 1})
    with pytest.raises(CaseRefused, match="works_clashes"):
        city.acts.move_case(case.id, "grant", actor=OPERATOR)
    city.engine.cases.guards.clear()
    city.acts.move_case(case.id, "grant", actor=OPERATOR)
    city.engine.settle()
    assert from_us(held(city)[case.id].due_us).isoformat() == "2026-12-11T17:00:00+00:00"
    assert on_disk(city) == held(city)
    with pytest.raises(CaseRefused, match="works_acts"):
        city.acts.change_case(case.id, Wanted(document=bare), revision=3, actor=OPERATOR)


def test_a_sweep_that_a_crash_cut_short_finds_again_what_was_not_kept(city: Bench) -> None:
    lamps_out(city, 1)
    city.engine.settle()
    city.clock.at_us += LASTS_US
    city.engine._look_after_cases(city.clock.at_us)
    city.restart()
    assert held(city) == {}
    sweep(city, 0)
    assert len(held(city)) == 1


def test_what_is_over_is_archived_after_its_days_and_stays_readable(city: Bench) -> None:
    case = open_one(city)
    city.acts.move_case(case.id, "finish", actor=CREW)
    sweep(city, WORK_ORDER.settles_days * DAY_US - 1)
    assert held(city)[case.id].state == "done"
    sweep(city, 1)
    assert held(city) == {}
    kept = city.facts.cases.find(case.id, KINDS)
    assert kept is not None
    assert kept.state == "archived"
    with pytest.raises(KeyError):
        city.acts.move_case(case.id, "reopen", actor=CREW, reason="it is not")


acts = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.one_of(
            st.sampled_from(EVENTS),
            st.builds(Wanted, priority=st.integers(1, 4), title=st.none() | st.just("Another")),
            st.builds(lambda done: Wanted(document=WorkOrder(checklist=(Check("look", done),))), st.booleans()),
        ),
    ),
    max_size=12,
)


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Bench]:
    made = Bench(tmp_path_factory.mktemp("cases"))
    yield made
    made.close()


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(acts)
def test_memory_and_disk_are_one(shared: Bench, asked: list[tuple[int, str | Wanted]]) -> None:
    mine = [open_one(shared, f"case {n}").id for n in range(4)]
    crew = shared.engine.registry.numbers.get("crew-e1") or shared.acts.make_asset(
        CREW_DRAFT, 0, actor=OPERATOR, reason="it goes out"
    )
    for place, act in asked:
        case = shared.engine.cases.find(mine[place])
        if case is None:
            continue
        shared.clock.at_us += 1
        if isinstance(act, Wanted):
            shared.acts.change_case(case.id, act, revision=case.revision, actor=OPERATOR)
        else:
            actor = "post" if WORK_ORDER.moves[act].by_post else OPERATOR
            try:
                shared.acts.move_case(case.id, act, actor=actor, reason="so", crew=crew, revision=case.revision)
            except MoveRefused:
                assert not LIFE.allows(case.state, act)
            except CaseRefused:
                assert (act, case.crew) == ("pause", 0)
    shared.engine.settle()
    assert on_disk(shared) == held(shared)
    assert len({case.no for case in held(shared).values()}) == len(held(shared))


def test_what_a_person_has_parted_is_parted_on_disk_too(city: Bench) -> None:
    for _ in range(2):
        city.acts.open_case(Draft(REPORT, "pothole", 3, words="Trou", lon=5.0, lat=47.3), actor=RESIDENT)
    assert city.engine.sweep(city.clock.now_us())
    first, again = sorted(held(city).values(), key=lambda case: case.no)
    assert again.links == {first.id: "merge"}
    city.acts.move_case(again.id, "split", actor=OPERATOR, reason="two holes")
    city.engine.settle()
    assert on_disk(city) == held(city)
    assert held(city)[again.id].links == {first.id: "parted"}


def test_what_is_taken_up_again_says_since_when(city: Bench) -> None:
    case = open_one(city)
    for event, reason in (("finish", ""), ("reopen", "It is open again.")):
        city.clock.at_us += HOUR_US
        city.acts.move_case(case.id, event, actor=OPERATOR, reason=reason)
    assert held(city)[case.id].reopened_us == NOW_US + 2 * HOUR_US
    city.engine.settle()
    assert on_disk(city) == held(city)


def test_a_danger_that_joins_a_case_makes_it_urgent_from_now_on(city: Bench) -> None:
    lamp = city.engine.registry.numbers["luminaire-000003"]
    for danger in (False, True):
        draft = Draft(REPORT, "light", 2 if danger else 3, lon=5.0, lat=47.3, assets=(lamp,))
        city.acts.open_case(draft, actor=RESIDENT)
        city.clock.at_us += HOUR_US
        assert city.engine.sweep(city.clock.now_us())
    city.engine.settle()
    (order,) = (case for case in held(city).values() if case.kind is WORK_ORDER)
    assert (order.priority, order.due_us) == (2, NOW_US + 11 * HOUR_US)
    assert on_disk(city) == held(city)
    assert [each.fact.actor for each in city.facts.cases.timeline(order.id)] == [POST, POST]


def test_the_due_day_goes_by_the_towns_week(city: Bench) -> None:
    registry = city.engine.registry
    cases = Cases(registry, KINDS.values(), week="mon-fri 08:00-17:00", calendar=lambda: Calendar(PARIS))
    # A Tuesday at three in the morning: nine hours of work end at 17:00, four of the clock at seven.
    assert from_us(cases.due(WORK_ORDER, 2, NOW_US)).isoformat() == "2026-11-24T16:00:00+00:00"
    assert cases.due(WORK_ORDER, 1, NOW_US) - NOW_US == 4 * HOUR_US


def report_one(city: Bench, category: str, *assets: str) -> Case:
    numbers = tuple(city.engine.registry.numbers[each] for each in assets)
    draft = Draft(
        REPORT, category, 3, words="It blinks all night.", lon=5.1, lat=47.31, area="dijon-metropole", assets=numbers,
        contact={"name": "Anne Durand", "mail": "anne@example.org", "phone": ""},
    )  # fmt: skip
    case = city.acts.open_case(draft, actor=RESIDENT)
    city.engine.settle()
    return case


def test_a_report_lies_where_it_was_made_and_its_order_where_its_asset_is(city: Bench) -> None:
    report = report_one(city, "light", "luminaire-000003")
    assert (report.lon, report.lat, report.area, report.service) == (5.1, 47.31, "dijon-metropole/quetigny", "lighting")
    sweep(city, MINUTE_US)
    (order,) = [case for case in on_disk(city).values() if case.kind is WORK_ORDER]
    assert (order.lon, order.category, order.priority) == (pytest.approx(5.00003), "lighting", 3)
    moved = on_disk(city)[report.id]
    assert (moved.state, moved.links) == ("accepted", {order.id: "order"})
    assert held(city) == on_disk(city)


def test_the_order_of_a_report_without_an_asset_lies_where_the_report_does(city: Bench) -> None:
    report = report_one(city, "pothole")
    city.acts.move_case(report.id, "accept", actor=OPERATOR)
    sweep(city, MINUTE_US)
    (order,) = [case for case in held(city).values() if case.kind is WORK_ORDER]
    assert (order.lon, order.lat, order.area) == (5.1, 47.31, "dijon-metropole")


def test_how_to_reach_who_reported_it_is_beside_the_fact_for_a_year_and_in_no_list(city: Bench) -> None:
    report = report_one(city, "pothole")
    assert city.facts.cases.contact(report.id) == {"name": "Anne Durand", "mail": "anne@example.org"}
    assert "Durand" not in repr(listed(city))
    due = city.facts.due_for_erasure(NOW_US + 365 * DAY_US)
    assert sorted(due) == [f"{report.id}/{field}" for field in ("contact_mail", "contact_name", "words")]
    assert city.facts.due_for_erasure(NOW_US + 365 * DAY_US - 1) == []
    city.facts.commit([Entry(PersonalErased(id="e", at=NOW_US, actor="post", rule="end of its purpose", fields=due))])
    assert city.facts.cases.contact(report.id) == {}


def test_a_reason_that_is_erased_takes_no_title_that_came_with_it(city: Bench) -> None:
    case = open_one(city)
    city.acts.change_case(case.id, Wanted(title="Another"), revision=1, actor=OPERATOR, reason="Mistyped.")
    city.engine.settle()
    due = city.facts.due_for_erasure(NOW_US + 366 * DAY_US)
    assert [each.rpartition("/")[2] for each in due] == ["reason"]
    city.facts.commit([Entry(PersonalErased(id="gone", at=NOW_US, actor="post", rule="its end", fields=due))])
    city.engine.cases.erased(due)
    assert held(city)[case.id].title == "Another"
    assert on_disk(city) == held(city)
