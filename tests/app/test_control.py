"""What is asked of a running post over its control socket, by the same commands as where none runs."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.broker import Broker, running_broker
from tests.post import NO_RESERVE, RunningPost, make, now_us, reading, running
from tests.test_crash import LAMP_IDS, Sender
from tests.transports.test_mqtt import figure, publish, until
from vigie.app import InUse, installation, perform
from vigie.app.administration import Admission, Expulsion, Leaf, Leaves
from vigie.app.control import OPERATIONS
from vigie.settings import Settings
from vigie.transports.control import ASK_BYTES_MAX, AT_ONCE_MAX, NAME, ControlSocket, Wrong, ask


def settings(folder: Path) -> Settings:
    return Settings(data=folder, city="Essai", **NO_RESERVE)


@pytest.fixture
def post(tmp_path: Path) -> Iterator[tuple[Path, RunningPost]]:
    """A running post and its folder, which lies deeper than a socket's own name may be long."""
    folder = tmp_path / ("deep" * 30) / "post"
    folder.parent.mkdir()
    secret = make(folder)
    with running(folder, secret) as started:
        yield folder, started


def test_a_device_admitted_while_the_post_runs_may_report_at_once_and_one_expelled_no_more(
    post: tuple[Path, RunningPost],
) -> None:
    folder, running_post = post
    lamp = LAMP_IDS[0]
    admitted = perform(settings(folder), "devices.admit", Admission("box", [lamp], reason="a new box"))
    assert admitted["assets"] == 1
    as_box = {"Authorization": f"Bearer {admitted['secret']}"}
    assert running_post.send([reading(lamp, "level", 1.0, now_us())], **as_box).body["accepted"] == 1
    # The lamp has changed hands.
    assert running_post.send([reading(lamp, "level", 2.0, now_us())]).body["rejected"][0]["outcome"] == "not_yours"
    assert perform(settings(folder), "devices.list") == ["gateway", "box"]
    for wrong in (Admission("box", []), Admission("other", ["dragon"])):
        with pytest.raises(Wrong, match=r"already|no asset 'dragon'"):
            perform(settings(folder), "devices.admit", wrong)
    perform(settings(folder), "devices.expel", Expulsion("box"))
    assert running_post.send([reading(lamp, "level", 3.0, now_us())], **as_box).status == 401
    with pytest.raises(Wrong, match="no device 'box'"):
        perform(settings(folder), "devices.expel", Expulsion("box"))


def test_a_devices_secret_is_renewed_by_expelling_it_and_admitting_it_again(post: tuple[Path, RunningPost]) -> None:
    folder, running_post = post
    lamp = LAMP_IDS[0]

    def send(secret: str) -> int:
        return running_post.send([reading(lamp, "level", 1.0, now_us())], Authorization=f"Bearer {secret}").status

    old = perform(settings(folder), "devices.admit", Admission("box", [lamp]))["secret"]
    for _ in range(2):
        perform(settings(folder), "devices.expel", Expulsion("box"))
        new = perform(settings(folder), "devices.admit", Admission("box", [lamp]))["secret"]
        assert (send(old), send(new)) == (401, 200)
        old = new
    assert perform(settings(folder), "devices.list") == ["gateway", "box"]


def test_a_device_admitted_while_the_post_runs_may_report_over_mqtt(mosquitto: Path, tmp_path: Path) -> None:
    folder = tmp_path / "post"
    secret = make(folder)
    with running_broker(mosquitto, tmp_path / "broker") as broker:
        assert isinstance(broker, Broker)
        with running(folder, secret, environment=broker.settings) as started:
            until(lambda: figure(started, "vigie_mqtt_connected") == 1)
            perform(settings(folder), "devices.admit", Admission("stranger", [LAMP_IDS[0]]))
            said = json.dumps(reading(LAMP_IDS[0], "level", 5.0, now_us())).encode()
            assert publish(broker, [("vigie/v1/stranger/observations", said)], "stranger") == [0]
            until(lambda: figure(started, 'vigie_readings_total{outcome="accepted"') == 1)


def test_the_journal_is_shown_verified_and_proved_while_facts_are_made(post: tuple[Path, RunningPost]) -> None:
    folder, running_post = post
    sender = Sender(running_post, "faults", now_us() - 3_600_000_000)
    sender.start()
    told: list[tuple[str, int, int]] = []
    for n in range(4):
        perform(settings(folder), "devices.admit", Admission(f"box-{n}", [], reason="words that are sealed"))
        assert perform(settings(folder), "journal.verify", None, lambda *at: told.append(at))["leaves"] >= 3 + n
    shown: list[dict[str, Any]] = perform(settings(folder), "journal.show", Leaves(limit=1_000))
    assert [leaf["n"] for leaf in shown] == list(range(len(shown)))[::-1]
    assert shown[-1]["type"] == "InstallationMade"
    assert {leaf["says"].get("reason") for leaf in shown if leaf["type"] == "DeviceAdmitted"} >= {
        "words that are sealed"
    }
    assert perform(settings(folder), "journal.prove", Leaf(1))["index"] == 1
    with pytest.raises(Wrong, match="no leaf 999999"):
        perform(settings(folder), "journal.prove", Leaf(999_999))
    assert told
    running_post.kill()
    sender.join(20)


