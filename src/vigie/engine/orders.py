"""An order before it is given: what is asked for is checked, and what would become of each target is told.

The same examination serves the preview that a person sees and the command that is then given, so that the two cannot
part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any

import numpy as np

from vigie.core.kinds import Action, AssetKind, Catalogue, Default, Hold, Keeper, Param, Quality, Sort
from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.service import AUTOMATION, City, Guard, Numbers, Refusal
from vigie.core.sun import next_dawn_us
from vigie.core.times import HOUR_US, SECOND_US, rfc3339, to_us
from vigie.engine.admission import ANY_REPORTER
from vigie.engine.picture import NEVER_US, Picture
from vigie.engine.registry import Registry

Value = float | str | bool

TARGETS_MAX = 100_000

GONE = Refusal("engine.gone")
NO_DEVICE = Refusal("engine.no_device")


class OrderWrong(Exception):
    """What is asked for cannot be an order: the rule that it breaks, and what to put into its words."""

    def __init__(self, rule: str, **detail: str | float) -> None:
        super().__init__(rule)
        self.rule, self.detail = rule, detail


@dataclass(frozen=True)
class Order:
    """What somebody asks for, understood: an action with its parameters, and the assets it is meant for.

    assets: numbers of one kind, sorted, none twice. selection: how a person named them, as the journal says it. asked:
    a digest of what was asked for, whole: equal for the same request alone.
    """

    kind: type[AssetKind]
    action: Action
    params: Mapping[str, Value]
    assets: Numbers
    selection: Mapping[str, str] = field(default_factory=dict[str, str])
    asked: str = ""

    @property
    def name(self) -> str:
        """What the action is called, such as luminaire.dim."""
        return f"{self.kind.kind}.{self.action.name}"

    @property
    def is_automatic(self) -> bool:
        """Whether an automation gave it, and nobody."""
        return AUTOMATION in self.selection

    @property
    def proof(self) -> tuple[str, float, float] | None:
        """The point that proves it, the value it must show, and how far from it counts; None: nothing proves it."""
        proof = self.action.proof
        if proof is None:
            return None
        said = self.params[proof.param] if proof.param else proof.equals
        point = self.kind.points[proof.point]
        value = float(point.code(said)) if isinstance(said, str) else float(said or 0)
        return proof.point, value, proof.tolerance

    @property
    def until_us(self) -> int | None:
        """When what it sets is over; None where it has no end of its own."""
        holds = self.action.holds
        said = self.params.get(holds.until) if holds else None
        return to_us(datetime.fromisoformat(said)) if isinstance(said, str) else None

    def told(self, *, knows_end: bool) -> dict[str, Value]:
        """The parameters as a device is told them. knows_end: whether it is one that ends by itself what was ordered;
        another is not told what it would not understand."""
        holds = self.action.holds
        return {name: each for name, each in self.params.items() if knows_end or holds is None or name != holds.until}


def listed(said: Value | None) -> list[str]:
    """The ids that a parameter lists (`Param.lists`), in their order."""
    return said.replace(",", " ").split() if isinstance(said, str) else []


def check_listed(order: Order, registry: Registry, may: Mask) -> None:
    """All assets that a parameter lists must be of its kind, in service, and among those that may be ordered. Raises
    OrderWrong."""
    for param in order.action.params:
        for name in listed(order.params.get(param.name)) if param.lists else ():
            number = registry.numbers.get(name, 0)
            fits = number and not registry.gone[number] and registry.kind_of(number).kind == param.lists
            if not fits or not may[number]:
                raise OrderWrong("engine.not_listed", value=name[:60])


def handed_to(order: Order, registry: Registry) -> Int64s:
    """The reporter of each target; the post's own for what it carries out itself."""
    if order.action.by_post:
        return np.full(len(order.assets), ANY_REPORTER)
    return registry.reporter[order.assets].astype(np.int64)


def ends(order: Order) -> bool:
    """Whether it is the one that ends what its own action sets."""
    holds = order.action.holds
    return holds is not None and order.action.name == holds.ends and set(holds.end_params) <= set(order.params.items())


def keeper_of(order: Order) -> Keeper | None:
    """Who ends what it sets; None where nobody has to."""
    return order.action.holds.keeper if order.action.holds else None


