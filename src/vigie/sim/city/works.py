"""Works in the town's streets as a demo finds them: asked for, granted, under way and over, about the day on which it
begins; and requests about buried networks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from random import Random

import numpy as np
from msgspec.structs import replace

from vigie.core.arrays import ints, pairs
from vigie.services.roads.works.buried import Buried, Sort
from vigie.services.roads.works.permits import (
    Act,
    ActKind,
    Nature,
    Occupancy,
    Phase,
    Roadworks,
    Stretch,
    acts_needed,
)
from vigie.sim.city.city import City
from vigie.sim.city.frame import to_degrees
from vigie.sim.city.inventory import asset_id
from vigie.sim.city.network import LOCAL, PRIMARY

LEAST_M = 60.0

SORTS: Sequence[tuple[str, str, Nature, Occupancy, bool, str]] = (
    ("Renouvellement de la conduite d'eau", "Régie des eaux", "network", "closure", True, "mon-fri 08:00-17:00"),
    ("Branchement de gaz", "Réseau de gaz", "network", "lane", True, "mon-fri 08:00-17:00"),
    ("Extension du réseau de chaleur", "Chaleur métropolitaine", "network", "alternating", True, ""),
    ("Déploiement de la fibre", "Opérateur de fibre", "network", "pavement", True, "mon-fri 08:30-16:30"),
    ("Renforcement électrique", "Réseau d'électricité", "network", "parking", True, "mon-fri 08:00-17:00"),
    ("Reprise des enrobés", "Dijon Métropole", "surface", "closure", True, "sun-thu 21:00-05:00"),
    ("Réfection du trottoir", "Dijon Métropole", "surface", "pavement", True, "mon-fri 08:00-17:00"),
    ("Échafaudage en façade", "Immobilière des Halles", "building", "pavement", False, ""),
    ("Grue de levage", "Bâtisseurs de Bourgogne", "crane", "lane", False, "mon-fri 07:00-19:00"),
    ("Remplacement de mâts d'éclairage", "Dijon Métropole", "lighting", "one_way", True, "mon-fri 09:00-16:00"),
    ("Déménagement", "Camille Lefort", "other", "parking", False, "mon-sat 07:00-19:00"),
    ("Course à pied", "Club d'athlétisme", "event", "closure", False, "sun 08:00-13:00"),
)
"""Title, who has it done, nature, what it takes up, whether it opens the surface, its hours. Who moves house is a
person, and nobody else is."""

_GRANTED, _BEGUN = ("grant",), ("grant", "begin")
LIVES: Sequence[tuple[int, tuple[str, ...], int, int]] = (
    (9, (), 12, 40),
    (10, _GRANTED, 2, 30),
    (11, _BEGUN, -12, -1),
    (2, (*_BEGUN, "suspend"), -12, -4),
    (2, _GRANTED, -3, -1),
    (3, (*_BEGUN, "finish"), -30, -20),
    (2, ("refuse",), 20, 40),
    (1, ("withdraw",), 10, 20),
)
"""How many, what happens to them, and between which days from today on they begin. Two of them are late."""

SAID = {
    "refuse": "Le revêtement vient d'être posé.",
    "withdraw": "Le demandeur renonce.",
    "suspend": "Réseau non repéré mis au jour.",
}
ANSWER = "Coordonné avec les autres occupants à la réunion de chantier."

ASKERS = ("Régie des eaux", "Réseau de gaz", "Opérateur de fibre", "Bâtisseurs de Bourgogne", "Dijon Métropole")


@dataclass(frozen=True, slots=True)
class Site:
    """Works, and what happens to them, in its order."""

    title: str
    document: Roadworks
    events: tuple[str, ...]


def sites(city: City, today: date) -> list[Site]:
    """The works of the town. Some of those that are asked for lie where others are under way."""
    dice, found, taken = Random(f"works {city.seed}"), list[Site](), list[int]()
    arcs = _arcs(city, PRIMARY)
    asked = [(events, early, late) for many, events, early, late in LIVES for _ in range(many)]
    # Those that stand come first: what is asked for in their place clashes with them.
    for n, (events, early, late) in enumerate(sorted(asked, key=lambda each: -len(each[0]))):
        title, owner, nature, occupancy, cuts, hours = SORTS[n % len(SORTS)]
        begins = today + timedelta(days=dice.randint(early, late))
        if "finish" in events:
            ends = begins + timedelta(days=dice.randint(3, 15))
        elif late < 0:
            # What has begun, or should have, goes on for a while yet.
            ends = today + timedelta(days=dice.randint(2, 30))
        else:
            ends = begins + timedelta(days=dice.randint(14, 40))
        arc = dice.choice(taken) if not events and dice.random() < 0.5 else dice.choice(arcs)
        taken.append(arc)
        stretch = _stretch(city, dice, arc, whole=occupancy == "closure")
        passes = ("pedestrians", "emergency") if occupancy == "closure" else ()
        phase = Phase(f"{begins}T08:00", f"{ends}T17:00", (stretch,), occupancy, hours, passes)
        works = Roadworks(
            owner, nature, (title.rpartition(" ")[2],) if nature == "network" else (), cuts, nature == "crane",
            organisation=nature != "other", phases=(phase,),
        )  # fmt: skip
        street = city.network.names[int(city.network.name_of[arc])]
        found.append(Site(f"{title}, {street}", _with_acts(works, granted=events[:1] == _GRANTED, no=n), events))
    return found


def requests(city: City, today: date) -> list[Buried]:
    """Requests about buried networks: some are answered soon, some not, and one is late."""
    dice, found = Random(f"buried {city.seed}"), list[Buried]()
    for n, arc in enumerate(dice.sample(_arcs(city, PRIMARY), 10)):
        kind: Sort = "dict" if n % 2 else "dt"
        received = (today - timedelta(days=21 if n == 0 else dice.randint(0, 5))).isoformat()
        in_street = bool(n % 3)
        found.append(
            Buried(
                asker_name=ASKERS[n % len(ASKERS)],
                kind=kind,
                number=f"{today.year}{today.month:02d}{today.day:02d}{n:05d}{'TD'[n % 2]}",
                received=received,
                area=() if in_street else tuple(_around(city, arc)),
                stretches=(Stretch(asset_id("street", arc)),) if in_street else (),
                answer="concerned" if n >= 7 else "",
                organisation=True,
            )
        )
    return found


def _arcs(city: City, widest: int) -> list[int]:
    network = city.network
    found = (network.rank >= widest) & (network.rank <= LOCAL) & (network.length_m >= LEAST_M)
    return ints(np.flatnonzero(found))


def _stretch(city: City, dice: Random, arc: int, *, whole: bool) -> Stretch:
    if whole:
        return Stretch(asset_id("street", arc))
    long = float(city.network.length_m[arc])
    begin = dice.uniform(0, long / 2)
    return Stretch(asset_id("street", arc), round(begin, 1), round(min(begin + dice.uniform(20, 60), long), 1))


def _with_acts(works: Roadworks, *, granted: bool, no: int) -> Roadworks:
    authorities: dict[ActKind, str] = {
        "permission_de_voirie": "Dijon Métropole", "permis_de_stationnement": "Mairie", "traffic_order": "Mairie"
    }  # fmt: skip
    acts = tuple(
        Act(kind, "granted" if granted else "asked", authorities[kind], f"2026-{no:03d}-{n}" if granted else "")
        for n, kind in enumerate(acts_needed(works), 1)
    )
    return replace(works, acts=acts)


def _around(city: City, arc: int) -> Iterator[tuple[float, float]]:
    """A square about the middle of a street."""
    line = city.network.line(arc)
    middle = line[len(line) // 2]
    for east, north in ((-40, -40), (40, -40), (40, 40), (-40, 40)):
        ((lon, lat),) = pairs(to_degrees((middle + np.array([east, north]))[None]).round(6))
        yield lon, lat
