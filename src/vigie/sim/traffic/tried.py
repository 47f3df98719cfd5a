"""A comparison as it is sealed: what it was run on, by digests of the files, and of which junctions of the post."""

from __future__ import annotations

import gzip
import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from vigie.services.signals.whatif.comparison import Comparison
from vigie.services.signals.whatif.sealed import FORMAT, Calibration, Run, Scenario, Tried, shape_of
from vigie.services.signals.whatif.thresholds import USUAL, Thresholds
from vigie.sim.traffic.netfile import read_network
from vigie.sim.traffic.network import lights_of
from vigie.sim.traffic.run import Asked
from vigie.sim.traffic.scenario import Scenario as Config

CALIBRATION = "calibration.json"
"""Beside the configuration that `vigie signals calibrate` made: how near its traffic came to the counts."""

CALIBRATION_BYTES_MAX = 1 << 16


class _Noted(msgspec.Struct, frozen=True):
    """routes: the digest of the routes that it is of."""

    routes: str
    counts: int
    met_share: float


def tried(
    sides: Sequence[Asked],
    seeds: Sequence[int],
    thresholds: Thresholds,
    result: Comparison,
    *,
    plans: tuple[int | None, int | None],
    assets: Mapping[str, str],
    at: datetime,
    version: str,
) -> Tried:
    """A comparison with all that it is of. sides: before and after. plans: the numbers that their plans have in the
    controllers. assets: the junction of each light, by its name. Raises NetworkWrong, OSError, and ValueError where no
    light of the network after is a junction."""
    before, after = sides
    sites = {light.name: light.site for light in lights_of(read_network(after.scenario.network))}
    bound = {assets[name]: name for name in sites if name in assets}
    if not bound:
        raise ValueError("no light of the network is a junction of the post: name them with --bind")
    old, new = (
        Scenario(each.scenario.name, each.controller, _network(each.scenario), _routes(each.scenario), plan)
        for each, plan in zip(sides, plans, strict=True)
    )
    return Tried(
        format=FORMAT,
        version=version,
        at=at,
        before=old,
        after=new,
        run=Run(
            before.scenario.begin_s, before.scenario.end_s, tuple(seeds), after.loops, after.dropout, after.scale,
            after.delay_s, after.pedestrians, after.buses_h, after.emergencies_h, after.priority,
        ),
        calibration=calibration_of(after.scenario),
        thresholds=dict(thresholds),
        usual=thresholds is USUAL,
        junctions={asset: shape_of(sites[name]) for asset, name in bound.items()},
        lights=bound,
        result=result,
    )  # fmt: skip


def note_calibration(config: Config, counts: int, met_share: float) -> None:
    """Notes beside a configuration how near its traffic came to the counts. Raises OSError."""
    noted = _Noted(_routes(config), counts, met_share)
    (config.config.parent / CALIBRATION).write_bytes(msgspec.json.encode(noted))


def calibration_of(config: Config) -> Calibration | None:
    """What was noted beside a configuration of these very routes; None where nothing was. Raises OSError."""
    path = config.config.parent / CALIBRATION
    try:
        if path.stat().st_size > CALIBRATION_BYTES_MAX:
            return None
        noted = msgspec.json.decode(path.read_bytes(), type=_Noted)
    except (FileNotFoundError, msgspec.DecodeError):
        return None
    return Calibration(noted.counts, noted.met_share) if noted.routes == _routes(config) else None


def _network(config: Config) -> str:
    """Of what is in the file, whether it is packed or not."""
    data = config.network.read_bytes()
    return hashlib.sha256(gzip.decompress(data) if config.network.suffix == ".gz" else data).hexdigest()


def _routes(config: Config) -> str:
    """Of all files that say who drives, in their order."""
    return hashlib.sha256(b"".join(_digest(path) for path in config.routes)).hexdigest()


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()
