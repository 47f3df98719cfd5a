"""Work orders at the console: opened, given to a crew, changed by two at once, many moved at a time, by keyboard."""

from __future__ import annotations

import json
import re
import urllib.parse
import urllib.request
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.console import Console
from tests.browser.test_pages import faults, prepare
from tests.browser.town import DIJON, Town, lamps_of, place

# A browser that draws in software, beside two others.
pytestmark = pytest.mark.timeout(240)

CASES = "/api/v1/cases"
LAMP, *_ = lamps_of(DIJON, "Rue Haute")


def opened(here: Town, title: str, *, priority: int = 3, **more: str) -> dict[str, Any]:
    """An order that somebody has opened elsewhere."""
    said = {
        "kind": "roads.work_order",
        "category": "lighting",
        "priority": priority,
        "title": title,
        "assets": [LAMP],
    } | more
    answer = here.browser("supervisor").ask("POST", CASES, said)
    assert answer.status == 201, answer.body
    return dict(answer.body)


def moved(here: Town, case: dict[str, Any], event: str, **said: str) -> None:
    """The same somebody moves it on."""
    answer = here.browser("supervisor").ask("POST", f"{CASES}/{case['id']}/moves", {"event": event} | said)
    assert answer.status == 200, answer.body


def sheet(here: Town, case: dict[str, Any]) -> dict[str, Any]:
    """All of it, as the API says it."""
    return dict(here.browser("supervisor").ask("GET", f"{CASES}/{case['id']}").body)


def titles(console: Console) -> list[str]:
    """What stands in the table."""
    return [each.strip() for each in console.by(".space .name").all_inner_texts()]


def test_an_order_is_opened_at_a_lamp_given_to_a_crew_and_changed_by_two_people(window: Open, here: Town) -> None:
    operator = window(path=f"#asset={LAMP}")
    page = operator.page
    operator.button("Ouvrir un bon d'intervention").click()
    expect(page.get_by_label("Identifiant d'un équipement")).to_have_value(LAMP)
    expect(page.get_by_label("Catégorie")).to_have_value("lighting")
    page.get_by_label("Objet").fill("Crosse penchée")
    operator.by("label", has_text="Urgente").click()
    operator.press("Enter")
    # It is given to a crew by keyboard: the window has the focus, and the arrows choose.
    operator.button("Confier à une équipe").click()
    crews = page.get_by_role("radio")
    expect(crews).to_have_count(3)
    crews.first.focus()
    operator.press("Space", "Enter")
    expect(operator.by(".case .state")).to_have_text("Confié")
    found: Any = here.ask("operator", f"cases?asset={LAMP}&state=assigned")
    (case,) = found["items"]
    assert (case["title"], case["priority"], case["crew"]["name"]) == ("Crosse penchée", 2, "Éclairage nord"), (
        "the nearest crew is the first"
    )

    # Two people at once: nothing is lost of either.
    page.get_by_label("Précisions").get_by_role("button", name="Modifier").click()
    page.get_by_label("Objet").fill("Crosse à redresser")
    other = here.browser("supervisor")
    said = {"revision": case["revision"], "title": "Crosse cassée", "priority": 1}
    assert other.ask("PATCH", f"{CASES}/{case['id']}", said).status == 200
    operator.button("Enregistrer", exact=True).click()
    operator.see("Quelqu'un a modifié ce bon entre-temps")
    expect(operator.by(".case form dl")).to_contain_text("Crosse cassée")
    expect(page.get_by_label("Objet")).to_have_value("Crosse à redresser")
    operator.button("Enregistrer quand même").click()
    expect(operator.by(".case h2").first).to_have_text("Crosse à redresser")
    now = sheet(here, case)
    assert (now["row"]["title"], now["row"]["priority"]) == ("Crosse à redresser", 1)

    # What is noted and ticked off is written down.
    page.get_by_label("Nouvelle vérification").fill("Consigner l'armoire")
    operator.press("Enter")
    operator.by(".check input").check()
    page.get_by_role("textbox", name="Note").fill("Accès par la cour.")
    operator.button("Noter").click()
    operator.see("Accès par la cour.")
    now = sheet(here, case)
    assert now["document"]["checklist"] == [{"what": "Consigner l'armoire", "done": True}]
    assert now["timeline"][0]["text"] == "Accès par la cour."
    # Back at the lamp, its sheet lists it.
    operator.press("Escape")
    expect(operator.by(".sheet").get_by_role("button", name=re.compile("Crosse à redresser"))).to_be_visible()


