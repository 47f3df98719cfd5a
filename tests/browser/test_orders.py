"""An operator's night: a lamp is found, a street is ordered to 60 %, and the proof arrives on the map."""

from __future__ import annotations

import re
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.console import Console
from tests.browser.town import DIJON, Town, lamps_of, place
from tests.people import PASSWORD, QUETIGNY

# A browser that draws in software, beside two others.
pytestmark = pytest.mark.timeout(240)


def numbers_of(here: Town, ids: list[str], login: str = "operator") -> set[int]:
    """The numbers that lamps bear on the map."""
    page: Any = here.ask(login, "assets?kind=luminaire&limit=500")
    by_id = {row["id"]: row["no"] for row in page["items"]}
    return {by_id[each] for each in ids}


def test_a_street_is_ordered_by_keyboard_alone_and_proved_on_the_map(window: Open, here: Town) -> None:
    operator = window(None)
    operator.log_in("operator", "not the password")
    operator.see("Identifiant ou mot de passe incorrect.")
    expect(operator.by("input[name=password]")).to_be_focused()
    operator.page.keyboard.insert_text(PASSWORD)
    operator.press("Enter")
    operator.map_stands()

    # A lamp is found by its id.
    lamp = lamps_of(DIJON, "Rue Verte")[3]
    operator.search(lamp)
    expect(operator.by(".sheet h2")).to_contain_text(lamp)
    expect(operator.by(".sheet tbody tr").first).to_contain_text("100 %")
    operator.press("Escape")

    # The street, from the search to the order, without the mouse.
    operator.search("rue verte dijon")
    targets = numbers_of(here, lamps_of(DIJON, "Rue Verte"))
    others = numbers_of(here, lamps_of(QUETIGNY, "Rue Verte"))
    operator.until(lambda: operator.rings()["meant"] == len(targets), "the street is ringed on the map")
    operator.see("Rue Verte · Dijon")
    tab_to(operator, "input.num")
    operator.press("Control+a")
    operator.page.keyboard.insert_text("60")
    expect(operator.by(".order .preview strong")).to_have_text(str(len(targets)))
    expect(operator.by(".change")).to_have_text("100 % → 60 %")
    tab_to(operator, "input[maxlength='300']")
    operator.page.keyboard.insert_text("Éclairage de nuit")
    expect(operator.by("button.order")).to_be_enabled()
    operator.press("Enter")

    # It is seen under way, then proved, lamp by lamp, as the devices say so.
    operator.until(lambda: operator.rings()["waiting"] + operator.rings()["sent"] > 0, "the order is under way")
    operator.until(lambda: operator.rings()["proved"] == len(targets), "every lamp is proved")

    def all_at_60() -> bool:
        drawn = operator.drawn_lamps()
        mine = {no: drawn[no] for no in targets if no in drawn}
        return len(mine) == len(targets) and all(
            abs(each["l"] - 0.6) < 0.011 and not each["o"] for each in mine.values()
        )

    operator.until(all_at_60, "MapLibre draws every lamp of the street at 60 %")
    assert not {no for no, state in operator.drawn_lamps().items() if no in others and abs(state["l"] - 0.6) < 0.02}
    expect(operator.by(".words").first).to_contain_text(f"{len(targets)} exécuté, prouvé")

    # And it is in the journal, where the proof of the entry is checked by this browser.
    operator.press("Escape", "g")
    entry = operator.by("li.entry", has_text="60 %").filter(has_text="Ordre proposé").first
    expect(entry).to_be_visible()
    entry.locator("button.line").click()
    operator.button("Vérifier la preuve ici").click()
    operator.see("Prouvé : cette entrée est bien dans le journal.")
    # What has come since the last minute's signature waits for the next, which may have come by now.
    expect(entry).to_contain_text(re.compile("plus récente que la dernière racine signée|signature valide"))
    operator.by("section[aria-label='Journal'] select").select_option("InstallationMade")
    oldest = operator.by("li.entry", has_text="Installation du poste")
    oldest.locator("button.line").click()
    oldest.get_by_role("button", name="Vérifier la preuve ici").click()
    expect(oldest).to_contain_text("signature valide")


def tab_to(console: Console, selector: str, most: int = 60) -> None:
    """Tab, until the focus is there: nothing on the way may hold it."""
    for _ in range(most):
        if console.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
        console.press("Tab")
    raise AssertionError(f"Tab does not come to {selector} within {most} steps")


def test_another_communes_crew_sees_nothing_of_it(window: Open, here: Town) -> None:
    lamp = lamps_of(DIJON, "Rue Verte")[3]
    # The other files' tests share the town, and some give Quetigny orders: this one is known by its level.
    said = {"action": "luminaire.dim", "params": {"level": 63}, "select": {"assets": [lamp]}}
    given = here.browser("operator").ask("POST", "/api/v1/commands", said)
    assert given.status == 201, given
    operator = window()
    operator.map_stands()
    operator.press("o")
    expect(operator.by("section[aria-label='Ordres'] li", has_text="63 %")).to_have_count(1)
    operator.press("Escape", "g")
    expect(operator.by("li.entry", has_text="63 %").first).to_be_visible()

    crew = window("crew", path=f"#asset={lamp}")
    crew.map_stands()
    expect(crew.by(".sheet h2")).to_contain_text(lamp)
    # That a lamp stands there is public. What it does, who ordered what of it, and orders are not.
    assert crew.by(".sheet form.order").count() == 0
    crew.see("Inconnu")
    crew.press("Escape", "o")
    # The list, or the words that it is empty: until one of them stands, nothing has been answered.
    expect(crew.by("section[aria-label='Ordres']").locator("li, p").first).to_be_visible()
    expect(crew.by("section[aria-label='Ordres'] li", has_text="63 %")).to_have_count(0)
    assert crew.button("Journal").count() == 0
    drawn = crew.drawn_lamps() if crew.evaluate("() => vigie.map.getZoom()") > 13 else {}
    assert not {no for no in numbers_of(here, lamps_of(DIJON, "Rue Verte")) if drawn.get(no, {}).get("s", 0)}


