"""What works in streets clash with: other works, diversions, lines of buses and trams, markets, young surfaces.

It is found from what is known when it is asked, and so again whenever it is asked: a clash that was answered stays
answered by its key, and one that came since is to be answered for itself. The key names what was seen too: where that
has become another thing since, it is another clash.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Literal

import msgspec
import numpy as np
from msgspec.structs import replace

from vigie.core.arrays import ints
from vigie.core.calendar import date_of
from vigie.core.facts import digest
from vigie.core.observations import Floats, Int64s
from vigie.core.plans import Finding
from vigie.core.refusals import Refusal
from vigie.services.roads.works.coordination import Coordination, asked_late
from vigie.services.roads.works.occasions import Occasion
from vigie.services.roads.works.permits import EFFECTS, GRANTED, Roadworks, Stretch
from vigie.services.roads.works.windows import DAY_MIN, NEVER, Window, firsts_in_both, moment_of

ALONG, AGAINST = 1, 2
WAYS: Mapping[str, int] = {"along": ALONG, "against": AGAINST, "either": ALONG | AGAINST, "both": ALONG | AGAINST}
"""The ways of travel in a street, as bits."""

PROTECTED_YEARS = 3
"""So long after a surface was laid its opening may be refused without a reason (Code de la voirie routière, L115-1)."""

STREETS_TOLD = 50

SIDES = 2
"""Works on the two sides of a street meet where their reaches come to so much (`Effect.reach`)."""

_SEEN = ("street", "from_m", "to_m", "ways", "window")
"""What of a part the key of a clash is made of. Others would have each answer that was given be of another clash."""

NO_END = 1_000_000 * DAY_MIN
"""When works end of which nobody knows when they do."""


@dataclass(frozen=True, slots=True)
class Clash:
    """One thing that works clash with. key: names it, as it is. other: the id of the other works, "" for what is none.
    finding: the rule; it refuses the permit, unless it is answered in writing. is_slip: it is none of the town's, but
    a slip of the pen, which no answer mends."""

    key: str
    finding: Finding
    other: str = ""
    is_slip: bool = False


@dataclass(frozen=True, slots=True)
class Part:
    """Some metres of a street, taken up at some time. ways: bits, see `WAYS`. reach: see `Effect`. sends_over: who
    walks there has to go on the other side."""

    street: str
    from_m: float
    to_m: float
    ways: int
    window: Window
    reach: int = SIDES
    sends_over: bool = False


@dataclass(frozen=True, slots=True)
class Laid:
    """Works, as they are held against others. no: what people call them by. taken: what they take up; closed: where
    traffic is turned away; legs: where it goes meanwhile."""

    id: str
    no: int
    state: str
    taken: tuple[Part, ...]
    closed: tuple[Part, ...]
    legs: tuple[Part, ...]


Met = tuple[Laid, str, int]
"""Other works, the street in which they meet ours, and the first minute of it."""

How = Literal["place", "facing", "walking", "way"]
"""What meets of two parts of a street: those that need the same place; those on opposite sides that leave room between,
to drive and to walk; those on opposite sides that each send who walks to the other; those in the same way of travel."""


@dataclass(frozen=True, slots=True)
class Course:
    """That a line runs along a street. ways: in which it is driven, bits. from_m, to_m: where."""

    line: str
    mode: str
    ways: int
    from_m: float
    to_m: float


@dataclass(frozen=True)
class Surroundings:
    """What stands around works. streets: those that there are. lengths_m: of those that are drawn. one_way: those that
    are driven along alone. courses: of each street, the lines that run along it.
    surfaced: of each street of which that is known, the day on which its surface was laid. occasions, coordinations:
    those in force, by the ids of their plans."""

    streets: frozenset[str] = frozenset()
    lengths_m: Mapping[str, float] = field(default_factory=dict[str, float])
    one_way: frozenset[str] = frozenset()
    courses: Mapping[str, Sequence[Course]] = field(default_factory=dict[str, Sequence[Course]])
    surfaced: Mapping[str, date] = field(default_factory=dict[str, date])
    occasions: Sequence[tuple[str, Occasion]] = ()
    coordinations: Sequence[Coordination] = ()


def laid(case_id: str, no: int, state: str, works: Roadworks, *, lasts: bool = False) -> Laid:
    """Works as they are held against others. lasts: whether they go on past their end: nobody knows until when."""
    taken, closed, legs = list[Part](), list[Part](), list[Part]()
    for phase in works.phases:
        window = phase.window
        if lasts and phase.ends == works.ends:
            window = Window(window.begin, NO_END, window.hours)
        effect = EFFECTS[phase.occupancy]
        sends_over = effect.sends_over and "pedestrians" not in phase.passes
        own = [_part(stretch, window, effect.reach, sends_over) for stretch in phase.stretches]
        taken += own
        if effect.turns_away:
            closed += own
            legs += (Part(leg.street, 0.0, math.inf, WAYS[leg.way], window) for leg in works.diversion)
    return Laid(case_id, no, state, tuple(taken), tuple(closed), tuple(legs))


class Index:
    """Works that are to be reckoned with, by street. many: from so many parts in one street on they are held against
    something all at once, which does not pay for a few."""

    def __init__(self, works: Iterable[Laid] = (), *, many: int = 64) -> None:
        self._works: dict[str, Laid] = {}
        self._taken, self._closed, self._legs = (_Streets(many) for _ in range(3))
        for each in works:
            self.put(each)

    def put(self, works: Laid) -> None:
        """Takes works in, in place of what was known of them."""
        self.drop(works.id)
        self._works[works.id] = works
        for streets, parts in self._all(works):
            streets.put(works, parts)

    def drop(self, works: str) -> None:
        """Forgets works, by their id."""
        known = self._works.pop(works, None)
        for streets, parts in () if known is None else self._all(known):
            streets.drop(works, parts)

    def overlapping(self, own: Laid) -> Iterable[Met]:
        """The other works that take up some of the same at the same time, or so much of both sides that they meet."""
        return self._taken.met(own.id, own.taken, "place")

    def facing(self, own: Laid) -> Iterable[Met]:
        """The other works that stand on the opposite side of the same metres at the same time, and leave room
        between."""
        return self._taken.met(own.id, own.taken, "facing")

    def walled(self, own: Laid) -> Iterable[Met]:
        """The other works that take the opposite pavement of the same metres at the same time: nobody walks there."""
        return self._taken.met(own.id, own.taken, "walking")

    def closing(self, own: Laid) -> Iterable[Met]:
        """The other works that close what our diversion leads through."""
        return self._closed.met(own.id, own.legs, "way")

    def led_through(self, own: Laid) -> Iterable[Met]:
        """The other works whose diversion leads through what we close."""
        return self._legs.met(own.id, own.closed, "way")

    def closed_during(self, windows: Sequence[Window], but: str) -> Iterable[Part]:
        """What others close at any of these times. but: the works that are asked for."""
        for other in self._works.values():
            for part in other.closed if other.id != but else ():
                if any(part.window.first_in_both(each) is not None for each in windows):
                    yield part

    def _all(self, works: Laid) -> Iterable[tuple[_Streets, Sequence[Part]]]:
        return ((self._taken, works.taken), (self._closed, works.closed), (self._legs, works.legs))


def check(own: Laid, works: Roadworks, index: Index, around: Surroundings, asked: date) -> list[Clash]:
    """All that works clash with, in a fixed order. asked: the day on which they were asked for."""
    overlapping, walled = [*index.overlapping(own)], [*index.walled(own)]
    met = {other.id for other, *_ in (*overlapping, *walled)}
    found = [
        *_slips(works, around),
        *_wrong_way(own, works, around),
        *_among("overlap", own, overlapping),
        *_among("pavements", own, walled),
        *_among("facing", own, (each for each in index.facing(own) if each[0].id not in met)),
        *_among("closed", own, index.closing(own)),
        *_among("led", own, index.led_through(own)),
        *_lines(works, around),
        *_occasions(own, around),
        *_surfaces(works, around),
    ]
    for late in asked_late(works, around.coordinations, asked):
        finding = Finding("roads.works_calendar", False, L115_1, {"year": str(late.year), "day": late.asked_by})
        found.append(Clash(_key("calendar", late.year, late.asked_by), finding))
    return found


def unseen(clash: Clash) -> Clash:
    """A clash with other works as it is told to who does not see them: that there is something, and when, but neither
    what it is called nor where it lies."""
    found = clash.finding
    detail: dict[str, str | float] = {"at": found.detail["at"]}
    match found.rule:
        case "roads.works_overlap":
            told = Finding("roads.works_overlap_unseen", found.refuses, found.article, detail)
        case "roads.works_pavements":
            told = Finding("roads.works_pavements_unseen", found.refuses, found.article, detail)
        case "roads.works_facing":
            told = Finding("roads.works_facing_unseen", found.refuses, found.article, detail)
        case "roads.works_diversion_closed":
            told = Finding("roads.works_diversion_closed_unseen", found.refuses, found.article, detail)
        case _:
            told = Finding("roads.works_closes_diversion_unseen", found.refuses, found.article, detail)
    return Clash(clash.key, told)


def unanswered(works: Roadworks, clashes: Iterable[Clash]) -> list[Clash]:
    """The clashes that refuse a permit still."""
    answered = {each.clash for each in works.answers}
    return [each for each in clashes if each.finding.refuses and (each.is_slip or each.key not in answered)]


def refusal(works: Roadworks, clashes: Iterable[Clash]) -> Refusal | None:
    """Why works are not granted as they stand; None where nothing is against it."""
    left = unanswered(works, clashes)
    return Refusal("roads.works_clashes", {"count": len(left)}) if left else None


NOT_READY = Refusal("roads.works_ground")
"""Why works are not granted while what the inventory says of streets is of another version than the inventory."""

L115_1 = "Code de la voirie routière, L115-1"


class _Streets:
    """Parts of streets of many works."""

    def __init__(self, many: int) -> None:
        self._many = many
        self._parts: dict[str, dict[str, list[tuple[Laid, Part]]]] = {}
        self._columns: dict[str, _Columns] = {}

    def put(self, works: Laid, parts: Iterable[Part]) -> None:
        for part in parts:
            self._parts.setdefault(part.street, {}).setdefault(works.id, []).append((works, part))
            self._columns.pop(part.street, None)

    def drop(self, works: str, parts: Iterable[Part]) -> None:
        for part in parts:
            self._parts.get(part.street, {}).pop(works, None)
            self._columns.pop(part.street, None)

    def met(self, own: str, parts: Iterable[Part], how: How) -> Iterator[Met]:
        """What meets any of some parts. own: the works that they are of, which meet nothing of theirs."""
        for part in parts:
            if how in ("facing", "walking") and part.ways == ALONG | AGAINST:
                continue
            there = [each for some in self._parts.get(part.street, {}).values() for each in some]
            if len(there) < self._many or not there:
                found = _one_by_one(part, there, how)
            else:
                if part.street not in self._columns:
                    self._columns[part.street] = _Columns.of(there)
                found = self._columns[part.street].met(part, how)
            for other, first in found:
                if other.id != own:
                    yield other, part.street, first


def _one_by_one(part: Part, others: Iterable[tuple[Laid, Part]], how: How) -> Iterator[tuple[Laid, int]]:
    for other, theirs in others:
        if part.from_m >= theirs.to_m or theirs.from_m >= part.to_m:
            continue
        opposite, fits = not part.ways & theirs.ways, part.reach + theirs.reach < SIDES
        walled = opposite and part.sends_over and theirs.sends_over
        match how:
            case "place":
                meets = not (opposite and fits)
            case "facing":
                meets = opposite and fits and not walled
            case "walking":
                meets = walled
            case "way":
                meets = not opposite
        if not meets:
            continue
        first = part.window.first_in_both(theirs.window)
        if first is not None:
            yield other, first


@dataclass(frozen=True)
class _Columns:
    """The parts of one street, in columns. owner: indices into `works`; hours: into `texts`."""

    works: Sequence[Laid]
    texts: Sequence[str]
    owner: Int64s
    hours: Int64s
    ways: Int64s
    reach: Int64s
    sends_over: Int64s
    begin: Int64s
    end: Int64s
    from_m: Floats
    to_m: Floats

    @staticmethod
    def of(parts: Sequence[tuple[Laid, Part]]) -> _Columns:
        works = [*{each.id: each for each, _ in parts}.values()]
        texts = [*dict.fromkeys(part.window.hours for _, part in parts)]
        row, place = ({each.id: n for n, each in enumerate(works)}, {text: n for n, text in enumerate(texts)})
        whole = np.array(
            [
                (
                    row[each.id],
                    place[part.window.hours],
                    part.ways,
                    part.reach,
                    part.sends_over,
                    part.window.begin,
                    part.window.end,
                )
                for each, part in parts
            ],
            np.int64,
        ).T
        metres = np.array([(part.from_m, part.to_m) for _, part in parts]).T
        return _Columns(
            works, texts, whole[0], whole[1], whole[2], whole[3], whole[4], whole[5], whole[6], metres[0], metres[1]
        )  # fmt: skip

    def met(self, part: Part, how: How) -> Iterator[tuple[Laid, int]]:
        """As `_one_by_one`, with the first minute of each works alone."""
        window = part.window
        low, high = np.maximum(self.begin, window.begin), np.minimum(self.end, window.end)
        near = (low < high) & (self.from_m < part.to_m) & (self.to_m > part.from_m)
        opposite = (self.ways & part.ways) == 0
        fits = self.reach + part.reach < SIDES
        walled = opposite & (self.sends_over > 0) & part.sends_over
        near &= {"place": ~(opposite & fits), "facing": opposite & fits & ~walled, "walking": walled,
                 "way": ~opposite}[how]  # fmt: skip
        best = np.full(len(self.works), NEVER)
        for code, text in enumerate(self.texts):
            rows = np.flatnonzero(near & (self.hours == code))
            first = firsts_in_both(low[rows], window.hours, text)
            good = first < high[rows]
            np.minimum.at(best, self.owner[rows[good]], first[good])
        for each in ints(np.flatnonzero(best < NEVER)):
            yield self.works[each], int(best[each])


def _part(stretch: Stretch, window: Window, reach: int, sends_over: bool = False) -> Part:
    to_m = math.inf if stretch.to_m is None else stretch.to_m
    return Part(stretch.street, stretch.from_m, to_m, WAYS[stretch.way], window, reach, sends_over)


def _among(what: str, own: Laid, met: Iterable[Met]) -> Iterable[Clash]:
    """Clashes with other works, one for each of them. What was granted before refuses; two requests are told of each
    other, and whichever is granted first stands in the other's way."""
    found: dict[str, tuple[Laid, int, dict[str, None]]] = {}
    theirs: Mapping[str, Callable[[Laid], Sequence[Part]]] = {
        "overlap": lambda other: other.taken + other.closed,
        "pavements": lambda other: other.taken, "facing": lambda other: other.taken,
        "closed": lambda other: other.closed, "led": lambda other: other.legs,
    }  # fmt: skip
    for other, street, first in met:
        known = found.get(other.id)
        streets = known[2] if known else dict[str, None]()
        streets[street] = None
        found[other.id] = (other, min(first, known[1]) if known else first, streets)
    for other, first, streets in sorted(found.values(), key=lambda each: (each[1], each[0].no)):
        detail: dict[str, str | float] = {"number": other.no, "at": moment_of(first)}
        refuses = other.state in GRANTED
        match what:
            case "overlap":
                finding = Finding("roads.works_overlap", refuses, L115_1, detail)
            case "pavements":
                finding = Finding("roads.works_pavements", refuses, "", detail)
            case "facing":
                finding = Finding("roads.works_facing", False, "", detail)
            case "closed":
                finding = Finding("roads.works_diversion_closed", refuses, "", detail)
            case _:
                finding = Finding("roads.works_closes_diversion", refuses, "", detail)
        seen = [{name: getattr(part, name) for name in _SEEN} for part in theirs[what](other)]
        key = _key(what, other.id, first, sorted(streets), seen)
        yield Clash(key, _in(finding, [*streets]), other.id)


