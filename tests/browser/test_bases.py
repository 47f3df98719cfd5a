"""What energy is reckoned with: a tariff and the old inventory are stated, another approves, others read them."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.test_programmes import nothing_planned, tab_to
from tests.browser.town import Town

__all__ = ["nothing_planned"]

# A browser that draws in software, beside two others.
pytestmark = pytest.mark.timeout(240)

SURVEY = "Rue;Type;Puissance (W);Nombre\nRue Verte;SHP;100;3\nRue Haute;SHP;150;1\nRue Basse;?;inconnue;2\n"


def last(here: Town, kind: str, version: str) -> dict[str, object]:
    """What the one plan of a kind says, drafted or in force."""
    manager = here.browser("manager")
    (row,) = manager.ask("GET", f"/api/v1/plans?kind={kind}").body["items"]
    plan = manager.ask("GET", f"/api/v1/plans/{row['id']}").body
    return dict(plan[version]["body"])


def test_a_tariff_is_stated_by_keyboard_approved_by_another_and_read(window: Open, here: Town) -> None:
    manager = window("manager", path="#page=energy")
    manager.see("Aucune nuit entière n'a encore été relevée")
    tab_to(manager, manager.button("Tarif de l'énergie"))
    manager.press("Enter")
    manager.see("Aucun tarif n'est établi")
    manager.see("des kilowattheures des euros")
    tab_to(manager, manager.button("Établir le tarif"))
    manager.press("Enter")
    page = manager.page
    peak = page.get_by_label("Prix en heures pleines")
    tab_to(manager, peak)
    page.keyboard.type("20,68")
    expect(page.get_by_role("alert")).to_have_text("Entre 0 et 10.")
    expect(peak).to_have_attribute("aria-invalid", "true")
    # It is not saved, and it is there again.
    manager.see("Modifications non enregistrées")
    manager.button("Retour à l'énergie").click()
    manager.button("Tarif de l'énergie").click()
    expect(peak).to_have_value("20,68")
    expect(page.get_by_role("alert")).to_have_text("Entre 0 et 10.")
    peak.focus()
    manager.press("Control+a")
    page.keyboard.type("0,2068")
    expect(peak).to_have_attribute("aria-invalid", "false")
    manager.press("Tab")
    page.keyboard.type("0,1465")
    tab_to(manager, page.get_by_label("Heures creuses à"))
    page.keyboard.type("6h30")
    manager.press("Tab")
    manager.see("8,5 h par jour")
    page.keyboard.type("34")
    tab_to(manager, page.get_by_label("D'où viennent les chiffres"))
    page.keyboard.type("Marché 2026, lot 2")
    page.get_by_label("Motif", exact=True).fill("essai")
    manager.press("Enter")
    manager.see("Vous avez enregistré ce projet en dernier")

    deputy = window("deputy", path="#page=energy&basis=tariff")
    deputy.page.get_by_label("Motif de la décision").fill("vu")
    deputy.hold(deputy.button("Approuver (maintenir)"))
    deputy.see("« Tarif de l'énergie » est en vigueur")
    assert last(here, "lighting.tariff", "in_force_version") == {
        "peak_eur_per_kwh": 0.2068, "off_peak_eur_per_kwh": 0.1465, "off_peak_from": 1_320, "off_peak_to": 390,
        "kg_co2_per_kwh": 0.034, "source": "Marché 2026, lot 2",
    }  # fmt: skip
    # What was approved is written on, and what another wrote meanwhile is shown beside it.
    peak.fill("0,3")
    page.get_by_label("Motif", exact=True).fill("hausse")
    deputy.page.get_by_label("Prix en heures creuses").fill("0,1")
    deputy.page.get_by_label("Motif", exact=True).fill("baisse")
    deputy.button("Enregistrer", exact=True).click()
    deputy.see("Tout est enregistré.")
    manager.button("Enregistrer", exact=True).click()
    clash = manager.by(".clash")
    expect(clash.locator("tr", has_text="Prix en heures pleines")).to_contain_text("0,3")
    expect(clash.locator("tr", has_text="Prix en heures creuses")).to_contain_text("0,1")

    crew = window("crew", path="#page=energy&basis=tariff")
    crew.see("Vous pouvez lire ceci, non le modifier.")
    crew.see("de 22:00 à 06:30")
    assert crew.by(".main :is(input, select, textarea)").count() == 0
    crew.press("Escape")
    crew.see("Aucune nuit entière n'a encore été relevée")


def test_the_old_inventory_is_stated_from_a_survey_in_a_file(window: Open, here: Town) -> None:
    manager = window("manager", path="#page=energy&basis=former")
    manager.see("L'ancien éclairage n'est pas décrit")
    manager.button("Décrire l'ancien éclairage").click()
    page = manager.page
    file = page.locator("input[type=file]")
    for name, body in (("notes.csv", "a;b\n1;2\n"), ("releve.csv", SURVEY)):
        file.set_input_files({"name": name, "mimeType": "text/csv", "buffer": body.encode("cp1252")})
        manager.see("aucune colonne de puissances" if name == "notes.csv" else "4 lampes")
    manager.see("Lu dans « Puissance (W) », « Nombre ».")
    manager.see("ou avec trop ou trop peu de cellules : 1.")
    expect(page.get_by_label("Puissance moyenne")).to_have_value("112,5")
    expect(page.get_by_label("Écart", exact=True)).to_have_value("25")
    # A colleague has saved one meanwhile: both are in reach.
    deputy, said = here.browser("deputy"), {"reason": "essai"}
    body = {"lamp_w": 80.0, "source": "autre"}
    other = deputy.ask("POST", "/api/v1/plans", {"kind": "lighting.baseline", "body": body, **said}).body["id"]
    manager.button("Retour à l'énergie").click()
    manager.button("Ancien éclairage").click()
    expect(manager.button("Nouveau, non enregistré")).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_label("Puissance moyenne")).to_have_value("112,5")
    assert deputy.ask("POST", f"/api/v1/plans/{other}/discard", {"version": 1, "revision": 1, **said}).status < 300
    page.get_by_label("Économie promise").fill("65")
    manager.button("Enregistrer", exact=True).click()
    expect(page.locator("input:invalid").first).to_be_focused()
    page.get_by_label("D'où viennent les chiffres").fill("Relevé de 2019")
    page.get_by_label("Motif", exact=True).fill("essai")
    manager.button("Enregistrer", exact=True).click()
    manager.see("Tout est enregistré.")
    manager.see("Vous avez enregistré ce projet en dernier")
    body = last(here, "lighting.baseline", "draft_version")
    assert [body[each] for each in ("lamp_w", "lamp_w_sd", "surveyed", "target")] == [112.5, 25.0, 4, 0.65]
