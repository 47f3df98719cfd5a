"""The live door of a real post, as browsers meet it: what each is told, who is let in, and who is closed out."""

from __future__ import annotations

import contextlib
import json
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import psutil
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus

from tests.live import EVERYWHERE, GONE, Live, Screen, live
from tests.people import Browser, ask_json, make_people
from tests.post import RunningPost, make, now_us, reading, running

SESSION = "/api/v1/session"
TICKS_S = 0.3
"""After this the door has told of what was sent."""

LAMP, NEIGHBOUR = "luminaire-000001", "luminaire-000002"
"""One in Quetigny, the next one in Dijon."""


@pytest.fixture(scope="module")
def ids() -> dict[str, str]:
    """The ids of the people, by their logins."""
    return {}


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory, ids: dict[str, str]) -> Iterator[RunningPost]:
    """One post for the questions here."""
    folder = tmp_path_factory.mktemp("post")
    secret = make(folder)
    ids |= make_people(folder)
    with running(folder, secret) as started:
        yield started


@pytest.fixture(scope="module")
def operator(post: RunningPost) -> Browser:
    return Browser(post, "operator")


@pytest.fixture(scope="module")
def numbers(post: RunningPost, operator: Browser) -> dict[str, int]:
    """The numbers of the assets, by their ids."""
    rows = operator.ask("GET", "/api/v1/assets?limit=500").body["items"]
    return {row["id"]: row["no"] for row in rows}


def send(post: RunningPost, *rows: tuple[str, str, Any]) -> int:
    """Observations of now; returns when that was, in microseconds."""
    at_us = now_us()
    answer = post.send([reading(asset, point, value, at_us) for asset, point, value in rows])
    assert answer.body["accepted"] == len(rows), answer.body
    return at_us


def test_a_snapshot_comes_first_and_then_what_changes(
    post: RunningPost, operator: Browser, numbers: dict[str, int]
) -> None:
    at_us = send(post, (LAMP, "level", 60.0), (NEIGHBOUR, "level", 20.0))
    with live(post, operator) as door:
        door.look()
        screen = door.show(Screen())
        assert screen.types[0] == "snapshot"
        row = screen.picture[numbers[LAMP]]
        assert (row["value"], row["at_s"], row["worst"], row["flags"]) == (60.0, at_us / 1e6, 0, 0)
        screen.types.clear()
        send(post, (LAMP, "level", 61.0), (LAMP, "fault", "lamp"))
        header, columns = door.next()
        assert (header["type"], header["sub"]) == ("delta", 1)
        assert columns["no"].tolist() == [numbers[LAMP]], "nothing but what changed"
        assert (columns["value"].tolist(), columns["worst"].tolist()) == ([61.0], [4])
        assert header["version"] > screen.version
        send(post, (LAMP, "fault", "none"))
        assert door.next()[1]["worst"].tolist() == [0]


def test_many_changes_between_two_ticks_are_one(post: RunningPost, operator: Browser) -> None:
    with live(post, operator) as door:
        door.look()
        door.show(Screen())
        for n in range(60):
            send(post, (LAMP, "level", float(n)))
        frames = door.rest()
        assert frames[-1][1]["value"].tolist() == [59.0]
        assert len(frames) < 30


def test_only_the_viewport_and_the_kinds_asked_for_are_told(
    post: RunningPost, operator: Browser, numbers: dict[str, int]
) -> None:
    send(post, (LAMP, "level", 60.0), ("luminaire-000011", "level", 60.0), ("cabinet-cabinet", "supply", "on"))
    with live(post, operator) as door:
        door.look((5.000005, 47.2, 5.000015, 47.4), 1)
        door.look(EVERYWHERE, 2, kinds=["cabinet", "no such kind"])
        one, other = Screen(), Screen()
        for header, columns in door.rest():
            {1: one, 2: other}[header["sub"]].take(header, columns)
        here = {no for no, row in one.picture.items() if not np.isnan(row["value"])}
        assert numbers[LAMP] in here
        assert numbers["luminaire-000011"] not in here
        assert set(other.picture) == {numbers["cabinet-cabinet"]}
        send(post, ("luminaire-000011", "level", 50.0))
        assert door.rest() == []
        # Another viewport under the same number: a fresh snapshot of it.
        door.look((5.0001, 47.2, 5.0002, 47.4), 1)
        assert numbers["luminaire-000011"] in door.show(Screen(), 1).picture


