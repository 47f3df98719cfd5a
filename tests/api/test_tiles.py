"""The map's tiles over HTTP: who gets which, what is asked again, and what is refused."""

from __future__ import annotations

import asyncio
import gzip
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import mapbox_vector_tile
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.applications import Starlette
from starlette.requests import HTTPConnection

from tests.city import CATALOGUE, drafts, open_engine, open_facts, open_observations, take
from vigie.api.access import Caller
from vigie.api.problems import Problem
from vigie.api.tiles import Kiln, Tile, tile_routes
from vigie.core.assets import AssetRecord
from vigie.core.drafts import Draft
from vigie.core.scope import ALL_SERVICES, ROLES, Grant, Scope
from vigie.engine.loop import Engine
from vigie.engine.tiles.ground import Ground, Outline

Z, X, Y = 11, 1_052, 717
"""The tile that holds the small city of the tests."""

TOWN = f"/api/v1/tiles/base/{Z}/{X}/{Y}.mvt"
ASSETS = f"/api/v1/tiles/assets/{Z}/{X}/{Y}.mvt"
SCOPES = {
    "all": Scope.everything(),
    "quetigny": Scope(frozenset({Grant("dijon-metropole/quetigny", frozenset({ALL_SERVICES}), ROLES["operator"])})),
    "dijon": Scope(frozenset({Grant("dijon-metropole/dijon", frozenset({"lighting"}), ROLES["operator"])})),
    "none": Scope(),
}


class Porter:
    """Knows people by a header."""

    def caller(self, connection: HTTPConnection, *, writes: bool = False) -> Caller:
        """Who asks."""
        name = connection.headers.get("authorization", "")
        if name not in SCOPES:
            raise Problem(401, "Who asks?", "Nobody known.")
        return Caller(name, SCOPES[name], f"session of {name}")

    def alive(self, session: str) -> bool:
        """Always."""
        return True


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    """The engine of the small city."""
    facts, observations = open_facts(tmp_path), open_observations(tmp_path)
    take(facts, [*drafts(), Draft(key="c2", kind="cabinet", lon=5.01, lat=47.31, area="dijon-metropole/quetigny")])
    yield open_engine(facts, observations)
    observations.close()
    facts.close()


@pytest.fixture
def ground() -> Ground:
    """A street in it."""
    return Ground(
        CATALOGUE, [Outline(1, "street", "Rue Verte", "local", shapely.LineString([(5, 47.3), (5.01, 47.3)]))]
    )


class Browser:
    """Asks as somebody does."""

    def __init__(self, engine: Engine, ground: Ground, kiln: Kiln | None = None) -> None:
        async def told(request: Any, error: Exception) -> Any:
            assert isinstance(error, Problem)
            return error.response()

        routes = tile_routes(engine, ground, Porter(), kiln)
        self._app = Starlette(routes=routes, exception_handlers={Problem: told})

    def ask(self, path: str, who: str = "all", **headers: str) -> httpx.Response:
        """One request."""

        async def get() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://post") as client:
                said = {"authorization": who} | {name.replace("_", "-"): value for name, value in headers.items()}
                return await client.get(path, headers=said)

        return asyncio.run(get())


@pytest.fixture
def browser(engine: Engine, ground: Ground) -> Browser:
    """A browser before the post."""
    return Browser(engine, ground)


def ids(answer: httpx.Response) -> set[int]:
    """The numbers of the assets in a tile."""
    if answer.status_code == 204:
        return set()
    (layer,) = mapbox_vector_tile.decode(answer.content).values()
    return {feature["id"] for feature in layer["features"]}


def seen_by(engine: Engine, scope: Scope, kinds: set[str] | None = None) -> set[int]:
    """What the Scope shows of the small city, but for what moves."""
    registry = engine.registry
    table = scope.table(registry.areas, [(kind.service, kind.verb, kind.public) for kind in registry.kinds])
    return {
        no
        for no in range(1, registry.count)
        if registry.kind_of(no).kind != "bus" and table[registry.area[no], registry.kind[no]]
    }


@pytest.mark.parametrize("who", SCOPES)
def test_everybody_gets_what_their_scope_shows(engine: Engine, browser: Browser, who: str) -> None:
    assert ids(browser.ask(ASSETS, who)) == seen_by(engine, SCOPES[who])
    assert ids(browser.ask(ASSETS, who)) == seen_by(engine, SCOPES[who]), "and the same from what is kept"


def test_the_scopes_of_these_tests_differ(engine: Engine) -> None:
    assert len({frozenset(seen_by(engine, scope)) for scope in SCOPES.values()}) == len(SCOPES)


def test_the_town_is_the_same_for_everybody_who_is_known(browser: Browser) -> None:
    one, other = browser.ask(TOWN, "all"), browser.ask(TOWN, "none")
    assert one.status_code == 200
    assert (one.content, one.headers["etag"]) == (other.content, other.headers["etag"])
    assert one.headers["content-type"] == "application/vnd.mapbox-vector-tile"
    assert one.headers["cache-control"] == "private, max-age=300"
    assert mapbox_vector_tile.decode(one.content)["streets"]["features"][0]["properties"]["name"] == "Rue Verte"


@pytest.mark.parametrize("path", [TOWN, ASSETS])
def test_nobody_gets_nothing(browser: Browser, path: str) -> None:
    assert browser.ask(path, "stranger").status_code == 401


