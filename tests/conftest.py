"""What every test may ask for: the shared data, and the programs that are not Python packages."""

from __future__ import annotations

import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

from tests import once

# No test measures time: a busy machine would decide what passes.
settings.register_profile("vigie", deadline=None)
settings.load_profile("vigie")

# A shell that starts the suite beside other work has its programs ignore an interruption, and what they start as well;
# some tests interrupt programs.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

PROJECT = Path(__file__).resolve().parents[1]
SHARED = PROJECT.parent / "shared"

# What each program is called, the first found is taken; and the Debian package that brings it.
PROGRAMS: dict[str, tuple[str, ...]] = {
    "chromium": ("chromium", "chromium-browser", "google-chrome"),
    "mosquitto": ("mosquitto", "/usr/sbin/mosquitto"),
    "mosquitto_passwd": ("mosquitto_passwd",),
    "strace": ("strace",),
    "curl": ("curl",),
}
PACKAGES = {name: name for name in PROGRAMS} | {"mosquitto_passwd": "mosquitto"}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files of which a test asks for much time come first: begun last, one of them keeps a worker busy while the
    others have nothing left."""
    asked_s: dict[Path, float] = {}
    for item in items:
        mark = item.get_closest_marker("timeout")
        asked_s[item.path] = max(asked_s.get(item.path, 0.0), float(mark.args[0]) if mark else 0.0)
    items.sort(key=lambda item: -asked_s[item.path])


def under_ci() -> bool:
    """Whether this run decides on a release, so that nothing may be left out."""
    return os.environ.get("CI", "").lower() in {"true", "1", "yes"}


def find(program: str) -> Path | None:
    """The path of a program under any of its names, or None."""
    found = (shutil.which(name) for name in PROGRAMS.get(program, (program,)))
    return next((Path(path) for path in found if path), None)


def need_program(program: str) -> Path:
    """The path of a program. Where it is missing, the test is skipped at a desk, and fails under CI."""
    path = find(program)
    if path is not None:
        return path
    reason = f"{program} is not installed: apt-get install {PACKAGES.get(program, program)}"
    if under_ci():
        pytest.fail(reason, pytrace=False)
    pytest.skip(reason)


@pytest.fixture(scope="session", autouse=True)
def _once(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Where this run keeps what it makes once: a worker's own folder lies in the run's."""
    own = tmp_path_factory.getbasetemp()
    once.lie_in((own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "once")


@pytest.fixture(scope="session")
def need() -> Callable[[str], Path]:
    """`need("strace")` gives the program's path, or skips (under CI: fails) with what to install."""
    return need_program


@pytest.fixture(scope="session")
def chromium() -> Path:
    """A real browser, for playwright's `executable_path`."""
    return need_program("chromium")


@pytest.fixture(scope="session")
def mosquitto() -> Path:
    """A real MQTT broker's program; the test starts it itself, on a free port."""
    return need_program("mosquitto")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real data beside the project. It is no part of the project: without it, the test is skipped."""
    if not SHARED.is_dir():
        pytest.skip("no folder ../shared with the real data beside the project")
    return SHARED
