"""A day of the city, from midnight to midnight, as `vigie bench sim.day` runs it.

Here with every fourth cabinet and its lamps (8,500), vehicle and bus, all else that the city has, and one commit a
simulated minute, so that it can be run twice in a suite of minutes; the measurement has them all.
"""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.days.conftest import Town
from tests.days.scenes import METROPOLE, Watched, dim
from vigie.core.times import DAY_US, HOUR_US, MINUTE_US, to_us
from vigie.sim.day import Setting
from vigie.sim.life.columns import DAY
from vigie.sim.links import ROUGH
from vigie.store.digest import Digest

MIDNIGHT_US = to_us(datetime.fromisoformat("2026-11-24T00:00:00+01:00"))


def day(town: Town, *, checked: bool) -> Digest:
    """Lives through the day; returns the digest of what is kept."""
    script = [
        dim(MIDNIGHT_US + 2 * HOUR_US, 50.0, area=METROPOLE, reason="économies"),
        # At that hour the gateway of Daix's lamps is cut off, for longer than the order waits.
        dim(MIDNIGHT_US + 5 * HOUR_US + 51 * MINUTE_US, 80.0, area=f"{METROPOLE}/daix"),
        dim(MIDNIGHT_US + 19 * HOUR_US, 90.0, area=f"{METROPOLE}/dijon"),
    ]
    with Watched(town.copy(), town.city, Setting(MIDNIGHT_US, 7, DAY, ROUGH, tick_s=60.0, script=script)) as watched:
        if not checked:
            watched.day.run(MIDNIGHT_US + DAY_US)
            return watched.day.digest()
        watched.run(MIDNIGHT_US + DAY_US)
        watched.check()
        watched.orders_have_ended()
        outcomes = watched.outcomes()
        assert sum(outcomes[state] for state in ("done", "returned", "released")) > 11_000
        assert outcomes["expired"] > 100
        digest = watched.day.digest()
        assert digest.readings_count > 2_500_000
        assert len(list(watched.day.observations.sealed.glob("day=*"))) == 2
        return digest


@pytest.mark.timeout(1200)
def test_a_simulated_day_gives_the_same_facts_and_readings_twice(fourth: Town) -> None:
    assert day(fourth, checked=True) == day(fourth, checked=False)
