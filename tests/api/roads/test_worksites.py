"""What guards permits, at a post within the test's own process: it goes by the inventory as it is now."""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from msgspec.structs import replace

from tests.api.city.desk import Desk, desk, town
from tests.city import NOW_US, take
from vigie.api.roads import Streets, Worksites
from vigie.core.assets import AssetRecord
from vigie.core.calendar import Calendar
from vigie.core.cases import Draft
from vigie.core.times import DAY_US
from vigie.engine.cases import Case
from vigie.engine.plans import By
from vigie.services.roads.works.permits import ROADWORKS, Act, Phase, Roadworks, Stretch, moment_at

PARIS = ZoneInfo("Europe/Paris")


@pytest.fixture
def here(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with desk(tmp_path_factory.mktemp("town")) as made:
        yield made


def moment(days: int) -> str:
    return moment_at(NOW_US + days * DAY_US, PARIS)


def opened(here: Desk, document: Roadworks, case_id: str = "w") -> Case:
    street = here.engine.registry.numbers[document.streets[0]]
    draft = Draft(ROADWORKS, "roadworks", 3, assets=(street,), document=document)
    here.engine.cases.open(case_id, draft, by=By("operator", NOW_US, case_id))
    found = here.engine.cases.find(case_id)
    assert found is not None
    return found


def documented(first: int, last: int, cuts_surface: bool = False) -> Roadworks:
    occupies = Act("permission_de_voirie" if cuts_surface else "permis_de_stationnement", "granted")
    phase = Phase(moment(first), moment(last), (Stretch("street-0"),), "lane")
    return Roadworks(cuts_surface=cuts_surface, phases=(phase,), acts=(occupies, Act("traffic_order", "granted")))


def test_a_permit_is_not_granted_by_an_inventory_of_yesterday(here: Desk) -> None:
    """A surface of which the post learnt a moment ago stands in the way, though nobody has looked at works since."""
    registry = here.engine.registry
    sites = Worksites(here.sources, Streets(here.sources), lambda: Calendar(PARIS))
    case = opened(here, documented(10, 12, cuts_surface=True))

    def refused() -> str | None:
        found = here.engine.cases.guards[ROADWORKS.key](case, "grant")
        return None if found is None else found.rule

    assert refused() == "roads.works_ground"
    here.engine.cases.readies[ROADWORKS.key]()
    assert refused() is None
    (draft,) = (each for each in town() if each.id == "street-0")
    laid = moment(-100)[:10]
    take(here.facts, [replace(draft, attributes={"one_way": False, "surfaced": laid})])
    no = registry.numbers["street-0"]
    record = AssetRecord(no=no, id="street-0", kind="street", name=draft.name, area=draft.area, street="", parent=0,
                         reporter=0, lon=draft.lon, lat=draft.lat, attributes={}, made_us=NOW_US)  # fmt: skip
    registry.add([record])
    assert refused() == "roads.works_ground"
    here.engine.cases.readies[ROADWORKS.key]()
    assert refused() == "roads.works_clashes"
    assert sites.ground().lengths_m["street-0"] == pytest.approx(151, abs=1)


def test_works_that_are_not_over_on_their_day_stand_in_the_way_from_then_on(here: Desk) -> None:
    """No act comes between: it is the clock alone that makes them late."""
    sites = Worksites(here.sources, Streets(here.sources), lambda: Calendar(PARIS))
    begun = opened(here, documented(0, 1), "begun")
    for event in ("grant", "begin"):
        sites.ground()
        here.engine.cases.move(begun.id, event, by=By("operator", NOW_US, event))
    asked = opened(here, documented(2, 3), "asked")

    def clashing() -> list[str]:
        return [each.finding.rule for each in sites.clashes(asked.document, asked)]

    assert clashing() == []
    here.clock.at_us = NOW_US + DAY_US
    assert clashing() == ["roads.works_overlap"]
