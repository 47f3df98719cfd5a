"""Backups of a post under load, and their restoring: cut at one instant, whole, and without what was erased since."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest

from tests.city import open_engine, open_facts, open_observations
from tests.post import NO_RESERVE, make, now_us, reading, running
from tests.test_crash import LAMP_IDS, Sender, effects_expected, effects_journaled, in_history
from vigie.app import Installation, KeyMissing, installation, perform
from vigie.app.backup import MANIFEST, BackupOrder, Manifest, read_manifest, restore
from vigie.app.nights import KeptNights
from vigie.core.cases import Draft
from vigie.core.facts import DeviceAdmitted, Entry, Personal, PersonalErased
from vigie.core.times import DAY_US
from vigie.engine.plans import By
from vigie.services.roads.works.permits import ROADWORKS, Phase, Roadworks, Stretch
from vigie.settings import Settings
from vigie.store.mailing import Step
from vigie.transports.control import Wrong

WORDS = "Mme Durand called twice"


def settings(folder: Path) -> Settings:
    return Settings(data=folder, city="Essai", **NO_RESERVE)


def quiet(what: str, done: int, total: int) -> None:
    """Says nothing."""


def back_up(folder: Path, to: Path, *, with_keys: bool = False) -> dict:
    return perform(settings(folder), "backup", BackupOrder(str(to), with_keys))


def note(opened: Installation, name: str, words: str, until_us: int) -> str:
    """A fact with personal words; returns the field's name as erasures say it."""
    fact = DeviceAdmitted(id=opened.new_id(), at=opened.clock.now_us(), actor="test", device=name, count=0, items="")
    opened.facts.commit([Entry(fact, {"reason": Personal(words, "who answers for it", until_us)}, (name.encode(), []))])
    return f"{fact.id}/reason"


def named(opened: Installation, owner_name: str) -> str:
    """Works of a private person; returns the name's field as erasures say it."""
    phase = Phase("2026-12-07T08:00", "2026-12-11T17:00", (Stretch("s"),), "pavement")
    document = Roadworks(owner_name=owner_name, phases=(phase,))
    draft = Draft(ROADWORKS, "roadworks", 3, lon=5.0, lat=47.3, document=document)
    case = opened.new_id()
    by = By("test", opened.clock.now_us(), case)
    opened.facts.commit([opened.engine().cases.open(case, draft, by=by)])
    return f"{case}/document.owner_name"


def erase(opened: Installation, fields: list[str]) -> None:
    fact = PersonalErased(id=opened.new_id(), at=opened.clock.now_us(), actor="test", rule="asked for", fields=fields)
    opened.facts.commit([Entry(fact)])


def words_in(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and WORDS.encode() in path.read_bytes()]


@pytest.mark.timeout(240)
def test_a_backup_of_a_post_under_load_is_a_whole_installation_of_one_instant(tmp_path: Path) -> None:
    folder, copies = tmp_path / "post", [tmp_path / "copy-0", tmp_path / "copy-1"]
    secret = make(folder)
    with running(folder, secret) as post:
        senders = [Sender(post, f"{n}", now_us() - 3_600_000_000 + n * 60_000_000) for n in range(2)]
        for sender in senders:
            sender.start()
        before: list[set[tuple[str, int, float]]] = []
        for copy in copies:
            threading.Event().wait(1.0)
            before.append({row for sender in senders for row in sender.acknowledged.copy()})
            made = back_up(folder, copy, with_keys=True)
            assert made["keys"]
        post.kill()
        for sender in senders:
            sender.join(20)
    everything = in_history(folder) | set.union(*(sender.acknowledged for sender in senders))
    for copy, acknowledged in zip(copies, before, strict=True):
        again = tmp_path / f"{copy.name}-again"
        restore(settings(again), copy, None, quiet)
        manifest = read_manifest(copy)
        facts, observations = open_facts(again), open_observations(again)
        assert facts.reacted_to <= observations.last_ingest == manifest.ingest
        observations.close()
        facts.close()
        held = in_history(again)
        assert len(acknowledged) > 1_000
        assert acknowledged - held == set()
        assert held - everything == set()
        with running(again, secret) as post:
            assert post.send([reading(LAMP_IDS[0], "power", 7.0, now_us())]).body["accepted"] == 1
        assert effects_journaled(again) == effects_expected(again)


