"""Light on demand: a rule is written by keyboard, approved, read and switched off; and two write one at once."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.test_programmes import make, nothing_planned, tab_to
from tests.browser.town import Town
from tests.people import QUETIGNY

__all__ = ["nothing_planned"]

# A browser that draws in software, beside two others.
pytestmark = pytest.mark.timeout(240)

KIND = "lighting.on_demand"
NOW = re.compile(r"À l'écoute|à partir de \d\d:\d\d|Pas avant la prochaine nuit")
"""What a rule does at whatever hour this runs."""


def rule(name: str, **more: Any) -> dict[str, Any]:
    """A rule for Quetigny as the API takes it."""
    return {"name": name, "level": 80, "triggers": ["motion"], "area": QUETIGNY} | more


def test_a_rule_is_written_by_keyboard_approved_read_and_switched_off(window: Open, here: Town) -> None:
    del here
    manager = window("manager")
    manager.map_stands()
    manager.page.route("**/api/v1/plans*", lambda route: route.abort())
    manager.press("d")
    manager.see("Le poste ne répond pas.")
    manager.page.unroute("**/api/v1/plans*")
    manager.button("Réessayer").click()
    manager.see("Aucune règle de lumière à la demande")
    tab_to(manager, manager.button("Rédiger une première règle"))
    manager.press("Enter")
    expect(manager.page.get_by_label("Nom", exact=True)).to_be_focused()
    manager.page.keyboard.type("Le sentier")
    area = manager.page.get_by_role("combobox", name="Secteur")
    tab_to(manager, area)
    manager.page.keyboard.type("Quetigny")
    expect(area).to_have_value(QUETIGNY)
    tab_to(manager, manager.button("Bus", exact=True))
    manager.press("Space")
    expect(manager.button("Bus", exact=True)).to_have_attribute("aria-pressed", "true")
    tab_to(manager, manager.page.get_by_label("Niveau en pour cent"))
    manager.page.keyboard.type("85")
    tab_to(manager, manager.page.get_by_label("Devant", exact=True))
    manager.page.keyboard.type("9000")
    manager.press("Tab")
    # More than the post takes is the most that it takes.
    expect(manager.page.get_by_label("Devant", exact=True)).to_have_value("500")
    says = manager.by("svg[aria-label^='85']").get_attribute("aria-label") or ""
    assert re.search(r"85\s%.*500\sm", says)
    # No programme dims a lamp there: that is to be answered before it may be approved.
    manager.see("rien ne serait relevé")
    manager.page.get_by_label("Ce que vous répondez aux points à justifier").fill("Avant le programme de l'hiver")
    manager.page.get_by_label("Motif", exact=True).fill("essai")
    manager.press("Enter")
    manager.see("Vous avez enregistré ce projet en dernier")
    manager.until(lambda: "rule=" in manager.page.url and "rule=new" not in manager.page.url, "the rule's own address")
    address = manager.page.url.partition("#")[2]

    deputy = window("deputy", path=f"#{address}")
    deputy.page.get_by_label("Motif de la décision").fill("vu")
    deputy.hold(deputy.button("Approuver (maintenir)"))
    deputy.see("« Le sentier » est en vigueur")
    expect(deputy.by("[aria-label='Cette nuit'] .now")).to_have_text(NOW)
    expect(deputy.by("[aria-label='Cette nuit'] .cap", has_text="Relèvements")).to_contain_text("60")

    crew = window("crew", path="#page=demand")
    line = crew.by(".line", has_text="Le sentier")
    expect(line).to_contain_text("En vigueur")
    expect(line).to_contain_text(NOW)
    expect(line).to_contain_text("aucun relèvement cette nuit")
    expect(crew.button("Nouvelle règle")).to_have_count(0)
    line.click()
    crew.see("Vous pouvez lire cette règle, non la modifier.")
    assert crew.by(".main :is(input, select, textarea)").count() == 0

    deputy.page.get_by_label("Motif de la décision").fill("travaux")
    deputy.hold(deputy.button("Couper la règle (maintenir)"))
    deputy.see("« Le sentier » est coupée")
    deputy.see("Aucune règle de lumière à la demande")


def test_where_two_write_a_rule_the_second_sees_what_the_first_changed(window: Open, here: Town) -> None:
    plan = make(here, rule("À deux", answer="essai"), kind=KIND)
    manager, deputy = (window(who, path=f"#page=demand&rule={plan}") for who in ("manager", "deputy"))
    for console, raises in ((deputy, "12"), (manager, "34")):
        console.page.get_by_label("Relèvements par nuit").fill(raises)
        console.press("Tab")
        console.page.get_by_label("Motif", exact=True).fill("essai")
    deputy.button("Enregistrer", exact=True).click()
    deputy.see("Tout est enregistré.")
    manager.button("Enregistrer", exact=True).click()
    clash = manager.by(".clash")
    expect(clash).to_contain_text("Deputy Durand a enregistré entre-temps")
    row = clash.locator("tr", has_text="Au plus, par nuit")
    expect(row).to_contain_text("34 fois")
    expect(row).to_contain_text("12 fois")
    expect(clash.locator("tbody tr")).to_have_count(1)
    manager.button("Prendre le sien").click()
    expect(manager.page.get_by_label("Relèvements par nuit")).to_have_value("12")
    manager.button("Reprendre votre texte").click()
    expect(manager.page.get_by_label("Relèvements par nuit")).to_have_value("34")
    # What is not saved is let go only when asked.
    manager.press("Escape", "Escape")
    expect(manager.by(".line", has_text="À deux")).to_have_count(0)
    manager.press("d")
    expect(manager.page.get_by_label("Relèvements par nuit")).to_have_value("34")
