"""What every answer has, whichever way the request took."""

from __future__ import annotations

from contextlib import asynccontextmanager

import httpx
import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse
from starlette.routing import Route

from vigie.api.application import application
from vigie.api.problems import Problem


@asynccontextmanager
async def life():
    yield


async def hello(request: Request) -> PlainTextResponse:
    return PlainTextResponse("hello")


async def fault(request: Request) -> PlainTextResponse:
    raise RuntimeError("a secret that the log may know")


def limit(request: Request) -> None:
    if "too-often" in request.url.path:
        raise Problem(429, "Too often", "Wait.", retry_after_s=7)


@pytest.mark.anyio
@pytest.mark.parametrize("anyio_backend", ["asyncio"])
async def test_problems_and_headers_are_the_same_for_both_ways() -> None:
    routes = [Route("/a", hello), Route("/a/too-often", hello), Route("/a/fault", fault)]
    direct = {("GET", "/d"): hello, ("GET", "/d/too-often"): hello, ("GET", "/d/fault"): fault}
    app = application(routes, life, direct, limit)
    transport = httpx.ASGITransport(app=app, raise_app_exceptions=False)
    async with httpx.AsyncClient(transport=transport, base_url="http://post") as client:
        for path in ("/a", "/d"):
            good = await client.get(path)
            assert (good.status_code, good.text) == (200, "hello")
            assert good.headers["x-content-type-options"] == "nosniff"
            wrong = await client.get(f"{path}/fault")
            assert (wrong.status_code, wrong.headers["content-type"]) == (500, "application/problem+json")
            assert "secret" not in wrong.text
            assert wrong.headers["content-security-policy"].startswith("default-src 'none'")
        often = await client.get("/a/too-often")
        assert (often.status_code, often.headers["retry-after"]) == (429, "7")
        assert often.headers["x-content-type-options"] == "nosniff"
        # A device is held back by what waits to be written, not by how often it reports.
        assert (await client.get("/d/too-often")).status_code == 200
        assert (await client.get("/nowhere")).headers["content-type"] == "application/problem+json"
