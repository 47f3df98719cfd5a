"""The device door for tracker applications, which keep a position until somebody answers that it was taken.

    GET, POST /device/v1/osmand   the OsmAnd form (`vigie.protocols.osmand`)

So whatever would be wrong again the next time is answered with 200 and told in the answer: else one position that
cannot be read would keep all later ones from coming. Who is not known, and what was not kept, is told to come again.
"""

from __future__ import annotations

from math import ceil

import numpy as np
import structlog
from starlette.requests import Request
from starlette.responses import Response

from vigie.api.application import Endpoint
from vigie.api.devices import BODY_BYTES_MAX, Devices, read_body, taken
from vigie.api.problems import Problem
from vigie.core.observations import Outcome, Rejected
from vigie.core.readings import Readings
from vigie.engine.ports import Clock
from vigie.engine.pump import Pump
from vigie.engine.rates import Allowance, Rates
from vigie.engine.registry import NO_POINT, Registry
from vigie.protocols.osmand import Heard, Unreadable, decode

TRACKERS_PATH = "/device/v1/osmand"
QUERY_LENGTH_MAX = 4_000
ALLOWANCE = Allowance(per_s=10, burst=2_000)
"""A telephone that was without a network for a shift sends what it has one by one."""

_log = structlog.get_logger("vigie.trackers")


def tracker_routes(devices: Devices, registry: Registry, pump: Pump, clock: Clock) -> dict[tuple[str, str], Endpoint]:
    """The door of tracker applications: (method, path) -> endpoint, to be called without a router between."""
    rates = Rates(ALLOWANCE)
    # What was last wrong with each tracker's requests: told in the log once, not with every position.
    wrong: dict[int, str] = {}

    def note(reporter: int, why: str) -> None:
        if wrong.get(reporter) != why:
            _log.warning("unreadable", tracker=devices.called(reporter), reason=why)
        wrong[reporter] = why

    async def take_positions(request: Request) -> Response:
        """Takes positions in the OsmAnd form, in the address, in a form or as JSON.

        The secret is the bearer's, or stands for the tracker's identifier: `id`, `deviceid` or `device_id`.
        """
        now_us = clock.now_us()
        query: str = request.scope["query_string"].decode("latin-1")
        body = await read_body(request, BODY_BYTES_MAX)
        media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
        try:
            if len(query) > QUERY_LENGTH_MAX:
                raise Unreadable(f"its address is longer than {QUERY_LENGTH_MAX} characters")
            heard = decode(query, media, body, now_us)
        except Unreadable as error:
            heard = Heard("", [], [Rejected(0, Outcome.MALFORMED, str(error))])
        reporter = devices.known_by(heard.who) if heard.who else devices.number(request)
        if reporter is None:
            raise Problem(
                401,
                "Who speaks?",
                "This door needs the secret of an admitted device.",
                mend="Put it where the application has its device identifier. 'vigie devices admit NAME' gives one.",
            )
        wait_s = rates.take(reporter, now_us)
        if wait_s:
            raise Problem(429, "Too often", "You send more often than is kept.", retry_after_s=ceil(wait_s))
        if heard.refused:
            note(reporter, heard.refused[0].detail)
        readings = heard.readings(_vehicle(registry, reporter))
        if not readings.sent:
            readings = Readings([], [], [], [], [], refused=[Rejected(0, Outcome.MALFORMED, "it says nothing")])
        return await taken(pump, readings, reporter)

    return {("GET", TRACKERS_PATH): take_positions, ("POST", TRACKERS_PATH): take_positions}


def _vehicle(registry: Registry, reporter: int) -> str:
    """The one asset with a place that a tracker speaks for. Raises Problem 409 where it is not one."""
    position = registry.point_codes["position"]
    own = np.flatnonzero((registry.reporter[: registry.count] == reporter) & ~registry.gone[: registry.count])
    own = own[registry.ordinal[registry.kind[own], position] != NO_POINT]
    if len(own) != 1:
        raise Problem(
            409,
            "Which vehicle?",
            f"This tracker reports for {len(own)} vehicles, and its positions do not say which.",
            mend="Admit one device for each vehicle: 'vigie devices admit NAME --asset VEHICLE'.",
        )
    return registry.ids[int(own[0])]
