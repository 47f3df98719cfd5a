"""The API and the pages, put together for a post."""

from __future__ import annotations

import importlib.metadata
from collections.abc import Callable, Sequence
from functools import partial
from zoneinfo import ZoneInfo

from starlette.routing import Route

from vigie.api.access import Access
from vigie.api.acts import Bench, acting_operations
from vigie.api.cases import CasesDoor, CrewDoor, PhotosDoor
from vigie.api.city import Reading
from vigie.api.city.sources import Sources
from vigie.api.datex2 import Datex2Door
from vigie.api.energy import EnergyDoor
from vigie.api.open311 import Open311Door, ReporterPages
from vigie.api.operation import routes
from vigie.api.pages import page_routes
from vigie.api.plans import PlanDoors
from vigie.api.roads import (
    BuriedDoor,
    Covering,
    DispatchDoor,
    RoundsDoor,
    SaltedDoor,
    Streets,
    StretchesDoor,
    TrailsDoor,
    WinterDoor,
    WorksDoor,
    Worksites,
)
from vigie.api.rsmp import Deciding, DecidingDoor, Escort, EscortsDoor
from vigie.api.signals import Approaches, ChangesDoor, ComparisonsDoor, CorridorsDoor, JunctionsDoor
from vigie.api.talq import GatewaysDoor, ProgrammeKeeping, TalqDoor
from vigie.api.tiles import Kiln, tile_routes
from vigie.api.traffic import Stretches, TrafficDoor
from vigie.app.comparisons import heed_comparisons
from vigie.app.installation import POST_ID, Installation
from vigie.app.mail import forget_address
from vigie.app.open311 import report_token
from vigie.app.post import Post
from vigie.core.facts import InstallationMade
from vigie.engine.jobs import Jobs
from vigie.engine.loop import catalogue_of
from vigie.engine.tiles.ground import Ground
from vigie.store.history import History
from vigie.store.past import DuckPast
from vigie.store.rounds import PastTurn, ServedStreet


def sources_of(opened: Installation, post: Post) -> Sources:
    """What the API reads from."""
    made = opened.facts.journal.lines(before=1)[0].fact
    assert isinstance(made, InstallationMade)
    return Sources(
        engine=post.engine,
        services=opened.services,
        facts=opened.facts,
        history=History(opened.observations),
        clock=opened.clock,
        name=made.city,
        zone=opened.settings.zone,
        shard=opened.shard,
        version=importlib.metadata.version("vigie"),
        key=opened.public_key.public_bytes_raw(),
    )


def _covering(opened: Installation, post: Post, sources: Sources, streets: Streets, past: DuckPast) -> Covering:
    """What follows the rounds of a post, as long as it lives."""

    async def keep(served: Sequence[ServedStreet], turns: Sequence[PastTurn]) -> None:
        await post.pump.run_in_writer(lambda: opened.facts.rounds.keep(served, turns))

    covering = Covering(sources, streets, past, keep)
    post.pump.on_heard = covering.hear
    post.beside.append(covering.run)
    return covering


def api_routes(
    opened: Installation,
    post: Post,
    access: Access,
    kiln: Kiln,
    talq: TalqDoor,
    keeping: ProgrammeKeeping,
    deciding: Callable[[str], Deciding],
    escorts: Callable[[], Sequence[Escort]],
    *,
    mails: bool = False,
) -> list[Route]:
    """All operations below /api/v1, and the pages. deciding: who does at a junction, by its id. escorts: the vehicles
    whose way is cleared. mails: whether residents are told by mail."""
    sources = sources_of(opened, post)
    reading = Reading(sources)
    post.beside.append(reading.warm)
    bench = Bench(sources, post.acts, post.pump)
    operations = [*reading.operations, *acting_operations(bench), *PlanDoors(bench, post.calendar).operations]
    photos = PhotosDoor(bench, opened.photos)
    operations += [*CasesDoor(bench).operations, *photos.operations, *CrewDoor(bench).operations]
    said = opened.settings
    open311 = Open311Door(bench, photos, partial(report_token, said.data), proxies=said.proxies, mails=mails)
    reporters = ReporterPages(
        open311, opened.facts.cases, sources.name, ZoneInfo(said.zone), partial(forget_address, opened, post)
    )
    operations += GatewaysDoor(bench, talq, keeping).operations
    past = DuckPast(opened.observations, opened.facts.point_numbers())
    stretches = Stretches(sources.engine)
    approaches = Approaches(sources.engine, stretches)
    operations += JunctionsDoor(sources, approaches, lambda name: deciding(name).fallen).operations
    comparisons = ComparisonsDoor(bench, heed_comparisons(opened, post))
    operations += comparisons.operations
    operations += ChangesDoor(bench, approaches, post.calendar, past, comparisons.foretold).operations
    operations += [*CorridorsDoor(sources).operations, *DecidingDoor(sources, deciding).operations]
    streets = Streets(sources)
    datex2 = Datex2Door(
        sources, streets, country=said.datex2_country, creator=said.datex2_creator,
        post=post.engine.registry.numbers[POST_ID], proxies=said.proxies,
    )  # fmt: skip
    covering = _covering(opened, post, sources, streets, past)
    operations += [*TrailsDoor(sources, streets).operations, *RoundsDoor(sources, covering, streets).operations]
    operations += WinterDoor(sources).operations
    operations += SaltedDoor(sources, covering, streets, proxies=opened.settings.proxies).operations
    operations += DispatchDoor(bench, streets, Jobs(), post.calendar).operations
    works = Worksites(sources, streets, post.calendar)
    post.beside.append(works.warm)
    operations += WorksDoor(bench, streets, works).operations
    operations += [*BuriedDoor(bench, streets).operations, *StretchesDoor(sources, streets).operations]
    operations += EscortsDoor(bench, escorts, deciding).operations
    energy = EnergyDoor(sources, post.calendar, past, opened.nights.sums)
    for sums in (energy, TrafficDoor(sources, post.calendar, past, stretches)):
        post.beside.append(sums.watch)
        operations += sums.operations
    ground = Ground(catalogue_of(opened.services), opened.facts.outlines())
    return [
        *routes(operations, access),
        *open311.routes,
        *reporters.routes,
        *datex2.routes,
        *tile_routes(post.engine, ground, access, kiln),
        *page_routes(),
    ]
