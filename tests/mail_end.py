"""The other end of mail as a test wants it: a real server of SMTP, which takes mails or answers as it is told to."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

GONE = "gone"
"""What it answers by going away, once it has taken the mail."""


class MailEnd:
    """A server of mail. taken: the mails that it has, in order; raw: as they came. answers: what it says of a recipient
    instead of taking it; ends: what it says when the mail is there. password: who has it is let in; "" for anybody."""

    def __init__(self, password: str = "") -> None:
        self.taken, self.raw = list[EmailMessage](), list[bytes]()
        self.senders, self.answers, self.ends = list[str](), dict[str, str](), list[str]()
        self.password, self.port = password, 0

    @asynccontextmanager
    async def there(
        self, *, tls: ssl.SSLContext | None = None, at_once: bool = False, port: int = 0
    ) -> AsyncGenerator[MailEnd]:
        """While it is there at all. tls: what it speaks TLS with; at_once: from the first byte."""
        loop, said = asyncio.get_running_loop(), dict[str, Any]()
        if self.password:
            said = {"authenticator": self._knows, "auth_required": True, "auth_require_tls": not at_once}
        if tls is not None and not at_once:
            said |= {"tls_context": tls, "require_starttls": True}

        def met() -> SMTP:
            return SMTP(self, hostname="mail.test", loop=loop, **said)

        server = await loop.create_server(met, "127.0.0.1", port, ssl=tls if at_once else None)
        self.port = server.sockets[0].getsockname()[1]
        try:
            yield self
        finally:
            server.close()

    def _knows(self, server: Any, session: Any, envelope: Any, mechanism: str, said: Any) -> AuthResult:
        assert isinstance(said, LoginPassword)
        # Not handled: the refusal is said by the library.
        return AuthResult(success=said == LoginPassword(b"vigie", self.password.encode()), handled=False)

    async def handle_RCPT(  # noqa: N802 - as the library names it
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        """Somebody for whom a mail is."""
        if address in self.answers:
            return self.answers[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Session, envelope: Envelope) -> str:  # noqa: N802
        """A mail is there."""
        answer = self.ends.pop(0) if self.ends else "250 OK"
        if answer.startswith(("250", GONE)):
            content = envelope.content
            assert isinstance(content, bytes)
            self.raw.append(content)
            self.senders.append(envelope.mail_from or "")
            message = message_from_bytes(content, policy=default)
            assert isinstance(message, EmailMessage)
            assert message["To"] == ", ".join(envelope.rcpt_tos)
            self.taken.append(message)
        if answer == GONE:
            server.transport.abort()
        return answer


def certified(folder: Path) -> tuple[ssl.SSLContext, Path]:
    """What a server that is localhost speaks TLS with, and the file of whoever vouches for it."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    authority = folder / "authority.pem"
    authority.write_bytes(certificate.public_bytes(Encoding.PEM))
    plain = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / "server.pem").write_bytes(key.private_bytes(*plain) + authority.read_bytes())
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(folder / "server.pem")
    return tls, authority
