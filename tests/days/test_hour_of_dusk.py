"""One hour of the whole city at full rate, from five to six on a November evening, on a bad day for radio and network.

Junctions and detectors are sampled each second, 34,000 lamps are lit within it, and an operator is at work.
"""

from __future__ import annotations

import pytest

from tests.days.conftest import Town
from tests.days.scenes import DUSK_US, Watched, evening, of_quetigny
from vigie.core.times import HOUR_US
from vigie.sim.city.inventory import drafts
from vigie.sim.day import Setting
from vigie.sim.life.columns import FULL_RATE
from vigie.sim.links import ROUGH
from vigie.store.digest import Digest


def hour(town: Town, *, checked: bool) -> Digest:
    """Lives through the hour; returns the digest of what is kept."""
    cabinet = next(draft.id for draft in drafts(town.city) if draft.kind == "cabinet" and of_quetigny(draft))
    script = evening(DUSK_US, cabinet)
    with Watched(town.copy(), town.city, Setting(DUSK_US, 11, FULL_RATE, ROUGH, tick_s=10.0, script=script)) as watched:
        if not checked:
            watched.day.run(DUSK_US + HOUR_US)
            return watched.day.digest()
        watched.run(DUSK_US + HOUR_US)
        watched.check()
        watched.orders_have_ended()
        outcomes = watched.outcomes()
        assert outcomes["done"] + outcomes["released"] > 3_000
        assert outcomes["refused"] > 100
        assert outcomes["expired"] >= 1
        assert watched.day.tally.commits == 360
        digest = watched.day.digest()
        # 2,100 readings a second, and the burst of the lamps.
        assert digest.readings_count > 7_000_000
        return digest


@pytest.mark.timeout(600)
def test_an_hour_of_the_whole_city_gives_the_same_facts_and_readings_twice(whole: Town) -> None:
    assert hour(whole, checked=True) == hour(whole, checked=False)
