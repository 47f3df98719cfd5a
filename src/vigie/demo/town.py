"""What the post of a demo prepares in its folder: the generated city, its gateways, its people, what is in force."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from vigie.app import RSMP, TALQ, Binding, Installation, admission, bind, gateway_token
from vigie.app.accounts import DEMO, keeper_of
from vigie.core.drafts import Draft
from vigie.core.facts import COMMAND_LINE, PLAIN, Entry
from vigie.core.plans import PlanKind
from vigie.core.scope import ALL_SERVICES, CREW, Scope
from vigie.core.times import DAY_US, from_us
from vigie.demo.occasions import calendar, markets
from vigie.demo.people import PASSWORD, PEOPLE, Somebody
from vigie.demo.processes import OLDER, gateways_file
from vigie.demo.rounds import documents
from vigie.engine.accounts import Held
from vigie.engine.keeper import By
from vigie.engine.plans import By as WrittenBy
from vigie.engine.plans import Plans, kinds_of
from vigie.services.lighting.energy.model import Baseline
from vigie.services.lighting.ondemand.model import Hours, OnDemand, Trigger
from vigie.services.lighting.plans import BASELINE, ON_DEMAND, PROGRAMME, TARIFF
from vigie.services.lighting.programmes.model import Clock, Decision, Programme, Rank, Rule, Target, Window
from vigie.services.lighting.programmes.year import Tariff
from vigie.services.roads import Crew
from vigie.services.roads.rounds.circuits import CIRCUIT
from vigie.services.roads.works.coordination import COORDINATION
from vigie.services.roads.works.occasions import OCCASION
from vigie.services.signals import Junction
from vigie.settings import Settings
from vigie.sim.city import City
from vigie.sim.city.facts import METROPOLE
from vigie.sim.city.inventory import QUIET_CLASS, drafts, ids, scenery
from vigie.sim.devices import gateways
from vigie.sim.rsmp.sites import FIRST_INPUT
from vigie.sim.talq.sharing import lighting_gateways

SOURCE, SCENERY = "demo", "demo-scenery"
_WRITERS = {"manager", "planner", "supervisor"}


async def prepare(opened: Installation, growing: Iterator[City], say: Callable[[str], None]) -> None:
    """Takes the generated city in, admits its gateways and makes its people, as far as this installation has them not.

    growing: the city, as `grow` gives it; where it is there already it is not asked for. Raises ValueError when it
    cannot be.
    """
    # Noted first: from then on this folder is never served beyond the machine, whatever was made of it.
    opened.facts.set_meta(DEMO, "accounts")
    admitted = opened.facts.devices()
    if admitted and not gateways_file(opened.settings.data).exists():
        raise ValueError("this folder has devices that are not this demo's: take another folder with --data")
    if admitted and is_older(opened):
        say(OLDER)
    # They are made while the city is still waited for.
    people = asyncio.create_task(_make_people(opened))
    try:
        city = None if admitted else await _take_city(opened, growing, say)
        _hand_over(opened.settings)
        say("making its people")
        await _equip(opened, await people)
        _put_in_force(opened, await people, city)
    finally:
        people.cancel()


def is_older(opened: Installation) -> bool:
    """Whether the folder is from before each crew had a vehicle: then other vehicles were taken in than drive."""
    _, said = opened.facts.attributes(Crew, ("vehicle",))
    return not len(said["vehicle"]) or not all(said["vehicle"])


async def _take_city(opened: Installation, growing: Iterator[City], say: Callable[[str], None]) -> City:
    say("generating the metropolis")
    city = await asyncio.to_thread(next, growing)
    say("taking in its assets")
    _take(opened, SOURCE, drafts(city))
    _take(opened, SCENERY, scenery(await asyncio.to_thread(next, growing)))
    # The gateways last: where they are, the rest is.
    say("admitting its gateways")
    talq = {name for names in lighting_gateways(city).values() for name in names}
    _admit(opened, gateways(city), talq, junctions(city))
    return city


def junctions(city: City) -> Sequence[str]:
    """The ids of the junctions, each of which is an RSMP site of that name."""
    return ids(Junction.kind, len(city.signals.node))


def _take(opened: Installation, source: str, found: Iterable[Draft]) -> None:
    intake = opened.take_assets(source, list(found), reason="the demo")
    if intake.refused:
        raise ValueError(f"the generated city is refused: {intake.refused[0].reason}")


async def _make_people(opened: Installation) -> Mapping[str, str]:
    """Makes whom there is not yet; returns the ids of those made, by login."""
    keeper = keeper_of(opened)
    known = {person.login for person in opened.facts.accounts.people()}
    by = By(COMMAND_LINE, "the demo")
    missing = [who for who in PEOPLE if who.login not in known]
    made = await asyncio.gather(*(keeper.make_user(by, who.login, who.name, PASSWORD, [_held(who)]) for who in missing))
    return dict(zip((who.login for who in missing), made, strict=True))


async def _equip(opened: Installation, made: Mapping[str, str]) -> None:
    """Gives those who send crews out, and the crews, what their programs and telephones show to the post: when their
    accounts are made, and where a start that was cut short, or an older one, has left them without it."""
    known = json.loads(gateways_file(opened.settings.data).read_text("utf-8"))
    if "people" in known and "operator" not in made:
        return
    keeper, secrets = keeper_of(opened), dict[str, str]()
    for name, role in (("dispatcher", "operator"), ("crew", CREW)):
        held = Held(role, "", frozenset({ALL_SERVICES}))
        _, secrets[name] = await keeper.make_token(
            COMMAND_LINE, Scope.everything(), f"demo {name}", held, 366 * DAY_US, reason="the demo"
        )
    _write(opened.settings.data, known | {"people": secrets})


def _held(who: Somebody) -> Held:
    return Held(who.role, f"{METROPOLE}/{who.commune}" if who.commune else "", frozenset({who.service}))


def _put_in_force(opened: Installation, made: Mapping[str, str], city: City | None) -> None:
    """What the communes have decided, what a kilowatt-hour costs, what lighting was before, and the circuits and
    markets of the city that was made just now: written by one and approved by another."""
    if not made.keys() >= _WRITERS or opened.facts.plans.kept(kinds_of(opened.services)):
        return
    plans, now_us = Plans(), opened.clock.now_us()
    entries: list[Entry] = []
    said: list[tuple[PlanKind, Any]] = [(PROGRAMME, each) for each in programmes()]
    said += [*((ON_DEMAND, each) for each in on_demand()), (TARIFF, tariff()), (BASELINE, former_lighting())]
    if city is not None:
        said += [(CIRCUIT, each) for each in documents(city)] + [(OCCASION, each) for each in markets(city)]
        said.append((COORDINATION, calendar(from_us(now_us).year)))
    for kind, body in said:
        plan, writer = opened.new_id(), "planner" if kind in (CIRCUIT, OCCASION, COORDINATION) else "manager"
        editor, approver = (WrittenBy(made[who], now_us, opened.new_id()) for who in (writer, "supervisor"))
        entries.append(plans.make(plan, kind, body, by=editor))
        entries.append(plans.move(plan, "approve", number=1, revision=1, by=approver))
    opened.facts.commit(entries)


def programmes() -> list[Programme]:
    """The lighting policies of three communes, and of the quiet ways of all, as the simulated lamps keep them."""
    every = "Toutes les nuits"
    dimmed, quiet = ((Rule(every, (Window(Clock(22 * 60), Clock(5 * 60), level),)),) for level in (70, 30))
    ways = Target(classes=(QUIET_CLASS,))
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
        Programme("Rues calmes de la métropole", Rank.CLASS, "", ways, quiet),
        Programme("Rues calmes de Dijon", Rank.AREA, f"{METROPOLE}/dijon", ways, quiet),
        Programme("Rues calmes de Quetigny", Rank.AREA, f"{METROPOLE}/quetigny", ways, quiet),
    ]


def on_demand() -> list[OnDemand]:
    """What is raised for whoever passes: the quiet ways, one that its commune leaves dark, and the street ahead of a
    bus."""
    return [
        OnDemand("Rues calmes, au passage", 90, (Trigger.MOTION,), "", Target(classes=(QUIET_CLASS,)),
                 answer="Sennecey a sa propre règle, avec l'accord de la commune."),
        OnDemand("Quetigny, devant le bus", 100, (Trigger.BUS,), f"{METROPOLE}/quetigny", hold_s=60,
                 hours=(Hours(Clock(22 * 60), Clock(90)),)),
        OnDemand(
            "Sennecey, éteint mais éclairé au passage", 50, (Trigger.MOTION,), f"{METROPOLE}/sennecey-les-dijon",
            raises_max=40, minutes_max=60, leave="Décision 2023-06 du 12 juin 2023",
        ),
    ]  # fmt: skip


def tariff() -> Tariff:
    """What a kilowatt-hour costs in the demo: made up, and it says so."""
    return Tariff(0.19, 0.14, kg_co2_per_kwh=0.06, source="Démonstration (chiffres inventés)")


def former_lighting() -> Baseline:
    """What the lighting of the demo is held against: made up, and it says so."""
    return Baseline(
        lamp_w=105.0, lamp_w_sd=38.0, surveyed=240, gear=1.12, gear_sd=0.02, measured=30, out=0.02, out_sd=0.006,
        target=0.65, source="Démonstration (chiffres inventés)",
    )  # fmt: skip


def _admit(opened: Installation, found: Mapping[str, list[str]], talq: Set[str], sites: Sequence[str]) -> None:
    known = opened.facts.ids()
    own = set(sites)

    def admitted(name: str, assets: Iterable[str], protocol: str) -> tuple[str, Entry]:
        return admission(opened, name, [known[each] for each in assets], protocol=protocol, reason="the demo")

    plain = {name: [each for each in assets if each not in own] for name, assets in found.items() if name not in talq}
    speaking = {name: admitted(name, assets, PLAIN) for name, assets in plain.items() if assets}
    speaking |= {name: admitted(name, found[name], TALQ) for name in sorted(talq)}
    entries = [entry for _, entry in speaking.values()]
    entries += [admitted(name, [name], RSMP)[1] for name in sites]
    codes = {name: (opened.dice.bytes(4).hex(), opened.dice.bytes(4).hex()) for name in sites}
    # The secrets first: a demo that is killed between the two has gateways that are admitted at its next start.
    secrets = {name: secret for name, (secret, _) in speaking.items()}
    _write(opened.settings.data, {"secrets": secrets, "talq": sorted(talq), "sites": codes})
    bind(opened.settings.data, {name: Binding(codes=own, stage_inputs=FIRST_INPUT) for name, own in codes.items()})
    opened.facts.commit(entries)


def _hand_over(settings: Settings) -> None:
    """Adds what the post shows to each gateway that speaks TALQ, where sites connect, and where the post reads what
    happens on the roads around, as it is now."""
    data = settings.data
    known = json.loads(gateways_file(data).read_text("utf-8"))
    tokens = {name: gateway_token(data, name) for name in known["talq"]}
    events_port = urlsplit(settings.road_events_url).port or 0
    _write(data, known | {"tokens": tokens, "rsmp_port": settings.rsmp_port, "events_port": events_port})


def _write(data: Path, known: Mapping[str, object]) -> None:
    """In one step: whoever is killed leaves what was there before."""
    path = gateways_file(data)
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
        json.dump(known, file)
    new.replace(path)
