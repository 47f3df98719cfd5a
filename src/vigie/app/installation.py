"""An installation is a folder:

facts.sqlite      the journal and the tables that are read from
observations/     the hot table, the sealed days, what is kept of nights, the kept pictures
photos/           the photos of cases
keys/talq.key     what the tokens that the post shows to TALQ gateways are made from
keys/reports.key  what the tokens that residents get with their reports are made from
keys/rsmp.json    what was said of sites of traffic signals at their admission, their security codes among it
keys/journal.key  what signs the journal's heads; kept apart from the database, and worth a copy elsewhere
heads.jsonl       every head ever signed, to be handed to whoever wants to hold the post to its word
lock              held by the one process that writes
"""

from __future__ import annotations

import base64
import fcntl
import hashlib
import importlib.metadata
import json
import secrets
import shutil
import time
from collections.abc import Callable, Generator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import IO
from zoneinfo import ZoneInfo

import duckdb
import structlog
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from vigie.app.calendars import town_calendar
from vigie.app.nights import KeptNights
from vigie.core.calendar import Calendar
from vigie.core.drafts import Draft
from vigie.core.facts import (
    COMMAND_LINE,
    PLAIN,
    POST,
    About,
    AssetsTaken,
    DeviceAdmitted,
    Entry,
    InstallationMade,
    Personal,
    PersonalErased,
    because,
    digest,
)
from vigie.core.ids import uuid7
from vigie.core.past import TooLong
from vigie.core.scope import Verb
from vigie.core.service import Service
from vigie.core.times import DAY_US, HOUR_US, day_of
from vigie.engine.cases import Cases, case_kinds_of
from vigie.engine.inventory import Intake, digests_of, plan_intake
from vigie.engine.loop import Engine, catalogue_of
from vigie.engine.plans import kinds_of
from vigie.engine.registry import Registry
from vigie.engine.whereabouts import Whereabouts
from vigie.settings import Settings
from vigie.store.facts import SqlFacts
from vigie.store.files import append_lines, last_lines, write_whole
from vigie.store.journal import Head
from vigie.store.observations import DuckObservations
from vigie.store.past import DuckPast
from vigie.store.photos import Photos

HOT_US = 2 * HOUR_US
PLACES_KEPT_US = 30 * DAY_US
"""Where vehicles were tells where their drivers were; what a motion sensor saw, and which lamps an automation raised,
where somebody passed: no setting keeps it longer. What those lamps themselves said, their level and that an order ruled
them, is history as any lamp's: what was burned is reckoned from it, for years where a town wants that."""
_PASSAGES = "passages_since_us"
CLOCK_STEP_US_MAX = 5_000_000
POST_ID = "post"
STAGING = ".backup"
"""Where a backup gathers what it copies, among the observations."""
HEADS = "heads.jsonl"
PHOTOS = "photos"
SECRET_BYTES = 32
SECRET_KEY_BYTES = 32
NAME_IT = "name its folder with --data, or start one with vigie serve"
"""What mends that there is no installation in a folder."""

_log = structlog.get_logger("vigie")


class InUse(Exception):
    """Another process has the installation."""


class NoInstallation(Exception):
    """There is none in this folder, and what is asked makes none."""

    def __init__(self, data: Path) -> None:
        super().__init__(f"there is no post in {data}: {NAME_IT}")


class FolderUnusable(OSError):
    """The folder cannot be made, or not be written to."""


class KeyMissing(OSError):
    """The key that signs the journal's heads is not where it must be."""


class WallClock:
    """The machine's clock, kept from going back by small steps.

    It is set against the clock that nobody can set: where the two part by more than 5 s, `jumped_us` says by how
    much, once.
    """

    def __init__(self) -> None:
        self._last_us = 0
        self._offset_us = self._parting()
        self._jumped_us = 0

    def now_us(self) -> int:
        """Microseconds since the epoch. Never less than before, but after a jump the new time is taken as it is."""
        now_us = time.time_ns() // 1_000
        parting = self._parting()
        if abs(parting - self._offset_us) > CLOCK_STEP_US_MAX:
            self._jumped_us += parting - self._offset_us
            self._offset_us = parting
            self._last_us = now_us
        self._last_us = max(self._last_us, now_us)
        return self._last_us

    def take_jump_us(self) -> int:
        """By how much the clock was set since this was last asked; 0 for not at all."""
        self.now_us()
        jumped, self._jumped_us = self._jumped_us, 0
        return jumped

    @staticmethod
    def _parting() -> int:
        return (time.time_ns() - time.monotonic_ns()) // 1_000


