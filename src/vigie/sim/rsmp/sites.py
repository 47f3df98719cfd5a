"""Each junction of the city as a site of its own: what its controller says, told in RSMP; what it is ordered, done.

A simulated controller has a signal group for each of its stages, which is green in it; its cycle table is that of the
city's plans. It knows two orders, a plan and yellow flash, and says of all others that it does not have them.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic_ns

from vigie.core.arrays import ints
from vigie.protocols.rsmp import SXLS, Moment, Of, Setup, Site, Turn
from vigie.protocols.rsmp.events import Ordered, Step
from vigie.services.signals import Junction
from vigie.sim.life import Life, Reports
from vigie.sim.life.crossings import CYCLE_S
from vigie.transports.tcp import RsmpClient

CONTROLLER = "TC"
SXL = "1.2.1"
HAS = frozenset({"M0001", "M0002"})
WITHOUT = frozenset(code for code in SXLS[SXL].signals if code.startswith("M")) - HAS
"""The orders of the list that a simulated controller does not have."""

COMES_UP_S = 0.1
"""Sites connect one after another: the post has others to hear at its start."""

AWAITED_S_MAX = 60.0
_LOOK_S = 0.5

_GREEN, _RED, _FLASH, _DARK = "1", "B", "c", "a"
_CYCLES = ",".join(f"{plan}-{cycle}" for plan, cycle in enumerate(CYCLE_S) if plan)
_MODES = {"NormalControl": "colours", "YellowFlash": "flashing"}


@dataclass
class Crossing:
    """One junction. index: its place in the city's life. groups: how many signal groups it has."""

    index: int
    site: Site
    client: RsmpClient
    groups: int
    mode: str = "colours"
    stage: int = 0


class Sites:
    """All junctions of a city that speak RSMP. Lives on one event loop."""

    def __init__(
        self, life: Life, codes: Mapping[str, tuple[str, str]], host: str, port: int, now: Callable[[], int]
    ) -> None:
        """codes: by site id, the security codes of each, in the order of the junctions. host, port: of the supervisor.
        now: the instant in microseconds."""
        self._life, self._now = life, now
        self.crossings: list[Crossing] = []
        for index, (name, own) in enumerate(codes.items()):
            setup = Setup((name,), {CONTROLLER: Of.CONTROLLER}, SXL, without=WITHOUT, codes=own)
            site = Site(setup, self._moment(), seed=f"{name}/{now()}")
            client = RsmpClient(
                site, host, port, lambda events, index=index: self._hear_supervisor(index, events), moment=self._moment
            )
            groups = life.crossings.stages_of(index)
            self.crossings.append(Crossing(index, site, client, groups))
            site.observe(CONTROLLER, "S0028", {"status": _CYCLES}, self._moment())

    async def run(self, ready: Callable[[], bool] = lambda: True) -> None:
        """Speaks until it is cancelled. ready: whether the sites may begin to connect; they do after a while anyway."""
        end = asyncio.get_running_loop().time() + AWAITED_S_MAX
        while not ready() and asyncio.get_running_loop().time() < end:  # noqa: ASYNC110 - nothing tells when
            await asyncio.sleep(_LOOK_S)
        async with asyncio.TaskGroup() as tasks:
            for each in self.crossings:
                tasks.create_task(each.client.run())
                await asyncio.sleep(COMES_UP_S)

    def hear(self, reports: Reports) -> None:
        """What the junctions of the city say."""
        for row, index in enumerate(ints(reports.index)):
            crossing = self.crossings[index]
            at = self._moment(int(reports.observed_us[row]))
            crossing.client.apply(self._told(crossing, reports, float(reports.value[row]), at))

    def _told(self, crossing: Crossing, reports: Reports, value: float, at: Moment) -> Turn:
        site, point = crossing.site, reports.point
        if point is Junction.stage:
            crossing.stage = int(value)
            return self._shows(crossing, at)
        if point is Junction.plan:
            return site.observe(CONTROLLER, "S0014", {"status": str(int(value)), "source": "calendar_clock"}, at)
        if point is Junction.door:
            return site.alarm(CONTROLLER, "A0010", active=value == Junction.door.code("open"), moment=at)
        if point is Junction.mode:
            crossing.mode = Junction.mode.choices[int(value)]
            turns = [self._flag(site, code, on, at) for code, on in (
                ("S0007", crossing.mode != "dark"), ("S0011", crossing.mode == "flashing"),
                ("S0012", crossing.mode == "all_red"),
            )]  # fmt: skip
            return _joined([*turns, self._shows(crossing, at)])
        # Its cycle follows from its plan.
        return Turn()

    def _shows(self, crossing: Crossing, at: Moment) -> Turn:
        """What the signal groups show, and the stage."""
        letters = {"flashing": _FLASH, "dark": _DARK, "all_red": _RED}
        if crossing.mode in letters:
            groups = letters[crossing.mode] * crossing.groups
        elif crossing.stage:
            groups = "".join(_GREEN if n == crossing.stage else _RED for n in range(1, crossing.groups + 1))
        else:
            return Turn()
        values = {"signalgroupstatus": groups, "stage": str(crossing.stage)}
        return crossing.site.observe(CONTROLLER, "S0001", values, at)

    @staticmethod
    def _flag(site: Site, code: str, on: bool, at: Moment) -> Turn:
        return site.observe(CONTROLLER, code, {"intersection": "0", "status": str(on), "source": "other"}, at)

    def _hear_supervisor(self, index: int, events: Sequence[Step]) -> None:
        crossing = self.crossings[index]
        for event in events:
            if isinstance(event, Ordered):
                done = all(self._obeys(index, code, values) for code, values in event.commands.items())
                crossing.client.apply(crossing.site.answered(event.number, self._moment(), done=done))

    def _obeys(self, index: int, code: str, values: Mapping[str, str]) -> bool:
        """Has the junction do what it is ordered; whether it can."""
        if code == "M0002" and values["status"] == "True" and int(values["timeplan"]) < len(CYCLE_S):
            return not self._life.order(Junction.kind, index, "run_plan", {"plan": int(values["timeplan"])})
        if code == "M0001" and values["status"] in _MODES:
            return not self._life.order(Junction.kind, index, "set_mode", {"mode": _MODES[values["status"]]})
        return False

    def _moment(self, at_us: int | None = None) -> Moment:
        return Moment(monotonic_ns() // 1_000, self._now() if at_us is None else at_us)


def _joined(turns: Sequence[Turn]) -> Turn:
    """What several steps came to, in their order."""
    events = tuple(event for each in turns for event in each.events)
    close = next((each.close for each in turns if each.close), "")
    return Turn(events, b"".join(each.data for each in turns), close)
