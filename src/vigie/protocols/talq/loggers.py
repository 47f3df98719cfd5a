"""The data loggers of a gateway: what is recorded, and when it is reported.

What was reported and not yet answered is kept; unanswered, it goes back to the front. A logger that cannot report keeps
`BUFFER_MAX` entries and loses the oldest, counted.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from zlib import crc32

from vigie.core.times import SECOND_US, from_us, rfc3339, to_us
from vigie.protocols.talq.devices import attributes, identity, scope_of
from vigie.protocols.talq.limits import BUFFER_MAX, ENTRIES_SENT_MAX, LOGGERS_MAX
from vigie.protocols.talq.messages import (
    Attribute,
    AttributeLogData,
    EventLogData,
    EventRecordingMode,
    Function,
    ImmediateReportingMode,
    LogData,
    LogEntry,
    LoggedContent,
    LoggerConfig,
    LogReport,
    PeriodicRecordingMode,
    ResourceReference,
    SamplingProfile,
    ScheduledReportingMode,
    StateChangeEventLogData,
    VendorRecordingMode,
)
from vigie.protocols.talq.requests import Refused, encoded

Shelf = Mapping[str, Mapping[str, Function]]
"""Device -> function -> its attributes."""

_PERIOD_US_MIN = SECOND_US


@dataclass(slots=True)
class Logger:
    """One logger at work. next_us: when each sampling profile samples next. covers: the (device, function) that it is
    for, or None for all; left_out: those that it is not for. since_us: when the oldest unreported entry was logged."""

    config: LoggerConfig
    next_us: dict[int, int] = field(default_factory=dict[int, int])
    covers: set[tuple[str, str]] | None = None
    left_out: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])
    entries: deque[LogEntry] = field(default_factory=deque[LogEntry])
    since_us: int = 0
    told_us: int = 0
    last: dict[tuple[str, str, str], float] = field(default_factory=dict[tuple[str, str, str], float])
    asks: dict[tuple[str, str, str], int | None] = field(default_factory=dict[tuple[str, str, str], int | None])
    """What `_asked` has said of each attribute by function, type of function and name: all devices share it."""


class Loggers:
    """All of a gateway's."""

    def __init__(self, resolve: Callable[[Iterable[ResourceReference]], set[tuple[str, str]]], zone: tzinfo) -> None:
        """resolve: the (device, function) that references come to. zone: the local time of reports."""
        self._resolve, self._zone = resolve, zone
        self.loggers: dict[str, Logger] = {}
        self.lost = 0

    def put(self, config: LoggerConfig, now_us: int) -> None:
        """A logger is configured, or configured anew: it starts over, with what it has yet to report. Raises
        Refused."""
        before = self.loggers.get(config.address)
        if before is None and len(self.loggers) >= LOGGERS_MAX:
            raise Refused("serviceConstraintExceeded", f"more than {LOGGERS_MAX} loggers")
        mode = config.recording_mode
        if mode is not None and mode.active_periods:
            raise Refused("payloadError", "active periods of a logger are not supported, as is announced")
        logger = Logger(config, entries=before.entries if before else deque(), told_us=now_us)
        logger.since_us = before.since_us if before else 0
        if isinstance(mode, PeriodicRecordingMode):
            for index, profile in enumerate(mode.sampling_profiles):
                _check_period(profile)
                logger.next_us[index] = to_us(profile.sampling_start_time)
        self._cover(logger)
        self.loggers[config.address] = logger

    def regrouped(self) -> None:
        """Groups or devices have changed, and with them whom the loggers are for."""
        for logger in self.loggers.values():
            self._cover(logger)

    def _cover(self, logger: Logger) -> None:
        sources = logger.config.source_addresses
        white = sources.white_list if sources else None
        black = sources.black_list if sources else None
        logger.left_out = self._resolve(black or ())
        # A black list alone is for all others; no list at all is for none.
        logger.covers = None if white is None and black is not None else self._resolve(white or ())

    # What is recorded.

    def observed(self, device: str, function: Function, name: str, value: Attribute, at_us: int) -> None:
        """A value has been measured or has changed: for the loggers that record as this gateway thinks best."""
        number = identity(function)[0]
        for logger in self.loggers.values():
            mode = logger.config.recording_mode
            if isinstance(mode, VendorRecordingMode) and _covered(logger, device, number):
                stamp = value.timestamp or rfc3339(at_us)
                self._value(logger, mode.content, device, function, name, value, at_us, stamp)

    def happened(self, data: EventLogData | StateChangeEventLogData, device: str, function: str, at_us: int) -> None:
        """An event, or a change of state."""
        for logger in self.loggers.values():
            mode = logger.config.recording_mode
            if not isinstance(mode, EventRecordingMode) or not _covered(logger, device, function):
                continue
            listed = mode.source_events
            white, black = listed.white_list, listed.black_list or ()
            if data.event_type not in black and (
                data.event_type in white if white is not None else listed.black_list is not None
            ):
                self._log(logger, data, at_us)

    def sample(self, shelf: Shelf, now_us: int) -> None:
        """Takes the samples that are due; of several that were missed, one: a value is as it is now."""
        for logger in self.loggers.values():
            mode = logger.config.recording_mode
            if not isinstance(mode, PeriodicRecordingMode):
                continue
            due = False
            for index, profile in enumerate(mode.sampling_profiles):
                at_us = logger.next_us.get(index)
                if at_us is None or at_us > now_us:
                    continue
                end = profile.sampling_end_time
                due = due or end is None or to_us(end) >= now_us
                following = _following(profile, at_us, now_us)
                if following is None:
                    del logger.next_us[index]
                else:
                    logger.next_us[index] = following
            if due:
                self._snapshot(logger, mode, shelf, now_us)

    def _snapshot(self, logger: Logger, mode: PeriodicRecordingMode, shelf: Shelf, now_us: int) -> None:
        stamp = rfc3339(now_us)
        for device, functions in shelf.items():
            for number, function in functions.items():
                if _covered(logger, device, number):
                    for name, value in attributes(function):
                        self._value(logger, mode.content, device, function, name, value, now_us, stamp)

    def _value(
        self,
        logger: Logger,
        content: Sequence[LoggedContent] | None,
        device: str,
        function: Function,
        name: str,
        value: Attribute,
        at_us: int,
        stamp: str,
    ) -> None:
        number, sort = identity(function)
        meant = (number, sort, name)
        if meant not in logger.asks:
            logger.asks[meant] = _asked(content, number, sort, name)
        asked = logger.asks[meant]
        if asked is None:
            return
        said = value.value
        if asked and isinstance(said, int | float):
            key = (device, number, name)
            before = logger.last.get(key)
            if before is not None and abs(said - before) * 100 <= asked * abs(before):
                return
            logger.last[key] = float(said)
        self._log(logger, AttributeLogData(f"{device}/{number}", name, value, stamp), at_us)

    def _log(self, logger: Logger, data: LogData, at_us: int) -> None:
        if not logger.entries:
            logger.since_us = at_us
        logger.entries.append(LogEntry(data))
        if len(logger.entries) > BUFFER_MAX:
            logger.entries.popleft()
            self.lost += 1

    # What is reported.

    def due(self, now_us: int) -> Iterator[tuple[str, list[LogEntry]]]:
        """The reports that are due, cut at a size that any CMS should take."""
        for address, logger in self.loggers.items():
            if self._is_due(logger, now_us):
                logger.told_us = now_us
                while logger.entries:
                    yield address, self.take(address)

    def _is_due(self, logger: Logger, now_us: int) -> bool:
        mode = logger.config.reporting_mode
        if isinstance(mode, ImmediateReportingMode):
            return bool(logger.entries) and logger.since_us + mode.delay * SECOND_US <= now_us
        if not isinstance(mode, ScheduledReportingMode):
            return False
        # A wait of its own for each logger, and always the same one, spreads the reports of many gateways.
        wait_us = crc32(logger.config.address.encode()) % (mode.random_time + 1) * SECOND_US if mode.random_time else 0
        start, end = logger.told_us - wait_us, now_us - wait_us
        due = any(start < at_us <= end for at_us in self._times(mode, end))
        if not due and end - start > 86_400 * SECOND_US:
            due = True
        return due

    def _times(self, mode: ScheduledReportingMode, now_us: int) -> Iterator[int]:
        """The instants of the scheduled times of today and yesterday."""
        for at in mode.times:
            zone = at.tzinfo or self._zone
            today = from_us(now_us).astimezone(zone).date()
            for day in (today - timedelta(days=1), today):
                yield to_us(datetime.combine(day, at.replace(tzinfo=None), zone).astimezone(UTC))

    def take(self, address: str) -> list[LogEntry]:
        """The oldest entries of a logger, at most a report's."""
        entries = self.loggers[address].entries
        return [entries.popleft() for _ in range(min(ENTRIES_SENT_MAX, len(entries)))]

    def give_back(self, address: str, entries: Sequence[LogEntry], now_us: int) -> None:
        """A report was not answered: it will be sent again."""
        logger = self.loggers.get(address)
        if logger is None:
            return
        if not logger.entries:
            logger.since_us = now_us
        logger.entries.extendleft(reversed(entries))
        while len(logger.entries) > BUFFER_MAX:
            logger.entries.popleft()
            self.lost += 1

    def snapshot(self, address: str, shelf: Shelf, now_us: int) -> LogReport:
        """What a logger has for a CMS that asks for it; one that samples takes a sample first."""
        logger = self.loggers[address]
        if isinstance(logger.config.recording_mode, PeriodicRecordingMode):
            self._snapshot(logger, logger.config.recording_mode, shelf, now_us)
        return report(address, self.take(address))


