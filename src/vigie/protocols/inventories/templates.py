"""Templates: how a mapping makes a text from columns, such as "{TYPVOI} {NOMVOI}"."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

_PIECE = re.compile(r"\{([^{}]*)\}|([^{}]+)|([{}])")

PLACE = "@place"
"""The place itself, in degrees to a tenth of a metre: "3.876543,43.612345". For sources that number nothing."""

ID = "@id"
"""The identity that the format itself gives: a feature's id in GeoJSON, "node/26" in OpenStreetMap."""


@dataclass(frozen=True, slots=True)
class Template:
    """Literal texts and the columns between them. pieces: (literal, column), one of the two being empty."""

    pieces: tuple[tuple[str, str], ...]

    @staticmethod
    def parse(text: str) -> Template:
        """Raises ValueError for a brace that does not match, or encloses nothing."""
        pieces: list[tuple[str, str]] = []
        for match in _PIECE.finditer(text):
            column, literal, brace = match.groups()
            if brace or (literal is None and not column.strip()):
                raise ValueError(f"a brace in {text!r} encloses no column")
            pieces.append((literal or "", column or ""))
        return Template(tuple(pieces))

    @property
    def columns(self) -> frozenset[str]:
        """The columns that the template speaks of."""
        return frozenset(column for _, column in self.pieces if column)

    def fill(self, values: Mapping[str, str]) -> str:
        """The text; a column without a value gives nothing, and white space closes over it."""
        return " ".join("".join(literal or values[column] for literal, column in self.pieces).split())

    def empty(self, values: Mapping[str, str]) -> str:
        """The first column that has no value; empty if all have one."""
        return next((column for _, column in self.pieces if column and not values[column]), "")

    def whole(self, values: Mapping[str, str]) -> str:
        """The text if every column has a value, else nothing: half a key is no key."""
        return "" if self.empty(values) else self.fill(values)
