"""Outages: one alarm for one cause, at the cabinet, from the first sign until its lamps are back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from vigie.core.arrays import ints
from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.service import City, Clear, Effect, Raise
from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US
from vigie.services.lighting.conditions import CIRCUIT_LOST, LAMP_OUT, LAMP_SILENT
from vigie.services.lighting.faults.causes import Signs, rank
from vigie.services.lighting.faults.park import Park
from vigie.services.lighting.faults.reports import SUPPLY, Words
from vigie.services.lighting.faults.supply import ON, OPEN, TRIPPED, WORD_US, Cabinets, Loss

SETTLE_US = 20 * SECOND_US
"""A cabinet's contact may speak before its lamps do: so long it is waited for them, to say which circuit it was."""

BACK_SHARE, BACK_SWEEPS = 0.8, 2
"""An outage is over when so many of its lamps live in two sweeps in a row, and its contacts are closed."""

BACK_US = MINUTE_US
"""A lamp that is heard so long after the first sign was not lost, or is back."""

JUST_US = 20 * MINUTE_US
"""What a lamp was blamed for so shortly before the first sign was the outage already."""

RAIN_MM_H, RAIN_US = 0.1, 12 * HOUR_US
"""What counts as rain, and for how long it is a reason: joints dry in hours."""

LAMPS_NAMED = 10
CAUSES_NAMED = 3

USUAL_STEP, GONE_SHARE, GONE_A = 0.05, 0.5, 0.3
"""A cabinet's usual current is a slow mean; what is left of it when a circuit is lost is compared with the share of its
lamps that are lost."""

NIGHT_DEG = -4.0


@dataclass
class Outage:
    """Circuits that are lost: since when by the post's clock, and which lamps, by their numbers. back: in how many
    sweeps they were seen to be back."""

    since_us: int
    lamps: set[int] = field(default_factory=set[int])
    back: int = 0