def shown_as(kind: type[AssetKind], hold: Hold, said: str | bool) -> float:
    """The value of a hold's point, as it is kept."""
    return float(kind.points[hold.point].code(said)) if isinstance(said, str) else float(said)


@dataclass(frozen=True)
class Examined:
    """What would become of each target of an order, in the order's own order.

    refused: who is refused, and why; the first reason stands. already: whose newest value, not old, is what is asked
    for. before: the value of the point that proves it, NaN where none is known. old: whose value is past its time.
    knows_end: see `Order.told`. advice: what is to be told of whom that refuses nobody.
    """

    refused: Sequence[tuple[Mask, Refusal]]
    already: Mask
    before: Floats
    old: Mask
    knows_end: Mask
    advice: Sequence[tuple[Mask, Refusal]] = ()

    @property
    def open(self) -> Mask:
        """Who is neither refused nor already so."""
        left = ~self.already
        for mask, _ in self.refused:
            left &= ~mask
        return left


def action_named(catalogue: Catalogue, name: str) -> tuple[type[AssetKind], Action]:
    """The action called "kind.action". Raises OrderWrong."""
    kind_name, _, action_name = name.partition(".")
    kind = catalogue.assets.get(kind_name)
    action = kind.actions.get(action_name) if kind else None
    if kind is None or action is None:
        raise OrderWrong("engine.no_action", action=name)
    return kind, action


def checked(action: Action, said: Mapping[str, Any], now_us: int) -> dict[str, Value]:
    """The parameters, each of its sort and within its bounds; without those that have a default and are not said.

    Raises OrderWrong.
    """
    declared = {param.name: param for param in action.params}
    for name in said:
        if name not in declared:
            raise OrderWrong("engine.no_param", param=name)
    params: dict[str, Value] = {}
    for name, param in declared.items():
        if name not in said:
            if param.default is not None:
                continue
            raise OrderWrong("engine.param_missing", param=name)
        params[name] = _value(param, said[name], now_us)
    return params


