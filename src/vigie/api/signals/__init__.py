"""Junctions at the post: what control knows of each, and what people may read of that."""

from vigie.api.signals.documents import documents_of, sites_of

__all__ = ["documents_of", "sites_of"]
