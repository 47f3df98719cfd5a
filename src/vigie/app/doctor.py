"""What is wrong with an installation, and how to mend it."""

from __future__ import annotations

import asyncio
import base64
import ctypes
import json
import os
import resource
import socket
import stat
import time
import zoneinfo
from collections.abc import AsyncGenerator, Callable, Iterator
from contextlib import suppress
from typing import Any, Literal

import duckdb
import msgspec
from sqlalchemy.exc import DBAPIError

from vigie.api.mqtt import OBSERVATIONS_TOPIC
from vigie.api.pages import WEB
from vigie.app.control import Hand, operation, perform
from vigie.app.installation import HEADS, NAME_IT, SECRET_KEY_BYTES, InUse, NoInstallation
from vigie.app.mail import sender_of, server_of
from vigie.app.mqtt import broker_of
from vigie.app.open311 import KEY as REPORTS_KEY
from vigie.app.rsmp import RSMP, Binding, bindings, listening
from vigie.app.talq import KEY as TALQ_KEY
from vigie.core.facts import RESIDENT, InstallationMade
from vigie.core.scope import Scope
from vigie.core.times import rfc3339
from vigie.protocols.mqtt import reason
from vigie.services.roads.reports import REPORT
from vigie.settings import Settings, SettingsWrong
from vigie.store.cases import Filter
from vigie.store.checks import facts_damage, frames_damage, segments_damage
from vigie.store.files import free_bytes, last_lines
from vigie.store.journal import JournalBroken
from vigie.transports.control import Say, Wrong
from vigie.transports.device_mqtt import MqttSender
from vigie.transports.mail import MailFailed, connected
from vigie.transports.mqtt import Refused

LEAVES_CHECKED = 10_000
HEADS_CHECKED = 200
REPORTS_CHECKED = 200
DESCRIPTORS_MIN = 4_096
FUTURE_US_MAX = 60_000_000
CLOCKS_PART_S_MAX = 0.02
_NOT_SYNCHRONISED = 5

State = Literal["ok", "warn", "bad"]


class Check(msgspec.Struct, frozen=True):
    """One thing looked at: its name, how it stands, what was found, and what mends it."""

    name: str
    state: State
    says: str
    mend: str = ""


def examine(settings: Settings, say: Say) -> list[Check]:
    """Looks at everything. Nothing is changed, and nothing is made where there is no installation."""
    data = settings.data
    try:
        told = perform(settings, "doctor", None, say)
        checks = [msgspec.convert(each, Check) for each in told["checks"]]
        return [*checks, *([] if told["running"] else [_port(settings)])]
    except NoInstallation:
        return [Check("installation", "bad", f"there is none in {data}", NAME_IT)]
    except InUse:
        return [
            Check(
                "lock",
                "bad",
                f"something holds {data} and does not answer on its control socket",
                "wait for the command that uses it; a post that hangs is ended with SIGTERM, and if need be SIGKILL",
            )
        ]
    except (DBAPIError, duckdb.Error, OSError, Wrong, SettingsWrong) as error:
        damage = facts_damage(data / "facts.sqlite")
        why = "; ".join(damage) or str(error).splitlines()[0]
        return [Check("installation", "bad", f"it does not open: {why}", "restore the last backup: vigie restore")]


@operation("doctor")
async def doctor(hand: Hand, args: msgspec.Struct) -> dict[str, Any]:
    """Looks at the installation from within the process that holds it."""
    looks: list[Callable[[Hand], Iterator[Check]]] = [
        _folder, _room, _clock, _facts, _journal, _heads, _key, _secrets, _observations, _people, _surroundings,
        _automations, _sites, _road_events, _positions,
    ]  # fmt: skip
    checks: list[Check] = []
    for done, look in enumerate(looks, 1):
        checks += await asyncio.to_thread(_all, look, hand)
        hand.say("checks", done, len(looks) + 1)
    checks += [check async for check in _broker(hand.opened.settings)]
    checks += [check async for check in _mail(hand)]
    hand.say("checks", len(looks) + 1, len(looks) + 1)
    return {"checks": [msgspec.to_builtins(check) for check in checks], "running": hand.running}


