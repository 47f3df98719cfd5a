"""The works of a demo: in every state, in streets of the town, each document one that a post takes."""

from __future__ import annotations

from collections import Counter
from datetime import date
from zoneinfo import ZoneInfo

import msgspec

from tests import metropolis
from vigie.core.calendar import Calendar, date_of
from vigie.core.lives import ROADWORKS
from vigie.core.times import DAY_US
from vigie.demo.occasions import calendar, markets
from vigie.services.roads.works.buried import BURIED, Buried
from vigie.services.roads.works.clashes import Index, Surroundings, check, laid
from vigie.services.roads.works.permits import Roadworks, acts_missing, late_by
from vigie.services.roads.works.windows import spans_of
from vigie.sim.city.works import LIVES, requests, sites

TODAY = date(2026, 11, 27)


def test_there_are_works_in_every_state_in_streets_of_the_town() -> None:
    town = metropolis.city()
    found, states = sites(town, TODAY), Counter[str]()
    assert found == sites(town, TODAY)
    for site in found:
        assert msgspec.json.decode(msgspec.json.encode(site.document), type=Roadworks) == site.document
        state = ROADWORKS.first
        for event in site.events:
            if event == "grant":
                assert acts_missing(site.document) == ()
            state = ROADWORKS.move(state, event)
        states[state] += 1
    assert states.keys() == {*ROADWORKS.states} - {"archived"}
    assert len(found) == sum(many for many, *_ in LIVES) == 40
    late = [site for site in found if site.events == ("grant",) and late_by(site.document, "granted", f"{TODAY}T12:00")]
    assert len(late) == 2
    assert {site.document.owner_name for site in found if not site.document.organisation} == {"Camille Lefort"}
    under_way = (site for site in found if site.events == ("grant", "begin"))
    assert not any(late_by(site.document, "under_way", f"{TODAY}T12:00") for site in under_way)


def test_some_of_what_is_asked_for_clashes_with_what_stands() -> None:
    town = metropolis.city()
    found = [laid(f"w{n}", n, "granted" if site.events else "requested", site.document)
             for n, site in enumerate(sites(town, TODAY))]  # fmt: skip
    streets = frozenset(street for site in sites(town, TODAY) for street in site.document.streets)
    index, around = Index(found), Surroundings(streets)
    asked = [(each, site) for each, site in zip(found, sites(town, TODAY), strict=True) if not site.events]
    assert any(check(each, site.document, index, around, TODAY) for each, site in asked)


def test_one_request_about_buried_networks_is_late() -> None:
    found = requests(metropolis.city(), TODAY)
    assert len(found) == 10
    days = Calendar(ZoneInfo("Europe/Paris"))
    late = 0
    for each in found:
        assert msgspec.json.decode(msgspec.json.encode(each), type=Buried) == each
        due_us = BURIED.due(each, "received", 0, days)
        assert due_us is not None
        late += not each.answer and date_of(due_us // DAY_US) < TODAY
    assert late == 1


def test_the_markets_are_each_in_its_commune() -> None:
    town = metropolis.city()
    found = markets(town)
    assert len({each.area for each in found}) == 3
    assert all(len(each.streets) == 3 and spans_of(each.hours) for each in found)
    assert calendar(2026).year == 2027
