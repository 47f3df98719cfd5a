"""What can go wrong with lighting, as devices report it."""

from vigie.core.kinds import ConditionKind, Outlet
from vigie.core.watch import Watch
from vigie.services.lighting.kinds import Cabinet

LAMP_OUT = ConditionKind(name="lamp_out", service="lighting", outlet=Outlet.MAINTENANCE)
SUPPLY_LOST = ConditionKind(name="supply_lost", service="lighting", outlet=Outlet.ALARM, priority=2)
NOT_RETURNED = ConditionKind(name="not_returned", service="lighting", outlet=Outlet.MAINTENANCE)
"""A luminaire still obeys an order whose end is past: found by the engine, as `Luminaire.dim` declares."""
DOOR_OPEN = ConditionKind(name="door_open", service="lighting", outlet=Outlet.ALARM, priority=2)
FULL_LIGHT = ConditionKind(name="full_light", service="lighting", outlet=Outlet.RECORD)
GATEWAY_SILENT = ConditionKind(name="gateway_silent", service="lighting", outlet=Outlet.ALARM, priority=2)
PROGRAMME_NOT_HELD = ConditionKind(name="programme_not_held", service="lighting", outlet=Outlet.MAINTENANCE)
GATEWAY_CLOCK = ConditionKind(name="gateway_clock", service="lighting", outlet=Outlet.MAINTENANCE)

LAMP_BY_DAY = ConditionKind(name="lamp_by_day", service="lighting", outlet=Outlet.MAINTENANCE)
LAMP_CYCLING = ConditionKind(name="lamp_cycling", service="lighting", outlet=Outlet.MAINTENANCE)
POWER_LOW = ConditionKind(name="power_low", service="lighting", outlet=Outlet.MAINTENANCE)
POWER_HIGH = ConditionKind(name="power_high", service="lighting", outlet=Outlet.MAINTENANCE)
DRIVER_HOT = ConditionKind(name="driver_hot", service="lighting", outlet=Outlet.MAINTENANCE)
LAMP_SILENT = ConditionKind(name="lamp_silent", service="lighting", outlet=Outlet.MAINTENANCE)
LAMP_CLOCK = ConditionKind(name="lamp_clock", service="lighting", outlet=Outlet.MAINTENANCE)
CIRCUIT_LOST = ConditionKind(name="circuit_lost", service="lighting", outlet=Outlet.ALARM, priority=2)
"""At the cabinet: its lamps, or those of one of its circuits, have no supply while the cabinet lives."""
PHOTOCELL_STUCK = ConditionKind(name="photocell_stuck", service="lighting", outlet=Outlet.MAINTENANCE)
CROSSING_DARK = ConditionKind(name="crossing_dark", service="lighting", outlet=Outlet.ALARM, priority=2)
SCHOOL_ROUTE_DARK = ConditionKind(name="school_route_dark", service="lighting", outlet=Outlet.ALARM, priority=2)
STREET_DARK = ConditionKind(name="street_dark", service="lighting", outlet=Outlet.ALARM, priority=2)
"""These three are at the first of the lamps that should light the place."""
UNEXPLAINED_LOAD = ConditionKind(name="unexplained_load", service="lighting", outlet=Outlet.ALARM, priority=3)
"""At the cabinet: its meter shows more than its lamps, its cables and itself can draw."""

MOTION_STUCK = ConditionKind(name="motion_stuck", service="lighting", outlet=Outlet.MAINTENANCE)
"""A motion sensor that sees somebody without an end, or calls for light beyond what a lamp is given in a night."""

CONDITIONS = (
    LAMP_OUT, NOT_RETURNED, SUPPLY_LOST, DOOR_OPEN, FULL_LIGHT, GATEWAY_SILENT, GATEWAY_CLOCK, PROGRAMME_NOT_HELD,
    LAMP_BY_DAY, LAMP_CYCLING, POWER_LOW, POWER_HIGH, DRIVER_HOT, LAMP_SILENT, LAMP_CLOCK, CIRCUIT_LOST,
    PHOTOCELL_STUCK, CROSSING_DARK, SCHOOL_ROUTE_DARK, STREET_DARK, UNEXPLAINED_LOAD, MOTION_STUCK,
)  # fmt: skip

WATCHES = (
    Watch(Cabinet, Cabinet.door, DOOR_OPEN, ("open",)),
    Watch(Cabinet, Cabinet.full_light, FULL_LIGHT, (True,)),
)
"""What one word of a device decides. All else is decided in `faults`."""
