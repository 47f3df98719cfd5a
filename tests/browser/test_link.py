"""The link to the post is lost, and comes back."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import Open
from tests.browser.town import DIJON, Town, lamps_of, place
from tests.post import now_us, reading


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


def test_a_session_that_is_closed_elsewhere_asks_for_its_person_again(window: Open, here: Town) -> None:
    first = window("supervisor")
    first.map_stands()
    first.by(".top .menu .icon-button").first.click()
    first.button("Se déconnecter").click()
    expect(first.by("input[name=login]")).to_be_visible()
    here.forget("supervisor")
