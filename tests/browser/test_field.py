"""The crews' application on a telephone: a day without a network, killed in the middle, and two people on one order."""

from __future__ import annotations

import re
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from playwright.sync_api import BrowserContext, Page, Route, expect

from tests.api.test_pictures import picture
from tests.browser.conftest import Chromium
from tests.browser.console import Look, Windows
from tests.city import CREW_DRAFT
from tests.people import PASSWORD, AtWork, make_people
from tests.post import NO_RESERVE, RunningPost, make, running
from vigie.app import installation
from vigie.settings import Settings

# A browser beside two others.
pytestmark = pytest.mark.timeout(240)

LAMP = "luminaire-000003"
CHECKS = [{"what": "Tension"}, {"what": "Trappe"}]
PHONE = Look(size=(390, 844), theme="light", worn=True)


class Depot:
    """A post with one crew, and whoever is at its desk."""

    def __init__(self, post: RunningPost) -> None:
        self.post, self._at_work = post, AtWork()

    def ask(self, login: str, method: str, path: str, body: Any = None) -> Any:
        """What the API answers somebody."""
        said = self._at_work.browser(self.post, login).ask(method, f"/api/v1/{path}", body)
        assert said.status < 300, said
        return said.body

    def give(self, title: str) -> str:
        """An order for the crew; its id."""
        order = {"kind": "roads.work_order", "category": "lighting", "assets": [LAMP], "title": title}
        case = self.ask("operator", "POST", "cases", order | {"document": {"checklist": CHECKS}})["id"]
        self.ask("operator", "POST", f"cases/{case}/moves", {"event": "assign", "crew": "crew-e1"})
        return case

    def happened(self, case: str) -> list[str]:
        """What the timeline says, the oldest first."""
        return [each["what"] for each in reversed(self.ask("operator", "GET", f"cases/{case}")["timeline"])][2:]


@pytest.fixture(scope="module")
def depot(tmp_path_factory: pytest.TempPathFactory, chromium: Path) -> Iterator[Depot]:
    folder = tmp_path_factory.mktemp("depot")
    secret = make(folder, lamps=4)
    with installation(Settings(data=folder, **NO_RESERVE)) as opened:
        opened.take_assets("crews", [CREW_DRAFT, replace(CREW_DRAFT, key="e2", name="Équipe 2")])
    make_people(folder, ["crew", "colleague", "operator", "roadman"])
    with running(folder, secret) as started:
        yield Depot(started)


class Phone:
    """A telephone of somebody who works with the crew, with its application opened once."""

    def __init__(self, page: Page, depot: Depot, login: str) -> None:
        self.depot, self.context = depot, page.context
        self.complaints: list[str] = []
        self.page = self._heard(page)
        self.open()
        page.get_by_label("Identifiant").fill(login)
        page.get_by_label("Mot de passe").fill(PASSWORD)
        page.keyboard.press("Enter")
        page.get_by_role("button", name="Équipe 1").click()
        # The day has been read.
        expect(page.locator(".line").first).to_be_visible()

    def _heard(self, page: Page) -> Page:
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        return page

    def open(self) -> None:
        """Goes to the application."""
        self.page.goto(f"http://127.0.0.1:{self.depot.post.port}/field")

    def kill(self) -> None:
        """The browser closes the page without asking it, and opens another."""
        self.page.close(run_before_unload=False)
        self.page = self._heard(self.context.new_page())
        self.open()

    def offline(self, is_so: bool) -> None:
        """In a tunnel, or out of it."""
        self.context.set_offline(is_so)

    def see(self, text: str | re.Pattern[str]) -> None:
        """Waits until a text is to be seen."""
        expect(self.page.get_by_text(text).first).to_be_visible()

    def tap(self, name: str) -> None:
        """Touches what has this name."""
        self.page.get_by_role("button", name=name, exact=True).click()

    def stores(self) -> list[int]:
        """How much is kept: of the day, of what waits, of pictures, of what is to be read."""
        return self.page.evaluate("""() => new Promise((found) => {
            const asked = indexedDB.open('vigie-field')
            asked.onsuccess = () => {
                const names = ['kept', 'queue', 'pictures', 'told']
                const all = names.map((name) => asked.result.transaction(name).objectStore(name).count())
                all.at(-1).onsuccess = () => { found(all.map((each) => each.result)); asked.result.close() }
            }
        })""")

    def order(self, title: str) -> None:
        """Opens an order from the list."""
        self.page.locator(".line", has_text=title).click()

    def stands_alone(self) -> None:
        """Waits until the application needs no network to open."""
        self.page.evaluate("() => navigator.serviceWorker.ready.then(() => null)")


