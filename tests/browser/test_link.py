"""The link to the post is lost, and comes back."""

from __future__ import annotations

import pytest
from playwright.sync_api import Route, expect

from tests.browser.conftest import Open
from tests.browser.console import Console
from tests.browser.town import DIJON, Town, lamps_of, place
from tests.people import PASSWORD
from tests.post import now_us, reading
from vigie.core.times import rfc3339

# A browser that draws in software, beside two others.
pytestmark = pytest.mark.timeout(240)


def test_a_lost_link_is_said_and_what_was_missed_is_caught_up(window: Open, here: Town) -> None:
    operator = window()
    operator.map_stands()
    operator.go(place(DIJON, 0, 300), 17)
    lamp = lamps_of(DIJON, "Rue des Lilas")[16]
    view = here.ask("operator", f"assets/{lamp}")
    assert isinstance(view, dict)
    number = view["no"]
    operator.until(lambda: abs(operator.drawn_lamps()[number]["l"] - 1) < 0.02, "the lamp is drawn at 100 %")
    expect(operator.by(".link.live")).to_be_visible()

    here.stop("post")
    operator.see("Liaison perdue depuis")
    operator.see("Nouvel essai dans")
    expect(operator.by(".link.live")).to_have_count(0)
    # The picture stays on screen, as old as it is.
    assert number in operator.drawn_lamps()

    here.start()
    here.post.send([reading(lamp, "level", 25.0, now_us())])
    operator.until(lambda: abs(operator.drawn_lamps()[number]["l"] - 0.25) < 0.02, "the lamp is drawn at 25 %")
    expect(operator.by(".link.live")).to_be_visible()
    expect(operator.page.get_by_text("Liaison perdue")).to_have_count(0)
    # A socket that nobody answers is what a lost link is.
    operator.complaints[:] = [each for each in operator.complaints if "ERR_CONNECTION_REFUSED" not in each]


def test_no_alarm_goes_from_the_list_with_an_answer_that_was_overtaken(window: Open) -> None:
    operator = window()
    alarms = operator.by(".desk li.row")
    answered: list[Route] = []

    def of_before(route: Route) -> None:
        """The list as it was before anything was raised: its answer comes when the link has told of the alarms."""
        expect(alarms.first).to_be_visible()
        route.fulfill(json={"items": [], "total": 0, "next": None})
        answered.append(route)

    operator.page.route("**/api/v1/conditions?*", of_before, times=1)
    operator.page.reload()
    # That answer itself is waited for: the page may have asked for other conditions, and had them, before it.
    operator.until(lambda: bool(answered), "the list of before has come")
    operator.page.wait_for_timeout(200)
    expect(alarms.first).to_be_visible(timeout=100)


def cut(console: Console, *, off: bool) -> None:
    """Cuts a window's network, or joins it again."""
    console.context.set_offline(off)
    if not off:
        expect(console.by(".link.live")).to_be_visible()
        # What cannot be reached, the browser calls an error, and a link that was cut while it was made a warning.
        ours = ("ERR_INTERNET_DISCONNECTED", "WebSocket is closed before the connection is established")
        console.complaints[:] = [each for each in console.complaints if not any(part in each for part in ours)]


PAGES = {"table": ".space [role=row]", "journal": "li.entry", "orders": ".page .note.muted, .page .line"}


@pytest.mark.parametrize("page", PAGES)
def test_what_could_not_be_read_is_read_when_the_link_is_back(window: Open, page: str) -> None:
    operator = window(path=f"#page={page}&asset=luminaire-000020")
    operator.map_stands()
    there = operator.by(PAGES[page]).first
    expect(there).to_be_visible()
    expect(operator.by(".sheet .u-over")).to_be_visible()
    operator.evaluate("() => (location.hash = '')")

    cut(operator, off=True)
    operator.see("Liaison perdue depuis")
    operator.evaluate("(page) => (location.hash = `page=${page}&asset=luminaire-000021`)", page)
    expect(operator.by(".page .failed")).to_be_visible()
    expect(operator.by(".sheet .failed")).to_contain_text("luminaire-000021")
    # A person may try again, too, for what it helps.
    operator.by(".sheet .failed button").click()
    expect(operator.by(".sheet .failed")).to_be_visible()

    cut(operator, off=False)
    expect(operator.by(".sheet h2")).to_contain_text("luminaire-000021")
    expect(there).to_be_visible()
    expect(operator.by(".failed")).to_have_count(0)


