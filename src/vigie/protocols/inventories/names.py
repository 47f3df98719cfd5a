"""Names that a register keeps in capitals, as a sign on the street writes them. Only where a mapping asks for it."""

from __future__ import annotations

import re
from enum import StrEnum

_WORD = re.compile(r"[^\W\d_]+")
_ROMAN = re.compile(r"(?=[IVX]{2})X{0,3}(IX|IV|V?I{0,3})")
_PARTICLES = frozenset("à au aux d de des du en et l la le les lès lez près sous sur".split())


class Case(StrEnum):
    """What becomes of a name in capitals. as_is: nothing; title: Every Word; title_fr: Rue de la Paix."""

    AS_IS = "as-is"
    TITLE = "title"
    TITLE_FR = "title-fr"


def cased(name: str, case: Case) -> str:
    """The name in the case asked for. A name that has a small letter was written by a person, and stays as it is."""
    if case is Case.AS_IS or not name.isupper():
        return name

    def word(match: re.Match[str]) -> str:
        text, start = match[0], match.start()
        if start and name[start - 1].isdigit():  # 1ST, 14E
            return text.lower()
        if _ROMAN.fullmatch(text):
            return text
        small = text.lower()
        return small if case is Case.TITLE_FR and start and small in _PARTICLES else text.capitalize()

    return _WORD.sub(word, name)
