"""Photos of cases: taken in by their content, kept without what the camera says of place and time, shown to whoever
works on the case."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import FileResponse, Response

from vigie.api.access import Caller
from vigie.api.acts.base import Bench, allowed, idempotency_key, refusals
from vigie.api.cases import forms
from vigie.api.cases.telling import Telling
from vigie.api.devices import read_body
from vigie.api.operation import Answer, Ask, Nothing, Operation
from vigie.api.pictures import UPLOAD_BYTES_MAX, NoPicture, Picture, picture_of
from vigie.api.problems import Problem
from vigie.core.scope import Verb
from vigie.engine.acts import case_act
from vigie.engine.cases import Case, Photo
from vigie.store.cases import KeptPhoto
from vigie.store.photos import Photos

AT_ONCE = 2
WAITING_MAX = 20


class PhotosDoor:
    """The operations on photos."""

    def __init__(self, bench: Bench, photos: Photos) -> None:
        self._bench, self._photos = bench, photos
        self._stored = bench.sources.facts.cases
        self._telling = Telling(bench)
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [
            Operation("POST", "cases/{id}/photos", self.add, answer=forms.PhotoForm, status=201,
                      headers={"Idempotency-Key": "Makes a repeated request the same photo."},
                      problems=(409, 413, 422, 503, 507)),
            Operation("GET", "cases/{id}/photos/{photo}", self.show),
            Operation("GET", "cases/{id}/photos/{photo}/small", self.show_small),
        ]  # fmt: skip

    async def add(self, ask: Ask[Nothing, Nothing]) -> Answer:
        """Adds a photo to a case. The body is the picture itself: JPEG, PNG or WebP, 12 MiB at most.

        What it is is told by its content. It is kept upright, with 2,000 pixels at most on its longer side, and without
        what the camera says of place and time.
        """
        caller, case = ask.caller, self._live(ask.caller, ask.part("id"))
        if not allowed(caller, Verb.WORK, case.area, case.service, Verb.SEE):
            raise Problem(403, "Not allowed", "It takes the right to work there.", rule="engine.case_right")
        key = idempotency_key(ask.request)
        # A photo that comes again under its key has the same id: it is the same file, whatever came of its answer.
        photo = case_act(caller.actor, "file", case.id, key) or self._bench.acts.new_id()
        if (known := await self._kept(case, photo)) is not None:
            return Answer(self._telling.photo(caller, case, known), 200)
        picture = await self._sent(ask.request)
        await self.keep(self._live(caller, case.id), picture, actor=caller.actor, key=key, photo=photo)
        await self._bench.kept()
        kept = await self._kept(case, photo)
        if kept is None:
            raise Problem(409, "Not kept", "This key was used for a photo that was erased since.",
                          rule="engine.key_reused")  # fmt: skip
        return Answer(self._telling.photo(caller, case, kept))

    async def show(self, ask: Ask[Nothing, Nothing]) -> Response:
        """Shows a photo, as JPEG, to whoever sends people there, works there or reads personal fields there."""
        return await self._shown(ask, small=False)

    async def show_small(self, ask: Ask[Nothing, Nothing]) -> Response:
        """Shows a photo with 320 pixels at most on its longer side."""
        return await self._shown(ask, small=True)

    async def keep(self, case: Case, picture: Picture, *, actor: str, key: str = "", photo: str = "") -> None:
        """Adds a picture to a case that is not archived; the same key of the same person adds it once. photo: its id,
        where that is known. Raises Problem."""
        photo = photo or case_act(actor, "file", case.id, key) or self._bench.acts.new_id()
        if key and photo in {each.id for each in await asyncio.to_thread(self._stored.photos, case.id)}:
            return
        with refusals():
            digest = await asyncio.to_thread(self._photos.put, photo, picture.whole, picture.small)
            made = Photo(photo, picture.width, picture.height, len(picture.whole), digest)
            if self._bench.sources.engine.cases.find(case.id) is None:
                raise _gone(case.id)
            self._bench.acts.photograph_case(case.id, made, actor=actor, key=key)

    async def _shown(self, ask: Ask[Nothing, Nothing], *, small: bool) -> Response:
        cases = self._bench.sources.engine.cases
        case = cases.find(ask.part("id"))
        if case is None:
            case = await asyncio.to_thread(self._stored.find, ask.part("id"), cases.kinds)
        if case is not None and self._telling.shows_photos(ask.caller, case):
            kept = {each.id for each in await asyncio.to_thread(self._stored.photos, case.id)}
            if ask.part("photo") in kept:
                path = self._photos.path(ask.part("photo"), small=small)
                if path.exists():
                    # It never changes, but it may be erased: a browser asks each time whether it is there still.
                    tag = f'"{ask.part("photo")}"'
                    headers = {"Cache-Control": "private, no-cache", "ETag": tag, "Vary": "Cookie, Authorization"}
                    if tag in ask.request.headers.get("if-none-match", ""):
                        return Response(status_code=304, headers=headers)
                    return FileResponse(path, headers=headers, media_type="image/jpeg")
        raise Problem(404, "No such photo", "It was erased, or you may not see it.")

    async def _kept(self, case: Case, photo: str) -> KeptPhoto | None:
        return next((each for each in await asyncio.to_thread(self._stored.photos, case.id) if each.id == photo), None)

    async def read(self, sent: bytes) -> Picture:
        """A picture that somebody sent, few at once. Raises Problem."""
        try:
            async with self._turns:
                return await asyncio.to_thread(picture_of, sent)
        except NoPicture as error:
            raise Problem(422, "No picture", f"This is no picture that is kept: {error}.",
                          mend="Send a JPEG, PNG or WebP.", rule="engine.case_picture") from error  # fmt: skip

    async def _sent(self, request: Request) -> Picture:
        """The picture that somebody is sending. Raises Problem."""
        if self._waiting >= WAITING_MAX:
            raise Problem(503, "Busy", "More photos come than can be read at once.", retry_after_s=5)
        # Counted from the first byte on: what is sent lies in the memory until it was read.
        self._waiting += 1
        try:
            return await self.read(await read_body(request, UPLOAD_BYTES_MAX))
        finally:
            self._waiting -= 1

    def _live(self, caller: Caller, case_id: str) -> Case:
        case = self._bench.sources.engine.cases.find(case_id)
        if case is None or not self._telling.sees(caller, case):
            raise _gone(case_id)
        return case


def _gone(case_id: str) -> Problem:
    return Problem(404, "No such case", f"There is no case {case_id[:80]!r} that is open to you.",
                   rule="engine.case_gone")  # fmt: skip
