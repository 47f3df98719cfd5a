"""Real cities, taken in whole: what their publishers counted is what the post has."""

from __future__ import annotations

import json
import shutil
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyproj
import pytest
from click.testing import Result
from typer.testing import CliRunner

from tests.post import NO_RESERVE, running
from vigie.app import installation
from vigie.cli import main
from vigie.settings import Settings
from vigie.store.facts import Row

NOTHING = {"made": 0, "changed": 0, "gone": 0, "retired": 0, "rejected": 0}


def vigie(data: Path, *words: str | Path, code: int = 0) -> Result:
    result = CliRunner().invoke(main, ["import", *map(str, words), "--data", str(data)])
    assert result.exit_code == code, result.output
    return result


def take(data: Path, *words: str | Path) -> dict[str, Any]:
    return json.loads(vigie(data, *words, "--json").stdout)


def counts(report: dict[str, Any], *names: str) -> dict[str, int]:
    return {name: report[name] for name in names or tuple(NOTHING)}


def made(report: dict[str, Any]) -> dict[str, int]:
    return {file["part"]: file["made"] for file in report["files"]}


def had(data: Path) -> list[Row]:
    """The registry's rows: number, id, kind, area, parent, reporter, lon, lat, gone."""
    with installation(Settings(data=data, **NO_RESERVE)) as opened:
        return opened.facts.registry_rows()


def leaves(data: Path) -> int:
    with installation(Settings(data=data, **NO_RESERVE)) as opened:
        return opened.facts.journal.size


@pytest.fixture(scope="module")
def cities(shared: Path) -> Path:
    return shared / "cities"


@pytest.fixture(scope="module")
def montpellier(cities: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, Any]]:
    """An installation with all of Montpellier, and the report of its import."""
    data = tmp_path_factory.mktemp("montpellier")
    return data, take(data, cities / "montpellier")


def test_all_of_montpellier(montpellier: tuple[Path, dict[str, Any]]) -> None:
    data, report = montpellier
    assert made(report) == {
        "commune": 1, "districts": 7, "sub-districts": 31, "streets": 8_011, "lights": 29_969, "junctions": 373,
        "cameras": 141, "crossings": 3_130, "air-stations": 5,
    }  # fmt: skip
    assert counts(report, "rejected", "left_out", "joined", "changed") == {
        "rejected": 0, "left_out": 15, "joined": 0, "changed": 0,
    }  # fmt: skip
    rows = had(data)
    kinds = Counter(row[2] for row in rows)
    assert kinds == {
        "luminaire": 29_969, "street": 8_011, "crossing": 3_130, "junction": 373, "camera": 141, "district": 38,
        "air_station": 5, "commune": 1, "post": 1,
    }  # fmt: skip
    assert [row[0] for row in rows] == list(range(1, len(rows) + 1))
    assert all(3.75 < row[6] < 4.0 and 43.5 < row[7] < 43.7 for row in rows if row[2] != "post")


def test_each_thing_lies_in_its_district(montpellier: tuple[Path, dict[str, Any]]) -> None:
    data, _ = montpellier
    areas = Counter(row[3] for row in had(data) if row[2] == "luminaire")
    assert areas["montpellier/montpellier-centre/antigone"] > 1_000
    assert sum(number for area, number in areas.items() if area.count("/") == 2) > 29_700
    assert areas[""] == 156  # on roads that the city lights beyond its border
    assert {area.split("/")[0] for area in areas} == {"", "montpellier"}


def test_projections_are_named_declared_or_recognised(montpellier: tuple[Path, dict[str, Any]]) -> None:
    told = {file["part"]: (file["crs"].split()[0], file["crs_how"]) for file in montpellier[1]["files"]}
    assert told["lights"] == ("EPSG:2154", "named by the .prj in VilleMTP_MTP_EclairagePublic.zip")
    assert told["cameras"] == ("EPSG:2154", "declared by the mapping")
    assert told["districts"][1].startswith("recognised by its numbers")


def test_twice_changes_nothing(montpellier: tuple[Path, dict[str, Any]], cities: Path) -> None:
    data, first = montpellier
    before = leaves(data)
    again = take(data, cities / "montpellier", "--retire")
    assert counts(again) == NOTHING
    assert again["unchanged"] == first["made"]
    assert leaves(data) == before


