"""The public map of salted streets on a telephone, without an account."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.console import Look, Windows
from tests.browser.test_pages import faults, prepare
from tests.browser.town import DIJON, Town, place
from vigie.core.times import MINUTE_US, SECOND_US, rfc3339

# A browser beside two others.
pytestmark = pytest.mark.timeout(240)

STREET = "Avenue de la Gare"
PHONE = Look(size=(390, 844), theme="light")


@pytest.fixture
def page(windows: Windows, here: Town) -> Iterator[Page]:
    """A telephone; what its page complains of fails the test."""
    taken, complaints = windows.take(PHONE), list[str]()

    def heard(message: Any) -> None:
        if message.type == "error" and "Failed to load resource" not in message.text:
            complaints.append(message.text)

    def failed(error: Any) -> None:
        complaints.append(str(error))

    taken.on("console", heard)
    taken.on("pageerror", failed)
    yield taken
    taken.remove_listener("console", heard)
    taken.remove_listener("pageerror", failed)
    windows.give_back(taken, PHONE)
    assert complaints == []


def salt(here: Town) -> None:
    """A vehicle has salted the avenue from end to end, half an hour ago."""
    first_us = time.time_ns() // 1_000 - 30 * MINUTE_US
    said: list[dict[str, object]] = []
    for n in range(26):
        at = rfc3339(first_us + n * 5 * SECOND_US)
        where = list(place(DIJON, -500 + 40 * n, 0))
        for point, value in (("position", where), ("salting", True), ("dosage", 15)):
            said.append({"asset": "vehicle-1", "point": point, "value": value, "at": at})
    headers = {"Authorization": f"Bearer {here.secret}", "Content_Type": "application/json"}
    answer = here.post.ask("POST", "/device/v1/observations", json.dumps(said).encode(), **headers)
    assert answer.status < 300, answer


def test_whoever_goes_out_sees_which_streets_were_salted(page: Page, here: Town) -> None:
    page.goto(f"{here.url}/winter")
    expect(page.get_by_text("Aucun salage ces dernières 24 heures.")).to_be_visible()
    page.get_by_label("Chercher une rue").fill("gare")
    expect(page.locator(".plain")).to_have_text(f"{STREET} Dijon")

    salt(here)
    end = time.monotonic() + 60
    while not page.evaluate("async () => (await (await fetch('/api/v1/public/salted')).json()).streets.length"):
        assert time.monotonic() < end
        page.wait_for_timeout(2_000)
    page.reload()
    row = page.locator(".line")
    expect(row).to_contain_text(STREET)
    expect(row).to_contain_text("il y a")
    expect(page.locator("canvas[data-streets='1']")).to_be_visible()
    # A finger on the map, which shows what was salted, opens it in the list.
    page.locator("canvas").click()
    expect(row).to_have_attribute("aria-pressed", "true")
    prepare(page)  # type: ignore[arg-type]
    assert faults(page) == []  # type: ignore[arg-type]

    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Salted streets")).to_be_visible()
    # What was read stays where nothing answers, and says how old it is.
    page.route("**/api/v1/public/**", lambda route: route.abort())
    page.evaluate("() => dispatchEvent(new Event('online'))")
    expect(page.get_by_text("No answer: what follows ends at")).to_be_visible()
    expect(row).to_contain_text(STREET)
    page.reload()
    page.get_by_role("button", name="Try again").wait_for()
