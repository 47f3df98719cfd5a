"""What is found wrong with a market, an event, and a year's calendar of works."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest

from tests.api.city.desk import EVERYTHING, Desk, desk, grant
from tests.city import NOW_US
from vigie.core.calendar import Calendar
from vigie.core.plans import PlanKind
from vigie.core.scope import Scope
from vigie.engine.known import Frozen
from vigie.engine.plans import By
from vigie.services.roads.preventive import PREVENTIVE, Preventive
from vigie.services.roads.works.coordination import COORDINATION, Coordination
from vigie.services.roads.works.occasions import OCCASION, Occasion


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    """A market and a calendar are in force in it."""
    with desk(tmp_path_factory.mktemp("town")) as made:
        for name, kind, body in (("m", OCCASION, market()), ("c", COORDINATION, Coordination(2027, "2026-10-31"))):
            made.engine.plans.make(name, kind, body, by=By("writer", NOW_US, f"{name}-made"))
            approved = By("approver", NOW_US, f"{name}-approved")
            made.engine.plans.move(name, "approve", number=1, revision=1, by=approved)
        yield made


def market(name: str = "Marché", **said: Any) -> Occasion:
    return Occasion(name, "market", **({"streets": ("street-1",), "hours": "sat 06:00-14:00"} | said))


def found(town: Desk, kind: PlanKind, body: Any, plan: str = "", scope: Scope = EVERYTHING) -> list[str]:
    known = Frozen.of(town.engine, cast(Calendar, None), scope, NOW_US)
    findings = kind.check(body, plan, known)
    assert all(each.refuses for each in findings)
    return [each.rule.removeprefix("roads.") for each in findings]


def test_a_market_has_a_name_of_its_own_streets_that_are_there_and_a_time(town: Desk) -> None:
    assert found(town, OCCASION, market("Foire", hours="", first="2026-12-05", last="2026-12-05")) == []
    assert found(town, OCCASION, market(), "m") == []
    assert found(town, OCCASION, market()) == ["occasion_name"]
    assert found(town, OCCASION, market("Foire", streets=("street-1", "gone"))) == ["occasion_street"]
    assert found(town, OCCASION, market("Foire", area="metropole/nowhere")) == ["occasion_elsewhere"]
    assert found(town, OCCASION, market("Foire", hours="")) == ["occasion_always"]
    assert found(town, OCCASION, market("Foire", hours="saturdays")) == ["occasion_hours"]
    assert found(town, OCCASION, market("Foire", first="2026-12-05", last="2026-12-04")) == ["occasion_days"]
    assert found(town, OCCASION, market("Foire", first="2026-02-30")) == ["occasion_days"]


def test_a_year_has_one_calendar_whose_day_comes_before_it_is_over(town: Desk) -> None:
    assert found(town, COORDINATION, Coordination(2028, "2027-10-31")) == []
    assert found(town, COORDINATION, Coordination(2027, "2026-10-31", area="metropole/dijon")) == []
    assert found(town, COORDINATION, Coordination(2027, "2026-11-30")) == ["coordination_twice"]
    assert found(town, COORDINATION, Coordination(2028, "2027-02-30")) == ["coordination_day"]
    assert found(town, COORDINATION, Coordination(2028, "2029-01-01")) == ["coordination_late"]


def test_preventive_work_is_for_assets_there_are_ahead_of_its_day_and_at_hours_that_can_be_read(town: Desk) -> None:
    def asked(**said: Any) -> Preventive:
        return Preventive(**({"name": "Visite", "kind": "cabinet", "category": "lighting", "every_days": 365,
                              "since": "2026-01-01", "hours": "mon-fri 09:30-16:00"} | said))  # fmt: skip

    assert found(town, PREVENTIVE, asked()) == []
    assert found(town, PREVENTIVE, asked(hours="mornings")) == ["preventive_hours"]
    assert found(town, PREVENTIVE, asked(every_days=28, ahead_days=30)) == ["preventive_ahead"]
    assert found(town, PREVENTIVE, asked(kind="ufo", since="2026-02-30")) == ["preventive_day", "preventive_kind"]
    # Of the roads alone: what anybody may see is there for them too, and what they may not see is not theirs to plan.
    roads = Scope((grant("", "roads", "see"),))
    assert found(town, PREVENTIVE, asked(kind="luminaire"), scope=roads) == []
    assert found(town, PREVENTIVE, asked(), scope=roads) == ["preventive_nobody"]
    assert found(town, PREVENTIVE, asked(area="metropole/nowhere")) == ["preventive_nobody"]
