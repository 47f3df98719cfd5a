"""Plans as they are read: those that are drafted or in force, and every revision that ever was."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import msgspec
import structlog
from sqlalchemy import func, select
from sqlalchemy.engine import Engine

from vigie.core.plans import PlanKind
from vigie.engine.plans import Plan, Version
from vigie.store.projections.plans import REPLACED
from vigie.store.tables import PLAN
from vigie.store.transactions import reading

_log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class PastRevision:
    """One revision as it is kept, without its document."""

    version: int
    revision: int
    state: str
    editor: str
    edited_us: int
    approver: str
    approved_us: int | None
    ended_us: int | None


@dataclass(frozen=True, slots=True)
class ApprovedVersion:
    """A version of a plan that is or was in force. state: what it is now; ended_us: None while it is in force."""

    plan: str
    version: int
    state: str
    approver: str
    approved_us: int
    ended_us: int | None


@dataclass(frozen=True, slots=True)
class FormerVersion:
    """A version of a plan that was in force, and from when until when. body: its document, as it was written."""

    version: int
    approved_us: int
    ended_us: int
    body: bytes


class StoredPlans:
    """Reads of plans; what writes them are facts."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def kept(self, kinds: Mapping[str, PlanKind]) -> list[Plan]:
        """The plans of these kinds that are drafted or in force."""
        c = PLAN.c
        living = select(PLAN).where(c.state.in_(("draft", "in_force"))).order_by(c.id, c.version)
        ends = select(c.id, func.min(c.edited_us).label("made_us"), func.max(c.version).label("last")).group_by(c.id)
        with reading(self._engine) as read:
            rows = read.execute(living).all()
            known = {row.id: row for row in read.execute(ends)}
        found: dict[str, Plan] = {}
        for row in rows:
            kind = kinds.get(row.kind)
            if kind is None:
                continue
            try:
                body = msgspec.json.decode(row.body, type=kind.form)
            except msgspec.ValidationError as error:
                # Its document is of another version of vigie: it is kept, and does nothing until it is written anew.
                _log.error("plan not understood", plan=row.id, version=row.version, reason=str(error))
                continue
            version = Version(
                row.version, row.revision, body, row.editor, row.edited_us, row.approver, row.approved_us or 0
            )
            end = known[row.id]
            plan = found.get(row.id, Plan(row.id, kind, int(end.made_us), int(end.last)))
            found[row.id] = replace(plan, **{row.state: version})
        return list(found.values())

    def revisions(self, plan_id: str) -> Sequence[PastRevision]:
        """All revisions of a plan, the newest first."""
        c = PLAN.c
        query = select(
            c.version, c.revision, c.state, c.editor, c.edited_us, c.approver, c.approved_us, c.ended_us
        ).where(c.id == plan_id)  # fmt: skip
        with self._engine.connect() as read:
            rows = read.execute(query.order_by(c.version.desc(), c.revision.desc()))
            return [PastRevision(*row) for row in rows]

    def approved(self, kind: str, title: str, limit: int) -> Sequence[ApprovedVersion]:
        """The versions that ever were in force of the plans of a kind that have a title, those of plans that are
        withdrawn included; the newest first."""
        c = PLAN.c
        query = select(c.id, c.version, c.state, c.approver, c.approved_us, c.ended_us)
        query = query.where(c.kind == kind, c.title == title, c.approved_us.is_not(None))
        with self._engine.connect() as read:
            rows = read.execute(query.order_by(c.approved_us.desc(), c.id, c.version.desc()).limit(limit))
            return [ApprovedVersion(*row) for row in rows]

    def former(self, plan_id: str, since_us: int) -> Sequence[FormerVersion]:
        """The versions of a plan that were in force since an instant and are no more, the oldest first."""
        c = PLAN.c
        query = select(c.version, c.approved_us, c.ended_us, c.body)
        query = query.where(c.id == plan_id, c.approved_us.is_not(None), c.ended_us > since_us)
        with self._engine.connect() as read:
            return [FormerVersion(*row) for row in read.execute(query.order_by(c.version))]

    def stood(self, kind: str, title: str, at_us: int) -> bytes | None:
        """The document of a kind under a title that was in force at an instant, as it was written; None for none."""
        c = PLAN.c
        query = select(c.body).where(c.kind == kind, c.title == title, c.approved_us <= at_us)
        query = query.where(c.ended_us.is_(None) | (c.ended_us > at_us)).order_by(c.approved_us.desc()).limit(1)
        with self._engine.connect() as read:
            return read.execute(query).scalar_one_or_none()

    def body(self, plan_id: str, version: int, revision: int) -> bytes | None:
        """The document of a revision, as it was written."""
        c = PLAN.c
        here = (c.id == plan_id) & (c.version == version) & (c.revision == revision)
        with self._engine.connect() as read:
            return read.execute(select(c.body).where(here)).scalar_one_or_none()

    def placed(self, plan_id: str) -> tuple[str, str, str] | None:
        """The kind, the service and the area of a plan, as its newest revision has them."""
        c = PLAN.c
        query = select(c.kind, c.service, c.area).where(c.id == plan_id, c.state != REPLACED)
        with self._engine.connect() as read:
            row = read.execute(query.order_by(c.version.desc()).limit(1)).one_or_none()
            return None if row is None else (row.kind, row.service, row.area)
