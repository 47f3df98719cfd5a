"""What reads an operator's feed of its vehicles' positions into a post, as its settings say."""

from __future__ import annotations

import re

from vigie.api.devices import Devices
from vigie.api.positions import VehiclePositions
from vigie.app.installation import Installation
from vigie.app.post import Post
from vigie.protocols.gtfs_rt import NAMES
from vigie.settings import SettingsWrong


def vehicle_positions(opened: Installation, post: Post, devices: Devices) -> VehiclePositions | None:
    """What reads the feed, to be run beside the post; None where none is set. Raises SettingsWrong."""
    settings = opened.settings
    if not settings.vehicle_positions_url:
        return None
    said = re.findall(r"\{(.*?)\}", settings.vehicle_positions_as)
    if not said or not set(said) <= NAMES:
        raise SettingsWrong(f"vehicle_positions_as is made of {', '.join(f'{{{each}}}' for each in sorted(NAMES))}")
    if not settings.vehicle_positions_device:
        raise SettingsWrong("vehicle_positions_device: name the device that was admitted for these vehicles")
    try:
        return VehiclePositions(
            settings.vehicle_positions_url, settings.vehicle_positions_s, settings.vehicle_positions_as,
            lambda: devices.named(settings.vehicle_positions_device), post.pump, opened.clock,
        )  # fmt: skip
    except ValueError as error:
        raise SettingsWrong(f"vehicle_positions_url: {error}") from error
