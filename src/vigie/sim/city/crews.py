"""The crews of the town: who goes out for what, from where, and when."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import shapely

from vigie.core.arrays import pairs
from vigie.core.drafts import Draft, Scalar
from vigie.sim.city.city import City
from vigie.sim.city.facts import COMMUNES, METROPOLE
from vigie.sim.city.frame import to_degrees

DAY, ALWAYS = "mon-fri 07:30-16:30", "mon-sun 00:00-24:00"


@dataclass(frozen=True, slots=True)
class Crew:
    """A crew. depot: the commune, by its slug, in the middle of which it starts."""

    name: str
    depot: str
    skills: str
    hours: str = DAY
    capacity_kg: float = 800


CREWS = (
    Crew("Éclairage Dijon", "dijon", "electrical until 2029-06-30"),
    Crew("Éclairage est", "quetigny", "electrical until 2028-12-31"),
    Crew("Éclairage ouest", "talant", "electrical until 2029-03-31"),
    Crew("Astreinte éclairage", "dijon", "electrical until 2029-06-30", ALWAYS),
    Crew("Feux tricolores", "dijon", "electrical until 2028-09-30; signals"),
    Crew("Voirie nord", "fontaine-les-dijon", "asphalt", capacity_kg=3_500),
    Crew("Voirie sud", "chenove", "asphalt", capacity_kg=3_500),
    Crew("Signalisation", "longvic", "signs"),
    Crew("Propreté centre", "dijon", "cleaning", "mon-sat 05:30-13:00"),
    Crew("Propreté est", "chevigny-saint-sauveur", "cleaning", "mon-sat 05:30-13:00"),
    Crew("Espaces verts", "dijon", "tree work until 2028-05-31"),
    Crew("Astreinte voirie", "dijon", "asphalt; signs; cleaning", ALWAYS, 3_500),
)


def crews(city: City) -> Iterator[Draft]:
    """The crews as the inventory has them. What belongs to the whole town goes out in all of it."""
    grounds = {each.slug: ground for each, ground in zip(COMMUNES, city.borders.ground, strict=True)}
    spots = np.array([shapely.get_coordinates(shapely.point_on_surface(grounds[each.depot]))[0] for each in CREWS])
    for n, (crew, (lon, lat)) in enumerate(zip(CREWS, pairs(to_degrees(spots)), strict=True), 1):
        attributes: dict[str, Scalar] = {
            "hours": crew.hours, "skills": crew.skills, "capacity": crew.capacity_kg,
        }  # fmt: skip
        yield Draft(key=f"crew-{n:02d}", id=f"crew-{n:02d}", kind="crew", name=crew.name, lon=lon, lat=lat,
                    area=METROPOLE, attributes=attributes)  # fmt: skip
