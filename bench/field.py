"""The crews' application: what is lost or doubled of a day without a network, when the network comes back in pieces."""

from __future__ import annotations

import asyncio
import http.client
import io
import json
import random
import shutil
import threading
import time
from collections import Counter
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from PIL import Image
from playwright.sync_api import BrowserContext, Page, sync_playwright

from bench.console import FLAGS
from bench.harness import ASKED, Measured, measurement, serving
from bench.town import PASSWORD, lamp, log_in, town
from vigie.app import installation
from vigie.core.drafts import Draft
from vigie.core.facts import CaseChanged, CaseMoved, CaseNoted, CasePhotographed
from vigie.settings import Settings

ORDERS, PHOTOS_EACH, CUTS, KILLS = 30, 2, 50, 10
COMMUNE = 7
CREW = "crew-1"
PATIENCE_S = 900.0
LEAVES_MAX = 20_000

EXPECTED = {"start": 1, "finish": 1, "noted": 1, "changed": 2, "photographed": PHOTOS_EACH}
"""What the journal is to have of each order: a tick and minutes are two changes."""


class Cutter:
    """A road to the post that breaks: after some bytes of what is sent, or just before the answer comes through."""

    def __init__(self, port: int, dice: random.Random) -> None:
        self._post, self._dice = port, dice
        self._loop = asyncio.new_event_loop()
        self._open: set[asyncio.StreamWriter] = set()
        self._closed_until = 0.0
        self._left: int | None = None
        self._at_answer = False
        self.dead = self.cutting = False
        self.cuts = Counter[Literal["question", "answer"]]()
        self.port = 0
        self._ready = threading.Event()
        threading.Thread(target=self._run, daemon=True).start()
        self._ready.wait(30)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)

        async def serve() -> None:
            server = await asyncio.start_server(self._come, "127.0.0.1", 0)
            self.port = server.sockets[0].getsockname()[1]
            self._ready.set()

        self._loop.create_task(serve())
        self._loop.run_forever()

    def end(self) -> None:
        """Lets nobody through any more."""
        self._loop.call_soon_threadsafe(self._loop.stop)

    def _arm(self) -> None:
        # An order's acts are some kilobytes, a photo some ten: a cut lands in both.
        self._at_answer = self._dice.random() < 0.5
        self._left = self._dice.randrange(0, 60_000)

    def _cut(self, where: Literal["question", "answer"]) -> None:
        self.cuts[where] += 1
        self._left = None
        self._closed_until = time.monotonic() + self._dice.uniform(0.05, 0.5)
        for writer in self._open:
            writer.transport.abort()

    @property
    def all_cut(self) -> bool:
        """Whether there were as many as are wanted."""
        return self.cuts.total() >= CUTS

    async def _come(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if self.dead or time.monotonic() < self._closed_until:
            writer.transport.abort()
            return
        onward_reader, onward = await asyncio.open_connection("127.0.0.1", self._post)
        self._open |= {writer, onward}
        await asyncio.gather(
            self._carry(reader, onward, "question"), self._carry(onward_reader, writer, "answer"),
            return_exceptions=True,
        )  # fmt: skip
        self._open -= {writer, onward}
        for each in (writer, onward):
            each.close()

    async def _carry(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, what: Literal["question", "answer"]
    ) -> None:
        while data := await reader.read(4_096):
            if self.cutting and not self.all_cut:
                if self._left is None:
                    self._arm()
                assert self._left is not None
                self._left -= len(data)
                if self._left <= 0 and self._at_answer == (what == "answer"):
                    self._cut(what)
                    return
            writer.write(data)
            await writer.drain()
        if writer.can_write_eof():
            writer.write_eof()


def _photo(n: int) -> dict[str, Any]:
    """A photo as large as a telephone's, no two alike."""
    image = Image.effect_noise((160, 120), 60).resize((3_200, 2_400)).convert("RGB")
    image.paste((n * 4 % 256, n * 7 % 256, 90), (0, 0, 400, 400))
    written = io.BytesIO()
    image.save(written, "JPEG", quality=80)
    return {"name": f"{n}.jpg", "mimeType": "image/jpeg", "buffer": written.getvalue()}


def _give(port: int) -> list[str]:
    """Orders for the crew, as the desk gives them; their ids."""
    cookie = log_in(port, "operator")
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)

    def ask(method: str, path: str, body: object = None, **headers: str) -> Any:
        connection.request(method, f"/api/v1/{path}", json.dumps(body), {"Cookie": cookie} | headers)
        answer = connection.getresponse()
        said = answer.read()
        if answer.status >= 300:
            raise RuntimeError(f"{answer.status}: {said[:300]!r}")
        return json.loads(said)

    own = {"X-CSRF-Token": ask("GET", "session")["csrf"], "Content-Type": "application/json"}
    given: list[str] = []
    for n in range(ORDERS):
        order = {"kind": "roads.work_order", "category": "lighting", "assets": [f"luminaire-{n:06d}"]}
        order |= {"title": f"Order {n:02d}.", "document": {"checklist": [{"what": "Voltage"}]}}
        given.append(ask("POST", "cases", order, **own)["id"])
        ask("POST", f"cases/{given[-1]}/moves", {"event": "assign", "crew": CREW}, **own)
    connection.close()
    return given


