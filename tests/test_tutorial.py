"""The tutorial does what it says: its blocks are run as they stand, in one shell, in an empty folder."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.conftest import PROJECT

TUTORIAL = PROJECT / "docs" / "tutorial" / "first-hour.md"


def blocks(page: Path) -> list[str]:
    """What a reader would type."""
    return re.findall(r"^```sh\n(.*?)^```$", page.read_text("utf-8"), re.MULTILINE | re.DOTALL)


@pytest.mark.timeout(180)
def test_the_first_hour(tmp_path: Path, need: Callable[[str], Path]) -> None:
    need("curl")
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    # Job control, as in the reader's own shell, so that %1 is the post; and its end whatever goes wrong.
    script = "set -em\ntrap 'jobs -p | xargs --no-run-if-empty kill 2>/dev/null || true' EXIT\n" + "\n".join(
        blocks(TUTORIAL)
    )
    ran = subprocess.run(
        ["bash", "-c", script.replace("8000", str(port))],
        cwd=tmp_path,
        env=os.environ | {"PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}", "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=150,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    answer = json.loads((tmp_path / "answer.json").read_text())
    assert (answer["accepted"], [each["outcome"] for each in answer["rejected"]]) == (2, ["not_yours"])
    (order,) = json.loads((tmp_path / "order.json").read_text())["items"]
    assert (order["state"], order["counts"]) == ("closed", {"done": 1})
    assert "a quiet night" in ran.stdout
    made = [int(count) for count in re.findall(r"^ +made +(\d+)$", ran.stdout, re.MULTILINE)]
    assert made == [5, 0]
    assert re.search(r'^vigie_readings_total\{outcome="accepted"\} 2\.0$', ran.stdout, re.MULTILINE)
    assert "lamp_out" in ran.stdout
    assert "a first try" in ran.stdout
    assert "The journal holds" in ran.stdout
    proof = json.loads(ran.stdout[ran.stdout.rindex("\n{") :])
    assert json.loads(proof["leaf"])["type"] == "InstallationMade"
