"""The map's tiles over HTTP: made when they are first asked for, kept compressed, one set for each Scope."""

from __future__ import annotations

import asyncio
import hashlib
import zlib
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vigie.api.access import Access
from vigie.api.problems import Problem
from vigie.core.observations import Mask
from vigie.core.scope import Scope
from vigie.engine.loop import Engine
from vigie.engine.tiles import ground as town
from vigie.engine.tiles import points
from vigie.engine.tiles.ground import Ground
from vigie.engine.tiles.points import AssetIndex

KEPT_BYTES_MAX = 64 << 20
"""What the tiles that are kept may take together, compressed."""

WAITING_MAX = 256
"""So many different tiles may wait to be made; a browser asks for some dozens at once."""

MASKS_MAX = 64
TOWN_MAX_AGE_S = 300
GZIP_LEVEL = 3
"""A tenth of the time of the best, for 2 % more bytes."""

MEDIA = "application/vnd.mapbox-vector-tile"
_NUMBER_DIGITS_MAX = 8
_ENTRY_BYTES = 512


@dataclass(frozen=True, slots=True)
class Tile:
    """A tile that was made: gzip's bytes of it, none where there is nothing to draw, and a digest of what it says."""

    packed: bytes
    digest: str

    @staticmethod
    def of(body: bytes) -> Tile:
        """Compresses what was drawn."""
        packed = zlib.compress(body, GZIP_LEVEL, zlib.MAX_WBITS | 16) if body else b""
        return Tile(packed, hashlib.sha256(body).hexdigest()[:16])


class Kiln:
    """Makes tiles in a thread of its own, one after the other, and keeps the newest used within a limit of bytes.

    Whoever asks for a tile that is being made waits for it with the others.
    """

    def __init__(self, bytes_max: int = KEPT_BYTES_MAX, waiting_max: int = WAITING_MAX) -> None:
        self._bytes_max, self._waiting_max = bytes_max, waiting_max
        self._kept: OrderedDict[Hashable, Tile] = OrderedDict()
        self._making: dict[Hashable, asyncio.Future[Tile]] = {}
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="vigie-tiles")
        self.bytes_kept = 0
        self.made = 0
        self.refused = 0

    async def tile(self, key: Hashable, draw: Callable[[], bytes]) -> Tile:
        """The tile of this key, drawn if it is not there. Raises Problem 503 where too many wait."""
        held = self._kept.get(key)
        if held is not None:
            self._kept.move_to_end(key)
            return held
        making = self._making.get(key)
        if making is None:
            if len(self._making) >= self._waiting_max:
                self.refused += 1
                raise Problem(503, "Busy", "More tiles wait to be drawn than may wait.", retry_after_s=1)
            making = asyncio.get_running_loop().run_in_executor(self._thread, lambda: Tile.of(draw()))
            self._making[key] = making
            making.add_done_callback(lambda done: self._keep(key, done))
        # One who goes away takes nothing from those who still wait.
        return await asyncio.shield(making)

    def _keep(self, key: Hashable, done: asyncio.Future[Tile]) -> None:
        del self._making[key]
        if done.cancelled() or done.exception() is not None:
            return
        self.made += 1
        self._kept[key] = done.result()
        self.bytes_kept += len(done.result().packed) + _ENTRY_BYTES
        while self.bytes_kept > self._bytes_max:
            _, oldest = self._kept.popitem(last=False)
            self.bytes_kept -= len(oldest.packed) + _ENTRY_BYTES


class TileFigures(Collector):
    """The kiln's own figures, for Prometheus: read when they are asked for."""

    def __init__(self, kiln: Kiln) -> None:
        self._kiln = kiln

    def collect(self) -> Iterable[Metric]:
        """The figures as they stand."""
        kiln = self._kiln
        yield CounterMetricFamily("vigie_tiles_made", "Tiles of the map that were drawn", value=kiln.made)
        yield CounterMetricFamily("vigie_tiles_refused", "Tiles not drawn because too many waited", value=kiln.refused)
        yield GaugeMetricFamily("vigie_tiles_kept_bytes", "What the tiles kept take, compressed", value=kiln.bytes_kept)


