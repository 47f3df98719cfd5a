"""Residents' reports: which of a month are found to speak of the same thing, and how soon a page of many is told."""

from __future__ import annotations

import http.client
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from itertools import islice
from pathlib import Path
from random import Random
from typing import Any

import msgspec
import numpy as np
from sqlalchemy import create_engine, insert

from bench.harness import ASKED, RUNS, Measured, measurement, serving
from vigie.app import installation
from vigie.core.cases import CaseEffect, MoveOn, Opened
from vigie.core.drafts import Draft
from vigie.core.ground import M_PER_DEGREE
from vigie.core.ids import keyed_id
from vigie.core.observations import Floats
from vigie.core.times import DAY_US
from vigie.demo.processes import SEED
from vigie.services.roads.merging import Known, Seen
from vigie.services.roads.orders import BY_REPORT, WORK_ORDER
from vigie.services.roads.reports import MERGE, ORDER, REPORT, SUBJECTS, Report, Reports
from vigie.settings import Settings
from vigie.sim.city import generate
from vigie.sim.city.frame import to_degrees
from vigie.sim.residents import DUPLICATES, Told, month
from vigie.store.tables import CASES

REPORTS = 3_000
"""Of a month: what a metropole of a quarter of a million is told."""
PAGED = 500_000
YEARS = 3
LIVE, LIVE_FEWER, LOOKS = 50_000, 10_000, 5


@cache
def lamps() -> Floats:
    """Where the lamps of the simulated metropole stand, in degrees."""
    return to_degrees(generate(SEED, scenery=False).lighting.xy)


class Counted(Counter[str]):
    """What became of the reports of some months. again: speak of a thing that is open already; joined: to any;
    right: to one that speaks of the same thing."""

    @property
    def precision(self) -> float:
        return self["right"] / max(self["joined"], 1)

    @property
    def recall(self) -> float:
        return self["right"] / max(self["again"], 1)


def joined(seed: int) -> dict[str, Counted]:
    """A month's reports through the matcher, one after the other as they come; by category."""
    places = lamps()
    spots = [(float(lon), float(lat)) for lon, lat in places]
    known, thing_of, open_of = Known(), dict[str, int](), dict[int, list[str]]()
    found: dict[str, Counted] = {}
    for no, each in enumerate(month(seed, spots, REPORTS)):
        if not isinstance(each, Told):
            for report in open_of.pop(each.thing, ()):
                known.drop(report)
            continue
        asset = _lamp(places, each.lon, each.lat) if each.category == "light" else 0
        seen = Seen(str(no), each.category, each.lon, each.lat, each.at_us, asset, each.words)
        same, counted = known.same(seen), found.setdefault(each.category, Counted())
        counted["reports"] += 1
        counted["again"] += each.thing in open_of
        if same is None:
            known.add(seen)
            thing_of[seen.id] = each.thing
        else:
            counted["joined"] += 1
            counted["right"] += thing_of[same] == each.thing
        # Who was joined to another goes that one's way: what is open of a thing is what nobody was joined to.
        open_of.setdefault(each.thing, []).append(seen.id)
    return found


def _lamp(places: Floats, lon: float, lat: float) -> int:
    """The nearest lamp within the reach of its category, from 1; 0 for none."""
    scale = np.array([np.cos(np.radians(lat)), 1.0]) * M_PER_DEGREE
    apart_m = np.hypot(*((places - [lon, lat]) * scale).T)
    at = int(np.argmin(apart_m))
    return at + 1 if apart_m[at] <= SUBJECTS["light"].within_m else 0


def _measured(name: str, must: float, *, recall: bool) -> Measured:
    months = [joined(seed) for seed in ASKED.seeds]
    runs = [sum(each.values(), Counted()) for each in months]
    totals = [Counted(each) for each in runs]
    told = [
        f"seed {seed}, {category}: {counted['reports']} reports, {counted['again']} of what is open already, "
        f"{counted['joined']} joined, {counted['right']} rightly"
        for seed, each in zip(ASKED.seeds, months, strict=True)
        for category, counted in sorted(each.items())
    ]
    values = [each.recall if recall else each.precision for each in totals]
    size = f"{REPORTS:,} reports of a simulated month, {DUPLICATES:.0%} of them again, light, pothole, graffiti, waste"
    return Measured(name, "", values, must, True, size, "1 process", told=told)


@measurement("roads.dup_precision")
def dup_precision() -> Measured:
    """How many of those that are joined speak of the same thing."""
    return _measured("roads.dup_precision", 0.95, recall=False)


@measurement("roads.dup_recall")
def dup_recall() -> Measured:
    """How many of those that speak of a thing that is open already are joined to one that does."""
    return _measured("roads.dup_recall", 0.85, recall=True)


@measurement("roads.reports_look")
def reports_look() -> Measured:
    """How much of a processor one look at all live reports takes, of those after a start, when all that nobody has
    looked at yet is to be held against the others: the longest of several. Half of them have an order."""
    runs = {count: _looked(live_reports(count)) for count in (LIVE_FEWER, LIVE)}
    told = [f"{count:,} live reports: {', '.join(f'{each:.0f}' for each in runs[count])} ms" for count in runs]
    size = f"{LIVE:,} live reports of a simulated town, the longest of {LOOKS} looks after a start"
    return Measured("roads.reports_look", "ms", [max(runs[LIVE])], 1_000, False, size, "1 process", told=told)


