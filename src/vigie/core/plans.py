"""Plans: documents that say what a part of the city is to do, written by people, approved by others, then in force.

A lighting programme is one. A plan has versions; a version is a draft that is saved again and again (its revisions),
until somebody else than who saved it last approves it, which puts it in force in place of the one before.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import Any, Protocol

import msgspec
import numpy as np
from numpy.typing import NDArray

from vigie.core.calendar import Calendar
from vigie.core.kinds import AssetKind, ConditionKind
from vigie.core.observations import Floats, Int64s, Mask


class Finding(msgspec.Struct, frozen=True):
    """One thing that is wrong with a plan. refuses: it cannot be approved so; else it can, once it is answered in
    writing.

    rule: a text's key. article: the law it comes from, "" for a rule of the trade. detail: what to put into the text.
    assets: the first of those that it is about; count: how many there are.
    """

    rule: str
    refuses: bool
    article: str = ""
    detail: dict[str, str | float] = {}
    assets: list[str] = []
    count: int = 0


@dataclass(frozen=True)
class Columns:
    """The assets of one kind that somebody may see, in columns of one length, by number. Retired ones are left out.

    area, street: indices into `areas` and `streets`, 0 for none. attributes: by name; NaN, or "", where nothing is
    known.
    """

    no: Int64s
    ids: Sequence[str]
    area: Int64s
    street: Int64s
    parent: Int64s
    lon: Floats
    lat: Floats
    areas: Sequence[str]
    streets: Sequence[str]
    attributes: Mapping[str, NDArray[Any]]

    def numbers(self, attribute: str) -> Floats:
        """An attribute that is a number."""
        return self.attributes[attribute].astype(np.float64)

    def texts(self, attribute: str) -> list[str]:
        """An attribute that is a text or a choice."""
        return [str(each) for each in self.attributes[attribute]]


@dataclass(frozen=True)
class Drawn:
    """The stretches of streets that somebody may see, as they are drawn, in columns of one length.

    area: an index into `areas`. one_way: whether a stretch is driven only as it is drawn. start: of each, its first
    corner; one more at the end. lon, lat: of each corner, in degrees.
    """

    ids: Sequence[str]
    area: Int64s
    areas: Sequence[str]
    one_way: Mask
    start: Int64s
    lon: Floats
    lat: Floats


@dataclass(frozen=True)
class Standing:
    """A plan as it stands: what is in force of it, and the draft beside it."""

    id: str
    in_force: Any
    draft: Any


@dataclass(frozen=True)
class Troubles:
    """Conditions in columns of one length, in the order in which they were raised. kind: the condition's name.
    cleared_us: 0 while it lasts."""

    asset: Int64s
    kind: Sequence[str]
    raised_us: Int64s
    cleared_us: Int64s


@dataclass(frozen=True, slots=True)
class Given:
    """An order that an automation gave: to which assets (sorted), when, how, and what the journal says of why."""

    assets: Int64s
    at_us: int
    params: Mapping[str, float | str | bool]
    words: Mapping[str, str]


class Known(Protocol):
    """What a question, or the check of a plan, may know of the city. Frozen: nothing moves while it is answered."""

    @property
    def calendar(self) -> Calendar:
        """The days of the town."""
        ...

    @property
    def kinds(self) -> Sequence[type[AssetKind]]:
        """All kinds of assets, whichever service owns them."""
        ...

    @property
    def now_us(self) -> int:
        """The instant at which it was asked."""
        ...

    def columns(self, kind: type[AssetKind], *attributes: str) -> Columns:
        """The assets of a kind that who asks may see, with some of their attributes."""
        ...

    def ids(self, kind: type[AssetKind]) -> Sequence[str]:
        """The ids of the assets of a kind, those included that who asks may see only because anybody may."""
        ...

    def areas(self, kind: type[AssetKind]) -> Set[str]:
        """Where there are assets of a kind, those included that who asks may see only because anybody may."""
        ...

    def drawn(self) -> Drawn:
        """The stretches of streets that who asks may see, were it because anybody may."""
        ...

    def plans(self, kind: PlanKind) -> Sequence[Standing]:
        """The plans of a kind, in no order that means anything."""
        ...

    def troubles(self, kinds: Sequence[ConditionKind], since_us: int) -> Troubles:
        """The conditions of some kinds that last, or were raised since an instant, of the assets that who asks may
        see."""
        ...

    def given(self, automation: str, since_us: int) -> Sequence[Given]:
        """The orders that an automation has given since an instant, the oldest first, as far as they went to assets
        that who asks may see."""
        ...


@dataclass(frozen=True)
class PlanKind:
    """A variety of plan.

    form: its document. area: the part of the town that it is for, which decides who may write it; "" is all of it.
    title: what people call it. rank: whose word it is, "" where its kind has no ranks. answer: what was answered in
    writing to what is wrong with it. check(form, id, known): everything that is wrong with it; id is "" for one that
    has none yet. asset: the one asset that it describes, "" where it is about none in particular; who writes it must be
    answerable where that lies. brief: what is said of it in a list, beside its title. done_at: the kind of assets at
    which it has something done, by its name, "" for none; who writes it must see one of them in its area.
    """

    name: str
    service: str
    form: type[msgspec.Struct]
    area: Callable[[Any], str]
    title: Callable[[Any], str]
    rank: Callable[[Any], str]
    answer: Callable[[Any], str]
    check: Callable[[Any, str, Known], list[Finding]]
    asset: Callable[[Any], str] = lambda _: ""
    brief: Callable[[Any], Mapping[str, str | float]] = lambda _: {}
    done_at: Callable[[Any], str] = lambda _: ""

    @property
    def key(self) -> str:
        """How it is named beyond its service."""
        return f"{self.service}.{self.name}"


class Unanswerable(Exception):
    """What was asked is more than is computed: a rule, and what goes into its sentence."""

    def __init__(self, rule: str, **detail: str | float) -> None:
        super().__init__(rule)
        self.rule, self.detail = rule, detail


@dataclass(frozen=True, slots=True)
class Phrase:
    """A text that is put into the reader's language where it is read: its key, and what goes into it."""

    key: str
    detail: Mapping[str, str | float] = field(default_factory=dict[str, str | float])


Cell = str | float | Phrase | None


@dataclass(frozen=True)
class Table:
    """Rows for a spreadsheet. heads: what each column is, as the texts `csv.HEAD` say it."""

    heads: Sequence[str]
    rows: Iterable[Sequence[Cell]]


@dataclass(frozen=True)
class Question:
    """Something that a service can be asked and that nothing changes by. ask(params, known) -> answer; its docstring
    says what it is. It may raise LookupError for what is not there, and Unanswerable.

    table(params, known): the same as rows. What has one is asked in an address, where its parameters stand: all of them
    are plain values.
    """

    name: str
    params: type[msgspec.Struct]
    answer: Any
    ask: Callable[[Any, Known], Any]
    table: Callable[[Any, Known], Table] | None = None
