"""Messages between a gateway and its lamps are lost either way, and what is not answered is said again."""

from __future__ import annotations

import numpy as np
import pytest

from tests.metropolis import small
from tests.sim.life.street import EVENING_US
from vigie.core.times import SECOND_US
from vigie.services.lighting.kinds import Luminaire
from vigie.sim.city import City
from vigie.sim.life.columns import DAY
from vigie.sim.life.faults import Told
from vigie.sim.life.lamps import LampLife
from vigie.sim.life.sky import Sky
from vigie.sim.talq.radio import REPEAT_US, TRIES, Radio


class Field:
    """Some lamps at seven in the evening, and what their gateway has heard of them: level by lamp."""

    def __init__(self, city: City, lost: float) -> None:
        self.lamps = LampLife(small(city, range(20)), Sky(city.seed), DAY, EVENING_US, Told([]))
        self.radio = Radio(self.lamps, 7, lost)
        self.every = np.arange(len(self.lamps.level))
        self.heard: dict[int, float] = {}
        self.until(30)

    def until(self, after_s: int) -> None:
        """Lives on, second by second."""
        while self.lamps.now_us < EVENING_US + after_s * SECOND_US:
            for each in self.lamps.advance(self.lamps.now_us + SECOND_US):
                if each.kind is not Luminaire:
                    continue
                came = self.radio.heard(each.index, each.observed_us)
                self.radio.answered(each.point, each.index[came], each.value[came])
                if each.point is Luminaire.level:
                    self.heard.update(zip(each.index[came].tolist(), each.value[came].tolist(), strict=True))
            self.radio.tick(self.lamps.now_us)

    def order(self, level: float) -> None:
        self.radio.order(self.every, level, self.lamps.now_us)


@pytest.mark.parametrize("lost", [0.05, 0.3])
def test_every_lamp_is_heard_to_obey_however_much_is_lost(city: City, lost: float) -> None:
    field = Field(city, lost)
    field.order(35.0)
    field.until(34)
    assert 0 < np.count_nonzero(field.lamps.level != 35) < len(field.every), "some did not hear"
    field.until(30 + TRIES * REPEAT_US // SECOND_US)
    unheard = [lamp for lamp in field.every.tolist() if field.heard.get(lamp) != 35]
    assert len(unheard) <= 4 * len(field.every) * (1 - (1 - lost) ** 2) ** TRIES


def test_a_release_is_said_again_too_and_an_order_that_came_later_counts(city: City) -> None:
    field = Field(city, 0.2)
    before = field.lamps.level.copy()
    field.order(35.0)
    field.until(32)
    field.order(60.0)
    field.until(60)
    assert np.count_nonzero(field.lamps.level == 60) > 0.99 * len(field.every)
    assert not (field.lamps.level == 35).any()
    field.order(np.nan)
    field.until(90)
    assert np.count_nonzero(field.lamps.level == before) > 0.99 * len(field.every)


def test_where_nothing_is_lost_nothing_is_repeated(city: City) -> None:
    field = Field(city, 0.0)
    field.order(35.0)
    field.until(34)
    assert (field.lamps.level == 35).all()
    field.lamps.release_lamps(field.every, field.lamps.now_us)
    field.until(60)
    assert not (field.lamps.level == 35).any(), "nobody has said it again"
