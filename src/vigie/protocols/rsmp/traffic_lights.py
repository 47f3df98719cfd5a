"""The signal exchange list of traffic-light controllers, versions 1.0.15 to 1.2.1, and by which of its orders control
can act.

Source: the list of the RSMP Nordic partnership. M0010 to M0012, which would order signal groups, are reserved there in
each of these versions: named, and specified nowhere.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from vigie.protocols.rsmp.lists import CODE, Argument, Form, Of, Signal, Sxl

V1_0, V1_1, V1_2 = "1.0.15", "1.1.0", "1.2.1"

_C, _G, _D = Of.CONTROLLER, Of.GROUP, Of.DETECTOR
_WORD_MAX = 65_535
_MANY_MAX = 65_025


def _integer(name: str, least: int, most: int, *, since: str = "", until: str = "", optional: bool = False) -> Argument:
    return Argument(name, Form.INTEGER, least, most, optional=optional, since=since, until=until)


def _integers(name: str, least: int, most: int, *, since: str = "", until: str = "") -> Argument:
    return Argument(name, Form.INTEGERS, least, most, since=since, until=until)


def _text(
    name: str, *words: str, pattern: str = "", since: str = "", until: str = "", optional: bool = False
) -> Argument:
    return Argument(
        name, words=frozenset(words), pattern=pattern, since=since, until=until, optional=optional
    )  # fmt: skip


def _flag(name: str) -> Argument:
    return Argument(name, Form.BOOLEAN)


def _when(name: str) -> Argument:
    return Argument(name, Form.TIMESTAMP)


_SOURCES = frozenset({"operator_panel", "calendar_clock", "control_block", "forced", "startup", "other"})
_INTERSECTION = _integers("intersection", 0, 255)
_SOURCE = Argument("source", words=_SOURCES, since=V1_1)
_EACH_SOURCE = Argument("source", Form.TEXTS, words=_SOURCES, since=V1_1)
_SECRET = Argument(CODE)


def _mode(code: str) -> Signal:
    """A mode that each intersection of a controller is in or not."""
    return Signal(code, _C, (_INTERSECTION, Argument("status", Form.BOOLEANS), _EACH_SOURCE))


def _plain(code: str, *arguments: Argument, of: Of = _C, since: str = "", until: str = "") -> Signal:
    return Signal(code, of, arguments or (_text("status"),), since=since, until=until)


_CLASSES = ("P", "PS", "L", "LS", "B", "SP", "MC", "C", "F")
"""Cars, cars with trailers, lorries, lorries with trailers, buses, trams, motor cycles, cycles, pedestrians."""


def _counted(code: str, *names: str, most: int = _WORD_MAX) -> Signal:
    """Counts of all detectors at once: in 1.0 any text, later a list of integers, -1 where nothing is measured."""
    both = ((_text(each, until=V1_0), _integers(each, -1, most, since=V1_1)) for each in names)
    return Signal(code, _C, (_when("start"), *(one for pair in both for one in pair)))


def _counted_at_one(code: str, *names: str, most: int = _WORD_MAX) -> Signal:
    return Signal(code, _D, (_when("starttime"), *(_integer(each, 0, most) for each in names)))


_CLOCK = (
    _integer("year", 0, 9999), _integer("month", 1, 12), _integer("day", 1, 31), _integer("hour", 0, 23),
    _integer("minute", 0, 59), _integer("second", 0, 59),
)  # fmt: skip

_PRIORITIES = Argument(
    "status", Form.RECORDS, fields=(
        _text("r"), _when("t"),
        _text("s", "received", "queued", "activated", "completed", "timeout", "rejected", "cooldown", "stale"),
        _integer("e", 0, 255, optional=True), _integer("d", 0, 255, optional=True),
    ),
)  # fmt: skip


def _user(code: str) -> Signal:
    """Who is logged in: a name until 1.0, a level since."""
    return Signal(code, _C, (_text("user", until=V1_0), _text("status", "login", "logout", until=V1_0),
                             Argument("user", Form.INTEGER, words=frozenset("012"), since=V1_1)))  # fmt: skip


STATUSES: tuple[Signal, ...] = (
    _plain("S0001", _text("signalgroupstatus", pattern="[a-hA-G0-9N-P]*"), _integer("cyclecounter", 0, 999),
           _integer("basecyclecounter", 0, 999), _integer("stage", 0, 999)),
    _plain("S0002", _text("detectorlogicstatus")),
    _plain("S0003", _text("inputstatus"), _text("extendedinputstatus", until=V1_1)),
    _plain("S0004", _text("outputstatus"), _text("extendedoutputstatus", until=V1_1)),
    _plain("S0005", _flag("status"), Argument("statusByIntersection", Form.RECORDS, since=V1_2,
                                              fields=(_integer("intersection", 0, 255), _flag("startup")))),
    _plain("S0006", _flag("status"), _integer("emergencystage", 1, 255, until=V1_0),
           _integer("emergencystage", 0, 255, since=V1_1)),
    _mode("S0007"), _mode("S0008"), _mode("S0009"), _mode("S0010"), _mode("S0011"), _mode("S0012"),
    _plain("S0013", _INTERSECTION, Argument("status", Form.INTEGERS, words=frozenset("012"), until=V1_0),
           Argument("status", Form.INTEGERS, words=frozenset("0123"), since=V1_1)),
    _plain("S0014", _integer("status", 1, 255), _SOURCE),
    _plain("S0015", _integer("status", 1, 255), _SOURCE),
    _plain("S0016", _integer("number", 1, _MANY_MAX)),
    _plain("S0017", _integer("number", 1, _MANY_MAX)),
    _plain("S0018", _integer("number", 1, _MANY_MAX), until=V1_1),
    _plain("S0019", _integer("number", 1, _MANY_MAX)),
    _plain("S0020", _INTERSECTION, Argument("controlmode", Form.TEXTS, words=frozenset(
        {"startup", "control", "standby", "failure", "test"}))),
    _plain("S0021", _text("detectorlogics", pattern="[01]*")),
    _plain("S0022"),
    _plain("S0023", _text("status", pattern=r"(\d{1,2}-\d{1,2}-\d{1,2}(,\d{1,2}-\d{1,2}-\d{1,2})*)?")),
    _plain("S0024", _text("status", pattern=r"\d{1,2}-\d{1,2}(,\d{1,2}-\d{1,2})*", until=V1_0),
           _text("status", pattern=r"\d{1,3}-\d{1,3}(,\d{1,3}-\d{1,3})*", since=V1_1)),
    _plain("S0025", _when("minToGEstimate"), _when("maxToGEstimate"), _when("likelyToGEstimate"),
           _integer("ToGConfidence", 0, 100), _when("minToREstimate"), _when("maxToREstimate"),
           _when("likelyToREstimate"), _integer("ToRConfidence", 0, 100), of=_G),
    _plain("S0026"), _plain("S0027"), _plain("S0028"), _plain("S0029"), _plain("S0030"), _plain("S0031"),
    _plain("S0032", _INTERSECTION, Argument("status", Form.TEXTS, words=frozenset({"local", "centralized", "off"})),
           _EACH_SOURCE, since=V1_1),
    _plain("S0033", _PRIORITIES, since=V1_1),
    _plain("S0034", _integer("status", 0, _WORD_MAX), since=V1_1),
    _plain("S0035", Argument("emergencyroutes", Form.RECORDS, fields=(_integer("id", 1, 255),)), since=V1_2),
    _user("S0091"), _user("S0092"),
    _plain("S0095"),
    _plain("S0096", *_CLOCK),
    _plain("S0097", _text("checksum"), _when("timestamp")),
    _plain("S0098", Argument("config", Form.BASE64), _when("timestamp"), _text("version")),
    _counted_at_one("S0201", "vehicles"), _counted_at_one("S0202", "speed"),
    _counted_at_one("S0203", "occupancy", most=100), _counted_at_one("S0204", *_CLASSES),
    _counted("S0205", "vehicles"), _counted("S0206", "speed"), _counted("S0207", "occupancy", most=100),
    _counted("S0208", *_CLASSES),
)  # fmt: skip


def _order(code: str, verb: str, *arguments: Argument, of: Of = _C, reserved: bool = False, since: str = "") -> Signal:
    """A command that wants security code 2, as nearly all do."""
    return Signal(code, of, (*arguments, _SECRET), verb, 2, reserved=reserved, since=since)


COMMANDS: tuple[Signal, ...] = (
    # In 1.0 time and intersection may be lists.
    _order("M0001", "setValue", _text("status", "NormalControl", "YellowFlash", "Dark"),
           _integers("timeout", 0, 1440, until=V1_0), _integers("intersection", 0, 255, until=V1_0),
           _integer("timeout", 0, 1440, since=V1_1), _integer("intersection", 0, 255, since=V1_1)),
    _order("M0002", "setPlan", _flag("status"), _integer("timeplan", 1, 255)),
    # The list spells it so.
    _order("M0003", "setTrafficSituation", _flag("status"), _integer("traficsituation", 1, 255)),
    _order("M0004", "setRestart", _flag("status")),
    _order("M0005", "setEmergency", _flag("status"), _integer("emergencyroute", 1, 255)),
    _order("M0006", "setInput", _flag("status"), _integer("input", 1, 255)),
    _order("M0007", "setFixedTime", _flag("status")),
    _order("M0008", "setForceDetectorLogic", _flag("status"), _flag("mode"), of=_D),
    _order("M0010", "setStart", _flag("status"), of=_G, reserved=True),
    _order("M0011", "setStop", _flag("status"), of=_G, reserved=True),
    _order("M0012", "setStart", _text("status"), reserved=True),
    _order("M0013", "setInput", _text("status")),
    _order("M0014", "setCommands", _integer("plan", 0, 255), _text("status")),
    _order("M0015", "setOffset", _integer("status", 0, 255), _integer("plan", 0, 255)),
    _order("M0016", "setWeekTable", _text("status")),
    _order("M0017", "setTimeTable", _text("status")),
    _order("M0018", "setCycleTime", _integer("status", 1, 255), _integer("plan", 0, 255)),
    _order("M0019", "setInput", _flag("status"), _integer("input", 1, 255), _flag("inputValue")),
    _order("M0020", "setOutput", _flag("status"), _integer("output", 1, 255), _flag("outputValue")),
    _order("M0021", "setLevel", _text("status")),
    Signal("M0022", _C, (
        _text("requestId"), _text("signalGroupId", optional=True), _integer("inputId", 0, 255, optional=True),
        _integer("connectionId", 0, 255, optional=True), _integer("approachId", 0, 16, optional=True),
        _integer("laneInId", 0, 255, optional=True), _integer("laneOutId", 0, 255, optional=True),
        _integer("priorityId", 0, 255, optional=True), _text("type", "new", "update", "cancel"),
        _integer("level", 0, 14), _integer("eta", 0, 255, optional=True),
        _text("vehicleType", "pedestrian", "bicycle", "motorcycle", "car", "bus", "lightTruck", "heavyTruck", "tram",
              "emergency", "safetyCar", "specialTransport", "other", optional=True),
    ), "requestPriority", since=V1_1),
    _order("M0023", "setTimeout", _integer("status", 0, _WORD_MAX), since=V1_1),
    Signal("M0103", _C, (_text("status", "Level1", "Level2"), _text("oldSecurityCode"), _text("newSecurityCode")),
           "setSecurityCode"),
    Signal("M0104", _C, (_SECRET, *_CLOCK), "setDate", 1),
)  # fmt: skip


def _alarm(code: str, of: Of, priority: int, *arguments: Argument, since: str = "") -> Signal:
    return Signal(code, of, arguments, priority=priority, since=since)


_COLOUR = _text("color", "red", "yellow", "green")
_DETECTOR = (_text("detector"), _text("type", "loop", "input"), _text("errormode", "on", "off"), _flag("manual"))
_LOGIC = (*_DETECTOR, _text("logicerror", "always_off", "always_on", "intermittent"))

ALARMS: tuple[Signal, ...] = (
    _alarm("A0001", _C, 2), _alarm("A0002", _C, 3), _alarm("A0003", _C, 2), _alarm("A0004", _C, 3),
    _alarm("A0005", _C, 3), _alarm("A0006", _C, 2),
    _alarm("A0007", _C, 3, _text("protocol", "rsmp", "ntp", since=V1_1)),
    _alarm("A0008", _G, 2, _integer("timeplan", 1, 255)), _alarm("A0009", _C, 3), _alarm("A0010", _C, 3),
    _alarm("A0101", _G, 3), _alarm("A0201", _G, 2, _COLOUR), _alarm("A0202", _G, 3, _COLOUR),
    _alarm("A0301", _D, 3, *_DETECTOR), _alarm("A0302", _D, 3, *_LOGIC),
    _alarm("A0303", _D, 2, *_DETECTOR, since=V1_1), _alarm("A0304", _D, 2, *_LOGIC, since=V1_1),
)  # fmt: skip

SXLS: dict[str, Sxl] = {version: Sxl.at(version, (*ALARMS, *STATUSES, *COMMANDS)) for version in (V1_0, V1_1, V1_2)}
"""The versions of the list that are spoken."""


class Way(StrEnum):
    """By what control acts on a controller."""

    FLASH = "flash"
    """Yellow flash, dark, or back to colours: never a stage, and in the controller's own sequence."""
    PLAN = "plan"
    SITUATION = "situation"
    """A traffic situation of an area, from which each controller takes its plan."""
    CORRIDOR = "corridor"
    """An emergency route that the controller knows."""
    INPUTS = "inputs"
    """Several inputs at once: stages are asked for so, where the controller has an input for each."""
    INPUT = "input"
    DETECTOR = "detector"
    """A detector logic forced on or off."""
    BANDS = "bands"
    """The splits inside of a plan."""
    OFFSET = "offset"
    CYCLE = "cycle"
    PRIORITY = "priority"
    """A vehicle's request, from 1.1 on."""