def live_reports(count: int) -> list[Opened]:
    """So many reports that are not over, at lamps of the town, in words of a simulated month; half have an order."""
    dice, spots = Random(8_171), lamps()
    said = [
        each for each in month(101, [(float(lon), float(lat)) for lon, lat in spots], REPORTS) if isinstance(each, Told)
    ]
    cases: list[Opened] = []
    for no in range(count):
        like, at_us = dice.choice(said), no * 60_000_000
        lon, lat = (float(each) for each in spots[dice.randrange(len(spots))])
        links = {f"order-{no}": ORDER} if no % 2 else {}
        state = "accepted" if no % 2 else "received"
        cases.append(
            Opened(str(no), REPORT, state, "", (), at_us, at_us, like.category, 3, lon, lat, like.words, links)
        )
        if no % 2:
            cases.append(Opened(f"order-{no}", WORK_ORDER, "open", BY_REPORT, (), at_us, at_us, "surface", 3, lon, lat))
    return cases


def _looked(cases: Sequence[Opened]) -> list[float]:
    reports, took = Reports(), list[float]()
    for _ in range(LOOKS):
        effects: list[CaseEffect] = []
        begun = time.process_time()
        reports.propose(cases, effects)
        took.append((time.process_time() - begun) * 1_000)
        merged = {each.case for each in effects if isinstance(each, MoveOn) and each.event == MERGE}
        cases = [each for each in cases if each.id not in merged]
    return took


@measurement("roads.open311_page")
def open311_page() -> Measured:
    """A filtered page of a long list, over HTTP at a post of its own: the slowest of several questions, each asked on a
    new connection."""
    questions = (
        "service_code=pothole&status=open&page_size=50",
        "service_code=winter&status=closed&page=20&page_size=50",
        "status=open&jurisdiction_id=metropole/7&page=4&page_size=50",
        "service_code=light,waste&jurisdiction_id=metropole/11&page_size=50",
    )
    with tempfile.TemporaryDirectory(prefix="vigie-bench-") as name:
        folder = Path(name)
        _fill(folder)
        with serving(folder) as port:
            worst: list[float] = []
            told: list[str] = []
            for question in questions:
                took = [_asked(port, question) for _ in range(RUNS + 1)][1:]
                told.append(f"{question}: {', '.join(f'{each:.1f}' for each in took)} ms")
                worst = max(worst, took, key=lambda runs: np.median(runs) if runs else 0.0)
    size = f"{PAGED:,} reports of {YEARS} years in 23 communes, pages of 50 in JSON"
    return Measured("roads.open311_page", "ms", worst, 100, False, size, "1 post", told=told)


def _asked(port: int, question: str) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    begun = time.perf_counter()
    connection.request("GET", f"/open311/v2/requests.json?{question}")
    answer = connection.getresponse()
    body = answer.read()
    took_ms = (time.perf_counter() - begun) * 1_000
    connection.close()
    if answer.status != 200 or len(msgspec.json.decode(body)) != 50:
        raise RuntimeError(f"{question}: {answer.status}, {body[:300]!r}")
    return took_ms


def _fill(folder: Path) -> None:
    """An installation whose table of cases has as many reports as years bring."""
    with installation(Settings(data=folder)) as opened:
        areas = [f"metropole/{n}" for n in range(23)]
        opened.take_assets(
            "bench",
            [Draft(key=str(n), kind="luminaire", lon=5 + n / 1e3, lat=47.3, area=area) for n, area in enumerate(areas)],
        )
        now_us = opened.clock.now_us()
    engine = create_engine(f"sqlite:///{folder / 'facts.sqlite'}")
    with engine.begin() as write:
        for rows in batched(_rows(now_us, areas), 10_000):
            write.execute(insert(CASES), rows)
    engine.dispose()


def batched(rows: Iterator[dict[str, Any]], size: int) -> Iterator[list[dict[str, Any]]]:
    """The same in lists of so many."""
    while some := list(islice(rows, size)):
        yield some


def _rows(now_us: int, areas: list[str]) -> Iterator[dict[str, Any]]:
    dice, codes = Random(8_171), list(SUBJECTS)
    document = msgspec.json.encode(Report(answers={"danger": ("no",)}))
    step_us = YEARS * 365 * DAY_US // PAGED
    for no in range(1, PAGED + 1):
        opened_us = now_us - (PAGED - no) * step_us
        age_days = (now_us - opened_us) / DAY_US
        code = dice.choice(codes)
        state = dice.choice(("received", "accepted", "at_work", "closed", "rejected", "merged"))
        if age_days > 60:
            state = "archived"
        yield {
            "id": str(keyed_id("bench", str(no))), "no": no, "kind": REPORT.key, "state": state, "source": "",
            "category": code, "service": REPORT.categories[code], "area": dice.choice(areas), "verb": "see",
            "public": 0, "street": "Rue Verte", "lon": 5 + dice.random() / 10, "lat": 47.3 + dice.random() / 10,
            "priority": 3, "title": "", "words": "It blinks all night, and has for a week.", "title_leaf": "",
            "words_leaf": f"leaf-{no}",
            "owner": "", "opener": "resident", "crew": 0, "planned_us": 0, "opened_us": opened_us,
            "due_us": opened_us + 10 * DAY_US, "moved_us": opened_us + DAY_US, "revision": 2, "photos": 0,
            "document": document,
        }  # fmt: skip
