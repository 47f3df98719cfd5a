"""What is open at the side of the map, and orders that are composed, given and taken back there."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from tests.browser.conftest import Open
from tests.browser.console import Console
from tests.browser.town import DIJON, Town, lamps_of
from tests.people import QUETIGNY
from tests.post import now_us, reading
from vigie.core.times import HOUR_US

# A browser that draws in software, beside two others.
pytestmark = pytest.mark.timeout(240)

ORDER, SELECTION = "section[aria-label='Ordre']", "section[aria-label='Sélection']"
NEXT_HOUR = "L'heure qui vient"
RUN_PLAN = "Appliquer un plan de feux"
LAST_ORDERS = "section[aria-label='Derniers ordres'] li"


def say(here: Town, *said: tuple[str, str, Any]) -> None:
    """A device reports."""
    assert here.post.send([reading(*each, now_us()) for each in said]).status == 200


def ids_of_orders(here: Town) -> list[str]:
    page: Any = here.ask("operator", "commands?limit=500")
    return [each["id"] for each in page["items"]]


def asked(page: Page, path: str, method: str = "GET") -> list[Request]:
    """The requests to a path from now on, as they come."""
    seen: list[Request] = []
    page.on("request", lambda each: seen.append(each) if path in each.url and each.method == method else None)
    return seen


def until_nothing_is_under_way(here: Town) -> None:
    """Orders of other tests have ended."""
    end = time.monotonic() + 60
    while True:
        page: Any = here.ask("operator", "commands?open=true")
        if not page["items"]:
            return
        assert time.monotonic() < end, page
        time.sleep(0.2)


def state_of(here: Town, order: str) -> str:
    said: Any = here.ask("operator", f"commands/{order}")
    return said["state"]


def hold_back(page: Page, path: str, until: Callable[[], bool]) -> None:
    """The next answer to a path reaches the page only when something has come about, and half a second after it."""

    def answer_late(route: Route) -> None:
        answer = route.fetch()
        end = time.monotonic() + 20
        while not until() and time.monotonic() < end:
            page.wait_for_timeout(100)
        page.wait_for_timeout(500)
        route.fulfill(response=answer)

    page.route(path, answer_late, times=1)


def select_street(console: Console, words: str, title: str) -> None:
    console.search(words)
    expect(console.by(f"{SELECTION} h2")).to_have_text(title)


def test_what_was_opened_last_is_in_front_and_escape_goes_back(window: Open) -> None:
    operator = window(size=(1440, 900))
    operator.map_stands()
    select_street(operator, "rue des prés quetigny", "Rue des Prés · Quetigny")
    operator.by(f"{SELECTION} input.num").fill("44")
    # Whatever is opened comes before the selection; what was composed is still there after it.
    alarm = operator.by(".desk li.row button.what").first
    alarm.click()
    expect(operator.by(".sheet h2")).to_be_visible()
    expect(operator.by(SELECTION)).to_be_hidden()
    operator.press("Escape")
    expect(operator.by(f"{SELECTION} input.num")).to_have_value("44")
    operator.by(f"{SELECTION} button.order").click()
    expect(operator.by(ORDER)).to_be_visible()
    # The same before an order.
    target = operator.by(f"{ORDER} .targets .line").first
    name = target.locator("span").first.inner_text()
    target.click()
    expect(operator.by(".sheet h2")).to_contain_text(name)
    expect(operator.by(ORDER)).to_be_hidden()
    operator.press("Escape")
    expect(operator.by(ORDER)).to_be_visible()
    operator.search(lamps_of(DIJON, "Rue Haute")[2])
    expect(operator.by(".sheet h2")).to_contain_text(lamps_of(DIJON, "Rue Haute")[2])
    # The address says which, for whoever opens it.
    operator.page.reload()
    expect(operator.by(".sheet h2")).to_be_visible()
    operator.press("Escape")
    expect(operator.by(ORDER)).to_be_visible()
    operator.press("Escape")
    expect(operator.by(ORDER)).to_have_count(0)


def test_a_half_set_order_stands_while_its_asset_reports(window: Open, here: Town) -> None:
    lamp = lamps_of(DIJON, "Rue Haute")[4]
    say(here, (lamp, "level", 100.0))
    # The end of an order has the open sheet read again, and with it what is previewed.
    until_nothing_is_under_way(here)
    operator = window(path=f"#asset={lamp}")
    operator.map_stands()
    field = operator.by(".sheet input.num")
    expect(field).to_have_value("100")
    field.fill("33")
    expect(operator.by(".change")).to_have_text("100 % → 33 %")
    with operator.page.expect_response("**/commands/preview"):
        say(here, (lamp, "level", 77.0))
    expect(operator.by(".sheet tbody tr").first).to_contain_text("77 %")
    expect(field).to_have_value("33")
    expect(operator.by(".change")).to_have_text("77 % → 33 %")
    # What says nothing of what is ordered asks for no new preview.
    previews = asked(operator.page, "commands/preview", "POST")
    say(here, (lamp, "power", 21.5))
    expect(operator.by(".sheet tbody")).to_contain_text("21,5")
    operator.page.wait_for_timeout(600)
    assert not previews
    expect(operator.by(".sheet button.order")).to_be_enabled()


def test_what_was_told_while_a_sheet_was_asked_for_is_not_lost(window: Open, here: Town) -> None:
    lamp = lamps_of(DIJON, "Rue Haute")[5]
    say(here, (lamp, "level", 100.0))
    operator = window()
    operator.map_stands()

    def told() -> bool:
        """The answer is of before this report, and comes after it."""
        say(here, (lamp, "level", 55.0))
        return True

    hold_back(operator.page, f"**/assets/{lamp}", told)
    operator.search(lamp)
    expect(operator.by(".sheet tbody tr").first).to_contain_text("55 %")


def test_a_hold_is_not_broken_by_what_is_reported_meanwhile(window: Open, here: Town) -> None:
    operator = window(path="#asset=junction-quetigny-0")
    operator.map_stands()
    held = operator.button("Maintenir pour envoyer")
    operator.by(".sheet input.num").fill("3")
    expect(held).to_be_enabled()
    before = ids_of_orders(here)
    held.hover()
    operator.page.mouse.down()

    def given() -> bool:
        say(here, ("junction-quetigny-0", "stage", 1 + int(time.monotonic() * 10) % 4))
        return len(ids_of_orders(here)) == len(before) + 1

    operator.until(given, "the order is given")
    operator.page.mouse.up()
    expect(operator.by(LAST_ORDERS).first).to_contain_text("Exécuté, prouvé")


def test_what_was_held_long_enough_counts_on_a_page_too_busy_to_draw_it(window: Open, here: Town) -> None:
    operator = window(path="#asset=junction-quetigny-1")
    operator.map_stands()
    held = operator.button("Maintenir pour envoyer")
    operator.by(".sheet input.num").fill("3")
    expect(held).to_be_enabled()
    before = ids_of_orders(here)
    held.hover()
    operator.evaluate("() => { window.requestAnimationFrame = () => 0 }")
    operator.page.mouse.down()
    operator.page.wait_for_timeout(1600)
    operator.page.mouse.up()
    operator.until(lambda: len(ids_of_orders(here)) == len(before) + 1, "the order is given")


def test_the_way_back_of_a_hazardous_order_is_held(window: Open, here: Town) -> None:
    say(here, ("junction-dijon-0", "plan", 2.0))
    operator = window(path="#asset=junction-dijon-0")
    operator.map_stands()
    operator.by(".sheet input.num").fill("3")
    expect(operator.by(".change")).to_have_text("2 → 3")
    # An answer that has been overtaken by what came of the order does not put it back to where it was.
    hold_back(operator.page, "**/confirm", lambda: state_of(here, ids_of_orders(here)[0]) == "closed")
    with operator.page.expect_response("**/confirm"):
        operator.hold(operator.button("Maintenir pour envoyer"))
    # Others have been given to this junction before.
    last = operator.by(LAST_ORDERS).filter(has_text=RUN_PLAN).first
    expect(last).to_contain_text("Exécuté, prouvé")
    last.locator("button").click()
    given = ids_of_orders(here)
    back = operator.by(f"{ORDER} button.hold", has_text="revenir à 2")
    back.click()
    operator.page.wait_for_timeout(500)
    assert ids_of_orders(here) == given, "a click is no hold"
    operator.hold(back)
    operator.until(lambda: len(ids_of_orders(here)) == len(given) + 1, "it is given")
    expect(operator.by(f"{ORDER} h2")).to_contain_text("2")
    expect(operator.by(f"{ORDER} .words")).to_contain_text("1 exécuté, prouvé")


def test_a_long_order_keeps_its_rows_comes_to_rest_and_is_taken_back_whole(window: Open, here: Town) -> None:
    lamps = [lamp for street in ("Rue Verte", "Boulevard Pascal", "Rue des Prés", "Rue du Stade", "Rue Basse")
             for lamp in lamps_of(QUETIGNY, street)]  # fmt: skip
    say(here, *((lamp, "level", 100.0) for lamp in lamps))
    operator = window(size=(1440, 900))
    operator.map_stands()
    operator.search("quetigny")
    expect(operator.by(f"{SELECTION} .kind strong").first).to_have_text(str(len(lamps)))
    operator.by(f"{SELECTION} input.num").fill("80")
    expect(operator.by(".change")).to_have_text("100 % → 80 %")
    operator.by(f"{SELECTION} button.order").click()
    rows = operator.by(f"{ORDER} .targets li")
    expect(rows).to_have_count(100)
    operator.button("Afficher la suite").click()
    expect(rows).to_have_count(len(lamps))
    expect(operator.by(f"{ORDER} .words")).to_have_text(f"{len(lamps)} exécuté, prouvé", timeout=90_000)
    expect(rows.filter(has_text="Exécuté, prouvé")).to_have_count(len(lamps))
    operator.page.wait_for_timeout(1_500)
    asks = asked(operator.page, "/targets")
    operator.page.wait_for_timeout(2_500)
    assert not asks, "nothing is asked of an order that rests"
    # A filter shows fewer; the way back is for all.
    operator.by(f"{ORDER} select").select_option("done")
    expect(rows).to_have_count(100)
    operator.button("Revenir à 100 %").click()
    expect(operator.by(f"{ORDER} h2")).to_contain_text("100 %")
    newest: Any = here.ask("operator", f"commands/{ids_of_orders(here)[0]}")
    assert (newest["targets"], newest["params"]["level"]) == (len(lamps), 100.0)


def test_an_order_whose_answer_was_lost_is_not_given_twice(window: Open, here: Town) -> None:
    operator = window()
    operator.map_stands()
    before = ids_of_orders(here)

    def lose(route: Route) -> None:
        route.fetch()
        route.abort()

    operator.page.route("**/api/v1/commands", lose, times=1)
    select_street(operator, "rue du stade quetigny", "Rue du Stade · Quetigny")
    operator.by(f"{SELECTION} input.num").fill("35")
    send = operator.by(f"{SELECTION} button.order")
    send.click()
    operator.see("Le poste ne répond pas.")
    send.click()
    expect(operator.by(ORDER)).to_be_visible()
    assert len(ids_of_orders(here)) == len(before) + 1


def test_over_plain_http_orders_are_given_and_a_proof_says_what_it_needs(window: Open, here: Town) -> None:
    lamp = lamps_of(DIJON, "Rue Haute")[8]
    operator = window(path=f"#asset={lamp}", host="vigie.test")
    operator.map_stands()
    assert not operator.evaluate("() => isSecureContext")
    operator.by(".sheet input.num").fill("37")
    send = operator.by(".sheet button.order")
    expect(send).to_be_enabled()
    send.click()
    expect(operator.by(LAST_ORDERS).first).to_contain_text("Exécuté, prouvé")
    operator.press("Escape", "g")
    operator.by("li.entry button.line").first.click()
    operator.button("Vérifier la preuve ici").click()
    operator.see("il lui faut https")


def test_on_a_phone_what_is_opened_is_in_front(window: Open, here: Town) -> None:
    operator = window(size=(390, 844))
    operator.map_stands()
    tabs = operator.by("nav.tabs button")
    tabs.nth(2).click()
    operator.by("nav.rail").get_by_role("button", name="Tableau").click()
    operator.by(".page select").first.click(trial=True)
    # The same alarm a second time, from the desk.
    for _ in range(2):
        tabs.nth(1).click()
        operator.by(".desk li.row button.what").first.click()
        expect(operator.by(".sheet h2")).to_be_visible()


def test_enter_in_the_table_does_one_thing(window: Open) -> None:
    operator = window(path="#page=table", size=(1440, 900))
    operator.map_stands()
    operator.by(".space [role=row]").first.wait_for()
    operator.press("j")
    expect(operator.by(".desk li.row.current")).to_have_count(1)
    sort = operator.by("[role=columnheader] button").nth(1)
    sort.focus()
    operator.press("Enter")
    expect(operator.by("[role=columnheader]").nth(1)).to_have_attribute("aria-sort", "ascending")
    expect(operator.by(".sheet")).to_have_count(0)
    operator.by(".grid").focus()
    operator.press("End")
    expect(operator.by(".space .row.current")).not_to_have_attribute("aria-rowindex", "2")
    name = operator.by(".space .row.current .name").inner_text()
    total = operator.by(".total").inner_text()
    operator.press("Enter")
    expect(operator.by(".sheet h2")).to_contain_text(name)
    # The map goes there; the list stays under the hand that chose from it.
    operator.until(lambda: operator.evaluate("() => vigie.map.getZoom()") > 16, "the map shows what was opened")
    operator.page.wait_for_timeout(600)
    expect(operator.by(".space .row.current .name")).to_have_text(name)
    assert operator.by(".total").inner_text() == total


def test_a_lasso_begins_with_nothing_selected(window: Open) -> None:
    operator = window()
    operator.map_stands()
    select_street(operator, "rue haute dijon", "Rue Haute · Dijon")
    operator.by("#desk").focus()
    operator.press("l")
    operator.see("Entourez d'un trait")
    expect(operator.by(SELECTION)).to_have_count(0)
    operator.press("Escape")
    expect(operator.page.get_by_text("Entourez d'un trait")).to_have_count(0)


def test_a_selection_that_could_not_be_counted_says_so(window: Open) -> None:
    operator = window()
    operator.map_stands()
    operator.page.route("**/api/v1/assets?*", lambda route: route.abort())
    operator.search("rue haute dijon")
    operator.see("n'a pas pu être comptée")
    assert operator.page.get_by_text("Rien ici ne peut recevoir d'ordre").count() == 0
    operator.page.unroute("**/api/v1/assets?*")
    operator.by(SELECTION).get_by_role("button", name="Réessayer").click()
    expect(operator.by(f"{SELECTION} .kind strong").first).to_be_visible()


def test_who_may_only_see_orders_is_offered_none(window: Open, here: Town) -> None:
    operator = here.browser("operator")
    said = {"action": "bollard.move", "params": {"to": "lowered"}, "select": {"assets": ["bollard-quetigny-0"]}}
    given = operator.ask("POST", "/api/v1/commands", said)
    assert given.status == 201, given
    try:
        elected, supervisor = window("elected"), window("supervisor")
        elected.map_stands()
        card = elected.by(".desk article.card")
        expect(card).to_contain_text("En attente de la seconde personne")
        assert card.locator(".actions button").count() == 0
        supervisor.map_stands()
        supervisor.see("Operator Durand attend votre confirmation")
        # The card of the desk and the one of the open order: two buttons that are held, each with its own hint.
        supervisor.by(".desk article.card button.head").click()
        held = supervisor.button("Maintenir pour confirmer")
        expect(held).to_have_count(2)
        hints = [held.nth(n).get_attribute("aria-describedby") for n in range(2)]
        assert len(set(hints)) == 2
        held.first.hover()
        supervisor.page.mouse.down(button="right")
        supervisor.page.wait_for_timeout(1_600)
        supervisor.page.mouse.up(button="right")
        told: Any = here.ask("operator", f"commands/{given.body['id']}")
        assert told["state"] == "proposed", "the right button holds nothing"
    finally:
        operator.ask("POST", f"/api/v1/commands/{given.body['id']}/cancel", {})


def test_an_address_cannot_name_another_path_of_the_api(window: Open) -> None:
    operator = window(path="#order=" + "..%2Fcity")
    operator.see("Introuvable")
    assert not re.search("undefined|NaN", operator.by(ORDER).inner_text())


def test_a_detector_tells_its_next_hour_and_how_much_is_missing_to_do_so(here: Town, window: Open) -> None:
    operator = window(size=(1440, 900))
    operator.map_stands()
    hour = f"section[aria-label={NEXT_HOUR!r}]"
    missing = {"state": "learning", "done": 1.0, "days": 3, "wanted": 14, "detectors": []}
    operator.page.route("**/traffic/forecast?*", lambda route: route.fulfill(json=missing))
    operator.search("boucle nord dijon")
    expect(operator.by(hour)).to_contain_text("14 jours de comptages\N{NO-BREAK SPACE}; connus\N{NO-BREAK SPACE}: 3")
    operator.page.unroute("**/traffic/forecast?*")
    operator.press("Escape")
    end_us = now_us() // HOUR_US * HOUR_US
    told = [reading("detector-dijon-0", "flow", 300.0 + 10 * (n % 24), end_us - n * HOUR_US) for n in range(17 * 24)]
    assert here.post.send(told).status == 200
    operator.search("boucle nord dijon")
    expect(operator.by(f"{hour} strong")).to_have_text(re.compile(r"^\d{3} véhicules$"))
    expect(operator.by(hour)).to_contain_text("d'habitude")
    # Its street has traffic on the map, which goes with the signals, and not where nobody can say what flows.
    assert operator.evaluate("() => vigie.chart.streaks.count") == 2
