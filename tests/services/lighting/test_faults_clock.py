"""Programmes go by the town's clock, which is set twice a year: what they do is no fault then either."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta

from tests.services.lighting.test_faults_circuits import all_off, street, switch
from tests.services.lighting.town import ZONE
from vigie.core.times import MINUTE_US, to_us


def test_a_street_that_goes_dark_by_the_clock_each_night_has_lost_no_circuit_when_the_clock_is_set() -> None:
    def at(night: int, hour: int) -> int:
        return to_us(datetime.combine(date(2026, 3, 27) + timedelta(days=night), time(hour), ZONE))

    made = street(at_us=at(0, 15))
    for night in range(3):
        made.at_us = at(night, 15)
        all_off(made)
        made.run(10)
        made.at_us = at(night, 21)
        for each in made.cabinets:
            switch(made, each, on=True)
        made.run((at(night, 23) - made.at_us) / MINUTE_US)
        switch(made, "c2", on=False, breaths=False)
        made.run(40)
        assert made.told() == []