def test_sealed_days_and_pictures_go_with_it_and_the_picture_is_as_it_was(tmp_path: Path) -> None:
    folder, copy, again = tmp_path / "post", tmp_path / "copy", tmp_path / "again"
    secret = make(folder)
    at = now_us() - 3 * DAY_US
    with running(folder, secret) as post:
        rows = [reading(LAMP_IDS[n], "level", float(n), at + n) for n in range(10)]
        rows += [reading("bus-b1", "position", [5.0, 47.3], at), reading(LAMP_IDS[0], "level", 99.0, now_us())]
        assert post.send(rows).body["rejected_total"] == 0
    with installation(settings(folder)) as opened:
        opened.seal()
        assert list((folder / "observations" / "sealed").rglob("*.parquet"))
        nights = opened.nights.sums.spans()
        assert nights, "a night is over since, and was kept"
        picture = opened.engine().frame(0)
    back_up(folder, copy)
    assert not (folder / "observations" / ".backup").exists()
    restore(settings(again), copy, None, quiet)
    facts, observations = open_facts(again), open_observations(again)
    frame = open_engine(facts, observations).frame(0)
    again_kept = KeptNights(facts, observations, settings(again)).sums
    assert again_kept.spans() == nights
    assert again_kept.find(nights[0].start_us, nights[0].end_us) is not None
    observations.close()
    facts.close()
    assert frame.value.tolist() == picture.value.tolist()
    assert frame.asset.tolist() == picture.asset.tolist()


def test_what_was_erased_after_a_backup_is_erased_again_by_its_restoring(tmp_path: Path) -> None:
    folder, old, new = tmp_path / "post", tmp_path / "old", tmp_path / "new"
    make(folder)
    with installation(settings(folder)) as opened:
        early = note(opened, "a", "erased before the backup", now_us() + DAY_US)
        kept = note(opened, "b", "nobody asked", now_us() + DAY_US)
        field = note(opened, "c", WORDS, now_us() + DAY_US)
        owner = named(opened, WORDS)
        opened.facts.mail.queue([Step("case", 0, "received", "leaf", 0)], 0, 0)
        # A photo of which no row is left, as of one that was erased.
        opened.photos.put(opened.new_id(), WORDS.encode(), WORDS.encode())
        erase(opened, [early])
    back_up(folder, old, with_keys=True)
    with installation(settings(folder)) as opened:
        later = note(opened, "d", "after the backup", now_us() + DAY_US)
        erase(opened, [field, later, owner])
        opened.photos.forget_others(set(), left_s=0)
        list(opened.facts.journal.verify(opened.public_key))
    back_up(folder, new, with_keys=True)
    assert words_in(old)
    assert words_in(new) == []
    erasures = folder / "erasures.jsonl"
    assert [json.loads(line)["fields"] for line in erasures.read_text().splitlines()] == [
        [early],
        [field, later, owner],
    ]

    forgetful = tmp_path / "forgetful"
    restore(settings(forgetful), old, None, quiet)
    assert words_in(forgetful)
    careful = tmp_path / "careful"
    made = restore(settings(careful), old, erasures, quiet)
    assert made["erased"] == 2
    assert words_in(careful) == []
    with installation(settings(careful)) as opened:
        assert opened.facts.personal_kept() == {kept}
        assert opened.facts.mail.counts() == (0, 0), "what waited may have been told since"
        last = opened.facts.journal.lines(limit=1)[0].fact
        assert isinstance(last, PersonalErased)
        assert (last.fields, last.rule) == ([field, owner], "asked for")
        (case,) = opened.engine().cases
        assert (case.document.owner_name, case.document.begins) == ("", "2026-12-07T08:00")
        list(opened.facts.journal.verify(opened.public_key))
        opened.sign_head()
    # The restored list says of itself what was erased again, so that its own backups can be treated alike.
    assert json.loads((careful / "erasures.jsonl").read_text().splitlines()[-1])["fields"] == [field, owner]


def test_the_list_of_erasures_is_made_up_for_after_a_crash(tmp_path: Path) -> None:
    make(tmp_path)
    with installation(settings(tmp_path)) as opened:
        fields = [note(opened, f"d{n}", WORDS, now_us() + DAY_US) for n in range(2)]
        for field in fields:
            erase(opened, [field])
    erasures = tmp_path / "erasures.jsonl"
    whole = erasures.read_bytes()
    for cut in (b"", whole[:-9], whole.splitlines(keepends=True)[0]):
        erasures.write_bytes(cut)
        with installation(settings(tmp_path)):
            pass
        lines = [line for line in erasures.read_bytes().splitlines() if line.endswith(b"}")]
        assert [json.loads(line)["fields"][0] for line in lines] == fields
    erasures.unlink()
    with installation(settings(tmp_path)):
        pass
    assert erasures.read_bytes() == whole


