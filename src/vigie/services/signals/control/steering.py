"""Steering: which junctions the post asks for stages now, which go by their own plan, and what it asks.

One step a second, told what each junction has told since the step before. Its laws:

1. Nothing is asked for that the junction's kernel refuses. The post keeps a kernel of its own for each junction, fed
   with each second that the junction has told, and believes neither its controller nor the roadside's.
2. A junction is steered while no lock-out holds it, its link stands, its seconds come and are of now, it shows colours,
   half of its loops count, and its inputs stand as it was asked. Else nothing is asked of it, and its plan decides; all
   being so again for `BACK_S`, it is steered again.
3. A second that breaks a rule, by more than what its way to the post may add (`JITTER_S`), ends the steering of its
   junction until somebody orders it anew (`take`), also after a start: who keeps the junctions says which were unsafe.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence, Set
from dataclasses import dataclass, field
from enum import StrEnum
from math import isfinite
from typing import TYPE_CHECKING

from vigie.services.signals.control.calls import Calls
from vigie.services.signals.control.claims import Claim, fits
from vigie.services.signals.control.site import OCCUPIED, UNKNOWN, Site
from vigie.services.signals.junction import Colour, Second
from vigie.services.signals.priority.passages import Passage, claims_of
from vigie.services.signals.safety import Kernel, Refusal, Rule, Unfit, Violation

if TYPE_CHECKING:
    from vigie.services.signals.control.adaptive import Adaptive

SILENT_S_MAX = 5
"""A junction that has told no second for so long is not steered, nor one whose last second began longer ago."""

JITTER_S = 1
"""By so much colours may seem to have lasted longer or shorter than they did: they are told apart from the seconds."""

FOLLOWED_S = 10
"""For so long a junction may be asked for what its inputs do not show: the roadside has forgotten it by then."""

BACK_S = 60
"""So long all that it takes must have been there before a junction that fell back is steered again."""

RENEWED_S = 4
"""A stage that goes on being asked for is asked for anew so often: the roadside forgets one that is not (its
`INPUTS_FRESH_S`), and two of three may be lost on the way."""

HEARD_MIN = 0.5
"""The part of a junction's loops that must count."""

SUMMED_MAX = 2
"""Seconds of one step whose counts are put together: one may come late, and two in one step. More than that are history
that was held up, and no picture of now."""


class Because(StrEnum):
    """Why a junction is steered or is not; a text's key ends in it."""

    ORDERED = "ordered"
    """It is steered, as somebody has ordered."""
    UNORDERED = "unordered"
    """Nobody has ordered that it be steered, or somebody that it be not."""
    LOCKED_OUT = "locked_out"
    """Somebody works there: nothing is asked of it, not even that it forget what was."""
    LINK = "link"
    SILENT = "silent"
    """It tells no seconds."""
    LATE = "late"
    """Its seconds are of long ago, or its clock is wrong."""
    COLOURS = "colours"
    """It flashes, is dark, or starts."""
    DETECTORS = "detectors"
    NOT_FOLLOWED = "not_followed"
    """Its inputs do not stand as it was asked."""
    SETTLING = "settling"
    """All is there again, and not for long enough."""
    UNSAFE = "unsafe"
    UNFIT = "unfit"
    """Its document is none to control by, or not of what it shows."""
    NO_INPUTS = "no_inputs"
    """It has no site, or that has no input for each of its stages."""
    STARTING = "starting"
    """The post has not begun to steer it yet."""


@dataclass(frozen=True, slots=True)
class Heard:
    """A second that a junction told. second: what its groups showed, None where that was no colours. counts: by
    detector, as `Controller.decide` takes them. missed: whether seconds before it were not told. age_s: how long ago it
    began."""

    second: Second | None
    counts: tuple[int, ...]
    missed: bool = False
    age_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Told:
    """What a junction told since the last step. locked_out: whether a lock-out holds it. standing: the stages that its
    inputs ask for now; None where it does not say."""

    linked: bool
    seconds: Sequence[Heard] = ()
    locked_out: bool = False
    standing: frozenset[int] | None = None


@dataclass(frozen=True, slots=True)
class Asking:
    """Stage to ask of a junction now, by its index; None to ask for none any more."""

    junction: str
    stage: int | None


@dataclass(frozen=True, slots=True)
class Why:
    """What a junction's last choice was made of. stage: the one that is shown, None between two. chosen: what was
    chosen; asked: what is asked for, None for nothing. stay_cost, change_cost: vehicle-seconds that the best play costs
    that stays, and the best that changes at once; None where there is none. refused: why not what was chosen."""

    stage: int | None
    chosen: int
    asked: int | None
    stay_cost: float | None
    change_cost: float | None
    refused: Refusal | None


