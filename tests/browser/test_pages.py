"""The table that says what the map says, the energy of a month, theme and language, and that nobody is kept out."""

from __future__ import annotations

import csv
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Route, expect

from tests.api.energy.past import last_night, send, told
from tests.browser.conftest import Open
from tests.browser.console import Console
from tests.browser.town import BROKEN, DIJON, FLASHING, OPEN_CABINET, Town, lamps_of, place
from tests.people import QUETIGNY
from tests.post import now_us, reading
from vigie.api.city.export import COLUMNS

# A browser that draws in software, beside two others.
pytestmark = pytest.mark.timeout(240)

MONTH = last_night().isoformat()[:7]

AXE = Path(__file__).resolve().parents[2] / "web/node_modules/axe-core/axe.min.js"


def exported(console: Console) -> list[dict[str, str]]:
    """The rows of what the table exports, by the names of its columns in the API."""
    with console.page.expect_download() as download:
        console.by("a[download]").click()
    with download.value.path().open(encoding="utf-8-sig", newline="") as file:
        _, *rows = csv.DictReader(file, COLUMNS)
    return rows


def test_the_table_says_what_the_map_says_and_exports_it(window: Open, here: Town) -> None:
    operator = window()
    operator.map_stands()
    operator.go(place(DIJON, 0, 0), 17.5)
    drawn = set(operator.drawn_lamps())
    operator.press("t")
    operator.by("select").nth(1).select_option("luminaire")
    rows: Any = here.ask("operator", "assets?kind=luminaire&limit=500")
    number = {row["id"]: row["no"] for row in rows["items"]}

    def lamps_alone() -> list[str]:
        names = operator.by(".space .cell.name").all_inner_texts()
        return names if set(names) <= number.keys() else []

    listed = {number[each] for each in operator.until(lamps_alone, "the table has lamps, and nothing else")}
    assert drawn
    assert drawn <= listed, "each lamp on the map is in the table of the same view"

    # Filtered by what is wrong, anywhere.
    operator.by("select").nth(0).select_option("city")
    operator.by("select").nth(2).select_option("4")
    expect(operator.by(".space [role=row]")).to_have_count(len(BROKEN))
    assert set(operator.by(".space .cell.name").all_inner_texts()) == set(BROKEN)

    assert {row["id"] for row in exported(operator)} == set(BROKEN)

    # By keyboard: a row is opened, and the sheet is that row's.
    operator.by(".grid").focus()
    operator.press("End", "Enter")
    last = operator.by(".space .cell.name").last.inner_text()
    expect(operator.by(".sheet h2")).to_contain_text(last)


def test_the_table_falls_back_to_the_view_when_its_selection_is_closed(window: Open) -> None:
    operator = window()
    operator.map_stands()
    operator.go(place(DIJON, 0, 0), 17.5)
    operator.search("rue des lilas")
    expect(operator.by(".order .preview strong")).to_be_visible()
    operator.press("t")
    extent = operator.by(".filters select").first
    extent.select_option("selection")
    operator.see(f"{len(lamps_of(DIJON, 'Rue des Lilas'))} équipements")
    operator.by("section[aria-label='Sélection'] header button").click()
    expect(extent).to_have_value("view")
    expect(operator.by("a[download]")).to_have_attribute("href", re.compile("bbox="))


def test_a_page_of_the_table_is_asked_for_once(window: Open, here: Town) -> None:
    operator = window(path="#page=table")
    operator.map_stands()
    operator.by(".filters select").first.select_option("city")
    everything: Any = here.ask("operator", "assets?limit=1")
    total = everything["total"]
    expect(operator.by(".grid")).to_have_attribute("aria-rowcount", str(total + 1))
    cursors: list[str] = []
    operator.page.on("request", lambda each: cursors.append(each.url) if "cursor=" in each.url else None)
    # Sorted in the same moment as the list is scrolled to its end: both want the next page.
    operator.evaluate(
        """() => {
            const grid = document.querySelector('.grid')
            grid.scrollTop = grid.scrollHeight
            grid.dispatchEvent(new Event('scroll'))
            document.querySelectorAll('.grid .head button')[1].click()
        }"""
    )
    operator.until(lambda: operator.by(".total").inner_text().count("(") == 0, "all rows")
    assert len(cursors) == len(set(cursors))
    assert operator.evaluate("() => parseFloat(document.querySelector('.grid .space').style.height) / 28") == total


