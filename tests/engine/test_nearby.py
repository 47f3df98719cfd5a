"""What stands near a place: the nearest in service, of some kinds, and nothing beyond the reach."""

from __future__ import annotations

import math

import pytest

from tests.city import CATALOGUE, drafts, open_facts, take
from vigie.engine.nearby import nearest
from vigie.engine.registry import Registry


@pytest.fixture
def registry(tmp_path_factory: pytest.TempPathFactory) -> Registry:
    facts = open_facts(tmp_path_factory.mktemp("facts"))
    take(facts, drafts())
    registry = Registry(CATALOGUE, facts.point_numbers())
    registry.add_columns(facts.registry_rows())
    facts.close()
    return registry


def test_the_nearest_is_found_and_nothing_beyond_the_reach(registry: Registry) -> None:
    lamp = registry.numbers["luminaire-000007"]
    assert nearest(registry, 5.000071, 47.30001, 20, ["luminaire"]) == lamp
    assert registry.ids[nearest(registry, 5.0, 47.3, 5, ["junction"])] == "junction-j1"
    assert nearest(registry, 5.0, 47.3001, 10) == 0
    assert nearest(registry, 5.0, 47.3001, 12) != 0
    assert nearest(registry, 5.000071, 47.3, 20, ["unicorn"]) == 0
    assert nearest(registry, math.nan, math.nan, 20) == 0
    registry.gone[lamp] = True
    assert nearest(registry, 5.000071, 47.3, 20, ["luminaire"]) not in (0, lamp)
