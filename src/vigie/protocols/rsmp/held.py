"""What a site is, and the values that its statuses have now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from vigie.core.times import from_us
from vigie.protocols.rsmp.cores import BY_VERSION, Core
from vigie.protocols.rsmp.limits import BUFFER_MAX
from vigie.protocols.rsmp.line import ACKNOWLEDGE_S, WATCHDOG_S, NotTaken
from vigie.protocols.rsmp.lists import CODE, NEW_CODE, Form, Of, Signal, Sxl
from vigie.protocols.rsmp.messages import Quality, Status, Value
from vigie.protocols.rsmp.subscriptions import Key
from vigie.protocols.rsmp.times import Moment

_CLOCK = "S0096"


@dataclass(frozen=True, slots=True)
class Setup:
    """What a site is. names: its site ids, the first of which it is known by. components: their ids and types; the
    first controller is what the aggregated status is about. without: codes of the list that it does not have. codes:
    the security codes 1 and 2. buffers: which statuses are kept through a loss, by code; None for all."""

    names: tuple[str, ...]
    components: Mapping[str, Of]
    sxl: str
    cores: tuple[str, ...] = tuple(BY_VERSION)
    without: frozenset[str] = frozenset()
    codes: tuple[str, str] = field(default=("", ""), repr=False)
    buffers: frozenset[str] | None = None
    watchdog_s: float = WATCHDOG_S
    acknowledge_s: float = ACKNOWLEDGE_S
    buffer_max: int = BUFFER_MAX
    strict: bool = False


class Held:
    """The values of one site, and what may be asked of it."""

    def __init__(self, setup: Setup, sxl: Sxl) -> None:
        self._setup, self._sxl = setup, sxl
        self._values: dict[Key, Value] = {}
        self._codes = list(setup.codes)

    def signal(self, component: str, code: str) -> Signal:
        """The signal of a component that the site has. Raises ValueError."""
        of = self._setup.components.get(component)
        if of is None or self.lacks(code):
            raise ValueError(f"the site has no {component!r} with {code}")
        return self._sxl.find(code, of)

    def lacks(self, code: str) -> bool:
        """Whether the site does not have something of its list."""
        signal = self._sxl.signals.get(code)
        return code in self._setup.without or (signal is not None and signal.reserved)

    def put(self, component: str, code: str, values: Mapping[str, Value]) -> list[Key]:
        """Takes values; those that were others before. Raises ValueError, and has taken nothing, for what the list does
        not have so."""
        signal = self.signal(component, code)
        for name, value in values.items():
            argument = signal.argument(name)
            if argument is None:
                raise ValueError(f"{code} has no {name!r}")
            if value is not None and (wrong := argument.problem(value)):
                raise ValueError(f"{code}: {wrong}")
        keys = [(component, code, name) for name in values]
        changed = [key for key in keys if self._values.get(key) != values[key[2]]]
        self._values.update({key: values[key[2]] for key in changed})
        return changed

    def statuses(
        self, component: str, wanted: Iterable[tuple[str, str]], core: Core, moment: Moment
    ) -> tuple[Status, ...]:
        """What is asked for, by code and name, as it is now. Raises NotTaken for what the list does not have (3.2.2,
        "Error handling")."""
        of = self._setup.components.get(component)
        if of is None:
            return tuple(Status(code, name, None, Quality.UNDEFINED) for code, name in wanted)
        found: list[Status] = []
        for code, name in wanted:
            try:
                argument = self._sxl.find(code, of).argument(name) if code.startswith("S") else None
            except ValueError as error:
                raise NotTaken(str(error)) from None
            if argument is None:
                raise NotTaken(f"{code[:50]} has no value {name[:50]!r}")
            fits = not self.lacks(code) and (core.arrays or argument.form is not Form.RECORDS)
            value = self._value(component, code, name, moment) if fits else None
            found.append(Status(code, name, value, Quality.UNKNOWN if value is None else Quality.RECENT))
        return tuple(found)

    def check(self, component: str, commands: Mapping[str, Mapping[str, str]]) -> None:
        """Whether these commands may be done. Raises NotTaken: for what the list does not have so, and for a wrong
        security code (3.2.0, issue 79)."""
        of = self._setup.components[component]
        for code, values in commands.items():
            try:
                signal = self._sxl.find(code, of)
            except ValueError as error:
                raise NotTaken(str(error)) from None
            if not signal.verb:
                raise NotTaken(f"{code} is no command")
            if wrong := signal.problem(values):
                raise NotTaken(wrong)
            if signal.security and values[CODE] != self._codes[signal.security - 1]:
                raise NotTaken(f"security code {signal.security} is wrong")
            if "oldSecurityCode" in values and values["oldSecurityCode"] != self._codes[_level(values)]:
                raise NotTaken("the previous security code is wrong")

    def change_codes(self, commands: Mapping[str, Mapping[str, str]]) -> None:
        """The commands were done: if one sets a security code (M0103), it counts from now on."""
        for values in commands.values():
            if NEW_CODE in values:
                self._codes[_level(values)] = values[NEW_CODE]

    def _value(self, component: str, code: str, name: str, moment: Moment) -> Value:
        """The site's clock is not told by anybody: it is read."""
        if code == _CLOCK:
            return str(getattr(from_us(moment.clock_us), name))
        return self._values.get((component, code, name))


def _level(values: Mapping[str, str]) -> int:
    return 1 if values["status"] == "Level2" else 0
