"""Cursors: where a list goes on. Opaque to whoever gets one, and good whatever was added to the list meanwhile."""

from __future__ import annotations

import base64
from typing import TypeVar

import msgspec

from vigie.api.problems import Problem

T = TypeVar("T")


def cursor(*place: int | str) -> str:
    """The cursor of the last item that was given, by what its list is sorted by."""
    return base64.urlsafe_b64encode(msgspec.msgpack.encode(place)).decode().rstrip("=")


def place_of(said: str, form: type[T]) -> T | None:
    """What `cursor` was made of, None for "". form: its type, such as tuple[int, str]. Raises Problem 400."""
    if not said:
        return None
    try:
        return msgspec.msgpack.decode(base64.urlsafe_b64decode(said + "=" * (-len(said) % 4)), type=form)
    except (ValueError, msgspec.DecodeError) as error:
        raise Problem(
            400, "Not a cursor", "This cursor is not one of this list.", mend="Take `next` of the page before as it is."
        ) from error
