"""The OpenAPI 3.1 document, made from the routes that answer: what is declared as an operation is described whole, any
other by its docstring. A page for people is made from the same document."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from html import escape
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from vigie.api.access import SESSION_COOKIE, language_of
from vigie.api.html import page
from vigie.api.operation import PREFIX, Nothing, Operation, OperationRoute
from vigie.api.words import Words, words

DOCUMENT_PATH = "/api/v1/openapi.json"

_REFERENCE = "#/components/schemas/{name}"
_DESCRIBED = ("/api/v1/", "/device/", "/health/", "/metrics")


class ProblemForm(msgspec.Struct, frozen=True, omit_defaults=True):
    """What is wrong (RFC 9457). mend: what mends it. rule, values: the key of the rule that refuses, and what goes into
    its words."""

    type: str
    title: str
    status: int
    detail: str = ""
    mend: str = ""
    rule: str = ""
    values: dict[str, str | float] = {}


def document(routes: Iterable[BaseRoute], direct: Mapping[tuple[str, str], Any], version: str) -> dict[str, Any]:
    """The document of all routes below /api/v1, the devices' door, health and figures.

    direct: (method, path) and endpoint of what is answered without a router.
    """
    known = [each for each in routes if isinstance(each, Route) and each.path.startswith(_DESCRIBED)]
    operations = [each.operation for each in known if isinstance(each, OperationRoute)]
    schemas = _Schemas(operations)
    paths: dict[str, dict[str, Any]] = {}
    for operation in operations:
        path = re.sub(r":\w+}", "}", PREFIX + operation.path)
        paths.setdefault(path, {})[operation.method.lower()] = _described(operation, schemas)
    plain = [
        (method, each.path, each.endpoint)
        for each in known
        if not isinstance(each, OperationRoute)
        for method in sorted((each.methods or set()) - {"HEAD"})
    ]
    for method, path, endpoint in [*plain, *((method, path, endpoint) for (method, path), endpoint in direct.items())]:
        path = re.sub(r":\w+}", "}", path)
        paths.setdefault(path, {})[method.lower()] = _by_docstring(method, path, endpoint)
    # What is sent in the address is described there, parameter by parameter.
    forms = {schemas.name(operation.query) for operation in operations}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "vigie",
            "version": version,
            "license": {"name": "EUPL-1.2", "identifier": "EUPL-1.2"},
            "description": "Instants are RFC 3339 in UTC, places longitude and latitude in degrees (WGS84), numbers in "
            "the units of their points. Errors are problems (RFC 9457). A list is given in pages: `next` is the cursor "
            "of the following one. Without an account only what kinds mark public is told.",
        },
        "paths": dict(sorted(paths.items())),
        "components": {
            "schemas": {name: each for name, each in schemas.components.items() if name not in forms},
            "securitySchemes": {
                "session": {"type": "apiKey", "in": "cookie", "name": SESSION_COOKIE},
                "token": {"type": "http", "scheme": "bearer"},
            },
        },
    }


class _Schemas:
    """The schema of each type that is sent or answered, and the components that they refer to."""

    def __init__(self, operations: Sequence[Operation]) -> None:
        types: list[Any] = [ProblemForm]
        for operation in operations:
            types += [each for each in (operation.query, operation.body, operation.answer) if each is not None]
        # A generic type is written out whole, so that its text tells it apart where it has no identity of its own.
        wanted = {str(each): each for each in types}
        made, components = msgspec.json.schema_components(wanted.values(), ref_template=_REFERENCE)
        self._made = dict(zip(wanted, made, strict=True))
        self.components = {name: _tidy(each) for name, each in sorted(components.items())}

    def of(self, kind: Any) -> dict[str, Any]:
        """The schema of a type."""
        return self._made[str(kind)]

    def name(self, kind: Any) -> str:
        """The name of the component that a type is."""
        return str(self.of(kind)["$ref"]).rpartition("/")[2]


def _tidy(schema: dict[str, Any]) -> dict[str, Any]:
    """The schema with its docstring as paragraphs."""
    if "description" not in schema:
        return schema
    parts = inspect.cleandoc(schema["description"]).split("\n\n")
    return schema | {"description": "\n\n".join(" ".join(part.split()) for part in parts)}


def _described(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    summary, description = operation.words
    said: dict[str, Any] = {
        "operationId": _id(operation.method, operation.path),
        "tags": [operation.path.partition("/")[0]],
        "summary": summary,
        "responses": _answers(operation, schemas),
    }
    rights = f"Takes the right `{operation.verb.value}`." if operation.verb is not None else ""
    if text := "\n\n".join(part for part in (description, rights) if part):
        said["description"] = text
    parameters = [_in_path(name) for name in re.findall(r"{(\w+)", operation.path)]
    parameters += _in_query(operation, schemas)
    parameters += [
        {"name": name, "in": "header", "description": meaning, "schema": {"type": "string"}}
        for name, meaning in operation.headers.items()
    ]
    if parameters:
        said["parameters"] = parameters
    if operation.body is not None:
        content = {"application/json": {"schema": schemas.of(operation.body)}}
        said["requestBody"] = {"required": True, "content": content}
    if operation.anybody:
        said["security"] = [{}]
    else:
        said["security"] = [{"session": []}, {"token": []}, *([{}] if operation.public else [])]
    return said


def _answers(operation: Operation, schemas: _Schemas) -> dict[str, Any]:
    if operation.answer is None:
        status = 204 if operation.status == 200 else operation.status
        good: dict[str, Any] = {"description": "Done."}
    else:
        status = operation.status
        content = {"application/json": {"schema": schemas.of(operation.answer)}}
        for media, when in operation.also.items():
            content[media] = {"schema": {"type": "string", "description": when}}
        good = {"description": "As asked for.", "content": content}
    answers = {str(status): good}
    if operation.kept:
        good["headers"] = {"ETag": {"schema": {"type": "string"}}}
        answers["304"] = {"description": "As it was: the ETag in If-None-Match is still its own."}
    statuses = {400, *operation.problems}
    if not operation.anybody:
        statuses |= {401} | ({403} if operation.writes or operation.verb is not None else set[int]())
    if "{" in operation.path:
        statuses.add(404)
    if operation.body is not None:
        statuses |= {413, 415, 422}
    return answers | {str(each): _problem() for each in sorted(statuses)} | {"default": _problem()}


def _by_docstring(method: str, path: str, endpoint: Any) -> dict[str, Any]:
    said = inspect.getdoc(endpoint) or ""
    summary, _, description = said.partition("\n\n")
    told: dict[str, Any] = {
        "operationId": _id(method, path.lstrip("/")),
        "tags": [path.removeprefix(PREFIX).strip("/").partition("/")[0]],
        "summary": " ".join(summary.split()).rstrip("."),
        "responses": {"2XX": {"description": "As asked for."}, "default": _problem()},
    }
    if description:
        told["description"] = " ".join(description.split())
    if parameters := [_in_path(name) for name in re.findall(r"{(\w+)", path)]:
        told["parameters"] = parameters
    return told


def _in_path(name: str) -> dict[str, Any]:
    return {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}


def _in_query(operation: Operation, schemas: _Schemas) -> list[dict[str, Any]]:
    if operation.query is Nothing:
        return []
    form = schemas.components[schemas.name(operation.query)]
    required = set(form.get("required", ()))
    told: list[dict[str, Any]] = []
    for name, schema in form["properties"].items():
        own = {key: value for key, value in schema.items() if key != "description"}
        each = {"name": name, "in": "query", "description": schema.get("description", ""), "schema": own}
        told.append(each | ({"required": True} if name in required else {}))
    return told


def _problem() -> dict[str, Any]:
    reference = {"$ref": _REFERENCE.format(name=ProblemForm.__name__)}
    return {"description": "A problem.", "content": {"application/problem+json": {"schema": reference}}}


def _id(method: str, path: str) -> str:
    return "_".join([method.lower(), *re.findall(r"\w+", path)])


def docs_routes(routes: Sequence[BaseRoute], direct: Mapping[tuple[str, str], Any], version: str) -> list[Route]:
    """The document, and the page for people, of all these routes."""
    described = tuple(routes)

    @cache
    def whole() -> dict[str, Any]:
        # Made when it is asked for: a start does not wait for it.
        made = document(described, direct, version)
        made["paths"][DOCUMENT_PATH] = {"get": _by_docstring("GET", DOCUMENT_PATH, openapi) | {"security": [{}]}}
        return made

    @cache
    def body() -> bytes:
        return msgspec.json.encode(whole())

    async def openapi(request: Request) -> Response:
        """This document."""
        return Response(body(), media_type="application/json", headers={"Cache-Control": "no-cache"})

    async def people(request: Request) -> Response:
        """The API for people to read."""
        language = language_of(request)
        return page(words(language)("api.title"), as_html(whole(), words(language)), language)

    return [Route(DOCUMENT_PATH, openapi, methods=["GET"]), Route("/api", people, methods=["GET"])]


def as_html(whole: Mapping[str, Any], said: Words) -> str:
    """The document as the inside of a page."""
    parts = [f"<p>{escape(said('api.lead'))} <a href='{DOCUMENT_PATH}'>openapi.json</a></p>"]
    by_tag: dict[str, list[str]] = {}
    for path, methods in whole["paths"].items():
        for method, operation in methods.items():
            by_tag.setdefault(operation["tags"][0], []).append(_operation_html(method, path, operation, said))
    for tag, operations in sorted(by_tag.items()):
        parts += [f"<h2>{escape(tag)}</h2>", *operations]
    parts.append(f"<h2>{escape(said('api.forms'))}</h2>")
    for name, schema in whole["components"]["schemas"].items():
        if "properties" in schema or "enum" in schema:
            meaning = _paragraphs(schema.get("description", ""))
            inside = _fields(schema) if "properties" in schema else f"<p>{_type(schema)}</p>"
            parts.append(f'<h3 id="{escape(name)}">{escape(name)}</h3>{meaning}{inside}')
    return "".join(parts)


def _operation_html(method: str, path: str, operation: Mapping[str, Any], said: Words) -> str:
    parts = [
        f'<h3><code><span class="method">{method.upper()}</span>{escape(path)}</code></h3>',
        f"<p>{escape(operation['summary'])}.</p>{_paragraphs(operation.get('description', ''))}",
    ]
    if {} in operation.get("security", ()):
        parts.append(f"<p>{escape(said('api.public'))}</p>")
    rows = [
        (each["name"], f"{each['in']}, {_type(each['schema'])}", each.get("description", ""))
        for each in operation.get("parameters", ())
    ]
    if rows:
        parts.append(_table(rows))
    if "requestBody" in operation:
        schema = operation["requestBody"]["content"]["application/json"]["schema"]
        parts.append(f"<p>{escape(said('api.body'))} {_type(schema)}</p>")
    for status, answer in operation["responses"].items():
        content = answer.get("content", {}).get("application/json")
        if content:
            parts.append(f"<p>{escape(said('api.answer'))} {escape(status)}: {_type(content['schema'])}</p>")
    return "".join(parts)


def _fields(schema: Mapping[str, Any]) -> str:
    return _table([(name, _type(each), each.get("description", "")) for name, each in schema["properties"].items()])


def _table(rows: Sequence[tuple[str, str, str]]) -> str:
    """Name as text, the type as HTML, the meaning as text."""
    cells = "".join(
        f"<tr><td><code>{escape(name)}</code></td><td>{kind}</td><td>{escape(meaning)}</td></tr>"
        for name, kind, meaning in rows
    )
    return f'<div class="scroll"><table>{cells}</table></div>'


def _paragraphs(text: str) -> str:
    return "".join(f"<p>{escape(' '.join(part.split()))}</p>" for part in text.split("\n\n") if part.strip())


def _type(schema: Mapping[str, Any]) -> str:
    """A schema in one line, as HTML."""
    if "$ref" in schema:
        name = escape(schema["$ref"].rpartition("/")[2])
        return f'<a href="#{name}">{name}</a>'
    if "anyOf" in schema:
        return " | ".join(map(_type, schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(escape(repr(each)) for each in schema["enum"])
    if "const" in schema:
        return escape(repr(schema["const"]))
    match schema.get("type"):
        case "array":
            parts: list[Any] = schema.get("prefixItems") or [schema.get("items") or {}]
            return f"[{', '.join(map(_type, parts))}{'' if 'prefixItems' in schema else ' …'}]"
        case "object" if isinstance(schema.get("additionalProperties"), Mapping):
            return f"{{name: {_type(schema['additionalProperties'])}}}"
        case str(name):
            return escape(name + (f" ({schema['format']})" if "format" in schema else ""))
        case _:
            return ""
