"""Residents' reports: what may be reported, what becomes of it, and which of them speak of the same thing.

A report is received; the post joins it to an earlier one of the same thing, or finds or opens the work order that does
it where an asset is known; of all others a person says whether they are accepted. From then on its order moves it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Annotated

from msgspec import Meta, Struct

from vigie.core.cases import CaseEffect, CaseKind, Hasten, Join, Level, Move, MoveOn, Open, Opened
from vigie.core.lives import REPORT as LIFE
from vigie.services.roads.merging import Known, Seen
from vigie.services.roads.orders import BY_REPORT, SKILLS, WORK_ORDER, WorkOrder
from vigie.services.roads.preventive import source_of as preventive_source

ORDER, MERGE = "order", "merge"
"""How a report has to do with its work order, and with the report whose way it goes."""

ANSWER_LENGTH_MAX = 40
Code = Annotated[str, Meta(min_length=1, max_length=ANSWER_LENGTH_MAX)]


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
    the words, and they may be shown to everybody. named: whoever reported it said which asset it is about; else that is
    the nearest one."""

    answers: Annotated[dict[Code, tuple[Code, ...]], Meta(max_length=20)] = {}
    words_public: bool = False
    named: bool = False


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
        "split": Move(reason=True, parts=MERGE),
        "begin": _POST,
        "pause": _POST,
        "release": _POST,
        "close": Move(reason=True),
        "reopen": Move(reason=True, parts=MERGE),
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


JUDGED_AT_ONCE, WEIGHED_AT_ONCE = 2_000, 50_000
"""So many reports are judged at one look, and so many pairs of them weighed: what comes at once is judged over some
looks, the most urgent first, and until then waits."""


@dataclass
class Reports:
    """What reports ask for, looked at again and again: each is held against the others once."""

    _known: Known = field(default_factory=Known)

    def propose(self, cases: Sequence[Opened], effects: list[CaseEffect]) -> None:
        """Adds what reports ask for to what else is to be done.

        A received one that speaks of the same thing as an earlier one goes that one's way. One about an asset joins the
        order that is open for it, or opens one by rule; an accepted one opens one whatever it is about. What joins
        makes what it joins as urgent as itself. As the order is begun, stopped, done or cancelled, so its reports are
        moved. What was accepted again after its order was done has the order return. Nobody's case is moved twice in
        one answer.
        """
        reports = [case for case in cases if case.kind is REPORT]
        answer = _Answer(effects, {case.id: case for case in cases if case.kind is WORK_ORDER})
        waiting = self._merge(reports, answer)
        for report in reports:
            if report.id in answer.moved or report.id in waiting or report.state not in _PENDING:
                continue
            order = _order_of(report, answer.orders)
            if order is not None and order.id in answer.moved:
                continue
            event = _followed(report, order)
            if event == ORDER:
                answer.order(report, order)
            elif event:
                effects.append(MoveOn(report.id, event))
        _follow(reports, effects)

    def _merge(self, reports: Sequence[Opened], answer: _Answer) -> set[str]:
        """Has received reports go the way of earlier ones of the same thing, but for those that people have parted;
        returns those that wait to be judged."""
        known, pending = self._known, {each.id: each for each in reports if each.state in _PENDING}
        for seen in known:
            now = pending.get(seen.id)
            # Words that were erased are not held here either.
            if now is None or now.words != seen.words:
                known.drop(seen.id)
                if now is not None:
                    known.add(seen_of(now))
        fresh: list[Opened] = []
        # A report -> those that went its way once: somebody has parted them from it.
        parted: dict[str, set[str]] = defaultdict(set)
        for report in pending.values():
            for other in report.links:
                parted[other].add(report.id)
            if report.id in known or math.isnan(report.lon):
                continue
            # What was linked or reopened is for a person to decide, also after a start, when nothing is known.
            if report.state == LIFE.first and not report.links and not report.reopened_us:
                fresh.append(report)
            else:
                known.add(seen_of(report))
        # Of more than one look takes the most urgent come first; each is held against those before it.
        fresh.sort(key=lambda each: (each.priority, each.opened_us, each.id))
        waiting = {each.id for each in fresh}
        weighed = known.weighed
        for report in sorted(fresh[:JUDGED_AT_ONCE], key=lambda each: (each.opened_us, each.id)):
            if known.weighed - weighed >= WEIGHED_AT_ONCE:
                break
            waiting.discard(report.id)
            seen = seen_of(report)
            same = known.same(seen, parted[report.id])
            if same is None or not answer.merge(report, pending[same]):
                known.add(seen)
        return waiting


