"""What every measurement shares: its name and promise, a post to measure, and how a figure is told."""

from __future__ import annotations

import contextlib
import json
import os
import platform
import signal
import statistics
import subprocess
import sys
import tempfile
from collections.abc import Callable, Generator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from vigie.app import admit_device, installation
from vigie.core.drafts import Draft
from vigie.settings import Settings

RUNS = 5


@dataclass(frozen=True)
class Measured:
    """The figures of some runs of one measurement. The value told is the median. told: what else is to be read, line by
    line."""

    name: str
    unit: str
    runs: Sequence[float]
    must: float
    higher_is_better: bool
    size: str
    processes: str
    limits: Sequence[float] = field(default=())
    told: Sequence[str] = field(default=())

    @property
    def value(self) -> float:
        """The median."""
        return statistics.median(self.runs)

    @property
    def worst(self) -> float:
        """The worst run."""
        return min(self.runs) if self.higher_is_better else max(self.runs)

    @property
    def reached(self) -> bool:
        """Whether the median is what must be reached."""
        return self.value >= self.must if self.higher_is_better else self.value <= self.must

    def as_json(self) -> str:
        """One object, on a line."""
        said: dict[str, object] = {
            "name": self.name,
            "value": round(self.value, 3),
            "unit": self.unit,
            "worst": round(self.worst, 3),
            "runs": [round(run, 3) for run in self.runs],
            "must": self.must,
            "reached": self.reached,
            "size": self.size,
            "processes": self.processes,
            "machine": machine(),
        }
        if self.limits:
            said["of_limit"] = round(self.value / statistics.median(self.limits), 3)
        if self.told:
            said["told"] = list(self.told)
        return json.dumps(said)


@dataclass
class Asked:
    """What whoever measures asks of measurements that throw dice. No test uses these seeds."""

    seeds: Sequence[int] = (8_171,)
    nights: int = 30


ASKED = Asked()

Measurement = Callable[[], Measured]

MEASUREMENTS: dict[str, Measurement] = {}


def measurement(name: str) -> Callable[[Measurement], Measurement]:
    """Registers a measurement under its name; what stands before the dot is its group."""

    def register(measure: Measurement) -> Measurement:
        MEASUREMENTS[name] = measure
        return measure

    return register


def machine() -> str:
    """What this was measured on."""
    cpu = platform.processor() or platform.machine()
    with contextlib.suppress(OSError):
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    return f"{os.cpu_count()} x {cpu}, Linux {platform.release().split('-')[0]}, Python {platform.python_version()}"


@dataclass(frozen=True)
class City:
    """An installation to measure: its folder, a device's secret and the ids of its lamps."""

    folder: Path
    secret: str
    lamps: Sequence[str]


@contextlib.contextmanager
def city(lamps: int) -> Generator[City]:
    """A new installation with so many lamps, in a folder that goes when it is done."""
    with tempfile.TemporaryDirectory(prefix="vigie-bench-", dir=os.environ.get("VIGIE_BENCH_FOLDER")) as name:
        folder = Path(name)
        with installation(Settings(data=folder)) as opened:
            drafts = [
                Draft(key=f"{n:06d}", kind="luminaire", lon=5 + n / 1e6, lat=47.3, area=f"metropole/{n % 23}")
                for n in range(lamps)
            ]
            opened.take_assets("bench", drafts)
            secret = admit_device(opened, "gateway", [row[0] for row in opened.facts.registry_rows()])
        yield City(folder, secret, [f"luminaire-{n:06d}" for n in range(lamps)])


@contextlib.contextmanager
def serving(folder: Path) -> Generator[int]:
    """A post in a process of its own, under the default configuration; gives its port."""
    command = [
        sys.executable,
        "-c",
        "from vigie.cli import main; main()",
        "serve",
        "--data",
        str(folder),
        "--port",
        "0",
    ]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    try:
        assert process.stdout is not None
        yield int(process.stdout.readline().rsplit(":", 1)[1])
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(60)
