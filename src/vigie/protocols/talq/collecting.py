"""What the post has every gateway log and report: what is bound to a point, and what must be known besides.

Two data loggers: values as the gateway's maker thought best, with what stands among them, and events as they happen.
Both report at once, for a report proves an order.
"""

from __future__ import annotations

from uuid import UUID, uuid5

from vigie.protocols.talq.bindings import MEASURES, NOTICES, SIGNS, TELLERS
from vigie.protocols.talq.messages import (
    EventRecordingMode,
    ImmediateReportingMode,
    Listed,
    ListedSources,
    LoggedAttribute,
    LoggedContent,
    LoggedFunction,
    LoggerConfig,
    VendorRecordingMode,
)

DELAY_S = 1
"""So long after the first of it what was logged is reported: many lamps of one switching come in one report."""

# No list of devices at all would be for none, an empty black list is for all (TALQ's own rule).
_EVERYONE = ListedSources(black_list=())


def wanted_loggers(cms: str) -> tuple[LoggerConfig, ...]:
    """The loggers that a CMS of this address wants in each of its gateways."""
    functions: dict[str, list[str]] = {}
    for each in MEASURES:
        functions.setdefault(each.function, []).append(each.attribute)
    content = tuple(
        LoggedContent(LoggedFunction(function_type=name, attributes=tuple(map(LoggedAttribute, dict.fromkeys(wanted)))))
        for name, wanted in sorted(functions.items())
    )
    content += tuple(LoggedContent(LoggedFunction(function_type=name), attribute_scope="event") for name in TELLERS)
    events = tuple(sorted({each.event for each in SIGNS} | NOTICES))
    modes = {"values": VendorRecordingMode(content), "events": EventRecordingMode(Listed(white_list=events))}
    return tuple(
        LoggerConfig(str(uuid5(UUID(cms), f"logger {name}")), cms, _EVERYONE, mode, ImmediateReportingMode(DELAY_S))
        for name, mode in modes.items()
    )
