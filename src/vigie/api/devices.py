"""The device door over HTTP: observations in, acknowledged when they are synced to disk."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from functools import lru_cache

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from vigie.api.application import Endpoint
from vigie.api.problems import Problem
from vigie.core.readings import Readings
from vigie.engine.ports import StorageFull
from vigie.engine.pump import Acknowledgement, Busy, Pump, Stopping
from vigie.protocols.plain import MalformedBody, decode_array, decode_lines

BODY_BYTES_MAX = 4 << 20
READINGS_MAX = 20_000
REJECTIONS_TOLD_MAX = 100

_DECODERS: Mapping[str, Callable[[bytes], Readings]] = {
    "application/json": decode_array,
    "application/x-ndjson": decode_lines,
}


class RejectedReading(msgspec.Struct, frozen=True):
    """One reading that was refused: its place in what was sent (from 0), the outcome's name, and what mends it."""

    row: int
    outcome: str
    detail: str


class ObservationsTaken(msgspec.Struct, frozen=True):
    """What became of a request's readings: the counts add up to what was sent.

    accepted: in history and in the live picture. late: in history alone, a newer value is known. duplicate: known
    already. rejected: not kept; the first 100 are told one by one.
    """

    accepted: int
    late: int
    duplicate: int
    rejected_total: int
    rejected: list[RejectedReading]


class Devices:
    """Who may speak: the digests of the secrets, held in memory so that each request costs one look-up."""

    def __init__(self, admitted: Mapping[bytes, tuple[int, str]]) -> None:
        self.load(admitted)

    def load(self, admitted: Mapping[bytes, tuple[int, str]]) -> None:
        """Takes what the store says now in place of what it said before."""
        self._admitted = admitted
        self._named = {name: number for number, name in admitted.values()}

    def named(self, name: str) -> int | None:
        """The number of the device that is called so, if it may speak."""
        return self._named.get(name)

    def called(self, number: int) -> str:
        """What the device of a number is called."""
        return next((name for name, known in self._named.items() if known == number), "")

    def known_by(self, secret: str) -> int | None:
        """The number of the device that has this secret, if one has."""
        known = self._admitted.get(hashlib.sha256(secret.encode(errors="surrogatepass")).digest())
        return None if known is None else known[0]

    def number(self, request: Request) -> int:
        """The number of the device that asks. Raises Problem 401."""
        scheme, _, secret = request.headers.get("authorization", "").partition(" ")
        known = self.known_by(secret) if scheme.lower() == "bearer" else None
        if known is None:
            raise Problem(
                401,
                "Who speaks?",
                "This door needs the secret of an admitted device.",
                mend="Send 'Authorization: Bearer SECRET'. 'vigie devices admit NAME' gives one.",
            )
        return known


_encode = msgspec.json.Encoder().encode


OBSERVATIONS_PATH = "/device/v1/observations"


def device_routes(devices: Devices, pump: Pump) -> dict[tuple[str, str], Endpoint]:
    """The device door: (method, path) -> endpoint, to be called without a router between."""

    async def take_observations(request: Request) -> Response:
        """Takes a JSON array or NDJSON of observations."""
        reporter = devices.number(request)
        media = request.headers.get("content-type", "application/json").partition(";")[0].strip().lower()
        decode = _DECODERS.get(media)
        if decode is None:
            raise Problem(415, "Unknown form", f"{media!r} is not read here.", mend=f"Send {' or '.join(_DECODERS)}.")
        body = await read_body(request, BODY_BYTES_MAX)
        try:
            readings = decode(body)
        except MalformedBody as error:
            raise Problem(
                400, "Not readable", str(error), mend="Send a JSON array, or NDJSON said to be so."
            ) from error
        if readings.sent > READINGS_MAX:
            raise Problem(413, "Too many at once", f"{readings.sent} readings; {READINGS_MAX} may come in one request.")
        return await taken(pump, readings, reporter)

    return {("POST", OBSERVATIONS_PATH): take_observations}


async def taken(pump: Pump, readings: Readings, reporter: int) -> Response:
    """What became of readings, once it is on disk. Raises Problem where nothing of them is kept."""
    try:
        return _told(await pump.submit(readings, reporter))
    except Busy as error:
        raise Problem(503, "Busy", "More waits to be kept than may wait.", retry_after_s=1) from error
    except Stopping as error:
        raise Problem(503, "Stopping", "The post is stopping.", retry_after_s=5) from error
    except StorageFull as error:
        raise Problem(
            507,
            "Disk full",
            "Nothing of this request was kept.",
            mend="Make room; then send it again.",
            retry_after_s=30,
        ) from error


async def read_body(request: Request, bytes_max: int) -> bytes:
    """The body, no longer than allowed. Raises Problem 413 as soon as it is longer, whatever its header says."""
    parts: list[bytes] = []
    size = 0
    async for part in request.stream():
        size += len(part)
        if size > bytes_max:
            most = f"{bytes_max >> 20} MiB" if bytes_max >> 20 else f"{bytes_max >> 10} KiB"
            raise Problem(413, "Too large", f"This request may have {most}.", mend="Send it in parts.")
        parts.append(part)
    return b"".join(parts)


def _told(became: Acknowledgement) -> Response:
    if not became.rejected:
        return _all_taken(became.accepted, became.late, became.duplicate)
    told = [
        RejectedReading(each.row, each.outcome.value, each.detail) for each in became.rejected[:REJECTIONS_TOLD_MAX]
    ]
    said = ObservationsTaken(became.accepted, became.late, became.duplicate, len(became.rejected), told)
    return Response(_encode(said), media_type="application/json")


@lru_cache(maxsize=1_000)
def _all_taken(accepted: int, late: int, duplicate: int) -> Response:
    """What most senders hear, most of them the same."""
    return Response(_encode(ObservationsTaken(accepted, late, duplicate, 0, [])), media_type="application/json")
