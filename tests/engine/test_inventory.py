"""Taking in an inventory: what is new, changed, as it was, gone or refused."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from tests.city import CATALOGUE, drafts
from vigie.core.drafts import Draft
from vigie.engine.inventory import GONE, Intake, Known, digests_of, fingerprint, id_of, plan_intake

LAMP = Draft(key="1", kind="luminaire", lon=5.0, lat=47.3, attributes={"rated_power": 60.0})


def plan(taken: Sequence[Draft], before: Sequence[Draft] = ()) -> Intake:
    """The plan for drafts of a source of which the post has `before`, numbered from 1."""
    known = {draft.key: Known(no, draft.kind, fingerprint(draft)) for no, draft in enumerate(before, 1)}
    return plan_intake(CATALOGUE, taken, known, {id_of(d): n for n, d in enumerate(before, 1)}, len(before) + 1)


def test_what_is_new_is_numbered_in_order() -> None:
    intake = plan(drafts())
    assert [change.no for change in intake.changes] == list(range(1, len(drafts()) + 1))
    assert (intake.made, intake.unchanged, intake.gone, intake.refused) == (len(drafts()), 0, (), ())


def test_twice_the_same_changes_nothing() -> None:
    intake = plan(drafts(), drafts())
    assert (intake.changes, intake.unchanged, intake.gone, intake.refused) == ((), len(drafts()), (), ())


def test_what_changed_keeps_its_number() -> None:
    moved = [*drafts()[:-1], msgspec.structs.replace(drafts()[-1], lon=5.5)]
    (change,) = plan(moved, drafts()).changes
    assert (change.no, change.is_new, change.draft.lon) == (len(drafts()), False, 5.5)


def test_what_comes_no_more_is_gone_but_what_is_refused_is_not() -> None:
    intake = plan([msgspec.structs.replace(drafts()[0], lon=500.0), *drafts()[2:]], drafts())
    assert intake.gone == (drafts()[1].key,)
    assert [refused.key for refused in intake.refused] == [drafts()[0].key]


@pytest.mark.parametrize(
    ("wrong", "word"),
    [
        ({"kind": "dragon"}, "dragon"),
        ({"key": ""}, "no key"),
        ({"lon": 181.0}, "place"),
        ({"lat": float("nan")}, "place"),
        ({"attributes": {"colour": "red"}}, "colour"),
        ({"attributes": {"rated_power": "60"}}, "rated_power"),
        ({"attributes": {"rated_power": True}}, "rated_power"),
        ({"attributes": {"lamp": 3}}, "lamp"),
        ({"kind": "cabinet", "attributes": {"switching": "sometimes"}}, "switching"),
        ({"kind": "street", "attributes": {"one_way": "yes"}}, "one_way"),
        ({"kind": "vehicle", "attributes": {"hours": "by day"}}, "'by day' is not such as"),
    ],
)
def test_a_wrong_draft_is_refused_alone_and_told_why(wrong: dict[str, object], word: str) -> None:
    other = msgspec.structs.replace(LAMP, key="2")
    intake = plan([other, msgspec.structs.replace(LAMP, **wrong)])
    (refused,) = intake.refused
    assert refused.row == 1
    assert word in refused.reason
    assert [change.draft.key for change in intake.changes] == [other.key]


def test_a_key_or_an_id_that_comes_twice_is_refused_the_second_time() -> None:
    named = [msgspec.structs.replace(LAMP, key=key, id=name) for key, name in [("1", "a"), ("1", "b"), ("2", "a")]]
    intake = plan(named)
    assert [change.draft for change in intake.changes] == named[:1]
    assert [refused.row for refused in intake.refused] == [1, 2]


def test_an_id_of_another_source_is_refused() -> None:
    intake = plan_intake(CATALOGUE, [LAMP], {}, {id_of(LAMP): 7}, 8)
    assert intake.changes == ()
    assert "belongs to another" in intake.refused[0].reason


places = st.floats(-89, 89)


@given(places, places, st.integers(-4, 4))
def test_less_than_a_centimetre_is_no_change(lon: float, lat: float, billionths: int) -> None:
    """A place projected on another machine differs in its last digits."""
    lon, lat = round(lon, 7), round(lat, 7)
    draft = msgspec.structs.replace(LAMP, lon=lon, lat=lat)
    near = msgspec.structs.replace(LAMP, lon=lon + billionths * 1e-9, lat=lat - billionths * 1e-9)
    assert fingerprint(draft) == fingerprint(near)


def test_a_digest_commits_to_each_number_and_row() -> None:
    one, other = plan([LAMP]), plan([msgspec.structs.replace(LAMP, name="Rue Verte 1")])
    assert digests_of(one.changes) != digests_of(other.changes)
    assert len(digests_of(plan(drafts()).changes)) == len(drafts())


def test_a_known_asset_cannot_become_another_kind() -> None:
    """Its points and its history are of its kind."""
    before = Draft(key="1", kind="luminaire", lon=5.0, lat=47.3)
    after = Draft(key="1", kind="cabinet", lon=5.0, lat=47.3)
    known = {"1": Known(1, "luminaire", fingerprint(before))}
    intake = plan_intake(CATALOGUE, [after], known, {"luminaire-1": 1}, 2)
    assert intake.changes == ()
    assert "cannot become a cabinet" in intake.refused[0].reason


def test_only_what_the_drafts_would_name_can_be_gone_and_only_what_is_asked_for_is_retired() -> None:
    before = [msgspec.structs.replace(LAMP, key=key) for key in ("lights/1", "lights/2", "signals/1")]
    known = {draft.key: Known(no, draft.kind, fingerprint(draft)) for no, draft in enumerate(before, 1)}
    ids = {id_of(draft): no for no, draft in enumerate(before, 1)}
    read = {"covers": lambda key: key.startswith("lights/")}
    kept = plan_intake(CATALOGUE, before[:1], known, ids, 4, **read)
    assert (kept.gone, kept.retired) == (("lights/2",), ())
    ended = plan_intake(CATALOGUE, before[:1], known, ids, 4, **read, retire=True)
    assert [each.no for each in ended.retired] == [2]
    assert digests_of(ended.rows) == ((2).to_bytes(8),)


def test_what_was_gone_comes_back_and_what_a_person_retired_does_not() -> None:
    known = {"1": Known(1, "luminaire", GONE, "luminaire-1", retired=True)}
    (change,) = plan_intake(CATALOGUE, [LAMP], known, {"luminaire-1": 1}, 2).changes
    assert (change.no, change.is_new, change.is_back) == (1, False, True)
    by_hand = {"1": Known(1, "luminaire", fingerprint(LAMP), "luminaire-1", retired=True)}
    assert plan_intake(CATALOGUE, [LAMP], by_hand, {"luminaire-1": 1}, 2).changes == ()
    (change,) = plan_intake(CATALOGUE, [msgspec.structs.replace(LAMP, lon=5.1)], by_hand, {"luminaire-1": 1}, 2).changes
    assert not change.is_back
    assert plan_intake(CATALOGUE, [], by_hand, {"luminaire-1": 1}, 2, retire=True).retired == ()


def test_ids_are_made_for_addresses_and_kept() -> None:
    places = [msgspec.structs.replace(LAMP, key=f"lights/{key}") for key in ("3.87,43.61", "a b", "a/b", "Été?")]
    ids = [change.draft.id for change in plan(places).changes]
    assert ids == ["luminaire-3.87-43.61", "luminaire-a-b", "luminaire-a-b-2", "luminaire-Été"]
    known = {draft.key: Known(no, draft.kind, b"old", ids[no - 1]) for no, draft in enumerate(places, 1)}
    again = plan_intake(CATALOGUE, places[::-1], known, {id: no for no, id in enumerate(ids, 1)}, 5)
    assert [change.draft.id for change in again.changes] == ids[::-1]


def test_a_link_to_a_street_gives_its_name_and_a_dead_link_to_a_parent_is_told() -> None:
    street = Draft(key="s/1", kind="street", lon=5.0, lat=47.3, name="Rue Verte")
    lamps = [
        msgspec.structs.replace(LAMP, key="l/1", street="s/1", parent="c/1"),
        msgspec.structs.replace(LAMP, key="l/2", street="Rue Bleue", parent="c/2"),
    ]
    cabinet = Draft(key="c/1", kind="cabinet", lon=5.0, lat=47.3)
    intake = plan([*lamps, street, cabinet])
    assert [(change.draft.street, change.draft.parent) for change in intake.changes[:2]] == [
        ("Rue Verte", "c/1"), ("Rue Bleue", ""),
    ]  # fmt: skip
    assert intake.dead == ("l/2",)
    # A street that came with an earlier import counts too, and its new name is news for what stands on it.
    known = {"s/1": Known(1, "street", b"", "street-1", "Rue Verte")}
    (change,) = plan_intake(CATALOGUE, lamps[:1], known, {"street-1": 1}, 2).changes
    assert change.draft.street == "Rue Verte"


def test_a_geometry_that_is_none_or_another_shape_is_refused() -> None:
    line = shapely.to_wkb(shapely.LineString([(5, 47), (5.1, 47.1)]))
    far = shapely.to_wkb(shapely.LineString([(5, 47), (854_000, 6_693_000)]))
    drawn = [
        Draft(key=str(n), kind=kind, lon=5.0, lat=47.3, geometry=blob)
        for n, (kind, blob) in enumerate(
            [("street", line), ("street", b"rubbish"), ("street", far), ("building", line), ("street", None)]
        )
    ]
    intake = plan(drawn)
    assert [refused.row for refused in intake.refused] == [1, 2, 3]
    assert "no well-known binary" in intake.refused[0].reason
    assert "a building is a surface" in intake.refused[2].reason
