"""Nothing acknowledged is lost: kill -9 under load, a loss of power, a full disk."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time
from collections import Counter, defaultdict
from collections.abc import Callable, Generator, Iterable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely

from tests.city import LAMPS, open_engine, open_facts, open_observations
from tests.conftest import under_ci
from tests.people import Browser, make_people
from tests.post import NO_RESERVE, RunningPost, make, now_us, reading, running
from vigie.app import installation, journal_key
from vigie.core.drafts import Draft
from vigie.core.facts import CaseMoved, CaseOpened, ConditionMoved, ConditionRaised, InstallationMade
from vigie.core.service import Raise
from vigie.core.times import DAY_US
from vigie.engine.plans import By
from vigie.protocols.datex2 import Place, Publication, Record, Situation, Validity, write
from vigie.services.lighting.kinds import Luminaire
from vigie.services.roads.rounds.circuits import CIRCUIT, Circuit, Stretch
from vigie.services.roads.winter.stations import ICE_RISK
from vigie.settings import Settings

KILLS = 20
BATCH = 400
LAMP_IDS = [f"luminaire-{n:06d}" for n in range(LAMPS)]


class Sender(threading.Thread):
    """Sends batch after batch until the post is gone, and keeps what was acknowledged: (asset, observed, value)."""

    def __init__(self, post: RunningPost, name: str, first_us: int) -> None:
        super().__init__(name=name, daemon=True)
        self._post, self._at_us = post, first_us
        self.acknowledged: set[tuple[str, int, float]] = set()
        self.batches = 0

    def run(self) -> None:
        dice = random.Random(self.name)
        while True:
            rows = []
            for _ in range(BATCH):
                self._at_us += 1
                rows.append(reading(dice.choice(LAMP_IDS), "power", float(dice.randrange(100)), self._at_us))
            self._at_us += 1
            fault = dice.choice(["none", "lamp", "driver"])
            rows.append(reading(dice.choice(LAMP_IDS), "fault", fault, self._at_us))
            try:
                answer = self._post.send(rows)
            except (OSError, http.client.HTTPException):
                return
            if answer.status != 200:
                return
            kept = answer.body["accepted"] + answer.body["late"] + answer.body["duplicate"]
            assert kept == len(rows), answer
            self.batches += 1
            for row in rows[:-1]:
                self.acknowledged.add((row["asset"], _us(row["at"]), row["value"]))


def _us(at: str) -> int:
    return int(np.datetime64(at.rstrip("Z"), "us").astype(np.int64))


def in_history(folder: Path) -> set[tuple[str, int, float]]:
    """What the stores hold, read without the post."""
    facts, observations = open_facts(folder), open_observations(folder)
    numbers = facts.point_numbers()
    names = {row[0]: row[1] for row in facts.registry_rows()}
    with observations.reading() as read:
        rows = read.execute(
            f"SELECT asset, observed_us, value FROM ({observations.union('number')}) WHERE point = ?",
            [numbers["luminaire", "power"]],
        ).fetchall()
    observations.close()
    facts.close()
    return {(names[asset], observed_us, value) for asset, observed_us, value in rows}


def effects_expected(folder: Path) -> dict[str, list[str]]:
    """For each lamp the effects that its recorded faults must lead to: newest wins, and only a change counts."""
    facts, observations = open_facts(folder), open_observations(folder)
    point = facts.point_numbers()["luminaire", "fault"]
    names = {row[0]: row[1] for row in facts.registry_rows()}
    newest: dict[str, int] = {}
    out: dict[str, bool] = defaultdict(bool)
    expected: dict[str, list[str]] = defaultdict(list)
    for stored in observations.since(0):
        rows = np.flatnonzero(stored.point == point)
        latest: dict[str, tuple[int, float]] = {}
        for row in rows.tolist():
            lamp, at, value = (
                names[int(stored.asset[row])],
                int(stored.batch.observed_us[row]),
                float(stored.batch.value[row]),
            )
            if lamp not in latest or at > latest[lamp][0]:
                latest[lamp] = (at, value)
        for lamp, (at, value) in latest.items():
            if at <= newest.get(lamp, -1):
                continue
            newest[lamp] = at
            abnormal = value in {Luminaire.fault.code("lamp"), Luminaire.fault.code("driver")}
            if abnormal != out[lamp]:
                out[lamp] = abnormal
                expected[lamp].append("raise" if abnormal else "clear")
    observations.close()
    facts.close()
    return dict(expected)


def effects_journaled(folder: Path) -> dict[str, list[str]]:
    """For each lamp the effects that the journal tells, in its order."""
    facts = open_facts(folder)
    told: dict[str, list[str]] = defaultdict(list)
    lamp_of: dict[str, str] = {}
    for line in facts.journal.lines(limit=1_000_000)[::-1]:
        if isinstance(line.fact, ConditionRaised):
            lamp_of[line.fact.condition] = line.fact.asset
            told[line.fact.asset].append("raise")
        elif isinstance(line.fact, ConditionMoved):
            told[lamp_of[line.fact.condition]].append(line.fact.event)
    list(facts.journal.verify(journal_key(folder).public_key()))
    facts.close()
    return dict(told)


@pytest.mark.timeout(300)
def test_kill_9_under_load_loses_nothing_acknowledged_and_doubles_no_effect(tmp_path: Path) -> None:
    secret = make(tmp_path)
    dice = random.Random(9)
    acknowledged: set[tuple[str, int, float]] = set()
    batches = 0
    start_us = now_us() - 3_600_000_000
    for kill in range(KILLS):
        with running(tmp_path, secret) as post:
            senders = [Sender(post, f"{kill}-{n}", start_us + kill * 60_000_000 + n * 30_000_000) for n in range(2)]
            for sender in senders:
                sender.start()
            time.sleep(dice.uniform(0.05, 0.7))
            post.kill()
            for sender in senders:
                sender.join(20)
                acknowledged |= sender.acknowledged
                batches += sender.batches
    with running(tmp_path, secret):
        pass
    assert batches > KILLS
    lost = acknowledged - in_history(tmp_path)
    assert lost == set()
    assert effects_journaled(tmp_path) == effects_expected(tmp_path)


STREET, WORKS = "street-Haute", "/api/v1/cases"
SALTED = "ice:salt"
"""The source of the orders by which ice calls the circuit out."""


def street_and_people(folder: Path) -> None:
    """A street that works may be in, and somebody who asks for them."""
    with installation(Settings(data=folder, **NO_RESERVE)) as opened:
        line = shapely.to_wkb(shapely.LineString([(5.0, 47.3), (5.001, 47.3)]))
        area = "dijon-metropole/quetigny"
        opened.take_assets("town", [Draft(key="Haute", kind="street", lon=5.0, lat=47.3, area=area, geometry=line)])
    make_people(folder, ["operator"])


def ice_and_a_circuit(folder: Path) -> None:
    """A station at which ice is, and a salting circuit in force that it calls out."""
    with installation(Settings(data=folder, **NO_RESERVE)) as opened:
        engine, at_us = opened.engine(), opened.clock.now_us()
        body = Circuit("Salage", "salting", (Stretch(STREET),), station="weather_station-w1")
        engine.owe([engine.plans.make("salt", CIRCUIT, body, by=By("planner", at_us, "made"))])
        engine.owe([engine.plans.move("salt", "approve", number=1, revision=1, by=By("test", at_us, "approved"))])
        engine.apply([Raise(ICE_RISK, engine.registry.numbers["weather_station-w1"], at_us, {})], 0, "test", at_us)
        engine.settle()


def works(title: str) -> dict[str, Any]:
    """Works on a pavement, as they are asked for, with all that they need."""
    phase = {"begins": "2030-01-07T08:00", "ends": "2030-01-08T08:00", "occupancy": "pavement",
             "stretches": [{"street": STREET, "from_m": 1}]}  # fmt: skip
    acts = [{"kind": "permis_de_stationnement", "state": "granted"}]
    return {"kind": "roads.roadworks", "category": "roadworks", "title": title,
            "document": {"phases": [phase], "acts": acts}}  # fmt: skip


class Filer(threading.Thread):
    """Asks for works and refuses them again until the post is gone, and keeps what was acknowledged: case -> state.
    What was not answered is asked for again first, under the same key."""

    def __init__(self, operator: Browser, acknowledged: dict[str, str], asked: list[str]) -> None:
        super().__init__(daemon=True)
        self._operator, self._acknowledged, self._asked = operator, acknowledged, asked

    def run(self) -> None:
        with contextlib.suppress(OSError, http.client.HTTPException):
            while True:
                key = self._asked[-1]
                filed = self._operator.ask("POST", WORKS, works(key), Idempotency_Key=key)
                assert filed.status in (200, 201), filed
                case = filed.body["id"]
                assert case not in self._acknowledged
                self._acknowledged[case] = "requested"
                self._asked.append(f"works-{len(self._asked)}")
                moved = self._operator.ask("POST", f"{WORKS}/{case}/moves", {"event": "refuse", "reason": "Not now."})
                assert moved.status == 200, moved
                self._acknowledged[case] = "refused"


@contextlib.contextmanager
def road_feed() -> Generator[tuple[str, threading.Event]]:
    """A feed that tells of one crash near the town: its address, and whether it was read since that was cleared."""
    at_us, read = now_us(), threading.Event()
    place = Place(points=((5.0, 47.3),), road_name="A38")
    told = Record("1", "1", "Accident", at_us, at_us, Validity(at_us - DAY_US, at_us + DAY_US), (place,), ("accident",))
    body = write(Publication(at_us, "fr", "Tipi", "fr", (Situation("S-1", (told,), "high"),)))

    class Feed(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(body)
            read.set()

        def log_message(self, format: str, *args: Any) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Feed)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/", read
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.timeout(180)
def test_kill_9_while_works_are_decided_events_read_and_ice_calls_loses_no_act_and_doubles_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = make(tmp_path, lamps=4)
    street_and_people(tmp_path)
    ice_and_a_circuit(tmp_path)
    acknowledged: dict[str, str] = {}
    asked, many = ["works-0"], list[int]()
    operator: Browser | None = None
    with road_feed() as (url, read):
        monkeypatch.setenv("VIGIE_ROAD_EVENTS_URL", url)

        def is_called() -> bool:
            assert operator is not None
            found = operator.ask("GET", f"{WORKS}?kind=roads.work_order")
            return any(each["category"] == "winter" for each in found.body["items"])

        # While the feed is read for the first time; as soon as the circuit is called out; once more works were filed.
        for until in (read.is_set, is_called, lambda: len(acknowledged) > many[-1]):
            many.append(len(acknowledged) + 3)
            with running(tmp_path, secret) as post:
                operator = operator or Browser(post, "operator")
                operator.post = post
                filer = Filer(operator, acknowledged, asked)
                filer.start()
                _until(until)
                post.kill()
                filer.join(20)
        read.clear()
        with running(tmp_path, secret) as post:
            assert operator is not None
            operator.post = post
            _until(lambda: read.is_set() and is_called())
            found = {case: operator.ask("GET", f"{WORKS}/{case}").body["row"]["state"] for case in acknowledged}
    # The last move of a run may be done though nobody heard so.
    assert {case for case, state in acknowledged.items() if found[case] not in (state, "refused")} == set()
    facts = open_facts(tmp_path)
    told = [line.fact for line in facts.journal.lines(limit=1_000_000)]
    list(facts.journal.verify(journal_key(tmp_path).public_key()))
    assert sum(each.startswith("road_event-") for each in facts.ids()) == 1
    facts.close()
    opened = Counter(fact.source for fact in told if isinstance(fact, CaseOpened))
    moved = Counter((fact.case, fact.event) for fact in told if isinstance(fact, CaseMoved))
    assert opened[SALTED] == 1
    assert len(acknowledged) <= opened[""] <= len(asked)
    assert set(moved.values()) == {1}
    assert Counter(fact.kind for fact in told if isinstance(fact, ConditionRaised))["ice_risk"] == 1


TRACED = "openat,write,pwrite64,writev,fsync,fdatasync,ftruncate,sendto,sendmsg,recvfrom,read"
_CALL = re.compile(r"^(?:\d+ +)?(?P<call>\w+)\((?P<fd>\d+)<(?P<path>[^>]*)>(?P<rest>.*)$")
_UNFINISHED = re.compile(r"^(?P<head>(?P<thread>\d+) +(?P<call>\w+)\(.*?) *<unfinished \.\.\.>$")
_RESUMED = re.compile(r"^(?P<thread>\d+) +<\.\.\. \w+ resumed>(?P<tail>.*)$")
_SENDS = {"sendto", "sendmsg", "writev"}


def whole_calls(lines: Iterable[str]) -> Iterator[str]:
    """A trace's calls in one line each, at the moment that counts: what is sent when it begins, all else when it ended.

    strace writes a call in two lines when another thread's comes between them.
    """
    begun: dict[str, str] = {}
    for line in lines:
        if (unfinished := _UNFINISHED.match(line)) is not None:
            if unfinished["call"] in _SENDS:
                yield unfinished["head"]
            else:
                begun[unfinished["thread"]] = unfinished["head"]
        elif (resumed := _RESUMED.match(line)) is not None:
            if (head := begun.pop(resumed["thread"], None)) is not None:
                yield head + resumed["tail"]
        else:
            yield line


def test_a_call_that_another_thread_interrupts_counts_once_and_at_its_moment() -> None:
    trace = [
        "7 recvfrom(9<TCP:[1]>,  <unfinished ...>",
        "8 fdatasync(5</post/hot.duckdb.wal> <unfinished ...>",
        '7 <... recvfrom resumed>"POST /device/v1/observations HTTP/1.1", 65536, 0, NULL, NULL) = 44',
        '7 sendto(9<TCP:[1]>, "HTTP/1.1 200 OK", 15, 0, NULL, 0 <unfinished ...>',
        "8 <... fdatasync resumed>)                  = 0",
        "7 <... sendto resumed>)                     = 15",
        "7 close(9<TCP:[1]>)                         = 0",
    ]
    calls = [re.sub(r"\(.*?>|  +", " ", line) for line in whole_calls(trace)]
    assert [call.split(None, 2)[1] for call in calls] == ["recvfrom", "sendto", "fdatasync", "close"]
    with pytest.raises(AssertionError, match="before anything was synced"):
        check_order_and_find_synced(trace, Path("/post"), {})


@pytest.mark.timeout(180)
def test_data_is_synced_between_receipt_and_acknowledgement_and_only_what_is_synced_is_needed(
    tmp_path: Path, need: Callable[[str], Path]
) -> None:
    strace = need("strace")
    folder = tmp_path / "post"
    secret = make(folder)
    before = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
    trace = tmp_path / "trace"
    under = [str(strace), "-f", "-y", "-s", "64", "-e", f"trace={TRACED}", "-o", str(trace)]
    at = now_us() - 60_000_000
    sent: set[tuple[str, int, float]] = set()
    with running(folder, secret, under=under) as post:
        for n in range(12):
            rows = [reading(LAMP_IDS[i], "power", float(n), at + 1_000 * n) for i in range(5)]
            assert post.send(rows).body["accepted"] == 5
            sent |= {(row["asset"], at + 1_000 * n, float(n)) for row in rows}
        post.kill()
    lines = trace.read_text(errors="replace").splitlines()
    synced = check_order_and_find_synced(lines, folder, before)
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("r+b") as file:
                file.truncate(min(synced.get(path, 0), path.stat().st_size))
    with running(folder, secret) as post:
        assert post.ask("GET", "/health/ready").status == 200
    assert sent - in_history(folder) == set()


def check_order_and_find_synced(lines: list[str], folder: Path, before: dict[Path, int]) -> dict[Path, int]:
    """Follows a trace: before each acknowledgement a log of observations was synced since the request came in.

    Returns the length of each file as of its last sync: what a loss of power would leave of it at the least.
    """
    length = dict(before)
    synced = dict(before)
    unsynced_since_request: bool | None = None
    acknowledgements = 0
    for line in whole_calls(lines):
        match = _CALL.match(line)
        if match is None:
            continue
        call, path, rest = match["call"], Path(match["path"]), match["rest"]
        result = rest.rsplit("= ", 1)[-1].split()[0] if "= " in rest else ""
        if "POST /device/v1/observations" in rest:
            unsynced_since_request = True
        elif "HTTP/1.1 200" in rest:
            assert unsynced_since_request is False, "acknowledged before anything was synced"
            acknowledgements += 1
            unsynced_since_request = None
        elif call in {"fsync", "fdatasync"}:
            if path.name.startswith("hot.duckdb"):
                unsynced_since_request = False if unsynced_since_request is not None else None
            synced[path] = length.get(path, 0)
        elif folder in path.parents and result.lstrip("-").isdigit():
            if call == "pwrite64":
                end = int(re.split(r"\) +=", rest)[0].rsplit(", ", 1)[1]) + int(result)
                length[path] = max(length.get(path, 0), end)
            elif call == "write":
                length[path] = length.get(path, 0) + int(result)
            elif call == "ftruncate":
                length[path] = int(rest.split(",")[1].split(")")[0])
    assert acknowledgements == 12
    return synced


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 64 MiB."""
    folder = tmp_path / "small"
    folder.mkdir()
    mounted = (
        os.geteuid() == 0
        and subprocess.run(["mount", "-t", "tmpfs", "-o", "size=64m", "tmpfs", str(folder)], check=False).returncode
        == 0
    )
    if not mounted:
        reason = "a file system of a limited size can be mounted by root alone"
        pytest.fail(reason) if under_ci() else pytest.skip(reason)
    yield folder
    subprocess.run(["umount", str(folder)], check=True)