def test_a_crews_export_ends_where_its_scope_does(window: Open, here: Town) -> None:
    crew = window("crew", path="#page=table")
    crew.by("select").nth(0).select_option("city")
    crew.by("input[type=search]").first.fill("Rue Verte")
    crew.by("select").nth(1).select_option("luminaire")
    everywhere = len(lamps_of(DIJON, "Rue Verte")) + len(lamps_of(QUETIGNY, "Rue Verte"))
    crew.see(f"{everywhere} équipements")
    # Where a lamp stands is public; what it does is the crew's own commune's alone.
    rows = exported(crew)
    assert len(rows) == everywhere
    valued = {row["id"] for row in rows if row["value"]}
    assert valued
    assert valued <= set(lamps_of(QUETIGNY, "Rue Verte"))


def reported(here: Town) -> None:
    """A night of some lamps and their cabinet is told, once it is over."""
    send(here.post, told(lamps_of(DIJON, "Rue des Lilas"), "cabinet-dijon-0", last_night(), 1))


def test_a_month_of_energy_is_read_sorted_opened_and_saved(window: Open, here: Town) -> None:
    operator = window(path="#page=energy&month=2020-02")
    empty = operator.by(".page .empty")
    expect(empty).to_contain_text(re.compile("Aucune nuit entière|l'historique commence"))
    reported(here)

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
            operator.by(".page header button", has_text=format).click()
        assert download.value.suggested_filename == f"vigie-energy-{last_night()}-{last_night()}.{format.lower()}"

    # What is not summed in time is no file, and is said.
    refused = {"title": "Not summed yet", "rule": "lighting.energy_summing", "values": {"done": 40}}
    operator.page.route("**/lighting/energy?*format=csv*", lambda route: route.fulfill(status=503, json=refused))
    operator.by(".page header button", has_text="CSV").click()
    operator.see("Le calcul n'est pas encore fini (40 %).")
    operator.page.unroute_all()

    # A commune alone, and back.
    operator.by(".page tbody button", has_text="Quetigny").click()
    expect(operator.by(".page h1")).to_have_text("Énergie · Quetigny")
    expect(rows).to_have_count(1)
    operator.press("Escape")
    expect(operator.by(".page h1")).to_have_text("Énergie")
    operator.by(".parts button", has_text="Armoires").click()
    rows.first.locator("button").click()
    expect(operator.by(".sheet h2")).to_contain_text("Armoire")


def test_a_month_of_energy_that_is_summed_says_how_far_and_is_stopped(window: Open) -> None:
    operator = window(path="#page=programmes")
    expect(operator.by(".page h1")).to_be_visible()
    left: list[str] = []
    held: list[Route] = []

    def far(route: Route) -> None:
        # What takes minutes in a town of 34,000 lamps is over at once in this one.
        if not held:
            held.append(route)
        elif route.request.method == "DELETE":
            left.append(route.request.url)
            route.fulfill(status=204)
        else:
            body = {"state": "summing", "sum": "5ca1ab1e", "done": 0.42, "since": f"{MONTH}-01", "report": None}
            route.fulfill(status=202, json=body | {"programmes": {}, "cabinets": {}})

    operator.page.route("**/api/v1/lighting/energy**", far)
    operator.evaluate("() => (location.hash = 'page=energy&month=2020-01')")
    # Stopped before the post has said what it sums: it is told as soon as it has.
    operator.until(lambda: held, "it is asked")
    operator.button("Arrêter").click()
    expect(operator.by(".summing")).to_contain_text("Le calcul a été arrêté.")
    assert not left
    far(held[0])
    operator.until(lambda: left, "the post is told that nobody waits")
    operator.by(".summing button").click()
    expect(operator.by(".summing")).to_contain_text("42")
    operator.button("Arrêter").click()
    expect(operator.by(".summing")).to_contain_text("Le calcul a été arrêté.")
    operator.until(lambda: len(left) > 1, "the post is told that nobody waits")
    assert all(each.endswith("lighting/energy/5ca1ab1e") for each in left)

    operator.page.unroute_all()
    # The rest of the page keeps its link, so that only this is cut off.
    operator.page.route("**/api/v1/lighting/energy**", lambda route: route.abort())
    operator.by(".summing button").click()
    expect(operator.by(".page .failed")).to_be_visible()
    operator.page.unroute_all()
    operator.by(".page .failed button").click()
    expect(operator.by(".page :is(.empty, .body)")).to_be_visible()


