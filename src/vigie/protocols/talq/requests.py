"""Requests and answers as data: written by the end that asks, read by the end that answers, and back.

A transport carries `Request.method`, `target`, `headers` and `body`, and hands what comes in as `Incoming` and
`Answer`. It need not know TALQ. Whatever is wrong with what came in is a `Refused`, which makes its own answer, or a
`Misunderstood`; no other exception leaves this module.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any
from urllib.parse import parse_qsl, quote, unquote, urlencode
from uuid import UUID, uuid5

import msgspec

from vigie.protocols.talq.limits import ANNOUNCED_DEVICES, BODY_BYTES_MAX, ERRORS_MAX, PAGE_DEVICES, TEXT_CHARS_MAX
from vigie.protocols.talq.messages import ErrorReference, Message, ResourceReference, TalqError
from vigie.protocols.talq.routes import BY_NAME, ROUTES, Route, Side, find

VERSION = "2.7.1"
_QUERY_FIELDS_MAX = 200

# msgspec follows nesting with the interpreter's own stack: a body of a hundred thousand brackets ends in the last.
UNREADABLE = (msgspec.DecodeError, UnicodeDecodeError, RecursionError, OverflowError)

_encoder = msgspec.json.Encoder()
_taken: dict[Route, msgspec.json.Decoder[Any]] = {
    route: msgspec.json.Decoder(route.takes) for route in ROUTES if route.takes is not None
}
_given: dict[Route, msgspec.json.Decoder[Any]] = {
    route: msgspec.json.Decoder(route.gives) for route in ROUTES if route.gives is not None
}
_errors = msgspec.json.Decoder(tuple[TalqError, ...])

# What each key of the standard means over HTTP, where the OpenAPI files give the choice.
_STATUS = {
    "headerMissing": 400,
    "headerValueNotValid": 400,
    "parameterMissing": 400,
    "parameterValueNotValid": 400,
    "payloadError": 400,
    "resourceNotFound": 404,
    "resourceConflict": 409,
    "relatedResourceNotFound": 422,
    "deletingResourceIsReferred": 422,
    "serviceConstraintExceeded": 422,
    "assignmentEntityNotValid": 422,
    "assignmentAddressNotValid": 422,
    "overrideCommandNotValid": 422,
    "overrideAddressNotValid": 422,
    "genericError": 422,
}


class Refused(Exception):
    """A request that is not done, and why: the standard's errors and the HTTP status."""

    def __init__(
        self, key: str, description: str, about: Sequence[ResourceReference] = (), *, status: int | None = None
    ) -> None:
        """about: what the error concerns. status: where it is not the usual one of the key."""
        super().__init__(f"{key}: {description}")
        self.status = status or _STATUS[key]
        references = tuple(ErrorReference(each) for each in about[:ANNOUNCED_DEVICES])
        self.errors = (TalqError(key, description, references),)

    def answer(self) -> Answer:
        """The answer that says so."""
        return Answer(self.status, _encoder.encode(self.errors))


class Misunderstood(Exception):
    """An answer that is none to this request: not JSON, of a wrong type, over the limit, or of an unknown status."""


@dataclass(frozen=True, slots=True)
class Incoming:
    """A request as it came. target: the path below the base URI, and the query. headers: names in lower case."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes = b""


@dataclass(frozen=True, slots=True)
class Request:
    """A request to be sent. number: its talqRequestId; empty for one that changes nothing.

    Where no answer comes it may be sent again, unchanged: an end that has done it answers, and does not do it again.
    """

    route: Route
    path: str
    query: tuple[tuple[str, str], ...]
    body: bytes
    headers: tuple[tuple[str, str], ...] = field(repr=False)
    values: tuple[str, ...] = ()
    number: str = ""

    @property
    def method(self) -> str:
        """The HTTP method."""
        return self.route.method

    @property
    def target(self) -> str:
        """The path and the query, below the other end's base URI."""
        return f"{self.path}?{urlencode(self.query)}"


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer. body: JSON, or nothing."""

    status: int
    body: bytes = b""
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class Call:
    """A request that was understood. values: what stands in the path's braces. client: who asks. origin: the request of
    ours that caused it. seal: the digest of the whole request, for one that changes something."""

    route: Route
    values: tuple[str, ...]
    client: str
    number: str
    origin: str
    payload: Any
    asked: Mapping[str, tuple[str, ...]]
    seal: bytes = b""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What an answer says that is no yes."""

    status: int
    errors: tuple[TalqError, ...]


