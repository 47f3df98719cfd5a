"""A SUMO configuration, as far as an evaluation needs it: which network, which window, what else it takes in."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from vigie.sim.traffic.xml import XmlWrong, parsed


class ScenarioWrong(ValueError):
    """A configuration that cannot be run. The text says what is wrong with it."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """What is run: the network, further files of the configuration, and the window in which vehicles set out. routes:
    the files of who drives."""

    config: Path
    network: Path
    additional: tuple[Path, ...]
    begin_s: int
    end_s: int
    routes: tuple[Path, ...] = ()

    @property
    def name(self) -> str:
        """The configuration's name."""
        return self.config.name.removesuffix(".sumocfg")


def read_scenario(config: Path, begin_s: int | None = None, end_s: int | None = None) -> Scenario:
    """Reads a .sumocfg. begin_s, end_s: instead of its own. Raises ScenarioWrong and OSError."""
    try:
        root = parsed(config)
    except XmlWrong as error:
        raise ScenarioWrong(f"{config} is no configuration of SUMO's: {error}") from None

    def said(*names: str) -> str | None:
        found = [each.get("value") for name in names for each in root.iter(name) if each.get("value")]
        return found[0] if found else None

    network = said("net-file", "net", "n")
    if network is None:
        raise ScenarioWrong(f"{config} names no network (net-file)")
    begin_s = begin_s if begin_s is not None else _seconds(said("begin", "b") or "0")
    end = said("end", "e")
    end_s = end_s if end_s is not None else _seconds(end) if end else -1
    if end_s <= begin_s:
        raise ScenarioWrong(f"{config} has no window in which vehicles set out: give --begin and --end")
    folder = config.parent

    def files(*names: str) -> tuple[Path, ...]:
        return tuple(folder / name.strip() for name in (said(*names) or "").split(",") if name.strip())

    further, routes = files("additional-files", "additional", "a"), files("route-files", "route", "r")
    return Scenario(config, folder / network, further, begin_s, end_s, routes)


def _seconds(text: str) -> int:
    """Seconds as SUMO writes them: a number, or hours:minutes:seconds."""
    total = 0.0
    for part in text.split(":"):
        total = total * 60 + float(part)
    return int(total)
