"""A city service: what it owns, and how it reacts. Pure: no I/O, no clock, no dice."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from enum import StrEnum
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from vigie.core.cases import Answer, CaseEffect, CaseKind, Opened, Trouble
from vigie.core.drafts import Draft
from vigie.core.kinds import Action, AssetKind, Attribute, ConditionKind, Point
from vigie.core.observations import Bytes, Floats, Int64s, Mask, Outcome
from vigie.core.past import Told
from vigie.core.plans import Finding, Given, Known, PlanKind, Question
from vigie.core.refusals import Refusal

Numbers = NDArray[np.int64]
"""Asset numbers."""

SWEEP_S = 30.0
"""How often the picture is swept: what a sweep finds is told within a minute of its first sign."""


@dataclass(frozen=True, slots=True)
class Change:
    """The observations of one point that moved the live picture, in columns of one length.

    before is NaN where nothing was known.
    """

    point: Point[Any]
    kind: type[AssetKind]
    asset: Numbers
    observed_us: Int64s
    value: Floats
    before: Floats


@dataclass(frozen=True, slots=True)
class Newest:
    """The newest of one point of many assets, in columns of one length.

    observed_us: by the device's clock; received_us: by the post's. Where nothing was ever said, value is NaN and both
    are 0.
    """

    value: Floats
    observed_us: Int64s
    received_us: Int64s
    quality: Bytes


@dataclass(frozen=True, slots=True)
class Present:
    """An abnormal state that an asset is in now: since when, and what was said of it when it was raised."""

    asset: int
    at_us: int
    evidence: Mapping[str, float | str]


@dataclass(frozen=True, slots=True)
class Lines:
    """The stretches of the town's streets as they are drawn.

    street: of each line, by the number that `City.streets` has for its name. start: its first corner; one more at the
    end. lon, lat: of each corner, in degrees.
    """

    street: Int64s
    start: Int64s
    lon: Floats
    lat: Floats


class City(Protocol):
    """What a service may know of the city besides the change it reacts to."""

    @property
    def inventory(self) -> int:
        """Grows with each change of the inventory: what is derived from it holds as long as this stays."""
        ...

    @property
    def zone(self) -> tzinfo:
        """The town's, whose clock programmes go by."""
        ...

    def is_open(self, condition: ConditionKind, assets: Numbers) -> Mask:
        """Whether each asset has this condition open."""
        ...

    def value(self, kind: type[AssetKind], point: Point[Any], assets: Numbers) -> Floats:
        """The newest value of a point of each asset, NaN where none is known."""
        ...

    def feeders(self, kind: type[AssetKind], assets: Numbers) -> Numbers:
        """What feeds each asset, 0 where that is nothing of this kind."""
        ...

    def children(self, asset: int) -> Numbers:
        """The assets that an asset feeds."""
        ...

    def present(self, condition: ConditionKind) -> Sequence[Present]:
        """Where this condition is open, in the order in which it was raised."""
        ...

    def assets(self, kind: type[AssetKind]) -> Numbers:
        """The assets of a kind that are in service, by number."""
        ...

    def newest(self, kind: type[AssetKind], point: Point[Any], assets: Numbers) -> Newest:
        """The newest of a point of each asset."""
        ...

    def everywhere(self, point: str) -> tuple[Numbers, Newest]:
        """Every asset in service that has a point of this name, whichever service owns it, and the newest of it."""
        ...

    def seen_at(self, kind: type[AssetKind], point: Point[Any], assets: Numbers) -> tuple[Floats, Floats]:
        """Longitude and latitude that each asset has said last of a point that is a place, NaN for none."""
        ...

    def ordered(self, kind: type[AssetKind], action: Action, assets: Numbers, now_us: int) -> Mask:
        """Which of these assets an order of somebody's that decides the same rules, or may rule yet; what automations
        have ordered counts for nothing."""
        ...

    def locked_out(self, assets: Numbers) -> Mask:
        """Which of these assets a lock-out holds."""
        ...

    def given(self, automation: str, since_us: int) -> Sequence[Given]:
        """What an automation has ordered since an instant, the oldest first, as it is on disk."""
        ...

    def attribute(self, kind: type[AssetKind], attribute: Attribute, assets: Numbers) -> NDArray[Any]:
        """What the inventory says of each asset: NaN, or "", where nothing is known. Only what a sweep has asked for
        (`Sweep.attributes`)."""
        ...

    def ids(self, assets: Numbers) -> list[str]:
        """The id of each asset."""
        ...

    def streets(self, assets: Numbers) -> Int64s:
        """The street of each asset, by a number; 0 for none. Streets of one name in two places are one."""
        ...

    def areas(self, assets: Numbers) -> Int64s:
        """The part of the town that each asset is in, by a number."""
        ...

    def kind_named(self, name: str) -> type[AssetKind] | None:
        """The kind of this name, whichever service owns it; None where this installation has none."""
        ...

    def area_path(self, area: int) -> str:
        """The path of a part of the town, by the number that `areas` has for it."""
        ...

    def street_name(self, street: int) -> str:
        """What a street is called."""
        ...

    def places(self, assets: Numbers) -> tuple[Floats, Floats]:
        """Longitude and latitude of each asset, in degrees, as the inventory has them."""
        ...

    def reporters(self, assets: Numbers) -> Int64s:
        """The device that speaks for each asset, by a number; 0 for none."""
        ...

    def recalled(self, kind: type[AssetKind], point: Point[Any]) -> Told:
        """What was said of a point in the time before the start, as far as a sweep recalls it (`Sweep.recalls`); empty
        where nothing was, or the past could not be read."""
        ...

    def refused_ahead(self, assets: Numbers) -> tuple[Int64s, Int64s]:
        """When a reading of each asset was last refused because it was of the future, 0 for never in this process; and
        by how many microseconds its clock was ahead."""
        ...


