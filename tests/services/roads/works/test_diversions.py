"""Ways round what is closed: none leads through what is closed or the wrong way, and the shortest is found."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core.observations import Mask
from vigie.services.roads.matching.network import Network, network_of
from vigie.services.roads.works.clashes import AGAINST, ALONG, Part
from vigie.services.roads.works.courses import Drawing, courses
from vigie.services.roads.works.diversions import closed_arcs, detours, weights_of
from vigie.services.roads.works.windows import Window

STEP = 0.001
SIDE = 4
ALWAYS = Window(0, 1)


def grid(one_way: frozenset[int] = frozenset()) -> tuple[Network, list[str]]:
    """A town of blocks: streets from corner to corner, those eastward first. one_way: by their places."""
    spots = [(x, y) for y in range(SIDE) for x in range(SIDE)]
    ends = [((x, y), (x + 1, y)) for x, y in spots if x + 1 < SIDE]
    ends += [((x, y), (x, y + 1)) for x, y in spots if y + 1 < SIDE]
    lon = np.array([5.0 + x * STEP for end in ends for x, _ in end])
    lat = np.array([47.0 + y * STEP for end in ends for _, y in end])
    ways = np.array([n in one_way for n in range(len(ends))])
    return network_of(lon, lat, np.arange(0, 2 * len(ends) + 1, 2), ways), [f"s{n}" for n in range(len(ends))]


def closing(network: Network, names: list[str], *streets: str, ways: int = ALONG | AGAINST) -> Mask:
    rows = {name: row for row, name in enumerate(names)}
    return closed_arcs(network, rows, [Part(each, 0.0, float("inf"), ways, ALWAYS) for each in streets])


@settings(max_examples=60)
@given(
    st.sets(st.integers(0, 23), max_size=8).map(frozenset), st.sets(st.integers(0, 23), min_size=1, max_size=3),
    st.sets(st.integers(0, 23), max_size=3), st.lists(st.sampled_from(["primary", "local", "path", ""]), min_size=24,
                                                       max_size=24),
)  # fmt: skip
def test_no_way_leads_through_what_is_closed_or_the_wrong_way(
    one_way: frozenset[int], own: set[int], others: set[int], classes: list[str]
) -> None:
    network, names = grid(one_way)
    ours = closing(network, names, *(f"s{n}" for n in own))
    theirs = closing(network, names, *(f"s{n}" for n in others))
    found = detours(network, weights_of(network, classes), ours, theirs)
    # Every way of travel that is closed is led round once.
    led = [arc for each in found for arc in each.closed]
    assert len(led) == len({*led})
    for each in found:
        assert all(ours[arc] for arc in each.closed)
        assert all(not ours[arc] and not theirs[arc] and network.allowed[arc] for arc in each.way)
        assert all(classes[network.line[arc // 2]] != "path" for arc in each.way)
        for chain in (each.closed, each.way):
            assert all(network.head[a] == network.tail[b] for a, b in pairwise(chain))
        if each.way:
            assert network.tail[each.way[0]] == network.tail[each.closed[0]]
            assert network.head[each.way[-1]] == network.head[each.closed[-1]]


def test_a_block_is_gone_round_in_both_ways_of_travel() -> None:
    network, names = grid()
    found = detours(network, weights_of(network, ["local"] * 24), closing(network, names, "s4"), np.zeros(48, np.bool_))
    assert len(found) == 2
    for each in found:
        assert 280 < each.length_m < 310
        assert len(each.way) == 3


def test_a_run_of_streets_is_gone_round_as_one() -> None:
    network, names = grid()
    found = detours(
        network, weights_of(network, [""] * 24), closing(network, names, "s3", "s4", ways=ALONG), np.zeros(48, np.bool_)
    )
    assert [len(each.closed) for each in found] == [2]


def test_wide_streets_are_preferred_and_a_dead_end_has_no_way_round() -> None:
    network, names = grid()
    classes = ["local"] * 24
    for n in (12, 0, 13):
        classes[n] = "primary"
    shut = closing(network, names, "s3", ways=ALONG)
    (found,) = detours(network, weights_of(network, classes), shut, np.zeros(48, np.bool_))
    assert {f"s{network.line[arc // 2]}" for arc in found.way} == {"s12", "s0", "s13"}
    corner = detours(
        network, weights_of(network, classes), closing(network, names, "s0"), closing(network, names, "s12")
    )
    assert [each.way for each in corner] == [(), ()]


def test_a_line_runs_along_a_street_and_crosses_another() -> None:
    lon, lat = [5.0, 5.002, 5.001, 5.001], [47.0, 47.0, 46.999, 47.001]
    streets = Drawing(np.array([0, 2, 4]), np.array(lon), np.array(lat))
    bus = Drawing(np.array([0, 2]), np.array([5.0005, 5.0025]), np.array([47.00005, 47.00005]))
    found = courses(["east", "north"], streets, [("L1", "bus")], bus)
    assert [*found] == ["east"]
    (course,) = found["east"]
    assert (course.line, course.mode, course.ways) == ("L1", "bus", ALONG)
    assert 30 < course.from_m < 45
    assert 145 < course.to_m < 160
    far = Drawing(bus.start, bus.lon, bus.lat + 0.0003)
    assert courses(["east", "north"], streets, [("L1", "bus")], far) == {}
