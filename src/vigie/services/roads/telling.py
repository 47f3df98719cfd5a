"""What of a report's way is told to whoever reported it, by mail where they gave an address.

A step is what a resident would want to know, not each move: a crew's pause is none, nor that a second order was found.
"""

from __future__ import annotations

from collections.abc import Sequence

from vigie.core.kinds import ConditionKind, Outlet

MAIL_UNSENT = ConditionKind(name="mail_unsent", service="roads", outlet=Outlet.ALARM, priority=3)
"""Mail to residents has not left for a while. What waits is kept, and sent later. At the post itself."""

OPENED = ""
"""What opened a report, among the events that moved it."""
RECEIVED = "received"

_STEPS = {
    OPENED: RECEIVED,
    "accept": "accepted",
    "order": "accepted",
    "begin": "begun",
    "release": "again",
    "merge": "joined",
    "split": "parted",
    "close": "closed",
    "reject": "rejected",
    "reopen": "reopened",
}
_OVER = ("closed", "rejected")

STEPS = (*dict.fromkeys(_STEPS.values()), "resumed")
FOLLOWED = frozenset({"accepted", "begun", "again"})
"""The steps of a report that are told also to those whose reports go its way: of its end theirs have a step of their
own."""
WITH_REASON = frozenset({"closed", "rejected"})
"""The steps of which it is told why: those reasons are written for whoever reported it."""


def step_of(event: str, before: str, state_before: str) -> str:
    """What an event tells, after the event `before` in a state; "" where it tells nothing that was not told."""
    if event == "merge" and state_before in _OVER:
        return "resumed"
    # An order that is found for what was accepted already, and work that goes on, are no news.
    if (event in ("accept", "order") and state_before == "accepted") or (event == "begin" and before == "pause"):
        return ""
    return _STEPS.get(event, "")


def folded(steps: Sequence[str]) -> list[int]:
    """The places of the steps that are told of some that are told together: the first of the same that follow each
    other."""
    return [place for place, step in enumerate(steps) if not place or steps[place - 1] != step]