def test_a_bad_file_changes_nothing_at_all(
    montpellier: tuple[Path, dict[str, Any]], cities: Path, tmp_path: Path
) -> None:
    data, _ = montpellier
    before = leaves(data)
    folder = tmp_path / "montpellier"
    shutil.copytree(cities / "montpellier", folder, copy_function=shutil.copyfile)
    cut = folder / "VilleMTP_MTP_FilaireVoies.zip"
    cut.write_bytes(cut.read_bytes()[:-1_000])
    (folder / "VilleMTP_MTP_CameraSurv.geojson").write_text('{"type": "FeatureCollection", "features": []}')
    said = vigie(data, folder, "--retire", code=1).stderr
    assert "VilleMTP_MTP_FilaireVoies.zip is no whole zip archive" in " ".join(said.split())
    assert leaves(data) == before
    assert not vigie(tmp_path / "new", folder, code=1).stdout
    assert not (tmp_path / "new").exists()


def test_a_conic_zone_without_a_declaration_is_recognised(cities: Path, tmp_path: Path) -> None:
    """The cameras as another office would publish them: in CC44, and nothing says so."""
    tree = json.loads((cities / "montpellier" / "VilleMTP_MTP_CameraSurv.geojson").read_text("utf-8"))
    tree.pop("crs", None)
    move = pyproj.Transformer.from_crs(2154, 3944, always_xy=True)
    for feature in tree["features"]:
        feature["geometry"]["coordinates"] = move.transform(*feature["geometry"]["coordinates"][:2])
    file = tmp_path / "cameras.geojson"
    file.write_text(json.dumps(tree))
    mapping = tmp_path / "city.toml"
    mapping.write_text(
        'source = "montpellier"\n[[files]]\nname = "cameras"\nfile = "cameras.geojson"\n'
        '[[files.assets]]\nkind = "camera"\nkey = "{Nom}"\nid = "{Nom}"\n'
    )
    data = tmp_path / "data"
    report = take(data, file, "--mapping", mapping)
    assert report["made"] == 141
    assert report["files"][0]["crs"].startswith("EPSG:3944")
    assert "recognised by its numbers" in report["files"][0]["crs_how"]
    there = np.array([(row[6], row[7]) for row in had(data) if row[2] == "camera"])
    take(tmp_path / "straight", cities / "montpellier" / "VilleMTP_MTP_CameraSurv.geojson", "--mapping", "montpellier")
    straight = np.array([(row[6], row[7]) for row in had(tmp_path / "straight") if row[2] == "camera"])
    assert np.abs(there - straight).max() < 1e-6  # a decimetre