def completed(order: Order, registry: Registry, now_us: int) -> Order:
    """The order with what stands for what was not said, reckoned at the middle of its targets."""
    holds, params = order.action.holds, dict(order.params)
    if holds is not None and ends(order):
        params.pop(holds.until, None)  # What ends something has no end itself.
        return replace(order, params=params)
    for param in order.action.params:
        if param.name not in params and param.default is Default.DAWN:
            lon, lat = registry.lon[order.assets].mean(), registry.lat[order.assets].mean()
            dawn_us = next_dawn_us(now_us, float(lon), float(lat))
            params[param.name] = rfc3339(dawn_us // SECOND_US * SECOND_US)
        if param.name not in params and param.default is Default.LONGEST:
            params[param.name] = rfc3339((now_us // SECOND_US + int(param.ahead_s)) * SECOND_US)
    return replace(order, params=params)


def _value(param: Param, said: Any, now_us: int) -> Value:
    match param.sort:
        case Sort.INSTANT if isinstance(said, str):
            # Whole seconds: no device is asked for more.
            at_us = _instant_us(said)
            if at_us is not None and at_us <= now_us:
                raise OrderWrong("engine.instant_past", param=param.name)
            if at_us is not None and at_us > now_us + param.ahead_s * SECOND_US:
                raise OrderWrong("engine.instant_far", hours=param.ahead_s * SECOND_US / HOUR_US)
            if at_us is not None:
                return rfc3339(at_us)
        case Sort.NUMBER if isinstance(said, (int, float)) and not isinstance(said, bool):
            if param.low <= said <= param.high:
                return float(said)
        case Sort.FLAG if isinstance(said, bool):
            return said
        case Sort.CHOICE if isinstance(said, str) and said in param.choices:
            return said
        case Sort.TEXT if isinstance(said, str) and len(said) <= 500:
            return said
        case _:
            pass
    raise OrderWrong("engine.param_wrong", param=param.name, value=str(said)[:60])


def _instant_us(said: str) -> int | None:
    try:
        return to_us(datetime.fromisoformat(said)) // SECOND_US * SECOND_US
    except (ValueError, OverflowError):
        return None


class Examiner:
    """Examines orders against the city as it is."""

    def __init__(
        self, registry: Registry, picture: Picture, city: City, guards: Iterable[tuple[Action, tuple[Guard, ...]]]
    ) -> None:
        self._registry, self._picture, self._city = registry, picture, city
        # Actions are found by identity: two kinds may declare actions that are equal to the letter.
        self._guards = {id(action): own for action, own in guards}
        self._advisers: dict[int, Guard] = {}

    def heed(self, action: Action, guard: Guard, adviser: Guard | None = None) -> None:
        """Has a rule of this town heeded beside those that the service declares. adviser: what it tells of those whom
        nothing refuses."""
        self._guards[id(action)] = (*self._guards.get(id(action), ()), guard)
        if adviser is not None:
            self._advisers[id(action)] = adviser

    def refusals(self, order: Order, held: Sequence[tuple[Mask, Refusal]], now_us: int) -> list[tuple[Mask, Refusal]]:
        """Who is refused and why: what no device could carry out, what is locked out, then the service's own guards.

        held: the lock-outs among the targets. The masks do not overlap: the first reason stands.
        """
        registry, assets = self._registry, order.assets
        said: list[tuple[Mask, Refusal]] = [
            (registry.gone[assets], GONE),
            *held,
            ((registry.reporter[assets] == 0) & (not order.action.by_post), NO_DEVICE),
        ]
        for guard in self._guards.get(id(order.action), ()):
            said += guard(order.params, assets, self._city, now_us)
        free = np.ones(len(assets), np.bool_)
        refused: list[tuple[Mask, Refusal]] = []
        for mask, refusal in said:
            first = mask & free
            if first.any():
                refused.append((first, refusal))
                free &= ~first
        return refused

    def examine(self, order: Order, held: Sequence[tuple[Mask, Refusal]], now_us: int) -> Examined:
        """All that a person wants to know before the order is given."""
        refused = self.refusals(order, held, now_us)
        any_refused = np.zeros(len(order.assets), np.bool_)
        for mask, _ in refused:
            any_refused |= mask
        adviser = self._advisers.get(id(order.action))
        said = adviser(order.params, order.assets, self._city, now_us) if adviser else ()
        advice = [(mask & ~any_refused, each) for mask, each in said if (mask & ~any_refused).any()]
        if order.proof is None:
            nothing = np.zeros(len(order.assets), np.bool_)
            return Examined(refused, nothing, np.full(len(order.assets), np.nan), nothing, nothing, advice)
        name, wanted, tolerance = order.proof
        point = order.kind.points[name]
        slots = self.slots(order)
        self._picture.fit()
        value, observed = self._picture.value[slots], self._picture.observed_us[slots]
        old = (observed == NEVER_US) | (observed < now_us - int(point.valid_s * SECOND_US))
        good = self._picture.quality[slots] == Quality.GOOD
        # An order that is to last must arrive, whatever rules its target at the moment.
        knows_end = self.knows_end(order)
        lasts = knows_end | np.bool_(order.until_us is not None and keeper_of(order) is Keeper.POST)
        lasts |= order.action.always
        already = ~any_refused & ~lasts & ~old & good & (np.abs(value - wanted) <= tolerance)
        return Examined(refused, already, value, old, knows_end, advice)

    def knows_end(self, order: Order) -> Mask:
        """Which targets end by themselves what was ordered, and are told when: those that have ever said what rules
        them, of an order that leaves it to them."""
        if order.until_us is None or keeper_of(order) is Keeper.POST:
            return np.zeros(len(order.assets), np.bool_)
        return self._picture.observed_us[self.hold_slots(order)] != NEVER_US

    def hold_slots(self, order: Order) -> Int64s:
        """The slots that show whether what was ordered still holds, one a target."""
        assert order.action.holds is not None
        self._picture.fit()
        return self._registry.slots_of(order.kind, order.kind.points[order.action.holds.point], order.assets)

    def dark(self, order: Order, rows: Int64s) -> Mask:
        """Which of these targets its pace counts: see `vigie.core.kinds.Pace`."""
        pace = order.action.pace
        assert pace is not None
        if pace.param and not float(order.params[pace.param]) > 0:
            return np.zeros(len(rows), np.bool_)
        self._picture.fit()
        slots = self._registry.slots_of(order.kind, order.kind.points[pace.point], order.assets[rows])
        return ~(self._picture.value[slots] > 0)

    def slots(self, order: Order) -> Int64s:
        """The slots that prove the order, one a target."""
        assert order.proof is not None
        return self._registry.slots_of(order.kind, order.kind.points[order.proof[0]], order.assets)
