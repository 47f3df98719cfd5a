"""The post itself: it watches its own disk and clock as it watches the city."""

from vigie.core.kinds import AssetKind, ConditionKind, Outlet
from vigie.core.service import Service


class Post(AssetKind, name="post", service="desk"):
    """This installation of vigie."""


STORAGE_FULL = ConditionKind(name="storage_full", service="desk", outlet=Outlet.ALARM, priority=1)
FACT_SET_ASIDE = ConditionKind(name="fact_set_aside", service="desk", outlet=Outlet.ALARM, priority=1)
CLOCK_JUMPED = ConditionKind(name="clock_jumped", service="desk", outlet=Outlet.RECORD)

service = Service(name="desk", assets=(Post,), conditions=(STORAGE_FULL, FACT_SET_ASIDE, CLOCK_JUMPED))
