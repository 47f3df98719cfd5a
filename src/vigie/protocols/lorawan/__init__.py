"""Lamps on LoRaWAN, through a ChirpStack network server (v4, JSON): uplinks to readings, and dim orders to downlinks.

What a frame means is the family's own, one file each in `families`. Which family a device is of and which assets it is,
its tags at ChirpStack say (see `events`), so that nothing is entered twice.
"""

from vigie.protocols.lorawan.events import decode_down, decode_uplinks, encode_down, encode_up
from vigie.protocols.lorawan.families import FAMILIES
from vigie.protocols.lorawan.family import Family, Frame, Part, Unreadable

__all__ = [
    "FAMILIES",
    "Family",
    "Frame",
    "Part",
    "Unreadable",
    "decode_down",
    "decode_uplinks",
    "encode_down",
    "encode_up",
]
