"""Orders that end: until when they hold, that they are over, that a release and full light do what they say."""

from __future__ import annotations

import re
import time
from typing import Any

from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.console import Console
from tests.browser.town import DIJON, Town, lamps_of
from tests.people import QUETIGNY
from vigie.core.times import SECOND_US, rfc3339

STREET = "Rue des Lilas"


def give(here: Town, level: float, lamps: list[str], **params: Any) -> str:
    """An order, given past the pages; its id."""
    said = {"action": "luminaire.dim", "params": {"level": level, **params}, "select": {"assets": lamps}}
    given = here.browser("operator").ask("POST", "/api/v1/commands", said)
    assert given.status == 201, given
    return given.body["id"]


def rules(console: Console, word: str) -> None:
    """The sheet says what rules the lamp."""
    row = console.by(".sheet tbody tr", has=console.page.get_by_role("button", name="Commandé par"))
    expect(row).to_contain_text(word)


def test_an_order_says_until_when_it_holds_and_is_ended_before_by_a_release(window: Open, here: Town) -> None:
    lamp = lamps_of(DIJON, STREET)[4]
    operator = window(path=f"#asset={lamp}")
    operator.map_stands()
    rules(operator, "Programme")
    form = operator.by(".sheet form.order")
    # Nobody has to say it: until dawn, and the form says so in words, with the time.
    expect(form.get_by_label("L'aube")).to_be_checked()
    operator.by(".sheet input.num").fill("40")
    expect(form.locator(".preview")).to_contain_text(re.compile(r"Jusqu'à .*\d\d:\d\d, puis retour au programme"))
    form.get_by_text("15 min").click()
    expect(form.locator(".change")).to_contain_text(re.compile(r"→ 40\s%, jusqu'à .*\d\d:\d\d"))
    form.get_by_text("Une heure dite").click()
    form.get_by_role("textbox", name="Une heure dite").fill("04h30")
    form.get_by_role("textbox", name="Une heure dite").press("Tab")
    expect(form.locator(".change")).to_contain_text("04:30")
    operator.by(".sheet button.order").click()

    # It is proved, and the sheet says what rules the lamp, by whose word and until when; the map marks it.
    rules(operator, "Ordre")
    operator.until(lambda: operator.evaluate("() => vigie.chart.overlay.ruled.numbers.length"), "it is marked")
    why = operator.by("section.why")
    expect(why).to_contain_text(re.compile(r"Ordre de Operator Durand, jusqu'à .*04:30"))
    why.get_by_role("button", name="Ordre").click()
    panel = operator.by("section[aria-label='Ordre']")
    expect(panel).to_contain_text(re.compile(r"Tient jusqu'à\s*.*04:30"))

    # The same lamp is given back, and the older order has ended before its time.
    panel.get_by_role("button", name="Rendre au programme").click()
    expect(operator.by("section[aria-label='Ordre'] h2")).to_contain_text("Rendre au programme")
    expect(operator.by("section[aria-label='Ordre'] .words")).to_contain_text("exécuté, prouvé")
    operator.page.goto(f"{operator.url}/console#asset={lamp}")
    rules(operator, "Programme")
    expect(operator.by("section[aria-label='Derniers ordres']")).to_contain_text("Terminé avant son terme")


