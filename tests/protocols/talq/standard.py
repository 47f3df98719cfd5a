"""The OpenAPI files of TALQ as a judge: whether a request or an answer is what the standard says, and nothing besides.

OpenAPI 3.0 is read as JSON Schema 2020-12. A discriminator decides which of the schemas that extend a base applies, and
what no schema names is refused too: a misspelt optional field would otherwise pass for one of a maker's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl
from uuid import UUID

from jsonschema import Draft202012Validator, FormatChecker

from vigie.protocols.talq.requests import Answer, Request
from vigie.protocols.talq.routes import Side

FILES = {
    Side.CMS: "talq-api-cms-2-7-1-online.json",
    Side.GATEWAY: "talq-api-gateway-2-7-1-online.json",
}
MODEL = "talq-data-model-2-7-1-online.json"

# What is sent and is in no schema, and where that is written down.
BEYOND = frozenset({401, 403, 405, 413, 503})

_formats = FormatChecker(())


@_formats.checks("uuid", ValueError)
def _uuid(said: object) -> bool:
    return not isinstance(said, str) or bool(UUID(said))


@_formats.checks("date-time", ValueError)
def _date_time(said: object) -> bool:
    return not isinstance(said, str) or datetime.fromisoformat(said).tzinfo is not None


@_formats.checks("time")
def _time(said: object) -> bool:
    # The files say `format: time`, and in words that it is hh:mm:ss: the words decide.
    return not isinstance(said, str) or re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d:[0-5]\d", said) is not None


@_formats.checks("uri")
def _uri(said: object) -> bool:
    return not isinstance(said, str) or re.match(r"https?://[^ ]+$", said) is not None


class Standard:
    """The three files."""

    def __init__(self, folder: Path) -> None:
        self.model: dict[str, Any] = json.loads((folder / MODEL).read_text("utf-8"))["components"]["schemas"]
        self.apis = {side: json.loads((folder / name).read_text("utf-8")) for side, name in FILES.items()}
        self._parents = {name: self._parents_of(name) for name in self.model}
        self._definitions = self._defined()
        self._validators: dict[str, Draft202012Validator] = {}

    def operations(self, side: Side) -> dict[str, tuple[str, str, dict[str, Any]]]:
        """operationId -> method, path, and what the file says of it."""
        return {
            operation["operationId"]: (method.upper(), path, operation)
            for path, methods in self.apis[side]["paths"].items()
            for method, operation in methods.items()
            if method != "parameters"
        }

    def check_request(self, request: Request) -> None:
        """Fails where a request is not what the file of its side says."""
        method, path, operation = self.operations(request.route.side)[request.route.name]
        assert (request.method, request.route.template) == (method, path)
        asked, headers = dict(parse_qsl(request.target.partition("?")[2])), dict(request.headers)
        declared = {each["name"]: each for each in operation.get("parameters", ())}
        assert set(asked) <= set(declared), request.route.name
        places = {"query": asked, "header": headers}
        for name, each in declared.items():
            if each["in"] in places:
                assert name in places[each["in"]] or not each.get("required"), (request.route.name, name)
            if each["in"] == "query" and name in asked and each["schema"].get("type") == "string":
                self.check(asked[name], each["schema"], f"{request.route.name} {name}")
        if "requestBody" in operation:
            self._content(json.loads(request.body), operation["requestBody"], request.route.name)
        else:
            assert request.body == b""

    def check_answer(self, request: Request, answer: Answer) -> None:
        """Fails where an answer is not what the file says of its status."""
        _, _, operation = self.operations(request.route.side)[request.route.name]
        said = operation["responses"].get(str(answer.status))
        where = f"{request.route.name} {answer.status}"
        if said is None:
            assert answer.status in BEYOND, where
            said = operation["responses"]["400"]
        assert {name for name, _ in answer.headers} <= set(said.get("headers", ())), where
        if "content" in said:
            self._content(json.loads(answer.body), said, where)
        else:
            assert answer.body == b"", where

    def _content(self, body: Any, said: Mapping[str, Any], where: str) -> None:
        self.check(body, said["content"]["application/json"]["schema"], where)

    def check(self, value: Any, schema: Any, where: str) -> None:
        """Fails where a value is not what a schema says."""
        key = json.dumps(schema, sort_keys=True)
        if key not in self._validators:
            whole = {"$defs": self._definitions, **self._converted(schema)}
            self._validators[key] = Draft202012Validator(whole, format_checker=_formats)
        problems = [f"{error.json_path}: {error.message[:300]}" for error in self._validators[key].iter_errors(value)]
        assert not problems, (where, problems[:3], json.dumps(value)[:1500])

    def _parents_of(self, name: str) -> list[str]:
        return [part["$ref"].rsplit("/", 1)[1] for part in self.model[name].get("allOf", ()) if "$ref" in part]

    def _ancestors(self, name: str) -> set[str]:
        found = set(self._parents[name])
        return found.union(*(self._ancestors(parent) for parent in self._parents[name]))

    def _discriminator(self, name: str) -> str | None:
        for each in (name, *self._ancestors(name)):
            if "discriminator" in self.model[each]:
                return self.model[each]["discriminator"]["propertyName"]
        return None

    def _defined(self) -> dict[str, Any]:
        """Each schema twice: as it is written (`X=`), to be extended, and as a value of it may be (`X`)."""
        made: dict[str, Any] = {}
        for name, schema in self.model.items():
            made[f"{name}="] = self._converted(schema, top=True)
            field = self._discriminator(name)
            heirs = [each for each in self.model if name in self._ancestors(each)] if field else []
            closed: dict[str, Any] = {"$ref": f"#/$defs/{name}="}
            if "object" in (schema.get("type", "object"),) and "anyOf" not in schema:
                closed["unevaluatedProperties"] = False
            if schema.get("type") in ("string", "integer"):
                closed = {"$ref": f"#/$defs/{name}="}
            made[f"{name}!"] = closed
            if not heirs:
                made[name] = {"$ref": f"#/$defs/{name}!"}
                continue
            kinds = [name, *heirs]
            made[name] = {
                "type": "object",
                "required": [field],
                # A function or an attribute of a maker's own is allowed, and never sent by us.
                "properties": {field: {"enum": kinds}},
                "allOf": [
                    {"if": {"properties": {field: {"const": kind}}}, "then": {"$ref": f"#/$defs/{kind}!"}}
                    for kind in kinds
                ],
            }
        return made

    def _converted(self, schema: Any, *, top: bool = False) -> Any:
        """top: a named schema itself, whose `allOf` names what it extends."""
        if isinstance(schema, list):
            return [self._converted(each) for each in schema]
        if not isinstance(schema, dict):
            return schema
        if "$ref" in schema:
            return {"$ref": f"#/$defs/{schema['$ref'].rsplit('/', 1)[1]}"}
        made: dict[str, Any] = {}
        for key, value in schema.items():
            if key in {"discriminator", "xml", "example", "default"} or key.startswith("x-"):
                continue
            if key == "properties":
                made[key] = {name: self._converted(each) for name, each in value.items()}
            elif key == "allOf":
                made[key] = [self._part(each, extends=top) for each in value]
            else:
                made[key] = self._converted(value)
        return made

    def _part(self, schema: Any, *, extends: bool) -> Any:
        if "$ref" not in schema:
            return self._converted(schema)
        name = schema["$ref"].rsplit("/", 1)[1]
        if extends:
            return {"$ref": f"#/$defs/{name}="}
        # A property is `allOf` of its type and of what the file says of it besides.
        return {"$ref": f"#/$defs/{name}"}


@cache
def standard(folder: Path) -> Standard:
    """The files of a folder, read once."""
    return Standard(folder)
