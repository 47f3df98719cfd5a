"""What stands in a mail to who reported something: the steps of their report, how to follow it, how to be told no more.

Of the report it says what and in which street, and nothing of its words; of others nothing at all.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from email.headerregistry import Address, HeaderRegistry, UnstructuredHeader
from email.message import EmailMessage
from email.policy import SMTP, Policy
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlsplit

from vigie.api.words import instant, words
from vigie.core.times import DAY_US, from_us
from vigie.engine.cases import Case
from vigie.services.roads.reports import REPORT
from vigie.services.roads.telling import folded
from vigie.store.mailing import Waiting

WHY_LENGTH_MAX = 1_000


class _Unfolded(UnstructuredHeader):
    """A header that is one word: where it is longer than a line, it would be encoded, and nobody could read it."""

    def fold(self: Any, *, policy: Policy) -> str:
        return f"{self.name}: {self}{policy.linesep}"


def _policy() -> Any:
    headers: Any = HeaderRegistry()
    for name in ("list-id", "list-unsubscribe", "message-id", "references"):
        headers.map_to_type(name, _Unfolded)
    return SMTP.clone(header_factory=headers)


_POLICY = _policy()


@dataclass(frozen=True, slots=True)
class Sender:
    """Who writes. address, name: of whom the mails are. url: where the post answers residents, without a slash at its
    end. city: what the town is called; zone: by whose clock it says when something was."""

    address: str
    name: str
    url: str
    city: str
    zone: tzinfo

    @property
    def host(self) -> str:
        """The host of the post, which its lists are named after."""
        return urlsplit(self.url).hostname or "localhost"

    @property
    def domain(self) -> str:
        """The domain of the address, which messages are named after."""
        return self.address.rpartition("@")[2]


@dataclass(frozen=True, slots=True)
class Links:
    """What is opened from a mail: the report's own page, and the one on which mail is stopped."""

    follow: str
    stop: str


def letter(
    mail: Waiting,
    case: Case,
    first: Case | None,
    to: str,
    language: str,
    sender: Sender,
    links: Links,
    why: Mapping[str, str],
    now_us: int,
) -> EmailMessage:
    """The mail. first: the report whose way it goes. language: "fr" or "en". why: by the leaf of a step, the reason
    that was written for whoever reported it. Raises ValueError for an address that is none."""  # fmt: skip
    said = words(language)
    told = [mail.steps[place] for place in folded([each.step for each in mail.steps])]
    what = said(f"case.category.{case.category}")
    lines = [
        said("mail.greeting"),
        "",
        said("mail.about.street" if case.street else "mail.about", number=case.no, what=what, street=case.street),
        "",
    ]
    for step in told:
        lines.append(f"- {instant(said, from_us(step.at_us).astimezone(sender.zone))} {said(f'mail.step.{step.step}')}")
        if step.leaf in why:
            lines.append(f"  {said('mail.why', why=' '.join(why[step.leaf].split())[:WHY_LENGTH_MAX])}")
    if case.state == "merged" and first is not None and told[-1].step in ("joined", "resumed"):
        lines.append(f"  {said('mail.first', state=said(f'open311.notes.{first.state}'))}")
    lines.append("")
    until_us = case.moved_us + REPORT.settles_days * DAY_US
    if case.state in ("closed", "rejected") and now_us < until_us:
        until = instant(said, from_us(until_us).astimezone(sender.zone), "mail.until")
        lines += [said(f"mail.reopen.{case.state}", until=until), links.follow]
    else:
        lines += [said("mail.follow"), links.follow]
    lines += ["", "-- ", said("mail.foot", city=sender.city), said("mail.stop"), links.stop]
    made = _made(said(f"mail.subject.{told[-1].step}", number=case.no), lines, to, language, sender, now_us)
    # Of the same steps it is the same.
    made["Message-ID"] = f"<{_digest(case.id, *(step.leaf for step in mail.steps))}@{sender.domain}>"
    # All mails of a report are one thread.
    made["References"] = f"<{_digest(case.id)}@{sender.domain}>"
    made["List-Id"] = f"<reports.{sender.host}>"
    made["List-Unsubscribe"] = f"<{links.stop}>"
    if links.stop.startswith("https:"):
        # One click is for https alone (RFC 8058).
        made["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
    return made


def trial(to: str, sender: Sender, now_us: int, unique: bytes) -> EmailMessage:
    """A mail that tells nothing but that it came."""
    said = words("fr")
    lines = [said("mail.trial"), words("en")("mail.trial"), "", "-- ", sender.city]
    made = _made(said("mail.trial.subject"), lines, to, "fr", sender, now_us)
    made["Message-ID"] = f"<{unique.hex()}@{sender.domain}>"
    return made


def _made(subject: str, lines: Sequence[str], to: str, language: str, sender: Sender, now_us: int) -> EmailMessage:
    made = EmailMessage(_POLICY)
    made["From"] = Address(sender.name, addr_spec=sender.address)
    made["To"] = Address(addr_spec=to)
    made["Subject"] = subject
    made["Date"] = format_datetime(from_us(now_us).astimezone(sender.zone))
    made["Auto-Submitted"] = "auto-generated"
    made.set_content("\n".join(lines) + "\n", charset="utf-8", cte="quoted-printable")
    made["Content-Language"] = language
    return made


def _digest(*said: str) -> str:
    """A name that follows from what it names, and tells nothing of it."""
    return hashlib.sha256("\n".join(said).encode()).hexdigest()[:32]
