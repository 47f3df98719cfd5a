"""The safety kernel: whether what a junction showed was safe, and whether what is wished of it may be asked for.

It stands apart from whoever controls: it is told each second what was shown and nothing else, and believes no wish. Its
laws, each with where it comes from (`Rule`):

1. What it judges is what was *seen*: a green whose beginning it did not see is not said to have been too short.
2. What it refuses is by the worst that may be: after a restart it takes each green as just begun, each other group as
   just ended, and each red as one that must be served as early as can be.
3. A wish is admitted only if, had it been followed for one second, a round (`rounds`) from there would serve every
   waiting group within its longest red. The round that was timed so is held in hand (`promise`), is never refused
   itself, and is what must be asked for when nothing else may. So at every second there is a way to keep every longest
   red, for ever; docs/explanation/signals-safety.md has the argument, and tests try every sequence of small junctions.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec

from vigie.services.signals.completeness import FRANCE, Problem, Rules, problems
from vigie.services.signals.junction import PUBLIC_TRANSPORT, Colour, Junction, Second, Users, clash, mask, members
from vigie.services.signals.rounds import Rounds

NEVER = 1 << 60
"""A second that does not come."""


class Rule(StrEnum):
    """What a second or a wish is held against; a text's key ends in it.

    conflict, intergreen: NF EN 12675. pedestrian_clearance, green_min, yellow_*, red_max: IISR part 6; red_max with its
    exception for trams and buses in art. 110 C 3. red_skipped: a green after a yellow, with no red between.
    not_in_colours: changes of mode (flash, dark, start-up, back to colours) are the controller's own sequence and
    nobody's wish. no_such_group: a wish that is none.
    """

    CONFLICT = "conflict"
    INTERGREEN = "intergreen"
    PEDESTRIAN_CLEARANCE = "pedestrian_clearance"
    GREEN_MIN = "green_min"
    YELLOW_SKIPPED = "yellow_skipped"
    YELLOW_SHORT = "yellow_short"
    YELLOW_LONG = "yellow_long"
    YELLOW_UNASKED = "yellow_unasked"
    RED_SKIPPED = "red_skipped"
    RED_MAX = "red_max"
    NOT_IN_COLOURS = "not_in_colours"
    NO_SUCH_GROUP = "no_such_group"


class Violation(msgspec.Struct, frozen=True):
    """A rule that a second broke. groups: whose; of a pair, the one that ended (or is green) first. is_s, limit_s: how
    long it was, and how long it had to be at least, or at most; 0 where no time is meant. Its text is
    `signals.violation.<rule>`."""

    rule: Rule
    groups: tuple[int, ...]
    is_s: int = 0
    limit_s: int = 0


class Refusal(msgspec.Struct, frozen=True):
    """Why a wish may not be asked for: a rule, and whom it protects. Its text is `signals.refusal.<rule>`."""

    rule: Rule
    groups: tuple[int, ...] = ()


class Unfit(ValueError):
    """A junction that may not be controlled as it is."""

    def __init__(self, found: Iterable[Problem]) -> None:
        self.problems = tuple(found)
        super().__init__(", ".join(sorted({problem.code for problem in self.problems})))


class Kernel:
    """The judge of one junction. Raises Unfit for a junction with a problem that refuses.

    Call `see` once for each second that was shown, in order, and `refusal` before anything is sent. It begins knowing
    nothing; say `away` where it is known that the junction was not in colours before, `lost` where seconds are missing.
    """

    def __init__(self, junction: Junction, rules: Rules = FRANCE) -> None:
        wrong = [problem for problem in problems(junction, rules) if problem.refuses]
        if wrong:
            raise Unfit(wrong)
        groups = junction.groups
        count = len(groups)
        self._groups = groups
        self._rounds = Rounds(junction)
        self._intergreens = junction.intergreens
        self._everyone = frozenset(range(count))
        self._lines = mask(g for g, group in enumerate(groups) if group.users in PUBLIC_TRANSPORT)
        self._at = 0
        """The second that comes next."""
        self._last: Second | None = None
        """What was shown in the second before; None while the junction is not known to be in colours."""
        self._was_away = False
        self._greens = self._yellows = 0
        self._since = [0] * count
        """When each group's colour began, or was seen first."""
        self._seen = 0
        """Groups whose colour was seen to begin."""
        self._ended = [0] * count
        """When each group's last green ended, or may have."""
        self._ends_seen = 0
        """Groups whose last green was seen to end."""
        self._ready = [0] * count
        """From when on all that ended, or may have, lets a group be green."""
        self._clear = [0] * count
        """The same, of ends that were seen."""
        self._due = [NEVER] * count
        """When a waiting group must be green at the latest."""
        self._extended = 0
        """Waiting groups during whose wait an announced tram or bus was served."""
        self._watch = 0
        """Until this second a junction that changes nothing breaks nothing."""
        self._earliest = NEVER
        """The first of `_due`."""
        self._promise: tuple[int, ...] | None = None
        """A round that was timed from here; None where any serves, or none is known."""
        self._timed: dict[int, tuple[int, ...] | None] = {}
        """What was timed for the second that comes, by its greens."""
        self._held_until = 0
        """Until this second a round may begin in the order `_held_order`, if nothing changes before it."""
        self._held_order: tuple[int, ...] = ()
        self._still_until = 0
        """Until this second nothing is due as long as the wish and what is shown stay as they are."""
        self._wish: frozenset[int] = frozenset()
        """The wish that was looked at last, as a mask, and those of it that conflict."""
        self._wish_bits = self._wish_fights = 0

    def away(self) -> None:
        """The junction is not in colours: dark, flashing, or in its own start-up. Nothing may be asked of it before a
        second of colours is seen, and all colours begin with that one."""
        self.lost()
        self._was_away = True

    def lost(self) -> None:
        """Seconds were shown that were not seen: begins anew, knowing nothing."""
        self._last = self._promise = None
        self._was_away = False
        self._still_until = 0
        self._timed.clear()

    # -- what was shown ---------------------------------------------------------------------------------------------

    def see(self, second: Second, called: frozenset[int] = frozenset()) -> tuple[Violation, ...]:
        """Judges the next second that was shown: all that it breaks.

        called: groups of trams and buses for which a vehicle is announced. Only their green lengthens a red. Raises
        ValueError for what is no second of this junction.
        """
        if len(second) != len(self._groups):
            raise ValueError(f"a second of {len(second)} groups at a junction of {len(self._groups)}")
        at = self._at
        self._at = at + 1
        if second == self._last and at < self._watch and not called:
            self._keep()
            return ()
        shown = [Colour(colour) for colour in second]
        greens = mask([g for g, colour in enumerate(shown) if colour is Colour.GREEN])
        yellows = mask([g for g, colour in enumerate(shown) if colour is Colour.YELLOW])
        found: list[Violation] = []
        if self._last is None:
            self._begin(at, greens, yellows)
        else:
            for group in members((greens ^ self._greens) | (yellows ^ self._yellows)):
                found += self._turn(at, group, shown[group])
        self._last, self._greens, self._yellows = tuple(second), greens, yellows
        self._held_until = self._still_until = 0
        self._keep()
        self._extend(greens & self._lines & mask(called & self._everyone))
        standing = list(self._standing(at))
        # What stands in this second breaks the next one too, if nothing changes.
        self._watch = 0 if standing else self._watched()
        self._earliest = min([self._due[g] for g in members(self._rounds.all & ~greens)], default=NEVER)
        return (*found, *standing)

    def _watched(self) -> int:
        """The second that will break a rule if nothing changes until then."""
        return min(
            [
                self._since[g] + (self._groups[g].yellow_s if self._yellows >> g & 1 else self._red_max_s(g))
                for g in members(self._rounds.all & ~self._greens)
            ],
            default=NEVER,
        )

    def _begin(self, at: int, greens: int, yellows: int) -> None:
        """The first second of colours, and nothing known of those before, but where they were none."""
        rounds = self._rounds
        count = len(self._groups)
        self._seen = rounds.all if self._was_away else 0
        self._extended = self._ends_seen = 0
        self._since = [at] * count
        self._ended = [at] * count
        self._ready, self._clear = [at] * count, [at] * count
        waiting = rounds.all & ~greens
        for i in members(waiting):
            for j, after_s in rounds.holds[i]:
                if j != i or yellows >> i & 1:
                    self._ready[j] = max(self._ready[j], at + after_s)
        self._due = [NEVER] * count
        if self._was_away:
            for g in members(waiting):
                self._due[g] = at + self._groups[g].red_max_s
        else:
            # Each red may be at its end already: it is owed what the quickest round gives it.
            order = rounds.order(members(waiting))
            for g, start in rounds.starts(at + 1, greens, self._since, self._ready, order).items():
                if waiting >> g & 1:
                    self._due[g] = start
            self._timed = {greens: order}
        self._was_away = False

    def _keep(self) -> None:
        """Keeps the round that was timed for what is shown. If the junction did otherwise than was foreseen (it began
        sooner, or did not obey), the first of those in hand that still serves everybody in time."""
        if self._greens in self._timed:
            self._promise = self._timed[self._greens]
        elif self._timed or self._promise:
            in_hand = [order for order in (*self._timed.values(), self._promise) if order]
            self._promise = next((order for order in map(self._completed, in_hand) if self._in_time(order)), None)
        self._timed.clear()

    def _completed(self, order: tuple[int, ...]) -> tuple[int, ...]:
        """What is left of a round, and after it what those need that wait and that it does not serve."""
        left = self._to_visit(order)
        served = self._greens
        for number in left:
            served |= self._rounds.stages[number]
        return left + self._longest_first(served, self._ended)

    def _in_time(self, order: tuple[int, ...]) -> bool:
        """Whether a round that begins in the second that comes serves everybody in time."""
        starts = self._rounds.starts(self._at, self._greens, self._since, self._ready, order)
        return all(starts[g] <= self._due[g] for g in members(self._rounds.all & ~self._greens))

    def _turn(self, at: int, g: int, now: Colour) -> Iterator[Violation]:
        """A group that shows another colour than the second before."""
        group, was = self._groups[g], self._colour(g)
        lasted_s, seen = at - self._since[g], bool(self._seen >> g & 1)
        if was is Colour.GREEN:
            if seen and lasted_s < group.green_min_s:
                yield Violation(Rule.GREEN_MIN, (g,), lasted_s, group.green_min_s)
            if now is Colour.RED and group.yellow_s:
                yield Violation(Rule.YELLOW_SKIPPED, (g,), 0, group.yellow_s)
            self._end(at, g)
        elif was is Colour.YELLOW:
            if seen and lasted_s < group.yellow_s:
                yield Violation(Rule.YELLOW_SHORT, (g,), lasted_s, group.yellow_s)
            if now is Colour.GREEN:
                yield Violation(Rule.RED_SKIPPED, (g,))
        elif now is Colour.YELLOW:
            yield Violation(Rule.YELLOW_UNASKED, (g,))
        if now is Colour.GREEN:
            self._due[g] = NEVER
            self._extended &= ~(1 << g)
        self._since[g] = at
        self._seen |= 1 << g

    def _colour(self, g: int) -> Colour:
        """What a group showed the second before."""
        if self._greens >> g & 1:
            return Colour.GREEN
        return Colour.YELLOW if self._yellows >> g & 1 else Colour.RED

    def _end(self, at: int, g: int) -> None:
        """A green that ended: what it holds back, and when it is owed again."""
        group = self._groups[g]
        self._ended[g] = at
        self._ends_seen |= 1 << g
        self._due[g] = at + group.yellow_s + group.red_max_s
        for j, after_s in self._rounds.holds[g]:
            self._ready[j] = max(self._ready[j], at + after_s)
            if j != g:
                self._clear[j] = max(self._clear[j], at + after_s)

    def _extend(self, served: int) -> None:
        """Lengthens the reds during which an announced tram or bus has its green. One whose beginning is not known is
        owed no less than before."""
        if not served:
            return
        for g in members(self._rounds.all & ~self._greens & ~self._extended):
            self._extended |= 1 << g
            if self._seen >> g & 1:
                self._due[g] += self._groups[g].red_max_served_s - self._groups[g].red_max_s

    def _standing(self, at: int) -> Iterator[Violation]:
        """What a second breaks by what stands in it, whether or not it began with it."""
        greens, conflicts = self._greens, self._rounds.conflicts
        for g in members(clash(conflicts, greens)):
            for other in members(conflicts[g] & greens & ~((2 << g) - 1)):
                yield Violation(Rule.CONFLICT, (g, other))
        for g in members(greens):
            if conflicts[g] & self._yellows or self._clear[g] > at:
                yield from self._cut(at, g)
        for g in members(self._rounds.all & ~greens):
            group, lasted_s = self._groups[g], at + 1 - self._since[g]
            if self._yellows >> g & 1:
                if lasted_s > group.yellow_s:
                    yield Violation(Rule.YELLOW_LONG, (g,), lasted_s, group.yellow_s)
            elif lasted_s > self._red_max_s(g):
                yield Violation(Rule.RED_MAX, (g,), lasted_s, self._red_max_s(g))

    def _cut(self, at: int, g: int) -> Iterator[Violation]:
        """The intergreens that a green group cuts: of groups that were seen to end, or that are yellow still."""
        for i in members(self._rounds.conflicts[g] & ~self._greens):
            least_s = self._intergreens[i][g] or 0
            since_s = at - self._ended[i]
            if self._yellows >> i & 1 or (self._ends_seen >> i & 1 and since_s < least_s):
                walked = self._groups[i].users is Users.PEDESTRIANS
                yield Violation(Rule.PEDESTRIAN_CLEARANCE if walked else Rule.INTERGREEN, (i, g), since_s, least_s)

    def _red_max_s(self, g: int) -> int:
        group = self._groups[g]
        return group.red_max_served_s if self._extended >> g & 1 else group.red_max_s

    def still(self, second: Second, wanted: frozenset[int]) -> bool:
        """Whether the next second may pass without a look, and it has passed then: it shows what the one before did,
        the same is wished, and nothing is due. It is as if `refusal` and `see` had been asked, with nobody
        announced."""
        if self._at >= self._still_until or wanted is not self._wish or second is not self._last or self._timed:
            return False
        self._at += 1
        return True

    # -- what may be asked for --------------------------------------------------------------------------------------

    def refusal(self, wanted: frozenset[int]) -> Refusal | None:
        """Why these greens, and red for all others, may not be asked for in the second that comes; None if they may."""
        if self._last is None:
            return Refusal(Rule.NOT_IN_COLOURS)
        if wanted is not self._wish:
            if not wanted <= self._everyone:
                return Refusal(Rule.NO_SUCH_GROUP)
            self._wish, self._wish_bits = frozenset(wanted), mask(wanted)
            self._wish_fights = clash(self._rounds.conflicts, self._wish_bits)
            self._still_until = 0
        bits = self._wish_bits
        if self._wish_fights:
            return Refusal(Rule.CONFLICT, members(self._wish_fights))
        shown = self._greens
        if bits != shown:
            cut = self._young(shown & ~bits)
            if cut:
                return Refusal(Rule.GREEN_MIN, members(cut))
            shown = self._follow(bits)
        patient_until = self._earliest - self._rounds.round_s + 1
        if self._at < patient_until:
            self._timed[shown] = None
        elif shown == self._greens and self._at < self._held_until:
            self._timed[shown] = self._held_order
            patient_until = self._held_until
        else:
            return self._timely(shown)
        if shown == self._greens:
            starts = [self._ready[g] for g in members(bits & ~shown) if self._ready[g] > self._at]
            self._still_until = min([patient_until, self._watch, *starts])
        return None

    def _timely(self, shown: int) -> Refusal | None:
        """Whether a round from a second with these greens serves everybody in time, or they were promised."""
        late = self._late(shown)
        if late:
            self.promise()
            if shown not in self._timed:
                return Refusal(Rule.RED_MAX, late)
        return None

    def promise(self) -> frozenset[int] | None:
        """The greens that are never refused: the next step of a round that serves every waiting group in time.

        Where none was timed, because the junction did not do what was asked of it or was away, it is the round that
        serves who waits longest first. None while nothing is known of what is shown: nothing may be asked for then,
        not even that all be red, which would cut short whatever is green.
        """
        if self._last is None:
            return None
        self._still_until = 0
        rounds, greens = self._rounds, self._greens
        order = self._to_visit(self._promise) or self._to_visit(self._longest_first(greens, self._ended))
        wish = greens
        if order:
            wish = young = self._young(greens)
            for g in members(rounds.stages[order[0]]):
                if not rounds.conflicts[g] & young:
                    wish |= 1 << g
        self._timed[self._follow(wish)] = order
        return frozenset(members(wish))

    def _to_visit(self, order: tuple[int, ...] | None) -> tuple[int, ...]:
        """What is left of a round: without the stages at its head that are green, and no others."""
        left = order or ()
        while left and self._rounds.stages[left[0]] == self._greens:
            left = left[1:]
        return left

    def _longest_first(self, greens: int, ended: list[int]) -> tuple[int, ...]:
        waiting = members(self._rounds.all & ~greens)
        return self._rounds.order(sorted(waiting, key=ended.__getitem__))

    def _young(self, greens: int) -> int:
        """Those of some greens that have not had their minimum when the second comes."""
        least_s, since, at = self._rounds.green_min_s, self._since, self._at
        return mask(g for g in members(greens) if at - since[g] < least_s[g])

    def _follow(self, wish: int) -> int:
        """What is green in the second that comes if a wish is followed."""
        greens, conflicts, ready, at = self._greens, self._rounds.conflicts, self._ready, self._at
        shown = greens & wish
        for g in members(wish & ~greens):
            if ready[g] <= at and not conflicts[g] & greens:
                shown |= 1 << g
        return shown

    def _late(self, shown: int) -> tuple[int, ...]:
        """The groups that a round would serve too late once these greens have been shown; if none, it is kept."""
        rounds, at, greens = self._rounds, self._at, self._greens
        since, ended, ready, due = self._since, self._ended, self._ready, self._due
        dropped, risen = greens & ~shown, shown & ~greens
        if dropped:
            ended, ready, due = ended.copy(), ready.copy(), due.copy()
            for i in members(dropped):
                ended[i] = at
                due[i] = at + self._groups[i].yellow_s + self._groups[i].red_max_s
                for j, after_s in rounds.holds[i]:
                    ready[j] = max(ready[j], at + after_s)
        if risen:
            since = since.copy()
            for j in members(risen):
                since[j] = at
        order = self._longest_first(shown, ended)
        starts = rounds.starts(at + 1, shown, since, ready, order)
        waiting = members(rounds.all & ~shown)
        late = tuple(g for g in waiting if starts[g] > due[g])
        if not late:
            self._timed[shown] = order
            if shown == greens:
                # As long as nothing changes, the same round begins a second later each second, and serves nobody later
                # than that.
                spare_s = min((due[g] - starts[g] for g in waiting), default=0)
                self._held_until, self._held_order = at + spare_s + 1, order
        return late
