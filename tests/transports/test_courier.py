"""Requests in order to an end that is there, slow, gone, busy, or talks rubbish: real sockets, and a courier an end."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from tests.http_end import OK, End
from vigie.transports import courier as module
from vigie.transports.courier import WAITING_MAX, Courier, Errand
from vigie.transports.http_client import HttpAnswer


class Sender:
    """Sends errands, and keeps what became of them: (target, status), 0 for no answer in time."""

    def __init__(self) -> None:
        self.told: list[tuple[str, int]] = []
        self.more: dict[str, Sequence[Errand]] = {}

    def errand(self, target: str, within_s: float = 20) -> Errand:
        """One errand."""

        async def done(answer: HttpAnswer | None) -> Sequence[Errand]:
            self.told.append((target, answer.status if answer else 0))
            return self.more.get(target, ())

        until_s = asyncio.get_running_loop().time() + within_s
        return Errand("GET", target, (("accept", "*/*"),), b"", until_s, done)

    async def all_told(self, count: int) -> list[tuple[str, int]]:
        """What became of so many, when it has."""
        async with asyncio.timeout(30):
            while len(self.told) < count:  # noqa: ASYNC110 - what is told is a list, as a test reads it best
                await asyncio.sleep(0.01)
        return self.told


def test_requests_go_in_order_on_one_connection_and_what_follows_from_an_answer_goes_first() -> None:
    async def run() -> None:
        sender = Sender()
        async with End().there() as end:
            carrier = Courier("end", lambda: end.url)
            sender.more["/1"] = [sender.errand("/1a"), sender.errand("/1b")]
            assert carrier.put([sender.errand(f"/{n}") for n in (1, 2, 3)])
            told = await sender.all_told(5)
            await carrier.close()
        assert told == [("/1", 200), ("/1a", 200), ("/1b", 200), ("/2", 200), ("/3", 200)]
        assert end.lines == [f"GET /base{target} HTTP/1.1" for target, _ in told]

    asyncio.run(run())


def test_one_that_is_gone_is_tried_again_until_the_time_is_up_and_costs_others_nothing() -> None:
    async def run() -> None:
        sender, other = Sender(), Sender()
        gone = End()
        async with gone.there():
            pass
        async with End().there() as end:
            lost, carrier = Courier("gone", lambda: gone.url), Courier("end", lambda: end.url)
            lost.put([sender.errand("/lost", within_s=0.5), sender.errand("/found")])
            carrier.put([other.errand(f"/{n}") for n in range(20)])
            assert len(await other.all_told(20)) == 20
            assert sender.told == []
            assert await sender.all_told(1) == [("/lost", 0)]
            assert lost.reached is False
            async with gone.there(gone.port):
                lost.hurry()
                assert await sender.all_told(2) == [("/lost", 0), ("/found", 200)]
            assert lost.reached
            await asyncio.gather(lost.close(), carrier.close())

    asyncio.run(run())


def test_one_that_talks_rubbish_cuts_or_is_busy_is_asked_again() -> None:
    said = [
        b"SSH-2.0-OpenSSH_9.2\r\n\r\n",
        b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\nhalf",
        b"HTTP/1.1 503 Busy\r\nretry-after: 0.1\r\ncontent-length: 0\r\n\r\n",
        b"HTTP/1.1 429 Often\r\nretry-after: inf\r\ncontent-length: 0\r\n\r\n",
        b"\x00\xff" * 4_000,
        OK,
    ]

    async def serve(count: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(said[count - 1])
        await writer.drain()
        if count not in (3, 4, 6):
            raise ConnectionResetError

    async def run() -> None:
        sender = Sender()
        async with End(serve).there() as end:
            carrier = Courier("end", lambda: end.url)
            carrier.put([sender.errand("/1")])
            assert await sender.all_told(1) == [("/1", 200)]
            await carrier.close()
        assert len(end.lines) == len(said)

    asyncio.run(run())


def test_one_that_never_answers_holds_a_request_no_longer_than_it_may() -> None:
    async def serve(count: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await asyncio.sleep(60)

    async def run() -> None:
        sender = Sender()
        async with End(serve).there() as end:
            carrier = Courier("end", lambda: end.url)
            carrier.put([sender.errand("/1", within_s=0.6)])
            assert await sender.all_told(1) == [("/1", 0)]
            await carrier.close()

    was, module.ANSWER_S_MAX = module.ANSWER_S_MAX, 0.3
    try:
        asyncio.run(run())
    finally:
        module.ANSWER_S_MAX = was


def test_addresses_that_are_none_are_no_answer_and_what_is_too_many_is_refused() -> None:
    async def run() -> None:
        for url in ("", "ftp://x", "http://a..b/", "http://127.0.0.1:99999/", "http://127.0.0.1:1/\r\nx: y"):
            sender = Sender()
            carrier = Courier("end", lambda url=url: url)
            carrier.put([sender.errand("/1", within_s=0.05)])
            assert await sender.all_told(1) == [("/1", 0)], url
            await carrier.close()
        sender = Sender()
        carrier = Courier("end", lambda: "http://127.0.0.1:1")
        assert not carrier.put([sender.errand("/1")] * (WAITING_MAX + 1))
        assert (len(carrier), carrier.refused) == (0, WAITING_MAX + 1)
        await carrier.close()

    asyncio.run(run())


def test_a_fault_in_what_is_made_of_an_answer_holds_up_no_other() -> None:
    async def run() -> None:
        sender = Sender()

        async def done(answer: HttpAnswer | None) -> Sequence[Errand]:
            raise ValueError("a fault")

        async with End().there() as end:
            carrier = Courier("end", lambda: end.url)
            wrong = Errand("GET", "/0", (), b"", asyncio.get_running_loop().time() + 9, done)
            carrier.put([wrong, sender.errand("/1")])
            assert await sender.all_told(1) == [("/1", 200)]
            await carrier.close()

    asyncio.run(run())


def test_an_end_whose_certificate_nobody_vouches_for_is_told_nothing(tmp_path: Path) -> None:
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
        .sign(key, hashes.SHA256())
    )
    plain = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (tmp_path / "pem").write_bytes(key.private_bytes(*plain) + certificate.public_bytes(Encoding.PEM))
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(tmp_path / "pem")

    async def run() -> None:
        sender = Sender()
        async with End().there(tls=tls) as end:
            carrier = Courier("end", lambda: f"https://localhost:{end.port}/base")
            carrier.put([sender.errand("/1", within_s=1)])
            assert await sender.all_told(1) == [("/1", 0)]
            await carrier.close()
        assert end.lines == []

    asyncio.run(run())
