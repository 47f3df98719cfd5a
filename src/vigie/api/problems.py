"""Errors as RFC 9457 problem documents: what is wrong, and what mends it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from starlette.responses import Response

_encode = msgspec.json.Encoder().encode


class Problem(Exception):
    """An answer that is an error. Raised anywhere below a route; the application turns it into a response."""

    def __init__(
        self,
        status: int,
        title: str,
        detail: str,
        *,
        mend: str = "",
        retry_after_s: int | None = None,
        rule: str = "",
        values: Mapping[str, str | float] | None = None,
    ) -> None:
        """rule, values: the key of the sentence in the catalogue of texts (after "refusal."), and what goes into it,
        so that a page says it in its reader's language."""
        super().__init__(detail)
        self.status, self.title, self.detail = status, title, detail
        self.rule, self.values = rule, values or {}
        self.mend, self.retry_after_s = mend, retry_after_s

    def response(self) -> Response:
        """The problem as application/problem+json."""
        body: dict[str, Any] = {"type": "about:blank", "title": self.title, "status": self.status}
        body["detail"] = self.detail
        if self.mend:
            body["mend"] = self.mend
        if self.rule:
            body |= {"rule": self.rule, "values": self.values}
        headers = {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return Response(_encode(body), self.status, headers, "application/problem+json")
