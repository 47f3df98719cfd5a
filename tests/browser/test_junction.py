"""The page of a junction: what its signals show, now and before, who decides, its stages, and orders to it."""

from __future__ import annotations

import re
from collections.abc import Sequence
from pathlib import Path

import pytest
from msgspec.structs import replace
from playwright.sync_api import expect

from tests.api.signals.test_changes import AGO_DAYS, followed, measured
from tests.browser.conftest import Open
from tests.browser.test_link import cut
from tests.browser.test_pages import faults, prepare
from tests.browser.town import FLASHING, Town
from tests.post import NO_RESERVE, now_us, reading
from tests.services.signals.control.sites import SIDES, crossroads
from tests.services.signals.whatif.tried import tried
from vigie.app.comparisons import tell
from vigie.app.installation import WallClock
from vigie.app.signals import Became, take_in
from vigie.core.times import DAY_US
from vigie.services.signals.control.site import Feeder, Site
from vigie.services.signals.whatif.sealed import sealed
from vigie.settings import Settings

# A browser that draws in software, beside two others.
pytestmark = pytest.mark.timeout(240)

JUNCTION = "junction-dijon-0"
PAGE = f"#page=junctions&junction={JUNCTION}"
ROWS = ".page .space [role=row]"
FIRST, SECOND = "junction-quetigny-0", "junction-quetigny-1"
"""Two along a street: SECOND lies to the east."""
DEGREES = dict(zip(SIDES, (0.0, 180.0, 90.0, 270.0), strict=True))


def described(name: str = JUNCTION, *feeders: Feeder) -> Site:
    """A cross-roads whose ways all go straight ahead."""
    site = crossroads(name, feeders)
    movements = tuple(
        replace(each, comes_deg=DEGREES[each.approach], leaves_deg=DEGREES[each.exit.removeprefix("to ")])
        for each in site.junction.movements
    )
    return replace(site, junction=replace(site.junction, movements=movements))


def shown(here: Town, rows: Sequence[tuple[str, float]], junction: str = JUNCTION) -> None:
    """The junction says what its groups showed so many seconds ago."""
    said = [reading(junction, "groups", letters, now_us() - round(ago_s * 1e6)) for letters, ago_s in rows]
    assert here.post.send(said).body["accepted"] == len(rows)


@pytest.fixture
def taken_in(here: Town) -> Town:
    """The town, with one of its junctions described. Asking for it again changes nothing."""
    (taken,) = take_in(Settings(data=here.folder, city="Dijon", **NO_RESERVE), {JUNCTION: described()})
    assert taken.became in (Became.MADE, Became.UNCHANGED)
    at_us = now_us()
    said = [
        reading(JUNCTION, "control", who, at_us - ago_s * 1_000_000) for who, ago_s in (("plan", 90), ("adaptive", 0))
    ]
    assert here.post.send(said).status == 200
    return here


@pytest.fixture(scope="module", autouse=True)
def changed(tmp_path_factory: pytest.TempPathFactory, chromium: Path) -> Town:
    """Another town, which nothing runs in yet, made eight days ago: then a junction's document was approved. It is made
    before the browser, whose loop no other may run beside in this thread."""
    folder = tmp_path_factory.mktemp("changed")
    with pytest.MonkeyPatch.context() as then:
        then.setattr(WallClock, "now_us", lambda clock: now_us() - AGO_DAYS * DAY_US)
        made = Town(folder, lively=False)
        take_in(Settings(data=folder, city="Dijon", **NO_RESERVE), {JUNCTION: described()})
    return made