def test_the_sun_is_asked_for_again_each_day(window: Open) -> None:
    operator = window(worn=True)
    operator.map_stands()
    operator.page.clock.install()
    operator.page.reload()
    operator.map_stands()
    with operator.page.expect_response(re.compile(r"/api/v1/city$")):
        operator.page.clock.fast_forward("24:00:00")


def test_what_the_map_shows_is_selected_without_a_pointer(window: Open) -> None:
    operator = window()
    operator.map_stands()
    operator.go(place(DIJON, 0, 0), 17)
    operator.press("v")
    box = operator.by("section[aria-label='Sélection']")
    expect(box.locator("h2")).to_have_text("Vue de la carte")
    expect(box.locator(".kind").first).to_be_visible()
    operator.until(lambda: operator.rings()["meant"] > 0, "what is selected is ringed")


def test_escape_closes_the_legend_first(window: Open) -> None:
    operator = window(path="#asset=luminaire-000020")
    operator.map_stands()
    expect(operator.by(".sheet h2")).to_be_visible()
    operator.button("Légende").click()
    expect(operator.by("section.legend")).to_be_visible()
    operator.press("Escape")
    expect(operator.by("section.legend")).to_have_count(0)
    expect(operator.by(".sheet h2")).to_be_visible()


def test_an_open_journal_offers_what_is_new_and_is_read_by_its_days(window: Open, here: Town) -> None:
    reader = window(path="#page=journal")
    entries = reader.by("li.entry")
    expect(entries.first).to_be_visible()
    before = entries.count()
    colleague = here.browser("operator")
    body = {"id": "luminaire-journal-1", "kind": "luminaire", "name": "Lanterne", "lon": 5.04, "lat": 47.32}
    assert colleague.ask("POST", "/api/v1/assets", body).status == 201
    offered = reader.by("button.new")
    expect(offered).to_contain_text("nouvelle")
    assert entries.count() == before, "nothing moves under who reads"
    offered.click()
    expect(offered).to_have_count(0)
    expect(reader.by("li.entry", has_text="Équipement créé").first).to_be_visible()

    reader.by("input[type=date]").nth(1).fill("2020-01-01")
    reader.see("Aucune entrée visible pour vous avec ces critères.")
    reader.by("input[type=date]").nth(1).fill("")
    expect(entries.first).to_be_visible()


def test_a_history_says_what_its_point_is(window: Open, here: Town) -> None:
    # No other test moves this one.
    operator = window(path="#asset=bollard-quetigny-0")
    said = operator.by(".sheet .summary")
    # A state has no minimum and no mean.
    expect(said).to_contain_text("sans changement")
    here.post.send([reading("bollard-quetigny-0", "state", "lowered", now_us())])
    operator.page.reload()
    expect(said).to_contain_text("Baissée depuis")
    expect(said).to_contain_text("1 changement")
    # As whoever comes next expects to find it.
    here.post.send([reading("bollard-quetigny-0", "state", "raised", now_us())])

    # Under an open condition stand what it was found by, and the history of its point with the moment in it.
    operator.evaluate("(lamp) => (location.hash = `asset=${lamp}`)", BROKEN[0])
    found = operator.by("section[aria-label='Anomalies']")
    expect(found.locator("dl")).to_contain_text(re.compile(r"Défaut\s+Source hors service"))
    expect(found.locator(".summary")).to_contain_text("Apparue")
    expect(found.locator(".u-over")).to_be_visible()

    # No test orders anything to this one either.
    alone = lamps_of(DIJON, "Rue du Marché")[5]
    operator.evaluate("(lamp) => (location.hash = `asset=${lamp}`)", alone)
    operator.by(".ranges button").first.click()
    expect(said).to_contain_text("Une seule valeur : 100")
    expect(operator.by(".sheet .u-over")).to_be_visible()


