"""Works that everybody should know of, and nobody is told of."""

from vigie.core.kinds import ConditionKind, Outlet

ROADWORKS_UNTOLD = ConditionKind(name="roadworks_untold", service="roads", outlet=Outlet.ALARM, priority=3)
"""Works are left out of what is published, as no form could say them. At the post itself."""
