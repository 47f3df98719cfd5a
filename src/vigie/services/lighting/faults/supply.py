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

BREATHS_MIN, BREATHS_US = 3, 10 * MINUTE_US
"""So many last breaths at one cabinet within ten minutes are the loss of something that its lamps share.

By accident: if each lamp loses its own fuse once in 1,000 days, then of N lamps three do so within ten minutes
N x 0.001 x C(N - 1, 2) x (0.001 / 144)^2 times a day. That is one cabinet in 1,000 years for 34,000 lamps in cabinets
of 60. Two would be five a year. And three are heard: where the breath of one lamp in five carries and 5 % of those
are lost, fewer than three of 60 come through in 4 outages of 10,000. Of one circuit of 17 they would not in 35 of 100,
so breaths are counted by cabinet, and each circuit that has one is lost with it."""

SLACK_US = 3 * MINUTE_US
"""A report may be late by so much, and by chance all of a circuit."""

PART_EACH, PART_MISSED, PART_APART_US = 3, 12, 31 * MINUTE_US
"""A part of a circuit is lost by its silence alone if three of its lamps or more have each missed three reports since
the last of them was heard, and twelve in all: four lamps three each, three lamps four. They were last heard within two
reports, for the last one before may have been lost as well.

By accident: with a share p of reports lost, k of n lamps of some circuit miss m each in at most
34,000 x 35,040 x C(n - 1, k - 1) x (31 / 15)^(k - 1) x p^(k m) cases a year: lamps, quarters of an hour a year, which
others, how far apart, and all those reports lost. For p = 5 % and the largest circuits that a city is likely to have
all over, n = 24, that is 0.0045 for four lamps and 0.0003 for three: one a year of 200 cities, or less than one in
1,000 looks of 30 nights at 3,000 circuits. It is 0.3 where 7 % are lost, and 0.4 in circuits of 100 lamps. With three
reports of three lamps it would be 2.5. How large a share of the circuit they are does not matter."""

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
    supply. sure: their circuits should live, as far as anybody knows. tripped: a contact says so. word_us: when the
    newest word for a loss was heard: tripped, open or off; 0 for none."""

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
    word_us: Int64s

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
            word_us=np.max(
                [
                    np.where(point.value == code, point.received_us, 0)
                    for point, code in ((breaker, TRIPPED), (residual, TRIPPED), (contactor, OPEN), (supply, OFF))
                ],
                axis=0,
            ),
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


@dataclass(frozen=True)
class Breaths:
    """Last breaths of one loss. lamps: whose, in rows; first_us: of each cabinet, when the first was heard, 0 for
    none."""

    lamps: Mask
    first_us: Int64s


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

    def breaths(self, park: Park, words: Words, cabinets: Cabinets, living: Mask) -> Breaths:
        """The last breaths that are the loss of more than one lamp. living: lamps that are heard usually."""
        own = living & park.of_cabinet(cabinets.sure, False)
        said_us = words.fault.received_us
        breath = own & (words.fault.value == SUPPLY) & (said_us > park.of_cabinet(self.alive_since_us, 0))
        newest_us = np.zeros(len(park.cabinet), np.int64)
        np.maximum.at(newest_us, park.fed_by[breath], said_us[breath])
        breath &= said_us >= park.of_cabinet(newest_us, 0) - BREATHS_US
        enough = np.bincount(park.fed_by[breath], minlength=len(park.cabinet)) >= BREATHS_MIN
        breath &= park.of_cabinet(enough, False)
        first_us = np.where(enough, newest_us, 0)
        np.minimum.at(first_us, park.fed_by[breath], said_us[breath])
        return Breaths(breath, first_us)

    def losses(
        self, park: Park, words: Words, cabinets: Cabinets, living: Mask, breaths: Breaths, opened: Mask, now_us: int
    ) -> list[Loss]:
        """The circuits that are lost as far as lamps tell. living: lamps that are heard usually. opened: switched
        cabinets of which it is known that they should be on, whatever they have not said."""
        groups = len(park.group_cabinet)
        if not groups:
            return []
        own = living & park.of_cabinet(cabinets.sure, False)
        quiet_us = self.quiet_since_us(park, words)
        breathed = np.bincount(park.group[breaths.lamps], minlength=groups) > 0
        silent_us = np.maximum(
            self._silent(park, own & ~breaths.lamps, quiet_us, np.bincount(park.group[own], minlength=groups), now_us),
            self._part(park, own & self.spoken_for(now_us), quiet_us, now_us),
        )
        lost = breathed | (silent_us > 0)
        if not lost.any():
            return []
        first_us = np.where(breathed, breaths.first_us[park.group_cabinet], 0)
        since_us = np.maximum(silent_us, first_us)
        mine = own & lost[park.group]
        gone = mine & ((quiet_us <= silent_us[park.group]) | breaths.lamps)
        gone |= mine & breathed[park.group] & (words.heard_us <= first_us[park.group] + MINUTE_US)
        return self._told(park, cabinets, lost, mine, gone, since_us, opened)

    def _silent(self, park: Park, own: Mask, quiet_us: Int64s, count: Int64s, now_us: int) -> Int64s:
        """Since when groups are lost of which nobody was heard while many reports were due, and what speaks for them
        was; 0 for the others. own: without those who have breathed their last; count: with them."""
        groups = len(park.group_cabinet)
        rest = np.flatnonzero(own)
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
        lost = (count >= CIRCUIT_LAMPS_MIN) & (last_us > 0) & late & (due >= MISSED) & (twice | dense) & others
        return np.where(lost, last_us, 0)

    def _part(self, park: Park, own: Mask, quiet_us: Int64s, now_us: int) -> Int64s:
        """Since when groups are lost of which a part fell silent together; 0 for the others."""
        groups = len(park.group_cabinet)
        short = quiet_us <= now_us - PART_EACH * REPORT_US - SLACK_US
        quiet = np.flatnonzero(own & short & (quiet_us > now_us - SILENT_US - REPORT_US))
        newest_us = np.zeros(groups, np.int64)
        np.maximum.at(newest_us, park.group[quiet], quiet_us[quiet])
        together = quiet[quiet_us[quiet] >= newest_us[park.group[quiet]] - PART_APART_US]
        found = np.bincount(park.group[together], minlength=groups)
        missed = (now_us - newest_us - SLACK_US) // REPORT_US
        lost = (found >= CIRCUIT_LAMPS_MIN) & (found * missed >= PART_MISSED)
        # Those of the part that were heard last, up to a quarter of an hour after the first, have missed two so far.
        with_it = np.flatnonzero(own & lost[park.group] & (quiet_us <= now_us - PART_APART_US))
        last_us = np.zeros(groups, np.int64)
        np.maximum.at(last_us, park.group[with_it], quiet_us[with_it])
        return last_us

    def _told(
        self, park: Park, cabinets: Cabinets, lost: Mask, mine: Mask, gone: Mask, since_us: Int64s, opened: Mask
    ) -> list[Loss]:
        found: list[Loss] = []
        for cabinet in ints(np.unique(park.group_cabinet[lost])):
            groups = ints(np.flatnonzero(lost & (park.group_cabinet == cabinet)))
            rows = np.flatnonzero(gone & (park.fed_by == cabinet))
            first_us = int(since_us[groups].max())
            confirmed = cabinets.supply.value[cabinet] == ON and cabinets.supply.received_us[cabinet] > first_us
            if park.permanent[cabinet] or confirmed or cabinets.tripped[cabinet] or opened[cabinet]:
                partial = len(rows) < int(np.count_nonzero(mine & (park.fed_by == cabinet)))
                found.append(Loss(cabinet, groups, rows, first_us, partial))
        return found