def _all(look: Callable[[Hand], Iterator[Check]], hand: Hand) -> list[Check]:
    try:
        return list(look(hand))
    except Exception as error:
        # Damage that nobody has thought of: it is said, and the other looks go on.
        mend = "restore the last backup if the post does not work; and report this as a fault of vigie"
        return [Check(look.__name__.strip("_"), "bad", f"it could not be looked at: {error!r}", mend)]


def _folder(hand: Hand) -> Iterator[Check]:
    data = hand.opened.settings.data
    mode = data.stat().st_mode
    if not os.access(data, os.W_OK | os.X_OK):
        yield Check(
            "folder", "bad", f"{data} cannot be written to", f"give it to the user that vigie runs as: chown {data}"
        )
    elif mode & stat.S_IWOTH:
        yield Check("folder", "bad", f"everybody may write in {data}", f"chmod o-w {data}")
    elif mode & stat.S_IROTH:
        yield Check("folder", "warn", f"everybody on this machine may read {data}", f"chmod o-rwx {data}")
    else:
        yield Check("folder", "ok", f"{data} is its owner's")


def _room(hand: Hand) -> Iterator[Check]:
    settings = hand.opened.settings
    free_mb, reserve_mb = free_bytes(settings.data) >> 20, settings.reserve_observations_mb
    mend = "make room, or move the installation to a larger disk"
    if free_mb < reserve_mb:
        yield Check("room", "bad", f"{free_mb} MiB are free; below {reserve_mb} observations are refused", mend)
    elif free_mb < 4 * reserve_mb:
        yield Check("room", "warn", f"{free_mb} MiB are free; below {reserve_mb} observations will be refused", mend)
    else:
        yield Check("room", "ok", f"{free_mb} MiB are free")


def _clock(hand: Hand) -> Iterator[Check]:
    """The clock against what was written by it, against the clock that nobody can set, and as the kernel sees it."""
    mend = "set the clock, and keep it by NTP: apt-get install chrony"
    now_us = time.time_ns() // 1_000
    newest = hand.opened.facts.journal.lines(limit=1)[0].fact.at
    if newest > now_us + FUTURE_US_MAX:
        yield Check(
            "clock", "bad", f"it is {rfc3339(now_us)}, and a fact is of {rfc3339(newest)}: the clock went back", mend
        )
        return
    before = time.time() - time.monotonic()
    time.sleep(0.2)
    parted = abs(time.time() - time.monotonic() - before)
    if parted > CLOCKS_PART_S_MAX:
        yield Check("clock", "warn", f"it moved by {parted:.3f} s in 0.2 s", mend)
    elif _kernel_clock() == _NOT_SYNCHRONISED:
        yield Check("clock", "warn", "the kernel knows of no time server that keeps it", mend)
    else:
        yield Check("clock", "ok", f"it is {rfc3339(now_us)}")


def _kernel_clock() -> int:
    """The state of the kernel's clock (adjtimex, which with no mode set changes nothing); -1 where it is not told."""
    try:
        return int(ctypes.CDLL(None).adjtimex(ctypes.create_string_buffer(512)))
    except (OSError, AttributeError):
        return -1


def _facts(hand: Hand) -> Iterator[Check]:
    wrong = facts_damage(hand.opened.settings.data / "facts.sqlite")
    if wrong:
        yield Check("facts", "bad", f"the database is damaged: {wrong[0]}", "stop the post and restore: vigie restore")
    else:
        yield Check("facts", "ok", "the database is whole")


def _journal(hand: Hand) -> Iterator[Check]:
    try:
        checked = hand.opened.facts.journal.verify_newest(LEAVES_CHECKED, hand.opened.public_key)
        yield Check("journal", "ok", f"the newest {checked} leaves and the newest signed head hold")
    except (JournalBroken, ValueError) as error:
        mend = "vigie journal verify checks all of it; restore the last backup that verifies, and ask who wrote here"
        yield Check("journal", "bad", str(error), mend)


def _heads(hand: Hand) -> Iterator[Check]:
    lines = last_lines(hand.opened.settings.data / HEADS, HEADS_CHECKED, bytes_max=HEADS_CHECKED << 10)
    for line in lines:
        with suppress(json.JSONDecodeError, KeyError, TypeError, ValueError):
            said = json.loads(line)
            size, root = int(said["size"]), str(said["root"])
            base64.b64decode(said["signature"])
            found = hand.opened.facts.journal.root_at(size)
            if found is None or found.hex() != root:
                mend = "this is an older copy, or another history was written: hold it against the heads handed out"
                yield Check("heads", "bad", f"the head of {size} leaves in heads.jsonl is not the journal's", mend)
                return
            continue
        yield Check(
            "heads", "warn", "heads.jsonl has a line that cannot be read", "take that line out; a crash has cut it"
        )
        return
    yield Check("heads", "ok", f"the newest {len(lines)} signed heads in heads.jsonl are the journal's")


