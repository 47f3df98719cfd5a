"""A report from a real store: a street lives through two nights, and what is told of them is what it drew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.services.lighting.parks import CALENDAR
from tests.services.lighting.town import CATALOGUE, Town, row_of
from vigie.core.calendar import day_number
from vigie.core.observations import Batch
from vigie.core.past import Steps, Told
from vigie.core.plans import Standing, Unanswerable
from vigie.core.scope import Scope
from vigie.core.times import HOUR_US, MINUTE_US
from vigie.engine.known import Frozen
from vigie.engine.ports import StoredBatch
from vigie.services.lighting.energy.asked import NIGHTS_MAX, energy_report
from vigie.services.lighting.energy.model import Baseline
from vigie.services.lighting.kinds import Cabinet
from vigie.services.lighting.programmes.model import Switching
from vigie.services.lighting.programmes.nights import Edges, Nights, Place
from vigie.services.lighting.programmes.year import Tariff
from vigie.store.observations import DuckObservations
from vigie.store.past import DuckPast

FIRST = date(2026, 11, 24)
NIGHTS = Nights(np.arange(day_number("2026-11-24"), day_number("2026-11-26")), CALENDAR)
START_US, END_US = int(NIGHTS.bounds_us[0][0]), int(NIGHTS.bounds_us[1][-1])
EDGES = Edges.of(NIGHTS, Place(5.0, 47.3), Switching())
LIT_H = float((EDGES.off_us - EDGES.on_us).sum()) / HOUR_US
LAMPS, WATTS, STANDBY_W, TAPPED_W = 6, 50.0, 0.5, 200.0
EACH_US = 15 * MINUTE_US
NUMBERS = {key: n for n, key in enumerate(((k.kind, p) for k in CATALOGUE.assets.values() for p in k.points), 1)}
TARIFF = Tariff(0.2, 0.1, kg_co2_per_kwh=0.06)
OLD = Baseline(gear=1.1, gear_sd=0.02, target=0.6)


@dataclass(frozen=True)
class Jumped:
    """A past in which a meter's index jumped."""

    past: DuckPast
    meters: Told

    def steps(self, *asked: Any, **how: Any) -> Steps:
        return self.past.steps(*asked, **how)

    def told(self, *_: Any, **how: Any) -> Told:
        return self.meters


def lit(at_us: np.ndarray) -> np.ndarray:
    """Whether it is night at each instant."""
    return np.any([(on <= at_us) & (at_us < off) for on, off in zip(EDGES.on_us, EDGES.off_us, strict=True)], 0)


@contextmanager
def lived(
    folder: Path, *, silent: int = 0, stated: Mapping[str, Any] | None = None
) -> Iterator[tuple[Frozen, DuckPast]]:
    """Six lamps of 50 W by their word, rated 60 W, the last of them with its level alone, on a cabinet at which 200 W
    more are drawn. silent: so many lamps say nothing. stated: what is known of the cabinet."""
    lamps = row_of(LAMPS)
    for lamp in lamps:
        lamp.attributes["former_power"] = 150.0
    town = Town(lamps, {"c1": "permanent"}, stated=stated)
    store = DuckObservations(folder, reserve_bytes=0)
    every = np.unique(np.concatenate([
        np.arange(START_US - HOUR_US, END_US + HOUR_US, EACH_US), EDGES.on_us, EDGES.off_us,
    ]))  # fmt: skip
    rows: list[tuple[int, int, int, float]] = []
    on = lit(every)
    for n, lamp in enumerate(lamps[silent:]):
        number = town.engine.registry.numbers[lamp.id]
        point, value = ("level", 100.0) if n == LAMPS - 1 else ("power", WATTS)
        off = 0.0 if point == "level" else STANDBY_W
        code = NUMBERS["luminaire", point]
        rows += [(number, code, int(at), value if now else off) for at, now in zip(every, on, strict=True)]
    watts = np.where(on, WATTS * LAMPS, STANDBY_W * LAMPS) + TAPPED_W
    kwh = 5_000 + np.concatenate([[0], np.cumsum(watts[:-1] * np.diff(every) / HOUR_US / 1_000)])
    cabinet = town.engine.registry.numbers["c1"]
    rows += [(cabinet, NUMBERS["cabinet", "energy"], int(at), float(k)) for at, k in zip(every, kwh, strict=True)]
    asset, code, at_us, value = (np.array(column) for column in zip(*rows, strict=True))
    count = len(rows)
    batch = Batch(np.zeros(count, np.int64), at_us, value, np.full(count, np.nan), np.zeros(count, np.uint8))
    store.append(StoredBatch(1, END_US, asset, code, batch))
    store.seal(END_US - 20 * HOUR_US)
    known = Frozen.of(town.engine, CALENDAR, Scope.everything(), END_US)
    standing = {"lighting.tariff": [Standing("t", TARIFF, None)], "lighting.baseline": [Standing("b", OLD, None)]}
    try:
        yield replace(known, standing=standing), DuckPast(store, NUMBERS)
    finally:
        store.close()


