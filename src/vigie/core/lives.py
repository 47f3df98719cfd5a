"""Lives: the states of commands, their targets, conditions, lock-outs, plans and cases, and the moves between them.

Laws, checked by tests/core/test_lives.py:
- every state can be reached from the first, and from every state some last state can be reached;
- nothing leaves a last state, but for the moves listed as late: a proof may come after the post gave up, and what
  was done may be over one day;
- an event that a state does not list is refused, never ignored in silence.

This table is the only place where a move is defined; the reference pages draw it from here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


class MoveRefused(Exception):
    """An event came that the state does not allow."""

    def __init__(self, life: str, state: str, event: str) -> None:
        super().__init__(f"{life}: {event!r} is not possible in state {state!r}")
        self.life, self.state, self.event = life, state, event


@dataclass(frozen=True)
class Life:
    """A life: its name, its first state, its last states, and what each event leads to."""

    name: str
    first: str
    last: frozenset[str]
    moves: Mapping[tuple[str, str], str]

    @property
    def states(self) -> tuple[str, ...]:
        """All states, in the order in which they are first named; a state's place is its code in storage."""
        named = [self.first]
        for (origin, _), target in self.moves.items():
            named += [origin, target]
        return tuple(dict.fromkeys(named))

    def move(self, state: str, event: str) -> str:
        """The state after an event. Raises MoveRefused."""
        try:
            return self.moves[state, event]
        except KeyError:
            raise MoveRefused(self.name, state, event) from None

    def allows(self, state: str, event: str) -> bool:
        """Whether the event is possible in the state."""
        return (state, event) in self.moves


COMMAND = Life(
    name="command",
    first="proposed",
    last=frozenset({"refused", "cancelled", "expired", "closed"}),
    moves={
        # proposed: checked and shown; waits for the confirmation or the second person that its hazard asks for.
        ("proposed", "refuse"): "refused",
        ("proposed", "cancel"): "cancelled",
        ("proposed", "expire"): "expired",
        ("proposed", "release"): "running",
        # running: its targets are being sent and proved; closed when the last of them has come to an end.
        ("running", "cancel"): "running",
        ("running", "resend"): "running",
        ("running", "close"): "closed",
    },
)

TARGET = Life(
    name="target",
    first="waiting",
    last=frozenset(
        {
            "refused",
            "cancelled",
            "expired",
            "already",
            "done",
            "unproved",
            "failed",
            "superseded",
            "done_late",
            "returned",
            "released",
        }
    ),
    moves={
        ("waiting", "refuse"): "refused",
        ("waiting", "cancel"): "cancelled",
        ("waiting", "expire"): "expired",
        ("waiting", "find_so"): "already",
        ("waiting", "send"): "sent",
        # An absolute order may be handed over again; one marked `once` is not (the engine does not ask).
        ("sent", "send"): "sent",
        ("sent", "accept"): "accepted",
        ("sent", "prove"): "done",
        ("sent", "fail"): "failed",
        ("sent", "give_up"): "unproved",
        ("accepted", "prove"): "done",
        ("accepted", "fail"): "failed",
        ("accepted", "give_up"): "unproved",
        # A newer order of the same action to the same asset: the older one is never sent again.
        ("waiting", "supersede"): "superseded",
        ("sent", "supersede"): "superseded",
        ("accepted", "supersede"): "superseded",
        # The late proof: visible as such for ever.
        ("unproved", "prove"): "done_late",
        # What was set is over, and the asset has said so: at its end or after it, or before.
        ("done", "return"): "returned",
        ("done_late", "return"): "returned",
        ("done", "release"): "released",
        ("done_late", "release"): "released",
    },
)

# The life of an alarm follows ISA-18.2, figure 3, without suppression by design, which comes with its rules.
ALARM = Life(
    name="alarm",
    first="unacknowledged",
    last=frozenset({"normal"}),
    moves={
        ("unacknowledged", "acknowledge"): "acknowledged",
        ("unacknowledged", "clear"): "returned_unacknowledged",
        ("unacknowledged", "shelve"): "shelved",
        ("acknowledged", "clear"): "normal",
        ("acknowledged", "shelve"): "shelved",
        ("returned_unacknowledged", "acknowledge"): "normal",
        ("returned_unacknowledged", "raise"): "unacknowledged",
        ("shelved", "clear"): "normal",
        ("shelved", "unshelve"): "unacknowledged",
        # The asset was decommissioned: there is nothing left to acknowledge.
        ("unacknowledged", "withdraw"): "normal",
        ("acknowledged", "withdraw"): "normal",
        ("returned_unacknowledged", "withdraw"): "normal",
        ("shelved", "withdraw"): "normal",
    },
)

MAINTENANCE = Life(
    name="maintenance",
    first="open",
    last=frozenset({"normal"}),
    moves={("open", "clear"): "normal", ("open", "withdraw"): "normal"},
)

RECORD = Life(
    name="record",
    first="open",
    last=frozenset({"normal"}),
    moves={("open", "clear"): "normal", ("open", "withdraw"): "normal"},
)

CONSIGNATION = Life(
    name="consignation",
    first="set",
    last=frozenset({"lifted", "overridden"}),
    moves={
        ("set", "lift"): "lifted",
        ("set", "ask_override"): "override_asked",
        ("override_asked", "lift"): "lifted",
        ("override_asked", "withdraw"): "set",
        ("override_asked", "override"): "overridden",
    },
)