def _lines(works: Roadworks, around: Surroundings) -> Iterable[Clash]:
    """The lines of buses and trams that are hindered: what closes their way refuses, what slows them is told."""
    found: dict[tuple[str, str], tuple[bool, str, dict[str, None]]] = {}
    for phase in works.phases:
        hinders = EFFECTS[phase.occupancy].buses
        if not hinders or "buses" in phase.passes:
            continue
        for stretch in phase.stretches:
            part = _part(stretch, phase.window, EFFECTS[phase.occupancy].reach)
            for course in around.courses.get(stretch.street, ()):
                if course.from_m >= part.to_m or part.from_m >= course.to_m:
                    continue
                closed = hinders == "closed" and bool(course.ways & part.ways)
                if hinders == "closed" and not closed:
                    continue
                known = found.get((course.mode, course.line), (False, phase.begins, {}))
                known[2][stretch.street] = None
                found[course.mode, course.line] = (known[0] or closed, min(known[1], phase.begins), known[2])
    for (mode, line), (closed, begins, streets) in sorted(found.items()):
        detail: dict[str, str | float] = {"line": line, "at": begins}
        finding = Finding("roads.works_line_slowed", False, "", detail)
        if closed:
            finding = Finding("roads.works_line_closed", True, "", detail)
        yield Clash(_key("line", f"{mode}:{line}", begins, sorted(streets)), _in(finding, [*streets]))