@dataclass(slots=True)
class Steered:
    """A junction that is to be steered. kernel: its judge at the post, None for a document that has none. because:
    why it is steered or not. needed_s: for how long all must be there before it is. calls: who is announced to it, as
    far as the post knows. unfollowed_s: for how long its inputs have not stood as it was asked. violations: what made
    it unsafe. refused: wishes that the kernel kept from being asked, by rule."""

    site: Site
    kernel: Kernel | None
    because: Because = Because.SILENT
    needed_s: int = 1
    second: Second | None = None
    counts: tuple[int, ...] = ()
    calls: Calls = field(default_factory=lambda: Calls(()))
    silent_s: int = SILENT_S_MAX
    age_s: float = 0.0
    there_s: int = 0
    unfollowed_s: int = 0
    asked: int | None = None
    asked_at: int = 0
    why: Why | None = None
    violations: tuple[Violation, ...] = ()
    refused: Counter[Rule] = field(default_factory=Counter[Rule])

    @property
    def is_steered(self) -> bool:
        """Whether the post decides."""
        return self.because is Because.ORDERED

    @property
    def is_awaited(self) -> bool:
        """Whether it tells its seconds."""
        return self.silent_s < SILENT_S_MAX


class Steering:
    """All junctions that are to be steered. junctions: by their ids. unfit_claims: how many were of no group that
    there is, or no numbers, and were left out."""

    def __init__(self) -> None:
        self.junctions: dict[str, Steered] = {}
        self.unfit_claims = 0
        self._names: list[str] = []
        self._order: list[Steered] = []
        self._stage_of: list[dict[frozenset[int], int]] = []
        self._adaptive: Adaptive | None = None
        self._at = 0

    def keep(self, sites: Mapping[str, Site], unsafe: Set[str] = frozenset()) -> None:
        """These junctions are to be steered, and no others. One whose document is as it was goes on as it did; what the
        controller has learned begins anew with each change. unsafe: those that come new and were found unsafe before.
        """
        before = self.junctions
        if {name: each.site for name, each in before.items()} == dict(sites):
            return
        self.junctions = {
            name: before[name] if name in before and before[name].site == site else _steered(site, name in unsafe)
            for name, site in sites.items()
        }
        self._names = [name for name, each in self.junctions.items() if each.kernel is not None]
        self._order = [self.junctions[name] for name in self._names]
        self._stage_of = [
            {stage.greens: at for at, stage in reversed([*enumerate(each.site.junction.stages)])}
            for each in self._order
        ]
        self._adaptive = None
        if self._order:
            # A post that steers nothing does without the compiler, which takes 130 MB.
            from vigie.services.signals.control.adaptive import Adaptive

            self._adaptive = Adaptive([each.site for each in self._order])

    def take(self, name: str) -> None:
        """Somebody orders anew that a junction be steered: what was wrong with it is forgotten."""
        steered = self.junctions.get(name)
        if steered is not None and steered.kernel is not None and steered.because is Because.UNSAFE:
            steered.kernel.lost()
            steered.because, steered.violations = Because.SETTLING, ()
            steered.needed_s, steered.there_s = 1, 0

    def step(self, told: Mapping[str, Told], passages: Sequence[Passage] = ()) -> list[Asking]:
        """One second on: what is to be asked of junctions now. told: of each junction, by its id. passages: who comes
        with a right to go first, where junctions are steered or not."""
        self._at += 1
        nothing = Told(False)
        asking: list[Asking] = []
        for name, steered in self.junctions.items():
            if steered.kernel is not None:
                self._hear(steered, steered.kernel, told.get(name, nothing))
        if self._adaptive is not None:
            counts = [each.counts for each in self._order]
            shown = [each.second or _all_red(each.site) for each in self._order]
            numbers = {name: at for at, name in enumerate(self._names) if self.junctions[name].is_steered}
            self._adaptive.hear(self._fitting(claims_of(passages, numbers)))
            wishes = self._adaptive.decide(self._at, counts, shown)
            for at, wish in enumerate(wishes):
                self._choose(at, wish)
        for name, steered in self.junctions.items():
            wanted = steered.why.asked if steered.is_steered and steered.why is not None else None
            if steered.because is Because.LOCKED_OUT:
                steered.asked = None
                continue
            changes = wanted != steered.asked
            if changes or (wanted is not None and self._at - steered.asked_at >= RENEWED_S):
                asking.append(Asking(name, wanted))
                steered.asked, steered.asked_at = wanted, self._at
        return asking

    def _fitting(self, claims: Sequence[Claim]) -> list[Claim]:
        """Those claims that are some: one that is wrong costs nobody else anything."""
        groups = [len(each.site.junction.groups) for each in self._order]
        found = [each for each in claims if fits(each, groups)]
        self.unfit_claims += len(claims) - len(found)
        return found

    def _hear(self, steered: Steered, kernel: Kernel, told: Told) -> None:
        """Takes in what a junction told, and whether it is to be steered by it."""
        groups = len(steered.site.junction.groups)
        violations: list[Violation] = []
        fits = True
        for heard in told.seconds:
            fits = heard.second is None or len(heard.second) == groups
            steered.second = heard.second if fits else None
            if heard.missed:
                kernel.lost()
            if steered.second is None:
                kernel.away()
                steered.calls = Calls([steered.site])
            else:
                if heard.counts:
                    steered.calls.see([heard.counts], [steered.second])
                found = kernel.see(steered.second, steered.calls.called(0))
                violations += [each for each in found if _is_sure(each, steered.second)]
        if told.seconds:
            steered.silent_s, steered.age_s = 0, told.seconds[-1].age_s
            steered.counts = _summed([each.counts for each in told.seconds[-SUMMED_MAX:]])
        else:
            steered.silent_s += 1
            steered.counts = _quiet(steered.counts, len(steered.site.junction.detectors))
        follows = steered.asked is None or told.standing == frozenset({steered.asked})
        steered.unfollowed_s = 0 if follows else steered.unfollowed_s + 1
        self._judge(steered, _lacks(steered, told, fits=fits), violations)

    def _judge(self, steered: Steered, lacks: Because | None, violations: Sequence[Violation]) -> None:
        if violations and steered.because is not Because.UNSAFE:
            steered.because, steered.violations = Because.UNSAFE, tuple(violations)
        if lacks is not None:
            steered.there_s = 0
            steered.counts = (UNKNOWN,) * len(steered.site.junction.detectors)
        else:
            steered.there_s += 1
        if steered.because is Because.UNSAFE:
            return
        if lacks is not None:
            if steered.is_steered:
                steered.needed_s = BACK_S
            steered.because = lacks
        elif steered.there_s >= steered.needed_s:
            steered.because = Because.ORDERED
        elif steered.because is not Because.NOT_FOLLOWED:
            # Whether it follows now, only asking it again can tell.
            steered.because = Because.SETTLING

    def _choose(self, at: int, wish: frozenset[int]) -> None:
        """What is asked of a junction: what was chosen for it, or where its kernel refuses that, what the kernel lets
        be asked that serves best whom it has promised to."""
        steered, stages = self._order[at], self._stage_of[at]
        assert steered.kernel is not None
        assert self._adaptive is not None
        if not steered.is_steered or steered.second is None:
            steered.why = None
            return
        wish = _begun(wish, stages, steered)
        chosen = stages[wish]
        refused = steered.kernel.refusal(wish)
        asked: int | None = chosen
        if refused is not None:
            steered.refused[refused.rule] += 1
            asked = _instead(steered.kernel, stages)
        greens = frozenset(g for g, colour in enumerate(steered.second) if colour is Colour.GREEN)
        shown = None if Colour.YELLOW in steered.second else stages.get(greens)
        stay, change = float(self._adaptive.stay_cost[at]), float(self._adaptive.change_cost[at])
        steered.why = Why(shown, chosen, asked, _finite(stay), _finite(change), refused)