@pytest.mark.timeout(180)
def test_a_full_disk_stops_observations_first_says_why_and_resumes_when_there_is_room(small_disk: Path) -> None:
    folder = small_disk / "post"
    secret = make(folder)
    room = {"VIGIE_RESERVE_OBSERVATIONS_MB": "16", "VIGIE_RESERVE_FACTS_MB": "4"}
    with running(folder, secret, environment=room) as post:
        at = now_us() - 1_000_000
        assert post.send([reading(LAMP_IDS[0], "power", 1.0, at)]).status == 200
        ballast = small_disk / "ballast"
        with ballast.open("wb") as file:
            file.write(bytes(shutil.disk_usage(small_disk).free - (10 << 20)))
        refused = post.send([reading(LAMP_IDS[0], "power", 2.0, at + 1)])
        assert (refused.status, refused.headers["retry-after"]) == (507, "30")
        assert "room" in refused.body["mend"]
        ready = post.ask("GET", "/health/ready")
        assert (ready.status, ready.body["ready"]) == (503, False)
        assert "room" in ready.body["reason"]
        assert str(small_disk) not in ready.body["reason"]
        _until(lambda: "vigie_conditions_open 1.0" in post.ask("GET", "/metrics").body)
        ballast.unlink()
        _until(lambda: post.ask("GET", "/health/ready").status == 200)
        assert post.send([reading(LAMP_IDS[0], "power", 2.0, at + 1)]).body["accepted"] == 1
    facts = open_facts(folder)
    told = [line.fact for line in facts.journal.lines(limit=9)]
    raised = next(fact for fact in told if isinstance(fact, ConditionRaised))
    assert (raised.kind, raised.asset) == ("storage_full", "post")
    assert next(fact for fact in told if isinstance(fact, ConditionMoved)).event == "clear"
    facts.close()
    assert len(in_history(folder)) == 2


