"""Lock-outs, alarms and the inventory by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec import UNSET

from vigie.api.access import Caller
from vigie.api.acts import forms
from vigie.api.acts.base import Bench, allowed, refusals
from vigie.api.city import describe
from vigie.api.city.forms import AssetRow, Page
from vigie.api.operation import Ask, Nothing, Operation
from vigie.api.problems import Problem
from vigie.core.drafts import Draft
from vigie.core.kinds import Outlet
from vigie.core.scope import Verb
from vigie.core.times import rfc3339
from vigie.engine.consignations import Consignation


class Consigning:
    """The operations on lock-outs."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._engine = bench.sources.engine

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        one, why = forms.ConsignationForm, forms.WhyForm
        moves = {
            "lift": self.lift, "ask-override": self.ask_override, "withdraw": self.withdraw, "override": self.override,
        }  # fmt: skip
        return [
            Operation("GET", "consignations", self.list, answer=Page[one]),
            Operation("POST", "consignations", self.set, body=forms.ConsignForm, answer=one, status=201,
                      verb=Verb.CONSIGN, problems=(409, 507)),
            *(
                Operation("POST", f"consignations/{{id}}/{path}", handler, body=why, verb=Verb.CONSIGN,
                          problems=(409, 507))
                for path, handler in moves.items()
            ),
        ]  # fmt: skip

    async def list(self, ask: Ask[Nothing, Nothing]) -> Page[forms.ConsignationForm]:
        """Lists the lock-outs that hold, on assets that you may see."""
        covered = self._bench.sources.sight(ask.caller).covered
        return Page(items=[self._told(ask.caller, each) for each in self._engine.consignations if covered[each.asset]])

    async def set(self, ask: Ask[Nothing, forms.ConsignForm]) -> forms.ConsignationForm:
        """Locks out an asset and all that it feeds.

        No remote order reaches them, whoever sends it, until your crew lifts it or two persons override it. It never
        replaces the physical lock-out.
        """
        form = ask.body
        asset = self._bench.asset(ask.caller, form.asset, Verb.CONSIGN)
        with refusals():
            made = self._bench.acts.consign(
                asset, actor=ask.caller.actor, crew=form.crew.strip(), reason=form.reason.strip()
            )
        await self._bench.kept()
        return self._told(ask.caller, made)

    async def lift(self, ask: Ask[Nothing, forms.WhyForm]) -> None:
        """Lifts a lock-out that you set, or a colleague of your crew.

        Of one crew is who holds the role `crew` in the same area and for the same services.
        """
        await self._move(ask, "lift")

    async def ask_override(self, ask: Ask[Nothing, forms.WhyForm]) -> None:
        """Asks for the override of a lock-out that you did not set: a second person must carry it out."""
        await self._move(ask, "ask_override")

    async def withdraw(self, ask: Ask[Nothing, forms.WhyForm]) -> None:
        """Takes back your question for an override."""
        await self._move(ask, "withdraw")

    async def override(self, ask: Ask[Nothing, forms.WhyForm]) -> None:
        """Carries out an override that somebody else asked for."""
        await self._move(ask, "override")

    async def _move(self, ask: Ask[Nothing, forms.WhyForm], event: str) -> None:
        known = self._engine.consignations.find(ask.part("id"))
        if known is None or not self._bench.sources.sight(ask.caller).covered[known.asset]:
            raise Problem(404, "No such lock-out", "It does not hold, or you may not see it.")
        self._bench.asset(ask.caller, self._engine.registry.ids[known.asset], Verb.CONSIGN)
        with refusals():
            self._bench.acts.move_consignation(known.id, event, ask.caller.actor, ask.body.reason.strip())
        await self._bench.kept()

    def _told(self, caller: Caller, each: Consignation) -> forms.ConsignationForm:
        sources, who = self._bench.sources, self._bench.who
        row = describe.rows(sources.engine, sources.sight(caller), [each.asset], sources.clock.now_us())[0]
        may, knows = sources.reads_people(caller, each.asset), sources.knows_crew(caller, each.asset)
        return forms.ConsignationForm(
            id=each.id,
            asset=row,
            crew=each.crew if knows else "",
            reason=each.reason if knows else "",
            since=rfc3339(each.set_us),
            state=each.state,
            set_by=who(caller, each.actor, may=may),
            override_asked_by=None if each.asked_by is None else who(caller, each.asked_by, may=may),
        )


