"""What is told of compliance: how many break each rule, in each area, and which luminaires those are."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Annotated

import msgspec
import numpy as np
from msgspec import Meta

from vigie.core.arrays import floats, ints
from vigie.core.drafts import Draft
from vigie.core.observations import Floats, Int64s, Mask
from vigie.core.plans import Columns, Finding, Known, Phrase, Table
from vigie.core.scope import lies_in
from vigie.services.lighting.compliance.judge import RULES, Heads, Rule, Verdict, judge
from vigie.services.lighting.kinds import Luminaire

PAGE_MAX = 500
_NAMED_MOST = 20

_ASKED = (
    "category", "lights", "setting", "installed", "colour_temperature", "upward_light_share", "flux_code_3",
    "rated_power", "flux", "lit_area",
)  # fmt: skip


class ComplianceAsked(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which luminaires, and how many of them."""

    area: Annotated[str, Meta(max_length=200, description="The path of an area, with all below it.")] = ""
    rule: Annotated[str, Meta(max_length=100, description="Only those that break this rule.")] = ""
    lamp: Annotated[str, Meta(max_length=200, description="This luminaire alone, by its id.")] = ""
    after: Annotated[int, Meta(ge=0, description="`next` of the page before.")] = 0
    limit: Annotated[int, Meta(ge=1, le=PAGE_MAX, description="How many a page has.")] = 100


class RuleFound(msgspec.Struct, frozen=True):
    """How many luminaires break a rule. rule: its text is `finding.RULE`."""

    rule: str
    article: str
    lamps: int


class AreaFound(msgspec.Struct, frozen=True):
    """One part of the town. lamps: how many the order is about there; judged: of how many category and date are stated,
    without which article 3 cannot be asked; found: how many break any rule. rules: how many break each one."""

    area: str
    lamps: int
    judged: int
    found: int
    rules: dict[str, int]


class LampFound(msgspec.Struct, frozen=True):
    """A luminaire that breaks rules. lon, lat: in degrees. findings: each with its value and unit, where it has one."""

    no: int
    id: str
    street: str
    area: str
    lon: float
    lat: float
    findings: list[Finding]


class Compliance(msgspec.Struct, frozen=True):
    """How luminaires stand to the order of 27 December 2018.

    lamps, judged, found: as of an area, over all that was asked about but for the rule. rules: every rule, those that
    nobody breaks too. areas: by path. total: how many luminaires fit what was asked; items: one page of them, by their
    numbers; next: `after` of the following page, None on the last.
    """

    lamps: int
    judged: int
    found: int
    rules: list[RuleFound]
    areas: list[AreaFound]
    total: int
    items: list[LampFound]
    next: int | None


def compliance(asked: ComplianceAsked, known: Known) -> Compliance:
    """Tells how luminaires stand to the order of 27 December 2018: how many break each rule, where, and which they are.

    The inventory is judged as it is now: a luminaire that was just made or changed, with it.
    """
    lamps, asked_rows = _asked(asked, known)
    heads = _heads_of(lamps)
    verdict = judge(heads)
    found = verdict.any & asked_rows
    listed = np.flatnonzero(found & _breaks(verdict, asked.rule))
    page = listed[lamps.no[listed] > asked.after][: asked.limit]
    more = len(page) > 0 and int(page[-1]) != int(listed[-1])
    return Compliance(
        lamps=int((heads.bound & asked_rows).sum()),
        judged=int((heads.judged & asked_rows).sum()),
        found=int(found.sum()),
        rules=[
            RuleFound(rule.name, rule.article, int((mask & asked_rows).sum())) for rule, mask in verdict.found.items()
        ],
        areas=_areas(lamps, heads, verdict, asked_rows),
        total=len(listed),
        items=[_lamp(lamps, verdict, int(row)) for row in page],
        next=int(lamps.no[page[-1]]) if more else None,
    )  # fmt: skip


def compliance_table(asked: ComplianceAsked, known: Known) -> Table:
    """Everything that is found of the luminaires that were asked about, a row for each finding."""
    lamps, asked_rows = _asked(asked, known)
    verdict = judge(_heads_of(lamps))
    listed = np.flatnonzero(verdict.any & asked_rows & _breaks(verdict, asked.rule))

    def rows() -> Iterator[Sequence[str | float | Phrase | None]]:
        for row in ints(listed):
            lamp = _lamp(lamps, verdict, row)
            for each in lamp.findings:
                said = (Phrase(f"finding.{each.rule}"), each.article, each.detail.get("value"), each.detail.get("unit"))
                yield (lamp.id, lamp.street, lamp.area, lamp.lon, lamp.lat, *said)

    return Table(("id", "street", "area", "lon", "lat", "finding", "article", "value", "unit"), rows())


