"""A TALQ gateway on real HTTP for tests: its own session behind a server, and a client to the post. All that passes is
judged by the standard's own files."""

from __future__ import annotations

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Callable, Generator, Iterable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import msgspec

from tests.city import drafts
from tests.post import NO_RESERVE, now_us
from tests.protocols.talq.link import ACTUATOR, CABINET, LAMP, LAMP_CLASS, MONITOR, SERVICES, lamp
from tests.protocols.talq.standard import Standard
from vigie.app import TALQ, admit_device, gateway_token, installation
from vigie.core.times import rfc3339
from vigie.protocols.talq.events import GatewayEvent, Overridden
from vigie.protocols.talq.gateway import Gateway, Identity
from vigie.protocols.talq.messages import Attribute, Command, Device, DeviceClass, FunctionDesc, Service
from vigie.protocols.talq.requests import Answer, Incoming, Request, digest
from vigie.protocols.talq.routes import Side, find
from vigie.protocols.talq.schedules import level_state
from vigie.settings import Settings

GATEWAY = "lighting-essai"
CABINET_CLASS = DeviceClass(
    "Cabinet", (FunctionDesc("doors", "CabinetMonitorFunction"), FunctionDesc(ACTUATOR, "LampActuatorFunction"))
)


def make(folder: Path, *names: str, lamps: int = 20, uri: str = "") -> dict[str, str]:
    """An installation with a small city, whose lamps and cabinet are shared between TALQ gateways of these names in
    equal parts; returns their secrets."""
    names = names or (GATEWAY,)
    with installation(Settings(data=folder, city="Essai", **NO_RESERVE)) as opened:
        opened.take_assets("test", drafts(lamps))
        own = [row[0] for row in opened.facts.registry_rows() if row[2] in ("luminaire", "cabinet")]
        return {
            name: admit_device(opened, name, own[at :: len(names)], protocol=TALQ, uri=uri)
            for at, name in enumerate(names)
        }


def cabinet() -> Device:
    """The small city's cabinet."""
    functions: tuple[Any, ...] = (
        {"id": "basic", "type": "BasicFunction", "assetId": Attribute("AttributeString", "cabinet-cabinet")},
        {"id": "doors", "type": "CabinetMonitorFunction"},
        {"id": ACTUATOR, "type": "LampActuatorFunction"},
    )
    return Device(CABINET, "Cabinet", "Cabinet", functions)


