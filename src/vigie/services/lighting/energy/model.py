"""What is said of energy: the old inventory as a town states it, and the report of some nights."""

from __future__ import annotations

from datetime import date
from typing import Annotated

import msgspec
from msgspec import Meta

from vigie.services.lighting.programmes.model import Switching
from vigie.services.lighting.programmes.year import Tariff

Share = Annotated[float, Meta(ge=0, le=1)]


class Baseline(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The old inventory as the town states it, and what its contract promises.

    What ends in _sd is a standard deviation. lamp_w, lamp_w_sd, surveyed: watts of a replaced lamp without its gear,
    how much they differ from lamp to lamp, and of how many lamps that is known; None where nothing was surveyed: then
    it is what the lamps with a stated `former_power` had. gear: watts at the terminals for each watt that is printed on
    a lamp, ballast and ageing included; gear_sd: how sure that is; measured: at how many lamps, 0 for a figure from
    papers. out: the share of old lamps that was out of order at any time. switching: how the old photocells switched,
    with full light all night between; switching_sd_min: how far their evenings and mornings may lie beside it, all
    alike. meter_class: the largest error of a cabinet's meter, in per cent. target: the saving that the contract
    promises.
    """

    lamp_w: Annotated[float, Meta(gt=0, le=5_000)] | None = None
    lamp_w_sd: Annotated[float, Meta(ge=0, le=5_000)] = 0.0
    surveyed: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    gear: Annotated[float, Meta(ge=1, le=2)] = 1.12
    gear_sd: Annotated[float, Meta(ge=0, le=0.5)] = 0.03
    measured: Annotated[int, Meta(ge=0, le=1_000_000)] = 0
    out: Share = 0.0
    out_sd: Share = 0.0
    switching: Switching = Switching()
    switching_sd_min: Annotated[float, Meta(ge=0, le=120)] = 5.0
    meter_class: Annotated[float, Meta(gt=0, le=10)] = 2.0
    target: Share | None = None
    source: Annotated[str, Meta(max_length=300)] = ""


class Interval(msgspec.Struct, frozen=True):
    """A figure and its 95 % interval."""

    value: float
    low: float
    high: float


class Used(msgspec.Struct, frozen=True):
    """What some lamps used in some nights.

    lamps: in service. estimated_kwh: the sum of the lamps, from what they reported, gaps by their programme.
    known_share: the share of lamp-hours that reports covered, 0 to 1. metered_kwh: of their cabinets' meters, None
    where that is not metered (a street shares its cabinet). eur, kg_co2: of what is metered, else estimated; 0 without
    a tariff. before: kWh of the old inventory on the same nights, None where nobody has stated it. saving: the share of
    `before` that was not used.

    metered_kwh counts lamps whose own meter is not to be used by their reports, as long as nine tenths are metered.
    """

    lamps: int
    estimated_kwh: float
    known_share: float
    metered_kwh: float | None
    eur: float
    kg_co2: float
    before: Interval | None
    saving: Interval | None


class Cabinet(msgspec.Struct, frozen=True):
    """A cabinet's meter beside its lamps. unexplained_kwh: what was metered beyond lamps, cables and the cabinet itself
    (negative: less). why: what is the matter with its meter, a word of `WHY`, "" for nothing. Of one that feeds
    others too, its lamps are told and not its meter: the rest of it is the others'."""

    id: str
    metered_kwh: float | None
    estimated_kwh: float
    unexplained_kwh: float | None
    why: str = ""


WHY = ("", "no_meter", "silent", "meter_went_back", "meter_stuck", "meter_wrong", "gaps", "shared")
"""no_meter: it never told an index. silent: too little to reckon with. meter_went_back: replaced or set back, what it
counted in between is interpolated. meter_stuck: its index stands still while its lamps burn. meter_wrong: it counts
what its cabinet cannot draw. gaps: what was not heard is interpolated. shared: it counts lamps too that were not asked
about."""


class KeptNights(msgspec.Struct, frozen=True):
    """Nights that follow each other, the first and the last, both included."""

    first: date
    last: date


class Report(msgspec.Struct, frozen=True):
    """Energy in some nights, each named by the day of its evening: first and last, both included.

    areas: by area path, all that lies in it included. streets: by area/name. programmes: by id, "" for lamps that no
    programme speaks for. kept: the nights of which kept sums were read, in the place of what was reported in them.
    """

    first: date
    last: date
    nights: int
    whole: Used
    areas: dict[str, Used]
    streets: dict[str, Used]
    programmes: dict[str, Used]
    cabinets: list[Cabinet]
    target: float | None
    tariff: Tariff | None
    kept: list[KeptNights] = msgspec.field(default_factory=list[KeptNights])
