"""The demo as a person starts it: two processes, a whole metropolis, alive, and gone when it is told to."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from tests.city import open_facts
from vigie.app import journal_key
from vigie.demo import PASSWORD, PEOPLE


def figure(port: int, name: str) -> float:
    """One figure of a running post."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    return next(float(line.split()[-1]) for line in lines if line.startswith(name))


def vehicles(port: int, login: str) -> int:
    """How many crews' vehicles somebody is shown after logging in."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    body = json.dumps({"login": login, "password": PASSWORD})
    connection.request("POST", "/api/v1/session", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    connection.request("GET", "/api/v1/assets?kind=vehicle&limit=500", headers={"Cookie": cookie})
    items = json.loads(connection.getresponse().read())["items"]
    connection.close()
    return len(items)


@pytest.mark.timeout(180)
def test_the_metropolis_comes_alive_and_stops_cleanly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "vigie.cli", "demo", "--data", str(tmp_path), "--port", "0"]
    demo = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, start_new_session=True)
    try:
        assert demo.stdout is not None
        port = int(demo.stdout.readline().split(",")[0].rsplit(":", 1)[1])
        end = time.monotonic() + 60
        while figure(port, 'vigie_readings_total{outcome="accepted"}') < 100_000:
            assert demo.poll() is None
            assert time.monotonic() < end, "the city does not come alive"
            time.sleep(0.5)
        for outcome in ("malformed", "unknown_asset", "unknown_point", "not_yours", "wrong_type", "out_of_range"):
            assert figure(port, f'vigie_readings_total{{outcome="{outcome}"}}') == 0, outcome
        assert figure(port, "vigie_assets") > 70_000
        assert figure(port, "vigie_conditions_open") > 0, "some lamps fail"
        seen = {each.login: vehicles(port, each.login) for each in PEOPLE}
        assert (seen["operator"], seen["supervisor"]) == (205, 205)
        assert seen["elected"] == seen["crew"] == 0, "who looks on sees no crew; lighting owns no vehicle"
    finally:
        demo.send_signal(signal.SIGINT)
        assert demo.wait(60) == 0
    with pytest.raises(ProcessLookupError):
        os.killpg(demo.pid, 0)
    facts = open_facts(tmp_path)
    assert list(facts.journal.verify(journal_key(tmp_path).public_key()))[-1] == facts.journal.size
    facts.close()
