"""A town of nine junctions with crossings, made by SUMO's own generator when it is asked for."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from bench.crossings import nine_junctions
from bench.tramways import tramway
from tests import once
from vigie.sim.city import City
from vigie.sim.traffic.town import Town, make_town, town_in

WINDOW_S = 240
VEHICLES = 160


@pytest.fixture(scope="session")
def town(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The town's configuration: 3 x 3 junctions, turning lanes, crossings, 2,400 vehicles an hour for 4 minutes."""
    return nine_junctions(tmp_path_factory.mktemp("town"), VEHICLES, WINDOW_S)


@pytest.fixture(scope="session")
def tramline(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A street of four junctions with a tramway in its middle, two trams in five minutes."""
    return tramway(tmp_path_factory.mktemp("tramline"), 150, 300)


@pytest.fixture(scope="session")
def streets_folder(city: City, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The streets of the whole city, made once; hours are written down beside them."""
    made = once.folder("streets", lambda folder: make_town(city, folder))
    return Path(shutil.copytree(made, tmp_path_factory.mktemp("streets"), dirs_exist_ok=True))


@pytest.fixture(scope="session")
def streets(city: City, streets_folder: Path) -> Town:
    """The same, ready to be driven through."""
    town = town_in(streets_folder, city.seed)
    assert town is not None
    return town
