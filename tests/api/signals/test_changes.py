"""Changes of a junction of a real post, and what came of them: told to who sees the junction, compared by what was
measured a week before and after, and nothing said of what is too new."""

from __future__ import annotations

import math
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import shapely

from tests.people import QUETIGNY, Browser, make_people
from tests.post import NO_RESERVE, RunningPost, now_us, reading, running
from tests.services.signals.control.sites import crossroads
from vigie.app import admit_device, installation
from vigie.app.installation import WallClock
from vigie.app.signals import Became, take_in
from vigie.core.drafts import Draft
from vigie.core.times import DAY_US, HOUR_US, rfc3339, to_us
from vigie.settings import Settings

JUNCTION, SILENT = "junction-0", "junction-1"
CHANGES = f"/api/v1/signals/junctions/{JUNCTION}/changes"
LON, LAT = 5.0, 47.3
AGO_DAYS = 8
"""So long ago the town was made, and the junction's document approved."""

BEFORE, BEHIND, BROKEN = "detector-before", "detector-behind", "detector-broken"


def drafts() -> Iterator[Draft]:
    """Two junctions on a street, in one of two communes each, and three detectors at the first."""
    line = shapely.LineString([(LON - 0.004, LAT), (LON + 0.01, LAT)])
    yield Draft(key="s", kind="street", name="Quai B", lon=LON, lat=LAT, area="dijon-metropole/dijon",
                geometry=shapely.to_wkb(line), attributes={"speed_limit": 50.0})  # fmt: skip
    for n, name in enumerate((JUNCTION, SILENT)):
        yield Draft(key=name, id=name, kind="junction", name=f"Rue {n}", lon=LON + n * 0.008, lat=LAT,
                    area=QUETIGNY if n else "dijon-metropole/dijon")  # fmt: skip
    for key, east in ((BEFORE, -0.0005), (BROKEN, -0.0007), (BEHIND, 0.0005)):
        yield Draft(key=key, id=key, kind="detector", name=f"Boucle {key[9:]}", lon=LON + east, lat=LAT,
                    area="dijon-metropole/dijon", attributes={"direction": "E"})  # fmt: skip


def measured(detector: str, change_us: int) -> list[dict[str, Any]]:
    """Each hour of a week on both sides: as many vehicles, but they drive faster afterwards, and stand less."""
    rows: list[dict[str, Any]] = []
    first_us = change_us // HOUR_US * HOUR_US - 7 * DAY_US
    for at_us in range(first_us + HOUR_US, now_us(), HOUR_US):
        since = at_us > change_us
        flow = 400 + 250 * math.sin(at_us / HOUR_US * math.pi / 12)
        by_chance = math.sin(at_us // DAY_US * 2.4)
        told = {"flow": flow, "speed": 38 - flow / 40 + 5 * since + by_chance, "occupancy": flow / 50 - 2 * since + 5}
        rows += [reading(detector, point, round(value, 2), at_us) for point, value in told.items()]
    return rows


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPost]:
    folder: Path = tmp_path_factory.mktemp("post")
    settings = Settings(data=folder, city="Essai", **NO_RESERVE)
    with pytest.MonkeyPatch.context() as then:
        then.setattr(WallClock, "now_us", lambda clock: now_us() - AGO_DAYS * DAY_US)
        with installation(settings) as opened:
            assert not opened.take_assets("town", [*drafts()]).refused
            secret = admit_device(opened, "ends", [row[0] for row in opened.facts.registry_rows() if row[2] != "post"])
        make_people(folder, ["operator", "supervisor", "roadman", "manager", "elected"])
        (taken,) = take_in(settings, {JUNCTION: crossroads(JUNCTION)})
        assert taken.became is Became.MADE
    with running(folder, secret) as started:
        change_us = now_us() - AGO_DAYS * DAY_US
        said = measured(BEFORE, change_us)
        # What a broken detector says is no measurement, and what is behind the junction is not told of it.
        for each in [row for row in said if row["point"] == "speed"]:
            value = 3.0 if each["at"] > rfc3339(change_us) else 80.0
            said += [{**each, "asset": other, "value": value} for other in (BROKEN, BEHIND)]
        said += [reading(BROKEN, "working", False, change_us - days * DAY_US) for days in (0, 7)]
        assert started.send(said).body["accepted"] == len(said)
        yield started


@pytest.fixture(scope="module")
def operator(post: RunningPost) -> Browser:
    return Browser(post, "operator")


def followed(post: RunningPost, who: Browser, junctions: list[str], before: str, after: str) -> str:
    """The id of an order, on who decides, that junctions have followed a moment ago."""
    assert post.send([reading(each, "control", before, now_us()) for each in junctions]).status == 200
    said = {"action": "junction.set_control", "params": {"control": after}, "select": {"assets": junctions}}
    own: str = who.ask("POST", "/api/v1/commands", said).body["id"]
    assert who.ask("POST", f"/api/v1/commands/{own}/confirm", {}).status == 200
    handed = post.ask("GET", "/device/v1/orders?wait_s=20", Authorization=f"Bearer {post.secret}").body
    assert [each["asset"] for each in handed["orders"]] == junctions
    assert post.send([reading(each, "control", after, now_us()) for each in junctions]).status == 200
    return own


@pytest.fixture(scope="module")
def ordered(post: RunningPost, operator: Browser) -> str:
    return followed(post, operator, [JUNCTION], "plan", "adaptive")


