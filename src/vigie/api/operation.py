"""An operation of the API, declared once: its route, its reading of what was sent, its answer and its page of the
OpenAPI document all come from the same declaration, so that they cannot part.

    Operation("GET", "assets/{id}", self.sheet, answer=AssetSheet, public=True)
    Operation("POST", "commands", self.give, body=Order, answer=Command, status=201, verb=Verb.ORDER,
              headers={"Idempotency-Key": "Makes a repeated request the same order."})

The handler's docstring is the summary and the description. It gets an `Ask` and returns what is declared as `answer`,
an `Answer` where the status or the headers are its own, or a finished Response.
"""

from __future__ import annotations

import difflib
import hashlib
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from vigie.api.access import Access, Caller, caller_or_public, nobody
from vigie.api.bodies import read_json
from vigie.api.problems import Problem
from vigie.core.scope import Verb

PREFIX = "/api/v1/"

QueryT = TypeVar("QueryT")
BodyT = TypeVar("BodyT")
Form = TypeVar("Form", bound=msgspec.Struct)

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_encode = msgspec.json.Encoder().encode


class Nothing(msgspec.Struct, frozen=True):
    """No parameter, and no body."""


NOTHING = Nothing()


@dataclass(frozen=True, slots=True)
class Ask(Generic[QueryT, BodyT]):
    """One request, understood: who asks, what with, and the parts of the address by name."""

    request: Request
    caller: Caller
    query: QueryT
    body: BodyT

    def part(self, name: str) -> str:
        """A part of the address, such as `id` of assets/{id}."""
        return str(self.request.path_params[name])


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer with a status or headers of its own."""

    value: Any
    status: int | None = None
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


Handler = Callable[[Ask[Any, Any]], Awaitable[Any]]


@dataclass(frozen=True, kw_only=True)
class _Details:
    query: type[msgspec.Struct] = Nothing
    body: type[msgspec.Struct] | None = None
    answer: Any = None
    status: int = 200
    verb: Verb | None = None
    public: bool = False
    anybody: bool = False
    kept: bool = False
    also: Mapping[str, str] = field(default_factory=dict[str, str])
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    problems: Sequence[int] = ()


@dataclass(frozen=True)
class Operation(_Details):
    """One method of one address below /api/v1/.

    path: without the leading slash; `{name}` is a part of it. query, body: what may be sent, as Structs. answer: the
    type that the handler returns, None for no content. status: of a good answer. verb: the right that it takes
    somewhere at all; the handler asks for it in its place. public: answered without an account too, with what is
    public. anybody: nobody is asked who they are. kept: the answer has an ETag, and `If-None-Match` spares sending it
    again. also: other media types of the answer, and when they are given. headers: of the request, and their meanings.
    problems: statuses that it can answer beside those that follow from the rest.
    """

    method: str
    path: str
    handler: Handler

    @property
    def writes(self) -> bool:
        """Whether it changes anything."""
        return self.method in _WRITES

    @property
    def words(self) -> tuple[str, str]:
        """The summary, without its full stop, and the description."""
        said = " ".join((self.handler.__doc__ or "").split("\n\n", 1)[0].split())
        rest = (self.handler.__doc__ or "").partition("\n\n")[2]
        return said.rstrip("."), "\n\n".join(" ".join(part.split()) for part in rest.split("\n\n"))

    def route(self, access: Access) -> OperationRoute:
        """The route that answers it."""

        async def endpoint(request: Request) -> Response:
            caller = self._caller(access, request)
            query = query_of(request, self.query)
            body = NOTHING if self.body is None else await read_json(request, self.body)
            said = await self.handler(Ask(request, caller, query, body))
            return self._response(request, said)

        return OperationRoute(self, endpoint)

    def _caller(self, access: Access, request: Request) -> Caller:
        if self.anybody:
            return nobody(request)
        if self.public:
            return caller_or_public(access, request)
        caller = access.caller(request, writes=self.writes)
        if self.verb is not None:
            caller.need(self.verb)
        return caller

    def _response(self, request: Request, said: Any) -> Response:
        if isinstance(said, Response):
            return said
        answer = said if isinstance(said, Answer) else Answer(said)
        status = answer.status or self.status
        if self.answer is None:
            return Response(status_code=204 if status == 200 else status, headers=dict(answer.headers))
        body = _encode(answer.value)
        headers = {"Vary": "Cookie, Authorization", **answer.headers}
        if self.kept:
            tag = f'"{hashlib.sha256(body).hexdigest()[:32]}"'
            # "no-cache" keeps it, and asks each time whether it is still so.
            headers |= {"ETag": tag, "Cache-Control": "private, no-cache"}
            if tag in request.headers.get("if-none-match", ""):
                return Response(status_code=304, headers=headers)
        return Response(body, status, headers, "application/json")


class OperationRoute(Route):
    """The route of an operation, which it knows: what is described is what is answered."""

    def __init__(self, operation: Operation, endpoint: Callable[[Request], Awaitable[Response]]) -> None:
        super().__init__(PREFIX + operation.path, endpoint, methods=[operation.method])
        self.operation = operation


def routes(operations: Sequence[Operation], access: Access) -> list[Route]:
    """The routes of all."""
    return [operation.route(access) for operation in operations]


def query_of(request: Request, form: type[Form]) -> Form:
    """The parameters of the address as their Struct. What is empty counts as not said.

    Raises Problem 400 for one that is unknown (naming the nearest), said twice, or without a possible value.
    """
    names = [each.encode_name for each in msgspec.structs.fields(form)]
    said: dict[str, str] = {}
    for name, value in request.query_params.multi_items():
        if name not in names:
            mend = nearest(name, names)
            raise Problem(400, "Unknown parameter", f"There is no parameter {name!r} here.", mend=mend)
        if name in said:
            raise Problem(400, "Said twice", f"The parameter {name!r} comes twice.", mend="Say it once.")
        if value:
            said[name] = value
    try:
        return msgspec.convert(said, form, strict=False)
    except msgspec.ValidationError as error:
        raise Problem(400, "Impossible parameter", str(error)) from error


def nearest(said: str, known: Iterable[str], otherwise: str = "") -> str:
    """What was probably meant, in words; where nothing is near, all that there is, or how else that is found."""
    names = list(known)
    near = difflib.get_close_matches(said, names, 1)
    if near:
        return f"Did you mean {near[0]!r}?"
    return otherwise or f"There are: {', '.join(names) or 'none'}."