def _steered(site: Site, unsafe: bool) -> Steered:
    try:
        because = Because.UNSAFE if unsafe else Because.SILENT
        return Steered(site, Kernel(site.junction), because, calls=Calls([site]))
    except Unfit:
        return Steered(site, None, Because.UNFIT)


def _lacks(steered: Steered, told: Told, *, fits: bool) -> Because | None:
    """What a junction lacks to be steered."""
    if told.locked_out:
        return Because.LOCKED_OUT
    if not told.linked:
        return Because.LINK
    if steered.silent_s >= SILENT_S_MAX:
        return Because.SILENT
    if steered.age_s > SILENT_S_MAX:
        return Because.LATE
    if not fits:
        return Because.UNFIT
    if steered.second is None:
        return Because.COLOURS
    loops = loops_of(steered.site)
    heard = sum(steered.counts[at] != UNKNOWN for at in loops)
    if heard < HEARD_MIN * len(loops) or not loops:
        return Because.DETECTORS
    return Because.NOT_FOLLOWED if steered.unfollowed_s >= FOLLOWED_S else None


def _is_sure(violation: Violation, second: Second) -> bool:
    """Whether a second breaks a rule however it came to the post. Who is green beside another's yellow is so in it."""
    apart_s = abs(violation.is_s - violation.limit_s)
    beside_yellow = len(violation.groups) > 1 and second[violation.groups[0]] is Colour.YELLOW
    return not violation.limit_s or apart_s > JITTER_S or beside_yellow


