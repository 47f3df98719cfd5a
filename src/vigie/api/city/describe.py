"""The engine's columns put into the words of the API. Shared by HTTP and the live door, so that they agree."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from vigie.api.access import Caller
from vigie.api.city import forms
from vigie.api.city.sight import Sight, places
from vigie.api.city.sources import Sources
from vigie.core.kinds import Action, AssetKind, Attribute, Hold, Param, Point, Quality, Sort
from vigie.core.lives import LIVES, Life
from vigie.core.observations import Mask
from vigie.core.times import SECOND_US, rfc3339
from vigie.engine.conditions import Condition
from vigie.engine.loop import Engine
from vigie.engine.picture import NEVER_US
from vigie.engine.registry import Registry
from vigie.store.conditions import PastCondition


def value_of(point: Point[Any], value: float, value2: float = math.nan, text: str | None = None) -> forms.Value:
    """A value as it is kept, as the API says it: a choice by its name, a place as a pair, an unknown one as None."""
    if point.sort is Sort.TEXT:
        return text
    if math.isnan(value):
        return None
    match point.sort:
        case Sort.FLAG:
            return bool(value)
        case Sort.CHOICE:
            return point.choices[int(value)] if 0 <= value < len(point.choices) else None
        case Sort.PLACE:
            return (value, value2)
        case _:
            return value


def rows(engine: Engine, sight: Sight, numbers: Sequence[int], now_us: int) -> list[forms.AssetRow]:
    """Assets as rows of a list, in the order of their numbers given. Who sees them decides what their state says."""
    registry, picture = engine.registry, engine.picture
    picture.fit()
    engine.conditions.fit()
    at = np.asarray(numbers, np.int64)
    worst = np.where(sight.covered[at], engine.conditions.worst[at], 0).tolist()
    whole: list[NDArray[Any]] = [registry.kind, registry.area, registry.street, registry.base]
    kinds, areas, streets, bases = (_ints(column[at]) for column in whole)
    lons, lats = map(_floats, places(engine, sight, at))
    covered = sight.covered[at].tolist()
    made: list[forms.AssetRow] = []
    for row, no in enumerate(_ints(at)):
        kind = registry.kinds[kinds[row]]
        shown = _shown(engine, kind, bases[row], now_us, all_points=covered[row])
        made.append(
            forms.AssetRow(
                no=no,
                id=registry.ids[no],
                kind=kind.kind,
                name=registry.names[no],
                lon=lons[row],
                lat=lats[row],
                area=registry.areas[areas[row]],
                street=registry.streets[streets[row]] or None,
                state=forms.State(worst=worst[row], shown=shown),
            )
        )
    return made


def _shown(engine: Engine, kind: type[AssetKind], base: int, now_us: int, *, all_points: bool) -> forms.Shown | None:
    point = kind.points.get(kind.shown)
    if point is None or not (all_points or point.public):
        return None
    slot = base + tuple(kind.points).index(kind.shown)
    picture = engine.picture
    observed = int(picture.observed_us[slot])
    if observed == NEVER_US:
        return None
    value = value_of(point, float(picture.value[slot]), float(picture.value2[slot]), picture.texts.get(slot))
    return forms.Shown(point=point.name, value=value, at=rfc3339(observed), old=is_old(point, observed, now_us))


def is_old(point: Point[Any], observed_us: int, now_us: int) -> bool:
    """Whether a value is past its time."""
    return observed_us + int(point.valid_s * SECOND_US) < now_us


def readings(engine: Engine, sight: Sight, no: int, now_us: int) -> list[forms.Reading]:
    """The newest value of each point of an asset that the caller may read and that ever had one. Where it is not
    followed now, what is known of before is not told as if it were of now."""
    registry, picture = engine.registry, engine.picture
    picture.fit()
    reticent = engine.reticences.now(no, now_us)
    unfollowed = () if reticent is None else reticent.points
    said: list[forms.Reading] = []
    for ordinal, point in enumerate(registry.kind_of(no).points.values()):
        slot = int(registry.base[no]) + ordinal
        observed = int(picture.observed_us[slot])
        if observed == NEVER_US or not (point.public or sight.covered[no]) or point in unfollowed:
            continue
        said.append(
            forms.Reading(
                point=point.name,
                value=value_of(point, float(picture.value[slot]), float(picture.value2[slot]), picture.texts.get(slot)),
                at=rfc3339(observed),
                received=rfc3339(int(picture.received_us[slot])),
                old=is_old(point, observed, now_us),
                quality=Quality(int(picture.quality[slot])).name.lower(),
            )
        )
    return said


def condition_of_asset(condition: Condition) -> forms.ConditionOfAsset:
    """A condition as the sheet of its asset shows it."""
    return forms.ConditionOfAsset(**_condition(condition))


def acknowledgers(sources: Sources, caller: Caller, conditions: Sequence[Condition]) -> Mapping[str, str]:
    """Who acknowledged a condition, by the condition's id, where this caller may read what they are called."""
    return {
        each.id: by
        for each in conditions
        if (by := each.acknowledged_by) and (by == caller.actor or sources.reads_people(caller, each.asset))
    }


