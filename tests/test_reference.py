"""Nothing that the code declares is missing from the reference, and nothing in it is without a meaning."""

from __future__ import annotations

import sys

import pytest

from scripts import reference
from vigie.app import services
from vigie.core import facts
from vigie.core.lives import LIVES
from vigie.core.observations import Outcome
from vigie.core.scope import ROLES, Verb
from vigie.core.service import Service
from vigie.settings import Settings

SERVICES = services()
PAGES = reference.pages()


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_every_kind_and_all_it_declares_is_described(service: Service) -> None:
    page = PAGES[f"reference/kinds/{service.name}.md"]
    own = sys.modules[reference.type_module(service)].__doc__
    assert own
    assert own.splitlines()[0] in page
    for kind in service.assets:
        section = page.partition(f"\n## `{kind.kind}`\n")[2].partition("\n## ")[0]
        assert kind.__doc__, kind
        assert kind.__doc__.splitlines()[0] in section
        missing = [name for name in (*kind.points, *kind.attributes) if f"| `{name}` | " not in section]
        missing += [name for name in kind.actions if f"#### `{kind.kind}.{name}`" not in section]
        assert missing == [], kind.kind
    assert [each.name for each in service.conditions if f"| `{each.name}` | " not in page] == []
    assert all(guard.__doc__ for guards in service.guards.values() for guard in guards)


def test_every_move_of_every_life_is_drawn() -> None:
    for life in LIVES.values():
        section = PAGES["reference/lives.md"].partition(f"## {life.name.capitalize()}\n")[2].partition("\n## ")[0]
        cells = [cell for line in section.splitlines() if line.startswith("|") for cell in line.split(" | ")[1:]]
        assert sum(cell.strip(" |") in life.states for cell in cells) == len(life.moves), life.name
        assert all(f"`{state}`" in section for state in life.states)


def test_every_outcome_verb_role_and_fact_is_listed() -> None:
    listed = {
        "outcomes": [f"| `{each}` | " for each in Outcome],
        "scopes": [f"| `{each}` | " for each in (*Verb, *ROLES)],
        "facts": [f"## `{each.__name__}`" for each in facts.AnyFact.__args__],
    }
    assert [row for page, rows in listed.items() for row in rows if row not in PAGES[f"reference/{page}.md"]] == []


def test_every_setting_has_a_meaning() -> None:
    said = reference.meanings_of_fields(reference.meaning(Settings), Settings.__struct_fields__)
    assert said.keys() == set(Settings.__struct_fields__)
    assert all(said.values())
    assert all(f"`{name}`" in PAGES["reference/settings.md"] for name in said)


def test_every_command_and_parameter_says_what_it_is() -> None:
    known = list(reference.commands())
    assert {"vigie serve", "vigie journal verify"} <= {each.words for each in known}
    assert [each.words for each in known if not each.help] == []
    assert [f"{each.words} {written}" for each in known for written, what, _ in each.parameters if not what] == []
    assert [each.words for each in known if f"## `{each.words}`\n" not in PAGES["reference/commands.md"]] == []


def test_every_address_of_a_post_is_described() -> None:
    known = reference.endpoints()
    assert {"/api/v1/assets/{id}", "/device/v1/observations", "/health/live"} <= {each.path for each in known}
    assert [each.path for each in known if not each.meaning.strip(".")] == []
    page = PAGES["reference/endpoints.md"]
    assert [each.path for each in known if f"| {each.methods} | `{each.path}` | {each.meaning}" not in page] == []


def test_every_figure_has_a_meaning_and_says_what_tells_its_rows_apart() -> None:
    known = {each.name: each for each in reference.asked()[1]}
    assert {"vigie_readings_total", "vigie_logins_total", "vigie_live_sockets", "vigie_mqtt_connected"} <= known.keys()
    assert [each.name for each in known.values() if not each.meaning] == []
    assert "`not_yours`" in known["vigie_readings_total"].labels
    assert [name for name in known if f"| `{name}` | " not in PAGES["reference/figures.md"]] == []


def test_a_docstring_is_read_field_by_field() -> None:
    said = "How it runs.\n\ndata: its folder. host,\nport: where it answers: here."
    assert reference.meanings_of_fields(said, ["data", "host", "port"]) == {
        "data": "its folder.",
        "host": "where it answers: here.",
        "port": "where it answers: here.",
    }
