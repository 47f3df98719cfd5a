"""Junctions taken in: what was read of a network becomes the documents in force, one a junction, all at once."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import Any

import msgspec

from vigie.api.signals import documents_of
from vigie.app.control import Hand, operation, perform
from vigie.app.installation import NoInstallation
from vigie.core.facts import COMMAND_LINE, POST, Entry
from vigie.core.plans import Finding
from vigie.engine.plans import By, Plan, PlanRefused, Plans
from vigie.services.signals import JUNCTION_PLAN, Junction
from vigie.services.signals.control.site import Site, site_of_json
from vigie.services.signals.plans import Answer, JunctionPlan, findings_of
from vigie.settings import Settings
from vigie.transports.control import Say, Wrong

FILE_BYTES_MAX = 256 << 20
JUNCTIONS_MAX = 2_000


class TakeIn(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Documents to be put in force. file: where they are, by the ids of their junctions; they are more than the control
    socket carries. answer: what is answered in writing to what does not refuse. dry: nothing is done, and what is
    answered is what would be."""

    file: str
    answer: Answer = ""
    reason: str = ""
    dry: bool = False


class Became(StrEnum):
    """What became of a junction's document. refused: something in it must be mended. owed: an answer in writing is.
    drafted: somebody is writing at it, and it was left alone."""

    MADE = "made"
    CHANGED = "changed"
    UNCHANGED = "unchanged"
    REFUSED = "refused"
    OWED = "owed"
    DRAFTED = "drafted"


class Taken(msgspec.Struct, frozen=True):
    """A junction, what became of its document, and what is wrong with it."""

    asset: str
    became: Became
    findings: Sequence[Finding] = ()


def take_in(
    settings: Settings,
    sites: Mapping[str, Site],
    *,
    answer: str = "",
    reason: str = "",
    dry: bool = False,
    say: Say = lambda what, done, total: None,
) -> list[Taken]:
    """Puts the documents of these junctions in force, by the post that runs there or here. Raises Wrong, InUse,
    NoInstallation, OSError."""
    if not settings.data.is_dir():
        raise NoInstallation(settings.data)
    # In the post's own folder: it may see no other of ours.
    with tempfile.NamedTemporaryFile(dir=settings.data, prefix=".take-in-", suffix=".json") as file:
        file.write(msgspec.json.encode(sites, order="deterministic"))
        file.flush()
        asked = TakeIn(file.name, answer, reason, dry)
        return msgspec.convert(perform(settings, "signals.take_in", asked, say), list[Taken])


@operation("signals.take_in", TakeIn)
async def take_in_documents(hand: Hand, args: TakeIn) -> Any:
    """Puts documents of junctions in force; answers with what became of each.

    Nobody but who runs the command has read them: the post, which made them of a network, is written down as who
    drafted them, and the command line as who approved.
    """
    sites, unread = await asyncio.to_thread(_read, args)
    areas = await asyncio.to_thread(_areas, hand)
    bodies = [JunctionPlan(asset, site, areas.get(asset, "")) for asset, site in sites.items()]
    found = await asyncio.to_thread(_judged, hand, bodies, areas)
    # What is done dry is done to a copy, so that it becomes what it would.
    plans = Plans(hand.plans()) if args.dry else hand.plans()
    own = documents_of(plans, areas)
    entries: list[Entry] = []
    taken = [
        *unread,
        *(
            _take(hand, plans, own.get(body.asset), body, findings, args, entries)
            for body, findings in zip(bodies, found, strict=True)
        ),
    ]
    if entries and not args.dry:
        await hand.keep(entries)
    return msgspec.to_builtins(sorted(taken, key=lambda each: each.asset))


def _read(args: TakeIn) -> tuple[dict[str, Site], list[Taken]]:
    """What control is to know of each junction, by its id; and those of which the document cannot be read, which spoil
    no other. Raises Wrong, OSError."""
    path = Path(args.file)
    if path.stat().st_size > FILE_BYTES_MAX:
        raise Wrong(f"the documents have more than {FILE_BYTES_MAX >> 20} MiB: take them in in parts")
    try:
        documents = msgspec.json.decode(path.read_bytes(), type=dict[str, msgspec.Raw])
    except msgspec.DecodeError as error:
        raise Wrong(f"these are no documents of junctions: {error}") from None
    if len(documents) > JUNCTIONS_MAX:
        raise Wrong(f"{len(documents):,} junctions, and at most {JUNCTIONS_MAX:,} are taken in at once")
    sites: dict[str, Site] = {}
    unread: list[Taken] = []
    for asset, document in sorted(documents.items()):
        try:
            sites[asset] = site_of_json(bytes(document))
        except msgspec.DecodeError as error:
            wrong = Finding("signals.plan_form", True, detail={"what": str(error)})
            unread.append(Taken(asset, Became.REFUSED, [wrong]))
    return sites, unread


def _areas(hand: Hand) -> dict[str, str]:
    """Where each junction of the inventory lies, by its id."""
    rows = hand.opened.facts.registry_rows()
    return {row[1]: row[3] for row in rows if row[2] == Junction.kind and not row[8]}


def _judged(hand: Hand, bodies: Sequence[JunctionPlan], areas: Mapping[str, str]) -> list[list[Finding]]:
    found: list[list[Finding]] = []
    for body in bodies:
        found.append(findings_of(body, areas))
        hand.say("junctions", len(found), len(bodies))
    return found


def _take(
    hand: Hand,
    plans: Plans,
    plan: Plan | None,
    body: JunctionPlan,
    findings: Sequence[Finding],
    args: TakeIn,
    entries: list[Entry],
) -> Taken:
    """Puts one document in force where nothing is against it, and adds what is to be written down of it. plan: what is
    in force or drafted of it."""
    before: JunctionPlan | None = plan.in_force.body if plan and plan.in_force else None
    became = Became.MADE if before is None else Became.CHANGED
    if before is not None and (before.site, before.area) == (body.site, body.area):
        became = Became.UNCHANGED
    elif any(finding.refuses for finding in findings):
        became = Became.REFUSED
    elif findings and not args.answer.strip():
        became = Became.OWED
    elif plan is not None and plan.draft is not None:
        became = Became.DRAFTED
    else:
        answered = msgspec.structs.replace(body, answer=args.answer.strip() if findings else "")
        try:
            entries += _put_in_force(hand, plans, plan, answered, args.reason)
        except PlanRefused as error:
            rule = error.rule.removeprefix("engine.")
            refused = Finding(f"signals.{rule}", True, detail=dict(error.detail))
            return Taken(body.asset, Became.REFUSED, [*findings, refused])
    return Taken(body.asset, became, findings)


def _put_in_force(hand: Hand, plans: Plans, plan: Plan | None, body: JunctionPlan, reason: str) -> list[Entry]:
    now_us = hand.opened.clock.now_us()
    drafted, approved = (By(who, now_us, hand.opened.new_id(), reason) for who in (POST, COMMAND_LINE))
    if plan is None:
        plan_id, number = hand.opened.new_id(), 1
        made = plans.make(plan_id, JUNCTION_PLAN, body, by=drafted)
    else:
        plan_id, number = plan.id, plan.last + 1
        made = plans.save(plan_id, body, number=plan.last, revision=0, by=drafted)
        assert made is not None, "what has no draft is not saved again"
    return [made, plans.move(plan_id, "approve", number=number, revision=1, by=approved)]
