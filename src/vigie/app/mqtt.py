"""The link to the broker, composed from the settings."""

from __future__ import annotations

from vigie.api.devices import Devices
from vigie.api.mqtt import TOPICS, MqttDoor, MqttFigures
from vigie.engine.pump import Pump
from vigie.protocols.trackers import Mapping, MappingWrong, read_mappings
from vigie.settings import Settings, SettingsWrong
from vigie.transports.mqtt import Address, MqttLink


def broker_of(settings: Settings) -> tuple[Address, str] | None:
    """Where the broker is and the post's password there; None where no broker is set. Raises SettingsWrong."""
    if not settings.mqtt_url:
        return None
    try:
        address = Address.of(settings.mqtt_url)
    except ValueError as error:
        raise SettingsWrong(f"mqtt_url: {error}") from None
    if settings.mqtt_password_file is None:
        return address, ""
    try:
        return address, settings.mqtt_password_file.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsWrong(f"mqtt_password_file: {settings.mqtt_password_file} cannot be read: {error}") from None


def _trackers(settings: Settings) -> list[Mapping]:
    """How what trackers publish is read. Raises SettingsWrong."""
    file = settings.mqtt_trackers_file
    if file is None:
        return []
    try:
        return read_mappings(file.read_bytes())
    except OSError as error:
        raise SettingsWrong(f"mqtt_trackers_file: {file} cannot be read: {error}") from None
    except MappingWrong as error:
        raise SettingsWrong(f"mqtt_trackers_file: {file}: {error}") from None


def mqtt_link(settings: Settings, shard: str, devices: Devices, pump: Pump) -> tuple[MqttLink, MqttFigures] | None:
    """The link and its figures; None where no broker is set. Raises SettingsWrong.

    The session has the installation's own name, so that what waits there is found again after a restart.
    """
    broker = broker_of(settings)
    if broker is None:
        return None
    address, password = broker
    door = MqttDoor(devices, pump, _trackers(settings))
    link = MqttLink(
        address, f"vigie-{shard}", TOPICS, door.take, user=settings.mqtt_username if password else "", password=password
    )
    return link, MqttFigures(link, door)
