"""Why a circuit is lost: causes in the order of how likely the contacts, the current, the hour and the rain make them.

What happens to circuits is what those who run them say in public: water in a pole's hatch or in a joint trips the
residual current device, the more the first hours after rain; a short trips a breaker; a contactor's coil or contacts
give up; a distributor's outage takes the cabinet with it; diggers cut cables by day, thieves take copper by night, live
or not, and then nothing has tripped and the current is gone. Each cause has a weight for how often it is the reason,
and each sign multiplies the weights by how much more often it is seen with one cause than with the others: Bayes' rule
with signs taken as independent. The weights are judgements, not measurements; what is shown is an order with a rough
confidence.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Cause(StrEnum):
    """What may have happened."""

    BREAKER = "breaker"
    RESIDUAL_CURRENT = "residual_current"
    CONTACTOR = "contactor"
    SUPPLY = "supply"
    CUT = "cut"
    THEFT = "theft"


@dataclass(frozen=True)
class Signs:
    """What is seen when lamps have lost their supply; None is what the cabinet has not said.

    whole: all circuits are lost. partial: some lamps of the circuit go on living. silent: the cabinet says nothing
    either. current_gone: the current has fallen by what the lamps drew. night: dark enough for nobody to look. rain:
    it has rained within some hours.
    """

    breaker: bool | None = None
    residual_current: bool | None = None
    contactor: bool | None = None
    supply_lost: bool = False
    silent: bool | None = None
    door_open: bool | None = None
    current_gone: bool | None = None
    whole: bool = False
    partial: bool = False
    night: bool = False
    rain: bool = False


@dataclass(frozen=True)
class Ranked:
    """One cause. confidence: in %. because: the text's key of the sentence that says why."""

    cause: Cause
    confidence: int
    because: str


_B, _R, _C, _S, _X, _T = Cause

_USUALLY: Mapping[Cause, float] = {_B: 30, _R: 25, _C: 10, _S: 15, _X: 15, _T: 5}

_SEEN: tuple[tuple[str, bool, Mapping[Cause, float]], ...] = (
    ("breaker", True, {_B: 60, _X: 3, _T: 2}),
    ("breaker", False, {_B: 0.03}),
    ("residual_current", True, {_R: 60, _X: 2}),
    ("residual_current", False, {_R: 0.03}),
    ("contactor", True, {_C: 60}),
    ("contactor", False, {_C: 0.05}),
    ("supply_lost", True, {_S: 200}),
    ("silent", True, {_S: 30}),
    ("silent", False, {_S: 0.1}),
    ("door_open", True, {_T: 6, _B: 0.7, _R: 0.7}),
    ("door_open", False, {_T: 0.5}),
    ("current_gone", True, {_S: 0.7}),
    ("current_gone", False, {_B: 0.3, _C: 0.2, _S: 0.1, _X: 0.5, _T: 0.5}),
    ("whole", True, {_R: 1.5, _C: 4, _S: 6, _B: 0.5, _X: 0.4, _T: 0.5}),
    ("whole", False, {_C: 0.2, _S: 0.05}),
    ("partial", True, {_X: 6, _T: 6, _B: 0.1, _R: 0.1, _C: 0.02, _S: 0.05}),
    ("night", True, {_T: 3, _X: 0.4}),
    ("night", False, {_T: 0.3, _X: 2}),
    ("rain", True, {_R: 3}),
    ("rain", False, {_R: 0.5}),
)
"""By how much a sign makes a cause likelier; a cause that is not named stays as it is."""

_BECAUSE: tuple[tuple[Cause, Mapping[str, bool], str], ...] = (
    (_B, {"breaker": True}, "breaker_tripped"),
    (_R, {"residual_current": True, "rain": True}, "residual_current_after_rain"),
    (_R, {"residual_current": True}, "residual_current_tripped"),
    (_C, {"contactor": True}, "contactor_open"),
    (_S, {"supply_lost": True}, "no_voltage"),
    (_S, {"silent": True}, "cabinet_silent"),
    (_T, {"night": True, "current_gone": True, "door_open": True}, "night_current_door"),
    (_T, {"night": True, "current_gone": True}, "night_current"),
    (_X, {"partial": True}, "some_live_on"),
    (_X, {"current_gone": True}, "current_gone_contacts_closed"),
    (_R, {"rain": True}, "rain"),
    (_T, {"breaker": False, "residual_current": False}, "contacts_closed"),
    (_X, {"breaker": False, "residual_current": False}, "contacts_closed"),
)
"""The first whose signs are there says why; else it is what is usual."""

_TOLD_MIN = 3
"""In %: what is less likely is left out."""


def rank(signs: Signs) -> list[Ranked]:
    """The causes that are worth a look, the likeliest first."""
    weights = dict(_USUALLY)
    for name, seen, factors in _SEEN:
        if getattr(signs, name) is seen:
            for cause, factor in factors.items():
                weights[cause] *= factor
    total = sum(weights.values())
    found = [Ranked(cause, round(100 * weight / total), _because(cause, signs)) for cause, weight in weights.items()]
    found.sort(key=lambda each: -each.confidence)
    return [each for place, each in enumerate(found) if not place or each.confidence >= _TOLD_MIN]


def _because(cause: Cause, signs: Signs) -> str:
    for about, wanted, key in _BECAUSE:
        if about is cause and all(getattr(signs, name) is seen for name, seen in wanted.items()):
            return key
    return "usual"
