"""The RSMP door of an installation: which sites may speak, for which junctions, and what the post shows to them."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

import msgspec
import numpy as np

from vigie.api.rsmp import Listening, Means, Memory, RsmpDoor
from vigie.app.installation import Installation
from vigie.app.post import Post
from vigie.engine.loop import Engine
from vigie.protocols.rsmp import Enrolment, Of
from vigie.services.signals import Detector, Junction
from vigie.settings import Settings, SettingsWrong
from vigie.transports.tcp import server_tls

RSMP = "rsmp"
"""The protocol of a device that is a site of traffic signals. What such a device is called is its site id."""

BINDINGS = Path("keys") / "rsmp.json"
"""Beside the keys, for its owner alone: security codes are as good as keys."""

CONTROLLER = "TC"
"""The component id of a site's controller, where none is said at its admission."""

ID_CHARS_MAX = 100

STEERED = "signals.steered"
"""Under which key the installation keeps the ids of the junctions that it was ordered to steer."""


class Binding(msgspec.Struct, frozen=True):
    """What was said of a site at its admission. controller: the component id of its controller. certificate: the name
    that its certificate must show; a site without one is not let in where certificates are asked for. codes: its
    security codes 1 and 2, empty where they are not known. stage_inputs: see `Enrolment`; the post steers no junction
    without."""

    controller: str = CONTROLLER
    certificate: str = ""
    codes: tuple[str, str] = ("", "")
    stage_inputs: int = 0

    def __repr__(self) -> str:
        return f"Binding({self.controller!r}, {self.certificate!r}, ...)"


def bindings(data: Path) -> dict[str, Binding]:
    """What is known of each site, by its id. Raises OSError and msgspec.DecodeError for a file that cannot be read."""
    path = data / BINDINGS
    return msgspec.json.decode(path.read_bytes(), type=dict[str, Binding]) if path.exists() else {}


def bind(data: Path, found: Mapping[str, Binding], *, without: str = "") -> None:
    """Keeps what is known of these sites beside the others, and forgets one; in one step, and synced. Raises
    OSError."""
    kept = {name: each for name, each in (bindings(data) | dict(found)).items() if name != without}
    path = data / BINDINGS
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(json.dumps(msgspec.to_builtins(kept), indent=1).encode())
        file.flush()
        os.fsync(file.fileno())
    new.replace(path)


def enrolments(opened: Installation) -> list[tuple[int, Enrolment]]:
    """The sites that are admitted, by their numbers as devices."""
    known = bindings(opened.settings.data)
    found: list[tuple[int, Enrolment]] = []
    for each in opened.facts.speakers(RSMP):
        bound = known.get(each.name, Binding())
        enrolment = Enrolment(
            (each.name,), {bound.controller: Of.CONTROLLER}, bound.codes, bound.certificate,
            stage_inputs=bound.stage_inputs,
        )  # fmt: skip
        found.append((each.no, enrolment))
    return found


def listening(settings: Settings) -> Listening | None:
    """Where sites connect; None where no port is set. Raises SettingsWrong."""
    if not settings.rsmp_port:
        return None
    return Listening(settings.rsmp_host, settings.rsmp_port, _tls(settings))


def _tls(settings: Settings) -> ssl.SSLContext | None:
    certificate, key, clients = settings.rsmp_certificate, settings.rsmp_key, settings.rsmp_clients
    if certificate is None and key is None and clients is None:
        return None
    if certificate is None or key is None:
        raise SettingsWrong("rsmp_certificate and rsmp_key go together, and rsmp_clients with both")
    try:
        return server_tls(certificate, key, clients=clients)
    except (OSError, ssl.SSLError) as error:
        raise SettingsWrong(f"rsmp_certificate, rsmp_key or rsmp_clients cannot be used: {error}") from None


def rsmp_door(opened: Installation, post: Post) -> RsmpDoor | None:
    """The door, with the sites that are admitted now; None where no port is set. Raises SettingsWrong."""
    at = listening(opened.settings)
    if at is None:
        return None
    means = Means(opened.clock, post.pump.submit, junction_of(post.engine), partial(_detectors_of, post.engine))
    door = RsmpDoor(means, at, seed=opened.dice.bytes(16).hex())
    door.load(enrolments(opened))
    return door


def steered_memory(opened: Installation, post: Post) -> Memory:
    """Where the installation keeps which junctions it was ordered to steer."""

    async def write(text: str) -> None:
        await post.pump.run_in_writer(partial(opened.facts.set_meta, STEERED, text))

    return Memory(partial(opened.facts.meta, STEERED), write)


def junction_of(engine: Engine) -> Callable[[int], str]:
    """The id of the junction that a device speaks for; empty where it speaks for none any more."""
    return partial(_junction_of, engine)


def _detectors_of(engine: Engine, number: int) -> Mapping[str, int]:
    """The detectors that a device speaks for, by their ids, and which of its detector logics they are."""
    registry = engine.registry
    own = (registry.reporter[: registry.count] == number) & ~registry.gone[: registry.count]
    found = np.flatnonzero(own & (registry.kind[: registry.count] == registry.kind_codes[Detector.kind]))
    if not len(found):
        return {}
    logics = engine.attributes.each(Detector, Detector.logic, found)
    return {registry.ids[int(n)]: int(logic) for n, logic in zip(found, logics, strict=True) if logic == logic // 1}


def _junction_of(engine: Engine, number: int) -> str:
    registry = engine.registry
    code = registry.kind_codes[Junction.kind]
    own = (registry.reporter[: registry.count] == number) & ~registry.gone[: registry.count]
    found = np.flatnonzero(own & (registry.kind[: registry.count] == code))
    return registry.ids[int(found[0])] if len(found) else ""
