"""A device's HTTP: two kept connections to the post, one to report on and one that waits for orders."""

from __future__ import annotations

import asyncio

import h11

from vigie.transports.http_client import HttpAnswer, HttpBase, Wire

_TIMEOUT_S = 40.0
"""Longer than a long poll for orders may wait."""


class HttpDoor:
    """The way of one device or gateway to the post. Implements `Door` of vigie.sim.devices."""

    def __init__(self, base_url: str, token: str) -> None:
        """base_url: such as http://127.0.0.1:8000. token: the device's secret. Raises ValueError."""
        base = HttpBase.of(base_url)
        self._prefix = base.prefix
        self._headers = [("host", base.authority), ("authorization", f"Bearer {token}"), ("user-agent", "vigie-device")]
        self._reports, self._asks = (Wire(base, timeout_s=_TIMEOUT_S) for _ in range(2))

    async def post(self, path: str, body: bytes) -> HttpAnswer:
        """Sends JSON. Raises OSError."""
        headers = [*self._headers, ("content-type", "application/json"), ("content-length", str(len(body)))]
        return await self._reports.ask(h11.Request(method="POST", target=self._prefix + path, headers=headers), body)

    async def get(self, path: str) -> HttpAnswer:
        """Asks, on a connection of its own, so that a long wait holds up no report. Raises OSError."""
        request = h11.Request(method="GET", target=self._prefix + path, headers=self._headers)
        return await self._asks.ask(request, b"")

    async def close(self) -> None:
        """Lets go of both connections."""
        await asyncio.gather(self._reports.close(), self._asks.close())
