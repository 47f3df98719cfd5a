"""A town for the pages: two communes with three hundred lamps, all its people, a real post and a real device end.

Small enough to be made in a second, and whole: every form of thing that the map draws stands in it, and what is wrong
in it is known beforehand. The device end speaks as any device does, from a process of its own.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Generator, Iterator
from datetime import datetime
from pathlib import Path

import shapely

from tests.people import QUETIGNY, AtWork, Browser, make_people
from tests.post import NO_RESERVE, RunningPost, ready
from tests.ready import Started
from vigie.app import Installation, admit_device, installation
from vigie.core.drafts import Draft
from vigie.core.readings import Value
from vigie.core.times import to_us
from vigie.engine.plans import By, Plans
from vigie.protocols.plain import Order, Receipt, decode_orders, encode_array, encode_receipts
from vigie.services.roads.rounds.circuits import CIRCUIT, Circuit, Stretch
from vigie.settings import Settings
from vigie.transports.device_http import HttpDoor

PROJECT = Path(__file__).resolve().parents[2]
METROPOLE = "dijon-metropole"
DIJON = f"{METROPOLE}/dijon"

LON, LAT = 5.0400, 47.3200
"""The middle of Dijon here; Quetigny lies to its east."""
LON_PER_M, LAT_PER_M = 1.3246e-5, 8.983e-6
APART_M = 1_300.0
LAMPS_EVERY_M = 30.0

STREETS = {
    DIJON: ("Rue Verte", "Avenue de la Gare", "Rue des Lilas", "Rue du Marché", "Rue Haute"),
    # Each commune has its Rue Verte: an order to one must not reach the other.
    QUETIGNY: ("Rue Verte", "Boulevard Pascal", "Rue des Prés", "Rue du Stade", "Rue Basse"),
}
_LINES_M = (((-500, -300), (500, -300)), ((-500, 0), (500, 0)), ((-500, 300), (500, 300)),
            ((-250, -400), (-250, 400)), ((250, -400), (250, 400)))  # fmt: skip

# Some packages bring a `tests` of their own, so that ours has to be named before it can be imported.
_DEVICES = (
    "import sys, types; sys.modules['tests'] = own = types.ModuleType('tests'); own.__path__ = ['tests'];"
    "from tests.browser.town import run_devices; run_devices()"
)

Row = tuple[str, str, Value, int]
Place = tuple[float, float]


def place(area: str, x_m: float, y_m: float) -> Place:
    """Degrees of a point so many metres from a commune's middle."""
    east_m = x_m + (APART_M if area == QUETIGNY else 0.0)
    return LON + east_m * LON_PER_M, LAT + y_m * LAT_PER_M


