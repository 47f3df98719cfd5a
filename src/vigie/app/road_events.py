"""What happens on the roads around, read from a feed into a post."""

from __future__ import annotations

from vigie.api.datex2 import SOURCE, RoadEvents
from vigie.app.installation import POST_ID, Installation
from vigie.app.post import Post
from vigie.engine.source import Source
from vigie.settings import SettingsWrong


def road_events(opened: Installation, post: Post) -> RoadEvents:
    """What reads the feed that the settings name, to be run beside the post. Raises SettingsWrong."""
    source = Source(post.engine, SOURCE, opened.facts.known_of(SOURCE))
    settings, number = opened.settings, post.engine.registry.numbers[POST_ID]
    try:
        return RoadEvents(
            settings.road_events_url, settings.road_events_s, post.engine, opened.clock, source, number,
            opened.new_id, post.pump.settled,
        )  # fmt: skip
    except ValueError as error:
        raise SettingsWrong(f"road_events_url: {error}") from error