@pytest.fixture
def context(windows: Windows, alive: Chromium) -> Generator[BrowserContext]:
    """A telephone's browser: service workers and all that it keeps are its own."""
    page = windows.take(PHONE)
    yield page.context
    page.context.close()


def photograph(phone: Phone) -> None:
    """Takes a photo."""
    photos = phone.page.locator(".badge").count()
    taken = {"name": "1.jpg", "mimeType": "image/jpeg", "buffer": picture(2_400, 1_200)}
    phone.page.locator("input[capture]").set_input_files(taken)  # type: ignore[arg-type]
    expect(phone.page.locator(".badge")).to_have_count(photos + 1)


def test_a_day_without_a_network_comes_back_whole_and_once(context: BrowserContext, depot: Depot) -> None:
    first, second = depot.give("Globe fissuré"), depot.give("Câble apparent")
    phone = Phone(context.pages[0], depot, "crew")
    phone.stands_alone()
    phone.offline(True)
    phone.kill()
    phone.see("Hors ligne, tout est envoyé")
    phone.order("Globe fissuré")
    phone.tap("Commencer")
    phone.page.get_by_label("Tension").check()
    photograph(phone)
    phone.page.get_by_label("Pièce", exact=True).fill("Driver 60 W")
    phone.tap("Ajouter la pièce")
    phone.tap("15 min de plus")
    phone.page.get_by_label("Note", exact=True).fill("Trappe forcée.")
    phone.tap("Ajouter la note")
    phone.see("Hors ligne, 6 en attente")
    phone.kill()
    phone.see("Hors ligne, 6 en attente")
    phone.order("Globe fissuré")
    expect(phone.page.get_by_label("Tension")).to_be_checked()
    expect(phone.page.locator(".badge")).to_have_count(1)
    phone.tap("Terminer")
    phone.tap("Annuler")
    phone.see("Hors ligne, 6 en attente")
    phone.order("Globe fissuré")
    phone.tap("Terminer")
    phone.order("Câble apparent")
    phone.tap("Impossible à faire")
    phone.page.get_by_text("Véhicule gênant").click()
    phone.page.get_by_label("Précisez").fill("Camion")
    phone.tap("Enregistrer le motif")
    phone.see("Hors ligne, 8 en attente")
    phone.offline(False)
    phone.see("En ligne, tout est envoyé")
    # A photo goes by itself: what is said in a few bytes does not wait for it.
    told = depot.happened(first)
    told.remove("photographed")
    assert told == ["start", "changed", "changed", "changed", "noted", "finish"]
    sheet = depot.ask("operator", "GET", f"cases/{first}")
    document = sheet["document"]
    assert (document["spent_min"], document["parts"]) == (15, [{"name": "Driver 60 W", "count": 1.0}])
    assert [each["done"] for each in document["checklist"]] == [True, False]
    assert [(each["width"], each["height"]) for each in sheet["photos"]] == [(1_000, 2_000)]
    blocked = depot.ask("operator", "GET", f"cases/{second}")
    assert (blocked["row"]["state"], blocked["timeline"][0]["text"]) == ("blocked", "Véhicule gênant. Camion")
    # Nothing is left on the telephone of whoever logs out.
    phone.tap("Ce téléphone")
    phone.tap("Se déconnecter et tout effacer du téléphone")
    phone.see("Équipes de terrain")
    left = "async () => (await caches.keys()).filter((name) => !name.includes('shell'))"
    assert (phone.page.evaluate(left), phone.stores()) == ([], [0, 0, 0, 0])
    assert phone.complaints == []


