"""What happens on simulated days, and the laws that every one of them is held against."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from vigie.app import services
from vigie.core.drafts import Draft
from vigie.core.facts import CommandMoved, CommandProposed, ConditionMoved, ConditionRaised
from vigie.core.kinds import Quality
from vigie.core.lives import COMMAND, TARGET
from vigie.core.observations import KEPT
from vigie.core.times import DAY_US, MINUTE_US, SECOND_US, to_us
from vigie.core.watch import Watch
from vigie.engine.acts import Acts
from vigie.engine.command import CODES, Command
from vigie.engine.loop import Engine
from vigie.engine.selection import Selection
from vigie.services.lighting.conditions import WATCHES
from vigie.sim.city import City
from vigie.sim.city.facts import METROPOLE
from vigie.sim.day import Act, Day, Setting
from vigie.sim.roll import Rows
from vigie.store.observations import SORTS

DUSK_US = to_us(datetime.fromisoformat("2026-11-24T16:00:00Z"))
"""A Tuesday in November, five in the afternoon: lamps are lit at about half past."""

QUETIGNY = f"{METROPOLE}/quetigny"
OPERATOR, SECOND, CREW = "u-operator", "u-second", "u-crew"


def thinned(draft: Draft) -> bool:
    """Every fourth vehicle and bus, and all else."""
    return draft.kind not in {"vehicle", "bus"} or int(draft.id.rpartition("-")[2]) % 4 == 0


def of_quetigny(draft: Draft) -> bool:
    """One commune, and what drives about the metropole."""
    return draft.area == QUETIGNY or draft.kind in {"commune", "bollard", "bus", "vehicle", "air_station"}


def dim(at_us: int, level: float, *, area: str = QUETIGNY, reason: str = "") -> Act:
    """An operator dims the lamps of an area."""

    def do(acts: Acts, engine: Engine) -> None:
        everything = np.ones(engine.registry.count, np.bool_)
        order = acts.understood("luminaire.dim", {"level": level}, Selection(area=area), everything)
        acts.order(order, actor=OPERATOR, reason=reason)

    return Act(at_us, do)


def order(at_us: int, action: str, params: Mapping[str, Any], asset: str, *, confirmed_by: str = "") -> Act:
    """An operator gives an order to one asset, and somebody confirms it or nobody does."""

    def do(acts: Acts, engine: Engine) -> None:
        everything = np.ones(engine.registry.count, np.bool_)
        meant = acts.understood(action, params, Selection(assets=[asset]), everything)
        command = acts.order(meant, actor=OPERATOR, reason="essai")
        if confirmed_by and command.state == "proposed":
            acts.confirm(command, confirmed_by)

    return Act(at_us, do)


def lock_out(at_us: int, cabinet: str) -> Act:
    """A crew locks a cabinet out."""

    def do(acts: Acts, engine: Engine) -> None:
        acts.consign(engine.registry.numbers[cabinet], actor=CREW, crew="Équipe 3", reason="câble à reprendre")

    return Act(at_us, do)


def lift(at_us: int) -> Act:
    """The crew lifts what it has locked out."""

    def do(acts: Acts, engine: Engine) -> None:
        for each in engine.consignations:
            acts.move_consignation(each.id, "lift", CREW)

    return Act(at_us, do)


def evening(start_us: int, cabinet: str) -> list[Act]:
    """An operator's hour of dusk: a commune is dimmed, a crew locks a cabinet out in between, and what else comes.

    Begins half an hour before the lamps are lit.
    """
    minute = MINUTE_US
    return [
        dim(start_us + 2 * minute, 35.0, reason="essai de jour"),
        order(start_us + 5 * minute, "bollard.move", {"to": "lowered"}, "bollard-003", confirmed_by=SECOND),
        order(start_us + 6 * minute, "cabinet.set_full_light", {"on": True}, cabinet),
        dim(start_us + 40 * minute, 45.0, reason="réveillon"),
        lock_out(start_us + 42 * minute, cabinet),
        dim(start_us + 43 * minute, 60.0),
        lift(start_us + 48 * minute),
        dim(start_us + 50 * minute, 80.0),
    ]


class Watched:
    """A day that is watched from outside: what its gateways were told, and that its picture goes on only."""

    def __init__(self, folder: Path, city: City, setting: Setting) -> None:
        self.day = Day(folder, services(), city, setting)
        self.told: list[Rows] = []
        self.commands: dict[str, Command] = {}
        self.day.on_acknowledged = self.told.append
        self._newest = self.day.engine.picture.observed_us.copy()

    def __enter__(self) -> Watched:
        return self

    def __exit__(self, *_: object) -> None:
        self.day.close()

    def step(self, **how: str) -> None:
        """One tick, after which no point may be older than before it."""
        self.day.step(**how)
        picture = self.day.engine.picture
        picture.fit()
        size = len(self._newest)
        assert (picture.observed_us[:size] >= self._newest).all(), "late data has moved the picture back"
        self._newest = picture.observed_us.copy()
        self.commands |= {command.id: command for command in self.day.engine.commands}

    def run(self, until_us: int) -> None:
        """Whole ticks until an instant."""
        tick_us = int(self.day.setting.tick_s * SECOND_US)
        while self.day.clock.now_us() + tick_us <= until_us:
            self.step()

    def check(self) -> None:
        """All laws that hold at any instant."""
        self.what_was_acknowledged_is_in_history_once()
        self.the_picture_is_the_newest_of_history()
        self.conditions_come_in_pairs_and_are_as_the_picture_says()
        self.orders_keep_their_expiry()

    def what_was_acknowledged_is_in_history_once(self) -> None:
        """Every reading that a gateway knows to be kept, and nothing that no gateway has sent."""
        day = self.day
        registry = day.engine.registry
        rows = Rows.joined(self.told)
        number = registry.point_number[
            registry.kind[rows.asset], registry.ordinal[registry.kind[rows.asset], rows.point]
        ]
        columns = {"asset": rows.asset, "point": number, "observed_us": rows.observed_us}
        refused = sum(count for outcome, count in day.tally.outcomes.items() if outcome not in KEPT)
        with day.observations.reading() as read:
            kept = " UNION ALL ".join(
                f"SELECT asset::BIGINT AS asset, point::BIGINT AS point, observed_us FROM ({day.observations.union(s)})"
                for s in SORTS
            )
            read.execute(f"CREATE TEMP TABLE kept AS {kept}")
            read.register("columns", columns)
            read.execute("CREATE TEMP TABLE told AS SELECT DISTINCT * FROM columns")
            read.unregister("columns")
            missing = _count(read, "SELECT count(*) FROM told ANTI JOIN kept USING (asset, point, observed_us)")
            query = (
                "SELECT count(*) FROM (SELECT DISTINCT * FROM kept) ANTI JOIN told USING (asset, point, observed_us)"
            )
            untold = _count(read, query)
            read.execute("DROP TABLE kept; DROP TABLE told")
        assert missing == refused == 0
        assert untold <= day.links.waiting

    def history_is_compacted_to_one_of_each(self) -> None:
        """What came twice is once on disk when its day has been compacted. Seals the whole history."""
        day = self.day
        half_us = day.setting.start_us + (day.clock.now_us() - day.setting.start_us) // 2
        for until_us in (half_us, day.clock.now_us() + DAY_US):
            day.observations.seal(until_us)
        for each in day.observations.days_in_parts("9999-01-01"):
            day.observations.compact(each)
        with day.observations.reading() as read:
            for sort in SORTS:
                rows = day.observations.union(sort)
                distinct = f"SELECT DISTINCT asset, point, observed_us FROM ({rows})"
                assert _count(read, f"SELECT count(*) FROM ({rows})") == _count(
                    read, f"SELECT count(*) FROM ({distinct})"
                )

    def the_picture_is_the_newest_of_history(self) -> None:
        """For each point, the picture has the instant and the value of the newest reading that is kept."""
        day = self.day
        picture, registry = day.engine.picture, day.engine.registry
        seen = np.zeros(registry.slots, np.bool_)
        for sort, value in (("number", "value"), ("place", "lon")):
            with day.observations.reading() as read:
                newest = f"max_by({value}, (observed_us, -n))"
                columns = read.execute(
                    f"SELECT asset, point, max(observed_us) AS at, {newest} AS value "
                    f"FROM ({day.observations.union(sort)}) GROUP BY asset, point"
                ).fetchnumpy()
            slots = registry.slots_at(columns["asset"].astype(np.int64), columns["point"].astype(np.int64))
            assert np.array_equal(picture.observed_us[slots], columns["at"])
            assert np.array_equal(picture.value[slots], columns["value"])
            seen[slots] = True
        assert not (picture.observed_us[: registry.slots][~seen] >= 0).any()

    def conditions_come_in_pairs_and_are_as_the_picture_says(self) -> None:
        """Raised and cleared in turn; and open exactly where the newest value is abnormal."""
        events: dict[str, list[str]] = defaultdict(list)
        for line in reversed(self.day.facts.journal.lines(limit=1_000_000)):
            if isinstance(line.fact, ConditionRaised):
                events[line.fact.condition].append("raise")
            elif isinstance(line.fact, ConditionMoved):
                events[line.fact.condition].append(line.fact.event)
        for said in events.values():
            assert said == ["raise", "clear"] * (len(said) // 2) + ["raise"] * (len(said) % 2)
        engine = self.day.engine
        for watch in WATCHES:
            self._as_watched(engine, watch)

    @staticmethod
    def _as_watched(engine: Engine, watch: Watch) -> None:
        assets = engine.registry.of_kind(watch.kind)
        slots = engine.registry.slots_of(watch.kind, watch.point, assets)
        assert (engine.picture.quality[slots] == Quality.GOOD).all()
        abnormal = np.isin(engine.picture.value[slots], watch.codes)
        assert np.array_equal(engine.conditions.is_open(watch.condition, assets), abnormal)

    def orders_keep_their_expiry(self) -> None:
        """Nothing left after its expiry; nothing is proved before it was sent; what ended says how."""
        for each in self.day.pickup.handed:
            assert each.at_us < each.expires_us
        for command in self.commands.values():
            sent, state = command.sent_us, command.state_of
            assert (sent < command.expires_us).all()
            is_done = np.isin(state, [CODES["done"], CODES["done_late"]])
            assert (sent[is_done] > 0).all()
            assert (command.ended_us[is_done] > sent[is_done]).all()
            never = np.isin(state, [CODES[name] for name in ("expired", "refused", "already", "cancelled")])
            assert (sent[never] == 0).all()

    def orders_have_ended(self) -> None:
        """Every order has come to its end, each of its targets too, and the journal says so once."""
        ended = [
            line.fact.command
            for line in self.day.facts.journal.lines(limit=1_000_000)
            if isinstance(line.fact, CommandMoved) and line.fact.state in COMMAND.last
        ]
        given = [
            line.fact.command
            for line in self.day.facts.journal.lines(limit=1_000_000)
            if isinstance(line.fact, CommandProposed)
        ]
        assert sorted(ended) == sorted(given)
        for command in self.commands.values():
            assert set(command.counts) <= TARGET.last

    def outcomes(self) -> dict[str, int]:
        """Targets of all orders, by what has become of them."""
        total: dict[str, int] = defaultdict(int)
        for command in self.commands.values():
            for state, count in command.counts.items():
                total[state] += count
        return dict(total)


def _count(read: Any, query: str) -> int:
    return int(read.execute(query).fetchone()[0])
