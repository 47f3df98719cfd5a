"""The ASGI application: the routes, the problems, and what every answer says to a browser."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager

import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from vigie.api.problems import Problem

_HEADERS = [
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"same-origin"),
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"cache-control", b"no-store"),
]

_log = structlog.get_logger("vigie.api")


class _SecurityHeaders:
    """What every answer tells a browser; a plain ASGI wrapper, since it stands in the way of each reading."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *_HEADERS]
            await send(message)

        await self._app(scope, receive, with_headers if scope["type"] == "http" else send)


def application(routes: Sequence[Route], life: Callable[[], AbstractAsyncContextManager[None]]) -> Starlette:
    """The application. life: what runs as long as it does."""

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncGenerator[None]:
        async with life():
            yield

    async def on_problem(request: Request, error: Exception) -> Response:
        assert isinstance(error, Problem)
        return error.response()

    async def on_http(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)
        return Problem(error.status_code, error.detail, f"{request.method} {request.url.path}").response()

    async def on_fault(request: Request, error: Exception) -> Response:
        _log.error("fault", path=request.url.path, exc_info=error)
        return Problem(500, "A fault of the post", "It was noted with its cause in the log.").response()

    return Starlette(
        routes=list(routes),
        middleware=[Middleware(_SecurityHeaders)],
        exception_handlers={Problem: on_problem, HTTPException: on_http, Exception: on_fault},
        lifespan=lifespan,
    )