def test_two_nights_of_a_street(tmp_path: Path) -> None:
    with lived(tmp_path) as (known, past):
        found = energy_report(known, past, FIRST, FIRST + timedelta(days=1))
    whole = found.whole
    day_h = 48 - LIT_H
    by_power = (LAMPS - 1) * (WATTS * LIT_H + STANDBY_W * day_h)
    assert whole.estimated_kwh == pytest.approx((by_power + 60.0 * LIT_H) / 1_000, rel=0.001)
    assert whole.known_share == pytest.approx(1.0, abs=0.001)
    metered_kwh = LAMPS * (WATTS * LIT_H + STANDBY_W * day_h) / 1_000 + TAPPED_W * 48 / 1_000
    assert whole.metered_kwh == pytest.approx(metered_kwh, rel=0.001)
    assert whole.kg_co2 == pytest.approx(metered_kwh * 0.06, rel=0.001)
    off_kwh = 16 * (LAMPS * WATTS + TAPPED_W) / 1_000
    assert whole.eur == pytest.approx((metered_kwh - off_kwh) * 0.2 + off_kwh * 0.1, rel=0.001)
    cabinet = found.cabinets[0]
    assert (cabinet.id, cabinet.why) == ("c1", "")
    assert cabinet.unexplained_kwh == pytest.approx(TAPPED_W * 48 / 1_000, abs=1.0)
    assert whole.before is not None
    assert whole.saving is not None
    old_kwh = 150.0 * 1.1 * LAMPS * LIT_H / 1_000
    assert whole.before.value == pytest.approx(old_kwh * 1.015 + 0.48, rel=0.01)
    assert whole.saving.value == pytest.approx(1 - metered_kwh / whole.before.value)
    assert (found.target, found.tariff) == (0.6, TARIFF)


def test_lamps_that_say_nothing_are_held_to_follow_their_programme(tmp_path: Path) -> None:
    with lived(tmp_path, silent=2) as (known, past):
        found = energy_report(known, past, FIRST, FIRST + timedelta(days=1))
    silent_kwh = 2 * 60.0 * LIT_H / 1_000
    heard_kwh = 4 * (WATTS * LIT_H + STANDBY_W * (48 - LIT_H)) / 1_000
    assert found.whole.estimated_kwh == pytest.approx(silent_kwh + heard_kwh, rel=0.001)
    assert found.whole.known_share == pytest.approx(4 / 6, abs=0.001)
    assert found.cabinets[0].unexplained_kwh is None, "too few of its lamps were heard"


def test_a_former_year_that_is_none_is_as_if_none_were_stated(tmp_path: Path) -> None:
    saved: list[Any] = []
    for year in (0.0, 9999.0, 2019.0):
        with lived(tmp_path / str(year), stated={"former_energy": 4_000.0, "former_year": year}) as (known, past):
            saved.append(energy_report(known, past, FIRST, FIRST + timedelta(days=1)).whole.before)
    assert saved[0] == saved[1]
    assert saved[2].value == pytest.approx(4_000.0 * LIT_H / 4_040, rel=0.01)


def test_a_cabinet_of_no_stated_rating_is_limited_by_its_lamps(tmp_path: Path) -> None:
    with lived(tmp_path) as (known, past):
        real = past.told(Cabinet, Cabinet.energy, START_US, END_US)
        value = real.value.copy()
        value[len(value) // 2 :] += 84_000.0
        jumps = Told(real.asset, real.observed_us, value)
        found = energy_report(known, Jumped(past, jumps), FIRST, FIRST + timedelta(days=1))
    assert (found.cabinets[0].why, found.cabinets[0].metered_kwh) == ("meter_wrong", None)


def test_no_nights_and_too_many_are_refused(tmp_path: Path) -> None:
    with lived(tmp_path) as (known, past):
        for last in (FIRST - timedelta(days=1), FIRST + timedelta(days=NIGHTS_MAX)):
            with pytest.raises(Unanswerable):
                energy_report(known, past, FIRST, last)
