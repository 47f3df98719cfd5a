"""What a roadside controller does with wishes: second by second, and never anything that its safety kernel refuses.

The simulator's junctions run it, and previews do. It keeps times of its own and lets a kernel judge what it shows, so
that neither believes the other.
"""

from __future__ import annotations

from enum import StrEnum

from vigie.services.signals.completeness import FRANCE, Rules
from vigie.services.signals.junction import Colour, Junction, Second, conflict_masks, mask, members
from vigie.services.signals.safety import NEVER, Kernel, Refusal, Violation


class Follows(StrEnum):
    """Whose greens a second moves towards: what is wished; what was followed before, where nothing is wished or it is
    refused; or what the kernel has promised to who waits, where it refuses both."""

    WISH = "wish"
    HELD = "held"
    PROMISE = "promise"


class Unsafe(Exception):
    """The sequencer was about to show a second that breaks a rule: it is wrong itself. A roadside controller's own
    monitor would switch to flashing here."""

    def __init__(self, violations: tuple[Violation, ...]) -> None:
        super().__init__(violations)
        self.violations = violations


class Sequencer:
    """One junction's colours, from the end of the controller's own start-up: all red at first.

    kernel: its judge, which others may ask. follows, refused: whose greens the last second moved towards, and why its
    wish was not followed. Raises Unfit for a junction that may not be controlled.
    """

    def __init__(self, junction: Junction, rules: Rules = FRANCE) -> None:
        self.kernel = Kernel(junction, rules)
        self.kernel.away()
        self.follows = Follows.HELD
        self.refused: Refusal | None = None
        self._groups = junction.groups
        self._intergreens = junction.intergreens
        self._conflicts = conflict_masks(junction)
        self._at = 0
        self._held: frozenset[int] = frozenset()
        self._greens: int = 0
        self._yellows: int = 0
        # Before the start-up anything may have been under way: all others are given the time to clear.
        self._free = [
            max([0, *(self._intergreens[i][j] or 0 for i in members(row))]) for j, row in enumerate(self._conflicts)
        ]
        self._still_until = 0
        """Until this second no yellow runs out and nothing that is wished begins."""
        self._yellow_until = [0] * len(self._groups)
        self._shown: Second = tuple(Colour.RED for _ in self._groups)

    def step(self, wanted: frozenset[int] | None, called: frozenset[int] = frozenset()) -> Second:
        """The next second. wanted: the greens wished, None for no wish. called: see `Kernel.see`.

        Raises Unsafe rather than show a second that breaks a rule, which no wish can bring about.
        """
        if self._still(wanted, called):
            self._at += 1
            return self._shown
        if self._at:
            self._move(mask(self._chosen(wanted)))
        self._at += 1
        violations = self.kernel.see(self._shown, called)
        if violations:
            raise Unsafe(violations)
        return self._shown

    def _still(self, wanted: frozenset[int] | None, called: frozenset[int]) -> bool:
        """Whether nothing changes in the second that comes and nothing is due, by its own times and by the kernel's."""
        if wanted is None or called or self._at >= self._still_until or self.follows is not Follows.WISH:
            return False
        return self.kernel.still(self._shown, wanted)

    def _chosen(self, wanted: frozenset[int] | None) -> frozenset[int]:
        """The greens to move towards: the first of wish, what is held and the promise that is not refused."""
        self.refused = None
        if wanted is not None:
            self.refused = self.kernel.refusal(wanted)
            if self.refused is None:
                self.follows, self._held = Follows.WISH, wanted
                return wanted
        if self.kernel.refusal(self._held) is None:
            self.follows = Follows.HELD
            return self._held
        promised = self.kernel.promise()
        if promised is None:
            # The kernel has missed seconds: until it has seen one again, what is shown stays.
            self.follows = Follows.HELD
            return frozenset(members(self._greens))
        self.follows, self._held = Follows.PROMISE, promised
        return promised

    def _move(self, wish: int) -> None:
        """One second on: greens that are not wished end, yellows run out, wished groups begin that are free to."""
        at, greens = self._at, self._greens
        ending = greens & ~wish
        for i in members(ending):
            yellow_s = self._groups[i].yellow_s
            self._yellow_until[i] = at + yellow_s
            self._free[i] = at + yellow_s + 1
            for j in members(self._conflicts[i]):
                self._free[j] = max(self._free[j], at + (self._intergreens[i][j] or 0))
        waiting = members(wish & ~greens)
        beginning = mask([g for g in waiting if self._free[g] <= at and not self._conflicts[g] & greens])
        yellows = mask([g for g in members(ending | self._yellows) if at < self._yellow_until[g]])
        if ending or beginning or yellows != self._yellows:
            self._greens, self._yellows = greens & wish | beginning, yellows
            self._shown = tuple(self._colour(g) for g in range(len(self._groups)))
        times = [self._yellow_until[g] for g in members(yellows)]
        times += [self._free[g] for g in members(wish & ~self._greens) if self._free[g] > at]
        self._still_until = min(times, default=NEVER)

    def _colour(self, g: int) -> Colour:
        if self._greens >> g & 1:
            return Colour.GREEN
        return Colour.YELLOW if self._yellows >> g & 1 else Colour.RED
