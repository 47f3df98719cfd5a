"""Calls for light: what is heard of sensors and buses becomes orders, each lamp's night being counted.

Laws (tests/services/lighting/test_on_demand.py):
- no lamp is raised more often in a night, nor for longer, than the rule that raises it says;
- where an order of a person's, a lock-out, full light or a word that is not the programme's rules, nothing is raised;
- a lamp is never made darker, and what it was given is not shortened; what is out stays out without leave: a raise
  ends where a programme would have its lamp as bright, or out, however long somebody stays; and early where a programme
  that was approved meanwhile says so;
- a lamp whose last word is past its time is not raised;
- each raise carries its end; a lamp that would not end it by itself is not raised;
- what was observed too long ago calls for nothing, nor does who has been silent for a hold, or is retired.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from vigie.core.arrays import ints
from vigie.core.ground import M_PER_DEGREE
from vigie.core.kinds import AssetKind
from vigie.core.observations import Int64s, Mask
from vigie.core.plans import Given
from vigie.core.service import AUTOMATION as AUTOMATION_WORD
from vigie.core.service import Ask, Change, City, Clear, Effect, Numbers, Raise
from vigie.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US, rfc3339
from vigie.services.lighting.conditions import MOTION_STUCK
from vigie.services.lighting.guards import full_light_is_off, supply_is_on
from vigie.services.lighting.kinds import FADE, UNTIL, Luminaire, MotionSensor
from vigie.services.lighting.ondemand.model import AUTOMATION, HEARD, OnDemand, Trigger
from vigie.services.lighting.ondemand.planned import NEVER_US
from vigie.services.lighting.ondemand.rules import Prepared, Reached, Rule, spans
from vigie.services.lighting.ondemand.tally import Tally, within
from vigie.services.lighting.programmes.nights import Nights

LATE_US = 30 * SECOND_US
"""Who passed longer ago is gone: light behind them is for nobody."""

STUCK_US = 2 * HOUR_US
"""A sensor that sees somebody for so long without an end sees nobody."""

MOVED_M, JUMPED_M = 10.0, 500.0
"""A bus that has moved less stands; one that has moved farther was not heard meanwhile."""

GATHERED_US = 3 * SECOND_US
"""Buses are answered together, so often: they see a hundred metres ahead, and an order each would be many."""

LEAST_US = 20 * SECOND_US
"""Nothing is raised for less: it would be over before it is seen."""

_PROGRAMME, _ORDER = (float(Luminaire.control.code(name)) for name in ("programme", "order"))


@dataclass(frozen=True, slots=True)
class _Call:
    """Something that calls for light where it is. said_us: when it last said anything."""

    trigger: Trigger
    kind: type[AssetKind]
    asset: int
    observed_us: int
    said_us: int


@dataclass(frozen=True, slots=True)
class _Spot:
    """Where somebody calls, in degrees, and where it is bound for, in degrees from north, NaN where that is not known.
    The place of what stands still, or of what nothing is known, is NaN. reached: what was found ahead of it."""

    call: _Call
    lon: float
    lat: float
    heading_deg: float
    reached: Reached

    def rows(self, rule: Rule, prepared: Prepared) -> Int64s:
        """The rows of a rule's lamps in its reach; streets are looked along once, whatever the rules and seconds."""
        ahead_m = rule.body.ahead_m
        key = (ahead_m, 0.0 if np.isnan(self.heading_deg) else rule.body.behind_m)
        if key not in self.reached:
            self.reached[key] = prepared.graph.ahead(self.lon, self.lat, self.heading_deg, *key).rows
        rows = self.reached[key]
        return rows[rule.lamps[rows]]


@dataclass(frozen=True)
class _Wish:
    """What a rule would raise: the lamps by their numbers, sorted, and which call each is for (the calls' places)."""

    rule: Rule
    until_us: int
    calls: Sequence[tuple[_Call, Numbers]]

    @cached_property
    def lamps(self) -> Numbers:
        return np.unique(np.concatenate([lamps for _, lamps in self.calls]))


@dataclass(frozen=True, slots=True)
class _Grant:
    """Lamps that may be raised now, and until when each."""

    lamps: Numbers
    until_us: Int64s


