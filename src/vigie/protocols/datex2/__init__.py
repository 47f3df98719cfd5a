"""DATEX II (CEN 16157): what happens on the roads, as roads' keepers tell each other and everybody. Both ends."""

from vigie.protocols.datex2.model import (
    AlertC,
    Comment,
    Days,
    Hours,
    Period,
    Place,
    Position,
    Publication,
    Record,
    Situation,
    Source,
    Validity,
    Words,
)
from vigie.protocols.datex2.reading import BYTES_MAX, Deviation, Reading, SetAside, Unreadable, read
from vigie.protocols.datex2.validity import holds
from vigie.protocols.datex2.vocabulary import DAYS, ENUMERATIONS, EXTENSIONS, FORMS, Family, knows
from vigie.protocols.datex2.writing import DEGREE_DIGITS, MEDIA_TYPE, TEXT_LENGTH_MAX, write

__all__ = [
    "BYTES_MAX",
    "DAYS",
    "DEGREE_DIGITS",
    "ENUMERATIONS",
    "EXTENSIONS",
    "FORMS",
    "MEDIA_TYPE",
    "TEXT_LENGTH_MAX",
    "AlertC",
    "Comment",
    "Days",
    "Deviation",
    "Family",
    "Hours",
    "Period",
    "Place",
    "Position",
    "Publication",
    "Reading",
    "Record",
    "SetAside",
    "Situation",
    "Source",
    "Unreadable",
    "Validity",
    "Words",
    "holds",
    "knows",
    "read",
    "write",
]
