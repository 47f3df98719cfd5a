"""The live door of a post: what it tells is said in the words of the API."""

from __future__ import annotations

from collections.abc import Sequence

from vigie.api.access import Access, Caller
from vigie.api.acts.base import Bench
from vigie.api.acts.forms import CommandForm
from vigie.api.acts.orders import Orders
from vigie.api.city import describe, forms
from vigie.api.city.figures import figures
from vigie.api.live import Hub
from vigie.app.city import sources_of
from vigie.app.installation import Installation
from vigie.app.post import Post
from vigie.core.lives import COMMAND
from vigie.engine.conditions import Condition

EPOCH_BYTES = 8


class Words:
    """See `vigie.api.live.Describe`."""

    def __init__(self, bench: Bench) -> None:
        self._sources, self._orders = bench.sources, Orders(bench)

    def alarms(self, caller: Caller, conditions: Sequence[Condition]) -> list[forms.Alarm]:
        """As GET conditions lists them."""
        sources = self._sources
        by = describe.acknowledgers(sources, caller, conditions)
        people = sources.facts.sheets.names(by.values()) if by else {}
        return describe.alarms(sources.engine, sources.sight(caller), conditions, sources.clock.now_us(), by, people)

    def readings(self, caller: Caller, asset: int) -> list[forms.Reading]:
        """As an asset's sheet has them."""
        sources = self._sources
        return describe.readings(sources.engine, sources.sight(caller), asset, sources.clock.now_us())

    def conditions_of(self, caller: Caller, asset: int) -> list[forms.ConditionOfAsset]:
        """As an asset's sheet has them."""
        engine = self._sources.engine
        covered = engine.visibility.covered(caller.scope)[asset]
        return [describe.condition_of_asset(each) for each in engine.conditions.of(asset)] if covered else []

    def figures(self, caller: Caller) -> forms.Figures:
        """As GET figures tells them."""
        sources = self._sources
        return figures(sources.engine, sources.services, caller.scope, sources.clock.now_us())

    def commands(self, caller: Caller, since: int | None) -> list[CommandForm]:
        """As GET commands lists them: what automations order is no news to anybody."""
        return [
            self._orders.now(caller, each)
            for each in self._sources.engine.commands
            if (each.state not in COMMAND.last if since is None else each.changed > since)
            and not each.is_automatic
            and self._orders.sees(caller, each)
        ]


def live_hub(opened: Installation, post: Post, access: Access) -> Hub:
    """The hub, to be run beside the post. Its epoch is of this process: no other's versions mean anything to it."""
    words = Words(Bench(sources_of(opened, post), post.acts, post.pump))
    return Hub(post.engine, opened.clock, access, words, opened.dice.bytes(EPOCH_BYTES).hex())
