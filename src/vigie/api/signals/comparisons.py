"""Comparisons over the API: what `vigie signals compare` sealed is told to the post, and read of each junction.

A comparison is taken in once, by whoever may plan signals at all junctions that it is of; it is never changed. The
newest of a change at a junction stands behind the order that makes it (`services.signals.whatif.behind`).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping, Sequence
from typing import Any

import msgspec
from starlette.responses import Response

from vigie.api.access import Caller
from vigie.api.acts.base import Bench, refusals
from vigie.api.city.forms import Form, Instant, Page, Who
from vigie.api.city.sources import Sources
from vigie.api.operation import Answer, Ask, Nothing, Operation
from vigie.api.problems import Problem
from vigie.api.signals.documents import sites_of
from vigie.api.signals.door import seen
from vigie.core.facts import About, ComparisonTaken, Entry, because
from vigie.core.scope import Verb, common_area
from vigie.core.times import HOUR_US, from_us, nameable_us
from vigie.engine.loop import Engine
from vigie.engine.plans import By
from vigie.services.signals import JUNCTION_PLAN, Junction
from vigie.services.signals.control.site import Site
from vigie.services.signals.plans import JunctionPlan
from vigie.services.signals.whatif.behind import Rule, Stands, Trial, asked_for, behind
from vigie.services.signals.whatif.paired import Paired
from vigie.services.signals.whatif.sealed import (
    Calibration,
    Scenario,
    SealBroken,
    SealedFile,
    Tried,
    shape_of,
    unsealed,
)
from vigie.store.comparisons import (
    Held,
    JunctionCompared,
    KeptComparison,
    NewestComparison,
    StoredComparisons,
    TakenComparison,
)

COMPARISONS_MAX = 5_000
BYTES_MAX = 1 << 30
TELLER_BYTES_MAX = 1 << 28
"""What is kept is kept for good: nobody fills the disk with it, and nobody takes what others need."""
LISTED_MAX = 100

AHEAD_US = HOUR_US
"""By so much may the clock of the machine that compared be ahead of the post's."""

DELAY = "mean_delay_s"


class NotTaken(ValueError):
    """A comparison that the post does not take in; says why."""


class Told(msgspec.Struct, frozen=True):
    """What is told of a comparison in the list of a junction. seeds: how many. usual: whether its thresholds are those
    of whoever sets none. delay: the mean delay of all vehicles of the network. queue: vehicles that stand at this
    junction; both None where the comparison has none."""

    before: Scenario
    after: Scenario
    seeds: int
    usual: bool
    calibration: Calibration | None
    delay: Paired | None
    queue: Paired | None


class ComparisonRow(Form, frozen=True, kw_only=True):
    """A comparison as it concerns a junction. id: its seal. made: when it was run; told, who: when and by whom it was
    told to the post. change: what was tried, `adaptive` or such as `plan 4`, empty where nothing that can be ordered.
    holds: whether all that was set for it was proved to be kept. stands: what it is worth now, as `Stands` says:
    `passes`, `fails`, `other` (another network than the document in force), `old`; of what was foretold, what it was
    worth when the order was given. before, after, seeds, usual,
    calibration, delay, queue: see `Told`."""

    id: str
    made: Instant
    told: Instant
    who: Who
    change: str
    holds: bool
    stands: Stands
    before: Scenario
    after: Scenario
    seeds: int
    usual: bool
    calibration: Calibration | None
    delay: Paired | None
    queue: Paired | None


class TellForm(SealedFile, frozen=True, forbid_unknown_fields=True):
    """The file that `vigie signals compare --out` wrote, as it is."""


class TakenForm(Form, frozen=True, kw_only=True):
    """A comparison that was told. junctions: those that it was taken for; unknown: those it is of that there are not
    here."""

    id: str
    change: str
    holds: bool
    junctions: Sequence[str]
    unknown: Sequence[str]


def taken_form(file: SealedFile, tried: Tried, junctions: Collection[str]) -> TakenForm:
    """What is answered to whoever told a comparison. junctions: that there are here."""
    return TakenForm(
        id=file.seal,
        change=tried.to,
        holds=tried.result.holds,
        junctions=[asset for asset in tried.junctions if asset in junctions],
        unknown=[asset for asset in tried.junctions if asset not in junctions],
    )


