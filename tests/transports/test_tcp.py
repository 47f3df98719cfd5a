"""A supervisor and a site over real sockets and TLS: a whole story, cut in it; and what does not fit through."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from vigie.protocols.rsmp import CannotAsk, Enrolment, Link, Moment, Of, Rate, Setup, Site, Supervisor
from vigie.protocols.rsmp.events import (
    AlarmTold,
    Attached,
    Detached,
    Fate,
    Ordered,
    Rejected,
    Settled,
    StatusTold,
    Step,
)
from vigie.transports import tcp as module
from vigie.transports.mqtt import NotNow
from vigie.transports.tcp import RsmpClient, RsmpServer, client_tls, now, server_tls

MAIN, GROUPS = "TC", ("S0001", "signalgroupstatus")
SETUP = Setup(("J-1",), {MAIN: Of.CONTROLLER}, "1.2.1", codes=("1", "2"))
ENROLMENT = Enrolment(("J-1",), SETUP.components, codes=SETUP.codes, certificate="junction-1")


Signed = tuple[x509.Certificate, ec.EllipticCurvePrivateKey]


def certify(folder: Path, name: str, issuer: Signed | None = None) -> Signed:
    """A certificate and its key in the folder, as NAME.pem; signed by its issuer, or by itself as an authority."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    today = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer[0].subject if issuer else subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(today - timedelta(days=1))
        .not_valid_after(today + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True)
        .sign(issuer[1] if issuer else key, hashes.SHA256())
    )
    plain = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    (folder / f"{name}.pem").write_bytes(plain + certificate.public_bytes(Encoding.PEM))
    return certificate, key


class Keeper:
    """Keeps what sites tell, when it may."""

    def __init__(self) -> None:
        self.heard: list[Step] = []
        self.open = asyncio.Event()
        self.open.set()
        self.refuses = 0

    async def take(self, events: Sequence[Step]) -> None:
        await self.open.wait()
        if self.refuses and any(isinstance(each, StatusTold) for each in events):
            self.refuses -= 1
            raise NotNow("no room")
        self.heard += events

    def values(self) -> list[str]:
        told = (one for each in self.heard if isinstance(each, StatusTold) for one in each.values)
        return [f"{each.value} {each.quality.value}" for each in told]

    def count(self, sort: type[Step]) -> int:
        return sum(isinstance(each, sort) for each in self.heard)


class Relay:
    """Carries bytes between two sockets, until it cuts them."""

    def __init__(self, port: int) -> None:
        self._to, self._open = port, list[asyncio.StreamWriter]()
        self.port = 0

    @asynccontextmanager
    async def there(self) -> AsyncGenerator[Relay]:
        server = await asyncio.start_server(self._carry, "localhost", 0)
        self.port = server.sockets[0].getsockname()[1]
        yield self
        server.close()
        self.cut()

    def cut(self) -> None:
        for writer in self._open:
            writer.transport.abort()
        self._open.clear()

    async def _carry(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection("localhost", self._to)
        self._open += [writer, far_writer]

        async def one_way(source: asyncio.StreamReader, sink: asyncio.StreamWriter) -> None:
            try:
                while data := await source.read(65_536):
                    sink.write(data)
                    await sink.drain()
            except ConnectionError:
                pass
            sink.close()

        await asyncio.gather(one_way(reader, far_writer), one_way(far_reader, writer))


async def comes(true: Callable[[], bool]) -> None:
    """Waits for something to come to pass."""
    async with asyncio.timeout(30):
        while not true():  # noqa: ASYNC110 - nothing tells when it does
            await asyncio.sleep(0.01)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "TICK_S", 0.02)
    monkeypatch.setattr(module, "KEEP_AGAIN_S", 0.02, raising=False)


class Box:
    """A site and its client, which does what it is ordered."""

    def __init__(self, port: int, setup: Setup = SETUP, **how: object) -> None:
        self.site, self.heard = Site(setup, now(), seed="site"), list[Step]()
        self.site.observe(MAIN, "S0001", {GROUPS[1]: "0"}, now())
        self.client = RsmpClient(self.site, "localhost", port, self._obey, reconnect_s=0.02, **how)  # type: ignore[arg-type]
        self.task = asyncio.create_task(self.client.run())

    def _obey(self, events: Sequence[Step]) -> None:
        self.heard += events
        for each in events:
            if isinstance(each, Ordered):
                self.client.apply(self.site.answered(each.number, now()))

    def observe(self, value: str) -> None:
        self.client.apply(self.site.observe(MAIN, "S0001", {GROUPS[1]: value}, now()))

    async def close(self) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)