def test_whoever_comes_back_is_told_what_changed_since(
    post: RunningPost, operator: Browser, numbers: dict[str, int]
) -> None:
    send(post, (LAMP, "level", 10.0), (NEIGHBOUR, "level", 10.0))
    screen = Screen()
    with live(post, operator) as door:
        door.look()
        door.show(screen)
    send(post, (LAMP, "level", 11.0))
    time.sleep(TICKS_S)
    resume = screen.resume
    with live(post, operator) as door:
        door.look(resume=resume)
        header, columns = door.next()
        assert header["type"] == "delta"
        assert columns["no"].tolist() == [numbers[LAMP]]
        screen.take(header, columns)
        door.look(resume=screen.resume)
        header, _ = door.next()
        assert (header["type"], header["rows"], header["version"]) == ("delta", 0, screen.version)
    with live(post, operator) as door:
        door.look(resume={"epoch": "of another process", "version": screen.version})
        header, columns = door.next()
        assert (header["type"], header["forget"]) == ("snapshot", True)
        assert numbers[NEIGHBOUR] in columns["no"].tolist()


def test_another_communes_crew_sees_nothing_of_it(
    post: RunningPost, operator: Browser, numbers: dict[str, int]
) -> None:
    """A lamp's place is public, its level is not."""
    send(post, (LAMP, "level", 60.0), (NEIGHBOUR, "level", 60.0), ("cabinet-cabinet", "door", "open"))
    with live(post, Browser(post, "crew")) as door:
        door.look()
        for topic in ("conditions", "figures", "commands"):
            door.ask(topic, len(topic))
        frames = door.rest()
        told = {no for header, columns in frames if "no" in columns for no in columns["no"].tolist()}
        assert numbers[LAMP] in told
        quetigny = {no for id, no in numbers.items() if id.startswith("luminaire") and int(id[-6:]) % 2}
        assert told <= quetigny | {numbers["bus-b1"]}
        by_type = {header["type"]: header for header, _ in frames}
        assert by_type["conditions"]["data"]["items"] == []
        assert set(by_type["figures"]["data"]["services"]) == {"lighting"}
        send(post, (NEIGHBOUR, "level", 61.0), (NEIGHBOUR, "fault", "lamp"), ("cabinet-cabinet", "supply", "lost"))
        assert [header for header, _ in door.rest() if header["type"] != "figures"] == []
        door.ask("watch", 9, asset="cabinet-cabinet")
        assert door.until(lambda header: header.get("sub") == 9)[0]["type"] == "refused"
        door.ask("watch", 10, asset=NEIGHBOUR)
        header, _ = door.until(lambda header: header.get("sub") == 10)
        assert header["data"] == {"conditions": []}, "it is there, and nothing of it is public"
    send(post, (NEIGHBOUR, "fault", "none"), ("cabinet-cabinet", "supply", "on"), ("cabinet-cabinet", "door", "closed"))


