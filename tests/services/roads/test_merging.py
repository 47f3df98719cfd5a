"""Which two reports are held to be of one thing."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from vigie.core.times import DAY_US
from vigie.services.roads.merging import CELL_MAX, Known, Seen

OUT = "Lampadaire éteint"


def seen(name: str, words: str = OUT, east_m: float = 0.0, asset: int = 0, *, named: bool = False) -> Seen:
    return Seen(name, "light", 5.04 + east_m / 75_466, 47.32, DAY_US, asset, words, named)


def are_same(one: Seen, other: Seen) -> bool:
    known = Known()
    known.add(one)
    return known.same(other) == one.id


def test_two_that_were_named_are_two_and_what_lies_nearest_is_a_guess() -> None:
    first = seen("a", asset=11, named=True)
    assert not are_same(first, seen("b", east_m=28, asset=12, named=True))
    assert are_same(first, seen("b", east_m=8, asset=12))
    assert are_same(first, seen("b", east_m=28, asset=11, named=True))


def test_what_is_written_on_a_lamp_tells_it_from_another_and_on_a_house_does_not() -> None:
    assert not are_same(seen("a", f"{OUT} n° 11"), seen("b", f"{OUT} n°12"))
    assert not are_same(seen("a", "lamp post no. 0411 is dead"), seen("b", "Lampadaire numéro 412"))
    assert are_same(seen("a", f"{OUT} n° 0411"), seen("b", "lampadaire n°411 éteint"))
    assert are_same(seen("a", f"{OUT} devant le n° 11"), seen("b", f"{OUT} n° 13 rue Verte"))
    assert are_same(seen("a", f"{OUT} face au n° 11"), seen("b", f"{OUT} n° 12"))


def test_what_is_poured_onto_one_place_costs_no_more() -> None:
    known = Known()
    for n in range(5 * CELL_MAX):
        known.add(seen(str(n), f"{n * 7} x{n}"))
    known.same(seen("new"))
    assert known.weighed == CELL_MAX


@given(st.lists(st.tuples(st.integers(0, 9), st.booleans()), max_size=30))
def test_what_was_dropped_is_the_same_as_nothing_any_more(acts: list[tuple[int, bool]]) -> None:
    known, held = Known(), set[str]()
    for n, adds in acts:
        name = str(n)
        if adds and name not in held:
            known.add(seen(name))
            held.add(name)
        elif not adds:
            known.drop(name)
            held.discard(name)
        assert {each.id for each in known} == held
        assert (known.same(seen("new")) is None) == (not held)
