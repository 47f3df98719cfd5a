"""The broker's folder: its settings, its access list and its password file, made for mosquitto."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Collection
from pathlib import Path

import msgspec

from vigie.app.control import Hand, operation
from vigie.settings import Settings
from vigie.store.files import write_whole
from vigie.transports.mosquitto import SALT_BYTES, broker_files, password_line

PASSWORDS = "passwords"
PASSWORD_BYTES = 32


class Claim(msgspec.Struct, frozen=True):
    """A device's name, and the digest of what is said to be its secret, hex."""

    name: str
    digest: str


@operation("devices.check", Claim)
async def check(hand: Hand, args: Claim) -> bool:
    """Whether a device has this secret."""
    known = hand.opened.facts.devices().get(bytes.fromhex(args.digest))
    return known is not None and known[1] == args.name


def claim(name: str, secret: str) -> Claim:
    """The question whether a device has this secret, without saying the secret."""
    return Claim(name, hashlib.sha256(secret.encode()).hexdigest())


def set_up_broker(
    settings: Settings, folder: Path, devices: Collection[str], host: str, port: int
) -> tuple[Path, list[str]]:
    """Writes the broker's settings and access list; makes the post's own password at first need; takes out of the
    password file whoever is admitted no more.

    Returns where the post's password lies, and who of the devices has none at the broker yet.
    """
    (folder / "data").mkdir(parents=True, exist_ok=True)
    for name, text in broker_files(folder, settings.mqtt_username, host=host, port=port).items():
        _write(folder / name, text)
    ours = settings.mqtt_password_file or settings.data / "keys" / "mqtt.password"
    if not ours.exists():
        ours.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(ours, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(secrets.token_urlsafe(PASSWORD_BYTES) + "\n")
    lines = {name: line for name, line in _lines(folder).items() if name in devices}
    lines[settings.mqtt_username] = _line(settings.mqtt_username, ours.read_text("utf-8").strip())
    _write(folder / PASSWORDS, "".join(f"{line}\n" for line in lines.values()))
    return ours, sorted(set(devices) - lines.keys())


def set_password(folder: Path, name: str, secret: str) -> None:
    """Puts a device's secret into the broker's password file, hashed. Raises ValueError for a name that a broker
    cannot have, OSError where there is no such file."""
    line = _line(name, secret)
    (folder / PASSWORDS).stat()
    lines = _lines(folder) | {name: line}
    _write(folder / PASSWORDS, "".join(f"{each}\n" for each in lines.values()))


def _line(user: str, password: str) -> str:
    return password_line(user, password, secrets.token_bytes(SALT_BYTES))


def _lines(folder: Path) -> dict[str, str]:
    """The password file by user; none where there is none."""
    try:
        text = (folder / PASSWORDS).read_text("utf-8")
    except FileNotFoundError:
        return {}
    return {line.partition(":")[0]: line for line in text.splitlines() if line}


def _write(path: Path, text: str) -> None:
    """Whole or not at all; who may read it stays as it was."""
    before = path.stat() if path.exists() else None

    def put(beside: Path) -> None:
        beside.write_text(text, "utf-8")
        beside.chmod(0o640 if before is None else before.st_mode & 0o777)
        if before is not None and (before.st_uid, before.st_gid) != (os.getuid(), os.getgid()):
            os.chown(beside, before.st_uid, before.st_gid)

    write_whole(path, put)
