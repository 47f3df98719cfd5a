"""Taking in an inventory: what is new, changed, as it was, gone or refused."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.city import CATALOGUE, drafts
from vigie.core.drafts import Draft
from vigie.engine.inventory import Intake, Known, digests_of, fingerprint, id_of, plan_intake

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
    ],
)
def test_a_wrong_draft_is_refused_alone_and_told_why(wrong: dict[str, object], word: str) -> None:
    other = msgspec.structs.replace(LAMP, key="2")
    intake = plan([other, msgspec.structs.replace(LAMP, **wrong)])
    (refused,) = intake.refused
    assert refused.row == 1
    assert word in refused.reason
    assert [change.draft for change in intake.changes] == [other]


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
