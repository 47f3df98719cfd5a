"""The door of residents' applications: Open311 GeoReport v2 below /open311/v2/, without an account.

Whoever reports something gets the number of their report and a token. The token is the key to their own report: they
read its steps by it, add a photo, and say within a fortnight that what is closed is not fixed. It follows from the
report and from a key of the installation, so nothing is kept of it.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import math
import re
from collections import Counter
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from math import ceil
from typing import Any

import msgspec
import structlog
from starlette.requests import Request as Asked
from starlette.responses import Response
from starlette.routing import Route

from vigie.api.access import language_of
from vigie.api.acts.base import Bench, idempotency_key, refusals
from vigie.api.cases import PhotosDoor
from vigie.api.devices import read_body
from vigie.api.open311.telling import CLOSED, OPEN, definition, own_request, request_of, services
from vigie.api.pictures import UPLOAD_BYTES_MAX, Picture
from vigie.api.problems import Problem
from vigie.api.session import is_https, network_of, peer_of
from vigie.api.words import words
from vigie.core.cases import Draft
from vigie.core.facts import RESIDENT
from vigie.core.scope import ALL_SERVICES, Grant, Scope, Verb, lies_in
from vigie.core.times import DAY_US
from vigie.engine.acts import case_act
from vigie.engine.cases import LIVE_MAX, Case
from vigie.engine.nearby import apart_m, nearest
from vigie.engine.rates import Allowance, Rates
from vigie.protocols.open311 import (
    DEPTH_MAX,
    FORMATS,
    Created,
    Discovery,
    Endpoint,
    Fault,
    Request,
    Service,
    Submission,
    Unasked,
    encode,
    encode_query,
    read_fields,
    read_multipart,
    read_query,
    submission_of,
)
from vigie.services.roads.reports import ANSWER_LENGTH_MAX, ASSET, MERGE, REPORT, SUBJECTS, Report, priority_of
from vigie.store.cases import Filter

PREFIX = "/open311"

FORM_BYTES_MAX = 64 << 10
ALLOWANCE = Allowance(per_s=1 / 30, burst=20)
"""What one address, or network of IPv6, may report or add: a neighbourhood behind one, after a storm."""
ALL_ALLOWANCE = Allowance(per_s=0.5, burst=1_000)
"""What all of them may: more is no town that reports, and would fill the disk."""
RECEIVED_MAX = 20_000
"""So many reports wait for a person at most: half a year of a metropole's."""
SENDING_MAX, SENDING_EACH_MAX = 8, 2
"""So many send a photo at once, and so many from one address."""
SENDING_S_MAX = 180
"""A form, and its photo, come within so many seconds: 12 MiB at 560 kbit/s."""
PHOTOS_MAX = 5
"""Of whoever reported it; crews add theirs."""
TOWN_M = 5_000.0
"""What lies farther from everything that the town has is not the town's."""
STREET_M = 100.0
NAMED_M = 200.0
"""Whoever names a lamp stands no farther from it."""

_SEEN = Scope(frozenset({Grant("", frozenset({ALL_SERVICES}), frozenset({Verb.SEE}))}))
"""Reports are told to everybody, as far as `vigie.api.open311.telling` tells them."""


_HOST = re.compile(r"(?:[A-Za-z0-9._-]{1,253}|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?")
_FROM_OTHER_SITES = {
    # Pages of other sites may read it: it is for everybody, and no cookie is looked at.
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "GET, POST",
    "Access-Control-Allow-Headers": "Accept-Language, Authorization, Content-Type, Idempotency-Key",
    "Access-Control-Expose-Headers": "Link, Retry-After",
    "Access-Control-Max-Age": "86400",
}

_log = structlog.get_logger("vigie.open311")


@dataclass(frozen=True, slots=True)
class Form:
    """What somebody sends: fields, in their order, and a photo."""

    fields: Sequence[tuple[str, str]]
    photo: bytes | None = None

    @property
    def said(self) -> dict[str, str]:
        """The fields by their names, the last of each."""
        return dict(self.fields)

    def digest(self, key: str) -> str:
        """What says the very same under a key has the same, however it was wrapped for its way."""
        photo = "" if self.photo is None else hashlib.sha256(self.photo).hexdigest()
        return hashlib.sha256(msgspec.json.encode([key, photo, self.fields])).hexdigest()


