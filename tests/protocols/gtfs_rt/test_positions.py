"""Where vehicles are, as an operator tells it: written and read, and what is none."""

from __future__ import annotations

import pytest
from google.transit import gtfs_realtime_pb2 as gtfs
from hypothesis import given
from hypothesis import strategies as st

from vigie.core.observations import Outcome
from vigie.core.times import SECOND_US
from vigie.protocols.gtfs_rt import Standing, Unreadable, read_positions, write_positions

AT_US = 1_795_000_000 * SECOND_US
TIMES = st.integers(1, 2**33 - 1).map(lambda second: second * SECOND_US)
STANDING = st.builds(
    Standing,
    st.text(min_size=1, max_size=20),
    TIMES,
    st.floats(-180, 180, width=32).filter(lambda lon: abs(lon) > 0.001),
    st.floats(-90, 90, width=32),
    st.none() | st.floats(0, 359, width=32),
)


def one(**said: object) -> bytes:
    """A feed of one vehicle, of which only this is said."""
    feed = gtfs.FeedMessage()
    feed.header.gtfs_realtime_version = "2.0"
    entity = feed.entity.add(id="e")
    entity.vehicle.SetInParent()
    for name, value in said.items():
        target: object = entity.vehicle
        *way, last = name.split("__")
        for each in way:
            target = getattr(target, each)
        setattr(target, last, value)
    return feed.SerializeToString()


@given(st.lists(STANDING, max_size=5), TIMES)
def test_what_is_written_is_read(standing: list[Standing], made_us: int) -> None:
    found = read_positions(write_positions(standing, made_us), "bus-{id}")
    assert (found.made_us, found.readings.refused) == (made_us, [])
    rows = zip(
        found.readings.assets, found.readings.points, found.readings.values, found.readings.observed_us, strict=True
    )
    places = [row for row in rows if row[1] == "position"]
    assert [(asset, at_us) for asset, _, _, at_us in places] == [
        (f"bus-{each.vehicle}", each.at_us) for each in standing
    ]
    for (_, _, value, _), each in zip(places, standing, strict=True):
        assert value == pytest.approx((each.lon, each.lat), abs=1e-5)
    headings = [n for n, point in enumerate(found.readings.points) if point == "heading"]
    assert len(headings) == sum(each.heading_deg is not None for each in standing)


def test_a_vehicle_is_called_by_what_the_feed_says_of_it_and_its_time_may_be_the_feeds() -> None:
    feed = gtfs.FeedMessage()
    feed.header.gtfs_realtime_version = "2.0"
    feed.header.timestamp = AT_US // SECOND_US
    entity = feed.entity.add(id="e")
    entity.vehicle.vehicle.label, entity.vehicle.trip.route_id = "412", "L3"
    entity.vehicle.position.latitude, entity.vehicle.position.longitude = 47.32, 5.04
    entity.vehicle.position.bearing, entity.vehicle.position.speed = 725.5, 13.0
    # What is withdrawn, and what is no vehicle, is passed over.
    feed.entity.add(id="gone", is_deleted=True).vehicle.CopyFrom(entity.vehicle)
    feed.entity.add(id="a").alert.SetInParent()
    readings = read_positions(feed.SerializeToString(), "{route_id}/{label}").readings
    assert (readings.assets, readings.points) == (["L3/412"] * 2, ["position", "heading"]), "nobody's speed is read"
    assert (readings.values, readings.observed_us) == ([(5.04, 47.32), 5.5], [AT_US] * 2)


@pytest.mark.parametrize(
    "said",
    [
        {"timestamp": 5, "position__latitude": 47.0, "position__longitude": 5.0},
        {"vehicle__id": "b", "position__latitude": 47.0, "position__longitude": 5.0},
        {"vehicle__id": "b", "timestamp": 2**60, "position__latitude": 47.0, "position__longitude": 5.0},
        {"vehicle__id": "b", "timestamp": 5},
        {"vehicle__id": "b", "timestamp": 5, "position__latitude": 0.0, "position__longitude": 0.0},
    ],
)
def test_who_does_not_say_who_where_or_when_refuses_itself_alone(said: dict[str, object]) -> None:
    good = gtfs.FeedMessage.FromString(
        one(vehicle__id="g", timestamp=5, position__latitude=47.0, position__longitude=5.0)
    )
    good.MergeFrom(gtfs.FeedMessage.FromString(one(**said)))
    readings = read_positions(good.SerializeToString(), "{id}").readings
    assert (readings.assets, [each.outcome for each in readings.refused]) == (["g"], [Outcome.MALFORMED])


def test_a_feed_of_changes_alone_is_none() -> None:
    feed = gtfs.FeedMessage()
    feed.header.gtfs_realtime_version = "2.0"
    feed.header.incrementality = gtfs.FeedHeader.DIFFERENTIAL
    with pytest.raises(Unreadable, match="changes alone"):
        read_positions(feed.SerializeToString(), "{id}")


@given(st.binary(max_size=200))
def test_rubbish_is_refused_whole_or_tells_nothing_that_is_wrong(body: bytes) -> None:
    feed = write_positions([Standing("b", AT_US, 5.0, 47.0)], AT_US)
    for said in (body, feed[: len(body) % len(feed)], feed + body):
        try:
            found = read_positions(said, "{id}")
        except Unreadable:
            continue
        assert all(at_us > 0 for at_us in found.readings.observed_us)