def test_a_junction_is_opened_from_its_sheet_and_followed_as_it_changes(window: Open, taken_in: Town) -> None:
    shown(taken_in, [("GGRR", 100), ("YYRR", 70), ("RRRR", 67), ("RRGG", 65)])
    operator = window(path=f"#asset={JUNCTION}", size=(1440, 900))
    expect(operator.by(".sheet h2")).to_contain_text("Gare / Marché")
    operator.press("s")
    expect(operator.by(".page h1")).to_have_text("Gare / Marché")
    decides = operator.by("section[aria-label='Qui décide des phases']")
    expect(decides).to_contain_text("Adaptatif")
    expect(decides).to_contain_text(re.compile(r"Depuis \d\d:\d\d:\d\d\..*un autre que ce poste"))

    rows = operator.by(".ribbon ul[tabindex] li")
    expect(rows).to_have_count(4)
    expect(rows.nth(0).locator(".name")).to_have_text("1 · Nord\u00a0: tout droit")
    # What was before the first report is not known, and is drawn as no colour.
    expect(rows.nth(0).locator("rect").first).to_have_attribute("fill", "url(#unheard)")
    expect(rows.nth(0).locator("rect.green")).to_have_count(1)
    expect(rows.nth(0).locator(".now")).to_have_text(re.compile(r"^Rouge · \d+ s"))
    expect(rows.nth(2).locator(".now")).to_have_text(re.compile(r"^Vert · \d+ s"))
    stage = operator.by("section[aria-label='Phases'] li[aria-current]")
    expect(stage).to_contain_text("Phase 2")
    expect(stage.locator("svg[role=img]")).to_have_attribute(
        "aria-label", "3 · Est\u00a0: tout droit, 4 · Ouest\u00a0: tout droit"
    )

    shown(taken_in, [("GGRR", 0)])
    expect(rows.nth(0).locator(".now")).to_have_text(re.compile(r"^Vert · \d s"))
    expect(stage).to_contain_text("Phase 1")

    # By keyboard, back to when the other two were green; then the minutes before, of which nothing is known.
    operator.by(".ribbon ul[tabindex]").focus()
    operator.press(*["PageUp"] * 3)
    expect(rows.nth(2).locator(".now")).to_have_text(re.compile(r"^Vert"))
    expect(operator.by(".ribbon .when")).to_have_text(re.compile(r"\d\d:\d\d:\d\d"))
    operator.press("End")
    prepare(operator)
    assert not faults(operator)
    operator.button("5 minutes plus tôt").click()
    operator.button("5 minutes plus tôt").click()
    operator.see("n'a pas dit ce que montrent ses feux")
    operator.button("En direct").click()
    expect(rows).to_have_count(4)


def test_an_order_is_given_from_the_page_and_proved_on_it(window: Open, taken_in: Town) -> None:
    del taken_in
    operator = window(path=PAGE, size=(1440, 900))
    form = operator.by("section[aria-label='Ordres possibles']")
    form.get_by_role("button", name="Appliquer un plan de feux").click()
    form.get_by_label("Plan de feux").last.fill("7")
    expect(form).to_contain_text("Si le poste choisit les phases de ce carrefour")
    expect(form).to_contain_text("Aucune comparaison de ce changement n'a été remise au poste pour ce carrefour.")
    operator.hold(form.get_by_role("button", name="Maintenir pour envoyer"))
    plan = operator.by(".decides dl > div", has_text="Plan de feux")
    expect(plan).to_contain_text("7")
    expect(operator.by("section[aria-label='Derniers ordres']")).to_contain_text("Appliquer un plan de feux")


def test_an_order_for_the_post_to_choose_that_another_has_ended_is_not_said_to_stand(
    window: Open, taken_in: Town
) -> None:
    def says_plan() -> None:
        assert taken_in.post.send([reading(JUNCTION, "control", "plan", now_us())]).status == 200

    says_plan()
    browser = taken_in.browser("operator")
    said = {"action": "junction.set_control", "params": {"control": "adaptive"}, "select": {"assets": [JUNCTION]}}
    given = browser.ask("POST", "/api/v1/commands", said)
    assert browser.ask("POST", f"/api/v1/commands/{given.body['id']}/confirm", {}).status == 200, given
    decides = window(path=PAGE, size=(1440, 900)).by(".decides .who")
    expect(decides).to_contain_text("Dernier ordre\u00a0: Adaptatif")
    # Orders of other tests may be before it at the town's one device, which takes a few at a time.
    expect(decides.locator(".word")).to_have_text("Adaptatif", timeout=120_000)
    says_plan()
    expect(decides).to_contain_text("Personne n'a ordonné que le poste choisisse les phases.")
    expect(decides).not_to_contain_text("régulation adaptative est ordonnée")


def test_without_a_description_without_an_answer_and_without_a_right(window: Open, taken_in: Town) -> None:
    del taken_in
    operator = window()
    operator.map_stands()
    operator.page.route("**/api/v1/signals/junctions*", lambda route: route.abort())
    operator.press("s")
    operator.see("Le poste ne répond pas.")
    operator.page.unroute("**/api/v1/signals/junctions*")
    operator.button("Réessayer").click()
    expect(operator.by(ROWS)).to_have_count(4)
    operator.button(re.compile("^Adaptatif")).click()
    expect(operator.by(ROWS)).to_have_count(1)
    operator.press("Escape")
    operator.evaluate("(id) => (location.hash = `page=junctions&junction=${id}`)", FLASHING)
    operator.see("Ce carrefour n'est pas décrit")
    operator.see("vigie signals take-in")
    operator.see("sans entrées de phases")
    operator.evaluate("() => (location.hash = 'page=junctions&junction=nowhere')")
    operator.see("Aucun carrefour nowhere que vous puissiez voir.")

    elected = window("elected", path=PAGE)
    elected.see("Vous n'avez pas le droit de commander ce carrefour.")
    expect(elected.by(".page form")).to_have_count(0)
    crew = window("crew")
    crew.map_stands()
    crew.press("s")
    expect(crew.by(".page")).to_have_count(0)


