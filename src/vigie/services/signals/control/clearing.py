"""Who may not set out yet to walk, since somebody is still inside the junction who would come across them.

An intergreen clears who drives off with the last of the green. It does not clear who has stood inside behind one that
waits for a gap, and gets going when all others have red: walkers who set out then stop him in the middle, where those
who turn come to stand before him and he before them, for good.
"""

from __future__ import annotations

from vigie.core.compiled import compiled
from vigie.services.signals.control.layout import Bools, Ints, Walkers

WAITED_S_MAX = 15
"""Nobody waits for longer beyond the intergreen: what is still inside then will not leave for being waited for. Nor
does a group that is as near to its longest red."""


@compiled
def hold_back(held: Bools, walkers: Walkers, counts: Ints, green: Bools, red_s: Ints, red_max_s: Ints) -> None:
    """Says of which groups none may begin. held: (junction, group), to be filled, as green, red_s and red_max_s are.
    counts: of all junctions in a row; an area that says nothing holds nobody back."""
    held[:] = False
    for at in range(len(walkers.inside)):
        area = walkers.inside[at]
        j, left, group = area["junction"], area["group"], area["over"]
        if counts[area["at"]] > 0 and not green[j, left] and not green[j, group]:
            cleared_s = walkers.driven_s[j, left, group]
            waits = cleared_s > 0 and red_s[j, left] < cleared_s + WAITED_S_MAX
            if waits and red_s[j, group] < red_max_s[j, group] - WAITED_S_MAX:
                held[j, group] = True
