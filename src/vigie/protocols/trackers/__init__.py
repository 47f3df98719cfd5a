"""Trackers that publish JSON of their own over MQTT, read by a mapping that somebody writes for them."""

from vigie.protocols.trackers.mapping import Mapping, MappingWrong, decode_positions, read_mappings

__all__ = ["Mapping", "MappingWrong", "decode_positions", "read_mappings"]
