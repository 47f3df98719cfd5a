"""The OsmAnd form: what tracker applications send over HTTP (OsmAnd, Traccar Client). Both ends, no sockets."""

from vigie.protocols.osmand.forms import Fix, Heard, Unreadable, decode, encode_form, encode_json

__all__ = ["Fix", "Heard", "Unreadable", "decode", "encode_form", "encode_json"]
