"""What a junction tells second by second, and the inputs that its stages are asked for by."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.protocols.rsmp.pair import ENROLMENT, MAIN, SETUP, Pair
from tests.protocols.rsmp.standard import Standard
from vigie.protocols.rsmp import SXLS, Moment, Rate, Supervisor, Way
from vigie.protocols.rsmp.events import Fate, Ordered, Settled, StatusTold
from vigie.protocols.rsmp.inputs import INPUT_MAX, active, read, standing, written
from vigie.protocols.rsmp.times import stamp

LIVE = frozenset({"S0205", "S0207"})
WISHES = {
    ("S0001", "signalgroupstatus"): Rate(60),
    ("S0205", "start"): Rate(1),
    ("S0205", "vehicles"): Rate(1),
    ("S0207", "occupancy"): Rate(1),
}
NUMBERS = st.integers(1, INPUT_MAX)


@pytest.mark.parametrize(
    ("said", "on", "off"),
    [("3,4134,65", {4, 5, 8, 15}, {3, 9}), ("12,1,4", {12}, {14}), ("3,4134,65;12,1,4", {4, 5, 8, 12, 15}, {3, 9, 14})],
)
def test_inputs_are_set_as_the_list_gives_examples(said: str, on: set[int], off: set[int]) -> None:
    assert read(said) == (on, off)


@given(st.dictionaries(NUMBERS, st.booleans(), min_size=1))
def test_what_is_written_is_read_and_stands(wanted: dict[int, bool]) -> None:
    on, off = ({number for number, said in wanted.items() if said is which} for which in (True, False))
    said = written(on, off)
    assert read(said) == (on, off)
    assert all(int(part) < 1 << 16 for block in said.split(";") for part in block.split(","))
    assert active(standing(on, INPUT_MAX)) == on


@pytest.mark.parametrize("wrong", ["", "1", "1,2", "a,1,1", "1,65536,0", "0,1,0", "250,65535,0", "1,-1,0", "1,3,1"])
def test_what_sets_no_inputs_there_are_is_refused(wrong: str) -> None:
    with pytest.raises(ValueError, match="input"):
        read(wrong)
    with pytest.raises(ValueError, match="inputs"):
        written({1}, {1})


@pytest.mark.parametrize("sxl", SXLS)
def test_seconds_are_acknowledged_as_they_come_and_what_comes_with_them_is_kept(rsmp: Standard, sxl: str) -> None:
    pair = Pair(rsmp, replace(SETUP, sxl=sxl), Supervisor([ENROLMENT], seed="post", live=LIVE))
    pair.observe("S0001", signalgroupstatus="BB")
    pair.observe("S0207", occupancy="0,0")
    pair.observe("S0205", start=stamp(pair.now.clock_us), vehicles="0,0")
    pair.connect()
    pair.keeps = False
    pair.supervisor.want("J-1", MAIN, WISHES)
    assert pair.link is not None
    before, owed = len(pair.told(StatusTold)), pair.link.owed
    pair.post(pair.link.follow(pair.now))
    pair.pump()
    for second in range(3):
        pair.wait(1)
        start = stamp(pair.now.clock_us)
        statuses = {
            "S0001": {"signalgroupstatus": "1B" if second < 2 else "BB"},
            "S0207": {"occupancy": "0,40"},
            "S0205": {"start": start, "vehicles": "1,0"},
        }
        pair.box(pair.site.observe_all(MAIN, statuses, pair.now))
        pair.pump()
    told = pair.told(StatusTold)[before:]
    of_seconds = [each for each in told if any(one.name == "start" and one.value for one in each.values)]
    assert len({one.value for each in of_seconds for one in each.values if one.name == "start"}) == 4
    # The first and the last came with colours, which somebody keeps.
    assert [bool(each.receipt) for each in told] == [any(one.code == "S0001" for one in each.values) for each in told]
    assert pair.link.owed == owed + sum(bool(each.receipt) for each in told)
    assert 0 < pair.link.owed < len(told)


@pytest.mark.parametrize("sxl", SXLS)
def test_a_stage_is_asked_for_by_inputs_in_each_version_of_the_list(rsmp: Standard, sxl: str) -> None:
    pair = Pair(rsmp, replace(SETUP, sxl=sxl)).connect()
    assert {Way.INPUTS, Way.INPUT} <= pair.supervisor.sites["J-1"].acts().keys()
    pair.order("M0013", status=written({3}, {1, 2, 4}))
    assert [each.fate for each in pair.told(Settled)] == [Fate.DONE]
    ordered = [each for each in pair.learnt if isinstance(each, Ordered)]
    assert read(ordered[0].commands["M0013"]["status"]) == ({3}, {1, 2, 4})
    lesser = Pair(rsmp, replace(SETUP, sxl=sxl, without=frozenset({"M0013"}))).connect()
    lesser.order("M0013", status=written({3}, {1, 2, 4}))
    assert [each.fate for each in lesser.told(Settled)] == [Fate.REFUSED]
    acts = lesser.supervisor.sites["J-1"].acts()
    assert Way.INPUTS not in acts
    assert acts[Way.INPUT].command == "M0006"


@pytest.mark.parametrize("sxl", SXLS)
def test_what_is_counted_by_the_minute_is_measured_when_it_is_told_and_is_kept(rsmp: Standard, sxl: str) -> None:
    pair = Pair(rsmp, replace(SETUP, sxl=sxl), Supervisor([ENROLMENT], seed="post", live=LIVE))
    start, asked = stamp(pair.now.clock_us), list[str]()
    pair.observe("S0205", start=start, vehicles="0,0")

    def measured(code: str, moment: Moment) -> dict[str, str]:
        asked.append(code)
        return {"start": start, "vehicles": f"{len(asked)},0"}

    pair.site.measured = measured
    pair.connect()
    assert pair.link is not None
    pair.supervisor.want("J-1", MAIN, {("S0205", name): Rate(60, on_change=False) for name in ("start", "vehicles")})
    pair.post(pair.link.follow(pair.now))
    pair.pump()
    before = len(pair.told(StatusTold))
    pair.wait(125)
    told = pair.told(StatusTold)[before:]
    assert [one.value for each in told for one in each.values if one.name == "vehicles"] == ["1,0", "2,0"]
    assert asked == ["S0205", "S0205"]
    assert all(each.receipt for each in told), "it is of a minute, and somebody keeps it"