class Calls:
    """See `vigie.core.service.Reactor`."""

    def __init__(self, city: City, now_us: int) -> None:
        self._heard: dict[int, _Call] = {}
        self._lamps = Tally()
        self._before: Sequence[Given] = city.given(AUTOMATION, now_us - DAY_US)
        self._on_us: dict[int, int] = {}
        self._quiet: set[int] = set()
        self._places: dict[int, tuple[float, float]] = {}
        # sensor -> whether it is on for too long; otherwise it called beyond what is given in a night.
        self._stuck = {each.asset: "minutes_on" in each.evidence for each in city.present(MOTION_STUCK)}
        self._night: tuple[int, int] = (0, 0)
        self._buses_us = 0
        self._spans: dict[str, list[tuple[int, int]]] = {}
        self._leave: dict[str, bool] = {}
        self._spanned: Prepared | None = None
        # lamp -> when its raise is to end, before its time.
        self._early: dict[int, int] = {}
        sensors = city.assets(MotionSensor)
        word = city.newest(MotionSensor, MotionSensor.motion, sensors)
        for row in np.flatnonzero(word.value == 1).tolist():
            self._on_us[int(sensors[row])] = int(word.received_us[row])

    def hear(self, change: Change, now_us: int) -> None:
        """Notes who calls; a sensor that sees nobody any more calls no longer."""
        trigger = HEARD[change.kind.kind, change.point.name]
        calls = np.ones(len(change.asset), np.bool_)
        if change.point is MotionSensor.motion:
            calls = change.value == 1
            for asset in ints(change.asset[~calls]):
                self._on_us.pop(asset, None)
                self._quiet.add(asset)
            for asset in ints(change.asset[calls]):
                self._on_us.setdefault(asset, now_us)
        elif change.point is MotionSensor.passages:
            calls = change.value > change.before
        for asset, observed_us in zip(ints(change.asset[calls]), ints(change.observed_us[calls]), strict=True):
            self._heard[asset] = _Call(trigger, change.kind, asset, observed_us, now_us)

    def answer(self, prepared: Prepared, city: City, now_us: int) -> tuple[list[Ask], list[Effect]]:
        """The raises that are called for now."""
        self._let_go(city)
        heard = self._taken(now_us)
        effects = self._turn(prepared, now_us)
        asks = self._ended(prepared, city, now_us)
        said = self._said(city)
        effects += self._sensors(said, now_us)
        hours = {rule.plan: self._until_us(rule, now_us) for rule in prepared.rules}
        if not any(hours.values()):
            return asks, effects
        for asset in self._on_us.keys() - heard.keys():
            heard[asset] = _Call(Trigger.MOTION, MotionSensor, asset, now_us, said[asset])
        calls = [each for each in heard.values() if now_us - each.observed_us <= LATE_US]
        calls = [each for each in calls if each.asset not in self._stuck]
        spots = [self._spot(call, prepared, city) for call in sorted(calls, key=lambda each: each.asset)]
        # What is asked for in this beat is not given yet: nobody asks for it twice.
        taken = np.concatenate([np.empty(0, np.int64), *(each.assets for each in asks)])
        for rule in sorted(prepared.rules, key=lambda each: (-each.body.level, each.plan)):
            wish = self._wish(rule, spots, prepared, hours[rule.plan], now_us) if hours[rule.plan] else None
            if wish is None:
                continue
            grant = self._granted(wish, taken, prepared, city, now_us, effects)
            taken = np.union1d(taken, grant.lamps)
            ends_us = ints(np.unique(grant.until_us))
            asks += [_ask(wish, grant.lamps[grant.until_us == end_us], end_us) for end_us in ends_us]
        return asks, effects

    def gave(self, given: Given) -> None:
        """Counts what was given; what was refused is nobody's light."""
        self._lamps.note(given, leave=self._leave.get(given.words.get("plan", ""), True))
        for lamp in ints(given.assets) if self._early else ():
            # It is over, or a raise that the programmes of now leave room for has taken its place.
            self._early.pop(lamp, None)

    # What time brings.

    def _let_go(self, city: City) -> None:
        """Forgets of sensors and buses that are in service no longer: nothing they said would ever be taken back."""
        if self._on_us or self._stuck:
            here = set(ints(city.assets(MotionSensor)))
            for known in (self._on_us, self._stuck):
                for asset in known.keys() - here:
                    del known[asset]
        kinds = {each.kind for each in self._heard.values()}
        present = {kind: set(ints(city.assets(kind))) for kind in kinds}
        self._heard = {asset: each for asset, each in self._heard.items() if asset in present[each.kind]}

    def _said(self, city: City) -> dict[int, int]:
        """When each sensor that sees somebody last said anything."""
        sensors = np.array(sorted(self._on_us), np.int64)
        words = [city.newest(MotionSensor, each, sensors) for each in (MotionSensor.motion, MotionSensor.passages)]
        last_us = np.maximum(*(each.received_us for each in words))
        return dict(zip(ints(sensors), ints(last_us), strict=True))

    def _taken(self, now_us: int) -> dict[int, _Call]:
        """What was heard and is to be answered now."""
        if 0 <= now_us - self._buses_us < GATHERED_US:
            waiting = {asset: each for asset, each in self._heard.items() if each.trigger is Trigger.BUS}
        else:
            waiting, self._buses_us = {}, now_us
        heard = {asset: each for asset, each in self._heard.items() if asset not in waiting}
        self._heard = waiting
        return heard

    def _turn(self, prepared: Prepared, now_us: int) -> list[Effect]:
        """A new night counts anew, and what was given before this process counts in its own."""
        effects: list[Effect] = []
        if not self._night[0] <= now_us < self._night[1]:
            nights = Nights.at(now_us, prepared.calendar)
            begin, end = (int(each[0]) for each in nights.bounds_us)
            self._night, self._spanned = (begin, end), None
            self._lamps.forget()
            tonight = within(self._before, begin, end)
            self._before = ()
            over = [asset for asset, is_on in self._stuck.items() if not is_on] if not tonight else []
            for asset in over:
                del self._stuck[asset]
                effects.append(Clear(MOTION_STUCK, asset, now_us))
            for each in tonight:
                self._lamps.note(each)
        if self._spanned is not prepared:
            if self._spanned is not None:
                self._revise(prepared, now_us)
            nights = Nights.at(now_us, prepared.calendar)
            self._spans = {rule.plan: spans(rule.body, nights, prepared.place) for rule in prepared.rules}
            self._leave = {rule.plan: bool(rule.body.leave) for rule in prepared.rules}
            self._spanned = prepared
        return effects

    def _revise(self, prepared: Prepared, now_us: int) -> None:
        """Programmes may have changed: notes which raises are to end before their time, and when."""
        own, park = self._lamps, prepared.park
        own.fit(park.no)
        rows = np.flatnonzero((own.until_us[park.no] > now_us) & ~prepared.planned.bare)
        ends_us = np.full(len(rows), NEVER_US)
        kinds = np.stack([own.level[park.no[rows]], own.leave[park.no[rows]]])
        for level, leave in np.unique(kinds, axis=1).T.tolist():
            alike = (kinds == [[level], [leave]]).all(0)
            ends_us[alike] = prepared.planned.ends_us(rows[alike], int(level), now_us, leave=bool(leave))
        early = ends_us < own.until_us[park.no[rows]] - LEAST_US
        self._early = dict(zip(ints(park.no[rows[early]]), ints(ends_us[early]), strict=True))

    def _ended(self, prepared: Prepared, city: City, now_us: int) -> list[Ask]:
        """Gives lamps back to a programme that wants them back by now; those that still obey a raise, and nobody
        else."""
        due = np.array(sorted(lamp for lamp, end_us in self._early.items() if end_us <= now_us), np.int64)
        if not len(due):
            return []
        lasts = self._lamps.until_us[due] > now_us
        for lamp in ints(due[~lasts]):
            del self._early[lamp]
        # One that does not say yet that it obeys, or may not be told now, is looked at again while its raise lasts.
        due = due[lasts]
        obeys = city.newest(Luminaire, Luminaire.control, due).value == _ORDER
        free = obeys & ~city.ordered(Luminaire, Luminaire.dim, due, now_us) & ~city.locked_out(due)
        due = due[free]
        words = {AUTOMATION_WORD: AUTOMATION, "programme": "1"}
        return [Ask(Luminaire, Luminaire.release, {}, due, words, LATE_US / SECOND_US)] if len(due) else []

    def _sensors(self, said: Mapping[int, int], now_us: int) -> list[Effect]:
        """Sensors that see somebody without an end, and those of them that see nobody any more. One that is silent is
        not stuck: nothing is known of it. said: when each last said anything."""
        effects: list[Effect] = []
        for asset, since_us in self._on_us.items():
            speaks = now_us - said[asset] < MotionSensor.motion.valid_s * SECOND_US
            if now_us - since_us > STUCK_US and speaks and asset not in self._stuck:
                self._stuck[asset] = True
                evidence = {"minutes_on": (now_us - since_us) // MINUTE_US, "confidence": 90.0}
                effects.append(Raise(MOTION_STUCK, asset, now_us, evidence))
        for asset in sorted(self._quiet & self._stuck.keys()):
            if self._stuck[asset]:
                del self._stuck[asset]
                effects.append(Clear(MOTION_STUCK, asset, now_us))
        self._quiet.clear()
        return effects

    def _until_us(self, rule: Rule, now_us: int) -> int:
        """Until when a raise of this rule would last if it was given now; 0 where none may be."""
        for start, end in self._spans[rule.plan]:
            if start <= now_us < end:
                until_us = min(now_us + rule.body.hold_s * SECOND_US, end) // SECOND_US * SECOND_US
                return until_us if until_us - now_us >= LEAST_US else 0
        return 0

    # Who calls, and for which lamps.

    def _spot(self, call: _Call, prepared: Prepared, city: City) -> _Spot:
        one = np.array([call.asset])
        if call.trigger is Trigger.MOTION:
            lon, lat = (float(each[0]) for each in city.places(one))
            return _Spot(call, lon, lat, np.nan, prepared.reached.setdefault(call.asset, {}))
        lon, lat = (float(each[0]) for each in city.seen_at(call.kind, call.kind.points["position"], one))
        before, self._places[call.asset] = self._places.get(call.asset), (lon, lat)
        if before is not None:
            east = (lon - before[0]) * M_PER_DEGREE * np.cos(np.radians(lat))
            north = (lat - before[1]) * M_PER_DEGREE
            if np.hypot(east, north) < MOVED_M:
                self._places[call.asset] = before
                return _Spot(call, np.nan, np.nan, np.nan, {})
            if np.hypot(east, north) <= JUMPED_M:
                return _Spot(call, lon, lat, float(np.degrees(np.arctan2(east, north)) % 360.0), {})
        said = call.kind.points.get("heading")
        return _Spot(call, lon, lat, np.nan if said is None else float(city.value(call.kind, said, one)[0]), {})

    def _wish(self, rule: Rule, spots: Iterable[_Spot], prepared: Prepared, until_us: int, now_us: int) -> _Wish | None:
        """What a rule would raise, None where nobody calls for a lamp of it that is not raised for long enough yet."""
        body, found = rule.body, list[tuple[_Call, Numbers]]()
        for spot in spots:
            call = spot.call
            silent = now_us - call.said_us > body.hold_s * SECOND_US
            if call.trigger not in body.triggers or silent or np.isnan(spot.lon):
                continue
            if not rule.spread.is_near(spot.lon, spot.lat):
                continue
            lamps = prepared.park.no[spot.rows(rule, prepared)]
            self._lamps.fit(lamps)
            if len(self._due(lamps, body, now_us)):
                found.append((call, lamps))
        return _Wish(rule, until_us, found) if found else None

    def _granted(
        self, wish: _Wish, taken: Numbers, prepared: Prepared, city: City, now_us: int, effects: list[Effect]
    ) -> _Grant:
        """The lamps that may be raised now, of those that a rule would raise. A sensor that calls for nothing else
        than lamps that have had their night is stuck. taken: what something else is asked of already."""
        body, own = wish.rule.body, self._lamps
        lamps = np.setdiff1d(self._due(wish.lamps, body, now_us), taken, assume_unique=True)
        free = self._free(lamps, body, city, now_us)
        rows = np.searchsorted(prepared.park.no, lamps)
        until_us = np.minimum(prepared.planned.ends_us(rows, body.level, now_us, leave=bool(body.leave)), wish.until_us)
        # What no programme of ours speaks for is known by what it said itself, and only for so long.
        bare = prepared.planned.bare[rows]
        until_us[bare] = np.minimum(until_us[bare], own.word_us[lamps[bare]])
        until_us = until_us // SECOND_US * SECOND_US
        before_us = own.until_us[lamps]
        longer = (until_us > before_us) | ((until_us == before_us) & (own.level[lamps] < body.level))
        may = free & longer & (until_us - now_us >= LEAST_US)
        lamps, until_us = lamps[may], until_us[may]
        fits = ~own.spent(lamps, body, until_us, now_us)
        if not fits.all():
            self._note_capped(wish, lamps[~fits], taken, now_us, effects)
        return _Grant(lamps[fits], until_us[fits])

    def _due(self, lamps: Numbers, body: OnDemand, now_us: int) -> Numbers:
        """Those of some lamps that are not raised for long enough yet, and not higher by another rule."""
        left_us, level = self._lamps.until_us[lamps] - now_us, self._lamps.level[lamps]
        due = (left_us <= 0) | (level < body.level) | (left_us < body.hold_s * SECOND_US // 2)
        return lamps[due & ((left_us <= 0) | (level <= body.level))]

    def _free(self, lamps: Numbers, body: OnDemand, city: City, now_us: int) -> Mask:
        """Which of some lamps nothing else rules and stand lower, by a word that is not past its time. One that is
        raised already shows an order, and not what it would be without: that is the programme's to say."""
        own = self._lamps
        control = city.newest(Luminaire, Luminaire.control, lamps)
        at = city.newest(Luminaire, Luminaire.level, lamps)
        word_us = np.minimum(
            control.observed_us + int(Luminaire.control.valid_s * SECOND_US),
            at.observed_us + int(Luminaire.level.valid_s * SECOND_US),
        )
        lower = (at.value < body.level) & ((at.value > 0) | bool(body.leave))
        free = (control.value == _PROGRAMME) & lower & (word_us > now_us)
        own.word_us[lamps[free]] = word_us[free]
        free |= (own.until_us[lamps] > now_us) & (control.value == _ORDER)
        free &= ~city.ordered(Luminaire, Luminaire.dim, lamps, now_us) & ~city.locked_out(lamps)
        free &= city.reporters(lamps) > 0
        for guard in (supply_is_on, full_light_is_off):
            for mask, _ in guard({}, lamps, city, now_us):
                free &= ~mask
        return free

    def _note_capped(self, wish: _Wish, capped: Numbers, taken: Numbers, now_us: int, effects: list[Effect]) -> None:
        """Finds the sensors that call for lamps which have had their night, and for none that is raised or may be."""
        for call, called in wish.calls:
            if call.trigger is not Trigger.MOTION or call.asset in self._stuck or not np.isin(called, capped).any():
                continue
            over = self._lamps.spent(called, wish.rule.body, wish.until_us, now_us)
            over &= (self._lamps.until_us[called] <= now_us) & ~np.isin(called, taken)
            if over.all():
                self._stuck[call.asset] = False
                raises, raised_us = (int(each[called].max()) for each in (self._lamps.raises, self._lamps.raised_us))
                evidence = {"raises": raises, "minutes_raised": raised_us // MINUTE_US, "confidence": 60.0}
                effects.append(Raise(MOTION_STUCK, call.asset, now_us, evidence))


def _ask(wish: _Wish, lamps: Numbers, until_us: int) -> Ask:
    """The order of one beat, one rule and one end. Its words say what called and how often, and not where or who:
    which lamps were raised is in its targets."""
    body = wish.rule.body
    calls = [call for call, called in wish.calls if np.isin(called, lamps).any()]
    counts = {each: sum(call.trigger is each for call in calls) for each in Trigger}
    words = {AUTOMATION_WORD: AUTOMATION, "plan": wish.rule.plan}
    words |= {str(each): str(count) for each, count in counts.items() if count}
    params: dict[str, Any] = {"level": float(body.level), UNTIL.name: rfc3339(until_us)}
    if body.fade_s:
        params[FADE.name] = body.fade_s
    return Ask(Luminaire, Luminaire.dim, params, lamps, words, LATE_US / SECOND_US)
