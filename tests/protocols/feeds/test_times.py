"""Local times become instants: clock changes, mixed zones, and nothing decided in silence."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.times import HOUR_US, MINUTE_US, from_us, to_us
from vigie.protocols.feeds.limits import FeedError
from vigie.protocols.feeds.mapping import Skipped, TimeRule, Twice
from vigie.protocols.feeds.times import Times, read_times

BERLIN = "Europe/Berlin"
_CASES = ("plain", "with_offset", "twice_first", "twice_second", "twice_assumed", "skipped", "other_zone", "refused")


def read(*texts: str, keys: str = "", zone: str = BERLIN, **rule: object) -> tuple[list[str], Times]:
    """Each instant as UTC to the minute, or the first word of its refusal."""
    instants, times = read_times(texts, list(keys or "a" * len(texts)), TimeRule(text="{t}", **rule), zone)  # type: ignore[arg-type]
    assert sum(getattr(times, name) for name in _CASES) == len(texts)
    return [from_us(each).strftime("%d %H:%M") if isinstance(each, int) else "no" for each in instants], times


def test_summer_and_winter_have_their_own_offset() -> None:
    told, times = read("2024-01-15 12:00", "2024-07-15 12:00", "2024-07-15T12:00:00+00:00")
    assert told == ["15 11:00", "15 10:00", "15 12:00"]
    assert (times.plain, times.with_offset) == (2, 1)


def test_the_hour_that_does_not_exist_is_refused_unless_the_publisher_changed_late() -> None:
    night = ("2024-03-31 01:00", "2024-03-31 02:00", "2024-03-31 04:00")
    assert read(*night)[0] == ["31 00:00", "no", "31 02:00"]
    told, times = read(*night, skipped=Skipped.BEFORE)
    assert told == ["31 00:00", "31 01:00", "31 02:00"], "three hours in a row"
    assert times.skipped == 1


def test_the_hour_that_comes_twice_is_told_by_the_order_of_each_asset() -> None:
    texts = ["2024-10-27 02:00"] * 2 + ["2024-10-27 02:30"] * 2 + ["2024-10-27 02:00"] * 2 + ["2024-10-27 03:00"] * 2
    told, times = read(*texts, keys="abababab")
    assert told == ["27 00:00"] * 2 + ["27 00:30"] * 2 + ["27 01:00"] * 2 + ["27 02:00"] * 2
    assert (times.twice_first, times.twice_second, times.twice_assumed) == (4, 2, 0)


def test_a_feed_that_is_written_newest_first_is_read_so() -> None:
    told, _ = read("2024-10-27 03:00", "2024-10-27 02:00", "2024-10-27 02:00", "2024-10-27 01:00")
    assert told == ["27 02:00", "27 01:00", "27 00:00", "26 23:00"]


def test_where_nothing_goes_back_the_first_hour_is_assumed_and_said_so() -> None:
    told, times = read("2024-10-27 02:00", "2024-10-27 03:00")
    assert told == ["27 00:00", "27 02:00"]
    assert (times.twice_assumed, times.twice_first) == (1, 0)


@pytest.mark.parametrize(("how", "told"), [(Twice.FIRST, "27 00:00"), (Twice.SECOND, "27 01:00"), (Twice.REJECT, "no")])
def test_a_mapping_may_decide_the_hour_that_comes_twice(how: Twice, told: str) -> None:
    assert read("2024-10-27 02:00", twice=how)[0] == [told]


def test_what_was_counted_in_an_interval_is_known_at_its_end() -> None:
    told, _ = read("31.03.2024 1", "31.03.2024 4", format="%d.%m.%Y %H", covers_s=3600)
    assert told == ["31 01:00", "31 03:00"]


@pytest.mark.parametrize("text", ["", "31.02.2024", "soon", "2024-13-01", "0001-01-01T00:00:00+23:59"])
def test_what_is_no_time_is_refused(text: str) -> None:
    told, times = read(text)
    assert (told, times.refused) == (["no"], 1)


def test_a_zone_that_nobody_knows_is_an_error() -> None:
    with pytest.raises(FeedError, match="no time zone"):
        read("2024-01-01", zone="Europe/Dijon")


def mixed(*texts: str) -> tuple[list[str], Times]:
    return read(*texts, zone="UTC", other_zone="Europe/Paris")


def test_a_batch_that_is_later_than_the_next_was_written_in_the_other_zone() -> None:
    told, times = mixed("2021-10-10T17:26:52", "2021-10-10T17:26:52", "2021-10-10T15:28:29", "2021-10-10T15:45:03")
    assert told == ["10 15:26", "10 15:26", "10 15:28", "10 15:45"]
    assert (times.other_zone, times.plain, times.pauses) == (2, 2, 0)


def test_what_fits_in_neither_zone_is_refused_and_spoils_nothing() -> None:
    told, times = mixed("2021-10-10T15:00", "2021-10-10T23:00", "2021-10-10T15:20")
    assert told == ["10 15:00", "no", "10 15:20"]
    assert times.refused == 1


def test_a_pause_in_which_the_other_zone_could_hide_is_counted() -> None:
    assert mixed("2021-10-10T10:00", "2021-10-10T12:00", "2021-10-10T12:20")[1].pauses == 1
    assert mixed("2021-10-10T10:00", "2021-10-10T11:59", "2021-10-10T12:20")[1].pauses == 0


@given(
    start=st.integers(0, 2 * 365 * 24 * 60),
    steps=st.lists(st.integers(1, 59), min_size=2, max_size=40),
    odd=st.data(),
)
def test_runs_of_the_other_zone_are_all_found_where_no_pause_is_long(
    start: int, steps: list[int], odd: st.DataObject
) -> None:
    """Batches at most an hour apart, any of them but the last written as local time of Paris."""
    instants = [to_us(datetime(2021, 1, 1, tzinfo=UTC)) + start * MINUTE_US]
    for step in steps:
        instants.append(instants[-1] + step * MINUTE_US)
    local = odd.draw(st.lists(st.booleans(), min_size=len(steps), max_size=len(steps)))
    paris = ZoneInfo("Europe/Paris")
    texts: list[str] = []
    for at, in_paris in zip(instants, [*local, False], strict=True):
        there = from_us(at).astimezone(paris if in_paris else UTC)
        texts.append(there.replace(tzinfo=None).isoformat())
    rule = TimeRule(text="{t}", zone="UTC", other_zone="Europe/Paris")
    read_, times = read_times(texts, texts, rule, "Europe/Paris")
    changes = any(from_us(at).astimezone(paris).dst() != from_us(at + 3 * HOUR_US).astimezone(paris).dst()
                  for at in (instants[0] - 3 * HOUR_US, instants[-1]))  # fmt: skip
    if not changes:
        assert read_ == instants
        assert times.other_zone == sum(local)


@given(
    hours=st.lists(st.integers(0, 24 * 366), min_size=1, max_size=30, unique=True),
    zone=st.sampled_from([BERLIN, "America/Chicago", "Australia/Lord_Howe", "UTC"]),
)
def test_every_hour_of_a_year_written_in_local_time_and_in_order_is_read_back(hours: list[int], zone: str) -> None:
    """But the hour that comes twice, where its first is missing: it is assumed, and counted."""
    first = to_us(datetime(2024, 1, 1, tzinfo=UTC))
    instants = [first + hour * HOUR_US for hour in sorted(hours)]
    texts = [from_us(at).astimezone(ZoneInfo(zone)).replace(tzinfo=None).isoformat() for at in instants]
    told, times = read_times(texts, ["a"] * len(texts), TimeRule(text="{t}"), zone)
    assert times.refused == times.skipped == 0
    wrong = [at for at, read_ in zip(instants, told, strict=True) if read_ != at]
    assert len(wrong) <= times.twice_assumed
    assert all(timedelta(0) < timedelta(microseconds=at - told[instants.index(at)]) for at in wrong)  # type: ignore[operator]
