"""The strip of live figures: each service in numbers, over what the caller sees fully."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from vigie.api.city import forms
from vigie.api.city.sight import Sight, sight_of
from vigie.api.city.sources import Sources
from vigie.api.operation import Ask, Nothing, Operation
from vigie.core.kinds import Shape
from vigie.core.observations import Floats
from vigie.core.scope import Scope
from vigie.core.service import Figure, How, Service
from vigie.core.times import SECOND_US
from vigie.engine.loop import Engine
from vigie.engine.standing import OLD


class FiguresDoor:
    """The operation on figures."""

    def __init__(self, sources: Sources) -> None:
        self._sources = sources

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [Operation("GET", "figures", self.figures, answer=forms.Figures)]

    async def figures(self, ask: Ask[Nothing, Nothing]) -> forms.Figures:
        """Tells each service in figures: its assets by their worst state, those not heard from, and its own figures."""
        sources = self._sources
        return figures(sources.engine, sources.services, ask.caller.scope, sources.clock.now_us())


def figures(engine: Engine, services: Sequence[Service], scope: Scope, now_us: int) -> forms.Figures:
    """The figures as a scope has them; services of which it covers nothing are left out."""
    engine.standing.catch_up(now_us)
    sight = sight_of(engine, scope)
    said = {service.name: _of_service(engine, service, sight, now_us) for service in services}
    return forms.Figures(services={name: each for name, each in said.items() if each is not None})


def _of_service(engine: Engine, service: Service, sight: Sight, now_us: int) -> forms.ServiceFigures | None:
    registry, standing = engine.registry, engine.standing
    codes = [registry.kind_codes[kind.kind] for kind in service.assets if kind.shape is Shape.POINT]
    here = sight.covered & ~registry.gone[: registry.count] & np.isin(registry.kind[: registry.count], codes)
    numbers = np.flatnonzero(here)
    if not len(numbers):
        return None
    worst = np.bincount(standing.worst[numbers], minlength=5).tolist()
    return forms.ServiceFigures(
        assets=len(numbers),
        alarm1=worst[1],
        alarm2=worst[2],
        alarm3=worst[3],
        maintenance=worst[4],
        old=int(np.count_nonzero(standing.flags[numbers] & OLD)),
        figures=[
            forms.FigureValue(key=each.key, value=_value(engine, each, sight, now_us), unit=each.told_in)
            for each in service.figures
        ],
    )


def _value(engine: Engine, figure: Figure, sight: Sight, now_us: int) -> float | None:
    registry, picture = engine.registry, engine.picture
    assets = registry.of_kind(figure.kind)
    slots = registry.slots_of(figure.kind, figure.point, assets[sight.covered[assets]])
    fresh = slots[picture.observed_us[slots] >= now_us - int(figure.point.valid_s * SECOND_US)]
    value = picture.value[fresh]
    return _told(figure, value[~np.isnan(value)])


def _told(figure: Figure, value: Floats) -> float | None:
    """The figure over the values that are known; None for none, as nothing is said of nothing."""
    if not len(value):
        return None
    counted: Any = np.isin(value, figure.codes) if figure.when else value > 0
    match figure.how:
        case How.SUM:
            told = float(value.sum())
        case How.MEAN:
            told = float(value.mean())
        case How.MAX:
            told = float(value.max())
        case How.COUNT:
            told = float(np.count_nonzero(counted))
        case How.SHARE:
            told = 100.0 * float(np.count_nonzero(counted)) / len(value)
    return told * figure.scale