@dataclass(frozen=True, slots=True)
class Raise:
    """An asset is in an abnormal state. Raising what is open already changes nothing.

    evidence: what was seen, in the point's own terms.
    """

    condition: ConditionKind
    asset: int
    at_us: int
    evidence: Mapping[str, float | str]


@dataclass(frozen=True, slots=True)
class Clear:
    """An asset has left an abnormal state. Clearing what is not open changes nothing."""

    condition: ConditionKind
    asset: int
    at_us: int


Effect = Raise | Clear


Guard = Callable[[Mapping[str, Any], Numbers, City, int], Sequence[tuple[Mask, Refusal]]]
"""guard(parameters, assets, city, now_us) -> which of the assets it refuses, and why. Run on every order, whoever sends
it, and once more when it leaves."""

Step = Callable[[Sequence[Change], City, int], list[Effect]]
"""step(changes, city, now_us) -> effects, all of them, in a fixed order."""


Sweeper = Callable[[City, int], list[Effect]]
"""sweeper(city, now_us) -> effects, all of them, at most one for a condition of an asset."""


@dataclass(frozen=True, slots=True)
class Recall:
    """What a sweep needs of the time before a start: what was said within so long before it, of points of a kind, by
    their names, whichever service owns it; what this installation has not is not recalled. Of a few assets alone."""

    kind: str
    points: tuple[str, ...]
    for_us: int


@dataclass(frozen=True)
class Sweep:
    """What a service looks for in the whole picture, each `SWEEP_S`, because no change tells it: what did not come,
    and what is so for a while.

    make(city, now_us): gives an engine its own sweeper, before the first sweep, which may remember what it saw. What it
    remembers is of this process: after a start it begins anew from the picture, from what is open and from what it
    recalls. attributes: what it asks of the inventory; it does not run until that was read.
    """

    make: Callable[[City, int], Sweeper]
    attributes: Mapping[type[AssetKind], tuple[Attribute, ...]]
    recalls: tuple[Recall, ...] = ()


AUTOMATION = "automation"
"""The word of an order's selection that names the automation it came of; no order of a person has it."""


@dataclass(frozen=True, slots=True)
class Ask:
    """An order that an automation has the post give, in its own name.

    assets: sorted, none twice. words: what the journal says of what it came of. expires_s: what was not sent by then is
    never sent. It passes the guards as any order does; who is refused, or does not end by itself what it sets, is left
    out.
    """

    kind: type[AssetKind]
    action: Action
    params: Mapping[str, float | str | bool]
    assets: Numbers
    words: Mapping[str, str]
    expires_s: float


class Reactor(Protocol):
    """What an automation remembers. One an engine."""

    def hear(self, change: Change, now_us: int) -> None:
        """Takes note of a change that the automation hears; cheap, for there are many."""
        ...

    def answer(self, prepared: Any, city: City, now_us: int) -> tuple[list[Ask], list[Effect]]:
        """What is to be ordered now, and what is the matter; what was heard is done with by it."""
        ...

    def gave(self, given: Given) -> None:
        """Takes note of what was given of an order that it asked for: none of those who were refused."""
        ...


@dataclass(frozen=True)
class Automation:
    """What a service does by itself where a plan says so: it hears of changes, and orders.

    name: how the journal names it (`AUTOMATION`). plan: as long as none of this kind is in force, nothing of it runs.
    reads: the kinds of other plans that it must keep to: what it has prepared is of those in force. hears: kinds and
    points by their names, whichever service owns them; one that this installation has not is not heard.
    prepare(known, lines): all that it needs of the town and of what is in force; run apart from the engine, again with
    each change of any of it. make(city, now_us): what remembers; it may ask what was given before.
    """

    name: str
    plan: PlanKind
    reads: tuple[PlanKind, ...]
    hears: tuple[tuple[str, str], ...]
    prepare: Callable[[Known, Lines], Any]
    make: Callable[[City, int], Reactor]


