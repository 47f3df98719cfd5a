"""Instants and identities."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.ids import effect_id, uuid7
from vigie.core.times import DAY_US, day_of, from_us, rfc3339, to_us

instants = st.integers(to_us(datetime(1900, 1, 1, tzinfo=UTC)), to_us(datetime(9999, 1, 1, tzinfo=UTC)))
since_epoch = st.integers(0, to_us(datetime(9999, 1, 1, tzinfo=UTC)))


@given(instants)
def test_no_microsecond_is_lost(instant_us: int) -> None:
    assert to_us(from_us(instant_us)) == instant_us
    assert to_us(datetime.fromisoformat(rfc3339(instant_us))) == instant_us


@given(instants, st.integers(-14 * 60, 14 * 60))
def test_an_instant_is_the_same_in_every_zone(instant_us: int, offset_min: int) -> None:
    there = from_us(instant_us).astimezone(timezone(timedelta(minutes=offset_min)))
    assert to_us(there) == instant_us


@given(instants, instants)
def test_texts_and_days_sort_as_time_does(one_us: int, other_us: int) -> None:
    assert (rfc3339(one_us) < rfc3339(other_us)) == (one_us < other_us)
    assert (day_of(one_us) < day_of(other_us)) == (one_us // DAY_US < other_us // DAY_US)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="zone"):
        to_us(datetime(2026, 11, 24))  # noqa: DTZ001


def test_the_text_is_that_of_the_rfc() -> None:
    assert rfc3339(0) == "1970-01-01T00:00:00.000000Z"
    assert day_of(DAY_US - 1) == "1970-01-01"


@given(since_epoch, st.binary(min_size=10, max_size=32))
def test_a_uuid7_has_its_version_its_variant_and_its_millisecond(now_us: int, random: bytes) -> None:
    made = uuid7(now_us, random)
    assert made.version == 7
    assert made.variant == "specified in RFC 4122"
    assert made.int >> 80 == now_us // 1_000


@given(since_epoch, since_epoch, st.binary(min_size=10, max_size=10), st.binary(min_size=10, max_size=10))
def test_ids_sort_by_time(one_us: int, other_us: int, one: bytes, other: bytes) -> None:
    if one_us // 1_000 < other_us // 1_000:
        assert str(uuid7(one_us, one)) < str(uuid7(other_us, other))


def test_the_example_of_the_rfc() -> None:
    """RFC 9562, appendix A.6."""
    random = (0xCC3 << 64 | 0x18C4DC0C0C07398F).to_bytes(10)
    assert str(uuid7(0x017F22E279B0 * 1_000, random)) == "017f22e2-79b0-7cc3-98c4-dc0c0c07398f"


effects = st.tuples(since_epoch, st.text("ab", max_size=2), st.integers(0, 9), st.text("xy", max_size=2), st.integers())


@given(effects, effects)
def test_an_effect_has_one_id_and_no_other_effect_has_it(one, other) -> None:
    assert effect_id(*one) == effect_id(*one)
    if one[1:] != other[1:]:
        assert effect_id(*one) != effect_id(*other)