def test_two_people_on_one_order_both_see_what_happened(context: BrowserContext, depot: Depot) -> None:
    case = depot.give("Mât penché")
    phone = Phone(context.pages[0], depot, "colleague")
    phone.offline(True)
    phone.order("Mât penché")
    phone.tap("Terminer")
    depot.ask("crew", "POST", f"cases/{case}/moves", {"event": "finish"})
    # Its session has ended meanwhile, too: it asks who is there, and keeps everything.
    context.clear_cookies()
    phone.offline(False)
    phone.see("rien n'est perdu")
    phone.page.get_by_label("Mot de passe").fill(PASSWORD)
    phone.page.keyboard.press("Enter")
    phone.see(re.compile(r"Terminer.*n'a rien changé.*Fait"))
    phone.tap("J'ai lu")
    expect(phone.page.locator(".told")).to_have_count(0)
    assert depot.happened(case) == ["finish", "claim"]
    phone.order("Mât penché")
    phone.see("Déclaré sans effet : Terminer")
    assert phone.complaints == []


def test_what_a_post_can_never_take_keeps_nothing_else_back(context: BrowserContext, depot: Depot) -> None:
    case = depot.give("Lanterne")
    phone = Phone(context.pages[0], depot, "crew")
    phone.offline(True)
    phone.order("Lanterne")
    # A part's name has 200 characters at most: a telephone of an earlier version may not know.
    phone.page.get_by_label("Pièce", exact=True).evaluate("(field) => field.removeAttribute('maxlength')")
    phone.page.get_by_label("Pièce", exact=True).fill("x" * 300)
    phone.tap("Ajouter la pièce")
    phone.tap("5 min de plus")
    phone.offline(False)
    phone.see("n'a pas été pris")
    phone.see("En ligne, tout est envoyé")
    assert depot.ask("operator", "GET", f"cases/{case}")["document"]["spent_min"] == 5
    assert phone.complaints == []


def test_what_does_not_come_through_waits_and_a_slow_photo_keeps_nothing_back(
    context: BrowserContext, depot: Depot
) -> None:
    hindered, free = depot.give("Borne muette"), depot.give("Socle nu")
    phone = Phone(context.pages[0], depot, "crew")
    photos: list[Route] = []
    phone.page.route("**/photos", lambda route: photos.append(route))
    phone.order("Borne muette")
    photograph(phone)
    # Something in between refuses what is written in one order, as a proxy does: with a page of its own.
    phone.page.route(
        "**/crew/acts",
        lambda route: (
            route.fulfill(status=413, body="<html>")
            if "Trop long" in (route.request.post_data or "")
            else route.fallback()
        ),
    )
    phone.page.get_by_label("Note", exact=True).fill("Trop long.")
    phone.tap("Ajouter la note")
    phone.tap("5 min de plus")
    phone.see("ne laisse pas tout passer (code 413)")
    phone.tap("Retour")
    phone.order("Socle nu")
    phone.tap("15 min de plus")
    # The photo is on its way still, and the first order waits: the second one is done.
    phone.page.wait_for_function(
        "() => document.querySelector('header [role=status]').innerText.includes('3 en attente')"
    )
    assert depot.ask("operator", "GET", f"cases/{free}")["document"]["spent_min"] == 15
    assert depot.happened(hindered) == []
    phone.page.unroute("**/crew/acts")
    phone.page.unroute("**/photos")
    photos[0].fallback()
    phone.tap("Réessayer")
    phone.see("En ligne, tout est envoyé")
    assert sorted(depot.happened(hindered)) == ["changed", "noted", "photographed"]
    expect(phone.page.get_by_text("ne laisse pas tout passer")).to_have_count(0)
    assert phone.complaints == []