def test_many_are_moved_and_each_says_why_it_was_not(window: Open, here: Town) -> None:
    # The clocks are set back in the night before it is due.
    due = "2027-10-31T16:00:00Z"
    first, second, third, done = (opened(here, f"Lot {n}", priority=4, due=due) for n in range(1, 5))
    moved(here, done, "finish")
    operator = window(path="#page=cases&state=all&priority=4&sort=opened")
    operator.until(lambda: titles(operator) == ["Lot 4", "Lot 3", "Lot 2", "Lot 1"], "the newest stand first")
    # J to the first row, Space ticks it; then the next ones.
    operator.press("j", "Space", "j", "Space", "j", "Space", "j", "Space")
    bulk = operator.page.get_by_role("group", name="Bons choisis")
    expect(bulk).to_contain_text("4 bons choisis")
    bulk.get_by_role("button", name="Annuler").click()
    dialog = operator.by("dialog")
    expect(dialog).to_contain_text("3 bons seront concernés")
    expect(dialog).to_contain_text("impossible depuis « Fait »".replace("« ", "«\xa0").replace(" »", "\xa0»"))
    # Meanwhile another has begun one of them.
    moved(here, second, "start")
    operator.page.get_by_label("Motif").fill("marché suspendu")
    operator.press("Enter")
    expect(dialog).to_contain_text("1 refusé")
    expect(dialog).to_contain_text("Lot 2")
    expect(dialog).to_contain_text("Quelqu'un a modifié ce dossier")
    states = [sheet(here, each)["row"]["state"] for each in (first, second, third, done)]
    assert states == ["cancelled", "started", "cancelled", "done"]
    assert sheet(here, first)["timeline"][0]["text"] == "marché suspendu"
    dialog.get_by_role("button", name="Fermer").click()
    expect(bulk).to_contain_text("2 bons choisis")
    assert operator.by("a.csv").get_attribute("href") == "/api/v1/cases?sort=opened&priority=4&format=csv"
    operator.by(".space .name").first.click()
    operator.page.get_by_label("Précisions").get_by_role("button", name="Modifier").click()
    expect(operator.page.get_by_label("Heure de l'échéance")).to_have_value("17:00")
    operator.press("Escape")
    # Escape steps back: from the selection, then from the page.
    operator.press("Escape")
    expect(bulk).to_have_count(0)


def test_a_board_a_map_and_a_calendar_answer_the_same_question(window: Open, here: Town) -> None:
    case = opened(here, "Trappe ouverte", priority=1)
    operator = window(path=f"#page=cases&as=board&number={case['number']}")
    operator.map_stands()
    card = operator.by(f"[data-case='{case['id']}']")
    expect(operator.by("[data-state=open]").locator(card)).to_be_visible()
    operator.press("j")
    expect(card).to_be_focused()
    # To the next column that takes it; that of those given to a crew asks for which.
    operator.press("Shift+ArrowRight")
    expect(operator.by("dialog")).to_contain_text("Équipe")
    operator.press("Escape")
    card.drag_to(operator.by("[data-state=started]"))
    expect(operator.by("[data-state=started]").locator(card)).to_be_visible()
    assert sheet(here, case)["row"]["state"] == "started"
    prepare(operator)
    wrong = faults(operator)
    operator.button("Calendrier").click()
    expect(operator.by(".today, .day").locator(card)).to_be_visible()
    wrong += faults(operator)
    operator.button("Liste").click()
    operator.until(lambda: titles(operator) == ["Trappe ouverte"], "the table has it")
    operator.by(".space .name").click()
    expect(operator.by(".case h2").first).to_have_text("Trappe ouverte")
    wrong += faults(operator)
    assert not wrong, "\n".join(wrong)
    # The map shows it where it is, and a click there opens it.
    operator.press("Escape")
    operator.button("Sur la carte").click()
    operator.go((case["lon"], case["lat"]), 17.5)
    x, y = operator.evaluate(
        "([lon, lat]) => { const at = vigie.map.project([lon, lat]); return [at.x, at.y] }", [case["lon"], case["lat"]]
    )
    operator.page.mouse.click(x, y)
    expect(operator.by(".case h2").first).to_have_text("Trappe ouverte")
    assert f"case={case['id']}" in operator.page.url


