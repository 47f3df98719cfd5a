"""The reference pages, made from the code itself: nothing here can be out of date.

mkdocs calls it as a hook (see mkdocs.yml), so that the pages exist in the built site alone. tests/test_reference.py
holds them against everything that the code declares: what is not documented fails the suite.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import math
import re
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import typer.main
from mkdocs.config.defaults import MkDocsConfig
from mkdocs.structure.files import File, Files
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request
from starlette.routing import BaseRoute, Route, WebSocketRoute
from structlog.testing import capture_logs

from vigie.api.operation import OperationRoute
from vigie.app import doors_of, installation, services
from vigie.cli import main as command
from vigie.core import facts
from vigie.core.kinds import (
    Action,
    AssetKind,
    Attribute,
    ConditionKind,
    Default,
    Hold,
    Keeper,
    Pace,
    Param,
    Point,
    Preset,
    Sort,
)
from vigie.core.lives import LIVES, Life
from vigie.core.observations import KEPT, Outcome
from vigie.core.scope import ROLES, Verb
from vigie.core.service import Guard, Service
from vigie.settings import ENVIRONMENT_PREFIX, Settings

PROJECT = Path(__file__).resolve().parents[1]
SOURCE = PROJECT / "src" / "vigie"


# --- small things ---


@functools.cache
def texts(language: str) -> Mapping[str, str]:
    """The interface's words in a language."""
    return json.loads((SOURCE / "texts" / f"{language}.json").read_text("utf-8"))


def named(key: str) -> str:
    """What people read for a key: in English, then in French where that is another word."""
    english, french = (texts(language).get(key, "") for language in ("en", "fr"))
    return english if english == french else f"{english} · *{french}*"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table; empty if there is no row."""
    lines = ["| " + " | ".join(cell.replace("|", "\\|").replace("\n", " ") for cell in row) + " |" for row in rows]
    rule = "|" + "---|" * len(head)
    return "\n".join(["| " + " | ".join(head) + " |", rule, *lines]) + "\n\n" if lines else ""


def code(text: str) -> str:
    """A name as it is written in files and requests."""
    return f"`{text}`" if text else ""


def amount(value: float) -> str:
    """A number as people write it."""
    return f"{value:,.6g}" if abs(value) < 1e6 else f"{value:,.0f}"


def seconds(value: float) -> str:
    """A duration in the unit in which it is a whole number."""
    for unit, size in (("d", 86_400), ("h", 3_600), ("min", 60)):
        if value >= size and value % size == 0:
            return f"{amount(value / size)} {unit}"
    return f"{amount(value)} s"


def yes(flag: bool) -> str:
    """A tick where something is so."""
    return "yes" if flag else ""


def meaning(thing: object) -> str:
    """What a thing's docstring says, as one paragraph a blank line."""
    return inspect.cleandoc(getattr(thing, "__doc__", None) or "")


def meanings_of_fields(text: str, fields: Iterable[str]) -> dict[str, str]:
    """What a docstring of the form "one: what it is. two, three: what they are." says of each field."""
    names = sorted(fields, key=len, reverse=True)
    one = "|".join(re.escape(name) for name in names)
    heads = list(re.finditer(rf"(?<![\w.])((?:{one})(?:,\s+(?:{one}))*):\s", text))
    found: dict[str, str] = {}
    for head, following in zip(heads, [*heads[1:], None], strict=True):
        said = " ".join(text[head.end() : following.start() if following else len(text)].split())
        found |= dict.fromkeys(re.split(r",\s+", head.group(1)), said)
    return found


# --- kinds ---


def sort_of(declared: Point[Any] | Attribute | Param) -> str:
    """What may stand there: a choice's names, else the sort."""
    return ", ".join(map(code, declared.choices)) if declared.choices else declared.sort.value


def bounds(declared: Point[Any] | Param) -> str:
    """The least and the most, where there are any, with the unit."""
    low, high = declared.low, declared.high
    if declared.sort is not Sort.NUMBER or (math.isinf(low) and math.isinf(high)):
        return declared.unit
    least = f"≥ {amount(low)}" if math.isinf(high) else f"{amount(low)} to {amount(high)}"
    return f"{least if not math.isinf(low) else f'≤ {amount(high)}'} {declared.unit}".strip()