def report(address: str, entries: Sequence[LogEntry]) -> LogReport:
    """A report of these entries."""
    return LogReport(address, tuple(encoded(entry) for entry in entries))


def _check_period(profile: SamplingProfile) -> None:
    period = profile.sampling_period
    if period is not None and period // timedelta(microseconds=1) < _PERIOD_US_MIN:
        raise Refused("payloadError", "a sampling period of less than a second")


def _following(profile: SamplingProfile, at_us: int, now_us: int) -> int | None:
    """When a profile samples next, after now; None for never again."""
    if profile.sampling_period is None:
        return None
    period_us = profile.sampling_period // timedelta(microseconds=1)
    following = at_us + ((now_us - at_us) // period_us + 1) * period_us
    end = profile.sampling_end_time
    return None if end is not None and following > to_us(end) else following


def _covered(logger: Logger, device: str, function: str) -> bool:
    if logger.covers is None and not logger.left_out:
        return True
    pairs = ((device, ""), (device, function))
    if any(pair in logger.left_out for pair in pairs):
        return False
    return logger.covers is None or any(pair in logger.covers for pair in pairs)


def _asked(content: Sequence[LoggedContent] | None, number: str, sort: str, name: str) -> int | None:
    """The threshold in per cent under which an attribute is not logged, 0 for none; None where it is not logged at
    all."""
    if content is None:
        return 0
    for each in content:
        function = each.function
        meant = function.function_id == number if function.function_id else function.function_type == sort
        if not meant or (each.attribute_scope is not None and scope_of(name) != each.attribute_scope):
            continue
        if not function.attributes:
            return 0
        for attribute in function.attributes:
            if attribute.name == name:
                return attribute.on_change_threshold or 0
    return None
