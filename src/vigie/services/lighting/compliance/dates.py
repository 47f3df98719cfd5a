"""When a head was installed, as inventories write it: a year, a month, or a day."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date
from functools import cache

import numpy as np

from vigie.core.calendar import EPOCH_DAY
from vigie.core.observations import Floats

_FORMS = re.compile(r"(\d{4})(?:-(\d{2})(?:-(\d{2}))?|(\d{2})(\d{2}))?")
"""2021, 2021-05, 2021-05-12, and 20210512, as exchange forms write a day."""


@cache
def installed_day(text: str) -> float:
    """The first day (since the epoch) of what a text names, NaN where it names no day, month or year."""
    found = _FORMS.fullmatch(text.strip())
    if found is None:
        return float("nan")
    year, month, day, month_too, day_too = found.groups()
    try:
        return float((date(int(year), int(month or month_too or 1), int(day or day_too or 1)) - EPOCH_DAY).days)
    except ValueError:
        return float("nan")


def installed_days(texts: Sequence[str]) -> Floats:
    """`installed_day` of each. Heads of one street share theirs, so each text is read once."""
    return np.array([installed_day(each) for each in texts], np.float64)
