"""A way is cleared from the sheet of a vehicle: ordered, followed and ended by keyboard and button."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.console import Console
from tests.browser.test_orders import tab_to
from tests.browser.town import Town

# A browser that draws in software, beside two others.
pytestmark = pytest.mark.timeout(240)

VEHICLE = "vehicle-1"


def test_a_way_is_cleared_from_the_sheet_and_ended_with_one_button(window: Open, here: Town) -> None:
    operator: Console = window("operator", path=f"#asset={VEHICLE}")
    operator.map_stands()
    expect(operator.by(".sheet h2")).to_contain_text("Vehicle-1")
    form = operator.by(".sheet form.order")
    expect(form).to_contain_text("15 min")
    tab_to(operator, "input[maxlength='300']")
    operator.page.keyboard.insert_text("Ambulance vers l'hôpital")
    operator.hold(form.locator("button.hold"))
    box = operator.page.get_by_role("region", name="Voie ouverte", exact=True)
    expect(box).to_contain_text("Ambulance vers l'hôpital", timeout=20_000)
    expect(box).to_contain_text("Encore 1")
    expect(box).to_contain_text("Operator Durand")
    told = here.ask("operator", "signals/escorts")
    assert [each["vehicle"] for each in told["items"]] == [VEHICLE]  # type: ignore[index]
    box.get_by_role("button", name="Mettre fin maintenant").click()
    expect(box).to_have_count(0, timeout=20_000)
    assert here.ask("operator", "signals/escorts") == {"items": [], "next": None}
