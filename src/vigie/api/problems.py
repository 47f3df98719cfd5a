"""Errors as RFC 9457 problem documents: what is wrong, and what mends it."""

from __future__ import annotations

import msgspec
from starlette.responses import Response

_encode = msgspec.json.Encoder().encode


class Problem(Exception):
    """An answer that is an error. Raised anywhere below a route; the application turns it into a response."""

    def __init__(
        self, status: int, title: str, detail: str, *, mend: str = "", retry_after_s: int | None = None
    ) -> None:
        super().__init__(detail)
        self.status, self.title, self.detail = status, title, detail
        self.mend, self.retry_after_s = mend, retry_after_s

    def response(self) -> Response:
        """The problem as application/problem+json."""
        body: dict[str, str | int] = {"type": "about:blank", "title": self.title, "status": self.status}
        body["detail"] = self.detail
        if self.mend:
            body["mend"] = self.mend
        headers = {} if self.retry_after_s is None else {"Retry-After": str(self.retry_after_s)}
        if self.status == 401:
            headers["WWW-Authenticate"] = "Bearer"
        return Response(_encode(body), self.status, headers, "application/problem+json")
