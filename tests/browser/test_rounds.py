"""The page of rounds beside the map: how far each is, street by street, and a vehicle's trail from its sheet."""

from __future__ import annotations

import json
import re
import time

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.test_pages import faults, prepare
from tests.browser.town import DIJON, ROUND, Town, place
from vigie.core.times import SECOND_US, rfc3339

# A browser that draws in software, beside two others.
pytestmark = pytest.mark.timeout(240)

VEHICLE = "vehicle-2"
STREET = "Avenue de la Gare"
EVERY_US = 5 * SECOND_US


def sweep(here: Town) -> None:
    """The vehicle has swept the avenue from end to end; once it was nowhere."""
    first_us = time.time_ns() // 1_000 - 32 * EVERY_US
    said: list[dict[str, object]] = []
    for n in range(26):
        at = rfc3339(first_us + n * EVERY_US)
        where = [0.0, 0.0] if n == 12 else list(place(DIJON, -500 + 40 * n, 0))
        for point, value in (("position", where), ("brush", True)):
            said.append({"asset": VEHICLE, "point": point, "value": value, "at": at})
    headers = {"Authorization": f"Bearer {here.secret}", "Content_Type": "application/json"}
    answer = here.post.ask("POST", "/device/v1/observations", json.dumps(said).encode(), **headers)
    assert answer.status < 300, answer


def test_a_round_is_followed_street_by_street_and_a_trail_is_drawn(window: Open, here: Town) -> None:
    sweep(here)
    operator = window(size=(1440, 900))
    operator.map_stands()
    operator.press("r")
    row = operator.by(".page .line", has_text=ROUND)
    expect(row).to_contain_text("sur 3")
    row.focus()
    operator.press("Enter")
    expect(operator.by(".page h1")).to_have_text(ROUND)
    done = operator.by(".page li .line", has_text=STREET)
    expect(done).to_contain_text("Faite", timeout=20_000)
    expect(operator.by(".page li .line", has_text="Rue Verte")).to_contain_text("En retard")
    expect(operator.by(".page li .line", has_text="Rue des Lilas")).to_contain_text("À faire")
    expect(operator.by(".map[data-circuit='3']")).to_have_count(1)
    operator.see("Aucun passage n'est encore fini.")
    done.click()
    operator.see("Preuve de service")
    prepare(operator)
    assert not faults(operator)
    # Only the late ones; then the whole is still drawn where the page is put away, with a key to its lines.
    operator.by(".states .toggle").first.click()
    expect(operator.by(".page li .line")).to_have_count(1)
    operator.press("r")
    key = operator.page.get_by_role("region", name=ROUND)
    expect(key).to_contain_text("En retard")
    assert f"round={here.circuit}" in operator.evaluate("() => location.hash")
    key.get_by_role("button", name="Ne plus montrer ce circuit").click()
    expect(operator.by(".map[data-circuit='0']")).to_have_count(1)

    operator.evaluate("(id) => (location.hash = `asset=${id}`)", VEHICLE)
    trail = operator.page.get_by_role("region", name="Trajet d'une journée")
    trail.get_by_role("button", name="Montrer le trajet").click()
    expect(trail).to_contain_text(re.compile(r"\d\skm"))
    expect(trail).to_contain_text("nulle part 1")
    assert int(operator.by(".map").get_attribute("data-trail") or 0) > 0
    trail.get_by_role("button", name="Effacer").click()
    expect(operator.by(".map[data-trail='0']")).to_have_count(1)

    # An address that is opened while the map glides to another is where it ends.
    operator.page.emulate_media(reduced_motion="no-preference")
    for at in ("5.02,47.31,13.00", "5.05,47.33,15.00"):
        operator.evaluate("(at) => (location.hash = `at=${at}`)", at)
    operator.until(lambda: abs(operator.evaluate("() => vigie.map.getCenter().lng") - 5.05) < 0.001, "it is there")
    operator.page.emulate_media(reduced_motion="reduce")

    # Without an answer it is said how old it is.
    operator.page.route("**/api/v1/roads/rounds**", lambda route: route.abort())
    operator.evaluate("() => (location.hash = 'page=rounds')")
    operator.see("Le poste ne répond pas.")