class SystemDice:
    """The machine's randomness."""

    def bytes(self, length: int) -> bytes:
        """So many random bytes."""
        return secrets.token_bytes(length)


def services() -> list[Service]:
    """The city services that are installed, in the order of their names."""
    found = importlib.metadata.entry_points(group="vigie.services")
    return [point.load() for point in sorted(found, key=lambda point: point.name)]


@dataclass
class Installation:
    """An installation that this process has to itself."""

    settings: Settings
    facts: SqlFacts
    observations: DuckObservations
    clock: WallClock
    dice: SystemDice
    services: Sequence[Service]

    @cached_property
    def key(self) -> Ed25519PrivateKey:
        """What signs the journal's heads. Raises KeyMissing where there is a journal and no key: a second key would
        make every head that was signed look forged."""
        return journal_key(self.settings.data, make=not self.facts.journal.size)

    @property
    def public_key(self) -> Ed25519PublicKey:
        """What signed heads are held against: the key's own half, or what the first leaf says where the key is away."""
        try:
            return self.key.public_key()
        except KeyMissing:
            first = self.facts.journal.lines(before=1)[0].fact
            assert isinstance(first, InstallationMade)
            return Ed25519PublicKey.from_public_bytes(bytes.fromhex(first.key))

    @cached_property
    def _traces(self) -> list[int]:
        """The numbers of the points that tell where somebody was."""
        kinds = catalogue_of(self.services).assets.values()
        told = {(kind.kind, point.name) for kind in kinds for point in kind.points.values() if point.traces}
        return [number for point, number in self.facts.point_numbers().items() if point in told]

    @cached_property
    def calendar(self) -> Callable[[], Calendar]:
        """What gives the town's calendar. Raises SettingsWrong where the settings name days that there are not."""
        return town_calendar(self.settings, self.clock)

    @cached_property
    def photos(self) -> Photos:
        """The photos of cases."""
        return Photos(self.settings.data / PHOTOS, reserve_bytes=self.settings.reserve_facts_mb << 20)

    @cached_property
    def nights(self) -> KeptNights:
        """What is kept of each night for reports on energy."""
        return KeptNights(self.facts, self.observations, self.settings)

    @property
    def shard(self) -> str:
        """The name of the journal's shard."""
        return self.facts.meta("shard") or ""

    def new_id(self) -> str:
        """A fresh UUIDv7."""
        return str(uuid7(self.clock.now_us(), self.dice.bytes(10)))

    def because(self, reason: str) -> dict[str, Personal]:
        """A person's own words for why, of something done now."""
        return because(reason, self.clock.now_us())

    def take_assets(
        self,
        source: str,
        drafts: Sequence[Draft],
        *,
        reason: str = "",
        actor: str = COMMAND_LINE,
        covers: Callable[[str], bool] = lambda key: True,
        retire: bool = False,
        rejected: int = 0,
        dry: bool = False,
    ) -> Intake:
        """Takes an inventory in, in one transaction; what is as it was is not touched. Returns what was done.

        covers, retire: see `plan_intake`. rejected: how many rows of the source became no draft. dry: nothing is done,
        and what is returned is what would be.
        """
        ids = self.facts.ids()
        intake = plan_intake(
            catalogue_of(self.services), drafts, self.facts.known_of(source), ids, len(ids) + 1,
            source=source, areas=self.facts.known_areas(), covers=covers, retire=retire,
        )  # fmt: skip
        if intake.rows and not dry:
            fact = AssetsTaken(
                id=self.new_id(),
                at=self.clock.now_us(),
                actor=actor,
                source=source,
                made=intake.made,
                changed=len(intake.changes) - intake.made,
                unchanged=intake.unchanged,
                retired=len(intake.retired),
                rejected=rejected + len(intake.refused),
                items=digest(*digests_of(intake.rows)),
            )
            self.facts.commit([Entry(fact, self.because(reason), intake.rows, About(verb=Verb.SEE))])
        return intake

    def seal(self, go_on: Callable[[], bool] = lambda: True) -> None:
        """Moves what is older than two hours out of the hot table, joins the parts of days that are over, keeps what
        energy reports need of nights that are over, and drops the days that are kept no longer.

        What fails keeps nothing else from being done, and is tried again the next time: a day that is damaged is no
        reason to keep the others for ever. go_on: asked before each day and each night; what is left waits for the next
        time.
        """
        now_us, observations = self.clock.now_us(), self.observations
        sealed_us, personal = now_us - HOT_US, day_of(now_us - PLACES_KEPT_US)
        with _noted("seal"):
            observations.seal(sealed_us)
        for day in observations.days_in_parts(day_of(sealed_us)):
            if not go_on():
                return
            with _noted(f"join the parts of {day}"):
                observations.compact(day)
        with _noted("keep nights"):
            self.nights.make(sealed_us, go_on)
        if not go_on():
            return
        with _noted("drop nights"):
            self.nights.sums.drop_before(now_us - self.settings.energy_days * DAY_US)
        with _noted("drop places"):
            observations.drop_before(personal, sorts=["place"])
        with _noted("drop raw history"):
            dropped = observations.drop_before(day_of(now_us - self.settings.history_days * DAY_US))
            if dropped:
                _log.info("raw history dropped", days=dropped)
        with _noted("forget photos"):
            self.photos.forget_others(self.facts.cases.photos_kept())
        # After that: what goes whole is not written anew first.
        with _noted("forget who passed"):
            observations.forget_points(personal, self._traces)

    def forget_passages(self) -> None:
        """Forgets which lamps light on demand raised longer ago than any place of a person's is kept."""
        before_us, since_us = self.clock.now_us() - PLACES_KEPT_US, int(self.facts.meta(_PASSAGES) or 0)
        forgotten, since_us = self.facts.orders.forget_passages(since_us, before_us)
        if forgotten:
            _log.info("passages forgotten", orders=forgotten)
        self.facts.set_meta(_PASSAGES, str(max(since_us, 0)))

    def forget_proofs(self) -> None:
        """Forgets which streets were served, and the turns of rounds, that are older than such proof is kept."""
        forgotten = self.facts.rounds.drop_before(self.clock.now_us() - self.settings.proof_days * DAY_US)
        if forgotten:
            _log.info("proofs of service forgotten", proofs=forgotten)

    def erase_due(self) -> list[str]:
        """Erases the personal fields whose end date has come. Returns them, "leaf id/field" each."""
        due = self.facts.due_for_erasure(self.clock.now_us())
        if due:
            self.erase(due, "end of its purpose")
        self.facts.mail.tidy(self.clock.now_us())
        return due

    def erase(self, fields: Sequence[str], rule: str, actor: str = POST) -> None:
        """Erases personal fields, "leaf id/field" each, under a rule. Raises StorageFull, OSError."""
        fact = PersonalErased(id=self.new_id(), at=self.clock.now_us(), actor=actor, rule=rule, fields=list(fields))
        self.facts.commit([Entry(fact)])
        self.photos.forget(self.facts.cases.photos_of(fields))

    def sign_head(self) -> Head:
        """Signs the journal as it stands and appends the head to the file that is handed out."""
        head = self.facts.journal.sign(self.key, self.clock.now_us())
        path = self.settings.data / HEADS
        line = json.dumps(
            {
                "size": head.size,
                "root": head.root.hex(),
                "at_us": head.at_us,
                "signature": base64.b64encode(head.signature).decode(),
            }
        ).encode()
        if last_lines(path, 1, bytes_max=4 * len(line)) != [line]:
            append_lines(path, [line])
        return head

    def engine(self) -> Engine:
        """The engine of this installation, its picture as it was when the last process ended."""
        registry = Registry(catalogue_of(self.services), self.facts.point_numbers())
        registry.add_columns(self.facts.registry_rows())
        kinds = case_kinds_of(self.services)
        cases = Cases(
            registry, kinds, self.facts.cases.live(kinds), last_no=self.facts.cases.last_no,
            week=self.settings.working_hours, calendar=self.calendar,
        )  # fmt: skip
        engine = Engine(
            self.services,
            registry,
            self.facts,
            self.observations,
            self.facts.open_conditions(),
            shard=self.shard,
            commands=self.facts.orders.kept(self.clock.now_us()),
            consignations=self.facts.orders.holding(),
            plans=self.facts.plans.kept(kinds_of(self.services)),
            cases=cases,
            whereabouts=Whereabouts(registry, self.facts.known_areas()),
            zone=ZoneInfo(self.settings.zone),
        )
        engine.start()
        try:
            engine.recall(DuckPast(self.observations, self.facts.point_numbers()), self.clock.now_us())
        except TooLong as error:
            _log.warning("what was said before the start could not be read in time", reason=str(error))
        return engine


