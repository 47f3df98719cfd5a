"""Mail handed in to a real server: under TLS that somebody vouches for or not at all, and what it refuses."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest

from tests.mail_end import GONE, MailEnd, certified
from vigie.transports.mail import MailFailed, MailServer, Refused, connected

TO = "anne@example.org"


def mail() -> EmailMessage:
    made = EmailMessage()
    made["From"], made["To"], made["Subject"] = "post@town.example", TO, "Reçu"
    made.set_content("É\n.\nà\n", cte="quoted-printable")
    return made


def server(end: MailEnd, **said: Any) -> MailServer:
    return replace(MailServer("localhost", end.port, "none", "town.example"), **said)


async def send(at: MailServer) -> None:
    async with connected(at) as link:
        await link.send(mail(), "post@town.example", TO)


def test_a_mail_is_handed_in_as_it_is() -> None:
    async def run() -> None:
        async with MailEnd().there() as end:
            async with connected(server(end)) as link:
                for _ in range(2):
                    await link.send(mail(), "post@town.example", TO)
            assert [each["Subject"] for each in end.taken] == ["Reçu", "Reçu"]
            assert end.taken[0].get_content().replace("\r\n", "\n") == "É\n.\nà\n"
            assert end.senders == ["post@town.example"] * 2

    asyncio.run(run())


# Of the test's own server, which has no other way to say that TLS is spoken already.
@pytest.mark.filterwarnings("ignore:Requiring AUTH while not requiring TLS")
@pytest.mark.parametrize("at_once", [False, True])
def test_tls_is_spoken_with_whom_somebody_vouches_for(tmp_path: Path, at_once: bool) -> None:
    async def run() -> None:
        tls, authority = certified(tmp_path)
        security = "tls" if at_once else "starttls"
        async with MailEnd("right").there(tls=tls, at_once=at_once) as end:
            known = server(end, security=security, username="vigie", password="right", authority=authority)
            await send(known)
            assert len(end.taken) == 1
            for wrong in ({"authority": None}, {"password": "guessed"}, {"authority": tmp_path / "none"}):
                with pytest.raises(MailFailed) as raised:
                    await send(replace(known, **wrong))
                assert "guessed" not in str(raised.value)
            assert len(end.taken) == 1
        assert "right" not in repr(known)

    asyncio.run(run())


def test_a_server_without_tls_gets_nothing_where_tls_is_wanted() -> None:
    async def run() -> None:
        async with MailEnd().there() as end:
            with pytest.raises(MailFailed):
                await send(server(end, security="starttls"))
            assert end.taken == []

    asyncio.run(run())


def test_a_server_that_is_not_there_is_said() -> None:
    async def run() -> None:
        async with MailEnd().there() as end:
            gone = server(end)
        with pytest.raises(MailFailed, match="localhost"):
            await send(gone)

    asyncio.run(run())


@pytest.mark.parametrize(
    ("answer", "for_good", "of_sender"),
    [
        ("550 5.1.1 <anne@example.org> is unknown", True, False),
        ("550 no such user", True, False),
        ("552 5.2.2 mailbox is full", True, False),
        ("451 4.7.1 greylisted, come again", False, False),
        ("452 4.2.2 no room", False, False),
        ("554 5.7.1 <anne@example.org>: Relay access denied", False, True),
        ("550 relay not permitted", False, True),
        ("550 5.1.1 <relay@example.org>: unknown", True, False),
        ("550 smtp-relay.example.org and relay.example.org say: no such user, asked by 192.5.7.1", True, False),
    ],
)
def test_what_is_refused_is_told_apart(answer: str, for_good: bool, of_sender: bool) -> None:
    async def run() -> None:
        async with MailEnd().there() as end:
            for at in ("recipient", "end"):
                if at == "end":
                    end.answers, end.ends = {}, [answer]
                else:
                    end.answers = {TO: answer}
                with pytest.raises(Refused) as raised:
                    await send(server(end))
                assert raised.value.for_good == for_good
                # Of a recipient it may be said for that one's own sake; of a mail that is there it is not.
                assert raised.value.ours == (of_sender and at == "end")
                assert raised.value.perhaps_ours == (of_sender and at == "recipient")
                assert "anne" not in str(raised.value), "no log and no alarm has an address in it"
                assert end.taken == []

    asyncio.run(run())


def test_a_server_that_goes_away_leaves_open_whether_it_took_the_mail() -> None:
    async def run() -> None:
        async with MailEnd().there() as end:
            end.ends = [GONE]
            with pytest.raises(MailFailed):
                await send(server(end))
            assert len(end.taken) == 1

    asyncio.run(run())
