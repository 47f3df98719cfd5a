"""The two pages that mails lead to, without script: how one's report stands, and where mail about it is stopped.

To open a page changes nothing, for programs that look after mail open what is in it; a button does. The address that
stops mail has a token of its own: mail services that stop it for somebody need not hold the key to the report.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import datetime, tzinfo
from html import escape

from starlette.requests import Request as Asked
from starlette.responses import Response
from starlette.routing import Route

from vigie.api.access import language_of
from vigie.api.html import page
from vigie.api.open311.door import PREFIX, Open311Door, Refused
from vigie.api.open311.telling import own_request, request_of
from vigie.api.problems import Problem
from vigie.api.words import instant, words
from vigie.engine.cases import Case
from vigie.protocols.open311 import Unasked
from vigie.services.roads.reports import REPORT
from vigie.store.cases import StoredCases

STOP = "stop:"
"""What the id of a report has before it in the secret that stops mail about it."""

_REFUSED = {400: "missing", 403: "missing", 404: "missing", 409: "refused", 429: "busy"}
"""Which page tells of a status; of any other, that it was not done."""


class ReporterPages:
    """Answers whoever follows a link in a mail."""

    def __init__(
        self,
        door: Open311Door,
        stored: StoredCases,
        town: str,
        zone: tzinfo,
        forget: Callable[[Case], Awaitable[None]],
    ) -> None:
        """town: what it is called; zone: by whose clock it says when something was. forget: has the address be
        erased that was given with a report; raises Problem."""  # fmt: skip
        self._door, self._stored, self._town, self._zone, self._forget = door, stored, town, zone, forget

    @property
    def routes(self) -> list[Route]:
        """What it answers."""
        return [
            Route(f"{PREFIX}/reports/{{token}}", self._answering(self.report), methods=["GET"]),
            Route(f"{PREFIX}/reports/{{token}}", self._answering(self.reopen), methods=["POST"]),
            Route(f"{PREFIX}/stop/{{token}}", self._answering(self.ask), methods=["GET"]),
            Route(f"{PREFIX}/stop/{{token}}", self._answering(self.stop), methods=["POST"]),
        ]

    async def report(self, asked: Asked) -> Response:
        """The page of a report, for whoever has its token: its steps, and a button that reopens it where it may be."""
        return await self._told(asked, await self._door.owned(str(asked.path_params["token"])))

    async def reopen(self, asked: Asked) -> Response:
        """Says on the page of a report that what is closed is not fixed. The form has in `description` why."""
        # Nothing is read of who has no report here, and no photo of anybody.
        case = await self._door.owned(str(asked.path_params["token"]))
        said = (await self._door.form(asked, photo=False)).said
        await self._door.reopen_case(case, said.get("description", ""))
        return await self._told(asked, await self._door.owned(str(asked.path_params["token"])))

    async def ask(self, asked: Asked) -> Response:
        """The page on which mail about a report is stopped: a button."""
        case, said = await self._door.owned(str(asked.path_params["token"]), STOP), words(language_of(asked))
        body = f"<p>{escape(said('open311.page.no_mail'))}</p>"
        if "mail" in await asyncio.to_thread(self._stored.contact, case.id):
            body = (
                f"<p>{escape(said('open311.page.stop.ask', number=case.no))}</p>"
                f'<form method="post"><button>{escape(said("open311.page.stop.do"))}</button></form>'
            )
        return page(said("open311.page.stop"), body, language_of(asked))

    async def stop(self, asked: Asked) -> Response:
        """Stops mail about a report, and has the address erased; what is sent with it (RFC 8058) is not looked at."""
        case, said = await self._door.owned(str(asked.path_params["token"]), STOP), words(language_of(asked))
        await self._forget(case)
        return page(said("open311.page.stop"), f"<p>{escape(said('open311.page.stop.done'))}</p>", language_of(asked))

    async def _told(self, asked: Asked, case: Case) -> Response:
        language = language_of(asked)
        said, first = words(language), await self._door.first_of(case)
        told = request_of(case, self._town, language, first_no=first.no if first else 0)
        happened = await asyncio.to_thread(self._stored.timeline, case.id)
        parts = [
            f"<p>{escape(', '.join(filter(None, (told.service_name, told.address, told.agency_responsible))))}</p>",
            f"<p><strong>{escape(told.status_notes or '')}</strong></p><ul>",
        ]
        for step in own_request(told, case, happened, language).steps:
            why = f"<br>{escape(said('mail.why', why=step.why))}" if step.why else ""
            at = datetime.fromisoformat(step.at).astimezone(self._zone)
            parts.append(f"<li>{escape(instant(said, at))} {escape(step.notes or '')}{why}</li>")
        parts.append("</ul>")
        if self._door.may_reopen(case):
            parts.append(
                f'<h2>{escape(said("open311.page.reopen.ask"))}</h2><form method="post">'
                f"<label>{escape(said('open311.page.reopen.why'))}"
                f'<textarea name="description" rows="3" maxlength="300"></textarea></label>'
                f"<button>{escape(said('open311.page.reopen'))}</button></form>"
            )
        return page(said("open311.page", number=case.no), "".join(parts), language)

    def _answering(self, work: Callable[[Asked], Awaitable[Response]]) -> Callable[[Asked], Awaitable[Response]]:
        """What is refused is told on a page."""

        async def answered(asked: Asked) -> Response:
            again_s: int | None = None
            try:
                return await work(asked)
            except (Refused, Problem, Unasked) as error:
                status = 400 if isinstance(error, Unasked) else error.status
                again_s = error.retry_after_s if isinstance(error, Problem) else None
            language = language_of(asked)
            said, name = words(language), _REFUSED.get(status, "failed")
            if name == "missing":
                # Whether the token is wrong or the number, both are nothing here.
                status = 404
            detail = said(f"open311.page.{name}.detail", days=REPORT.settles_days)
            answer = page(said(f"open311.page.{name}"), f"<p>{escape(detail)}</p>", language, status)
            if again_s is not None:
                answer.headers["Retry-After"] = str(again_s)
            return answer

        answered.__doc__ = work.__doc__
        return answered
