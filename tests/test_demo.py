"""The demo as a person starts it: two processes, a whole metropolis, alive, and gone when it is told to."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import psutil
import pytest

from tests import metropolis
from tests.city import open_facts
from vigie.app import installation, journal_key
from vigie.core.drafts import Draft
from vigie.demo import processes
from vigie.demo.people import PASSWORD, PEOPLE
from vigie.demo.processes import SEED
from vigie.demo.town import is_older, junctions
from vigie.settings import load_settings
from vigie.sim.city.handing import hand_over
from vigie.sim.city.inventory import ids
from vigie.sim.devices import gateways
from vigie.sim.traffic.town import network_file


def figure(port: int, name: str) -> float:
    """One figure of a running post."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request("GET", "/metrics")
    lines = connection.getresponse().read().decode().splitlines()
    connection.close()
    return next(float(line.split()[-1]) for line in lines if line.startswith(name))


def logged_in(port: int, login: str) -> tuple[http.client.HTTPConnection, dict[str, str]]:
    """A connection to the post, and what somebody who has logged in sends with each request."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    body = json.dumps({"login": login, "password": PASSWORD})
    connection.request("POST", "/api/v1/session", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    assert answer.status == 200
    cookie = answer.headers["Set-Cookie"].partition(";")[0]
    return connection, {"Cookie": cookie, "X-CSRF-Token": json.loads(answer.read())["csrf"]}


def vehicles(port: int, login: str) -> int:
    """How many crews' vehicles somebody is shown after logging in."""
    connection, headers = logged_in(port, login)
    connection.request("GET", "/api/v1/assets?kind=vehicle&limit=500", headers=headers)
    items = json.loads(connection.getresponse().read())["items"]
    connection.close()
    return len(items)


def prove_an_order(port: int) -> None:
    """Dims some lamps whose supply is on at every hour, and waits until one says so."""
    lit = metropolis.city().lighting
    lamps = [ids("luminaire", 20_000)[index] for index in np.flatnonzero(~lit.switched[lit.cabinet])[:20]]
    connection, headers = logged_in(port, "operator")
    order = {"action": "luminaire.dim", "params": {"level": 60}, "select": {"assets": lamps}, "reason": "a test"}
    headers |= {"Content-Type": "application/json", "Idempotency-Key": "one"}
    connection.request("POST", "/api/v1/commands", json.dumps(order), headers)
    answer = connection.getresponse()
    given = json.loads(answer.read())
    assert answer.status < 300, given
    end = time.monotonic() + 60
    while not given["counts"].get("done"):
        assert time.monotonic() < end, given
        time.sleep(0.2)
        connection.request("GET", f"/api/v1/commands/{given['id']}", headers=headers)
        given = json.loads(connection.getresponse().read())
    connection.close()


def wait_for(post: subprocess.Popen[str], words: str) -> None:
    """Waits until a process has said these words."""
    assert post.stdout is not None
    said = []
    while not said or words not in said[-1]:
        said.append(post.stdout.readline())
        assert said[-1], f"it has ended after {said}"


@pytest.mark.timeout(180)
def test_a_demo_that_is_killed_while_it_prepares_is_prepared_at_its_next_start(tmp_path: Path) -> None:
    words = ["demo-post", "--data", str(tmp_path), "--seed", str(SEED), "--port", "0", "--handed"]
    command = [sys.executable, "-m", "vigie.cli", *words]
    for moment in ("taking in its assets", "admitting its gateways", "answers on"):
        reads, writes = os.pipe()
        threading.Thread(target=hand_over, args=(metropolis.growing(), writes)).start()
        with subprocess.Popen([*command, str(reads)], stdout=subprocess.PIPE, text=True, pass_fds=[reads]) as post:
            os.close(reads)
            wait_for(post, moment)
            post.kill()
    facts = open_facts(tmp_path)
    assert len(facts.devices()) == len(gateways(metropolis.city())) + len(junctions(metropolis.city()))
    assert len(facts.accounts.people()) == len(PEOPLE)
    assert list(facts.journal.verify(journal_key(tmp_path).public_key()))[-1] == facts.journal.size
    facts.close()


@pytest.mark.timeout(180)
def test_the_metropolis_comes_alive_and_stops_cleanly(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "vigie.cli", "demo", "--data", str(tmp_path), "--port", "0"]
    log = tmp_path / "demo.log"
    with log.open("w") as said:
        demo = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=said, text=True, start_new_session=True)
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
        prove_an_order(port)
        while figure(port, 'vigie_rsmp_sites{state="attached"}') < 20:
            assert time.monotonic() < end, "the junctions do not connect"
            time.sleep(0.5)
        assert figure(port, "vigie_rsmp_garbled_total") == figure(port, "vigie_rsmp_refused_total") == 0
        seen = {each.login: vehicles(port, each.login) for each in PEOPLE}
        assert (seen["operator"], seen["supervisor"]) == (205, 205)
        assert seen["elected"] == seen["crew"] == 0, "who looks on sees no crew; lighting owns no vehicle"
    finally:
        both = psutil.Process(demo.pid).children()
        # As a closed terminal does; Ctrl-C and SIGTERM go the same way.
        demo.send_signal(signal.SIGHUP)
        assert demo.wait(60) == 0
    assert len(both) == 2
    assert not any(each.is_running() for each in both)
    assert "not reached" not in log.read_text(), "the post stops before its devices do"
    facts = open_facts(tmp_path)
    assert list(facts.journal.verify(journal_key(tmp_path).public_key()))[-1] == facts.journal.size
    facts.close()


@pytest.mark.parametrize("vehicle", ["vehicle-0007", ""])
def test_a_folder_whose_crews_have_no_vehicle_is_from_an_older_demo(tmp_path: Path, vehicle: str) -> None:
    with installation(load_settings(environment={}, data=tmp_path)) as opened:
        said = {"vehicle": vehicle} if vehicle else {}
        crew = Draft(key="crew-01", id="crew-01", kind="crew", lon=5.0, lat=47.3, attributes=said)
        opened.take_assets("demo", [crew])
        assert is_older(opened) == (not vehicle)


def test_streets_are_given_to_control_once_for_each_network(tmp_path: Path) -> None:
    """Not before there is a network, not again after that, and anew for another network."""
    network = network_file(processes.streets_folder(tmp_path))
    assert not processes.streets_are_new(tmp_path)
    network.parent.mkdir()
    network.touch()
    assert processes.streets_are_new(tmp_path)
    processes.in_hand(tmp_path).touch()
    assert not processes.streets_are_new(tmp_path)
    os.utime(network, ns=(time.time_ns() + 10**9,) * 2)
    assert processes.streets_are_new(tmp_path)