def test_a_whole_story_over_tls_with_the_connection_killed_in_it(tmp_path: Path) -> None:
    authority = certify(tmp_path, "authority")
    for name in ("post", "junction-1", "junction-2"):
        certify(tmp_path, name, authority)
    pem = {name: tmp_path / f"{name}.pem" for name in ("authority", "post", "junction-1", "junction-2")}

    async def story() -> None:
        keeper, supervisor = Keeper(), Supervisor([ENROLMENT], seed="post")
        supervisor.want("J-1", MAIN, {GROUPS: Rate(0, on_change=True)})
        server = RsmpServer(supervisor, keeper.take, tls=server_tls(pem["post"], pem["post"], clients=pem["authority"]))
        await server.start("localhost")
        async with Relay(server.port).there() as relay:
            # Another junction's certificate does not open this one's account, and none at all opens nothing. Nor is a
            # site let in by any that the authority has signed, where none is named for it.
            for certificate, shown in (("junction-1", "junction-2"), ("junction-1", ""), ("", "junction-2")):
                supervisor.enrol(replace(ENROLMENT, certificate=certificate))
                tls = client_tls(pem["authority"], *([pem[shown]] * 2 if shown else ()))
                stranger = Box(relay.port, tls=tls)
                await comes(lambda box=stranger: box.client.connections > 1)
                await stranger.close()
            assert keeper.count(Attached) == 0
            assert {each.why for each in keeper.heard if isinstance(each, Rejected)} == {
                "site id ['J-1'] is not the certificate's", "no certificate is named for site id ['J-1']"
            }  # fmt: skip
            supervisor.enrol(ENROLMENT)
            box = Box(relay.port, tls=client_tls(pem["authority"], pem["junction-1"], pem["junction-1"]))
            await comes(lambda: keeper.values() == ["0 recent"])
            box.observe("1")
            number = server.ask(
                "J-1", lambda link, moment: link.order(MAIN, {"M0002": {"status": "True", "timeplan": "3"}}, moment)
            )
            await comes(lambda: keeper.count(Settled) == 1 and "1 recent" in keeper.values())
            settled = next(each for each in keeper.heard if isinstance(each, Settled))
            assert (settled.number, settled.fate) == (number, Fate.DONE)
            # Killed: what happens meanwhile is told afterwards, and what could not be kept a second time.
            keeper.refuses = 1
            relay.cut()
            await comes(lambda: box.client.connections > 1 or box.client.trouble is not None)
            for value in "23456":
                box.observe(value)
            box.client.apply(box.site.alarm(MAIN, "A0001", active=True, moment=now()))
            await comes(
                lambda: {f"{n} old" for n in range(2, 7)} <= set(keeper.values()) or "6" in str(keeper.values())
            )
            assert [each.split()[0] for each in keeper.values()] == list("0123456")
            assert keeper.refuses == 0
            assert keeper.count(Detached) >= 1
            await comes(lambda: any(isinstance(each, AlarmTold) and each.state.active for each in keeper.heard))
            await comes(lambda: len(box.site.buffer) == 0)
            await box.close()
            await comes(lambda: server.connections == 0)
        with pytest.raises(CannotAsk):
            server.ask("J-1", lambda link, moment: link.ask_aggregated(MAIN, moment))
        await server.close()

    asyncio.run(asyncio.wait_for(story(), 60))


@asynccontextmanager
async def attached(keeper: Keeper, setup: Setup = SETUP) -> AsyncGenerator[tuple[RsmpServer, Box]]:
    """A server in the clear, and a site that is attached to it and has told how things are."""
    server = RsmpServer(Supervisor([replace(ENROLMENT, certificate="")], seed="post"), lambda told: keeper.take(told))
    await server.start("localhost")
    box = Box(server.port, setup)
    await comes(lambda: keeper.count(AlarmTold) == 9)
    yield server, box
    await box.close()
    await server.close()


@pytest.mark.parametrize("fault", [False, True])
def test_how_an_order_ended_and_that_a_site_has_gone_is_kept_as_soon_as_it_can_be(fault: bool) -> None:
    async def run() -> None:
        keeper = Keeper()
        async with attached(keeper, replace(SETUP, acknowledge_s=0.1)) as (server, box):
            opened, kept = asyncio.Event(), keeper.take

            async def take(events: Sequence[Step]) -> None:
                if not opened.is_set() and any(isinstance(each, StatusTold | Settled | Detached) for each in events):
                    if fault and not any(isinstance(each, StatusTold) for each in events):
                        opened.set()
                    raise OSError("broken") if fault else NotNow("no room")
                await kept(events)

            keeper.take = take  # type: ignore[method-assign]
            number = server.ask("J-1", lambda link, moment: link.ask(MAIN, [GROUPS], moment))
            # While it lasts the site comes again and again, and is let in once at most.
            if not fault:
                await comes(lambda: box.client.connections > 5)
                assert server.connections <= 3
                opened.set()
            await comes(lambda: keeper.count(Attached) >= 2 and "J-1" in server._supervisor.links)
            settled = [each for each in keeper.heard if isinstance(each, Settled) and each.number == number]
            assert [each.fate for each in settled] == [Fate.DONE]
            came = [type(each) for each in keeper.heard if isinstance(each, Attached | Detached)]
            assert came == [(Attached, Detached)[n % 2] for n in range(len(came))]

    asyncio.run(asyncio.wait_for(run(), 60))