class Caller:
    """Writes the requests of one end to the other. The numbers of its requests come from its address and `seed`:
    another seed for each start, so that none comes twice."""

    def __init__(self, side: Side, own: str, *, token: str = "", seed: str = "") -> None:
        """side: whose API is called. own: the address given as `clientAddress`. token: what to show the other end."""
        self.side, self.own = side, own
        self._namespace, self._count = uuid5(UUID(own), f"requests {seed}"), 0
        headers = [("talq-api-version", VERSION), ("accept", "application/json")]
        if token:
            headers.append(("authorization", f"Bearer {token}"))
        self._headers = tuple(headers)

    def ask(
        self,
        name: str,
        *values: str,
        body: Any = None,
        query: Sequence[tuple[str, str]] = (),
        origin: str = "",
    ) -> Request:
        """The request of this operationId. values: what stands in the path's braces, in order."""
        route = BY_NAME[self.side, name]
        said = [("clientAddress", self.own)]
        number = ""
        if route.changes:
            self._count += 1
            number = str(uuid5(self._namespace, str(self._count)))
            said.append(("talqRequestId", number))
            if origin:
                said.append(("talqOriginRequestId", origin))
        parts = iter(values)
        path = "/".join(
            quote(next(parts), safe="") if part.startswith("{") else part for part in route.template.split("/")
        )
        raw, headers = b"", self._headers
        if route.takes is not None:
            raw, headers = _encoder.encode(body), (*headers, ("content-type", "application/json"))
        return Request(route, path, (*said, *query), raw, headers, values, number)


def read(side: Side, incoming: Incoming) -> Call:
    """Understands a request to this side. Raises Refused."""
    if len(incoming.body) > BODY_BYTES_MAX:
        raise Refused("payloadError", f"more than {BODY_BYTES_MAX} bytes", status=413)
    path, _, query = incoming.target.partition("?")
    parts = tuple(unquote(part) for part in path.split("/")[1:])
    routes = find(side, parts)
    if not routes:
        raise Refused("resourceNotFound", "no such path, or one that is not spoken here")
    if incoming.method not in routes:
        raise Refused("resourceNotFound", f"{incoming.method} is not spoken here", status=405)
    route, values = routes[incoming.method]
    if any(not 0 < len(value) <= TEXT_CHARS_MAX for value in values):
        raise Refused("parameterValueNotValid", "an address is empty or too long")
    _check_version(incoming.headers)
    asked = _asked(query)
    client = _identifier(asked, "clientAddress", needed=True)
    number = _identifier(asked, "talqRequestId", needed=route.changes)
    origin = _identifier(asked, "talqOriginRequestId", needed=False)
    seal = (
        sha256(f"{route.name} {incoming.target}\n".encode("utf-8", "replace") + incoming.body).digest()
        if route.changes
        else b""
    )
    return Call(route, values, client, number, origin, _payload(route, incoming.body), asked, seal)


def _payload(route: Route, body: bytes) -> Any:
    if route.takes is None:
        return None
    try:
        return _taken[route].decode(body)
    except UNREADABLE as error:
        raise Refused("payloadError", str(error)[:TEXT_CHARS_MAX]) from error


def _check_version(headers: Mapping[str, str]) -> None:
    version = headers.get("talq-api-version")
    if version is None:
        raise Refused("headerMissing", "talq-api-version")
    if version.split(".")[0] != VERSION.split(".")[0]:
        raise Refused("headerValueNotValid", f"talq-api-version is not {VERSION} or another of its major version")


def _asked(query: str) -> dict[str, tuple[str, ...]]:
    try:
        pairs = parse_qsl(query, keep_blank_values=True, max_num_fields=_QUERY_FIELDS_MAX)
    except ValueError as error:
        raise Refused("parameterValueNotValid", "the query cannot be read") from error
    asked: dict[str, tuple[str, ...]] = {}
    for name, value in pairs:
        asked[name] = (*asked.get(name, ()), value)
    return asked


