"""What facts of cases do to their tables."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, delete, insert, select, update

from vigie.core.cases import ARCHIVE
from vigie.core.facts import CaseChanged, CaseClaimed, CaseJoined, CaseMoved, CaseNoted, CaseOpened, CasePhotographed
from vigie.core.kinds import Catalogue
from vigie.core.scope import Verb
from vigie.engine.cases import DOCUMENT, TITLE, WORDS, Case, Photo
from vigie.store.projections.base import Projections
from vigie.store.tables import CASE_ASSET, CASE_LINK, CASE_PHOTO, CASES, LEAF, PERSONAL

_MOVED = ("state", "crew", "planned_us", "moved_us", "due_us", "reopened_us", "revision")


def values_of(case: Case) -> dict[str, Any]:
    """The columns of a case."""
    return {
        "id": case.id,
        "no": case.no,
        "kind": case.kind.key,
        "state": case.state,
        "source": case.source,
        "category": case.category,
        "service": case.service,
        "area": case.area,
        "verb": Verb.SEE.value,
        "public": 0,
        "street": case.street,
        "lon": None if math.isnan(case.lon) else case.lon,
        "lat": None if math.isnan(case.lat) else case.lat,
        "priority": case.priority,
        "title": case.title,
        "title_leaf": case.title_leaf,
        "words": case.words,
        "words_leaf": case.words_leaf,
        "owner": case.owner,
        "opener": case.opener,
        "crew": case.crew,
        "opened_us": case.opened_us,
        "due_us": case.due_us,
        "planned_us": case.planned_us,
        "moved_us": case.moved_us,
        "reopened_us": case.reopened_us,
        "revision": case.revision,
        "photos": case.photos,
        "document": msgspec.json.encode(case.kind.public(case.document), order="sorted"),
        "document_leaf": case.document_leaf,
    }


def _open_case(catalogue: Catalogue, write: Connection, fact: CaseOpened, case: Case) -> None:
    write.execute(insert(CASES).values(values_of(case)))
    _keep_assets(write, case, ())
    _keep_links(write, case)


def _move_case(catalogue: Catalogue, write: Connection, fact: CaseMoved, case: Case) -> None:
    _write(write, case, _MOVED)
    if fact.into or case.kind.moves[fact.event].parts:
        _keep_links(write, case)
    if fact.event != ARCHIVE:
        # What is archived was over before.
        _keep_private(write, case)


def _change_case(catalogue: Catalogue, write: Connection, fact: CaseChanged, case: Case) -> None:
    leaves = (f"{name}_leaf" for name in (TITLE, WORDS) if name in fact.changed)
    columns = ["revision", *leaves, *(name for name in fact.changed if name != "assets")]
    if "assets" in fact.changed:
        columns += ["area", "street", "lon", "lat"]
        write.execute(delete(CASE_ASSET).where(CASE_ASSET.c.case == case.id))
        _keep_assets(write, case, ())
    if "document" in fact.changed:
        columns.append("document_leaf")
    _write(write, case, columns)


def _keep_private(write: Connection, case: Case) -> None:
    """Says until when what the documents of a case have ever said of persons is kept, all of it as long as the newest:
    none of it outlasts that by being older."""
    p, facts = PERSONAL.c, select(LEAF.c.id).where(LEAF.c.subject == case.id)
    for name in case.kind.private:
        kept = p.leaf_id.in_(facts) & (p.field == f"{DOCUMENT}{name}") & p.erased_us.is_(None)
        write.execute(update(PERSONAL).where(kept).values(until_us=case.until_us(name)))


def _write(write: Connection, case: Case, columns: Iterable[str]) -> None:
    """Writes some columns, and no other: what was erased of a case meanwhile stays so, and a document that this
    version of vigie does not understand stays as it is."""
    values = values_of(case)
    write.execute(update(CASES).where(CASES.c.id == case.id).values({name: values[name] for name in columns}))


def _join(catalogue: Catalogue, write: Connection, fact: CaseJoined, case: Case) -> None:
    write.execute(update(CASES).where(CASES.c.id == case.id).values(revision=case.revision))
    _keep_assets(write, case, case.assets[: len(case.assets) - len(fact.assets)])


def _nothing(catalogue: Catalogue, write: Connection, fact: CaseNoted | CaseClaimed, case: Case) -> None:
    """What people say of a case is read from the journal."""


def _photograph(catalogue: Catalogue, write: Connection, fact: CasePhotographed, photo: Photo) -> None:
    write.execute(
        insert(CASE_PHOTO).values(
            id=photo.id,
            case=fact.case,
            leaf=fact.id,
            width=photo.width,
            height=photo.height,
            size_bytes=photo.size_bytes,
            adder=fact.actor,
            added_us=fact.at,
        )
    )
    write.execute(update(CASES).where(CASES.c.id == fact.case).values(photos=CASES.c.photos + 1))


def _keep_assets(write: Connection, case: Case, kept: tuple[int, ...]) -> None:
    new = case.assets[len(kept) :]
    if new:
        rows = [{"case": case.id, "asset": asset, "place": place} for place, asset in enumerate(new, len(kept))]
        write.execute(insert(CASE_ASSET), rows)


def _keep_links(write: Connection, case: Case) -> None:
    write.execute(delete(CASE_LINK).where(CASE_LINK.c.case == case.id))
    if case.links:
        rows = [{"case": case.id, "other": other, "relation": how} for other, how in case.links.items()]
        write.execute(insert(CASE_LINK), rows)


def erase_words(write: Connection, leaf_id: str, field: str) -> None:
    """Takes away the title or the words that a person wrote in cases beside a fact, within the caller's transaction."""
    leaf = f"{field}_leaf"
    write.execute(update(CASES).where(CASES.c[leaf] == leaf_id).values({field: "", leaf: ""}))


def erase_photo(write: Connection, leaf_id: str, at_us: int) -> None:
    """Notes that the photo that came with a fact is kept no longer, within the caller's transaction."""
    write.execute(update(CASE_PHOTO).where(CASE_PHOTO.c.leaf == leaf_id).values(erased_us=at_us))


PROJECT: Projections = {
    CaseOpened: _open_case,
    CaseMoved: _move_case,
    CaseChanged: _change_case,
    CaseJoined: _join,
    CaseNoted: _nothing,
    CaseClaimed: _nothing,
    CasePhotographed: _photograph,
}