def test_what_moves_is_told_where_it_is_and_that_it_has_left(
    post: RunningPost, operator: Browser, numbers: dict[str, int]
) -> None:
    bus = numbers["bus-b1"]
    here = (4.99, 47.29, 5.0001, 47.31)
    send(post, ("bus-b1", "position", [4.995, 47.3]), ("bus-b1", "heading", 90.0))
    with live(post, operator) as door:
        door.look(here)
        screen = door.show(Screen())
        assert screen.movers[bus]["heading"] == 90.0
        at_us = send(post, ("bus-b1", "position", [4.996, 47.3]))
        _, columns = door.until(lambda header: header.get("moving"))
        row = {name: column.tolist() for name, column in columns.items()}
        assert (row["no"], row["lon"], row["lat"], row["at_s"]) == ([bus], [4.996], [47.3], [at_us / 1e6])
        door.rest()
        send(post, ("bus-b1", "position", [5.5, 47.3]))
        _, columns = door.until(lambda header: header.get("moving"))
        assert (columns["no"].tolist(), columns["flags"].tolist()) == ([bus], [GONE])
        door.rest()
        send(post, ("bus-b1", "position", [5.6, 47.3]))
        assert door.rest() == [], "elsewhere it is nobody's business here"
        door.look(here)
        assert door.show(Screen()).movers == {}
        send(post, ("bus-b1", "position", [4.995, 47.3]))
        assert door.until(lambda header: header.get("moving"))[1]["flags"].tolist() == [0]


def test_alarms_come_whole_first_and_then_as_they_move(post: RunningPost, operator: Browser) -> None:
    def told(door: Live) -> list[dict[str, Any]]:
        return door.until(lambda header: header["type"] == "conditions")[0]["data"]["items"]

    send(post, ("cabinet-cabinet", "door", "open"))
    with live(post, operator) as door:
        door.ask("conditions")
        header, _ = door.next()
        alarm = next(each for each in header["data"]["items"] if each["condition"] == "door_open")
        assert header["data"]["full"]
        assert (alarm["state"], alarm["asset"]["id"]) == ("unacknowledged", "cabinet-cabinet")
        assert operator.ask("POST", f"/api/v1/conditions/{alarm['id']}/acknowledge", {}).status == 200
        [acknowledged] = told(door)
        assert (acknowledged["id"], acknowledged["state"]) == (alarm["id"], "acknowledged")
        send(post, ("cabinet-cabinet", "supply", "lost"))
        assert [each["condition"] for each in told(door)] == ["supply_lost"]
        send(post, ("cabinet-cabinet", "door", "closed"))
        [over] = told(door)
        assert (over["id"], over["outlet"], over["state"]) == (alarm["id"], "alarm", "normal")
        send(post, (LAMP, "fault", "lamp"))
        assert door.rest() == [], "maintenance is no alarm"
    send(post, ("cabinet-cabinet", "supply", "on"), (LAMP, "fault", "none"))


def test_an_asset_that_is_watched_is_told_point_by_point(post: RunningPost, operator: Browser) -> None:
    with live(post, operator) as door:
        door.ask("watch", 4, asset=LAMP)
        assert door.rest()[0][0]["type"] == "sheet"
        send(post, (LAMP, "power", 40.0), (LAMP, "level", 60.0), (NEIGHBOUR, "power", 1.0))
        header, _ = door.next()
        assert {each["point"]: each["value"] for each in header["data"]["points"]} == {"power": 40.0, "level": 60.0}
        send(post, (LAMP, "fault", "driver"))
        header, _ = door.next()
        assert [each["condition"] for each in header["data"]["conditions"]] == ["lamp_out"]
        send(post, (LAMP, "fault", "none"))
        assert door.next()[0]["data"]["conditions"] == []
        held = operator.ask("POST", f"/api/v1/assets/{LAMP}/consignations", {"crew": "Equipe 3", "reason": "works"})
        if held.status < 300:
            assert door.next()[0]["data"] == {}, "a lock-out asks that the sheet be read again"
        door.ask("watch", 5, asset="no such asset")
        assert door.until(lambda header: header.get("sub") == 5)[0]["type"] == "refused"


