"""Mail to residents in a post: each step told once, again when it was not taken, never to who said no."""

from __future__ import annotations

import asyncio
import re
from collections.abc import AsyncGenerator, Coroutine
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import datetime, timedelta
from email.message import EmailMessage
from itertools import pairwise
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pytest
import structlog.testing

from tests.mail_end import GONE, MailEnd
from tests.post import NO_RESERVE, make
from vigie.api.mailing import MailFigures, Outbox
from vigie.api.mailing import outbox as module
from vigie.api.mailing.outbox import AGAIN_US, GIVEN_UP_US, TOGETHER_US, UNSENT_US
from vigie.app import WallClock, installation
from vigie.app.installation import POST_ID, Installation
from vigie.app.mail import forget_address, mailing
from vigie.app.post import Post
from vigie.core.cases import Draft
from vigie.core.facts import POST, RESIDENT, PersonalErased
from vigie.core.times import HOUR_US, MINUTE_US, SECOND_US
from vigie.engine.cases import Case
from vigie.engine.plans import By
from vigie.services.roads.reports import REPORT
from vigie.services.roads.telling import MAIL_UNSENT
from vigie.settings import Settings
from vigie.store.mailing import REFUSED_KEPT_US, Waiting

ANNE, PAUL = "anne@example.org", "paul@example.org"
SOMEBODY = "u-1"


class Watch(WallClock):
    """A clock that is set forward."""

    def __init__(self) -> None:
        super().__init__()
        self.ahead_us = 0

    def now_us(self) -> int:
        return super().now_us() + self.ahead_us


class Town:
    """A post whose mail is sent when a test says so. sent: what has arrived since it was looked at last."""

    def __init__(self, opened: Installation, clock: Watch, end: MailEnd) -> None:
        self.opened, self.clock, self.end = opened, clock, end
        self.post = Post(opened)
        outbox = mailing(opened, self.post)
        assert outbox is not None
        self.outbox = outbox
        self._looked = len(end.taken)

    def report(self, mail: str = ANNE, language: str = "fr", **said: Any) -> Case:
        contact = {"name": "Anne Durand", "mail": mail, "language": language}
        draft = Draft(
            REPORT, said.pop("category", "pothole"), 3, words="Un trou, dit Paul.", lon=5.0, lat=47.3,
            area="dijon-metropole/quetigny", street="Rue Verte", contact=contact,
        )  # fmt: skip
        return self.post.acts.open_case(draft, actor=RESIDENT)

    def move(self, case: Case, event: str, reason: str = "", into: str = "") -> None:
        """As a person, or as the post does."""
        if into:
            now_us = self.clock.now_us()
            by = By(POST, now_us, f"{case.id}.{event}.{now_us}", reason)
            self.post.engine.owe([self.post.engine.cases.move(case.id, event, by=by, into=into)])
        else:
            self.post.acts.move_case(case.id, event, actor=SOMEBODY, reason=reason)

    async def look(self, later_us: int = TOGETHER_US) -> list[str]:
        """What is in the subjects of what arrives, when the post looks now and after some time."""
        await self.post.pump.settled()
        await self.outbox.look()
        self.clock.ahead_us += later_us
        await self.outbox.look()
        new, self._looked = self.end.taken[self._looked :], len(self.end.taken)
        return [each["Subject"].replace("\u00a0", " ") for each in new]

    @property
    def is_alarmed(self) -> bool:
        number = self.post.engine.registry.numbers[POST_ID]
        return bool(self.post.engine.is_open(MAIL_UNSENT, np.array([number]))[0])

    def figures(self) -> dict[str, float]:
        return {
            ".".join([sample.name, *sample.labels.values()]): sample.value
            for family in MailFigures(self.outbox).collect()
            for sample in family.samples
        }


@pytest.fixture
def made(tmp_path: Path) -> Path:
    make(tmp_path, lamps=2)
    return tmp_path


def settings(folder: Path, port: int, **said: Any) -> Settings:
    told = {"smtp_host": "127.0.0.1", "smtp_security": "none", "mail_from": "voirie@town.example"}
    told |= {"public_url": "https://post.example/", "mail_name": "Voirie, Essai"}
    return Settings(data=folder, smtp_port=port, **(told | said), **NO_RESERVE)


@asynccontextmanager
async def town(folder: Path, end: MailEnd, clock: Watch | None = None, **said: Any) -> AsyncGenerator[Town]:
    with installation(settings(folder, end.port, **said)) as opened:
        clock = opened.clock = clock or Watch()
        started = Town(opened, clock, end)
        started.post.pump.start()
        try:
            yield started
        finally:
            await started.post.pump.stop()


