"""What is asked in GeoReport v2: the parameters of a list, and the form in which something is reported."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from urllib.parse import parse_qsl, urlencode

from vigie.core.mail import NoAddress, mail_address
from vigie.core.times import DAY_US, rfc3339, to_us

FIELDS_MAX = 200
REQUESTS_MAX = 500
"""So many may be asked for by their ids."""
PAGE_MAX = 1_000
"""So many are told at once, as the standard has it."""
PAGED = 50
"""So many, where somebody asks for a page and does not say of how many."""
SPAN_US = 90 * DAY_US
DEPTH_MAX = 20_000
"""Whoever turns pages beyond so many asks for fewer days."""

DESCRIPTION_LENGTH_MAX = 4_000
TEXT_LENGTH_MAX = 500
NAME_LENGTH_MAX, MAIL_LENGTH_MAX, PHONE_LENGTH_MAX = 150, 254, 100
"""Of each of two names, of an address of mail as RFC 5321 has it, and of a number."""
CODE_LENGTH_MAX = 40

STATUSES = ("open", "closed")
NOT_TOLD = frozenset({"no", "false", "0"})
"""What `email_updates`, which is not of the standard, says of who gives an address and wants no mail."""

_ATTRIBUTE = re.compile(r"attribute\[([^\[\]]{1,40})\](?:\[\d{0,3}\])?")
_DAY_LENGTH = len("2026-11-24 ")
_SPACES = re.compile(r"\s+")


class Unasked(ValueError):
    """What was asked cannot be; says why."""


@dataclass(frozen=True, slots=True)
class Query:
    """Which reports somebody asks for. ids: these, whatever else is said. since_us, until_us: when they were reported.
    statuses: open, closed; both where nothing is said. first: so many are passed over; most: so many are told."""

    since_us: int
    until_us: int
    ids: tuple[str, ...] = ()
    codes: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()
    first: int = 0
    most: int = PAGE_MAX


@dataclass(frozen=True, slots=True)
class Submission:
    """Something that is reported. lon, lat: NaN where no place is said in degrees. name, mail, phone: how to reach who
    reports it. told: whether they want to be told by mail how it goes, where they give an address. attributes: what was
    asked beside -> the answers."""

    service_code: str
    lon: float = math.nan
    lat: float = math.nan
    address: str = ""
    description: str = ""
    name: str = ""
    mail: str = ""
    phone: str = ""
    told: bool = True
    media_url: str = ""
    attributes: Mapping[str, Sequence[str]] = field(default_factory=dict[str, Sequence[str]])


def read_fields(text: str) -> list[tuple[str, str]]:
    """The fields of a form, or of an address. Raises Unasked."""
    try:
        return parse_qsl(text, keep_blank_values=True, max_num_fields=FIELDS_MAX, errors="strict")
    except (ValueError, UnicodeDecodeError) as error:
        raise Unasked(f"these are no fields, or more than {FIELDS_MAX}") from error


def read_query(fields: Sequence[tuple[str, str]], now_us: int) -> Query:
    """Which reports are asked for: of the last 90 days, where nothing is said. Raises Unasked."""
    said = dict(fields)
    since_us, until_us = _instant(said, "start_date"), _instant(said, "end_date")
    if since_us is None:
        until_us = now_us if until_us is None else until_us
        since_us = until_us - SPAN_US
    elif until_us is None:
        until_us = since_us + SPAN_US
    if not 0 <= until_us - since_us <= SPAN_US:
        raise Unasked("start_date and end_date span 90 days at most, the first before the second")
    page, most = _count(said, "page", 1), _count(said, "page_size", PAGED if "page" in said else PAGE_MAX)
    if most > PAGE_MAX or (page - 1) * most > DEPTH_MAX:
        raise Unasked(f"a page has {PAGE_MAX} at most, and begins before the {DEPTH_MAX}th: ask for fewer days")
    statuses = tuple(each for each in _listed(fields, "status"))
    if set(statuses) - set(STATUSES):
        raise Unasked("a status is open or closed")
    ids = tuple(dict.fromkeys(_listed(fields, "service_request_id")))
    if len(ids) > REQUESTS_MAX:
        raise Unasked(f"{REQUESTS_MAX} service_request_id at most")
    codes = tuple(dict.fromkeys(_listed(fields, "service_code")))
    return Query(since_us, until_us, ids, codes, statuses, (page - 1) * most, most)


def encode_query(query: Query, jurisdiction: str = "") -> str:
    """The same as parameters: the application's end."""
    said = {"jurisdiction_id": jurisdiction} if jurisdiction else {}
    said |= {"start_date": rfc3339(query.since_us), "end_date": rfc3339(query.until_us)}
    lists = {"service_request_id": query.ids, "service_code": query.codes, "status": query.statuses}
    said |= {name: ",".join(values) for name, values in lists.items() if values}
    return urlencode(said | {"page": str(query.first // query.most + 1), "page_size": str(query.most)})


def submission_of(fields: Sequence[tuple[str, str]]) -> Submission:
    """What a form reports. Raises Unasked."""
    said = dict(fields)
    code = said.get("service_code", "").strip()
    if not code or len(code) > CODE_LENGTH_MAX:
        raise Unasked("service_code was not provided")
    lat, lon = _degrees(said, "lat", 90), _degrees(said, "long", 180)
    if math.isnan(lat) != math.isnan(lon):
        raise Unasked("lat and long come together")
    description = said.get("description", "").strip()
    if len(description) > DESCRIPTION_LENGTH_MAX:
        raise Unasked(f"a description has {DESCRIPTION_LENGTH_MAX} characters at most")
    answers: dict[str, list[str]] = {}
    for name, value in fields:
        found = _ATTRIBUTE.fullmatch(name)
        if found is not None and value.strip():
            answers.setdefault(found[1], []).append(_text(value))
    names = (_text(said.get(each, ""), NAME_LENGTH_MAX) for each in ("first_name", "last_name"))
    return Submission(
        code, lon, lat,
        address=_text(said.get("address_string", "")),
        description=description,
        name=" ".join(filter(None, names)),
        mail=_mail(said.get("email", "")),
        phone=_text(said.get("phone", ""), PHONE_LENGTH_MAX),
        told=said.get("email_updates", "").strip().lower() not in NOT_TOLD,
        media_url=_text(said.get("media_url", "")),
        attributes={name: tuple(values) for name, values in answers.items()},
    )  # fmt: skip


def encode_form(submission: Submission, jurisdiction: str = "") -> list[tuple[str, str]]:
    """The fields of a form that reports it: the application's end."""
    first, _, last = submission.name.partition(" ")
    said = {
        "jurisdiction_id": jurisdiction,
        "service_code": submission.service_code,
        "address_string": submission.address,
        "description": submission.description,
        "first_name": first,
        "last_name": last,
        "email": submission.mail,
        "phone": submission.phone,
        "email_updates": "" if submission.told else "no",
        "media_url": submission.media_url,
    }
    if not math.isnan(submission.lat):
        said |= {"lat": repr(submission.lat), "long": repr(submission.lon)}
    answers = [
        (f"attribute[{code}]{'[]' if len(values) > 1 else ''}", value)
        for code, values in submission.attributes.items()
        for value in values
    ]
    return [*((name, value) for name, value in said.items() if value), *answers]


def _listed(fields: Sequence[tuple[str, str]], name: str) -> list[str]:
    """The values of a parameter that may come again, and with commas."""
    values = [each.strip() for key, value in fields if key == name for each in value.split(",")]
    return [each for each in values if each]


def _instant(said: Mapping[str, str], name: str) -> int | None:
    text = said.get(name, "").strip()
    if not text:
        return None
    try:
        # A plus that was not escaped comes as a space; one before the time is meant.
        instant = datetime.fromisoformat(text[:_DAY_LENGTH] + text[_DAY_LENGTH:].replace(" ", "+"))
        if instant.tzinfo is None:
            raise ValueError("without its zone")
        return to_us(instant)
    except (ValueError, OverflowError):
        raise Unasked(f"{name} is an instant with its zone, such as 2026-11-24T03:00:00Z") from None


def _count(said: Mapping[str, str], name: str, default: int) -> int:
    text = said.get(name, "").strip() or str(default)
    if not re.fullmatch(r"[1-9]\d{0,8}", text, re.ASCII):
        raise Unasked(f"{name} is a number from 1")
    return int(text)


def _degrees(said: Mapping[str, str], name: str, most: float) -> float:
    text = said.get(name, "").strip()
    if not text:
        return math.nan
    try:
        value = float(text)
    except ValueError:
        value = math.nan
    if not abs(value) <= most:
        raise Unasked(f"{name} is a number of degrees")
    return value


def _mail(said: str) -> str:
    """An address of mail. Raises Unasked for what is none: half of one, or two, would reach somebody else."""
    text = _text(said, MAIL_LENGTH_MAX)
    try:
        return mail_address(text) if text else ""
    except NoAddress as error:
        raise Unasked(f"email: {error}") from None


def _text(said: str, length_max: int = TEXT_LENGTH_MAX) -> str:
    """A text in one line. Raises Unasked for one that is too long."""
    line = "".join(each for each in _SPACES.sub(" ", said).strip() if each.isprintable())
    if len(line) > length_max:
        raise Unasked(f"one of these fields has {length_max} characters at most")
    return line
