"""What the installed services declare fits together, and every word of it has a text in both languages."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator

import pytest

from tests.conftest import PROJECT
from vigie.app import services
from vigie.core.cases import PRIORITIES
from vigie.core.kinds import AssetKind, Catalogue, Sort
from vigie.core.lives import LIVES
from vigie.core.observations import Outcome
from vigie.core.scope import ROLES, Verb
from vigie.engine.loop import catalogue_of
from vigie.services.lighting.compliance.judge import RULES

SERVICES = services()


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return catalogue_of(SERVICES)


def texts(language: str, part: str = "") -> dict[str, str]:
    return json.loads((PROJECT / "src" / "vigie" / "texts" / f"{language}{part}.json").read_text("utf-8"))


def words_of(kind: type[AssetKind]) -> Iterator[str]:
    """The keys of everything that a kind can put before a person."""
    name = kind.kind
    yield from (f"kind.{name}", f"kind.{name}.many")
    for sort, declared in (("point", kind.points), ("attribute", kind.attributes)):
        for own, each in declared.items():
            yield f"{sort}.{name}.{own}"
            yield from (f"choice.{name}.{own}.{choice}" for choice in each.choices)
            if each.unit:
                yield f"unit.{each.unit}"
    for own, action in kind.actions.items():
        yield f"action.{name}.{own}"
        yield from (f"preset.{name}.{own}.{preset.name}" for preset in action.presets)
        for param in action.params:
            yield f"param.{name}.{own}.{param.name}"
            yield from (f"choice.{name}.{own}.{param.name}.{choice}" for choice in param.choices)
            if param.unit:
                yield f"unit.{param.unit}"


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_declared_word_has_a_text(language: str, catalogue: Catalogue) -> None:
    known = texts(language)
    wanted = {word for kind in catalogue.assets.values() for word in words_of(kind)}
    wanted |= {f"condition.{name}" for name in catalogue.conditions}
    wanted |= {f"service.{service.name}" for service in SERVICES}
    wanted |= {f"outcome.{outcome}" for outcome in Outcome}
    wanted |= {f"state.{life.name}.{state}" for life in LIVES.values() for state in life.states}
    wanted |= {f"plan.{kind.key}" for service in SERVICES for kind in service.plans}
    cases = [kind for service in SERVICES for kind in service.cases]
    wanted |= {f"case.{kind.key}{many}" for kind in cases for many in ("", ".many")}
    wanted |= {f"case.event.{kind.key}.{event}" for kind in cases for event in kind.moves}
    wanted |= {f"case.category.{category}" for kind in cases for category in kind.categories}
    wanted |= {f"case.priority.{priority}" for priority in PRIORITIES}
    wanted |= {f"role.{role}" for role in ROLES} | {f"verb.{verb}" for verb in Verb}
    assert sorted(wanted - known.keys()) == []


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_figure_has_words_and_is_of_its_own_service(language: str) -> None:
    known = texts(language, ".api")
    for service in SERVICES:
        assert [each.key for each in service.figures if f"console.figure.{each.key}" not in known] == []
        assert all(each.kind in service.assets and each.point in each.kind.points.values() for each in service.figures)
        assert all(len(each.codes) == len(each.when) for each in service.figures)


def calls(*folders: str) -> Iterator[tuple[str, ast.Call]]:
    """Every call of the code, with the name of what is called."""
    for folder in folders:
        for path in sorted((PROJECT / "src" / "vigie" / folder).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text("utf-8"))):
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
                    yield node.func.id if isinstance(node.func, ast.Name) else node.func.attr, node


REFUSALS = (
    "CaseRefused",
    "CommandRefused",
    "ConsignationRefused",
    "HandRefused",
    "OrderWrong",
    "PlanRefused",
    "Refusal",
    "Unanswerable",
)

FINDINGS = ("Finding", "Hours", "told")
"""What is found of a programme begins with the name of its rule; those of luminaires are listed."""


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_refusal_has_a_text_and_every_text_a_refusal(language: str) -> None:
    said = [call.args[0] for name, call in calls("engine", "services") if name in REFUSALS]
    said += [
        each.value for name, call in calls("api") if name == "Problem" for each in call.keywords if each.arg == "rule"
    ]
    rules = {each.value for each in said if isinstance(each, ast.Constant)}
    known = {
        key.removeprefix("refusal.").removesuffix(".unnamed") for key in texts(language) if key.startswith("refusal.")
    }
    assert rules == known


@pytest.mark.parametrize("language", ["fr", "en"])
def test_every_finding_has_a_text_and_every_text_a_finding(language: str) -> None:
    found = [call.args[0] for name, call in calls("services") if name in FINDINGS]
    rules = {f"finding.{each.value}" for each in found if isinstance(each, ast.Constant)}
    rules |= {f"finding.{rule.name}" for rule in RULES}
    assert rules - texts(language, ".signals").keys() == {key for key in texts(language) if key.startswith("finding.")}


def test_what_a_person_does_is_refused_by_a_rule_that_has_a_text() -> None:
    """The sentence of a problem is English, for programs: a page shows the text of its rule."""
    without = [
        ast.unparse(call)
        for name, call in calls("api/acts")
        if name == "Problem" and ast.literal_eval(call.args[0]) in {409, 422, 507}
        if "rule" not in {each.arg for each in call.keywords}
    ]
    assert without == []


@pytest.mark.parametrize(
    "part", ["", ".api", ".cases", ".console", ".datex2", ".field", ".mail", ".open311", ".signals"]
)
def test_both_languages_say_the_same_with_the_same_gaps(part: str) -> None:
    french, english = texts("fr", part), texts("en", part)
    assert french.keys() == english.keys()
    gaps = re.compile(r"\{\w+\}")
    assert [key for key in french if set(gaps.findall(french[key])) != set(gaps.findall(english[key]))] == []


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_catalogue_of_texts_is_sorted(language: str) -> None:
    known = list(texts(language))
    assert known == sorted(known)


@pytest.mark.parametrize(
    "file",
    [
        *(str(each.relative_to(PROJECT)) for each in sorted((PROJECT / "src/vigie/texts").glob("fr*.json"))),
        "docs/manual/fr.md",
    ],
)
def test_french_is_set_as_french_is(file: str) -> None:
    """No line begins with the sign that ends what stands before: a colon and guillemets have a no-break space before
    or after them, other double signs a narrow one."""
    wrong = r" [:;!?»](?!-)|«[^\u00a0]|[^\u00a0]»|\u202f:|\u00a0[;!?]|\w[;!?](?=\s|$)|n° \w|« "
    text = re.sub(r"```.*?```|`[^`]*`", "", (PROJECT / file).read_text("utf-8"), flags=re.DOTALL)
    assert [text[max(each.start() - 20, 0) : each.end() + 5] for each in re.finditer(wrong, text)] == []


def test_no_two_services_own_the_same_name(catalogue: Catalogue) -> None:
    assert sum(len(service.assets) for service in SERVICES) == len(catalogue.assets)
    assert sum(len(service.conditions) for service in SERVICES) == len(catalogue.conditions)
    for service in SERVICES:
        assert {kind.service for kind in service.assets} <= {service.name}
        assert {condition.service for condition in service.conditions} <= {service.name}


def test_every_alarm_has_a_priority_from_one_to_three(catalogue: Catalogue) -> None:
    assert {condition.priority for condition in catalogue.conditions.values()} <= {1, 2, 3}


@pytest.mark.parametrize("service", SERVICES, ids=lambda service: service.name)
def test_a_service_reacts_to_and_guards_what_exists(service, catalogue: Catalogue) -> None:
    own = {action for kind in catalogue.assets.values() for action in kind.actions.values()}
    assert set(service.guards) <= own
    for kind, point in service.reacts:
        assert kind.points[point.name] is point


def test_what_proves_an_order_can_hold_what_was_ordered(catalogue: Catalogue) -> None:
    """An order whose value the point refuses could never be proved."""
    for kind in catalogue.assets.values():
        for action in kind.actions.values():
            if action.proof is None or not action.proof.param:
                continue
            param = next(param for param in action.params if param.name == action.proof.param)
            point = kind.points[action.proof.point]
            if point.stands_for:
                point = kind.points[point.stands_for]
            assert param.sort is point.sort
            if point.sort is Sort.NUMBER:
                assert point.low <= param.low <= param.high <= point.high
            assert set(param.choices) <= set(point.choices)


def test_no_point_of_a_kind_that_nobody_may_see_is_public(catalogue: Catalogue) -> None:
    """A public point of a private asset would give the asset away."""
    for kind in catalogue.assets.values():
        assert kind.public or not any(point.public for point in kind.points.values()), kind.kind
