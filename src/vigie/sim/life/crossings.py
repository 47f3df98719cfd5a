"""Junctions run their plans; detectors count what comes. Where streets are simulated, both tell what is there."""

from __future__ import annotations

import numpy as np

from vigie.core.arrays import ints
from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US
from vigie.services.signals import Detector, Junction
from vigie.sim.city.city import City
from vigie.sim.city.network import PRIMARY, SECONDARY
from vigie.sim.life.columns import Floats, Habits, Ints, Reports, broken, due, key_of, normal, phases, uniform
from vigie.sim.life.sky import local_hour, traffic
from vigie.sim.life.streets import Followed
from vigie.sim.traffic.shown import Asked, Frame

CYCLE_S = (0, 60, 72, 80, 90, 96, 100, 70, 64, 84, 110, 120, 75, 66, 88, 92, 105)
"""Cycle of each plan, from 1 to 16; shorter by night, longer at the peaks."""
COLOURS, FLASHING = Junction.mode.code("colours"), Junction.mode.code("flashing")
SEQUENCE_US = 2 * SECOND_US
"""How long a controller's own sequence takes between colours and flashing."""
_NEVER = np.iinfo(np.int64).max
_VEHICLE_AND_LOOP_M = 6.2
_FREE_KM_H = 46.0


def planned(hour: float) -> int:
    """The plan that the calendar asks for at an hour of the day."""
    if hour < 6 or hour >= 22:
        return 1
    if 7 <= hour < 9.5:
        return 5
    if 16.5 <= hour < 19:
        return 6
    return 3


