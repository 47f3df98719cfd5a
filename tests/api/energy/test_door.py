"""Energy on a real post: summed from what was reported, told to each within their scope, as JSON, table and paper."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

import pytest

from tests.api.energy.past import LIT_W, last_night, noon, send, state, told
from tests.people import QUETIGNY, Browser, make_people
from tests.post import NO_RESERVE, Answer, RunningPost, make, running
from vigie.app import installation
from vigie.core.times import HOUR_US, to_us
from vigie.settings import Settings

LAMPS, NIGHTS = 20, 2
ENERGY = "/api/v1/lighting/energy"
LAST = last_night()
FIRST = LAST - timedelta(days=NIGHTS - 1)
KWH_A_LAMP = NIGHTS * 12 * LIT_W / 1_000


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("post")


@pytest.fixture(scope="module")
def post(folder: Path) -> Iterator[RunningPost]:
    secret = make(folder, lamps=LAMPS)
    make_people(folder, ["operator", "elected", "mayor", "manager", "deputy"])
    with running(folder, secret) as started:
        yield started


@pytest.fixture(scope="module")
def operator(post: RunningPost) -> Browser:
    return Browser(post, "operator")


def ask(who: Browser, **query: Any) -> Answer:
    said = {"from": FIRST.isoformat(), "to": LAST.isoformat(), "wait_s": 30} | query
    return who.ask("GET", f"{ENERGY}?" + "&".join(f"{key}={value}" for key, value in said.items()))


def test_before_anything_is_heard_it_is_said_so(operator: Browser) -> None:
    none = ask(operator)
    assert (none.status, none.body["rule"]) == (422, "lighting.energy_none")
    ahead = operator.ask("GET", f"{ENERGY}?from=2099-01")
    assert (ahead.status, ahead.body["rule"], ahead.body["values"]) == (
        422, "lighting.energy_ahead", {"day": LAST.isoformat()},
    )  # fmt: skip
    assert "up to" in ahead.body["mend"]


def test_what_was_used_is_told_to_each_within_their_scope(post: RunningPost, operator: Browser) -> None:
    lamps = [f"luminaire-{n:06d}" for n in range(LAMPS)]
    send(post, told(lamps, "cabinet-cabinet", FIRST, NIGHTS, theft_w=200.0))
    whole = ask(operator)
    assert whole.status == 200, whole
    assert (whole.body["state"], whole.body["since"]) == ("ready", FIRST.isoformat())
    report = whole.body["report"]
    assert (report["first"], report["last"], report["nights"]) == (FIRST.isoformat(), LAST.isoformat(), NIGHTS)
    assert report["whole"]["lamps"] == LAMPS
    assert report["whole"]["estimated_kwh"] == pytest.approx(LAMPS * KWH_A_LAMP, rel=0.01)
    theft_kwh = 0.2 * 24 * NIGHTS
    assert report["whole"]["metered_kwh"] == pytest.approx(LAMPS * KWH_A_LAMP + theft_kwh, rel=0.01)
    assert report["cabinets"][0]["unexplained_kwh"] == pytest.approx(theft_kwh, rel=0.2)
    assert set(report["areas"]) == {"dijon-metropole", "dijon-metropole/dijon", QUETIGNY}

    elected = ask(Browser(post, "elected"))
    assert elected.body["report"] == report, "an elected official reads what lighting uses"

    # Of one commune: its lamps, which share their cabinet with another's, so that nothing is metered; and not the
    # cabinet, which stands in the other.
    mayor = Browser(post, "mayor")
    for own in (ask(mayor), ask(mayor, area=QUETIGNY), ask(operator, area=QUETIGNY)):
        of = own.body["report"]
        assert of["whole"]["lamps"] == LAMPS // 2
        assert (set(of["areas"]), of["cabinets"], of["whole"]["metered_kwh"]) == ({QUETIGNY}, [], None)
        assert all(key.startswith(QUETIGNY) for key in of["streets"])
    other = ask(mayor, area="dijon-metropole/dijon")
    assert (other.status, other.body["rule"]) == (404, "lighting.energy_area")
    assert ask(operator, area="nowhere").status == 404
    assert post.ask("GET", ENERGY).status == 401

    month = operator.ask("GET", f"{ENERGY}?from={FIRST.isoformat()[:7]}&wait_s=30").body["report"]
    assert month["first"] == max(FIRST, FIRST.replace(day=1)).isoformat(), "only what history covers"
    early = operator.ask("GET", f"{ENERGY}?from=2020-02")
    assert (early.status, early.body["values"]) == (422, {"day": FIRST.isoformat()})
    assert "history_days" in early.body["mend"]


def test_it_is_a_table_and_a_paper_in_the_language_that_is_asked_for(operator: Browser) -> None:
    french = ask(operator, format="csv")
    assert french.headers["content-type"] == "text/csv; charset=utf-8; header=present"
    assert f"vigie-energy-{FIRST}-{LAST}.csv" in french.headers["content-disposition"]
    assert french.body.startswith("\N{ZERO WIDTH NO-BREAK SPACE}de;identifiant;")
    english = table(operator)
    assert [row[0] for row in english[1:]].count("area") == 3
    assert {row[2] for row in english if row[0] == "whole"} == {"Essai"}
    paper = ask_bytes(operator, f"{ENERGY}?from={FIRST}&to={LAST}&format=pdf&wait_s=30")
    assert paper.startswith(b"%PDF")


def ask_bytes(who: Browser, path: str) -> bytes:
    connection = HTTPConnection("127.0.0.1", who.post.port, timeout=30)
    connection.request("GET", path, headers={"Cookie": who.cookie})
    response = connection.getresponse()
    assert (response.status, response.getheader("content-type")) == (200, "application/pdf")
    return response.read()


def test_where_the_old_inventory_and_a_tariff_are_stated_a_saving_and_its_cost_are_told(
    post: RunningPost, operator: Browser
) -> None:
    before = ask(operator).body["report"]["whole"]
    assert (before["saving"], before["eur"]) == (None, 0.0)
    state(Browser(post, "manager"), Browser(post, "deputy"))
    report = ask(operator).body["report"]
    saving, whole = report["whole"]["saving"], report["whole"]
    assert saving["low"] < saving["value"] < saving["high"]
    assert saving["value"] == pytest.approx(1 - whole["metered_kwh"] / whole["before"]["value"], abs=0.02)
    assert (report["target"], whole["eur"]) == (0.6, pytest.approx(0.2 * whole["metered_kwh"]))
    (row,) = [each for each in table(operator) if each[0] == "whole"]
    assert float(row[15]) == pytest.approx(100 * saving["value"], abs=0.01)


def table(who: Browser) -> list[list[str]]:
    return list(csv.reader(io.StringIO(ask(who, format="csv", language="en").body, newline="")))


def test_who_does_not_wait_is_told_how_far_it_is_and_may_leave(operator: Browser) -> None:
    span = {"from": LAST.isoformat(), "to": LAST.isoformat()}
    first = ask(operator, **span, wait_s=0)
    assert first.status == 202, first
    assert first.headers["retry-after"] == "1"
    assert (first.body["state"] in ("waiting", "summing"), first.body["report"]) == (True, None)
    for area in ("nowhere", f"{QUETIGNY}/nowhere"):
        none = ask(operator, **span, area=area, wait_s=0)
        assert (none.status, none.body["rule"]) == (404, "lighting.energy_area"), "nothing is summed for it"
    left = operator.ask("DELETE", f"{ENERGY}/{first.body['sum']}")
    assert left.status in (204, 404), "it may be ready by then"
    assert operator.ask("DELETE", f"{ENERGY}/0123456789abcdef").status == 404
    again = ask(operator, **span)
    assert again.status == 200 or again.headers["retry-after"] == "1"
    for format, area in (("csv", QUETIGNY), ("pdf", "dijon-metropole/dijon")):
        early = ask(operator, **span, area=area, format=format, wait_s=0)
        assert (early.status, early.headers["retry-after"]) == (503, "5"), "no file of what is none"
        assert early.body["rule"] == "lighting.energy_summing"
    assert ask(operator, format="html").status == 400


def test_it_stands_as_it_is_when_what_was_reported_is_gone(post: RunningPost, operator: Browser, folder: Path) -> None:
    before = ask(operator).body["report"]
    assert before["kept"] == []
    post.kill()
    with installation(Settings(data=folder, **NO_RESERVE)) as opened:
        sealed_us = to_us(noon(LAST + timedelta(days=1))) + 2 * HOUR_US
        opened.observations.seal(sealed_us)
        assert opened.nights.make(sealed_us) == NIGHTS
        assert opened.nights.make(sealed_us) == 0
        assert [span.sound for span in opened.nights.sums.spans()] == [True] * NIGHTS
        opened.observations.drop_before("9999-01-01")
    with running(folder, post.secret) as again:
        report = ask(Browser(again, "operator")).body["report"]
        assert report.pop("kept") == [{"first": FIRST.isoformat(), "last": LAST.isoformat()}]
        assert report == {name: said for name, said in before.items() if name != "kept"}
        paper = ask_bytes(Browser(again, "operator"), f"{ENERGY}?from={FIRST}&to={LAST}&format=pdf&wait_s=30")
        assert paper.startswith(b"%PDF")
        (lost,) = (folder / "observations" / "kept").glob(f"*-{to_us(noon(FIRST))}-*")
        lost.write_bytes(b"cut")
        rest = ask(Browser(again, "operator"), area=QUETIGNY)
        assert (rest.status, rest.body["report"]["first"]) == (200, LAST.isoformat()), "without the night that is lost"
        assert rest.body["since"] == LAST.isoformat()
