"""Real feeds, replayed through the device door of a real post: what they say is what it has."""

from __future__ import annotations

import csv
import gzip
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.city import open_engine, open_facts, open_observations
from tests.post import running
from vigie.cli import main
from vigie.core.times import HOUR_US, to_us
from vigie.protocols.feeds import FeedRead, read_feed, shipped_feed

Said = dict[tuple[str, str, int], Any]
"""(asset, point, instant) -> value; a place as (longitude, latitude)."""


@pytest.fixture(scope="module")
def feeds(shared: Path) -> Path:
    return shared / "feeds"


def files(folder: Path, mapping: str = "") -> FeedRead:
    found = shipped_feed(mapping or folder.name)
    names = [rule.file for rule in found.files] + ([found.stations.file] if found.stations else [])
    return read_feed(found, {name: (folder / name).read_bytes() for name in names})


def vigie(*words: str | Path, code: int = 0) -> Any:
    result = CliRunner().invoke(main, ["replay", *map(str, words), "--json"])
    assert result.exit_code == code, result.output
    return json.loads(result.stdout) if code == 0 else " ".join(result.stderr.split())


def held(data: Path) -> Said:
    """What history holds, read without the post."""
    facts, observations = open_facts(data), open_observations(data)
    points = {number: name for (_, name), number in facts.point_numbers().items()}
    names = {row[0]: row[1] for row in facts.registry_rows()}
    found: Said = {}
    with observations.reading() as read:
        for sort, value in (("number", "value"), ("place", "[lon, lat]")):
            sql = f"SELECT asset, point, observed_us, {value} FROM ({observations.union(sort)})"
            for asset, point, at, each in read.execute(sql).fetchall():
                key = (names[asset], points[point], at)
                assert key not in found, "twice in history"
                found[key] = tuple(each) if isinstance(each, list) else each
    observations.close()
    facts.close()
    return found


def seen(data: Path, spots: list[tuple[str, str]]) -> dict[tuple[str, str], tuple[float, int]]:
    """What the live picture shows of numbers, and when that was observed."""
    facts, observations = open_facts(data), open_observations(data)
    engine = open_engine(facts, observations)
    told: dict[tuple[str, str], tuple[float, int]] = {}
    for asset, point in spots:
        number = engine.registry.numbers[asset]
        slot = engine.registry.slot(number, engine.registry.kind_of(number).points[point])
        told[asset, point] = float(engine.picture.value[slot]), int(engine.picture.observed_us[slot])
    observations.close()
    facts.close()
    return told


def moved_us(told: dict[str, Any]) -> int:
    """By how much an `end` moved the feed."""
    return to_us(datetime.fromisoformat(told["last_observed"])) - to_us(datetime.fromisoformat(told["last"]))


def test_berlins_hours_are_right_over_the_clock_change(feeds: Path) -> None:
    feed = files(feeds / "berlin-counts")
    (file,) = feed.files
    assert (file.rows, file.used, file.rejected, file.values_missing) == (114_900, 114_900, 0, 654)
    assert (file.times.skipped, file.times.twice_assumed) == (146, 0)
    with gzip.open(feeds / "berlin-counts" / "berlin_mq_hr_2024_03.csv.gz", "rt", encoding="latin-1") as text:
        rows = [row for row in csv.DictReader(text, delimiter=";") if row["mq_name"] == "TE001"]
    flows = {at: value for asset, point, value, at in feed.observations if (asset, point) == ("berlin-TE001", "flow")}
    night = sorted(at for at in flows if at >= to_us(datetime(2024, 3, 31, tzinfo=UTC)) - HOUR_US)
    hours = [(row["stunde"], float(row["q_kfz_mq_hr"])) for row in rows if row["tag"] == "31.03.2024"]
    assert [hour for hour, _ in hours[:4]] == ["0", "1", "2", "4"], "as it was published"
    first = to_us(datetime(2024, 3, 31, 0, tzinfo=UTC))
    assert night[1:5] == [first + n * HOUR_US for n in range(4)], "no gap, and nothing twice"
    assert [flows[at] for at in night[1:5]] == [flow for _, flow in hours[:4]]
    assert len(feed.drafts) == 191
    assert all(13.0 < draft.lon < 13.8 and 52.3 < draft.lat < 52.7 for draft in feed.drafts)


def test_dijons_first_batch_is_local_and_all_others_are_utc(feeds: Path) -> None:
    feed = files(feeds / "dijon-velodi")
    (file,) = feed.files
    assert (file.rows, file.used, file.times.other_zone, file.times.plain) == (70_560, 70_560, 40, 70_520)
    instants = sorted({row[3] for row in feed.observations})
    assert instants[0] == to_us(datetime(2021, 10, 10, 15, 26, 52, tzinfo=UTC))
    assert instants[1] == to_us(datetime(2021, 10, 10, 15, 28, 29, tzinfo=UTC))
    assert file.times.pauses == 5, "as many places where a run of local times could hide"
    assert len({draft.lon for draft in feed.drafts}) == 1
    assert "no coordinates" in feed.told[0]