def run(work: Coroutine[Any, Any, None]) -> None:
    asyncio.run(work)


def body(end: MailEnd, place: int = -1) -> str:
    return end.taken[place].get_content().replace("\r\n", "\n").replace("\u00a0", " ").replace("\u202f", " ")


def test_a_report_is_told_step_by_step_and_what_comes_together_in_one_mail(made: Path) -> None:
    async def work() -> None:
        async with MailEnd().there() as end, town(made, end) as here:
            case = here.report()
            assert await here.look(0) == [], "what follows soon is told with it"
            here.move(case, "accept")
            assert await here.look() == [f"Signalement n° {case.no} : accepté"]
            told = body(end)
            assert re.findall(r"^- \S+ à \S+ : (.*)$", told, re.MULTILINE) == [
                "Reçu : nous l'examinons.", "Accepté : une intervention est prévue.",
            ]  # fmt: skip
            assert "Rue Verte" in told
            follow, stop = re.findall(r"^https://\S+$", told, re.MULTILINE)
            assert follow.startswith(f"https://post.example/open311/reports/{case.no}-")
            assert stop.startswith(f"https://post.example/open311/stop/{case.no}-")
            assert follow.rpartition("-")[2] != stop.rpartition("-")[2], "who stops mail need not hold the report's key"
            for word in ("trou", "Paul", "Durand"):
                assert word not in end.raw[-1].decode(), "what was written, and of whom, is not in a mail"
            first = end.taken[-1]
            assert first["List-Unsubscribe"] == f"<{stop}>"
            assert f"List-Unsubscribe: <{stop}>\r\n".encode() in end.raw[-1]
            assert first["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
            assert (first["Auto-Submitted"], first["Content-Language"]) == ("auto-generated", "fr")
            assert first["From"].addresses[0].display_name == "Voirie, Essai"
            assert await here.look() == []
            here.move(case, "close", "Rebouché.\r\nBcc: paul@example.org")
            assert await here.look() == [f"Signalement n° {case.no} : clos"]
            assert "La ville écrit : « Rebouché. Bcc: paul@example.org »" in body(end)
            assert "Clos ne veut pas dire réparé" in body(end)
            closed = here.post.engine.cases.find(case.id)
            assert closed is not None
            until = datetime.fromtimestamp(closed.moved_us // SECOND_US, ZoneInfo("Europe/Paris")) + timedelta(days=14)
            assert f"jusqu'au {until:%d/%m/%Y à %H:%M}, sur cette page" in body(end)
            last = end.taken[-1]
            assert last["Bcc"] is None
            assert last["References"] == first["References"]
            assert last["Message-ID"] != first["Message-ID"]
            assert here.figures()["vigie_mails_total.sent"] == 2

    run(work())


def test_those_whose_reports_go_anothers_way_are_told_as_that_one_goes(made: Path) -> None:
    async def work() -> None:
        async with MailEnd().there() as end, town(made, end) as here:
            first, second = here.report(), here.report(PAUL, "en")
            here.move(second, "merge", into=first.id)
            assert len(await here.look()) == 2
            here.move(first, "accept")
            assert await here.look() == [f"Signalement n° {first.no} : accepté", f"Report no. {second.no}: accepted"]
            assert str(end.taken[-1]["To"]) == PAUL
            assert ANNE not in end.raw[-1].decode()
            assert f"no. {second.no} " in body(end), "of the other's report not even its number is told"
            # And as that one goes another's way in turn, so does who follows it.
            people = ["lea@example.org", "marc@example.org", "zoe@example.org"]
            reports = [here.report(each) for each in people]
            for report, into in pairwise(reports):
                here.move(report, "merge", into=into.id)
            await here.look()
            here.move(reports[-1], "accept")
            assert len(await here.look()) == len(people)
            assert sorted(str(each["To"]) for each in end.taken[-3:]) == people

    run(work())


def test_a_mail_that_may_have_been_taken_is_sent_again_as_the_very_same_also_after_a_crash(made: Path) -> None:
    async def work() -> None:
        clock = Watch()
        async with MailEnd().there() as end:
            async with town(made, end, clock) as here:
                case = here.report()
                end.ends = [GONE]
                await here.look()
                # What comes meanwhile is told by another.
                here.move(case, "accept")
                await here.look(0)
                assert here.outbox.counts["sent"] == 0
            async with town(made, end, clock) as here:
                assert await here.look(AGAIN_US) == [f"Signalement n° {case.no} : reçu"]
                one, other = end.taken
                assert one["Message-ID"] == other["Message-ID"]
                assert one.get_content() == other.get_content()
                assert await here.look() == [f"Signalement n° {case.no} : accepté"]
                assert await here.look() == []

    run(work())


def test_what_is_not_taken_is_tried_again_and_an_address_that_is_none_never(made: Path) -> None:
    async def work() -> None:
        async with MailEnd().there() as end, town(made, end) as here:
            case, other = here.report(), here.report(PAUL)
            end.answers = {ANNE: "451 4.7.1 come again", PAUL: "550 5.1.1 <paul@example.org> is unknown"}
            with structlog.testing.capture_logs() as logs:
                assert await here.look() == []
            assert here.outbox.counts == {"deferred": 1, "refused": 1}
            assert "example.org" not in str(logs)
            assert here.figures()["vigie_mails_unreached"] >= 1
            end.answers = {}
            here.move(case, "accept")
            here.move(other, "accept")
            # Not before its time; then with what has come meanwhile.
            assert await here.look(MINUTE_US) == []
            assert await here.look(AGAIN_US) == [f"Signalement n° {case.no} : accepté"]
            assert "Reçu" in body(end)
            assert here.opened.facts.mail.counts()[1] == 1
            here.opened.facts.mail.tidy(here.clock.now_us())
            assert here.opened.facts.mail.counts()[1] == 1
            here.opened.facts.mail.tidy(here.clock.now_us() + REFUSED_KEPT_US + HOUR_US)
            assert here.opened.facts.mail.counts()[1] == 0

    run(work())


def test_a_server_that_is_away_is_an_alarm_and_loses_nothing_but_what_is_old(made: Path) -> None:
    async def work() -> None:
        clock = Watch()
        async with MailEnd().there() as end, town(made, end, clock) as here:
            case = here.report()
        async with town(made, end, clock) as here:
            assert await here.look() == []
            assert here.outbox.health.why
            assert not here.is_alarmed
            await here.look(UNSENT_US)
            assert here.is_alarmed
            async with end.there(port=end.port):
                assert await here.look(UNSENT_US) == [f"Signalement n° {case.no} : reçu"]
            assert not here.is_alarmed
            here.move(case, "accept")
            await here.look()
            here.clock.ahead_us += GIVEN_UP_US
            here.move(case, "close", "Rebouché.")
            await here.look()
            async with end.there(port=end.port):
                assert await here.look(UNSENT_US) == [f"Signalement n° {case.no} : clos"]
            assert "Accepté" not in body(end), "five days on it is no news"
            assert here.outbox.counts["given_up"] == 1

    run(work())


def test_what_the_server_refuses_to_the_post_marks_nobody_as_unreachable(made: Path) -> None:
    async def work() -> None:
        async with MailEnd().there() as end, town(made, end) as here:
            case = here.report()
            end.answers = {ANNE: "554 5.7.1 Relay access denied"}
            await here.look()
            assert here.outbox.counts == {"deferred": 1}, "nobody is taken for unreachable"
            assert here.outbox.health.why == "", "one domain may take mail from few"
            for to in ("paul@other.example", "marc@third.example"):
                end.answers[to] = end.answers[ANNE]
                here.report(to)
            await here.look(AGAIN_US)
            assert here.outbox.counts == {"deferred": 3}
            assert "Relay" in here.outbox.health.why
            # That it can be reached does not mean that it takes anything.
            await here.look(MINUTE_US)
            assert "Relay" in here.outbox.health.why
            await here.look(UNSENT_US)
            assert here.is_alarmed
            end.answers = {}
            assert f"Signalement n° {case.no} : reçu" in await here.look(UNSENT_US)
            assert here.outbox.health.why == ""
            assert not here.is_alarmed

    run(work())


def test_who_says_so_is_told_no_more_and_the_journal_says_that_it_was_asked_for(made: Path) -> None:
    async def work() -> None:
        async with MailEnd().there() as end, town(made, end) as here:
            case = here.report()
            assert len(await here.look()) == 1
            here.move(case, "accept")
            await here.look(0)
            await forget_address(here.opened, here.post, case)
            assert await here.look() == []
            here.move(case, "close", "Rebouché")
            assert await here.look() == []
            assert set(here.opened.facts.cases.contact(case.id)) == {"name"}
            erased = [each.fact for each in here.opened.facts.journal.lines(limit=20)]
            (fact,) = [each for each in erased if isinstance(each, PersonalErased)]
            assert sorted(fact.fields) == [f"{case.id}/contact_language", f"{case.id}/contact_mail"]
            assert fact.actor == RESIDENT
            await forget_address(here.opened, here.post, case)
            assert len([1 for each in here.opened.facts.journal.lines(limit=20) if each.fact.id == fact.id]) == 1

    run(work())


def test_nothing_is_told_of_what_was_before_mail_was_switched_on(made: Path) -> None:
    async def work() -> None:
        async with MailEnd().there() as end:
            with installation(Settings(data=made, **NO_RESERVE)) as opened:
                post = Post(opened)
                assert mailing(opened, post) is None
                clock = opened.clock = Watch()
                early = Town.report(_Without(post), PAUL)
                post.engine.settle()
            async with town(made, end, clock) as here:
                assert await here.look() == []
                here.move(early, "accept")
                assert await here.look() == [f"Signalement n° {early.no} : accepté"]
                assert "Reçu" not in body(end)

    run(work())


class _Without:
    """As much of a town as reports are made with."""

    def __init__(self, post: Post) -> None:
        self.post = post


def test_who_gave_no_language_or_no_address_is_told_nothing_and_nobody_is_flooded(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    each = replace(module.EACH, burst=3)
    monkeypatch.setattr(module, "EACH", each)

    async def work() -> None:
        async with MailEnd().there() as end, town(made, end, mail_per_minute=1_000) as here:
            here.report(language="")
            here.report(mail="")
            assert await here.look() == []
            monkeypatch.setattr(module, "AT_ONCE", 2)
            for n in range(6):
                here.report(f"anne+{n}@example.org")
            other = here.report(PAUL)
            told = await here.look()
            assert len(told) == each.burst + 1
            assert f"Signalement n° {other.no} : reçu" in told, "nobody is crowded out"
            # One more after a while, each at a time of its own; the others wait.
            for _ in range(3):
                assert len(await here.look(int(SECOND_US / each.per_s))) == 1
            assert here.outbox.counts == {"sent": 7}

    run(work())


def test_a_fault_in_one_mail_is_no_others_affair_and_an_alarm_where_nothing_else_leaves(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        async with MailEnd().there() as end, town(made, end) as here:
            # As an earlier post may have taken it in.
            here.report("=?utf-8?q?a?=@example.org")
            faulty, unwritten, sound = here.report(), here.report("lea@example.org"), here.report(PAUL)
            written = module.letter

            def letter(mail: Waiting, *said: Any) -> EmailMessage:
                made = written(mail, *said)
                if mail.case == faulty.id:
                    raise KeyError(f"a category of {ANNE}")
                if mail.case == unwritten.id:
                    made.set_payload("é")
                return made

            monkeypatch.setattr(module, "letter", letter)
            with structlog.testing.capture_logs() as logs:
                assert await here.look() == [f"Signalement n° {sound.no} : reçu"]
            assert "example.org" not in str(logs)
            assert here.outbox.counts == {"sent": 1, "refused": 1, "deferred": 2}
            await here.look(AGAIN_US)
            assert "Error at " in here.outbox.health.why
            await here.look(UNSENT_US)
            assert here.is_alarmed
            monkeypatch.setattr(module, "letter", written)
            told = await here.look(UNSENT_US)
            assert sorted(told) == [f"Signalement n° {each.no} : reçu" for each in (faulty, unwritten)]
            assert not here.is_alarmed

    run(work())


def test_what_is_stopped_while_its_mail_is_made_and_what_a_restore_finds_waiting_is_not_sent(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        async with MailEnd().there() as end, town(made, end) as here:
            written = module.letter

            def letter(mail: Waiting, *said: Any) -> EmailMessage:
                here.opened.facts.mail.forget(mail.case)
                return written(mail, *said)

            here.report()
            monkeypatch.setattr(module, "letter", letter)
            assert await here.look() == []
            monkeypatch.setattr(module, "letter", written)
            here.report(PAUL)
            await here.look(0)
            here.opened.facts.mail.empty()
            assert await here.look() == []
            assert here.figures()["vigie_mails_waiting"] == 0

    run(work())


def test_no_more_leave_in_a_minute_than_may_and_a_fault_ends_nothing(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def work() -> None:
        async with MailEnd().there() as end, town(made, end, mail_per_minute=2) as here:
            for n in range(5):
                here.report(f"r{n}@example.org")
            assert len(await here.look()) == 2
            assert len(await here.look(MINUTE_US)) == 2
            assert len(await here.look(MINUTE_US)) == 1
            await _three_looks(here.outbox, monkeypatch)

    run(work())


async def _three_looks(outbox: Outbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """The outbox goes on after a fault."""
    looks, done = 0, asyncio.Event()

    async def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 3:
            done.set()
        raise OSError("no disk") if looks == 1 else ValueError("a fault")

    monkeypatch.setattr(module, "LOOK_S", 0.0)
    monkeypatch.setattr(outbox, "look", look)
    running = asyncio.create_task(outbox.run())
    await done.wait()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
