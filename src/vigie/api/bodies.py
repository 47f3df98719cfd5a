"""Bodies of requests as JSON: one way to read them, whatever they ask for."""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from vigie.api.devices import read_body
from vigie.api.problems import Problem

T = TypeVar("T")

BODY_BYTES_MAX = 1 << 20

_encode = msgspec.json.Encoder().encode


async def read_json(request: Request, kind: type[T]) -> T:
    """What the request asks for. Raises Problem 415, 413, 400 (no JSON) or 422 (JSON, but not what is asked here)."""
    # A form of another site can send neither this type nor, without being asked first, this method.
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise Problem(415, "Unknown form", "This address reads JSON.", mend="Send 'Content-Type: application/json'.")
    body = await read_body(request, BODY_BYTES_MAX)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise Problem(422, "Not what is asked for", str(error), mend="The reference names the fields.") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Problem(400, "Not readable", "The body is no JSON.") from None


def answer(body: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(_encode(body), status, media_type="application/json")