def _key(hand: Hand) -> Iterator[Check]:
    path = hand.opened.settings.data / "keys" / "journal.key"
    if not path.exists():
        yield Check("key", "bad", f"{path} is missing: nothing is signed", "put back the copy that is kept elsewhere")
        return
    for each in (path, path.parent):
        if each.stat().st_mode & 0o077:
            yield Check("key", "bad", f"others may read {each}", f"chmod go-rwx {each}")
            return
    first = hand.opened.facts.journal.lines(before=1)[0].fact
    assert isinstance(first, InstallationMade)
    if hand.opened.key.public_key().public_bytes_raw().hex() != first.key:
        mend = "put back the copy of the key that this installation was made with"
        yield Check("key", "bad", "the key is not the one that the first leaf names", mend)
    else:
        yield Check("key", "ok", "the key is the journal's own, and its owner's alone")


def _secrets(hand: Hand) -> Iterator[Check]:
    """The keys that secrets are made from which are kept nowhere."""
    opened = hand.opened
    for key, holders in ((REPORTS_KEY, "residents, for their reports"), (TALQ_KEY, "TALQ gateways")):
        path = opened.settings.data / key
        if path.exists() and path.stat().st_size != SECRET_KEY_BYTES:
            mend = "put back the copy that is kept elsewhere, or delete it: then those secrets are made anew"
            yield Check("secrets", "bad", f"{path} is damaged: no secrets are given to {holders}", mend)
    if (opened.settings.data / REPORTS_KEY).exists():
        return
    newest = opened.facts.cases.page(
        Scope.everything(), Filter(kinds=(REPORT.key,)), {REPORT.key: REPORT}, limit=REPORTS_CHECKED
    )
    if any(case.opener == RESIDENT for case in newest):
        yield Check(
            "secrets", "warn", f"{REPORTS_KEY} is missing: no token that residents hold is known any more",
            "put back the copy that is kept elsewhere, before the next report makes another one",
        )  # fmt: skip


def _observations(hand: Hand) -> Iterator[Check]:
    store = hand.opened.observations
    wrong = segments_damage(store, lambda done, total: hand.say("sealed files", done, total))
    if wrong:
        mend = "take the file from a backup; it is the same for good once it is sealed"
        yield Check("history", "bad", f"{len(wrong)} sealed files are damaged: {wrong[0]}", mend)
    else:
        yield Check("history", "ok", f"the newest batch is {store.last_ingest}; every sealed file is whole")
    frames = frames_damage(store)
    if frames:
        mend = "delete it: another is kept each minute, and the start reads the one before"
        yield Check("picture", "warn", f"a kept picture is damaged: {frames[0]}", mend)
    else:
        yield Check("picture", "ok", "the kept pictures can be read")


def _people(hand: Hand) -> Iterator[Check]:
    directory = hand.opened.facts.accounts.directory(hand.opened.clock.now_us())
    administrators = [
        user
        for user in directory.users
        if not user.closed and any(held.role == "administrator" for held in directory.roles_of(user.id))
    ]
    if administrators:
        yield Check("people", "ok", f"{len(directory.users)} accounts, {len(administrators)} of administrators")
    else:
        mend = "vigie users add LOGIN --name NAME --role administrator"
        yield Check("people", "warn", "there is no administrator: nobody can let anybody in", mend)


def _surroundings(hand: Hand) -> Iterator[Check]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < DESCRIPTORS_MIN:
        mend = f"ulimit -n {DESCRIPTORS_MIN}, or LimitNOFILE= in its systemd unit (the system allows {hard})"
        yield Check("descriptors", "warn", f"only {soft} files and connections may be open at once", mend)
    else:
        yield Check("descriptors", "ok", f"{soft} files and connections may be open at once")
    if (WEB / "console" / "index.html").exists():
        yield Check("pages", "ok", "the pages are built")
    else:
        yield Check("pages", "warn", "the pages are not built: only programs can speak to the post", "make ready")
    zone = hand.opened.settings.zone
    try:
        zoneinfo.ZoneInfo(zone)
        yield Check("zone", "ok", f"the time zone {zone} is known")
    except (zoneinfo.ZoneInfoNotFoundError, ValueError):
        yield Check("zone", "bad", f"there is no time zone {zone!r}", "set zone as IANA names it, such as Europe/Paris")


