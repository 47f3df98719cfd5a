"""The demo: a post, and beside it a simulated metropolis that speaks to it as devices do. Two processes, one folder."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Generator, Mapping, Set
from dataclasses import dataclass
from pathlib import Path

from vigie.app import TALQ, Installation, admission, gateway_token
from vigie.app.accounts import DEMO, keeper_of
from vigie.core.facts import COMMAND_LINE, Entry
from vigie.engine.accounts import Held
from vigie.engine.keeper import By
from vigie.engine.plans import By as WrittenBy
from vigie.engine.plans import Plans, kinds_of
from vigie.services.lighting.plans import PROGRAMME, TARIFF
from vigie.services.lighting.programmes.model import Clock, Decision, Programme, Rank, Rule, Window
from vigie.services.lighting.programmes.year import Tariff
from vigie.sim.city import generate
from vigie.sim.city.facts import METROPOLE
from vigie.sim.city.inventory import drafts
from vigie.sim.devices import gateways
from vigie.sim.talq.sharing import lighting_gateways

SOURCE = "demo"
SEED = 1
STOP_S_MAX = 20
ANSWERS_ON = "vigie answers on "
"""What a post says when it does, and then its address."""

PASSWORD = "vigie-demo-only"
"""Everybody's in the demo, and known to everybody: a post with these accounts answers on this machine alone."""


@dataclass(frozen=True)
class Somebody:
    """An account of the demo."""

    login: str
    name: str
    held: Held
    what: str


_ALL = frozenset({"*"})

PEOPLE = (
    Somebody("operator", "Inès Martin", Held("operator", "", _ALL), "sees all, gives orders, acknowledges alarms"),
    Somebody("supervisor", "Hélène Roux", Held("supervisor", "", _ALL), "confirms what takes two persons"),
    Somebody("manager", "Nadia Perrin", Held("manager", "", frozenset({"lighting"})), "writes lighting programmes"),
    Somebody(
        "crew",
        "Karim Benali",
        Held("crew", f"{METROPOLE}/quetigny", frozenset({"lighting"})),
        "the lighting of Quetigny alone; locks out",
    ),
    Somebody("elected", "Paul Girard", Held("elected", "", _ALL), "looks on; no crew's place, nothing personal"),
    Somebody("administrator", "Anne Morel", Held("administrator", "", _ALL), "accounts; gives no orders"),
)


async def prepare(opened: Installation, seed: int, say: Callable[[str], None]) -> None:
    """Takes the generated city in, admits its gateways and makes its people, as far as this installation has them not.

    Raises ValueError when it cannot be.
    """
    # Noted first: from then on this folder is never served beyond the machine, whatever was made of it.
    opened.facts.set_meta(DEMO, "accounts")
    admitted = opened.facts.devices()
    if admitted and not _gateways_file(opened.settings.data).exists():
        raise ValueError("this folder has devices that are not this demo's: take another folder with --data")
    # Their passwords are hashed by threads of their own, while this one makes the city.
    people = asyncio.create_task(_make_people(opened))
    await asyncio.sleep(0)
    try:
        if not admitted:
            _take_city(opened, seed, say)
        say("making its people")
        _put_in_force(opened, await people)
    finally:
        people.cancel()


def _take_city(opened: Installation, seed: int, say: Callable[[str], None]) -> None:
    say("generating the metropolis")
    city = generate(seed)
    say("taking in its assets")
    intake = opened.take_assets(SOURCE, list(drafts(city)), reason="the demo")
    if intake.refused:
        raise ValueError(f"the generated city is refused: {intake.refused[0].reason}")
    say("admitting its gateways")
    talq = {name for names in lighting_gateways(city).values() for name in names}
    _admit(opened, gateways(city), talq)


async def _make_people(opened: Installation) -> Mapping[str, str]:
    """Makes whom there is not yet; returns the ids of those made, by login."""
    keeper = keeper_of(opened)
    known = {person.login for person in opened.facts.accounts.people()}
    by = By(COMMAND_LINE, "the demo")
    missing = [who for who in PEOPLE if who.login not in known]
    made = await asyncio.gather(*(keeper.make_user(by, who.login, who.name, PASSWORD, [who.held]) for who in missing))
    return dict(zip((who.login for who in missing), made, strict=True))


def _put_in_force(opened: Installation, made: Mapping[str, str]) -> None:
    """What the communes have decided and what a kilowatt-hour costs, written by one and approved by another."""
    if not {"manager", "supervisor"} <= made.keys() or opened.facts.plans.kept(kinds_of(opened.services)):
        return
    plans, now_us = Plans(), opened.clock.now_us()
    entries: list[Entry] = []
    for kind, body in [*((PROGRAMME, each) for each in programmes()), (TARIFF, tariff())]:
        plan = opened.new_id()
        editor, approver = (WrittenBy(made[who], now_us, opened.new_id()) for who in ("manager", "supervisor"))
        entries.append(plans.make(plan, kind, body, by=editor))
        entries.append(plans.move(plan, "approve", number=1, revision=1, by=approver))
    opened.facts.commit(entries)


