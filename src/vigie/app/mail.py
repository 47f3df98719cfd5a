"""Mail to residents, composed from the settings."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from functools import cache
from typing import Literal
from zoneinfo import ZoneInfo

import structlog

from vigie.api.mailing import Outbox, Sender, trial
from vigie.api.mailing.letters import Links
from vigie.api.open311 import PREFIX, STOP
from vigie.api.problems import Problem
from vigie.api.session import is_loopback
from vigie.app.installation import POST_ID, Installation, secret_key
from vigie.app.open311 import KEY, token_by
from vigie.app.post import Post
from vigie.core.facts import RESIDENT, InstallationMade
from vigie.core.mail import NoAddress, mail_address
from vigie.core.service import Clear
from vigie.engine.cases import Case
from vigie.engine.ports import StorageFull
from vigie.services.roads.telling import MAIL_UNSENT
from vigie.settings import Settings, SettingsWrong
from vigie.store.mailing import ADDRESS, LANGUAGE
from vigie.transports.mail import MailServer, connected

ERASED_BY = "asked for by whoever reported it"
"""The rule under which an address is erased before its time."""

_log = structlog.get_logger("vigie.mail")


def server_of(settings: Settings) -> MailServer | None:
    """The server that takes mail from the post; None where none is set. Raises SettingsWrong."""
    if not settings.smtp_host:
        return None
    security: Literal["starttls", "tls", "none"]
    security = "none" if settings.smtp_security == "none_anywhere" else settings.smtp_security
    here = settings.smtp_host == "localhost" or is_loopback(settings.smtp_host)
    if settings.smtp_security == "none" and not here:
        raise SettingsWrong("smtp_security is none on this machine alone: say starttls, tls, or none_anywhere")
    if security == "none" and settings.smtp_username and not here:
        raise SettingsWrong("smtp_username: a password goes to another machine under TLS alone")
    password: str = settings.smtp_password
    if settings.smtp_password_file is not None:
        try:
            password = settings.smtp_password_file.read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise SettingsWrong(f"smtp_password_file: {settings.smtp_password_file} cannot be read: {error}") from None
    name = _address(settings).rpartition("@")[2]
    return MailServer(
        settings.smtp_host, settings.smtp_port, security, name, settings.smtp_username, password,
        settings.smtp_authority,
    )  # fmt: skip


def sender_of(settings: Settings, city: str) -> Sender:
    """Who writes. Raises SettingsWrong."""
    if not settings.public_url:
        raise SettingsWrong("public_url: say where residents reach the post: the links in mails lead there")
    name = settings.mail_name or city
    if not name.isprintable():
        raise SettingsWrong("mail_name is no name: it has characters that cannot be written")
    url = settings.public_url.rstrip("/")
    return Sender(_address(settings), name, url, city, ZoneInfo(settings.zone))


def _address(settings: Settings) -> str:
    try:
        return mail_address(settings.mail_from)
    except NoAddress as error:
        raise SettingsWrong(f"mail_from: {error}") from None


def mailing(opened: Installation, post: Post) -> Outbox | None:
    """What tells residents by mail as long as the post runs; None where no server is set: then
    nothing that happens is told, nor later. Raises SettingsWrong."""
    stored, settings = opened.facts.mail, opened.settings
    server, number = server_of(settings), post.engine.registry.numbers[POST_ID]
    if server is None:
        stored.cease()
        now_us = opened.clock.now_us()
        post.engine.apply([Clear(MAIL_UNSENT, number, now_us)], post.engine.next_ingest, f"roads.mail.{now_us}", now_us)
        return None
    made = opened.facts.journal.lines(before=1)[0].fact
    assert isinstance(made, InstallationMade)
    sender = sender_of(settings, made.city)
    stored.begin()
    outbox = Outbox(
        server, sender, settings.mail_per_minute, stored, opened.facts.cases, post.engine, opened.clock, number,
        _linking(opened.settings, sender.url), post.pump.run_in_writer, post.pump.settled,
    )  # fmt: skip
    post.beside.append(outbox.run)
    return outbox


def _linking(settings: Settings, url: str) -> Callable[[Case], Links]:
    """What is opened from a mail of a report; raises OSError until the key was read once."""

    @cache
    def key() -> bytes:
        return secret_key(settings.data / KEY)

    def links(case: Case) -> Links:
        return Links(
            f"{url}{PREFIX}/reports/{case.no}-{token_by(key(), case.id)}",
            f"{url}{PREFIX}/stop/{case.no}-{token_by(key(), STOP + case.id)}",
        )

    return links


async def forget_address(opened: Installation, post: Post, case: Case) -> None:
    """Erases where to, and in which language, is told what becomes of a report; the journal says so. Raises Problem."""
    kept = await asyncio.to_thread(opened.facts.cases.contact, case.id)
    named = {ADDRESS: "mail", LANGUAGE: "language"}
    fields = [f"{case.id}/{field}" for field, name in named.items() if name in kept]

    def work() -> None:
        if fields:
            opened.erase(fields, ERASED_BY, RESIDENT)
        opened.facts.mail.forget(case.id)

    try:
        await post.pump.run_in_writer(work)
    except (StorageFull, OSError) as error:
        _log.error("an address could not be erased", case=case.id, reason=str(error))
        raise Problem(507, "Disk full", "What you asked for cannot be written down, so it was not done.") from error


async def try_mail(settings: Settings, to: str, now_us: int, unique: bytes) -> str:
    """Sends a mail that tells nothing but that it came; returns where it was handed in. Raises SettingsWrong,
    NoAddress, MailFailed, Refused."""
    server = server_of(settings)
    if server is None:
        raise SettingsWrong("smtp_host: no server is set that takes mail")
    sender, address = sender_of(settings, settings.city), mail_address(to)
    async with connected(server) as link:
        await link.send(trial(address, sender, now_us, unique), sender.address, address)
    return f"{server.host}:{server.port}"