def test_the_airs_units_and_missing_values_are_as_declared(feeds: Path) -> None:
    london = files(feeds / "air-quality")
    said = {row[1]: row[2] for row in london.observations[:9]}
    assert said["no2"] == round(39 * 1.9125, 6), "parts per billion in the file"
    assert london.files[0].values_missing == 31_624
    italy = files(feeds / "air-quality", "air-quality-uci")
    assert (italy.files[0].values_missing, italy.files[0].missing) == (1_683 + 1_639 + 1_642, 1_226)
    assert min(row[2] for row in italy.observations) >= 0
    openaq = files(feeds / "openaq")
    assert "6 cells" in openaq.files[0].rejections[0].reason, "the file is cut off in its last line"
    nab = files(feeds / "nab-traffic")
    assert [file.rejected for file in nab.files] == [0, 0, 1, 1, 0]
    assert sum(file.rows for file in nab.files) == 11_002


# The folder, the mapping if it is another, which part of each file (lines after the header), and its readings.
PARTS: list[tuple[str, str, slice, int]] = [
    ("berlin-counts", "", slice(-3_000, None), 5_800),
    ("dijon-velodi", "", slice(3_000), 6_000),
    ("openaq", "", slice(300), 590),
    ("air-quality", "", slice(-500, None), 3_900),
    ("air-quality", "air-quality-uci", slice(-500, None), 900),
    ("bus-gps", "", slice(None), 2_667),
    ("nab-traffic", "", slice(1_000), 4_998),  # loop t4013 says one instant twice, in speed and in occupancy
]


def part_of(folder: Path, mapping: str, lines: slice, into: Path) -> Path:
    """A feed's folder with some lines of each file; the table of stations whole."""
    found = shipped_feed(mapping or folder.name)
    part = into / found.source
    part.mkdir()
    for rule in found.files:
        data = (folder / rule.file).read_bytes()
        packed = rule.file.endswith(".gz")
        head, *rows = (gzip.decompress(data) if packed else data).strip(b"\n").split(b"\n")
        some = b"\n".join([head, *rows[lines]]) + b"\n"
        (part / rule.file).write_bytes(gzip.compress(some) if packed else some)
    if found.stations is not None:
        shutil.copy(folder / found.stations.file, part)
    return part