def told_entry(
    file: SealedFile,
    tried: Tried,
    junctions: Mapping[str, tuple[int, str]],
    stored: StoredComparisons,
    by: By,
    owed: Sequence[TakenComparison] = (),
) -> Entry:
    """The fact that a comparison was told. junctions: the number and the area of each that it is taken for, by its id.
    owed: comparisons that are on their way to the disk. Raises NotTaken."""
    if not junctions:
        raise NotTaken("it is of no junction that there is here: compare with --bind, which names them")
    if tried.at_us > by.at_us + AHEAD_US:
        raise NotTaken(f"it was run at {tried.at.isoformat()}, which is yet to come")
    said = tried.result
    delay = next((each.all_seeds for each in said.figures if each.figure == DELAY), None)
    queues = {each.junction: each.queue for each in said.junctions}
    rows = [
        JunctionCompared(
            no,
            tried.junctions[asset],
            msgspec.json.encode(
                Told(
                    tried.before, tried.after, len(tried.run.seeds), tried.is_usual, tried.calibration, delay,
                    queues.get(tried.lights.get(asset, asset)),
                )
            ),
        )
        for asset, (no, _) in junctions.items()
    ]  # fmt: skip
    taken = TakenComparison(msgspec.json.encode(file), rows)
    _need_room(taken, stored.held(by.actor), owed)
    fact = ComparisonTaken(
        id=by.fact_id, at=by.at_us, actor=by.actor, comparison=file.seal, to=tried.to, run=tried.at_us,
        junctions=len(rows), holds=said.holds,
    )  # fmt: skip
    area = common_area([area for _, area in junctions.values()])
    about = About(file.seal, area, Junction.service, Junction.verb)
    return Entry(fact, because(by.reason, by.at_us), taken, about)


def _need_room(taken: TakenComparison, held: Held, owed: Sequence[TakenComparison]) -> None:
    """owed: those on their way to the disk, whoever told them. Raises NotTaken."""
    more_bytes = sum(each.size_bytes for each in (taken, *owed))
    if held.count + len(owed) >= COMPARISONS_MAX:
        raise NotTaken(f"there are {COMPARISONS_MAX:,} comparisons here, and no more are kept")
    if held.size_bytes + more_bytes > BYTES_MAX:
        raise NotTaken(f"there are {BYTES_MAX >> 20:,} MiB of comparisons here, and no more are kept")
    if held.of_teller_bytes + more_bytes > TELLER_BYTES_MAX:
        raise NotTaken(
            f"there are {TELLER_BYTES_MAX >> 20:,} MiB of comparisons here that you told, and no more are kept"
        )


class Trials:
    """The comparisons of a running post, as its rule on orders asks for them. It is asked on the loop."""

    def __init__(self, engine: Engine, stored: StoredComparisons) -> None:
        self._engine, self._stored = engine, stored
        self._sites: Mapping[str, Site] = {}
        self._shapes: dict[int, str] = {}
        self._edition = -1

    def known(self, to: str, assets: Sequence[int]) -> dict[int, list[Trial]]:
        """See `behind.Known`."""
        found: dict[int, list[Trial]] = {}
        for each in self._stored.newest(to, assets):
            found.setdefault(each.asset, []).append(_trial(each))
        return found

    def shape(self, asset: int) -> str | None:
        """See `behind.Shape`."""
        plans = self._engine.plans
        if self._edition != plans.edition:
            self._edition, self._sites, self._shapes = plans.edition, sites_of(self._engine), {}
        sites, shapes = self._sites, self._shapes
        if asset not in shapes:
            site = sites.get(self._engine.registry.ids[asset])
            if site is None:
                return None
            shapes[asset] = shape_of(site)
        return shapes[asset]


