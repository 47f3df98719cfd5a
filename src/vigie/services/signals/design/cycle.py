"""One cycle of a junction's plan as its signals show it, second by second: greens as the plan wishes them, with the
yellows, the clearings and the reds that the controller's own sequence puts between."""

from __future__ import annotations

from vigie.services.signals.control.site import Site
from vigie.services.signals.junction import Second
from vigie.services.signals.safety import Unfit
from vigie.services.signals.sequencer import Sequencer

CYCLE_S_MAX = 600
"""A plan that takes longer is drawn by nobody."""

SETTLES_CYCLES = 3
"""So often a plan may go round before it goes round the same way each time."""


def shown_cycle(site: Site) -> tuple[Second, ...] | None:
    """What a junction shows under its plan, from the second in which the plan's first step begins; None where it has no
    plan, one that is too long, or one that its signals never follow the same way twice. Nothing but the plan is asked
    of it: walkers press no button, no tram comes."""
    cycle_s = site.plan.cycle_s
    if not 0 < cycle_s <= CYCLE_S_MAX:
        return None
    try:
        sequencer = Sequencer(site.junction)
    except Unfit:
        return None
    offset_s = site.plan.offset_s
    before: tuple[Second, ...] | None = None
    for _ in range(1 + SETTLES_CYCLES):
        shown = tuple(sequencer.step(site.plan.greens(offset_s + into)) for into in range(cycle_s))
        if shown == before:
            return shown
        before = shown
    return None
