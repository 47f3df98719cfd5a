"""NGSI-LD (ETSI GS CIM 009): street lighting as the entities of the Smart Data Models, written and read. Pure.

How an entity is told:

    entity = entity_of(asset, "Streetlight", zone)
    missing(entity)  # what the model requires of it and nobody knows: such a one is not written
    document = write(entity)  # normalized: each value with its unit and its observedAt
    simplified(document)  # key-values: the form that the models' own schemas describe
    read(document) == entity
"""

from vigie.protocols.ngsi_ld.documents import CONTEXT, Incomplete, Unreadable, missing, read, simplified, write
from vigie.protocols.ngsi_ld.entities import Asset, Entity, Observed, Place, Said, entity_of
from vigie.protocols.ngsi_ld.table import TABLE

__all__ = [
    "CONTEXT",
    "TABLE",
    "Asset",
    "Entity",
    "Incomplete",
    "Observed",
    "Place",
    "Said",
    "Unreadable",
    "entity_of",
    "missing",
    "read",
    "simplified",
    "write",
]