def test_all_junctions_are_told_sorted_filtered_and_opened_by_keyboard(window: Open, taken_in: Town) -> None:
    assert taken_in.post.send([reading("detector-dijon-0", "speed", 22.0, now_us())]).status == 200
    operator = window(size=(1440, 900))
    operator.map_stands()
    operator.press("s")
    rows = operator.by(ROWS)
    expect(rows).to_have_count(4)
    expect(operator.button(re.compile("^Adaptatif"))).to_have_text(re.compile(r"1$"))
    # What counts before it drives at less than half of what is allowed, and one detector of one said so a moment ago.
    operator.by("[role=columnheader]", has_text="Pire").get_by_role("button").click()
    expect(rows.first).to_contain_text("Gare / Marché")
    expect(rows.first).to_contain_text(re.compile(r"Niveau de service\s*D.*1/1 · \d+ s.*Adaptatif"))
    expect(rows.nth(2)).to_contain_text("Aucun capteur")
    expect(operator.by("[aria-sort=descending]")).to_have_text(re.compile("Pire"))
    prepare(operator)
    assert not faults(operator)

    operator.button(re.compile("^Éteints ou clignotants")).click()
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("Carrefour au jaune clignotant")
    operator.button(re.compile("^Tous")).click()
    operator.by(".filters select").select_option(label="Quetigny")
    expect(rows).to_have_count(2)
    expect(operator.button(re.compile("^Éteints ou clignotants"))).to_have_text(re.compile(r"0$"))
    operator.by(".filters select").select_option(label="Tous les secteurs")
    operator.by("[type=search]").last.fill("dijon-0")
    expect(rows).to_have_count(1)
    operator.by(".grid").focus()
    operator.press("End", "Enter")
    expect(operator.by(".page h1")).to_have_text("Gare / Marché")
    plan = operator.by("section[aria-label='Le plan de la description']")
    expect(plan).to_contain_text("cycle de 70 s")
    expect(plan.locator("li").nth(1)).to_contain_text("vert 0–30 s")
    expect(plan.locator(".stage")).to_have_count(2)
    plan.locator("ul").focus()
    operator.press("Home", "PageDown", "PageDown", "PageDown")
    expect(plan).to_contain_text("seconde 31")
    expect(plan.locator("li").nth(1)).to_contain_text("Jaune")
    operator.press("Escape")
    expect(rows).to_have_count(4)
    operator.press("Escape")
    expect(operator.by(".page")).to_have_count(0)


