"""Junctions taken in from a network: all at once, once, and by a post that runs as where none does."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace
from typer.testing import CliRunner

from tests.people import ALL, PEOPLE, QUETIGNY, Browser, make_people
from tests.post import NO_RESERVE, now_us, reading, running
from tests.sim.traffic.conftest import town as town
from vigie.app import NoInstallation, admit_device, installation
from vigie.app.signals import Became, take_in
from vigie.cli import main
from vigie.core.drafts import Draft
from vigie.core.facts import COMMAND_LINE, POST, PlanMoved, PlanSaved
from vigie.engine.accounts import Held
from vigie.services.signals.control.site import Feeder, Site, site_of_json, site_to_json
from vigie.services.signals.plans import bound
from vigie.settings import Settings
from vigie.sim.traffic.netfile import read_network
from vigie.sim.traffic.network import lights_of
from vigie.transports.control import Wrong

AREAS = {"A0": "dijon-metropole/dijon", "B1": "dijon-metropole/quetigny"}
JUNCTIONS = [f"junction-{name}" for name in AREAS]
SIGNALS = "/api/v1/signals/junctions"


def settings(folder: Path) -> Settings:
    return Settings(data=folder, city="Essai", **NO_RESERVE)


@pytest.fixture(scope="module")
def network(town: Path) -> Path:
    return town.with_name("town.net.xml")


@pytest.fixture(scope="module")
def sites(network: Path) -> dict[str, Site]:
    lights = {light.name: light.site for light in lights_of(read_network(network))}
    return bound(lights, {name: f"junction-{name}" for name in AREAS})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """An installation that has two junctions, and nothing runs on it."""
    return made(tmp_path / "post")[0]


def made(folder: Path) -> tuple[Path, str]:
    with installation(settings(folder)) as opened:
        drafts = [
            Draft(
                key=name, kind="junction", id=f"junction-{name}", name=f"Carrefour {name}", lon=5.0, lat=47.3, area=area
            )
            for name, area in AREAS.items()
        ]
        opened.take_assets("test", drafts)
        return folder, admit_device(opened, "site", [opened.facts.ids()[each] for each in JUNCTIONS])


def became(folder: Path, sites: dict[str, Site], **more: Any) -> dict[str, Became]:
    return {each.asset: each.became for each in take_in(settings(folder), sites, **more)}


def test_what_is_taken_in_is_in_force_and_taken_in_again_changes_nothing(folder: Path, sites: dict[str, Site]) -> None:
    said: list[tuple[str, int, int]] = []
    assert set(became(folder, sites, dry=True).values()) == {Became.MADE}
    assert set(became(folder, sites, reason="counts of May", say=lambda *at: said.append(at)).values()) == {Became.MADE}
    assert said == [("junctions", 1, 2), ("junctions", 2, 2)]
    assert set(became(folder, sites).values()) == {Became.UNCHANGED}
    later = sites | {"junction-A0": replace(sites["junction-A0"], plan=replace(sites["junction-A0"].plan, offset_s=9))}
    assert became(folder, later) == {"junction-A0": Became.CHANGED, "junction-B1": Became.UNCHANGED}
    with installation(settings(folder)) as opened:
        facts = [line.fact for line in opened.facts.journal.lines(limit=50)]
        # Who made the document of the network is another than who answers for it.
        assert [each.actor for each in facts if isinstance(each, PlanSaved)] == [POST] * 3
        assert {(each.actor, each.event) for each in facts if isinstance(each, PlanMoved)} == {
            (COMMAND_LINE, "approve")
        }
        numbers = {plan.in_force.body.asset: plan.in_force.number for plan in opened.engine().plans if plan.in_force}
        assert numbers == {"junction-A0": 2, "junction-B1": 1}
    assert not list(folder.glob(".take-in*"))


def test_what_is_wrong_with_a_junction_leaves_that_one_out(folder: Path, sites: dict[str, Site]) -> None:
    first = sites["junction-A0"]
    wrong = replace(first, exits={first.approaches[0].lane: 399})
    slow = replace(first.junction, lanes=tuple(replace(each, speed_m_s=20.0) for each in first.junction.lanes))
    assert became(folder, sites | {"junction-A0": wrong}) == {"junction-A0": Became.REFUSED, "junction-B1": Became.MADE}
    fast = sites | {"junction-A0": replace(first, junction=slow)}
    assert became(folder, fast)["junction-A0"] is Became.OWED
    assert became(folder, fast, answer="limited to 50 by the works")["junction-A0"] is Became.MADE
    nowhere = {"nowhere": replace(first, junction=replace(first.junction, name="nowhere"))}
    (told,) = take_in(settings(folder), nowhere)
    assert (told.became, [each.rule for each in told.findings]) == (Became.REFUSED, ["signals.no_such_junction"])


def test_what_cannot_be_read_is_refused_alone_and_a_dry_run_says_what_the_real_one_does(
    folder: Path, sites: dict[str, Site]
) -> None:
    first = sites["junction-A0"]
    lanes = (replace(first.junction.lanes[0], length_m=float("nan")), *first.junction.lanes[1:])
    feeders = tuple(Feeder("n" * 200, "l" * 200, 0.5, (0,), travel_s) for travel_s in range(1_500))
    unread = replace(first, junction=replace(first.junction, lanes=lanes))
    for odd, rule, other in (
        (unread, "signals.plan_form", Became.MADE),
        (replace(first, feeders=feeders), "signals.plan_too_long", Became.UNCHANGED),
    ):
        for dry in (True, False):
            wrong, sound = take_in(settings(folder), sites | {"junction-A0": odd}, dry=dry)
            assert (wrong.asset, wrong.became, sound.became) == ("junction-A0", Became.REFUSED, other)
            assert [each.rule for each in wrong.findings] == [rule]


def test_an_answer_that_would_not_be_read_again_is_not_kept(folder: Path, sites: dict[str, Site]) -> None:
    with pytest.raises(Wrong, match="2000"):
        take_in(settings(folder), sites, answer="x" * 2_001)
    code, _, said = ask("net.xml", "--answer", "x" * 2_001, "--data", str(folder))
    assert (code, "at most 2,000 characters" in said) == (1, True), said
    with installation(settings(folder)) as opened:
        assert not list(opened.engine().plans)


def test_a_folder_that_is_none_is_said(tmp_path: Path, sites: dict[str, Site]) -> None:
    with pytest.raises(NoInstallation):
        take_in(settings(tmp_path / "nowhere"), sites)


def ask(*args: str) -> tuple[int, str, str]:
    done = CliRunner().invoke(main, ["signals", "take-in", *args])
    return done.exit_code, done.stdout, " ".join(done.stderr.split())


def test_the_command_binds_lights_to_junctions(folder: Path, network: Path, tmp_path: Path) -> None:
    names = tmp_path / "lights.csv"
    names.write_text("light,asset\nA0,junction-A0\nB1,junction-B1\n")
    code, said, _ = ask(str(network), "--bind", str(names), "--data", str(folder))
    assert code == 0, said
    assert "made  2" in said
    assert "7 lights of the network are bound to no junction" in said
    code, said, _ = ask(str(network), "--bind", str(names), "--data", str(folder), "--json")
    assert [each["became"] for each in json.loads(said)] == ["unchanged"] * 2
    code, said, _ = ask(str(network), "--data", str(folder))
    assert (code, "A0 is left out: mend this first\n  The inventory has no junction A0" in said) == (1, True)


@pytest.mark.parametrize(
    ("rows", "told"),
    [
        ("lamp,asset\n", "no columns light and asset"),
        ("light,asset\nZ9,junction-A0\n", "line 2: the network has no traffic light 'Z9'"),
        ("light,asset\nA0,\n", "line 2: the light 'A0' has no junction"),
        ("light,asset\nA0,a\nB1,a\n", "line 3: 'B1' or 'a' comes twice"),
        (f"light,asset\nA0,{'a' * 200_000}\n", "is no CSV in UTF-8"),
    ],
)
def test_a_list_that_cannot_be_is_said(network: Path, tmp_path: Path, rows: str, told: str) -> None:
    (tmp_path / "lights.csv").write_text(rows)
    code, _, said = ask(str(network), "--bind", str(tmp_path / "lights.csv"), "--data", str(tmp_path))
    assert (code, told in said) == (1, True), said


def drafts(who: Browser, asset: str, site: Site, area: str) -> int:
    """Somebody begins a document of a junction; the status of what they are answered."""
    body = {"asset": asset, "site": json.loads(site_to_json(site)), "area": area}
    return who.ask("POST", "/api/v1/plans", {"kind": "signals.junction", "body": body}).status


def test_a_running_post_takes_them_in_and_tells_who_may_see_them(
    tmp_path: Path, sites: dict[str, Site], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(PEOPLE, "chief", (Held("supervisor", QUETIGNY, ALL),))
    folder, secret = made(tmp_path / "post")
    make_people(folder, ["operator", "roadman", "manager", "chief"])
    with running(folder, secret) as post:
        operator, roadman, manager, chief = (
            Browser(post, login) for login in ("operator", "roadman", "manager", "chief")
        )
        (first, second) = operator.ask("GET", SIGNALS).body["items"]
        assert (first["id"], first["control"], first["version"], first["findings"]) == (JUNCTIONS[0], None, None, [])
        assert operator.ask("GET", f"{SIGNALS}/{JUNCTIONS[1]}").body["document"] is None
        assert became(folder, sites) == dict.fromkeys(JUNCTIONS, Became.MADE)
        assert became(folder, sites) == dict.fromkeys(JUNCTIONS, Became.UNCHANGED)
        told = operator.ask("GET", f"{SIGNALS}/{JUNCTIONS[1]}").body
        assert site_of_json(json.dumps(told["document"]["site"])) == sites[JUNCTIONS[1]]
        assert (told["version"], told["draft"], told["findings"]) == (1, None, [])
        # Nobody hears of a junction that they do not see: another commune's, or with a right to lamps alone.
        assert [each["id"] for each in roadman.ask("GET", SIGNALS).body["items"]] == [JUNCTIONS[1]]
        assert roadman.ask("GET", f"{SIGNALS}/{JUNCTIONS[0]}").status == 404
        assert manager.ask("GET", SIGNALS).body["items"] == []
        assert operator.ask("GET", f"{SIGNALS}/post").status == 404
        assert post.ask("GET", SIGNALS).status == 401
        assert post.send([reading(JUNCTIONS[0], "control", "plan", now_us())]).body["accepted"] == 1
        (first, second) = operator.ask("GET", SIGNALS).body["items"]
        assert (first["control"]["value"], second["control"]) == ("plan", None)
        # What its groups showed is told as it was said, to whoever sees it.
        shown_us = [now_us() - 3_000_000, now_us()]
        groups = zip(("GGRR", "YYRR"), shown_us, strict=True)
        assert (
            post.send([reading(JUNCTIONS[0], "groups", value, at_us) for value, at_us in groups]).body["accepted"] == 2
        )
        told = operator.ask("GET", f"/api/v1/assets/{JUNCTIONS[0]}/history?point=groups").body
        assert (told["raw"], [row[1] for row in told["rows"]]) == (True, ["GGRR", "YYRR"])
        assert [row[0] for row in told["rows"]] == [at_us / 1_000 for at_us in shown_us]
        assert roadman.ask("GET", f"/api/v1/assets/{JUNCTIONS[0]}/history?point=groups").body.get("rows", []) == []
        assert {each["kind"] for each in operator.ask("GET", "/api/v1/plans").body["items"]} == {"signals.junction"}
        # Whoever plans for one commune describes no junction of another, nor learns whether there is such a one.
        assert [drafts(chief, asset, sites[JUNCTIONS[0]], QUETIGNY) for asset in (JUNCTIONS[0], "nowhere")] == [403] * 2
        assert drafts(chief, JUNCTIONS[1], sites[JUNCTIONS[1]], QUETIGNY) == 201
        told = [operator.ask("GET", f"{SIGNALS}/{each}").body for each in JUNCTIONS]
        assert [(each["version"], each["draft"], each["document"] is not None) for each in told] == [
            (1, None, True)
        ] * 2
