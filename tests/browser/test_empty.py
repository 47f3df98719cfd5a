"""A town with nothing in it yet, and one with an asset that was put on another continent: the console stands."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import Page, expect

from tests.people import Browser, make_people
from tests.post import NO_RESERVE, running
from vigie.app import installation
from vigie.core.drafts import Draft
from vigie.settings import Settings

LAMP = Draft(key="1", kind="luminaire", lon=5.04, lat=47.32, area="metropole/dijon")
ASTRAY = Draft(key="2", kind="luminaire", lon=-71.1, lat=42.37, area="metropole/dijon")


def console(browser: Chromium, port: int, secret: str) -> Page:
    context = browser.new_context(viewport={"width": 1100, "height": 720}, locale="fr-FR", reduced_motion="reduce")
    context.add_cookies([{"name": "vigie_session", "value": secret, "url": f"http://127.0.0.1:{port}"}])
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{port}/console")
    return page


DRAFTS: dict[str, list[Draft]] = {"empty": [], "astray": [LAMP, ASTRAY]}


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The installations."""
    made = {name: tmp_path_factory.mktemp(name) for name in DRAFTS}
    for name, folder in made.items():
        with installation(Settings(data=folder, city="Neuville", **NO_RESERVE)) as opened:
            if DRAFTS[name]:
                opened.take_assets("test", DRAFTS[name])
        make_people(folder, ["operator"])
    return made


@pytest.mark.parametrize("name", DRAFTS)
def test_the_console_stands_where_no_city_does(folders: dict[str, Path], browser: Chromium, name: str) -> None:
    with running(folders[name], "") as post:
        page = console(browser, post.port, Browser(post, "operator").secret)
        said = page.get_by_text("La ville est encore vide")
        expect(page.get_by_text("Aucune alarme")).to_be_visible()
        # What runs without an end answers nothing.
        assert page.evaluate("() => new Promise((done) => requestAnimationFrame(() => done(true)))")
        if DRAFTS[name]:
            expect(said).to_have_count(0)
        else:
            expect(said).to_be_visible()
            assert page.get_by_text("soleil").count() == 0
        page.context.close()