class Refused(Exception):
    """What was asked is refused: a status of HTTP, and why."""

    def __init__(self, status: int, why: str) -> None:
        super().__init__(why)
        self.status = status


class Open311Door:
    """Answers residents' applications."""

    def __init__(
        self, bench: Bench, photos: PhotosDoor, token_of: Callable[[str], str], *, proxies: int = 0, mails: bool = False
    ) -> None:
        """token_of: the secret that goes with the id of a report; raises OSError. proxies: see
        `vigie.api.session.peer_of`. mails: whether the post writes to who gives an address."""
        self._mails = mails
        self._bench, self._photos, self._token_of, self._proxies = bench, photos, token_of, proxies
        self._engine, self._stored = bench.sources.engine, bench.sources.facts.cases
        self._rates, self._all_rates = Rates(ALLOWANCE), Rates(ALL_ALLOWANCE)
        self._sending, self._keeping = Counter[str](), asyncio.Lock()

    @property
    def routes(self) -> list[Route]:
        """What it answers."""
        v2 = f"{PREFIX}/v2"
        routes = [
            Route(f"{PREFIX}/discovery.{{format}}", self._answering(self.discovery), methods=["GET"]),
            Route(f"{v2}/services.{{format}}", self._answering(self.services), methods=["GET"]),
            Route(f"{v2}/services/{{code}}.{{format}}", self._answering(self.definition), methods=["GET"]),
            Route(f"{v2}/requests.{{format}}", self._answering(self.requests), methods=["GET"]),
            Route(f"{v2}/requests.{{format}}", self._answering(self.report), methods=["POST"]),
            Route(f"{v2}/requests/{{id}}.{{format}}", self._answering(self.request), methods=["GET"]),
            Route(f"{v2}/requests/{{id}}/reopen.{{format}}", self._answering(self.reopen), methods=["POST"]),
            Route(f"{v2}/requests/{{id}}/photos.{{format}}", self._answering(self.photograph), methods=["POST"]),
            Route(f"{v2}/tokens/{{token}}.{{format}}", self._answering(self.token), methods=["GET"]),
        ]
        paths = dict.fromkeys(each.path for each in routes)
        return [*routes, *(Route(path, self.options, methods=["OPTIONS"]) for path in paths)]

    async def discovery(self, asked: Asked) -> Response:
        """Where the town answers residents' applications, and how."""
        scheme = "https" if is_https(asked) else "http"
        host = asked.headers.get("host", "")
        if not _HOST.fullmatch(host):
            raise Refused(400, "the header Host names no host")
        url = f"{scheme}://{host}{PREFIX}/v2"
        sources = self._bench.sources
        told = Discovery(changeset=sources.version, contact=sources.name, endpoints=(Endpoint(url=url),))
        # It is of who asked by this name: nobody else is to be told the same.
        return _private(_answer(asked, told, Discovery))

    async def services(self, asked: Asked) -> Response:
        """What may be reported, in each commune alike."""
        self._jurisdiction(asked.query_params.get("jurisdiction_id", ""))
        return _answer(asked, services(language_of(asked)), Service)

    async def definition(self, asked: Asked) -> Response:
        """What is asked of whoever reports something of a service."""
        self._jurisdiction(asked.query_params.get("jurisdiction_id", ""))
        code = str(asked.path_params["code"])
        if code not in SUBJECTS:
            raise Refused(404, "service_code was not found")
        told = definition(code, language_of(asked))
        return _answer(asked, told, type(told))

    async def requests(self, asked: Asked) -> Response:
        """What was reported in a commune, the newest first: of some days, in pages, or of some numbers.

        Without a word the last 90 days are told, 1,000 reports at most.
        """
        fields = read_fields(asked.url.query)
        area = self._jurisdiction(dict(fields).get("jurisdiction_id", ""))
        query = read_query(fields, self._now_us())
        if query.ids:
            numbers = [int(each) for each in query.ids if _is_number(each)]
            wanted = Filter(kinds=(REPORT.key,), numbers=numbers or (-1,), area=area)
        else:
            states = [*(OPEN if "open" in query.statuses else ()), *(CLOSED if "closed" in query.statuses else ())]
            wanted = Filter(
                kinds=(REPORT.key,), states=states if len(set(query.statuses)) == 1 else (), categories=query.codes,
                area=area, opened_since_us=query.since_us, opened_until_us=query.until_us,
            )  # fmt: skip
        kinds, most = self._engine.cases.kinds, query.most
        cases = await asyncio.to_thread(self._stored.page, _SEEN, wanted, kinds, limit=most + 1, skipped=query.first)
        name, language = self._bench.sources.name, language_of(asked)
        answer = _answer(asked, [request_of(case, name, language) for case in cases[:most]], Request)
        if len(cases) > most and query.first + most <= DEPTH_MAX:
            # It names the end of what was asked for: what is reported meanwhile moves nothing on to the next page.
            following = encode_query(replace(query, first=query.first + most), area)
            answer.headers["Link"] = f'<requests.{asked.path_params["format"]}?{following}>; rel="next"'
        return answer

    async def request(self, asked: Asked) -> Response:
        """How one report stands; with its token also the words, the place, and each step that it took."""
        case = await self._case(asked)
        first = await self.first_of(case)
        language = language_of(asked)
        told = request_of(case, self._bench.sources.name, language, first_no=first.no if first else 0)
        scheme, _, token = asked.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            self._need_own(case, token.strip())
            happened = await asyncio.to_thread(self._stored.timeline, case.id)
            return _private(_answer(asked, [own_request(told, case, happened, language)], Request))
        return _answer(asked, [told], Request)

    async def report(self, asked: Asked) -> Response:
        """Reports something: a form, with a photo as its file `media` where there is one.

        It is on disk when it is answered. Repeated with the same `Idempotency-Key` it is the same report.
        """
        form = await self.form(asked)
        area = self._jurisdiction(form.said.get("jurisdiction_id", ""))
        submission = submission_of(form.fields)
        draft = self._draft(submission, area)
        is_told = submission.mail and submission.told
        if is_told:
            draft = replace(draft, contact={**draft.contact, "language": language_of(asked)})
        key = idempotency_key(asked)
        # A key that another has taken too is of no report but one that says the very same.
        key = form.digest(key) if key else ""
        picture = None if form.photo is None else await self._photos.read(form.photo)
        case = await self._again(key)
        if case is None:
            self._need_room()
            with refusals():
                case = self._bench.acts.open_case(draft, actor=RESIDENT, key=key)
        await self._bench.kept()
        said = words(language_of(asked))
        notice = said("open311.notice")
        if self._mails and is_told:
            notice += f" {said('open311.notice.mail')}"
        try:
            if picture is not None:
                await self._keep(case, picture, key)
        except (Refused, Problem, OSError) as error:
            # The report stands, and nobody but who holds its token could add the photo.
            _log.warning("photo of a report not kept", case=case.id, reason=str(error))
            notice = f"{said('open311.notice.no_photo')} {notice}"
        told = Created(service_request_id=str(case.no), token=self.token_for(case), service_notice=notice)
        return _private(_answer(asked, [told], Created, 201))

    async def reopen(self, asked: Asked) -> Response:
        """Says that what is closed is not fixed: for whoever has the report's token, within 14 days.

        The form has `token`, and in `description` why.
        """
        said = (await self.form(asked)).said
        case = await self._own(asked, said)
        await self.reopen_case(case, said.get("description", ""))
        return _answer(asked, [Created(service_request_id=str(case.no))], Created)

    async def photograph(self, asked: Asked) -> Response:
        """Adds a photo to a report: for whoever has its token. The form has `token` and the file `media`."""
        form = await self.form(asked)
        case = await self._own(asked, form.said)
        if form.photo is None:
            raise Refused(400, "media, a file, was not provided")
        if self._engine.cases.find(case.id) is None:
            raise Refused(409, "it is archived")
        await self._keep(case, await self._photos.read(form.photo), form.digest(""))
        return _answer(asked, [Created(service_request_id=str(case.no))], Created, 201)

    async def token(self, asked: Asked) -> Response:
        """The number of the report that a token is of."""
        token = str(asked.path_params["token"])
        case = await self.owned(token)
        return _private(_answer(asked, [Created(service_request_id=str(case.no), token=token)], Created))

    async def options(self, asked: Asked) -> Response:
        """Lets the pages of other sites send what this door takes in."""
        return Response(status_code=204, headers=_FROM_OTHER_SITES)

    # For the pages that mails lead to.

    async def owned(self, token: str, prefix: str = "") -> Case:
        """The report that a token is of. prefix: what the token is for, of those that are not the key to all of it.
        Raises Refused."""
        case = await self._numbered(token.partition("-")[0])
        self._need_own(case, token, prefix)
        return case

    def token_for(self, case: Case, prefix: str = "") -> str:
        """The token of a report; see `owned`. Raises OSError."""
        return f"{case.no}-{self._token_of(prefix + case.id)}"

    def may_reopen(self, case: Case) -> bool:
        """Whether whoever reported it may say that it is not fixed."""
        live = self._engine.cases.find(case.id)
        settled_us = REPORT.settles_days * DAY_US
        return live is not None and live.state in CLOSED and live.moved_us + settled_us >= self._now_us()

    async def reopen_case(self, case: Case, said: str) -> None:
        """Takes a report up again, for whoever made it. Raises Refused, Problem."""
        live = self._engine.cases.find(case.id)
        if live is None or live.moved_us + REPORT.settles_days * DAY_US < self._now_us():
            raise Refused(409, f"it was closed more than {REPORT.settles_days} days ago: report it anew")
        with refusals():
            self._bench.acts.move_case(case.id, "reopen", actor=RESIDENT, reason=said.strip()[:300] or "not fixed")
        await self._bench.kept()

    async def first_of(self, case: Case) -> Case | None:
        """The report whose way a report goes."""
        into = next((other for other, how in case.links.items() if how == MERGE), None)
        if case.state != "merged" or into is None:
            return None
        cases = self._engine.cases
        return cases.find(into) or await asyncio.to_thread(self._stored.find, into, cases.kinds)

    # How.

    def _answering(self, work: Callable[[Asked], Awaitable[Response]]) -> Callable[[Asked], Awaitable[Response]]:
        """What is refused is told as the standard has it, in the form that was asked for."""

        async def answered(asked: Asked) -> Response:
            if asked.path_params["format"] not in FORMATS:
                return _fault("json", 404, f"the forms are {', '.join(FORMATS)}")
            form = str(asked.path_params["format"])
            try:
                with self._sending_photo(asked) if _brings_photo(asked) else nullcontext():
                    return await work(asked)
            except Refused as error:
                return _fault(form, error.status, str(error))
            except Unasked as error:
                return _fault(form, 400, str(error))
            except Problem as error:
                return _fault(form, error.status, error.detail, error.retry_after_s)

        answered.__doc__ = work.__doc__
        return answered

    def _now_us(self) -> int:
        return self._bench.sources.clock.now_us()

    def _jurisdiction(self, name: str) -> str:
        """The area that a jurisdiction is; "" for all of the town. Raises Refused."""
        areas = self._engine.registry.areas
        if name and not any(lies_in(area, name) for area in areas):
            raise Refused(
                404, "jurisdiction_id was not found: it is the path of an area, or nothing for all of the town"
            )
        return name

    @contextmanager
    def _sending_photo(self, asked: Asked) -> Generator[None]:
        """Counts who sends a photo from the first byte on, and until it was dealt with: what is sent lies in memory.
        Raises Problem."""
        peer = network_of(peer_of(asked, self._proxies))
        if self._sending.total() >= SENDING_MAX or self._sending[peer] >= SENDING_EACH_MAX:
            raise Problem(503, "Busy", "more photos come than can be taken at once", retry_after_s=10)
        self._sending[peer] += 1
        try:
            yield
        finally:
            self._sending -= Counter([peer])

    def _need_room(self) -> None:
        """Raises Refused where a report more would be one that nobody reads, or whose token cannot be told."""
        cases = self._engine.cases
        if len(cases) >= LIVE_MAX // 2 or cases.count(REPORT, REPORT.life.first) >= RECEIVED_MAX:
            raise Refused(503, "more is open than the town can deal with: try again later")
        try:
            self._token_of("")
        except OSError as error:
            _log.error("no tokens for reports", reason=str(error))
            raise Refused(503, "nothing can be taken in at the moment: try again later") from error

    async def form(self, asked: Asked, *, photo: bool = True) -> Form:
        """What a form says and brings. photo: whether it may bring one. What comes too often is refused before it is
        read. Raises Refused, Unasked, Problem."""
        now_us, peer = self._now_us(), network_of(peer_of(asked, self._proxies))
        # Who waits for the others has not used up what is theirs.
        wait_s = self._all_rates.wait_s("", now_us) or self._rates.take(peer, now_us)
        if wait_s:
            raise Problem(429, "Too often", "you report more often than is taken", retry_after_s=ceil(wait_s))
        self._all_rates.take("", now_us)
        fields = read_fields(asked.url.query)
        if not _brings_photo(asked):
            return Form([*fields, *read_fields((await _body(asked, FORM_BYTES_MAX)).decode("latin-1"))])
        if not photo:
            raise Refused(415, "a photo is not taken here: send application/x-www-form-urlencoded")
        parts = read_multipart(asked.headers["content-type"], await _body(asked, UPLOAD_BYTES_MAX + FORM_BYTES_MAX))
        files = [each.content for each in parts if each.file and each.content]
        if len(files) > 1:
            raise Refused(400, "one photo at once: add the others by the token")
        return Form([*fields, *((each.name, each.text) for each in parts if not each.file)], *files)

    def _draft(self, said: Submission, within: str) -> Draft:
        """What is reported as a case. Raises Refused."""
        subject = SUBJECTS.get(said.service_code)
        if subject is None:
            raise Refused(404, "service_code was not found")
        if said.media_url:
            # What an address holds that a stranger names is not fetched: it may be one of the town's own.
            raise Refused(400, "media_url is not fetched: send the photo itself, as the file media of a form")
        if math.isnan(said.lat):
            raise Refused(400, "lat and long were not provided: an address alone says no place here")
        registry = self._engine.registry
        by_id = said.attributes.get(ASSET.code, ("",))[0]
        named = next((no for kind in subject.kinds if (no := self._asset(kind, by_id))), 0)
        here = not named or not apart_m(registry, named, said.lon, said.lat) > NAMED_M
        # What is named far from where it is said to be may be either: a person decides.
        asset = 0 if not here else named or nearest(registry, said.lon, said.lat, subject.within_m, subject.kinds)
        beside = asset or nearest(registry, said.lon, said.lat, STREET_M)
        area = registry.areas[int(registry.area[asset])] if asset else self._engine.area_at(said.lon, said.lat)
        if not area and not nearest(registry, said.lon, said.lat, TOWN_M):
            raise Refused(400, "the place lies outside of the town")
        if within and area and not lies_in(area, within):
            raise Refused(400, f"the place lies in another jurisdiction: {area}")
        answers = {
            question.code: values
            for question in subject.questions
            if question.values and (values := tuple(said.attributes.get(question.code, ())[:1]))
        }
        for question in subject.questions:
            if question.values and set(answers.get(question.code, ())) - set(question.values):
                raise Refused(400, f"attribute[{question.code}] is one of {', '.join(question.values)}")
        if named:
            answers[ASSET.code] = (registry.ids[named][:ANSWER_LENGTH_MAX],)
        contact = {"name": said.name, "mail": said.mail, "phone": said.phone}
        return Draft(
            kind=REPORT, category=said.service_code, priority=priority_of(answers),
            words="\n".join(filter(None, (said.description, said.address))), lon=said.lon, lat=said.lat,
            area=area or within, street=registry.streets[int(registry.street[beside])] if beside else "",
            assets=(asset,) if asset else (), document=Report(answers=answers, named=asset == named != 0),
            contact=contact,
        )  # fmt: skip

    def _asset(self, kind: str, said: str) -> int:
        """An asset of a kind by its id, or by what is written on it."""
        registry = self._engine.registry
        no = registry.numbers.get(said) or registry.numbers.get(f"{kind}-{said}") or 0
        return no if no and registry.kind_of(no).kind == kind and not registry.gone[no] else 0

    async def _again(self, key: str) -> Case | None:
        """The report that was made under a key before."""
        kinds = self._engine.cases.kinds
        return await asyncio.to_thread(self._stored.find, case_act(RESIDENT, "open", "", key), kinds) if key else None

    async def _keep(self, case: Case, picture: Picture, key: str) -> None:
        """Adds a photo, and has it on disk. Raises Refused, Problem."""
        async with self._keeping:
            kept = await asyncio.to_thread(self._stored.photos, case.id)
            mine = {each.id for each in kept if each.adder == RESIDENT}
            if len(mine) >= PHOTOS_MAX and case_act(RESIDENT, "file", case.id, key) not in mine:
                raise Refused(409, f"a report has {PHOTOS_MAX} photos at most")
            await self._photos.keep(case, picture, actor=RESIDENT, key=key)
            await self._bench.kept()

    async def _case(self, asked: Asked) -> Case:
        """The report that the address names. Raises Refused."""
        case = await self._numbered(str(asked.path_params["id"]))
        area = self._jurisdiction(asked.query_params.get("jurisdiction_id", ""))
        if not lies_in(case.area, area):
            raise Refused(404, "service_request_id was not found in this jurisdiction")
        return case

    async def _numbered(self, said: str) -> Case:
        found: list[Case] = []
        if _is_number(said):
            wanted = Filter(kinds=(REPORT.key,), number=int(said))
            found = await asyncio.to_thread(self._stored.page, _SEEN, wanted, self._engine.cases.kinds, limit=1)
        if not found:
            raise Refused(404, "service_request_id was not found")
        return self._engine.cases.find(found[0].id) or found[0]

    async def _own(self, asked: Asked, said: dict[str, str]) -> Case:
        """The report that the address names, for whoever has its token. Raises Refused."""
        case = await self._case(asked)
        self._need_own(case, said.get("token", ""))
        return case

    def _need_own(self, case: Case, token: str, prefix: str = "") -> None:
        if not hmac.compare_digest(self.token_for(case, prefix).encode(), token.encode(errors="surrogatepass")):
            raise Refused(403, "the token is not that of this report")


