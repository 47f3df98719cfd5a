"""Scope: what somebody may see and do, as one expression.

A Scope is a union of grants; a grant is an area of the town, a set of services and a set of verbs. The same
expression is read three ways, which tests hold equal: as a predicate on one placement, as SQL over the dated
table `placement` (SQLite, PostgreSQL and DuckDB take the same text), and as a table of areas by kinds that the
live picture indexes with numpy.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

import numpy as np

from vigie.core.observations import Mask


class Verb(StrEnum):
    """What a grant allows. SEE and SEE_CREW are asked for by kinds; the others by what a person does."""

    SEE = "see"
    SEE_CREW = "see_crew"
    ORDER = "order"
    ACKNOWLEDGE = "acknowledge"
    CONSIGN = "consign"
    INVENTORY = "inventory"
    JOURNAL = "journal"
    PERSONAL = "personal"
    ADMIN = "admin"
    PLAN = "plan"
    APPROVE = "approve"
    DISPATCH = "dispatch"
    WORK = "work"


ALL_SERVICES = "*"

CREW = "crew"
"""The role of those who work on the spot. Who holds it in the same area, for the same services, is of one crew."""

ROLES: Mapping[str, frozenset[Verb]] = {
    "operator": frozenset(
        {
            Verb.SEE,
            Verb.SEE_CREW,
            Verb.ORDER,
            Verb.ACKNOWLEDGE,
            Verb.JOURNAL,
            Verb.PERSONAL,
            Verb.INVENTORY,
            Verb.DISPATCH,
            Verb.WORK,
        }
    ),
    CREW: frozenset({Verb.SEE, Verb.SEE_CREW, Verb.ORDER, Verb.CONSIGN, Verb.INVENTORY, Verb.WORK}),
    "manager": frozenset(
        {Verb.SEE, Verb.ORDER, Verb.ACKNOWLEDGE, Verb.JOURNAL, Verb.INVENTORY, Verb.PLAN, Verb.APPROVE, Verb.DISPATCH}
    ),
    "supervisor": frozenset(Verb) - {Verb.ADMIN},
    "elected": frozenset({Verb.SEE, Verb.JOURNAL}),
    "administrator": frozenset({Verb.SEE, Verb.JOURNAL, Verb.PERSONAL, Verb.INVENTORY, Verb.ADMIN}),
}
"""The roles an installation starts with. An elected official gets no crew's place and no personal field."""


def common_area(areas: Iterable[str]) -> str:
    """The smallest area that holds all of these: who may see it may see what is of all of them."""
    common: list[str] = []
    for parts in zip(*(each.split("/") for each in areas), strict=False):
        if len(set(parts)) > 1:
            break
        common.append(parts[0])
    return "/".join(common)


@dataclass(frozen=True, slots=True)
class Placement:
    """Where an asset belongs at a time, and what it takes to see it: one row of the dated table."""

    area: str
    service: str
    verb: str = Verb.SEE
    public: bool = False


@dataclass(frozen=True, slots=True)
class Clause:
    """A piece of SQL with named parameters (:name), true for what the Scope allows."""

    text: str
    params: Mapping[str, str]


def lies_in(area: str, within: str) -> bool:
    """Whether an area path is `within` or below it; "" is the whole town."""
    return within == "" or area == within or area.startswith(within + "/")


@dataclass(frozen=True, slots=True)
class Grant:
    """An area with all below it, some services ("*": all) and some verbs."""

    area: str
    services: frozenset[str]
    verbs: frozenset[str]

    def covers(self, placement: Placement) -> bool:
        """Whether this grant shows what is placed so."""
        return (
            placement.verb in self.verbs
            and lies_in(placement.area, self.area)
            and (ALL_SERVICES in self.services or placement.service in self.services)
        )


@dataclass(frozen=True, slots=True)
class Scope:
    """The union of some grants. Without any, only what kinds mark public is seen."""

    grants: frozenset[Grant] = frozenset()

    @staticmethod
    def everything() -> Scope:
        """All areas, all services, all verbs: the post itself."""
        return Scope(frozenset({Grant("", frozenset({ALL_SERVICES}), frozenset(Verb))}))

    def may(self, verb: Verb) -> Scope:
        """What is left when this verb is asked for too. A scope of `may(ORDER)` shows what may be ordered."""
        return Scope(frozenset(grant for grant in self.grants if verb in grant.verbs))

    def has(self, verb: Verb) -> bool:
        """Whether the verb is allowed anywhere at all."""
        return any(verb in grant.verbs for grant in self.grants)

    def covers(self, placement: Placement) -> bool:
        """Whether a grant shows it, public or not."""
        return any(grant.covers(placement) for grant in self.grants)

    def sees(self, placement: Placement) -> bool:
        """The predicate: whether what is placed so may be seen at all."""
        return placement.public or self.covers(placement)

    def clause(self, table: str = "placement", *, public: bool = True) -> Clause:
        """The same as SQL over the columns area, service, verb and public of `table`.

        public: whether what anybody may see is included (it is not, where an order is to be given).
        """
        terms: list[str] = [f"{table}.public = 1"] if public else []
        params: dict[str, str] = {}
        for number, grant in enumerate(self._sorted()):
            parts: list[str] = []
            if grant.area:
                # A path is below another if it lies between "a/" and "a0" ("0" follows "/"): an index can be used.
                name = f"scope_area_{number}"
                params |= {name: grant.area, f"{name}_low": grant.area + "/", f"{name}_high": grant.area + "0"}
                below = f"({table}.area >= :{name}_low AND {table}.area < :{name}_high)"
                parts.append(f"({table}.area = :{name} OR {below})")
            if ALL_SERVICES not in grant.services:
                parts.append(_within(f"{table}.service", sorted(grant.services), f"scope_service_{number}", params))
            parts.append(_within(f"{table}.verb", sorted(grant.verbs), f"scope_verb_{number}", params))
            terms.append("(" + " AND ".join(parts) + ")")
        return Clause("(" + " OR ".join(terms) + ")" if terms else "(1 = 0)", params)

    def table(self, areas: Sequence[str], kinds: Sequence[tuple[str, str, bool]], *, public: bool = True) -> Mask:
        """The same as a table: [area, kind] -> may be seen. A kind is (service, verb, public)."""
        seen = np.zeros((len(areas), len(kinds)), np.bool_)
        for row, area in enumerate(areas):
            for column, (service, verb, is_public) in enumerate(kinds):
                seen[row, column] = (public and is_public) or self.covers(Placement(area, service, verb))
        return seen

    @property
    def key(self) -> str:
        """A short digest, equal for equal scopes and for no others: a part of every cache key and ETag."""
        return _key_of(self.grants)

    def _sorted(self) -> list[Grant]:
        return sorted(self.grants, key=_said)


def _said(grant: Grant) -> tuple[str, list[str], list[str]]:
    return grant.area, sorted(grant.services), sorted(grant.verbs)


@lru_cache(maxsize=1_024)
def _key_of(grants: frozenset[Grant]) -> str:
    # JSON, in which no part can be written so that it looks like two.
    said = json.dumps(sorted(map(_said, grants)))
    return hashlib.sha256(said.encode()).hexdigest()[:16]


def _within(column: str, values: Sequence[str], name: str, params: dict[str, str]) -> str:
    if not values:
        return "(1 = 0)"
    names = [f"{name}_{index}" for index in range(len(values))]
    params |= dict(zip(names, values, strict=True))
    return f"{column} IN ({', '.join(f':{each}' for each in names)})"