# The life of one save of a plan: the next save of the same draft takes its place; approval puts it in force and ends
# the version before it.
PLAN = Life(
    name="plan",
    first="draft",
    last=frozenset({"replaced", "discarded", "superseded", "withdrawn"}),
    moves={
        ("draft", "save"): "replaced",
        ("draft", "discard"): "discarded",
        ("draft", "approve"): "in_force",
        ("in_force", "supersede"): "superseded",
        ("in_force", "withdraw"): "withdrawn",
    },
)

# The life of a work order. Done and cancelled are not the end: what came back is opened again; after some days of quiet
# it is archived, and what comes then is another order.
WORK_ORDER = Life(
    name="work_order",
    first="open",
    last=frozenset({"archived"}),
    moves={
        ("open", "assign"): "assigned",
        ("assigned", "assign"): "assigned",
        ("assigned", "unassign"): "open",
        # Its crew is no more: nobody has it, and somebody must send another.
        ("assigned", "disband"): "open",
        ("started", "disband"): "open",
        ("blocked", "disband"): "blocked",
        # A crew that passes by may begin what nobody has given it.
        ("open", "start"): "started",
        ("assigned", "start"): "started",
        ("started", "pause"): "assigned",
        ("started", "finish"): "done",
        # What was done on the way, without anybody having said that it was begun.
        ("open", "finish"): "done",
        ("assigned", "finish"): "done",
        # It cannot be done, because: somebody must find another way.
        ("open", "block"): "blocked",
        ("assigned", "block"): "blocked",
        ("started", "block"): "blocked",
        ("blocked", "assign"): "assigned",
        ("blocked", "unblock"): "open",
        ("blocked", "start"): "started",
        ("blocked", "finish"): "done",
        ("open", "cancel"): "cancelled",
        ("assigned", "cancel"): "cancelled",
        ("blocked", "cancel"): "cancelled",
        # What was wrong has gone by itself, or is done with another order, before anybody went.
        ("open", "lapse"): "cancelled",
        ("open", "merge"): "cancelled",
        ("done", "reopen"): "open",
        ("cancelled", "reopen"): "open",
        # What was wrong is so still, long after it was said to be mended: done is not mended.
        ("done", "return"): "open",
        ("done", "archive"): "archived",
        ("cancelled", "archive"): "archived",
    },
)

# The life of a resident's report, as its work order moves it. Closed is not fixed: as long as it is not archived,
# whoever reported it says so, and it is received again.
REPORT = Life(
    name="report",
    first="received",
    last=frozenset({"archived"}),
    moves={
        ("received", "accept"): "accepted",
        # The order that does it was found, or opened.
        ("received", "order"): "accepted",
        ("accepted", "order"): "accepted",
        ("received", "reject"): "rejected",
        ("accepted", "reject"): "rejected",
        # Somebody has reported the same before: it goes as that one goes, until a person says that it is another thing.
        ("received", "merge"): "merged",
        ("merged", "split"): "received",
        ("merged", "close"): "closed",
        ("merged", "reject"): "rejected",
        ("accepted", "begin"): "at_work",
        ("at_work", "pause"): "accepted",
        # Its order was cancelled: somebody must decide anew.
        ("accepted", "release"): "received",
        ("at_work", "release"): "received",
        ("received", "close"): "closed",
        ("accepted", "close"): "closed",
        ("at_work", "close"): "closed",
        ("closed", "reopen"): "received",
        ("rejected", "reopen"): "received",
        # What it went the way of was taken up again.
        ("closed", "merge"): "merged",
        ("rejected", "merge"): "merged",
        ("closed", "archive"): "archived",
        ("rejected", "archive"): "archived",
    },
)

# The life of a permit for works in a street. Its dates move nothing: works that should have begun, or be over, are told
# as late until somebody says what became of them.
ROADWORKS = Life(
    name="roadworks",
    first="requested",
    last=frozenset({"archived"}),
    moves={
        ("requested", "grant"): "granted",
        ("requested", "refuse"): "refused",
        ("requested", "withdraw"): "withdrawn",
        ("granted", "begin"): "under_way",
        ("granted", "withdraw"): "withdrawn",
        ("under_way", "suspend"): "suspended",
        ("under_way", "finish"): "finished",
        # A permit is precarious: it may be taken back while works are under way.
        ("under_way", "withdraw"): "withdrawn",
        ("suspended", "resume"): "under_way",
        ("suspended", "finish"): "finished",
        ("suspended", "withdraw"): "withdrawn",
        # They are not over after all, or are asked for again: it is decided anew.
        ("finished", "reopen"): "requested",
        ("refused", "reopen"): "requested",
        ("withdrawn", "reopen"): "requested",
        ("finished", "archive"): "archived",
        ("refused", "archive"): "archived",
        ("withdrawn", "archive"): "archived",
    },
)

# The life of a request about buried networks (DT, DICT).
BURIED = Life(
    name="buried",
    first="received",
    last=frozenset({"archived"}),
    moves={
        ("received", "answer"): "answered",
        ("received", "withdraw"): "withdrawn",
        # What was answered was wrong, or the request comes again.
        ("answered", "reopen"): "received",
        ("withdrawn", "reopen"): "received",
        ("answered", "archive"): "archived",
        ("withdrawn", "archive"): "archived",
    },
)

LIVES: Mapping[str, Life] = {
    life.name: life
    for life in (
        COMMAND, TARGET, ALARM, MAINTENANCE, RECORD, CONSIGNATION, PLAN, WORK_ORDER, REPORT, ROADWORKS, BURIED
    )
}  # fmt: skip
