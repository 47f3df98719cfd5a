"""Crews of the demo: they begin what they are given and bring it to an end, and what they tell twice is one."""

from __future__ import annotations

from random import Random
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from vigie.core.lives import WORK_ORDER
from vigie.core.times import MINUTE_US, rfc3339
from vigie.services.roads.crews import skills_of
from vigie.services.roads.orders import WORK_ORDER as KIND
from vigie.sim.city.crews import CREWS
from vigie.sim.work import FASTER, SEEN, SKILLS, acts_of


def case(name: str, takes_min: int, checks: int, state: str = "assigned") -> dict[str, Any]:
    row = {"id": name, "state": state, "over": False, "revision": 1, "category": "lighting", "moved": rfc3339(0)}
    checklist = [{"what": f"check {n}", "done": False} for n in range(checks)]
    return {"row": row, "document": {"takes_min": takes_min, "checklist": checklist}}


def done(day: dict[str, Any], acts: list[dict[str, Any]], now_us: int) -> None:
    """Does what the post does with acts."""
    rows = {each["row"]["id"]: each["row"] for each in day["cases"]}
    for act in acts:
        row = rows[act["case"]]
        row["revision"] += 1
        if act["what"] == "move":
            row["state"] = WORK_ORDER.move(row["state"], act["event"])
            row["over"], row["moved"] = KIND.is_over(row["state"]), rfc3339(now_us)


@given(st.lists(st.tuples(st.integers(1, 90), st.integers(0, 3)), max_size=8), st.integers(0, 99))
def test_whatever_a_crew_is_given_is_ended_or_said_to_be_impossible(work: list[tuple[int, int]], seed: int) -> None:
    day = {"cases": [case(f"c{n}", *each) for n, each in enumerate(work)]}
    now_us, told = 0, set[str]()
    while any(each["row"]["state"] in ("assigned", "started") for each in day["cases"]):
        acts = acts_of(day, now_us, Random(f"{seed}.{now_us}"))
        again = acts_of(day, now_us, Random(f"{seed}.{now_us}"))
        assert [each["id"] for each in acts] == [each["id"] for each in again]
        assert told.isdisjoint(each["id"] for each in acts)
        told |= {each["id"] for each in acts}
        done(day, acts, now_us)
        assert sum(each["row"]["state"] == "started" for each in day["cases"]) <= 1
        now_us += MINUTE_US
    assert now_us <= sum(takes for takes, _ in work) * MINUTE_US // FASTER + 4 * len(work) * MINUTE_US
    assert {each["row"]["state"] for each in day["cases"]} <= {"done", "blocked"}


def test_what_is_seen_in_the_town_can_be_done_by_one_of_its_crews() -> None:
    able = {skill for crew in CREWS for skill in skills_of(crew.skills)}
    for category, _, _ in SEEN:
        assert category in KIND.categories
        assert set(SKILLS.get(category, ())) <= able
