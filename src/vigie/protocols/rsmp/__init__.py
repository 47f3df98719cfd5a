"""RSMP 3.1.5 to 3.2.2: how the post, as supervisor, and the sites of traffic signals speak. Both ends; no sockets."""

from vigie.protocols.rsmp.cores import CORES, Core
from vigie.protocols.rsmp.events import Turn
from vigie.protocols.rsmp.held import Setup
from vigie.protocols.rsmp.line import Line, Meeting
from vigie.protocols.rsmp.link import CannotAsk, Known, Link, Rate
from vigie.protocols.rsmp.lists import Of, Sxl
from vigie.protocols.rsmp.messages import About, Malformed, Message, Quality, read, write
from vigie.protocols.rsmp.site import Bit, Site
from vigie.protocols.rsmp.supervisor import Enrolment, Supervisor
from vigie.protocols.rsmp.times import Moment
from vigie.protocols.rsmp.traffic_lights import SXLS, Act, Way, acts_by

__all__ = [
    "CORES",
    "SXLS",
    "About",
    "Act",
    "Bit",
    "CannotAsk",
    "Core",
    "Enrolment",
    "Known",
    "Line",
    "Link",
    "Malformed",
    "Meeting",
    "Message",
    "Moment",
    "Of",
    "Quality",
    "Rate",
    "Setup",
    "Site",
    "Supervisor",
    "Sxl",
    "Turn",
    "Way",
    "acts_by",
    "read",
    "write",
]