def test_a_corridor_is_drawn_as_it_was_shown_beside_its_plan(window: Open, here: Town) -> None:
    operator = window(path="#page=junctions&corridor=", size=(1900, 900))
    operator.see("Aucun corridor à tracer")
    east, west = Feeder(FIRST, "west", 1.0, (3,), 20), Feeder(SECOND, "east", 1.0, (2,), 22)
    sites = {FIRST: described(FIRST, west), SECOND: described(SECOND, east)}
    take_in(Settings(data=here.folder, city="Dijon", **NO_RESERVE), sites)
    shown(here, [("RRRG", 200), ("RRRR", 140)], FIRST)
    shown(here, [("RRRG", 185), ("RRRR", 100)], SECOND)
    operator.button("Tous").click()
    operator.button("Corridors").click()
    operator.see("2 carrefours · 278")
    real, plan = operator.by(".drawing").nth(0), operator.by(".drawing").nth(1)
    # Whoever passed the first in its minute of green was at the second, 20 s later, before its own was over.
    expect(real.locator(".plot .band.there")).to_have_count(1)
    expect(real.locator(".shares li").nth(0)).to_contain_text(re.compile(r"Aller, vers Haute.*ouverte [23]\d\s%"))
    expect(real.locator(".plot .band.back")).to_have_count(0)
    expect(plan.locator(".shares li").nth(0)).to_contain_text(re.compile(r"ouverte 1\d\s%"))
    assert plan.locator(".plot .band.there").count() >= 3

    real.locator(".plot").focus()
    operator.press(*["PageUp"] * 15)
    expect(real.locator(".told")).to_contain_text(re.compile(r"^Marché, \d\d:\d\d:\d\d · Aller\s: Vert \(4 · Ouest"))
    operator.press("ArrowUp")
    expect(real.locator(".told")).to_contain_text(re.compile("^Haute, "))
    expect(plan.locator(".needle")).to_have_count(1)
    shown(here, [("RRRG", 0)], SECOND)
    operator.press("End")
    expect(real.locator(".told")).to_contain_text(re.compile(r"^Haute, .* · Aller\s: Vert"))
    prepare(operator)
    assert not faults(operator)

    operator.button("5 minutes plus tôt").click()
    operator.button("5 minutes plus tôt").click()
    operator.see("n'ont pas dit ce que montrent leurs feux")
    operator.button("En direct").click()
    expect(real.locator(".plot .band.there")).not_to_have_count(0)
    operator.by(".junctions button").first.click()
    expect(operator.by(".page h1")).to_have_text("Gare / Haute")
    operator.press("Escape")
    expect(real.locator(".plot .band.there")).not_to_have_count(0)
    operator.press("Escape")
    expect(operator.by(ROWS)).to_have_count(4)

    operator.page.route("**/api/v1/signals/corridors*", lambda route: route.abort())
    operator.button("Corridors").click()
    operator.see("Le poste ne répond pas.")
    operator.page.unroute("**/api/v1/signals/corridors*")
    operator.button("Réessayer").click()
    expect(real).to_be_visible()
    # Withdrawn while somebody looks: what was drawn of it does not stay.
    operator.page.route("**/api/v1/signals/corridors/*", lambda route: route.continue_(url=f"{route.request.url}-gone"))
    cut(operator, off=True)
    cut(operator, off=False)
    operator.see("Ce corridor n'existe plus")
    expect(real).to_have_count(0)
    operator.page.unroute("**/api/v1/signals/corridors/*")
    operator.evaluate("() => (location.hash = 'page=junctions&corridor=nowhere')")
    operator.see("Ce corridor n'existe plus")


def test_what_came_of_a_change_is_told_beside_the_days_before(window: Open, changed: Town) -> None:
    town = changed
    try:
        town.start()
        said = measured("detector-dijon-0", now_us() - AGO_DAYS * DAY_US)
        assert town.post.send(said).body["accepted"] == len(said)
        tell(Settings(data=town.folder, city="Dijon", **NO_RESERVE), sealed(tried([described()], now_us() - DAY_US)))
        followed(town.post, town.browser("operator"), [JUNCTION], "plan", "adaptive")
        operator = window(on=town, path=PAGE, size=(1440, 900))
        section = operator.by("section[aria-label='Avant et après']")
        changes, figures = section.get_by_role("radio"), section.locator("tbody")
        expect(changes).to_have_count(2)
        expect(changes.first).to_be_checked()
        expect(section.locator("label").first).to_contain_text("Le poste, selon le trafic")
        expect(section).to_contain_text("Pas encore assez d'heures")
        foretold = section.locator(".foretold")
        expect(foretold).to_contain_text(re.compile(r"Prévu le .* par simulation\s+3 tirages ·\s+Seuils tenus"))
        expect(foretold.get_by_role("row").nth(0)).to_contain_text(
            re.compile(r"Temps perdu moyen.*42,5 → 18,3 s.*\u221224,2 de \u221227,3 à \u221221,0.*Mieux", re.DOTALL)
        )
        expect(foretold).to_contain_text("Trafic calé sur 44 comptages, atteints à 91\u00a0%.")
        changes.first.focus()
        operator.press("ArrowDown")
        expect(figures).to_have_count(5)
        expect(foretold).to_have_count(0)
        expect(figures.nth(0)).to_contain_text(re.compile(r"à débit semblable.*\+[3-7],\d.*de \+\d.*Mieux"))
        expect(figures.nth(1)).to_contain_text(re.compile("\u22122,0.*Mieux"))
        expect(section.locator(".band")).to_have_count(5)
        expect(section).to_contain_text("Boucle nord, Avenue de la Gare")
        prepare(operator)
        assert not faults(operator)

        operator.page.route("**/after?days=14", lambda route: route.abort())
        section.get_by_role("button", name="14 jours").click()
        expect(section).to_contain_text("Le poste ne répond pas.")
        operator.page.unroute("**/after?days=14")
        section.get_by_role("button", name="Réessayer").click()
        expect(figures).to_have_count(5)
        operator.evaluate("(id) => (location.hash = `page=junctions&junction=${id}`)", FLASHING)
        expect(section).to_contain_text("Aucune modification connue")
    finally:
        town.stop()
