"""The crews of the town: who goes out for what, from where, and when."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely

from vigie.sim.city.borders import Borders
from vigie.sim.city.facts import COMMUNES
from vigie.sim.city.frame import Floats

DAY, ALWAYS = "mon-fri 07:30-16:30", "mon-sun 00:00-24:00"


@dataclass(frozen=True, slots=True)
class Crew:
    """A crew. depot: the commune, by its slug, in the middle of which it starts. of: the task of its vehicle."""

    name: str
    depot: str
    of: str
    skills: str
    hours: str = DAY
    capacity_kg: float = 800


CREWS = (
    Crew("Éclairage Dijon", "dijon", "éclairage", "electrical until 2029-06-30"),
    Crew("Éclairage est", "quetigny", "éclairage", "electrical until 2028-12-31"),
    Crew("Éclairage ouest", "talant", "éclairage", "electrical until 2029-03-31"),
    Crew("Astreinte éclairage", "dijon", "éclairage", "electrical until 2029-06-30", ALWAYS),
    Crew("Feux tricolores", "dijon", "éclairage", "electrical until 2028-09-30; signals"),
    Crew("Voirie nord", "fontaine-les-dijon", "voirie", "asphalt", capacity_kg=3_500),
    Crew("Voirie sud", "chenove", "voirie", "asphalt", capacity_kg=3_500),
    Crew("Signalisation", "longvic", "voirie", "signs"),
    Crew("Propreté centre", "dijon", "propreté", "cleaning", "mon-sat 05:30-13:00"),
    Crew("Propreté est", "chevigny-saint-sauveur", "propreté", "cleaning", "mon-sat 05:30-13:00"),
    Crew("Espaces verts", "dijon", "espaces verts", "tree work until 2028-05-31"),
    Crew("Astreinte voirie", "dijon", "voirie", "asphalt; signs; cleaning", ALWAYS, 3_500),
)


def depots(borders: Borders) -> Floats:
    """Where each crew starts, in metres."""
    grounds = {each.slug: ground for each, ground in zip(COMMUNES, borders.ground, strict=True)}
    return np.array([shapely.get_coordinates(shapely.point_on_surface(grounds[each.depot]))[0] for each in CREWS])
