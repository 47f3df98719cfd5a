"""The store of facts. Written once; the backend is a parameter."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import contextmanager
from pathlib import Path

import msgspec
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, Engine, Table, create_engine, inspect, text

from tests.city import CATALOGUE, NOW_US, SeededDice, drafts, open_facts, take
from vigie.core.drafts import Draft
from vigie.core.facts import CaseMoved, DeviceAdmitted, DeviceExpelled, Entry, Personal, PersonalErased, leaf_bytes
from vigie.core.scope import Scope
from vigie.core.times import DAY_US
from vigie.engine.ports import StorageFull
from vigie.services.roads.works.buried import BURIED
from vigie.services.roads.works.permits import ROADWORKS, Answered, Roadworks
from vigie.store import migrations
from vigie.store.facts import SqlFacts
from vigie.store.journal import JournalBroken

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))


@pytest.fixture(params=["sqlite"])
def facts(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[SqlFacts]:
    """A store of each backend, with a small city in it."""
    store = open_facts(tmp_path)
    take(store, drafts())
    yield store
    store.close()


def admitted(name: str, *, fact_id: str = "") -> DeviceAdmitted:
    return DeviceAdmitted(id=fact_id or f"admit-{name}", at=NOW_US, actor="test", device=name, count=2, items="")


def verified(facts: SqlFacts) -> int:
    return list(facts.journal.verify(KEY.public_key()))[-1]


def test_an_import_makes_assets_with_their_parents_and_places(facts: SqlFacts) -> None:
    rows = {row[1]: row for row in facts.registry_rows()}
    assert len(rows) == len(drafts())
    cabinet = rows["cabinet-cabinet"][0]
    assert rows["luminaire-000003"][3:5] == ("dijon-metropole/quetigny", cabinet)


def test_the_same_import_again_changes_nothing(facts: SqlFacts) -> None:
    before = facts.registry_rows()
    take(facts, drafts())
    assert facts.registry_rows() == before


def test_an_asset_that_moves_to_another_area_keeps_its_number_and_dates_its_placement(facts: SqlFacts) -> None:
    moved = [Draft(key="w1", kind="weather_station", lon=5.1, lat=47.3, area="dijon-metropole/chenove")]
    before = {row[1]: row[0] for row in facts.registry_rows()}
    take(facts, moved, at_us=NOW_US + 10)
    after = {row[1]: row for row in facts.registry_rows()}
    assert after["weather_station-w1"][0] == before["weather_station-w1"]
    with facts._engine.connect() as read:
        rows = read.execute(
            text("SELECT area, from_us, until_us FROM placement WHERE asset = :no ORDER BY from_us"),
            {"no": before["weather_station-w1"]},
        ).all()
    assert [tuple(row) for row in rows] == [
        ("dijon-metropole/quetigny", NOW_US, NOW_US + 10),
        ("dijon-metropole/chenove", NOW_US + 10, None),
    ]


def test_a_device_speaks_for_its_assets_until_it_is_expelled(facts: SqlFacts) -> None:
    facts.commit([Entry(admitted("gateway"), payload=(b"d" * 32, [2, 3]))])
    assert facts.devices() == {b"d" * 32: (1, "gateway")}
    assert {row[0] for row in facts.registry_rows() if row[5] == 1} == {2, 3}
    facts.commit([Entry(DeviceExpelled(id="out", at=NOW_US, actor="test", device="gateway"))])
    assert facts.devices() == {}
    assert not [row for row in facts.registry_rows() if row[5]]


def test_a_fact_with_a_known_id_is_passed_over(facts: SqlFacts) -> None:
    first = facts.commit([Entry(admitted("one", fact_id="same"), payload=(b"a", []))])
    again = facts.commit([Entry(admitted("one", fact_id="same"), payload=(b"a", []))])
    assert first == again
    assert facts.journal.size == first[0] + 1


def test_a_commit_is_whole_or_not_at_all(facts: SqlFacts) -> None:
    size = facts.journal.size
    good, bad = admitted("good"), admitted("good", fact_id="other-id-same-name")
    with pytest.raises(Exception, match="UNIQUE"):
        facts.commit([Entry(good, payload=(b"g", [])), Entry(bad, payload=(b"h", []))], reacted_to=9)
    assert (facts.journal.size, facts.devices(), facts.reacted_to) == (size, {}, 0)


def test_what_was_reacted_to_is_kept_with_the_facts_and_never_goes_back(facts: SqlFacts, tmp_path: Path) -> None:
    facts.commit([], reacted_to=7)
    facts.commit([], reacted_to=3)
    assert facts.reacted_to == 7
    again = open_facts(tmp_path)
    assert again.reacted_to == 7
    again.close()


def test_points_keep_their_numbers(facts: SqlFacts, tmp_path: Path) -> None:
    first = dict(facts.point_numbers())
    again = open_facts(tmp_path)
    assert dict(again.point_numbers()) == first
    assert sorted(first.values()) == list(range(1, len(first) + 1))
    again.close()


def test_every_leaf_is_proved_and_growth_is_proved(facts: SqlFacts) -> None:
    for n in range(9):
        facts.commit([Entry(admitted(f"d{n}"), payload=(bytes([n]), []))])
        head = facts.journal.sign(KEY, NOW_US + n)
        KEY.public_key().verify(head.signature, head.signed)
    for n in range(facts.journal.size):
        assert facts.journal.prove(n).holds
    assert verified(facts) == facts.journal.size
    with pytest.raises(IndexError):
        facts.journal.prove(facts.journal.size)


def test_a_field_is_erased_and_every_proof_holds_after(facts: SqlFacts) -> None:
    said = {"reason": Personal("Mme Martin, 12 rue Verte", "who answers for it", NOW_US + 5)}
    (n,) = facts.commit([Entry(admitted("gateway"), said, (b"d", []))])
    old = facts.journal.prove(n)
    facts.journal.sign(KEY, NOW_US)
    assert facts.due_for_erasure(NOW_US) == []
    due = facts.due_for_erasure(NOW_US + 5)
    assert due == ["admit-gateway/reason"]
    erasure = PersonalErased(id="erase", at=NOW_US + 6, actor="post", rule="end of its purpose", fields=due)
    facts.commit([Entry(erasure)])
    line = next(line for line in facts.journal.lines() if line.n == n)
    field = line.personal[0]
    assert (field.value, field.erased_us, field.rule) == (None, NOW_US + 6, "end of its purpose")
    assert old.holds
    assert facts.journal.prove(n).leaf == old.leaf
    assert verified(facts) == facts.journal.size
    with facts._engine.connect() as read:
        dump = "\n".join(str(row) for row in read.connection.driver_connection.iterdump())  # type: ignore[union-attr]
    assert "Martin" not in dump


@pytest.mark.parametrize(
    ("damage", "says"),
    [
        ("UPDATE leaf SET body = CAST(replace(body, '\"count\":2', '\"count\":3') AS BLOB) WHERE n = 1", "signed root"),
        ("DELETE FROM leaf WHERE n = 1", "leaf 1 is missing"),
        ("DELETE FROM leaf WHERE n = 2", "only 2 are left"),
        ("UPDATE personal SET value = 'somebody else'", "not what was sealed"),
        ("DELETE FROM personal", "nothing is kept of it"),
        ("UPDATE personal SET value = NULL, salt = NULL, erased_us = 1, rule = 'mine'", "no fact says so"),
        ("UPDATE node SET hash = x'00' WHERE level = 1", "stored node"),
        ("UPDATE head SET root = x'00'", "signed root"),
        ("UPDATE head SET signature = x'00'", "signature"),
    ],
)
def test_whoever_changes_the_past_is_found_out(facts: SqlFacts, damage: str, says: str) -> None:
    said = {"reason": Personal("because", "who answers for it", NOW_US)}
    facts.commit([Entry(admitted("gateway"), said, (b"d", []))])
    facts.commit([Entry(admitted("other"), payload=(b"e", []))])
    facts.journal.sign(KEY, NOW_US)
    assert verified(facts) == 3
    with facts._engine.begin() as write:
        write.exec_driver_sql(damage)
    with pytest.raises(JournalBroken, match=says):
        verified(facts)


def test_a_full_disk_refuses_and_keeps_nothing(tmp_path: Path) -> None:
    store = SqlFacts.sqlite(tmp_path / "facts.sqlite", CATALOGUE, SeededDice(), reserve_bytes=1 << 60)
    with pytest.raises(StorageFull):
        store.commit([Entry(admitted("gateway"), payload=(b"d", []))])
    assert store.journal.size == 0
    store.close()


def test_the_migrations_lead_to_the_tables_as_they_are_declared(tmp_path: Path) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    from vigie.store.tables import METADATA

    with older(tmp_path, "head") as migrated:
        differences = compare_metadata(MigrationContext.configure(migrated), METADATA)
        unique = migrated.execute(text("SELECT sql FROM sqlite_master WHERE name = 'device_name'")).scalar_one()
    assert unique.endswith("WHERE expelled_us IS NULL")
    assert [each for each in differences if "alembic_version" not in str(each)] == []


def fresh(folder: Path) -> SqlFacts:
    """A store that is made here, where `open_facts` copies one that was."""
    return SqlFacts.sqlite(folder / "facts.sqlite", CATALOGUE, SeededDice(), reserve_bytes=0)


def shape(engine: Engine) -> dict[str, object]:
    """The tables, but for the order of their columns and what a row had that was there before a column was."""
    found, inspected = {}, inspect(engine)
    for table in inspected.get_table_names():
        columns = sorted((c["name"], str(c["type"]), c["nullable"]) for c in inspected.get_columns(table))
        indexes = sorted((str(i["name"]), i["column_names"], i["unique"]) for i in inspected.get_indexes(table))
        unique = sorted(u["column_names"] for u in inspected.get_unique_constraints(table))
        keys = inspected.get_pk_constraint(table)["constrained_columns"], inspected.get_foreign_keys(table)
        found[table] = columns, indexes, unique, keys
    return found


def test_a_new_store_has_the_tables_and_the_version_that_the_migrations_lead_to(tmp_path: Path) -> None:
    version = text("SELECT version_num FROM alembic_version")
    (tmp_path / "migrated").mkdir()
    with older(tmp_path / "migrated", "head"):
        pass
    migrated = create_engine(f"sqlite:///{tmp_path / 'migrated' / 'facts.sqlite'}")
    with migrated.connect() as read:
        expected = shape(migrated), read.execute(version).all()
    migrated.dispose()
    store = fresh(tmp_path)
    with store._engine.connect() as read:
        assert (shape(store._engine), read.execute(version).all()) == expected
        unique = read.execute(text("SELECT sql FROM sqlite_master WHERE name = 'device_name'")).scalar_one()
    assert unique.endswith("WHERE expelled_us IS NULL")
    store.close()


def test_a_new_store_whose_making_was_cut_short_is_made_from_the_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def cut_short(*_: object, **__: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Table, "create", cut_short)  # After all tables but the one that says the version.
        with pytest.raises(KeyboardInterrupt):
            fresh(tmp_path)
    engine = create_engine(f"sqlite:///{tmp_path / 'facts.sqlite'}")
    assert inspect(engine).get_table_names() == []
    engine.dispose()
    fresh(tmp_path).close()


def test_the_version_that_opens_without_alembic_is_the_newest() -> None:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    assert ScriptDirectory.from_config(config).get_current_head() == migrations.HEAD


def test_what_protocols_remember_of_a_device_is_kept_by_parts_and_goes_with_it(facts: SqlFacts) -> None:
    spoken = msgspec.structs.replace(admitted("gateway"), protocol="talq", uri="http://gw.example")
    facts.commit([Entry(spoken, payload=(b"d", [])), Entry(admitted("plain"), payload=(b"e", []))])
    assert [(each.no, each.name, each.uri) for each in facts.speakers("talq")] == [(1, "gateway", "http://gw.example")]
    facts.memories.keep(1, {"a": b"1", "b": b"1"})
    facts.memories.keep(1, {"b": b"2"})
    facts.memories.keep(2, {"a": b"other"})
    assert facts.memories.of(1) == {"a": b"1", "b": b"2"}
    facts.commit([Entry(DeviceExpelled(id="gone", at=NOW_US, actor="test", device="gateway"))])
    assert (facts.speakers("talq"), facts.memories.of(1), facts.memories.of(2)) == ([], {}, {"a": b"other"})


@contextmanager
def older(folder: Path, version: str) -> Generator[Connection]:
    """The tables as an older version made them, to be filled as it did."""
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(migrations.__file__).parent))
    engine = create_engine(f"sqlite:///{folder / 'facts.sqlite'}")
    with engine.begin() as write:
        config.attributes["connection"] = write
        command.upgrade(config, version)
        yield write
    engine.dispose()


def test_an_installation_of_an_older_version_keeps_its_devices_and_may_admit_one_anew(tmp_path: Path) -> None:
    with older(tmp_path, "0002") as write:
        write.execute(text("INSERT INTO device VALUES (1, 'gateway', x'01', 1, NULL)"))
    store = open_facts(tmp_path)
    assert store.devices() == {b"\x01": (1, "gateway")}
    gone = DeviceExpelled(id="gone", at=NOW_US, actor="test", device="gateway")
    store.commit([Entry(gone), Entry(admitted("gateway"), payload=(b"\x02", []))])
    assert store.devices() == {b"\x02": (2, "gateway")}
    store.close()


def test_orders_that_an_older_version_kept_are_known_by_who_gave_them(tmp_path: Path) -> None:
    path = '{"automation":"lighting.on_demand","plan":"p"}'
    insert = (
        "INSERT INTO command (id, action, params, selection, actor, key, state, hazard, area, service, proposed_us, "
        "expires_us, ended_us) VALUES (:id, 'luminaire.dim', '{}', :selection, 'a', :id, 'closed', 'none', '', "
        "'lighting', :at, :at, :at)"
    )
    with older(tmp_path, "0007") as write:
        for id, selection in (("c1", "{}"), ("c2", path), ("c3", '{"street":"automation"}')):
            row = {"id": id, "selection": selection, "at": NOW_US}
            write.execute(text(insert), row)
        write.execute(text("INSERT INTO target VALUES ('c2', 9, 1, NULL, NULL, NULL), ('c2', 4, 1, NULL, NULL, NULL)"))
    store = open_facts(tmp_path)
    everything = Scope.everything()
    pages = [
        store.orders.page(everything, open_only=None, before=None, limit=9, automatic=said) for said in (False, True)
    ]
    assert [[each.id for each in page] for page in pages] == [["c3", "c1"], ["c3", "c2", "c1"]]
    (given,) = store.given("lighting.on_demand", 0)
    assert (given.assets.tolist(), given.words["plan"]) == ([4, 9], "p")
    assert store.given("lighting.on_demand", NOW_US + 1) == []
    store.close()


def test_a_crews_name_that_an_older_version_kept_with_a_refusal_is_there_no_more(tmp_path: Path) -> None:
    kept = '{"detail":{"asset":"cabinet-1","crew":"Équipe Est"},"rule":"engine.consigned"}'
    other = '{"detail":{},"rule":"engine.gone"}'
    with older(tmp_path, "0003") as write:
        write.execute(
            text(
                "INSERT INTO asset VALUES (7, 'cabinet-1', 'cabinet', '', '', '', 0, 0, 5, 47, NULL, '{}', 's', 'k', "
                "x'', 1, NULL)"
            )
        )
        for consignation, set_us, ended_us in (("before", 10, 20), ("then", 30, None)):
            row = {"id": consignation, "set_us": set_us, "ended_us": ended_us}
            write.execute(text("INSERT INTO consignation VALUES (:id, 7, 'set', 'u', NULL, :set_us, :ended_us)"), row)
        for asset, refusal in ((1, kept), (2, other), (3, None)):
            row = {"asset": asset, "refusal": refusal}
            write.execute(text("INSERT INTO target VALUES ('c', :asset, 1, NULL, 40, :refusal)"), row)
    store = open_facts(tmp_path)
    with store._engine.connect() as read:
        told = list(read.execute(text("SELECT refusal FROM target ORDER BY asset")).scalars())
    assert told == [kept.replace('"crew":"Équipe Est"', '"consignation":"then"'), other, None]
    store.close()


def test_the_name_in_works_of_an_older_version_moves_to_where_it_can_be_erased(tmp_path: Path) -> None:
    kinds = {kind.key: kind for kind in (ROADWORKS, BURIED)}
    documents = [
        ("private", "roads.roadworks", "granted",
         b'{"answers":[{"clash":"fair","text":"Seen."}],"nature":"crane","owner_name":"\xc3\x89. Vasseur"}'),
        ("named", "roads.roadworks", "archived", b'{"organisation":true,"owner_name":"Odivea"}'),
        ("asked", "roads.buried", "answered", b'{"asker_name":"Vasseur","received":"2026-11-02"}'),
        ("other", "roads.work_order", "open", b'{"owner_name":"stays as it is"}'),
        ("settled", "roads.buried", "archived", b'{"asker_name":"Morel","received":"2026-08-02"}'),
    ]  # fmt: skip
    columns = (
        "INSERT INTO cases (id, no, kind, state, document, source, category, service, area, verb, public, street, "
        "priority, title, title_leaf, words, words_leaf, owner, opener, crew, opened_us, due_us, planned_us, moved_us, "
        "revision, photos) VALUES (:id, :no, :kind, :state, :document, '', 'roadworks', 'roads', '', 'see', 0, '', "
        "3, '', '', '', '', '', 'a', 0, :at, :at, 0, :at, 1, 0)"
    )
    with older(tmp_path, "0012") as write:
        for no, (id, kind, state, document) in enumerate(documents):
            row = {"id": id, "no": no, "kind": kind, "state": state, "document": document, "at": NOW_US}
            write.execute(text(columns), row)
        for n, (event, state, days) in enumerate((("answer", "answered", 90), ("archive", "archived", 0))):
            moved = CaseMoved(id=event, at=NOW_US - days * DAY_US, actor="a", case="settled", event=event, state=state)
            leaf = "INSERT INTO leaf VALUES (:n, :id, 'CaseMoved', :at, 'a', :body, 'settled', '', 'roads', 'see')"
            write.execute(text(leaf), {"n": n, "id": event, "at": moved.at, "body": leaf_bytes(moved)})
    store = open_facts(tmp_path)
    # No leaf has a commitment to what stood in a document itself.
    assert store.journal.unsealed() == 4
    found = {id: store.cases.find(id, kinds) for id, *_ in documents}
    private, named, asked, other, _ = (each and each.document for each in found.values())
    assert private == Roadworks("É. Vasseur", "crane", answers=(Answered("fair", "Seen."),))
    assert (named.owner_name, asked.asker_name, other) == ("Odivea", "Vasseur", None)
    with store._engine.connect() as read:
        plain = dict(read.execute(text("SELECT id, document FROM cases")).all())
    assert plain["private"] == b'{"answers":[],"nature":"crane","owner_name":""}'
    assert (plain["named"], plain["other"]) == (documents[1][-1], documents[3][-1])
    year_us = NOW_US + 365 * DAY_US
    # To be archived is no end: it is kept no longer for it.
    assert store.due_for_erasure(year_us - 90 * DAY_US) == ["settled/document.asker_name"]
    assert store.due_for_erasure(year_us - 1) == ["settled/document.asker_name"]
    assert store.due_for_erasure(year_us) == ["settled/document.asker_name", "asked/document.asker_name"]
    fields = ["private/document.owner_name", "private/document.answers"]
    store.commit([Entry(PersonalErased(id="e", at=year_us, actor="post", rule="its end", fields=fields))])
    erased = store.cases.find("private", kinds)
    assert erased is not None
    assert erased.document == Roadworks(nature="crane")
    assert store.journal.unsealed() == 2
    store.close()
