"""Comparisons as `vigie signals compare` seals them, made up for tests of what becomes of them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import msgspec

from vigie.core.times import from_us
from vigie.services.signals.control.site import Site
from vigie.services.signals.whatif.comparison import AtJunction, Compared, Comparison, Side
from vigie.services.signals.whatif.figures import JUNCTION_QUEUE
from vigie.services.signals.whatif.paired import paired
from vigie.services.signals.whatif.sealed import FORMAT, Calibration, Run, Scenario, SealedFile, Tried, shape_of
from vigie.services.signals.whatif.thresholds import USUAL, judge
from vigie.services.signals.whatif.thresholds import holds as holds_all

SEEDS = (1, 2, 3)


def tried(
    sites: Sequence[Site], at_us: int, *, controller: str = "adaptive", plan: int | None = None, holds: bool = True
) -> Tried:
    """A comparison of a change at these junctions, whose lights have names of their own in the network."""
    before, after = (42.0, 45.0, 40.5), (18.0, 19.5, 17.5)
    delay = Compared("mean_delay_s", "s", paired(SEEDS, before, after), SEEDS, tuple(zip(before, after, strict=True)))
    names = [each.junction.name for each in sites]
    # The longest wait is what it fails by.
    waits = (90.0, 95.0, 92.0), (80.0, 84.0, 81.0) if holds else (190.0, 180.0, 184.0)
    wait = Compared("max_wait_s", "s", paired(SEEDS, *waits), SEEDS, tuple(zip(*waits, strict=True)))
    queues = (4.0, 5.0, 4.5), (2.0, 2.4, 2.3)
    queue = paired(SEEDS, *queues)
    judged = [
        *(one for name in names for one in judge(JUNCTION_QUEUE, USUAL[JUNCTION_QUEUE], *queues, f"light {name}")),
        *judge("mean_delay_s", USUAL["mean_delay_s"], before, after),
        *judge("max_wait_s", USUAL["max_wait_s"], *waits),
    ]
    result = Comparison(
        before=Side("centre", "plan"), after=Side("centre", controller), figures=(delay, wait),
        junctions=tuple(AtJunction(f"light {name}", queue) for name in names), only_before=(), only_after=(),
        thresholds=tuple(judged), holds=holds_all(judged),
    )  # fmt: skip
    return Tried(
        format=FORMAT, version="1", at=from_us(at_us), before=Scenario("centre", "plan", "a" * 64, "b" * 64),
        after=Scenario("centre", controller, "a" * 64, "b" * 64, plan), run=Run(0, 3600, SEEDS),
        calibration=Calibration(44, 0.91), thresholds=USUAL, usual=True,
        junctions={name: shape_of(each) for name, each in zip(names, sites, strict=True)},
        lights={name: f"light {name}" for name in names}, result=result,
    )  # fmt: skip


def garbled(file: bytes) -> bytes:
    """A file whose seal is whole, and whose comparison is no UTF-8."""
    said = bytes(msgspec.json.decode(file, type=SealedFile).comparison).replace(b'"centre"', b'"cen\xfftre"')
    return b'{"seal":"%s","comparison":%s}' % (hashlib.sha256(said).hexdigest().encode(), said)
