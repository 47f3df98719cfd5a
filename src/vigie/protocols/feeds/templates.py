"""Templates: how a mapping makes a text from the columns of a row, such as "{tag} {stunde}"."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import get_close_matches

from vigie.protocols.feeds.limits import FeedError

_PIECE = re.compile(r"\{([^{}]*)\}|([^{}]+)|([{}])")

Fill = Callable[[Sequence[str]], str]
"""Makes the text of one row, given as its cells."""


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

    def on(self, columns: Sequence[str], file: str) -> Fill:
        """The template for rows of these columns. Raises FeedError for a column that the file does not have.

        A row of which a column is empty gives an empty text: half a key, or half a time, is none.
        """
        places: list[tuple[str, int]] = []
        for literal, column in self.pieces:
            if column and column not in columns:
                near = (get_close_matches(column, columns, 1, 0.0) or [""])[0]
                raise FeedError(f"{file} has no column {column!r}", f"The nearest is {near!r}: mend the mapping")
            places.append((literal, columns.index(column) if column else -1))
        if len(places) == 1 and places[0][1] >= 0:
            only = places[0][1]
            return lambda cells: cells[only].strip()

        def fill(cells: Sequence[str]) -> str:
            parts = [literal if place < 0 else cells[place].strip() for literal, place in places]
            return (
                ""
                if any(place >= 0 and not part for part, (_, place) in zip(parts, places, strict=True))
                else (" ".join("".join(parts).split()))
            )

        return fill