def _brings_photo(asked: Asked) -> bool:
    media = asked.headers.get("content-type", "")
    return asked.method == "POST" and media.partition(";")[0].strip().lower() == "multipart/form-data"


async def _body(asked: Asked, bytes_max: int) -> bytes:
    """What is sent. Raises Refused for what comes too slowly, Problem for what is too much."""
    try:
        async with asyncio.timeout(SENDING_S_MAX):
            return await read_body(asked, bytes_max)
    except TimeoutError:
        raise Refused(408, f"it took longer than {SENDING_S_MAX} s to send") from None


def _is_number(said: str) -> bool:
    return said.isascii() and said.isdigit() and len(said) <= 15


def _answer(asked: Asked, told: Any, kind: type[Any], status: int = 200) -> Response:
    return _document(str(asked.path_params["format"]), encode(told, str(asked.path_params["format"]), kind), status)


def _fault(format: str, status: int, why: str, retry_after_s: int | None = None) -> Response:
    response = _document(format, encode([Fault(str(status), why)], format, Fault), status)
    if retry_after_s is not None:
        response.headers["Retry-After"] = str(retry_after_s)
    return response


def _document(format: str, body: bytes, status: int) -> Response:
    headers = _FROM_OTHER_SITES | {"Vary": "Accept-Language, Authorization"}
    return Response(body, status, headers, FORMATS[format])


def _private(response: Response) -> Response:
    """What is told to one, and kept nowhere on its way."""
    response.headers["Cache-Control"] = "no-store"
    return response
