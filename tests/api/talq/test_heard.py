"""What TALQ gateways say to the post over real HTTP, and what becomes of it when the post dies."""

from __future__ import annotations

import http.client
import json
import threading
from pathlib import Path

import pytest

from tests.city import open_facts, open_observations
from tests.post import RunningPost, now_us, running
from tests.protocols.talq.link import LAMP, MONITOR
from tests.protocols.talq.standard import Standard
from tests.talq import GATEWAY, GatewayAt, gateway_at, make, statuses, until
from vigie.core.times import rfc3339
from vigie.protocols.talq.events import Live
from vigie.protocols.talq.limits import BODY_BYTES_MAX
from vigie.protocols.talq.requests import Request


def power_of(folder: Path) -> list[tuple[str, int, float]]:
    """Every power that is in history: asset, instant, value."""
    facts, observations = open_facts(folder), open_observations(folder)
    point = facts.point_numbers()["luminaire", "power"]
    names = {row[0]: row[1] for row in facts.registry_rows()}
    with observations.reading() as read:
        query = f"SELECT asset, observed_us, value FROM ({observations.union('number')}) WHERE point = ?"
        rows = read.execute(query, [point]).fetchall()
    observations.close()
    facts.close()
    return [(names[asset], at_us, value) for asset, at_us, value in rows]


def figure(post: RunningPost, line: str) -> float:
    """A figure of the post."""
    body = str(post.ask("GET", "/metrics").body)
    return next(float(each.rsplit(" ", 1)[1]) for each in body.splitlines() if each.startswith(line))


def report_of(gateway: GatewayAt, *entries: tuple[int, float, int]) -> Request:
    """A report of powers: lamp, watts, instant."""
    said = [
        {
            "data": {
                "type": "AttributeLogData",
                "srcAddress": f"{LAMP.format(number)}/{MONITOR}",
                "attributeName": "activePower",
                "attributeValue": {"type": "AttributeFloat", "value": watts, "timestamp": rfc3339(at_us)},
            }
        }
        for number, watts, at_us in entries
    ]
    return gateway.gateway._caller.ask("sendLogReport", body={"address": "a", "entries": said})


def test_a_gateway_attaches_reports_and_is_told_what_to_log(tmp_path: Path, talq: Standard) -> None:
    secrets = make(tmp_path)
    at = now_us() - 1_000_000
    with running(tmp_path, "") as post, gateway_at(tmp_path, post.port, secrets, judge=talq) as gateway:
        assert set(statuses(gateway.attach())) == {201}
        assert any(isinstance(event, Live) for event in gateway.learnt)
        until(lambda: len(gateway.gateway.network.loggers.loggers) == 2)
        gateway.measured(1, 41.5, at)
        until(lambda: gateway.report())
        assert figure(post, 'vigie_readings_total{outcome="accepted"}') == 1
    assert power_of(tmp_path) == [("luminaire-000001", at, 41.5)]


def test_a_restart_of_the_post_costs_no_bootstrap(tmp_path: Path, talq: Standard) -> None:
    secrets = make(tmp_path)
    at = now_us() - 5_000_000
    with running(tmp_path, "") as post:
        port = post.port
        with gateway_at(tmp_path, port, secrets, judge=talq) as gateway:
            gateway.attach()
            post.kill()
            with running(tmp_path, "", port=port):
                assert gateway.ask(report_of(gateway, (1, 40.0, at))).status == 201
    assert power_of(tmp_path) == [("luminaire-000001", at, 40.0)]


@pytest.mark.timeout(180)
def test_what_was_acknowledged_outlives_any_kill_and_nothing_is_doubled(tmp_path: Path, talq: Standard) -> None:
    secrets = make(tmp_path)
    first, said = now_us() - 3_600_000_000, 0
    acknowledged: set[tuple[str, int, float]] = set()
    port = 0
    for kill in range(6):
        with running(tmp_path, "", port=port) as post:
            port = post.port
            with gateway_at(tmp_path, port, secrets) as gateway:
                gateway.attach()
                killer = threading.Timer(0.05 + 0.07 * kill, post.kill)
                killer.start()
                unanswered: Request | None = None
                while True:
                    rows = [(lamp, float(lamp), first + 1_000 * (said + lamp)) for lamp in range(3)]
                    unanswered = report_of(gateway, *rows)
                    try:
                        answer = gateway.ask(unanswered)
                    except (OSError, http.client.HTTPException):
                        break
                    assert answer.status == 201
                    acknowledged |= {(f"luminaire-{lamp:06}", at, watts) for lamp, watts, at in rows}
                    said += 10
                killer.join()
                # What got no answer is sent again, as it was, to the post that comes next.
                with running(tmp_path, "", port=port):
                    assert gateway.ask(unanswered).status == 201
                    acknowledged |= {(f"luminaire-{lamp:06}", at, watts) for lamp, watts, at in rows}
                    said += 10
    kept = power_of(tmp_path)
    assert len(acknowledged) > 6
    assert acknowledged - set(kept) == set()
    assert len(kept) == len(set(kept))


