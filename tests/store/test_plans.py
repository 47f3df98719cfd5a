"""Plans: whatever people do, what the tables say after it is what the post holds, and no save is lost."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from tests.city import NOW_US, SERVICES, open_facts
from vigie.core.lives import PLAN, MoveRefused
from vigie.engine.plans import BODY_BYTES_MAX, By, Plan, PlanRefused, Plans, kinds_of
from vigie.services.lighting.plans import PROGRAMME
from vigie.services.lighting.programmes.model import Programme, Rank, Target
from vigie.store.facts import SqlFacts

KINDS = kinds_of(SERVICES)
PEOPLE = ("u-anne", "u-ben")


@contextmanager
def store(backend: str) -> Iterator[SqlFacts]:
    """A store of a backend."""
    assert backend == "sqlite"
    with tempfile.TemporaryDirectory() as folder:
        facts = open_facts(Path(folder))
        try:
            yield facts
        finally:
            facts.close()


def body(name: str, area: str = "") -> Programme:
    return Programme(name, Rank.AREA, area)


class Office:
    """People at plans, and the store that keeps what they do."""

    def __init__(self, facts: SqlFacts) -> None:
        self.facts, self.plans = facts, Plans()
        self.ids: list[str] = []
        self.saves = 0
        self._clock = 0

    def by(self, actor: str) -> By:
        self._clock += 1
        return By(actor, NOW_US + self._clock, f"fact-{self._clock:05d}", "a test")

    def make(self, actor: str, name: str) -> str:
        plan_id = f"plan-{len(self.ids):03d}"
        self.facts.commit([self.plans.make(plan_id, PROGRAMME, body(name), by=self.by(actor))])
        self.ids.append(plan_id)
        self.saves += 1
        return plan_id

    def save(self, plan_id: str, actor: str, name: str, *, number: int, revision: int) -> None:
        by = self.by(actor)
        self.facts.commit([self.plans.save(plan_id, body(name), number=number, revision=revision, by=by)])
        self.saves += 1

    def move(self, plan_id: str, event: str, actor: str, *, number: int, revision: int) -> None:
        by = self.by(actor)
        self.facts.commit([self.plans.move(plan_id, event, number=number, revision=revision, by=by)])


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["make", "save", "approve", "discard", "withdraw"]),
        st.integers(0, 2),
        st.sampled_from(PEOPLE),
        st.integers(0, 3),
        st.integers(0, 3),
        st.booleans(),
    ),
    max_size=25,
)


@pytest.mark.parametrize("backend", ["sqlite"])
@settings(max_examples=60, deadline=None)
@given(ACTS)
def test_the_tables_say_what_the_post_holds(backend: str, acts: list[tuple[str, int, str, int, int, bool]]) -> None:
    with store(backend) as facts:
        office = Office(facts)
        for act, which, actor, number, revision, as_seen in acts:
            plan = office.plans.find(office.ids[which]) if which < len(office.ids) else None
            if act == "make" or plan is None:
                office.make(actor, f"made by {actor}")
                continue
            seen = plan.in_force if act == "withdraw" else plan.draft
            if as_seen:  # Most people say what they saw.
                number, revision = (seen.number, seen.revision) if seen else (plan.last, 0)
            before = plan
            try:
                if act == "save":
                    office.save(plan.id, actor, f"{actor} {number} {revision}", number=number, revision=revision)
                else:
                    office.move(plan.id, act, actor, number=number, revision=revision)
            except (PlanRefused, MoveRefused):
                assert office.plans.find(plan.id) == before, "what is refused changes nothing"
            after = office.plans.find(plan.id)
            if after is not None and after.in_force is not None:
                assert after.in_force.approver != after.in_force.editor
        assert kept(facts) == {plan.id: plan for plan in office.plans}
        revisions = [each for plan_id in office.ids for each in facts.plans.revisions(plan_id)]
        assert len(revisions) == office.saves, "no save is lost"
        assert {each.state for each in revisions} <= set(PLAN.states)
        for plan_id in office.ids:
            states = [each.state for each in facts.plans.revisions(plan_id)]
            assert states.count("in_force") <= 1
            assert states.count("draft") <= 1


def kept(facts: SqlFacts) -> dict[str, Plan]:
    return {plan.id: plan for plan in facts.plans.kept(KINDS)}


def test_a_document_that_is_no_longer_understood_does_nothing_and_is_kept() -> None:
    with store("sqlite") as facts:
        office = Office(facts)
        plan = office.make("u-anne", "old")
        with facts._engine.begin() as write:
            write.execute(text("UPDATE plan SET body = :body"), {"body": b'{"name": "of another time"}'})
        assert kept(facts) == {}
        assert facts.plans.body(plan, 1, 1) == b'{"name": "of another time"}'
        assert facts.plans.placed(plan) == ("lighting.programme", "lighting", "")


def test_a_document_has_a_limit() -> None:
    many = tuple(f"luminaire-{n:0150d}" for n in range(5_000))
    long = Programme("long", Rank.STREET, target=Target(assets=many))
    assert len(str(many)) > BODY_BYTES_MAX
    with pytest.raises(PlanRefused, match=r"engine\.plan_too_long"):
        Plans().make("plan", PROGRAMME, long, by=By("u-anne", NOW_US, "fact"))


def test_a_document_that_would_not_be_read_again_is_not_kept() -> None:
    plans = Plans()
    with pytest.raises(PlanRefused, match=r"engine\.plan_form"):
        plans.make("plan", PROGRAMME, body("n" * 1_000), by=By("u-anne", NOW_US, "fact"))
    assert not list(plans)
