"""Settings: one TOML file, then the environment (VIGIE_DATA, VIGIE_PORT ...), then the command line."""

from __future__ import annotations

import difflib
import os
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

import msgspec

from vigie.core import hours

ENVIRONMENT_PREFIX = "VIGIE_"


Days = Annotated[str, msgspec.Meta(pattern=r"^[0-9]{4}-[0-9]{2}-[0-9]{2}/[0-9]{4}-[0-9]{2}-[0-9]{2}$")]
"""A span of days, both included."""


class Secret(str):
    """A text that is shown nowhere."""

    def __repr__(self) -> str:
        return "'...'" if self else "''"


_LISTS = ("school_holidays",)


class SettingsWrong(Exception):
    """A setting is unknown or has no possible value; says which, and what was probably meant."""


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How an installation runs.

    data: its folder. city: its name, used when it is made. zone: the time zone that it lives by, as IANA names it.
    country: whose public holidays are kept, as ISO 3166 names it, with a part of it after a hyphen where it has its own
    (DE-BE); empty for none. school_holidays: spans of days such as 2026-10-17/2026-11-01.
    working_hours: when the town works, by its clock and but for public holidays, such as "mon-fri 08:00-12:00
    13:30-17:00; sat 08:00-12:00"; by when a case is due is reckoned in it. Empty: at all times.
    host, port: where HTTP is answered. log_json: logs as JSON lines, for machines. memory_mb: what the history's
    database may use. reserve_observations_mb: free disk below which observations are refused. reserve_facts_mb: free
    disk below which facts are refused too. history_days: how long what was reported is kept; where vehicles were, and
    what motion sensors saw, is kept 30 days, whatever this says. energy_days: how long is kept what each lamp used in
    each half hour of a night, and what the meters of cabinets showed; for reports on months that are past. proof_days:
    how long is kept which street was swept, salted or collected in, in which hour, with what, by nobody in particular;
    a year at most. proxies: how
    many proxies stand in front, whose X-Forwarded-For says where a login comes from; none by default.
    mqtt_url: the broker that devices publish to, mqtt://HOST:1883 or mqtts://HOST:8883; empty for none.
    mqtt_username: as whom the post reads there. mqtt_password_file: the file that holds its password.
    mqtt_trackers_file: the file that says how JSON is read that trackers publish in a form of their own.
    talq_uri: where TALQ gateways are told to reach the post, such as https://post.example/talq; empty for where each of
    them says that it does already. talq_settle_s: how long a gateway that has just attached is left to what it has to
    say, before its programmes are read. talq_look_s: how long a gateway that took an order has for its lamps' own
    reports, before they are looked at.
    rsmp_host, rsmp_port: where sites of traffic signals connect that speak RSMP; port 0 for nowhere.
    rsmp_certificate, rsmp_key: the files of the certificate that the post shows to them and of its key, for TLS.
    rsmp_clients: the file of the authority whose certificates the sites must show.
    signals_comparison_needed: what is asked of who gives a junction another plan, or other plans by the clock, or has
    the post steer it: "never" for nothing, "warn" for being told which comparison stands behind it, "demand" for one
    that passes.
    signals_comparison_days: so old a comparison may be.
    road_events_url: a feed of what happens on the roads around, in DATEX II, such as Bison Futé's; empty for none.
    road_events_s: how often it is read.
    vehicle_positions_url: a feed of GTFS Realtime that says where vehicles are; empty for none.
    vehicle_positions_s: how often it is read. vehicle_positions_device: the device for which it is taken, which was
    admitted for these vehicles. vehicle_positions_as: what they are called here, made of what the feed says of each.
    datex2_country, datex2_creator: who the town is where it publishes its roadworks, by the code of its country and by
    its identifier there.
    smtp_host, smtp_port: the server that takes mail to residents from the post; empty for none, and no mail.
    smtp_security: how the way to it is secured: "starttls", "tls" from the first byte, "none" on this machine alone, or
    "none_anywhere". smtp_authority: the file of whoever certifies that server, where this machine does not know them.
    smtp_username: as whom the post hands mail in there; empty for no login. smtp_password, smtp_password_file: its
    password, best from the environment, or the file that holds it.
    mail_from, mail_name: the address and the name of whoever writes; of an empty name it is the city's.
    mail_per_minute: so many mails leave at most.
    public_url: where residents reach the post, such as https://post.example; the links in mails lead there.
    """

    data: Path = Path("data")
    city: str = "vigie"
    host: str = "127.0.0.1"
    port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 8000
    zone: str = "Europe/Paris"
    country: Annotated[str, msgspec.Meta(pattern=r"^([A-Z]{2}(-[A-Z0-9]{1,4})?)?$")] = "FR"
    school_holidays: tuple[Days, ...] = ()
    working_hours: str = "mon-fri 08:00-17:00"
    log_json: bool = False
    memory_mb: int = 256
    reserve_observations_mb: int = 256
    reserve_facts_mb: int = 32
    history_days: Annotated[int, msgspec.Meta(ge=30, le=3_650)] = 30
    energy_days: Annotated[int, msgspec.Meta(ge=62, le=7_305)] = 400
    proof_days: Annotated[int, msgspec.Meta(ge=31, le=366)] = 365
    proxies: int = 0
    mqtt_url: str = ""
    mqtt_username: str = "vigie"
    mqtt_password_file: Path | None = None
    mqtt_trackers_file: Path | None = None
    talq_uri: Annotated[str, msgspec.Meta(pattern=r"^(https?://[^\s]+)?$")] = ""
    talq_settle_s: Annotated[float, msgspec.Meta(ge=0, le=3_600)] = 20.0
    talq_look_s: Annotated[float, msgspec.Meta(ge=1, le=600)] = 12.0
    rsmp_host: str = "127.0.0.1"
    rsmp_port: Annotated[int, msgspec.Meta(ge=0, le=65_535)] = 0
    rsmp_certificate: Path | None = None
    rsmp_key: Path | None = None
    rsmp_clients: Path | None = None
    signals_comparison_needed: Literal["never", "warn", "demand"] = "warn"
    signals_comparison_days: Annotated[int, msgspec.Meta(ge=1, le=3_650)] = 90
    road_events_url: Annotated[str, msgspec.Meta(pattern=r"^(https?://[^\s]+)?$")] = ""
    road_events_s: Annotated[float, msgspec.Meta(ge=10, le=3_600)] = 60.0
    vehicle_positions_url: Annotated[str, msgspec.Meta(pattern=r"^(https?://[^\s]+)?$")] = ""
    vehicle_positions_s: Annotated[float, msgspec.Meta(ge=5, le=300)] = 15.0
    vehicle_positions_device: Annotated[str, msgspec.Meta(max_length=200)] = ""
    vehicle_positions_as: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] = "{id}"
    smtp_host: Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9.:-]{0,253}$")] = ""
    smtp_port: Annotated[int, msgspec.Meta(ge=1, le=65_535)] = 587
    smtp_security: Literal["starttls", "tls", "none", "none_anywhere"] = "starttls"
    smtp_authority: Path | None = None
    smtp_username: str = ""
    smtp_password: Secret = Secret()
    smtp_password_file: Path | None = None
    mail_from: str = ""
    mail_name: Annotated[str, msgspec.Meta(max_length=100)] = ""
    mail_per_minute: Annotated[int, msgspec.Meta(ge=1, le=6_000)] = 60
    public_url: Annotated[str, msgspec.Meta(max_length=200, pattern=r"^(https?://[^\s<>]+)?$")] = ""
    datex2_country: Annotated[str, msgspec.Meta(pattern=r"^[a-z]{2}$")] = "fr"
    datex2_creator: Annotated[str, msgspec.Meta(min_length=1, max_length=200)] = "vigie"


def load_settings(file: Path | None = None, environment: Mapping[str, str] | None = None, **said: Any) -> Settings:
    """The settings of a file, overlaid by the environment, overlaid by what was said. Raises SettingsWrong.

    said: None means that nothing was said.
    """
    merged: dict[str, Any] = {}
    if file is not None:
        try:
            merged |= tomllib.loads(file.read_text("utf-8"))
        except OSError as error:
            raise SettingsWrong(f"{file} cannot be read: {error.strerror}") from error
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsWrong(f"{file} is no TOML: {error}") from error
    for name, value in (os.environ if environment is None else environment).items():
        if name.startswith(ENVIRONMENT_PREFIX):
            key = name.removeprefix(ENVIRONMENT_PREFIX).lower()
            # The environment has no lists: theirs are written with commas.
            merged[key] = [each.strip() for each in value.split(",") if each.strip()] if key in _LISTS else value
    merged |= {name: value for name, value in said.items() if value is not None}
    names = Settings.__struct_fields__
    for name in merged:
        if name not in names:
            near = difflib.get_close_matches(name, names, 1)
            meant = f"Did you mean {near[0]!r}?" if near else f"There are: {', '.join(names)}."
            raise SettingsWrong(f"there is no setting {name!r}. {meant}")
    if "data" in merged:
        merged["data"] = str(merged["data"])
    try:
        # The environment says numbers and flags as texts, hence strict=False.
        settings = msgspec.convert(merged, Settings, strict=False, dec_hook=lambda kind, value: kind(value))
    except msgspec.ValidationError as error:
        raise SettingsWrong(str(error)) from error
    try:
        hours.read(settings.working_hours or "mon-sun 00:00-24:00")
    except hours.HoursWrong as error:
        raise SettingsWrong(f"working_hours: {error}") from error
    return settings