class ComparisonsDoor:
    """The operations on comparisons."""

    def __init__(self, bench: Bench, rule: Rule) -> None:
        self._bench, self._rule = bench, rule
        self._sources: Sources = bench.sources
        self._stored = bench.sources.facts.comparisons

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        return [
            Operation("POST", "signals/comparisons", self.tell, body=TellForm, answer=TakenForm, status=201,
                      verb=Verb.PLAN, problems=(409, 422, 507)),
            Operation("GET", "signals/comparisons/{id}", self.whole, answer=TellForm),
            Operation("GET", "signals/junctions/{id}/comparisons", self.list, answer=Page[ComparisonRow]),
        ]  # fmt: skip

    async def tell(self, ask: Ask[Nothing, TellForm]) -> Answer:
        """Tells the post what `vigie signals compare` sealed.

        It takes the right to plan signals at all the junctions that it is of and that there are here. The same file
        again is the same comparison: 200, or 201 where junctions of it came here since, for which it is taken as well.
        A file that is not as it was written, or that says more than its figures show, is refused.
        """
        caller, file = ask.caller, SealedFile(ask.body.seal, ask.body.comparison)
        try:
            tried = await asyncio.to_thread(unsealed, file)
        except SealBroken as error:
            raise Problem(422, "No sealed comparison", f"{str(error).capitalize()}.", rule="signals.seal",
                          mend="Send the file as the command wrote it.") from error  # fmt: skip
        registry = self._sources.engine.registry
        own = {
            asset: no
            for asset in tried.junctions
            if (no := registry.numbers.get(asset, 0)) and registry.kind_of(no) is Junction and not registry.gone[no]
        }
        may = self._sources.engine.visibility.mask(caller.scope, Verb.PLAN)
        for asset in own:
            seen(self._sources, caller, asset)
        if not all(may[no] for no in own.values()):
            raise Problem(403, "Not allowed", "You may not plan signals at all the junctions that it is of.")
        kept = await asyncio.to_thread(self._stored.assets, file.seal)
        new = {asset: (no, registry.about(no).area) for asset, no in own.items() if no not in kept}
        status = 200
        if new or not kept:
            status = 201
            try:
                with refusals():
                    self._bench.acts.write_down(
                        lambda by: told_entry(
                            file, tried, new, self._stored, by, self._sources.engine.owing(TakenComparison)
                        ),
                        actor=caller.actor,
                    )
            except NotTaken as error:
                raise Problem(409, "Not taken", f"{str(error).capitalize()}.", rule="signals.not_taken") from error
            await self._bench.kept()
        return Answer(taken_form(file, tried, own), status)

    async def whole(self, ask: Ask[Nothing, Nothing]) -> Response:
        """Hands out a comparison as it was told, byte by byte, to whoever sees all junctions that it was taken for."""
        seal = ask.part("id")
        assets = await asyncio.to_thread(self._stored.assets, seal)
        covered = self._sources.sight(ask.caller).covered
        if not assets or not all(covered[no] for no in assets):
            raise Problem(404, "No such comparison", f"There is no comparison {seal[:80]!r} that you may see.")
        body = await asyncio.to_thread(self._stored.body, seal)
        return Response(body, media_type="application/json")

    async def list(self, ask: Ask[Nothing, Nothing]) -> Page[ComparisonRow]:
        """Lists the comparisons that a junction is in, the newest run first, and what each is worth now. The newest 100
        are told."""
        no = seen(self._sources, ask.caller, ask.part("id"))
        found = await asyncio.to_thread(self._stored.of_junction, no, LISTED_MAX)
        shape, now_us, days = self._rule.shape(no), self._sources.clock.now_us(), self._rule.days
        stands = [behind([_trial(each)], shape, now_us, days).stands for each in found]
        return Page(items=[self.row(ask.caller, *each) for each in zip(found, stands, strict=True)], total=len(found))

    def row(self, caller: Caller, kept: KeptComparison, stands: Stands) -> ComparisonRow:
        """A comparison as it is told. stands: what it is worth."""
        said = msgspec.json.decode(kept.told, type=Told)
        return ComparisonRow(
            id=kept.comparison,
            made=from_us(nameable_us(kept.made_us)),
            told=from_us(kept.told_us),
            who=self._bench.who(caller, kept.teller, may=self._sources.reads_people(caller, kept.asset)),
            change=kept.change,
            holds=kept.holds,
            stands=stands,
            **msgspec.structs.asdict(said),
        )

    async def foretold(self, caller: Caller, no: int, params: Mapping[str, Any], at_us: int) -> ComparisonRow | None:
        """What was foretold of a change by the comparison that stood behind it: of those that the post had been told
        before it the newest of the junction as it was then, else the newest; and what it was worth then. None where
        there was none."""
        to, asset = asked_for(params), self._sources.engine.registry.ids[no]
        if not to:
            return None

        def read() -> tuple[KeptComparison, Stands] | None:
            trials = [_trial(each) for each in self._stored.newest(to, [no], told_by_us=at_us)]
            stood = self._sources.facts.plans.stood(JUNCTION_PLAN.key, asset, at_us)
            then = behind(trials, None if stood is None else _shape_in(stood), at_us, self._rule.days)
            return (self._stored.at_junction(then.trial.comparison, no), then.stands) if then.trial else None

        found = await asyncio.to_thread(read)
        return self.row(caller, *found) if found else None


Foretells = Callable[[Caller, int, Mapping[str, Any], int], Awaitable[ComparisonRow | None]]
"""See `ComparisonsDoor.foretold`."""


def _shape_in(document: bytes) -> str | None:
    """The shape in a document as it was written; None where it is of another version of vigie."""
    try:
        return shape_of(msgspec.json.decode(document, type=JunctionPlan).site)
    except msgspec.ValidationError:
        return None


def _trial(kept: KeptComparison | NewestComparison) -> Trial:
    return Trial(kept.comparison, kept.shape, kept.made_us, kept.holds)
