"""Which lamps have supply and which have lost it: silent lamps, lost circuits, lost cabinets.

A lamp whose controller has lost its supply either says so with its last breath (the word `supply`, from what its
capacitors hold) or is simply not heard any more. Silence is weighed: with 5 % of reports lost, nine missed in a row are
one chance in 500 billion, of one lamp or of many lamps of a circuit together. Where a circuit is switched at its
cabinet, silence counts only while the cabinet says, later than the first sign, that it is on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from vigie.core.arrays import ints
from vigie.core.observations import Int64s, Mask
from vigie.core.service import City, Newest
from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US
from vigie.services.lighting.conditions import SUPPLY_LOST
from vigie.services.lighting.faults.park import Park
from vigie.services.lighting.faults.reports import REPORT_US, SUPPLY, Words
from vigie.services.lighting.kinds import Cabinet

MISSED = 9
"""So many reports missed, by one lamp or by many together, are no accident of radio."""

SILENT_US = MISSED * REPORT_US + MINUTE_US
UNKNOWN_SILENT_US = 26 * HOUR_US
"""Of a lamp of which nobody knows whether its circuit is switched: a whole day and night without a word."""

CIRCUIT_LAMPS_MIN = 3
"""One or two lamps that are gone are lamps that are gone."""

BREATHS_MIN, BREATHS_SHARE, BREATHS_US = 3, 0.2, 10 * MINUTE_US
"""So many last breaths of one circuit within ten minutes are its loss: not every lamp has breath left, nor is every
breath heard."""

SLACK_US = 3 * MINUTE_US
"""A report may be late by so much, and by chance all of a circuit."""

PART_SHARE, PART_US, PART_APART_US = 0.3, 50 * MINUTE_US, 16 * MINUTE_US
"""A part of a circuit is lost by its silence alone if each of so many lamps has missed three reports since one and the
same quarter of an hour."""

SPEAKER_US, SPEAKER_REPORTS, SPEAKER_ASSETS_MIN = 20 * MINUTE_US, 10, 5
"""A gateway that has not spoken for twenty minutes, or while ten reports were due, is silent itself, and its silent
lamps say nothing (`gateway_silent`): lamps may all report at the quarter. What speaks for fewer assets is a lamp's own
modem."""

DENSE_US = 150 * SECOND_US
"""Of a gateway that was heard without such a gap nothing was lost meanwhile. Of another, each lamp of a circuit has
missed two reports before it is held to be lost: the gateway may have been away for one."""

WORD_US = 40 * MINUTE_US
"""A cabinet's word that is older is not of now: two reports may be lost."""

ON, OFF, LOST = (float(Cabinet.supply.code(each)) for each in ("on", "off", "lost"))
TRIPPED = float(Cabinet.breaker.code("tripped"))
OPEN = float(Cabinet.contactor.code("open"))


@dataclass(frozen=True)
class Cabinets:
    """What the cabinets have said last, in rows. off: their circuits are cut by the contactor; lost: they have no
    supply. sure: their circuits should live, as far as anybody knows. tripped: a contact says so."""

    supply: Newest
    contactor: Newest
    breaker: Newest
    residual_current: Newest
    current: Newest
    door: Newest
    full_light: Newest
    heard_us: Int64s
    off: Mask
    lost: Mask
    sure: Mask
    tripped: Mask

    @staticmethod
    def of(city: City, park: Park, now_us: int) -> Cabinets:
        """What the picture has."""
        supply, contactor, breaker, residual, current, door, full_light = said = [
            city.newest(Cabinet, point, park.cabinet)
            for point in (
                Cabinet.supply, Cabinet.contactor, Cabinet.breaker, Cabinet.residual_current, Cabinet.current,
                Cabinet.door, Cabinet.full_light,
            )
        ]  # fmt: skip
        lost = (supply.value == LOST) | city.is_open(SUPPLY_LOST, park.cabinet)
        off = ((supply.value == OFF) | (contactor.value == OPEN)) & ~lost
        fresh = supply.received_us >= now_us - WORD_US
        return Cabinets(
            supply, contactor, breaker, residual, current, door, full_light,
            heard_us=np.max([each.received_us for each in said], axis=0),
            off=off,
            lost=lost,
            sure=~lost & ~off & (park.permanent | ((supply.value == ON) & fresh)),
            tripped=(breaker.value == TRIPPED) | (residual.value == TRIPPED),
        )  # fmt: skip


@dataclass(frozen=True)
class Loss:
    """What was found of one cabinet just now: the row of the cabinet, the groups that are lost, the rows of the lamps,
    the first sign, and whether others of those circuits live on."""

    cabinet: int
    groups: Sequence[int]
    rows: Int64s
    since_us: int
    partial: bool


