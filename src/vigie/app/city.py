"""The reading half of the API, and the pages, put together for a post."""

from __future__ import annotations

import importlib.metadata

from starlette.routing import Route

from vigie.api.access import Access
from vigie.api.city import reading_operations
from vigie.api.city.sources import Sources
from vigie.api.operation import Operation, routes
from vigie.api.pages import page_routes
from vigie.app.installation import Installation
from vigie.app.post import Post
from vigie.core.facts import InstallationMade


def sources_of(opened: Installation, post: Post) -> Sources:
    """What the API reads from."""
    made = opened.facts.journal.lines(before=1)[0].fact
    assert isinstance(made, InstallationMade)
    return Sources(
        engine=post.engine,
        facts=opened.facts,
        clock=opened.clock,
        name=made.city,
        zone=opened.settings.zone,
        shard=opened.shard,
        version=importlib.metadata.version("vigie"),
        key=opened.key.public_key().public_bytes_raw(),
    )


def api_routes(opened: Installation, post: Post, access: Access, others: list[Operation]) -> list[Route]:
    """All operations below /api/v1, and the pages. others: operations that do more than read."""
    operations = [*reading_operations(sources_of(opened, post)), *others]
    return [*routes(operations, access), *page_routes()]