def judge_drafts(drafts: Sequence[Draft]) -> list[Finding]:
    """What the order has against the luminaires that an inventory brings, a finding a rule that is broken."""
    lamps = [draft for draft in drafts if draft.kind == Luminaire.kind]
    if not lamps:
        return []
    streets = {key: number for number, key in enumerate(dict.fromkeys((each.area, each.street) for each in lamps), 1)}
    site = np.array([streets[each.area, each.street] if each.street else 0 for each in lamps], np.int64)
    verdict = judge(
        _heads(
            lambda name: np.array([_number(draft, name) for draft in lamps], np.float64),
            lambda name: [str(draft.attributes.get(name, "")) for draft in lamps],
            site,
        )
    )
    return [
        Finding(
            rule.name, False, rule.article, assets=[lamps[row].id for row in ints(np.flatnonzero(mask)[:_NAMED_MOST])],
            count=int(mask.sum()),
        )
        for rule, mask in verdict.found.items()
        if mask.any()
    ]  # fmt: skip


def _number(draft: Draft, name: str) -> float:
    value = draft.attributes.get(name)
    return float(value) if isinstance(value, int | float) else np.nan


def _asked(asked: ComplianceAsked, known: Known) -> tuple[Columns, Mask]:
    """All luminaires that may be seen, and which of them are meant: the density of a street needs all of its lamps."""
    lamps = known.columns(Luminaire, *_ASKED)
    inside = np.array([lies_in(path, asked.area) for path in lamps.areas], np.bool_)
    rows = inside[lamps.area] if len(inside) else np.zeros(len(lamps.no), np.bool_)
    if asked.lamp:
        rows &= np.array([id == asked.lamp for id in lamps.ids], np.bool_)
    return lamps, rows


def _heads_of(lamps: Columns) -> Heads:
    # A street of one name in two areas is two streets.
    site = np.where(lamps.street > 0, lamps.street * (len(lamps.areas) + 1) + lamps.area, 0)
    return _heads(lamps.numbers, lamps.texts, site)


def _heads(numbers: Callable[[str], Floats], texts: Callable[[str], Sequence[str]], site: Int64s) -> Heads:
    """Luminaires from the columns of their attributes, by name."""
    return Heads(
        category=texts("category"),
        lights=texts("lights"),
        setting=texts("setting"),
        colour_k=numbers("colour_temperature"),
        upward_pct=numbers("upward_light_share"),
        flux_code_pct=numbers("flux_code_3"),
        rated_w=numbers("rated_power"),
        flux_lm=numbers("flux"),
        lit_m2=numbers("lit_area"),
        installed=texts("installed"),
        site=site,
    )


def _breaks(verdict: Verdict, rule: str) -> Mask:
    """Which luminaires break a rule; "" for any. Raises LookupError for a rule that there is not."""
    if not rule:
        return verdict.any
    named = next((each for each in RULES if each.name == rule), None)
    if named is None:
        raise LookupError(rule)
    return verdict.found[named]


def _areas(lamps: Columns, heads: Heads, verdict: Verdict, rows: Mask) -> list[AreaFound]:
    def count(mask: Mask) -> Int64s:
        return np.bincount(lamps.area[mask & rows], minlength=len(lamps.areas))

    everywhere, judged, found = (count(each) for each in (heads.bound, heads.judged, verdict.any))
    by_rule = [(rule.name, count(mask)) for rule, mask in verdict.found.items()]
    told = [
        AreaFound(
            lamps.areas[n], int(everywhere[n]), int(judged[n]), int(found[n]),
            {name: int(own[n]) for name, own in by_rule if own[n]},
        )
        for n in ints(np.flatnonzero(everywhere))
    ]  # fmt: skip
    return sorted(told, key=lambda each: each.area)


def _lamp(lamps: Columns, verdict: Verdict, row: int) -> LampFound:
    return LampFound(
        no=int(lamps.no[row]),
        id=lamps.ids[row],
        street=lamps.streets[int(lamps.street[row])],
        area=lamps.areas[int(lamps.area[row])],
        lon=float(lamps.lon[row]),
        lat=float(lamps.lat[row]),
        findings=[_finding(rule, verdict, row) for rule, mask in verdict.found.items() if mask[row]],
    )


def _finding(rule: Rule, verdict: Verdict, row: int) -> Finding:
    if rule not in verdict.values:
        return Finding(rule.name, False, rule.article, count=1)
    value = floats(verdict.values[rule][row : row + 1])[0]
    return Finding(rule.name, False, rule.article, {"value": round(value, 2), "unit": rule.unit}, count=1)