def attributes_of(kind: type[AssetKind]) -> str:
    """What its inventory says of it."""
    rows = [
        (code(name), named(f"attribute.{kind.kind}.{name}"), sort_of(each), each.unit, yes(each.public))
        for name, each in kind.attributes.items()
    ]
    made = table(("attribute", "", "", "unit", "public"), rows)
    return f"What its inventory says of it:\n\n{made}" if made else ""


def points_of(kind: type[AssetKind]) -> str:
    """What it reports."""
    rows = [
        (
            code(name),
            named(f"point.{kind.kind}.{name}"),
            sort_of(each),
            bounds(each),
            seconds(each.valid_s),
            yes(each.public),
            "the post alone" if each.by_post else "its device",
        )
        for name, each in kind.points.items()
    ]
    made = table(("point", "", "", "bounds, unit", "true for", "public", "said by"), rows)
    return f"What it reports:\n\n{made}" if made else ""


def actions_of(kind: type[AssetKind], guards: Mapping[Action, tuple[Guard, ...]]) -> str:
    """What it can be told to do."""
    parts: list[str] = []
    for name, action in kind.actions.items():
        parameters = [
            f"{code(each.name)}: {sort_of(each)}{f' ({span})' if (span := bounds(each)) else ''}{default_of(each)}"
            for each in action.params
        ]
        facts_of_action = [
            ("parameters", "; ".join(parameters) or "none"),
            ("proved by", proof_of(action)),
            ("hazard", action.hazard.value.replace("_", "-")),
            ("not sent after", seconds(action.expires_s)),
            ("proof may take", seconds(action.proof_s)),
            ("sent again if its fate is unknown", "never" if action.once else "yes: it sets an absolute state"),
            ("sent where it is so already", "yes: it decides more than what proves it" if action.always else "no"),
            *([("ends", end_of(action.holds))] if action.holds else []),
            *([("goes out", pace_of(action.pace))] if action.pace else []),
            *([("reason", "has to be given")] if action.answered else []),
            *([("carried out by", "the post itself: no device is handed it")] if action.by_post else []),
            *([("right", f"to order in {code(action.service)}, and to see it")] if action.service else []),
            *((named(f"preset.{kind.kind}.{name}.{each.name}"), preset_of(each)) for each in action.presets),
            *(("may be refused", meaning(guard)) for guard in guards.get(action, ())),
        ]
        parts.append(f"#### {code(f'{kind.kind}.{name}')}\n\n{named(f'action.{kind.kind}.{name}')}\n\n")
        parts.append(table(("", ""), facts_of_action))
    return "".join(parts)


def proof_of(action: Action) -> str:
    """The observation that proves it was done."""
    if action.proof is None:
        return "nothing: it stays unproved"
    proof = action.proof
    wanted = f"the ordered {code(proof.param)}" if proof.param else code(str(proof.equals))
    return f"{code(proof.point)} showing {wanted}" + (f", ± {amount(proof.tolerance)}" if proof.tolerance else "")


def preset_of(preset: Preset) -> str:
    """An order that forms offer whole."""
    said = [f"{code(name)} {value}" for name, value in preset.params]
    return ", ".join([*said, *([f"for {seconds(preset.lasts_s)}"] if preset.lasts_s else [])])


def default_of(param: Param) -> str:
    """What stands for a parameter that is not said, and how far ahead it may lie."""
    unsaid = {
        Default.DAWN: ", the next dawn where it is not said",
        Default.LONGEST: ", as far ahead as may be where it is not said",
        Default.UNSAID: ", or left out",
        Default.EMPTY: ", or left out",
    }
    said = unsaid[param.default] if param.default else ""
    lists = f", ids of {code(param.lists)} apart by spaces" if param.lists else ""
    return lists + said + (f", {seconds(param.ahead_s)} ahead at most" if math.isfinite(param.ahead_s) else "")


def end_of(hold: Hold) -> str:
    """When and how what an order sets is over."""
    by = "by itself" if hold.keeper is Keeper.DEVICE else "when the post gives the order that ends it"
    back = f"over when {code(hold.point)} shows {code(str(hold.free))}"
    return f"at {code(hold.until)}, {by}, or before by {code(hold.ends)}; {back}"