@pytest.mark.parametrize(
    ("name", "parts", "others"),
    [
        (
            "cambridge-ma",
            {"boundary": 1, "neighborhoods": 13, "centerlines": 2_643, "street-lights": 6_117, "park-lights": 858,
             "signals": 307},
            {"read": 10_417, "joined": 478, "left_out": 0, "rejected": 0},
        ),
        ("dijon", {"communes": 23}, {"read": 23, "joined": 0, "left_out": 0, "rejected": 0}),
        ("dijon-divia-stops", {"stops": 325}, {"read": 429, "joined": 104, "left_out": 0, "rejected": 0}),
        ("osm-helsinki", {"osm": 2_900}, {"read": 30_010, "joined": 0, "left_out": 27_019, "rejected": 91}),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)  # fmt: skip
def test_other_cities(name: str, parts: dict[str, int], others: dict[str, int], cities: Path, tmp_path: Path) -> None:
    report = take(tmp_path / "data", cities / name)
    assert made(report) == parts
    assert counts(report, *others) == others
    again = take(tmp_path / "data", cities / name)
    assert counts(again, "made", "changed", "gone") == {"made": 0, "changed": 0, "gone": 0}
    assert again["unchanged"] == report["made"]


def test_one_area_that_cannot_be_drawn_hides_no_other(cities: Path, tmp_path: Path) -> None:
    """Of Heidelberg's quarter of a million objects two have rings that do not close."""
    file = cities / "osm-heidelberg" / "heidelberg.osm.pbf"
    report = take(tmp_path / "data", file, "--mapping", "osm-helsinki", "--source", "osm-heidelberg")
    assert counts(report, "read", "rejected") == {"read": 254_328, "rejected": 1}
    assert Counter(row[2] for row in had(tmp_path / "data"))["junction"] == 534


def test_what_openstreetmap_has_in_helsinki(cities: Path, tmp_path: Path) -> None:
    take(tmp_path / "data", cities / "osm-helsinki")
    kinds = Counter(row[2] for row in had(tmp_path / "data"))
    assert (kinds["luminaire"], kinds["junction"], kinds["camera"]) == (586, 135, 220)


def stops(folder: Path, lines: Sequence[bytes]) -> Path:
    path = folder / "stops.csv"
    path.write_bytes(b"\n".join(lines))
    return path


def test_stops_lie_in_communes_of_another_source_and_go_only_when_asked(cities: Path, tmp_path: Path) -> None:
    data = tmp_path / "data"
    words = ("--mapping", "dijon-divia-stops")
    lines = (cities / "dijon-divia-stops" / "divia_stops_by_line.csv").read_bytes().splitlines()
    take(data, stops(tmp_path, lines), *words)
    assert {row[3] for row in had(data) if row[2] == "stop"} == {""}
    take(data, cities / "dijon")
    placed = take(data, stops(tmp_path, lines), *words)  # once more, now that there are communes
    assert placed["changed"] > 300
    assert "dijon-metropole/quetigny" in {row[3] for row in had(data) if row[2] == "stop"}

    kept = lines[: len(lines) // 2]
    gone = take(data, stops(tmp_path, kept), *words)["gone"]
    assert 100 < gone < 325
    assert not any(row[8] for row in had(data))
    assert take(data, stops(tmp_path, kept), *words, "--retire", "--dry-run")["retired"] == gone
    assert not any(row[8] for row in had(data))
    assert take(data, stops(tmp_path, kept), *words, "--retire")["retired"] == gone
    assert sum(row[8] for row in had(data)) == gone
    assert counts(take(data, stops(tmp_path, kept), *words, "--retire")) == NOTHING
    # A line nobody can read may be any of those that seem gone: nothing is retired for it.
    broken = take(data, stops(tmp_path, [*kept[:100], b"rubbish"]), *words, "--retire")
    assert (broken["retired"], broken["rejected"]) == (0, 1)
    assert "nothing of it was retired" in str(broken["files"][0]["warnings"])
    back = take(data, stops(tmp_path, lines), *words)
    assert (back["made"], back["gone"]) == (0, 0)
    assert not any(row[8] for row in had(data))


def test_a_bad_row_is_refused_alone_with_its_line(cities: Path, tmp_path: Path) -> None:
    lines = (cities / "dijon-divia-stops" / "divia_stops_by_line.csv").read_bytes().splitlines()
    columns = lines[0].decode().split(",")
    bad = dict.fromkeys(columns, "x") | {"stop_name": "Nulle part", "lat": "north"}
    lines.insert(7, ",".join(bad[column] for column in columns).encode())
    path = stops(tmp_path, lines)
    report = take(tmp_path / "data", path, "--mapping", "dijon-divia-stops")
    assert (report["made"], report["rejected"]) == (325, 1)
    (rejection,) = report["files"][0]["rejections"]
    assert (rejection["line"], rejection["key"]) == (8, "stops/Nulle part")
    shown = vigie(tmp_path / "data", path, "--mapping", "dijon-divia-stops").stdout
    assert "line 8: its place is no number: lon 'x', lat 'north'" in shown


def test_what_is_asked_for_wrongly_is_said(cities: Path, tmp_path: Path) -> None:
    for words, said in [
        ((tmp_path,), "no mapping is shipped under its name"),
        ((tmp_path / "nowhere.ndjson",), "cannot be read"),
        ((cities / "dijon" / "dijon-metropole-23-communes.geojson",), "no mapping says what its columns are"),
        ((cities / "dijon", "--mapping", "djion"), "nearest shipped is 'dijon'"),
        ((cities / "dijon", "--mapping", "montpellier"), "None of the files of montpellier is there"),
        ((cities / "dijon", cities / "montpellier"), "Several files"),
    ]:
        shown = " ".join(vigie(tmp_path / "data", *words, code=1).stderr.split())
        assert said in shown
    assert not (tmp_path / "data").exists()


def test_the_post_serves_montpellier_and_imports_wait_until_it_ends(
    montpellier: tuple[Path, dict[str, Any]], cities: Path
) -> None:
    data, _ = montpellier
    with running(data, "") as post:
        assert post.ask("GET", "/health/ready").status == 200
        said = vigie(data, cities / "dijon", code=1).stderr
        assert "is in use by another vigie" in " ".join(said.split())
