"""Commands: the life of each order and of each of its targets.

One command is one fact, its selection frozen to asset numbers; the states of its targets are columns. Whatever moves
targets marks them; `collect` then says all that moved as facts, one leaf for each command and commit, and closes the
commands whose last target has come to an end.

Laws (tests/engine/test_commands.py):
- what was not sent before the expiry is never sent; what is `once` is never sent twice;
- nothing is sent to an asset that a lock-out holds, whenever the lock-out was set;
- `done` is a matching value that was received after the send and observed after it on the device's estimated clock;
- of two orders that decide the same for one asset, the older is never sent again;
- what an order set is over when its asset has said so, after the proof.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from vigie.core.facts import POST, CommandMoved, Entry, because
from vigie.core.kinds import Action, AssetKind, Hazard, Pace, Quality
from vigie.core.lives import COMMAND, TARGET, MoveRefused
from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.scope import common_area
from vigie.core.service import Numbers, Refusal
from vigie.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from vigie.engine.clocks import DeviceClocks
from vigie.engine.command import CODES, Command, proposed, targets_moved
from vigie.engine.consignations import Consignations
from vigie.engine.following import Index
from vigie.engine.orders import GONE, Examined, Examiner, Order, ends, handed_to, shown_as
from vigie.engine.pace import Gate, lasts_s
from vigie.engine.picture import Moved
from vigie.engine.registry import Registry

RESEND_US = 30 * SECOND_US
"""An order handed over is handed over again after this, unless the device has said that it took it."""

LATE_US = DAY_US
"""So long after its end a command still takes a late proof."""

HELD_US = 4 * HOUR_US
"""So long after the end of what an order set, its assets may say that it is over."""

EARLY_US = 30 * SECOND_US
"""By so much may the clock that ended an order have been ahead, and still it ended in time."""

SHOWN_US = 2 * MINUTE_US
"""So long after its end a command is still told to whoever watches."""

OFFERED_MAX = 2_000
OPEN_MAX = 2_000
AUTOMATIC_OPEN_MAX = 200
"""So many orders of automations may be under way; they are counted apart, and take no place of a person's."""
TARGETS_OPEN_MAX = 1_000_000
TARGETS_OVER_MAX = 1_000_000
"""So many targets of orders that are over are kept for a late proof, the newest first."""
_NEVER = 0
_NOT_YET = np.iinfo(np.int64).max

_LAST = np.array([state in TARGET.last for state in TARGET.states])
_HELD = np.array([TARGET.allows(state, "return") for state in TARGET.states])
_PROVABLE = np.array([TARGET.allows(state, "prove") for state in TARGET.states])
_ACCEPTABLE = np.array([TARGET.allows(state, "accept") for state in TARGET.states])

NewId = Callable[[str], str]
"""new_id(what for) -> the id of a fact: random for what a person does, derived for what a batch leads to."""


class CommandRefused(Exception):
    """Somebody may not do this to a command: the rule that keeps them from it."""

    def __init__(self, rule: str, **detail: str | float) -> None:
        super().__init__(rule)
        self.rule, self.detail = rule, detail


@dataclass(frozen=True, slots=True)
class _Event:
    """A move of a command that is not yet a fact."""

    command: Command
    event: str
    actor: str
    state: str
    at_us: int
    reason: str


@dataclass(frozen=True, slots=True)
class Offer:
    """What a device is handed: targets of one command that are its own."""

    command: Command
    rows: Int64s


