"""What is asked and answered about the rounds of work orders."""

from __future__ import annotations

from typing import Annotated

from msgspec import Meta

from vigie.api.acts.forms import Asked
from vigie.api.bodies import Reason
from vigie.api.cases.forms import CaseAsset, CaseRow
from vigie.api.city.forms import Form
from vigie.api.roads.planning import LIMIT_S, LIMIT_S_MAX

CASES_MAX, CREWS_MAX = 500, 60

Day = Annotated[str, Meta(pattern=r"^\d{4}-\d\d-\d\d$", description="A day of the town, such as 2026-11-30.")]
Id = Annotated[str, Meta(max_length=200)]


class OfDay(Asked, frozen=True, kw_only=True):
    """A day's rounds. day: empty for today; a shift that goes on past midnight is of the day on which it began, which
    may be yesterday as long as it is under way."""

    day: Day | None = None


class ProposeForm(OfDay, frozen=True, kw_only=True):
    """Rounds that are wanted. crews, cases: their ids; without them, all crews that work on that day, and all work
    orders that are open or given for it. keep: whether what was given already moves as little as possible. limit_s: how
    long is searched."""

    crews: Annotated[list[Id], Meta(max_length=CREWS_MAX)] | None = None
    cases: Annotated[list[Id], Meta(max_length=CASES_MAX)] | None = None
    keep: bool = True
    limit_s: Annotated[float, Meta(ge=0.1, le=LIMIT_S_MAX)] = LIMIT_S


class RoundOf(Asked, frozen=True, kw_only=True):
    """A crew and its work orders in their order, by their ids."""

    crew: Id
    cases: Annotated[list[Id], Meta(max_length=CASES_MAX)]


class CheckForm(OfDay, frozen=True, kw_only=True):
    """Rounds as somebody has put them."""

    rounds: Annotated[list[RoundOf], Meta(min_length=1, max_length=CREWS_MAX)]


class GiveForm(CheckForm, frozen=True, kw_only=True):
    """Rounds to be given to their crews. revisions: of each case, as it was seen. reason: what is answered to what the
    judge finds, where people may decide it."""

    revisions: dict[str, int] = {}  # noqa: RUF012 (a Struct makes it anew for each)
    reason: Reason = ""


class StopForm(Form, frozen=True, kw_only=True):
    """A work order in a round: when the crew is there, begins and goes on."""

    case: CaseRow
    arrival: str
    start: str
    leave: str


class RoundForm(Form, frozen=True, kw_only=True):
    """A crew's round. under_way: what it has begun, which stays with it. given: what it has to do besides, which was
    not asked about, or is others' to give: it stays with it, about when it was planned. What you may not see of it is
    not told, and takes its time."""

    crew: CaseAsset
    leave: str
    back: str
    distance_m: int
    drive_s: int
    under_way: list[CaseRow]
    stops: list[StopForm]
    given: list[StopForm]


class LeftForm(Form, frozen=True, kw_only=True):
    """A work order in no round, and why: see the texts `rounds.left.*`."""

    case: CaseRow
    why: str


class FindingForm(Form, frozen=True, kw_only=True):
    """A rule that the rounds break (texts `rounds.rule.*`), over by how much (seconds, or load), and whether people may
    decide that it be so."""

    rule: str
    crew: str | None
    case: str | None
    over: int
    skill: str | None
    for_people: bool


class MovedForm(Form, frozen=True, kw_only=True):
    """A work order that would go to another crew, or to none. forced: its crew cannot do it any more."""

    case: str
    was: str
    now: str | None
    forced: bool


class RoundsForm(Form, frozen=True, kw_only=True):
    """Rounds of a day, and what the judge finds in them. beyond: so many orders more wait, which are less urgent than
    those that are planned at once."""

    day: str
    rounds: list[RoundForm]
    left: list[LeftForm]
    findings: list[FindingForm]
    moved: list[MovedForm]
    beyond: int