def test_a_lasso_holds_what_it_was_drawn_around(window: Open, here: Town) -> None:
    operator = window()
    operator.map_stands()
    operator.go(place(DIJON, 250, 300), 17)
    operator.press("l")
    operator.see("Entourez d'un trait")
    box = operator.by(".lasso").bounding_box()
    assert box
    x, y = operator.evaluate(
        "([lon, lat]) => { const at = vigie.map.project([lon, lat]); return [at.x, at.y] }", place(DIJON, 250, 300)
    )
    mouse = operator.page.mouse
    corners = [(x - 150, y - 60), (x + 150, y - 60), (x + 150, y + 60), (x - 150, y + 60), (x - 150, y - 50)]
    mouse.move(*corners[0])
    mouse.down()
    for corner in corners[1:]:
        mouse.move(*corner, steps=6)
    mouse.up()
    operator.see("Sélection au lasso")
    count = int(operator.by(".kind strong").first.inner_text())
    assert count > 3
    operator.until(lambda: operator.rings()["meant"] == count, "each lamp in the lasso is ringed")
    operator.by(".order input.num").fill("40")
    expect(operator.by(".change")).to_contain_text("→ 40 %")
    operator.by("button.order").click()
    operator.until(lambda: operator.rings()["proved"] == count, "the lasso's lamps are proved")


def test_a_hazardous_order_is_held(window: Open) -> None:
    operator = window(path="#asset=cabinet-dijon-0")
    operator.map_stands()
    expect(operator.by(".sheet h2")).to_contain_text("Armoire dijon 1")
    held = operator.button("Maintenir pour envoyer")
    # It overrides every programme: whoever gives it says why, or cannot.
    expect(operator.by(".order .preview strong")).to_have_text("1")
    expect(held).to_be_disabled()
    operator.by(".order input[maxlength='300']").fill("Accident")
    expect(held).to_be_enabled()
    held.click()  # A click is no hold.
    operator.page.wait_for_timeout(300)
    assert operator.by(".desk article.card").count() == 0
    operator.hold(held)
    orders = operator.by("section[aria-label='Derniers ordres'] li")
    expect(orders.first).to_contain_text("Exécuté, prouvé")

    # Its end needs no reason, and leaves the lamps to other orders.
    operator.by(".sheet label.choice", has_text="Non").click()
    operator.hold(held)
    expect(orders.first).to_contain_text("Non")
    expect(orders.first).to_contain_text("Exécuté, prouvé")


def test_a_two_person_order_waits_for_the_second(window: Open) -> None:
    first, second = window(path="#asset=bollard-dijon-0"), window("supervisor")
    first.map_stands()
    second.map_stands()
    first.see("une autre personne devra le confirmer")
    first.by(".sheet label.choice", has_text="Baissée").click()
    first.hold(first.button("Maintenir pour proposer"))
    first.see("En attente de la seconde personne")
    assert first.button("Maintenir pour confirmer").count() == 0, "who proposed it cannot confirm it"
    # The other screen says who waits, by itself.
    second.see("Operator Durand attend votre confirmation")
    second.hold(second.button("Maintenir pour confirmer"))
    expect(first.by("section[aria-label='Derniers ordres'] li").first).to_contain_text("Exécuté, prouvé")
    expect(first.by(".sheet tbody tr").first).to_contain_text("Baissée")


def test_a_consignation_refuses_orders_and_says_whose_it_is(window: Open) -> None:
    crew = window("crew", path="#asset=cabinet-quetigny-0")
    crew.map_stands()
    crew.button("Consigner", exact=True).first.click()
    crew.page.get_by_label("Équipe", exact=True).fill("Équipe Benali")
    crew.by("section[aria-label='Consignation'] form label", has_text="Motif").locator("input").fill("Câble à nu")
    crew.by("section[aria-label='Consignation'] form button", has_text="Consigner").click()
    crew.see("Consigné par Équipe Benali")
    crew.see("ne remplace jamais la consignation physique")
    # On every sheet that it feeds, with the crew's name; and an order on them is refused for it.
    lamp = lamps_of(QUETIGNY, "Rue Verte")[2]
    operator = window(path=f"#asset={lamp}")
    operator.map_stands()
    operator.see("Consigné par Équipe Benali")
    operator.see("ne remplace jamais la consignation physique")
    operator.by(".sheet input.num").fill("30")
    refused = operator.by(".preview .refused")
    expect(refused).to_contain_text("1 refusé")
    expect(refused).to_contain_text("Équipe Benali")
    expect(operator.by(".sheet button.order")).to_be_disabled()
    crew.button("Déconsigner").click()
    lift = crew.by("form", has=crew.by("h3", has_text="Déconsigner"))
    lift.get_by_label("Motif").fill("Réparé")
    lift.locator("button.primary").click()
    expect(crew.page.get_by_text("Consigné par Équipe Benali")).to_have_count(0)
    expect(operator.page.get_by_text(re.compile("Consigné par"))).to_have_count(0)
