"""The town that the live door and a whole post are measured with: 100,000 lamps, five Scopes, a hundred browsers."""

from __future__ import annotations

import asyncio
import contextlib
import http.client
import json
import os
import random
import tempfile
from collections.abc import Generator, Sequence
from pathlib import Path

import numpy as np

from bench.listening import Bounds, Look
from vigie.app import admit_device, installation
from vigie.app.accounts import keeper_of
from vigie.core.drafts import Draft
from vigie.core.facts import COMMAND_LINE
from vigie.engine.accounts import Held
from vigie.engine.keeper import By
from vigie.settings import Settings

ASSETS = 100_000
COLUMNS = 400
WEST, SOUTH, ACROSS, HIGH = 4.85, 47.2, 0.4, 0.25
COMMUNES = 23
STALLED = 5
FIRST_LAMP = 2
"""The number of the first lamp: the post itself is 1."""

PASSWORD = "so many lamps to watch"
ALL, LIGHTING = frozenset({"*"}), frozenset({"lighting"})

PEOPLE: dict[str, tuple[Held, ...]] = {
    "operator": (Held("operator", "", ALL),),
    "lighting": (Held("operator", "", LIGHTING),),
    "half": tuple(Held("operator", f"metropole/{n}", ALL) for n in range(COMMUNES // 2)),
    "commune": (Held("crew", "metropole/7", LIGHTING),),
    "elected": (Held("elected", "", ALL),),
}
"""Five Scopes. All but one see lamps of half the town or more."""

SEEN: tuple[Sequence[int], ...] = (range(COMMUNES), range(COMMUNES), range(COMMUNES // 2), (7,), range(COMMUNES))
"""The communes that each sees."""


def places(lamps: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Lamps on a grid over the town: longitude, latitude, and the number of the commune, a stripe of it."""
    column, row = lamps % COLUMNS, lamps // COLUMNS
    return WEST + ACROSS * column / COLUMNS, SOUTH + HIGH * row / (ASSETS // COLUMNS), column * COMMUNES // COLUMNS


def views() -> list[Bounds]:
    """Twenty viewports: ten show the whole town, each a little otherwise; ten a part of it, a district or a street."""
    dice = random.Random(1)
    whole = [(WEST - 0.01 * n, SOUTH - 0.01, WEST + ACROSS + 0.02, SOUTH + HIGH + 0.01 * n) for n in range(1, 11)]
    parts: list[Bounds] = []
    for n in range(10):
        wide, high = ACROSS / (2 + n), HIGH / (2 + n)
        west, south = WEST + dice.random() * (ACROSS - wide), SOUTH + dice.random() * (HIGH - high)
        parts.append((west, south, west + wide, south + high))
    return [*whole, *parts]


def grid() -> list[Draft]:
    """So many lamps, on the grid of `places`."""
    columns = zip(*(column.tolist() for column in places(np.arange(ASSETS))), strict=True)
    return [lamp(n, lon, lat, commune) for n, (lon, lat, commune) in enumerate(columns)]


def lamp(n: int, lon: float, lat: float, commune: int) -> Draft:
    """One of them."""
    return Draft(key=f"{n:06d}", kind="luminaire", lon=lon, lat=lat, area=f"metropole/{commune}")


@contextlib.contextmanager
def town(drafts: Sequence[Draft] = ()) -> Generator[tuple[Path, str]]:
    """An installation with these lamps, those of `grid` where none are said, and its people; gives its folder and the
    secret of a device that speaks for all of them."""
    with tempfile.TemporaryDirectory(prefix="vigie-bench-", dir=os.environ.get("VIGIE_BENCH_FOLDER")) as name:
        with installation(Settings(data=Path(name))) as opened:
            opened.take_assets("bench", drafts or grid())
            secret = admit_device(opened, "gateway", [row[0] for row in opened.facts.registry_rows()])
            keeper = keeper_of(opened)

            async def people() -> None:
                for login, held in PEOPLE.items():
                    await keeper.make_user(By(COMMAND_LINE, ""), login, login, PASSWORD, held)

            asyncio.run(people())
        yield Path(name), secret


def log_in(port: int, login: str) -> str:
    """The cookie of a new session."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    body = json.dumps({"login": login, "password": PASSWORD})
    connection.request("POST", "/api/v1/session", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    response.read()
    cookie = (response.getheader("set-cookie") or "").partition(";")[0]
    connection.close()
    if not cookie:
        raise RuntimeError(f"{login} may not log in: {response.status}")
    return cookie


def browsers(port: int) -> tuple[list[Look], list[Look]]:
    """A hundred browsers, each viewport in the eyes of each Scope, and five that will read nothing."""
    looks: list[Look] = []
    stalled: list[Look] = []
    for scope, login in enumerate(PEOPLE):
        # A session may have 16 sockets.
        cookies = [log_in(port, login) for _ in range(2)]
        looks += [Look(cookies[view % 2], bounds, scope, view) for view, bounds in enumerate(views())]
        stalled.append(Look(cookies[0], views()[0]))
    return looks, stalled
