"""Each luminaire held against the order of 27 December 2018, all of them at once, in columns.

Only what the inventory states is judged: what it does not state is counted as owed (article 5), and never guessed. The
limits of article 3 hold for what was put into service from 1 January 2020 on (article 8); of what is older, only heads
that send more than half of their light upward had to go, by 1 January 2025.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from vigie.core.calendar import day_number
from vigie.core.observations import Floats, Int64s, Mask
from vigie.services.lighting.compliance.dates import installed_days

ORDER = "27.12.2018"
_NEW_FROM_DAY = day_number("2020-01-01")

COLOUR_MOST_K = 3_000.0
UPWARD_NOMINAL_PCT = 1.0
FLUX_CODE_PCT = 95.0
UPWARD_REPLACED_PCT = 50.0

DENSITY_MOST_LM_M2: Mapping[tuple[str, str], float] = {
    ("a", "in_town"): 35.0, ("a", "out_of_town"): 25.0, ("e", "in_town"): 25.0, ("e", "out_of_town"): 20.0,
}  # fmt: skip
"""Category and setting -> the most that may be installed. Both sides are strict: what equals the limit is over it."""


@dataclass(frozen=True)
class Rule:
    """One thing that the order asks. name: its text is `finding.NAME`. unit: of the value that breaks it, "" for what
    is missing."""

    name: str
    article: str
    unit: str = ""


COLOUR = Rule("lighting.colour_over", f"{ORDER}, art. 3, II, 3°", "K")
UPWARD = Rule("lighting.upward_over", f"{ORDER}, art. 3, II, 1°", "%")
FLUX_CODE = Rule("lighting.flux_code_under", f"{ORDER}, art. 3, II, 2°", "%")
DENSITY = Rule("lighting.density_over", f"{ORDER}, art. 3, II, 4°", "lm/m2")
REPLACED = Rule("lighting.upward_replaced", f"{ORDER}, art. 8", "%")
NO_CATEGORY = Rule("lighting.no_category", f"{ORDER}, art. 1")

OWED: Mapping[str, Rule] = {
    name: Rule(f"lighting.owed_{name}", f"{ORDER}, art. 5")
    for name in ("upward_light_share", "flux_code_3", "colour_temperature", "rated_power", "flux", "installed")
}
"""The six data that article 5 has the manager hold of each installation, by the attribute that is theirs."""

RULES: Sequence[Rule] = (COLOUR, UPWARD, FLUX_CODE, DENSITY, REPLACED, NO_CATEGORY, *OWED.values())
"""Every rule, limits before what is missing: the order in which they are told."""


@dataclass(frozen=True)
class Heads:
    """Luminaires in columns of one length: what the order asks about. NaN, or "", where the inventory states nothing.

    upward_pct: the share of light above the horizontal. flux_code_pct: CIE flux code no. 3. lit_m2: the ground that it
    is meant to light. setting: within the town's signs or not. site: a number that those which light one stretch of
    ground together share, such as a street's; 0 for what lights its own.
    """

    category: Sequence[str]
    lights: Sequence[str]
    setting: Sequence[str]
    colour_k: Floats
    upward_pct: Floats
    flux_code_pct: Floats
    rated_w: Floats
    flux_lm: Floats
    lit_m2: Floats
    installed: Sequence[str]
    site: Int64s

    def __len__(self) -> int:
        return len(self.site)

    @cached_property
    def kind(self) -> np.ndarray:
        """The category of each, as text."""
        return np.array(self.category, np.str_)

    @cached_property
    def bound(self) -> Mask:
        """Which of them the order is about: tunnels are not (article 1, a)."""
        return np.array(self.lights, np.str_) != "tunnel"

    @cached_property
    def day(self) -> Floats:
        """When each was installed, in days since the epoch; NaN where no date is stated."""
        return installed_days(self.installed)

    @cached_property
    def is_new(self) -> Mask:
        """Which of them were put into service since article 3 is in force."""
        return self.day >= _NEW_FROM_DAY

    @cached_property
    def judged(self) -> Mask:
        """Which of them article 3 could be asked about at all: bound, of a stated category and date."""
        return self.bound & (self.kind != "") & np.isfinite(self.day)


@dataclass(frozen=True)
class Verdict:
    """What was found, by rule. values: what breaks each limit, in its unit."""

    found: Mapping[Rule, Mask]
    values: Mapping[Rule, Floats]

    @cached_property
    def any(self) -> Mask:
        """Which of the luminaires have anything found of them."""
        return np.any(list(self.found.values()), axis=0)


def judge(heads: Heads) -> Verdict:
    """Everything that the order has against each luminaire. A value that equals a strict limit breaks it."""
    new, road_or_park = heads.is_new & heads.bound, np.isin(heads.kind, ("a", "e"))
    density, over = _density(heads)
    stated: Mapping[str, Mask] = {
        "upward_light_share": np.isfinite(heads.upward_pct),
        "flux_code_3": np.isfinite(heads.flux_code_pct),
        "colour_temperature": np.isfinite(heads.colour_k),
        "rated_power": np.isfinite(heads.rated_w),
        "flux": np.isfinite(heads.flux_lm),
        "installed": np.isfinite(heads.day),
    }
    found = {
        COLOUR: new & np.isin(heads.kind, ("a", "d", "e")) & (heads.colour_k > COLOUR_MOST_K),
        UPWARD: new & road_or_park & (heads.upward_pct >= UPWARD_NOMINAL_PCT),
        FLUX_CODE: new & road_or_park & (heads.flux_code_pct <= FLUX_CODE_PCT),
        DENSITY: new & over,
        # Whatever its date: a new one that does so was never allowed.
        REPLACED: heads.bound & road_or_park & (heads.upward_pct > UPWARD_REPLACED_PCT),
        NO_CATEGORY: heads.bound & (heads.kind == ""),
        **{OWED[name]: heads.bound & ~there for name, there in stated.items()},
    }
    values = {
        COLOUR: heads.colour_k, UPWARD: heads.upward_pct, FLUX_CODE: heads.flux_code_pct, DENSITY: density,
        REPLACED: heads.upward_pct,
    }  # fmt: skip
    return Verdict(found, values)


def _density(heads: Heads) -> tuple[Floats, Mask]:
    """Installed flux over the ground that it is meant to light, of each new luminaire with all that light the same
    ground for the same category, and which is over the limit. NaN unless all of them state both."""
    count = len(heads)
    density = np.full(count, np.nan)
    over = np.zeros(count, np.bool_)
    categories = sorted({category for category, _ in DENSITY_MOST_LM_M2})
    rows = np.flatnonzero(heads.is_new & heads.bound & np.isin(heads.kind, categories))
    if not len(rows):
        return density, over
    # What shares its ground with nobody gets a number that nobody else has.
    site = np.where(heads.site[rows] > 0, heads.site[rows], -1 - rows)
    _, which = np.unique(np.stack([site, np.searchsorted(categories, heads.kind[rows])]), axis=1, return_inverse=True)
    which = which.ravel()
    # One that does not state both makes the sum of its group NaN: of a part of it nothing can be said.
    flux, lit = (np.bincount(which, each[rows]) for each in (heads.flux_lm, heads.lit_m2))
    with np.errstate(divide="ignore", invalid="ignore"):
        density[rows] = np.where(lit > 0, flux / lit, np.nan)[which]
    setting = np.array(heads.setting, np.str_)
    for (category, where), most in DENSITY_MOST_LM_M2.items():
        # Where nobody says on which side of the town's signs it stands, only what is over both limits is told.
        is_there = (setting == where) | ((setting == "") & (where == "in_town"))
        over |= (heads.kind == category) & is_there & (density >= most)
    return density, over
