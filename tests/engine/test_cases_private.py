"""What documents of cases say of persons: where it lies, until when, and that nothing of it is left after that."""

from __future__ import annotations

from typing import Any

from msgspec.structs import replace
from sqlalchemy import select

from tests.city import NOW_US
from tests.engine.test_cases import KINDS, held, on_disk, sweep
from tests.orders import OPERATOR, Bench
from vigie.core.cases import Draft
from vigie.core.facts import Entry, PersonalErased
from vigie.core.times import DAY_US
from vigie.engine.cases import Wanted
from vigie.services.roads.works.permits import ROADWORKS, Act, Answered, Phase, Roadworks, Stretch
from vigie.store.tables import CASES, LEAF

OWNER = "Mme Vasseur"
WINDOW = Phase("2026-12-07T08:00", "2026-12-11T17:00", (Stretch("s"),), "pavement")
PERMIT = (Act("permis_de_stationnement", "granted"),)


def asked_for(bench: Bench, **said: Any) -> str:
    """Works of a private person, and what was agreed about a clash."""
    lamp = bench.engine.registry.numbers["luminaire-000003"]
    works = Roadworks(owner_name=OWNER, answers=(Answered("fair", f"Vu avec {OWNER}."),), phases=(WINDOW,), acts=PERMIT)
    draft = Draft(ROADWORKS, "roadworks", 3, assets=(lamp,), document=replace(works, **said))
    return bench.acts.open_case(draft, actor=OPERATOR).id


def finished(bench: Bench, case: str) -> int:
    """Works come to their end; when that was."""
    for event in ("grant", "begin", "finish"):
        bench.clock.at_us += DAY_US
        bench.acts.move_case(case, event, actor=OPERATOR)
    bench.engine.settle()
    return bench.clock.at_us


def erased(bench: Bench, at_us: int) -> list[str]:
    due = bench.facts.due_for_erasure(at_us)
    bench.facts.commit([Entry(PersonalErased(id="gone", at=at_us, actor="post", rule="its end", fields=due))])
    bench.engine.cases.erased(due)
    return due


def stored_anywhere(bench: Bench) -> bool:
    """Whether the name is in a leaf of the journal or in the table of cases."""
    with bench.facts._engine.connect() as read:
        bodies = [*read.execute(select(LEAF.c.body)).scalars(), *read.execute(select(CASES.c.document)).scalars()]
    return any(OWNER.encode() in each for each in bodies)


def test_a_private_persons_name_lies_where_it_can_be_erased_until_a_year_after_the_works(bench: Bench) -> None:
    case = asked_for(bench)
    wanted = Wanted(document=replace(held_document(bench, case), nature="crane"))
    bench.acts.change_case(case, wanted, revision=1, actor=OPERATOR)
    bench.engine.settle()
    assert not stored_anywhere(bench)
    assert on_disk(bench) == held(bench)
    assert bench.facts.journal.unsealed() == 0
    # As long as works are not over, no end is known.
    assert bench.facts.due_for_erasure(NOW_US + 3_650 * DAY_US) == []
    ended_us = finished(bench, case)
    bench.restart()
    assert held_document(bench, case).owner_name == OWNER
    assert bench.facts.due_for_erasure(ended_us + 365 * DAY_US - 1) == []
    # Every revision that named her is erased on one day.
    assert len(erased(bench, ended_us + 365 * DAY_US)) == 4
    now = held_document(bench, case)
    assert (now.owner_name, now.answers, now.nature) == ("", (), "crane")
    assert on_disk(bench) == held(bench)
    told = [each for happened in bench.facts.cases.timeline(case) for each in happened.personal]
    assert {(each.value, each.rule) for each in told} == {(None, "its end")}


def held_document(bench: Bench, case: str) -> Any:
    return held(bench)[case].document


def test_works_that_are_asked_for_again_are_not_over_and_archiving_them_lengthens_nothing(bench: Bench) -> None:
    again, case = asked_for(bench), asked_for(bench)
    finished(bench, again)
    bench.acts.move_case(again, "reopen", actor=OPERATOR, reason="It goes on.")
    ended_us = finished(bench, case)
    sweep(bench, ROADWORKS.settles_days * DAY_US)
    assert {*held(bench)} == {again}
    due = bench.facts.due_for_erasure(ended_us + 365 * DAY_US)
    assert {each.partition("/")[0] for each in due if "/document." in each} == {case}
    kept = bench.facts.cases.find(case, KINDS)
    assert kept is not None
    assert kept.document.owner_name == OWNER


def test_an_organisation_is_named_in_the_document_itself(bench: Bench) -> None:
    case = asked_for(bench, organisation=True, answers=())
    bench.engine.settle()
    assert stored_anywhere(bench)
    assert (held(bench)[case].document_leaf, bench.facts.cases.timeline(case)[0].personal) == ("", ())
    # That it was a person after all takes the name out of what stays.
    wanted = Wanted(document=replace(held_document(bench, case), organisation=False))
    bench.acts.change_case(case, wanted, revision=1, actor=OPERATOR)
    bench.engine.settle()
    assert not stored_anywhere(bench)
    assert on_disk(bench) == held(bench)