def test_keys_are_left_out_unless_asked_for_and_a_second_key_is_never_made(tmp_path: Path) -> None:
    folder, without, with_keys = tmp_path / "post", tmp_path / "without", tmp_path / "with"
    make(folder)
    back_up(folder, without)
    back_up(folder, with_keys, with_keys=True)
    assert not (without / "keys").exists()
    assert (with_keys / "keys" / "journal.key").stat().st_mode & 0o777 == 0o600
    again = tmp_path / "again"
    restore(settings(again), without, None, quiet)
    with installation(settings(again)) as opened:
        list(opened.facts.journal.verify(opened.public_key))
        with pytest.raises(KeyMissing, match="put back the copy"):
            opened.sign_head()
    shutil.copy(folder / "keys" / "journal.key", again / "keys" / "journal.key")
    with installation(settings(again)) as opened:
        opened.sign_head()


def _cut(copy: Path, manifest: Manifest) -> None:
    path = next(copy.glob("observations/hot.duckdb"))
    path.write_bytes(path.read_bytes()[:-1])


def _turned(copy: Path, manifest: Manifest) -> None:
    path = copy / "facts.sqlite"
    data = bytearray(path.read_bytes())
    data[len(data) // 2] ^= 1
    path.write_bytes(data)


def _gone(copy: Path, manifest: Manifest) -> None:
    (copy / "facts.sqlite").unlink()


def _outside(copy: Path, manifest: Manifest) -> None:
    files = manifest.files | {"../evil": manifest.files["facts.sqlite"]}
    (copy / MANIFEST).write_bytes(msgspec.json.encode(msgspec.structs.replace(manifest, files=files)))


def _shorter(copy: Path, manifest: Manifest) -> None:
    (copy / MANIFEST).write_bytes(msgspec.json.encode(msgspec.structs.replace(manifest, size=99)))


def _no_manifest(copy: Path, manifest: Manifest) -> None:
    (copy / MANIFEST).unlink()


@pytest.mark.parametrize("damage", [_cut, _turned, _gone, _outside, _shorter, _no_manifest])
def test_a_damaged_backup_is_refused_and_leaves_nothing(
    tmp_path: Path, damage: Callable[[Path, Manifest], None]
) -> None:
    folder, copy, again = tmp_path / "post", tmp_path / "copy", tmp_path / "again"
    make(folder)
    back_up(folder, copy)
    damage(copy, read_manifest(copy))
    with pytest.raises(Wrong):
        restore(settings(again), copy, None, quiet)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["copy", "post"]


def test_nothing_is_written_over(tmp_path: Path) -> None:
    folder, copy, again = tmp_path / "post", tmp_path / "copy", tmp_path / "again"
    make(folder)
    back_up(folder, copy)
    with pytest.raises(Wrong, match="is there already"):
        back_up(folder, copy)
    with pytest.raises(Wrong, match="no folder"):
        back_up(folder, tmp_path / "nowhere" / "copy")
    with pytest.raises(Wrong, match="is not empty"):
        restore(settings(folder), copy, None, quiet)
    again.mkdir()
    restore(settings(again), copy, None, quiet)


def test_the_commands_say_what_they_did_and_what_they_left_out(tmp_path: Path) -> None:
    folder = tmp_path / "post"
    make(folder)

    def vigie(*words: str, code: int = 0) -> str:
        command = [sys.executable, "-m", "vigie.cli", *words]
        done = subprocess.run(command, capture_output=True, text=True, cwd=tmp_path, check=False)
        assert done.returncode == code, done.stdout + done.stderr
        return " ".join((done.stdout + done.stderr).split())

    assert "keys are NOT in it" in vigie("backup", "copy", "--data", "post")
    assert "would come back" in vigie("restore", "copy", "--data", "again", code=1)
    assert "there is no backup in post" in vigie("restore", "post", "--data", "again", code=1)
    told = vigie("restore", "copy", "--data", "again", "--without-erasures")
    assert "every one in its place" in told
    assert "put its copy at keys/journal.key" in told
    assert "the tokens of residents" in told
    assert "is not empty" in vigie("restore", "copy", "--data", "again", "--without-erasures", code=1)


def test_what_a_killed_backup_has_left_is_gone_at_the_next_start(tmp_path: Path) -> None:
    make(tmp_path)
    left = tmp_path / "observations" / ".backup" / "sealed"
    left.mkdir(parents=True)
    (left / "part").write_text("x")
    with installation(settings(tmp_path)):
        assert not left.parent.exists()
