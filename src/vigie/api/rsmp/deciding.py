"""Who decides at a junction and why, second by second: what the post weighed, and what its safety kernel refused."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from vigie.api.access import Caller
from vigie.api.city.forms import Form
from vigie.api.city.sources import Sources
from vigie.api.operation import Ask, Nothing, Operation
from vigie.api.rsmp.priority import Going
from vigie.api.rsmp.steering import Deciding
from vigie.api.signals.door import seen
from vigie.core.times import rfc3339
from vigie.services.signals.control.claims import Sort
from vigie.services.signals.control.steering import Why
from vigie.services.signals.junction import Junction as JunctionDocument


class RefusedForm(Form, frozen=True, kw_only=True):
    """A rule of the safety kernel that was held against a wish or a second. groups: whom it is about, by name; of a
    wish whom it protects. is_s, limit_s: of a second, how long something was and how long it had to be; None where no
    time is meant."""

    rule: str
    groups: Sequence[str]
    is_s: int | None = None
    limit_s: int | None = None


class WeighedForm(Form, frozen=True, kw_only=True):
    """What the last choice was made of. Stages by their numbers in the junction's document, from 1. stage: what is
    shown; chosen: what was chosen; asked: what the controller is asked for. stay_cost_veh_s, change_cost_veh_s: what
    the best course costs that stays, and the best that changes at once. refused: why the kernel kept the chosen stage
    from being asked for."""

    stage: int | None
    chosen: int
    asked: int | None
    stay_cost_veh_s: float | None
    change_cost_veh_s: float | None
    refused: RefusedForm | None


class CountedForm(Form, frozen=True, kw_only=True):
    """What a detector has told. vehicles: that left it in the last minute; occupancy_pct: the part of it in which
    somebody was on it; asks: whether somebody waits at a button; each None of what does not tell it. at: the last
    second of which it told anything that counts. silent: whether it told nothing while others did. faulty: whether its
    controller has found its fault, and what it tells is not heard."""

    vehicles: int | None
    occupancy_pct: float | None
    asks: bool | None
    at: str | None
    silent: bool
    faulty: bool


class GoingForm(Form, frozen=True, kw_only=True):
    """Somebody who comes with a right to go first. sort: `bus`, `tram` or `emergency`. vehicle, name: which, and late_s
    how late, where you may see it; else None. groups: that let it go, by name; several where its way is not known.
    comes_deg: from which side, clockwise from north. eta_s: until it is at the stop line. state: `claimed` is weighed
    by the post; `waits` goes after another emergency; `asked` is asked of the controller, and the states of S0033 are
    what that says of it; empty where nothing is done. escorted: whether a person has ordered that its way be
    cleared."""

    sort: str
    vehicle: str | None
    name: str | None
    groups: Sequence[str]
    comes_deg: float
    eta_s: float
    late_s: float | None
    state: str
    escorted: bool


class DecidingForm(Form, frozen=True, kw_only=True):
    """Who decides at a junction. decides: `priority` while what is asked lets somebody go first, `adaptive` while the
    post chooses its stages, else `plan`. ordered: whether somebody has ordered that the post does. because: why it does
    or does not; since: when that began, None where nobody looked. going: who comes with a right to go first. broken:
    what made the junction unsafe. refused: how many wishes the kernel refused, by rule. counted: what each
    detector of the document has told, in its order; empty where no second was."""

    id: str
    decides: str
    ordered: bool
    because: str
    since: str | None
    weighed: WeighedForm | None
    going: Sequence[GoingForm]
    broken: Sequence[RefusedForm]
    refused: dict[str, int]
    counted: Sequence[CountedForm]


class DecidingDoor:
    """The operation on who decides."""

    def __init__(self, sources: Sources, deciding: Callable[[str], Deciding]) -> None:
        """deciding: who does at a junction, by its id."""
        self._sources, self._deciding = sources, deciding

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [Operation("GET", "signals/junctions/{id}/deciding", self.tell, answer=DecidingForm)]

    async def tell(self, ask: Ask[Nothing, Nothing]) -> DecidingForm:
        """Tells who decides on the stages of a junction now, since when, and why."""
        asset = ask.part("id")
        seen(self._sources, ask.caller, asset)
        now = self._deciding(asset)
        document = now.document.junction if now.document is not None else None
        return DecidingForm(
            id=asset,
            decides="priority" if now.gives_way else "adaptive" if now.is_steered else "plan",
            ordered=now.ordered,
            because=now.because.value,
            since=rfc3339(now.since_us) if now.since_us is not None else None,
            weighed=_weighed(now.why, document) if now.why is not None and document is not None else None,
            going=[self._going(each, ask.caller) for each in now.going],
            broken=[
                RefusedForm(
                    rule=each.rule.value,
                    groups=_names(document, each.groups),
                    is_s=each.is_s if each.limit_s else None,
                    limit_s=each.limit_s or None,
                )
                for each in now.violations
            ],
            refused={rule.value: times for rule, times in now.refused.items()},
            counted=[
                CountedForm(
                    vehicles=each.vehicles,
                    occupancy_pct=each.occupancy_pct,
                    asks=each.asks,
                    at=rfc3339(each.at_us) if each.at_us is not None else None,
                    silent=each.silent,
                    faulty=each.faulty,
                )
                for each in now.counted
            ],
        )

    def _going(self, going: Going, caller: Caller) -> GoingForm:
        """Who comes: its name for whoever may see where it is, and that somebody does for all others."""
        registry, each = self._sources.engine.registry, going.passage
        seen = bool(self._sources.sight(caller).covered[each.vehicle])
        return GoingForm(
            sort=each.sort.value,
            vehicle=registry.ids[each.vehicle] if seen else None,
            name=registry.names[each.vehicle] if seen else None,
            groups=going.groups,
            comes_deg=each.comes_deg,
            eta_s=round(each.eta_s),
            late_s=each.late_s if seen and each.sort is not Sort.EMERGENCY else None,
            state=going.state,
            escorted=going.escorted,
        )


def _weighed(why: Why, document: JunctionDocument) -> WeighedForm:
    refused = why.refused
    return WeighedForm(
        stage=_number(why.stage),
        chosen=why.chosen + 1,
        asked=_number(why.asked),
        stay_cost_veh_s=why.stay_cost,
        change_cost_veh_s=why.change_cost,
        refused=RefusedForm(rule=refused.rule.value, groups=_names(document, refused.groups)) if refused else None,
    )


def _number(stage: int | None) -> int | None:
    return None if stage is None else stage + 1


def _names(document: JunctionDocument | None, groups: Sequence[int]) -> list[str]:
    return [document.groups[group].name for group in groups] if document is not None else []
