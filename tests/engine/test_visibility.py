"""The masks of a Scope say for each asset what the Scope itself says, wherever the movers are."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.city import CATALOGUE, NOW_US
from tests.engine.test_standing import POINTS, area, record
from vigie.core.observations import Batch
from vigie.core.scope import ALL_SERVICES, ROLES, Grant, Placement, Scope, Verb
from vigie.engine.conditions import Conditions
from vigie.engine.picture import Picture
from vigie.engine.registry import Registry
from vigie.engine.standing import Standing
from vigie.engine.visibility import Visibility
from vigie.engine.whereabouts import Whereabouts

KINDS = ("luminaire", "cabinet", "bus", "vehicle", "junction", "commune", "camera")
AREAS = ("", "town", "town/west", "town/east", "town/west/old")
SERVICES = sorted({kind.service for kind in CATALOGUE.assets.values()})

grants = st.builds(
    Grant,
    area=st.sampled_from(AREAS),
    services=st.frozensets(st.sampled_from([*SERVICES, ALL_SERVICES]), max_size=3),
    verbs=st.frozensets(st.sampled_from(list(Verb)), max_size=3) | st.sampled_from(list(ROLES.values())),
)
scopes = st.builds(Scope, st.frozensets(grants, max_size=3)) | st.just(Scope.everything())
assets = st.lists(st.tuples(st.sampled_from(KINDS), st.sampled_from(AREAS)), min_size=1, max_size=12)
places = st.lists(st.tuples(st.integers(1, 12), st.sampled_from([4.95, 5.15, 9.0])), max_size=8)


class City:
    """Some assets in a town of two communes."""

    def __init__(self, placed: list[tuple[str, str]]) -> None:
        self.registry = Registry(CATALOGUE, POINTS)
        self.registry.add([record(no, kind, area=path) for no, (kind, path) in enumerate(placed, 1)])
        self.picture = Picture(self.registry)
        whereabouts = Whereabouts(self.registry, [area("West", 4.9, 5.1), area("East", 5.1, 5.3)])
        self.standing = Standing(self.registry, self.picture, Conditions(self.registry), whereabouts)
        self.visibility = Visibility(self.registry, self.standing)
        self.at: dict[int, str] = {}
        self.now_us = NOW_US

    def drive(self, no: int, lon: float) -> None:
        """Sends a mover somewhere; anything else stays."""
        kind = self.registry.kind_of(no) if no < self.registry.count else None
        if kind is None or "position" not in kind.points:
            return
        self.now_us += 1
        slot = np.array([self.registry.slot(no, kind.points["position"])])
        one = np.array([self.now_us])
        batch = Batch(slot, one, np.array([lon]), np.array([47.0]), np.zeros(1, np.uint8))
        self.standing.folded(self.picture.fold(batch, self.now_us), self.now_us)
        self.at[no] = {4.95: "town/west", 5.15: "town/east"}.get(lon, "")

    def expected(self, scope: Scope, *, public: bool, follows: bool) -> list[bool]:
        """What the Scope says of each asset, one by one."""
        said: list[bool] = [False]
        for no in range(1, self.registry.count):
            kind = self.registry.kind_of(no)
            paths = [self.registry.areas[int(self.registry.area[no])]]
            if follows and kind.follows_place and no in self.at:
                paths.append(self.at[no])
            placements = [Placement(path, kind.service, kind.verb, kind.public) for path in paths]
            said.append(any(scope.sees(each) if public else scope.covers(each) for each in placements))
        return said


@settings(max_examples=120, deadline=None)
@given(assets, places, places, scopes, st.sampled_from(list(Verb)))
def test_masks_say_what_the_scope_says(
    placed: list[tuple[str, str]],
    first: list[tuple[int, float]],
    then: list[tuple[int, float]],
    scope: Scope,
    verb: Verb,
) -> None:
    city = City(placed)
    for moves in (first, then):
        for no, lon in moves:
            city.drive(no, lon)
        assert city.visibility.mask(scope).tolist() == city.expected(scope, public=True, follows=True)
        assert city.visibility.covered(scope).tolist() == city.expected(scope, public=False, follows=True)
        allowed = city.visibility.mask(scope, verb).tolist()
        assert allowed == city.expected(scope.may(verb), public=False, follows=False)
    # An asset is taken in, and another is put into another area: the masks follow.
    count = city.registry.count
    city.registry.add([record(1, placed[0][0], area="town/new"), record(count, "luminaire", area="town/west")])
    city.at.pop(1, None) if "position" not in city.registry.kind_of(1).points else None
    assert city.visibility.mask(scope).tolist() == city.expected(scope, public=True, follows=True)


@settings(max_examples=60, deadline=None)
@given(assets, places, scopes)
def test_what_was_seen_somewhere_is_what_would_be_seen_there(
    placed: list[tuple[str, str]], moves: list[tuple[int, float]], scope: Scope
) -> None:
    city = City(placed)
    numbers = np.arange(1, city.registry.count)
    here = city.standing.area[numbers].copy()
    before = city.visibility.mask(scope).copy()
    for no, lon in moves:
        city.drive(no, lon)
    assert city.visibility.seen_in(scope, numbers, here).tolist() == before[1:].tolist()


def test_few_scopes_are_kept(monkeypatch) -> None:
    monkeypatch.setattr("vigie.engine.visibility.SCOPES_MAX", 2)
    city = City([("luminaire", "town/west")])
    for path in AREAS:
        scope = Scope(frozenset({Grant(path, frozenset({"lighting"}), frozenset({Verb.SEE}))}))
        assert city.visibility.covered(scope)[1] == (path in ("", "town", "town/west"))
