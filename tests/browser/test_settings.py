"""The page of the settings of the roads beside the map: written by one, approved by another, then heard elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.console import Console
from tests.browser.test_pages import faults, prepare
from tests.browser.test_works import screen
from tests.browser.town import DIJON, Town, place

# A browser that draws in software, beside two others.
pytestmark = pytest.mark.timeout(240)

STREET, OTHER = "Avenue de la Gare", "Rue Verte"
MARKET = "Marché de la gare"


def find_street(window: Console, words: str, name: str) -> None:
    """Takes a street up by its name, by keyboard."""
    search = window.by(".page.panel").get_by_role("searchbox", name="Chercher une rue")
    search.fill(words)
    expect(window.by(".search li .line").first).to_be_visible()
    search.press("ArrowDown")
    window.press("Enter")
    expect(window.by(f".page ol li[aria-label='{name}']")).to_have_count(1)
    search.fill("")


def save(window: Console) -> None:
    """What is written is saved."""
    window.by(".page.panel").get_by_label("Motif", exact=True).fill("Réglage de l'année")
    window.button("Enregistrer", exact=True).click()
    expect(window.by(".page.panel")).to_contain_text("Tout est enregistré.")


@contextmanager
def approved(here: Town, kind: str, name: str) -> Iterator[str]:
    """Somebody else approves what is drafted, and takes it out of force again: others have tests in this town. Gives
    its id."""
    supervisor = here.browser("supervisor")
    rows = supervisor.ask("GET", f"/api/v1/plans?kind={kind}").body["items"]
    plan = next(row["id"] for row in rows if row["title"] == name)
    path = f"/api/v1/plans/{plan}"
    draft: Any = supervisor.ask("GET", path).body["draft_version"]
    said = {"version": draft["version"], "revision": draft["revision"], "reason": "conforme"}
    answer = supervisor.ask("POST", f"{path}/approve", said)
    assert answer.status == 200, answer
    try:
        yield plan
    finally:
        said = {"version": draft["version"], "reason": "fin de l'essai"}
        assert supervisor.ask("POST", f"{path}/withdraw", said).status == 204


def heard(planner: Console, window: Open, plan: str) -> None:
    """What is in force is told in the list, to who may only read it, and to who asks for works there."""
    page = planner.by(".page.panel")
    planner.button("Tous", exact=True).click()
    row = page.locator(".line", has_text=MARKET)
    expect(row).to_contain_text(re.compile("Marché · sam.–dim. 06:00–14:00 · 1\\stronçon"))
    expect(row).to_contain_text("En vigueur")
    # Who may not write it reads it, and is shown no button; works that they ask for there are told of it.
    operator = window(size=(1440, 900), path=f"#page=settings&of=occasion&setting={plan}")
    form = operator.by(".page form")
    expect(form).to_contain_text("Vous pouvez lire ce réglage, pas le modifier.")
    expect(form.get_by_role("button")).to_have_count(0)
    # The post tells who may write it what is wrong with it: nobody else asks.
    expect(operator.by(".page.panel").get_by_role("region", name="Vérification")).to_have_count(0)
    operator.evaluate("() => (location.hash = 'page=works&permit=new')")
    form.get_by_label("Début").fill("2026-12-04T08:00")
    form.get_by_label("Fin", exact=True).fill("2026-12-06T17:00")
    search = form.get_by_role("searchbox", name="Chercher une rue")
    search.fill("avenue gare")
    expect(form.locator(".search li .line")).to_have_count(1)
    search.press("ArrowDown")
    operator.press("Enter")
    expect(form.get_by_role("region", name="Actes et conflits")).to_contain_text(f"{MARKET}\u00a0» occupe la même rue")


def test_a_market_is_set_by_hand_and_works_are_told_of_it(window: Open, here: Town) -> None:
    planner = window("planner", size=(1440, 900), path="#page=works")
    planner.map_stands()
    planner.button("Réglages voirie").click()
    planner.see("Aucun marché ni événement")
    planner.button("Nouveau marché ou événement").click()
    page = planner.by(".page.panel")
    page.get_by_label("Nom", exact=True).fill(MARKET)
    find_street(planner, "avenue gare", STREET)
    # On the map another street is taken up, and left again.
    planner.go(place(DIJON, -300, -300), 16)
    page.get_by_role("button", name="Choisir sur la carte").click()
    for count in (2, 1):
        planner.page.mouse.click(*screen(planner, -310, -300))
        expect(planner.by(f".map[data-picked='{count}']")).to_have_count(1)
    page.get_by_role("button", name="Terminer le choix").click()
    # What is wrong is said where it is written.
    page.get_by_label("Du", exact=True).fill("2026-12-31")
    page.get_by_label("Au", exact=True).fill("2026-12-01")
    expect(page.locator("#wrong-last")).to_contain_text("le dernier vient avant le premier")
    prepare(planner)
    assert not faults(planner)
    for field in ("Du", "Au"):
        page.get_by_label(field, exact=True).fill("")
    expect(page).to_contain_text("Rien à redire.")
    save(planner)

    # Somebody else saves meanwhile: both are told apart, and nothing is lost.
    supervisor = here.browser("supervisor")
    plan = supervisor.ask("GET", "/api/v1/plans?kind=roads.occasion").body["items"][0]["id"]
    body = supervisor.ask("GET", f"/api/v1/plans/{plan}").body["draft_version"]["body"] | {"hours": "fri 06:00-14:00"}
    page.get_by_label("dimanche").press(" ")
    page.get_by_label("Motif", exact=True).fill("Le dimanche aussi")
    path = f"/api/v1/plans/{plan}/draft"
    assert supervisor.ask("PUT", path, {"version": 1, "revision": 1, "body": body}).status == 200
    planner.button("Enregistrer", exact=True).click()
    clash = page.get_by_role("alert", name="Deux versions")
    expect(clash).to_contain_text("sam.–dim. 06:00–14:00")
    expect(clash).to_contain_text("ven. 06:00–14:00")
    clash.get_by_role("button", name="Enregistrer le vôtre par-dessus").click()
    expect(clash).to_have_count(0)
    expect(page).to_contain_text("Tout est enregistré.")
    with approved(here, "roads.occasion", MARKET):
        heard(planner, window, plan)


def test_a_circuit_is_set_by_hand_and_followed(window: Open, here: Town) -> None:
    planner = window("planner", size=(1440, 900), path="#page=settings&of=circuit&setting=new")
    planner.map_stands()
    page = planner.by(".page.panel")
    page.get_by_label("Nom", exact=True).fill("Salage de la gare")
    page.get_by_role("button", name="Salage", exact=True).click()
    page.get_by_label("au besoin").press(" ")
    page.get_by_label("Station qui l'appelle").select_option(label="Météo")
    find_street(planner, "avenue gare", STREET)
    find_street(planner, "rue verte", OTHER)
    # In their order, by keyboard; the second is due before the turn's end.
    page.get_by_role("button", name=f"Monter {OTHER}").press("Enter")
    expect(page.locator("ol li").first).to_have_attribute("aria-label", OTHER)
    # The focus goes with it, and where it went is said.
    expect(page.locator("ol li").first.locator(":focus")).to_have_count(1)
    expect(page.get_by_text(f"{OTHER}\u00a0: place 1 sur 2.")).to_have_attribute("role", "status")
    page.get_by_label(f"{STREET}\u00a0: à faire en moins de … minutes").fill("90")
    # They do not touch: it is said there, where they are picked, and answered for.
    expect(page.locator("#wrong-streets")).to_contain_text("ne commencent pas")
    picked = page.get_by_role("button", name="Choisir sur la carte")
    expect(picked).to_have_accessible_description(re.compile("ne commencent pas"))
    expect(page.get_by_role("region", name="Vérification").get_by_role("status")).to_contain_text("point relevé")
    page.get_by_label("Ce que vous répondez").fill("Par la rue des Lilas.")
    prepare(planner)
    assert not faults(planner)
    save(planner)
    other_order(planner, here)
    with approved(here, "roads.circuit", "Salage de la gare") as plan:
        planner.evaluate("() => (location.hash = 'page=rounds')")
        row = planner.by(".page .line", has_text="Salage de la gare")
        expect(row).to_contain_text("sur 2")
        # It is drawn while it is open, and not beside another setting.
        for setting, count in ((f"of=circuit&setting={plan}", 2), ("of=preventive&setting=new", 0)):
            planner.evaluate("(setting) => (location.hash = `page=settings&${setting}`)", setting)
            expect(planner.by(f".map[data-picked='{count}']")).to_have_count(1)
    fenced(planner)


def other_order(planner: Console, here: Town) -> None:
    """Somebody else saves the same streets the other way round: the first place that differs is told by their names."""
    supervisor, page = here.browser("supervisor"), planner.by(".page.panel")
    plan = supervisor.ask("GET", "/api/v1/plans?kind=roads.circuit").body["items"]
    path = f"/api/v1/plans/{next(row['id'] for row in plan if row['title'] == 'Salage de la gare')}"
    body = supervisor.ask("GET", path).body["draft_version"]["body"]
    body["streets"].reverse()
    # Written first: a page on which nothing is unsaved may still take up what others save.
    page.get_by_label("Ce que vous répondez").fill("Par la rue des Lilas, à l'aller.")
    page.get_by_label("Motif", exact=True).fill("La réponse")
    assert supervisor.ask("PUT", f"{path}/draft", {"version": 1, "revision": 1, "body": body}).status == 200
    planner.button("Enregistrer", exact=True).click()
    clash = page.get_by_role("alert", name="Deux versions")
    cells = clash.get_by_role("row", name="Première place qui diffère").get_by_role("cell")
    expect(cells.nth(0)).to_contain_text(f"1. {OTHER}")
    expect(cells.nth(1)).to_contain_text(f"1. {STREET}")
    clash.get_by_role("button", name="Enregistrer le vôtre par-dessus").click()
    expect(clash).to_have_count(0)
    expect(page).to_contain_text("Tout est enregistré.")


def fenced(planner: Console) -> None:
    """A fence is drawn around a place, corner by corner, and mended as numbers."""
    planner.evaluate("() => (location.hash = 'page=settings&of=fence&setting=new')")
    page = planner.by(".page.panel")
    page.get_by_label("Nom", exact=True).fill("Dépôt Nord")
    planner.go(place(DIJON, -300, -300), 16)
    page.get_by_role("button", name="Dessiner sur la carte").click()
    corners = (-340, -330), (-260, -330), (-260, -270), (-340, -270)
    for x_m, y_m in corners:
        planner.page.mouse.click(*screen(planner, x_m, y_m))
    expect(page.get_by_role("heading", name="Sommets")).to_contain_text("4 sommets")
    # The last is taken back, by keyboard too; a press on the first ends it.
    planner.press("Backspace")
    expect(page.get_by_role("heading", name="Sommets")).to_contain_text("3 sommets")
    planner.page.mouse.click(*screen(planner, *corners[0]))
    expect(page.get_by_role("button", name="Dessiner sur la carte")).to_have_attribute("aria-pressed", "false")
    # As numbers: what is no place is said there; what crosses itself as well.
    numbers = page.get_by_label("Longitude, latitude")
    drawn = numbers.input_value()
    numbers.fill(f"{drawn}\n5,02")
    numbers.blur()
    expect(page.locator("#slip-corners")).to_contain_text("Ligne 4")
    a, b, c = drawn.split("\n")
    d = "{:.6f}, {:.6f}".format(*place(DIJON, *corners[3]))
    numbers.fill("\n".join((a, c, b, d)))
    numbers.blur()
    expect(page.locator("#wrong-corners")).to_contain_text("se croise")
    assert not faults(planner)
    expect(planner.by(".map[data-fences='1']")).to_have_count(1)
    numbers.fill("\n".join((a, b, c, d)))
    numbers.blur()
    expect(page).to_contain_text("Rien à redire.")
    # Who would log out is told what is not saved.
    planner.by(".top .menu .icon-button").first.click()
    planner.button("Se déconnecter").click()
    expect(planner.by("dialog li")).to_have_text(["Périmètre «\u00a0Dépôt Nord\u00a0»"])
    planner.button("Rester").click()
    save(planner)
    planner.button("Tous", exact=True).click()
    expect(page.locator(".line", has_text="Dépôt Nord")).to_contain_text("4 sommets")
