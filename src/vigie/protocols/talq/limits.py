"""How much of everything is taken from the other end. TALQ itself sets no limit but those that a gateway announces."""

from __future__ import annotations

BODY_BYTES_MAX = 8 << 20
"""The largest body of a request or an answer: all devices of a gateway of some 4,000 lamps in one piece."""

TEXT_CHARS_MAX = 200
"""The longest name, address or identifier."""

ITEMS_MAX = 10_000
"""Devices, members, references or programmes in one list."""

CONTROLS_MAX = 200
"""Active periods and switching points of a control program; dates or days of a condition."""

RULES_MAX = 1_000
"""Rules of a calendar: each night of two years that is unlike the others, and more."""

FUNCTIONS_MAX = 100
"""Functions of a device or of a class, attributes and events of a function's description."""

ENTRIES_MAX = 50_000
"""Entries of one log report that are taken. What a gateway sends is cut at `ENTRIES_SENT_MAX`."""

ENTRIES_SENT_MAX = 5_000
"""Entries of one log report that our own gateway sends: about a megabyte."""

BUFFER_MAX = 100_000
"""Entries that a logger of our own gateway keeps while it cannot report; above, the oldest are lost, and counted."""

DEVICES_MAX = 20_000
"""Devices of one gateway."""

TARGETS_SENT_MAX = 1_000
"""Actuators that one of our own requests gives a calendar to."""

PAGE_DEVICES = 500
"""Devices asked for at a time."""

ANNOUNCED_DEVICES = 2_000
"""Devices announced at a time, or named in one refusal: about a megabyte. Most gateways have all theirs in one piece,
so that the CMS does not know a half of them for a while."""

GROUP_DEPTH_MAX = 8
"""Groups within groups."""

LOGGERS_MAX = 100
"""Data loggers of one gateway."""

REMEMBERED_MAX = 256
"""Requests that are remembered at a time: those answered, in case they come again, and those accepted to be done
later."""

ERRORS_MAX = 100
"""Errors of one refusal that are told or read."""
