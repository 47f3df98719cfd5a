"""The city of the simulated days, and folders in which a post of it is settled: each day gets a copy of one."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.days.scenes import DUSK_US, of_quetigny, thinned
from vigie.app import services
from vigie.sim.city import City, generate
from vigie.sim.day import settle_in

Copy = Callable[[], Path]


@pytest.fixture(scope="session")
def city() -> City:
    """The city of seed 1, without scenery: its devices are the same."""
    return generate(1, scenery=False)


def _copies(folder: Path) -> Copy:
    settled, made = folder / "settled", iter(range(1_000_000))

    def copy() -> Path:
        return Path(shutil.copytree(settled, folder / f"copy-{next(made)}"))

    return copy


@pytest.fixture(scope="session")
def whole(city: City, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Gives a folder with a post of the whole city."""
    folder = tmp_path_factory.mktemp("whole")
    settle_in(folder / "settled", services(), city, at_us=DUSK_US)
    return _copies(folder)


@pytest.fixture(scope="session")
def fourth(city: City, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Gives a folder with a post of the city in which every fourth lamp, vehicle and bus is there, and all else."""
    folder = tmp_path_factory.mktemp("fourth")
    settle_in(folder / "settled", services(), city, at_us=DUSK_US, wanted=thinned)
    return _copies(folder)


@pytest.fixture(scope="session")
def quetigny(city: City, tmp_path_factory: pytest.TempPathFactory) -> Copy:
    """Gives a folder with a post of one commune, and what drives about the metropole."""
    folder = tmp_path_factory.mktemp("quetigny")
    settle_in(folder / "settled", services(), city, at_us=DUSK_US, wanted=of_quetigny)
    return _copies(folder)
