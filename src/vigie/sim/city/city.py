"""A whole city from a seed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from vigie.sim.city.borders import Borders, draw_borders
from vigie.sim.city.equipment import Signals, Spots, close_streets, measure, signalise, watch_over
from vigie.sim.city.fabric import weave
from vigie.sim.city.frame import Bend, dice
from vigie.sim.city.land import NO_BUILDINGS, Buildings, Surface, build, greens_on_ground, waters_on_ground
from vigie.sim.city.lighting import Lighting, light
from vigie.sim.city.network import Network, build_network
from vigie.sim.city.plan import main_lines, waters_in
from vigie.sim.city.rounds import Rounds, send_out
from vigie.sim.city.routes import Router
from vigie.sim.city.transit import TransitLine, lay_lines
from vigie.sim.city.ways import Ways, lay_ways


@dataclass(frozen=True, slots=True)
class City:
    """All that stands and moves, in metres from the centre. The same seed gives the same city, to the last bit."""

    seed: int
    borders: Borders
    network: Network
    lighting: Lighting
    ways: Ways
    signals: Signals
    cameras: Spots
    bollards: Spots
    air: Spots
    weather: Spots
    bikes: Spots
    lines: tuple[TransitLine, ...]
    rounds: Rounds
    water: tuple[Surface, ...]
    green: tuple[Surface, ...]
    buildings: Buildings


def generate(seed: int, *, scenery: bool = True) -> City:
    """Makes a metropolis of Dijon's size. Each part throws its own dice, so a new part changes none of the others.

    scenery: whether water, parks and buildings are made too; the devices live without, and begin a second sooner.
    """
    growing = grow(seed)
    bare = next(growing)
    return next(growing) if scenery else bare


def grow(seed: int) -> Iterator[City]:
    """The metropolis as soon as its devices live, without its scenery; and then whole."""
    bend = Bend.drawn(dice(seed, "bend"))
    borders = draw_borders(bend)
    waters = waters_in(bend)
    mains = main_lines(bend, borders.outline_plan, waters, dice(seed, "plan"))
    fabric, density = weave(mains, bend, borders.outline_plan, dice(seed, "fabric"))
    network = build_network(fabric, mains, density, bend, borders, dice(seed, "names"))
    router = Router(network)
    signals = signalise(network, dice(seed, "signals"))
    lighting = light(network, borders, dice(seed, "lighting"))
    air, weather, bikes = measure(network, dice(seed, "stations"))
    bare = City(
        seed=seed,
        borders=borders,
        network=network,
        lighting=lighting,
        ways=lay_ways(network, lighting, dice(seed, "ways")),
        signals=signals,
        cameras=watch_over(network, signals, dice(seed, "cameras")),
        bollards=close_streets(network, dice(seed, "bollards")),
        air=air,
        weather=weather,
        bikes=bikes,
        lines=lay_lines(network, router, dice(seed, "lines")),
        rounds=send_out(network, borders, router, dice(seed, "rounds")),
        water=(),
        green=(),
        buildings=NO_BUILDINGS,
    )
    yield bare
    water = waters_on_ground(waters, bend, borders)
    green = greens_on_ground(fabric, bend, borders, dice(seed, "green"))
    buildings = build(network, (*water, *green), dice(seed, "buildings"))
    yield replace(bare, water=water, green=green, buildings=buildings)