def alarms(
    engine: Engine,
    sight: Sight,
    conditions: Sequence[Condition],
    now_us: int,
    named: Mapping[str, str],
    people: Mapping[str, str],
) -> list[forms.Alarm]:
    """Open conditions with their assets; those that the caller does not fully see are left out. named: as
    `acknowledgers` says; people: what they are called."""
    mine = [each for each in conditions if sight.covered[each.asset]]
    described = rows(engine, sight, [each.asset for each in mine], now_us)
    return [
        forms.Alarm(
            **_condition(each),
            asset=asset,
            acknowledged_by=forms.Who(id=by, name=people.get(named.get(each.id, "")))
            if (by := each.acknowledged_by)
            else None,
        )
        for each, asset in zip(mine, described, strict=True)
    ]


def past_alarms(engine: Engine, sight: Sight, conditions: Sequence[PastCondition], now_us: int) -> list[forms.Alarm]:
    """Conditions as the tables have them, all of which the caller may read; what the state of an asset says now is left
    out where they do not fully see it any more."""
    described = rows(engine, sight, [each.condition.asset for each in conditions], now_us)
    return [
        forms.Alarm(**_condition(each.condition, each.cleared_us), asset=asset, acknowledged_by=None)
        for each, asset in zip(conditions, described, strict=True)
    ]


def _condition(condition: Condition, cleared_us: int | None = None) -> dict[str, Any]:
    kind = condition.kind
    return {
        "id": condition.id,
        "condition": kind.name,
        "outlet": kind.outlet.value,
        "priority": kind.priority,
        "state": condition.state,
        "raised": rfc3339(condition.raised_us),
        "cleared": None if cleared_us is None else rfc3339(cleared_us),
        "evidence": condition.evidence,
    }


def counts(registry: Registry, shown: Mask) -> dict[str, int]:
    """How many assets of each kind there are among those marked; kinds without any are left out."""
    found = np.bincount(registry.kind[: registry.count][shown], minlength=len(registry.kinds)).tolist()
    return {kind.kind: count for kind, count in zip(registry.kinds, found, strict=True) if count}


def kinds(engine: Engine, *, all_of_them: bool) -> forms.Kinds:
    """What this post knows of. Without an account: the public kinds with what of them is public, and no actions."""
    registry = engine.registry
    conditions = registry.catalogue.conditions
    return forms.Kinds(
        assets={
            kind.kind: _asset_kind(kind, code, whole=all_of_them)
            for code, kind in enumerate(registry.kinds)
            if all_of_them or kind.public
        },
        conditions={
            name: forms.ConditionKind(code=code, service=each.service, outlet=each.outlet.value, priority=each.priority)
            for code, (name, each) in enumerate(conditions.items())
            if all_of_them
        },
        lives={name: _life(life) for name, life in LIVES.items()} if all_of_them else {},
    )


def _asset_kind(kind: type[AssetKind], code: int, *, whole: bool) -> forms.AssetKind:
    points = {name: _point(each) for name, each in kind.points.items() if whole or each.public}
    return forms.AssetKind(
        code=code,
        service=kind.service,
        shape=kind.shape.value,
        icon=kind.icon,
        shown=kind.shown if kind.shown in points else "",
        public=kind.public,
        area=kind.area,
        points=points,
        attributes={name: _attribute(each) for name, each in kind.attributes.items() if whole or each.public},
        actions={name: _action(each) for name, each in kind.actions.items() if whole},
    )


def _point(point: Point[Any]) -> forms.PointKind:
    return forms.PointKind(
        sort=point.sort.value,
        unit=point.unit,
        low=_finite(point.low),
        high=_finite(point.high),
        valid_s=point.valid_s,
        public=point.public,
        choices=list(point.choices),
        stands_for=point.stands_for,
    )


def _attribute(attribute: Attribute) -> forms.AttributeKind:
    return forms.AttributeKind(
        sort=attribute.sort.value,
        unit=attribute.unit,
        choices=list(attribute.choices),
        public=attribute.public,
    )


def _action(action: Action) -> forms.ActionKind:
    proof = action.proof
    return forms.ActionKind(
        params=[_param(each) for each in action.params],
        proof=None
        if proof is None
        else forms.ProofKind(point=proof.point, param=proof.param, equals=proof.equals, tolerance=proof.tolerance),
        hazard=action.hazard.value,
        expires_s=action.expires_s,
        proof_s=action.proof_s,
        once=action.once,
        holds=_hold(action.holds),
        paced=action.pace is not None,
        answered=action.answered,
        presets={
            each.name: forms.PresetKind(params=dict(each.params), lasts_s=each.lasts_s) for each in action.presets
        },
    )


def _hold(hold: Hold | None) -> forms.HoldKind | None:
    return hold and forms.HoldKind(
        until=hold.until,
        point=hold.point,
        held=hold.held,
        free=hold.free,
        ends=hold.ends,
        end_params=dict(hold.end_params),
        keeper=hold.keeper.value,
    )


def _param(param: Param) -> forms.ParamKind:
    return forms.ParamKind(
        name=param.name,
        sort=param.sort.value,
        unit=param.unit,
        low=_finite(param.low),
        high=_finite(param.high),
        choices=list(param.choices),
        default=param.default.value if param.default else None,
        ahead_s=_finite(param.ahead_s),
    )


def _life(life: Life) -> forms.LifeKind:
    moves: dict[str, dict[str, str]] = {}
    for (origin, event), target in life.moves.items():
        moves.setdefault(origin, {})[event] = target
    return forms.LifeKind(first=life.first, last=sorted(life.last), states=list(life.states), moves=moves)


def _ints(column: NDArray[Any]) -> list[int]:
    return column.tolist()


def _floats(column: NDArray[Any]) -> list[float]:
    return column.tolist()


def _finite(bound: float) -> float | None:
    return bound if math.isfinite(bound) else None
