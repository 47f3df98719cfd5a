"""Work orders: what crews are sent to do, and which of them the post opens by itself.

A state of an asset that asks for maintenance opens a work order, when it has lasted; what ails many that one thing
feeds is one order, at that thing.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Annotated

from msgspec import Meta, Struct

from vigie.core.cases import CaseEffect, CaseKind, Join, Level, Move, MoveOn, Open, Opened, Trouble
from vigie.core.hours import LENGTH_MAX as HOURS_LENGTH_MAX
from vigie.core.hours import read
from vigie.core.lives import WORK_ORDER as LIFE
from vigie.core.scope import Verb
from vigie.core.times import HOUR_US, MINUTE_US

LASTS_US = 10 * MINUTE_US
"""What is over sooner sends nobody out."""

MENDED_WITHIN_US = 36 * HOUR_US
"""What was mended is well by then: a lamp shows it in the next night."""

TOGETHER = 5
"""So many of what one thing feeds ail it: one order, there. Two or three lamps of a cabinet are lamps."""

Word = Annotated[str, Meta(min_length=1, max_length=200)]
Minutes = Annotated[int, Meta(ge=0, le=14_400)]


class Check(Struct, frozen=True, forbid_unknown_fields=True):
    """One thing on a checklist."""

    what: Word
    done: bool = False


class Part(Struct, frozen=True, forbid_unknown_fields=True):
    """What was used up."""

    name: Word
    count: Annotated[float, Meta(gt=0, le=1_000_000)] = 1


class WorkOrder(Struct, frozen=True, forbid_unknown_fields=True):
    """The document of a work order.

    takes_min: how long the work is thought to take there. spent_min: how long it took. skills: what a crew must be able
    and allowed to do. hours: when it may be begun, such as `mon-fri 09:30-16:00` by the town's clock; empty: at any
    time. load_kg: what the crew's vehicle takes along for it, or from there. checklist, parts: as they stand.
    """

    takes_min: Minutes = 30
    spent_min: Minutes = 0
    skills: Annotated[tuple[Word, ...], Meta(max_length=20)] = ()
    checklist: Annotated[tuple[Check, ...], Meta(max_length=50)] = ()
    parts: Annotated[tuple[Part, ...], Meta(max_length=100)] = ()
    hours: Annotated[str, Meta(max_length=HOURS_LENGTH_MAX)] = ""
    load_kg: Annotated[int, Meta(ge=0, le=100_000)] = 0

    def __post_init__(self) -> None:
        """Raises HoursWrong for hours that are none."""
        if self.hours:
            read(self.hours)


_WORK, _POST = Move(Verb.WORK), Move(by_post=True)

WORK_ORDER = CaseKind(
    name="work_order",
    service="roads",
    life=LIFE,
    moves={
        "assign": Move(crew=True),
        "unassign": Move(),
        "disband": Move(frees=True, by_post=True),
        "start": _WORK,
        "pause": Move(Verb.WORK, held=True),
        "finish": _WORK,
        "block": Move(Verb.WORK, reason=True),
        "unblock": Move(),
        "cancel": Move(reason=True),
        "reopen": Move(reason=True),
        "lapse": _POST,
        "merge": _POST,
        "return": _POST,
        "archive": _POST,
    },
    form=WorkOrder,
    categories={
        "lighting": "lighting",
        "signals": "signals",
        "cameras": "video",
        "air": "air",
        "surface": "roads",
        "signs": "roads",
        "cleaning": "roads",
        "waste": "roads",
        "green": "roads",
        "winter": "roads",
        "other": "roads",
    },
    # Ours, for a town that has said nothing else: made safe in four hours at any time, then by the working week.
    levels={1: Level(4, working=False), 2: Level(9), 3: Level(45), 4: Level(180)},
    # What whoever stands there knows best. Which crew may be sent, when and with what load, says who sends them.
    worked=frozenset({"takes_min", "spent_min", "checklist", "parts"}),
)

SKILLS = {"lighting": ("electrical",), "signals": ("electrical",)}
"""What work of a category asks of a crew, where nobody says otherwise."""

BY_REPORT = "report"
"""The source of the orders that residents' reports open."""
_BY_CONDITION = "condition:"
_CATEGORY_OF = {service: category for category, service in reversed([*WORK_ORDER.categories.items()])}


def source_of(condition: str) -> str:
    """The source of the orders that a kind of condition opens."""
    return f"{_BY_CONDITION}{condition}"