def test_a_lamp_returns_by_itself_and_the_order_says_that_it_has(window: Open, here: Town) -> None:
    lamps = lamps_of(DIJON, STREET)[6:9]
    until = rfc3339(time.time_ns() // 1_000 + 25 * SECOND_US)
    command = give(here, 30, lamps, until=until)
    operator = window(path=f"#order={command}")
    operator.map_stands()
    words = operator.by("section[aria-label='Ordre'] .words")
    expect(words).to_contain_text("3 exécuté, prouvé")
    expect(words).to_contain_text("3 revenu au programme")
    expect(operator.by("section[aria-label='Ordre']")).to_contain_text("A tenu jusqu'à")


def test_who_knows_no_end_is_told_none_and_the_form_says_how_many_these_are(window: Open) -> None:
    operator = window(path=f"#asset={lamps_of(QUETIGNY, STREET_OF_QUETIGNY)[5]}")
    operator.map_stands()
    operator.by(".sheet input.num").fill("35")
    expect(operator.by(".sheet .preview .stays")).to_contain_text("ne revient pas de lui-même")
    operator.button("Rendre au programme").first.click()
    expect(operator.by(".sheet .preview .refused")).to_contain_text("n'a jamais dit ce qui le commande")
    expect(operator.by(".sheet button.order")).to_be_disabled()


STREET_OF_QUETIGNY = "Rue des Prés"


def test_a_dark_street_is_lit_a_few_lamps_at_a_time_and_the_rest_is_seen_to_wait(window: Open, here: Town) -> None:
    lamps = lamps_of(DIJON, "Avenue de la Gare")
    give(here, 0, lamps)
    operator = window()
    operator.map_stands()

    def dark() -> bool:
        page: Any = here.ask("operator", "assets?kind=luminaire&limit=500")
        shown = {row["id"]: (row["state"]["shown"] or {}).get("value") for row in page["items"]}
        return all(shown[each] in (0.0, None) for each in lamps)

    operator.until(dark, "the street is dark")
    operator.search("avenue de la gare dijon")
    operator.see("Avenue de la Gare · Dijon")
    operator.by(".order input.num").fill("80")
    expect(operator.by(".order .preview")).to_contain_text("Allumage échelonné par armoire")
    operator.by("button.order").click()
    card = operator.by("section[aria-label='Ordre'] article.card")
    expect(card).to_contain_text("en attente")
    expect(card).to_contain_text("Le reste part par groupes")
    expect(card.locator(".words")).to_contain_text(f"{len(lamps)} exécuté, prouvé")


def test_full_light_over_a_commune_has_its_reason_beats_other_orders_and_is_ended(window: Open, here: Town) -> None:
    operator = window()
    operator.map_stands()
    operator.search("quetigny")
    operator.by(".kind", has_text="armoires").click()
    form = operator.by("form.order")
    expect(form.locator(".preview strong")).to_have_text("2")
    expect(form.locator(".preview")).to_contain_text("puis le poste y met fin")
    send = operator.button("Maintenir pour envoyer")
    expect(send).to_be_disabled()
    form.locator("input[maxlength='300']").fill("Accident rue du Stade")
    operator.hold(send)
    panel = operator.by("section[aria-label='Ordre']")
    expect(panel.locator(".words")).to_contain_text("2 exécuté, prouvé")
    expect(panel).to_contain_text("Accident rue du Stade")

    # An order to one of its lamps is refused meanwhile, with the reason.
    other = window(path=f"#asset={lamps_of(QUETIGNY, STREET_OF_QUETIGNY)[1]}")
    other.map_stands()
    other.by(".sheet input.num").fill("20")
    expect(other.by(".sheet .preview .refused")).to_contain_text("en marche forcée")
    expect(other.by(".sheet button.order")).to_be_disabled()

    # Who and why are in the journal.
    other.press("Escape", "g")
    entry = other.by("li.entry", has_text="Marche forcée").filter(has_text="Ordre proposé").first
    entry.locator("button.line").click()
    expect(entry).to_contain_text("Accident rue du Stade")
    expect(entry).to_contain_text("Operator Durand")

    operator.hold(operator.button("Maintenir pour mettre fin"))
    expect(operator.by("section[aria-label='Ordre'] h2")).to_contain_text("Non")
    expect(operator.by("section[aria-label='Ordre'] .words")).to_contain_text("2 exécuté, prouvé")
    again = window(path=f"#asset={lamps_of(QUETIGNY, STREET_OF_QUETIGNY)[1]}")
    again.map_stands()
    again.by(".sheet input.num").fill("20")
    expect(again.by(".sheet .preview strong")).to_have_text("1")