def _identifier(asked: Mapping[str, tuple[str, ...]], name: str, *, needed: bool) -> str:
    said = asked.get(name)
    if not said:
        if needed:
            raise Refused("parameterMissing", name)
        return ""
    try:
        return str(UUID(said[0]))
    except ValueError as error:
        raise Refused("parameterValueNotValid", f"{name} is no UUID") from error


def _number(call: Call, name: str, *, low: int = 0) -> int | None:
    """A whole number in the query, or None where there is none. Raises Refused."""
    said = call.asked.get(name)
    if not said:
        return None
    if not (said[0].isascii() and said[0].isdigit() and len(said[0]) < 10 and int(said[0]) >= low):
        raise Refused("parameterValueNotValid", f"{name} is no whole number from {low}")
    return int(said[0])


def paged(call: Call, items: Sequence[Any]) -> tuple[Sequence[Any], tuple[tuple[str, str], ...]]:
    """The part of a list that is asked for by `offset` and `limit`, and the headers that go with it. Raises Refused."""
    offset, limit = _number(call, "offset"), _number(call, "limit", low=1)
    if offset is None and limit is None:
        return items, ()
    start = offset or 0
    page = items[start : start + (limit or PAGE_DEVICES)]
    said = {"count": len(page), "defaultLimit": PAGE_DEVICES, "offset": start, "totalCount": len(items)}
    return page, tuple((f"pagination-{name}", str(value)) for name, value in said.items())


def yes(route: Route, payload: Any = None, *, status: int = 0, headers: tuple[tuple[str, str], ...] = ()) -> Answer:
    """The answer of a request that was done."""
    status = status or route.done[0]
    return Answer(status, b"" if route.gives is None or status == 202 else _encoder.encode(payload), headers)


def understand(request: Request, answer: Answer) -> Any:
    """What an answer says: what the route gives, None for an answer without a body, or a `Refusal`. Raises
    Misunderstood."""
    if len(answer.body) > BODY_BYTES_MAX:
        raise Misunderstood(f"{request.route.name}: more than {BODY_BYTES_MAX} bytes")
    if answer.status not in request.route.done:
        if not 400 <= answer.status < 600:
            raise Misunderstood(f"{request.route.name}: status {answer.status}")
        return Refusal(answer.status, _said(answer.body))
    if request.route.gives is None or answer.status == 202:
        return None
    try:
        return _given[request.route].decode(answer.body)
    except UNREADABLE as error:
        raise Misunderstood(f"{request.route.name}: {str(error)[:TEXT_CHARS_MAX]}") from error


def _said(body: bytes) -> tuple[TalqError, ...]:
    try:
        return _errors.decode(body)[:ERRORS_MAX]
    except UNREADABLE:
        # Proxies and servers refuse in their own words: the status says enough.
        return ()


def digest(token: str) -> str:
    """What is kept of a token: its SHA-256. A token is long and random, so a slow hash would buy nothing."""
    return sha256(token.encode("utf-8", "replace")).hexdigest()


def shown(headers: Mapping[str, str]) -> str:
    """The digest of the bearer token that came (RFC 6750, 2.1); empty for none."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return digest(token.strip()) if scheme.lower() == "bearer" and token.strip() else ""


def encoded(message: Message) -> msgspec.Raw:
    """A message as the part of another that is kept as it is."""
    return msgspec.Raw(_encoder.encode(message))


class Remembered:
    """The answers of the last requests that changed something: one that comes again is answered, and not done, again.

    It is known by all it says, its number among it: an end that gives each of its requests one number loses none of
    them.
    """

    def __init__(self, count_max: int) -> None:
        self._max = count_max
        self._answers: dict[bytes, Answer] = {}

    def of(self, call: Call) -> Answer | None:
        """The answer that was given before."""
        return self._answers.get(call.seal) if call.seal else None

    def forget(self, seal: bytes) -> None:
        """Forgets the answer that was kept under this seal."""
        self._answers.pop(seal, None)

    def keep(self, call: Call, answer: Answer) -> None:
        """Keeps an answer; the oldest gives way."""
        if call.seal:
            self._answers[call.seal] = answer
            if len(self._answers) > self._max:
                self._answers.pop(next(iter(self._answers)))
