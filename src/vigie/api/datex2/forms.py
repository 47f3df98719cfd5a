"""The forms in which works are told to everybody. Works that no form can say keep none of the others back."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass

import structlog

from vigie.api.datex2.telling import Works, geojson, rows, situation_of
from vigie.api.words import Words
from vigie.protocols.datex2 import Publication, write

_log = structlog.get_logger("vigie.roadworks")


@dataclass(frozen=True)
class Forms:
    """Writes works. country, creator: who tells them. said: the words of each language, the first of them first."""

    country: str
    creator: str
    said: Sequence[tuple[str, Words]]

    def written(self, told: Sequence[Works], now_us: int) -> tuple[dict[str, bytes], dict[int, str]]:
        """Each form of all works, and which had to be left out: number -> why."""
        try:
            return self._all(told, now_us), {}
        except Exception:
            left_out: dict[int, str] = {}
            for each in told:
                # Only where something is amiss: to write all at once costs half as much.
                try:
                    self._all([each], now_us)
                except Exception as error:
                    leave_out(left_out, each.number, error)
            return self._all([each for each in told if each.number not in left_out], now_us), left_out

    def _all(self, told: Sequence[Works], now_us: int) -> dict[str, bytes]:
        situations = tuple(situation_of(each, self.said) for each in told)
        table = io.StringIO()
        csv.writer(table, lineterminator="\r\n").writerows(rows(told))
        return {
            "xml": write(Publication(now_us, self.country, self.creator, self.said[0][0], situations)),
            "geojson": geojson(told, now_us),
            "csv": table.getvalue().encode(),
        }


def leave_out(left_out: dict[int, str], number: int, error: Exception) -> None:
    """Notes of works that they cannot be told."""
    why = f"{type(error).__name__}: {error}"
    # Without what led there: that holds the names of people.
    _log.error("works cannot be told to everybody", number=number, reason=why)
    left_out[number] = why