def _occasions(own: Laid, around: Surroundings) -> Iterable[Clash]:
    for plan, occasion in sorted(around.occasions, key=lambda each: each[0]):
        streets, window = {*occasion.streets}, occasion.window
        met = [(part.street, first) for part in own.taken if part.street in streets
               and (first := part.window.first_in_both(window)) is not None]  # fmt: skip
        if met:
            at = moment_of(min(first for _, first in met))
            finding = Finding("roads.works_occasion", True, "", {"name": occasion.name, "at": at})
            streets = [*dict.fromkeys(street for street, _ in met)]
            key = _key("occasion", plan, occasion.name, sorted(streets), at, window)
            yield Clash(key, _in(finding, streets))


def _surfaces(works: Roadworks, around: Surroundings) -> Iterable[Clash]:
    """Surfaces that are too young to be opened. Works that bear no delay are not refused for it."""
    if not works.cuts_surface:
        return
    opened: dict[str, tuple[date, date]] = {}
    for phase in works.phases:
        first, last = date_of(phase.window.begin // DAY_MIN), date_of((phase.window.end - 1) // DAY_MIN)
        for stretch in phase.stretches:
            known = opened.get(stretch.street, (first, last))
            opened[stretch.street] = (min(first, known[0]), max(last, known[1]))
    for street, (first, last) in opened.items():
        surfaced = around.surfaced.get(street)
        # Works on the surface end with a young one themselves.
        laid_by = first if works.nature == "surface" else last
        if surfaced is not None and surfaced <= laid_by and first < years_after(surfaced, PROTECTED_YEARS):
            detail: dict[str, str | float] = {
                "day": surfaced.isoformat(), "until": years_after(surfaced, PROTECTED_YEARS).isoformat()
            }  # fmt: skip
            finding = Finding("roads.works_surface", not works.urgent, L115_1, detail, [street], 1)
            yield Clash(_key("surface", street, surfaced), finding)


def _slips(works: Roadworks, around: Surroundings) -> Iterable[Clash]:
    """Streets that are not there, and metres that no street has."""
    named = dict.fromkeys((*works.streets, *(leg.street for leg in works.diversion)))
    gone = [street for street in named if street not in around.streets]
    if gone:
        yield Clash(_key("street", "", gone), _in(Finding("roads.works_street", True), gone))
    beyond = dict.fromkeys(
        each.street
        for phase in works.phases
        for each in phase.stretches
        if each.from_m >= around.lengths_m.get(each.street, math.inf)
    )
    if beyond:
        yield Clash("beyond", _in(Finding("roads.works_beyond", True), [*beyond]), is_slip=True)


def _wrong_way(own: Laid, works: Roadworks, around: Surroundings) -> Iterable[Clash]:
    """Streets of a diversion that its own works close, or that are not driven that way."""
    closed: dict[str, list[Part]] = {}
    for part in own.closed:
        closed.setdefault(part.street, []).append(part)
    shut = dict.fromkeys(
        leg.street
        for leg in own.legs
        for _ in _one_by_one(leg, [(own, each) for each in closed.get(leg.street, ())], "way")
    )
    if shut:
        yield Clash(_key("own", "", [*shut]), _in(Finding("roads.works_diversion_own", True), [*shut]))
    driven = works.diversion if own.closed else ()
    wrong = dict.fromkeys(leg.street for leg in driven if leg.way == "against" and leg.street in around.one_way)
    if wrong:
        yield Clash(_key("one_way", "", [*wrong]), _in(Finding("roads.works_diversion_one_way", True), [*wrong]))


def _key(what: str, name: str | int, *seen: object) -> str:
    """How a clash is called: what it is with, and a digest of what is seen of it."""
    told = digest(msgspec.json.encode(seen))[:12]
    return f"{what}:{name}:{told}" if name else f"{what}:{told}"


def _in(finding: Finding, streets: Sequence[str]) -> Finding:
    return replace(finding, assets=[*streets[:STREETS_TOLD]], count=len(streets))


def years_after(day: date, years: int) -> date:
    """The same day so many years later; the first of March for a 29th of February that is not there."""
    try:
        return day.replace(year=day.year + years)
    except ValueError:
        return date(day.year + years, 3, 1)
