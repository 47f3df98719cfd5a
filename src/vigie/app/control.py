"""What the command line can have done by an installation, whether a post runs there or not.

An operation is one coroutine with typed arguments. Where nothing runs, the command opens the installation and performs
it itself; where a post runs, which holds the installation alone, the post performs the same coroutine and says how far
it is over its control socket.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from vigie.api.datex2 import RoadEvents
from vigie.api.mailing import Outbox
from vigie.api.positions import VehiclePositions
from vigie.api.rsmp import RsmpDoor
from vigie.app.accounts import keeper_of
from vigie.app.installation import Installation, InUse, installation
from vigie.app.post import Post
from vigie.core.facts import Entry
from vigie.engine.automations import Failing
from vigie.engine.keeper import Keeper
from vigie.engine.plans import Plans, kinds_of
from vigie.engine.ports import StorageFull
from vigie.settings import Settings
from vigie.store.journal import JournalBroken
from vigie.transports.control import Say, Wrong, ask


class Nothing(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """No arguments."""


@dataclass(frozen=True)
class Hand:
    """What an operation works with.

    say: tells how far it is; may be called from any thread. write: runs work in the one thread that writes. plans: the
    city's plans, which may be moved; keep: takes the facts of that, and returns when they are on disk.
    report_for: the post that runs, if any, learns which device reports for these assets from now on. running: whether
    it is a post that performs it. failing: the automations of that post which fail, by their names. rsmp: that post's
    door for sites of traffic signals, where it has one. events, positions: what reads that post's feeds
    of road events and of vehicles. outbox: what sends its mail.
    """

    opened: Installation
    keeper: Keeper
    say: Say
    write: Callable[[Callable[[], None]], Awaitable[None]]
    report_for: Callable[[Sequence[int], int], None]
    plans: Callable[[], Plans]
    keep: Callable[[Sequence[Entry]], Awaitable[None]]
    running: bool = False
    failing: Callable[[], Mapping[str, Failing]] = dict[str, Failing]
    rsmp: RsmpDoor | None = None
    events: RoadEvents | None = None
    positions: VehiclePositions | None = None
    outbox: Outbox | None = None


@dataclass(frozen=True)
class Operation:
    """args: the type of its arguments. run: performs it; its answer is plain JSON. Raises Wrong. first: it may be the
    first that is done, and makes the installation where there is none."""

    args: type[msgspec.Struct]
    run: Callable[[Hand, Any], Awaitable[Any]]
    first: bool = False


OPERATIONS: dict[str, Operation] = {}


_Run = TypeVar("_Run", bound=Callable[[Hand, Any], Awaitable[Any]])


def operation(name: str, args: type[msgspec.Struct] = Nothing, *, first: bool = False) -> Callable[[_Run], _Run]:
    """Registers an operation under its name."""

    def register(run: _Run) -> _Run:
        OPERATIONS[name] = Operation(args, run, first)
        return run

    return register


def perform(
    settings: Settings, do: str, args: msgspec.Struct | None = None, say: Say = lambda what, done, total: None
) -> Any:
    """Has an operation done by the post that runs there, or here where none does. Raises Wrong, InUse,
    NoInstallation."""

    async def write(work: Callable[[], None]) -> None:
        work()

    try:
        with installation(settings, make=do in OPERATIONS and OPERATIONS[do].first) as opened:

            async def keep(entries: Sequence[Entry]) -> None:
                opened.facts.commit(entries)

            def plans() -> Plans:
                return Plans(opened.facts.plans.kept(kinds_of(opened.services)))

            hand = Hand(opened, keeper_of(opened), say, write, lambda numbers, reporter: None, plans, keep)
            return asyncio.run(_perform(hand, do, msgspec.to_builtins(args or Nothing())))
    except InUse as error:
        try:
            return ask(settings.data, do, msgspec.to_builtins(args or Nothing()), say)
        except OSError:
            raise error from None


def performing(
    opened: Installation,
    post: Post,
    admitted_anew: Callable[[], None],
    keeper: Keeper,
    rsmp: RsmpDoor | None = None,
    events: RoadEvents | None = None,
    positions: VehiclePositions | None = None,
    outbox: Outbox | None = None,
) -> Callable[[str, Any, Say], Awaitable[Any]]:
    """What a running post's control socket performs. admitted_anew: called when devices were admitted or expelled."""

    def report_for(numbers: Sequence[int], reporter: int) -> None:
        admitted_anew()
        post.engine.registry.reporter[list(numbers)] = reporter

    async def keep(entries: Sequence[Entry]) -> None:
        post.engine.owe(entries)
        await post.pump.settled()

    async def answer(do: str, args: Any, say: Say) -> Any:
        hand = Hand(
            opened, keeper, say, post.pump.run_in_writer, report_for, lambda: post.engine.plans, keep, running=True,
            failing=lambda: dict(post.engine.automations.failing), rsmp=rsmp, events=events,
            positions=positions, outbox=outbox,
        )  # fmt: skip
        return await _perform(hand, do, args)

    return answer


async def _perform(hand: Hand, do: str, args: Any) -> Any:
    known = OPERATIONS.get(do)
    if known is None:
        raise Wrong(f"there is no operation {do!r}: the command and the post are of different versions")
    try:
        return await known.run(hand, msgspec.convert(args, known.args))
    except msgspec.ValidationError as error:
        raise Wrong(f"{do} is asked in a form that is not understood: {error}") from None
    except (JournalBroken, StorageFull, OSError) as error:
        raise Wrong(str(error)) from error
