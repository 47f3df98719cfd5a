"""The settings of a mosquitto broker that vigie ships: what it keeps, how much, and who may publish what."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

from vigie.protocols.mqtt import PACKET_BYTES_MAX
from vigie.transports.mqtt import IN_FLIGHT_MAX

AUTOSAVE_S = 10
QUEUED_MAX = 1_000_000
QUEUED_BYTES_MAX = 256 << 20
SALT_BYTES = 12
_ITERATIONS = 101

_HERE = Path(__file__).parent


def broker_files(folder: Path, user: str, *, host: str = "127.0.0.1", port: int = 1883) -> dict[str, str]:
    """The broker's settings and its access list, by file name. folder: where they will lie. user: who vigie is."""
    said: dict[str, object] = {
        "folder": folder,
        "host": host,
        "port": port,
        "user": user,
        "autosave_s": AUTOSAVE_S,
        "in_flight_max": IN_FLIGHT_MAX,
        "queued_max": QUEUED_MAX,
        "queued_bytes_max": QUEUED_BYTES_MAX,
        "packet_bytes_max": PACKET_BYTES_MAX,
    }
    return {name: (_HERE / name).read_text("utf-8").format(**said) for name in ("mosquitto.conf", "access.conf")}


def password_line(user: str, password: str, salt: bytes) -> str:
    """A user's line of mosquitto's password file, as mosquitto_passwd writes it (PBKDF2 with SHA-512). Raises
    ValueError for a name that the file cannot hold.

    So few rounds are mosquitto's own number; a device's secret is 256 random bits, and no number of rounds matters.
    """
    if not usable(user):
        raise ValueError(
            f"{user!r} can be no user of a broker: no blank, ':', '/', '+' or '#', and 1 to 200 characters"
        )
    hashed = hashlib.pbkdf2_hmac("sha512", password.encode(), salt, _ITERATIONS)
    return f"{user}:$7${_ITERATIONS}${base64.b64encode(salt).decode()}${base64.b64encode(hashed).decode()}"


def usable(name: str) -> bool:
    """Whether a device's name can be a broker's user and a level of a topic."""
    return 0 < len(name) <= 200 and name.isprintable() and not set(name) & set(" :/+#")