@contextmanager
def _noted(what: str) -> Generator[None]:
    """What the disk or the store refuses in here is noted."""
    try:
        yield
    except (OSError, duckdb.Error) as error:
        _log.error(f"could not {what}", reason=str(error))


def journal_key(data: Path, *, make: bool = True) -> Ed25519PrivateKey:
    """The key that signs heads, readable by its owner alone; made at first need, if it may be. Raises KeyMissing."""
    path = data / "keys" / "journal.key"
    if path.exists():
        key = serialization.load_pem_private_key(path.read_bytes(), None)
        assert isinstance(key, Ed25519PrivateKey)
        return key
    if not make:
        raise KeyMissing(f"{path} is missing: put back the copy that is kept elsewhere. Until then nothing is signed")
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    write_key(path, pem)
    return key


def write_key(path: Path, key: bytes) -> None:
    """Writes a key file that there was not, readable by its owner alone: it is there whole, or not at all. Raises
    OSError, FileExistsError where there is one."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    if path.exists():
        raise FileExistsError(path)

    def write(beside: Path) -> None:
        beside.touch(mode=0o600)
        beside.write_bytes(key)

    write_whole(path, write)


def secret_key(path: Path) -> bytes:
    """A key that secrets are made from which are kept nowhere; it is made at first need. Raises OSError, KeyMissing
    where a part of it is lost: what would be made of that, others can make too."""
    if not path.exists():
        write_key(path, secrets.token_bytes(SECRET_KEY_BYTES))
    key = path.read_bytes()
    if len(key) != SECRET_KEY_BYTES:
        raise KeyMissing(f"{path} is damaged: put back the copy that is kept elsewhere, or delete it")
    return key


def admit_device(
    opened: Installation, name: str, numbers: list[int], *, protocol: str = PLAIN, uri: str = "", reason: str = ""
) -> str:
    """Admits a device for the assets of these numbers; returns its secret, which is kept nowhere. protocol, uri: see
    `DeviceAdmitted`."""
    secret, entry = admission(opened, name, numbers, protocol=protocol, uri=uri, reason=reason)
    opened.facts.commit([entry])
    return secret


def admission(
    opened: Installation, name: str, numbers: list[int], *, protocol: str = PLAIN, uri: str = "", reason: str = ""
) -> tuple[str, Entry]:
    """A new secret for a device, and what is to be committed so that it is admitted for the assets of these numbers."""
    secret = secrets.token_urlsafe(SECRET_BYTES)
    fact = DeviceAdmitted(
        id=opened.new_id(),
        at=opened.clock.now_us(),
        actor=COMMAND_LINE,
        device=name,
        count=len(numbers),
        items=digest(*(number.to_bytes(8) for number in numbers)),
        protocol=protocol,
        uri=uri,
    )
    payload = (hashlib.sha256(secret.encode()).digest(), numbers)
    return secret, Entry(fact, opened.because(reason), payload)


@contextmanager
def installation(settings: Settings, *, make: bool = True) -> Generator[Installation]:
    """Opens the installation and holds it alone. Raises InUse, FolderUnusable, NoInstallation.

    make: where there is none, one is made.
    """
    if not make and not (settings.data / "facts.sqlite").exists():
        raise NoInstallation(settings.data)
    try:
        settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        lock: IO[str] = (settings.data / "lock").open("a+")
    except OSError as error:
        raise FolderUnusable(
            f"{settings.data} cannot be the post's folder: {error.strerror}. Name another with --data"
        ) from None
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        lock.close()
        raise InUse(f"{settings.data} is in use by another vigie") from None
    # What a backup that was killed has left there.
    shutil.rmtree(settings.data / "observations" / STAGING, ignore_errors=True)
    found = services()
    dice = SystemDice()
    facts = SqlFacts.sqlite(
        settings.data / "facts.sqlite", catalogue_of(found), dice, reserve_bytes=settings.reserve_facts_mb << 20
    )
    observations = DuckObservations(
        settings.data / "observations",
        memory_mb=settings.memory_mb,
        reserve_bytes=settings.reserve_observations_mb << 20,
    )
    try:
        opened = Installation(settings, facts, observations, WallClock(), dice, found)
        if facts.meta("shard") is None:
            _make(opened)
        yield opened
    finally:
        observations.close()
        facts.close()
        lock.close()


def _make(opened: Installation) -> None:
    """The first facts: the installation itself, and the post as an asset of the city. Killed at any step, it is taken
    up where it was: the shard is noted last."""
    if not opened.facts.journal.size:
        fact = InstallationMade(
            id=opened.new_id(),
            at=opened.clock.now_us(),
            actor=COMMAND_LINE,
            city=opened.settings.city,
            shard=opened.dice.bytes(4).hex(),
            key=opened.key.public_key().public_bytes_raw().hex(),
        )
        opened.facts.commit([Entry(fact)])
    first = opened.facts.journal.lines(before=1)[0].fact
    assert isinstance(first, InstallationMade)
    post = Draft(key=POST_ID, kind="post", id=POST_ID, name=first.city, lon=0, lat=0)
    opened.take_assets("vigie", [post], actor=POST)
    opened.facts.set_meta("shard", first.shard)