def pace_of(pace: Pace) -> str:
    """How many targets leave at once."""
    of = f"that stand at nothing by {code(pace.point)}"
    return f"at most {pace.at_once} targets of one feeder {of} in {seconds(pace.every_s)}"


def about(kind: type[AssetKind]) -> str:
    """What is said of a kind in one line."""
    words = [
        f"drawn as a {kind.shape.value}",
        "public" if kind.public else "not public",
        f"seen with the verb {code(kind.verb)}",
    ]
    if kind.shown:
        words.append(f"its picture follows {code(kind.shown)}")
    if kind.area:
        words.append("an area that others lie in")
    if kind.follows_place:
        words.append("also seen from the area it is in at the moment")
    return "; ".join(words) + "."


def kind_section(kind: type[AssetKind], service: Service) -> str:
    """All that is declared of one kind."""
    head = f"## {code(kind.kind)}\n\n{named(f'kind.{kind.kind}')}\n\n{meaning(kind)}\n\n{about(kind).capitalize()}\n\n"
    return head + attributes_of(kind) + points_of(kind) + actions_of(kind, service.guards)


def conditions_table(conditions: Sequence[ConditionKind]) -> str:
    """The abnormal states that a service can find."""
    rows = [
        (
            code(each.name),
            named(f"condition.{each.name}"),
            each.outlet.value,
            str(each.priority) if each.outlet == "alarm" else "",
        )
        for each in conditions
    ]
    made = table(("condition", "", "goes to", "priority"), rows)
    return f"## Conditions\n\n{made}" if made else ""


def service_page(service: Service) -> str:
    """One city service: its kinds and conditions."""
    module = sys.modules[type_module(service)]
    sections = "".join(kind_section(kind, service) for kind in service.assets)
    title = named(f"service.{service.name}")
    return f"# {title}\n\n{meaning(module)}\n\n{sections}{conditions_table(service.conditions)}"


def type_module(service: Service) -> str:
    """The name of the package that exports a service."""
    return next(kind.__module__.removesuffix(".kinds") for kind in service.assets)


# --- lives, outcomes, scopes, facts ---


def life_section(life: Life) -> str:
    """A life as a table: which event leads from which state to which."""
    events = list(dict.fromkeys(event for _, event in life.moves))
    rows = [
        (
            f"**{state}**" if state == life.first else f"*{state}*" if state in life.last else state,
            *(life.moves.get((state, event), "") for event in events),
        )
        for state in life.states
    ]
    names = ", ".join(f"{code(state)} {named(f'state.{life.name}.{state}')}" for state in life.states)
    return f"## {life.name.capitalize()}\n\n{table(('in state', *events), rows)}In the interface: {names}.\n\n"


def lives_page() -> str:
    """The lives of commands, their targets, conditions and consignations."""
    head = (
        "# Lives\n\nThe states of commands, their targets, conditions and consignations, and the moves between them, "
        "as `vigie.core.lives` declares them. A row is a state, a column an event, the cell the state it leads to; "
        "where a cell is empty, the event is refused. The first state is **bold**, last ones are *slanted*. "
        "The only moves out of a last state are a late proof and the end of what was set.\n\n"
    )
    return head + "".join(life_section(life) for life in LIVES.values())


def outcomes_page() -> str:
    """What may become of a reading."""
    rows = [(code(each), named(f"outcome.{each}"), yes(each in KEPT)) for each in Outcome]
    return (
        "# Outcomes of a reading\n\nEvery reading that a device sends has exactly one of these, is counted under it in "
        "`vigie_readings_total`, and, where it was refused, is told to the device with its row.\n\n"
        + table(("outcome", "", "kept for good"), rows)
    )


def scopes_page() -> str:
    """Verbs and roles."""
    verbs = table(("verb", ""), [(code(verb), named(f"verb.{verb}")) for verb in Verb])
    roles = table(
        ("role", "", "verbs"),
        [
            (code(name), named(f"role.{name}"), ", ".join(code(v) for v in Verb if v in has))
            for name, has in ROLES.items()
        ],
    )
    return (
        "# Scopes\n\nA scope is a union of grants; a grant is an area with all below it, some services and some verbs. "
        f"Without any grant only what kinds mark public is seen.\n\n## Verbs\n\n{verbs}## Roles\n\n{roles}"
    )


