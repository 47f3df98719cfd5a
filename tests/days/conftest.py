"""The towns of the simulated days."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path

import numpy as np
import pytest

from tests import metropolis
from tests.days.scenes import DUSK_US, QUETIGNY, of_quetigny, thinned
from vigie.app import services
from vigie.core.drafts import Draft
from vigie.sim.city import City
from vigie.sim.city.facts import COMMUNES, METROPOLE
from vigie.sim.city.land import NO_BUILDINGS
from vigie.sim.day import settle_in


@dataclass(frozen=True)
class Town:
    """A city, and a post of it that is settled in a folder; each day gets a copy of that."""

    city: City
    settled: Path

    def copy(self) -> Path:
        """A folder of its own for one day."""
        return Path(shutil.copytree(self.settled, self.settled.with_name(f"copy-{next(_MADE)}")))


_MADE = count()


def _town(city: City, folder: Path, wanted: Callable[[Draft], bool] = lambda draft: True) -> Town:
    settle_in(folder / "settled", services(), city, at_us=DUSK_US, wanted=wanted)
    return Town(city, folder / "settled")


@pytest.fixture(scope="session")
def city() -> City:
    """The city, without its scenery."""
    return replace(metropolis.city(), water=(), green=(), buildings=NO_BUILDINGS)


@pytest.fixture(scope="session")
def whole(city: City, tmp_path_factory: pytest.TempPathFactory) -> Town:
    """The whole city."""
    return _town(city, tmp_path_factory.mktemp("whole"))


@pytest.fixture(scope="session")
def fourth(city: City, tmp_path_factory: pytest.TempPathFactory) -> Town:
    """The city with every fourth cabinet and all that it feeds, every fourth vehicle and bus, and all else."""
    cabinets = range(0, len(city.lighting.cabinet_xy), 4)
    return _town(metropolis.small(city, cabinets), tmp_path_factory.mktemp("fourth"), thinned)


@pytest.fixture(scope="session")
def quetigny(city: City, tmp_path_factory: pytest.TempPathFactory) -> Town:
    """One commune, and what drives about the metropole."""
    slugs = np.array([f"{METROPOLE}/{commune.slug}" for commune in COMMUNES])
    cabinets = np.flatnonzero(slugs[city.lighting.cabinet_commune] == QUETIGNY).tolist()
    return _town(metropolis.small(city, cabinets), tmp_path_factory.mktemp("quetigny"), of_quetigny)
