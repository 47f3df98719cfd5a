"""What a keeper of roads tells of the roads around the city: a feed of situations, as Bison Futé's is one.

Accidents, breakdowns, jams and works come and go on the main roads, by the clock: what is told at an instant follows
from the seed and the instant alone, so that a feed that is started again goes on where it was.
"""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from vigie.core.times import MINUTE_US
from vigie.protocols.datex2 import (
    DEGREE_DIGITS,
    MEDIA_TYPE,
    Comment,
    Place,
    Publication,
    Record,
    Situation,
    Source,
    Validity,
    write,
)
from vigie.sim.city import City
from vigie.sim.city.facts import COMMUNES
from vigie.sim.city.frame import to_degrees
from vigie.sim.city.network import PRIMARY
from vigie.transports.http_end import Asked, Told

PATH = "/road-events.xml"
SLOT_US = 10 * MINUTE_US
"""Something begins on average in every second of these times."""


@dataclass(frozen=True, slots=True)
class _Sort:
    """A sort of event: how often among all, how many slots it lasts at most, and how it is told."""

    share: float
    slots_max: int
    form: str
    kind: str
    severity: str
    words: str


_SORTS = (
    _Sort(0.30, 4, "VehicleObstruction", "brokenDownVehicle", "low", "Véhicule en panne sur la chaussée."),
    _Sort(0.20, 9, "Accident", "collision", "high", "Accident\u00a0: ralentissez à l'approche."),
    _Sort(0.25, 6, "AbnormalTraffic", "queuingTraffic", "medium", "Bouchon, circulation au pas."),
    _Sort(0.15, 36, "MaintenanceWorks", "resurfacingWork", "medium", "Travaux de chaussée, voie réduite."),
    _Sort(0.10, 3, "GeneralObstruction", "objectOnTheRoad", "low", "Objet sur la chaussée."),
)
_SLOTS_MAX = max(each.slots_max for each in _SORTS)


class RoadEvents:
    """The keeper's end: answers with all that is so now, and only where that has changed."""

    def __init__(self, city: City, now_us: Callable[[], int]) -> None:
        self._city, self._now_us = city, now_us
        self._main = np.flatnonzero(city.network.rank <= PRIMARY)

    def answer(self, asked: Asked) -> Told:
        """What is answered to a request."""
        if asked.target != PATH:
            return Told(404)
        now_us = self._now_us()
        situations = self.situations(now_us)
        tag = f'"{hashlib.sha256(repr(situations).encode()).hexdigest()[:16]}"'
        headers = (("etag", tag), ("content-type", MEDIA_TYPE))
        if asked.headers.get("if-none-match") == tag:
            return Told(304, b"", headers[:1])
        body = write(Publication(now_us, "fr", "vigie-sim", "fr", situations))
        if "gzip" in asked.headers.get("accept-encoding", ""):
            return Told(200, gzip.compress(body, 6, mtime=0), (*headers, ("content-encoding", "gzip")))
        return Told(200, body, headers)

    def situations(self, now_us: int) -> tuple[Situation, ...]:
        """What is so at an instant."""
        slot = now_us // SLOT_US
        found = (self._begun(each) for each in range(slot - _SLOTS_MAX, slot + 1))
        return tuple(each for each in found if each is not None and self._lasts(each, now_us))

    def _lasts(self, situation: Situation, now_us: int) -> bool:
        validity = situation.records[0].validity
        return validity.begins_us <= now_us < (validity.ends_us or 0)

    def _begun(self, slot: int) -> Situation | None:
        """What begins in a slot, if anything does."""
        dice = np.random.default_rng([self._city.seed, slot])
        if not len(self._main) or dice.random() < 0.5:
            return None
        sort = _SORTS[int(dice.choice(len(_SORTS), p=[each.share for each in _SORTS]))]
        network = self._city.network
        arc = int(self._main[int(dice.integers(len(self._main)))])
        line = np.round(to_degrees(network.line(arc)), DEGREE_DIGITS)
        begins_us = slot * SLOT_US + int(dice.integers(SLOT_US // MINUTE_US)) * MINUTE_US
        ends_us = begins_us + int(dice.integers(1, sort.slots_max + 1)) * SLOT_US
        record = Record(
            id=f"sim-{slot}-1",
            version="1",
            form=sort.form,
            created_us=begins_us,
            changed_us=begins_us,
            validity=Validity(begins_us, ends_us),
            places=(
                Place(
                    points=tuple((float(lon), float(lat)) for lon, lat in line),
                    road_name=network.names[int(network.name_of[arc])],
                    town=COMMUNES[int(network.commune[arc])].name,
                ),
            ),
            kinds=(sort.kind,),
            severity=sort.severity,
            source=Source(country="fr", identification="Gestionnaire simulé", reliable=True),
            comments=(Comment((("fr", sort.words),), "description"),),
        )
        return Situation(f"sim-{slot}", (record,), sort.severity, begins_us)
