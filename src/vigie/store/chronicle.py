"""The journal as somebody reads it: the leaves that a Scope shows, with what is known beside each.

A leaf is shown by the area, the service and the verb that its fact is about, where the grant that covers them has the
right to read the journal too. Personal fields take the right to those besides.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeVar

from sqlalchemy import ColumnElement, Connection, or_, select, text
from sqlalchemy.engine import Engine

from vigie.core.facts import AnyFact, fact_of
from vigie.core.scope import Placement, Scope, Verb
from vigie.store.journal import PersonalField
from vigie.store.tables import ASSET, COMMAND, CONDITION, CONSIGNATION, LEAF, PERSONAL, PLAN, TARGET

ASSETS_MAX = 20
"""So many of an order's targets are told with a leaf."""

_AT_ONCE = 500

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class OrderOf:
    """The order that a leaf speaks of."""

    action: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Chapter:
    """A leaf with what is known beside it.

    personal: its personal fields, empty for whoever may not read them; erased: those of them that are gone, for
    everybody. condition: the kind of the condition that it speaks of. plan: the title that
    its plan had then. assets: ids of the first assets it is about.
    """

    n: int
    fact: AnyFact
    area: str
    service: str
    personal: Sequence[PersonalField] = ()
    erased: Sequence[PersonalField] = ()
    condition: str | None = None
    order: OrderOf | None = None
    plan: str | None = None
    assets: Sequence[str] = ()


@dataclass(slots=True)
class _Beside:
    """What the leaves of a page speak of, by id."""

    personal: dict[str, list[PersonalField]] = field(default_factory=dict[str, list[PersonalField]])
    conditions: dict[str, tuple[str, str]] = field(default_factory=dict[str, tuple[str, str]])
    orders: dict[str, OrderOf] = field(default_factory=dict[str, OrderOf])
    targets: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    consignations: dict[str, str] = field(default_factory=dict[str, str])
    plans: dict[tuple[str, int], str] = field(default_factory=dict[tuple[str, int], str])


