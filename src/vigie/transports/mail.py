"""Mail to a server that takes it from the post (RFC 5321, submission as in RFC 6409): one connection for some mails."""

from __future__ import annotations

import asyncio
import re
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from functools import lru_cache
from pathlib import Path
from typing import Literal

from aiosmtplib import (
    SMTP,
    SMTPDataError,
    SMTPException,
    SMTPRecipientRefused,
    SMTPRecipientsRefused,
    SMTPSenderRefused,
)

TIMEOUT_S = 30.0
PERMANENT = 500
WHY_LENGTH_MAX = 300

_OF_THE_SENDER = re.compile(
    r"(?<![\w.])5\.[07]\.\d{1,3}(?!\.?\d)|(?<![\w.-])relay(?:ing|ed)?(?![\w-]|\.\w)", re.IGNORECASE
)
"""What a server says that refuses whoever sends, and not where to: security and policy (RFC 3463), and relaying. A
word of its own: hosts are called so too."""
_ADDRESS = re.compile(r"[^\s<>\"',;()]+@[^\s<>\"',;()]+")


class MailFailed(OSError):
    """The server cannot be had, does not let the post in, or went away: whether the mail at hand was taken is not
    known."""


class Refused(Exception):
    """The server took a mail not. for_good: it never will; else later, perhaps. ours: it is the post that it refuses,
    whoever the mail is for; perhaps_ours: it may be, or that one recipient takes mail from few."""

    def __init__(self, why: str, *, for_good: bool, ours: bool = False, perhaps_ours: bool = False) -> None:
        super().__init__(why)
        self.for_good, self.ours, self.perhaps_ours = for_good, ours, perhaps_ours


@dataclass(frozen=True, slots=True)
class MailServer:
    """Where mail is handed in. security: TLS after a word (starttls), from the first byte (tls), or none. name: as what
    the post introduces itself. authority: the file of whoever certifies the server, beside those that the machine
    knows."""

    host: str
    port: int
    security: Literal["starttls", "tls", "none"]
    name: str
    username: str = ""
    password: str = field(default="", repr=False)
    authority: Path | None = None


class MailLink:
    """A connection to a server, to hand in mails on."""

    def __init__(self, client: SMTP) -> None:
        self._client = client

    async def send(self, mail: EmailMessage, sender: str, recipient: str) -> None:
        """Returns when the server has taken it. Raises Refused, MailFailed, ValueError for a mail that cannot be
        written."""
        written = mail.as_bytes(policy=SMTP_POLICY)
        try:
            await self._client.sendmail(sender, [recipient], written, timeout=TIMEOUT_S)
        except SMTPRecipientsRefused as error:
            raise _refused(error.recipients[0]) from None
        except (SMTPRecipientRefused, SMTPDataError) as error:
            raise _refused(error) from None
        except SMTPSenderRefused as error:
            raise Refused(_line(error.message), for_good=False, ours=True) from None
        except (SMTPException, OSError, ValueError) as error:
            raise MailFailed(_line(str(error)) or type(error).__name__) from None


@asynccontextmanager
async def connected(server: MailServer) -> AsyncGenerator[MailLink]:
    """A connection on which the server has let the post in. Raises MailFailed."""
    client: SMTP | None = None
    try:
        try:
            context = None if server.security == "none" else await asyncio.to_thread(_trusting, server.authority)
            client = SMTP(
                hostname=server.host, port=server.port, local_hostname=server.name, timeout=TIMEOUT_S,
                use_tls=server.security == "tls", start_tls=server.security == "starttls", tls_context=context,
            )  # fmt: skip
            await client.connect()
            if server.username:
                await client.login(server.username, server.password)
        except (SMTPException, OSError, ValueError) as error:
            # What a server answers to a login may have the name in it, never the password.
            raise MailFailed(_line(str(error)) or type(error).__name__) from None
        yield MailLink(client)
    finally:
        if client is not None:
            with suppress(SMTPException, OSError):
                await client.quit(timeout=5.0)
            client.close()


@lru_cache(maxsize=2)
def _trusting(authority: Path | None) -> ssl.SSLContext:
    """What TLS is spoken with, made once: all that the machine trusts is read for it. Raises OSError."""
    context = ssl.create_default_context()
    if authority is not None:
        context.load_verify_locations(authority)
    return context


def _refused(error: SMTPRecipientRefused | SMTPDataError) -> Refused:
    # The address is echoed, and may have any word in it.
    said = _ADDRESS.sub("", error.message)
    of_sender = error.code >= PERMANENT and _OF_THE_SENDER.search(said) is not None
    at_recipient = isinstance(error, SMTPRecipientRefused)
    return Refused(
        _line(f"{error.code} {error.message}"),
        for_good=error.code >= PERMANENT and not of_sender,
        ours=of_sender and not at_recipient,
        perhaps_ours=of_sender and at_recipient,
    )


def _line(said: str) -> str:
    """What a server says, in one line; without the addresses in it, for it is told in logs and alarms."""
    return _ADDRESS.sub("(address)", " ".join(said.split()))[:WHY_LENGTH_MAX]
