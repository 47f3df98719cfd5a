"""Which acts works take, when they are due, and what their document may not say."""

from __future__ import annotations

from zoneinfo import ZoneInfo

import msgspec
import pytest
from msgspec.structs import replace

from tests.services.roads.works.sites import phase, works
from vigie.core.calendar import Calendar
from vigie.core.cases import CHANGE
from vigie.services.roads.works.permits import (
    ROADWORKS,
    Act,
    Roadworks,
    Stretch,
    acts_missing,
    acts_needed,
    instant_of,
    late_by,
    moment_at,
)

PARIS = ZoneInfo("Europe/Paris")


@pytest.mark.parametrize(
    ("occupancy", "said", "acts"),
    [
        ("pavement", {}, ("permis_de_stationnement",)),
        ("pavement", {"anchored": True}, ("permission_de_voirie",)),
        ("lane", {"cuts_surface": True}, ("permission_de_voirie", "traffic_order")),
        ("closure", {}, ("permis_de_stationnement", "traffic_order")),
    ],
)
def test_the_acts_follow_from_what_is_taken_up(occupancy: str, said: dict[str, bool], acts: tuple[str, ...]) -> None:
    assert acts_needed(works(phase("a", occupancy=occupancy), **said)) == acts


def test_a_permit_waits_for_its_acts_and_is_not_changed_to_lack_one() -> None:
    bare = works(phase("a"), granted=False)
    asked = ROADWORKS.allows(bare, "requested", "grant")
    assert asked is not None
    assert (asked.rule, asked.detail["count"]) == ("roads.works_acts", 2)
    assert ROADWORKS.allows(bare, "requested", CHANGE) is None
    assert ROADWORKS.allows(bare, "under_way", CHANGE) is not None
    assert ROADWORKS.allows(works(phase("a")), "requested", "grant") is None


def test_an_act_that_ends_before_the_works_counts_for_nothing() -> None:
    short = Act("permis_de_stationnement", "granted", until="2026-12-10")
    order = Act("traffic_order", "not_needed")
    assert acts_missing(Roadworks(phases=(phase("a"),), acts=(short, order))) == ("permis_de_stationnement",)


def test_an_act_that_was_refused_counts_whatever_stands_beside_it() -> None:
    both = works(phase("a"), granted=False)
    acts = (Act("permis_de_stationnement", "granted"), Act("traffic_order", "refused"), Act("traffic_order", "granted"))
    assert acts_missing(replace(both, acts=acts)) == ("traffic_order",)
    assert acts_missing(replace(both, acts=acts[::2])) == ()


def test_works_in_two_communes_take_the_acts_of_both() -> None:
    areas = {"a": "metropole/dijon", "b": "metropole/quetigny"}
    document = works(phase("a", occupancy="pavement"), phase("b"), granted=False)
    one = (Act("permis_de_stationnement", "granted"), Act("traffic_order", "granted"))
    # The order is of one commune alone: there it need not be said of which.
    assert acts_missing(replace(document, acts=one), areas) == ("permis_de_stationnement",)
    there = [Act("permis_de_stationnement", "granted", area=area) for area in areas.values()]
    assert acts_missing(replace(document, acts=(there[1], one[1])), areas) == ("permis_de_stationnement",)
    assert acts_missing(replace(document, acts=(*there, one[1])), areas) == ()
    whole = Act("permis_de_stationnement", "granted", area="metropole")
    assert acts_missing(replace(document, acts=(whole, one[1])), areas) == ()
    elsewhere = Act("traffic_order", "granted", area="metropole/dijon")
    assert acts_missing(replace(document, acts=(whole, elsewhere)), areas) == ("traffic_order",)
    refused = Act("permis_de_stationnement", "refused", area="metropole/dijon")
    assert acts_missing(replace(document, acts=(whole, one[1], refused)), areas) == ("permis_de_stationnement",)


@pytest.mark.parametrize(
    "said",
    [
        {"phases": []},
        {"acts": [{"kind": "traffic_order", "until": "2026-99-99"}]},
        {"phases": [{"begins": "2026-12-07T08:00", "ends": "2026-12-07T08:00", "stretches": [{"street": "a"}],
                     "occupancy": "lane"}]},
        {"phases": [{"begins": "0001-01-01T00:05", "ends": "2027-12-07T08:00", "stretches": [{"street": "a"}],
                     "occupancy": "lane"}]},
        {"phases": [{"begins": "2026-13-07T08:00", "ends": "2027-12-07T08:00", "stretches": [{"street": "a"}],
                     "occupancy": "lane"}]},
        {"phases": [{"begins": "2026-12-07T08:00", "ends": "2026-12-08T08:00", "occupancy": "lane",
                     "stretches": [{"street": "a", "from_m": 10, "to_m": 10}]}]},
        {"phases": [{"begins": "2026-12-07T08:00", "ends": "2026-12-08T08:00", "stretches": [{"street": "a"}],
                     "occupancy": "lane", "hours": "every day"}]},
    ],
)  # fmt: skip
def test_a_document_that_says_nothing_possible_is_none(said: dict[str, object]) -> None:
    with pytest.raises(msgspec.ValidationError):
        msgspec.convert(said, Roadworks)


def test_it_is_due_for_a_decision_and_then_when_it_is_to_be_over() -> None:
    document, calendar = works(phase("a")), Calendar(PARIS)
    opened_us = instant_of("2026-09-01T10:00", PARIS)
    asked = ROADWORKS.due(document, "requested", opened_us, calendar)
    assert asked is not None
    assert moment_at(asked, PARIS) == "2026-11-01T10:00"
    late = works(phase("a", begins="2027-06-01T08:00", ends="2027-06-02T08:00"))
    asked = ROADWORKS.due(late, "requested", instant_of("2026-12-31T10:00", PARIS), calendar)
    assert asked is not None
    assert moment_at(asked, PARIS) == "2027-02-28T10:00"
    assert ROADWORKS.due(document, "granted", opened_us, calendar) == instant_of("2026-12-11T17:00", PARIS)


def test_works_that_do_not_keep_their_dates_are_late() -> None:
    document = works(phase("a"))
    told = [late_by(document, state, now) for state in ("requested", "granted", "under_way")
            for now in ("2026-12-07T07:59", "2026-12-07T08:00", "2026-12-11T17:00")]  # fmt: skip
    assert told == [None, None, None, None, "begin", "end", None, None, "end"]


def test_its_streets_are_told_once() -> None:
    document = works(phase("b", "a"), phase(Stretch("a", 10.0, 20.0)))
    assert ROADWORKS.lies(document).assets == ("b", "a")
