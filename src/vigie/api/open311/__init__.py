"""Open311 GeoReport v2: what residents' applications ask of the post, without an account."""

from vigie.api.open311.door import PREFIX, Open311Door

__all__ = ["PREFIX", "Open311Door"]