def test_what_never_can_be_kept_is_let_go_and_holds_up_nothing() -> None:
    async def run() -> None:
        keeper = Keeper()
        async with attached(keeper) as (server, box):
            kept = keeper.take

            async def take(events: Sequence[Step]) -> None:
                if any(isinstance(each, Settled) for each in events):
                    raise OSError("broken")
                await kept(events)

            keeper.take = take  # type: ignore[method-assign]
            server.ask("J-1", lambda link, moment: link.ask(MAIN, [GROUPS], moment))
            await comes(lambda: keeper.count(Attached) == 2)
            assert box.client.connections > 1

    asyncio.run(asyncio.wait_for(run(), 60))


def test_a_site_that_comes_again_is_not_told_as_gone_behind_its_coming() -> None:
    async def run() -> None:
        keeper = Keeper()
        async with attached(keeper) as (_, box):
            slow = True

            async def take(events: Sequence[Step]) -> None:
                nonlocal slow
                waits, slow = slow, False
                if waits:
                    await keeper.open.wait()
                keeper.heard += events

            keeper.open.clear()
            keeper.take = take  # type: ignore[method-assign]
            box.client.apply(box.site.alarm(MAIN, "A0001", active=True, moment=now()))
            await asyncio.sleep(0.05)
            assert box.client._wire is not None
            box.client._wire.close()
            await comes(lambda: box.client.connections == 2 and box.site.meeting == "ready")
            await asyncio.sleep(0.05)
            keeper.open.set()
            await comes(lambda: keeper.count(Attached) == 2 and keeper.count(Detached) == 1)
            came = [type(each) for each in keeper.heard if isinstance(each, Attached | Detached)]
            assert came == [Attached, Detached, Attached]

    asyncio.run(asyncio.wait_for(run(), 60))