def test_compliance_is_told_by_rule_by_area_and_by_lamp_and_exported(window: Open, here: Town) -> None:
    whole: Any = here.ask("operator", "services/lighting/compliance?limit=1")
    operator = window()
    operator.map_stands()
    operator.page.route("**/services/lighting/compliance*", lambda route: route.abort())
    operator.press("c")
    operator.see("Le poste ne répond pas.")
    operator.page.unroute("**/services/lighting/compliance*")
    operator.button("Réessayer").click()
    figures = operator.by(".page .figures")
    expect(figures).to_contain_text(f"{whole['lamps']} points lumineux")
    lines = operator.by(".page .list .line")
    expect(lines).to_have_count(100)
    operator.button("Afficher la suite").click()
    expect(lines).to_have_count(200)

    # Nobody has stated a flux: by rule and by commune, the list is the same lamps that are exported.
    rule = operator.button(re.compile("^Flux lumineux non renseigné"))
    rule.click()
    expect(rule).to_have_attribute("aria-pressed", "true")
    operator.button(re.compile("^Quetigny")).click()
    quetigny = next(each for each in whole["areas"] if each["area"] == QUETIGNY)
    expect(figures).to_contain_text(f"{quetigny['lamps']} points lumineux")
    with operator.page.expect_download() as download:
        operator.by(".page a[download]").click()
    with download.value.path().open(encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file)
    assert len({row[0] for row in rows}) == quetigny["rules"]["lighting.owed_flux"]
    assert {row[2] for row in rows} == {QUETIGNY}

    # By keyboard: the last that is listed, its sheet and its place.
    lines.first.focus()
    operator.press("End", "Enter")
    last = lines.last.locator(".id").inner_text()
    expect(operator.by(".sheet h2")).to_contain_text(last)
    expect(operator.by("section[aria-label^='Constats']")).to_contain_text("27.12.2018, art. 5")
    operator.press("Escape", "Escape")
    expect(operator.by(".page")).to_have_count(0)

    # Who sees one commune is told of that one alone.
    crew = window("crew", size=(390, 844), path="#page=compliance")
    expect(crew.by(".page .figures")).to_contain_text(f"{quetigny['lamps']} points lumineux")
    expect(crew.by("section[aria-label='Par secteur'] .sum")).to_have_count(1)
    assert crew.evaluate("() => document.documentElement.scrollWidth") <= 390


# How much of the map is drawn in about the colour of what is chosen, of which a round's line is: points of its
# canvases, read from a copy, for a canvas that is read is no longer drawn by the graphics card.
ROUTE_POINTS = """() => [...document.querySelectorAll('canvas:not(.maplibregl-canvas)')].reduce((sum, each) => {
    const copy = new OffscreenCanvas(each.width, each.height).getContext('2d', { willReadFrequently: true })
    copy.drawImage(each, 0, 0)
    const { data } = copy.getImageData(0, 0, each.width, each.height)
    const near = (i, level) => Math.abs(data[i] - level) < 30
    let n = 0
    for (let i = 0; i < data.length; i += 4) {
        n += data[i + 3] > 128 && near(i, 142) && near(i + 1, 197) && near(i + 2, 255)
    }
    return sum + n
}, 0)"""
ROUTE_SHOWN, ROUTE_GONE = 200, 20