async def _broker(settings: Settings) -> AsyncGenerator[Check]:
    """The broker, asked as the post would; and whether it refuses what it must, by trying."""
    try:
        broker = broker_of(settings)
    except SettingsWrong as error:
        yield Check("broker", "bad", str(error), "correct the setting; vigie mqtt setup makes the password")
        return
    if broker is None:
        yield Check("broker", "ok", "no broker is set: devices report over HTTP alone")
        return
    address, password = broker
    probe = f"doctor-{os.getpid()}"
    mend = "vigie mqtt setup writes the access list; the broker reads it on SIGHUP"
    try:
        sender = await MqttSender.open(address, probe, settings.mqtt_username if password else "", password)
        answer = await sender.publish(OBSERVATIONS_TOPIC.format(device=probe), b"[]")
        await sender.close()
    except OSError as error:
        yield Check("broker", "bad", str(error), "start the broker; compare mqtt_url, mqtt_username and the password")
        return
    yield Check("broker", "ok", f"{address} lets the post in")
    if answer < 0x80:
        says = "a report under another's name was let through: any device can speak for any other"
        yield Check("access list", "bad", says, mend)
        return
    try:
        await (await MqttSender.open(address, f"{probe}-nobody")).close()
        yield Check("access list", "bad", "the broker lets in whoever gives no name", mend)
    except Refused:
        yield Check("access list", "ok", f"a report under another's name was refused: {reason(answer)}")
    except OSError as error:
        yield Check("access list", "warn", f"it could not be tried without a name: {error}", mend)


async def _mail(hand: Hand) -> AsyncGenerator[Check]:
    """The server that takes mail to residents, asked as the post would; and how the sending goes."""
    try:
        server = server_of(hand.opened.settings)
        if server is not None:
            sender_of(hand.opened.settings, "")
    except SettingsWrong as error:
        yield Check("mail", "bad", str(error), "correct the setting")
        return
    if server is None:
        yield Check("mail", "ok", "no server of mail is set: residents are told nothing by mail")
        return
    waiting, unreached = await asyncio.to_thread(hand.opened.facts.mail.counts)
    stands = f"{waiting} mails wait, {unreached} reporters cannot be reached"
    mend = "compare the settings that begin with smtp_ with what the server wants; 'vigie mail test ADDRESS' tries it"
    try:
        async with connected(server):
            pass
    except MailFailed as error:
        yield Check("mail", "warn", f"{server.host}:{server.port} does not take mail: {error}; {stands}", mend)
        return
    why = "" if hand.outbox is None else hand.outbox.health.why
    if why:
        yield Check("mail", "warn", f"mail does not leave: {why}; {stands}", mend)
    else:
        yield Check("mail", "ok", f"{server.host}:{server.port} lets the post in; {stands}")


def _automations(hand: Hand) -> Iterator[Check]:
    """What the running post orders by itself: it goes on without an automation that fails."""
    failing = hand.failing()
    if hand.running and not failing:
        yield Check("automations", "ok", "none fails")
    for name, each in failing.items():
        says = f"{name} fails since {rfc3339(each.since_us)}, {each.times} times: {each}"
        yield Check("automations", "bad", says, "report it as a fault of vigie; withdrawing its rules stops it")