@dataclass(frozen=True, slots=True)
class Act:
    """An order by which control acts. proof: the status and its value that show what came of it, the newest first."""

    way: Way
    command: str
    proof: tuple[tuple[str, str], ...]


ACTS: tuple[Act, ...] = (
    Act(Way.FLASH, "M0001", (("S0011", "status"), ("S0007", "status"))),
    Act(Way.PLAN, "M0002", (("S0014", "status"),)),
    Act(Way.SITUATION, "M0003", (("S0015", "status"),)),
    Act(Way.CORRIDOR, "M0005", (("S0035", "emergencyroutes"), ("S0006", "emergencystage"))),
    Act(Way.INPUTS, "M0013", (("S0003", "inputstatus"),)),
    Act(Way.INPUT, "M0006", (("S0003", "inputstatus"),)),
    Act(Way.DETECTOR, "M0008", (("S0021", "detectorlogics"),)),
    Act(Way.BANDS, "M0014", (("S0023", "status"),)),
    Act(Way.OFFSET, "M0015", (("S0024", "status"),)),
    Act(Way.CYCLE, "M0018", (("S0028", "status"),)),
    Act(Way.PRIORITY, "M0022", (("S0033", "status"),)),
)


def acts_by(sxl: Sxl, without: Collection[str] = ()) -> dict[Way, Act]:
    """By which orders control can really act on a site of this version of the list. without: the codes that the site
    declares, or has shown, not to have. Of the proofs those remain that the site has; where none does, the order can be
    given, and never be proved."""
    has = {code for code, signal in sxl.signals.items() if not signal.reserved and code not in without}
    return {
        act.way: Act(act.way, act.command, tuple(each for each in act.proof if each[0] in has))
        for act in ACTS
        if act.command in has
    }
