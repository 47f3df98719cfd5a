"""The door of tracker applications, on a real post: what they send as they send it, and whom it does not follow."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple
from zoneinfo import ZoneInfo

import pytest

from tests.city import open_facts, open_observations
from tests.people import Browser, make_people
from tests.post import NO_RESERVE, Answer, RunningPost, now_us, reading, running
from vigie.app import admit_device, installation
from vigie.core.drafts import Draft
from vigie.core.hours import DAYS
from vigie.core.times import DAY_US, SECOND_US, from_us
from vigie.protocols.osmand import Fix, encode_form, encode_json
from vigie.settings import Settings

DOOR = "/device/v1/osmand"
PLACE = (5.0412, 47.3221)
FORM = "application/x-www-form-urlencoded"
VEHICLES = ("sweeper", "van", "resting", "guarded", "doubled", "doubled-2")


class Town(NamedTuple):
    """A post with vehicles, and the secret of each one's tracker."""

    post: RunningPost
    secrets: dict[str, str]
    desk: Browser
    folder: Path

    def say(self, vehicle: str, *fixes: Fix) -> Answer:
        """As Traccar Client does since its version 9."""
        return self.post.ask("POST", DOOR, encode_json(self.secrets[vehicle], fixes), Content_Type="application/json")

    def sheet(self, vehicle: str) -> tuple[Any, dict[str, Any]]:
        """Why it is not followed, and what its sheet tells."""
        sheet = self.desk.ask("GET", f"/api/v1/assets/{vehicle}").body
        return sheet["withheld"], {each["point"]: each["value"] for each in sheet["points"]}


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    """One post for the questions here. `resting` works on another day of the week than today."""
    folder = tmp_path_factory.mktemp("post")
    other = DAYS[(from_us(now_us()).astimezone(ZoneInfo("Europe/Paris")).weekday() + 3) % 7]
    hours = {"resting": {"hours": f"{other} 00:00-24:00"}, "van": {"hours": "mon-sun 00:00-24:00"}}
    with installation(Settings(data=folder, city="Essai", **NO_RESERVE)) as opened:
        drafts = [
            Draft(key=each, id=each, kind="vehicle", lon=5.0, lat=47.3, attributes=dict(hours.get(each, {})))
            for each in VEHICLES
        ]
        opened.take_assets("test", drafts)
        numbers = {row[1]: row[0] for row in opened.facts.registry_rows()}
        secrets = {each: admit_device(opened, f"tracker-{each}", [numbers[each]]) for each in VEHICLES[:4]}
        secrets["doubled"] = admit_device(opened, "both", [numbers["doubled"], numbers["doubled-2"]])
    make_people(folder, ["operator"])
    with running(folder, "") as post:
        yield Town(post, secrets, Browser(post, "operator"), folder)


def rejected(answer: Answer) -> list[str]:
    assert answer.status == 200, answer
    return [each["outcome"] for each in answer.body["rejected"]]


def test_each_form_is_taken_and_the_vehicle_is_where_it_said(town: Town) -> None:
    at, secret = now_us() // 1_000 * 1_000, town.secrets["sweeper"]
    form = encode_form(secret, Fix(at - 3 * SECOND_US, PLACE, 90.0))
    assert town.post.ask("GET", f"{DOOR}?{form}").body["accepted"] == 2
    form = encode_form(secret, Fix(at - 2 * SECOND_US, PLACE, 91.0))
    assert town.post.ask("POST", f"{DOOR}?{form}").body["accepted"] == 2
    form = encode_form(secret, Fix(at - SECOND_US, PLACE, 92.0))
    assert town.post.ask("POST", DOOR, form.encode(), Content_Type=FORM).body["accepted"] == 2
    assert town.say("sweeper", Fix(at - 1_000, PLACE), Fix(at, PLACE, 93.0)).body["accepted"] == 3
    assert town.say("sweeper", Fix(at, PLACE, 93.0)).body["duplicate"] == 2
    assert town.sheet("sweeper") == (None, {"position": list(PLACE), "heading": 93.0})
    nobody = encode_form("", Fix(at, PLACE)).replace("id=&", "")
    assert town.post.ask("GET", f"{DOOR}?{nobody}", Authorization=f"Bearer {secret}").body["duplicate"] == 1


