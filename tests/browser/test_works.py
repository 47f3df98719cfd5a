"""The page of roadworks beside the map: works are asked for by keyboard and by hand, checked as they are written, and
granted once nothing keeps them from it; a request about buried networks is answered."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from tests.browser.conftest import Open
from tests.browser.console import Console
from tests.browser.test_pages import faults, prepare
from tests.browser.town import DIJON, Town, place

# A browser that draws in software, beside two others.
pytestmark = pytest.mark.timeout(240)

STREET = "Avenue de la Gare"
SHEET = ".aside .case"


def day(days: int) -> str:
    """A day from today on, as a field says it."""
    return (datetime.now(UTC).date() + timedelta(days=days)).isoformat()


def asked_for(here: Town, street: str, begins: int, ends: int) -> dict[str, Any]:
    """Works that are under way already: somebody else has them."""
    acts = [{"kind": kind, "state": "granted"} for kind in ("permis_de_stationnement", "traffic_order")]
    stretches = [{"street": street, "from_m": 100, "to_m": 300}]
    phase = {
        "begins": f"{day(begins)}T08:00",
        "ends": f"{day(ends)}T17:00",
        "occupancy": "closure",
        "stretches": stretches,
    }
    said = {"kind": "roads.roadworks", "category": "roadworks", "title": "Conduite d'eau",
            "document": {"owner_name": "Odivea", "phases": [phase], "acts": acts}}  # fmt: skip
    operator = here.browser("operator")
    made = operator.ask("POST", "/api/v1/cases", said)
    assert made.status == 201, made
    for event in ("grant", "begin"):
        moved = operator.ask("POST", f"/api/v1/cases/{made.body['id']}/moves", {"event": event})
        assert moved.status == 200, moved
    return made.body


def screen(operator: Console, x_m: float, y_m: float) -> tuple[float, float]:
    """Where on the screen a place of Dijon is."""
    at = operator.evaluate("([lon, lat]) => vigie.map.project([lon, lat])", list(place(DIJON, x_m, y_m)))
    return at["x"], at["y"]


def fill(form: Locator) -> None:
    """A new request, by keyboard: a street by its name, dates that meet the first."""
    form.get_by_label("Objet").fill("Branchement")
    form.get_by_label("Maître d'ouvrage").fill("GRDF")
    search = form.get_by_role("searchbox", name="Chercher une rue")
    search.fill("avenue gare")
    expect(form.locator(".search li .line")).to_have_count(1)
    search.press("ArrowDown")
    form.page.keyboard.press("Enter")
    expect(form.locator(".streets li b").first).to_have_text(STREET)
    form.get_by_label("Début").fill(f"{day(1)}T08:00")
    form.get_by_label("Fin", exact=True).fill(f"{day(2)}T17:00")


def pick(operator: Console, form: Locator) -> None:
    """On the map a street is taken up and left again, and the metres are drawn by the handle where the other begins."""
    operator.go(place(DIJON, -300, -300), 16)
    form.get_by_role("button", name="Choisir sur la carte").click()
    for count in (2, 1):
        operator.page.mouse.click(*screen(operator, -310, -300))
        expect(operator.by(f".map[data-picked='{count}']")).to_have_count(1)
    operator.press("Escape")
    operator.go(place(DIJON, -480, 0), 16)
    operator.page.mouse.move(*screen(operator, -500, 0))
    operator.page.mouse.down()
    operator.page.mouse.move(*screen(operator, -450, 0), steps=3)
    operator.page.mouse.up()
    from_m = form.get_by_label(f"{STREET}\u00a0: à partir du mètre")
    operator.until(lambda: abs(int(from_m.input_value()) - 50) <= 3, "the handle has set the metres")


def grant(operator: Console) -> None:
    """What keeps the works from being granted is told, and mended one by one."""
    sheet, dialog = operator.by(SHEET), operator.by("dialog")
    blocks = sheet.get_by_role("region", name="Ce qui empêche d'autoriser")
    expect(blocks).to_contain_text("1 conflit sans réponse")
    sheet.get_by_role("button", name="Autoriser").click()
    dialog.get_by_role("button", name="Autoriser").click()
    expect(dialog).to_contain_text("Il manque des actes accordés")
    dialog.get_by_role("button", name="Fermer").click()
    for act in ("permis de stationnement", "arrêté de circulation"):
        sheet.get_by_label(f"État\u00a0: {act}").select_option("granted")
        expect(blocks).not_to_contain_text(act)
    sheet.get_by_role("button", name="Répondre au conflit").click()
    sheet.get_by_role("textbox", name="Répondre au conflit").fill("Une seule tranchée.")
    sheet.get_by_role("button", name="Enregistrer").click()
    expect(blocks).to_have_count(0)
    assert not faults(operator)
    sheet.get_by_role("button", name="Autoriser").click()
    dialog.get_by_role("button", name="Autoriser").click()
    expect(sheet.locator(".state")).to_contain_text("Autorisé")


def test_works_are_asked_for_checked_and_granted_beside_the_map(window: Open, here: Town) -> None:
    found: Any = here.ask("operator", "roads/streets?name=gare")
    first = asked_for(here, found["items"][0]["street"], -1, 3)
    operator = window(size=(1440, 900))
    operator.map_stands()
    operator.press("b")
    expect(operator.by(f".page .line[data-works='{first['number']}']")).to_contain_text("Rue barrée")
    expect(operator.by(".map[data-works='1']")).to_have_count(1)
    # On the map: a press on the closed street opens the works.
    operator.go(place(DIJON, -300, 0), 16)
    operator.page.mouse.click(*screen(operator, -310, 0))
    expect(operator.by(SHEET)).to_contain_text("Odivea")
    expect(operator.by(SHEET)).to_contain_text("maintenant")
    operator.press("Escape")

    operator.button("Nouveau").click()
    form = operator.by(".page form")
    fill(form)
    told = form.get_by_role("region", name="Actes et conflits")
    expect(told).to_contain_text(re.compile(f"chantier n°\\s{first['number']} occupe les mêmes mètres"))
    expect(told).to_contain_text("permis de stationnement, arrêté de circulation")
    pick(operator, form)
    prepare(operator)
    # What is published once is not taken back: it is asked whether the name is an organisation's.
    published = form.get_by_label("Organisme\u00a0: son nom est publié")
    published.check()
    form.get_by_role("button", name="Demander").click()
    expect(form.get_by_role("alert")).to_contain_text("GRDF")
    assert not faults(operator)
    form.get_by_role("button", name="C'est une personne").click()
    expect(published).not_to_be_checked()
    published.check()
    form.get_by_role("button", name="Demander").click()
    form.get_by_role("button", name="C'est un organisme, publier son nom").click()
    grant(operator)

    # The year has both, and it is a file as well.
    operator.button("Calendrier de l'année").click()
    expect(operator.by(".page .bar").first).to_be_visible()
    with operator.page.expect_download() as download:
        operator.by(".page a.csv").click()
    assert STREET in download.value.path().read_text(encoding="utf-8-sig")
    assert not faults(operator)

    # Without an answer it is said so.
    operator.page.route("**/api/v1/roads/works**", lambda route: route.abort())
    operator.button("Liste et carte").click()
    operator.see("Le poste ne répond pas.")


def test_a_request_about_buried_networks_is_answered(window: Open, here: Town) -> None:
    west, south = place(DIJON, -510, -20)
    east, north = place(DIJON, -300, 20)
    document = {"asker_name": "GRDF", "kind": "dict", "number": "2026112700123D", "received": day(-40),
                "area": [[west, south], [east, south], [east, north], [west, north]]}  # fmt: skip
    said = {"kind": "roads.buried", "category": "lighting", "document": document}
    made = here.browser("operator").ask("POST", "/api/v1/cases", said)
    assert made.status == 201, json.dumps(made.body)
    operator = window(path="#page=works&as=buried", size=(1440, 900))
    operator.map_stands()
    line = operator.by(".page .line", has_text="GRDF")
    expect(line).to_contain_text("en retard depuis le")
    line.click()
    sheet = operator.by(SHEET)
    expect(sheet.get_by_role("region", name="Nos équipements concernés")).to_contain_text("Armoire dijon 1")
    sheet.get_by_label(re.compile("^Concerné(?!,)")).check()
    sheet.get_by_role("button", name="Noter la réponse envoyée").click()
    expect(sheet.locator(".state")).to_contain_text("Répondue")
    # Nobody has said that it is an organisation: the name is kept as a person's, and has its day from now on.
    expect(sheet.get_by_role("region", name="La demande")).to_contain_text(re.compile("GRDF · sera effacé le"))
    operator.see("Aucune demande sans réponse.")