def test_a_crews_round_is_planned_shown_on_the_map_and_printed(window: Open) -> None:
    operator = window()
    operator.map_stands()
    operator.go(place(DIJON, 0, 0), 14.5)
    operator.press("m")
    operator.see("Lots, du plus sûrement mauvais au meilleur")
    operator.button("Milieu de la carte").click()
    hours = operator.page.get_by_label("Durée (h)")
    hours.fill("12")
    operator.button("Préparer la tournée").click()
    stops = operator.by(".page .round .line")
    expect(stops.filter(has_text=OPEN_CABINET)).to_have_count(1)
    for lamp in BROKEN:
        expect(stops.filter(has_text=lamp)).to_contain_text("Lampe en panne")
    everything = stops.count()
    # The batch of the town's lamps has failed as often as there are lamps out.
    expect(operator.by(".batches tbody tr").first).to_contain_text(re.compile(r"LED · 60\sW · année inconnue"))

    # In half an hour one thing can be mended, and that is the one that is worth most.
    hours.fill("0.5")
    hours.press("Enter")
    expect(stops).to_have_count(1)
    expect(stops).to_contain_text("Porte d'armoire ouverte")
    hours.fill("12")
    hours.press("Enter")
    expect(stops).to_have_count(everything)

    operator.page.emulate_media(media="print")
    expect(stops.first).to_be_visible()
    expect(operator.by("nav.rail")).to_be_hidden()
    expect(operator.by(".round-box form")).to_be_hidden()
    operator.see("Tournée d'éclairage, préparée le")
    operator.page.emulate_media(media="screen")

    operator.button("Voir sur la carte").click()
    expect(operator.by(".page")).to_have_count(0)
    operator.until(lambda: operator.evaluate(ROUTE_POINTS) > ROUTE_SHOWN, "the round is drawn")
    operator.press("m")
    operator.button("Effacer").click()
    operator.until(lambda: operator.evaluate(ROUTE_POINTS) < ROUTE_GONE, "the map without it")


def test_theme_and_language_are_chosen_and_kept(window: Open) -> None:
    console = window(theme="dark", language="fr")
    console.map_stands()
    root = console.by("html")
    expect(root).to_have_attribute("data-theme", "dark")
    expect(root).to_have_attribute("lang", "fr")
    console.by(".top .menu .icon-button").first.click()
    console.button("English").click()
    console.button("Light", exact=True).click()
    console.press("Escape")
    console.page.reload()
    console.map_stands()
    expect(root).to_have_attribute("data-theme", "light")
    expect(root).to_have_attribute("lang", "en")
    console.see("to acknowledge")
    assert console.page.get_by_text("à acquitter").count() == 0


def _street(console: Console) -> None:
    console.search("rue des lilas")


def _palette(console: Console) -> None:
    console.press("Control+k")
    console.page.keyboard.insert_text("rue")


def _keys(console: Console) -> None:
    console.press("?")


def _create(console: Console) -> None:
    console.page.get_by_role("button", name=re.compile("Nouvel équipement|New asset")).click()


def _nothing(console: Console) -> None:
    del console


def _round(console: Console) -> None:
    console.page.get_by_role("button", name=re.compile("Préparer la tournée|Plan the round")).click()


def _written(console: Console) -> None:
    console.by(".editor .name input").first.fill("Nuit")
    console.page.get_by_role("button", name=re.compile("Ajouter une règle|Add a rule")).click()
    console.by(".rule summary").last.click()
    console.page.get_by_role("button", name=re.compile("Calculer l'année|Reckon the year")).click()
    console.by(".editor table").wait_for()


def _previewed(console: Console) -> None:
    console.page.get_by_role("button", name=re.compile("Voir l'aperçu|Show the preview")).click()


# What is opened, and what is there once it is: an address, what a person does then, a selector.
STATES: dict[str, tuple[str, Callable[[Console], None], str]] = {
    "map": ("", _nothing, ".desk li"),
    "lamp": ("asset=luminaire-000012", _nothing, ".sheet .part"),
    "junction": (f"asset={FLASHING}", _nothing, ".sheet .part"),
    "cabinet": (f"asset={OPEN_CABINET}", _nothing, ".sheet .part"),
    "table": ("page=table", _nothing, ".space [role=row]"),
    "journal": ("page=journal", _nothing, "li.entry"),
    "programmes": ("page=programmes", _nothing, ".page :is(.line, .empty)"),
    "gateways": ("page=gateways", _nothing, ".page .empty"),
    "compliance": ("page=compliance", _nothing, ".page .list .line"),
    "maintenance": ("page=maintenance", _round, ".page .round .line"),
    "energy": ("page=energy", _nothing, ".page :is(.empty, .body)"),
    "orders": ("page=orders", _nothing, ".page :is(.line, .note)"),
    "create": ("", _create, "form .place"),
    "street": ("", _street, ".order .preview strong"),
    "palette": ("", _palette, "dialog [role=option]:nth-child(2)"),
    "keys": ("", _keys, "dialog kbd"),
}

