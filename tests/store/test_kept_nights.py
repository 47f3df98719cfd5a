"""What is kept of a night makes the very same report as what was told in it, and stands when that is gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import msgspec
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.services.lighting.parks import CALENDAR
from tests.services.lighting.town import CATALOGUE, Town, row_of
from vigie.core.calendar import day_number
from vigie.core.kinds import Quality
from vigie.core.observations import Batch
from vigie.core.past import Kept, KeptUnreadable
from vigie.core.plans import Standing
from vigie.core.scope import Scope
from vigie.core.times import DAY_US, HOUR_US, MINUTE_US, day_of
from vigie.engine.known import Frozen
from vigie.engine.ports import StoredBatch
from vigie.services.lighting.energy.asked import energy_report, nothing_kept
from vigie.services.lighting.energy.heard import BESIDE_US, POINTS, RULE, Find, kept_of, runs
from vigie.services.lighting.energy.model import Baseline, KeptNights, Report
from vigie.services.lighting.programmes.nights import Nights
from vigie.services.lighting.programmes.year import Tariff
from vigie.store.checks import segments_damage
from vigie.store.kept import KeptSums
from vigie.store.observations import DuckObservations
from vigie.store.past import DuckPast

FIRST, COUNT = date(2026, 10, 24), 3
"""The clock is set back in the first of these nights, which has 25 hours."""
NIGHTS = Nights(day_number(FIRST.isoformat()) + np.arange(COUNT), CALENDAR)
SPANS: list[tuple[int, int]] = list(zip(*(each.tolist() for each in NIGHTS.bounds_us), strict=True))
START_US, END_US = SPANS[0][0], SPANS[-1][1]
NUMBERS = {key: n for n, key in enumerate(((k.kind, p) for k in CATALOGUE.assets.values() for p in k.points), 1)}
LAMPS = 4
TOWN = Town(row_of(LAMPS), {"c1": "permanent"})
STANDING = {
    "lighting.tariff": [Standing("t", Tariff(0.2, 0.1, kg_co2_per_kwh=0.06), None)],
    "lighting.baseline": [Standing("b", Baseline(lamp_w=150.0, gear=1.1, target=0.6), None)],
}
KNOWN = replace(Frozen.of(TOWN.engine, CALENDAR, Scope.everything(), END_US), standing=STANDING)
LAMP_NUMBERS = np.array([TOWN.engine.registry.numbers[each] for each in TOWN.lamps])


@dataclass(frozen=True)
class Said:
    """One value of a lamp (by its place) or of the meter (place -1), so many minutes after the first noon."""

    place: int
    point: str
    minute: int
    value: float
    quality: int = Quality.GOOD


def lamp_says(place: int, point: str) -> st.SearchStrategy[list[Said]]:
    """Reports each quarter of an hour or so, in runs with silences between."""
    run = st.tuples(st.integers(-60, COUNT * 1_440), st.integers(1, 80), st.floats(0, 90), st.integers(7, 15))
    return st.lists(run, max_size=3).map(
        lambda found: [
            Said(place, point, start + n * every, round(value + n % 3, 1))
            for start, count, value, every in found
            for n in range(count)
        ]
    )


meter_says = st.lists(st.floats(-3, 4), min_size=20, max_size=90).map(
    lambda steps: [
        Said(-1, "energy", -60 + 50 * n, 500 + float(index)) for n, index in enumerate(np.cumsum(np.round(steps, 2)))
    ]
)
lived = st.tuples(
    lamp_says(0, "power"), lamp_says(1, "power"), lamp_says(1, "level"), lamp_says(2, "level"), meter_says
).map(lambda parts: list({(each.place, each.point, each.minute): each for part in parts for each in part}.values()))


def append(store: DuckObservations, rows: Sequence[Said]) -> None:
    asset, point, at_us, value, quality = zip(*(
        (
            TOWN.engine.registry.numbers["c1"] if row.place < 0 else LAMP_NUMBERS[row.place],
            NUMBERS["cabinet" if row.place < 0 else "luminaire", row.point],
            START_US + row.minute * MINUTE_US, row.value, row.quality,
        )
        for row in rows
    ), strict=True)  # fmt: skip
    count = len(rows)
    batch = Batch(
        np.zeros(count, np.int64), np.array(at_us), np.array(value), np.full(count, np.nan), np.array(quality, np.uint8)
    )
    store.append(StoredBatch(store.last_ingest + 1, END_US, np.array(asset), np.array(point), batch))


@contextmanager
def sealed(rows: Sequence[Said]) -> Iterator[DuckObservations]:
    with TemporaryDirectory() as folder:
        store = DuckObservations(Path(folder), reserve_bytes=0)
        try:
            if rows:
                append(store, rows)
            store.seal(END_US + DAY_US)
            yield store
        finally:
            store.close()


def sums_of(store: DuckObservations, rule: str = RULE) -> KeptSums:
    return KeptSums(store, "energy", [NUMBERS[kind.kind, point.name] for kind, point in POINTS], BESIDE_US, rule)


def keep(store: DuckObservations, sums: KeptSums, night: int) -> bool:
    return sums.keep(*SPANS[night], partial(kept_of, DuckPast(store, NUMBERS), LAMP_NUMBERS, *SPANS[night]))


def report(store: DuckObservations, find: Find = nothing_kept) -> Report:
    return energy_report(KNOWN, DuckPast(store, NUMBERS), FIRST, FIRST + timedelta(days=COUNT - 1), find=find)


def figures(made: Report) -> Report:
    """All of it but where it is from."""
    return msgspec.structs.replace(made, kept=[])


def drop(store: DuckObservations) -> None:
    """What was told is gone."""
    store.drop_before(day_of(END_US + 2 * DAY_US))


@settings(max_examples=4, deadline=None)
@given(lived, st.sets(st.integers(0, COUNT - 1), min_size=1))
def test_from_what_is_kept_come_the_very_same_figures(rows: list[Said], nights: set[int]) -> None:
    with sealed(rows) as store:
        sums, raw = sums_of(store), report(store)
        for night in nights:
            assert keep(store, sums, night)
        from_kept = report(store, sums.find)
        assert figures(from_kept) == raw
        assert [FIRST + timedelta(days=n) for n in sorted(nights)] == [
            each.first + timedelta(days=n)
            for each in from_kept.kept
            for n in range((each.last - each.first).days + 1)
        ]  # fmt: skip
        for night in set(range(COUNT)) - nights:
            keep(store, sums, night)
        drop(store)
        assert figures(report(store, sums.find)) == raw, "it stands when what was told is gone"


EVENING = [Said(place, "power", 480 + 15 * n, 50.0) for place in range(LAMPS) for n in range(40)]


def test_what_comes_late_of_a_night_is_counted_at_once_and_the_night_is_kept_anew() -> None:
    with sealed(EVENING) as store:
        sums = sums_of(store)
        for night in range(COUNT):
            assert keep(store, sums, night)
        before = report(store, sums.find)
        assert before.kept == [KeptNights(FIRST, FIRST + timedelta(days=COUNT - 1))]
        files = {path.name for path in store.kept.iterdir()}
        append(store, [Said(0, "power", 1_440 + 480 + 15 * n, 70.0) for n in range(20)])
        late = report(store, sums.find)
        assert late.whole.known_share > before.whole.known_share
        assert [(each.first, each.last) for each in late.kept] == [(FIRST + timedelta(days=n),) * 2 for n in (0, 2)]
        assert not keep(store, sums, 1), "it is not sealed yet"
        store.seal(END_US + DAY_US)
        assert [span.sound for span in sums.spans()] == [True, False, True]
        assert figures(report(store, sums.find)) == figures(late)
        assert keep(store, sums, 1)
        again = report(store, sums.find)
        assert (figures(again), again.kept) == (figures(late), before.kept)
        assert len(files & {path.name for path in store.kept.iterdir()}) == COUNT - 1, "what it was is removed"


def test_what_comes_when_the_rest_is_gone_leaves_what_is_kept_as_it_is() -> None:
    with sealed(EVENING) as store:
        sums = sums_of(store)
        for night in range(COUNT):
            keep(store, sums, night)
        raw = report(store)
        drop(store)
        append(store, [Said(0, "power", 600 + 15 * n, 700.0) for n in range(20)])
        assert figures(report(store, sums.find)) == raw
        store.seal(END_US + DAY_US)
        assert [(span.sound, span.alone) for span in sums.spans()] == [(True, True)] * COUNT
        assert not keep(store, sums, 0)
        assert figures(report(store, sums.find)) == raw


def test_another_rule_makes_nights_anew_as_long_as_what_was_told_is_there() -> None:
    with sealed(EVENING) as store:
        old = sums_of(store, "0")
        for night in range(COUNT):
            keep(store, old, night)
        sums = sums_of(store)
        assert [span.sound for span in sums.spans()] == [False] * COUNT
        assert report(store, sums.find).kept == []
        assert keep(store, sums, 1)
        drop(store)
        assert report(store, sums.find).kept == [KeptNights(FIRST, FIRST + timedelta(days=COUNT - 1))]


def test_a_crash_leaves_nothing_behind_and_what_is_old_is_erased() -> None:
    with sealed(EVENING) as store:
        sums = sums_of(store)
        keep(store, sums, 0)
        (store.kept / "energy-1-99.parquet").write_bytes(b"whole, and named by nobody")
        (store.kept / ".energy-2-9.parquet.new").write_bytes(b"cut")

        def fails() -> Kept:
            raise OSError("no room")

        with pytest.raises(OSError, match="no room"):
            sums.keep(*SPANS[1], fails)
        assert [span.start_us for span in sums.spans()] == [SPANS[0][0]]
        keep(store, sums, 1)
        assert len(list(store.kept.iterdir())) == 2
        assert sums.drop_before(SPANS[0][1] + HOUR_US) == 1
        assert [span.start_us for span in sums.spans()] == [SPANS[1][0]]
        (left,) = store.kept.iterdir()
        assert segments_damage(store, lambda done, total: None) == []
        left.write_bytes(b"")
        assert "cannot be read" in segments_damage(store, lambda done, total: None)[0]


def test_a_file_that_is_damaged_is_made_anew_or_its_night_is_left_out() -> None:
    with sealed(EVENING) as store:
        sums = sums_of(store)
        for night in range(COUNT):
            keep(store, sums, night)
        whole = report(store, sums.find)

        def damage(night: int) -> None:
            (path,) = store.kept.glob(f"energy-{SPANS[night][0]}-*")
            path.write_bytes(path.read_bytes()[:40])

        damage(1)
        again = report(store, sums.find)
        assert (figures(again), len(again.kept)) == (figures(whole), 2), "from what was reported"
        assert [span.sound for span in sums.spans()] == [True, False, True]
        assert keep(store, sums, 1)
        assert report(store, sums.find) == whole
        damage(0)
        drop(store)
        with pytest.raises(KeptUnreadable):
            report(store, sums.find)
        assert [span.start_us for span in sums.spans()] == [start_us for start_us, _ in SPANS[1:]]
        assert report(store, sums.find).kept == [KeptNights(FIRST + timedelta(days=1), FIRST + timedelta(days=2))]


def test_nights_that_follow_each_other_are_told_as_one_run() -> None:
    assert runs([], [1, 2]) == []
    assert runs([5, 1, 2], [1, 2, 3, 4, 5]) == [(0, 1), (4, 4)]