class Outages:
    """What is lost now. Known again after a start from what is open."""

    def __init__(self, city: City, park: Park) -> None:
        self._open = _known(city, park)
        self._tripped_us: dict[int, int] = {}
        self._usual_a = np.full(len(park.cabinet), np.nan)
        self._rain_us = 0
        self.mended: list[int] = []
        """The rows of the cabinets whose outage was found to be over in this sweep."""

    def moved(self, park: Park, before: Park) -> None:
        """The park has changed."""
        usual = np.full(len(park.cabinet), np.nan)
        kept = np.isin(park.cabinet, before.cabinet)
        usual[kept] = self._usual_a[np.searchsorted(before.cabinet, park.cabinet[kept])]
        self._usual_a = usual

    def covered(self, park: Park, cabinets: Cabinets) -> Mask:
        """The lamps whose supply is out, and of which nothing is said apart."""
        covered = park.of_cabinet(cabinets.lost, False)
        for outage in self._open.values():
            covered[park.rows_of(sorted(outage.lamps))] = True
        return covered

    def judge(
        self, city: City, park: Park, words: Words, cabinets: Cabinets, losses: Sequence[Loss], opened: Mask,
        sun_deg: float, now_us: int,
    ) -> list[Effect]:  # fmt: skip
        """Raises what is lost, joins what belongs to what is open, and clears what is back. opened: the cabinets whose
        contactor has opened in the night, though it is switched, and should not have."""
        self._note(city, cabinets, now_us)
        effects: list[Effect] = []
        for loss in [*losses, *self._contacts(park, cabinets, losses, opened, now_us)]:
            number = int(park.cabinet[loss.cabinet])
            known = self._open.get(number)
            if known is not None:
                known.lamps |= set(ints(park.lamp[loss.rows]))
            else:
                self._open[number] = Outage(loss.since_us, set(ints(park.lamp[loss.rows])))
                effects.append(self._raised(city, park, cabinets, loss, sun_deg, now_us))
            effects += _absorbed(city, park, loss)
        return effects + self._over(city, park, words, cabinets, now_us)

    def _note(self, city: City, cabinets: Cabinets, now_us: int) -> None:
        fresh = cabinets.sure & ~cabinets.tripped & (cabinets.current.received_us > now_us - WORD_US)
        found = cabinets.current.value
        lit = fresh & (found > GONE_A)
        first = lit & np.isnan(self._usual_a)
        self._usual_a[first] = found[first]
        near = lit & (found > self._usual_a * (1 - GONE_SHARE / 10))
        self._usual_a[near] += USUAL_STEP * (found[near] - self._usual_a[near])
        _, rain = city.everywhere("rain")
        wet = rain.received_us[rain.value >= RAIN_MM_H]
        self._rain_us = max(self._rain_us, int(wet.max(initial=0)))

    def _contacts(
        self, park: Park, cabinets: Cabinets, losses: Sequence[Loss], opened: Mask, now_us: int
    ) -> list[Loss]:
        """Cabinets whose own contacts say that something is lost, whatever lamps say."""
        tripped = cabinets.tripped | (park.permanent & cabinets.off) | opened
        rows = np.flatnonzero(tripped & ~cabinets.lost)
        for gone in set(self._tripped_us) - set(ints(park.cabinet[rows])):
            del self._tripped_us[gone]
        told = {loss.cabinet for loss in losses}
        found: list[Loss] = []
        for row in ints(rows):
            since_us = self._tripped_us.setdefault(int(park.cabinet[row]), int(cabinets.word_us[row]) or now_us)
            settled = opened[row] or now_us - since_us >= SETTLE_US
            if row in told or int(park.cabinet[row]) in self._open or not settled:
                continue
            whole = cabinets.breaker.value[row] != TRIPPED
            lamps = np.flatnonzero(park.fed_by == row) if whole else np.empty(0, np.int64)
            groups = ints(np.flatnonzero(park.group_cabinet == row)) if whole else []
            found.append(Loss(row, groups, lamps, since_us, False))
        return found

    def _raised(self, city: City, park: Park, cabinets: Cabinets, loss: Loss, sun_deg: float, now_us: int) -> Raise:
        row = loss.cabinet
        whole = bool(len(loss.groups)) and len(loss.groups) == np.count_nonzero(park.group_cabinet == row)
        circuits = park.group_circuit[list(loss.groups)]
        named = ", ".join(f"{circuit:.0f}" for circuit in circuits if not np.isnan(circuit))
        evidence: dict[str, float | str] = {
            "circuit": "all" if whole and not loss.partial else named or ("all" if whole else "unknown"),
            "lamps": len(loss.rows),
        }
        if len(loss.rows):
            evidence["first_lamps"] = ", ".join(city.ids(park.lamp[loss.rows[:LAMPS_NAMED]]))
        causes = rank(self._signs(park, cabinets, loss, whole, sun_deg, now_us))[:CAUSES_NAMED]
        for place, each in enumerate(causes, 1):
            evidence[f"cause_{place}"] = each.cause.value
            evidence[f"cause_{place}_confidence"] = each.confidence
            evidence[f"cause_{place}_because"] = each.because
        evidence["confidence"] = 99 if cabinets.tripped[row] or len(loss.rows) > 2 * LAMPS_NAMED else 95
        evidence |= self._places(city, park, loss)
        return Raise(CIRCUIT_LOST, int(park.cabinet[row]), loss.since_us, evidence)

    @staticmethod
    def _places(city: City, park: Park, loss: Loss) -> dict[str, float | str]:
        """The crossings, school routes and streets that are dark with it."""
        found: dict[str, list[str]] = {}
        # Only those that one of its lamps is of: a town has thousands.
        touched = {number for row in ints(loss.rows) for number in park.spots_of.get(row, ())}
        for spot in (park.spots[number] for number in sorted(touched)):
            if np.isin(spot.rows, loss.rows).all():
                found.setdefault(spot.what, []).append(city.street_name(spot.street))
        return {f"dark_{what}": ", ".join(sorted(set(names))[:LAMPS_NAMED]) for what, names in found.items()}

    def _signs(self, park: Park, cabinets: Cabinets, loss: Loss, whole: bool, sun_deg: float, now_us: int) -> Signs:
        row = loss.cabinet

        def said(column: Floats, code: float, received_us: Int64s) -> bool | None:
            so = bool(column[row] == code)
            # That a contact was closed before the loss tells nothing of it.
            after_us = now_us - WORD_US if so else max(loss.since_us, now_us - WORD_US)
            return so if received_us[row] > after_us and not np.isnan(column[row]) else None

        heard_us = int(cabinets.heard_us[row])
        current, usual = cabinets.current, self._usual_a[row]
        gone: bool | None = None
        if current.received_us[row] > loss.since_us and not np.isnan(usual) and park.lamps_of_cabinet[row]:
            share = len(loss.rows) / park.lamps_of_cabinet[row]
            gone = bool(usual - current.value[row] > GONE_SHARE * share * usual)
        return Signs(
            breaker=said(cabinets.breaker.value, TRIPPED, cabinets.breaker.received_us),
            residual_current=said(cabinets.residual_current.value, TRIPPED, cabinets.residual_current.received_us),
            contactor=True
            if cabinets.off[row]
            else said(cabinets.contactor.value, OPEN, cabinets.contactor.received_us),
            supply_lost=bool(cabinets.lost[row]),
            silent=None if now_us - WORD_US <= heard_us <= loss.since_us else heard_us < loss.since_us,
            door_open=said(cabinets.door.value, 1.0, cabinets.door.received_us),
            current_gone=gone,
            whole=whole and not loss.partial,
            partial=loss.partial,
            night=sun_deg < NIGHT_DEG,
            rain=now_us - self._rain_us < RAIN_US,
        )

    def _over(self, city: City, park: Park, words: Words, cabinets: Cabinets, now_us: int) -> list[Effect]:
        effects: list[Effect] = []
        self.mended = []
        open_now = {each.asset for each in city.present(CIRCUIT_LOST)}
        for number, outage in list(self._open.items()):
            row = park.cabinet_row(number)
            rows = park.rows_of(sorted(outage.lamps))
            back = (words.heard_us[rows] > outage.since_us + BACK_US) & (words.fault.value[rows] != SUPPLY)
            if now_us - outage.since_us < JUST_US:
                # Who is heard so soon was not lost: it had only not reported yet when the outage was found.
                outage.lamps -= set(ints(park.lamp[rows[back]]))
                rows, back = rows[~back], back[~back]
            closed = row < 0 or not (cabinets.tripped[row] or (park.permanent[row] and cabinets.off[row]))
            is_back = closed and np.count_nonzero(back) >= BACK_SHARE * len(rows)
            if is_back and not len(rows) and row >= 0 and cabinets.supply.value[row] != ON:
                is_back = False
            outage.back = outage.back + 1 if is_back else 0
            if outage.back >= BACK_SWEEPS:
                del self._open[number]
                self.mended += [row] if row >= 0 else []
                if number in open_now:
                    effects.append(Clear(CIRCUIT_LOST, number, now_us))
        return effects


def _absorbed(city: City, park: Park, loss: Loss) -> list[Effect]:
    """What its lamps were blamed for just before is taken back."""
    lamps = set(ints(park.lamp[loss.rows]))
    return [
        Clear(condition, each.asset, loss.since_us)
        for condition in (LAMP_SILENT, LAMP_OUT)
        for each in city.present(condition)
        if each.asset in lamps and each.at_us >= loss.since_us - JUST_US and "fault" not in each.evidence
    ]


def _known(city: City, park: Park) -> dict[int, Outage]:
    """The outages that are open, as their evidence tells them: by the cabinet's number."""
    found: dict[int, Outage] = {}
    for each in city.present(CIRCUIT_LOST):
        row = park.cabinet_row(each.asset)
        if row < 0:
            continue
        said = str(each.evidence.get("circuit", ""))
        named = [float(one) for one in said.split(",") if one.strip().isdigit()]
        circuit = np.append(park.group_circuit, np.nan)[park.group]
        mine = park.fed_by == row
        if named:
            mine &= np.isin(circuit, named)
        elif said == "unknown":
            mine[:] = False
        found[each.asset] = Outage(each.at_us, set(ints(park.lamp[mine])))
    return found