class _Phone:
    """The application, as somebody's hand has it."""

    def __init__(self, context: BrowserContext, port: int) -> None:
        self._context, self._url = context, f"http://127.0.0.1:{port}/field"
        self.page = self._opened()

    def _opened(self) -> Page:
        page = self._context.new_page()
        page.set_default_timeout(60_000)
        page.goto(self._url)
        return page

    def kill(self) -> None:
        """The page is gone without having been asked, and opened anew."""
        self.page.close(run_before_unload=False)
        self.page = self._opened()

    def enter(self) -> None:
        """Logs in, once, and waits until no network is needed any more."""
        page = self.page
        page.fill("input[name=login]", "commune")
        page.fill("input[name=password]", PASSWORD)
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Crew 1").click()
        page.locator(".line").nth(ORDERS - 1).wait_for()
        page.evaluate("() => navigator.serviceWorker.ready.then(() => null)")

    def work(self, n: int) -> None:
        """One order, from its start to its end."""
        page = self.page
        page.locator(".line", has_text=f"Order {n:02d}.").click()
        page.get_by_role("button", name="Start", exact=True).click()
        page.get_by_label("Voltage").check()
        for photo in range(PHOTOS_EACH):
            taken = _photo(n * PHOTOS_EACH + photo)
            page.locator("input[capture]:enabled").set_input_files(taken)  # type: ignore[arg-type]
            page.locator(".badge").nth(photo).wait_for()
        page.get_by_role("button", name="5 min more", exact=True).click()
        page.get_by_label("Note", exact=True).fill(f"Note {n}")
        page.get_by_role("button", name="Add the note").click()
        page.get_by_role("button", name="Finish", exact=True).click()
        page.locator("nav").wait_for()

    def all_sent(self) -> bool:
        """Whether the head of the page says so."""
        return self.page.get_by_text("Online, all is sent").count() > 0

    def tunnel(self) -> None:
        """Through a short one: the browser says so to the page, as a telephone does."""
        self._context.set_offline(True)
        self._context.set_offline(False)


@contextmanager
def _phone(port: int) -> Generator[_Phone]:
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        raise RuntimeError("no chromium on this machine: apt-get install chromium")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=program, args=FLAGS)
        context = browser.new_context(viewport={"width": 390, "height": 844}, locale="en-GB", reduced_motion="reduce")
        yield _Phone(context, port)
        browser.close()


def _journaled(folder: Path) -> dict[str, Counter[str]]:
    """What the journal says of each case."""
    said: dict[str, Counter[str]] = {}
    photos = set[str]()
    with installation(Settings(data=folder)) as opened:
        for line in opened.facts.journal.lines(limit=LEAVES_MAX):
            fact = line.fact
            if isinstance(fact, CaseMoved):
                said.setdefault(fact.case, Counter())[fact.event] += 1
            elif isinstance(fact, CaseChanged):
                said.setdefault(fact.case, Counter())["changed"] += 1
            elif isinstance(fact, CaseNoted):
                said.setdefault(fact.case, Counter())["noted"] += 1
            elif isinstance(fact, CasePhotographed):
                said.setdefault(fact.case, Counter())["photographed"] += fact.photo not in photos
                photos.add(fact.photo)
    return said


@measurement("roads.field_lost")
def field_lost() -> Measured:
    """Acts and photos of a day without a network that the journal has not, or has twice, once all was told over a road
    that was cut at random."""
    runs: list[float] = []
    told: list[str] = []
    for seed in ASKED.seeds:
        dice = random.Random(seed)
        drafts = [lamp(n, 5 + n / 1e3, 47.3, COMMUNE) for n in range(ORDERS)]
        crew = Draft(key=CREW, id=CREW, kind="crew", name="Crew 1", lon=5.0, lat=47.3, area=f"metropole/{COMMUNE}")
        with town([*drafts, crew]) as (folder, _):
            with serving(folder) as port:
                given, cutter = _give(port), Cutter(port, dice)
                took_s, kills = _day(cutter, dice)
                cutter.end()
            journal = _journaled(folder)
        lost = sum(max(0, n - journal[case][what]) for case in given for what, n in EXPECTED.items())
        doubled = sum(max(0, journal[case][what] - n) for case in given for what, n in EXPECTED.items())
        runs.append(lost + doubled)
        told.append(
            f"seed {seed}: {lost} lost, {doubled} doubled of {ORDERS * sum(EXPECTED.values())}; "
            f"{cutter.cuts['question']} cuts in what was sent, {cutter.cuts['answer']} before an answer, "
            f"{kills} kills of the page while it sent; {took_s:.0f} s until all was told"
        )
    size = f"{ORDERS} orders, {ORDERS * PHOTOS_EACH} photos of 3,200 x 2,400, {CUTS} cuts"
    return Measured("roads.field_lost", "acts", runs, 0, False, size, "1 post, 1 browser, 1 proxy", told=told)


def _day(cutter: Cutter, dice: random.Random) -> tuple[float, int]:
    """The whole day on a telephone; how long it took to tell, and how often the page was killed meanwhile."""
    with _phone(cutter.port) as phone:
        phone.enter()
        cutter.dead = True
        phone.kill()
        for n in range(ORDERS):
            phone.work(n)
            if n % 10 == 9:
                phone.kill()
        kill_at = sorted(dice.sample(range(1, CUTS), KILLS))
        kills, seen = 0, 0
        cutter.dead, cutter.cutting = False, True
        begun = time.monotonic()
        phone.tunnel()
        while not phone.all_sent():
            if time.monotonic() - begun > PATIENCE_S:
                raise TimeoutError(phone.page.locator("header").inner_text())
            if (cuts := cutter.cuts.total()) != seen:
                seen = cuts
                if kills < KILLS and cuts >= kill_at[kills]:
                    kills += 1
                    phone.kill()
                else:
                    phone.tunnel()
            phone.page.wait_for_timeout(100)
        return time.monotonic() - begun, kills