class Alarms:
    """What a person does to alarms."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._engine = bench.sources.engine

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        moves = {"acknowledge": self.acknowledge, "shelve": self.shelve, "unshelve": self.unshelve}
        return [
            Operation("POST", f"conditions/{{id}}/{path}", handler, body=forms.WhyForm, answer=forms.MovedCondition,
                      verb=Verb.ACKNOWLEDGE, problems=(409, 507))
            for path, handler in moves.items()
        ]  # fmt: skip

    async def acknowledge(self, ask: Ask[Nothing, forms.WhyForm]) -> forms.MovedCondition:
        """Says that you have seen an alarm and deal with it."""
        return await self._move(ask, "acknowledge")

    async def shelve(self, ask: Ask[Nothing, forms.WhyForm]) -> forms.MovedCondition:
        """Takes an alarm off the desk until it is put back; it is still counted."""
        return await self._move(ask, "shelve")

    async def unshelve(self, ask: Ask[Nothing, forms.WhyForm]) -> forms.MovedCondition:
        """Puts a shelved alarm back on the desk."""
        return await self._move(ask, "unshelve")

    async def _move(self, ask: Ask[Nothing, forms.WhyForm], event: str) -> forms.MovedCondition:
        sources, known = self._bench.sources, self._engine.conditions.find(ask.part("id"))
        if known is None or not sources.sight(ask.caller).covered[known.asset]:
            raise Problem(404, "No such alarm", "It is over, or you may not see it.")
        if known.kind.outlet is not Outlet.ALARM:
            detail = f"A matter of {known.kind.outlet.value} is not acknowledged."
            raise Problem(409, "No alarm", detail, rule="engine.no_alarm")
        self._bench.asset(ask.caller, self._engine.registry.ids[known.asset], Verb.ACKNOWLEDGE)
        with refusals():
            moved = self._bench.acts.move_condition(known, event, ask.caller.actor, ask.body.reason.strip())
        await self._bench.kept()
        by, may = moved.acknowledged_by if moved else ask.caller.actor, sources.reads_people(ask.caller, known.asset)
        return forms.MovedCondition(
            id=known.id,
            state=moved.state if moved else "normal",
            acknowledged_by=None if by is None else self._bench.who(ask.caller, by, may=may),
        )


class ByHand:
    """The inventory by hand."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._engine = bench.sources.engine

    @property
    def operations(self) -> list[Operation]:
        """As the API declares them."""
        may: dict[str, Any] = {"verb": Verb.INVENTORY, "problems": (422, 507)}
        return [
            Operation("POST", "assets", self.make, body=forms.AssetForm, answer=AssetRow, status=201, **may),
            Operation("PATCH", "assets/{id}", self.change, body=forms.AssetChangeForm, answer=AssetRow, **may),
            Operation("POST", "assets/{id}/replace", self.replace, body=forms.ReplaceForm, **may),
            Operation("POST", "assets/{id}/retire", self.retire, body=forms.RetireForm, **may),
        ]

    async def make(self, ask: Ask[Nothing, forms.AssetForm]) -> AssetRow:
        """Makes an asset where it stands; the area is found by the place."""
        form, caller = ask.body, ask.caller
        kind = self._engine.registry.catalogue.assets.get(form.kind)
        if kind is None:
            raise Problem(
                422,
                "Unknown kind",
                f"There is no kind {form.kind!r}.",
                mend="GET /api/v1/kinds.",
                rule="engine.no_kind",
                values={"kind": form.kind},
            )
        area = self._engine.area_at(form.lon, form.lat)
        if not allowed(caller, Verb.INVENTORY, area, kind.service, kind.verb):
            raise Problem(403, "Not allowed", f"You may not make a {form.kind} there.")
        parent = self._bench.asset(caller, form.parent, Verb.SEE) if form.parent.strip() else 0
        draft = Draft(
            key=self._bench.acts.new_id(),
            kind=form.kind,
            lon=form.lon,
            lat=form.lat,
            id=form.id,
            name=form.name.strip(),
            area=area,
            street=form.street.strip(),
            attributes=form.attributes,
        )
        with refusals():
            no = self._bench.acts.make_asset(draft, parent, actor=caller.actor, reason=form.reason.strip())
        await self._bench.kept()
        return self._row(caller, no)

    async def change(self, ask: Ask[Nothing, forms.AssetChangeForm]) -> AssetRow:
        """Changes what is known of an asset: where it stands, its name, its street, what feeds it.

        The place keeps its history. Whoever moves it must hold the inventory of both places.
        """
        form, caller = ask.body, ask.caller
        no = self._bench.asset(caller, ask.part("id"), Verb.INVENTORY)
        said = {name: getattr(form, name) for name in ("lon", "lat", "name", "street")}
        values: dict[str, Any] = {name: value for name, value in said.items() if value is not UNSET}
        if isinstance(form.parent, str):
            values["parent"] = self._bench.asset(caller, form.parent, Verb.SEE) if form.parent.strip() else 0
        if not values:
            detail = "Say lon and lat, name, street or parent."
            raise Problem(422, "Nothing to change", detail, rule="engine.nothing_to_change")
        if "lon" in values or "lat" in values:
            self._check_moves(caller, no, values)
        with refusals():
            self._bench.acts.change_asset(no, values, actor=caller.actor, reason=form.reason.strip())
        await self._bench.kept()
        return self._row(caller, no)

    def _check_moves(self, caller: Caller, no: int, values: Mapping[str, Any]) -> None:
        """Raises Problem 403 where the caller does not hold the inventory of where it is to stand."""
        registry = self._engine.registry
        lon, lat = values.get("lon", float(registry.lon[no])), values.get("lat", float(registry.lat[no]))
        area, kind = self._engine.area_at(lon, lat), registry.kind_of(no)
        if area and not allowed(caller, Verb.INVENTORY, area, kind.service, kind.verb):
            raise Problem(403, "Not allowed", f"You may not put a {kind.kind} there.")

    async def replace(self, ask: Ask[Nothing, forms.ReplaceForm]) -> None:
        """Puts another apparatus in an asset's place, which keeps its history."""
        form = ask.body
        no = self._bench.asset(ask.caller, ask.part("id"), Verb.INVENTORY)
        with refusals():
            self._bench.acts.replace_device(
                no, form.serial.strip(), form.model.strip(), actor=ask.caller.actor, reason=form.reason.strip()
            )
        await self._bench.kept()

    async def retire(self, ask: Ask[Nothing, forms.RetireForm]) -> None:
        """Decommissions an asset: it takes no more orders and keeps its history."""
        no = self._bench.asset(ask.caller, ask.part("id"), Verb.INVENTORY)
        with refusals():
            self._bench.acts.retire_asset(no, actor=ask.caller.actor, reason=ask.body.reason.strip())
        await self._bench.kept()

    def _row(self, caller: Caller, no: int) -> AssetRow:
        sources = self._bench.sources
        return describe.rows(sources.engine, sources.sight(caller), [no], sources.clock.now_us())[0]
