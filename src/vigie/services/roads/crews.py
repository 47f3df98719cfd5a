"""What the inventory says of a crew: what it is able and allowed to do, as one text that people read.

`electrical until 2027-03-01; tree work` is two skills, the first of which holds up to that day, which belongs to it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import date

SKILLS_MAX = 30
_SKILL = re.compile(r"([^\s;][^;]{0,60}?)(?: until (\d{4}-\d\d-\d\d))?", re.ASCII)


def skills_of(text: str) -> Mapping[str, date | None]:
    """The skills that a text says, each with the last day on which it holds; None: it does not end. Raises
    ValueError."""
    found: dict[str, date | None] = {}
    for part in (each.strip() for each in text.split(";")):
        if not part:
            continue
        said = _SKILL.fullmatch(part)
        if said is None:
            raise ValueError(f"{part[:60]!r} is not such as 'electrical until 2027-03-01'")
        if said[1] in found:
            raise ValueError(f"{said[1]!r} is said twice")
        found[said[1]] = date.fromisoformat(said[2]) if said[2] else None
    if len(found) > SKILLS_MAX:
        raise ValueError(f"a crew has {SKILLS_MAX} skills at most")
    return found


def lacking(asked: Iterable[str], has: Mapping[str, date | None], day: date) -> frozenset[str]:
    """The skills that are asked for, and are not there on a day."""
    return frozenset(each for each in asked if each not in has or ended(has[each], day))


def ended(last: date | None, day: date) -> bool:
    """Whether a skill that holds up to a day does no more."""
    return last is not None and last < day


def check_skills(text: str) -> None:
    """Raises ValueError for what says no skills."""
    skills_of(text)