def test_who_is_not_admitted_is_refused_and_who_is_expelled_is_at_once(tmp_path: Path, talq: Standard) -> None:
    from vigie.app import TALQ, perform
    from vigie.app.administration import Admission, Expulsion
    from vigie.settings import Settings

    secrets = make(tmp_path)
    settings = Settings(data=tmp_path)
    with running(tmp_path, "") as post, gateway_at(tmp_path, post.port, secrets, judge=talq) as gateway:
        start = gateway.gateway.start()
        assert gateway.ask(start, authorization="Bearer guessed").status == 401
        assert gateway.ask(start, authorization="").status == 401
        assert figure(post, "vigie_talq_strangers") == 2
        gateway.attach()
        perform(settings, "devices.expel", Expulsion(GATEWAY))
        assert gateway.ask(report_of(gateway, (1, 1.0, now_us()))).status == 401
        admitted = perform(settings, "devices.admit", Admission(GATEWAY, ["luminaire-000001"], protocol=TALQ))
    again = {GATEWAY: admitted["secret"]}
    with running(tmp_path, "") as post, gateway_at(tmp_path, post.port, again, judge=talq) as gateway:
        # Its assets are others now, and it begins anew.
        assert gateway.ask(gateway.gateway._caller.ask("getGroups")).status == 403
        assert set(statuses(gateway.attach())) == {201}
        at = now_us() - 1_000
        assert gateway.ask(report_of(gateway, (1, 1.0, at), (2, 2.0, at))).status == 201
        assert figure(post, 'vigie_readings_total{outcome="not_yours"}') == 1
    assert power_of(tmp_path) == [("luminaire-000001", at, 1.0)]


def test_two_gateways_that_name_the_same_device_are_told_apart(tmp_path: Path, talq: Standard) -> None:
    secrets = make(tmp_path, "one", "two")
    with (
        running(tmp_path, "") as post,
        gateway_at(tmp_path, post.port, secrets, name="one", judge=talq) as one,
        gateway_at(tmp_path, post.port, secrets, name="two", judge=talq) as two,
    ):
        assert set(statuses(one.attach())) == {201}
        # Its devices are the other's: refused, as new ones and as changed ones.
        assert statuses(two.attach())[:3] == [201, 201, 201]
        assert {409, 404} & set(statuses([answer for _, _, answer in two.passed]))
        at = now_us() - 1_000
        assert one.ask(report_of(one, (1, 1.0, at))).status == 201
        assert two.ask(report_of(two, (2, 1.0, at))).status == 201
        assert figure(post, 'vigie_readings_total{outcome="unknown_asset"}') == 1


def test_a_body_over_the_limit_is_refused_and_the_next_request_is_answered(tmp_path: Path, talq: Standard) -> None:
    secrets = make(tmp_path)
    with running(tmp_path, "") as post, gateway_at(tmp_path, post.port, secrets, judge=talq) as gateway:
        gateway.attach()
        headers = {"authorization": f"Bearer {secrets[GATEWAY]}", "talq_api_version": "2.7.1"}
        target = f"/talq/log-reports?clientAddress={gateway.gateway.address}&talqRequestId={gateway.gateway.cms}"
        answer = post.ask("POST", target, b"[" + b" " * BODY_BYTES_MAX, **headers)
        assert (answer.status, answer.body[0]["key"]) == (413, "payloadError")
        assert post.ask("POST", target, b"{" * 100_000, **headers).status == 400
        assert post.ask("GET", "/talq/nowhere", None, **headers).status == 404
        assert gateway.ask(report_of(gateway, (1, 1.0, now_us()))).status == 201
        assert json.loads(gateway.ask(gateway.gateway._caller.ask("getDevices")).body)
