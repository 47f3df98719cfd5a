"""A small city for tests: some lamps and a cabinet, a junction, a bus; and what the stores and the engine need."""

from __future__ import annotations

import functools
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from random import Random

import numpy as np

from vigie.app import services
from vigie.core.drafts import Draft
from vigie.core.facts import AssetsTaken, Entry
from vigie.core.observations import Batch
from vigie.engine.cases import Cases, case_kinds_of
from vigie.engine.inventory import plan_intake
from vigie.engine.loop import Engine, catalogue_of
from vigie.engine.plans import kinds_of
from vigie.engine.registry import Registry
from vigie.store.facts import SqlFacts
from vigie.store.observations import DuckObservations

SERVICES = services()
CATALOGUE = catalogue_of(SERVICES)
NOW_US = 1_795_486_000_000_000

LAMPS = 20


class SeededDice:
    """Dice that fall the same way each time."""

    def __init__(self, seed: int = 1) -> None:
        self._random = Random(seed)

    def bytes(self, length: int) -> bytes:
        """So many bytes."""
        return self._random.randbytes(length)


def drafts(lamps: int = LAMPS) -> list[Draft]:
    """A cabinet with its lamps, a junction, a bus and a weather station, in two communes."""
    lit = [
        Draft(
            key=f"{n:06d}",
            kind="luminaire",
            lon=5.0 + n / 1e5,
            lat=47.3,
            area="dijon-metropole/quetigny" if n % 2 else "dijon-metropole/dijon",
            street="Rue Verte",
            parent="cabinet",
            attributes={"rated_power": 60.0},
        )
        for n in range(lamps)
    ]
    others = [
        Draft(key="cabinet", kind="cabinet", lon=5.0, lat=47.3, area="dijon-metropole/dijon"),
        Draft(key="j1", kind="junction", lon=5.0, lat=47.3, area="dijon-metropole/dijon"),
        Draft(key="b1", kind="bus", lon=5.0, lat=47.3, area="dijon-metropole"),
        Draft(key="w1", kind="weather_station", lon=5.0, lat=47.3, area="dijon-metropole/quetigny"),
    ]
    return [*others, *lit]


CREW_DRAFT = Draft(key="e1", kind="crew", name="Équipe 1", lon=5.0, lat=47.3, area="dijon-metropole/quetigny")
"""A crew, for the tests that send one."""


def take(facts: SqlFacts, taken: Sequence[Draft], *, source: str = "test", at_us: int = NOW_US) -> None:
    """Puts assets into the store as an import does."""
    ids = facts.ids()
    intake = plan_intake(CATALOGUE, taken, facts.known_of(source), ids, len(ids) + 1)
    assert not intake.refused
    fact = AssetsTaken(
        id=f"take-{source}-{len(ids)}",
        at=at_us,
        actor="test",
        source=source,
        made=intake.made,
        changed=len(intake.changes) - intake.made,
        unchanged=intake.unchanged,
        retired=0,
        rejected=0,
        items="",
    )
    facts.commit([Entry(fact, payload=intake.changes)])


@functools.cache
def _empty() -> bytes:
    """A store of facts with its tables and nothing in it: to make them takes ten times as long as to open them."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "facts.sqlite"
        SqlFacts.sqlite(path, CATALOGUE, SeededDice(), reserve_bytes=0).close()
        return path.read_bytes()


def open_facts(folder: Path) -> SqlFacts:
    """The facts of a folder, without a reserve on the disk."""
    path = folder / "facts.sqlite"
    if not path.exists():
        path.write_bytes(_empty())
    return SqlFacts.sqlite(path, CATALOGUE, SeededDice(), reserve_bytes=0)


def open_observations(folder: Path) -> DuckObservations:
    """The observations of a folder, without a reserve on the disk."""
    return DuckObservations(folder / "observations", reserve_bytes=0)


def open_engine(facts: SqlFacts, observations: DuckObservations, now_us: int = NOW_US) -> Engine:
    """The engine over both, started."""
    registry = Registry(CATALOGUE, facts.point_numbers())
    registry.add_columns(facts.registry_rows())
    kinds = case_kinds_of(SERVICES)
    engine = Engine(
        SERVICES,
        registry,
        facts,
        observations,
        facts.open_conditions(),
        shard="test",
        commands=facts.orders.kept(now_us),
        consignations=facts.orders.holding(),
        plans=facts.plans.kept(kinds_of(SERVICES)),
        cases=Cases(registry, kinds, facts.cases.live(kinds), last_no=facts.cases.last_no),
    )
    engine.start()
    return engine


def batch(engine: Engine, rows: Iterable[tuple[str, str, float | str, int]]) -> Batch:
    """Observations (asset, point, value, observed_us) as a batch; a text where the value is one."""
    slots, observed, values, texts = [], [], [], {}
    for row, (asset, point, value, at_us) in enumerate(rows):
        registry = engine.registry
        number = registry.numbers[asset]
        slots.append(registry.slot(number, registry.kind_of(number).points[point]))
        observed.append(at_us)
        if isinstance(value, str):
            choices = registry.kind_of(number).points[point].choices
            if choices:
                value = float(choices.index(value))
            else:
                texts[row] = value
                value = float("nan")
        values.append(value)
    count = len(slots)
    return Batch(
        np.array(slots, np.int64),
        np.array(observed, np.int64),
        np.array(values, np.float64),
        np.full(count, np.nan),
        np.zeros(count, np.uint8),
        texts,
    )
