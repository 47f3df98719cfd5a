"""What energy reports need of nights is kept by the hour, whatever is the matter with one of them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from tests.api.energy.past import last_night, noon
from tests.post import NO_RESERVE, make
from vigie.app import Installation, installation
from vigie.app.nights import MADE_MAX
from vigie.core.observations import Batch, Int64s
from vigie.core.times import DAY_US, HOUR_US, SECOND_US, day_of, to_us
from vigie.engine.ports import StoredBatch
from vigie.settings import Settings

NIGHTS = MADE_MAX + 2
FIRST_US = to_us(noon(last_night() - timedelta(days=NIGHTS - 1)))
SEALED_US = to_us(noon(last_night() + timedelta(days=1))) + 2 * HOUR_US


@contextmanager
def lived(folder: Path, **said: int) -> Iterator[Installation]:
    """An installation that one lamp has told of these nights, sealed in two parts each day."""
    make(folder, lamps=2)
    with installation(Settings(data=folder, **NO_RESERVE, **said)) as opened:
        tell(opened, np.arange(FIRST_US - HOUR_US, SEALED_US, HOUR_US // 2), 1)
        tell(opened, np.arange(FIRST_US - HOUR_US // 4, SEALED_US, HOUR_US // 2), 2)
        yield opened


def tell(opened: Installation, at_us: Int64s, ingest: int) -> None:
    count, store = len(at_us), opened.observations
    asset, point = opened.facts.ids()["luminaire-000000"], opened.facts.point_numbers()["luminaire", "power"]
    batch = Batch(np.zeros(count, np.int64), at_us, np.full(count, 40.0), np.full(count, np.nan),
                  np.zeros(count, np.uint8))  # fmt: skip
    store.append(StoredBatch(ingest, SEALED_US, np.full(count, asset), np.full(count, point), batch))
    store.seal(SEALED_US)


def segments(opened: Installation, day: int) -> list[Path]:
    return sorted(opened.observations.sealed.glob(f"day={day_of(FIRST_US + day * DAY_US)}/*.parquet"))


def test_nights_are_kept_a_few_an_hour_and_one_that_is_damaged_keeps_nobody_from_the_others(tmp_path: Path) -> None:
    with lived(tmp_path) as opened:
        damaged = segments(opened, 3)[0]
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


def test_what_goes_soon_is_kept_first_then_what_never_was_and_nothing_that_is_kept_no_longer(tmp_path: Path) -> None:
    with lived(tmp_path, history_days=4, energy_days=6) as opened:

        def made() -> list[int]:
            """Which nights there are, after one more: the post is about to stop."""
            go_on = iter([True, False])
            assert opened.nights.make(SEALED_US, lambda: next(go_on)) == 1
            return [(span.start_us - FIRST_US) // DAY_US for span in opened.nights.sums.spans() if span.sound]

        # Observations of the nights 3 and 4 go within a day.
        assert [made() for _ in range(3)] == [[4], [3, 4], [3, 4, 7]]
        tell(opened, np.array([FIRST_US + 7 * DAY_US + HOUR_US + 1]), 3)
        assert [made() for _ in range(3)] == [[3, 4, 6], [3, 4, 5, 6], [3, 4, 5, 6, 7]]
        assert opened.nights.make(SEALED_US) == 0


def test_a_day_that_is_damaged_keeps_no_other_from_being_kept_and_dropped(tmp_path: Path) -> None:
    with lived(tmp_path, history_days=4) as opened:
        segments(opened, 7)[0].write_bytes(b"cut")
        opened.seal()
        assert [len(segments(opened, day)) for day in (0, 1, 2, 6, 7)] == [0, 0, 0, 1, 2]
        assert len(opened.nights.sums.spans()) == MADE_MAX
