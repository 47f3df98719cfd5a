"""Tells residents by mail what becomes of what they reported: reads the journal on, and sends what waits.

What is to be told waits some minutes, so that what happens together is told together. A mail that was not taken is
tried again, later each time; what was not told after five days is news no more. What fails of one mail is no other's
affair.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from email.message import EmailMessage
from functools import partial
from pathlib import Path
from traceback import extract_tb

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
"""A step that was not told by then is told no more (RFC 5321 has servers try for four or five days)."""
DOMAINS = 3
"""Where so many domains refuse in a row what may be the post's own fault, it is."""
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
        settled: Callable[[], Awaitable[None]],
    ) -> None:
        """per_minute: so many mails leave at most. post: the number of the post's own asset. links_of: what is opened
        from a mail of a report; raises OSError. write: runs work in the one thread that writes. settled: returns when
        what is owed is on disk."""
        self._server, self._sender, self._stored, self._cases = server, sender, stored, cases
        self._engine, self._clock, self._post, self._links_of = engine, clock, post, links_of
        self._write, self._settled = write, settled
        self._rates, self._each = Rates(Allowance(per_s=per_minute / 60, burst=per_minute)), Rates(EACH)
        # Up to where the journal was read, and up to where that is written down.
        self._read, self._kept = 0, 0
        self._failures, self._failing_us, self._not_before_us, self._away = 0, 0, 0, False
        # An alarm may stand from before this process.
        self._works = False
        self._refusing = set[str]()
        self.health = MailHealth()
        self.counts = Counter[str]()
        # How many mails wait, and of how many cases nobody can be reached; None before the first look.
        self.standing: tuple[int, int] | None = None

    async def run(self) -> None:
        """Sends until it is cancelled. What fails is told, and tried again."""
        while True:
            try:
                await self._attempt()
            except Exception as error:
                _log.error("that mail does not leave could not be kept", reason=str(error))
            await asyncio.sleep(LOOK_S)

    async def _attempt(self) -> None:
        try:
            await self.look()
        except (StorageFull, OSError) as error:
            _log.error("mail could not be kept", reason=str(error))
            await self._fail(str(error) or type(error).__name__, away=False)
        except Exception as error:
            _log.error("a fault in sending mail", exc_info=error)
            await self._fail(_where(error), away=False)

    async def look(self) -> None:
        """Writes down what is to be told, and sends what is due. Raises StorageFull, OSError."""
        await self.gather()
        if self._clock.now_us() >= self._not_before_us:
            await self.send()
        self.standing = await asyncio.to_thread(self._stored.counts)

    async def gather(self) -> None:
        """Reads the journal on, and writes down what is to be told. Raises StorageFull, OSError."""
        while True:
            ahead = partial(self._stored.ahead, self._read, REPORT.key, MERGED, MERGE)
            happened, end = await asyncio.to_thread(ahead)
            steps = [step for each in happened for step in steps_of(each)]
            now_us, full = self._clock.now_us(), end - self._read >= LEAVES_AT_ONCE
            # That nothing was found is written down now and then: it is found again soon enough.
            if steps or end - self._kept >= LEAVES_AT_ONCE:
                await self._write(partial(self._stored.queue, steps, end, now_us + TOGETHER_US))
                self._kept = end
            self._read = end
            if not full:
                return

    async def send(self) -> None:
        """Sends what is due, as far as the server takes it. Raises StorageFull, OSError."""
        now_us, later = self._clock.now_us(), Counter[str]()
        try:
            while not self._rates.wait_s("", now_us):
                due = await asyncio.to_thread(self._stored.due, now_us, AT_ONCE)
                ready = await self._ready(due, later)
                # While the server is away it is asked whether it is there again, also where nothing is left to send.
                if ready or (self._away and not due):
                    async with connected(self._server) as link:
                        for mail in ready:
                            if not await self._hand_in(link, mail):
                                return
                if not due:
                    # It is there; whether it takes mail is seen when it has taken one.
                    if self._away:
                        await self._work()
                    return
        except MailFailed as error:
            await self._fail(str(error), away=True)

    async def _ready(self, due: Sequence[Waiting], later: Counter[str]) -> list[Waiting]:
        """Those of some mails that may be handed in now; the others are given up, or postponed. later: how many to an
        address were postponed before. Raises StorageFull, OSError."""
        now_us = self._clock.now_us()
        ready, ahead, postponed = list[Waiting](), Counter[str](), dict[str, int]()
        for mail in due:
            try:
                left = await self._fresh(mail)
                to = None if left is None else await self._told_to(left)
            except (StorageFull, OSError):
                raise
            except Exception as error:
                await self._put_off(mail, error)
                continue
            if left is None or to is None:
                continue
            key = _folded(to[1])
            place = ahead[key] + later[key] + 1 - self._each.left(key, now_us)
            if not later[key] and place <= 0:
                ahead[key] += 1
                ready.append(left)
            else:
                # Each waits for a turn of its own: they would crowd out the others else, time and again.
                later[key] += 1
                postponed[mail.case] = now_us + int(max(place, 0.0) / EACH.per_s * SECOND_US) + 1
        if postponed:
            await self._write(partial(self._stored.postpone, postponed))
        return ready

    async def _fresh(self, mail: Waiting) -> Waiting | None:
        """A mail without what is news no more."""
        old_us = self._clock.now_us() - GIVEN_UP_US
        old = [step for step in mail.steps if step.at_us < old_us]
        if not old:
            return mail
        self.counts["given_up"] += 1
        _log.warning("mail given up", case=mail.case, tries=mail.tries, steps=len(old))
        await self._write(partial(self._stored.give_up, mail.case, old))
        left = tuple(step for step in mail.steps if step.at_us >= old_us)
        return replace(mail, steps=left) if left else None

    async def _told_to(self, mail: Waiting) -> tuple[Case, str, str] | None:
        """The report, to which address it is told, and in which language; None where nobody is to be told any more."""
        contact = await asyncio.to_thread(self._cases.contact, mail.case)
        case = await self._find(mail.case)
        language, said = contact.get("language", ""), contact.get("mail", "")
        if case is None or language not in LANGUAGES or not said:
            await self._write(partial(self._stored.forget, mail.case))
            return None
        try:
            return case, mail_address(said), language
        except NoAddress:
            # It was taken in before addresses were looked at.
            await self._refuse(mail, "it is no address")
            return None

    async def _hand_in(self, link: MailLink, mail: Waiting) -> bool:
        """Makes a mail and hands it in; returns whether the next one may be. Raises MailFailed, StorageFull,
        OSError."""
        now_us = self._clock.now_us()
        if self._rates.wait_s("", now_us):
            return False
        try:
            found = await self._told_to(mail)
            if found is None:
                return True
            case, to, language = found
            made = await self._made(mail, case, to, language, now_us)
        except (StorageFull, OSError):
            raise
        except Exception as error:
            await self._put_off(mail, error)
            return True
        if made is None or not await self._claim(mail):
            return True
        self._rates.take("", now_us)
        self._each.take(_folded(to), now_us)
        try:
            await link.send(made, self._sender.address, to)
        except Refused as error:
            return await self._refused(mail, to, error)
        except MailFailed:
            self.counts["deferred"] += 1
            await self._write(partial(self._stored.doubt, mail, self._again_us(mail)))
            raise
        except Exception as error:
            await self._put_off(mail, error)
            return True
        self.counts["sent"] += 1
        self.health = replace(self.health, sent_us=now_us)
        self._refusing.clear()
        await self._write(partial(self._stored.told, mail, now_us + TOGETHER_US))
        await self._work()
        return True

    async def _made(self, mail: Waiting, case: Case, to: str, language: str, now_us: int) -> EmailMessage | None:
        """The mail as it is sent; None for an address that no header can have."""
        first = await self._first_of(case)
        leaves = [step.leaf for step in mail.steps if step.step in WITH_REASON]
        why = {leaf: said for leaf in leaves if (said := await asyncio.to_thread(self._stored.reason, leaf))}
        links = self._links_of(case)
        try:
            return letter(mail, case, first, to, language, self._sender, links, why, now_us)
        except ValueError:
            await self._refuse(mail, "no letter can be made for its address")
            return None

    async def _claim(self, mail: Waiting) -> bool:
        """Notes that a mail is being sent; False where it was stopped since it was made."""
        claimed = False

        def claim() -> None:
            nonlocal claimed
            claimed = self._stored.claim(mail)

        await self._write(claim)
        return claimed

    async def _refused(self, mail: Waiting, to: str, error: Refused) -> bool:
        """What becomes of a mail that the server refused; returns whether the next one may be handed in."""
        if error.for_good:
            self._refusing.clear()
            await self._refuse(mail, str(error))
            return True
        self.counts["deferred"] += 1
        await self._write(partial(self._stored.defer, mail, self._again_us(mail)))
        if error.perhaps_ours:
            # One domain may take mail from few; that many do is not likely.
            self._refusing.add(to.rpartition("@")[2].lower())
        if error.ours or (error.perhaps_ours and len(self._refusing) >= DOMAINS):
            await self._fail(str(error), away=False)
            return False
        return True

    async def _refuse(self, mail: Waiting, why: str) -> None:
        self.counts["refused"] += 1
        _log.info("mail refused for good", case=mail.case, reason=why)
        await self._write(partial(self._stored.refuse, mail.case, self._clock.now_us()))

    async def _put_off(self, mail: Waiting, error: Exception) -> None:
        """Tries a mail later in which there is a fault; the others go on."""
        self.counts["deferred"] += 1
        why = _where(error)
        # What the fault says may have an address in it.
        _log.error("a fault in one mail", case=mail.case, fault=why)
        await self._write(partial(self._stored.defer, mail, self._again_us(mail)))
        await self._fail(why, away=self._away, wait=False)

    def _again_us(self, mail: Waiting) -> int:
        return self._clock.now_us() + min(AGAIN_US << min(mail.tries, 10), AGAIN_US_MAX)

    async def _find(self, case_id: str) -> Case | None:
        cases = self._engine.cases
        return cases.find(case_id) or await asyncio.to_thread(self._cases.find, case_id, cases.kinds)

    async def _first_of(self, case: Case) -> Case | None:
        """The report whose way a report goes in the end."""
        reached, first = {case.id}, case
        while first.state == MERGED:
            into = next((other for other, how in first.links.items() if how == MERGE and other not in reached), None)
            other = await self._find(into) if into else None
            if other is None:
                break
            reached.add(other.id)
            first = other
        return None if first is case else first

    async def _work(self) -> None:
        """Mail leaves: an alarm that stands is cleared, once."""
        if self._works:
            return
        if self.health.why:
            _log.info("mail leaves again")
        self.health = replace(self.health, why="")
        self._failures = self._failing_us = self._not_before_us = 0
        self._away, self._works = False, True
        await self._apply(Clear(MAIL_UNSENT, self._post, self._clock.now_us()))

    async def _fail(self, why: str, *, away: bool, wait: bool = True) -> None:
        """Mail does not leave. wait: nor is it tried again at once."""
        now_us, self._away, self._works = self._clock.now_us(), away, False
        if why != self.health.why:
            _log.warning("mail does not leave", reason=why)
        self.health = replace(self.health, why=why)
        self._failing_us = self._failing_us or now_us
        if wait:
            self._not_before_us = now_us + min(SERVER_AGAIN_US << min(self._failures, 10), SERVER_AGAIN_US_MAX)
            self._failures += 1
        if now_us - self._failing_us >= UNSENT_US:
            await self._apply(Raise(MAIL_UNSENT, self._post, self._failing_us, {"reason": why}))

    async def _apply(self, effect: Effect) -> None:
        now_us = self._clock.now_us()
        self._engine.apply([effect], self._engine.next_ingest, f"roads.mail.{now_us}", now_us)
        await self._settled()


def _folded(to: str) -> str:
    """Whom an address reaches, as far as can be seen: what stands behind a + is theirs to choose."""
    local, _, domain = to.lower().rpartition("@")
    return f"{local.partition('+')[0] or local}@{domain}"


def _where(error: Exception) -> str:
    """A fault without its words."""
    frame = extract_tb(error.__traceback__)[-1]
    return f"a fault in the post: {type(error).__name__} at {Path(frame.filename).name}:{frame.lineno}"


def steps_of(happened: Happened) -> list[Step]:
    """What is told of something that happened: to whoever reported it, and to those whose reports go its way."""
    step = step_of(happened.event, happened.before, happened.state_before)
    told = [happened.case] if happened.tells else []
    if step in FOLLOWED:
        told += happened.followers
    return [Step(case, happened.n, step, happened.leaf, happened.at_us) for case in told] if step else []
