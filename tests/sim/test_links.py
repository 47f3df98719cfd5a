"""Links that fail lose only what they say they lose, and do the same to the same readings each time."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.times import SECOND_US
from vigie.sim import links as module
from vigie.sim.links import FLAWLESS, Faults, Links
from vigie.sim.roll import Rows

START_US = 1_795_500_000_000_000
TICK_US = 10 * SECOND_US
REPORTER = np.array([0, 1, 1, 1, 2, 2, 3])
"""Six devices on three gateways; nobody has number 0."""

FAULTS = st.builds(
    Faults,
    lost=st.sampled_from([0.0, 0.2]),
    late=st.sampled_from([0.0, 0.5]),
    delay_s=st.sampled_from([15.0, 100.0]),
    twice=st.sampled_from([0.0, 0.3]),
    shuffled=st.sampled_from([0.0, 1.0]),
    request_lost=st.sampled_from([0.0, 0.5]),
    answer_lost=st.sampled_from([0.0, 0.5]),
    outage=st.sampled_from([0.0, 1.0]),
    dead=st.sampled_from([0.0, 0.3]),
)


def said(tick: int) -> Rows:
    """What six devices say of one point in a tick: each once a second."""
    asset = np.tile(np.arange(1, 7), 10)
    at_us = START_US + tick * TICK_US + np.repeat(np.arange(10), 6) * SECOND_US
    value = asset * 1_000.0 + np.repeat(np.arange(10), 6) + tick * 10
    return Rows(asset, np.ones(60, np.int64), at_us, value, np.full(60, np.nan), at_us)


def told_apart(rows: Rows) -> Counter[tuple[int, float]]:
    """Readings by device and value, which is another one each time."""
    return Counter(zip(rows.asset.tolist(), rows.value.tolist(), strict=True))


@given(seed=st.integers(0, 1_000), faults=FAULTS)
def test_every_reading_is_lost_dropped_kept_or_known_to_be_there(seed: int, faults: Faults) -> None:
    links, told = Links(seed, faults, REPORTER), 0
    seen: Counter[tuple[int, float]] = Counter()
    for tick in range(20):
        now_us = START_US + (tick + 1) * TICK_US
        links.hear(said(tick))
        sent = links.send(now_us)
        assert (sent.heard_us <= now_us).all()
        acknowledged = links.acknowledge(now_us)
        assert told_apart(acknowledged) <= told_apart(sent)
        told += len(acknowledged)
        seen += told_apart(acknowledged)
    counts = links.counts
    assert counts["said"] == 1_200
    assert 1_200 - counts["lost"] - counts["silent"] + counts["twice"] == told + links.waiting + counts["dropped"]
    assert max(seen.values(), default=0) <= (2 if faults.twice else 1)


@given(seed=st.integers(0, 1_000), faults=FAULTS)
def test_the_same_seed_does_the_same_to_the_same_readings(seed: int, faults: Faults) -> None:
    first, again = Links(seed, faults, REPORTER), Links(seed, faults, REPORTER)
    for tick in range(5):
        now_us = START_US + (tick + 1) * TICK_US
        for links in (first, again):
            links.hear(said(tick))
        for one, other in zip(
            (first.send(now_us), first.acknowledge(now_us)),
            (again.send(now_us), again.acknowledge(now_us)),
            strict=True,
        ):
            assert np.array_equal(one.value, other.value)
            assert np.array_equal(one.observed_us, other.observed_us)


def test_flawless_links_bring_all_at_once_in_order() -> None:
    links, rows = Links(1, FLAWLESS, REPORTER), said(0)
    links.hear(rows)
    sent = links.send(START_US + TICK_US)
    assert np.array_equal(sent.value, rows.value)
    assert np.array_equal(sent.observed_us, rows.observed_us)
    assert len(links.acknowledge(START_US + TICK_US)) == 60
    assert links.waiting == 0


def test_what_is_not_answered_is_sent_again() -> None:
    links = Links(1, replace(FLAWLESS, answer_lost=1.0), REPORTER)
    links.hear(said(0))
    for tick in (1, 2, 3):
        assert told_apart(links.send(START_US + tick * TICK_US)) == told_apart(said(0))
        assert not len(links.acknowledge(START_US + tick * TICK_US))


def test_a_gateway_that_is_cut_off_keeps_the_newest(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "ROWS_KEPT_MAX", 10)
    links = Links(1, replace(FLAWLESS, request_lost=1.0), REPORTER)
    links.hear(said(0))
    assert not len(links.send(START_US + TICK_US))
    links.acknowledge(START_US + TICK_US)
    assert links.counts["dropped"] == 60 - 3 * 10
    links.faults = replace(FLAWLESS, request_lost=0.0)
    kept = links.send(START_US + 2 * TICK_US)
    for gateway in (1, 2, 3):
        own = said(0).take(REPORTER[said(0).asset] == gateway)
        assert kept.take(REPORTER[kept.asset] == gateway).value.tolist() == own.value[-10:].tolist()


def test_clocks_are_wrong_by_as_much_as_is_said_and_always_by_the_same() -> None:
    reporter = np.repeat(np.arange(1, 401), 50)
    skew_us = Links(1, Faults(gateway_skew_s=5.0, device_skew_s=0.5), reporter).skew_us
    of_gateways = skew_us.reshape(400, 50).mean(1)
    assert 4.0 < of_gateways.std() / SECOND_US < 6.0
    assert 0.4 < (skew_us.reshape(400, 50) - of_gateways[:, None]).std() / SECOND_US < 0.6
    assert not Links(1, FLAWLESS, reporter).skew_us.any()


def test_a_few_clocks_are_wrong_for_good_by_minutes_or_hours_either_way() -> None:
    skew_us = Links(3, replace(FLAWLESS, astray=0.01), np.ones(34_000, np.int64)).skew_us
    wrong = skew_us[skew_us != 0] / SECOND_US
    assert 280 < len(wrong) < 400
    assert 60 <= np.abs(wrong).min() < np.median(np.abs(wrong)) < 3_600 < np.abs(wrong).max() <= 14_400
    assert 0.4 < (wrong > 0).mean() < 0.6
