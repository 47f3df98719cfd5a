"""What energy reports need of nights is kept by the hour, whatever is the matter with one of them."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.api.energy.past import last_night, noon
from tests.post import NO_RESERVE, make
from vigie.app import installation
from vigie.app.nights import MADE_MAX
from vigie.core.observations import Batch
from vigie.core.times import DAY_US, HOUR_US, SECOND_US, day_of, to_us
from vigie.engine.ports import StoredBatch
from vigie.settings import Settings

NIGHTS = MADE_MAX + 2
FIRST_US = to_us(noon(last_night() - timedelta(days=NIGHTS - 1)))
SEALED_US = to_us(noon(last_night() + timedelta(days=1))) + 2 * HOUR_US


def test_nights_are_kept_a_few_an_hour_and_one_that_is_damaged_keeps_nobody_from_the_others(tmp_path: Path) -> None:
    make(tmp_path, lamps=2)
    with installation(Settings(data=tmp_path, **NO_RESERVE)) as opened:
        numbers, lamps = opened.facts.point_numbers(), opened.facts.ids()
        at_us = np.arange(FIRST_US - HOUR_US, SEALED_US, HOUR_US // 4)
        count = len(at_us)
        batch = Batch(np.zeros(count, np.int64), at_us, np.full(count, 40.0), np.full(count, np.nan),
                      np.zeros(count, np.uint8))  # fmt: skip
        asset, point = lamps["luminaire-000000"], numbers["luminaire", "power"]
        store = opened.observations
        store.append(StoredBatch(1, SEALED_US, np.full(count, asset), np.full(count, point), batch))
        store.seal(SEALED_US)
        (damaged,) = store.sealed.glob(f"day={day_of(FIRST_US + 3 * DAY_US)}/*.parquet")
        whole = damaged.read_bytes()
        damaged.write_bytes(whole[: len(whole) // 2])
        # It lies in two nights: from noon to noon.
        assert [opened.nights.make(SEALED_US) for _ in range(2)] == [NIGHTS - 2, 0]
        damaged.write_bytes(whole)
        assert [opened.nights.make(SEALED_US) for _ in range(2)] == [2, 0]
        spans = opened.nights.sums.spans()
        assert [span.start_us for span in spans] == sorted({span.start_us for span in spans})
        kept = opened.nights.sums.find(spans[1].start_us, spans[1].end_us)
        assert kept is not None
        assert kept.total.sum() == pytest.approx(40.0 * (spans[1].end_us - spans[1].start_us) / SECOND_US, rel=0.001)
