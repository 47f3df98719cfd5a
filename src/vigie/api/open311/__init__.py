"""Open311 GeoReport v2: what residents' applications ask of the post, without an account."""

from vigie.api.open311.door import PREFIX, Open311Door
from vigie.api.open311.pages import STOP, ReporterPages

__all__ = ["PREFIX", "STOP", "Open311Door", "ReporterPages"]
