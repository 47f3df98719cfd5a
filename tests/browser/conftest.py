"""A real Chromium, and one town for all tests of a run of these files."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from dataclasses import dataclass
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


@dataclass(frozen=True)
class Chromium:
    """A browser, its windows, and Playwright's loop."""

    browser: Browser
    windows: Windows
    loop: asyncio.AbstractEventLoop


@pytest.fixture(scope="session")
def begun(chromium: Path) -> Generator[Chromium]:
    """One browser for all tests of a run of these files: a new one reads and compiles the whole console anew."""
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(chromium), args=CHROMIUM_FLAGS)
        loop = asyncio.get_running_loop()
        asyncio._set_running_loop(None)
        yield Chromium(started, Windows(started), loop)
        asyncio._set_running_loop(loop)
        started.close()


@pytest.fixture
def alive(begun: Chromium) -> Generator[Chromium]:
    """It, while a test has it.

    Playwright's loop is in this thread as long as the browser lives, and no other may run beside it: between the tests
    of a browser it stands still, and those of other files and what is made before a test may run their own.
    """
    asyncio._set_running_loop(begun.loop)
    yield begun
    asyncio._set_running_loop(None)


@pytest.fixture
def browser(alive: Chromium) -> Browser:
    """The browser."""
    return alive.browser


@pytest.fixture
def windows(alive: Chromium) -> Windows:
    """Its windows."""
    return alive.windows


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
