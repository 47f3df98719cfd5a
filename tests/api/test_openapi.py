"""The OpenAPI document: made from the routes that answer, so nothing is missing from it, and every reference holds."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from starlette.routing import Route

from vigie.api.html import STYLE
from vigie.api.openapi import as_html, document
from vigie.api.operation import OperationRoute
from vigie.api.words import words
from vigie.app import doors_of, installation
from vigie.settings import Settings


@pytest.fixture(scope="module")
def routes(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Any], dict[str, Any]]:
    """The routes of a post that was just made, and the document that they make."""
    folder = tmp_path_factory.mktemp("post")
    with installation(Settings(data=folder, reserve_observations_mb=0, reserve_facts_mb=0)) as opened:
        doors = doors_of(opened)
        return doors.routes, document(doors.routes, doors.direct, "1.2.3") | {"direct": list(doors.direct)}


def operations(whole: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in whole["paths"].items():
        for method, operation in methods.items():
            yield path, method, operation


def test_every_route_is_in_the_document(routes: tuple[list[Any], dict[str, Any]]) -> None:
    every, whole = routes
    known = {(method.upper(), path) for path, method, _ in operations(whole)}
    answered = {
        (method, re.sub(r":\w+}", "}", route.path))
        for route in every
        if isinstance(route, Route) and route.path.startswith("/api/v1/") and route.path != "/api/v1/openapi.json"
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert answered | set(map(tuple, whole["direct"])) <= known
    assert sum(isinstance(route, OperationRoute) for route in every) > 25


def test_every_operation_says_what_it_does_and_how_it_fails(routes: tuple[list[Any], dict[str, Any]]) -> None:
    _, whole = routes
    ids = [operation["operationId"] for _, _, operation in operations(whole)]
    assert len(ids) == len(set(ids))
    for path, method, operation in operations(whole):
        assert operation["summary"], (method, path)
        problem = operation["responses"]["default"]["content"]["application/problem+json"]["schema"]
        assert problem == {"$ref": "#/components/schemas/ProblemForm"}
        named = {each["name"] for each in operation.get("parameters", ()) if each["in"] == "path"}
        assert named == set(re.findall(r"{(\w+)}", path)), path
        for each in operation.get("parameters", ()):
            assert each["in"] != "query" or each["description"], (path, each["name"])


def test_every_reference_leads_somewhere(routes: tuple[list[Any], dict[str, Any]]) -> None:
    _, whole = routes
    referred = set(re.findall(r'"#/components/schemas/([^"]+)"', json.dumps(whole)))
    assert referred == whole["components"]["schemas"].keys() - ({"ProblemForm"} - referred)
    assert all(each.get("description") for each in whole["components"]["schemas"].values())


@pytest.mark.parametrize("language", ["fr", "en"])
def test_the_page_for_people_tells_all_of_it_without_script(
    routes: tuple[list[Any], dict[str, Any]], language: str
) -> None:
    _, whole = routes
    page = as_html(whole, words(language))
    assert all(path in page for path in whole["paths"])
    assert "<script" not in page
    assert "style=" not in page
    assert "<" not in STYLE
    anchors, links = set(re.findall(r'id="(\w+)"', page)), set(re.findall(r'href="#(\w+)"', page))
    assert links <= anchors


def test_what_is_declared_is_what_is_there(tmp_path: Path) -> None:
    """A query's parameter is a field of its Struct, no more and no less."""
    with installation(Settings(data=tmp_path, reserve_observations_mb=0, reserve_facts_mb=0)) as opened:
        doors = doors_of(opened)
        whole = document(doors.routes, doors.direct, "1")
        for route in doors.routes:
            if isinstance(route, OperationRoute):
                own = whole["paths"][re.sub(r":\w+}", "}", route.path)][route.operation.method.lower()]
                said = {each["name"] for each in own.get("parameters", ()) if each["in"] == "query"}
                assert said == set(route.operation.query.__struct_encode_fields__)