def _along(line: tuple[Place, Place]) -> Iterator[Place]:
    (x0, y0), (x1, y1) = line
    length_m = abs(x1 - x0) + abs(y1 - y0)
    count = int(length_m // LAMPS_EVERY_M)
    for n in range(count):
        share = (n + 0.5) / count
        yield x0 + (x1 - x0) * share, y0 + (y1 - y0) * share


def _box(area: str, x_m: float, y_m: float, half_x_m: float, half_y_m: float) -> bytes:
    west, south = place(area, x_m - half_x_m, y_m - half_y_m)
    east, north = place(area, x_m + half_x_m, y_m + half_y_m)
    return shapely.to_wkb(shapely.box(west, south, east, north))


def _ground(area: str, name: str, streets: tuple[str, ...]) -> Iterator[Draft]:
    slug = area.rpartition("/")[2]
    lon, lat = place(area, 0, 0)
    yield Draft(key=f"commune-{slug}", id=f"commune-{slug}", kind="commune", name=name, lon=lon, lat=lat,
                area=METROPOLE, geometry=_box(area, 0, 0, 645, 520),
                attributes={"population": 9_500 if slug == "quetigny" else 160_000})  # fmt: skip
    lon, lat = place(area, 0, 150)
    yield Draft(key=f"green-{slug}", kind="green", name="Parc de la Colombière", lon=lon, lat=lat, area=area,
                geometry=_box(area, 0, 150, 120, 90))  # fmt: skip
    lon, lat = place(area, -380, 150)
    yield Draft(key=f"water-{slug}", kind="water", name="Étang", lon=lon, lat=lat, area=area,
                geometry=_box(area, -380, 150, 40, 60))  # fmt: skip
    for n, (street, line) in enumerate(zip(streets, _LINES_M, strict=True)):
        (lon, lat), end = place(area, *line[0]), place(area, *line[1])
        wkb = shapely.to_wkb(shapely.LineString([(lon, lat), end]))
        yield Draft(key=f"street-{slug}-{n}", kind="street", name=street, area=area, geometry=wkb,
                    lon=(lon + end[0]) / 2, lat=(lat + end[1]) / 2,
                    attributes={"street_class": "primary" if n == 1 else "local"})  # fmt: skip
    for n in range(24):
        x_m, y_m = -460.0 + 80 * (n % 12), 40.0 if n < 12 else -260.0
        lon, lat = place(area, x_m, y_m)
        yield Draft(key=f"building-{slug}-{n}", kind="building", lon=lon, lat=lat, area=area,
                    geometry=_box(area, x_m, y_m, 14, 18), attributes={"height": 12.0})  # fmt: skip


def _lighting(area: str, first: int) -> Iterator[Draft]:
    slug = area.rpartition("/")[2]
    for n in (0, 1):
        lon, lat = place(area, -495 if n == 0 else 495, 12)
        yield Draft(key=f"cabinet-{slug}-{n}", id=f"cabinet-{slug}-{n}", kind="cabinet", name=f"Armoire {slug} {n + 1}",
                    lon=lon, lat=lat, area=area, attributes={"circuits": 4, "switching": "permanent"})  # fmt: skip
    number = first
    for n, line in enumerate(_LINES_M):
        for x_m, y_m in _along(line):
            lon, lat = place(area, x_m, y_m)
            key = f"luminaire-{number:06d}"
            yield Draft(key=key, id=key, kind="luminaire", lon=lon, lat=lat, area=area, street=f"street-{slug}-{n}",
                        parent=f"cabinet-{slug}-{0 if x_m < 0 else 1}",
                        attributes={"lamp": "LED", "rated_power": 60.0})  # fmt: skip
            number += 1


def _rest(area: str) -> Iterator[Draft]:
    slug = area.rpartition("/")[2]
    for kind, n, x_m, y_m, name, attributes in (
        ("junction", 0, -250, 0, "Gare / Marché", {"controller": "CR-A"}),
        ("junction", 1, 250, 0, "Gare / Haute", {"controller": "CR-B"}),
        ("detector", 0, -280, 6, "Boucle nord", {"lanes": 2, "direction": "E"}),
        ("camera", 0, 0, 8, "Place du Marché", {"model": "dôme", "bearing": 120.0, "view": 75.0}),
        ("bollard", 0, 0, -300, "Rue piétonne", {}),
        ("bike_station", 0, 60, 12, "Vélos Gare", {}),
        ("stop", 0, 120, -8, "Gare", {"lines": "T1, L3"}),
        ("air_station", 0, 90, 150, "Parc", {"typology": "fond urbain"}),
        ("weather_station", 0, -90, 150, "Météo", {}),
    ):
        lon, lat = place(area, x_m, y_m)
        key = f"{kind}-{slug}-{n}"
        yield Draft(key=key, id=key, kind=kind, name=name, lon=lon, lat=lat, area=area, attributes=dict(attributes))


CREWS = (
    ("crew-nord", "Éclairage nord", DIJON),
    ("crew-sud", "Éclairage sud", QUETIGNY),
    ("crew-voirie", "Équipe voirie", METROPOLE),
)
"""They start from the middle of Dijon."""

MOVERS = ("bus-1", "bus-2", "tram-1", "vehicle-1", "vehicle-2")


def drafts() -> list[Draft]:
    """The whole town; parents before children."""
    ground = [*_ground(DIJON, "Dijon", STREETS[DIJON]), *_ground(QUETIGNY, "Quetigny", STREETS[QUETIGNY])]
    lamps = list(_lighting(DIJON, 1))
    lamps += _lighting(QUETIGNY, 1 + sum(each.kind == "luminaire" for each in lamps))
    moving = [
        Draft(key=key, id=key, kind=key.partition("-")[0], name=f"{key.title()}", lon=LON, lat=LAT,
              area=DIJON if key.startswith("vehicle") else METROPOLE)
        for key in MOVERS
    ]  # fmt: skip
    crews = [
        Draft(key=key, id=key, kind="crew", name=name, lon=LON, lat=LAT, area=area,
              attributes={"hours": "mon-sun 05:00-21:00"})
        for key, name, area in CREWS
    ]  # fmt: skip
    return [*ground, *crews, *lamps, *_rest(DIJON), *_rest(QUETIGNY), *moving]


def lamps_of(area: str, street: str) -> list[str]:
    """The ids of the lamps in a street of a commune."""
    slug = area.rpartition("/")[2]
    key = f"street-{slug}-{STREETS[area].index(street)}"
    return [each.id for each in drafts() if each.kind == "luminaire" and each.street == key]


# --- the device end ---

SILENT = ("luminaire-000007", "luminaire-000160")
"""Never heard of."""
OLD = ("luminaire-000009", "luminaire-000162")
"""Heard of two hours ago."""
BROKEN = ("luminaire-000012", "luminaire-000165")
"""Its lamp is out: work for the maintenance, no alarm."""
FLASHING = "junction-dijon-1"
"""An alarm of the first priority."""
OPEN_CABINET = "cabinet-quetigny-1"
"""An alarm of the second."""
OPEN_CONTROLLER = "junction-quetigny-1"
"""An alarm of the third."""
WRONG = 5
"""Conditions in all: these three, and the two lamps that are out."""
HOUR_US = 3_600_000_000


def _now_us() -> int:
    return time.time_ns() // 1_000


def first_words(now_us: int) -> list[Row]:
    """What every device says when it wakes up."""
    said: list[Row] = []
    for each in drafts():
        asset = each.id
        match each.kind:
            case "luminaire" if asset not in SILENT:
                at = now_us - 2 * HOUR_US if asset in OLD else now_us
                level = 70.0 if each.area == QUETIGNY else 100.0
                said += [(asset, "level", level, at), (asset, "power", level * 0.6, at)]
                said.append((asset, "fault", "lamp" if asset in BROKEN else "none", at))
                if each.area == DIJON:  # Quetigny's lamps know no end: they never say what rules them.
                    said.append((asset, "control", "programme", at))
            case "cabinet":
                said += [(asset, "supply", "on", now_us), (asset, "full_light", False, now_us)]
                said.append((asset, "door", "open" if asset == OPEN_CABINET else "closed", now_us))
            case "junction":
                said += [(asset, "mode", "flashing" if asset == FLASHING else "colours", now_us)]
                said += [(asset, "plan", 2.0, now_us), (asset, "stage", 1.0, now_us)]
                said.append((asset, "door", "open" if asset == OPEN_CONTROLLER else "closed", now_us))
            case "detector":
                said += [
                    (asset, "flow", 420.0, now_us),
                    (asset, "speed", 38.5, now_us),
                    (asset, "working", True, now_us),
                ]
            case "camera":
                said.append((asset, "link", "up", now_us))
            case "bollard":
                said.append((asset, "state", "raised", now_us))
            case "bike_station":
                said += [(asset, "bikes", 7.0, now_us), (asset, "docks", 12.0, now_us)]
            case "air_station":
                said += [(asset, "no2", 23.0, now_us), (asset, "pm10", 14.0, now_us)]
            case "weather_station":
                said += [(asset, "temperature", 4.2, now_us), (asset, "humidity", 81.0, now_us)]
            case _:
                pass
    return said


def moving_words(now_us: int) -> list[Row]:
    """Where what moves is: to and fro along the streets."""
    said: list[Row] = []
    for n, asset in enumerate(MOVERS):
        turn = (now_us / 1e6 / 90 + n * 0.19) % 2
        x_m = -480 + 960 * (turn if turn < 1 else 2 - turn)
        said.append((asset, "position", place(QUETIGNY if n % 2 else DIJON, x_m, -4.0 if n % 2 else 4.0), now_us))
        said.append(
            (asset, "activity", "driving", now_us) if asset.startswith("vehicle") else (asset, "delay", 40.0, now_us)
        )
    return said


_PROOFS = {"dim": ("level", "level"), "set_full_light": ("full_light", "on"), "run_plan": ("plan", "plan"),
           "move": ("state", "to"), "set_mode": ("mode", "mode"), "set_control": ("control", "control")}  # fmt: skip
_ENDS: dict[str, datetime] = {}
"""Until when each lamp holds what was ordered, of those that know an end."""


def _carried_out(order: Order, now_us: int) -> list[Row]:
    """What a device says once it has done what it was told."""
    if order.action == "release":
        return _returned(order.asset, now_us)
    point, param = _PROOFS[order.action]
    rows: list[Row] = [(order.asset, point, order.params[param], now_us)]
    if order.action == "dim":
        rows.append((order.asset, "power", float(order.params["level"]) * 0.6, now_us))
    if "until" in order.params:
        _ENDS[order.asset] = datetime.fromisoformat(str(order.params["until"]))
        rows.append((order.asset, "control", "order", now_us))
    return rows


def _returned(asset: str, now_us: int) -> list[Row]:
    """A lamp goes back to its programme, and says so."""
    _ENDS.pop(asset, None)
    return [(asset, "level", 100.0, now_us), (asset, "power", 60.0, now_us), (asset, "control", "programme", now_us)]


def _over(now_us: int) -> list[Row]:
    """What lamps say whose orders are over."""
    over = [asset for asset, until in _ENDS.items() if to_us(until) <= now_us]
    return [row for asset in over for row in _returned(asset, now_us)]


async def _report(door: HttpDoor, rows: list[Row]) -> None:
    """Sends until the post has confirmed."""
    while rows:
        with contextlib.suppress(OSError):
            answer = await door.post("/device/v1/observations", encode_array(rows))
            if answer.status < 300:
                return
        await asyncio.sleep(0.3)


async def _prove(door: HttpDoor, orders: list[Order]) -> None:
    """Carries orders out, a few at a time: who watches sees the proofs arrive."""
    for start in range(0, len(orders), 8):
        await asyncio.sleep(0.7)
        await _report(door, [row for each in orders[start : start + 8] for row in _carried_out(each, _now_us())])


async def _pick_up(door: HttpDoor, tasks: asyncio.TaskGroup) -> None:
    while True:
        try:
            answer = await door.get("/device/v1/orders?wait_s=20")
            orders = decode_orders(answer.body) if answer.status == 200 else []
            if orders:
                receipts = [Receipt(each.order, each.asset, "accepted") for each in orders]
                await door.post("/device/v1/receipts", encode_receipts(receipts))
                tasks.create_task(_prove(door, orders))
            elif answer.status != 200:
                await asyncio.sleep(0.3)
        except OSError:
            await asyncio.sleep(0.3)


async def _live(url: str, secret: str) -> None:
    door = HttpDoor(url, secret)
    async with asyncio.TaskGroup() as tasks:
        await _report(door, first_words(_now_us()))
        tasks.create_task(_pick_up(door, tasks))
        while True:
            await _report(door, [*moving_words(_now_us()), *_over(_now_us())])
            await asyncio.sleep(2)


# --- both of them, running ---

ROUND = "Balayage du centre"


def _put_in_force(opened: Installation) -> str:
    """A circuit through Dijon, of which one street is due in the first minute of the day; returns its plan's id."""
    ids = {row[9]: row[1] for row in opened.facts.registry_rows() if row[2:4] == ("street", DIJON)}
    due_min = {"Avenue de la Gare": None, "Rue Verte": 1, "Rue des Lilas": None}
    streets = tuple(Stretch(ids[name], due_min=each) for name, each in due_min.items())
    plans, plan = Plans(), opened.new_id()
    editor, approver = (By(who, _now_us(), opened.new_id()) for who in ("writer", "approver"))
    made = plans.make(plan, CIRCUIT, Circuit(ROUND, "sweeping", streets, area=DIJON), by=editor)
    opened.facts.commit([made, plans.move(plan, "approve", number=1, revision=1, by=approver)])
    return plan


def _free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


class Town:
    """A post on a port that it keeps when it is started again, and its devices."""

    def __init__(self, folder: Path, *, lively: bool = True) -> None:
        self.folder, self.lively = folder, lively
        with installation(Settings(data=folder, city="Dijon", **NO_RESERVE)) as opened:
            intake = opened.take_assets("town", drafts(), reason="for the tests of the pages")
            assert not intake.refused, intake.refused[:3]
            self.secret = admit_device(
                opened, "gateway", [row[0] for row in opened.facts.registry_rows() if row[2] != "post"]
            )
            self.circuit = _put_in_force(opened)
        make_people(folder)
        self.port = _free_port()
        self.processes: dict[str, subprocess.Popen[str] | Started] = {}
        self._at_work = AtWork()

    @property
    def url(self) -> str:
        """Where it answers."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def post(self) -> RunningPost:
        """To speak with it."""
        return RunningPost(self.processes["post"], self.port, self.secret)

    def start(self) -> None:
        """Starts the post, and the devices where they do not run yet."""
        reserves = {f"VIGIE_{key.upper()}": str(value) for key, value in NO_RESERVE.items()}
        args = ["serve", "--data", str(self.folder), "--port", str(self.port)]
        # No site speaks there, but the post could ask one.
        reserves["VIGIE_RSMP_PORT"] = str(_free_port())
        post = self.processes["post"] = ready().start(args, os.environ | reserves, self.folder / "log")
        assert "answers on" in post.stdout.readline(), (self.folder / "log").read_text()
        if self.lively and "devices" not in self.processes:
            self.processes["devices"] = subprocess.Popen(
                [sys.executable, "-c", _DEVICES, self.url, self.secret], stderr=(self.folder / "log").open("a"),
                text=True, start_new_session=True, cwd=PROJECT,
            )  # fmt: skip
            self._wait_for_words()

    def stop(self, *names: str) -> None:
        """Ends the post, the devices, or both, as a power cut does: nobody gets to say goodbye."""
        for name in names or ("devices", "post"):
            process = self.processes.pop(name, None)
            if process is not None and process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait(30)

    def browser(self, login: str) -> Browser:
        """Somebody who asks past the pages."""
        return self._at_work.browser(self.post, login)

    def cookie(self, login: str) -> str:
        """Somebody's session: most tests are not about logging in."""
        return self.browser(login).secret

    def forget(self, login: str) -> None:
        """Somebody has logged out."""
        self._at_work.forget(login)

    def ask(self, login: str, path: str) -> object:
        """What the API answers somebody."""
        said = self.browser(login).ask("GET", f"/api/v1/{path}")
        assert said.status == 200, said
        return said.body

    def _wait_for_words(self) -> None:
        end = time.monotonic() + 60
        while time.monotonic() < end:
            said = self.post.ask("GET", "/metrics").body
            if f"vigie_conditions_open {WRONG:.1f}" in said:
                return
            time.sleep(0.1)
        raise TimeoutError((self.folder / "log").read_text())


@contextlib.contextmanager
def town(folder: Path, *, lively: bool = True) -> Generator[Town]:
    """A town that lives until the end of the block."""
    made = Town(folder, lively=lively)
    try:
        made.start()
        yield made
    finally:
        made.stop()


def run_devices() -> None:
    """The device end's own process."""
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_live(sys.argv[1], sys.argv[2]))