def test_the_parts_of_a_sheet_heal_with_the_link(window: Open) -> None:
    operator = window(path="#asset=luminaire-000020")
    operator.map_stands()
    expect(operator.by(".sheet .u-over")).to_be_visible()
    cut(operator, off=True)
    operator.see("Liaison perdue depuis")
    operator.by(".ranges button").first.click()
    expect(operator.by(".plot .failed")).to_be_visible()
    operator.by(".order input[type=range]").first.fill("35")
    expect(operator.by(".preview .failed")).to_be_visible()
    cut(operator, off=False)
    expect(operator.by(".preview strong")).to_have_text("1")
    expect(operator.by(".failed")).to_have_count(0)


def test_a_session_that_is_closed_elsewhere_asks_for_its_person_again(window: Open, here: Town) -> None:
    first = window("supervisor")
    first.map_stands()
    first.press("m")
    first.button("Préparer la tournée").click()
    expect(first.by(".page .round .line").first).to_be_visible()
    first.by(".top .menu .icon-button").first.click()

    def slowly(route: Route) -> None:
        first.page.wait_for_timeout(1_000)
        route.fallback()

    ended: list[str] = []
    first.page.on("request", lambda each: ended.append(each.url) if each.method == "DELETE" else None)
    first.page.route("**/api/v1/session", slowly, times=1)
    first.button("Se déconnecter").click()
    expect(first.by("input[name=login]")).to_be_visible()
    here.forget("supervisor")
    # Who is next in the same window need not wait for that, and sees no round that somebody else was given.
    first.log_in("operator", PASSWORD)
    expect(first.by(".page .batches tbody tr").first).to_be_visible()
    assert len(ended) == 1
    expect(first.by(".batches tbody tr").first).to_be_visible()
    expect(first.by(".page .round .line")).to_have_count(0)


def test_what_one_person_asked_for_is_not_shown_to_the_next(window: Open, here: Town) -> None:
    order = {
        "id": "of-the-first", "state": "running", "action": "luminaire.dim", "params": {"level": 63}, "reason": "essai",
        "actor": {"id": "somebody", "name": None}, "created": rfc3339(now_us()), "expires": rfc3339(now_us()),
        "hazard": "none", "counts": {"sent": 1}, "targets": 1, "lasts_s": 0.0, "may_move": False, "changed": None,
    }  # fmt: skip
    first = window("supervisor")
    first.map_stands()
    held: list[Route] = []
    first.page.route("**/api/v1/commands?*", lambda route: held.append(route), times=1)
    first.page.reload()
    first.until(lambda: bool(held), "the orders are asked for")
    first.by(".top .menu .icon-button").first.click()
    first.button("Se déconnecter").click()
    here.forget("supervisor")
    first.log_in("crew", PASSWORD)
    first.map_stands()
    with first.page.expect_response(held[0].request.url):
        held[0].fulfill(json={"items": [order], "total": None, "next": None})
    first.page.wait_for_timeout(200)
    expect(first.by(".desk article.card", has_text="63 %")).to_have_count(0)


def test_a_log_out_that_the_post_did_not_hear_is_said_and_sent_again(window: Open, here: Town) -> None:
    cookie = here.cookie("supervisor")
    console = window("supervisor")
    console.map_stands()
    console.page.route(
        "**/api/v1/session", lambda route: route.abort() if route.request.method == "DELETE" else route.fallback()
    )
    console.by(".top .menu .icon-button").first.click()
    console.button("Se déconnecter").click()
    expect(console.by("input[name=login]")).to_be_visible()
    console.see("pas encore déconnecté")
    console.page.reload()
    expect(console.by("input[name=login]")).to_be_visible()
    console.see("pas encore déconnecté")
    console.page.unroute("**/api/v1/session")
    expect(console.page.get_by_text("pas encore déconnecté")).to_have_count(0)
    here.forget("supervisor")
    assert here.post.ask("GET", "/api/v1/session", Cookie=f"vigie_session={cookie}").status == 401


def test_one_window_too_many_says_so_and_asks_seldom(window: Open) -> None:
    first = window("administrator")
    first.map_stands()
    first.evaluate(
        """() => Promise.all([...Array(15)].map(() => new Promise((opened) => {
            new WebSocket(location.origin.replace('http', 'ws') + '/api/v1/live').onopen = opened
        })))"""
    )
    last = window("administrator")
    sockets: list[str] = []
    last.page.on("websocket", lambda socket: sockets.append(socket.url))
    last.see("Trop de fenêtres")
    sockets.clear()
    last.page.wait_for_timeout(5_000)
    assert len(sockets) <= 1, "it does not hammer at the door"
