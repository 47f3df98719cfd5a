"""Works for tests: a few words make a document."""

from __future__ import annotations

from datetime import date
from typing import Any

from vigie.services.roads.works.clashes import Clash, Index, Laid, Surroundings, check, laid
from vigie.services.roads.works.permits import Act, Phase, Roadworks, Stretch

STREETS = frozenset("abcdefgh")


def phase(*stretches: str | Stretch, begins: str = "2026-12-07T08:00", ends: str = "2026-12-11T17:00",
          occupancy: Any = "lane", **said: Any) -> Phase:  # fmt: skip
    """A phase of whole streets, or of parts of them: a week in December unless it is said otherwise."""
    own = tuple(Stretch(each) if isinstance(each, str) else each for each in stretches)
    return Phase(begins, ends, own, occupancy, **said)


def works(*phases: Phase, granted: bool = True, **said: Any) -> Roadworks:
    """Works with these phases, all acts granted."""
    kinds = ("permission_de_voirie", "permis_de_stationnement", "traffic_order")
    acts = tuple(Act(kind, "granted") for kind in kinds) if granted else ()
    return Roadworks(phases=phases, acts=acts, **said)


def clashes(
    own: Roadworks, *others: tuple[str, Roadworks], around: Surroundings | None = None, many: int = 64
) -> list[Clash]:
    """What works clash with; others: with the state that each is in. many: see `Index`."""
    index = Index([known(f"w{n}", n, state, each) for n, (state, each) in enumerate(others, 1)], many=many)
    return check(laid("own", 0, "requested", own), own, index, around or Surroundings(STREETS), date(2026, 11, 27))


def known(name: str, no: int, state: str, document: Roadworks, *, lasts: bool = False) -> Laid:
    """Other works."""
    return laid(name, no, state, document, lasts=lasts)
