"""Lighting's programmes: written by keyboard, previewed on the map, approved by another, told in a lamp's sheet."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, Route, expect

from tests.browser.conftest import Open
from tests.browser.console import Console
from tests.browser.town import DIJON, Town, lamps_of, place
from tests.people import QUETIGNY

# A browser that draws in software, beside two others.
pytestmark = pytest.mark.timeout(240)

PLANS = "/api/v1/plans"
HUNDRED_TABS = 100


@pytest.fixture(autouse=True)
def nothing_planned(here: Town) -> Iterator[None]:
    """Each test begins and ends with a town that nobody has planned."""
    yield
    manager = here.browser("manager")
    for row in manager.ask("GET", PLANS).body["items"]:
        path = f"{PLANS}/{row['id']}"
        plan = manager.ask("GET", path).body
        for event, seen in (("discard", plan["draft_version"]), ("withdraw", plan["in_force_version"])):
            if seen is not None:
                said = {"version": seen["version"], "revision": seen["revision"], "reason": "fin de l'essai"}
                assert manager.ask("POST", f"{path}/{event}", said).status == 204


def programme(level: int, name: str, **more: Any) -> dict[str, Any]:
    """A level from dusk to dawn, all the year."""
    window = {"start": {"by": "dusk"}, "end": {"by": "dawn"}, "level": level}
    rule = {"name": "Toutes les nuits", "windows": [window]}
    return {"name": name, "rank": "area", "area": QUETIGNY, "rules": [rule]} | more


def make(here: Town, body: dict[str, Any], *, kind: str = "lighting.programme", approved: bool = False) -> str:
    """A plan written by the manager, and approved by the deputy where that is said."""
    said = {"kind": kind, "body": body, "reason": "essai"}
    plan: dict[str, Any] = here.browser("manager").ask("POST", PLANS, said).body
    if approved:
        seen = {"version": 1, "revision": 1, "reason": "vu"}
        assert here.browser("deputy").ask("POST", f"{PLANS}/{plan['id']}/approve", seen).status == 200
    return str(plan["id"])


def tab_to(console: Console, wanted: Locator) -> None:
    """Presses the tabulator until something has the focus."""
    for _ in range(HUNDRED_TABS):
        if wanted.evaluate("(element) => element === document.activeElement"):
            return
        console.press("Tab")
    raise AssertionError("the tabulator does not come there")


def levels(console: Console) -> set[int]:
    """The levels that the map draws its lamps at, in %."""
    return {round(state["l"] * 100) for state in console.drawn_lamps().values() if state.get("s") == 1}


def write_by_keyboard(manager: Console) -> None:
    """A programme for Quetigny, with the keys alone."""
    manager.press("p")
    tab_to(manager, manager.button("Nouveau programme"))
    manager.press("Enter")
    # The name has the focus: who begins, writes.
    expect(manager.page.get_by_label("Nom", exact=True)).to_be_focused()
    manager.page.keyboard.type("Quetigny la nuit")
    area = manager.page.get_by_role("combobox", name="Secteur")
    tab_to(manager, area)
    manager.page.keyboard.type("Quetigny")
    expect(area).to_have_value(QUETIGNY)
    for part, kind in (("De", "Allumage"), ("À", "Extinction")):
        tab_to(manager, manager.page.get_by_role("group", name=part, exact=True).get_by_label("Repère"))
        manager.page.keyboard.type(kind)
    tab_to(manager, manager.page.get_by_label("Niveau en pour cent"))
    manager.page.keyboard.type("41")
    tab_to(manager, manager.page.get_by_label("Comme le reste de la ville"))
    manager.press("ArrowDown", "ArrowDown")
    expect(manager.page.get_by_label("Jour et nuit")).to_be_checked()
    assert "41" in (manager.by(".rule .bar").get_attribute("aria-label") or "")
    manager.see("Rien à redire.")


def preview(manager: Console) -> None:
    """The night of the national holiday on the map, under the draft and as it is in force."""
    # Other tests have given orders here: whatever the lamps say, no draft of this test says it.
    live = levels(manager)
    assert live.isdisjoint({41, 63})
    asked: list[str] = []
    manager.page.on("request", lambda each: asked.append(each.url) if each.url.endswith("/lighting/night") else None)
    manager.page.get_by_label("Nuit du").fill("2026-07-14")
    tab_to(manager, manager.button("Voir l'aperçu"))
    manager.press("Enter")
    banner = manager.by(".banner")
    expect(banner).to_contain_text("APERÇU")
    tab_to(manager, manager.page.get_by_label("Heure", exact=True))
    manager.page.keyboard.type("23h40")
    manager.press("Tab")
    expect(banner).to_contain_text("14 juillet 2026, 23:40")
    expect(banner).to_contain_text("Projet\u00a0: Quetigny la nuit")
    expect(manager.by(".top .link")).to_have_text("APERÇU")
    manager.until(lambda: levels(manager) == {41}, "the lamps of Quetigny at the draft's level")
    # The other commune is left to the class; and the night in force has one level everywhere.
    manager.go(place(DIJON, 0, 0), 17)
    manager.until(lambda: levels(manager) == {63}, "Dijon at the level of what is in force")
    manager.go(place(QUETIGNY, 0, 0), 17)
    manager.button("En vigueur").click()
    expect(banner).to_contain_text("Ce qui est en vigueur")
    manager.until(lambda: levels(manager) == {63}, "what is in force")
    manager.button("Projet", exact=True).click()
    manager.until(lambda: levels(manager) == {41}, "the draft again")
    manager.page.get_by_label("Heure de la nuit").focus()
    manager.press("ArrowRight", "ArrowRight")
    expect(banner).to_contain_text("23:50")
    assert len(asked) == 2, "a night is asked for once for each draft, and moving in it asks nothing"
    manager.press("Escape")
    expect(banner).to_have_count(0)
    expect(manager.by(".top .link")).to_have_text("DIRECT")
    manager.until(lambda: levels(manager) == live, "what the lamps say themselves")


def test_a_programme_is_written_by_keyboard_previewed_saved_approved_and_told(window: Open, here: Town) -> None:
    make(here, programme(63, "la classe P4", rank="class", area="", switching={"always": True}), approved=True)
    manager = window("manager")
    manager.map_stands()
    manager.go(place(QUETIGNY, 0, 0), 17)
    write_by_keyboard(manager)
    preview(manager)
    manager.page.get_by_label("Motif", exact=True).fill("Délibération du 12")
    manager.button("Enregistrer", exact=True).click()
    manager.see("Vous avez enregistré ce projet en dernier")
    manager.until(lambda: "plan=" in manager.page.url and "plan=new" not in manager.page.url, "the plan's own address")
    address = manager.page.url.partition("#")[2]

    crew = window("crew", path=f"#{address}")
    crew.see("Vous pouvez lire ce programme, non le modifier.")
    assert crew.by(".main :is(input, select, textarea)").count() == 0
    crew.button("Tous les programmes").click()
    expect(crew.by(".line", has_text="Quetigny la nuit")).to_contain_text("Projet")
    expect(crew.button("Nouveau programme")).to_have_count(0)

    deputy = window("deputy", path=f"#{address}")
    deputy.page.get_by_label("Motif de la décision").fill("Vu avec la mairie")
    deputy.hold(deputy.button("Approuver (maintenir)"))
    deputy.see("« Quetigny la nuit » est en vigueur")
    # What is in force is previewed as such, never as a draft.
    deputy.button("Voir l'aperçu").click()
    expect(deputy.by(".banner")).to_contain_text("Ce qui est en vigueur")
    deputy.press("Escape")
    operator = window(path=f"#asset={lamps_of(QUETIGNY, 'Rue Basse')[0]}")
    said = "41\u00a0%\u00a0: Quetigny la nuit, par-dessus la classe P4"
    expect(operator.by(".why .sentence")).to_have_text(said)
    operator.by(".why summary").click()
    expect(operator.by(".why li")).to_have_count(3)


def test_where_two_write_nothing_is_lost_and_both_are_seen(window: Open, here: Town) -> None:
    plan = make(here, programme(50, "À deux"))
    manager, deputy = (window(who, path=f"#page=programmes&plan={plan}") for who in ("manager", "deputy"))
    for console, level in ((deputy, "30"), (manager, "80")):
        console.page.get_by_label("Niveau en pour cent").fill(level)
        console.press("Tab")
        console.page.get_by_label("Motif", exact=True).fill("essai")
    deputy.button("Enregistrer", exact=True).click()
    deputy.see("Tout est enregistré.")
    manager.button("Enregistrer", exact=True).click()
    clash = manager.by(".clash")
    expect(clash).to_contain_text("Deputy Durand a enregistré entre-temps")
    for words in ("80\u00a0%", "30\u00a0%"):
        expect(clash.locator("td", has_text=words)).to_have_count(1)
    manager.button("Prendre le sien").click()
    expect(manager.page.get_by_label("Niveau en pour cent")).to_have_value("30")
    manager.button("Reprendre votre texte").click()
    expect(manager.page.get_by_label("Niveau en pour cent")).to_have_value("80")
    # Meanwhile the deputy saves once more: this time the manager's goes on top.
    deputy.page.get_by_label("Niveau en pour cent").fill("20")
    deputy.press("Tab")
    deputy.page.get_by_label("Motif", exact=True).fill("encore")
    deputy.button("Enregistrer", exact=True).click()
    deputy.see("Tout est enregistré.")
    manager.button("Enregistrer", exact=True).click()
    manager.button("Enregistrer le vôtre par-dessus").click()
    manager.see("Tout est enregistré.")
    manager.by("summary", has_text="Révisions").click()
    manager.button("Lire la révision 1.3").click()
    manager.see("Vous lisez la version 1, révision 3")
    assert "20" in (manager.by(".rule .bar").get_attribute("aria-label") or "")


def test_what_is_written_on_while_it_is_saved_stays(window: Open, here: Town) -> None:
    plan = make(here, programme(50, "À suivre"))
    manager = window("manager", path=f"#page=programmes&plan={plan}")
    name = manager.page.get_by_label("Nom", exact=True)

    def written_on(route: Route) -> None:
        name.fill("À suivre de près")
        route.fallback()

    name.fill("À suivre mieux")
    manager.page.get_by_label("Motif", exact=True).fill("essai")
    manager.page.route(f"**{PLANS}/{plan}/draft", written_on, times=1)
    manager.button("Enregistrer", exact=True).click()
    manager.see("« À suivre mieux » enregistré")
    expect(name).to_have_value("À suivre de près")
    expect(manager.button("Annuler les modifications")).to_be_visible()
    kept = here.browser("manager").ask("GET", f"{PLANS}/{plan}").body["draft_version"]
    assert kept["body"]["name"] == "À suivre mieux"


def test_what_is_wrong_is_said_and_keeps_it_from_being_approved(window: Open, here: Town) -> None:
    plan = make(here, programme(50, "Rue perdue", target={"streets": ["Rue Perdue", "Rue Verte"]}))
    deputy = window("deputy", path=f"#page=programmes&plan={plan}")
    deputy.see("Aucune rue ne s'appelle Rue Perdue.")
    deputy.see("Points qui empêchent l'approbation")
    deputy.page.get_by_label("Motif de la décision").fill("vu")
    expect(deputy.button("Approuver (maintenir)")).to_be_disabled()
    deputy.button("Calculer l'année").click()
    deputy.see("Aucun tarif n'est en vigueur")
    expect(deputy.by("table", has_text="Heures-lampe")).to_contain_text(re.compile("\u2212\\d"))
    assert deputy.by("tr", has_text="Coût").count() == 0

    tariff = {"peak_eur_per_kwh": 0.25, "off_peak_eur_per_kwh": 0.15, "kg_co2_per_kwh": 0.05, "source": "contrat 2026"}
    make(here, tariff, kind="lighting.tariff", approved=True)
    deputy.page.reload()
    deputy.button("Calculer l'année").click()
    deputy.see("contrat 2026")
    for row in ("Coût", "CO₂"):
        expect(deputy.by("tr", has_text=row)).to_contain_text(re.compile("\u2212\\d"))


def test_what_is_not_saved_is_let_go_only_when_asked(window: Open, here: Town) -> None:
    plan = make(here, programme(50, "À garder"))
    manager = window("manager", path=f"#page=programmes&plan={plan}")
    manager.page.get_by_label("Nom", exact=True).fill("À garder encore")
    manager.press("Escape", "Escape")
    expect(manager.by(".editor")).to_have_count(0)
    manager.press("p")
    expect(manager.page.get_by_label("Nom", exact=True)).to_have_value("À garder encore")
    manager.by(".top .menu .icon-button").first.click()
    manager.button("Se déconnecter").click()
    expect(manager.by("dialog")).to_contain_text("ce que vous avez écrit est perdu")
    manager.button("Rester").click()
    manager.button("Annuler les modifications").click()
    manager.button("Les garder").click()
    expect(manager.page.get_by_label("Nom", exact=True)).to_have_value("À garder encore")
    manager.button("Annuler les modifications").click()
    manager.button("Les perdre").click()
    expect(manager.page.get_by_label("Nom", exact=True)).to_have_value("À garder")


def test_without_a_programme_the_page_says_what_one_is(window: Open, here: Town) -> None:
    del here
    manager = window("manager", path="#page=programmes")
    manager.see("Aucun programme d'éclairage")
    manager.button("Rédiger un premier programme").click()
    expect(manager.page.get_by_label("Nom", exact=True)).to_be_focused()
    operator = window()
    operator.map_stands()
    operator.page.route("**/api/v1/plans*", lambda route: route.abort())
    operator.press("p")
    operator.see("Le poste ne répond pas.")
    operator.page.unroute("**/api/v1/plans*")
    operator.button("Réessayer").click()
    operator.see("Les gestionnaires de l'éclairage rédigent les programmes.")