class Supply:
    """Who should live, and since when. Its own memory is of this process; outages are known again from what is open.

    alive_since_us: since when each cabinet's circuits should live, by the post's clock.
    """

    def __init__(self, park: Park, now_us: int) -> None:
        self._start_us = now_us
        self.alive_since_us = np.where(park.permanent, 0, now_us)
        self._was_sure = park.permanent.copy()
        self._speakers = max(int(each.max(initial=0)) for each in (park.speaker, park.cabinet_speaker)) + 1
        every = np.concatenate([park.speaker, park.cabinet_speaker])
        assets = np.bincount(every, minlength=self._speakers)
        shared = assets >= SPEAKER_ASSETS_MIN
        shared[0] = False
        self._gap_us = np.maximum(SPEAKER_US, SPEAKER_REPORTS * REPORT_US // np.maximum(assets, 1))
        self._gap_us[0] = SPEAKER_US
        # Modems of their own are one speaker, 0: that they are heard says that the network between is there.
        self._lamp_speaker = np.where(shared[park.speaker], park.speaker, 0)
        self._cabinet_speaker = np.where(shared[park.cabinet_speaker], park.cabinet_speaker, 0)
        self._speaker_us = np.zeros(self._speakers, np.int64)
        self._speaker_back_us = np.zeros(self._speakers, np.int64)
        self._dense_us = np.full(self._speakers, now_us)

    def moved(self, park: Park, before: Park) -> Supply:
        """The same for a park that has changed."""
        made = Supply(park, self._start_us)
        kept = np.isin(park.cabinet, before.cabinet)
        rows = np.searchsorted(before.cabinet, park.cabinet[kept])
        made.alive_since_us[kept] = self.alive_since_us[rows]
        made._was_sure[kept] = self._was_sure[rows]
        count = min(self._speakers, made._speakers)
        made._speaker_us[:count] = self._speaker_us[:count]
        made._speaker_back_us[:count] = self._speaker_back_us[:count]
        made._dense_us[:count] = self._dense_us[:count]
        return made

    def note(self, words: Words, cabinets: Cabinets, now_us: int) -> None:
        """Notes who is heard, and whose circuits have come alive."""
        heard_us = np.zeros(self._speakers, np.int64)
        np.maximum.at(heard_us, self._lamp_speaker, words.heard_us)
        np.maximum.at(heard_us, self._cabinet_speaker, cabinets.heard_us)
        back = heard_us - self._speaker_us > self._gap_us
        self._speaker_back_us[back] = heard_us[back]
        # Who is not heard at all has its gap at once, and who is heard again had it until then.
        gap = np.maximum(now_us, heard_us) - self._speaker_us > DENSE_US
        self._dense_us[gap] = now_us
        self._speaker_us = np.maximum(self._speaker_us, heard_us)
        self.alive_since_us[cabinets.sure & ~self._was_sure] = now_us
        self._was_sure = cabinets.sure.copy()

    def mended(self, cabinets: Sequence[int], now_us: int) -> None:
        """An outage of these cabinets (rows) is over: who is still silent has the time of the others to report."""
        self.alive_since_us[list(cabinets)] = now_us

    def lit_since_us(self, park: Park, cabinets: Cabinets, now_us: int) -> Int64s:
        """Since when the circuit of each lamp should live; ahead of now where it should not. A lamp of which nobody
        knows what feeds it should always."""
        since_us = np.where(cabinets.off | cabinets.lost, now_us + HOUR_US, self.alive_since_us)
        return park.of_cabinet(since_us, 0)

    def quiet_since_us(self, park: Park, words: Words) -> Int64s:
        """Since when each lamp has been silent although it could have been heard."""
        alive_us = park.of_cabinet(self.alive_since_us, 0)
        since_us = np.maximum(np.maximum(words.heard_us, alive_us), self._start_us)
        return np.maximum(since_us, self._speaker_back_us[self._lamp_speaker])

    def spoken_for(self, now_us: int) -> Mask:
        """Of each lamp, whether what speaks for it is heard at all."""
        return (now_us - self._speaker_us <= self._gap_us)[self._lamp_speaker]

    def losses(self, park: Park, words: Words, cabinets: Cabinets, living: Mask, now_us: int) -> list[Loss]:
        """The circuits that are lost as far as lamps tell. living: lamps that are heard usually."""
        if not len(park.group_cabinet):
            return []
        groups = len(park.group_cabinet)
        own = living & park.of_cabinet(cabinets.sure, False)
        quiet_us = self.quiet_since_us(park, words)
        alive_us = park.of_cabinet(self.alive_since_us, 0)
        breath = own & (words.fault.value == SUPPLY) & (words.fault.received_us > alive_us)
        newest_us = np.zeros(groups, np.int64)
        np.maximum.at(newest_us, park.group[breath], words.fault.received_us[breath])
        breath &= words.fault.received_us >= newest_us[park.group] - BREATHS_US
        count = np.bincount(park.group[own], minlength=groups)
        breaths = np.bincount(park.group[breath], minlength=groups)
        lost = (breaths >= BREATHS_MIN) & (breaths >= BREATHS_SHARE * count)
        lost |= self._silent(park, own, breath, quiet_us, count, now_us)
        lost |= self._part(park, own & self.spoken_for(now_us), quiet_us, count, now_us)
        if not lost.any():
            return []
        # Another circuit of the same cabinet of which one lamp breathed its last has most likely gone with it.
        beside = np.zeros(len(park.cabinet), np.bool_)
        beside[park.group_cabinet[lost & (breaths > 0)]] = True
        lost |= (breaths > 0) & beside[park.group_cabinet] & (newest_us >= now_us - BREATHS_US)
        return self._told(park, words, cabinets, np.flatnonzero(lost), own, breath, quiet_us)

    def _silent(self, park: Park, own: Mask, breath: Mask, quiet_us: Int64s, count: Int64s, now_us: int) -> Mask:
        """Groups of which nobody was heard while many reports were due, and what speaks for them was."""
        groups = len(park.group_cabinet)
        rest = np.flatnonzero(own & ~breath)
        group = park.group[rest]
        last_us, speaker = np.zeros(groups, np.int64), np.zeros(groups, np.int64)
        np.maximum.at(last_us, group, quiet_us[rest])
        speaker[group] = self._lamp_speaker[rest]
        # Reports that were due since the last of them was heard: what one missed before by itself is not counted.
        missed = np.maximum(now_us - quiet_us[rest] - SLACK_US, 0) // REPORT_US
        missed -= (last_us[group] - quiet_us[rest]) // REPORT_US
        due = np.bincount(group, np.maximum(missed, 0), groups)
        twice = now_us - last_us - SLACK_US >= 2 * REPORT_US
        dense = self._dense_us[speaker] <= last_us
        others = self._speaker_us[speaker] >= np.maximum(last_us + MINUTE_US, now_us - self._gap_us[speaker])
        late = now_us - last_us >= SLACK_US
        return (count >= CIRCUIT_LAMPS_MIN) & (last_us > 0) & late & (due >= MISSED) & (twice | dense) & others

    def _part(self, park: Park, own: Mask, quiet_us: Int64s, count: Int64s, now_us: int) -> Mask:
        """Groups of which a good part fell silent together."""
        groups = len(park.group_cabinet)
        quiet = np.flatnonzero(own & (quiet_us <= now_us - PART_US) & (quiet_us > now_us - SILENT_US - REPORT_US))
        newest_us = np.zeros(groups, np.int64)
        np.maximum.at(newest_us, park.group[quiet], quiet_us[quiet])
        together = quiet[quiet_us[quiet] >= newest_us[park.group[quiet]] - PART_APART_US]
        found = np.bincount(park.group[together], minlength=groups)
        return (found >= CIRCUIT_LAMPS_MIN) & (found >= PART_SHARE * count)

    def _told(
        self,
        park: Park,
        words: Words,
        cabinets: Cabinets,
        lost: Int64s,
        own: Mask,
        breath: Mask,
        quiet_us: Int64s,
    ) -> list[Loss]:
        found: list[Loss] = []
        for cabinet in ints(np.unique(park.group_cabinet[lost])):
            mine = [group for group in ints(lost) if park.group_cabinet[group] == cabinet]
            rows = np.flatnonzero(own & np.isin(park.group, mine))
            breathed = rows[breath[rows]]
            if len(breathed):
                since_us = int(words.fault.received_us[breathed].min())
                gone = rows[(words.heard_us[rows] <= since_us + MINUTE_US) | breath[rows]]
            else:
                order = np.sort(quiet_us[rows])
                # Where all are silent, since the last of them was heard; of a part, since the last of that part was.
                still = rows[quiet_us[rows] <= order[-1] - PART_US + REPORT_US]
                gone = still if len(still) >= CIRCUIT_LAMPS_MIN else rows
                since_us = int(quiet_us[gone].max())
            confirmed = cabinets.supply.value[cabinet] == ON and cabinets.supply.received_us[cabinet] > since_us
            if park.permanent[cabinet] or confirmed or cabinets.tripped[cabinet]:
                found.append(Loss(cabinet, mine, gone, since_us, len(gone) < len(rows)))
        return found