class Chronicle:
    """Reading the journal under a Scope."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def page(
        self,
        scope: Scope,
        *,
        types: Collection[str] = (),
        actors: Collection[str] = (),
        named: Collection[str] = (),
        asset: tuple[str, int] | None = None,
        since_us: int | None = None,
        until_us: int | None = None,
        before: int | None = None,
        limit: int = 50,
    ) -> list[Chapter]:
        """The newest leaves first.

        types: names of facts. actors: their pseudonymous ids. named: the same, of people who were found by what they
        are called: what they did is told where their names may be read. asset: id and number; what was ordered of it
        is about it too. since_us, until_us: what was written down from the one on and before the other. before: only
        leaves with a smaller number.
        """
        query = select(LEAF).where(_readable(scope, "leaf"))
        if types:
            query = query.where(LEAF.c.type.in_(list(types)))
        if actors or named:
            may_read = _readable(scope.may(Verb.PERSONAL), "leaf", "named")
            query = query.where(or_(LEAF.c.actor.in_(list(actors)), LEAF.c.actor.in_(list(named)) & may_read))
        if asset is not None:
            asset_id, no = asset
            orders = select(TARGET.c.command).where(TARGET.c.asset == no)
            query = query.where(or_(LEAF.c.subject == asset_id, LEAF.c.subject.in_(orders)))
        if since_us is not None:
            query = query.where(LEAF.c.at_us >= since_us)
        if until_us is not None:
            query = query.where(LEAF.c.at_us < until_us)
        if before is not None:
            query = query.where(LEAF.c.n < before)
        with self._engine.connect() as read:
            leaves = read.execute(query.order_by(LEAF.c.n.desc()).limit(limit)).all()
            facts = [fact_of(leaf.body) for leaf in leaves]
            beside = _beside(read, facts)
            return [
                _chapter(scope, leaf.n, leaf.area, leaf.service, fact, beside)
                for leaf, fact in zip(leaves, facts, strict=True)
            ]

    def shows(self, scope: Scope, n: int) -> bool:
        """Whether leaf n may be read."""
        with self._engine.connect() as read:
            query = select(LEAF.c.n).where(LEAF.c.n == n, _readable(scope, "leaf"))
            return read.execute(query).scalar_one_or_none() is not None

    def people_called(self, words: str) -> list[str]:
        """The ids of users whose name or login has this in it, whatever its capitals."""
        wanted = words.casefold()
        c = PERSONAL.c
        query = select(c.leaf_id, c.value).where(c.field.in_(["name", "login"]), c.value.is_not(None))
        with self._engine.connect() as read:
            return sorted({row.leaf_id for row in read.execute(query) if wanted in row.value.casefold()})


def _readable(scope: Scope, table: str, prefix: str = "") -> ColumnElement[bool]:
    """The clause of the leaves that a scope shows. prefix: of its parameters, where it is not the only one."""
    clause = scope.may(Verb.JOURNAL).clause(table, public=False)
    said, params = clause.text, clause.params
    if prefix:
        said = said.replace(":scope_", f":{prefix}_scope_")
        params = {f"{prefix}_{name}": value for name, value in params.items()}
    return text(said).bindparams(**params)  # type: ignore[return-value]


def _beside(read: Connection, facts: Sequence[AnyFact]) -> _Beside:
    beside = _Beside()
    p = PERSONAL.c
    for row in _rows(read, [fact.id for fact in facts], lambda some: select(PERSONAL).where(p.leaf_id.in_(some))):
        told = PersonalField(row.field, row.value, row.purpose, row.until_us, row.erased_us, row.rule)
        beside.personal.setdefault(row.leaf_id, []).append(told)
    c, a = CONDITION.c, ASSET.c
    joined = select(c.id, c.kind, a.id.label("asset")).join(ASSET, a.no == c.asset)
    for row in _rows(read, _named(facts, "condition"), lambda some: joined.where(c.id.in_(some))):
        beside.conditions[row.id] = (row.kind, row.asset)
    orders = _named(facts, "command")
    o = COMMAND.c
    for row in _rows(read, orders, lambda some: select(o.id, o.action, o.params).where(o.id.in_(some))):
        beside.orders[row.id] = OrderOf(row.action, json.loads(row.params))
    for order in orders:
        targets = select(a.id).join(TARGET, TARGET.c.asset == a.no).where(TARGET.c.command == order)
        beside.targets[order] = list(read.execute(targets.order_by(a.no).limit(ASSETS_MAX)).scalars())
    s = CONSIGNATION.c
    held = select(s.id, a.id.label("asset")).join(ASSET, a.no == s.asset)
    for row in _rows(read, _named(facts, "consignation"), lambda some: held.where(s.id.in_(some))):
        beside.consignations[row.id] = row.asset
    v = PLAN.c
    titles = select(v.id, v.version, v.title).order_by(v.revision)
    for row in _rows(read, _named(facts, "plan"), lambda some: titles.where(v.id.in_(some))):
        beside.plans[row.id, row.version] = row.title
    return beside


def _named(facts: Sequence[AnyFact], name: str) -> list[str]:
    """The ids under this name in the facts that have it, each once."""
    return list(dict.fromkeys(str(getattr(fact, name)) for fact in facts if hasattr(fact, name)))


def _rows(read: Connection, ids: Sequence[str], query: Callable[[Sequence[str]], Any]) -> Iterable[Any]:
    for start in range(0, len(ids), _AT_ONCE):
        yield from read.execute(query(ids[start : start + _AT_ONCE]))


def _chapter(scope: Scope, n: int, area: str, service: str, fact: AnyFact, beside: _Beside) -> Chapter:
    fields = beside.personal.get(fact.id, [])
    may = scope.may(Verb.JOURNAL).covers(Placement(area, service, Verb.PERSONAL))
    condition = beside.conditions.get(str(getattr(fact, "condition", "")))
    command = str(getattr(fact, "command", ""))
    asset = getattr(fact, "asset", None) or (condition and condition[1])
    asset = asset or beside.consignations.get(str(getattr(fact, "consignation", "")))
    return Chapter(
        n=n,
        fact=fact,
        area=area,
        service=service,
        personal=[each for each in fields if may and each.erased_us is None],
        erased=[each for each in fields if each.erased_us is not None],
        condition=condition[0] if condition else None,
        order=beside.orders.get(command),
        plan=beside.plans.get((str(getattr(fact, "plan", "")), int(getattr(fact, "version", 0)))),
        assets=[asset] if asset else beside.targets.get(command, []),
    )
