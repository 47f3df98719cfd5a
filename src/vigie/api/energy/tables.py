"""A report as rows with names: what the table for spreadsheets and the paper are both made of."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby

from vigie.services.lighting.energy.model import Cabinet, Report, Used


@dataclass(frozen=True)
class Names:
    """What people call what a report is about. town: the city. areas: by path. programmes: by id. cabinets: by id. own:
    the paths of the areas that the report is of, empty for all of the town."""

    town: str
    areas: Mapping[str, str]
    programmes: Mapping[str, str]
    cabinets: Mapping[str, str]
    own: Sequence[str] = ()

    def area(self, path: str) -> str:
        """An area's name, or the last part of its path."""
        return self.areas.get(path) or path.rpartition("/")[2]

    def cabinet(self, id: str) -> str:
        """A cabinet's name, or its id."""
        return self.cabinets.get(id) or id

    @property
    def place(self) -> str:
        """What the report is of, in a heading."""
        return ", ".join(map(self.area, self.own)) or self.town


def communes(report: Report) -> list[tuple[str, Used]]:
    """The areas that divide what the report is of: those of the first depth at which there are several, or the one
    that there is; the largest first."""
    by_depth = sorted(report.areas, key=lambda path: path.count("/"))
    levels = [list(own) for _, own in groupby(by_depth, key=lambda path: path.count("/"))]
    wanted = next((level for level in levels if len(level) > 1), levels[-1] if levels else [])
    return sorted(((path, report.areas[path]) for path in wanted), key=lambda each: -drawn_kwh(each[1]))


def street_of(key: str, areas: Collection[str]) -> tuple[str, str]:
    """A street's name and its area's path, of a key such as metropole/dijon/Rue Verte; a name may have slashes too."""
    cuts = [n for n, letter in enumerate(key) if letter == "/" and key[:n] in areas]
    return (key[cuts[-1] + 1 :], key[: cuts[-1]]) if cuts else (key.lstrip("/"), "")


def drawn_kwh(used: Used) -> float:
    """What counts: what was metered, else what was estimated."""
    return used.estimated_kwh if used.metered_kwh is None else used.metered_kwh


def unexplained(cabinets: Sequence[Cabinet]) -> list[Cabinet]:
    """Those with a word to say or a load that lamps do not explain, the largest load first."""
    return sorted(cabinets, key=lambda each: (each.unexplained_kwh is None, -(each.unexplained_kwh or 0.0), each.id))


def keeps_promise(report: Report) -> str:
    """Whether the contract's saving is reached: "kept" or "missed" where the whole interval says so, "open" where it
    holds both, "" where there is nothing to compare."""
    saving, target = report.whole.saving, report.target
    if saving is None or target is None:
        return ""
    return "kept" if saving.low >= target else "missed" if saving.high < target else "open"
