"""A report as it might be, for what is made of one."""

from __future__ import annotations

from datetime import date

import msgspec

from vigie.api.energy.tables import Names
from vigie.services.lighting.energy.model import Cabinet, Interval, Report, Used
from vigie.services.lighting.programmes.year import Tariff

TOWN, DIJON, QUETIGNY = "metropole", "metropole/dijon", "metropole/quetigny"
NAMES = Names(
    town="Dijon métropole",
    areas={TOWN: "Dijon métropole", DIJON: "Dijon", QUETIGNY: "Quetigny"},
    programmes={"p1": "Abaissement 22 h – 5 h"},
    cabinets={"c1": "Armoire du Marché", "c2": "Armoire Verte", "c3": ""},
)


def used(kwh: float, *, metered: bool = True) -> Used:
    """What some lamps used, of which the old ones would have used three times as much."""
    before = Interval(3 * kwh, 2.8 * kwh, 3.2 * kwh)
    return Used(
        100, kwh - 1, 0.97, kwh if metered else None, 0.2 * kwh, 0.03 * kwh, before, Interval(0.667, 0.64, 0.69)
    )


REPORT = Report(
    first=date(2026, 10, 1),
    last=date(2026, 10, 31),
    nights=31,
    whole=used(12_345.678),
    areas={TOWN: used(12_345.678), DIJON: used(9_000.0), QUETIGNY: used(3_345.678, metered=False)},
    streets={f"{DIJON}/Rue A/B": used(500.0, metered=False), f"{DIJON}/=1+1": used(20.5, metered=False)},
    programmes={"": used(345.678, metered=False), "p1": used(12_000.0, metered=False)},
    cabinets=[
        Cabinet("c1", 9_000.0, 8_990.0, -12.5),
        Cabinet("c2", 3_000.0, 2_200.0, 790.0, "meter_went_back"),
        Cabinet("c3", None, 300.0, None, "no_meter"),
    ],
    target=0.65,
    tariff=Tariff(0.2068, 0.1465, kg_co2_per_kwh=0.034, source="marché 2026"),
)

UNSTATED = msgspec.structs.replace(
    REPORT, whole=msgspec.structs.replace(REPORT.whole, before=None, saving=None), target=None, tariff=None
)
"""The same where nobody has stated the old inventory, nor a tariff."""
