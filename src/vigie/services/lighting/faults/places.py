"""Places that are dark: a crossing, a stretch of a school route, a street of which every lamp is out.

One dead lamp is a matter for maintenance; a place without light is an alarm. A lamp is out here if it says so, draws
nothing while it should burn, or has no supply; silence is not enough. Where the whole place is dark because its circuit
or cabinet is, that is the alarm already, and names the place in its evidence: one alarm for one cause. So one of the
place's lamps at least has to be out by itself.
"""

from __future__ import annotations

import numpy as np

from vigie.core.kinds import ConditionKind
from vigie.core.observations import Int64s, Mask
from vigie.core.service import City, Clear, Effect, Raise
from vigie.core.sun import elevation_deg
from vigie.core.times import MINUTE_US
from vigie.services.lighting.conditions import CROSSING_DARK, LAMP_OUT, SCHOOL_ROUTE_DARK, STREET_DARK
from vigie.services.lighting.faults.outages import LAMPS_NAMED, NIGHT_DEG
from vigie.services.lighting.faults.park import Park
from vigie.services.lighting.faults.reports import SUPPLY, Words

SETTLED_US = 20 * MINUTE_US
"""After a cabinet has switched on its lamps have reported, and one that is out has said so, within so long."""

CONDITION: dict[str, ConditionKind] = {
    "crossing": CROSSING_DARK,
    "school_route": SCHOOL_ROUTE_DARK,
    "street": STREET_DARK,
}


def judge(city: City, park: Park, words: Words, alive_us: Int64s, covered: Mask, now_us: int) -> list[Effect]:
    """Raises by night, and clears as soon as a lamp of the place is not out any more. alive_us: since when the circuit
    of each lamp should live, 0 for always and a time ahead where it should not: a street that is switched off is not
    dark by a fault."""
    by_itself = city.is_open(LAMP_OUT, park.lamp) & ~covered
    lost = (words.fault.value == SUPPLY) & (words.fault.received_us > alive_us)
    out = (by_itself | lost) & (alive_us <= now_us - SETTLED_US)
    out |= covered
    night = float(elevation_deg(now_us, *park.centre)) < NIGHT_DEG
    effects: list[Effect] = []
    places = {name: {each.asset for each in city.present(kind)} for name, kind in CONDITION.items()}
    if not by_itself.any() and not any(places.values()):
        return []
    # Only where a lamp is out by itself, or was: a town has thousands of streets.
    open_now = park.rows_of([asset for assets in places.values() for asset in assets])
    rows: set[int] = {*np.flatnonzero(by_itself).tolist(), *open_now.tolist()}
    for number in sorted({number for row in rows for number in park.spots_of.get(row, ())}):
        spot = park.spots[number]
        first = int(park.lamp[spot.rows[0]])
        dark, is_open = bool(out[spot.rows].all()), first in places[spot.what]
        if is_open and not dark:
            effects.append(Clear(CONDITION[spot.what], first, now_us))
        elif dark and night and not is_open and by_itself[spot.rows].any():
            evidence: dict[str, float | str] = {
                "street": city.street_name(spot.street),
                "lamps": len(spot.rows),
                "first_lamps": ", ".join(city.ids(park.lamp[spot.rows[:LAMPS_NAMED]])),
                "confidence": 95.0,
            }
            effects.append(Raise(CONDITION[spot.what], first, now_us, evidence))
    return effects
