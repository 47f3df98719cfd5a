"""The ASGI application: the routes, the problems, and what every answer says to a browser."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vigie.api.problems import Problem

_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
]

_log = structlog.get_logger("vigie.api")


Endpoint = Callable[[Request], Awaitable[Response]]


class Application:
    """What uvicorn calls.

    direct: (method, path) -> endpoint, for the few requests that come by the thousand a second. They go around the
    router and its layers, which cost more than all of ours; problems and headers are the same for both ways. What they
    answer is whole, and says none of the headers itself that every answer has.
    limit: raises Problem 429 for a request by the router from somebody who asks too often.
    """

    def __init__(
        self, inner: ASGIApp, direct: Mapping[tuple[str, str], Endpoint], limit: Callable[[Request], None]
    ) -> None:
        self._inner = inner
        self._direct = direct
        self._limit = limit

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI."""
        if scope["type"] != "http":
            await self._inner(scope, receive, send)
            return

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                # A response that says one of these itself keeps its own: a page its policy, an asset its time to live.
                own = {name for name, _ in message["headers"]}
                message["headers"] = [*message["headers"], *(each for each in _HEADERS if each[0] not in own)]
            await send(message)

        endpoint = self._direct.get((scope["method"], scope["path"]))
        request = Request(scope, receive)
        if endpoint is None:
            try:
                self._limit(request)
            except Problem as error:
                await error.response()(scope, receive, with_headers)
            else:
                await self._inner(scope, receive, with_headers)
            return
        try:
            response = await endpoint(request)
        except Exception as error:
            response = _response_to(request, error)
        headers = [*response.raw_headers, *_HEADERS]
        await send({"type": "http.response.start", "status": response.status_code, "headers": headers})
        await send({"type": "http.response.body", "body": response.body})


def application(
    routes: Sequence[BaseRoute],
    life: Callable[[], AbstractAsyncContextManager[None]],
    direct: Mapping[tuple[str, str], Endpoint],
    limit: Callable[[Request], None] = lambda request: None,
) -> Application:
    """The application. life: what runs as long as it does. direct, limit: see `Application`."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        async with life():
            yield

    async def on_error(request: Request, error: Exception) -> Response:
        return _response_to(request, error)

    handlers = {Problem: on_error, HTTPException: on_error, Exception: on_error}
    return Application(Starlette(routes=list(routes), exception_handlers=handlers, lifespan=lifespan), direct, limit)


def _response_to(request: Request, error: Exception) -> Response:
    if isinstance(error, Problem):
        return error.response()
    if isinstance(error, HTTPException):
        return Problem(error.status_code, error.detail, f"{request.method} {request.url.path}").response()
    if isinstance(error, ClientDisconnect):
        return Response(status_code=400)
    _log.error("fault", path=request.url.path, exc_info=error)
    return Problem(500, "A fault of the post", "It was noted with its cause in the log.").response()
