"""The town's roadworks at a real post, for whoever asks without an account: told once they are granted, gone with the
next answer once they are withdrawn or finished, sent only where they have changed."""

from __future__ import annotations

import gzip
import http.client
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
import shapely

from tests.people import AtWork, Browser, make_people
from tests.post import NO_RESERVE, RunningPost, make, running
from vigie.app import installation
from vigie.core.drafts import Draft
from vigie.protocols.datex2 import Publication, read
from vigie.settings import Settings

AREA = "dijon-metropole/quetigny"
CASES, XML, GEOJSON, CSV = (
    "/api/v1/cases", "/datex2/v3/situations.xml", "/open-data/roadworks.geojson", "/open-data/roadworks.csv",
)  # fmt: skip


@pytest.fixture(scope="module")
def post(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningPost]:
    """Three streets, one after the other."""
    folder = tmp_path_factory.mktemp("post")
    secret = make(folder, lamps=4)
    with installation(Settings(data=folder, **NO_RESERVE)) as opened:  # type: ignore[arg-type]
        streets = [
            Draft(key=name, kind="street", lon=5.0, lat=47.3, area=AREA, name=f"Rue {name}",
                  geometry=shapely.to_wkb(shapely.LineString([(lon, 47.3), (lon + 0.001, 47.3)])))
            for name, lon in (("Haute", 5.0), ("Basse", 5.001), ("Neuve", 5.002))
        ]  # fmt: skip
        opened.take_assets("town", streets)
    make_people(folder)
    with running(folder, secret) as started:
        yield started


@pytest.fixture(scope="module")
def operator(post: RunningPost) -> Browser:
    return AtWork().browser(post, "operator")


def opened(operator: Browser, street: str, way: str = "either") -> str:
    """Works that somebody asks for; returns their id."""
    now = datetime.now(UTC).replace(tzinfo=None)
    begins, ends = ((now + timedelta(days=days)).isoformat(timespec="minutes") for days in (-1, 5))
    stretch = {"street": f"street-{street}", "from_m": 10, "to_m": 40, "way": way}
    document = {
        "owner_name": "Secret et fils", "nature": "network",
        "phases": [{"begins": begins, "ends": ends, "occupancy": "closure", "stretches": [stretch]}],
        "acts": [{"kind": kind, "state": "granted"} for kind in ("permis_de_stationnement", "traffic_order")],
        "diversion": [{"street": "street-Neuve", "way": "against"}],
    }  # fmt: skip
    body = {"kind": "roads.roadworks", "category": "roadworks", "title": "Chez Paul", "words": "Appeler Paul",
            "document": document}  # fmt: skip
    answer = operator.ask("POST", CASES, body)
    assert answer.status == 201, answer.body
    return answer.body["id"]


def moved(operator: Browser, case: str, event: str, reason: str = "") -> None:
    answer = operator.ask("POST", f"{CASES}/{case}/moves", {"event": event} | ({"reason": reason} if reason else {}))
    assert answer.status == 200, answer.body


def published(post: RunningPost) -> Publication:
    """What everybody is told."""
    answer = post.ask("GET", XML)
    assert answer.status == 200
    reading = read(answer.body.encode())
    assert not reading.deviations
    return reading.publication


def ids(post: RunningPost) -> set[str]:
    return {each.id for each in published(post).situations}


def test_works_are_told_from_their_grant_until_they_are_withdrawn_or_finished(
    post: RunningPost, operator: Browser
) -> None:
    empty = published(post)
    assert (empty.situations, empty.country, empty.creator) == ((), "fr", "vigie")
    one, other = opened(operator, "Haute"), opened(operator, "Basse", "against")
    assert ids(post) == set()
    moved(operator, one, "grant")
    moved(operator, other, "grant")
    assert ids(post) == {one, other}
    situations = {each.id: each for each in published(post).situations}
    works, traffic, detour = situations[one].records
    assert works.places[0].road_name == "Rue Haute"
    # Ten to forty metres along it, in the order of travel.
    (first, last) = works.places[0].points
    assert 5.0 < first[0] < last[0] < 5.001
    (begins, ends) = situations[other].records[0].places[0].points
    assert begins[0] > ends[0]
    assert (traffic.kinds, detour.route[0].road_name) == (("roadClosed",), "Rue Neuve")
    moved(operator, one, "withdraw", "La rue est rouverte.")
    assert ids(post) == {other}
    moved(operator, other, "begin")
    assert ids(post) == {other}
    moved(operator, other, "finish")
    assert ids(post) == set()


def test_it_is_sent_only_where_it_has_changed_and_names_nobody(post: RunningPost, operator: Browser) -> None:
    case = opened(operator, "Haute")
    moved(operator, case, "grant")
    told: list[Any] = [post.ask("GET", path) for path in (XML, GEOJSON, CSV)]
    assert [each.status for each in told] == [200, 200, 200]
    assert not [word for each in told for word in ("Paul", "Secret") if word in str(each.body)]
    assert told[1].body["features"][0]["properties"]["streets"] == ["Rue Haute"]
    assert case in told[2].body
    headers = told[0].headers
    assert (headers["cache-control"], headers["vary"]) == ("public, max-age=30", "Accept-Encoding")
    tag, date = headers["etag"], headers["last-modified"]
    assert post.ask("GET", XML, If_None_Match=tag).status == 304
    assert post.ask("GET", XML, If_Modified_Since=date).status == 304
    assert post.ask("GET", GEOJSON, If_None_Match=tag).status == 200
    assert post.ask("GET", XML, If_Modified_Since="yesterday").status == 200
    # A note is nothing that is told.
    operator.ask("POST", f"{CASES}/{case}/notes", {"note": "Vu avec Paul."})
    assert post.ask("GET", XML, If_None_Match=tag).status == 304
    moved(operator, case, "withdraw", "Annulé.")
    # The same second or not, the old tag and the old date are those of something else.
    assert post.ask("GET", XML, If_None_Match=tag).status == 200
    assert post.ask("GET", XML, If_Modified_Since=date).status == 200
    connection = http.client.HTTPConnection("127.0.0.1", post.port, timeout=30)
    connection.request("GET", XML, headers={"Accept-Encoding": "gzip"})
    answer = connection.getresponse()
    assert answer.getheader("Content-Encoding") == "gzip"
    assert read(gzip.decompress(answer.read())).publication.situations == ()
    connection.close()


def test_who_asks_all_the_time_is_asked_to_wait(post: RunningPost) -> None:
    answers = [post.ask("GET", XML) for _ in range(40)]
    assert answers[-1].status == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
