"""Tells residents by mail what becomes of what they reported: reads the journal on, and sends what waits.

What is to be told waits some minutes, so that what happens together is told together. A mail that was not taken is
tried again, later each time; what was not told after five days is news no more.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from email.message import EmailMessage
from functools import partial

import structlog

from vigie.api.mailing.letters import Links, Sender, letter
from vigie.core.mail import NoAddress, mail_address
from vigie.core.service import Clear, Effect, Raise
from vigie.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from vigie.engine.cases import Case
from vigie.engine.keeper import LANGUAGES
from vigie.engine.loop import Engine
from vigie.engine.ports import Clock, StorageFull
from vigie.engine.rates import Allowance, Rates
from vigie.services.roads.reports import MERGE, REPORT
from vigie.services.roads.telling import FOLLOWED, MAIL_UNSENT, WITH_REASON, step_of
from vigie.store.cases import StoredCases
from vigie.store.mailing import LEAVES_AT_ONCE, Happened, Step, StoredMail, Waiting
from vigie.transports.mail import MailFailed, MailLink, MailServer, Refused, connected

LOOK_S = 10.0
TOGETHER_US = 3 * MINUTE_US
"""What happens within so long after the first is told with it."""
AT_ONCE = 100
AGAIN_US, AGAIN_US_MAX = 5 * MINUTE_US, 4 * HOUR_US
"""After so long a mail that was not taken is tried again, after twice that the next time, and so on."""
SERVER_AGAIN_US, SERVER_AGAIN_US_MAX = 30 * SECOND_US, 10 * MINUTE_US
GIVEN_UP_US = 5 * DAY_US
"""What was not told by then is told no more (RFC 5321 has servers try for four or five days)."""
UNSENT_US = 30 * MINUTE_US
"""Mail that has not left for so long is an alarm."""
EACH = Allowance(per_s=1 / 600, burst=20)
"""What is sent to one address: whoever reports under another's address cannot flood them."""

MERGED = "merged"

_log = structlog.get_logger("vigie.mail")


@dataclass(frozen=True, slots=True)
class MailHealth:
    """How the sending goes. sent_us: when a mail was taken last, 0 for never by this process. why: what has kept mail
    from leaving since."""

    sent_us: int = 0
    why: str = ""


