"""Who waits to walk, from push-buttons: since when somebody does, and how many by now, as far as can be supposed.

A button tells that there is a first one and never how many came after. How often somebody comes is reckoned from how
long it took, red after red, until the first did; whoever is counted by an area is not supposed.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vigie.core.compiled import compiled
from vigie.services.signals.control.layout import Bools, Floats, Ints, Walkers

USUAL_S = 60.0
"""Where nothing is known, somebody comes so often; known is what was seen in REMEMBERED_S of red without anybody."""

REMEMBERED_S = 1_800.0
RED_S_MAX = 120
"""No red of walkers is longer: what has gone on for longer is a junction that flashes, or is not heard."""

IMPATIENT_S = 2.0
"""Whoever waits counts for one person more each time that this goes by. Walkers are few beside those who drive and take
long to clear, so person for person they would wait for longest; after half a minute they begin to cross on red (Highway
Capacity Manual 2000, ch. 18).
"""


class Waiting(NamedTuple):
    """What is supposed of walkers, by junction and group. since_s: for how long somebody has asked, 0 for nobody.
    presses, alone_s: how often somebody was the first in a red, in how many seconds of red without anybody; older
    ones count less. rate_s: how many come in a second. weight: for how many persons those who wait count."""

    since_s: Ints
    presses: Floats
    alone_s: Floats
    rate_s: Floats
    weight: Floats


def nobody_asks(junctions: int, groups: int) -> Waiting:
    """What is supposed before the first second."""
    shape = junctions, groups
    presses, alone_s = np.ones(shape), np.full(shape, USUAL_S)
    return Waiting(np.zeros(shape, np.int64), presses, alone_s, np.zeros(shape), np.zeros(shape))


@compiled
def ask(walkers: Walkers, waiting: Waiting, counts: Ints, green: Bools, red_s: Ints) -> None:
    """Takes in a second. counts: of all junctions in a row. green, red_s: by junction and group."""
    heard, counted = np.zeros(green.shape, np.bool_), np.zeros(green.shape, np.bool_)
    told = np.zeros(green.shape, np.int64)
    for at in range(len(walkers.buttons)):
        button = walkers.buttons[at]
        j, group, count = button["junction"], button["group"], counts[button["at"]]
        if count >= 0:
            heard[j, group] = True
            counted[j, group] |= button["counts"]
            told[j, group] += count
    for j in range(green.shape[0]):
        for group in range(green.shape[1]):
            if walkers.afoot[j, group]:
                gone = counted[j, group] and told[j, group] == 0
                _second(waiting, j, group, told[j, group], gone, green[j, group], heard[j, group])
                rate_s, since_s = waiting.rate_s[j, group], float(waiting.since_s[j, group])
                persons = 0.0
                if not heard[j, group]:
                    # Nobody may have pressed what does not work.
                    red = min(red_s[j, group], RED_S_MAX)
                    persons, since_s = rate_s * red, max(red - 1.0 / rate_s, 0.0)
                elif since_s > 0 and not green[j, group]:
                    # A green held for whoever cannot go would hold those as well who give way to him.
                    persons = told[j, group] if counted[j, group] else 1.0 + rate_s * (since_s - 1.0)
                waiting.weight[j, group] = persons * (1.0 + since_s / IMPATIENT_S)


@compiled
def _second(waiting: Waiting, j: int, group: int, told: int, gone: bool, green: bool, heard: bool) -> None:
    """A second goes by for a group: who asks goes on asking until it is green, though the button be let go, and whoever
    asks in green has not gone, since vehicles stand on the crossing. gone: an area sees that nobody is there."""
    if not heard or (green and told == 0):
        waiting.since_s[j, group] = 0
    elif waiting.since_s[j, group] > 0 and not gone:
        waiting.since_s[j, group] += 1
    elif not green:
        kept = 1.0 - 1.0 / REMEMBERED_S
        waiting.presses[j, group] *= kept
        waiting.alone_s[j, group] = waiting.alone_s[j, group] * kept + 1.0
        waiting.since_s[j, group] = int(told > 0)
        if told > 0:
            waiting.presses[j, group] += 1.0
    waiting.rate_s[j, group] = waiting.presses[j, group] / waiting.alone_s[j, group]
