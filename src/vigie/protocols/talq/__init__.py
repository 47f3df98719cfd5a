"""TALQ 2.7.1: how the post, as the CMS, and the gateways of lighting networks speak. Both ends; no sockets."""

from vigie.protocols.talq.cms import Cms, Enrolment
from vigie.protocols.talq.collecting import wanted_loggers
from vigie.protocols.talq.differences import Difference, Held, Sort, compare
from vigie.protocols.talq.events import CmsEvent, CmsTurn, GatewayEvent, GatewayTurn
from vigie.protocols.talq.gateway import Gateway, Identity
from vigie.protocols.talq.peer import Peer, Step, actuators
from vigie.protocols.talq.requests import Answer, Incoming, Request, digest
from vigie.protocols.talq.schedules import (
    Hours,
    How,
    MonthDays,
    Night,
    NoLighting,
    Programme,
    Rule,
    Slot,
    Sun,
    SunSlot,
    WeekDays,
    Year,
    YearDays,
    level_at,
    read,
    read_year,
    written,
    written_year,
)

__all__ = [
    "Answer",
    "Cms",
    "CmsEvent",
    "CmsTurn",
    "Difference",
    "Enrolment",
    "Gateway",
    "GatewayEvent",
    "GatewayTurn",
    "Held",
    "Hours",
    "How",
    "Identity",
    "Incoming",
    "MonthDays",
    "Night",
    "NoLighting",
    "Peer",
    "Programme",
    "Request",
    "Rule",
    "Slot",
    "Sort",
    "Step",
    "Sun",
    "SunSlot",
    "WeekDays",
    "Year",
    "YearDays",
    "actuators",
    "compare",
    "digest",
    "level_at",
    "read",
    "read_year",
    "wanted_loggers",
    "written",
    "written_year",
]
