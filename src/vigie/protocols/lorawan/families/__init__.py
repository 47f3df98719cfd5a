"""The families that are known. A further one is a file beside these, and its line here."""

from collections.abc import Mapping

from vigie.protocols.lorawan.families import nas_ul20xx
from vigie.protocols.lorawan.family import Family

FAMILIES: Mapping[str, Family] = {each.name: each for each in (nas_ul20xx.FAMILY,)}
"""By the name that a device's tag gives."""
