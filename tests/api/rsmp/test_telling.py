"""What a site tells becomes readings of its junction: modes, colours, cycles; alarms as they stand and stood."""

from __future__ import annotations

from dataclasses import replace

import pytest

from vigie.api.rsmp.telling import INPUTS, SECONDS, WISHES, Telling
from vigie.core.readings import Value
from vigie.core.times import MINUTE_US, SECOND_US
from vigie.protocols.rsmp import SXLS, About, Of, Quality
from vigie.protocols.rsmp.events import AlarmState, AlarmTold, Attached, StatusTold, Step, Ticked, Told
from vigie.protocols.rsmp.timetables import tables_of
from vigie.services.signals import Junction
from vigie.services.signals.dayplans import written

ATTACHED = Attached("J", "3.2.2", "1.2.1", 0)


def status(at_us: int, **values: str | None) -> StatusTold:
    """Statuses, each named as S0014 for its value "status", or as S0001_stage."""
    told: list[Told] = []
    for key, value in values.items():
        code, _, name = key.partition("_")
        quality = Quality.UNKNOWN if value is None else Quality.RECENT
        told.append(Told(code, name or "status", value, quality))
    return StatusTold("J", "TC", at_us, tuple(told), asked=False, receipt="")


def alarm(
    code: str, at_us: int, *, active: bool = True, late: bool = False, suspended: bool = False, component: str = "TC"
) -> AlarmTold:
    priority = SXLS["1.2.1"].signals[code].priority
    state = AlarmState(active, False, suspended)
    return AlarmTold("J", component, code, About.ISSUE, at_us, state, priority, {}, late, "")


def said(telling: Telling, *events: Step) -> list[tuple[str, Value, int]]:
    found = telling.readings(events)
    assert set(found.assets) <= {"j"}
    return list(zip(found.points, found.values, found.observed_us, strict=True))


def said_points(telling: Telling, *events: Step) -> list[tuple[str, Value]]:
    return [(point, value) for point, value, _ in said(telling, *events)]


def test_what_is_wished_for_is_in_every_version_of_the_list() -> None:
    for sxl in SXLS.values():
        for code, name in (*WISHES, *INPUTS, *SECONDS):
            assert sxl.find(code, Of.CONTROLLER).argument(name)


def test_a_plan_its_cycle_a_stage_and_the_colours_of_groups() -> None:
    telling = Telling("j")
    assert said(telling, status(1, S0028="3-80,05-96", S0001_stage="2", S0001_signalgroupstatus="Bc1N0e-")) == [
        ("groups", "RFGYUS-", 1),
        ("stage", 2.0, 1),
    ]
    assert said(telling, status(2, S0014="5")) == [("plan", 5.0, 2), ("cycle_time", 96.0, 2)]
    assert said(telling, status(3, S0014="9")) == [("plan", 9.0, 3)]


def test_a_week_that_is_too_long_to_be_shown_is_cut_to_be_seen_and_proved_by_the_whole() -> None:
    days = tuple(tuple((60 * hour + day, 1 + hour % 5) for hour in range(0, 24, 2)) for day in range(7))
    week, tables = tables_of(days)
    shown, proof = said_points(Telling("j"), status(1, S0026=week, S0027=tables))
    assert len(written(days)) > 500
    assert shown == ("day_plans", f"{written(days)[:499]}…")
    assert proof == ("day_table", float(Junction.day_table.code(written(days))))


def test_who_decides_is_told_by_the_inputs_of_stages_when_it_changes_and_else_now_and_then() -> None:
    telling = Telling("j", inputs=range(3, 6))
    inputs = ("00000000", "11000100", "00100000", "00010000", "00001000", "00000000")
    told = [said(telling, status(at * SECOND_US, S0003_inputstatus=each)) for at, each in enumerate(inputs)]
    # An input of another use is nobody's stage; and that another stage is asked for is no news of who decides.
    assert [[(value, at_us) for _, value, at_us in rows] for rows in told] == [
        [("plan", 0)], [], [("adaptive", 2 * SECOND_US)], [], [], [("plan", 5 * SECOND_US)],
    ]  # fmt: skip
    assert said_points(telling, status(MINUTE_US, S0003_inputstatus="000")) == [("control", "plan")]
    assert said(Telling("j"), status(1, S0003_inputstatus="111")) == []


