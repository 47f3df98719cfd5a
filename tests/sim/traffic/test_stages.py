"""Stages beyond a programme's own."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vigie.services.signals.junction import Meeting
from vigie.sim.traffic.stages import STAGES_MAX, largest_sets, stages_of


@st.composite
def tables(draw: st.DrawFn) -> list[list[Meeting]]:
    """Who meets whom, the same both ways."""
    count = draw(st.integers(1, 7))
    table = [[Meeting.APART] * count for _ in range(count)]
    for a in range(count):
        for b in range(a):
            table[a][b] = table[b][a] = draw(st.sampled_from(Meeting))
    return table


@given(tables())
def test_the_largest_sets_are_all_there_and_nothing_can_be_added(table: list[list[Meeting]]) -> None:
    count = len(table)

    def fits(greens: frozenset[int]) -> bool:
        return not any(table[a][b] is not Meeting.APART for a in greens for b in greens if a != b)

    all_sets = [frozenset(at for at in range(count) if bits >> at & 1) for bits in range(1, 1 << count)]
    fitting = [greens for greens in all_sets if fits(greens)]
    largest = {greens for greens in fitting if not any(greens < other for other in fitting)}
    found = largest_sets(table, frozenset({Meeting.APART}))
    assert set(found) == largest
    assert len(found) == len(largest)


@given(tables())
def test_every_group_is_in_a_stage_and_no_stage_has_a_conflict(table: list[list[Meeting]]) -> None:
    stages = stages_of([frozenset({0})], table, [frozenset({at}) for at in range(len(table))])
    assert stages[0].greens == frozenset({0})
    assert len(stages) <= STAGES_MAX + len(table)
    assert frozenset().union(*(each.greens for each in stages)) == frozenset(range(len(table)))
    assert not any(table[a][b] is Meeting.CONFLICTS for each in stages for a in each.greens for b in each.greens)


@given(tables(), st.data())
def test_each_set_of_those_who_drive_comes_with_all_who_may_walk_and_with_nobody(
    table: list[list[Meeting]], data: st.DataObject
) -> None:
    groups = frozenset(range(len(table)))
    walkers = frozenset(data.draw(st.sets(st.sampled_from(sorted(groups)), max_size=3)))
    lanes = [frozenset({at}) for at in groups - walkers]
    found = [each.greens for each in stages_of([], table, lanes, walkers)]
    assert found == list(dict.fromkeys(found))
    if not walkers:
        assert found == [each.greens for each in stages_of([], table, lanes)]
    for greens in found if walkers else []:
        assert greens - walkers in {*found, frozenset()}
        with_all = [other for other in found if other - walkers == greens - walkers and other >= greens]
        for walker in walkers - greens:
            # Whoever may walk meanwhile does in one of them, unless another who walks meets him.
            may = all(table[walker][at] is not Meeting.CONFLICTS for at in greens)
            assert not may or any(other & walkers for other in with_all)
