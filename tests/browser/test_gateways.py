"""The page of gateways: all on one screen, what each holds of the programmes, and one read again from it."""

from __future__ import annotations

import re
from collections.abc import Generator
from pathlib import Path
from typing import Any, cast

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.gateways import FAST, LACKING, NAMES, WHOLE, Gateways, gateways, made
from tests.browser.test_pages import faults, prepare
from tests.protocols.talq.link import ACTUATOR, LAMP
from vigie.protocols.talq.messages import Calendar

# A browser that draws in software, beside two others, and gateways that are left alone for a while after they attach.
pytestmark = pytest.mark.timeout(240)


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, str]]:
    """The installation of the city."""
    folder = tmp_path_factory.mktemp("gateways")
    return folder, made(folder)


@pytest.fixture
def there(
    installed: tuple[Path, dict[str, str]], browser: object, monkeypatch: pytest.MonkeyPatch
) -> Generator[Gateways]:
    """The city of gateways."""
    del browser
    monkeypatch.setenv("VIGIE_TALQ_SETTLE_S", "4")
    with gateways(*installed) as found:
        yield found


def tamper(there: Gateways) -> None:
    """Somebody takes a lamp's calendar away in the gateway, and another system leaves one of its own."""
    with there.whole.lock:
        network = there.whole.gateway.network
        network.assigned[LAMP.format(40), ACTUATOR] = ""
        network.values[LAMP.format(40)][ACTUATOR].pop("calendarID", None)
        network.holding.calendars["theirs"] = Calendar("theirs", "another", (), next(iter(network.holding.programs)))


def test_gateways_stand_on_one_screen_take_a_programme_and_are_read_again(there: Gateways, window: Open) -> None:
    manager = window("manager", on=cast("Any", there), size=(1440, 900), path="#page=gateways")
    names = manager.by(".page .line .name")
    expect(names).to_have_count(len(NAMES))
    overflow = manager.evaluate("() => { const list = document.querySelector('.page .list');"
                                " return list.scrollHeight - list.clientHeight }")  # fmt: skip
    assert overflow <= 0, "all of them are seen at once"
    # A wrong clock, then those that nobody has ever heard of, then what only lacks something, then the rest.
    expect(names.first).to_have_text(FAST)
    assert names.all_inner_texts() == [FAST, *NAMES[3:], LACKING, WHOLE]
    row = {name: manager.by(".page .line", has_text=name) for name in (WHOLE, LACKING)}
    expect(row[LACKING]).to_contain_text("1 équipement sans appareil")
    prepare(manager)
    assert not faults(manager)

    plan = there.approve(70)
    expect(row[WHOLE]).to_contain_text("en phase", timeout=60_000)
    manager.button(re.compile("^En phase")).click()
    expect(names).to_have_text([WHOLE])
    manager.evaluate("(plan) => (location.hash = `page=programmes&plan=${plan}`)", plan)
    box = manager.by("section[aria-label='Passerelles']").last
    expect(box).to_contain_text(re.compile(rf"[1-3] sur {len(NAMES)} en phase"), timeout=60_000)
    box.get_by_role("button").click()

    # By keyboard: the first row, opened; then it is read again, and what somebody has changed in it is put right.
    tamper(there)
    manager.by(".page .line").first.focus()
    manager.press("End", "Enter")
    expect(manager.by(".page h1")).to_have_text(WHOLE)
    manager.see("Elle contient ce qui est en vigueur")
    manager.page.get_by_label("Motif (facultatif)").fill("Une équipe y a travaillé")
    manager.hold(manager.button("Relire et corriger (maintenir)"))
    manager.see(re.compile(f"{WHOLE}.* est relue"))
    found = manager.by("tr", has_text="theirs")
    expect(found).to_contain_text("Mis là par un autre système", timeout=60_000)
    manager.until(lambda: there.whole.gateway.network.assigned[LAMP.format(40), ACTUATOR], "the lamp has it again")
    assert not faults(manager)
    (entry,) = there.browser("manager").ask("GET", "/api/v1/journal?type=GatewayReread").body["items"]
    assert entry["summary"]["device"] == WHOLE

    # Its lamps on the map, chosen for an order.
    manager.button("Voir ses équipements sur la carte").click()
    panel = manager.by("section[aria-label='Sélection']")
    expect(panel.locator("h2")).to_have_text(WHOLE)
    expect(panel).to_contain_text("1 point lumineux")

    # Who may order nothing reads all of it and has no such button; without an answer it is said how old it is.
    elected = window("elected", on=cast("Any", there), path=f"#page=gateways&gateway={LACKING}")
    expect(elected.by(".page h1")).to_have_text(LACKING)
    elected.see("Différences au dernier relevé")
    expect(elected.button("Relire et corriger (maintenir)")).to_have_count(0)
    elected.page.route("**/api/v1/gateways**", lambda route: route.abort())
    elected.see("Le poste ne répond pas. Lu")


def test_without_a_gateway_the_page_says_how_one_is_connected_and_tries_again(window: Open) -> None:
    operator = window()
    operator.map_stands()
    operator.page.route("**/api/v1/gateways*", lambda route: route.abort())
    operator.press("w")
    operator.see("Le poste ne répond pas.")
    operator.page.unroute("**/api/v1/gateways*")
    operator.button("Réessayer").click()
    operator.see("Aucune passerelle TALQ")
    operator.see("vigie devices admit")
    operator.press("Escape")
    expect(operator.by(".page")).to_have_count(0)
