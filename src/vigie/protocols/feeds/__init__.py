"""Feeds: what cities publish of their counts, stations and buses, read as the readings that devices would send. Pure.

How a replay goes:

    mapping = shipped_feed("berlin-counts")
    feed = read_feed(mapping, {"berlin_mq_hr_2024_03.csv.gz": ..., "berlin_detectors.xlsx": ...})
    ...                                                    # the post takes feed.drafts in
    course = course_of(Shift.NOW, 60.0, feed.observations, zone=feed.zone, now_us=...)
    course.observed_us(at), course.due_us(at)              # when each is said to be observed, and when it is sent
"""

from vigie.protocols.feeds.courses import Course, Shift, course_of
from vigie.protocols.feeds.limits import FeedError, FeedLimits
from vigie.protocols.feeds.mapping import FeedMapping, read_feed_mapping
from vigie.protocols.feeds.mappings import shipped_feed, shipped_feeds
from vigie.protocols.feeds.reading import FeedRead, FileRead, Observation, RowRejected, read_feed
from vigie.protocols.feeds.times import Times
from vigie.protocols.feeds.writing import write_feed

__all__ = [
    "Course",
    "FeedError",
    "FeedLimits",
    "FeedMapping",
    "FeedRead",
    "FileRead",
    "Observation",
    "RowRejected",
    "Shift",
    "Times",
    "course_of",
    "read_feed",
    "read_feed_mapping",
    "shipped_feed",
    "shipped_feeds",
    "write_feed",
]
