"""A site: the controllers' end of the conversation, which a simulated junction speaks through.

Laws: what is subscribed to and buffered is kept through a loss and arrives, in order, until it was acknowledged
(`buffer`); an order is handed on once, checked against the list and its security code, and answered at most once; what
a site does not have it says it does not have.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum

import msgspec

from vigie.protocols.rsmp.alarms import Move, Standing
from vigie.protocols.rsmp.buffer import Buffer, Kept
from vigie.protocols.rsmp.cores import BY_VERSION, Core, in_order, newest_common
from vigie.protocols.rsmp.events import ClockTold, Garbled, Met, Ordered, Parted, Turn
from vigie.protocols.rsmp.held import Held, Setup
from vigie.protocols.rsmp.limits import PENDING_MAX
from vigie.protocols.rsmp.line import Line, Meeting, NotTaken
from vigie.protocols.rsmp.lists import Of
from vigie.protocols.rsmp.messages import (
    About,
    Addressed,
    AggregatedStatus,
    AggregatedStatusRequest,
    Alarm,
    CommandRequest,
    CommandResponse,
    CoreVersion,
    Numbered,
    Outcome,
    Quality,
    SiteId,
    Status,
    StatusRequest,
    StatusResponse,
    StatusSubscribe,
    StatusUnsubscribe,
    StatusUpdate,
    Value,
    Version,
    Watchdog,
)
from vigie.protocols.rsmp.subscriptions import Key, Subscriptions, interval_us
from vigie.protocols.rsmp.times import Moment, instant, stamp
from vigie.protocols.rsmp.traffic_lights import SXLS


class Bit(IntEnum):
    """The eight bits of an aggregated status. Those of faults follow from the priorities of active alarms."""

    LOCAL = 0
    NO_COMMUNICATION = 1
    FAULT_1 = 2
    FAULT_2 = 3
    FAULT_3 = 4
    IN_USE = 5
    IDLE = 6
    NOT_CONNECTED = 7


_AT_ONCE = 200
"""Values in one update."""

_FAULTS = {1: Bit.FAULT_1, 2: Bit.FAULT_2, 3: Bit.FAULT_3}


@dataclass(frozen=True, slots=True)
class _Order:
    """Commands that were handed on. connection: the one by which they came, and their answer goes."""

    request: CommandRequest
    commands: Mapping[str, Mapping[str, str]] = field(repr=False)
    connection: int


class Site(Line):
    """One site and its one supervisor."""

    def __init__(self, setup: Setup, moment: Moment, *, seed: str) -> None:
        """seed: of the numbers of its messages. Raises KeyError for a list or a core that is not spoken, ValueError for
        a site without a controller."""
        super().__init__(seed, strict=setup.strict, watchdog_s=setup.watchdog_s, acknowledge_s=setup.acknowledge_s)
        self.setup, self.sxl, self.buffer = setup, SXLS[setup.sxl], Buffer(setup.buffer_max)
        self.cores = in_order(setup.cores)
        self.held, self.subscriptions = Held(setup, self.sxl), Subscriptions()
        now_us = moment.clock_us
        self.alarms: dict[tuple[str, str], Standing] = {
            (component, signal.code): Standing(
                component, signal, issued_us=now_us, acknowledged_us=now_us, suspended_us=now_us
            )
            for component, of in setup.components.items()
            for signal in self.sxl.alarms[of]
            if signal.code not in setup.without
        }
        main = next((name for name, of in setup.components.items() if of is Of.CONTROLLER), None)
        if main is None:
            raise ValueError("a site without a controller")
        self._own_bits = frozenset({Bit.IN_USE})
        self.aggregated = AggregatedStatus(number="", component=main, at=stamp(now_us), bits=self._bits())
        self._orders: dict[str, _Order] = {}
        self._connection = 0
        # What was measured of a status since it was asked last, where it is told by interval alone; None for a status
        # that is how things are.
        self.measured: Callable[[str, Moment], Mapping[str, Value] | None] = lambda code, moment: None

    # What happens at the site.

    def observe(self, component: str, code: str, values: Mapping[str, Value], moment: Moment) -> Turn:
        """Values of a status are so from now on; None for one that is not known. Raises ValueError for what the list
        does not have so, which a site must not tell."""
        return self.observe_all(component, {code: values}, moment)

    def observe_all(self, component: str, statuses: Mapping[str, Mapping[str, Value]], moment: Moment) -> Turn:
        """The same of several statuses, by code, that are of one instant: they are told together."""
        changed = [key for code, values in statuses.items() for key in self.held.put(component, code, values)]
        self._update(self.subscriptions.changed(changed, self.core, moment.steady_us), moment)
        return self._flushed(moment)

    def alarm(
        self, component: str, code: str, *, active: bool, moment: Moment, values: Mapping[str, str] | None = None
    ) -> Turn:
        """What an alarm is about is so from now on, or no more. Raises ValueError."""
        signal = self.held.signal(component, code)
        if values and (wrong := signal.problem(values)):
            raise ValueError(wrong)
        before = self.alarms[component, code]
        after = before.moved(Move.RAISE if active else Move.CLEAR, moment.clock_us, values)
        self._stand(before, after, About.ISSUE, moment)
        return self._flushed(moment)

    def acknowledge(self, component: str, code: str, moment: Moment) -> Turn:
        """Somebody at the site has acknowledged an alarm. Raises KeyError for one that the site does not have."""
        before = self.alarms[component, code]
        self._stand(before, before.moved(Move.ACKNOWLEDGE, moment.clock_us), About.ACKNOWLEDGE, moment)
        return self._flushed(moment)

    def mode(self, bits: Iterable[Bit], moment: Moment) -> Turn:
        """Which bits of the aggregated status are set, but for the faults, which follow from the alarms."""
        self._own_bits = frozenset(bits) - frozenset(_FAULTS.values())
        self._aggregate(moment)
        return self._flushed(moment)

    def answered(
        self, number: str, moment: Moment, values: Mapping[tuple[str, str], str] | None = None, *, done: bool = True
    ) -> Turn:
        """An order has come to its end. done: false where it could not be done, which RSMP can only say as it says that
        a command is not there. values: by code and name, where an argument is not what was asked for. The
        answer goes over the connection by which the order came, or nowhere: answers to commands are not buffered.
        Raises KeyError for an order that is none, or was answered."""
        order = self._orders.pop(number)
        if done:
            self.held.change_codes(order.commands)
        if order.connection == self._connection and self.meeting is Meeting.READY:
            self._respond(order.request, Quality.RECENT if done else Quality.UNKNOWN, values or {}, moment)
        return self._turn()

    # What the supervisor says.

    def _on_opened(self, moment: Moment) -> None:
        self._connection += 1
        sites = tuple(SiteId(each) for each in self.setup.names)
        cores = tuple(CoreVersion(each) for each in self.cores)
        self._send(Version(number=self._numbers.next(), cores=cores, sites=sites, sxl=self.sxl.version), moment)

    def _on_version(self, version: Version, moment: Moment) -> None:
        theirs = [each.version for each in version.cores]
        core = newest_common(self.cores, theirs)
        if core is None:
            raise NotTaken(f"RSMP versions {theirs} requested, but only {list(self.cores)} supported")
        if version.sxl != self.sxl.version:
            raise NotTaken(f"SXL {version.sxl} requested, but only {self.sxl.version} supported")
        if not {each.name for each in version.sites} & set(self.setup.names):
            raise NotTaken(f"site id {[each.name for each in version.sites]} is not {list(self.setup.names)}")
        self._acknowledge(version.number, moment)
        self.core, self.meeting = core, Meeting.WATCHDOGS
        self._send_watchdog(moment)

    def _on_watchdog(self, watchdog: Watchdog, moment: Moment) -> None:
        self._tell(ClockTold(instant(watchdog.at)))
        if self.meeting is Meeting.WATCHDOGS and self.core is not None:
            self.meeting = Meeting.READY
            self._tell(Met(self.core.version))
            self.buffer.open_with([self.aggregated, *(each.told() for each in self.alarms.values())])
            self._flush(moment)

    def _on_message(self, message: Numbered, moment: Moment) -> None:
        if self.meeting is not Meeting.READY or self.core is None:
            raise NotTaken("not before the first watchdog")
        match message:
            case AggregatedStatusRequest():
                if message.component != self.aggregated.component:
                    raise NotTaken(f"no aggregated status of {message.component}")
                self._acknowledge(message.number, moment)
                self.buffer.put(self.aggregated)
            case Alarm():
                self._on_alarm(message, moment)
            case StatusRequest():
                wanted = [(each.code, each.name) for each in message.statuses]
                statuses = self.held.statuses(message.component, wanted, self.core, moment)
                self._acknowledge(message.number, moment)
                at, number = stamp(moment.clock_us), self._numbers.next()
                self._send(StatusResponse(number=number, component=message.component, at=at, statuses=statuses), moment)
            case StatusSubscribe():
                self._on_subscribe(message, self.core, moment)
            case StatusUnsubscribe():
                self._acknowledge(message.number, moment)
                for each in message.statuses:
                    self.subscriptions.remove((message.component, each.code, each.name))
            case CommandRequest():
                self._on_command(message, moment)
            case _:
                raise NotTaken(f"a site takes no {message.kind}")
        self._flush(moment)

    def _on_alarm(self, message: Alarm, moment: Moment) -> None:
        if message.tells:
            raise NotTaken("a supervisor tells no alarms")
        before = self.alarms.get((message.component, message.code))
        if before is None:
            raise NotTaken(f"no alarm {message.code} of {message.component}")
        self._acknowledge(message.number, moment)
        # Each of these is answered, changed or not: the supervisor waits for it.
        match message.about:
            case About.ACKNOWLEDGE:
                after = before.moved(Move.ACKNOWLEDGE, moment.clock_us)
                self._stand(before, after, About.ACKNOWLEDGE, moment, always=True)
            case About.SUSPEND | About.RESUME:
                after = before.hushed(message.about is About.SUSPEND, moment.clock_us)
                self._stand(before, after, About.SUSPEND, moment, always=True)
            case _:
                self.buffer.put(before.told())

    def _on_subscribe(self, message: StatusSubscribe, core: Core, moment: Moment) -> None:
        every_us = [interval_us(each.every_s, on_change=each.on_change) for each in message.statuses]
        wanted = [(each.code, each.name) for each in message.statuses]
        statuses = self.held.statuses(message.component, wanted, core, moment)
        fresh: list[Status] = []
        for wish, interval, status in zip(message.statuses, every_us, statuses, strict=True):
            key = (message.component, wish.code, wish.name)
            # What there is not, or is not known, is said once and not subscribed to.
            if status.quality is not Quality.RECENT or self.subscriptions.add(
                key, interval, on_change=wish.on_change, core=core, now_us=moment.steady_us
            ):
                fresh.append(status)
        self._acknowledge(message.number, moment)
        if fresh:
            self._put_update(message.component, fresh, moment)

    def _on_command(self, message: CommandRequest, moment: Moment) -> None:
        if message.component not in self.setup.components:
            self._acknowledge(message.number, moment)
            self._respond(message, Quality.UNDEFINED, {}, moment)
            return
        commands: dict[str, dict[str, str]] = defaultdict(dict)
        for each in message.arguments:
            if each.name in commands[each.code]:
                raise NotTaken(f"{each.code} has {each.name!r} twice")
            commands[each.code][each.name] = each.value
        self.held.check(message.component, commands)
        missing = any(map(self.held.lacks, commands))
        if not missing and len(self._orders) >= PENDING_MAX:
            raise NotTaken(f"{PENDING_MAX} orders are waiting already")
        self._acknowledge(message.number, moment)
        if missing:
            self._respond(message, Quality.UNKNOWN, {}, moment)
            return
        self._orders[message.number] = _Order(message, commands, self._connection)
        self._tell(Ordered(message.number, message.component, commands))

    def _on_settled(self, message: Numbered, refusal: str | None, moment: Moment) -> None:
        self.buffer.settled(message.number)
        if refusal is not None:
            self._tell(Garbled("", f"our {message.kind} was refused: {refusal}"))
        self._flush(moment)

    def _on_tick(self, moment: Moment) -> None:
        due = self.subscriptions.due(moment.steady_us)
        for component, code in dict.fromkeys(key[:2] for key in due if not self.subscriptions.tells_changes(key)):
            values = self.measured(code, moment)
            if values is not None:
                self.held.put(component, code, values)
        self._update(due, moment)
        self._flush(moment)

    def _on_end(self, unsettled: tuple[Numbered, ...], why: str, moment: Moment) -> None:
        self.buffer.lost()
        self.subscriptions.keep(self.setup.buffers)
        self._tell(Parted(why))

    # How it tells.

    def _respond(
        self, request: CommandRequest, quality: Quality, values: Mapping[tuple[str, str], str], moment: Moment
    ) -> None:
        known = quality is Quality.RECENT
        outcomes = tuple(
            Outcome(one.code, one.name, values.get((one.code, one.name), one.value) if known else None, quality)
            for one in request.arguments
        )
        at, number = stamp(moment.clock_us), self._numbers.next()
        self._send(CommandResponse(number=number, component=request.component, at=at, outcomes=outcomes), moment)

    def _stand(self, before: Standing, after: Standing, about: About, moment: Moment, *, always: bool = False) -> None:
        changed = after is not before
        self.alarms[before.component, before.signal.code] = after
        # A suspended alarm is kept from being told; what was asked for is answered all the same.
        if always or (changed and not (after.suspended and about is About.ISSUE)):
            self.buffer.put(after.message(about))
        if changed:
            self._aggregate(moment)

    def _bits(self) -> tuple[bool, ...]:
        faults = {_FAULTS[each.signal.priority] for each in self.alarms.values() if each.state.active}
        return tuple(bit in faults or bit in self._own_bits for bit in Bit)

    def _aggregate(self, moment: Moment) -> None:
        bits = self._bits()
        if bits != self.aggregated.bits:
            self.aggregated = msgspec.structs.replace(self.aggregated, bits=bits, at=stamp(moment.clock_us))
            self.buffer.put(self.aggregated)

    def _update(self, keys: Iterable[Key], moment: Moment) -> None:
        """An update for each component, or a few where much has changed."""
        by_component: dict[str, list[tuple[str, str]]] = defaultdict(list)
        for component, code, name in keys:
            by_component[component].append((code, name))
        # Without a connection the next version is not known; what it cannot say is left out when it is sent.
        core = self.core or BY_VERSION[self.cores[-1]]
        for component, wanted in by_component.items():
            for n in range(0, len(wanted), _AT_ONCE):
                part = self.held.statuses(component, wanted[n : n + _AT_ONCE], core, moment)
                self._put_update(component, part, moment)

    def _put_update(self, component: str, statuses: Iterable[Status], moment: Moment) -> None:
        update = StatusUpdate(number="", component=component, at=stamp(moment.clock_us), statuses=tuple(statuses))
        self.buffer.put(update)

    def _flushed(self, moment: Moment) -> Turn:
        self._flush(moment)
        return self._turn()

    def _flush(self, moment: Moment) -> None:
        while self.meeting is Meeting.READY and self.core is not None:
            kept = self.buffer.next()
            if kept is None:
                return
            message = self._fitting(kept, self.core)
            self.buffer.sent(message.number, kept)
            self._send(message, moment)

    def _fitting(self, kept: Kept, core: Core) -> Addressed:
        """The message under a new number, as the version of this connection has it."""
        message = msgspec.structs.replace(kept.message, number=self._numbers.next())
        if not isinstance(message, StatusUpdate):
            return message
        old = core.marks_old and self.buffer.is_old(kept)
        return msgspec.structs.replace(message, statuses=tuple(_fit(each, core, old) for each in message.statuses))


def _fit(status: Status, core: Core, old: bool) -> Status:
    if isinstance(status.value, list) and not core.arrays:
        return Status(status.code, status.name, None, Quality.UNKNOWN)
    if old and status.quality is Quality.RECENT:
        return Status(status.code, status.name, status.value, Quality.OLD)
    return status