@pytest.mark.timeout(240)
def test_each_real_feed_is_in_history_and_in_the_live_picture(feeds: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    parts: list[tuple[FeedRead, tuple[Path | str, ...]]] = []
    for folder, name, lines, least in PARTS:
        part = part_of(feeds / folder, name, lines, tmp_path)
        parts.append((files(part, name or folder), (part, "--mapping", name or folder)))
        assert len(parts[-1][0].observations) >= least
        ready = vigie(*parts[-1][1], "--data", data)
        assert (ready["refused"], ready["made"]) == (0, ready["assets"])
        assert Path(ready["token_file"]).stat().st_mode & 0o777 == 0o600
    again = vigie(*parts[-1][1], "--data", data)
    assert (again["made"], again["admitted"]) == (0, False), "twice changes nothing"
    wanted: Said = {}
    newest: dict[tuple[str, str], tuple[Any, int]] = {}
    with running(data, "") as post:
        for feed, words in parts:
            url = ("--url", f"http://127.0.0.1:{post.port}", "--speed", "max")
            told = vigie(*words, "--data", data, *url)
            kept = told["readings"] - told["too_old"]
            assert told["sent"] == told["accepted"] == kept > 0
            assert told["late"] == told["duplicate"] == told["rejected"] == told["to_come"] == 0
            # What is too old lies at the beginning, as readings are in time order.
            for asset, point, value, at in feed.observations[told["too_old"] :]:
                wanted[asset, point, at + moved_us(told)] = value
                newest[asset, point] = (value, at + moved_us(told))
    assert held(data) == wanted
    shown = {spot: value for spot, value in newest.items() if not isinstance(value[0], tuple)}
    assert seen(data, list(shown)) == shown


def interrupted(command: list[str], when: Callable[[], bool], how: signal.Signals) -> None:
    """Runs a command until something holds, and ends it."""
    process = subprocess.Popen([sys.executable, "-m", "vigie.cli", *command], stdout=subprocess.DEVNULL, env=os.environ)
    end = time.monotonic() + 60
    while not when():
        assert process.poll() is None
        assert time.monotonic() < end
        time.sleep(0.02)
    process.send_signal(how)
    process.wait(30)


SLOW = 500
"""So that it is still under way when it is interrupted, on a busy machine too."""


@pytest.mark.timeout(180)
def test_a_replay_that_is_killed_and_a_post_that_restarts_lose_nothing_and_double_nothing(
    feeds: Path, tmp_path: Path
) -> None:
    folder = feeds / "bus-gps"
    progress = tmp_path / "keys" / "replay-bus-gps.progress"
    vigie(folder, "--data", tmp_path)

    def reached(count: int) -> bool:
        return progress.exists() and json.loads(progress.read_bytes())["next"] >= count

    with running(tmp_path, "") as post:
        url = f"http://127.0.0.1:{post.port}"
        command = ["replay", str(folder), "--data", str(tmp_path), "--url", url, "--speed", str(SLOW)]
        interrupted(command, lambda: reached(100), signal.SIGKILL)
        interrupted(command, lambda: reached(1_000), signal.SIGINT)
        post.kill()
    process = subprocess.Popen(
        [sys.executable, "-m", "vigie.cli", *command, "--json"], stdout=subprocess.PIPE, text=True
    )
    with running(tmp_path, "", port=post.port):
        told = json.loads(process.communicate(timeout=90)[0])
    assert told["sent"] == told["accepted"] + told["duplicate"] == told["readings"] == 2_667
    had = held(tmp_path)
    feed = files(folder)
    assert len(had) == 2_667
    start_us = min(at for _, _, at in had)
    expected = {
        (asset, point, start_us + round((at - feed.observations[0][3]) / SLOW)): value
        for asset, point, value, at in feed.observations
    }
    assert had == expected
    with running(tmp_path, "", port=post.port):
        again = vigie(folder, "--data", tmp_path, "--url", url, "--speed", "max", "--from", "2026-01-26T18:19")
        assert again["accepted"] + again["late"] == again["readings"], "what is done begins anew"


SMALL = """
source = "small"
zone = "Europe/Paris"
[[places]]
key = "A"
lon = 5.04
lat = 47.32
told = "the test"
[[files]]
file = "small.csv"
[files.time]
text = "{at}"
[[files.assets]]
kind = "detector"
key = "A"
values.flow = "{flow}"
"""


@pytest.fixture
def small(tmp_path: Path) -> Path:
    folder = tmp_path / "small"
    folder.mkdir()
    (folder / "vigie-feed.toml").write_text(SMALL)
    (folder / "small.csv").write_text("at,flow\n2024-05-06T08:00,10\n2024-05-06T09:00,30000\nsoon,3\n")
    return folder


def test_a_folders_own_mapping_is_taken_and_a_refusal_is_told(small: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    assert vigie(small, "--data", data)["made"] == 1
    with running(data, "") as post:
        url = ("--data", data, "--url", f"http://127.0.0.1:{post.port}")
        shown = CliRunner().invoke(main, ["replay", str(small), *map(str, url), "--speed", "max"]).stdout
        assert "refused (out_of_range): flow of 'small-A' cannot be 30000.0" in shown
        assert "line 4: 'soon' is no time" in shown
        assert "in use" in vigie(small, "--data", data, code=1)
        (data / "keys" / "replay-small.token").write_text("wrong\n")
        assert "Who speaks?" in vigie(small, *url, "--restart", code=1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--url", "http://127.0.0.1:1"), "Prepare the replay first"),
        (("--from", "yesterday"), "no time"),
        (("--from", "2025-01-01"), "says nothing"),
        (("--mapping", "bus"), "nearest shipped is 'bus-gps'"),
        (("--mapping", "bus-gps"), "None of the feed's files"),
    ],
)
def test_what_cannot_be_replayed_is_said_in_a_sentence(
    small: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    assert said in vigie(small, "--data", tmp_path / "data", *words, code=1)


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ("detector", "dragon", "no kind 'dragon'"),
        ("values.flow", "values.power", "no point 'power'"),
        ("values.flow", "attributes.colour = 'red'\nvalues.flow", "no attribute 'colour'"),
    ],
)
def test_a_mapping_of_what_nobody_declares_is_refused(small: Path, was: str, becomes: str, said: str) -> None:
    (small / "vigie-feed.toml").write_text(SMALL.replace(was, becomes))
    assert said in vigie(small, "--dry-run", code=1)


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--speed", "fast"), "Say a number"),
        (("--speed", "0"), "above 0"),
        (("--speed", "max", "--shift", "now"), "no speed"),
        (("--speed", "60", "--shift", "week"), "--speed 1"),
        (("--speed", "max", "--loop"), "say the same again"),
        (("--url", "post:8000"), "Write it as http://127.0.0.1:8000"),
    ],
)
def test_a_way_that_makes_no_sense_is_refused_before_anything_is_sent(
    small: Path, tmp_path: Path, words: tuple[str, ...], said: str
) -> None:
    (tmp_path / "token").write_text("secret\n")
    url = ("--url", "http://127.0.0.1:1", "--token-file", tmp_path / "token")
    assert said in vigie(small, *url, *words, code=1)


def test_a_post_that_does_not_answer_is_waited_for_and_said_so(small: Path, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("secret\n")
    words = [str(small), "--url", "http://127.0.0.1:1", "--token-file", str(tmp_path / "token"), "--speed", "max"]
    command = [sys.executable, "-m", "vigie.cli", "replay", *words]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    try:
        assert process.stderr is not None
        first = process.stderr.readline()
        process.send_signal(signal.SIGINT)
        said, further = process.communicate(timeout=30)
    finally:
        process.kill()
    assert first.startswith("http://127.0.0.1:1: Connect call failed")
    assert "until it answers" in first
    assert further == "", "said once, not at each attempt"
    assert "stopped: 0 sent" in said
    assert process.returncode == 0