class How(StrEnum):
    """What one figure says of many values."""

    SUM = "sum"
    MEAN = "mean"
    MAX = "max"
    COUNT = "count"
    SHARE = "share"


@dataclass(frozen=True)
class Figure:
    """A figure of a service, over the newest values of one point that are not past their time.

    key: names it (its words are the text `console.figure.KEY`). when: the choices, or yes and no, that COUNT and SHARE
    count; without them what is above zero. SHARE is in % of the assets whose value is known. scale: what the result is
    multiplied by, so that it is in `unit`; without a unit, it is in the point's own.
    """

    key: str
    kind: type[AssetKind]
    point: Point[Any]
    how: How
    when: tuple[str | bool, ...] = ()
    unit: str = ""
    scale: float = 1.0

    @property
    def codes(self) -> tuple[float, ...]:
        """The values that count, as they are kept."""
        return tuple(float(v) if isinstance(v, bool) else float(self.point.code(v)) for v in self.when)

    @property
    def told_in(self) -> str:
        """The unit of the figure."""
        if self.unit or self.how is How.COUNT:
            return self.unit
        return "%" if self.how is How.SHARE else self.point.unit


def _no_step(changes: Sequence[Change], city: City, now_us: int) -> list[Effect]:
    return []


def _no_judge(drafts: Sequence[Draft]) -> list[Finding]:
    return []


@dataclass(frozen=True, kw_only=True)
class Reticence:
    """When nothing is taken in of some points of a kind, so that nobody is followed who is not to be.

    attribute: a text of the inventory that decides, "" where nothing is known. switch: the flag by which an asset says
    of itself that it is private; it is always taken in. rule: why what was observed at an instant is dropped, by the
    attribute, the words of the switch that are known (when, and which), the instant and the town's zone; None: it is
    taken in.
    """

    kind: type[AssetKind]
    points: tuple[Point[Any], ...]
    attribute: Attribute
    switch: Point[bool]
    rule: Callable[[str, Sequence[tuple[int, bool]], int, tzinfo], Outcome | None]


Ahead = Callable[[Sequence[tuple[str, Any]], City, Sequence[Opened], int], list[CaseEffect]]
"""ahead(plans, city, cases, now_us): what plans in force, each with its id, ask for now. cases: as of `Answer`."""


Warn = Callable[[Sequence[Opened], City, int], list[Effect]]
"""What conditions cases are in now, such as one that should have been answered: at most one effect for a condition of
an asset."""


def _no_warning() -> Warn:
    return lambda cases, city, now_us: []


@dataclass(frozen=True)
class CaseRule:
    """What a service opens by itself, each `SWEEP_S`. mends(): gives an engine its own answer to what is wrong, which
    may remember what it saw: after a start it begins anew from the cases that there are. keeps(troubles, cases): the
    ids of those that are over and are not to be archived yet. ahead: for what plans of a kind say. warns(): gives
    an engine what says which conditions cases are in; it may remember what it saw, too."""

    mends: Callable[[], Answer]
    keeps: Callable[[Sequence[Trouble], Sequence[Opened]], Collection[str]]
    ahead: Mapping[PlanKind, Ahead]
    warns: Callable[[], Warn] = _no_warning


@dataclass(frozen=True)
class Service:
    """What one folder of `services` exports, found through the entry points `vigie.services`.

    reacts: the points whose change `step` is called for; changes of any other cost it nothing.
    guards: for an action, the rules that can refuse it. figures: what the strip of live figures says of it.
    plans: the documents that people write for it. questions: what it can be asked. sweep: what it looks for again and
    again. judge: what it has against the assets that an inventory brings, a finding a rule. automation: what it
    orders by itself. reticence: of what it takes nothing in, and when. cases: the varieties of cases that it declares.
    opens: which of them the post opens by itself.
    """

    name: str
    assets: tuple[type[AssetKind], ...]
    conditions: tuple[ConditionKind, ...] = ()
    reacts: tuple[tuple[type[AssetKind], Point[Any]], ...] = ()
    step: Step = _no_step
    guards: Mapping[Action, tuple[Guard, ...]] = field(default_factory=dict[Action, tuple[Guard, ...]])
    figures: tuple[Figure, ...] = ()
    plans: tuple[PlanKind, ...] = ()
    questions: tuple[Question, ...] = ()
    sweep: Sweep | None = None
    judge: Callable[[Sequence[Draft]], list[Finding]] = _no_judge
    automation: Automation | None = None
    reticence: tuple[Reticence, ...] = ()
    cases: tuple[CaseKind, ...] = ()
    opens: CaseRule | None = None
