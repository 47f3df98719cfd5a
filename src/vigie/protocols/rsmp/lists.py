"""A signal exchange list (SXL) as data: what a kind of site can say and be told, in one version of the list.

A list is made of `Signal`s. What differs between versions is written at the signal or argument itself (`since`,
`until`), and `Sxl.at` picks what holds in one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property

from vigie.protocols.rsmp.messages import Value
from vigie.protocols.rsmp.times import instant

CODE = "securityCode"
"""The name of the argument that holds the security code of a command."""

NEW_CODE = "newSecurityCode"
"""And of the one that a security code is changed to (M0103)."""

SECRETS = frozenset({CODE, NEW_CODE, "oldSecurityCode"})
"""The names of arguments that no event and no log may hold."""


class Of(StrEnum):
    """The types of object of the traffic-light list."""

    CONTROLLER = "Traffic Light Controller"
    GROUP = "Signal group"
    DETECTOR = "Detector logic"


class Form(StrEnum):
    """How a value is written. All but records are texts."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    TIMESTAMP = "timestamp"
    BASE64 = "base64"
    TEXTS = "texts"
    """Separated by commas, as the next two."""
    INTEGERS = "integers"
    BOOLEANS = "booleans"
    RECORDS = "records"


_LISTS = frozenset({Form.TEXTS, Form.INTEGERS, Form.BOOLEANS, Form.RECORDS})


ITEMS_MAX = 1_000
"""Values or records of one list: more than a controller has of anything, and as many as are looked at in no time."""

_INTEGER = re.compile(r"-?[0-9]{1,18}")
_BASE64 = re.compile(r"[A-Za-z0-9+/\r\n]*={0,2}")
_BOOLEANS = frozenset({"True", "False"})


@dataclass(frozen=True, slots=True)
class Argument:
    """One value of a status, a command or an alarm, and what it may be. since, until: the versions of the list that
    have it so; empty for no bound."""

    name: str
    form: Form = Form.TEXT
    least: int | None = None
    most: int | None = None
    words: frozenset[str] = frozenset()
    pattern: str = ""
    optional: bool = False
    fields: tuple[Argument, ...] = ()
    since: str = ""
    until: str = ""

    def problem(self, value: Value) -> str:
        """What is wrong with a value; empty where it is right."""
        separators = value.count(",") if isinstance(value, str) else len(value or ())
        if self.form in _LISTS and separators >= ITEMS_MAX:
            return f"{self.name} has more than {ITEMS_MAX:,} items"
        if self.form is Form.RECORDS:
            return self._problem_of_records(value) if isinstance(value, list) else f"{self.name} is no list of records"
        if not isinstance(value, str):
            return f"{self.name} is no text"
        problems = (self._problem_of_one(each) for each in (value.split(",") if self.form in _LISTS else [value]))
        return next((each for each in problems if each), "")

    def _problem_of_one(self, value: str) -> str:
        wrong = f"{self.name} is {value[:50]!r}"
        if self.words and value not in self.words:
            return f"{wrong}, which is none of {', '.join(sorted(self.words))}"
        match self.form:
            case Form.INTEGER | Form.INTEGERS:
                if not _INTEGER.fullmatch(value):
                    return f"{wrong}, which is no integer"
                least, most = self.least, self.most
                if (least is not None and int(value) < least) or (most is not None and int(value) > most):
                    return f"{wrong}, which is not from {least} to {most}"
            case Form.BOOLEAN | Form.BOOLEANS:
                if value not in _BOOLEANS:
                    return f"{wrong}, which is neither True nor False"
            case Form.TIMESTAMP:
                try:
                    instant(value)
                except ValueError:
                    return f"{wrong}, which is no timestamp"
            case Form.BASE64:
                if not _BASE64.fullmatch(value):
                    return f"{self.name} is no base64"
            case _:
                if self.pattern and not re.fullmatch(self.pattern, value, re.ASCII):
                    return f"{wrong}, which is not formed as the list says"
        return ""

    def _problem_of_records(self, records: list[dict[str, str]]) -> str:
        by_name = {each.name: each for each in self.fields}
        wanted = {each.name for each in self.fields if not each.optional}
        for record in records:
            if strange := record.keys() - by_name.keys():
                return f"{self.name} has no {min(strange)!r}"
            if missing := wanted - record.keys():
                return f"{self.name} lacks {min(missing)!r}"
            problems = (by_name[key].problem(value) for key, value in record.items())
            if wrong := next((each for each in problems if each), ""):
                return f"{self.name}: {wrong}"
        return ""


@dataclass(frozen=True, slots=True)
class Signal:
    """A status (S), a command (M) or an alarm (A) of one type of object.

    verb: of a command (cO). security: which of the site's two security codes a command wants; 0 for none. priority, of
    an alarm: 1 act at once, 2 in this shift, 3 at the next maintenance. reserved: in the list, and specified nowhere.
    """

    code: str
    of: Of
    arguments: tuple[Argument, ...] = ()
    verb: str = ""
    security: int = 0
    priority: int = 0
    category: str = "D"
    reserved: bool = False
    since: str = ""
    until: str = ""

    def argument(self, name: str) -> Argument | None:
        """The argument of that name."""
        return next((each for each in self.arguments if each.name == name), None)

    def problem(self, values: Mapping[str, str]) -> str:
        """What is wrong with the arguments of a command, all of which must be there (3.2.2, "Incomplete commands");
        empty where nothing is."""
        names = {each.name for each in self.arguments}
        if strange := values.keys() - names:
            return f"{self.code} has no argument {min(strange)!r}"
        if missing := {each.name for each in self.arguments if not each.optional} - values.keys():
            return f"{self.code} lacks the argument {min(missing)!r}"
        wrong = (each.problem(values[each.name]) for each in self.arguments if each.name in values)
        return next((f"{self.code}: {each}" for each in wrong if each), "")


def numbers(version: str) -> tuple[int, ...]:
    """A version as numbers that can be compared. Raises ValueError."""
    return tuple(int(part) for part in version.split("."))


@dataclass(frozen=True)
class Sxl:
    """One version of a list."""

    version: str
    signals: Mapping[str, Signal] = field(repr=False)

    @staticmethod
    def at(version: str, signals: Iterable[Signal]) -> Sxl:
        """What holds of the signals in a version."""
        held = (each for each in signals if _holds(each, version))
        cut = {
            each.code: Signal(
                each.code, each.of, tuple(one for one in each.arguments if _holds(one, version)), each.verb,
                each.security, each.priority, each.category, each.reserved,
            )
            for each in held
        }  # fmt: skip
        return Sxl(version, cut)

    def of(self, letter: str, of: Of) -> tuple[Signal, ...]:
        """The statuses (S), commands (M) or alarms (A) of a type of object."""
        return tuple(each for code, each in self.signals.items() if code[0] == letter and each.of is of)

    @cached_property
    def alarms(self) -> Mapping[Of, tuple[Signal, ...]]:
        """The alarms of each type of object."""
        return {of: self.of("A", of) for of in Of}

    def find(self, code: str, of: Of) -> Signal:
        """The signal of a component's type. Raises ValueError, which says what a refusal says."""
        signal = self.signals.get(code)
        if signal is None:
            raise ValueError(f"{code[:50]!r} is not in SXL {self.version}")
        if signal.of is not of:
            raise ValueError(f"{code} is of a {signal.of.value}, not of a {of.value}")
        return signal


def _holds(what: Signal | Argument, version: str) -> bool:
    now = numbers(version)
    since, until = what.since, what.until
    return (not since or numbers(since) <= now) and (not until or now <= numbers(until))
