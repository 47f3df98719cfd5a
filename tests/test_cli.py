"""The command, on a real installation in a folder of its own."""

from __future__ import annotations

import json
import os
import socket
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner, Result

from tests.city import LAMPS, drafts
from vigie import __version__
from vigie.app import installation
from vigie.cli import main
from vigie.core.drafts import Draft
from vigie.core.facts import DeviceAdmitted, Entry, Personal
from vigie.core.merkle import leaf_hash, root_from_inclusion
from vigie.settings import Settings


class Vigie:
    """Runs the command on one installation."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.data = folder / "data"
        self.file = folder / "assets.ndjson"
        self.file.write_bytes(b"\n".join(map(msgspec.json.encode, drafts())))

    def __call__(self, *words: str, code: int = 0) -> Result:
        result = CliRunner().invoke(main, [*words, "--data", str(self.data)])
        assert result.exit_code == code, result.output
        return result

    def take(self, *, code: int = 0) -> dict:
        return json.loads(self("import", str(self.file), "--source", "test", "--json", code=code).stdout)


@pytest.fixture
def vigie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vigie:
    monkeypatch.setenv("COLUMNS", "400")
    return Vigie(tmp_path)


def test_it_says_which_it_is() -> None:
    assert CliRunner().invoke(main, ["version"]).stdout.strip() == __version__


def test_the_same_file_twice_changes_nothing(vigie: Vigie) -> None:
    assert vigie.take()["made"] == len(drafts())
    again = vigie.take()
    told = {name: again[name] for name in ("source", "read", "made", "changed", "unchanged", "gone", "rejected")}
    assert told == {
        "source": "test", "read": 24, "made": 0, "changed": 0, "unchanged": 24, "gone": 0, "rejected": 0,
    }  # fmt: skip


def test_what_is_new_or_changed_is_judged_and_what_is_as_it_was_is_not(vigie: Vigie) -> None:
    counted = {each["rule"]: (each["count"], each["article"]) for each in vigie.take()["findings"]}
    assert counted["lighting.owed_flux"] == (LAMPS, "27.12.2018, art. 5")
    assert vigie.take()["findings"] == []
    lines = [msgspec.json.decode(each, type=Draft) for each in vigie.file.read_bytes().split(b"\n")]
    stated = {"category": "a", "installed": "2022", "colour_temperature": 4_000.0}
    lamp = next(n for n, each in enumerate(lines) if each.kind == "luminaire")
    lines[lamp] = msgspec.structs.replace(lines[lamp], attributes=lines[lamp].attributes | stated)
    vigie.file.write_bytes(b"\n".join(map(msgspec.json.encode, lines)))
    shown = vigie("import", str(vigie.file), "--source", "test", "--dry-run").stdout
    assert "1  Colour temperature over 3,000 K (27.12.2018, art. 3, II, 3°)" in shown
    assert {each["rule"]: each["count"] for each in vigie.take()["findings"]} == {
        "lighting.colour_over": 1, "lighting.owed_upward_light_share": 1, "lighting.owed_flux_code_3": 1,
        "lighting.owed_flux": 1,
    }  # fmt: skip


def test_luminaires_go_out_in_the_form_of_the_cnig_and_come_in_elsewhere(vigie: Vigie, tmp_path: Path) -> None:
    vigie.take()
    file = tmp_path / "points-lumineux.geojson"
    said = vigie("export", str(file), "--area", "dijon-metropole/quetigny").stderr
    assert f"{LAMPS // 2} luminaires written" in said
    assert f"{LAMPS // 2}  without valideDe, which the form demands" in said
    assert "puissance" not in said
    there = Vigie(tmp_path / "there")
    words = ("import", str(file), "--mapping", "cnig-eclext", "--source", "neighbours", "--json")
    report = json.loads(there(*words).stdout)
    assert (report["made"], report["rejected"]) == (LAMPS // 2, 0)
    assert json.loads(there(*words).stdout)["unchanged"] == LAMPS // 2
    # What is there is there whole, and nothing beside it; what is no file is written to as it is.
    assert [each.name for each in tmp_path.iterdir() if "points-lumineux" in each.name] == [file.name]
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    with ThreadPoolExecutor(1) as beside:
        read = beside.submit(pipe.read_bytes)
        vigie("export", str(pipe), "--area", "dijon-metropole/quetigny")
        assert read.result() == file.read_bytes()
    assert "There is no form 'shp'" in vigie("export", str(file), "--form", "shp", code=1).stderr


def test_a_bad_line_is_rejected_alone_and_named(vigie: Vigie) -> None:
    lines = vigie.file.read_bytes().split(b"\n")
    dragon = msgspec.json.encode(msgspec.structs.replace(drafts()[0], key="d", kind="dragon"))
    vigie.file.write_bytes(b"\n".join([lines[0], b"", b"{rubbish", dragon, *lines[1:]]))
    report = vigie.take()
    assert (report["read"], report["made"]) == (len(drafts()) + 2, len(drafts()))
    (file,) = report["files"]
    assert [each["line"] for each in file["rejections"]] == [3, 4]
    assert file["rejections"][1]["key"] == "d"
    shown = vigie("import", str(vigie.file), "--source", "test").stdout
    assert "line 4: there is no kind 'dragon'" in shown


def test_a_bad_file_changes_nothing(vigie: Vigie) -> None:
    vigie.file.write_bytes(b"\xff\xfe\nno asset")
    assert "holds no asset; line 1" in vigie("import", str(vigie.file), code=1).stderr
    assert "cannot be read" in vigie("import", "nowhere.ndjson", code=1).stderr


def test_a_device_is_admitted_once_and_expelled(vigie: Vigie) -> None:
    vigie.take()
    area = ("--all-of", "dijon-metropole/quetigny")
    secret = vigie("devices", "admit", "box", *area).stdout.splitlines()[-1]
    assert len(secret) >= 40
    assert secret.encode() not in b"".join(path.read_bytes() for path in vigie.data.glob("facts.sqlite*"))
    assert "already" in vigie("devices", "admit", "box", *area, code=1).stderr
    assert "no asset 'dragon'" in vigie("devices", "admit", "other", "--asset", "dragon", code=1).stderr
    assert vigie("devices", "list").stdout.split() == ["box"]
    vigie("devices", "expel", "box")
    assert vigie("devices", "list").stdout.split() == []
    assert "no device 'box'" in vigie("devices", "expel", "box", code=1).stderr


def test_a_talq_gateway_is_admitted_with_what_the_post_shows_to_it(vigie: Vigie) -> None:
    vigie.take()
    one = ("devices", "admit", "gw", "--talq", "--asset", "luminaire-000001")
    assert "'nowhere' is no http or https address" in vigie(*one, "--uri", "nowhere", code=1).stderr
    *_, secret, _, shown = vigie(*one, "--uri", "https://gw.example/talq").stdout.splitlines()
    assert (vigie.data / "keys" / "talq.key").stat().st_mode & 0o777 == 0o600
    vigie("devices", "expel", "gw")
    *_, other, _, again = vigie(*one).stdout.splitlines()
    # The secret is another each time, what is shown follows from the name.
    assert secret != other
    assert shown == again
    assert "--uri goes with --talq" in vigie("devices", "admit", "box", "--uri", "https://x.example", code=2).stderr


def test_a_site_of_traffic_signals_is_admitted_for_its_junction_and_its_codes_are_shown_nowhere(vigie: Vigie) -> None:
    vigie.take()
    codes = vigie.data.parent / "codes.txt"
    codes.write_text("eins-geheim\nzwei-geheim\n", "utf-8")
    site = ("devices", "admit", "KK+AG0001", "--protocol", "rsmp", "--codes", str(codes))
    assert "one junction" in vigie(*site, "--asset", "luminaire-000001", code=1).stderr
    said = vigie(*site, "--asset", "junction-j1").stdout
    assert said.split() == "KK+AG0001 may connect, and speaks for junction-j1.".split()
    assert "geheim" not in said + vigie("journal", "show").stdout + vigie("devices", "list").stdout
    assert "zwei-geheim" in (vigie.data / "keys" / "rsmp.json").read_text("utf-8")
    vigie("devices", "expel", "KK+AG0001")
    assert "geheim" not in (vigie.data / "keys" / "rsmp.json").read_text("utf-8")
    assert "--protocol rsmp" in vigie("devices", "admit", "box", "--controller", "TC2", code=2).stderr
    codes.write_text("one\n", "utf-8")
    assert "two lines" in vigie(*site, "--asset", "junction-j1", code=2).stderr


def test_the_journal_shows_what_was_done_and_why_word_for_word(vigie: Vigie) -> None:
    vigie.take()
    why = "[/red] asked by the :cat: office [7]"
    vigie("devices", "admit", "box", "--asset", "luminaire-000001", "--reason", why)
    shown = vigie("journal", "show").stdout
    assert why in shown
    assert [word for word in ("InstallationMade", "AssetsTaken", "DeviceAdmitted") if word not in shown] == []
    assert "InstallationMade" not in vigie("journal", "show", "--limit", "1").stdout


def test_the_journal_verifies_and_proves_a_leaf(vigie: Vigie) -> None:
    vigie.take()
    assert "3 leaves" in vigie("journal", "verify").stdout
    said = json.loads(vigie("journal", "prove", "1").stdout)
    path = [bytes.fromhex(step) for step in said["path"]]
    root = root_from_inclusion(leaf_hash(said["leaf"].encode()), said["index"], said["size"], path)
    assert root == bytes.fromhex(said["root"])
    assert "99" in vigie("journal", "prove", "99", code=1).stderr
    assert "3 leaves" in vigie("journal", "verify").stdout


def test_what_was_erased_is_shown_as_erased_and_the_journal_still_holds(vigie: Vigie) -> None:
    with installation(Settings(data=vigie.data)) as opened:
        now_us = opened.clock.now_us()
        fact = DeviceAdmitted(id=opened.new_id(), at=now_us, actor="test", device="box", count=0, items="")
        words = {"reason": Personal("Mme Durand called", "who answers for it", now_us - 1)}
        opened.facts.commit([Entry(fact, words, (bytes(32), []))])
        assert len(opened.erase_due()) == 1
        assert len(opened.erase_due()) == 0
    shown = vigie("journal", "show").stdout
    assert "erased on 20" in shown
    assert "under rule 'end of its purpose'" in shown
    assert "Durand" not in shown
    assert "leaves" in vigie("journal", "verify").stdout


@pytest.mark.parametrize(
    "words",
    [
        ("journal", "verify"),
        ("journal", "show"),
        ("backup", "copy"),
        ("users", "list"),
        ("users", "close", "anne"),
        ("tokens", "add", "desk", "--role", "operator"),
        ("devices", "list"),
        ("devices", "expel", "box"),
        ("mqtt", "setup", "--out", "broker"),
        ("doctor",),
    ],
)
def test_a_mistyped_folder_is_said_and_nothing_is_made_there(
    vigie: Vigie, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    shown = vigie(*words, code=1).output
    assert str(vigie.data) in shown
    assert "name its folder with --data, or start one with vigie serve" in shown
    assert [path.name for path in tmp_path.iterdir()] == [vigie.file.name]


@pytest.mark.parametrize(
    "words",
    [
        ("users", "add", "anne", "--name", "Anne Morel", "--role", "operator", "--password-file", "password"),
        ("devices", "admit", "box"),
    ],
)
def test_the_first_account_and_the_first_device_make_the_post(
    vigie: Vigie, words: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "password").write_text("a long way to the lamp\n")
    vigie(*words)
    assert "The journal holds" in vigie("journal", "verify").stdout


def test_a_folder_that_cannot_be_is_named_and_not_the_port() -> None:
    for words in (("serve", "--port", "0"), ("devices", "admit", "box")):
        result = CliRunner().invoke(main, [*words, "--data", "/proc/x"])
        assert result.exit_code == 1
        assert "/proc/x cannot be the post's folder: No such file or directory" in result.stderr.replace("\n", " ")
        assert "127.0.0.1" not in result.stderr


def test_a_port_that_is_taken_is_said_with_the_mend(vigie: Vigie) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        said = " ".join(vigie("serve", "--port", str(port), code=1).stderr.split())
    assert f"127.0.0.1:{port} cannot be had: Address already in use. Choose another port with --port" in said
    said = " ".join(vigie("serve", "--host", "192.0.2.1", "--port", "0", code=1).stderr.split())
    assert "192.0.2.1:0 cannot be had: Cannot assign requested address. Choose another address with --host" in said
    assert "port" in vigie("serve", "--port", "70000", code=1).stderr


def test_a_device_without_assets_is_said_to_have_none(vigie: Vigie) -> None:
    vigie.take()
    for words in ((), ("--all-of", "dijon-metropole/atlantis")):
        said = vigie("devices", "admit", "gw", *words)
        assert len(said.stdout.splitlines()[-1]) >= 40
        assert "gw reports for nothing" in said.stderr
        assert "vigie devices expel gw" in said.stderr
        vigie("devices", "expel", "gw")


def test_what_is_not_there_is_said_with_what_may_be_meant(vigie: Vigie) -> None:
    vigie.take()
    said = vigie("devices", "admit", "gw", "--asset", "luminiare-000001", code=1).stderr
    assert "there is no asset 'luminiare-000001'. Did you mean 'luminaire-000001'?" in said
    assert "no device 'nope'. vigie devices list" in vigie("devices", "expel", "nope", code=1).stderr
    said = vigie("journal", "prove", "99999", code=1).stderr
    assert "there is no leaf 99999: the tree has leaves 0 to 2" in said


def test_an_installation_has_one_master(vigie: Vigie) -> None:
    with installation(Settings(data=vigie.data)):
        assert "in use by another" in vigie("devices", "list", code=1).stderr.replace("\n", " ")


def test_a_wrong_setting_is_said_in_a_sentence(vigie: Vigie, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VIGIE_PROT", "1")
    assert "Did you mean 'port'" in vigie("devices", "list", code=1).stderr