def _sites(hand: Hand) -> Iterator[Check]:
    """The sites of traffic signals that are admitted: whether they can connect, can be ordered, and are there."""
    settings = hand.opened.settings
    admitted = [each.name for each in hand.opened.facts.speakers(RSMP)]
    try:
        at = listening(settings)
        known = bindings(settings.data)
    except (SettingsWrong, OSError, msgspec.DecodeError) as error:
        yield Check("sites", "bad", str(error), "correct the settings that begin with rsmp_, or keys/rsmp.json")
        return
    if at is None:
        if admitted:
            says = f"{len(admitted)} RSMP sites are admitted, and cannot connect: no port is set"
            yield Check("sites", "warn", says, "set rsmp_port and rsmp_host, or expel them")
        return
    if hand.rsmp is not None and hand.rsmp.trouble:
        mend = "end what answers there, or set another rsmp_port"
        yield Check("sites", "bad", f"{at.host}:{at.port} cannot be had: {hand.rsmp.trouble}", mend)
        return
    if at.tls is None and not _is_loopback(at.host):
        says = f"whoever reaches {at.host}:{at.port} and knows a site id speaks for that junction"
        yield Check("sites' proof", "warn", says, "set rsmp_certificate, rsmp_key and rsmp_clients")
    bare = [name for name in admitted if not known.get(name, Binding()).codes[1]]
    if bare:
        says = f"{len(bare)} cannot be ordered, such as {bare[0]}: their security code 2 is not known here"
        yield Check("sites' codes", "warn", says, "expel the site and admit it anew with --codes")
    away = [] if hand.rsmp is None else [each.name for each in hand.rsmp.sites.values() if not each.attached]
    if away:
        says = f"{len(away)} of {len(admitted)} RSMP sites are not connected, such as {away[0]}"
        yield Check("sites", "warn", says, "look at the controller, its line, and the address it is told")
    else:
        yield Check(
            "sites", "ok", f"{len(admitted)} RSMP sites are admitted" + (", and connected" if hand.rsmp else "")
        )


def _road_events(hand: Hand) -> Iterator[Check]:
    """The feed of what happens on the roads around, as the running post reads it."""
    if not hand.opened.settings.road_events_url:
        return
    if hand.events is None:
        yield Check("road events", "ok", "a feed of road events is set: the post reads it while it runs")
        return
    health = hand.events.health
    mend = "open road_events_url from this machine; set another address where its keeper has moved it"
    unread = _unread("road events", health.heard_us, health.why, mend)
    if unread is not None:
        yield unread
        return
    made = "" if health.published_us is None else f" as published at {rfc3339(health.published_us)}"
    says = f"read at {rfc3339(health.heard_us)}{made}: {health.near} near the town, {health.unplaced} without a "
    says += f"place, {health.set_aside} set aside, {health.deviations} deviations from the standard"
    yield Check("road events", "ok", says)


def _positions(hand: Hand) -> Iterator[Check]:
    """The feed of vehicles' positions, as the running post reads it."""
    if not hand.opened.settings.vehicle_positions_url:
        return
    if hand.positions is None:
        yield Check("positions", "ok", "a feed of vehicles' positions is set: the post reads it while it runs")
        return
    reach = hand.positions.reach
    mend = "open vehicle_positions_url from this machine; 'vigie devices list' names the devices that are admitted"
    unread = _unread("positions", reach.heard_us, reach.why, mend)
    if unread is not None:
        yield unread
    elif reach.refused:
        told = ", ".join(f"{count} {outcome}" for outcome, count in sorted(reach.refused.items()))
        mend = "name the vehicles as vehicle_positions_as makes their ids, and admit the device for all of them"
        yield Check("positions", "warn", f"of {reach.told} vehicles, readings are refused: {told}", mend)
    else:
        yield Check("positions", "ok", f"read at {rfc3339(reach.heard_us)}: {reach.told} vehicles")


def _unread(name: str, heard_us: int, why: str, mend: str) -> Check | None:
    """What is to be said of a feed that was not read lately; None of one that was."""
    if why:
        since = f"since {rfc3339(heard_us)}" if heard_us else "yet"
        return Check(name, "warn", f"the feed was not read {since}: {why}", mend)
    return None if heard_us else Check(name, "ok", "the feed is about to be read")


def _is_loopback(host: str) -> bool:
    return host == "localhost" or host == "::1" or host.startswith("127.")


def _port(settings: Settings) -> Check:
    """Whether the post could answer on its address, were it started now."""
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            says = f"{settings.host}:{settings.port} cannot be had: {error.strerror}"
            return Check("address", "bad", says, "end what answers there, or set another port")
    return Check("address", "ok", f"{settings.host}:{settings.port} is free")


def worst(checks: list[Check]) -> State:
    """How it stands as a whole."""
    states = {check.state for check in checks}
    return "bad" if "bad" in states else "warn" if "warn" in states else "ok"