def test_what_would_be_wrong_again_is_answered_with_200_and_counted(town: Town) -> None:
    secret = town.secrets["sweeper"]
    for query in ("lat=0&lon=0&timestamp=1795485600", "lat=47.3&lon=5.0", "", "x=%ff", "y=" + "z" * 5_000):
        answer = town.post.ask("GET", f"{DOOR}?id={secret}&{query}", Authorization=f"Bearer {secret}")
        assert rejected(answer) == ["malformed"], query
    assert rejected(town.say("sweeper", Fix(1_700_000_000 * SECOND_US, PLACE))) == ["too_old"]
    assert rejected(town.say("sweeper", Fix(now_us() + DAY_US, PLACE))) == ["future"]


def test_who_is_not_known_or_speaks_for_two_comes_again_and_no_secret_is_written_anywhere(town: Town) -> None:
    assert town.post.ask("GET", f"{DOOR}?{encode_form('wrong', Fix(now_us(), PLACE))}").status == 401
    assert town.post.ask("GET", f"{DOOR}?lat=47&lon=5").status == 401
    assert town.post.ask("POST", DOOR, b"{", Content_Type="application/json").status == 401
    assert town.post.ask("POST", DOOR, b"x" * (5 << 20), Content_Type=FORM).status == 413
    doubled = town.say("doubled", Fix(now_us(), PLACE))
    assert (doubled.status, doubled.headers["content-type"]) == (409, "application/problem+json")
    assert "2 vehicles" in doubled.body["detail"]
    log = (town.folder / "log").read_text()
    assert "tracker-sweeper" in log
    assert not [secret for secret in (*town.secrets.values(), "wrong") if secret in log + str(doubled.body)]


def test_outside_its_hours_a_vehicle_is_not_followed_whatever_it_speaks(town: Town) -> None:
    at = now_us()
    worked = at - 4 * DAY_US
    assert town.say("resting", Fix(worked, PLACE, 10.0)).body["accepted"] == 2
    assert town.sheet("resting") == ("off_hours", {})
    assert rejected(town.say("resting", Fix(at, (5.5, 47.5), 20.0))) == ["off_hours", "off_hours"]
    secret = {"Authorization": f"Bearer {town.secrets['resting']}"}
    plain = [reading("resting", "activity", "driving", at), reading("resting", "position", (5.5, 47.5), at)]
    assert rejected(town.post.send(plain, **secret)) == ["off_hours", "off_hours"]
    assert town.post.send([reading("resting", "mission", False, at)], **secret).body["accepted"] == 1
    figures = town.desk.ask("GET", "/metrics").body
    assert 'vigie_readings_total{outcome="off_hours"} 4.0' in figures
    assert town.say("van", Fix(at, PLACE)).body["accepted"] == 1


def test_a_driver_who_is_private_is_not_followed_until_they_say_so(town: Town) -> None:
    at = now_us() - 20 * SECOND_US
    secret = town.secrets["guarded"]
    assert town.say("guarded", Fix(at, PLACE)).body["accepted"] == 1
    private = f"{DOOR}?id={secret}&timestamp={(at + SECOND_US) // 1_000}&private="
    assert town.post.ask("GET", private + "1").body["accepted"] == 1
    assert town.sheet("guarded") == ("private", {"private": True})
    assert rejected(town.say("guarded", Fix(at + 2 * SECOND_US, (5.6, 47.6), 9.0))) == ["private", "private"]
    back = town.say("guarded", Fix(at + 3 * SECOND_US, (5.6, 47.6)), Fix(at + 4 * SECOND_US, PLACE, private=False))
    assert (rejected(back), back.body["accepted"]) == (["private"], 2)
    assert town.sheet("guarded") == (None, {"private": False, "position": list(PLACE)})
    # It was on its way when the driver was private: what held then is known no longer.
    assert rejected(town.say("guarded", Fix(at + 2 * SECOND_US + 1_000, (5.6, 47.6)))) == ["private"]


def test_what_was_taken_outlives_kill_9_and_what_was_dropped_is_on_no_disk(town: Town) -> None:
    at = now_us()
    assert town.say("van", Fix(at, (5.07, 47.37))).body["accepted"] == 1
    town.post.kill()
    facts, observations = open_facts(town.folder), open_observations(town.folder)
    point = facts.point_numbers()["vehicle", "position"]
    with observations.reading() as read:
        kept = read.execute(f"SELECT * FROM ({observations.union('place')}) WHERE point = ?", [point]).fetchall()
    observations.close()
    facts.close()
    assert [row for row in kept if 5.07 in row and 47.37 in row]
    assert not [row for row in kept if {5.5, 5.6} & set(row)]