def _begun(wish: frozenset[int], stages: Mapping[frozenset[int], int], steered: Steered) -> frozenset[int]:
    """The stage to ask for a wish that has been left those out who may not begin yet: itself, where it is a stage
    without them, else the largest in it; where there is none, what was asked for goes on."""
    if wish in stages:
        return wish
    within = [stage for stage in stages if stage and stage <= wish]
    if within:
        return max(within, key=lambda stage: (len(stage), -stages[stage]))
    return next((stage for stage, at in stages.items() if at == steered.asked), next(iter(stages)))


def _instead(kernel: Kernel, stages: Mapping[frozenset[int], int]) -> int | None:
    """The stage that may be asked for and has most in common with what the kernel has promised; None for none."""
    promise = kernel.promise()
    if promise is None:
        return None
    ordered = sorted(stages, key=lambda greens: (-len(greens & promise), len(greens), stages[greens]))
    return next((stages[greens] for greens in ordered if kernel.refusal(greens) is None), None)


def loops_of(site: Site) -> tuple[int, ...]:
    """The loops among a junction's detectors, by their places: a site tells a value for each, in this order. Nobody
    drives over a button."""
    buttons = set(buttons_of(site))
    return tuple(
        at for at, detector in enumerate(site.junction.detectors) if detector.length_m == 0 and at not in buttons
    )


def buttons_of(site: Site) -> tuple[int, ...]:
    """The push-buttons among a junction's detectors, by their places."""
    return tuple(sorted({at for places in site.buttons for at in places}))


def logics_of(site: Site) -> tuple[int, ...]:
    """What a controller has a detector logic for, by their places among a junction's detectors: each loop, then each
    push-button. A site tells of them in this order, and numbers them by it from 1."""
    return (*loops_of(site), *buttons_of(site))


def counts_of(
    site: Site,
    vehicles: Sequence[int],
    occupancies: Sequence[int],
    logics: str = "",
    faulty: Set[int] = frozenset(),
) -> tuple[int, ...]:
    """What each detector of a junction counted in a second, from what is told of its loops and buttons; one of which
    nothing is told says nothing, and no area ever does. vehicles: that left each loop, UNKNOWN where it is dead.
    occupancies: in how much of the second somebody was on it, in percent. logics: 1 or 0 for each loop and then each
    button that is active; what has another length is of other detectors. faulty: the places of those whose fault the
    controller has found, whatever else is told of them: one that is stuck counts on."""
    counts = [UNKNOWN] * len(site.junction.detectors)
    loops, buttons = loops_of(site), buttons_of(site)
    for n, at in enumerate(loops):
        if n < len(vehicles) and vehicles[n] >= 0:
            stands = vehicles[n] == 0 and n < len(occupancies) and occupancies[n] >= 100
            counts[at] = OCCUPIED if stands else vehicles[n]
    if len(logics) == len(loops) + len(buttons):
        for at, said in zip(buttons, logics[len(loops) :], strict=True):
            counts[at] = int(said) if said in "01" else UNKNOWN
    for at in faulty:
        counts[at] = UNKNOWN
    return tuple(counts)


def _summed(counts: Sequence[tuple[int, ...]]) -> tuple[int, ...]:
    """Seconds put together: who left in all of them; where nobody did, what the last says."""
    last = counts[-1]
    if len(counts) == 1:
        return last
    sums = [sum(max(each, 0) for each in own) for own in zip(*counts, strict=True)]
    return tuple(total or now for total, now in zip(sums, last, strict=True))


def _quiet(counts: tuple[int, ...], detectors: int) -> tuple[int, ...]:
    """A second of which nothing has come yet: nobody has left a loop, and whoever stood on it does."""
    if not counts:
        return (UNKNOWN,) * detectors
    return tuple(min(each, 0) for each in counts)


def _all_red(site: Site) -> Second:
    return (Colour.RED,) * len(site.junction.groups)


def _finite(cost: float) -> float | None:
    return cost if isfinite(cost) else None
