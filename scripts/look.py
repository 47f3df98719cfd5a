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
from pathlib import Path

from playwright.sync_api import Browser, Error, sync_playwright

PROJECT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(PROJECT))
# Some packages bring a `tests` of their own, so that ours has to be named before it can be imported.
sys.modules["tests"] = own = types.ModuleType("tests")
own.__path__ = [str(PROJECT / "tests")]

from tests.browser.console import CHROMIUM_FLAGS, Console  # noqa: E402
from tests.browser.test_pages import WHO  # noqa: E402
from tests.browser.town import Town, town  # noqa: E402

OUT = PROJECT / "look"
WAYS = (
    ((1440, 900), "dark", "fr"),
    ((2560, 1440), "light", "fr"),
    ((2560, 1440), "dark", "en"),
    ((1440, 900), "light", "en"),
    ((390, 844), "dark", "en"),
    ((390, 844), "light", "fr"),
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
        for way in WAYS:
            every_page(browser, here, *way)
        # The last: what is seen when the post is gone.
        windows = [(Console(browser, here, size=way[0], theme=way[1], language=way[2]), way) for way in WAYS[:2]]
        for console, _ in windows:
            console.map_stands()
        here.stop("post")
        for console, way in windows:
            console.by(".link.lost").wait_for()
            picture(console, "offline", way)
        browser.close()
    sheet()


def every_page(browser: Browser, here: Town, size: tuple[int, int], theme: str, language: str) -> None:
    """The login, and each state of the console, in one way of looking at it."""
    way = (size, theme, language)
    login = Console(browser, here, None, size=size, theme=theme, language=language)
    login.by("input[name=login]").wait_for()
    picture(login, "login", way)
    login.close()
    for who, states in WHO.items():
        console = Console(browser, here, who, size=size, theme=theme, language=language)
        # The account's language goes before the browser's; what was chosen in this browser, before both.
        console.evaluate("(language) => localStorage.setItem('vigie.language', language)", language)
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
        console.close()


def picture(console: Console, name: str, way: tuple[tuple[int, int], str, str]) -> None:
    """One picture, once what moves has come to rest."""
    (width, height), theme, language = way
    console.page.wait_for_timeout(700)
    console.page.screenshot(path=OUT / f"{name}.{width}x{height}.{theme}.{language}.png")


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