def test_who_only_looks_opens_and_moves_nothing_and_nothing_is_told_as_nothing(window: Open, here: Town) -> None:
    elected = window("elected", path="#page=cases&street=Nulle+part")
    elected.see("Rien ne répond à ces filtres.")
    expect(elected.button("Nouveau")).to_have_count(0)
    elected.button("Tout effacer").click()
    expect(elected.by(".space input")).to_have_count(0)


def reported(here: Town, code: str, words: str, **said: str) -> int:
    """A resident reports something in the middle of Dijon; the number that they are told."""
    lon, lat = place(DIJON, 40.0, 70.0)
    form = {"service_code": code, "lat": str(lat), "long": str(lon), "description": words} | said
    body = urllib.parse.urlencode(form).encode()
    url = f"http://127.0.0.1:{here.port}/open311/v2/requests.json"
    with urllib.request.urlopen(urllib.request.Request(url, body), timeout=20) as answer:
        return int(json.load(answer)[0]["service_request_id"])


def test_a_residents_report_opens_as_its_own_sheet_and_is_decided_there(window: Open, here: Town) -> None:
    number = reported(
        here, "pothole", "Un trou profond, dit Anne.", email="anne@example.org",
        **{"attribute[where]": "cycleway", "attribute[danger]": "yes"},
    )  # fmt: skip
    (row,) = here.browser("supervisor").ask("GET", f"{CASES}?number={number}").body["items"]
    operator = window(path="#page=cases&kind=roads.report")
    page = operator.page
    expect(page.get_by_label("Type de dossier")).to_have_value("roads.report")
    operator.until(lambda: titles(operator) == ["Nid-de-poule, chaussée abîmée"], "the list holds it alone")
    operator.by(".space .name").click()
    sheet_of = operator.by(".case")
    expect(sheet_of).to_contain_text(f"Signalement n° {number}")
    expect(page.get_by_label("Réponses du signalement")).to_contain_text("Piste cyclable")
    expect(sheet_of).to_contain_text("Un trou profond, dit Anne.")
    operator.button("Publier ce texte").click()
    operator.see("Ce texte est public, mot pour mot.")
    assert sheet(here, row)["document"]["words_public"] is True
    assert sheet(here, row)["document"]["answers"] == {"where": ["cycleway"], "danger": ["yes"]}
    prepare(operator)
    wrong = faults(operator)
    assert not wrong, "\n".join(wrong)
    sheet_of.get_by_role("button", name="Refuser").click()
    page.get_by_label("Motif").fill("Voie privée")
    operator.press("Enter")
    expect(operator.by(".case .state")).to_have_text("Refusé")
    assert sheet(here, row)["timeline"][0]["text"] == "Voie privée"
    # The board of reports has the columns of their life, and no order stands on it.
    operator.press("Escape")
    operator.button("Tableau par état").click()
    expect(operator.by("[data-state=received]")).to_be_visible()
    expect(operator.by("[data-state=open]")).to_have_count(0)
    expect(operator.by("[data-case]")).to_have_count(0)
