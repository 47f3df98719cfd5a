"""Residents' reports: what may be reported, what becomes of it, and which of them speak of the same thing.

A report is received; the post joins it to an earlier one of the same thing, or finds or opens the work order that does
it where an asset is known; of all others a person says whether they are accepted. From then on its order moves it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from msgspec import Meta, Struct

from vigie.core.cases import CaseEffect, CaseKind, Level, Move, MoveOn, Open, Opened
from vigie.core.lives import REPORT as LIFE
from vigie.services.roads.merging import Known, Seen
from vigie.services.roads.orders import BY_REPORT, SKILLS, WORK_ORDER, WorkOrder

ORDER, MERGE = "order", "merge"
"""How a report has to do with its work order, and with the report whose way it goes."""

Code = Annotated[str, Meta(min_length=1, max_length=40)]


@dataclass(frozen=True, slots=True)
class Question:
    """What may be asked of whoever reports something. values: what may be answered; none: the id of an asset."""

    code: str
    values: tuple[str, ...] = ()


DANGER = Question("danger", ("yes", "no"))
ASSET = Question("asset")


@dataclass(frozen=True, slots=True)
class Subject:
    """What may be reported. order: the category of the work order that does it. kinds: of the assets that it may be
    about, within so many metres. by_rule: an order is opened without a person where such an asset is known."""

    order: str
    kinds: tuple[str, ...] = ()
    within_m: float = 0.0
    by_rule: bool = False
    questions: tuple[Question, ...] = (DANGER,)


SUBJECTS: Mapping[str, Subject] = {
    "light": Subject(
        "lighting", ("luminaire",), 20.0, True,
        (ASSET, Question("what", ("out", "flickers", "by_day", "damaged")), DANGER),
    ),
    "signals": Subject(
        "signals", ("junction",), 50.0, True, (ASSET, Question("what", ("out", "stuck", "damaged")), DANGER)
    ),
    "pothole": Subject("surface", questions=(Question("where", ("carriageway", "pavement", "cycleway")), DANGER)),
    "graffiti": Subject("cleaning", questions=(Question("offensive", ("yes", "no")),)),
    "waste": Subject("waste", questions=(Question("what", ("bags", "bulky", "rubble", "dangerous")), DANGER)),
    "signs": Subject("signs"),
    "green": Subject("green"),
    "winter": Subject("winter"),
    "other": Subject("other"),
}  # fmt: skip
"""By the code of the service, as Open311 calls it."""


class Report(Struct, frozen=True, forbid_unknown_fields=True):
    """The document of a resident's report. answers: to what was asked, by its code. words_public: a person has read
    the words, and they may be shown to everybody."""

    answers: Annotated[dict[Code, tuple[Code, ...]], Meta(max_length=20)] = {}
    words_public: bool = False


_POST = Move(by_post=True)

REPORT = CaseKind(
    name="report",
    service="roads",
    life=LIFE,
    moves={
        "accept": Move(),
        "order": _POST,
        "reject": Move(reason=True),
        "merge": _POST,
        "split": Move(reason=True),
        "begin": _POST,
        "pause": _POST,
        "release": _POST,
        "close": Move(reason=True),
        "reopen": Move(reason=True),
        "archive": _POST,
    },
    form=Report,
    categories={code: WORK_ORDER.categories[subject.order] for code, subject in SUBJECTS.items()},
    levels={1: Level(9), 2: Level(18), 3: Level(90), 4: Level(180)},
    words_days=365,
)

_PENDING = ("received", "accepted", "at_work")


def subject_of(category: str) -> Subject:
    """What was reported under a code, of an earlier version of this table too."""
    return SUBJECTS.get(category, SUBJECTS["other"])


def priority_of(answers: Mapping[str, Sequence[str]]) -> int:
    """How urgent what was reported is, by what was answered."""
    return 2 if "yes" in (*answers.get("danger", ()), *answers.get("offensive", ())) else 3


def propose(cases: Sequence[Opened], effects: list[CaseEffect]) -> None:
    """Adds what reports ask for to what else is to be done.

    A received one that speaks of the same thing as an earlier one goes that one's way. One about an asset joins the
    order that is open for it, or opens one by rule; an accepted one opens one whatever it is about. As the order is
    begun, stopped, done or cancelled, so its reports are moved. What was accepted again after its order was done
    has the order return. Nobody's case is moved twice in one answer.
    """
    reports = [case for case in cases if case.kind is REPORT]
    if not reports:
        return
    touched = {each.case for each in effects if not isinstance(each, Open)}
    orders = {case.id: case for case in cases if case.kind is WORK_ORDER}
    _merge(reports, touched, effects)
    opened: dict[int, int | str] = {
        asset: order.id
        for order in orders.values()
        if not order.is_over and order.id not in touched
        for asset in order.assets
    }
    for report in reports:
        if report.id in touched or report.state not in _PENDING:
            continue
        order = _order_of(report, orders)
        if order is not None and order.id in touched:
            continue
        event = _followed(report, order)
        if event == ORDER:
            _order(report, order, opened, touched, effects)
        elif event:
            effects.append(MoveOn(report.id, event))
    _follow(reports, effects)


def _merge(reports: Sequence[Opened], touched: set[str], effects: list[CaseEffect]) -> None:
    """Has received reports go the way of earlier ones of the same thing."""
    judged = [each for each in reports if each.state == LIFE.first and not each.links and not math.isnan(each.lon)]
    if not judged:
        return
    fresh, known = {each.id for each in judged}, Known()
    for report in sorted(reports, key=lambda each: (each.opened_us, each.id)):
        if report.state not in _PENDING or math.isnan(report.lon):
            continue
        seen = seen_of(report)
        same = known.same(seen) if report.id in fresh else None
        if same is None:
            known.add(seen)
        else:
            touched.add(report.id)
            effects.append(MoveOn(report.id, MERGE, into=same))


def _followed(report: Opened, order: Opened | None) -> str:
    """What its order asks of a report; "" for nothing. `ORDER`: it needs one."""
    if report.state == LIFE.first:
        # What comes back, from its order or from whoever reported it, is for a person to decide.
        return ORDER if subject_of(report.category).by_rule and report.assets and not report.links else ""
    if order is None:
        return ORDER if report.state == "accepted" else "close"
    match order.state:
        case "started":
            return "begin" if report.state == "accepted" else ""
        case "done":
            return ORDER if report.state == "accepted" and order.moved_us < report.moved_us else "close"
        case "cancelled":
            return ORDER if report.state == "accepted" and order.moved_us < report.moved_us else "release"
        case _:
            return "pause" if report.state == "at_work" else ""


def _order(
    report: Opened,
    done: Opened | None,
    opened: dict[int, int | str],
    touched: set[str],
    effects: list[CaseEffect],
) -> None:
    """Finds the order that does what was reported, has it return where it was said to be done, or opens one."""
    asset = report.assets[0] if report.assets else 0
    into = opened.get(asset) if asset else None
    if into is None and done is not None and done.state == "done":
        effects.append(MoveOn(done.id, "return"))
        touched.add(done.id)
        into = done.id
    if into is None:
        category = subject_of(report.category).order
        document = WorkOrder(skills=SKILLS.get(category, ()))
        into = len(effects)
        effects.append(Open(WORK_ORDER, BY_REPORT, category, report.priority, report.assets, document, like=report.id))
    if asset:
        opened[asset] = into
    effects.append(MoveOn(report.id, ORDER, into=into))


def _order_of(report: Opened, orders: Mapping[str, Opened]) -> Opened | None:
    """The order that does what was reported: of several one that is not over, else the newest."""
    found: list[Opened] = []
    for name, how in report.links.items():
        order = orders.get(name) if how == ORDER else None
        # What was merged into another order is done with that.
        if order is not None and order.state == "cancelled":
            order = next((orders[into] for into, how in order.links.items() if how == MERGE and into in orders), order)
        if order is not None:
            found.append(order)
    return max(found, key=lambda each: (not each.is_over, each.moved_us, each.id), default=None)


def _follow(reports: Sequence[Opened], effects: list[CaseEffect]) -> None:
    """Ends the reports that go another's way as that one ended."""
    by_id = {each.id: each for each in reports}
    for report in reports:
        if report.state != "merged":
            continue
        first = next((by_id.get(into) for into, how in report.links.items() if how == MERGE), None)
        for _ in range(len(by_id)):
            if first is None or first.state != "merged":
                break
            first = next((by_id.get(into) for into, how in first.links.items() if how == MERGE), None)
        # One that is not held any more was archived, long after it was closed.
        if first is None or first.is_over:
            effects.append(MoveOn(report.id, "reject" if first is not None and first.state == "rejected" else "close"))


def seen_of(report: Opened) -> Seen:
    """A report as it is held against others."""
    asset = report.assets[0] if report.assets else 0
    return Seen(report.id, report.category, report.lon, report.lat, report.opened_us, asset, report.words)
