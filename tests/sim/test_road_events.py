"""The keeper of the roads around: what is told follows from seed and instant, is read as it was meant, and is sent only
where it has changed."""

from __future__ import annotations

import gzip

import numpy as np

from tests import metropolis
from tests.city import NOW_US
from vigie.core.times import DAY_US
from vigie.protocols.datex2 import read
from vigie.sim.road_events import PATH, SLOT_US, RoadEvents
from vigie.transports.http_end import Asked


def test_what_is_told_follows_from_the_instant_and_is_sent_only_where_it_has_changed() -> None:
    city, at_us = metropolis.city(), [NOW_US]
    keeper, again = (RoadEvents(city, lambda: at_us[0]) for _ in range(2))
    first = keeper.answer(Asked("GET", PATH, {"accept-encoding": "gzip"}, b""))
    assert first == again.answer(Asked("GET", PATH, {"accept-encoding": "gzip"}, b""))
    reading = read(gzip.decompress(first.body))
    assert reading.publication.situations == keeper.situations(NOW_US)
    assert not reading.deviations
    tag = dict(first.headers)["etag"]
    at_us[0] += 1
    assert keeper.answer(Asked("GET", PATH, {"if-none-match": tag}, b"")).status == 304
    at_us[0] += DAY_US
    assert keeper.answer(Asked("GET", PATH, {"if-none-match": tag}, b"")).status == 200
    assert keeper.answer(Asked("GET", "/other", {}, b"")).status == 404


def test_a_few_things_are_so_at_a_time_and_each_comes_and_goes() -> None:
    keeper = RoadEvents(metropolis.city(), lambda: 0)
    told = [keeper.situations(NOW_US + n * SLOT_US) for n in range(0, 144, 3)]
    assert 0.5 < float(np.mean([len(each) for each in told])) < 8
    seen = {each.id: each for some in told for each in some}
    assert len(seen) > 25
    for each in seen.values():
        validity = each.records[0].validity
        assert validity.ends_us is not None
        assert len(each.records[0].places[0].points) > 1
        assert each not in keeper.situations(validity.begins_us - 1)
        assert each in keeper.situations(validity.begins_us)
        assert each not in keeper.situations(validity.ends_us)
