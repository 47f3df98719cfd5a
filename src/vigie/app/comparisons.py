"""Comparisons at a post: what it asks of who changes plan or control, and how it is told one on its own machine."""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path
from typing import Any

import msgspec

from vigie.api.signals import Trials
from vigie.api.signals.comparisons import NotTaken, TakenForm, taken_form, told_entry
from vigie.app.control import Hand, operation, perform
from vigie.app.installation import Installation, NoInstallation
from vigie.app.post import Post
from vigie.core.facts import COMMAND_LINE
from vigie.engine.plans import By
from vigie.services.signals import Junction
from vigie.services.signals.whatif.behind import Needed, Rule
from vigie.services.signals.whatif.sealed import FILE_BYTES_MAX, SealBroken, SealedFile, Tried, read_sealed
from vigie.settings import Settings
from vigie.transports.control import Wrong

CHANGES = (Junction.run_plan, Junction.run_day_plans, Junction.set_control)
"""The orders that change how a junction is controlled."""


class Tell(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A comparison to be told to the post. file: where it is; it may be more than the control socket carries."""

    file: str
    reason: str = ""


def heed_comparisons(opened: Installation, post: Post) -> Rule:
    """Has a post say which comparison stands behind an order, and refuse one where its settings demand it."""
    settings, trials = opened.settings, Trials(post.engine, opened.facts.comparisons)
    needed = Needed(settings.signals_comparison_needed)
    rule = Rule(needed, settings.signals_comparison_days, trials.known, trials.shape)
    for action in CHANGES:
        post.engine.examiner.heed(action, rule.guard(), rule.advice())
    return rule


def tell(settings: Settings, data: bytes, *, reason: str = "") -> TakenForm:
    """Tells a post a comparison: the one that runs there, or its folder where none does. Raises Wrong, InUse,
    NoInstallation, OSError."""
    if not settings.data.is_dir():
        raise NoInstallation(settings.data)
    # In the post's own folder: it may see no other of ours.
    with tempfile.NamedTemporaryFile(dir=settings.data, prefix=".comparison-", suffix=".json") as file:
        file.write(data)
        file.flush()
        return msgspec.convert(perform(settings, "signals.tell", Tell(file.name, reason)), TakenForm)


@operation("signals.tell", Tell)
async def tell_comparison(hand: Hand, args: Tell) -> Any:
    """Takes a comparison in that was told on the post's own machine."""
    try:
        file, tried = await asyncio.to_thread(_read, Path(args.file))
        facts = hand.opened.facts
        places = {
            row[1]: (row[0], row[3])
            for row in facts.registry_rows()
            if row[2] == Junction.kind and not row[8] and row[1] in tried.junctions
        }
        kept = facts.comparisons.assets(file.seal)
        new = {asset: place for asset, place in places.items() if place[0] not in kept}
        if new or not kept:
            by = By(COMMAND_LINE, hand.opened.clock.now_us(), hand.opened.new_id(), args.reason)
            await hand.keep([told_entry(file, tried, new, facts.comparisons, by)])
    except (SealBroken, NotTaken) as error:
        raise Wrong(str(error)) from None
    return msgspec.to_builtins(taken_form(file, tried, places))


def _read(path: Path) -> tuple[SealedFile, Tried]:
    if path.stat().st_size > FILE_BYTES_MAX:
        raise SealBroken(f"it has more than {FILE_BYTES_MAX >> 20} MiB")
    return read_sealed(path.read_bytes())
