"""Whoever takes the frames of a viewport, whenever they like, sees what there is to see, and nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.engine.test_standing import BUS, CABINET, LAMP, City, record
from tests.live import GONE, Screen, read_frame
from vigie.api.live import feeds
from vigie.api.live.hub import Hub
from vigie.api.live.maps import MapFeed, Viewport
from vigie.core.scope import Grant, Scope, Verb
from vigie.core.service import Clear, Raise
from vigie.core.times import SECOND_US
from vigie.engine.standing import OLD
from vigie.engine.visibility import Visibility
from vigie.services.lighting.conditions import DOOR_OPEN, LAMP_OUT

VEHICLE, JUNCTION, STREET = 4, 5, 6

SEE = frozenset({Verb.SEE})
CREW = frozenset({Verb.SEE, Verb.SEE_CREW})
ALL = frozenset({"*"})

SCOPES = {
    "everything": Scope.everything(),
    "nobody": Scope(),
    "west": Scope(frozenset({Grant("town/west", ALL, CREW)})),
    "east": Scope(frozenset({Grant("town/east", ALL, CREW)})),
    "lighting": Scope(frozenset({Grant("", frozenset({"lighting"}), SEE)})),
}
VIEWS = {
    "all": Viewport(None, None),
    "west": Viewport((4.9, 46.0, 5.1, 48.0), None),
    "east": Viewport((5.1, 46.0, 5.3, 48.0), None),
    "lamps": Viewport((4.9, 46.0, 5.3, 48.0), frozenset({0})),
}


class Town(City):
    """A town with movers, and its live door without sockets."""

    def __init__(self) -> None:
        super().__init__()
        self.registry.add([record(VEHICLE, "vehicle"), record(JUNCTION, "junction"), record(STREET, "street")])
        self.now_us = 1_795_486_000_000_000
        self.visibility = Visibility(self.registry, self.standing)
        self.kinds = [self.registry.kinds.index(self.registry.kind_of(no)) for no in range(1, 7)]
        self.hub = Hub(
            cast("Any", self), cast("Any", SimpleNamespace(now_us=lambda: self.now_us)), cast("Any", None),
            cast("Any", None), "epoch",
        )  # fmt: skip

    def feed(self, view: str, scope: str) -> MapFeed:
        """The feed of a viewport for a scope, both by name."""
        looked = VIEWS[view]
        if looked.kinds is not None:
            looked = Viewport(looked.bounds, frozenset({self.registry.kind_codes["luminaire"]}))
        return MapFeed(self.hub.source, looked, SCOPES[scope])


@dataclass
class Watcher:
    """A browser that takes what there is when it is asked to."""

    feed: MapFeed
    screen: Screen
    mark: int | None = None

    def take(self) -> None:
        self._show(self.feed.tell(self.mark))

    def come_back(self, epoch: str) -> None:
        """Opens its socket again."""
        self._show(self.feed.resume(epoch, self.screen.version))

    def _show(self, telling: feeds.Telling | None) -> None:
        if telling is not None:
            for frame in telling.frames:
                self.screen.take(*read_frame(frame.bytes_for(1)))
            self.mark = telling.mark


def check(town: Town, view: str, scope: str, screen: Screen) -> None:
    """Sets a screen against the columns themselves."""
    standing, visibility = town.standing, town.visibility
    seen, whole = visibility.mask(SCOPES[scope]), visibility.covered(SCOPES[scope])
    viewport = VIEWS[view]
    for no in range(1, standing.count):
        kind = town.registry.kind_of(no)
        one = np.array([no])
        inside = bool(viewport.holds(standing.lon[one], standing.lat[one])[0])
        inside = inside and (viewport.kinds is None or kind.kind == "luminaire")
        gone = bool(standing.flags[no] & GONE)
        public = kind.points[kind.shown].public if kind.shown else False
        told = screen.picture.get(no)
        if inside and not gone and seen[no] and (whole[no] or public):
            value = float(standing.value_of(one)[0])
            if told is None:
                assert np.isnan(value)
                assert not standing.worst[no]
            else:
                assert told["value"] == value or (np.isnan(told["value"]) and np.isnan(value))
                assert told["worst"] == (standing.worst[no] if whole[no] else 0)
                assert int(told["flags"]) == int(standing.flags[no]) & (255 if whole[no] else OLD | GONE)
        elif told is not None and inside and seen[no] and not gone:
            assert np.isnan(told["value"])
            assert (told["worst"], int(told["flags"]) & ~OLD) == (0, 0)
        elif told is not None and not kind.points.get("position"):
            assert int(told["flags"]) & GONE, f"{kind.kind} {no} is still there"
        place = kind.points.get("position")
        if place is not None:
            at = standing.placed_s_of(one)[0]
            shown = inside and not gone and seen[no] and (whole[no] or place.public) and not np.isnan(at)
            assert (no in screen.movers) == bool(shown)
            if shown:
                mover = screen.movers[no]
                assert (mover["lon"], mover["lat"]) == (standing.lon[no], standing.lat[no])
                assert bool(int(mover["flags"]) & OLD) == bool(standing.place_old[no])


steps = st.lists(
    st.one_of(
        st.tuples(st.just("level"), st.just(LAMP), st.integers(0, 3)),
        st.tuples(st.just("door"), st.just(CABINET), st.integers(0, 1)),
        st.tuples(st.just("out"), st.just(LAMP), st.integers(0, 1)),
        st.tuples(st.just("drive"), st.sampled_from([BUS, VEHICLE]), st.integers(0, 4)),
        st.tuples(st.just("activity"), st.just(VEHICLE), st.integers(0, 2)),
        st.tuples(st.just("put"), st.just(LAMP), st.integers(0, 1)),
        st.tuples(st.just("retire"), st.sampled_from([LAMP, CABINET, BUS]), st.integers(0, 1)),
        st.tuples(st.just("wait"), st.just(0), st.integers(0, 2_000)),
        st.tuples(st.just("tick"), st.just(0), st.integers(0, 7)),
        st.tuples(st.just("back"), st.just(0), st.integers(0, 3)),
    ),
    max_size=40,
)


def do(town: Town, what: str, asset: int, argument: int) -> None:
    """One thing that happens in the town."""
    now_us = town.now_us
    match what:
        case "level":
            town.send([(asset, "level", float(argument), np.nan)], now_us)
        case "activity":
            town.send([(asset, "activity", float(argument), np.nan)], now_us)
        case "drive":
            town.send([(asset, "position", 4.95 + argument / 10, 47.0)], now_us)
        case "door" | "out":
            kind = DOOR_OPEN if what == "door" else LAMP_OUT
            town.raise_(Raise(kind, asset, now_us, {}) if argument else Clear(kind, asset, now_us))
        case "put":
            east = {"lon": 5.2, "area": "town/east"} if argument else {}
            town.registry.add([record(asset, "luminaire", **east)])
        case "retire":
            kind = town.registry.kind_of(asset).kind
            town.registry.add([record(asset, kind, retired_us=now_us if argument else None)])
        case _:
            town.now_us += argument * SECOND_US


# What had left somebody's own area was told as unknown, and its end was not told.
@example([("put", LAMP, 1), ("level", LAMP, 0), ("put", LAMP, 0), ("tick", 0, 0), ("retire", LAMP, 1)], "all", "east")
@settings(max_examples=150, deadline=None)
@given(steps, st.sampled_from(sorted(VIEWS)), st.sampled_from(sorted(SCOPES)))
def test_a_screen_shows_what_there_is_however_late_it_looks(
    happened: list[tuple[str, int, int]], view: str, scope: str
) -> None:
    town = Town()
    # One looks at each tick, one only at some, one loses its socket now and then.
    watchers = [Watcher(town.feed(view, scope), Screen()) for _ in range(3)]
    town.hub.tick()
    for watcher in watchers:
        watcher.take()
    for what, asset, argument in [*happened, ("tick", 0, 7)]:
        town.now_us += 1
        if what == "tick":
            town.hub.tick()
            for bit, watcher in enumerate(watchers):
                if bit == 0 or argument >> bit & 1:
                    watcher.take()
                    check(town, view, scope, watcher.screen)
        elif what == "back":
            town.hub.tick()
            watchers[0].take()
            watchers[2].come_back("another" if argument == 0 else watchers[2].screen.epoch)
            check(town, view, scope, watchers[2].screen)
        else:
            do(town, what, asset, argument)


def told(town: Town, watcher: Watcher) -> list[int]:
    """The numbers that the next look tells of."""
    before = dict(watcher.screen.picture)
    town.hub.tick()
    watcher.take()
    return [no for no, row in watcher.screen.picture.items() if before.get(no) is not row]


def test_resuming_tells_what_changed_since_and_nothing_else() -> None:
    town = Town()
    town.send([(LAMP, "level", 1.0, np.nan), (CABINET, "supply", 0.0, np.nan)])
    town.hub.tick()
    watcher = Watcher(town.feed("all", "everything"), Screen())
    watcher.take()
    known = watcher.screen.version
    town.send([(LAMP, "level", 2.0, np.nan)], town.now_us + 1)
    town.hub.tick()
    back = list(watcher.feed.resume(watcher.screen.epoch, known).frames)
    assert [(f.header["type"], f.header["rows"], f.header.get("version")) for f in back] == [
        ("delta", 1, town.hub.moment.version)
    ]
    nothing = list(watcher.feed.resume(watcher.screen.epoch, town.hub.moment.version).frames)
    assert [(f.header["type"], f.header["rows"]) for f in nothing] == [("delta", 0)]


@pytest.mark.parametrize("case", ["another epoch", "the future", "too old", "other rights"])
def test_what_cannot_be_resumed_is_a_snapshot_and_says_so(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vigie.engine.standing.DEPARTURES_MAX", 2)
    town = Town()
    town.hub.tick()
    watcher = Watcher(town.feed("all", "everything"), Screen())
    watcher.take()
    epoch, version = watcher.screen.epoch, watcher.screen.version
    feed = watcher.feed
    match case:
        case "another epoch":
            epoch = "f00d"
        case "the future":
            version = 10_000
        case "too old":
            for n in range(5):
                town.send([(BUS, "position", 5.0 + n / 100, 47.0)], town.now_us + n)
                town.hub.tick()
        case _:
            feed = town.feed("all", "west")
    first = next(iter(feed.resume(epoch, version).frames))
    assert first.header["type"] == "snapshot"
    assert first.header["forget"], "what was told before may be wrong by now"


def test_equal_listeners_share_one_frame_and_ticks_without_news_tell_nothing() -> None:
    town = Town()
    feed = town.feed("all", "everything")
    town.hub.tick()
    first = feed.tell(None)
    assert first is not None
    list(first.frames)
    town.send([(LAMP, "level", 1.0, np.nan)])
    town.hub.tick()
    one, other = feed.tell(first.mark), feed.tell(first.mark)
    assert one is not None
    assert other is not None
    assert next(iter(one.frames)) is next(iter(other.frames))
    town.hub.tick()
    assert feed.tell(one.mark) is None


def test_consoles_that_all_show_the_whole_city_look_at_the_same() -> None:
    extent = (5.0, 47.0, 5.2, 47.5)
    assert Viewport.of((4.0, 46.0, 6.0, 48.0), None, extent) == Viewport.of((4.1, 46.0, 6.0, 48.0), None, extent)
    assert Viewport.of((5.1, 46.0, 6.0, 48.0), None, extent).bounds == (5.1, 46.0, 6.0, 48.0)


def test_a_great_snapshot_comes_in_parts_and_the_last_has_the_version(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("vigie.api.live.maps.RANGE", 2)
    town = Town()
    town.send([(LAMP, "level", 1.0, np.nan), (CABINET, "supply", 0.0, np.nan), (BUS, "position", 5.0, 47.0)])
    town.send([(VEHICLE, "position", 5.0, 47.0), (VEHICLE, "activity", 1.0, np.nan)])
    town.hub.tick()
    telling = town.feed("all", "everything").tell(None)
    assert telling is not None
    frames = list(telling.frames)
    assert [(f.header["type"], f.header.get("moving", False)) for f in frames] == [
        ("snapshot", False), ("delta", False), ("delta", False), ("snapshot", True),
    ]  # fmt: skip
    assert ["version" in f.header for f in frames] == [False, False, False, True]
    screen = Screen()
    for frame in frames:
        screen.take(*read_frame(frame.bytes_for(1)))
    check(town, "all", "everything", screen)