def test_the_socket_is_its_owners_alone_and_a_killed_post_leaves_none_that_matters(
    post: tuple[Path, RunningPost],
) -> None:
    folder, running_post = post
    assert (folder / NAME).stat().st_mode & 0o777 == 0o600
    running_post.kill()
    # Nobody answers, and nobody holds the folder: the command does it itself.
    assert perform(settings(folder), "devices.list") == ["gateway"]
    with running(folder, running_post.secret):
        assert perform(settings(folder), "devices.list") == ["gateway"]


def test_where_something_else_holds_the_folder_that_is_said(tmp_path: Path) -> None:
    with installation(settings(tmp_path)), pytest.raises(InUse, match="in use by another"):
        perform(settings(tmp_path), "devices.list")


@pytest.mark.parametrize(
    ("said", "answer"),
    [
        (b"rubbish\n", "not understood"),
        (b"\xff\xfe\n", "not understood"),
        (b'{"do": "dragon"}\n', "no operation 'dragon'"),
        (b'{"do": "journal.show", "with": {"limit": "many"}}\n', "not understood"),
        (b'{"do": "journal.show", "with": [1]}\n', "not understood"),
        (b"x" * (ASK_BYTES_MAX + 10) + b"\n", "not understood"),
    ],
)
def test_what_is_asked_wrongly_is_told_and_harms_nothing(
    post: tuple[Path, RunningPost], said: bytes, answer: str
) -> None:
    folder, _ = post
    with socket.socket(socket.AF_UNIX) as connection:
        handle = os.open(folder, os.O_RDONLY)
        connection.connect(f"/proc/self/fd/{handle}/{NAME}")
        os.close(handle)
        try:
            connection.sendall(said)
            assert answer in json.loads(connection.makefile().readline())["wrong"]
        except (BrokenPipeError, ConnectionResetError):
            assert len(said) > ASK_BYTES_MAX
    assert ask(folder, "devices.list", {}, lambda what, done, total: None) == ["gateway"]


def test_many_may_ask_at_once_and_too_many_are_told_to_wait(post: tuple[Path, RunningPost]) -> None:
    folder, _ = post
    idle = [socket.socket(socket.AF_UNIX) for _ in range(AT_ONCE_MAX)]
    handle = os.open(folder, os.O_RDONLY)
    for connection in idle:
        connection.connect(f"/proc/self/fd/{handle}/{NAME}")
    os.close(handle)
    with pytest.raises(Wrong, match="try again"):
        ask(folder, "devices.list", {}, lambda what, done, total: None)
    for connection in idle:
        connection.close()
    answers: list[Any] = []
    threads = [
        threading.Thread(target=lambda: answers.append(perform(settings(folder), "devices.list"))) for _ in range(5)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert answers == [["gateway"]] * 5


def test_a_post_that_is_told_to_stop_stops_whoever_is_asking(post: tuple[Path, RunningPost]) -> None:
    folder, running_post = post
    with socket.socket(socket.AF_UNIX) as connection:
        handle = os.open(folder, os.O_RDONLY)
        connection.connect(f"/proc/self/fd/{handle}/{NAME}")
        os.close(handle)
        os.killpg(running_post.process.pid, signal.SIGTERM)
        assert running_post.process.wait(20) == 0


def test_every_operation_says_what_it_does() -> None:
    assert {"devices.list", "journal.verify", "backup"} <= OPERATIONS.keys()
    assert [name for name, each in OPERATIONS.items() if not each.run.__doc__] == []


def test_what_works_in_a_thread_ends_when_the_post_stops(tmp_path: Path) -> None:
    begun, ended = threading.Event(), threading.Event()

    async def perform_slowly(do: str, args: Any, say: Any) -> None:
        def work() -> None:
            try:
                while True:
                    say("work", 1, 2)
                    begun.set()
                    time.sleep(0.01)
            finally:
                ended.set()

        await asyncio.to_thread(work)

    async def scene() -> None:
        task = asyncio.create_task(ControlSocket(tmp_path, perform_slowly).run())
        await asyncio.sleep(0.1)
        asking = asyncio.create_task(asyncio.to_thread(ask, tmp_path, "x", {}, lambda what, done, total: None))
        await asyncio.to_thread(begun.wait, 10)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        with pytest.raises(Wrong):
            await asking

    asyncio.run(scene())
    assert ended.wait(10)
    assert not (tmp_path / NAME).exists()