@pytest.mark.parametrize("path", [TOWN, ASSETS])
def test_what_has_not_changed_is_not_sent_again(browser: Browser, path: str) -> None:
    first = browser.ask(path)
    tag = first.headers["etag"]
    for said in (tag, tag.removeprefix("W/"), f'"other", {tag}', "*"):
        again = browser.ask(path, if_none_match=said)
        assert (again.status_code, again.content, again.headers["etag"]) == (304, b"", tag)
        assert again.headers["cache-control"] == first.headers["cache-control"]
    assert browser.ask(path, if_none_match='W/"other"').status_code == 200


def test_a_tag_of_one_scope_is_none_of_another(browser: Browser) -> None:
    assert browser.ask(ASSETS, "none", if_none_match=browser.ask(ASSETS, "all").headers["etag"]).status_code == 200


def test_what_is_moved_or_retired_by_hand_is_asked_for_anew(engine: Engine, browser: Browser) -> None:
    before = browser.ask(ASSETS)
    assert before.headers["cache-control"] == "private, no-cache"
    no = engine.registry.numbers["cabinet-cabinet"]
    record = AssetRecord(
        no=no, id="cabinet-cabinet", kind="cabinet", name="", area="dijon-metropole/dijon", street="", parent=0,
        reporter=0, lon=5, lat=47.3, attributes={}, made_us=0, retired_us=7,
    )  # fmt: skip
    engine.registry.add([record])
    after = browser.ask(ASSETS, if_none_match=before.headers["etag"])
    assert (after.status_code, ids(before) - ids(after)) == (200, {no})


def test_a_street_that_changes_is_drawn_anew(browser: Browser, ground: Ground) -> None:
    assert browser.ask(TOWN).status_code == 200
    ground.take([Outline(1, "street", "", "", None)])
    assert browser.ask(TOWN).status_code == 204


def test_an_empty_tile_has_no_content(browser: Browser) -> None:
    for layer in ("base", "assets"):
        empty = browser.ask(f"/api/v1/tiles/{layer}/11/0/0.mvt")
        assert (empty.status_code, empty.content) == (204, b"")


@pytest.mark.parametrize(
    ("said", "packed"),
    [
        ("gzip", True), ("br, gzip;q=0.5", True), ("*", True), ("gzip; q=1.0", True),
        ("identity", False), ("gzip;q=0", False), ("gzip; q=0.000, *", False), ("br", False),
    ],
)  # fmt: skip
def test_it_is_packed_for_who_can_unpack_it(engine: Engine, ground: Ground, said: str, packed: bool) -> None:
    answer = Browser(engine, ground).ask(ASSETS, accept_encoding=said)
    assert answer.headers.get("content-encoding") == ("gzip" if packed else None)
    assert ids(answer) == seen_by(engine, Scope.everything())


@pytest.mark.parametrize(
    "where",
    ["7/0/0", "17/0/0", "11/2048/0", "11/0/2048", "11/-1/0", "11/1.5/0", "11/a/0", "²/0/0", "11/0/" + "9" * 5_000],
)
@pytest.mark.parametrize("layer", ["base", "assets"])
def test_there_is_no_such_tile(browser: Browser, layer: str, where: str) -> None:
    assert browser.ask(f"/api/v1/tiles/{layer}/{where}.mvt").status_code == 404


def test_the_town_ends_a_zoom_before_the_assets(browser: Browser) -> None:
    assert browser.ask("/api/v1/tiles/base/16/0/0.mvt").status_code == 404
    assert browser.ask("/api/v1/tiles/assets/16/0/0.mvt").status_code == 204


class Gate:
    """Something to draw that waits until it may."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.calls = 0

    def __call__(self) -> bytes:
        self.calls += 1
        assert self.open.wait(20)
        return b"tile"


def test_who_asks_for_a_tile_that_is_being_made_waits_for_it() -> None:
    async def run() -> None:
        kiln, gate = Kiln(), Gate()
        asked = [asyncio.create_task(kiln.tile("a", gate)) for _ in range(3)]
        await asyncio.sleep(0)
        asked[0].cancel()
        await asyncio.sleep(0)
        gate.open.set()
        assert {each.digest for each in await asyncio.gather(*asked[1:])} == {Tile.of(b"tile").digest}
        await kiln.tile("a", gate)
        assert (gate.calls, kiln.made) == (1, 1)

    asyncio.run(run())


def test_no_more_than_so_many_wait() -> None:
    async def run() -> None:
        kiln, gate = Kiln(waiting_max=2), Gate()
        asked = [asyncio.create_task(kiln.tile(key, gate)) for key in "ab"]
        await asyncio.sleep(0)
        with pytest.raises(Problem) as refused:
            await kiln.tile("c", gate)
        assert (refused.value.status, kiln.refused) == (503, 1)
        gate.open.set()
        await asyncio.gather(*asked)
        assert (await kiln.tile("c", gate)).packed

    asyncio.run(run())


def test_a_fault_is_told_and_not_kept() -> None:
    def fault() -> bytes:
        raise ValueError("no ink")

    async def run() -> None:
        kiln = Kiln()
        with pytest.raises(ValueError, match="no ink"):
            await kiln.tile("a", fault)
        assert gzip.decompress((await kiln.tile("a", lambda: b"tile")).packed) == b"tile"

    asyncio.run(run())


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 9), max_size=40), st.integers(1, 6))
def test_what_is_kept_has_a_limit_and_the_newest_used_stay(asked: list[int], room: int) -> None:
    async def run() -> None:
        one = len(Tile.of(b"0").packed) + 512
        kiln = Kiln(bytes_max=room * one)
        order: list[int] = []
        made = 0
        for key in asked:
            made += key not in order
            order = [*(each for each in order if each != key), key][-room:]
            await kiln.tile(key, lambda key=key: str(key).encode())
            assert (kiln.made, kiln.bytes_kept) == (made, len(order) * one)

    asyncio.run(run())
