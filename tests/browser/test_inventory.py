"""The inventory by hand: made, moved, given another device, decommissioned."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.console import Console
from tests.browser.town import DIJON, Place, Town, place

# A browser that draws in software, beside two others.
pytestmark = pytest.mark.timeout(240)


def click_at(console: Console, there: Place) -> None:
    """Clicks on the map where a place is."""
    x, y = console.evaluate(
        "([lon, lat]) => { const at = vigie.map.project([lon, lat]); return [at.x, at.y] }", list(there)
    )
    console.page.mouse.click(x, y)


def test_a_lamp_is_made_moved_replaced_and_decommissioned(window: Open, here: Town) -> None:
    operator = window()
    operator.map_stands()
    # What is edited is beside the map, and the place left of it.
    operator.go(place(DIJON, 100, -200), 17)

    operator.button("Nouvel équipement").click()
    form = operator.by("section[aria-label='Nouvel équipement']")
    expect(form.locator("button.primary")).to_be_disabled()
    form.locator("select").first.select_option("luminaire")
    form.get_by_label("Nom", exact=True).fill("Lanterne du parc")
    form.get_by_label("Identifiant", exact=True).fill("cabinet-dijon-0")
    form.get_by_label("Motif").fill("Parc ouvert")
    first_place = place(DIJON, -40, -200)
    click_at(operator, first_place)
    form.locator("button.primary").click()
    operator.see("L'identifiant « cabinet-dijon-0 » est déjà pris.")
    form.get_by_label("Identifiant", exact=True).fill("luminaire-parc-1")
    form.locator("button.primary").click()
    sheet = operator.by(".sheet")
    expect(sheet.locator("h2")).to_contain_text("Lanterne du parc")
    made: Any = here.ask("operator", "assets/luminaire-parc-1")
    assert abs(made["lon"] - first_place[0]) < 2e-5
    assert made["area"] == DIJON, "the commune is the one that it stands in"
    operator.until(lambda: made["no"] in operator.drawn_lamps(), "the new lamp is on the map")

    sheet.get_by_role("button", name="Déplacer").click()
    move = operator.by("section[aria-label='Déplacer']")
    operator.until(lambda: not operator.evaluate("() => vigie.map.isMoving()"), "the map stands still")
    second_place = place(DIJON, -55, -205)
    click_at(operator, second_place)
    move.get_by_label("Motif").fill("Trottoir élargi")
    move.locator("button.primary").click()
    operator.see("Déplacé : luminaire-parc-1")
    moved: Any = here.ask("operator", "assets/luminaire-parc-1")
    assert abs(moved["lon"] - second_place[0]) < 2e-5
    assert moved["no"] == made["no"], "the place keeps its number, and so its history"

    sheet.get_by_role("button", name="Remplacer le matériel").click()
    device = sheet.locator("section[aria-label='Matériel en place']")
    device.get_by_label("Numéro de série").fill("SN-2041")
    device.get_by_label("Modèle").fill("Lanterne LED 40 W")
    device.get_by_label("Motif").fill("Driver grillé")
    device.locator("button.primary").click()
    expect(device.locator("li").first).to_contain_text("SN-2041")

    sheet.get_by_role("button", name="Mettre hors inventaire").click()
    held = device.get_by_role("button", name="Maintenir pour mettre hors inventaire")
    expect(held).to_be_disabled()
    device.get_by_label("Motif").fill("Parc réaménagé")
    operator.hold(held)
    expect(sheet).to_have_count(0)
    operator.until(lambda: made["no"] not in operator.drawn_lamps(), "it is gone from the map")

    operator.press("g")
    journal = operator.by("section[aria-label='Journal']")
    journal.get_by_label("Équipement (identifiant)").fill("luminaire-parc-1")
    for fact in ("Équipement créé", "Équipement modifié", "Matériel remplacé", "Équipement mis hors inventaire"):
        expect(journal.locator("li.entry", has_text=fact)).to_have_count(1)


def test_what_a_colleague_makes_and_moves_is_seen_without_a_reload(window: Open, here: Town) -> None:
    operator = window()
    operator.map_stands()
    operator.go(place(DIJON, 0, -150), 17)
    colleague = here.browser("operator")
    lon, lat = place(DIJON, -30, -150)
    body = {"id": "luminaire-collegue-1", "kind": "luminaire", "name": "Lanterne", "lon": lon, "lat": lat}
    made = colleague.ask("POST", "/api/v1/assets", body)
    assert made.status == 201, made.body
    number = made.body["no"]
    operator.until(lambda: number in operator.drawn_lamps(), "the new lamp is on the map")

    # Moved to where the map does not look: it is gone from here, and known to be there.
    there = place(DIJON, 400, 450)
    moved = colleague.ask(
        "PATCH", "/api/v1/assets/luminaire-collegue-1", {"lon": there[0], "lat": there[1], "reason": "travaux"}
    )
    assert moved.status == 200, moved.body
    operator.until(lambda: number not in operator.drawn_lamps(), "it has left the view")
    x = (there[0] / 360) + 0.5
    operator.until(lambda: abs(operator.evaluate(f"() => vigie.places.x[{number}]") - x) < 3e-7, "where it is now")


def test_a_place_is_given_by_keyboard_alone(window: Open, here: Town) -> None:
    operator = window()
    operator.map_stands()
    operator.go(place(DIJON, 100, -220), 17)
    operator.button("Nouvel équipement").click()
    form = operator.by("section[aria-label='Nouvel équipement']")
    lat, lon = form.get_by_label("Latitude"), form.get_by_label("Longitude")
    form.get_by_role("button", name="Placer au centre de la carte").press("Enter")
    # The middle of what the panels and the strip of figures leave free of the map.
    expect(lat).not_to_have_value("")
    east, north = (float(each.input_value().replace(",", ".")) for each in (lon, lat))
    assert east < place(DIJON, 100, -220)[0]
    assert 0 < north - operator.evaluate("() => vigie.map.getCenter().lat") < 0.0005

    form.locator("select").first.select_option("luminaire")
    form.get_by_label("Nom", exact=True).fill("Lanterne au clavier")
    form.get_by_label("Identifiant", exact=True).fill("luminaire-clavier-1")
    form.get_by_label("Motif").fill("Relevé du géomètre")
    lat.fill("97,3")
    expect(lat).to_have_attribute("aria-invalid", "true")
    expect(form.locator("button.primary")).to_be_disabled()
    wanted = place(DIJON, -80, -220)
    lat.fill(f"{wanted[1]:.6f}".replace(".", ","))
    lon.fill(f"{wanted[0]:.6f}")
    form.locator("button.primary").press("Enter")
    expect(operator.by(".sheet h2")).to_contain_text("Lanterne au clavier")
    made: Any = here.ask("operator", "assets/luminaire-clavier-1")
    assert (round(made["lon"], 6), round(made["lat"], 6)) == (round(wanted[0], 6), round(wanted[1], 6))
    entries: Any = here.ask("operator", "journal?type=AssetMade&asset=luminaire-clavier-1")
    assert entries["items"][0]["summary"]["reason"] == "Relevé du géomètre"
