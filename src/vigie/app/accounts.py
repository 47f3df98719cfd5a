"""Accounts of an installation: the keeper as the command line has it, and as a running post has it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence

import structlog

from vigie.app.installation import Installation
from vigie.core.facts import Entry
from vigie.engine.keeper import Keeper, Means
from vigie.engine.passwords import Passwords
from vigie.engine.pump import Pump

_log = structlog.get_logger("vigie.accounts")


def keeper_of(opened: Installation, commit: Callable[[Sequence[Entry]], Awaitable[None]] | None = None) -> Keeper:
    """The keeper of the installation's accounts. commit: how facts are committed; directly where nothing else runs."""

    async def directly(entries: Sequence[Entry]) -> None:
        opened.facts.commit(entries)

    means = Means(
        commit=commit or directly,
        clock=opened.clock,
        dice=opened.dice,
        logins=opened.facts.accounts,
        because=opened.because,
        services=frozenset(service.name for service in opened.services),
    )
    return Keeper(opened.facts.accounts.directory(opened.clock.now_us()), Passwords(), means)


def keeper_of_post(opened: Installation, pump: Pump) -> Keeper:
    """The keeper of a running post: its facts go through the one writer."""

    async def through_the_writer(entries: Sequence[Entry]) -> None:
        def commit() -> None:
            opened.facts.commit(entries)

        await pump.run_in_writer(commit)

    keeper = keeper_of(opened, through_the_writer)
    if not keeper.directory.users:
        _log.warning("no account yet: stop the post and make the first with vigie users add")
    return keeper