class Outbox:
    """Sends mail to residents. Lives on the engine's own thread."""

    def __init__(
        self,
        server: MailServer,
        sender: Sender,
        per_minute: int,
        stored: StoredMail,
        cases: StoredCases,
        engine: Engine,
        clock: Clock,
        post: int,
        links_of: Callable[[Case], Links],
        write: Callable[[Callable[[], None]], Awaitable[None]],
    ) -> None:
        """per_minute: so many mails leave at most. post: the number of the post's own asset. links_of: what is opened
        from a mail of a report; raises OSError. write: runs work in the one thread that writes."""  # fmt: skip
        self._server, self._sender, self.stored, self._cases = server, sender, stored, cases
        self._engine, self._clock, self._post, self._links_of, self._write = engine, clock, post, links_of, write
        self._rates, self._each = Rates(Allowance(per_s=per_minute / 60, burst=per_minute)), Rates(EACH)
        # Up to where the journal was read, and up to where that is written down.
        self._read, self._kept = 0, 0
        self._failures, self._failing_us, self._not_before_us, self._away = 0, 0, 0, False
        self.health = MailHealth()
        self.counts = Counter[str]()

    async def run(self) -> None:
        """Sends until it is cancelled. What fails is told, and tried again."""
        while True:
            try:
                await self.look()
            except (StorageFull, OSError) as error:
                _log.error("mail could not be kept", reason=str(error))
            except Exception as error:
                _log.error("a fault in sending mail", exc_info=error)
            await asyncio.sleep(LOOK_S)

    async def look(self) -> None:
        """Writes down what is to be told, and sends what is due. Raises StorageFull, OSError."""
        await self.gather()
        if self._clock.now_us() >= self._not_before_us:
            await self.send()

    async def gather(self) -> None:
        """Reads the journal on, and writes down what is to be told. Raises StorageFull, OSError."""
        while True:
            ahead = partial(self.stored.ahead, self._read, REPORT.key, MERGED, MERGE)
            happened, end = await asyncio.to_thread(ahead)
            steps = [step for each in happened for step in steps_of(each)]
            now_us, full = self._clock.now_us(), end - self._read >= LEAVES_AT_ONCE
            # That nothing was found is written down now and then: it is found again soon enough.
            if steps or end - self._kept >= LEAVES_AT_ONCE:
                await self._write(partial(self.stored.queue, steps, end, now_us, now_us + TOGETHER_US))
                self._kept = end
            self._read = end
            if not full:
                return

    async def send(self) -> None:
        """Sends what is due, as far as the server takes it. Raises StorageFull, OSError."""
        now_us = self._clock.now_us()
        due = await asyncio.to_thread(self.stored.due, now_us, AT_ONCE)
        ready = [(mail, made) for mail in due if (made := await self._made(mail, now_us)) is not None]
        # While the server is away it is asked whether it is there again, also where nothing is left to send.
        if not ready and not self._away:
            return
        try:
            async with connected(self._server) as link:
                for mail, made in ready:
                    if not await self._hand_in(link, mail, made):
                        return
                # It is there; whether it takes mail is seen when it has taken one.
                if self._away:
                    self._work()
        except MailFailed as error:
            self._fail(str(error), away=True)

    async def _made(self, mail: Waiting, now_us: int) -> EmailMessage | None:
        """The mail as it is sent; None where nobody is to be told any more."""
        contact = await asyncio.to_thread(self._cases.contact, mail.case)
        case = await self._find(mail.case)
        language, case_id = contact.get("language", ""), mail.case
        if case is None or language not in LANGUAGES or "mail" not in contact:
            await self._write(lambda: self.stored.forget(case_id))
            return None
        if now_us - mail.since_us > GIVEN_UP_US:
            self.counts["given_up"] += 1
            _log.warning("mail given up", case=mail.case, tries=mail.tries)
            await self._write(partial(self.stored.told, mail, now_us, now_us))
            return None
        try:
            to = mail_address(contact["mail"])
        except NoAddress:
            # It was taken in before addresses were looked at.
            self.counts["refused"] += 1
            await self._write(partial(self.stored.refuse, mail.case, now_us))
            return None
        into = next((other for other, how in case.links.items() if how == MERGE), None)
        first = await self._find(into) if into else None
        leaves = [step.leaf for step in mail.steps if step.step in WITH_REASON]
        why = {leaf: said for leaf in leaves if (said := await asyncio.to_thread(self.stored.reason, leaf))}
        return letter(mail, case, first, to, language, self._sender, self._links_of(case), why, now_us)

    async def _hand_in(self, link: MailLink, mail: Waiting, made: EmailMessage) -> bool:
        """Hands a mail in; returns whether the next one may be. Raises MailFailed, StorageFull, OSError."""
        now_us, to = self._clock.now_us(), str(made["To"])
        if self._rates.wait_s("", now_us):
            return False
        wait_s = self._each.take(to.lower(), now_us)
        if wait_s:
            await self._write(partial(self.stored.defer, mail, now_us + int(wait_s * SECOND_US)))
            return True
        self._rates.take("", now_us)
        again_us = now_us + min(AGAIN_US << min(mail.tries, 10), AGAIN_US_MAX)
        await self._write(partial(self.stored.claim, mail))
        try:
            await link.send(made, self._sender.address, to)
        except Refused as error:
            if error.for_good:
                self.counts["refused"] += 1
                _log.info("mail refused for good", case=mail.case, reason=str(error))
                await self._write(partial(self.stored.refuse, mail.case, now_us))
                return True
            self.counts["deferred"] += 1
            await self._write(partial(self.stored.defer, mail, again_us))
            if error.ours:
                self._fail(str(error), away=False)
            return not error.ours
        except MailFailed:
            self.counts["deferred"] += 1
            await self._write(partial(self.stored.doubt, mail, again_us))
            raise
        self.counts["sent"] += 1
        self.health = replace(self.health, sent_us=now_us)
        self._work()
        await self._write(partial(self.stored.told, mail, now_us, now_us + TOGETHER_US))
        return True

    async def _find(self, case_id: str) -> Case | None:
        cases = self._engine.cases
        return cases.find(case_id) or await asyncio.to_thread(self._cases.find, case_id, cases.kinds)

    def _work(self) -> None:
        if self.health.why:
            _log.info("mail leaves again")
        self.health = replace(self.health, why="")
        self._failures = self._failing_us = self._not_before_us = 0
        self._away = False
        self._apply(Clear(MAIL_UNSENT, self._post, self._clock.now_us()))

    def _fail(self, why: str, *, away: bool) -> None:
        now_us, self._away = self._clock.now_us(), away
        if why != self.health.why:
            _log.warning("mail does not leave", reason=why)
        self.health = replace(self.health, why=why)
        self._failing_us = self._failing_us or now_us
        self._not_before_us = now_us + min(SERVER_AGAIN_US << min(self._failures, 10), SERVER_AGAIN_US_MAX)
        self._failures += 1
        if now_us - self._failing_us >= UNSENT_US:
            self._apply(Raise(MAIL_UNSENT, self._post, self._failing_us, {"reason": why}))

    def _apply(self, effect: Effect) -> None:
        now_us = self._clock.now_us()
        self._engine.apply([effect], self._engine.next_ingest, f"roads.mail.{now_us}", now_us)


def steps_of(happened: Happened) -> list[Step]:
    """What is told of something that happened: to whoever reported it, and to those whose reports go its way."""
    step = step_of(happened.event, happened.before, happened.state_before)
    told = [happened.case] if happened.tells else []
    if step in FOLLOWED:
        told += happened.followers
    return [Step(case, happened.n, step, happened.leaf, happened.at_us) for case in told] if step else []
