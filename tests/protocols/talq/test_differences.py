"""Whatever a gateway holds and whatever it should hold: once mended there is no difference."""

from __future__ import annotations

from datetime import time

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.protocols.talq.link import ACTUATOR, CMS, LAMP, Link, to_lamps
from vigie.protocols.talq.differences import Held, Sort, compare
from vigie.protocols.talq.events import Declined, ReadBack
from vigie.protocols.talq.messages import (
    EventRecordingMode,
    Group,
    ImmediateReportingMode,
    Listed,
    ListedSources,
    LoggerConfig,
    ResourceReference,
)
from vigie.protocols.talq.schedules import Night, Programme, Rule, Slot, WeekDays, Year, written, written_year

LAMPS = 3
PROGRAMS, CALENDARS, GROUPS = ("p0", "p1", "p2"), ("c0", "c1"), ("g0", "g1", "g2")


@st.composite
def helds(draw: st.DrawFn) -> Held:
    """Something that a gateway could be wanted to hold: nothing in it refers to what is not in it."""
    names = draw(st.sets(st.sampled_from(PROGRAMS)))
    programs = {
        name: written(
            Programme(name, (Night(draw(st.integers(-9, 9))),), (Slot(time(5), draw(st.integers(0, 3))),)), CMS
        )
        for name in names
    }
    years = draw(st.sets(st.sampled_from(CALENDARS))) if names else set()
    of = st.sampled_from(sorted(names)) if names else st.nothing()
    calendars = {
        name: written_year(
            Year(name, (Rule(draw(of), WeekDays(((6, 7),))),) if draw(st.booleans()) else (), draw(of)), CMS
        )
        for name in years
    }
    towns = draw(st.sets(st.sampled_from(GROUPS)))
    members = st.sampled_from([*to_lamps(1, 2, 3), *(ResourceReference("groups", name) for name in sorted(towns))])
    groups = {name: Group(name, tuple(draw(st.lists(members, max_size=3, unique=True))), CMS) for name in towns}
    given_to = st.sampled_from([*sorted(years), ""])
    assigned = {f"{LAMP.format(number)}/{ACTUATOR}": draw(given_to) for number in range(1, LAMPS + 1)}
    loggers = {
        name: LoggerConfig(
            name,
            CMS,
            ListedSources(black_list=()),
            EventRecordingMode(Listed(black_list=())),
            ImmediateReportingMode(draw(st.integers(0, 2))),
        )
        for name in draw(st.sets(st.sampled_from(["l0", "l1"])))
    }
    return Held(programs, calendars, groups, loggers, assigned)


def mend(link: Link, wanted: Held) -> None:
    """Brings a gateway to hold what is wanted, and nothing else."""
    known = {**link.peer.wanted.loggers, **wanted.loggers}
    link.peer.wanted = Held(loggers=known)
    held = read_back(link)
    link.down(link.peer.mend(compare(wanted, held, CMS)))
    assert compare(wanted, read_back(link), CMS) == ()
    link.peer.wanted = wanted


def read_back(link: Link) -> Held:
    """What the gateway holds."""
    link.down(link.peer.read_back())
    event = link.last(ReadBack)
    assert isinstance(event, ReadBack)
    return event.held


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(steps=st.lists(helds(), min_size=1, max_size=4))
def test_any_difference_is_mended(steps: list[Held]) -> None:
    link = Link(lamps=LAMPS)
    link.attach()
    for wanted in steps:
        mend(link, wanted)
    refused = [event for event in link.heard if isinstance(event, Declined) and event.number]
    assert refused == []


@pytest.mark.parametrize("sort", [Sort.PROGRAM, Sort.CALENDAR, Sort.GROUP, Sort.LOGGER])
def test_nothing_differs_from_itself(sort: Sort) -> None:
    held = Held({}, {}, {"g": Group("g", tuple(to_lamps(1, 2)), CMS)})
    other = Held({}, {}, {"g": Group("g", tuple(to_lamps(2, 1)), CMS)})
    assert compare(held, other, CMS) == ()
    assert [each.sort for each in compare(held, Held(), CMS)] == [Sort.GROUP]
    assert held.of(sort) is not None
