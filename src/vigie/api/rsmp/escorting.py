"""Whose way is being cleared, for whom, until when, and how far they have come."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vigie.api.access import Caller
from vigie.api.acts.base import Bench, allowed
from vigie.api.city.forms import Form, Page, Who
from vigie.api.operation import Ask, Nothing, Operation
from vigie.api.rsmp.escorts import Escort
from vigie.api.rsmp.steering import Deciding
from vigie.core.scope import Verb
from vigie.core.times import rfc3339
from vigie.engine.visibility import may_order

COMING, OPEN, WAITS, UNSERVED, PASSED = "coming", "open", "waits", "unserved", "passed"
"""How a junction stands: asked for, or to be; what is shown or asked lets the vehicle go; another emergency goes first;
nothing can be asked of it; behind."""


class EscortJunctionForm(Form, frozen=True, kw_only=True):
    """A junction on somebody's way. state: `passed` is behind, `open` lets the vehicle go first now, `waits` lets
    another emergency go before, `coming` is to be opened, and of one that is `unserved` nothing can be asked. eta_s:
    until the vehicle is at its stop line; None where that is not known yet, or is over."""

    id: str
    name: str
    state: str
    eta_s: float | None


class EscortForm(Form, frozen=True, kw_only=True):
    """A vehicle whose way is being cleared. order: by which; since, until: when that was given, and ends. actor and
    reason: who gave it and why, where you may read that. lost: it does not say where it is; nothing is asked for it.
    routed: whether the order says which junctions. junctions: those that you may see, in the order of the way.
    may_end: whether you may end it."""

    vehicle: str
    name: str
    order: str
    since: str
    until: str
    actor: Who
    reason: str
    lost: bool
    routed: bool
    junctions: Sequence[EscortJunctionForm]
    may_end: bool


class EscortsDoor:
    """The operation on vehicles whose way is cleared."""

    def __init__(
        self, bench: Bench, escorts: Callable[[], Sequence[Escort]], deciding: Callable[[str], Deciding]
    ) -> None:
        """escorts: those that there are. deciding: who decides at a junction, by its id."""
        self._bench, self._escorts, self._deciding = bench, escorts, deciding

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [Operation("GET", "signals/escorts", self.list, answer=Page[EscortForm])]

    async def list(self, ask: Ask[Nothing, Nothing]) -> Page[EscortForm]:
        """Lists the vehicles that you may see whose way is being cleared, the oldest order first."""
        covered = self._bench.sources.sight(ask.caller).covered
        found = [each for each in self._escorts() if covered[each.vehicle]]
        return Page(items=[self._told(each, ask.caller) for each in found], next=None)

    def _told(self, escort: Escort, caller: Caller) -> EscortForm:
        registry, command = self._bench.sources.engine.registry, escort.command
        kind = command.order.kind
        may = allowed(caller, Verb.PERSONAL, command.area, kind.service, kind.verb)
        return EscortForm(
            vehicle=registry.ids[escort.vehicle],
            name=registry.names[escort.vehicle],
            order=command.id,
            since=rfc3339(command.proposed_us),
            until=rfc3339(escort.until_us),
            actor=self._bench.who(caller, command.actor, may=may),
            reason=command.reason if may or caller.actor == command.actor else "",
            lost=escort.lost,
            routed=escort.route is not None,
            junctions=self._junctions(escort, caller),
            may_end=may_order(caller.scope, command.area, kind, command.order.action),
        )

    def _junctions(self, escort: Escort, caller: Caller) -> Sequence[EscortJunctionForm]:
        registry, covered = self._bench.sources.engine.registry, self._bench.sources.sight(caller).covered
        named = escort.route.names if escort.route is not None else ()
        passed = len(named[: escort.route.passed]) if escort.route is not None else 0
        ahead = sorted(escort.ahead.values(), key=lambda each: each.eta_s)
        way = [(name, PASSED) for name in escort.behind if name not in named]
        way += [(name, PASSED if at < passed else "") for at, name in enumerate(named)]
        way += [(each.junction, "") for each in ahead if each.junction not in named]
        return [
            EscortJunctionForm(
                id=name,
                name=registry.names[registry.numbers[name]],
                state=state or self._state(escort, name),
                eta_s=round(escort.ahead[name].eta_s) if not state and name in escort.ahead else None,
            )
            for name, state in way
            if name in registry.numbers and covered[registry.numbers[name]]
        ]

    def _state(self, escort: Escort, name: str) -> str:
        deciding = self._deciding(name)
        own = next((each for each in deciding.going if each.passage.vehicle == escort.vehicle), None)
        if own is None:
            return COMING
        if own.passage.waits:
            return WAITS
        if not own.state:
            return UNSERVED
        return OPEN if deciding.lets(own) else COMING
