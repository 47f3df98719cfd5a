"""The doctor: a sound installation is sound, and each thing that is wrong is named with its mend."""

from __future__ import annotations

import json
import resource
import shutil
import socket
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.broker import running_broker
from tests.post import NO_RESERVE, make, now_us, reading, running
from tests.test_crash import LAMP_IDS
from tests.transports.test_mqtt import figure, until
from vigie.app import RSMP, admit_device, doctor, installation, journal_key, perform
from vigie.app.administration import Admission
from vigie.app.doctor import Check, examine
from vigie.cli import main
from vigie.core.times import DAY_US
from vigie.settings import Settings


def settings(folder: Path, **said: object) -> Settings:
    return Settings(data=folder, port=0, **NO_RESERVE, **said)  # type: ignore[arg-type]


def looked_at(folder: Path, **said: object) -> dict[str, Check]:
    checks = examine(settings(folder, **said), lambda what, done, total: None)
    return {check.name: check for check in checks}


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An installation with history, sealed days and pictures, and nothing wrong."""
    folder = tmp_path_factory.mktemp("doctor") / "post"
    secret = make(folder)
    with running(folder, secret) as post:
        rows = [reading(LAMP_IDS[n], "level", float(n), now_us() - 2 * DAY_US + n) for n in range(10)]
        assert post.send(rows).body["accepted"] == 10
    with installation(settings(folder)) as opened:
        opened.seal()
        opened.sign_head()
    return folder


@pytest.fixture
def folder(sound: Path, tmp_path: Path) -> Iterator[Path]:
    """A copy of it, to be spoiled."""
    copy = tmp_path / "post"
    shutil.copytree(sound, copy)
    return copy


def test_a_sound_installation_has_nothing_bad_and_every_warning_has_its_mend(folder: Path) -> None:
    found = looked_at(folder)
    assert [check for check in found.values() if check.state == "bad"] == []
    assert [check for check in found.values() if check.state != "ok" and not check.mend] == []
    expected = "folder room clock facts journal heads key history picture people descriptors pages zone broker mail"
    assert set(found) == {*expected.split(), "address"}
    assert found["people"].state == "warn"
    assert found["folder"].state == "ok", "what vigie makes is its owner's alone"


def test_it_looks_at_a_running_post_too(folder: Path) -> None:
    with running(folder, ""):
        found = looked_at(folder)
        assert [check for check in found.values() if check.state == "bad"] == []
        assert "address" not in found
        assert found["automations"].state == "ok"


def _spoil_leaf(folder: Path) -> None:
    with sqlite3.connect(folder / "facts.sqlite") as write:
        write.execute("UPDATE leaf SET body = CAST(replace(body, 'Essai', 'Autre') AS BLOB) WHERE n = 0")


def _text_leaf(folder: Path) -> None:
    with sqlite3.connect(folder / "facts.sqlite") as write:
        write.execute("UPDATE leaf SET body = 'text' WHERE n = 0")


def _drop_leaves(folder: Path) -> None:
    with sqlite3.connect(folder / "facts.sqlite") as write:
        write.execute("DELETE FROM leaf WHERE n = (SELECT max(n) FROM leaf)")


def _older_copy(folder: Path) -> None:
    head = json.loads((folder / "heads.jsonl").read_text().splitlines()[-1])
    with (folder / "heads.jsonl").open("a") as file:
        file.write(json.dumps(head | {"size": head["size"] + 5}) + "\n")


def _cut_head(folder: Path) -> None:
    with (folder / "heads.jsonl").open("a") as file:
        file.write('{"size": 3, "ro')


def _lose_segment(folder: Path) -> None:
    next((folder / "observations" / "sealed").rglob("*.parquet")).unlink()


def _spoil_segment(folder: Path) -> None:
    path = next((folder / "observations" / "sealed").rglob("*.parquet"))
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def _spoil_picture(folder: Path) -> None:
    path = next((folder / "observations" / "frames").glob("*.npz"))
    path.write_bytes(path.read_bytes()[:100])


def _lose_key(folder: Path) -> None:
    (folder / "keys" / "journal.key").unlink()


def _other_key(folder: Path) -> None:
    _lose_key(folder)
    journal_key(folder)


def _cut_secrets(folder: Path) -> None:
    (folder / "keys" / "reports.key").touch()


def _open_key(folder: Path) -> None:
    (folder / "keys" / "journal.key").chmod(0o644)


def _open_folder(folder: Path) -> None:
    folder.chmod(0o777)


def _late_fact(folder: Path) -> None:
    with installation(settings(folder)) as opened:
        later_us = now_us() + DAY_US
        opened.clock.now_us = lambda: later_us  # type: ignore[method-assign]
        admit_device(opened, "from tomorrow", [])


def _spoil_facts(folder: Path) -> None:
    path = folder / "facts.sqlite"
    data = bytearray(path.read_bytes())
    data[100:4_000] = bytes(3_900)
    path.write_bytes(data)


def _spoil_history(folder: Path) -> None:
    (folder / "observations" / "hot.duckdb").write_bytes(b"rubbish" * 4_000)


@pytest.mark.parametrize(
    ("spoil", "name", "state", "says"),
    [
        (_spoil_leaf, "journal", "bad", "the stored hash of leaf 0"),
        (_text_leaf, "journal", "bad", "could not be looked at"),
        (_drop_leaves, "journal", "bad", "was signed, and only"),
        (_older_copy, "heads", "bad", "is not the journal's"),
        (_cut_head, "heads", "warn", "cannot be read"),
        (_lose_segment, "history", "bad", "is not there"),
        (_spoil_segment, "history", "bad", "cannot be read"),
        (_spoil_picture, "picture", "warn", "damaged"),
        (_lose_key, "key", "bad", "is missing"),
        (_other_key, "key", "bad", "not the one that the first leaf names"),
        (_open_key, "key", "bad", "others may read"),
        (_cut_secrets, "secrets", "bad", "is damaged"),
        (_open_folder, "folder", "bad", "everybody may write"),
        (_late_fact, "clock", "bad", "the clock went back"),
        (_spoil_facts, "installation", "bad", "does not open"),
        (_spoil_history, "installation", "bad", "does not open"),
    ],
)
def test_what_is_wrong_is_named_with_its_mend(
    folder: Path, spoil: Callable[[Path], None], name: str, state: str, says: str
) -> None:
    spoil(folder)
    check = looked_at(folder)[name]
    assert (check.state, says in check.says) == (state, True), check
    assert check.mend


def test_the_surroundings_are_looked_at(folder: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(doctor, "WEB", tmp_path)
    monkeypatch.setattr(doctor, "free_bytes", lambda folder: 100 << 20)
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (1_024, before[1]))
    try:
        found = looked_at(folder, zone="Europe/Atlantis")
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, before)
    assert {name: found[name].state for name in ("pages", "descriptors", "zone", "room")} == {
        "pages": "warn",
        "descriptors": "warn",
        "zone": "bad",
        "room": "ok",
    }


def test_a_folder_held_by_something_that_does_not_answer_and_an_address_that_is_taken(folder: Path) -> None:
    with installation(settings(folder)):
        assert looked_at(folder)["lock"].state == "bad"
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        taken = Settings(data=folder, port=other.getsockname()[1], **NO_RESERVE)
        checks = examine(taken, lambda what, done, total: None)
    assert [check.state for check in checks if check.name == "address"] == ["bad"]


def test_it_proves_that_the_broker_refuses_a_foreign_report(mosquitto: Path, folder: Path, tmp_path: Path) -> None:
    with running_broker(mosquitto, tmp_path / "broker") as broker:
        said = {
            "mqtt_url": f"mqtt://127.0.0.1:{broker.port}",
            "mqtt_password_file": tmp_path / "broker" / "vigie.password",
        }
        found = looked_at(folder, **said)
        assert (found["broker"].state, found["access list"].state) == ("ok", "ok")
        with running(folder, "", environment=broker.settings) as post:
            until(lambda: figure(post, "vigie_mqtt_connected") == 1)
            assert looked_at(folder)["access list"].state == "ok"
        access = tmp_path / "broker" / "access.conf"
        good = access.read_text()
        broker.stop()
        access.write_text(good + "topic write vigie/v1/+/observations\n")
        broker.start()
        assert "let through" in looked_at(folder, **said)["access list"].says
        broker.stop()
        access.write_text(good)
        conf = tmp_path / "broker" / "mosquitto.conf"
        conf.write_text(conf.read_text().replace("allow_anonymous false", "allow_anonymous true"))
        broker.start()
        assert "gives no name" in looked_at(folder, **said)["access list"].says
        wrong = tmp_path / "wrong"
        wrong.write_text("wrong")
        assert "not authorised" in looked_at(folder, **(said | {"mqtt_password_file": wrong}))["broker"].says
        assert (
            "cannot be read" in looked_at(folder, **(said | {"mqtt_password_file": tmp_path / "none"}))["broker"].says
        )
    assert looked_at(folder, **said)["broker"].state == "bad"
    assert "no address of a broker" in looked_at(folder, mqtt_url="http://x")["broker"].says


def test_the_command_ends_with_1_if_anything_is_bad(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_PORT", "0")
    monkeypatch.setenv("COLUMNS", "300")
    for name in NO_RESERVE:
        monkeypatch.setenv(f"VIGIE_{name.upper()}", "0")
    run = CliRunner().invoke
    good = run(main, ["doctor", "--data", str(folder), "--json"])
    assert (good.exit_code, json.loads(good.stdout)["state"]) == (0, "warn")
    _open_key(folder)
    bad = run(main, ["doctor", "--data", str(folder)])
    assert bad.exit_code == 1
    assert "mend: chmod go-rwx" in bad.stdout
    none = run(main, ["doctor", "--data", str(folder / "nowhere")])
    assert (none.exit_code, "there is none" in none.stdout) == (1, True)
    assert not (folder / "nowhere").exists()
    monkeypatch.setenv("VIGIE_PROT", "1")
    assert "Did you mean 'port'" in run(main, ["doctor", "--data", str(folder)]).stdout


def test_sites_of_traffic_signals_that_cannot_connect_or_be_ordered_are_named(folder: Path, tmp_path: Path) -> None:
    assert looked_at(folder).get("sites") is None
    assert looked_at(folder, rsmp_port=1)["sites"].state == "ok"
    perform(settings(folder), "devices.admit", Admission("J", ["junction-j1"], protocol=RSMP))
    assert "no port" in looked_at(folder)["sites"].says
    assert looked_at(folder, rsmp_port=1)["sites' codes"].state == "warn"
    assert "speaks for that junction" in looked_at(folder, rsmp_port=1, rsmp_host="0.0.0.0")["sites' proof"].says
    found = looked_at(folder, rsmp_port=1, rsmp_certificate=tmp_path / "none", rsmp_key=tmp_path / "none")["sites"]
    assert (found.state, "rsmp_certificate" in found.says) == ("bad", True)
