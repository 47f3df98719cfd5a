"""A city that is reached through forty-one TALQ gateways, of which a few speak: for their page and for its pictures."""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from pathlib import Path
from typing import Any

from tests.api.talq.test_state import report
from tests.people import AtWork, Browser, make_people
from tests.post import RunningPost, now_us, running
from tests.talq import GatewayAt, gateway_at, make, roomy
from vigie.core.times import SECOND_US

NAMES = [f"passerelle-{n:02}" for n in range(1, 42)]
LAMPS = 2 * len(NAMES) - 1
"""Each gateway has two of these and the cabinet: the first the cabinet and a lamp, the others a lamp of either turn."""

WHOLE, LACKING, FAST = NAMES[:3]
"""One that has all it should, one that lacks a lamp, and one whose clock is 90 s ahead.
The others have never attached."""


class Gateways:
    """The post with its gateways, as a `Console` wants a town."""

    def __init__(self, post: RunningPost, whole: GatewayAt) -> None:
        self.post, self.port, self.whole = post, post.port, whole
        self._at_work = AtWork()

    def browser(self, login: str) -> Browser:
        """Somebody who asks past the pages."""
        return self._at_work.browser(self.post, login)

    def cookie(self, login: str) -> str:
        """Somebody's session."""
        return self.browser(login).secret

    def approve(self, level: int) -> str:
        """A programme for all of the town is in force from now on; returns its id."""
        window = {"start": {"by": "clock", "minute": 1_320}, "end": {"by": "clock", "minute": 300}, "level": level}
        rule = {"name": "toutes les nuits", "windows": [window]}
        body = {"name": "Nuit à tous", "rank": "area", "area": "", "rules": [rule]}
        said = {"kind": "lighting.programme", "body": body, "reason": "essai"}
        plan: Any = self.browser("manager").ask("POST", "/api/v1/plans", said).body
        seen = {"version": 1, "revision": 1, "reason": "vu"}
        assert self.browser("deputy").ask("POST", f"/api/v1/plans/{plan['id']}/approve", seen).status == 200
        return str(plan["id"])


def made(folder: Path) -> dict[str, str]:
    """The installation; returns the gateways' secrets."""
    secrets = make(folder, *NAMES, lamps=LAMPS)
    make_people(folder, ["manager", "deputy", "operator", "elected"])
    return secrets


@contextlib.contextmanager
def gateways(folder: Path, secrets: dict[str, str]) -> Generator[Gateways]:
    """The post of an installation, and those of its gateways that speak."""
    with contextlib.ExitStack() as stack:
        post = stack.enter_context(running(folder, ""))
        lamps = {WHOLE: [40], LACKING: [0], FAST: [1, 42]}
        speaking = {
            name: stack.enter_context(gateway_at(folder, post.port, secrets, name=name, lamps=own))
            for name, own in lamps.items()
        }
        for each in speaking.values():
            roomy(each, maximum_calendars=10, maximum_programs=400)
            each.attach()
        speaking[FAST].up(report(speaking[FAST].gateway, now_us() + 90 * SECOND_US))
        yield Gateways(post, speaking[WHOLE])
