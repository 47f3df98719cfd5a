"""A commune's twenty minutes on links that lose, delay and repeat: the laws hold for any seed, and any kill."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.days.conftest import Town
from tests.days.scenes import DUSK_US, QUETIGNY, Watched, dim, lift, lock_out, of_quetigny
from vigie.core.times import MINUTE_US, SECOND_US
from vigie.sim.city.inventory import drafts
from vigie.sim.day import Setting
from vigie.sim.life import Habits
from vigie.sim.links import FLAWLESS, ROUGH, Faults
from vigie.store.digest import Digest

LIT_US = DUSK_US + 30 * MINUTE_US
HABITS = Habits(lamp_s=120.0, junction_s=5.0, detector_s=20.0)
"""Livelier than a real commune, so that little time shows much."""

FAULTS = st.builds(
    Faults,
    lost=st.sampled_from([0.0, 0.05]),
    late=st.sampled_from([0.0, 0.3]),
    delay_s=st.sampled_from([20.0, 200.0]),
    twice=st.sampled_from([0.0, 0.1]),
    shuffled=st.sampled_from([0.0, 0.5]),
    request_lost=st.sampled_from([0.0, 0.3]),
    answer_lost=st.sampled_from([0.0, 0.3]),
    outage=st.sampled_from([0.0, 1.0]),
    dead=st.sampled_from([0.0, 0.05]),
    gateway_skew_s=st.sampled_from([0.0, 30.0]),
    device_skew_s=st.sampled_from([0.0, 2.0]),
)


@pytest.fixture(scope="session")
def cabinet(quetigny: Town) -> str:
    """A cabinet of Quetigny."""
    return next(draft.id for draft in drafts(quetigny.city) if draft.kind == "cabinet" and of_quetigny(draft))


def setting_of(cabinet: str, seed: int, faults: Faults) -> Setting:
    script = [
        dim(LIT_US + 120 * SECOND_US, 45.0, reason="essai"),
        lock_out(LIT_US + 180 * SECOND_US, cabinet),
        dim(LIT_US + 200 * SECOND_US, 60.0),
        lift(LIT_US + 260 * SECOND_US),
        dim(LIT_US + 300 * SECOND_US, 80.0),
    ]
    return Setting(LIT_US, seed, HABITS, faults, tick_s=10.0, script=script, seal_s=0)


def digest_of(quetigny: Town, setting: Setting, minutes: int, **killed: str) -> Digest:
    """The digest after some minutes. killed: "tick17": at which point of which tick the post is killed."""
    with Watched(quetigny.copy(), quetigny.city, setting) as watched:
        for tick in range(minutes * 6):
            watched.step(killed_when=killed.get(f"tick{tick}", ""))
            if killed.get(f"tick{tick}") == "between":
                watched.day.kill()
        return watched.day.digest()


@settings(max_examples=6, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(seed=st.integers(1, 10_000), faults=FAULTS, kills=st.sets(st.integers(0, 119), max_size=3), data=st.data())
def test_the_laws_hold_on_any_links(
    quetigny: Town, cabinet: str, seed: int, faults: Faults, kills: set[int], data: st.DataObject
) -> None:
    with Watched(quetigny.copy(), quetigny.city, setting_of(cabinet, seed, faults)) as watched:
        for tick in range(120):
            how = data.draw(st.sampled_from(["recorded", "reacted"])) if tick in kills else ""
            watched.step(killed_when=how)
        watched.check()
        watched.orders_have_ended()
        watched.history_is_compacted_to_one_of_each()
        watched.what_was_acknowledged_is_in_history_once()


def test_the_same_seed_gives_the_same_digest_and_another_seed_another(quetigny: Town, cabinet: str) -> None:
    setting = setting_of(cabinet, 3, ROUGH)
    first = digest_of(quetigny, setting, 8)
    assert first == digest_of(quetigny, setting, 8)
    other = digest_of(quetigny, replace(setting, seed=4), 8)
    assert other.facts != first.facts
    assert other.observations != first.observations


def test_a_kill_changes_nothing_of_what_is_kept(quetigny: Town, cabinet: str) -> None:
    faults = replace(ROUGH, request_lost=0, answer_lost=0, outage=0)
    setting = setting_of(cabinet, 5, faults)
    undisturbed = digest_of(quetigny, setting, 8)
    assert undisturbed.facts_count > 60
    for when in ("between", "recorded", "reacted"):
        killed = {f"tick{tick}": when for tick in (0, 13, 14, 21, 40)}
        assert digest_of(quetigny, setting, 8, **killed) == undisturbed, when


def test_a_gateway_that_is_cut_off_lets_orders_expire_and_keeps_what_it_heard(quetigny: Town, cabinet: str) -> None:
    """Nobody reaches the post but now and then: orders expire unsent, and what was heard comes in the end."""
    setting = replace(setting_of(cabinet, 2, Faults(request_lost=0.99)), script=[dim(LIT_US + MINUTE_US, 45.0)])
    with Watched(quetigny.copy(), quetigny.city, setting) as watched:
        watched.run(LIT_US + 12 * MINUTE_US)
        watched.check()
        outcomes = watched.outcomes()
        assert outcomes["expired"] > 100
        assert set(outcomes) <= {"expired", "refused", "done", "released", "unproved", "already"}
        assert watched.day.links.waiting > 1_000


def test_on_flawless_links_every_lamp_that_can_proves_its_order(quetigny: Town, cabinet: str) -> None:
    with Watched(quetigny.copy(), quetigny.city, setting_of(cabinet, 1, FLAWLESS)) as watched:
        watched.run(LIT_US + 12 * MINUTE_US)
        watched.check()
        watched.orders_have_ended()
        outcomes = watched.outcomes()
        lamps = int(np.count_nonzero(
            watched.day.engine.registry.area == watched.day.engine.registry.area_codes[QUETIGNY]
        ))  # fmt: skip
        # Each order to a lamp ends the one before it, as soon as it is proved.
        proved = outcomes["done"] + outcomes["released"]
        assert proved > lamps
        assert outcomes["refused"] > 10
        # A few lamps are dead or out of order: their orders end unproved, or a later one takes their place.
        assert set(outcomes) <= {"done", "released", "refused", "unproved", "superseded", "already"}
        assert outcomes.get("unproved", 0) + outcomes.get("superseded", 0) < 0.03 * proved
        assert not watched.day.links.counts["dropped"]
