"""A real Chromium, and one town for all tests of a run of these files."""

from __future__ import annotations

from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, sync_playwright

from tests.browser.console import CHROMIUM_FLAGS, Console
from tests.browser.town import Town, town

Open = Callable[..., Console]


@pytest.fixture(scope="session")
def here(tmp_path_factory: pytest.TempPathFactory, chromium: Path) -> Generator[Town]:
    """The town. It asks for the browser first: without one, no town is built in vain."""
    with town(tmp_path_factory.mktemp("town")) as made:
        yield made


@pytest.fixture(scope="module")
def browser(chromium: Path, here: Town) -> Generator[Browser]:
    """One browser a file; each test has windows of its own.

    Playwright's loop runs in this thread as long as the browser does, and no other may: the town is made before it, and
    it is gone before the next file.
    """
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=str(chromium), args=CHROMIUM_FLAGS)
        yield started
        started.close()


@pytest.fixture
def window(browser: Browser, here: Town) -> Generator[Open]:
    """`window("operator")` gives somebody's console. What a page complains of fails the test at its end."""
    opened: list[Console] = []

    def open_one(login: str | None = "operator", *, on: Town = here, **how: object) -> Console:
        console = Console(browser, on, login, **how)  # type: ignore[arg-type]
        opened.append(console)
        return console

    yield open_one
    complaints = [each for console in opened for each in console.complaints]
    for console in opened:
        console.close()
    assert not complaints
