"""A real Chromium, and one town for all tests of a run of these files."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.console import CHROMIUM_FLAGS, Console, Look, Windows
from tests.browser.town import Town, town

Open = Callable[..., Console]


@pytest.fixture(scope="session")
def here(tmp_path_factory: pytest.TempPathFactory, chromium: Path) -> Generator[Town]:
    """The town. It asks for the browser first: without one, no town is built in vain."""
    with town(tmp_path_factory.mktemp("town")) as made:
        yield made


@pytest.fixture(scope="module")
def browser(chromium: Path, here: Town) -> Generator[Browser]:
    """One browser a file.

    Playwright's loop runs in this thread as long as the browser does, and no other may: the town is made before it, and
    it is gone before the next file.
    """
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(chromium), args=CHROMIUM_FLAGS)
        yield started
        started.close()


@pytest.fixture(scope="module")
def windows(browser: Browser) -> Windows:
    """Its windows."""
    return Windows(browser)


@pytest.fixture
def window(windows: Windows, here: Town) -> Generator[Open]:
    """`window("operator")` gives somebody's console. What a page complains of fails the test at its end."""
    opened: list[tuple[Console, Look]] = []

    def open_one(
        login: str | None = "operator", *, on: Town = here, path: str = "", host: str = "127.0.0.1", **look: Any
    ) -> Console:
        wanted = Look(**look)
        console = Console(windows.take(wanted), on, login, path=path, host=host)
        opened.append((console, wanted))
        return console

    yield open_one
    complaints = [each for console, _ in opened for each in console.complaints]
    for console, look in opened:
        console.leave()
        windows.give_back(console.page, look)
    assert not complaints
