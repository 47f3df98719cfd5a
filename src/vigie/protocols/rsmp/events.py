"""What each end learns from the other, and what it is to send: what a session hands to whoever runs it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from vigie.protocols.rsmp.messages import About, Quality, Value


@dataclass(frozen=True, slots=True)
class Step:
    """The base of all events."""


# What a supervisor learns. site: the first of the site's names.


@dataclass(frozen=True, slots=True)
class Attached(Step):
    """A site has said its versions and has been told ours: orders can go. at_us: what its clock shows."""

    site: str
    core: str
    sxl: str
    at_us: int


@dataclass(frozen=True, slots=True)
class Detached(Step):
    """The connection with a site has ended."""

    site: str
    why: str


@dataclass(frozen=True, slots=True)
class Rejected(Step):
    """Somebody was not let in, or we were not."""

    names: tuple[str, ...]
    why: str


@dataclass(frozen=True, slots=True)
class Ticked(Step):
    """The site's clock at its watchdog, and how far it is ahead of ours."""

    site: str
    at_us: int
    ahead_us: int


@dataclass(frozen=True, slots=True)
class Told:
    """One value as a site tells it. value: None where quality says that it is not known."""

    code: str
    name: str
    value: Value
    quality: Quality


@dataclass(frozen=True, slots=True)
class StatusTold(Step):
    """Values of a component. at_us: when the site fetched them. asked: whether they answer a request. receipt: to be
    given to `Link.kept` when they are on disk; empty where they were of their second alone (`Supervisor.live`), and are
    acknowledged already."""

    site: str
    component: str
    at_us: int
    values: tuple[Told, ...]
    asked: bool
    receipt: str


@dataclass(frozen=True, slots=True)
class AlarmState:
    """How an alarm stands."""

    active: bool
    acknowledged: bool
    suspended: bool


@dataclass(frozen=True, slots=True)
class AlarmTold(Step):
    """An alarm of a component. about: what has changed, at `at_us`. late: something newer of this alarm is known, so
    that it is history and not how the alarm stands."""

    site: str
    component: str
    code: str
    about: About
    at_us: int
    state: AlarmState
    priority: int
    values: Mapping[str, str]
    late: bool
    receipt: str


@dataclass(frozen=True, slots=True)
class AggregatedTold(Step):
    """The state of the site in eight bits (see `site.Bit`)."""

    site: str
    component: str
    at_us: int
    bits: tuple[bool, ...]
    position: str | None
    state: str | None
    late: bool
    receipt: str


class Fate(StrEnum):
    """What became of a request."""

    DONE = "done"
    """The site answered with values. What they are worth, the status that proves it says."""
    REFUSED = "refused"
    """The site did not take it, or has no such component or command."""
    UNKNOWN = "unknown"
    """It was sent, and no answer came: whether the site did it is not known. It is not sent again."""


@dataclass(frozen=True, slots=True)
class Accepted(Step):
    """The site has understood a request. number: as the call that sent it returned it."""

    site: str
    number: str


@dataclass(frozen=True, slots=True)
class Settled(Step):
    """A request has come to its end. values: of an order that was done, by command and argument. One whose fate was
    unknown may be settled a second time, when its answer comes after all."""

    site: str
    number: str
    fate: Fate
    why: str = ""
    values: Mapping[tuple[str, str], str] = field(default_factory=dict[tuple[str, str], str], repr=False)


# What a site learns.


@dataclass(frozen=True, slots=True)
class Met(Step):
    """The supervisor has been met: what was kept is being sent."""

    core: str


@dataclass(frozen=True, slots=True)
class Parted(Step):
    """The connection with the supervisor has ended; it is the site's part to connect again."""

    why: str


@dataclass(frozen=True, slots=True)
class ClockTold(Step):
    """What the supervisor's clock shows: a site that has no better clock sets its own by it."""

    at_us: int


@dataclass(frozen=True, slots=True)
class Ordered(Step):
    """Commands that were checked and accepted, by code. To be answered with `Site.answered`."""

    number: str
    component: str
    commands: Mapping[str, Mapping[str, str]] = field(repr=False)


# What both may learn.


@dataclass(frozen=True, slots=True)
class Garbled(Step):
    """Something came that is no message, or none that this end takes. site: empty at a site, and before it is known."""

    site: str
    why: str


@dataclass(frozen=True, slots=True)
class Turn:
    """What comes of a step: events in their order, bytes to send, and why the connection is to be closed after them
    (empty: it is not)."""

    events: tuple[Step, ...] = ()
    data: bytes = b""
    close: str = ""