# The same of whoever writes the lighting's programmes.
WRITING: dict[str, tuple[str, Callable[[Console], None], str]] = {
    "begin": ("page=programmes", _nothing, ".page :is(.line, .empty)"),
    "programme": ("page=programmes&plan=new", _written, ".editor .rule"),
    "preview": ("page=programmes&plan=new", _previewed, ".banner"),
    "why": ("asset=luminaire-000201", _nothing, ".sheet .why"),
}
WHO = {"operator": STATES, "manager": WRITING}


def prepare(console: Console) -> None:
    """Brings axe into a page, whose colours change at once from here on: what fades has neither its old ones nor its
    new ones."""
    console.evaluate(AXE.read_text(encoding="utf-8"))
    console.evaluate(
        """() => {
            const sheet = new CSSStyleSheet()
            sheet.replaceSync('*, *::before, *::after { transition: none !important }')
            document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet]
        }"""
    )


def faults(console: Console) -> list[str]:
    """What axe finds wrong with what is on the screen: all that it knows of by night, and, since the console is by day
    as it is by night but for its colours, what is wrong with those of the day."""
    found: list[str] = []
    for theme, rules in (("light", ["color-contrast"]), ("dark", [])):
        found += console.evaluate(
            """async ([theme, rules]) => {
                document.documentElement.dataset.theme = theme
                // Only what blinks for ever has no end.
                await Promise.all(
                    document.getAnimations()
                        .filter((each) => each.effect.getComputedTiming().iterations !== Infinity)
                        .map((each) => each.finished.catch(() => undefined))
                )
                const how = { resultTypes: ['violations'], ...(rules.length ? { runOnly: rules } : {}) }
                const said = (node) => node.html.slice(0, 160)
                return (await axe.run(document, how)).violations
                    .map((each) => [theme, each.id, each.help, ...each.nodes.map(said)].join(' | '))
            }""",
            [theme, rules],
        )
    return found


def test_axe_finds_nothing(window: Open) -> None:
    login = window(None)
    expect(login.by("input[name=login]")).to_be_visible()
    prepare(login)
    found = {"login": faults(login)}
    for who, states in WHO.items():
        console = window(who)
        console.map_stands()
        prepare(console)
        for name, (address, act, there) in states.items():
            console.press("Escape", "Escape")
            console.evaluate("(address) => (location.hash = address)", address)
            act(console)
            expect(console.by(there).first).to_be_visible()
            found[name] = faults(console)
    wrong = {name: each for name, each in found.items() if each}
    assert not wrong, "\n".join(f"{name}: {line}" for name, each in wrong.items() for line in each)


def test_on_a_phone_nothing_is_wider_than_the_screen(window: Open, here: Town) -> None:
    phone = window(size=(390, 844))
    phone.map_stands()
    for panel in ("Alarmes", "Services", "Carte"):
        phone.page.get_by_role("navigation", name="Panneaux").get_by_role("button", name=re.compile(panel)).click()
        assert phone.evaluate("() => document.documentElement.scrollWidth") <= 390
        outside = phone.evaluate(
            """() => [...document.querySelectorAll('.work button, .work a, .work p, .work h1, .work h2')]
                .filter((each) => each.checkVisibility() && each.getBoundingClientRect().width > 0)
                .filter((each) => each.getBoundingClientRect().right > innerWidth + 1 && !each.closest('.skip'))
                .map((each) => each.outerHTML.slice(0, 160))"""
        )
        assert not outside
    reported(here)
    phone.evaluate("(month) => (location.hash = `page=energy&month=${month}`)", MONTH)
    for part in ("Communes", "Rues", "Armoires"):
        phone.by(".parts button", has_text=part).click()
        expect(phone.by(".page tbody tr").first).to_be_visible()
        wide = phone.by(".page :is(table, button, a)").evaluate_all(
            "(all) => all.filter((one) => one.getBoundingClientRect().right > innerWidth).map((one) => one.outerHTML)"
        )
        assert not wide