def facts_page() -> str:
    """What the journal can hold."""
    kinds: Sequence[type[facts.Fact]] = facts.AnyFact.__args__
    parts = [
        f"# Facts\n\n{meaning(facts)}\n\nEvery fact has the fields of the first; `sealed` holds its commitments.\n\n"
    ]
    for kind in (facts.Fact, *kinds):
        common = () if kind is facts.Fact else facts.Fact.__struct_fields__
        fields = [code(name) for name in kind.__struct_fields__ if name not in common]
        own = f"Fields: {', '.join(fields)}." if fields else ""
        parts.append(f"## {code(kind.__name__)}\n\n{meaning(kind)}\n\n{own}\n\n")
    return "".join(parts)


# --- settings, commands, endpoints, figures ---


def settings_page() -> str:
    """Every setting, its default and what it does."""
    said = meanings_of_fields(meaning(Settings), Settings.__struct_fields__)
    rows = [
        (
            code(field.name),
            code(ENVIRONMENT_PREFIX + field.name.upper()),
            getattr(field.type, "__name__", str(field.type)),
            code(str(field.default)) if field.default is not msgspec.NODEFAULT else "",
            said.get(field.name, ""),
        )
        for field in msgspec.structs.fields(Settings)
    ]
    return (
        "# Settings\n\nOne TOML file (`--config`), overlaid by the environment, overlaid by the command line. An "
        "unknown key is an error that names the nearest one.\n\n"
        + table(("key", "environment", "type", "default", "meaning"), rows)
    )


@dataclass(frozen=True)
class Command:
    """One command of the program: its words, what it does, its parameters (how written, what for, default)."""

    words: str
    help: str
    parameters: tuple[tuple[str, str, str], ...]


def commands() -> Iterator[Command]:
    """Every command that `vigie` knows, as the command line itself declares them."""

    def below(group: Any, words: str) -> Iterator[Command]:
        if not hasattr(group, "list_commands"):
            made = tuple(parameter(each) for each in group.params if not getattr(each, "hidden", False))
            yield Command(words, inspect.cleandoc(group.help or ""), made)
            return
        for name in group.list_commands(None):
            yield from below(group.get_command(None, name), f"{words} {name}")

    yield from below(typer.main.get_command(command), "vigie")


def parameter(each: Any) -> tuple[str, str, str]:
    """How a parameter is written, what it is for, and what it is if not given."""
    option = each.param_type_name == "option"
    written = ", ".join([*each.opts, *each.secondary_opts]) if option else each.name.upper()
    default = each.default if isinstance(each.default, (str, int, float)) and each.default not in ("", False) else ""
    return written, each.help or "", str(default)


def commands_page() -> str:
    """The command line."""
    parts = ["# Commands\n\nEach also has `--help`.\n\n"]
    for each in commands():
        rows = [(code(written), what, code(default)) for written, what, default in each.parameters]
        parts.append(f"## {code(each.words)}\n\n{each.help}\n\n{table(('', '', 'default'), rows)}")
    return "".join(parts)


@dataclass(frozen=True)
class Endpoint:
    """One address of the post: its methods, its path and what it does."""

    methods: str
    path: str
    meaning: str


@dataclass(frozen=True)
class Figure:
    """One figure of /metrics: its name there, its type, what tells its rows apart, and what it is."""

    name: str
    type: str
    labels: str
    meaning: str