class AssetTiles:
    """Draws tiles of assets for any Scope. `draw` is called by one thread at a time."""

    def __init__(self, engine: Engine) -> None:
        self._registry = engine.registry
        self._index: AssetIndex | None = None
        self._masks: OrderedDict[str, Mask] = OrderedDict()

    @property
    def edition(self) -> int:
        """The registry's version now: a tile's key has it, so that no tile outlives what it shows."""
        return self._registry.version

    def draw(self, scope: Scope, z: int, x: int, y: int) -> bytes:
        """The tile of what the Scope shows."""
        index = self._index
        if index is None or index.edition != self.edition:
            index = self._index = AssetIndex.of(self._registry)
            self._masks.clear()
        visible = self._masks.get(scope.key)
        if visible is None:
            visible = self._masks[scope.key] = index.visible(scope)
            if len(self._masks) > MASKS_MAX:
                self._masks.popitem(last=False)
        return index.tile(z, x, y, visible)


def tile_routes(engine: Engine, ground: Ground, access: Access, kiln: Kiln | None = None) -> list[Route]:
    """The tiles of the town, the same for everybody who is known, and those of the assets, under the caller's Scope."""
    kept = kiln or Kiln()
    assets = AssetTiles(engine)

    async def town_tile(request: Request) -> Response:
        """The town itself: areas, green, water, buildings, streets, transit."""
        access.caller(request)
        z, x, y = _place(request, town.ZOOM_MIN, town.ZOOM_MAX)
        tile = await kept.tile(("base", ground.edition, z, x, y), lambda: ground.tile(z, x, y))
        return _answer(request, tile, f'W/"{tile.digest}"', f"private, max-age={TOWN_MAX_AGE_S}")

    async def asset_tile(request: Request) -> Response:
        """The fixed assets that the caller may see."""
        scope = access.caller(request).scope
        z, x, y = _place(request, points.ZOOM_MIN, points.ZOOM_MAX)
        key = ("assets", scope.key, assets.edition, z, x, y)
        tile = await kept.tile(key, lambda: assets.draw(scope, z, x, y))
        # To be asked about each time: a right that is taken away, or an asset that is moved, shows at once.
        return _answer(request, tile, f'W/"{scope.key}.{tile.digest}"', "private, no-cache")

    path = "/api/v1/tiles/{layer}/{{z}}/{{x}}/{{y}}.mvt"
    return [
        Route(path.format(layer="base"), town_tile, methods=["GET"]),
        Route(path.format(layer="assets"), asset_tile, methods=["GET"]),
    ]


def _place(request: Request, zoom_min: int, zoom_max: int) -> tuple[int, int, int]:
    """Which tile is asked for. Raises Problem 404 where there is no such tile."""
    said = [request.path_params[name] for name in ("z", "x", "y")]
    if all(text.isascii() and text.isdigit() and len(text) <= _NUMBER_DIGITS_MAX for text in said):
        z, x, y = map(int, said)
        if zoom_min <= z <= zoom_max and max(x, y) < 1 << z:
            return z, x, y
    detail = f"{'/'.join(said)[:100]} is none of the tiles of zoom {zoom_min} to {zoom_max}."
    raise Problem(404, "No such tile", detail)


def _answer(request: Request, tile: Tile, tag: str, caching: str) -> Response:
    headers = {"ETag": tag, "Cache-Control": caching, "Vary": "Accept-Encoding, Cookie, Authorization"}
    if knows(request.headers.get("if-none-match", ""), tag):
        return Response(status_code=304, headers=headers)
    if not tile.packed:
        return Response(status_code=204, headers=headers)
    if takes_gzip(request.headers.get("accept-encoding", "")):
        return Response(tile.packed, headers=headers | {"Content-Encoding": "gzip"}, media_type=MEDIA)
    return Response(zlib.decompress(tile.packed, zlib.MAX_WBITS | 16), headers=headers, media_type=MEDIA)


def knows(said: str, tag: str) -> bool:
    """Whether If-None-Match names the tag; weakly, as RFC 9110 (13.1.2) has it for GET."""
    known = {each.strip().removeprefix("W/") for each in said.split(",")}
    return "*" in known or tag.removeprefix("W/") in known


def takes_gzip(said: str) -> bool:
    """Whether Accept-Encoding takes gzip (RFC 9110, 12.5.3)."""
    takes: dict[str, bool] = {}
    for each in said.lower().replace(" ", "").split(","):
        name, _, weight = each.partition(";q=")
        takes[name] = weight == "" or weight.strip("0.") != ""
    return takes.get("gzip", takes.get("*", False))
