"""Accounts of an installation: the keeper as the command line has it, and as a running post has it."""

from __future__ import annotations

import ipaddress
from collections.abc import Awaitable, Callable, Sequence

import structlog

from vigie.app.installation import Installation
from vigie.core.facts import Entry
from vigie.engine.keeper import Keeper, Means
from vigie.engine.passwords import Passwords
from vigie.engine.pump import Pump
from vigie.settings import SettingsWrong

DEMO = "demo"
"""What an installation notes of itself when it has accounts whose passwords are known to everybody."""

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
        services=frozenset(service.name for service in opened.services),
    )
    return Keeper(opened.facts.accounts.directory(opened.clock.now_us()), Passwords(), means)


def keeper_of_post(opened: Installation, pump: Pump) -> Keeper:
    """The keeper of a running post: its facts go through the one writer. Raises SettingsWrong for the demo's accounts
    on an address that others can reach."""
    if opened.facts.meta(DEMO) and not _is_this_machine(opened.settings.host):
        raise SettingsWrong(
            f"{opened.settings.data} has the demo's accounts, whose passwords everybody knows: it answers on 127.0.0.1 "
            "alone. Make an installation of your own in another folder"
        )

    async def through_the_writer(entries: Sequence[Entry]) -> None:
        def commit() -> None:
            opened.facts.commit(entries)

        await pump.run_in_writer(commit)

    keeper = keeper_of(opened, through_the_writer)
    if not keeper.directory.users:
        _log.warning("no account yet: make the first with vigie users add")
    return keeper


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