class GatewayAt:
    """A gateway that answers on a port of its own, and asks the post.

    passed: what went over the wire either way, judged. learnt: its events. spoil: called with each request of the
    post's; what it returns is sent in place of the gateway's answer: a status, a body and headers, or None to cut the
    connection.
    """

    def __init__(
        self, post: str, secret: str, shown: str, *, judge: Standard | None = None, lamps: Iterable[int] = range(3),
        name: str = GATEWAY, follows: bool = False, port: int = 0,
    ) -> None:  # fmt: skip
        """post: the post's base URL. secret, shown: what the gateway shows, and what it must be shown."""
        self.post, self.judge = post, judge
        self.passed: list[tuple[str, Request, Answer]] = []
        self.learnt: list[GatewayEvent] = []
        self.spoil: Callable[[Incoming], tuple[int, bytes, dict[str, str]] | str | None] = lambda asked: "as it is"
        self.lock = threading.RLock()
        self._obeyed = 0
        self._open: list[socket.socket] = []
        self.server = ThreadingHTTPServer(("127.0.0.1", port), self._handler())
        self.server.daemon_threads = True
        self.port = int(self.server.server_address[1])
        self.uri = f"http://127.0.0.1:{self.port}/{name}"
        who = Identity(name, self.uri, post + "/talq", "vigie", secret, digest(shown), follows)
        devices = [*(lamp(number) for number in lamps), cabinet()]
        self.gateway = Gateway(who, SERVICES, [LAMP_CLASS, CABINET_CLASS], devices, seed=str(time.monotonic_ns()))

    def ask(self, request: Request, **headers: str) -> Answer:
        """One request to the post, on a connection of its own. Raises OSError, HTTPException."""
        url = urlsplit(self.post)
        connection = http.client.HTTPConnection(url.hostname or "", url.port, timeout=30)
        try:
            said = dict(request.headers) | {name.replace("_", "-"): value for name, value in headers.items()}
            connection.request(request.method, "/talq" + request.target, request.body or None, said)
            response = connection.getresponse()
            own = tuple(each for each in response.getheaders() if each[0].startswith("pagination-"))
            answer = Answer(response.status, response.read(), own)
        finally:
            connection.close()
        self._judge("up", request, answer)
        return answer

    def up(self, *requests: Request) -> list[Answer]:
        """The gateway asks; what follows from the answers is asked too, until there is nothing more."""
        answers: list[Answer] = []
        waiting = list(requests)
        while waiting:
            request = waiting.pop(0)
            answer = self.ask(request)
            answers.append(answer)
            with self.lock:
                back = self.gateway.answered(request, answer, now_us())
                self.learnt += back.events
            waiting += back.requests
        return answers

    def attach(self) -> list[Answer]:
        """The bootstrap, whole."""
        with self.lock:
            start = self.gateway.start()
        return self.up(start)

    def report(self) -> list[Answer]:
        """What is due is reported."""
        with self.lock:
            turn = self.gateway.tick(now_us())
            self.learnt += turn.events
        return self.up(*turn.requests)

    def obey(self) -> None:
        """The lamps do what they were told since this was last called: each says so with its new level."""
        with self.lock:
            told, self._obeyed = self.learnt[self._obeyed :], len(self.learnt)
            at = now_us()
            for event in told:
                if isinstance(event, Overridden):
                    command = event.command or Command(level_state(0), reason="program")
                    for device, function in event.actuators:
                        self.gateway.network.changed(device, function, command, command.state, at)

    @contextlib.contextmanager
    def living(self, *, reports: bool = True) -> Generator[None]:
        """While it obeys, and reports what is due."""
        over = threading.Event()

        def live() -> None:
            while not over.wait(0.1):
                self.obey()
                if reports:
                    with contextlib.suppress(OSError, http.client.HTTPException):
                        self.report()

        thread = threading.Thread(target=live, daemon=True)
        thread.start()
        try:
            yield
        finally:
            over.set()
            thread.join(10)

    def measured(self, number: int, watts: float, at_us: int) -> None:
        """A lamp measures its power."""
        value = Attribute("AttributeFloat", watts, rfc3339(at_us))
        with self.lock:
            self.gateway.network.observed(LAMP.format(number), MONITOR, "activePower", value, at_us)

    def asked(self, name: str) -> list[Request]:
        """The post's requests of this operation, as they came."""
        return [request for way, request, _ in self.passed if way == "down" and request.route.name == name]

    def _judge(self, way: str, request: Request, answer: Answer) -> None:
        self.passed.append((way, request, answer))
        if self.judge is not None:
            self.judge.check_request(request)
            self.judge.check_answer(request, answer)

    def _answer(self, incoming: Incoming) -> tuple[int, bytes, dict[str, str]] | None:
        spoilt = self.spoil(incoming)
        if not isinstance(spoilt, str):
            return spoilt
        with self.lock:
            turn = self.gateway.receive(incoming, now_us())
            assert turn.answer is not None
            self.learnt += turn.events
            path, _, query = incoming.target.partition("?")
            routes = find(Side.GATEWAY, tuple(unquote(part) for part in path.split("/")[1:]))
            route, values = routes[incoming.method]
            headers = tuple(incoming.headers.items())
            asked = Request(route, path, tuple(parse_qsl(query)), incoming.body, headers, values)
            self._judge("down", asked, turn.answer)
        return turn.answer.status, turn.answer.body, dict(turn.answer.headers)

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        outer = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def setup(self) -> None:
                """Keeps the connection, to cut it when the gateway is gone."""
                outer._open.append(self.request)
                super().setup()

            def handle_any(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", "0")))
                headers = {name.lower(): value for name, value in self.headers.items()}
                target = "/" + self.path.split("/", 2)[2]
                said = outer._answer(Incoming(self.command, target, headers, body))
                if said is None:
                    self.close_connection = True
                    return
                self.send_response(said[0])
                for name, value in {"content-length": str(len(said[1])), **said[2]}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(said[1])

            do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = handle_any  # noqa: N815

            def log_message(self, format: str, *arguments: Any) -> None:
                """Says nothing."""

        return Handler

    def __enter__(self) -> GatewayAt:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)


@contextlib.contextmanager
def gateway_at(
    folder: Path, post: int, secrets: dict[str, str], *, name: str = GATEWAY, **how: Any
) -> Generator[GatewayAt]:
    """A gateway that was admitted to the post of a folder. post: where this answers. how: see `GatewayAt`."""
    base = f"http://127.0.0.1:{post}"
    with GatewayAt(base, secrets[name], gateway_token(folder, name), name=name, **how) as gateway:
        yield gateway


def roomy(gateway: GatewayAt, **limits: Any) -> None:
    """What the gateway says that it has room for."""
    network = gateway.gateway.network
    said: Service = network.services["ControlService"]
    network.services["ControlService"] = msgspec.structs.replace(said, **limits)


def until(true: Callable[[], Any], *, within_s: float = 20) -> Any:
    """Waits until something is true, and returns it."""
    end = time.monotonic() + within_s
    while not (found := true()):
        assert time.monotonic() < end, "it did not come to pass"
        time.sleep(0.02)
    return found


def statuses(answers: Sequence[Answer]) -> list[int]:
    """How they were answered."""
    return [answer.status for answer in answers]
