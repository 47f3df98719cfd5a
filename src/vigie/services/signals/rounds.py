"""Rounds: orders of stages in which every waiting group is served, and how long they take at the most.

A round visits stages one after another and as fast as the junction allows. A visit ends all greens that are not of its
stage, once they have had their minimum, and starts the stage's others once all their intergreens are over; when exactly
the stage is green it is done, and the next begins in the second after. The safety kernel holds such a round in hand at
every second (`safety.Kernel`), and a junction whose rounds take too long is not controlled (`completeness`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from vigie.services.signals.junction import Junction, conflict_masks, mask, members


def cover(junction: Junction) -> tuple[int, ...]:
    """Few stages, as masks, that serve every group which any stage serves: again and again the one that serves most of
    those not served yet, of equal ones the first."""
    stages = [mask(stage.greens) for stage in junction.stages]
    left = mask(range(len(junction.groups)))
    chosen: list[int] = []
    while stages:
        best = max(stages, key=lambda stage: (stage & left).bit_count())
        if not best & left:
            break
        chosen.append(best)
        left &= ~best
    return tuple(chosen)


class Rounds:
    """What a junction's rounds are made of. Of a junction whose stages serve every group and are free of conflicts.

    stages: the stages of `cover`, as masks. round_s: so long a round lasts at most, in any order of them and from any
    state; see `visit_s`.
    """

    def __init__(self, junction: Junction) -> None:
        groups = junction.groups
        self.conflicts = conflict_masks(junction)
        self.green_min_s = [group.green_min_s for group in groups]
        self.yellow_s = [group.yellow_s for group in groups]
        self.stages = cover(junction)
        self.all = mask(range(len(groups)))
        self._home = [
            next((s for s, stage in enumerate(self.stages) if stage >> g & 1), -1) for g in range(len(groups))
        ]
        # What the end of a green holds back, and for how long: those it conflicts with, and itself, since after its
        # yellow a group is red for a second before it is green again.
        self.holds = tuple(
            (
                *((j, row[j] or 0) for j in members(self.conflicts[i])),
                (i, groups[i].yellow_s + 1),
            )
            for i, row in enumerate(junction.intergreens)
        )
        self.round_s = sum(self.visit_s(stage) for stage in self.stages)

    def visit_s(self, stage: int) -> int:
        """The longest that a visit can take, whatever was green before it and whatever ended before that.

        When it begins all that was to be green is green. The greens that it ends do so within the longest of their
        minimum greens, and the last of its own starts within the longest intergreen after that.
        """
        others = members(self.all & ~stage)
        green_s = max([1, *(self.green_min_s[i] for i in others)])
        clear_s = max([0, *(after_s for i in others for j, after_s in self.holds[i] if stage >> j & 1)])
        own_s = max([0, *(self.yellow_s[j] + 1 for j in members(stage))])
        return max(green_s + clear_s, own_s)

    def order(self, longest_first: Iterable[int]) -> tuple[int, ...]:
        """The stages that serve some groups, by their number: the home of who waits longest first, and no stage for
        those that another's has served."""
        found: list[int] = []
        served = 0
        for group in longest_first:
            if not served >> group & 1:
                found.append(self._home[group])
                served |= self.stages[self._home[group]]
        return tuple(found)

    def starts(
        self, at: int, greens: int, started: Sequence[int], ready: Sequence[int], order: Iterable[int]
    ) -> dict[int, int]:
        """The second in which each group next turns green if a round is followed from a second on.

        greens: what is green the second before, and since when (started). ready: for each group, the second from which
        on all that has ended lets it start.
        """
        began, free = list(started), list(ready)
        found: dict[int, int] = {}
        for number in order:
            stage = self.stages[number]
            last = at
            for i in members(greens & ~stage):
                end = max(at, began[i] + self.green_min_s[i])
                last = max(last, end)
                for j, after_s in self.holds[i]:
                    if free[j] < end + after_s:
                        free[j] = end + after_s
            for j in members(stage & ~greens):
                began[j] = max(at, free[j])
                last = max(last, began[j])
                found.setdefault(j, began[j])
            greens = stage
            at = last + 1
        return found