@functools.cache
def asked() -> tuple[list[Endpoint], list[Figure]]:
    """Every address that a post answers and every figure that it has, asked from a post that was just made."""
    with (
        tempfile.TemporaryDirectory(prefix="vigie-reference-") as folder,
        capture_logs(),  # It has no account, and says so.
        # A broker and a server of mail are named, and never asked, for the figures that only a post with them has.
        installation(
            Settings(
                data=Path(folder),
                reserve_observations_mb=0,
                reserve_facts_mb=0,
                mqtt_url="mqtt://127.0.0.1:1883",
                smtp_host="127.0.0.1",
                mail_from="post@town.example",
                public_url="https://post.example",
            )
        ) as opened,
    ):
        doors = doors_of(opened)
        found = [each for route in doors.routes for each in endpoints_of(route)]
        found += [Endpoint(method, path, summary(each)) for (method, path), each in doors.direct.items()]
        metrics = next(each for each in doors.routes if isinstance(each, Route) and each.path == "/metrics")
        here = {"type": "http", "client": ("127.0.0.1", 0), "headers": []}
        text = bytes(asyncio.run(metrics.endpoint(Request(here))).body).decode()
    return sorted(found, key=lambda each: (each.path, each.methods)), figures_in(text)


def endpoints() -> list[Endpoint]:
    """Every address that a post answers."""
    return asked()[0]


def figures_in(text: str) -> list[Figure]:
    """The figures in what /metrics answers."""
    found: list[Figure] = []
    for family in text_string_to_metric_families(text):
        rows: dict[str, list[str]] = {}
        for sample in family.samples:
            for label, value in sample.labels.items():
                rows.setdefault(label, []).append(code(value))
        labels = "; ".join(f"{code(label)}: {', '.join(values)}" for label, values in rows.items())
        name = f"{family.name}_total" if family.type == "counter" else family.name
        found.append(Figure(name, family.type, labels, family.documentation))
    return sorted(found, key=lambda each: each.name)


def endpoints_of(route: BaseRoute) -> Iterator[Endpoint]:
    """What one route answers."""
    match route:
        case OperationRoute(operation=operation):
            yield Endpoint(operation.method, route.path, f"{operation.words[0]}.")
        case WebSocketRoute():
            yield Endpoint("WebSocket", route.path, summary(route.endpoint))
        case Route(methods=methods):
            yield Endpoint(", ".join(sorted((methods or set()) - {"HEAD"})), route.path, summary(route.endpoint))
        case _:
            raise TypeError(f"{route} is no route that this page knows")


def summary(function: object) -> str:
    """The first paragraph of a docstring, in one line."""
    return " ".join((inspect.getdoc(function) or "").partition("\n\n")[0].split())


def endpoints_page() -> str:
    """The addresses that the post answers."""
    rows = [(each.methods, code(each.path), each.meaning) for each in endpoints()]
    return (
        "# Endpoints\n\nWhat the post answers over HTTP. Errors are problems (RFC 9457, `application/problem+json`) "
        "that say what is wrong and how to mend it.\n\n" + table(("method", "path", ""), rows)
    )


def figures_page() -> str:
    """The figures that the post keeps of itself."""
    rows = [(code(each.name), each.type, each.meaning, each.labels) for each in asked()[1]]
    return (
        "# Figures\n\nWhat `GET /metrics` answers, in Prometheus' own form. Those of MQTT and of mail are there where "
        "a broker, or a server of mail, is set. [Which to watch](../how-to/keep-it-running.md).\n\n"
        + table(("figure", "type", "", "by"), rows)
    )


# --- the hook ---


def pages() -> dict[str, str]:
    """Every reference page: its path below docs/, and its text."""
    made = {f"reference/kinds/{service.name}.md": service_page(service) for service in services()}
    others: Mapping[str, Callable[[], str]] = {
        "commands": commands_page,
        "endpoints": endpoints_page,
        "facts": facts_page,
        "figures": figures_page,
        "lives": lives_page,
        "outcomes": outcomes_page,
        "scopes": scopes_page,
        "settings": settings_page,
    }
    return made | {f"reference/{name}.md": page() for name, page in others.items()}


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """mkdocs asks for the order of the pages: under "Reference" stand ours, after what is written there by hand."""
    made = sorted(pages())
    kinds = [path for path in made if "/kinds/" in path]
    for entry in config.nav or []:
        if isinstance(entry, dict) and "Reference" in entry:
            entry["Reference"] += [{"Kinds": kinds}, *(path for path in made if path not in kinds)]
    return config


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """mkdocs asks which files there are: the reference pages too."""
    for path, text in pages().items():
        files.append(File.generated(config, path, content=text))
    return files