def test_changes_are_told_newest_first_with_who_made_them(post: RunningPost, operator: Browser, ordered: str) -> None:
    told = operator.ask("GET", CHANGES).body
    order, document = told["items"]
    assert (order["id"], order["what"], order["action"]) == (ordered, "order", "junction.set_control")
    assert (order["params"], order["state"], order["version"]) == ({"control": "adaptive"}, "done", None)
    assert order["who"]["name"] == "Operator Durand"
    assert (document["what"], document["version"], document["action"]) == ("document", 1, None)
    assert document["who"] == {"id": "command-line", "name": None}
    age_us = now_us() - to_us(datetime.fromisoformat(document["at"]))
    assert 0 <= age_us - AGO_DAYS * DAY_US < HOUR_US
    # Who may see the junction, but nobody's name, is told who by no more than an id.
    elected = Browser(post, "elected").ask("GET", CHANGES).body["items"]
    assert [each["id"] for each in elected] == [each["id"] for each in told["items"]]
    assert elected[0]["who"] == {"id": order["who"]["id"], "name": None}


def test_a_week_after_is_told_beside_the_week_before(operator: Browser, ordered: str) -> None:
    document = operator.ask("GET", CHANGES).body["items"][1]
    told = operator.ask("GET", f"{CHANGES}/{document['id']}/after").body
    figures = {each["figure"]: each for each in told["figures"]}
    # Public holidays among these days are beside nothing.
    assert told["hours"] == 7 * 24
    compared = 7 * 24 - told["unmatched"]
    assert compared >= 4 * 24
    assert {name: each["says"] for name, each in figures.items()} | {"flow": ""} == {
        "speed_like": "better", "occupancy_like": "better", "speed": "better", "occupancy": "better", "flow": "",
    }  # fmt: skip
    speed = figures["speed"]
    assert speed["hours"] == compared
    assert speed["difference"] == pytest.approx(5, abs=1.5)
    assert speed["low"] < speed["difference"] < speed["high"]
    assert speed["before"] < 45, "80 km/h are those of a detector that had said it does not work"
    assert figures["occupancy"]["difference"] == pytest.approx(-2, abs=0.1)
    assert [each["id"] for each in told["counters"]] == [BEFORE, BROKEN]
    assert {each["street"] for each in told["counters"]} == {"Quai B"}
    spans = [
        to_us(datetime.fromisoformat(told[name])) for name in ("before_from", "before_to", "after_from", "after_to")
    ]
    assert [b - a for a, b in pairwise(spans)] == [7 * DAY_US, HOUR_US, 7 * DAY_US]
    assert told["others"] == 0, "the order came after these days"
    assert (
        operator.ask("GET", f"{CHANGES}/{document['id']}/after?days=1").body["figures"][0]["says"] == "not enough yet"
    )
    del ordered


def test_of_what_has_just_changed_nothing_is_said(operator: Browser, ordered: str) -> None:
    told = operator.ask("GET", f"{CHANGES}/{ordered}/after?days=56").body
    assert (told["hours"], told["days_min"], told["others"]) == (0, 3, 1)
    assert {each["says"] for each in told["figures"]} == {"not enough yet"}
    assert {each["before"] for each in told["figures"]} == {None}


def test_nobody_learns_of_a_junction_that_they_do_not_see(post: RunningPost, operator: Browser, ordered: str) -> None:
    assert post.ask("GET", CHANGES).status == 401
    for login in ("roadman", "manager"):
        stranger = Browser(post, login)
        assert stranger.ask("GET", CHANGES).status == 404
        assert stranger.ask("GET", f"{CHANGES}/{ordered}/after").status == 404
    silent = CHANGES.replace(JUNCTION, SILENT)
    assert Browser(post, "roadman").ask("GET", silent).body == {"items": [], "next": None, "total": 0}
    # A change of another junction is none of this one.
    assert operator.ask("GET", f"{silent}/{ordered}/after").status == 404
    assert operator.ask("GET", CHANGES.replace(JUNCTION, BEFORE)).status == 404
    for wrong in ("days=0", "days=57", "days=a", "day=7", "days=7&days=7"):
        assert operator.ask("GET", f"{CHANGES}/{ordered}/after?{wrong}").status == 400
    assert operator.ask("GET", f"{CHANGES}?limit=3").status == 400


def test_a_document_that_is_withdrawn_is_a_change_of_its_own(post: RunningPost, ordered: str) -> None:
    supervisor = Browser(post, "supervisor")
    (plan,) = supervisor.ask("GET", "/api/v1/plans").body["items"]
    said = {"version": 1, "reason": "the junction is rebuilt"}
    assert supervisor.ask("POST", f"/api/v1/plans/{plan['id']}/withdraw", said).status == 204
    newest, order, _ = supervisor.ask("GET", CHANGES).body["items"]
    assert (newest["what"], newest["version"], newest["who"]) == ("withdrawn", 1, None)
    assert order["id"] == ordered


def test_of_an_order_over_more_than_one_sees_no_more_is_told_than_that_it_was_followed(
    post: RunningPost, operator: Browser, ordered: str
) -> None:
    own = followed(post, operator, [JUNCTION, SILENT], "adaptive", "plan")
    changes = CHANGES.replace(JUNCTION, SILENT)
    roadman = Browser(post, "roadman")
    assert roadman.ask("GET", f"/api/v1/commands/{own}").status == 404
    [told] = operator.ask("GET", changes).body["items"]
    assert (told["id"], told["params"]) == (own, {"control": "plan"})
    [part] = roadman.ask("GET", changes).body["items"]
    assert part == told | {"id": part["id"], "params": {}, "who": None}
    assert own not in part["id"]
    assert roadman.ask("GET", f"{changes}/{part['id']}/after").body["change"] == part
    assert roadman.ask("GET", f"{changes}/{own}/after").status == 404
    del ordered