def test_orders_are_told_as_they_go(post: RunningPost, operator: Browser) -> None:
    with live(post, operator) as door:
        door.ask("commands", 7)
        [(first, _)] = door.rest()
        assert first["data"]["full"], "all that are open are told first"
        order = {
            "action": "luminaire.dim", "params": {"level": 30}, "select": {"assets": [NEIGHBOUR]}, "reason": "a test",
        }  # fmt: skip
        given = operator.ask("POST", "/api/v1/commands", order, **{"Idempotency-Key": "live-1"})
        assert given.status == 201, given.body
        header, _ = door.until(lambda header: header["type"] == "commands")
        assert [each["id"] for each in header["data"]["items"]] == [given.body["id"]]
        assert "full" not in header["data"]
        assert operator.ask("POST", f"/api/v1/commands/{given.body['id']}/cancel", {}).status == 200
        header, _ = door.until(
            lambda header: header["type"] == "commands" and header["data"]["items"][0]["state"] == "closed"
        )
        assert header["data"]["items"][0]["counts"] == {"cancelled": 1}
    # Who had lost the link meanwhile is told what is open now, and so what is not, where nothing is.
    with live(post, operator) as door:
        door.ask("commands", 7)
        header, _ = door.until(lambda header: header["type"] == "commands")
        assert header["data"] == {"items": [], "full": True}


def test_figures_come_when_they_have_changed(post: RunningPost, operator: Browser) -> None:
    with live(post, operator) as door:
        door.ask("figures", 3)
        first = door.until(lambda header: header["type"] == "figures")[0]["data"]["services"]["lighting"]
        door.rest(2.5)
        send(post, (LAMP, "fault", "lamp"))
        then = door.until(lambda header: header["type"] == "figures")[0]["data"]["services"]["lighting"]
        assert then["maintenance"] == first["maintenance"] + 1
    send(post, (LAMP, "fault", "none"))


def test_another_inventory_is_told_to_whoever_shows_it(post: RunningPost, operator: Browser) -> None:
    with live(post, operator) as door:
        door.ask("inventory", 3)
        first = door.until(lambda header: header["type"] == "inventory")[0]["data"]["edition"]
        body = {"kind": "luminaire", "name": "Fontaine", "lon": 5.1, "lat": 47.3}
        assert operator.ask("POST", "/api/v1/assets", body).status == 201
        assert door.until(lambda header: header["type"] == "inventory")[0]["data"]["edition"] != first


@pytest.mark.parametrize("cookie", ["", "vigie_session=nonsense"])
def test_nobody_is_let_in_without_a_session_and_is_told_so(post: RunningPost, cookie: str) -> None:
    with live(post, cookie) as door:
        assert door.farewell() == ("revoked", 1008)


@pytest.mark.parametrize("headers", [{"Origin": "https://elsewhere.example"}, {"Sec-Fetch-Site": "cross-site"}])
def test_a_page_of_another_site_is_not_answered(post: RunningPost, operator: Browser, headers: dict[str, str]) -> None:
    with pytest.raises(InvalidStatus) as refused, live(post, operator, **headers):
        pass
    assert refused.value.response.status_code == 403
    with live(post, operator, Origin=f"http://127.0.0.1:{post.port}") as door:
        door.look()
        assert door.next()


@pytest.mark.parametrize(
    "message",
    [
        "", "no JSON", "[]", "{}", '{"subscribe": {}}', '{"subscribe": {"id": 1, "bbox": [1, 2, 3]}}',
        '{"subscribe": {"id": 1, "bbox": [2, 0, 1, 0]}}', '{"figures": {"id": 1}, "commands": {"id": 2}}',
        '{"subscribe": {"id": 1, "bbox": [0, 0, 1, 1e999]}}', '{"watch": {"id": "x", "asset": 3}}',
        '{"watch": {"id": 3, "asset": "' + "x" * 16_000 + '"}, "more": 1, "and": [[[]]]}', "\ud7ff", '{"close": 1}',
        b"", b'{"figures": {"id": 1}}',
    ],
)  # fmt: skip
def test_what_is_not_understood_ends_the_socket_and_says_why(
    post: RunningPost, operator: Browser, message: str | bytes
) -> None:
    with live(post, operator) as door:
        door.socket.send(message)
        if isinstance(message, str) and "more" in message:
            # Members that nobody knows are passed over; there is no such asset.
            assert door.next()[0]["type"] == "refused"
        else:
            assert door.farewell() == ("not_understood", 1008)


