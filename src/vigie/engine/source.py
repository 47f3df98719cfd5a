"""What one source says exists, taken in while the post runs: each time it says all of it, and what it names no more is
retired."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vigie.core.assets import AssetChange, AssetRecord
from vigie.core.drafts import Draft
from vigie.core.facts import POST, About, AssetsTaken, Entry, digest
from vigie.core.scope import Verb
from vigie.engine.inventory import GONE, Intake, Known, digests_of, id_of, plan_intake
from vigie.engine.loop import Engine


class Source:
    """A source of assets without a feeder. What the post has of it is held here, so that it is right also while the
    facts of it wait for the disk: nobody else takes in what this source says."""

    def __init__(self, engine: Engine, name: str, known: Mapping[str, Known]) -> None:
        """known: what the post has of it when it starts, by the source's own keys."""
        self._engine, self._name, self._known = engine, name, dict(known)

    @property
    def count(self) -> int:
        """How many assets of it are in service."""
        return sum(not each.retired for each in self._known.values())

    def knows(self, key: str) -> bool:
        """Whether the source has ever named something by this key, also what is retired: it has its number still."""
        return key in self._known

    def take(self, drafts: Sequence[Draft], *, fact_id: str, at_us: int) -> Intake:
        """Takes in all that the source says. The registry moves at once, and the fact of it is owed; what is as it was
        is not touched."""
        engine, registry = self._engine, self._engine.registry
        intake = plan_intake(
            registry.catalogue, drafts, self._known, registry.numbers, registry.count, source=self._name, retire=True
        )
        if not intake.rows:
            return intake
        registry.add([*(_record(each, at_us) for each in intake.changes), *self._leaving(intake, at_us)])
        fact = AssetsTaken(
            id=fact_id,
            at=at_us,
            actor=POST,
            source=self._name,
            made=intake.made,
            changed=len(intake.changes) - intake.made,
            unchanged=intake.unchanged,
            retired=len(intake.retired),
            rejected=len(intake.refused),
            items=digest(*digests_of(intake.rows)),
        )
        engine.owe([Entry(fact, payload=intake.rows, about=About(verb=Verb.SEE))])
        for each in intake.changes:
            draft = each.draft
            self._known[draft.key] = Known(each.no, draft.kind, each.fingerprint, id_of(draft), draft.name)
        for key in intake.gone:
            known = self._known[key]
            self._known[key] = Known(known.no, known.kind, GONE, known.id, known.name, retired=True)
        return intake

    def _leaving(self, intake: Intake, at_us: int) -> list[AssetRecord]:
        registry = self._engine.registry
        return [
            AssetRecord(
                no=each.no,
                id=registry.ids[each.no],
                kind=registry.kind_of(each.no).kind,
                name=registry.names[each.no],
                area=registry.areas[int(registry.area[each.no])],
                street=registry.streets[int(registry.street[each.no])],
                parent=0,
                reporter=int(registry.reporter[each.no]),
                lon=float(registry.lon[each.no]),
                lat=float(registry.lat[each.no]),
                attributes={},
                made_us=at_us,
                retired_us=at_us,
            )
            for each in intake.retired
        ]


def _record(change: AssetChange, at_us: int) -> AssetRecord:
    draft = change.draft
    return AssetRecord(
        no=change.no,
        id=id_of(draft),
        kind=draft.kind,
        name=draft.name,
        area=draft.area,
        street=draft.street,
        parent=0,
        reporter=0,
        lon=draft.lon,
        lat=draft.lat,
        attributes=draft.attributes,
        made_us=at_us,
    )
