"""Bodies of requests as JSON: one way to read them, whatever they ask for."""

from __future__ import annotations

from typing import Annotated, Any, TypeVar

import msgspec
from msgspec import Meta
from starlette.requests import Request
from starlette.responses import Response

from vigie.api.devices import read_body
from vigie.api.problems import Problem

T = TypeVar("T")

BODY_BYTES_MAX = 1 << 20

Reason = Annotated[str, Meta(max_length=300, description="Why, in your own words: kept a year, erasable.")]


class Why(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Why something is done."""

    reason: Reason = ""


_encode = msgspec.json.Encoder().encode


async def read_json(request: Request, kind: type[T], bytes_max: int = BODY_BYTES_MAX) -> T:
    """What the request asks for. Raises Problem 415, 413, 400 (no JSON) or 422 (JSON, but not what is asked here)."""
    # A form of another site can send neither this type nor, without being asked first, this method.
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media != "application/json":
        raise Problem(415, "Unknown form", "This address reads JSON.", mend="Send 'Content-Type: application/json'.")
    body = await read_body(request, bytes_max)
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise Problem(422, "Not what is asked for", str(error), mend="The reference names the fields.",
                      rule="api.unreadable") from None  # fmt: skip
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Problem(400, "Not readable", "The body is no JSON.") from None
    except RecursionError:
        raise Problem(400, "Not readable", "The body is JSON within JSON without an end.") from None


async def read_why(request: Request) -> str:
    """Why, of a request that may do without a body. Raises as `read_json` does."""
    headers = request.headers
    if headers.get("content-length", "0") == "0" and "transfer-encoding" not in headers:
        return ""
    return (await read_json(request, Why)).reason.strip()


def answer(body: Any, status: int = 200) -> Response:
    """A JSON answer."""
    return Response(_encode(body), status, media_type="application/json")