class _Answer:
    """What is to be done at one look. orders: those that there are. moved: what is moved already."""

    def __init__(self, effects: list[CaseEffect], orders: Mapping[str, Opened]) -> None:
        self.effects, self.orders = effects, orders
        self.moved = {each.case for each in effects if isinstance(each, MoveOn)}
        # A report -> what it becomes at this look.
        self._priorities: dict[str, int] = {}
        # An asset and what is done at it -> the order for it, or its place among the effects. What a preventive plan
        # asks for is other work, and has time.
        self._open: dict[tuple[int, str], int | str] = {
            (asset, order.category): order.id
            for order in orders.values()
            if not order.is_over and order.id not in self.moved and not order.source.startswith(preventive_source(""))
            for asset in order.assets
        }
        for place, each in enumerate(effects):
            if isinstance(each, Open) and each.kind is WORK_ORDER:
                self._open |= {(asset, each.category): place for asset in each.assets}
            elif isinstance(each, Join) and each.case in orders:
                self._open |= {(asset, orders[each.case].category): place for asset in each.assets}

    def merge(self, report: Opened, first: Opened) -> bool:
        """Has a report go the way of another; not one that is more urgent than what a crew is at already: a person
        decides whether that is all of it."""
        order = _order_of(first, self.orders)
        if report.priority < self._priority(first):
            if first.state == "at_work" or (order is not None and order.state == "started"):
                return False
            self._priorities[first.id] = report.priority
            self.effects.append(Hasten(first.id, report.priority))
            if order is not None and not order.is_over:
                self.effects.append(Hasten(order.id, report.priority))
        self.moved.add(report.id)
        self.effects.append(MoveOn(report.id, MERGE, into=first.id))
        return True

    def order(self, report: Opened, done: Opened | None) -> None:
        """Finds the order that does what was reported, has it return where it was said to be done, or opens one."""
        category, priority = subject_of(report.category).order, self._priority(report)
        asset = report.assets[0] if report.assets else 0
        into = self._open.get((asset, category)) if asset else None
        if isinstance(into, str) and priority < (found := self.orders[into]).priority:
            if found.state == "started" and report.state == LIFE.first:
                return
            self.effects.append(Hasten(into, priority))
        elif isinstance(into, int):
            self._hasten(into, priority)
        if into is None and done is not None and done.state == "done":
            self.effects.append(MoveOn(done.id, "return"))
            self.moved.add(done.id)
            into = done.id
            if priority < done.priority:
                self.effects.append(Hasten(into, priority))
        if into is None:
            document = WorkOrder(skills=SKILLS.get(category, ()))
            into = len(self.effects)
            self.effects.append(
                Open(WORK_ORDER, BY_REPORT, category, priority, report.assets, document, like=report.id)
            )
        if asset:
            self._open[asset, category] = into
        self.effects.append(MoveOn(report.id, ORDER, into=into))

    def _priority(self, report: Opened) -> int:
        return self._priorities.get(report.id, report.priority)

    def _hasten(self, place: int, priority: int) -> None:
        """Makes as urgent what is opened, or joined, at a place of this answer."""
        effect = self.effects[place]
        if isinstance(effect, Open):
            self.effects[place] = replace(effect, priority=min(priority, effect.priority))
        elif isinstance(effect, Join) and priority < self.orders[effect.case].priority:
            self.effects.append(Hasten(effect.case, priority))


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
            # Not by when the report was moved: a crew may tell of what it did long after a pause was told.
            return ORDER if report.state == "accepted" and order.moved_us < report.reopened_us else "close"
        case "cancelled":
            return ORDER if report.state == "accepted" and order.moved_us < report.moved_us else "release"
        case _:
            return "pause" if report.state == "at_work" else ""


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
    """Ends the reports that go another's way as that one ended, and takes them up again as that one is."""
    by_id = {each.id: each for each in reports}
    for report in reports:
        if report.state != "merged":
            into = next((into for into, how in report.links.items() if how == MERGE), "") if report.is_over else ""
            gone_on = by_id.get(into)
            if gone_on is not None and gone_on.state in _PENDING and gone_on.reopened_us > report.moved_us:
                effects.append(MoveOn(report.id, MERGE, into=into))
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
    named = bool(asset) and isinstance(report.document, Report) and report.document.named
    return Seen(report.id, report.category, report.lon, report.lat, report.opened_us, asset, report.words, named)