@pytest.mark.parametrize(
    ("on", "flash", "red", "mode"),
    [
        ("True", "False", "False", "colours"),
        ("True", "False", None, "colours"),
        ("True,True", "False,True", None, "flashing"),
        ("True", "False", "True", "all_red"),
        ("True,False", "True", None, "dark"),
        ("True", None, None, ""),
        (None, "False", "False", ""),
        (None, "True", None, "flashing"),
        ("False", None, None, "dark"),
    ],
)
def test_a_mode_is_never_guessed_to_be_colours(on: str | None, flash: str | None, red: str | None, mode: str) -> None:
    rows = said(Telling("j"), status(4, S0007=on, S0011=flash, S0012=red))
    assert [value for point, value, _ in rows if point == "mode"] == ([mode] if mode else [])
    assert mode in ("", *Junction.mode.choices)


def test_alarms_are_the_worst_fault_a_list_and_the_door() -> None:
    telling = Telling("j")
    assert said(telling, ATTACHED, alarm("A0301", 5)) == [("fault", "minor", 5), ("faults", "A0301 TC", 5)]
    assert said(telling, alarm("A0201", 6))[0] == ("fault", "major", 6)
    assert said(telling, alarm("A0201", 6)) == []
    assert said(telling, alarm("A0201", 7, suspended=True))[0] == ("fault", "minor", 7)
    assert said(telling, alarm("A0010", 8)) == [
        ("door", "open", 8),
        ("fault", "minor", 8),
        ("faults", "A0301 TC", 8),
    ]
    assert said(telling, alarm("A0301", 9, active=False)) == [("fault", "none", 9), ("faults", "", 9)]


def test_a_detector_is_faulty_while_an_alarm_of_its_logic_stands() -> None:
    telling = Telling("j")
    said(telling, ATTACHED, alarm("A0301", 5, component="KK+AG9998=001DL007"), alarm("A0304", 5, component="DL012"))
    assert telling.faulty_logics == {7, 12}
    # Neither history, nor one that nobody is to be told of, nor what is of no logic, nor another alarm.
    said(telling, alarm("A0302", 6, component="DL001", late=True), alarm("A0302", 6, component="DL002", suspended=True))
    said(telling, alarm("A0301", 6), alarm("A0301", 6, component="DL3x"), alarm("A0201", 6, component="DL003"))
    assert telling.faulty_logics == {7, 12}
    said(telling, alarm("A0304", 7, component="DL012", active=False))
    assert telling.faulty_logics == {7}


def test_what_is_history_is_told_beside_what_was_then() -> None:
    telling = Telling("j")
    said(telling, ATTACHED, alarm("A0301", 5))
    # Cut off: the door was open and shut, the fault went. The picture first, then how it came to it.
    picture = [ATTACHED, Ticked("J", 90, 0), alarm("A0301", 80, active=False), alarm("A0010", 70, active=False)]
    history = [alarm("A0010", 60, late=True), alarm("A0010", 70, active=False, late=True)]
    rows = said(telling, *picture, *history, alarm("A0301", 80, active=False, late=True))
    assert [row[1:] for row in rows if row[0] == "door"] == [("closed", 70), ("open", 60), ("closed", 70)]
    assert [value for point, value, at in rows if point == "fault" and at < 80] == ["none", "minor", "minor"]


def test_alarms_stand_as_long_as_watchdogs_come_and_what_is_told_no_more_is_gone() -> None:
    telling = Telling("j")
    said(telling, ATTACHED, alarm("A0301", 5), alarm("A0201", 6))
    assert said(telling, Ticked("J", 7, 0)) == []
    assert said(telling, Ticked("J", MINUTE_US, 0))[0] == ("fault", "major", MINUTE_US)
    assert said(telling, Ticked("J", 2 * MINUTE_US, 0)) == []
    assert said(telling, Ticked("J", 11 * MINUTE_US, 0))[0] == ("fault", "major", 11 * MINUTE_US)
    said(telling, ATTACHED, Ticked("J", 12 * MINUTE_US, 0), alarm("A0301", 5))
    assert said(telling, Ticked("J", 13 * MINUTE_US, 0))[0] == ("fault", "minor", 13 * MINUTE_US)


@pytest.mark.parametrize("active", [False, True])
def test_alarms_that_a_site_makes_up_take_bounded_room_and_hide_no_fault(*, active: bool) -> None:
    telling = Telling("j")
    said(telling, alarm("A0001", 1))
    made_up = alarm("A0301", 2, active=active)
    for number in range(1_500):
        said(telling, replace(made_up, component=f"D{number}"))
    assert len(telling._now) == 1_000
    assert telling._confirmed == telling._now.keys()
    assert ("TC", "A0001") in telling._now
    # It was held to be the worst all the time: where it ends, something changes.
    fault = dict(said_points(telling, alarm("A0001", 3, active=False)))["fault"]
    assert fault == ("minor" if active else "none")
