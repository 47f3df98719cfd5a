"""A month of residents' reports from a seed, of which it is known which speak of the same thing.

Things go wrong at places of the town: most anywhere, some within a street of another of the same sort. Whoever reports
one stands some metres beside it, with a telephone that is off by a few metres, and now and then by many; one in five
reports is of a thing that another has reported. People say the same in other words, in French or in English, with the
number of a house or without, and with slips of the thumb. What is mended is reported no more.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from random import Random

from vigie.core.ground import M_PER_DEGREE
from vigie.core.times import DAY_US

DUPLICATES = 0.2
DAYS = 30
NEIGHBOURS = 0.1
"""So many things go wrong within a street of another of their sort that is not mended."""
NEAR_M = (15.0, 60.0)
PHONE_M, LOST_M, LOST = 6.0, 30.0, 0.05
"""What a telephone is off by along each axis; what one is off by that has lost its way, and how many have."""
BESIDE_M = 6.0

_SHARES: Mapping[str, float] = {"light": 0.3, "waste": 0.35, "pothole": 0.2, "graffiti": 0.15}
_MENDED_DAYS: Mapping[str, float] = {"light": 8.0, "waste": 4.0, "pothole": 14.0, "graffiti": 10.0}

_SAYINGS: Mapping[str, Sequence[Sequence[str]]] = {
    "light": (
        ("lampadaire éteint", "le lampadaire ne marche plus", "plus de lumière", "éclairage en panne",
         "street light out", "lamp is dead", "réverbère hors service"),
        ("le lampadaire clignote", "la lampe clignote toute la nuit", "light is flickering", "ça clignote"),
        ("allumé en plein jour", "lampadaire allumé la journée", "lamp on all day"),
        ("mât penché", "le poteau est tordu, choc de voiture", "pole hit by a car", "lampadaire accidenté"),
    ),
    "waste": (
        ("sacs poubelle éventrés", "des sacs d'ordures par terre", "rubbish bags everywhere",
         "sacs d'ordures abandonnés"),
        ("un matelas abandonné", "matelas et sommier sur le trottoir", "old mattress dumped", "matelas"),
        ("un canapé", "canapé orange déposé", "sofa left on the pavement", "vieux canapé abandonné"),
        ("gravats", "tas de gravats de chantier", "builders' rubble", "dépôt de gravats"),
        ("frigo abandonné", "un réfrigérateur sur le trottoir", "fridge dumped"),
    ),
    "pothole": (
        ("nid-de-poule", "gros nid de poule", "trou dans la chaussée", "pothole", "deep hole in the road",
         "la chaussée est défoncée"),
        ("trou sur la piste cyclable", "nid de poule piste cyclable", "hole in the bike lane"),
        ("affaissement du trottoir", "le trottoir s'affaisse", "pavement is sinking"),
    ),
    "graffiti": (
        ("tag sur le mur", "un tag sur la façade", "graffiti on a wall", "mur tagué"),
        ("inscriptions injurieuses", "insultes taguées", "hateful graffiti"),
        ("tag sur l'armoire électrique", "coffret tagué", "graffiti on a cabinet"),
        ("affiches collées partout", "affichage sauvage", "bills stuck on the pole"),
    ),
}  # fmt: skip
_WHERE = ("devant le {n}", "au {n}", "au niveau du {n}", "face au n° {n}", "in front of {n}", "near number {n}")
_BESIDE = ("depuis lundi", "merci d'intervenir", "c'est dangereux", "since last week", "bonjour", "encore une fois",
           "à l'angle", "près de l'école", "please fix it", "c'est pas la première fois")  # fmt: skip


@dataclass(frozen=True, slots=True)
class Told:
    """One report. thing: what it is of, a number for each thing."""

    at_us: int
    thing: int
    category: str
    lon: float
    lat: float
    words: str


@dataclass(frozen=True, slots=True)
class Mended:
    """A thing was mended: what was reported of it is closed."""

    at_us: int
    thing: int


@dataclass(frozen=True, slots=True)
class _Thing:
    no: int
    category: str
    lon: float
    lat: float
    saying: int
    house: int
    begun_us: int
    mended_us: int


def month(seed: int, spots: Sequence[tuple[float, float]], count: int) -> list[Told | Mended]:
    """So many reports of a month, and what was mended in it, by time. spots: places of the town (degrees): where lamps
    stand, beside which all else goes wrong too."""
    dice = Random(seed)
    things: list[_Thing] = []
    told: list[Told] = []
    firsts = count - round(count * DUPLICATES)
    for no in range(firsts):
        begun_us = int(dice.random() * DAYS * DAY_US)
        thing = _thing(dice, no, begun_us, things, spots)
        things.append(thing)
        told.append(_report(dice, thing, begun_us))
    while len(told) < count:
        thing = dice.choice(things)
        # Most who see the same see it in the first days.
        at_us = thing.begun_us + int(dice.expovariate(1 / (3 * DAY_US)))
        if at_us < min(thing.mended_us, DAYS * DAY_US):
            told.append(_report(dice, thing, at_us))
    mended = [Mended(each.mended_us, each.no) for each in things if each.mended_us < DAYS * DAY_US]
    return sorted([*told, *mended], key=lambda each: each.at_us)


def _thing(
    dice: Random, no: int, begun_us: int, others: Sequence[_Thing], spots: Sequence[tuple[float, float]]
) -> _Thing:
    category = dice.choices(list(_SHARES), list(_SHARES.values()))[0]
    lon, lat = dice.choice(spots)
    near = [each for each in others if each.category == category and each.begun_us <= begun_us < each.mended_us]
    if near and dice.random() < NEIGHBOURS:
        other = dice.choice(near)
        far_m, turn = dice.uniform(*NEAR_M), dice.uniform(0, 2 * math.pi)
        beside = _moved(other.lon, other.lat, far_m * math.cos(turn), far_m * math.sin(turn))
        # Another lamp is where lamps stand; all else is where it is.
        lon, lat = min(spots, key=lambda each: _apart2(each, beside)) if category == "light" else beside
        if category == "light" and _apart2((lon, lat), (other.lon, other.lat)) < 1e-12:
            lon, lat = dice.choice(spots)
    elif category != "light":
        lon, lat = _moved(lon, lat, dice.gauss(0, 8), dice.gauss(0, 8))
    mended_us = begun_us + int(dice.expovariate(1 / (_MENDED_DAYS[category] * DAY_US)))
    return _Thing(
        no, category, lon, lat, dice.randrange(len(_SAYINGS[category])), dice.randrange(1, 120), begun_us, mended_us
    )


def _report(dice: Random, thing: _Thing, at_us: int) -> Told:
    off_m = LOST_M if dice.random() < LOST else PHONE_M
    east_m = dice.gauss(0, off_m) + dice.gauss(0, BESIDE_M / 2)
    north_m = dice.gauss(0, off_m) + dice.gauss(0, BESIDE_M / 2)
    lon, lat = _moved(thing.lon, thing.lat, east_m, north_m)
    words = [dice.choice(_SAYINGS[thing.category][thing.saying])]
    if dice.random() < 0.35:
        # Whoever stands there may read the number of the house beside.
        house = thing.house + (2 if dice.random() < 0.15 else 0)
        words.append(dice.choice(_WHERE).format(n=house))
    if dice.random() < 0.5:
        words.append(dice.choice(_BESIDE))
    if dice.random() < 0.08:
        words = []
    return Told(at_us, thing.no, thing.category, lon, lat, _slipped(dice, " ".join(words)))


def _slipped(dice: Random, words: str) -> str:
    """The same with a letter left out in some."""
    if words and dice.random() < 0.2:
        at = dice.randrange(len(words))
        return words[:at] + words[at + 1 :]
    return words.capitalize() if dice.random() < 0.5 else words


def _moved(lon: float, lat: float, east_m: float, north_m: float) -> tuple[float, float]:
    return lon + east_m / (M_PER_DEGREE * math.cos(math.radians(lat))), lat + north_m / M_PER_DEGREE


def _apart2(one: tuple[float, float], other: tuple[float, float]) -> float:
    return ((one[0] - other[0]) * math.cos(math.radians(one[1]))) ** 2 + (one[1] - other[1]) ** 2
