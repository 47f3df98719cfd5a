"""How much of everything is taken from the other end. RSMP itself sets no limit but the least size of a buffer."""

from __future__ import annotations

FRAME_BYTES_MAX = 1 << 20
"""The largest message. Only a controller's whole configuration (S0098) comes near it."""

FIRST_BYTES_MAX, FIRST_MESSAGES_MAX = 16 << 10, 100
"""The largest message before the versions are exchanged, and how many that are no Version: whoever has not said who he
is gets no more room than that."""

HEAD_BYTES = 4_096
"""How much of a message that is too large is kept, to find its number for the refusal."""

TEXT_CHARS_MAX = 1_000
"""The longest name, code, version or number; values may be as long as the message."""

ITEMS_MAX = 1_000
"""Statuses, arguments or return values in one message; versions and sites in a Version."""

REASON_CHARS_MAX = 500
"""The longest reason of a refusal that is told or read."""

SUBSCRIPTIONS_MAX = 10_000
"""Values of one site that are subscribed to."""

BUFFER_MAX = 10_000
"""Messages that a site keeps while it cannot send them: the least that the core asks for (3.2.2, "Communication
disruption"). Above, the oldest status updates are lost, and counted; alarms only where nothing else is left."""

WINDOW = 64
"""Messages of the buffer that are on their way unacknowledged. So an acknowledgement that the site owes never waits
behind more than these (3.1.5: acknowledgements come before buffered messages)."""

PENDING_MAX = 256
"""Requests to one site that wait for their answer; orders that a site has accepted and not answered."""

ORDERS_MIN = 64
"""Places among these that nothing but orders may take: one of them may be an emergency's."""

GIVEN_UP_MAX = 256
"""Requests that wait no more and are remembered, in case their answer comes after all; above, the oldest are not."""

NEWEST_MAX = 2_000
"""Alarms of one connection whose newest instant is remembered, beside those of the site's enrolment and the list."""

PASSED_MAX, PASSED_CHARS_MAX = 1_000, 1 << 20
"""Events between two watchdogs that were told as history and may have to be told again."""

EXTRA_MAX = 50
"""Unknown attributes of one message that are kept."""

OWED_MAX = 20_000
"""Messages of a site that wait to be kept: twice a whole buffer, which some sites send at once."""

UNACKNOWLEDGED_MAX, UNACKNOWLEDGED_BYTES_MAX = 1_000, 32 << 20
"""Messages of ours that the other end has not acknowledged: one that asks and asks and acknowledges nothing is left."""
