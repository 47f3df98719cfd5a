"""Adaptive control as a post has it of sites with an input for each stage: what a roadside tells reaches it late, what
it asks arrives later still, and whoever is not asked anew goes by its plan.

It is the post's own steering, with its kernels and its laws, and the same that a simulated roadside does with inputs.
What is missing is the wire, and what may be lost on it.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from vigie.services.signals.control.site import Site
from vigie.services.signals.control.steering import Asking, Heard, Steering, Told
from vigie.services.signals.junction import Second
from vigie.sim.traffic.roadside import INPUTS_FRESH_S


class OverInputs:
    """Steers junctions by their inputs. delay_s: from a second on the street to the stage that was asked for by it."""

    def __init__(self, sites: Sequence[Site], delay_s: int) -> None:
        self._sites = sites
        self._names = [site.junction.name for site in sites]
        self._steering = Steering()
        self._steering.keep(dict(zip(self._names, sites, strict=True)))
        self._delay_s = delay_s
        self._heard: deque[dict[str, Told]] = deque(dict[str, Told]() for _ in range(delay_s - delay_s // 2))
        self._asking: deque[list[Asking]] = deque(list[Asking]() for _ in range(delay_s // 2))
        self._stands: dict[str, tuple[int, int]] = {}

    def decide(self, now_s: int, counts: Sequence[Sequence[int]], shown: Sequence[Second]) -> Sequence[frozenset[int]]:
        """What each roadside wishes green. See `Controller.decide`."""
        told = {
            name: Told(
                True,
                (Heard(second, tuple(seen), age_s=float(self._delay_s)),),
                standing=frozenset({self._stands[name][0]}) if name in self._stands else frozenset(),
            )
            for name, seen, second in zip(self._names, counts, shown, strict=True)
        }
        self._heard.append(told)
        self._asking.append(self._steering.step(self._heard.popleft()))
        for asking in self._asking.popleft():
            if asking.stage is None:
                self._stands.pop(asking.junction, None)
            else:
                self._stands[asking.junction] = asking.stage, now_s
        self._stands = {name: each for name, each in self._stands.items() if now_s - each[1] < INPUTS_FRESH_S}
        return [
            site.junction.stages[self._stands[name][0]].greens if name in self._stands else site.plan.greens(now_s)
            for name, site in zip(self._names, self._sites, strict=True)
        ]