async def meet(end: Site | Link, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """One end speaks until both have met; from then on nobody reads."""
    writer.write(end.opened(now()).data)
    while end.meeting != "ready":
        writer.write(end.receive(await reader.read(65_536), now()).data)


def test_what_cannot_be_kept_yet_stays_in_the_socket_and_what_was_taken_is_kept_before_the_end(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(module, "WAITING_MAX", 50)
    update = {"mType": "rSMsg", "type": "StatusUpdate", "cId": MAIN, "sTs": "2026-11-24T03:00:00.000Z",
              "sS": [{"sCI": "S0095", "n": "status", "s": "x" * 2_000, "q": "recent"}]}  # fmt: skip

    async def flood() -> None:
        keeper, supervisor = Keeper(), Supervisor([replace(ENROLMENT, certificate="")], seed="post")
        server = RsmpServer(supervisor, keeper.take)
        await server.start("localhost")
        reader, writer = await asyncio.open_connection("localhost", server.port)
        await meet(Site(SETUP, now(), seed="site"), reader, writer)
        await comes(lambda: keeper.count(AlarmTold) == 9)
        keeper.open.clear()
        link = supervisor.links["J-1"]
        for n in range(5_000):
            writer.write(json.dumps(update | {"mId": f"{n:08}-0000-4000-8000-000000000000"}).encode() + b"\x0c")
        await asyncio.sleep(0.3)
        # 10 MB are on their way; what was taken over the limit is one read of the socket.
        owed = link.owed
        assert 50 < owed < 300
        closing = asyncio.create_task(server.close())
        await asyncio.sleep(0)
        keeper.open.set()
        await closing
        assert keeper.count(StatusTold) == owed
        assert server.connections == 0
        writer.close()

    asyncio.run(asyncio.wait_for(flood(), 60))


def test_who_asks_and_does_not_listen_is_not_heard_until_he_does() -> None:
    config = "QUJD" * 25_000

    async def run() -> None:
        supervisor, met = Supervisor([ENROLMENT], seed="post"), asyncio.Event()
        link, ends = supervisor.open("junction-1"), list[tuple[asyncio.StreamReader, asyncio.StreamWriter]]()

        async def deaf(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await meet(link, reader, writer)
            ends.append((reader, writer))
            met.set()

        listener = await asyncio.start_server(deaf, "localhost", 0)
        box = Box(listener.sockets[0].getsockname()[1])
        box.site.observe(MAIN, "S0098", {"config": config}, now())
        await met.wait()
        reader, writer = ends[0]
        for _ in range(19):
            writer.writelines(link.ask(MAIN, [("S0098", "config")], now())[1].data for _ in range(10))
            await asyncio.sleep(0.01)
        await asyncio.sleep(0.1)
        assert box.site.tally.received < 150
        told = 0
        while told < 190:
            turn = link.receive(await reader.read(1 << 20), now())
            told += sum(isinstance(each, StatusTold) for each in turn.events)
            writer.write(turn.data)
        assert box.site.tally.received > 190
        await box.close()
        writer.close()
        listener.close()

    asyncio.run(asyncio.wait_for(run(), 60))


def test_a_full_house_turns_away_and_a_silent_guest_is_shown_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "GUESTS_MAX", 1, raising=False)

    async def run() -> None:
        keeper = Keeper()
        server = RsmpServer(Supervisor([ENROLMENT], seed="post", acknowledge_s=0.2), keeper.take)
        await server.start("localhost")
        silent, writer = await asyncio.open_connection("localhost", server.port)
        await comes(lambda: server.connections == 1)
        late, other = await asyncio.open_connection("localhost", server.port)
        with suppress(ConnectionError):
            assert await late.read() == b""
        assert server.turned_away == 1
        assert await silent.read() == b""
        await comes(lambda: server.connections == 0)
        writer.close()
        other.close()
        await server.close()

    asyncio.run(asyncio.wait_for(run(), 30))


@pytest.mark.parametrize("limit", ["GUESTS_MAX", "GUESTS_OF_ADDRESS_MAX"])
def test_who_has_not_said_who_he_is_takes_no_places_of_sites(monkeypatch: pytest.MonkeyPatch, limit: str) -> None:
    monkeypatch.setattr(module, limit, 2, raising=False)
    monkeypatch.setattr(module, "CONNECTIONS_MAX", 2)

    async def run() -> None:
        keeper = Keeper()
        async with attached(keeper) as (server, box):
            idle = [await asyncio.open_connection("localhost", server.port) for _ in range(3)]
            await comes(lambda: server.turned_away == 1)
            assert await idle[2][0].read() == b""
            assert server.connections == 3
            # When one of them has gone there is room for a guest; and for a second site.
            idle[0][1].close()
            await comes(lambda: server.connections == 2)
            server._supervisor.enrol(Enrolment(("J-2",), SETUP.components))
            other = Box(server.port, replace(SETUP, names=("J-2",)))
            await comes(lambda: keeper.count(Attached) == 2)
            # That is all there is room for.
            third = Box(server.port, replace(SETUP, names=("J-3",)))
            await comes(lambda: server.turned_away > 1)
            assert box.client.connections == other.client.connections == 1
            for each in (other, third):
                await each.close()
            for _, writer in idle:
                writer.close()

    asyncio.run(asyncio.wait_for(run(), 60))


def test_large_messages_that_wait_to_be_kept_are_counted_by_their_bytes() -> None:
    update = {"mType": "rSMsg", "type": "StatusUpdate", "cId": MAIN, "sTs": "2026-11-24T03:00:00.000Z",
              "sS": [{"sCI": "S0002", "n": "detectorlogicstatus", "s": "x" * 900_000, "q": "recent"}]}  # fmt: skip

    async def flood() -> None:
        keeper, supervisor = Keeper(), Supervisor([replace(ENROLMENT, certificate="")], seed="post")
        server = RsmpServer(supervisor, keeper.take)
        await server.start("localhost")
        reader, writer = await asyncio.open_connection("localhost", server.port)
        await meet(Site(SETUP, now(), seed="site"), reader, writer)
        await comes(lambda: keeper.count(AlarmTold) == 9)
        keeper.open.clear()
        for n in range(20):
            writer.write(json.dumps(update | {"mId": f"{n:08}-0000-4000-8000-000000000000"}).encode() + b"\x0c")
        await asyncio.sleep(0.3)
        link = supervisor.links["J-1"]
        assert 4 <= link.owed < 8
        # It goes on as it is kept.
        keeper.open.set()
        await comes(lambda: keeper.count(StatusTold) == 20)
        writer.close()
        await server.close()

    asyncio.run(asyncio.wait_for(flood(), 60))


def test_the_clocks_of_this_machine() -> None:
    first, second = now(), now()
    assert isinstance(first, Moment)
    assert second.steady_us >= first.steady_us