class CrossingLife:
    """All junctions and their detectors."""

    def __init__(self, city: City, habits: Habits, start_us: int) -> None:
        signals = city.signals
        self._habits = habits
        self._junctions, self._detectors = np.arange(len(signals.node)), np.arange(len(signals.detector_arc))
        self._key = {name: key_of(city.seed, f"signal.{name}") for name in ("flash", "door", "dead", "noise", "phase")}
        self._stages = np.clip(signals.arms - 1, 2, 4)
        share = 0.6 + uniform(self._key["noise"], np.repeat(self._junctions, 4) * 4 + np.tile(np.arange(4), 113), 0)
        share = share.reshape(-1, 4) * (np.arange(4) < self._stages[:, None])
        self._share = np.cumsum(share, 1) / share.sum(1, keepdims=True)
        self._offset_us = (uniform(self._key["phase"], self._junctions, 1) * 60).astype(np.int64) * SECOND_US
        self._phase = phases(self._key["phase"], len(self._junctions), habits.junction_s or 60.0)
        if habits.junction_s == 1.0:
            self._phase[:] = 0
        self._detector_phase = phases(self._key["noise"], len(self._detectors), habits.detector_s)
        rank = city.network.rank[signals.detector_arc]
        size = np.where(rank <= PRIMARY, 640.0, np.where(rank == SECONDARY, 430.0, 180.0)) * signals.detector_lanes
        self._lanes = signals.detector_lanes
        self._peak = size * (0.6 + 0.8 * uniform(self._key["noise"], self._detectors, 2))
        count = len(self._junctions)
        self.plan = np.full(count, planned(local_hour(start_us)))
        self._calendar = self.plan.copy()
        self._next_plan, self._next_us = np.zeros(count, np.int64), np.full(count, _NEVER)
        self._mode, self._door = np.zeros(count, np.int64), np.zeros(count, np.int64)
        self._flash, self._ordered_flash = np.zeros(count, np.bool_), np.zeros(count, np.bool_)
        self._say = start_us + 1 + (uniform(self._key["phase"], self._junctions, 2)
                                    * habits.hello_s * SECOND_US).astype(np.int64)  # fmt: skip
        self._detector_say = start_us + 1 + (uniform(self._key["phase"], self._detectors, 3)
                                             * habits.hello_s * SECOND_US).astype(np.int64)  # fmt: skip
        self.now_us = start_us
        self.streets = Followed(count, len(self._detectors))
        self._settle(start_us)

    def follow(self, frame: Frame) -> None:
        """Takes what simulated streets show and count in a second. Those that begin to be followed are asked to be as
        they were here."""
        new, changed = self.streets.take(frame)
        for junction in ints(new):
            if self.plan[junction] != self.streets.plan[junction]:
                self.streets.ask(Asked(junction, plan=int(self.plan[junction])))
        self._ask_modes(new)
        self.plan[changed], self._mode[changed] = self.streets.plan[changed], self.streets.mode[changed]
        self._say[changed] = np.minimum(self._say[changed], frame.second * SECOND_US)

    def unfollow(self) -> None:
        """The streets have gone: junctions and detectors live by themselves again, as they are."""
        self.streets.end()
        self._settle(self.now_us)

    def _ask_modes(self, who: Ints) -> None:
        """Asks the streets of some junctions for the mode that orders and faults have them in."""
        for junction in ints(who):
            flashes = bool(self._flash[junction] or self._ordered_flash[junction])
            self.streets.ask(Asked(junction, mode="flashing" if flashes else "colours"))

    def stages_of(self, junction: int) -> int:
        """How many stages a junction has."""
        return int(self._stages[junction])

    def order_plan(self, junction: int, plan: int, at_us: int) -> None:
        """Runs a plan from the junction's next cycle on; the calendar takes over again at its next change."""
        if self.streets.junction[junction]:
            self.streets.ask(Asked(junction, plan=plan))
            return
        cycle = self._cycle_us()[junction]
        ahead = (at_us - self._offset_us[junction]) // cycle + 1
        self._next_plan[junction] = plan
        self._next_us[junction] = ahead * cycle + self._offset_us[junction]

    def order_mode(self, junction: int, mode: str, at_us: int) -> None:
        """Flashes from a moment later on, or shows colours again, unless a fault has it flash."""
        self._ordered_flash[junction] = mode == "flashing"
        if self.streets.junction[junction]:
            self._ask_modes(np.array([junction]))
            return
        flashes = self._flash[junction] or self._ordered_flash[junction]
        self._mode[junction] = FLASHING if flashes else COLOURS
        self._say[junction] = min(self._say[junction], at_us + SEQUENCE_US)

    def advance(self, until_us: int) -> list[Reports]:
        """All that junctions and detectors say in (now, until]."""
        said: list[Reports] = []
        while self.now_us < until_us:
            step = min(until_us, (self.now_us // MINUTE_US + 1) * MINUTE_US)
            changing = np.flatnonzero(self._next_us <= step)
            if len(changing):
                self.plan[changing] = self._next_plan[changing]
                self._say[changing] = self._next_us[changing]
                self._next_us[changing] = _NEVER
            said += self._junction_reports(step) + self._detector_reports(step)
            if step % MINUTE_US == 0:
                self._settle(step)
            self.now_us = step
        return said

    def _settle(self, at_us: int) -> None:
        calendar = np.full(len(self._junctions), planned(local_hour(at_us)))
        followed = self.streets.junction
        turned = calendar != self._calendar
        for junction in ints(np.flatnonzero(turned & followed)):
            self.streets.ask(Asked(junction, plan=int(calendar[junction])))
        turned &= ~followed
        self.plan[turned] = calendar[turned]
        self._calendar = calendar
        day, junctions = 86_400.0, len(self._junctions)
        flash = broken(self._key["flash"], junctions, at_us, block_s=day, chance=0.012, least_s=900, most_s=5_400)
        another, self._flash = flash != self._flash, flash
        self._ask_modes(np.flatnonzero(another & followed))
        mode = np.where(followed, self._mode, np.where(flash | self._ordered_flash, FLASHING, COLOURS))
        opened = broken(self._key["door"], junctions, at_us, block_s=day, chance=0.02, least_s=600, most_s=2_700)
        door = (opened & (7 < local_hour(at_us) < 19)).astype(np.int64)
        news = turned | (mode != self._mode) | (door != self._door)
        self._say[news] = np.minimum(self._say[news], at_us + SECOND_US)
        self._mode, self._door = mode, door

    def _cycle_us(self) -> Ints:
        streets = self.streets
        return np.where(streets.junction, streets.cycle_s, np.array(CYCLE_S)[self.plan]) * SECOND_US

    def stage_at(self, who: Ints, at_us: Ints) -> Floats:
        """The stage that runs at each junction at each instant, from 1."""
        cycle = self._cycle_us()[who]
        share = ((at_us - self._offset_us[who]) % cycle) / cycle
        own = 1.0 + (share[:, None] >= self._share[who]).sum(1)
        return np.where(self.streets.junction[who], self.streets.stage[who], own)

    def _stage_changes(self, until_us: int) -> tuple[Ints, Ints]:
        """Who begins a stage in (now, until], and when, to the second."""
        cycle = self._cycle_us()
        starts = np.concatenate([np.zeros((len(cycle), 1)), self._share[:, :3]], 1)
        real = np.arange(4) < self._stages[:, None]
        into = (np.ceil(starts * cycle[:, None] / SECOND_US) * SECOND_US).astype(np.int64) + self._offset_us[:, None]
        first = (self.now_us - into) // cycle[:, None] + 1
        own = (self._mode == COLOURS) & ~self.streets.junction
        number = np.where(real & own[:, None], (until_us - into) // cycle[:, None] - first + 1, 0)
        rows, columns = np.nonzero(number > 0)
        times = number[rows, columns]
        who = np.repeat(rows, times)
        nth = np.arange(len(who)) - np.repeat(np.cumsum(times) - times, times)
        at = np.repeat(into[rows, columns] + first[rows, columns] * cycle[rows], times) + nth * cycle[who]
        return who, at

    def _junction_reports(self, until_us: int) -> list[Reports]:
        said: list[Reports] = []
        if self._habits.junction_s:
            who, at = due(self.now_us, until_us, self._habits.junction_s, self._phase)
            every = who, at
        else:
            who, at = self._stage_changes(until_us)
            every = due(self.now_us, until_us, 60.0, self._phase)
        if len(who):
            said.append(Reports(Junction, Junction.stage, who, at, self.stage_at(who, at)))
        who, at, stage = self.streets.changes()
        if len(who):
            said.append(Reports(Junction, Junction.stage, who, at, stage.astype(np.float64)))
        changed = np.flatnonzero(self._say <= until_us)
        who = np.concatenate([every[0], changed])
        if len(who):
            at = np.concatenate([every[1], self._say[changed]])
            self._say[changed] = _NEVER
            points = (
                (Junction.mode, self._mode[who]), (Junction.plan, self.plan[who]),
                (Junction.cycle_time, self._cycle_us()[who] / SECOND_US), (Junction.door, self._door[who]),
            )  # fmt: skip
            said += [Reports(Junction, point, who, at, value.astype(np.float64)) for point, value in points]
        return said

    def _detector_reports(self, until_us: int) -> list[Reports]:
        who, at = due(self.now_us, until_us, self._habits.detector_s, self._detector_phase)
        hello = np.flatnonzero(self._detector_say <= until_us)
        who, at = np.concatenate([who, hello]), np.concatenate([at, self._detector_say[hello]])
        self._detector_say[hello] = _NEVER
        if not len(who):
            return []
        dead = broken(self._key["dead"], len(self._detectors), until_us // HOUR_US * HOUR_US, block_s=86_400.0,
                      chance=0.004, least_s=7_200, most_s=259_200)  # fmt: skip
        works = ~dead[who]
        flow, speed, occupancy = self.traffic_at(who, at, traffic(until_us))
        streets = self.streets
        counted = streets.counts(who, at)
        said: list[Reports] = []
        for point, own, seen in (
            (Detector.flow, flow, streets.flow_h), (Detector.speed, speed, streets.speed_km_h),
            (Detector.occupancy, occupancy, streets.occupancy_pct),
        ):  # fmt: skip
            value = np.where(counted, seen[who], own)
            tells = works & ~np.isnan(value)
            said.append(Reports(Detector, point, who[tells], at[tells], value[tells]))
        slow = (at // (60 * SECOND_US)) % 10 == who % 10
        slow |= np.isin(who, hello)
        return [*said, Reports(Detector, Detector.working, who[slow], at[slow], works[slow].astype(np.float64))]

    def traffic_at(self, who: Ints, at: Ints, share: float) -> tuple[Floats, Floats, Floats]:
        """Flow in vehicles an hour, speed in km/h and occupancy in percent; dense traffic is slow traffic."""
        minute = at // MINUTE_US
        flow = self._peak[who] * share * np.clip(1 + 0.16 * normal(self._key["noise"], who, minute), 0.1, None)
        load = flow / (self._peak[who] * 1.25)
        speed = _FREE_KM_H * (1 - 0.62 * np.clip(load, 0, 1) ** 3) * (1 + 0.05 * normal(self._key["dead"], who, minute))
        occupancy = np.clip(flow / speed / self._lanes[who] * _VEHICLE_AND_LOOP_M / 10, 0, 100)
        return np.round(flow), np.round(speed, 1), np.round(occupancy, 1)