def test_no_more_is_taken_than_may_be(post: RunningPost, operator: Browser) -> None:
    with live(post, operator) as door:
        for number in range(17):
            door.look(number=number)
        assert door.farewell() == ("too_many_subscriptions", 1008)
    with live(post, operator) as door:
        with contextlib.suppress(ConnectionClosed):
            for number in range(300):
                door.look(number=number % 3)
        assert door.farewell() == ("too_many_messages", 1008)
    with live(post, operator) as door:
        door.socket.send("x" * 100_000)
        assert door.farewell()[1] == 1009
    with live(post, operator) as door:
        door.socket.send(b"bytes")
        assert door.farewell() == ("not_understood", 1008)
    open_sockets = [live(post, operator) for _ in range(17)]
    doors = [each.__enter__() for each in open_sockets]
    try:
        assert doors[-1].farewell() == ("full", 1013)
    finally:
        for each in open_sockets:
            each.__exit__(None, None, None)


def test_a_session_that_ends_closes_its_sockets_within_two_seconds(post: RunningPost) -> None:
    person, bystander = Browser(post, "operator"), Browser(post, "operator")
    with live(post, person) as one, live(post, person) as two, live(post, bystander) as other:
        for door in (one, two, other):
            door.look()
            door.rest(0.2)
        assert person.ask("DELETE", SESSION).status == 204
        start = time.monotonic()
        assert one.farewell() == ("revoked", 1008)
        assert two.farewell() == ("revoked", 1008)
        assert time.monotonic() - start < 2
        send(post, (LAMP, "level", 5.0))
        assert other.next()[0]["type"] == "delta"


def test_other_rights_begin_everything_afresh(post: RunningPost, ids: dict[str, str], numbers: dict[str, int]) -> None:
    send(post, (NEIGHBOUR, "level", 33.0))
    admin = Browser(post, "administrator")
    with live(post, Browser(post, "crew")) as door:
        door.look()
        screen = door.show(Screen())
        epoch = screen.epoch
        assert numbers[NEIGHBOUR] not in screen.picture
        role = {"role": "crew", "area": "dijon-metropole/dijon", "services": ["lighting"]}
        assert admin.ask("POST", f"/api/v1/users/{ids['crew']}/roles", role).status < 300
        door.show(screen, quiet_s=1.5)
        assert screen.epoch != epoch
        assert screen.picture[numbers[NEIGHBOUR]]["value"] == 33.0


def stalled(post: RunningPost, who: Browser) -> socket.socket:
    """A browser that asks for the whole city and reads nothing of it."""
    raw = socket.socket()
    raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4_096)
    raw.connect(("127.0.0.1", post.port))
    raw.sendall(
        f"GET /api/v1/live HTTP/1.1\r\nHost: 127.0.0.1:{post.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
        f"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nCookie: {who.cookie}\r\n\r\n"
        .encode()
    )  # fmt: skip
    said = json.dumps({"subscribe": {"id": 1, "bbox": EVERYWHERE, "kinds": None, "cells": None, "resume": None}})
    mask = b"\0\0\0\0"
    time.sleep(0.05)
    raw.sendall(bytes([0x81, 0x80 | 126]) + len(said).to_bytes(2, "big") + mask + said.encode())
    return raw


def metric(post: RunningPost, name: str) -> float:
    """A figure of the post, as Prometheus reads it."""
    lines = post.ask("GET", "/metrics").body.splitlines()
    return next(float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith(f"{name} "))


LAMPS = 4_000
STALLED = 40


