"""Rounds at the console: proposed, changed by hand, given; what a colleague changed meanwhile is not overwritten."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.test_cases import CASES, opened, sheet
from tests.browser.test_pages import faults, prepare
from tests.browser.town import Town

# A browser that draws in software, beside two others.
pytestmark = pytest.mark.timeout(240)


def test_rounds_are_proposed_changed_by_hand_and_given_as_they_were_seen(window: Open, here: Town) -> None:
    first, second, third = (opened(here, f"Tournée {n}", priority=2) for n in range(1, 4))
    operator = window(path="#page=cases&priority=2&sort=opened")
    page = operator.page
    expect(operator.by(".space .name")).to_have_count(3)
    operator.press("j", "Space", "j", "Space", "j", "Space")
    operator.button("Tournées").click()
    dialog = operator.by("dialog")
    expect(dialog).to_contain_text("3 bons choisis")
    tomorrow = datetime.now(UTC).date() + timedelta(days=1)
    day = dialog.get_by_label("Jour")

    def propose(on: date) -> None:
        day.fill(str(on))
        dialog.get_by_role("button", name="Proposer").click()
        expect(dialog.get_by_role("button", name="Confier 3 bons")).to_be_enabled()

    propose(tomorrow)
    prepare(operator)
    assert faults(operator) == []
    # Another day is another proposal.
    day.fill(str(tomorrow + timedelta(days=1)))
    expect(dialog.get_by_role("button", name="Confier")).to_be_disabled()
    expect(dialog.locator(".round")).to_have_count(0)
    propose(tomorrow)
    # A colleague changes one; the other goes to another crew, by which all is judged anew.
    said = {"revision": first["revision"], "priority": 1}
    assert here.browser("supervisor").ask("PATCH", f"{CASES}/{first['id']}", said).status == 200
    page.get_by_label(f"Bon {second['number']} : équipe".replace(" :", "\xa0:")).select_option("crew-voirie")
    roads = dialog.get_by_role("region", name="Équipe voirie")
    expect(roads).to_contain_text("Tournée 2")
    expect(dialog).to_contain_text("1 bon a changé depuis la proposition")
    dialog.get_by_role("button", name="Confier 3 bons").click()
    expect(dialog).to_contain_text("1 refusé")
    states = {each["title"]: each for each in (sheet(here, case)["row"] for case in (first, second, third))}
    assert [each["state"] for each in states.values()] == ["open", "assigned", "assigned"]
    assert states["Tournée 2"]["crew"]["id"] == "crew-voirie"
    assert states["Tournée 2"]["planned"].startswith(str(tomorrow))
    operator.press("Escape")
    expect(dialog).to_have_count(0)
