"""Sealed comparisons: read as they were written, refused when a byte of them is another, and what stands behind an
order is the newest of the junction as it is."""

from __future__ import annotations

import json
from datetime import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from tests.services.signals.control.sites import crossroads
from tests.services.signals.whatif.tried import garbled, tried
from vigie.core.times import DAY_US
from vigie.services.signals.control.site import Feeder
from vigie.services.signals.whatif.behind import Behind, Stands, Trial, asked_for, behind
from vigie.services.signals.whatif.sealed import FILE_BYTES_MAX, Calibration, SealBroken, read_sealed, sealed, shape_of
from vigie.services.signals.whatif.thresholds import Limit

NOW_US = 1_700_000_000_000_000
SITE = crossroads("junction-0")
TRIED = tried([SITE], NOW_US)
FILE = sealed(TRIED)
FAILS = tried([SITE], NOW_US, holds=False)
BOASTS = replace(FAILS, result=replace(FAILS.result, holds=True))


def test_what_is_sealed_is_read_as_it_was() -> None:
    _, said = read_sealed(FILE)
    assert said == tried([SITE], NOW_US)
    assert (said.to, said.at_us) == ("adaptive", NOW_US)
    assert tried([SITE], NOW_US, controller="plan", plan=4).to == "plan 4"
    assert tried([SITE], NOW_US, controller="plan").to == "", "a plan that nobody can order stands behind no order"


def test_thresholds_of_ones_own_are_not_the_usual_ones_whatever_the_file_says() -> None:
    own = replace(TRIED, thresholds={"mean_delay_s": Limit(at_most=60)})
    assert (TRIED.is_usual, own.usual, own.is_usual) == (True, True, False)
    _, said = read_sealed(sealed(own))
    assert said.result.holds, "and they are proved"


@given(st.integers(0, len(FILE) - 1), st.integers(0, 255))
def test_a_byte_that_is_another_breaks_it(at: int, byte: int) -> None:
    if FILE[at] == byte:
        return
    with pytest.raises(SealBroken):
        read_sealed(FILE[:at] + bytes([byte]) + FILE[at + 1 :])


def test_what_was_written_anew_or_is_none_is_refused() -> None:
    for data, told in (
        (json.dumps(json.loads(FILE), indent=1).encode(), "changed after it was written"),
        (FILE[:-1], "no sealed comparison"),
        (b"\xff\xfe", "no sealed comparison"),
        (b"[" * 10_000, "no sealed comparison"),
        (garbled(FILE), "no comparison"),
        (sealed(replace(TRIED, thresholds={})), "no comparison"),
        (sealed(replace(TRIED, calibration=Calibration(44, -7.0))), "no comparison"),
        (sealed(replace(TRIED, after=replace(TRIED.after, plan=10**29))), "no comparison"),
        (sealed(BOASTS), "its figures do not show it"),
        (sealed(replace(TRIED, result=replace(TRIED.result, thresholds=()))), "its figures do not show it"),
        (sealed(replace(TRIED, result=replace(TRIED.result, figures=()), usual=False)), "its figures do not show it"),
        (b" " * (FILE_BYTES_MAX + 1), "more than 1 MiB"),
        (sealed(replace(tried([SITE], NOW_US), format="vigie.comparison.9")), "form 'vigie.comparison.9'"),
        (sealed(replace(TRIED, at=datetime.fromisoformat("0001-01-01T00:00:00+14:00"))), "which no clock says"),
        (sealed(replace(TRIED, at=datetime.fromisoformat("1999-12-31T23:59:59Z"))), "which no clock says"),
    ):
        with pytest.raises(SealBroken, match=told):
            read_sealed(data)


def test_a_junction_is_the_same_under_another_name_and_another_with_another_time() -> None:
    own = shape_of(SITE)
    feeder = Feeder("next", "lane", 0.5, (0,), 30)
    assert shape_of(crossroads("another", (feeder,))) == own
    junction = SITE.junction
    groups = tuple(replace(each, name=f"Nord {n}") for n, each in enumerate(junction.groups))
    assert shape_of(replace(SITE, junction=replace(junction, groups=groups))) == own
    longer = tuple(replace(each, green_min_s=each.green_min_s + 1) for each in junction.groups)
    assert shape_of(replace(SITE, junction=replace(junction, groups=longer))) != own


TRIALS = st.lists(
    st.builds(
        Trial, st.text("abc", min_size=1), st.sampled_from(["own", "other"]),
        st.integers(NOW_US - 200 * DAY_US, NOW_US), st.booleans(),
    ),
    max_size=5,
)  # fmt: skip


@given(TRIALS, st.sampled_from(["own", None]), st.integers(1, 200))
def test_the_newest_of_the_junction_as_it_is_counts_and_no_better_one(
    trials: list[Trial], shape: str | None, days: int
) -> None:
    trials.sort(key=lambda each: -each.at_us)
    found = behind(trials, shape, NOW_US, days)
    own = [each for each in trials if each.shape == shape]
    if not own:
        assert found == (Behind(Stands.OTHER, trials[0]) if trials else Behind(Stands.NONE))
        return
    fresh = own[0].at_us >= NOW_US - days * DAY_US
    assert found.trial is own[0]
    assert found.stands is (Stands.OLD if not fresh else Stands.PASSES if own[0].holds else Stands.FAILS)


def test_the_ways_back_ask_for_nothing() -> None:
    assert asked_for({"control": "adaptive"}) == "adaptive"
    assert asked_for({"plan": 4.0}) == "plan 4"
    for back in ({"control": "plan"}, {"mode": "flashing"}, {"mode": "colours"}, {}):
        assert asked_for(back) == ""
