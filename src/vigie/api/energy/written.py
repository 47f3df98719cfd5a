"""Figures as the reader's language writes them, for what is printed."""

from __future__ import annotations

import re
from datetime import date

from vigie.api.words import Words
from vigie.services.lighting.energy.model import Interval

THIN, FIRM = "\N{NARROW NO-BREAK SPACE}", "\N{NO-BREAK SPACE}"
MINUS = "\N{MINUS SIGN}"
NONE = "–"


class Written:
    """How a language writes figures. said: its words."""

    def __init__(self, language: str, said: Words) -> None:
        self.language = language
        self._words = said
        self._thousands, self._decimal = (THIN, ",") if language == "fr" else (",", ".")

    def said(self, key: str, **gaps: object) -> str:
        """The words of a key, with printers' apostrophes and spaces where the catalogue has those of keyboards."""
        text = self._words(key, **gaps).replace("'", "’")
        return re.sub(r" (?=[:;?!»])", FIRM, text)

    def number(self, value: float | None, digits: int = 0) -> str:
        """A number with so many decimals; a dash for what is not known."""
        if value is None:
            return NONE
        text = f"{abs(value):,.{digits}f}".replace(",", "\0").replace(".", self._decimal).replace("\0", self._thousands)
        return f"{MINUS}{text}" if value < 0 and any(each in "123456789" for each in text) else text

    def amount(self, value: float | None) -> str:
        """A number with the decimals that its size deserves: none from 100 on."""
        size = abs(value or 0.0)
        return self.number(value, 0 if size >= 100 or size == 0 else 1 if size >= 10 else 2)

    def quantity(self, value: float | None, unit: str) -> str:
        """An amount with its unit."""
        return NONE if value is None else f"{self.amount(value)}{FIRM}{unit}"

    def percent(self, share: float | None, digits: int = 0) -> str:
        """A share as a percentage."""
        gap = FIRM if self.language == "fr" else ""
        return NONE if share is None else f"{self.number(100 * share, digits)}{gap}%"

    def between(self, interval: Interval) -> str:
        """The ends of an interval of a share."""
        low, high = (self.percent(each, 1) for each in (interval.low, interval.high))
        return self.said("energy.between", low=low, high=high)

    def day(self, day: date) -> str:
        """A day with its month's name: 1er octobre 2026, 1 October 2026."""
        number = "1er" if self.language == "fr" and day.day == 1 else str(day.day)
        return f"{number}{FIRM}{self.month(day)}"

    def month(self, day: date) -> str:
        """A month with its year: octobre 2026."""
        return f"{self.said(f'energy.month.{day.month}')} {day.year}"
