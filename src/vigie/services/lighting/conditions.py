"""What can go wrong with lighting, as devices report it."""

from vigie.core.kinds import ConditionKind, Outlet
from vigie.core.watch import Watch
from vigie.services.lighting.kinds import Cabinet, Luminaire

LAMP_OUT = ConditionKind(name="lamp_out", service="lighting", outlet=Outlet.MAINTENANCE)
SUPPLY_LOST = ConditionKind(name="supply_lost", service="lighting", outlet=Outlet.ALARM, priority=2)
NOT_RETURNED = ConditionKind(name="not_returned", service="lighting", outlet=Outlet.MAINTENANCE)
"""A luminaire still obeys an order whose end is past: found by the engine, as `Luminaire.dim` declares."""
DOOR_OPEN = ConditionKind(name="door_open", service="lighting", outlet=Outlet.ALARM, priority=2)
FULL_LIGHT = ConditionKind(name="full_light", service="lighting", outlet=Outlet.RECORD)
GATEWAY_SILENT = ConditionKind(name="gateway_silent", service="lighting", outlet=Outlet.ALARM, priority=2)
PROGRAMME_NOT_HELD = ConditionKind(name="programme_not_held", service="lighting", outlet=Outlet.MAINTENANCE)
GATEWAY_CLOCK = ConditionKind(name="gateway_clock", service="lighting", outlet=Outlet.MAINTENANCE)

CONDITIONS = (
    LAMP_OUT, NOT_RETURNED, SUPPLY_LOST, DOOR_OPEN, FULL_LIGHT, GATEWAY_SILENT, GATEWAY_CLOCK, PROGRAMME_NOT_HELD,
)  # fmt: skip

WATCHES = (
    Watch(Luminaire, Luminaire.fault, LAMP_OUT, ("lamp", "driver", "unknown")),
    Watch(Cabinet, Cabinet.supply, SUPPLY_LOST, ("lost",)),
    Watch(Cabinet, Cabinet.door, DOOR_OPEN, ("open",)),
    Watch(Cabinet, Cabinet.full_light, FULL_LIGHT, (True,)),
)
