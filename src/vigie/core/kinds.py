"""Kinds: what a city service declares about the things it owns.

A Kind is a class of constants. Its attributes say what is known of such a thing when it is installed
(`Attribute`), what it reports while it lives (`Point`) and what it can be told to do (`Action`):

    class Luminaire(AssetKind, name="luminaire", service="lighting"):
        rated_power = attribute(Sort.NUMBER, unit="W")
        level = number(unit="%", low=0, high=100, valid_s=1_800)
        dim = Action(params=(Param("level", unit="%", low=0, high=100),), proof=Proof("level", param="level"))

`Luminaire.level` is a typed reference that pyright checks. Everything that shows a thing to a person (the
HTTP schema, the sheet, the columns, the reference pages) is generated from these declarations.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum, StrEnum
from typing import Any, ClassVar, Generic, TypeVar, cast
from zlib import crc32

T = TypeVar("T")


class Sort(StrEnum):
    """What sort of value a point, attribute or parameter holds, and so how it is stored."""

    NUMBER = "number"
    FLAG = "flag"
    CHOICE = "choice"
    PLACE = "place"
    TEXT = "text"
    INSTANT = "instant"
    """A moment, written as RFC 3339: parameters alone are of this sort."""


class Quality(IntEnum):
    """What the device itself said of a value."""

    GOOD = 0
    UNCERTAIN = 1
    BAD = 2


class Shape(StrEnum):
    """The geometry that an asset of a kind has on the map."""

    POINT = "point"
    LINE = "line"
    SURFACE = "surface"


class Hazard(StrEnum):
    """What a person must do before an order of this action leaves."""

    NONE = "none"
    CONFIRM = "confirm"
    TWO_PERSON = "two_person"


class Default(StrEnum):
    """What stands for a parameter that nobody said."""

    DAWN = "dawn"
    """The next sunrise where the order goes."""
    UNSAID = "unsaid"
    """Nothing: it is left to whoever carries the order out. No form asks for it."""
    EMPTY = "empty"
    """Nothing: a form asks for it, and takes none."""
    LONGEST = "longest"
    """As far ahead as an instant may lie."""


class Keeper(StrEnum):
    """Who sees to it that what an order set ends in time."""

    DEVICE = "device"
    """The order says until when, and the device ends it by itself, whether or not the post is there."""
    POST = "post"
    """The device is told no end: the post gives the order that ends it."""


class Outlet(StrEnum):
    """Where a condition goes: to the desk, to a work order, or only on record (ISA-18.2, EEMUA 191)."""

    ALARM = "alarm"
    MAINTENANCE = "maintenance"
    RECORD = "record"


class Bound:
    """Something that learns its name from the class it is declared in."""

    name: str

    def __set_name__(self, owner: type, name: str) -> None:
        object.__setattr__(self, "name", name)


@dataclass(frozen=True, kw_only=True)
class Point(Bound, Generic[T]):
    """One thing that an asset reports.

    unit: SI or a unit accepted with it; "" for counts, flags, choices, places and texts.
    low, high: bounds outside which a number is refused as physically impossible.
    valid_s: how long a value stays true after it was observed; older is shown as old.
    public: readable without an account.
    traces: whether its history tells where somebody was, as that of every place does: it is kept no longer than those.
    choices: the names of a choice, in the order of their codes from 0.
    stands_for: the point of a text that this number stands for, as `code` makes it of that: equal for equal texts.
    by_post: whether the post alone says it, and no device is believed.
    """

    sort: Sort
    unit: str = ""
    low: float = float("-inf")
    high: float = float("inf")
    valid_s: float = 3_600.0
    public: bool = False
    traces: bool = False
    choices: tuple[str, ...] = ()
    by_post: bool = False
    name: str = ""
    stands_for: str = ""

    def code(self, choice: str) -> int:
        """The code under which a choice is stored, or the number that stands for a text (its CRC-32). Raises ValueError
        for a name that is not one of the choices."""
        return crc32(choice.encode()) if self.stands_for else self.choices.index(choice)


def number(
    *,
    unit: str = "",
    low: float = float("-inf"),
    high: float = float("inf"),
    valid_s: float = 3_600.0,
    public: bool = False,
    traces: bool = False,
) -> Point[float]:
    """A measured quantity, in `unit`."""
    return Point(sort=Sort.NUMBER, unit=unit, low=low, high=high, valid_s=valid_s, public=public, traces=traces)


def flag(*, valid_s: float = 3_600.0, public: bool = False, traces: bool = False, by_post: bool = False) -> Point[bool]:
    """A yes or a no."""
    return Point(sort=Sort.FLAG, low=0, high=1, valid_s=valid_s, public=public, traces=traces, by_post=by_post)


def choice(*choices: str, valid_s: float = 3_600.0, public: bool = False) -> Point[str]:
    """One of a few named states."""
    high = len(choices) - 1
    return Point(sort=Sort.CHOICE, choices=choices, low=0, high=high, valid_s=valid_s, public=public)


def place(*, valid_s: float = 60.0, public: bool = False) -> Point[tuple[float, float]]:
    """A position: longitude and latitude in degrees, WGS84."""
    return Point(sort=Sort.PLACE, valid_s=valid_s, public=public)


def stands_for(point: str, *, valid_s: float = 3_600.0) -> Point[float]:
    """A number that stands for the text that another point tells, so that an order of that text can be proved."""
    return Point(sort=Sort.NUMBER, low=0, high=2**32 - 1, valid_s=valid_s, stands_for=point)


def text(*, valid_s: float = 3_600.0, public: bool = False) -> Point[str]:
    """A short text, at most 500 characters."""
    return Point(sort=Sort.TEXT, valid_s=valid_s, public=public)


@dataclass(frozen=True, kw_only=True)
class Attribute(Bound):
    """What is known of an asset from its inventory, and does not change while it works.

    check: raises ValueError, which says why, for a text that is none of those meant.
    """

    sort: Sort
    unit: str = ""
    choices: tuple[str, ...] = ()
    public: bool = True
    check: Callable[[str], None] | None = None
    name: str = ""


def attribute(
    sort: Sort = Sort.TEXT,
    *,
    unit: str = "",
    choices: tuple[str, ...] = (),
    public: bool = True,
    check: Callable[[str], None] | None = None,
) -> Attribute:
    """One column of the inventory."""
    return Attribute(sort=sort, unit=unit, choices=choices, public=public, check=check)


@dataclass(frozen=True)
class Param:
    """One parameter of an action.

    default: what stands for it where it is not said; without, it has to be said. ahead_s: how far ahead an instant may
    lie at most. lists: the kind of asset whose ids a text lists, apart by spaces or commas: whoever gives the order
    must be allowed to order those too.
    """

    name: str
    sort: Sort = Sort.NUMBER
    unit: str = ""
    low: float = float("-inf")
    high: float = float("inf")
    choices: tuple[str, ...] = ()
    default: Default | None = None
    ahead_s: float = float("inf")
    lists: str = ""


@dataclass(frozen=True)
class Proof:
    """The observation that proves an order was carried out.

    The point must show the value of the parameter `param`, or else the constant `equals`, within `tolerance`.
    """

    point: str
    param: str = ""
    equals: float | str | bool | None = None
    tolerance: float = 0.0


@dataclass(frozen=True, kw_only=True)
class Hold:
    """What an order sets lasts until an instant, and then ends: how that is said, done and seen.

    until: the parameter that says when. point: shows `held` while the order is obeyed, and `free` once it is over.
    keeper: who ends it. ends, end_params: the order that ends it before its time, or when it did not end by itself.
    grace_s: so long after the end a device that still shows `held` is late, and has the condition called `overdue`.
    """

    until: str
    point: str
    held: str | bool
    free: str | bool
    ends: str
    end_params: tuple[tuple[str, float | str | bool], ...] = ()
    keeper: Keeper = Keeper.DEVICE
    grace_s: float = 0.0
    overdue: str = ""


@dataclass(frozen=True, kw_only=True)
class Pace:
    """How an order goes out where too much at once does harm: of the targets that one asset feeds, at most `at_once`
    are sent within `every_s`.

    A target counts that stands at nothing by `point`, or of which nothing is known; where a parameter says what it is
    to be at (`param`), only if that is more than nothing.
    """

    at_once: int
    every_s: float
    point: str
    param: str = ""


@dataclass(frozen=True, kw_only=True)
class Preset:
    """An order that is given so often that a form offers it whole; whoever gives it may still change it.

    params: what it sets. lasts_s: how long it lasts from when it is given, of an action that holds (`Hold.until`).
    """

    name: str
    params: tuple[tuple[str, float | str | bool], ...]
    lasts_s: float | None = None


@dataclass(frozen=True, kw_only=True)
class Action(Bound):
    """An order that an asset understands. It sets an absolute state, so it may be resent, unless `once`.

    expires_s: an order that was not sent by then is never sent.
    proof_s: how long after the send the proof may take before the target is unproved.
    once: never resent after a send whose outcome is unknown (a siren, a count-down).
    always: sent to who shows already what proves it, too: it decides more than that point tells.
    settles: what it decides, its own name where nothing is said: a newer order that decides the same takes the place
    of the older one. holds: how what it sets ends. pace: how fast it goes out. answered: it needs a reason. presets:
    what a form offers. by_post: the post carries it out itself, and no device is handed it. service: whose right it
    takes besides that to see the asset; that of the kind where nothing is said.
    """

    params: tuple[Param, ...] = ()
    proof: Proof | None = None
    hazard: Hazard = Hazard.NONE
    expires_s: float = 300.0
    proof_s: float = 120.0
    once: bool = False
    always: bool = False
    settles: str = ""
    holds: Hold | None = None
    pace: Pace | None = None
    answered: bool = False
    presets: tuple[Preset, ...] = ()
    by_post: bool = False
    service: str = ""
    name: str = ""

    @property
    def decides(self) -> str:
        """What it decides; of two orders that decide the same for an asset, the newer counts."""
        return self.settles or self.name


class AssetKind:
    """The base of every asset kind; see the module's own text. Never instantiated."""

    kind: ClassVar[str]
    service: ClassVar[str]
    shape: ClassVar[Shape]
    icon: ClassVar[str]
    shown: ClassVar[str]
    public: ClassVar[bool]
    verb: ClassVar[str]
    area: ClassVar[bool]
    street: ClassVar[bool]
    follows_place: ClassVar[bool]
    of_town: ClassVar[bool]
    points: ClassVar[Mapping[str, Point[Any]]]
    actions: ClassVar[Mapping[str, Action]]
    attributes: ClassVar[Mapping[str, Attribute]]

    def __init_subclass__(
        cls,
        *,
        name: str,
        service: str,
        shape: Shape = Shape.POINT,
        icon: str = "",
        shown: str = "",
        public: bool = False,
        verb: str = "see",
        area: bool = False,
        street: bool = False,
        follows_place: bool = False,
        of_town: bool = True,
    ) -> None:
        """Collects the declarations.

        shown: the point that drives the asset's picture on the map.
        public: whether its place and name may be read without an account.
        verb: what a Scope must allow for it to be seen at all (see `vigie.core.scope.Verb`).
        area: whether it is a part of the town that others lie in.
        street: whether it is a stretch of a street; those of one name in one area are that street.
        follows_place: whether it is also seen by those who may see the area it is in at the moment.
        of_town: whether the town is where such things are; what only happens around it says nothing of that.
        """
        own = {key: value for base in reversed(cls.__mro__) for key, value in vars(base).items()}
        cls.kind, cls.service, cls.shape = name, service, shape
        cls.icon, cls.shown, cls.public, cls.verb = icon or name, shown, public, verb
        cls.area, cls.street, cls.follows_place, cls.of_town = area, street, follows_place, of_town
        cls.points = {key: cast("Point[Any]", value) for key, value in own.items() if isinstance(value, Point)}
        cls.actions = {key: value for key, value in own.items() if isinstance(value, Action)}
        cls.attributes = {key: value for key, value in own.items() if isinstance(value, Attribute)}
        for action in cls.actions.values():
            if action.proof is not None and action.proof.point not in cls.points:
                raise TypeError(f"{name}.{action.name} is proved by {action.proof.point!r}, which is no point of it")
            for part in (action.holds, action.pace):
                if part is not None and part.point not in cls.points:
                    raise TypeError(f"{name}.{action.name} is followed by {part.point!r}, which is no point of it")
            if action.holds is not None and action.holds.ends not in cls.actions:
                raise TypeError(f"{name}.{action.name} is ended by {action.holds.ends!r}, which is no action of it")
        if shown and shown not in cls.points:
            raise TypeError(f"{name} is shown by {shown!r}, which is no point of it")


@dataclass(frozen=True, kw_only=True)
class ConditionKind:
    """An abnormal state that a service can find, and where it goes.

    priority: 1 (act at once), 2, 3 for an alarm; meaningless for the other outlets.
    """

    name: str
    service: str
    outlet: Outlet
    priority: int = 3


@dataclass(frozen=True)
class Catalogue:
    """All kinds that this installation knows, by name."""

    assets: Mapping[str, type[AssetKind]] = field(default_factory=dict[str, type[AssetKind]])
    conditions: Mapping[str, ConditionKind] = field(default_factory=dict[str, ConditionKind])

    @property
    def services(self) -> tuple[str, ...]:
        """The services that own at least one kind, in the order they were declared."""
        return tuple(dict.fromkeys(kind.service for kind in self.assets.values()))