def propose(troubles: Sequence[Trouble], cases: Sequence[Opened], now_us: int) -> list[CaseEffect]:
    """The work orders that what is wrong asks for.

    What has lasted `LASTS_US` is in one order of its kind of condition: in that of what feeds it, where there is one
    or where `TOGETHER` of what it feeds ail the same; in its own otherwise. An order for one of them that nobody has
    been given yet is merged into the order for all. What somebody is sent to because it was reported needs none, nor
    what was mended for that reason within `MENDED_WITHIN_US`. An order whose every asset is well again before anybody
    was given it lapses; one that was done, and whose assets ail still after `MENDED_WITHIN_US`, returns. What was
    cancelled stays so, as long as the same trouble lasts. What a crew has that is no more, nobody has.
    """
    effects: list[CaseEffect] = [
        MoveOn(case.id, "disband")
        for case in cases
        if case.kind is WORK_ORDER and case.crew_gone and LIFE.allows(case.state, "disband")
    ]
    own = [case for case in cases if case.kind is WORK_ORDER and case.source.startswith(_BY_CONDITION)]
    by_kind: dict[str, list[Trouble]] = defaultdict(list)
    reported = [case for case in cases if case.kind is WORK_ORDER and case.source == BY_REPORT]
    sent_to = {asset for case in reported if not case.is_over for asset in case.assets}
    mended_us: dict[int, int] = {}
    for case in reported:
        if case.state == "done" and now_us - case.moved_us < MENDED_WITHIN_US:
            mended_us |= {asset: max(case.moved_us, mended_us.get(asset, 0)) for asset in case.assets}
    for trouble in troubles:
        # What began after it was mended is another trouble.
        if trouble.asset not in sent_to and trouble.since_us > mended_us.get(trouble.asset, trouble.since_us - 1):
            by_kind[trouble.kind.name].append(trouble)
    for name, present in sorted(by_kind.items()):
        lasting = [each for each in present if now_us - each.since_us >= LASTS_US]
        _gather(lasting, [case for case in own if case.source == source_of(name)], now_us, effects)
    ailing = {(source_of(each.kind.name), each.asset) for each in troubles}
    # What happens to an order that is merged or joined now is said; whether it is over is asked the next time.
    touched = {each.case for each in effects if not isinstance(each, Open)}
    for case in own:
        gone = not any((case.source, asset) in ailing for asset in case.assets)
        # What somebody has taken up, or opened again, is theirs to end.
        if gone and case.state == LIFE.first and case.is_untouched and case.id not in touched:
            effects.append(MoveOn(case.id, "lapse"))
    return effects


def kept(troubles: Sequence[Trouble], cases: Sequence[Opened]) -> set[str]:
    """The orders that were cancelled while their trouble lasts: as long as they are known, no other is opened for
    it."""
    ailing = {(source_of(each.kind.name), each.asset) for each in troubles}
    return {
        case.id
        for case in cases
        if case.state == "cancelled" and any((case.source, asset) in ailing for asset in case.assets)
    }


def _gather(lasting: Sequence[Trouble], cases: Sequence[Opened], now_us: int, effects: list[CaseEffect]) -> None:
    """What orders one kind of condition asks for."""
    covered = {asset: case for case in cases if not case.is_over for asset in case.assets}
    ended_last = sorted((case for case in cases if case.is_over), key=lambda each: (each.moved_us, each.id))
    over = {asset: case for case in ended_last for asset in case.assets}
    new: dict[int, list[Trouble]] = defaultdict(list)
    alone: dict[int, list[Trouble]] = defaultdict(list)
    returned: dict[str, Opened] = {}
    for trouble in lasting:
        case = covered.get(trouble.asset)
        if case is not None:
            if case.assets == (trouble.asset,) and case.state == LIFE.first and case.is_untouched:
                alone[trouble.feeder].append(trouble)
            continue
        ended = over.get(trouble.asset)
        if ended is None or trouble.since_us > ended.moved_us:
            new[trouble.feeder].append(trouble)
        elif ended.state == "done" and now_us - ended.moved_us >= MENDED_WITHIN_US:
            returned[ended.id] = ended
    effects += (MoveOn(case, "return") for case in sorted(returned))
    for feeder, ailing in sorted(new.items()):
        at_feeder = covered.get(feeder) if feeder else None
        singles = [] if not feeder else alone[feeder]
        if at_feeder is None and (not feeder or len(ailing) + len(singles) < TOGETHER):
            effects += (_open(each, (each.asset,)) for each in ailing)
            continue
        gathered = tuple(sorted(each.asset for each in (*ailing, *singles)))
        place = len(effects)
        effects.append(_open(ailing[0], (feeder, *gathered)) if at_feeder is None else Join(at_feeder.id, gathered))
        effects += (MoveOn(case, "merge", into=place) for case in sorted(covered[each.asset].id for each in singles))


def _open(trouble: Trouble, assets: Iterable[int]) -> Open:
    category = _CATEGORY_OF.get(trouble.kind.service, "other")
    document = WorkOrder(skills=SKILLS.get(category, ()))
    return Open(WORK_ORDER, source_of(trouble.kind.name), category, 3, tuple(assets), document)
