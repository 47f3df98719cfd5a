"""One connection of a site to the supervisor, from the first Version to its end.

Laws: what a site tells is acknowledged only when it is `kept`, so that what was acknowledged is on disk; an order is
checked before it is sent, and sent once: where no answer comes its fate is unknown; a late alarm never changes how the
alarm stands.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from msgspec import UNSET

from vigie.core.times import MINUTE_US, SECOND_US
from vigie.protocols.rsmp.asking import Asked, Asking
from vigie.protocols.rsmp.cores import newest_common
from vigie.protocols.rsmp.events import (
    Accepted,
    AggregatedTold,
    AlarmState,
    AlarmTold,
    Attached,
    Detached,
    Fate,
    Garbled,
    Rejected,
    Settled,
    StatusTold,
    Step,
    Ticked,
    Told,
    Turn,
)
from vigie.protocols.rsmp.lateness import Lateness, Passed
from vigie.protocols.rsmp.limits import ORDERS_MIN, OWED_MAX, PENDING_MAX, UNACKNOWLEDGED_MAX
from vigie.protocols.rsmp.line import WATCHDOG_S, Line, Meeting, NotTaken
from vigie.protocols.rsmp.lists import CODE, NEW_CODE, SECRETS, Of, Signal, Sxl
from vigie.protocols.rsmp.messages import (
    About,
    Acknowledged,
    Active,
    AggregatedStatus,
    AggregatedStatusRequest,
    Alarm,
    Argument,
    CommandRequest,
    CommandResponse,
    CoreVersion,
    Numbered,
    Quality,
    Status,
    StatusName,
    StatusRequest,
    StatusResponse,
    StatusSubscribe,
    StatusUnsubscribe,
    StatusUpdate,
    Suspended,
    Version,
    Watchdog,
    Wish,
)
from vigie.protocols.rsmp.times import Moment, instant, stamp
from vigie.protocols.rsmp.traffic_lights import Act, Way, acts_by

if TYPE_CHECKING:
    from vigie.protocols.rsmp.supervisor import Supervisor

_SILENT_MAX = 3
"""So many watchdogs of a site may be missed."""

_DOUBLINGS_MAX = 6
"""A subscription that is refused is tried again with the next watchdog, and each time after twice as long: an hour at
most."""

_AT_ONCE = 200
"""Values in one message that ends subscriptions."""

_PRIORITY = {"1": 1, "2": 2, "3": 3}
_KNOWN = frozenset({Quality.RECENT, Quality.OLD})


class CannotAsk(ValueError):
    """Something that cannot be asked of a site now, or ever; nothing was sent."""


@dataclass(frozen=True, slots=True)
class Rate:
    """How often a value is wanted. every_s: whole seconds, as the schemas of all versions want; 0 for no interval."""

    every_s: int = 0
    on_change: bool = True


LIVE = Rate(1)
"""How often at least a value is wanted that is true for its second alone."""


@dataclass(slots=True)
class Known:
    """What is known of a site beyond one connection. without: codes that it is declared not to have. unknown: those of
    commands to which it has last answered that it does not have them, or could not do them; forgotten when it connects
    anew. sxl: the list that it last said it speaks by."""

    site: str
    components: Mapping[str, Of] = field(default_factory=dict[str, Of])
    codes: tuple[str, str] = field(default=("", ""), repr=False)
    without: frozenset[str] = frozenset()
    unknown: set[str] = field(default_factory=set[str])
    wanted: dict[str, dict[tuple[str, str], Rate]] = field(default_factory=dict[str, dict[tuple[str, str], Rate]])
    sxl: Sxl | None = None

    def acts(self) -> dict[Way, Act]:
        """By which orders control can act on it; none before its list is known."""
        return acts_by(self.sxl, self.without | self.unknown) if self.sxl is not None else {}


@dataclass(frozen=True, slots=True)
class _Shunned:
    """A status of a component that a site has refused to tell. times: how often. again_us: when it is asked again."""

    times: int = 0
    again_us: int = 0


class Link(Line):
    """The supervisor's end of one connection."""

    def __init__(self, supervisor: Supervisor, seed: str, certificate: str) -> None:
        super().__init__(
            seed, strict=supervisor.strict, watchdog_s=supervisor.watchdog_s, acknowledge_s=supervisor.acknowledge_s
        )
        self._supervisor, self._certificate = supervisor, certificate
        self.known: Known | None = None
        self._asking = Asking(supervisor.answer_s)
        self._owed: dict[str, None] = {}
        self._followed: dict[str, dict[tuple[str, str], Rate]] = {}
        self._shunned: dict[tuple[str, str], _Shunned] = {}
        self._clock_us = self._heard_us = 0
        self._lateness = Lateness()
        self._dismissed, self._attached = "", False

    @property
    def name(self) -> str:
        """The site's, once it is known."""
        return self.known.site if self.known is not None else ""

    @property
    def owed(self) -> int:
        """How many messages wait to be kept."""
        return len(self._owed)

    # What the post does.

    def kept(self, receipts: Iterable[str], moment: Moment) -> Turn:
        """What came with these receipts is on disk: it is acknowledged. One of an earlier connection is passed over:
        the site has sent it again. Where something cannot be kept, the connection must be let go, and nothing that
        came after it on the same one be kept: it would come again behind what is newer."""
        for receipt in receipts:
            if receipt in self._owed and self.meeting is not Meeting.CLOSED:
                del self._owed[receipt]
                self._acknowledge(receipt, moment)
        return self._turn()

    def order(self, component: str, commands: Mapping[str, Mapping[str, str]], moment: Moment) -> tuple[str, Turn]:
        """Gives commands, by code and argument; the security codes are put in. Its number, by which `Accepted` and
        `Settled` speak of it. Raises CannotAsk."""
        known, sxl = self._ready()
        of = self._type_of(known, component)
        values: dict[tuple[str, str], str] = {}
        arguments: list[Argument] = []
        for code, said in commands.items():
            signal = self._commanded(code, of, sxl, known)
            secret = {CODE: known.codes[signal.security - 1]} if signal.security else {}
            whole = {**said, **secret}
            if wrong := signal.problem(whole):
                raise CannotAsk(wrong)
            values.update({(code, name): value for name, value in whole.items()})
            arguments += [Argument(code, name, signal.verb, value) for name, value in whole.items()]
        number = self._number(order=True)
        self._asking.put(Asked(number, component, frozenset(values), moment.steady_us, values))
        self._send(CommandRequest(number=number, component=component, arguments=tuple(arguments)), moment)
        return number, self._turn()

    def ask(self, component: str, names: Sequence[tuple[str, str]], moment: Moment) -> tuple[str, Turn]:
        """Asks for values of statuses once, by code and name; as proof of an order, say. Raises CannotAsk."""
        known, sxl = self._ready()
        of = self._type_of(known, component)
        for code, name in names:
            self._status(code, name, of, sxl)
        number = self._number()
        self._asking.put(Asked(number, component, frozenset(names), moment.steady_us))
        wanted = tuple(StatusName(code, name) for code, name in names)
        self._send(StatusRequest(number=number, component=component, statuses=wanted), moment)
        return number, self._turn()

    def about_alarm(self, component: str, code: str, about: About, moment: Moment) -> tuple[str, Turn]:
        """Acknowledges, suspends or resumes an alarm, or requests how it stands. What comes of it is an `AlarmTold`.
        Raises CannotAsk."""
        known, sxl = self._ready()
        self._found(code, self._type_of(known, component), sxl)
        if about is About.ISSUE or not code.startswith("A"):
            raise CannotAsk("only a site issues alarms")
        number = self._number()
        # The text shows none, and the schemas want an instant in an acknowledgement.
        at = stamp(moment.clock_us) if about is About.ACKNOWLEDGE else UNSET
        self._send(Alarm(number=number, component=component, code=code, about=about, at=at), moment)
        return number, self._turn()

    def ask_aggregated(self, component: str, moment: Moment) -> tuple[str, Turn]:
        """Asks for the aggregated status. Raises CannotAsk."""
        known, _ = self._ready()
        self._type_of(known, component)
        number = self._number()
        self._send(AggregatedStatusRequest(number=number, component=component), moment)
        return number, self._turn()

    def follow(self, moment: Moment) -> Turn:
        """Subscribes to what is wanted of the site and is not yet, and lets go of what is wanted no more."""
        if self.meeting is Meeting.READY and self.known is not None:
            self._follow(self.known, moment)
        return self._turn()

    def dismiss(self, why: str, moment: Moment) -> tuple[Step, ...]:
        """Another has taken its place, or its site was expelled: it closes with its next tick. What comes of that."""
        self._dismissed = why
        self._end(why, moment)
        return self._turn(closing=False).events

    # What the site says.

    def _on_opened(self, moment: Moment) -> None:
        pass

    def _on_version(self, version: Version, moment: Moment) -> None:
        names, cores = tuple(each.name for each in version.sites), [each.version for each in version.cores]
        try:
            known = self._supervisor.admit(names, self._certificate)
            core = newest_common(self._supervisor.cores, cores)
            if core is None:
                raise NotTaken(f"RSMP versions {cores} requested, but only {list(self._supervisor.cores)} supported")
            sxl = self._supervisor.sxls.get(version.sxl)
            if sxl is None:
                raise NotTaken(f"SXL {version.sxl} requested, but only {list(self._supervisor.sxls)} supported")
        except NotTaken as error:
            self._tell(Rejected(names, str(error)))
            raise
        for event in self._supervisor.attach(known, self, moment):
            self._tell(event)
        self.known, self.core, self.meeting = known, core, Meeting.WATCHDOGS
        known.sxl, known.unknown = sxl, set()
        self._acknowledge(version.number, moment)
        ours = tuple(CoreVersion(each) for each in self._supervisor.cores)
        self._send(Version(number=self._numbers.next(), cores=ours, sites=version.sites, sxl=sxl.version), moment)

    def _on_watchdog(self, watchdog: Watchdog, moment: Moment) -> None:
        assert self.known is not None
        assert self.core is not None
        assert self.known.sxl is not None
        at_us = instant(watchdog.at)
        if self.meeting is Meeting.WATCHDOGS:
            self.meeting = Meeting.READY
            self._lateness.begun_us, self._attached = at_us, True
            self._send_watchdog(moment)
            self._tell(Attached(self.name, self.core.version, self.known.sxl.version, at_us))
        elif at_us < self._clock_us:
            self._set_back(at_us, moment)
        self._follow(self.known, moment)
        self._lateness.clear()
        self._clock_us, self._heard_us = at_us, moment.steady_us
        self._tell(Ticked(self.name, at_us, at_us - moment.clock_us))

    def _set_back(self, at_us: int, moment: Moment) -> None:
        """The site's clock went back: what was taken for late since the last watchdog, and has an instant of the time
        since, was not. It is told again, as how things stand."""
        self._lateness.begun_us = min(self._lateness.begun_us, at_us)
        for event in self._lateness.mistaken(at_us - (moment.steady_us - self._heard_us), at_us):
            self._tell(event)

    def _on_message(self, message: Numbered, moment: Moment) -> None:
        if len(self._owed) >= OWED_MAX:
            # The site keeps it all, and sends it again.
            self._close("too much waits to be kept", moment)
            return
        match message:
            case StatusResponse() | StatusUpdate():
                self._on_statuses(message, moment)
            case Alarm() if message.tells:
                self._on_alarm(message)
            case AggregatedStatus():
                at_us = instant(message.at)
                late = self._late(message.component, "", at_us)
                self._owe(message)
                event = AggregatedTold(
                    self.name, message.component, at_us, message.bits, message.position, message.state, late,
                    message.number,
                )  # fmt: skip
                self._tell_passed(event)
            case CommandResponse():
                self._acknowledge(message.number, moment)
                self._on_response(message)
            case _:
                raise NotTaken(f"a supervisor takes no {message.kind}")

    def _on_statuses(self, message: StatusResponse | StatusUpdate, moment: Moment) -> None:
        assert self.known is not None
        assert self.known.sxl is not None
        of = self.known.components.get(message.component)
        told: list[Told] = []
        for each in message.statuses:
            try:
                wrong = "of no component that is known" if of is None else self._wrong(each, of, self.known.sxl)
            except CannotAsk as error:
                raise NotTaken(str(error)) from None
            if each.quality not in _KNOWN and isinstance(message, StatusUpdate):
                # No subscription begins with a value that is not known: it is asked for again with the next watchdog.
                self._followed.get(message.component, {}).pop((each.code, each.name), None)
            if wrong:
                self._tell(Garbled(self.name, f"{each.code}: {wrong}"))
            else:
                told.append(Told(each.code, each.name, each.value, each.quality))
        asked = None
        if isinstance(message, StatusResponse):
            names = frozenset((each.code, each.name) for each in message.statuses)
            asked = self._asking.answer(message.component, names, None)
        told_us, receipt = instant(message.at), message.number
        if self._is_live(message):
            self._acknowledge(message.number, moment)
            receipt = ""
        else:
            self._owe(message)
        self._tell(
            StatusTold(self.name, message.component, told_us, tuple(told), isinstance(message, StatusResponse), receipt)
        )
        if asked is not None:
            self._tell(Settled(self.name, asked.number, Fate.DONE))

    def _is_live(self, message: StatusResponse | StatusUpdate) -> bool:
        """Whether it tells nothing but what is true for its second alone: what is wanted less often is of a time."""
        assert self.known is not None
        wanted = self.known.wanted.get(message.component, {})
        return all(
            each.code in self._supervisor.live and wanted.get((each.code, each.name), LIVE).every_s <= LIVE.every_s
            for each in message.statuses
        )

    def _wrong(self, status: Status, of: Of, sxl: Sxl) -> str:
        """What is wrong with a value, which refuses itself alone. Raises CannotAsk for what is not in the list."""
        argument = self._status(status.code, status.name, of, sxl).argument(status.name)
        assert argument is not None
        if status.quality not in _KNOWN:
            return "" if status.value is None else f"{status.name} is {status.quality.value} and has a value"
        return argument.problem(status.value)

    def _on_alarm(self, message: Alarm) -> None:
        assert isinstance(message.at, str)
        assert isinstance(message.values, tuple)
        at_us = instant(message.at)
        late = self._late(message.component, message.code, at_us)
        self._owe(message)
        state = AlarmState(
            message.active is Active.YES, message.acknowledged is Acknowledged.YES, message.suspended is Suspended.YES
        )
        priority = _PRIORITY.get(message.priority, 0) if isinstance(message.priority, str) else 0
        values = {each.name: each.value for each in message.values}
        about = About.SUSPEND if message.about is About.RESUME else message.about
        self._tell_passed(
            AlarmTold(self.name, message.component, message.code, about, at_us, state, priority, values, late,
                      message.number)
        )  # fmt: skip

    def _late(self, component: str, code: str, at_us: int) -> bool:
        assert self.known is not None
        assert self.known.sxl is not None
        listed = component in self.known.components and (not code or code in self.known.sxl.signals)
        return self._lateness.judge(component, code, at_us, listed=listed)

    def _tell_passed(self, event: Passed) -> None:
        if event.late:
            self._lateness.put(event)
        self._tell(event)

    def _on_response(self, message: CommandResponse) -> None:
        assert self.known is not None
        values = {(each.code, each.name): each.value or "" for each in message.outcomes}
        asked = self._asking.answer(message.component, frozenset(values), values)
        if asked is None:
            self._tell(Garbled(self.name, "an answer to nothing that was asked"))
            return
        lacking = [each for each in message.outcomes if each.quality not in _KNOWN]
        if not lacking:
            self.known.unknown -= {each.code for each in message.outcomes}
            plain = {key: value for key, value in values.items() if key[1] not in SECRETS}
            self._tell(Settled(self.name, asked.number, Fate.DONE, values=plain))
            return
        unknown = {each.code for each in lacking if each.quality is Quality.UNKNOWN}
        # One such answer is no reason to refuse the next order, which may be an emergency's.
        self.known.unknown |= unknown
        why = f"the site cannot do {', '.join(sorted(unknown))}" if unknown else f"no {message.component} there"
        self._tell(Settled(self.name, asked.number, Fate.REFUSED, why))

    def _on_settled(self, message: Numbered, refusal: str | None, moment: Moment) -> None:
        match message:
            case CommandRequest() | StatusRequest():
                if refusal is None:
                    self._tell(Accepted(self.name, message.number))
                elif self._asking.drop(message.number):
                    self._tell(Settled(self.name, message.number, Fate.REFUSED, refusal))
            case Alarm() | AggregatedStatusRequest():
                fate = Fate.DONE if refusal is None else Fate.REFUSED
                self._tell(Settled(self.name, message.number, fate, refusal or ""))
            case StatusSubscribe():
                self._on_subscribed(message, refusal, moment)
            case _:
                if refusal is not None:
                    self._tell(Garbled(self.name, f"our {message.kind} was refused: {refusal}"))

    def _on_subscribed(self, message: StatusSubscribe, refusal: str | None, moment: Moment) -> None:
        code = message.statuses[0].code
        key = message.component, code
        if refusal is None:
            self._shunned.pop(key, None)
            return
        followed = self._followed.get(message.component, {})
        for each in message.statuses:
            followed.pop((each.code, each.name), None)
        times = self._shunned.get(key, _Shunned()).times + 1
        pause_us = (2 ** min(times - 1, _DOUBLINGS_MAX) - 1) * MINUTE_US
        self._shunned[key] = _Shunned(times, moment.steady_us + pause_us)
        self._tell(Garbled(self.name, f"our {message.kind} of {code} was refused, for the {times}. time: {refusal}"))

    def _on_tick(self, moment: Moment) -> None:
        if self._dismissed:
            self._made.close, self._dismissed = self._dismissed, ""
        silent_us = _SILENT_MAX * max(self._watchdog_us, round(WATCHDOG_S * SECOND_US))
        if self.meeting is Meeting.READY and moment.steady_us - self._heard_us > silent_us:
            self._close("no watchdog came", moment)
        for each in self._asking.overdue(moment.steady_us):
            self._tell(Settled(self.name, each.number, Fate.UNKNOWN, "no answer in time"))

    def _on_end(self, unsettled: tuple[Numbered, ...], why: str, moment: Moment) -> None:
        self._owed, self._followed, self._shunned = {}, {}, {}
        self._lateness.clear()
        if self.known is None:
            return
        for each in self._asking.clear():
            self._tell(Settled(self.name, each.number, Fate.UNKNOWN, why))
        for message in unsettled:
            if isinstance(message, Alarm | AggregatedStatusRequest):
                self._tell(Settled(self.name, message.number, Fate.UNKNOWN, why))
        if self._attached:
            self._tell(Detached(self.name, why))
        self._supervisor.detach(self.known, self)

    # What these use.

    def _owe(self, message: Numbered) -> None:
        self._owed[message.number] = None

    def _ready(self) -> tuple[Known, Sxl]:
        if self.meeting is not Meeting.READY or self.known is None or self.known.sxl is None:
            raise CannotAsk("the site is not attached")
        return self.known, self.known.sxl

    def _number(self, *, order: bool = False) -> str:
        kept = 0 if order else ORDERS_MIN
        if self._asking.waiting >= PENDING_MAX - kept or len(self._waiting) >= UNACKNOWLEDGED_MAX - kept:
            raise CannotAsk("too many requests to the site wait for their answers")
        return self._numbers.next()

    def _type_of(self, known: Known, component: str) -> Of:
        of = known.components.get(component)
        if of is None:
            raise CannotAsk(f"the site has no {component!r}")
        return of

    def _found(self, code: str, of: Of, sxl: Sxl) -> Signal:
        try:
            return sxl.find(code, of)
        except ValueError as error:
            raise CannotAsk(str(error)) from None

    def _status(self, code: str, name: str, of: Of, sxl: Sxl) -> Signal:
        signal = self._found(code, of, sxl)
        if not code.startswith("S") or signal.argument(name) is None:
            raise CannotAsk(f"{code} has no value {name!r}")
        return signal

    def _commanded(self, code: str, of: Of, sxl: Sxl, known: Known) -> Signal:
        signal = self._found(code, of, sxl)
        if not signal.verb:
            raise CannotAsk(f"{code} is no command")
        if signal.reserved:
            raise CannotAsk(f"{code} is reserved in SXL {sxl.version}: no site can act on it")
        if signal.argument(NEW_CODE) is not None:
            # The post would go on with the old one after its next start.
            raise CannotAsk("a security code is changed at the site, and then in its enrolment")
        if code in known.without:
            raise CannotAsk(f"the site does not have {code}")
        return signal

    def _follow(self, known: Known, moment: Moment) -> None:
        assert known.sxl is not None
        for component in dict.fromkeys((*known.wanted, *self._followed)):
            wanted = self._possible(component, known, known.sxl)
            followed = self._followed.get(component, {})
            self._let_go(component, [key for key in followed if key not in wanted], moment)
            # A changed rate of what is followed: 3.1.5 keeps the first, so it is ended and begun again.
            changed = [key for key, rate in wanted.items() if followed.get(key, rate) != rate]
            if self.core is not None and not self.core.changes_rates:
                self._let_go(component, changed, moment)
            shunned = {key for key in wanted if self._shuns(component, key[0], moment)}
            fresh = [key for key, rate in wanted.items() if followed.get(key) != rate and key not in shunned]
            # One message for each code: a site refuses a message whole for one thing in it that it does not have.
            for code in dict.fromkeys(key[0] for key in fresh):
                keys = [key for key in fresh if key[0] == code]
                wishes = tuple(Wish(*key, str(wanted[key].every_s), wanted[key].on_change) for key in keys)
                number = self._numbers.next()
                self._send(StatusSubscribe(number=number, component=component, statuses=wishes), moment)
            self._followed[component] = {
                key: rate for key, rate in wanted.items() if key not in shunned or followed.get(key) == rate
            }

    def _shuns(self, component: str, code: str, moment: Moment) -> bool:
        """Whether the site has refused to tell a status, and is not asked again yet."""
        return self._shunned.get((component, code), _Shunned()).again_us > moment.steady_us

    def _let_go(self, component: str, keys: Sequence[tuple[str, str]], moment: Moment) -> None:
        for n in range(0, len(keys), _AT_ONCE):
            names = tuple(StatusName(*key) for key in keys[n : n + _AT_ONCE])
            number = self._numbers.next()
            self._send(StatusUnsubscribe(number=number, component=component, statuses=names), moment)

    def _possible(self, component: str, known: Known, sxl: Sxl) -> dict[tuple[str, str], Rate]:
        """What is wanted of a component and its site's list has; one unknown name would refuse all of them."""
        of = known.components.get(component)
        if of is None:
            return {}
        has = {(each.code, one.name) for each in sxl.of("S", of) for one in each.arguments}
        wanted = known.wanted.get(component, {})
        return {key: rate for key, rate in wanted.items() if key in has and key[0] not in known.without}
