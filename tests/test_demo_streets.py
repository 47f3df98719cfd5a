"""The demo's junctions given to adaptive control by a real post: documents in force, and a confirmed order."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests import metropolis, people
from tests.people import Browser, make_people
from tests.post import NO_RESERVE, now_us, reading, running
from vigie.app import admit_device, installation
from vigie.core.drafts import Draft
from vigie.demo import streets
from vigie.demo.processes import in_hand, streets_are_new, streets_folder
from vigie.demo.streets import give_to_control
from vigie.services.signals import Junction
from vigie.settings import Settings
from vigie.sim.city.inventory import asset_id
from vigie.sim.traffic.town import make_town

PART = (8, 33, 61)
JUNCTIONS = [asset_id(Junction.kind, number) for number in PART]


def made(folder: Path) -> str:
    """An installation with some junctions, their streets, and the operator; returns what speaks for the junctions."""
    with installation(Settings(data=folder, city="Essai", **NO_RESERVE)) as opened:
        where = {"lon": 5.0, "lat": 47.3, "area": "dijon-metropole/dijon"}
        opened.take_assets(
            "test", [Draft(key=name, kind="junction", id=name, name=name, **where) for name in JUNCTIONS]
        )
        known = opened.facts.ids()
        secret = admit_device(opened, "sites", [known[name] for name in JUNCTIONS])
    make_people(folder, ["operator"])
    make_town(metropolis.city(), streets_folder(folder), PART, peak_h=1_000)
    return secret


def test_junctions_are_taken_in_and_ordered_to_be_adaptive_when_they_tell_who_decides(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(streets, "PASSWORD", people.PASSWORD)
    monkeypatch.setattr(streets, "_LOOK_S", 0.05)
    secret, said = made(tmp_path), list[str]()
    assert streets_are_new(tmp_path)
    with running(tmp_path, secret) as post:
        settings = Settings(data=tmp_path, city="Essai", **NO_RESERVE)
        giving = threading.Thread(target=give_to_control, args=(settings, f"http://127.0.0.1:{post.port}", said.append))
        giving.start()
        operator = Browser(post, "operator")

        def commands() -> list[dict[str, object]]:
            return operator.ask("GET", "/api/v1/commands").body["items"]

        post.send([reading(name, "control", "plan", now_us()) for name in JUNCTIONS[1:]])
        giving.join(2)
        assert giving.is_alive(), "one has not told who decides"
        assert commands() == []
        post.send([reading(JUNCTIONS[0], "control", "plan", now_us())])
        giving.join(60)
        assert said == ["3 junctions stand in traffic now, and are given to adaptive control."]
        (given,) = commands()
        assert (given["action"], given["params"]) == ("junction.set_control", {"control": "adaptive"})
        assert given["state"] != "proposed"
        documents = operator.ask("GET", "/api/v1/signals/junctions").body["items"]
        assert [(each["id"], each["version"], each["findings"]) for each in documents] == [
            (name, 1, []) for name in JUNCTIONS
        ]
    assert in_hand(tmp_path).exists()
    assert not streets_are_new(tmp_path)


def test_a_post_that_refuses_is_told_in_its_own_words(tmp_path: Path) -> None:
    """Nobody of the demo has an account here."""
    secret = made(tmp_path)
    with running(tmp_path, secret) as post, pytest.raises(RuntimeError, match="/api/v1/session: 401"):
        give_to_control(Settings(data=tmp_path, **NO_RESERVE), f"http://127.0.0.1:{post.port}", print)
    assert streets_are_new(tmp_path)
