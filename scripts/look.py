"""`make look`: every page of the console in its states, sizes, themes and languages, and one sheet that shows them all.

The pictures are for eyes: what can be asserted of the pages is in tests/browser. Pairs of size, theme and language are
covered, not their product.
"""

from __future__ import annotations

import html
import shutil
import sys
import tempfile
import types
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, cast

from playwright.sync_api import Error, sync_playwright

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))
# Some packages bring a `tests` of their own, so that ours has to be named before it can be imported.
sys.modules["tests"] = own = types.ModuleType("tests")
own.__path__ = [str(PROJECT / "tests")]

from tests.api.energy.past import last_night, send, state, told  # noqa: E402
from tests.browser.console import CHROMIUM_FLAGS, Console, Look, Windows  # noqa: E402
from tests.browser.gateways import WHOLE, gateways, made  # noqa: E402
from tests.browser.test_pages import WHO  # noqa: E402
from tests.browser.town import DIJON, Town, lamps_of, town  # noqa: E402
from tests.people import Browser  # noqa: E402

OUT = PROJECT / "look"
WAYS = (
    Look((1440, 900), "dark", "fr"),
    Look((2560, 1440), "light", "fr"),
    Look((2560, 1440), "dark", "en"),
    Look((1440, 900), "light", "en"),
    Look((390, 844), "dark", "en"),
    Look((390, 844), "light", "fr"),
)


def main() -> None:
    """Makes all pictures and the sheet."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        sys.exit("look: chromium is missing: apt-get install chromium")
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    with (
        tempfile.TemporaryDirectory(prefix="vigie-look-") as folder,
        town(Path(folder)) as here,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(executable_path=program, args=CHROMIUM_FLAGS)
        windows = Windows(browser, points_per_px=1)
        for way in WAYS:
            every_page(windows, here, way)
        energy_too(windows, here)
        gateways_too(windows, Path(folder) / "gateways")
        # The last: what is seen when the post is gone.
        left = [(Console(windows.take(way), here), way) for way in WAYS[:2]]
        for console, _ in left:
            console.map_stands()
        here.stop("post")
        for console, way in left:
            console.by(".link.lost").wait_for()
            picture(console, "offline", way)
        browser.close()
    sheet()


def every_page(windows: Windows, here: Town, way: Look) -> None:
    """The login, and each state of the console, in one way of looking at it."""
    login = Console(windows.take(way), here, None)
    login.by("input[name=login]").wait_for()
    picture(login, "login", way)
    windows.give_back(login.page, way)
    for who, states in WHO.items():
        console = Console(windows.take(way), here, who)
        # The account's language goes before the browser's; what was chosen in this browser, before both.
        console.evaluate("(language) => localStorage.setItem('vigie.language', language)", way.language)
        console.page.reload()
        console.map_stands()
        console.context.set_default_timeout(5_000)
        for name, (address, act, there) in states.items():
            console.press("Escape", "Escape")
            console.evaluate("(address) => (location.hash = address)", address)
            try:
                act(console)
                console.by(there).first.wait_for(state="attached")
            except Error:
                # A phone shows its panels one at a time, and not every button.
                continue
            picture(console, name, way)
        windows.give_back(console.page, way)


def gateways_too(windows: Windows, folder: Path) -> None:
    """The page of gateways where there are many, some of which speak; and one of them."""
    # An installation is made by a loop, and the browser's own runs in this thread.
    with ThreadPoolExecutor(1) as aside:
        secrets = aside.submit(made, folder).result()
    with gateways(folder, secrets) as there:
        there.approve(70)
        for way in WAYS:
            console = Console(windows.take(way), cast("Any", there), "manager")
            console.evaluate("(language) => localStorage.setItem('vigie.language', language)", way.language)
            for name, address in (("gateways-many", ""), ("gateway", f"&gateway={WHOLE}")):
                console.evaluate("(address) => (location.hash = `page=gateways${address}`)", address)
                console.page.reload()
                console.by(".page :is(.line, .box)").first.wait_for()
                picture(console, name, way)
            windows.give_back(console.page, way)


def energy_too(windows: Windows, here: Town) -> None:
    """The page of energy where a night was reported, a tariff and the old inventory are in force: its tables."""
    send(here.post, told(lamps_of(DIJON, "Rue des Lilas"), "cabinet-dijon-0", last_night(), 1, theft_w=300.0))
    state(Browser(here.post, "manager"), Browser(here.post, "deputy"))
    for way in WAYS:
        console = Console(windows.take(way), here, "operator")
        console.evaluate("(language) => localStorage.setItem('vigie.language', language)", way.language)
        console.evaluate("(month) => (location.hash = `page=energy&month=${month}`)", last_night().isoformat()[:7])
        console.page.reload()
        for n, name in enumerate(("areas", "streets", "programmes", "cabinets")):
            console.by(".page .parts button").nth(n).click()
            picture(console, f"energy-{name}", way)
        windows.give_back(console.page, way)


def picture(console: Console, name: str, way: Look) -> None:
    """One picture, once what moves has come to rest."""
    width, height = way.size
    console.page.wait_for_timeout(700)
    console.page.screenshot(path=OUT / f"{name}.{width}x{height}.{way.theme}.{way.language}.png")


def sheet() -> None:
    """All of them on one page."""
    figures = "".join(
        f'<a href="{html.escape(each.name)}"><img src="{html.escape(each.name)}"><br>{html.escape(each.stem)}</a>'
        for each in sorted(OUT.glob("*.png"))
    )
    style = "body{font:12px sans-serif;display:flex;flex-wrap:wrap;gap:12px;background:#888}img{height:300px}"
    (OUT / "index.html").write_text(f"<!doctype html><title>look</title><style>{style}</style>{figures}")
    print(f"look: {len(list(OUT.glob('*.png')))} pictures: {OUT / 'index.html'}")


if __name__ == "__main__":
    main()
