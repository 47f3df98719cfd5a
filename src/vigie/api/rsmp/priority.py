"""Who goes first at junctions, second by second: vehicles that say where they are, and what is done about them.

At a junction that the post steers they are weighed beside all others who wait (`Steering`). One under its own plan is
asked for a priority (M0022), where it has told how its priorities stand (S0033): it has them then. Of any other,
nothing is asked. Either way what is shown is the controller's own, and passes its kernel.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass

import numpy as np
import structlog

from vigie.api.rsmp.door import RsmpDoor, Site
from vigie.api.rsmp.escorts import Escorts
from vigie.api.rsmp.fleet import Fleet
from vigie.core.arrays import ints
from vigie.core.kinds import AssetKind
from vigie.core.service import Clear, Effect, Raise
from vigie.core.times import SECOND_US
from vigie.engine.loop import Engine
from vigie.engine.ports import Clock
from vigie.protocols.rsmp import CannotAsk, Quality, Way
from vigie.protocols.rsmp.events import Fate, Settled, StatusTold
from vigie.protocols.rsmp.priorities import LEVEL_MAX, ORDER, STATUS, Requests, Want, records
from vigie.services.roads import Bus, Tram, Vehicle
from vigie.services.signals import EMERGENCY_PASSES
from vigie.services.signals.control.claims import LATE_S, Sort
from vigie.services.signals.control.site import Site as Document
from vigie.services.signals.priority.arms import Crossing, crossing_of
from vigie.services.signals.priority.passages import TOLD_AHEAD_S, Passage, Passages
from vigie.services.signals.priority.passages import Vehicle as Seen

LEVELS: Mapping[Sort, int] = {Sort.BUS: 4, Sort.TRAM: 9, Sort.EMERGENCY: LEVEL_MAX}
"""How much a request weighs beside others; that of a bus which is late for good twice as much as said here."""

CLAIMED, WAITS, ASKED = "claimed", "waits", "asked"
"""How a passage stands besides the states of S0033: weighed by the post, behind another emergency, asked for with no
answer yet."""

SERVED = "activated"

_log = structlog.get_logger("vigie.rsmp.priority")


@dataclass(frozen=True, slots=True)
class Going:
    """A passage, and how it stands; empty where nothing is done about it. groups: by their names. escorted: whether
    somebody has ordered that its way be cleared."""

    passage: Passage
    groups: tuple[str, ...]
    state: str
    escorted: bool = False


class RsmpPriority:
    """Lives on one event loop.

    came: how often somebody came to a junction with a right to go first, by whom. asked: how many requests were sent,
    by their types.
    """

    def __init__(self, door: RsmpDoor, engine: Engine, clock: Clock, asset_of: Callable[[int], str]) -> None:
        """asset_of: see `vigie.api.rsmp.door.Means`."""
        self._door, self._engine, self._clock, self._asset_of = door, engine, clock, asset_of
        self._passages, self.fleet = Passages(), Fleet(engine)
        self.escorts = Escorts(engine, clock)
        self._crossings: Mapping[str, Crossing] = {}
        self._documents: Mapping[str, Document] = {}
        self._known: tuple[object, ...] = ()
        self._by_junction: dict[str, list[Passage]] = {}
        self._steered: Set[str] = frozenset()
        self._came: frozenset[tuple[int, str]] = frozenset()
        # What was written down before a restart is ended by it, unless somebody still comes.
        self._emergencies = frozenset(engine.registry.ids[each.asset] for each in engine.present(EMERGENCY_PASSES))
        self._declares: set[str] = set()
        self._requests: dict[str, Requests] = {}
        self._site_of: Mapping[str, str] = {}
        self._made = 0
        self.came: Counter[Sort] = Counter()
        self.asked: Counter[str] = Counter()

    def keep(self, documents: Mapping[str, Document], edition: int) -> None:
        """What control knows of each junction, by its id. edition: changes whenever that does."""
        registry = self._engine.registry
        known = (edition, registry.version, self._door.edition)
        if known != self._known:
            self._keep(documents, known)
        self.fleet.look(self._crossings, known)

    def _keep(self, documents: Mapping[str, Document], known: tuple[object, ...]) -> None:
        registry = self._engine.registry
        self._known, self._documents = known, documents
        self._site_of = {self._asset_of(each.number): each.name for each in self._door.sites.values()}
        numbers = {name: registry.numbers[name] for name in documents if name in registry.numbers}
        before = self._crossings
        self._crossings = {
            name: crossing_of(documents[name], float(registry.lon[no]), float(registry.lat[no]))
            for name, no in numbers.items()
        }
        self._by_junction = {
            name: coming for name, coming in self._by_junction.items() if self._crossings.get(name) == before.get(name)
        }
        self._passages.keep(self._crossings)
        self._declares &= self._door.sites.keys()
        self._requests = {name: each for name, each in self._requests.items() if name in self._door.sites}

    def see(self, steered: Set[str]) -> Sequence[Passage]:
        """Who comes to which junction now. steered: those that the post steers."""
        self.escorts.look(self._crossings)
        found = self._passages.see(self._clock.now_us(), self._vehicles())
        by_junction: dict[str, list[Passage]] = {}
        for each in found:
            by_junction.setdefault(each.junction, []).append(each)
        self._by_junction, self._steered = by_junction, steered
        came = frozenset((each.vehicle, each.junction) for each in found)
        self.came.update(each.sort for each in found if (each.vehicle, each.junction) not in self._came)
        self._came = came
        self.escorts.note(found)
        return found

    def forget(self) -> None:
        """Nobody is known to come any more: what was asked for is taken back, and what was written down ends."""
        self._by_junction = {}
        self.ask(lambda name: True)

    def ask(self, barred: Callable[[str], bool]) -> None:
        """Asks junctions under their own plans for priorities, and notes where emergencies pass. barred: whether
        nothing may be asked of a junction now."""
        try:
            for name, of in self._site_of.items():
                site = self._door.sites.get(of)
                if site is None or not self._door.is_linked(site) or Way.PRIORITY not in self._door.acts(site):
                    # What it was asked for it lets run out.
                    self._declares.discard(of)
                    self._requests.pop(of, None)
                elif of in self._declares:
                    coming = self._by_junction.get(name, ())
                    self._ask(name, site, () if coming and barred(name) else coming)
        finally:
            self._note()

    def going(self, name: str) -> tuple[Going, ...]:
        """Who comes to a junction now with a right to go first."""
        document = self._documents.get(name)
        if document is None:
            return ()
        groups = document.junction.groups
        states = self._states(name)
        return tuple(
            Going(
                each, tuple(groups[group].name for group in each.groups), self._state(each, states),
                escorted=each.vehicle in self.escorts,
            )
            for each in self._by_junction.get(name, ())
        )  # fmt: skip

    # What sites tell.

    def hear(self, site: Site, told: StatusTold) -> None:
        """A site tells how its priorities stand, which says that it has them."""
        for each in told.values:
            if each.code != STATUS or told.component != site.component or each.quality is Quality.OLD:
                continue
            if each.value is None:
                self._declares.discard(site.name)
                continue
            self._declares.add(site.name)
            if site.name in self._requests:
                self._requests[site.name].hear(records(each.value), self._clock.now_us())

    def settled(self, site: Site, settled: Settled) -> None:
        """A site has answered what it was asked, or never will."""
        requests = self._requests.get(site.name)
        if requests is not None and settled.fate is Fate.REFUSED:
            requests.refused(settled.number, self._clock.now_us())

    # How it is done.

    def _vehicles(self) -> list[Seen]:
        """All that may go first and say where they are."""
        found = self._line(Bus, Sort.BUS) + self._line(Tram, Sort.TRAM)
        now_us, missions = self._clock.now_us(), self._engine.assets(Vehicle)
        said = self._engine.newest(Vehicle, Vehicle.mission, missions)
        fresh = now_us - said.observed_us <= Vehicle.mission.valid_s * SECOND_US
        on_mission = (said.value == 1) & fresh & np.isin(missions, self.fleet.emergency)
        # Of whom a person has ordered that the way be cleared, that person has said what it is.
        on_mission |= np.isin(missions, list(self.escorts))
        seen = self._seen(Vehicle, Sort.EMERGENCY, missions[on_mission])
        return found + [self.escorts.followed(each) for each in seen]

    def _line(self, kind: type[Bus] | type[Tram], sort: Sort) -> list[Seen]:
        """Buses or trams. How late one is must be known, and of now."""
        numbers = self._engine.assets(kind)
        said = self._engine.newest(kind, kind.delay, numbers)
        fresh = self._clock.now_us() - said.observed_us <= kind.delay.valid_s * SECOND_US
        late_s = np.where(fresh & np.isfinite(said.value), said.value, 0.0)
        return self._seen(kind, sort, numbers, late_s)

    def _seen(
        self, kind: type[AssetKind], sort: Sort, numbers: np.ndarray[tuple[int], np.dtype[np.int64]],
        late_s: np.ndarray[tuple[int], np.dtype[np.float64]] | None = None,
    ) -> list[Seen]:  # fmt: skip
        engine, position, heading = self._engine, kind.points["position"], kind.points["heading"]
        at = engine.newest(kind, position, numbers)
        now_us = self._clock.now_us()
        fresh = np.flatnonzero(now_us - at.observed_us <= position.valid_s * SECOND_US)
        if late_s is not None and sort is Sort.BUS:
            # A bus in time asks for nothing wherever it is; its way is followed once it is late.
            fresh = fresh[late_s[fresh] > 0]
        numbers = numbers[fresh]
        lon, lat = engine.seen_at(kind, position, numbers)
        heads = engine.newest(kind, heading, numbers)
        return [
            Seen(
                number, sort, float(lon[row]), float(lat[row]), int(at.observed_us[of]), int(at.received_us[of]),
                position.valid_s,
                float(heads.value[row]) if heads.observed_us[row] == at.observed_us[of] else None,
                float(late_s[of]) if late_s is not None else 0.0,
                self.fleet.course(number),
            )
            for row, (number, of) in enumerate(zip(ints(numbers), ints(fresh), strict=True))
        ]  # fmt: skip

    def _ask(self, name: str, site: Site, coming: Sequence[Passage]) -> None:
        """Asks for those who come, and takes back what was asked for those who do no more, or where the post steers."""
        requests = self._requests.get(site.name)
        wants = {} if name in self._steered else self._wants(site, name, coming)
        if requests is None:
            if not wants:
                return
            self._made += 1
            requests = self._requests[site.name] = Requests(f"{self._clock.now_us() // SECOND_US:x}-{self._made}")
        for values in requests.turn(wants, self._clock.now_us()):
            message = self._order(site, values)
            if message is not None:
                self.asked[values["type"]] += 1
            if values["type"] != "new":
                continue
            if message is not None:
                requests.posted(values["requestId"], message)
            else:
                requests.unsent(values["requestId"], self._clock.now_us())

    def _order(self, site: Site, values: Mapping[str, str]) -> str | None:
        """The number of the message; None where it could not be sent."""
        try:
            return self._door.ask(site, lambda link, at: link.order(site.component, {ORDER: values}, at))
        except CannotAsk as error:
            _log.warning("not asked", site=site.name, order=ORDER, reason=str(error))
            return None

    def _wants(self, site: Site, name: str, coming: Sequence[Passage]) -> dict[int, Want]:
        """What is to be asked of a site, by the input that asks for the stage which lets most of them go."""
        document, first = self._documents.get(name), site.enrolment.stage_inputs
        if document is None or not first:
            return {}
        wants: dict[int, Want] = {}
        for each in coming:
            stages = document.junction.stages
            own = frozenset(each.groups)
            best = max(range(len(stages)), key=lambda at: len(stages[at].greens & own), default=None)
            if each.waits or each.eta_s > TOLD_AHEAD_S or best is None or not stages[best].greens & own:
                continue
            level = LEVELS[each.sort]
            if each.sort is Sort.BUS and each.late_s >= LATE_S:
                level *= 2
            wants[each.vehicle] = Want((("inputId", str(first + best)),), level, each.eta_s, each.sort.value)
        return wants

    def _states(self, name: str) -> Mapping[int, str]:
        requests = self._requests.get(self._site_of.get(name, ""))
        return requests.states if requests is not None else {}

    def _state(self, passage: Passage, states: Mapping[int, str]) -> str:
        if passage.waits:
            return WAITS
        if passage.junction in self._steered:
            return CLAIMED
        return states[passage.vehicle] or ASKED if passage.vehicle in states else ""

    def _note(self) -> None:
        """Writes down where an emergency vehicle goes first, or does not any more."""
        coming = {each.junction for each in self._passages_of(Sort.EMERGENCY)}
        first = {name for name in coming if any(_goes_first(each) for each in self.going(name))}
        # Once it has begun it ends when nobody comes any more, whatever the controller makes of it meanwhile.
        began, over = first - self._emergencies, self._emergencies - coming
        self._emergencies = (self._emergencies | began) - over
        now_us, numbers = self._clock.now_us(), self._engine.registry.numbers
        effects: list[Effect] = [
            Raise(EMERGENCY_PASSES, numbers[name], now_us, self._evidence(name)) for name in sorted(began)
        ]
        effects += [Clear(EMERGENCY_PASSES, numbers[name], now_us) for name in sorted(over)]
        if effects:
            self._engine.apply(effects, self._engine.next_ingest, f"rsmp.priority.{now_us}", now_us)

    def _passages_of(self, sort: Sort) -> list[Passage]:
        return [each for coming in self._by_junction.values() for each in coming if each.sort is sort]

    def _evidence(self, name: str) -> dict[str, float | str]:
        groups = sorted({group for each in self.going(name) if _goes_first(each) for group in each.groups})
        return {"groups": ", ".join(groups), "by": "steering" if name in self._steered else "request"}


def _goes_first(going: Going) -> bool:
    return going.passage.sort is Sort.EMERGENCY and going.state in (CLAIMED, SERVED)