@pytest.mark.timeout(180)
def test_a_full_disk_refuses_a_case_whole_and_takes_it_when_there_is_room(small_disk: Path) -> None:
    folder = small_disk / "post"
    secret = make(folder, lamps=4)
    street_and_people(folder)
    room = {"VIGIE_RESERVE_OBSERVATIONS_MB": "16", "VIGIE_RESERVE_FACTS_MB": "12"}
    with running(folder, secret, environment=room) as post:
        operator = Browser(post, "operator")
        first = operator.ask("POST", WORKS, works("first")).body
        ballast = small_disk / "ballast"
        with ballast.open("wb") as file:
            file.write(bytes(shutil.disk_usage(small_disk).free - (8 << 20)))
        moves, refuse = f"{WORKS}/{first['id']}/moves", {"event": "refuse", "reason": "Not now."}
        for asked in (
            operator.ask("POST", WORKS, works("second"), Idempotency_Key="second"),
            operator.ask("POST", moves, refuse),
            operator.ask("PATCH", f"{WORKS}/{first['id']}", {"revision": first["revision"], "title": "Another"}),
        ):
            assert (asked.status, asked.body["rule"]) == (507, "engine.disk_full")
            assert "room" in asked.body["mend"]
        assert operator.ask("GET", f"{WORKS}?kind=roads.roadworks").body["items"] == [first]
        ballast.unlink()
        second = operator.ask("POST", WORKS, works("second"), Idempotency_Key="second")
        assert (second.status, second.body["number"]) == (201, first["number"] + 1)
        assert operator.ask("POST", moves, refuse).body["state"] == "refused"
    facts = open_facts(folder)
    told = [line.fact for line in facts.journal.lines(limit=100)]
    assert sum(isinstance(fact, CaseOpened) for fact in told) == 2
    assert [fact.event for fact in told if isinstance(fact, CaseMoved)] == ["refuse"]
    list(facts.journal.verify(journal_key(folder).public_key()))
    facts.close()


def _until(true: Callable[[], bool], *, within_s: float = 15) -> None:
    end = time.monotonic() + within_s
    while not true():
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.1)


def test_a_start_needs_no_hand_after_a_kill_at_any_stage_of_the_first_start(tmp_path: Path) -> None:
    for delay_s in (0.05, 0.2, 0.4, 0.6, 0.8):
        process = subprocess.Popen(
            [sys.executable, "-c", "from vigie.cli import main; main()", "journal", "verify", "--data", str(tmp_path)],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        time.sleep(delay_s)
        process.kill()
        process.wait()
    secret = make(tmp_path)
    with running(tmp_path, secret) as post:
        assert post.send([reading(LAMP_IDS[0], "power", 1.0, now_us())]).body["accepted"] == 1
    facts, observations = open_facts(tmp_path), open_observations(tmp_path)
    engine = open_engine(facts, observations)
    assert engine.registry.ids.count("post") == 1
    assert sum(isinstance(line.fact, InstallationMade) for line in facts.journal.lines()) == 1
    observations.close()
    facts.close()
