"""What is read in several statements is of one moment, whatever is written between them."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import create_engine, event, text
from sqlalchemy.engine import Engine

from tests.city import NOW_US, drafts, open_facts, take
from vigie.core.facts import CommandMoved, CommandProposed, Entry, TargetsMoved
from vigie.core.lives import TARGET
from vigie.engine.command import ProposedRows, TargetRow
from vigie.store.transactions import reading


def test_reading_sees_one_moment(tmp_path: Path) -> None:
    engine = create_engine(f"sqlite:///{tmp_path / 'kept.db'}")
    with engine.begin() as write:
        write.exec_driver_sql("PRAGMA journal_mode=WAL")
        write.execute(text("CREATE TABLE kept (n INTEGER)"))
    count = text("SELECT count(*) FROM kept")
    with reading(engine) as read:
        before = read.execute(count).scalar_one()
        with engine.begin() as write:
            write.execute(text("INSERT INTO kept VALUES (1)"))
        assert (before, read.execute(count).scalar_one()) == (0, 0)
    with reading(engine) as read:
        assert read.execute(count).scalar_one() == 1
    engine.dispose()


def test_an_orders_state_and_its_counts_are_of_one_moment(tmp_path: Path) -> None:
    """An order ends between the statement that reads it and the one that counts its targets: `running` with all of its
    targets done would be told of it."""
    facts = open_facts(tmp_path)
    take(facts, drafts(1))
    proposed = CommandProposed(
        id="c1",
        at=NOW_US,
        actor="u-anne",
        command="c1",
        action="luminaire.dim",
        params={"level": 60.0},
        selection={},
        targets=1,
        refused=0,
        hazard="none",
        expires=NOW_US + 1_000_000,
        items="",
        state="running",
    )
    sent, done = TARGET.states.index("sent"), TARGET.states.index("done")
    target = TargetRow(1, sent, NOW_US, None)
    facts.commit([Entry(proposed, payload=ProposedRows("", "", "dijon-metropole", "lighting", [target]))])
    ended = [
        Entry(
            TargetsMoved(id="c1.done", at=NOW_US + 1, actor="vigie", command="c1", counts={"done": 1}, items=""),
            payload=[TargetRow(1, done, NOW_US, NOW_US + 1)],
        ),
        Entry(
            CommandMoved(id="c1.closed", at=NOW_US + 1, actor="vigie", command="c1", event="close", state="closed"),
        ),
    ]

    def end(_connection: object, _cursor: object, statement: str, *_: object) -> None:
        if ended and statement.startswith("SELECT"):
            entries = ended.copy()
            ended.clear()
            facts.commit(entries)

    event.listen(Engine, "after_cursor_execute", end)
    try:
        before, after = facts.orders.find("c1"), facts.orders.find("c1")
    finally:
        event.remove(Engine, "after_cursor_execute", end)
    assert before is not None
    assert after is not None
    assert (before.state, before.counts) == ("running", {"sent": 1})
    assert (after.state, after.counts) == ("closed", {"done": 1})
    facts.close()
