"""What happens on the roads around the town, as a feed of the country's roads tells it."""

from vigie.core.kinds import AssetKind, ConditionKind, Outlet, Sort, attribute

WHAT = (
    "accident",
    "closure",
    "obstruction",
    "weather",
    "works",
    "occasion",
    "traffic",
    "measure",
    "diversion",
    "other",
)
"""What may happen: where several go together, the first of them is what is told."""
SEVERITIES = ("highest", "high", "medium", "low", "lowest", "none", "unknown")


class RoadEvent(AssetKind, name="road_event", service="roads", public=True, of_town=False):
    """Something on a road: an accident, a closure, works. It is there as long as the feed tells of it. begins, ends:
    RFC 3339; without an end, none is known."""

    what = attribute(Sort.CHOICE, choices=WHAT)
    severity = attribute(Sort.CHOICE, choices=SEVERITIES)
    road = attribute()
    words = attribute()
    begins = attribute()
    ends = attribute()
    source = attribute()


ROAD_EVENTS_UNSTEADY = ConditionKind(name="road_events_unsteady", service="roads", outlet=Outlet.ALARM, priority=3)
"""The feed of road events names more that is new than happens on roads, as one does that gives each event another name
each time: of that some is left out. At the post itself."""

ROAD_EVENTS_SILENT = ConditionKind(name="road_events_silent", service="roads", outlet=Outlet.ALARM, priority=3)
"""The feed of road events has not been read for a while: what the map shows of them is as it was then. At the post
itself."""