def test_another_crew_is_chosen_without_losing_the_day_and_nothing_comes_back_after_a_log_out(
    context: BrowserContext, depot: Depot
) -> None:
    depot.give("Coffret ouvert")
    phone = Phone(context.pages[0], depot, "crew")
    # Half a sentence outlives the page; an address that was cut opens the list.
    phone.order("Coffret ouvert")
    phone.page.get_by_label("Note", exact=True).fill("À suivre")
    phone.page.reload()
    expect(phone.page.get_by_label("Note", exact=True)).to_have_value("À suivre")
    phone.page.goto(f"http://127.0.0.1:{depot.post.port}/field#order=%")
    expect(phone.page.locator(".line").first).to_be_visible()
    phone.offline(True)
    phone.tap("Ce téléphone")
    phone.tap("Changer d'équipe")
    phone.see("choisir une équipe demande du réseau")
    phone.tap("Rester avec Équipe 1")
    expect(phone.page.locator(".line", has_text="Coffret ouvert")).to_be_visible()
    # The day is on its way while somebody logs out: it is nobody's, and is not kept.
    days: list[Route] = []
    phone.page.route("**/crew/day*", lambda route: days.append(route))
    phone.tap("Ce téléphone")
    phone.offline(False)
    phone.tap("Synchroniser")
    while not days:
        phone.page.wait_for_timeout(20)
    phone.offline(True)
    phone.tap("Se déconnecter et tout effacer du téléphone")
    phone.see("Équipes de terrain")
    phone.offline(False)
    with phone.page.expect_response("**/api/v1/session", timeout=30_000):
        days[0].fallback()
    expect(phone.page.get_by_label("Identifiant")).to_be_visible()
    phone.page.wait_for_function("() => localStorage.getItem('vigie.leaving') === null")
    assert phone.stores() == [0, 0, 0, 0]
    # Its session has ended, too, once the post could hear of it.
    assert phone.page.request.get(f"http://127.0.0.1:{depot.post.port}/api/v1/session").status == 401
    assert phone.complaints == []


def test_what_was_refused_waits_for_whom_it_concerns_and_the_tab_that_is_looked_at_sends(
    context: BrowserContext, depot: Depot
) -> None:
    case = depot.give("Pilier")
    phone = Phone(context.pages[0], depot, "crew")
    phone.order("Pilier")
    phone.page.get_by_label("Pièce", exact=True).evaluate("(field) => field.removeAttribute('maxlength')")
    phone.page.get_by_label("Pièce", exact=True).fill("x" * 300)
    phone.tap("Ajouter la pièce")
    phone.see("n'a pas été pris")
    context.clear_cookies()
    # Another person takes the telephone, in another tab, which is the one that sends from then on.
    holders = "async () => (await navigator.locks.query()).held.filter((each) => each.name === 'vigie-field-sender')"
    (before,) = phone.page.evaluate(holders)
    first, phone.page = phone.page, phone._heard(context.new_page())
    phone.open()
    taken = f"async (before) => (await ({holders})()).some((each) => each.clientId !== before)"
    phone.page.wait_for_function(taken, arg=before["clientId"])
    (held,) = phone.page.evaluate(holders)
    phone.page.wait_for_function("() => document.querySelector('input[name=password]')")
    phone.page.get_by_label("Identifiant").fill("colleague")
    phone.page.get_by_label("Mot de passe").fill(PASSWORD)
    phone.page.keyboard.press("Enter")
    phone.page.get_by_role("button", name="Équipe 1").click()
    phone.order("Pilier")
    expect(phone.page.locator(".told")).to_have_count(0)
    assert phone.stores()[3] == 1
    phone.tap("5 min de plus")
    phone.see("En ligne, tout est envoyé")
    assert depot.ask("operator", "GET", f"cases/{case}")["timeline"][0]["who"]["name"] == "Colleague Durand"
    first.close()
    assert phone.page.evaluate(holders) == [held]
    # They go out with another crew, which is taken out of the inventory meanwhile: they are told.
    phone.tap("Ce téléphone")
    phone.tap("Changer d'équipe")
    phone.page.get_by_role("button", name="Équipe 2").click()
    phone.see("Rien à faire pour l'instant")
    depot.ask("roadman", "POST", "assets/crew-e2/retire", {"reason": "one crew of two"})
    phone.tap("Ce téléphone")
    phone.tap("Synchroniser")
    phone.see("Équipe 2 n'existe plus")
    assert phone.complaints == []
