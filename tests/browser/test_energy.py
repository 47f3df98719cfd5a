"""The page of energy: nothing yet and why, a month with its saving and its tables, its files, while it is summed, cut
off."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Route, expect

from tests.api.energy.past import last_night, send, told
from tests.browser.conftest import Open
from tests.browser.test_pages import faults, prepare
from tests.browser.town import DIJON, Town, lamps_of

# A browser that draws in software, beside two others.
pytestmark = pytest.mark.timeout(240)

MONTH = last_night().isoformat()[:7]


def test_a_month_of_energy_is_read_sorted_opened_and_saved(window: Open, here: Town) -> None:
    operator = window(path="#page=energy&month=2020-02")
    empty = operator.by(".page .empty")
    expect(empty).to_contain_text(re.compile("Aucune nuit entière|l'historique commence"))
    lamps = lamps_of(DIJON, "Rue des Lilas")
    send(here.post, told(lamps, "cabinet-dijon-0", last_night(), 1))

    operator.press("Escape", "e")
    operator.by(".month select").select_option(MONTH)
    rows = operator.by(".page tbody tr")
    expect(rows).to_have_count(2)
    # A night of a few lamps; the others are reckoned by what they should have done.
    expect(operator.by(".page dl")).to_contain_text("l'ancien parc n'est pas renseigné")
    expect(operator.by(".nights")).to_contain_text("1 nuit")
    assert f"month={MONTH}" in operator.evaluate("() => location.hash")
    prepare(operator)
    found = faults(operator)
    assert not found, "\n".join(found)

    # Sorted by any column, by keyboard too: a name from its beginning, a figure from the largest.
    def names() -> list[str]:
        return operator.by(".page tbody th > :first-child").all_inner_texts()

    operator.by(".page thead button").first.focus()
    operator.press("Enter")
    expect(operator.by(".page thead th").first).to_have_attribute("aria-sort", "ascending")
    assert names() == ["Dijon", "Quetigny"]
    operator.press("Enter")
    assert names() == ["Quetigny", "Dijon"]

    for format in ("PDF", "CSV"):
        with operator.page.expect_download() as download:
            operator.by(".page header a", has_text=format).click()
        assert download.value.suggested_filename == f"vigie-energy-{last_night()}-{last_night()}.{format.lower()}"

    # A commune alone, and back.
    operator.by(".page tbody button", has_text="Quetigny").click()
    expect(operator.by(".page h1")).to_have_text("Énergie · Quetigny")
    expect(rows).to_have_count(1)
    operator.press("Escape")
    expect(operator.by(".page h1")).to_have_text("Énergie")
    operator.by(".parts button", has_text="Armoires").click()
    rows.first.locator("button").click()
    expect(operator.by(".sheet h2")).to_contain_text("Armoire")


def test_while_it_is_summed_it_says_how_far_and_is_stopped(window: Open) -> None:
    operator = window(path="#page=programmes")
    expect(operator.by(".page h1")).to_be_visible()
    left: list[str] = []

    def far(route: Route) -> None:
        # What takes minutes in a town of 34,000 lamps is over at once in this one.
        if route.request.method == "DELETE":
            left.append(route.request.url)
            route.fulfill(status=204)
        else:
            body = {"state": "summing", "sum": "5ca1ab1e", "done": 0.42, "since": f"{MONTH}-01", "report": None}
            route.fulfill(status=202, json=body | {"programmes": {}, "cabinets": {}})

    operator.page.route("**/api/v1/lighting/energy**", far)
    operator.press("e")
    expect(operator.by(".summing")).to_contain_text("42")
    prepare(operator)
    found = faults(operator)
    assert not found, "\n".join(found)
    operator.button("Arrêter").click()
    expect(operator.by(".summing")).to_contain_text("Le calcul a été arrêté.")
    operator.until(lambda: left, "the post is told that nobody waits")
    assert left[0].endswith("lighting/energy/5ca1ab1e")

    operator.page.unroute_all()
    operator.context.set_offline(True)
    operator.by(".summing button").click()
    expect(operator.by(".page .failed")).to_be_visible()
    operator.context.set_offline(False)
    expect(operator.by(".page :is(.empty, .body)")).to_be_visible()


def test_on_a_phone_the_tables_fit_the_screen(window: Open, here: Town) -> None:
    send(here.post, told(lamps_of(DIJON, "Rue des Lilas"), "cabinet-dijon-0", last_night(), 1))
    phone = window(path=f"#page=energy&month={MONTH}", size=(390, 844))
    expect(phone.by(".page tbody tr").first).to_be_visible()
    for part in ("Rues", "Programmes", "Armoires"):
        phone.by(".parts button", has_text=part).click()
        expect(phone.by(".page tbody tr").first).to_be_visible()
        outside = phone.evaluate(
            """() => [...document.querySelectorAll('.page table, .page tbody tr, .page button, .page a')]
                .filter((each) => each.checkVisibility() && each.getBoundingClientRect().right > innerWidth)
                .map((each) => each.outerHTML.slice(0, 160))"""
        )
        assert not outside