@pytest.mark.timeout(180)
def test_browsers_that_do_not_read_cost_no_memory_and_are_closed(tmp_path: Path) -> None:
    """Forty that stall before the whole city changes thirty times: what they would be owed is a hundred megabytes."""
    # The post of this test waits for 6 s instead of 30.
    shorter = tmp_path / "shorter"
    shorter.mkdir()
    (shorter / "sitecustomize.py").write_text("import vigie.api.live.socket as s\ns.STALLED_S_MAX = 6.0\n")
    folder = tmp_path / "post"
    folder.mkdir()
    secret = make(folder, lamps=LAMPS)
    make_people(folder, ["operator", "supervisor", "elected"])

    def change_all(post: RunningPost, times: int) -> None:
        for n in range(times):
            send(post, *((f"luminaire-{lamp:06d}", "level", float((lamp + n) % 100)) for lamp in range(LAMPS)))
            time.sleep(0.1)

    with running(folder, secret, environment={"PYTHONPATH": str(shorter)}) as post:
        people = [Browser(post, who) for who in ("operator", "supervisor", "elected")]
        with live(post, people[0]) as reader:
            reader.look()
            screen = Screen()

            def read_on() -> None:
                with contextlib.suppress(ConnectionClosed):
                    while True:
                        screen.take(*reader.next(60))

            threading.Thread(target=read_on, daemon=True).start()
            change_all(post, 30)
            process = psutil.Process(post.process.pid)
            before = process.memory_info().rss
            sockets = [stalled(post, people[n % 3]) for n in range(STALLED)]
            time.sleep(0.5)
            assert metric(post, "vigie_live_sockets") == STALLED + 1
            change_all(post, 30)
            grown = process.memory_info().rss - before
            assert grown < STALLED * 1_000_000, f"{grown:,} bytes"
            end = time.monotonic() + 15
            while metric(post, "vigie_live_sockets") > 1:
                assert time.monotonic() < end, "they are still there"
                time.sleep(0.2)
            assert metric(post, 'vigie_live_closed_total{reason="slow"}') == STALLED
            # Who reads has been told all the same, to the last.
            assert [row["value"] for row in screen.picture.values()].count(29.0) == LAMPS / 100
        for each in sockets:
            each.close()


def test_a_slow_browser_is_told_all_at_once_and_that_it_was_slow(tmp_path: Path) -> None:
    secret = make(tmp_path, lamps=LAMPS)
    make_people(tmp_path, ["operator"])
    with running(tmp_path, secret) as post, live(post, Browser(post, "operator"), kernel_bytes=65_536) as door:
        door.look()
        for n in range(20):
            send(post, *((f"luminaire-{lamp:06d}", "level", float(n)) for lamp in range(LAMPS)))
            time.sleep(0.1)
        frames = door.rest(2)
        lost = [header for header, _ in frames if header["type"] == "lost"]
        assert [header["data"]["after_s"] > 1 for header in lost] == [True]
        assert len(frames) < 15, "coalesced"
        assert metric(post, "vigie_live_coalesced_total") > 5
        screen = Screen()
        for header, columns in frames:
            if header["type"] != "lost":
                screen.take(header, columns)
        assert [row["value"] for row in screen.picture.values()].count(19.0) == LAMPS


def test_a_post_that_stops_says_goodbye_to_browsers_that_do_not_read(tmp_path: Path) -> None:
    secret = make(tmp_path, lamps=LAMPS)
    make_people(tmp_path, ["operator"])
    with running(tmp_path, secret) as post:
        person = Browser(post, "operator")
        raw = [stalled(post, person) for _ in range(5)]
        with live(post, person) as door:
            door.look()
            door.rest()
            start = time.monotonic()
            post.process.terminate()
            with pytest.raises(ConnectionClosed):
                door.rest()
            post.process.wait(30)
            assert time.monotonic() - start < 8
        for each in raw:
            each.close()


def test_a_token_opens_the_door_too(post: RunningPost, operator: Browser) -> None:
    made = operator.ask("POST", "/api/v1/tokens", {"name": "wall", "role": "operator", "area": "", "days": 1})
    assert made.status == 201, made.body
    token = made.body["token"]
    with live(post, "", Authorization=f"Bearer {token}") as door:
        door.look()
        assert door.next()[0]["type"] == "snapshot"
        assert ask_json(post, "GET", "/api/v1/assets?limit=1", Authorization=f"Bearer {token}").status == 200
        assert operator.ask("DELETE", f"/api/v1/tokens/{made.body['id']}").status < 300
        assert door.farewell() == ("revoked", 1008)
