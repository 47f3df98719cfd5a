"""A junction's controller at the roadside: it runs its plan by itself, and follows stages that are asked for by inputs.

Whoever asks is not believed: what is shown is the sequencer's, which holds it against its own safety kernel. What is
asked has to be asked again and again; who falls silent is forgotten, and the plan goes on. So a lost link costs a
junction its adaptive control and nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Literal

from vigie.services.signals.control.site import Plan, Site
from vigie.services.signals.junction import Colour, Second
from vigie.services.signals.sequencer import Sequencer

INPUTS_FRESH_S = 10
"""Inputs that nobody has set anew for so long are forgotten."""

Mode = Literal["colours", "flashing"]
MODES: Mapping[str, Mode] = {"colours": "colours", "flashing": "flashing"}


class Roadside:
    """One junction's controller, second by second.

    second: what it shows; empty while it flashes, which is no colour of any group. stage: which of the junction's
    stages is shown, from 1; 0 between two, and while it flashes. plan: which of its plans runs, or would if nobody
    asked for stages. cycles_s: of each of its plans, by number. mode: colours or flashing. decides: whose greens it
    moves towards.
    """

    def __init__(self, site: Site, plans: Mapping[int, Plan], first_input: int = 1) -> None:
        """plans: by number, begun with the first. first_input: the input that asks for the first of the junction's
        stages; those of the others follow it. Raises Unfit for a junction that may not be controlled, ValueError for
        one without a plan."""
        if not plans:
            raise ValueError(f"{site.junction.name}: a junction has a plan at least, or shows red for ever")
        self.plan = next(iter(plans))
        self.mode: Mode = "colours"
        self._next_mode: Mode = self.mode
        self.decides: Literal["plan", "input"] = "plan"
        self.second: Second = (Colour.RED,) * len(site.junction.groups)
        self.stage = 0
        self._junction = site.junction
        self._plans = dict(plans)
        self.cycles_s = tuple(sorted((number, plan.cycle_s) for number, plan in plans.items()))
        self._next_plan = self.plan
        self._stage_of = {stage.greens: at for at, stage in reversed([*enumerate(site.junction.stages, 1)])}
        self._first_input = first_input
        self._asked: frozenset[int] | None = None
        self._asked_s = 0
        self._sequencer = Sequencer(site.junction)

    def inputs(self, on: Set[int], now_s: int) -> None:
        """Which inputs are active, by number. Those that ask for no stage are nobody's wish; nor are two stages at
        once."""
        stages = self._junction.stages
        wanted = [number - self._first_input for number in on]
        wanted = [stage for stage in wanted if 0 <= stage < len(stages)]
        self._asked = stages[wanted[0]].greens if len(wanted) == 1 else None
        self._asked_s = now_s

    def order_plan(self, number: int) -> bool:
        """Runs a plan from the beginning of its next cycle on; whether there is such a plan."""
        if number not in self._plans:
            return False
        self._next_plan = number
        return True

    def order_mode(self, mode: str) -> None:
        """Flashes, or shows colours again, which begin with all red until everybody has cleared. Raises ValueError for
        a mode that a controller is not ordered into."""
        if mode not in MODES:
            raise ValueError(f"no mode {mode!r} may be ordered")
        self._next_mode = MODES[mode]

    def step(self, now_s: int) -> Second:
        """One second on. now_s: the clock that plans run by."""
        ordered = self._plans[self._next_plan]
        if (now_s - ordered.offset_s) % ordered.cycle_s == 0:
            self.plan = self._next_plan
        if self.mode == "flashing" and self._next_mode == "colours":
            # Nothing is known of who is under way in the junction: as after a start-up.
            self._sequencer = Sequencer(self._junction)
        self.mode = self._next_mode
        asked = self._asked if 0 <= now_s - self._asked_s < INPUTS_FRESH_S else None
        if self.mode == "flashing":
            self.second, self.stage, self.decides = (), 0, "plan"
            return self.second
        self.decides = "plan" if asked is None else "input"
        self.second = self._sequencer.step(self._plans[self.plan].greens(now_s) if asked is None else asked)
        greens = frozenset(g for g, colour in enumerate(self.second) if colour is Colour.GREEN)
        self.stage = 0 if Colour.YELLOW in self.second else self._stage_of.get(greens, 0)
        return self.second
