"""Whatever is sent to any operation of the API, from the form it asks for to rubbish, the answer is no fault of the
post: it says what is wrong with what was sent."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, quote_from_bytes, urlencode

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.people import PASSWORD, make_people
from tests.post import NO_RESERVE, make
from vigie.api.application import Application, application
from vigie.app import doors_of, installation
from vigie.settings import Settings

DEEP = 2_000
# Numbers and words at the edges of what anything below may hold; lone surrogates and what is no UTF-8 come as bytes.
NUMBERS = ["0", "-1", "1", "3600", "1e308", "-1e308", "1e400", "inf", "-inf", "nan", "9223372036854775808", "9" * 400]
KNOWN = ["luminaire-000001", "cabinet-cabinet", "luminaire", "level", "luminaire.dim", "Rue Verte", "operator", "*", ""]
WORDS = ["\x00", "a\x00b", " ", "é", "\U0001f4a1", "/", "..", "%", "'", "\u2028", "x" * 400, "٣"]
INSTANTS = ["2026-11-25T00:00:00Z", "0001-01-01T00:00:00+23:59", "9999-12-31T23:59:59-23:59", "2026-13-01T00:00:00Z"]

texts = st.sampled_from(NUMBERS + KNOWN + WORDS + INSTANTS) | st.text(max_size=8)
parts = texts.map(lambda said: quote(said.encode("utf-8", "surrogatepass"), safe="")) | st.binary(max_size=4).map(
    lambda said: quote_from_bytes(said, safe="")
)
deep = st.sampled_from(["[" * DEEP + "]" * DEEP, '{"a":' * DEEP + "1" + "}" * DEEP])
rubbish = deep | st.sampled_from(['"\\ud800"', '"\\ud800x"', "NaN", "1e400", "9" * 400, "[", "\x00", ""])
scalars = (
    rubbish
    | texts.map(json.dumps)
    | st.sampled_from([*NUMBERS[:4], "1e308", "9" * 30, "true", "null", "[]", "{}", "2.5", '["luminaire-000001"]'])
)


@dataclass
class Door:
    """A post within this process, and the operations that it describes."""

    application: Application
    runner: asyncio.Runner
    whole: dict[str, Any]
    headers: dict[str, str]

    def ask(self, method: str, path: str, body: bytes | None = None, **headers: str) -> httpx.Response:
        """One request."""

        async def one() -> httpx.Response:
            transport = httpx.ASGITransport(self.application, raise_app_exceptions=False)
            async with httpx.AsyncClient(transport=transport, base_url="http://post") as client:
                return await client.request(method, path, content=body, headers=headers)

        return self.runner.run(one())


@pytest.fixture(scope="module")
def door(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Door]:
    folder: Path = tmp_path_factory.mktemp("post")
    secret = make(folder)
    make_people(folder, ["supervisor"])
    with ExitStack() as stack:
        opened = stack.enter_context(installation(Settings(data=folder, **NO_RESERVE)))
        runner = stack.enter_context(asyncio.Runner())
        doors = doors_of(opened)
        life = doors.post.life()
        runner.run(life.__aenter__())
        made = Door(application(doors.routes, doors.post.life, doors.direct), runner, {}, {})
        made.whole = made.ask("GET", "/api/v1/openapi.json").json()
        login = json.dumps({"login": "supervisor", "password": PASSWORD}).encode()
        entered = made.ask("POST", "/api/v1/session", login, **{"Content-Type": "application/json"})
        cookie = entered.headers["set-cookie"].partition(";")[0]
        made.headers = {"Cookie": cookie, "X-CSRF-Token": entered.json()["csrf"], "device": secret}
        yield made
        runner.run(life.__aexit__(None, None, None))


def bodies(schema: dict[str, Any], whole: dict[str, Any]) -> st.SearchStrategy[str]:
    """JSON of about this schema: mostly its own fields, with anything in them."""
    schema = whole["components"]["schemas"].get(schema.get("$ref", "").rpartition("/")[2], schema)
    if "properties" not in schema:
        return scalars
    needed = {name: fields(each, whole) for name, each in schema["properties"].items() if name in schema["required"]}
    maybe = {name: fields(each, whole) for name, each in schema["properties"].items() if name not in needed}
    whole_object = st.fixed_dictionaries(needed, optional=maybe).map(
        lambda said: "{" + ",".join(f"{json.dumps(name)}:{value}" for name, value in said.items()) + "}"
    )
    return whole_object | scalars


def fields(schema: dict[str, Any], whole: dict[str, Any]) -> st.SearchStrategy[str]:
    """JSON of about this field."""
    match schema:
        case {"$ref": _}:
            return bodies(schema, whole)
        case {"anyOf": each}:
            return st.one_of([fields(one, whole) for one in each])
        case {"type": "array", "items": items}:
            return st.lists(fields(items, whole), max_size=3).map(lambda said: f"[{','.join(said)}]") | scalars
        case {"type": "array", "prefixItems": items}:
            return st.tuples(*(fields(one, whole) for one in items)).map(lambda said: f"[{','.join(said)}]")
        case {"type": "object"}:
            names = st.sampled_from(["level", "rated_power", "on", "\x00"]).map(json.dumps)
            return st.dictionaries(names, scalars, max_size=2).map(
                lambda said: "{" + ",".join(f"{name}:{value}" for name, value in said.items()) + "}"
            )
        case {"type": "number"} | {"type": "integer"}:
            return st.sampled_from(["5", "47.3", "0", "-1", "1e308", "9" * 30, "9" * 400]) | scalars
        case _:
            return scalars


def described(door: Door) -> list[tuple[str, str, dict[str, Any]]]:
    """All operations but the one that ends the session that is asked with."""
    return [
        (method.upper(), path, operation)
        for path, methods in door.whole["paths"].items()
        for method, operation in methods.items()
        if (method, path) not in {("delete", "/api/v1/session"), ("post", "/api/v1/session/password")}
    ]


@settings(max_examples=400, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.data())
def test_no_answer_to_anything_is_a_fault(door: Door, data: st.DataObject) -> None:
    method, path, operation = data.draw(st.sampled_from(described(door)), "operation")
    asked = {each["name"]: each for each in operation.get("parameters", ())}
    for name in asked:
        path = path.replace(f"{{{name}}}", data.draw(parts | st.sampled_from(KNOWN[:2]), name))
    names = [name for name, each in asked.items() if each["in"] == "query"]
    said = {name: data.draw(texts, name) for name in names if data.draw(st.booleans())}
    if said:
        path += "?" + urlencode({name: value.encode("utf-8", "surrogatepass") for name, value in said.items()})
    body = None
    if method in ("POST", "PATCH", "PUT"):
        content = operation.get("requestBody", {}).get("content", {}).get("application/json", {})
        body = data.draw(bodies(content.get("schema", {}), door.whole), "body").encode("utf-8", "surrogatepass")
    headers = {"Content-Type": "application/json", **door.headers}
    device = headers.pop("device")
    if path.startswith("/device/"):
        headers["Authorization"] = f"Bearer {device}"
    answer = door.ask(method, path, body, **headers)
    assert answer.status_code not in (500, 502), (method, path, body, answer.text)


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("GET", "assets/luminaire-000001/history?point=level&bucket_s=inf", None, 400),
        ("GET", "assets/luminaire-000001/history?point=level&bucket_s=1e308", None, 400),
        ("GET", "history?kind=luminaire&point=level&bucket_s=inf", None, 400),
        ("POST", "commands/preview", '{"action":"luminaire.dim","select":{"street":"Rue Verte"},"params":'
         + '{"level":' * DEEP + "1" + "}" * DEEP + "}", 400),
        ("GET", "assets?cursor=kc__________8", None, 400),
        ("GET", "journal?cursor=kc__________8", None, 400),
        ("GET", "journal/0/proof?size=99999999999999999999999", None, 404),
    ],
)  # fmt: skip
def test_what_was_once_a_fault_is_said_to_be_wrong(
    door: Door, method: str, path: str, body: str | None, status: int
) -> None:
    headers = {"Content-Type": "application/json", **door.headers}
    answer = door.ask(method, f"/api/v1/{path}", None if body is None else body.encode(), **headers)
    assert answer.status_code == status, answer.text