def programmes() -> list[Programme]:
    """The lighting policies of Dijon, Quetigny and Sennecey, as the simulated lamps keep them."""
    every = "Toutes les nuits"
    dimmed = (Rule(every, (Window(Clock(22 * 60), Clock(5 * 60), 70),)),)
    dark = (Rule(every, (Window(Clock(0), Clock(5 * 60), 0),)),)
    signs = "Panneaux aux entrées de la commune"
    return [
        Programme("Dijon, toutes les nuits", Rank.AREA, f"{METROPOLE}/dijon", rules=dimmed),
        Programme("Quetigny, toutes les nuits", Rank.AREA, f"{METROPOLE}/quetigny", rules=dimmed),
        Programme(
            "Sennecey, éteint de 0 h à 5 h",
            Rank.AREA,
            f"{METROPOLE}/sennecey-les-dijon",
            rules=dark,
            decision=Decision("2023-06", "2023-06-12", "Le maire de Sennecey-lès-Dijon", "De 0 h à 5 h", signs),
            answer="La commune entière est éteinte ; les points voisins sont ceux des communes limitrophes.",
        ),
    ]


def tariff() -> Tariff:
    """What a kilowatt-hour costs in the demo: made up, and it says so."""
    return Tariff(0.19, 0.14, kg_co2_per_kwh=0.06, source="Démonstration (chiffres inventés)")


@contextlib.contextmanager
def both(
    data: Path, port: int, seed: int, say: Callable[[str], None]
) -> Generator[tuple[str, Callable[[], str | None]]]:
    """Starts the post, which prepares its folder, and, when it answers, the devices; stops both at the end.

    say: gets what the post is doing until it answers. Gives the post's address, and a question: which of the two has
    ended by itself, if any. Raises RuntimeError when the post does not come up.
    """
    processes: dict[str, subprocess.Popen[str]] = {}

    def start(
        name: str, module: str, *arguments: str, stdin: int | None = None, stdout: int | None = None
    ) -> subprocess.Popen[str]:
        command = [sys.executable, "-m", module, *arguments, "--seed", str(seed)]
        # A session of their own: Ctrl-C reaches this process alone, and it stops the devices before the post.
        processes[name] = subprocess.Popen(
            command, stdin=stdin, stdout=stdout, text=True, start_new_session=True, env=os.environ
        )
        return processes[name]

    try:
        # The devices make their city while the post makes the same one and takes it in.
        devices = start("the metropolis", "vigie.sim", stdin=subprocess.PIPE)
        post = start(
            "the post", "vigie.cli", "demo-post", "--data", str(data), "--port", str(port), stdout=subprocess.PIPE
        )
        assert post.stdout is not None
        assert devices.stdin is not None
        url = ""
        while not url:
            line = post.stdout.readline()
            if not line:
                raise RuntimeError("the post did not come up; its reason stands above")
            said, found, url = line.strip().partition(ANSWERS_ON)
            if not found:
                say(said)
        with contextlib.suppress(BrokenPipeError):  # Whether they live is asked by the caller.
            json.dump({"url": url, **_gateways_of(data)}, devices.stdin)
            devices.stdin.close()
        yield url, lambda: next((name for name, each in processes.items() if each.poll() is not None), None)
    finally:
        for process in processes.values():
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
                try:
                    process.wait(STOP_S_MAX)
                except subprocess.TimeoutExpired:
                    process.kill()


def _gateways_file(data: Path) -> Path:
    return data / "keys" / "demo-talq-gateways.json"


def _gateways_of(data: Path) -> dict[str, dict[str, str]]:
    """What the gateways show to the post, and what the post shows to those that speak TALQ."""
    known = json.loads(_gateways_file(data).read_text("utf-8"))
    return {"secrets": known["secrets"], "tokens": {name: gateway_token(data, name) for name in known["talq"]}}


def _admit(opened: Installation, found: Mapping[str, list[str]], talq: Set[str]) -> None:
    ids = opened.facts.ids()
    plain = {name: assets for name, assets in found.items() if name not in talq}
    admitted = {
        name: admission(opened, name, [ids[asset] for asset in assets], reason="the demo")
        for name, assets in plain.items()
    } | {
        name: admission(opened, name, [ids[asset] for asset in found[name]], protocol=TALQ, reason="the demo")
        for name in sorted(talq)
    }
    # The secrets first: a demo that is killed between the two has gateways that are admitted at its next start.
    path = _gateways_file(opened.settings.data)
    path.unlink(missing_ok=True)
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump({"secrets": {name: secret for name, (secret, _) in admitted.items()}, "talq": sorted(talq)}, file)
    opened.facts.commit([entry for _, entry in admitted.values()])
