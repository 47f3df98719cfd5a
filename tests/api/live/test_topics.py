"""Two browsers that share a feed: whatever happens between the telling of one and of the other, both learn of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator

import pytest

from tests.api.city.desk import EVERYTHING, Desk, desk
from tests.city import NOW_US, SeededDice
from tests.live import read_frame
from vigie.api.access import Caller
from vigie.api.acts.base import Bench
from vigie.api.live import Hub
from vigie.api.live.feeds import Feed
from vigie.api.live.topics import AlarmFeed, CommandsFeed, WatchFeed
from vigie.app.live import Words
from vigie.engine.acts import Acts
from vigie.engine.pump import Pump
from vigie.engine.selection import Selection

CALLER = Caller("u-1", EVERYTHING, "session-0", "en")


class Town:
    """The desk's town, with what acts on it and a hub that tells of it."""

    def __init__(self, desk: Desk) -> None:
        clock = desk.sources.clock
        self.desk = desk
        self.engine = desk.engine
        # A device speaks for all of them.
        self.engine.registry.reporter[:] = 1
        self.acts = Acts(desk.engine, desk.facts, clock, SeededDice())
        bench = Bench(desk.sources, self.acts, Pump(desk.engine, clock))
        self.hub = Hub(desk.engine, clock, desk.access, Words(bench), "epoch")

    def order(self, asset: str) -> str:
        """Gives an order; returns its id."""
        everything = self.engine.visibility.mask(EVERYTHING)
        order = self.acts.understood("luminaire.dim", {"level": 50.0}, Selection(assets=[asset]), everything)
        return self.acts.order(order, actor="u-1").id

    def acknowledge(self, asset: str) -> str:
        """Acknowledges an asset's alarm; returns the alarm's id."""
        [alarm] = self.engine.conditions.of(self.engine.registry.numbers[asset])
        self.acts.move_condition(alarm, "acknowledge", "u-1")
        return alarm.id


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    with desk(tmp_path_factory.mktemp("desk")) as made:
        yield Town(made)


class Listener:
    """A browser at a feed: its mark, and the ids of what it was told of."""

    def __init__(self, feed: Feed) -> None:
        self._feed, self._mark = feed, None
        self.told: set[str] = set()

    def hear(self) -> set[str]:
        """What it has been told of so far."""
        telling = self._feed.tell(self._mark)
        if telling is not None:
            for frame in telling.frames:
                items = read_frame(frame.bytes_for(1))[0]["data"]["items"]
                self.told |= {json.dumps([each["id"], each["state"]]) for each in items}
            self._mark = telling.mark
        return self.told


@pytest.mark.parametrize(
    ("feed", "happen", "state"),
    [
        (CommandsFeed, lambda town, n: town.order(f"lamp-{n}-1"), "running"),
        (AlarmFeed, lambda town, n: town.acknowledge(f"junction-{n}"), "acknowledged"),
    ],
)
def test_what_happens_between_two_tellings_of_one_tick_is_told_to_both(
    town: Town, feed: Callable[..., Feed], happen: Callable[[Town, int], str], state: str
) -> None:
    shared = feed(town.hub.source, CALLER)
    first, second, late = (Listener(shared) for _ in range(3))
    town.hub.tick()
    first.hear()
    second.hear()
    town.hub.tick()
    ids = [happen(town, 0)]
    first.hear()
    late.hear()
    ids.append(happen(town, 1))
    second.hear()
    latest = Listener(shared)
    latest.hear()
    town.hub.tick()
    expected = {json.dumps([each, state]) for each in ids}
    for listener in (first, second, late, latest):
        assert expected <= listener.hear()


def test_who_becomes_private_while_their_sheet_is_open_is_not_told_of_and_the_sheet_is_read_again(town: Town) -> None:
    feed = WatchFeed(town.hub.source, CALLER, town.engine.registry.numbers["vehicle-1"])
    mark = None

    def told() -> list[dict[str, list[str]]]:
        nonlocal mark
        town.hub.tick()
        telling = feed.tell(mark)
        assert telling is not None
        mark = telling.mark
        data = [read_frame(frame.bytes_for(1))[0]["data"] for frame in telling.frames]
        return [{"points": [each["point"] for each in one["points"]]} if "points" in one else one for one in data]

    [whole] = told()
    assert whole["points"] == ["activity"]
    town.desk.report([("vehicle-1", "private", 1.0, NOW_US)])
    assert told() == [{"points": ["private"]}, {}]
    town.desk.report([("vehicle-1", "activity", "driving", NOW_US + 1)])
    assert told() == [{}]