class Commands:
    """The orders that are under way, and those that ended but may yet be proved late."""

    def __init__(
        self, registry: Registry, examiner: Examiner, consignations: Consignations, kept: Iterable[Command] = ()
    ) -> None:
        self._registry, self._examiner, self._consignations = registry, examiner, consignations
        self._all: dict[str, Command] = {}
        self._index = Index()
        self._by_key: dict[tuple[str, str], str] = {}
        self._watched = np.zeros(4_096, np.int32)
        self._moved: dict[str, list[Int64s]] = {}
        self._events: list[Entry | _Event] = []
        self._unsettled: list[Command] = []
        self._gate = Gate()
        # reporter -> since when its pace keeps something back, and when it is worth while to look again.
        self._kept_back: dict[int, tuple[int, int]] = {}
        self.version = 0
        # How many facts are on disk; the engine counts.
        self.settled = 0
        # For each asset, how many orders are under way to it; who shows the city sets the last against it.
        self.pending = np.zeros(registry.count, np.int32)
        self.on_pending: Callable[[Numbers], None] = lambda assets: None
        for command in kept:
            self._keep(command)

    def __iter__(self) -> Iterator[Command]:
        return iter(tuple(self._all.values()))

    def find(self, command_id: str) -> Command | None:
        """The command of this id, while it is kept here."""
        return self._all.get(command_id)

    def by_key(self, actor: str, key: str) -> Command | None:
        """The command that this person gave under this idempotency key, while it is kept here."""
        return self._all.get(self._by_key.get((actor, key), ""))

    # What a person does. Each returns after having moved the lives; `collect` says it as facts.

    def propose(
        self,
        command_id: str,
        order: Order,
        examined: Examined,
        *,
        actor: str,
        reason: str,
        key: str,
        now_us: int,
        expires_s: float | None = None,
    ) -> Command:
        """Gives an order: refused targets are refused at once, the others wait for its release; an order without any is
        refused whole. expires_s: what was not sent by then is never sent; as the action says, where nothing is said.
        Raises CommandRefused where too many orders are under way."""
        count = len(order.assets)
        most = AUTOMATIC_OPEN_MAX if order.is_automatic else OPEN_MAX
        alike = (each.order for each in self._all.values() if not each.closed_us)
        sizes = [len(each.assets) for each in alike if each.is_automatic == order.is_automatic]
        if len(sizes) >= most:
            raise CommandRefused("engine.too_many_orders", most=most)
        if sum(sizes) + count > TARGETS_OPEN_MAX:
            raise CommandRefused("engine.too_many_targets", most=TARGETS_OPEN_MAX - sum(sizes))
        command = Command(
            id=command_id,
            order=order,
            actor=actor,
            reason=reason,
            key=key,
            state=COMMAND.first,
            proposed_us=now_us,
            expires_us=now_us + int((order.action.expires_s if expires_s is None else expires_s) * SECOND_US),
            area=self._common_area(order.assets),
            state_of=np.full(count, CODES[TARGET.first], np.uint8),
            sent_us=np.zeros(count, np.int64),
            ended_us=np.zeros(count, np.int64),
            offered_us=np.zeros(count, np.int64),
            release_after=_NOT_YET,
        )
        for mask, refusal in examined.refused:
            rows = np.flatnonzero(mask)
            command.state_of[rows], command.ended_us[rows] = CODES["refused"], now_us
            command.refusals |= dict.fromkeys(rows.tolist(), refusal)
        self._keep(command)
        self._touch(command)
        self._unsettled.append(command)
        self._events.append(proposed(command))
        if not len(command.rows_in("waiting")):
            self._tell(command, "refuse", actor, now_us)
        return command

    def release(self, command: Command, actor: str, *, now_us: int, reason: str = "") -> None:
        """Lets an order go: what its targets are is examined anew, and what is so already is not sent.

        Raises CommandRefused where the hazard asks for a second person and this is the first; MoveRefused where it
        was released or has ended already.
        """
        if not COMMAND.allows(command.state, "release"):
            raise MoveRefused(COMMAND.name, command.state, "release")
        if command.hazard is Hazard.TWO_PERSON and actor == command.actor:
            raise CommandRefused("engine.second_person")
        if now_us >= command.expires_us:
            self._end_waiting(command, "expire", now_us)
            self._tell(command, "expire", actor, now_us, reason)
            return
        examined = self._examiner.examine(command.order, self._held(command), now_us)
        for mask, refusal in examined.refused:
            self._refuse(command, np.flatnonzero(mask), refusal, now_us)
        # Only what will be carried out takes the place of an older order: a refusal leaves that one as it was.
        waiting = command.state_of == CODES["waiting"]
        overlapped = self._supersede(command, np.flatnonzero(waiting), now_us)
        self._move(command, np.flatnonzero(examined.already & waiting & ~overlapped), "find_so", now_us)
        refused_all = bool((command.state_of == CODES["refused"]).all())
        self._tell(command, "refuse" if refused_all else "release", actor, now_us, reason)

    def cancel(self, command: Command, actor: str, *, now_us: int, reason: str = "") -> None:
        """Takes back what was not sent. What was sent cannot be called back: it is proved or given up as before.

        Raises MoveRefused for an order that has ended.
        """
        if not COMMAND.allows(command.state, "cancel"):
            raise MoveRefused(COMMAND.name, command.state, "cancel")
        self._end_waiting(command, "cancel", now_us)
        self._tell(command, "cancel", actor, now_us, reason)

    def resend(self, command: Command, actor: str, *, now_us: int, reason: str = "") -> int:
        """Hands the order over again at the next chance to whoever has not said that it took it. Returns to how many.

        Raises CommandRefused for an order that is `once`, MoveRefused for one that is not under way.
        """
        if command.order.action.once:
            raise CommandRefused("engine.once")
        self._tell(command, "resend", actor, now_us, reason)
        rows = command.rows_in("sent")
        command.offered_us[rows] = _NEVER
        return len(rows)

    # What devices do.

    def offers(self, reporter: int, now_us: int) -> list[Offer]:
        """What a device may be handed now, at most `OFFERED_MAX` targets; whoever is locked out is refused instead.
        ANY_REPORTER is handed what the post carries out itself.

        The targets are `sent` from here on: the facts must be on disk before the device gets them. What its pace keeps
        back waits on; `again_us` says until when.
        """
        if self.again_us(reporter, now_us):
            return []
        offers: list[Offer] = []
        left, again_us = OFFERED_MAX, 0
        for command in self._sendable(now_us):
            waiting = command.state_of == CODES["waiting"]
            mine = handed_to(command.order, self._registry) == reporter
            rows = self._free(command, np.flatnonzero(mine & self._due(command, now_us)), now_us)[:left]
            leave = self._gate.leave(*self._paced(command.order, rows), reporter, now_us)
            rows = rows[leave.which]
            again_us = min(again_us or leave.again_us, leave.again_us or again_us)
            if len(rows):
                left -= len(rows)
                self._move(command, rows[waiting[rows]], "send", now_us)
                command.offered_us[rows] = now_us
                offers.append(Offer(command, rows))
        if again_us:
            self._kept_back[reporter] = (now_us, again_us)
        else:
            self._kept_back.pop(reporter, None)
        return offers

    def again_us(self, reporter: int, now_us: int) -> int:
        """Before this instant nothing more may leave for a device, unless another order is given; 0 where its pace
        keeps nothing back."""
        since_us, again_us = self._kept_back.get(reporter, (0, 0))
        return again_us if since_us <= now_us < again_us else 0

    def lasts_s(self, order: Order, rows: Int64s) -> float:
        """How long it takes at least until the last of these targets has left, in seconds."""
        pace, feeder, dark = self._paced(order, rows)
        return lasts_s(pace, feeder, dark, self._registry.reporter[order.assets[rows]].astype(np.int64))

    def waits_for(self, now_us: int) -> set[int]:
        """The reporters that have something to pick up."""
        found: set[int] = set()
        for command in self._sendable(now_us):
            reporters = handed_to(command.order, self._registry)[self._due(command, now_us)]
            # ANY_REPORTER is below nothing by one.
            found.update((np.flatnonzero(np.bincount(reporters + 1)) - 1).tolist())
        return {reporter for reporter in found if not self.again_us(reporter, now_us)}

    def receipt(self, command: Command, asset: int, reporter: int, result: str, detail: str, now_us: int) -> bool:
        """What a device says of an order. Returns whether it meant anything: a target of this device, sent."""
        row = int(np.searchsorted(command.order.assets, asset))
        if row >= len(command.order.assets) or command.order.assets[row] != asset:
            return False
        event = "accept" if result == "accepted" else "fail"
        if handed_to(command.order, self._registry)[row] != reporter or not TARGET.allows(_state(command, row), event):
            return False
        if event == "fail":
            command.refusals[row] = Refusal("device.failed", {"detail": detail[:200]})
        self._move(command, np.array([row]), event, now_us)
        return True

    def accepted(self, command: Command, rows: Int64s, now_us: int) -> None:
        """A device says of targets of its own, all at once, that it took them; what no longer waits for that stays as
        it is."""
        self._move(command, rows[_ACCEPTABLE[command.state_of[rows]]], "accept", now_us)

    def prove(self, moved: Moved, received_us: int, clocks: DeviceClocks) -> None:
        """Holds what has just been received against the orders that wait for it."""
        if not self._all or not len(moved.slot):
            return
        self._fit()
        hits = np.flatnonzero((self._watched[moved.slot] > 0) & (moved.quality == Quality.GOOD))
        if not len(hits):
            return
        slot, value, told = moved.slot[hits], moved.value[hits], moved.observed_us[hits]
        reporter = self._registry.reporter[self._registry.slot_asset[slot]].astype(np.int64)
        by_device = told - clocks.ahead_us(reporter, received_us)
        for command in self._index.of(self._registry.slot_asset[slot]):
            # What the post has done it says by its own clock.
            observed = told if command.order.action.by_post else by_device
            if command.hold_slots is not None:
                self._end(command, slot, value, observed, received_us)
            if command.slots is None or command.order.proof is None:
                continue
            row = np.minimum(np.searchsorted(command.slots, slot), len(command.slots) - 1)
            _, wanted, tolerance = command.order.proof
            proved = (command.slots[row] == slot) & _PROVABLE[command.state_of[row]]
            proved &= np.abs(value - wanted) <= tolerance + 1e-9
            proved &= (command.sent_us[row] <= received_us) & (command.sent_us[row] <= observed)
            if proved.any():
                self._move(command, np.sort(row[proved]), "prove", received_us)

    def _end(self, command: Command, slot: Int64s, value: Floats, observed: Int64s, received_us: int) -> None:
        """Of what an order set, ends what is over. A value from before the proof says nothing of it."""
        hold, until_us = command.order.action.holds, command.order.until_us
        assert command.hold_slots is not None
        assert hold is not None
        assert until_us is not None
        row = np.minimum(np.searchsorted(command.hold_slots, slot), len(command.hold_slots) - 1)
        over = (command.hold_slots[row] == slot) & (value == shown_as(command.order.kind, hold, hold.free))
        over &= _HELD[command.state_of[row]] & (command.ended_us[row] < observed)
        if over.any():
            in_time = observed >= until_us - EARLY_US
            self._move(command, np.sort(row[over & in_time]), "return", received_us)
            self._move(command, np.sort(row[over & ~in_time]), "release", received_us)

    def ruled_by_newer(self, command: Command, rows: Int64s, now_us: int) -> Mask:
        """Which of these targets a newer order that decides the same has been sent to, and may rule now."""
        ruled = np.zeros(len(rows), np.bool_)
        for other in self._index.of(command.order.assets[rows]):
            sets = other.proposed_us > command.proposed_us and other.order.action.holds is not None
            if not sets or ends(other.order) or not _same(other.order, command.order):
                continue
            until_us = other.order.until_us
            if until_us is None or until_us > now_us:
                ruled |= np.isin(command.order.assets[rows], other.order.assets[other.sent_us > 0])
        return ruled

    def ordered(self, kind: type[AssetKind], action: Action, assets: Numbers, now_us: int) -> Mask:
        """Which of these assets an order of a person's that decides the same as this action rules, or may rule yet."""
        found = np.zeros(len(assets), np.bool_)
        for other in self._index.of(assets):
            order = other.order
            if other.is_automatic or order.kind is not kind or order.action.decides != action.decides:
                continue
            may_rule = ~_LAST[other.state_of]
            until_us = order.until_us
            if order.action.holds is not None and not ends(order) and (until_us is None or until_us > now_us):
                may_rule |= _HELD[other.state_of] | (other.state_of == CODES["unproved"])
            if may_rule.any():
                found |= np.isin(assets, order.assets[may_rule])
        return found

    # What time does.

    def tick(self, now_us: int) -> None:
        """Expires what was not sent in time, gives up what was not proved in time, forgets what is long over, and
        before that the oldest of what is over, where it has too many targets to wait for a late proof of each."""
        for command in tuple(self._all.values()):
            if command.closed_us:
                kept_us = command.closed_us + (command.followed_us(LATE_US) if command.slots is not None else SHOWN_US)
                if now_us > max(kept_us, held_until_us(command)):
                    self._forget(command)
                continue
            if now_us >= command.expires_us:
                self._end_waiting(command, "expire", now_us)
                if command.state == "proposed":
                    self._tell(command, "expire", POST, now_us)
            if command.state == "running":
                limit_us = now_us - int(command.order.action.proof_s * SECOND_US)
                rows = command.rows_in("sent", "accepted")
                self._move(command, rows[command.sent_us[rows] <= limit_us], "give_up", now_us)
        over = sorted((each for each in self._all.values() if each.closed_us), key=lambda each: each.closed_us)
        targets = 0
        for command in reversed(over):
            targets += len(command.order.assets)
            if targets > TARGETS_OVER_MAX and now_us > command.closed_us + SHOWN_US:
                self._forget(command)

    def collect(self, new_id: NewId, now_us: int) -> list[Entry]:
        """The facts of all that moved since it was last called: what was done to commands, then to their targets,
        then the closing of those whose last target has come to an end."""
        entries = [self._fact(each, new_id) for each in self._events]
        self._events = []
        moved, self._moved = self._moved, {}
        for command_id, parts in moved.items():
            rows = np.unique(np.concatenate(parts))
            entries.append(targets_moved(self._all[command_id], rows, new_id(f"targets.{command_id}"), now_us))
        for command in tuple(self._all.values()):
            if command.state == "running" and _LAST[command.state_of].all():
                self._tell(command, "close", POST, now_us)
        entries += [self._fact(each, new_id) for each in self._events]
        self._events = []
        return entries

    def owed(self, total: int) -> None:
        """All that was collected is among the first `total` facts: once they are on disk, what was released leaves."""
        for command in self._unsettled:
            command.release_after = total
            self._kept_back.clear()
        self._unsettled = []

    # How it is kept.

    def _sendable(self, now_us: int) -> list[Command]:
        return [
            command
            for command in self._all.values()
            if command.state == "running" and command.release_after <= self.settled and now_us < command.expires_us
        ]

    def _due(self, command: Command, now_us: int) -> Mask:
        """Which targets are to be handed over: those that never were, and again those whose device has not said that it
        took the order; of an order that is `once`, none of these."""
        again = (command.state_of == CODES["sent"]) & (command.offered_us <= now_us - RESEND_US)
        return (command.state_of == CODES["waiting"]) | (again & (not command.order.action.once))

    def _free(self, command: Command, rows: Int64s, now_us: int) -> Int64s:
        """The rows that are in service and that no lock-out holds; of the others, what was not sent yet is refused."""
        assets = command.order.assets[rows]
        gone = self._registry.gone[assets]
        self._refuse(command, rows[gone], GONE, now_us)
        for mask, refusal in self._consignations.refusals(assets):
            self._refuse(command, rows[mask], refusal, now_us)
        return rows[~gone & ~self._consignations.held[assets]]

    def _paced(self, order: Order, rows: Int64s) -> tuple[Pace | None, Numbers, Mask]:
        """How these targets go out: the pace, what feeds each, and which of them it counts."""
        pace, feeder = order.action.pace, self._registry.parent[order.assets[rows]]
        return pace, feeder, self._examiner.dark(order, rows) if pace else np.zeros(len(rows), np.bool_)

    def _refuse(self, command: Command, rows: Int64s, refusal: Refusal, now_us: int) -> None:
        rows = rows[command.state_of[rows] == CODES["waiting"]]
        command.refusals |= dict.fromkeys(rows.tolist(), refusal)
        self._move(command, rows, "refuse", now_us)

    def _supersede(self, command: Command, rows: Int64s, now_us: int) -> Mask:
        """Ends older orders that decide the same for the assets of these rows; returns, for each target, whether an
        older one may still be on its way to it."""
        overlapped = np.zeros(len(command.order.assets), np.bool_)
        for other in self._index.of(command.order.assets[rows]):
            if other is command or other.state != "running" or not _same(other.order, command.order):
                continue
            _, mine, theirs = np.intersect1d(
                command.order.assets[rows], other.order.assets, assume_unique=True, return_indices=True
            )
            is_open = ~_LAST[other.state_of[theirs]]
            overlapped[rows[mine[is_open & (other.state_of[theirs] != CODES["waiting"])]]] = True
            self._move(other, np.sort(theirs[is_open]), "supersede", now_us)
        return overlapped

    def _end_waiting(self, command: Command, event: str, now_us: int) -> None:
        self._move(command, command.rows_in("waiting"), event, now_us)

    def _move(self, command: Command, rows: Int64s, event: str, now_us: int) -> None:
        """Moves targets; rows are sorted, none twice, and each in a state that allows the event."""
        if not len(rows):
            return
        before = command.state_of[rows]
        after = before.copy()
        codes: list[int] = np.unique(before).tolist()
        for code in codes:
            after[before == code] = CODES[TARGET.move(TARGET.states[code], event)]
        command.state_of[rows] = after
        if event == "send":
            command.sent_us[rows] = now_us
        ended = _LAST[after]
        command.ended_us[rows[ended]] = now_us
        newly = command.order.assets[rows[ended & ~_LAST[before]]]
        self.pending[newly] -= 1
        if event == "prove":
            self._take_over(command, rows, now_us)
        self._moved.setdefault(command.id, []).append(rows)
        self._touch(command)
        if len(newly):
            self.on_pending(newly)

    def _take_over(self, command: Command, rows: Int64s, now_us: int) -> None:
        """What older orders set is over where this one, which decides the same, is proved."""
        for other in self._index.of(command.order.assets[rows]):
            if other is command or other.hold_slots is None or not _same(other.order, command.order):
                continue
            if other.proposed_us <= command.proposed_us:
                held = other.holding
                over = np.isin(other.order.assets[held], command.order.assets[rows])
                self._move(other, held[over], "release", now_us)

    def _tell(self, command: Command, event: str, actor: str, now_us: int, reason: str = "") -> None:
        """Moves a command, and notes that a fact must say so."""
        command.state = COMMAND.move(command.state, event)
        if command.state in COMMAND.last:
            command.closed_us = now_us
            self._unwatch(command)
        self._touch(command)
        self._events.append(_Event(command, event, actor, command.state, now_us, reason))

    def _fact(self, event: Entry | _Event, new_id: NewId) -> Entry:
        if isinstance(event, Entry):
            return event
        command = event.command
        totals = command.counts if event.state in COMMAND.last else {}
        fact = CommandMoved(
            id=new_id(f"command.{command.id}.{event.event}"),
            at=event.at_us,
            actor=event.actor,
            command=command.id,
            event=event.event,
            state=event.state,
            totals=totals,
        )
        return Entry(fact, because(event.reason, event.at_us), about=command.about)

    def _keep(self, command: Command) -> None:
        self._fit()
        self._all[command.id] = command
        self._index.add(command)
        if command.key:
            self._by_key[command.actor, command.key] = command.id
        if command.order.proof is not None:
            command.slots = self._examiner.slots(command.order)
            self._watched[command.slots] += 1
        if command.order.until_us is not None:
            command.hold_slots = self._examiner.hold_slots(command.order)
            self._watched[command.hold_slots] += 1
        pace, sent = command.order.action.pace, np.flatnonzero(command.sent_us)
        if pace is not None and len(sent):
            self._gate.note(pace, self._registry.parent[command.order.assets[sent]], command.sent_us[sent])
        is_open = ~_LAST[command.state_of]
        self.pending[command.order.assets[is_open]] += 1
        self.on_pending(command.order.assets[is_open])

    def _unwatch(self, command: Command) -> None:
        """An order that ended is watched no more, unless something of it may yet be proved late."""
        if command.slots is not None and not _PROVABLE[command.state_of].any():
            self._watched[command.slots] -= 1
            command.slots = None

    def _forget(self, command: Command) -> None:
        for slots in (command.slots, command.hold_slots):
            if slots is not None:
                self._watched[slots] -= 1
        del self._all[command.id]
        self._index.remove(command)
        self._by_key.pop((command.actor, command.key), None)

    def _touch(self, command: Command) -> None:
        self.version += 1
        command.changed = self.version

    def _held(self, command: Command) -> Sequence[tuple[Mask, Refusal]]:
        return self._consignations.refusals(command.order.assets)

    def _common_area(self, assets: Numbers) -> str:
        """The smallest area that holds all of the assets: who may see it may see the order."""
        codes: list[int] = np.unique(self._registry.area[assets]).tolist()
        return common_area(self._registry.areas[code] for code in codes)

    def _fit(self) -> None:
        if len(self._watched) < self._registry.slots:
            more = max(self._registry.slots, 2 * len(self._watched)) - len(self._watched)
            self._watched = np.concatenate([self._watched, np.zeros(more, np.int32)])
        if len(self.pending) < self._registry.count:
            more = max(self._registry.count, 2 * len(self.pending)) - len(self.pending)
            self.pending = np.concatenate([self.pending, np.zeros(more, np.int32)])


def held_until_us(command: Command) -> int:
    """How long an order is followed for the end of what it set; 0 where there is nothing to be seen."""
    until_us = command.order.until_us
    return until_us + command.followed_us(HELD_US) if until_us is not None and len(command.holding) else 0


def _same(one: Order, other: Order) -> bool:
    """Whether two orders decide the same."""
    return one.kind is other.kind and one.action.decides == other.action.decides


def _state(command: Command, row: int) -> str:
    return TARGET.states[int(command.state_of[row])]
