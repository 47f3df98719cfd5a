"""Operations on devices and on the journal."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec

from vigie.api.operation import nearest
from vigie.app.control import Hand, operation
from vigie.app.installation import admit_device
from vigie.app.rsmp import CONTROLLER, ID_CHARS_MAX, RSMP, Binding, bind
from vigie.app.talq import TALQ, gateway_token
from vigie.core.facts import COMMAND_LINE, PLAIN, DeviceExpelled, Entry
from vigie.core.times import rfc3339
from vigie.protocols.rsmp.inputs import INPUT_MAX
from vigie.services.signals import Junction
from vigie.store.journal import Head
from vigie.transports.control import Wrong
from vigie.transports.http_client import HttpBase

LEAVES_MAX = 1_000


class Admission(msgspec.Struct, frozen=True):
    """A device to admit, for these assets and for all of an area that nobody reports for. protocol: what it speaks.
    uri: the one address at which a TALQ gateway may be asked; empty for whichever it names itself. controller,
    certificate, codes, stage_inputs: of an RSMP site, see `Binding`."""

    name: str
    assets: list[str]
    all_of: str = ""
    reason: str = ""
    protocol: str = PLAIN
    uri: str = ""
    controller: str = CONTROLLER
    certificate: str = ""
    codes: tuple[str, str] = ("", "")
    stage_inputs: int = 0


class Expulsion(msgspec.Struct, frozen=True):
    """A device to expel."""

    name: str
    reason: str = ""


class Leaves(msgspec.Struct, frozen=True):
    """Some leaves, the newest first; before: only those with a smaller number."""

    limit: int
    before: int | None = None


class Leaf(msgspec.Struct, frozen=True):
    """One leaf."""

    n: int


@operation("devices.list")
async def list_devices(hand: Hand, args: msgspec.Struct) -> list[str]:
    """The devices that may report."""
    return [name for _, name in sorted(hand.opened.facts.devices().values())]


@operation("devices.admit", Admission, first=True)
async def admit(hand: Hand, args: Admission) -> dict[str, Any]:
    """Admits a device; answers with its secret, which is kept nowhere, and what the post shows to a TALQ gateway."""
    if args.uri:
        try:
            HttpBase.of(args.uri)
        except ValueError as error:
            raise Wrong(str(error)) from None
    numbers = await asyncio.to_thread(_assets_of, hand, args)
    if args.protocol == RSMP:
        await asyncio.to_thread(_check_site, hand, args, numbers)
    secret = ""

    def write() -> None:
        nonlocal secret
        if args.protocol == RSMP:
            # First: a site that is admitted is known whole, or not at all.
            binding = Binding(args.controller, args.certificate, args.codes, args.stage_inputs)
            bind(hand.opened.settings.data, {args.name: binding})
        secret = admit_device(
            hand.opened, args.name, numbers, protocol=args.protocol, uri=args.uri, reason=args.reason
        )  # fmt: skip

    await hand.write(write)
    hand.report_for(numbers, _number(hand, args.name))
    shown = gateway_token(hand.opened.settings.data, args.name) if args.protocol == TALQ else ""
    return {"secret": secret, "assets": len(numbers), "shown": shown}


@operation("devices.expel", Expulsion)
async def expel(hand: Hand, args: Expulsion) -> None:
    """Withdraws a device's secret."""
    opened = hand.opened
    number = _number(hand, args.name)
    rows = await asyncio.to_thread(opened.facts.registry_rows)
    theirs = [row[0] for row in rows if row[5] == number]
    fact = DeviceExpelled(id=opened.new_id(), at=opened.clock.now_us(), actor=COMMAND_LINE, device=args.name)
    was_site = args.name in {each.name for each in opened.facts.speakers(RSMP)}

    def write() -> None:
        _commit(hand, Entry(fact, opened.because(args.reason)))
        if was_site:
            bind(opened.settings.data, {}, without=args.name)

    await hand.write(write)
    hand.report_for(theirs, 0)


@operation("journal.show", Leaves)
async def show(hand: Hand, args: Leaves) -> list[dict[str, Any]]:
    """Some leaves: number, instant, type, actor, and what else each says."""
    told: list[dict[str, Any]] = []
    lines = hand.opened.facts.journal.lines
    for line in await asyncio.to_thread(lines, before=args.before, limit=min(args.limit, LEAVES_MAX)):
        said = msgspec.to_builtins(line.fact)
        rest = {name: value for name, value in said.items() if name not in {"id", "at", "actor", "type", "sealed"}}
        for field in line.personal:
            erased = f"erased on {rfc3339(field.erased_us or 0)} under rule {field.rule!r}"
            rest[field.field] = field.value if field.erased_us is None else erased
        head = {"n": line.n, "at": rfc3339(line.fact.at), "type": type(line.fact).__name__, "actor": line.fact.actor}
        told.append(head | {"says": rest})
    return told


@operation("journal.verify")
async def verify(hand: Hand, args: msgspec.Struct) -> dict[str, int]:
    """Checks everything; answers with how many leaves there are, and of how many private fields no leaf says
    anything."""

    def check() -> dict[str, int]:
        journal, done = hand.opened.facts.journal, 0
        size = journal.size
        for done in journal.verify(hand.opened.public_key):
            hand.say("leaves", done, size)
        return {"leaves": done, "unsealed": journal.unsealed()}

    return await asyncio.to_thread(check)


@operation("journal.prove", Leaf)
async def prove(hand: Hand, args: Leaf) -> dict[str, Any]:
    """The proof that a leaf is in the tree as it is signed now (RFC 6962, 2.1.1)."""
    heads: list[Head] = []
    await hand.write(lambda: heads.append(hand.opened.sign_head()))
    head = heads[0]
    try:
        proof = hand.opened.facts.journal.prove(args.n, head.size)
    except IndexError as error:
        raise Wrong(str(error)) from None
    return {
        "leaf": proof.leaf.decode(),
        "index": proof.n,
        "size": proof.size,
        "root": proof.root.hex(),
        "path": [step.hex() for step in proof.path],
        "signed_at": rfc3339(head.at_us),
        "signature": head.signature.hex(),
        "key": hand.opened.public_key.public_bytes_raw().hex(),
    }


def _assets_of(hand: Hand, args: Admission) -> list[int]:
    """The numbers of the assets that a new device is to report for. Raises Wrong."""
    facts = hand.opened.facts
    if args.name in {known for _, known in facts.devices().values()}:
        raise Wrong(f"there is a device {args.name!r} already. Expel it first.")
    ids = facts.ids()
    unknown = [asset for asset in args.assets if asset not in ids]
    if unknown:
        how = "Ids are those of the inventory that was taken in; --all-of takes all of an area."
        raise Wrong(f"there is no asset {unknown[0]!r}. {nearest(unknown[0], ids, how)}")
    numbers = [ids[asset] for asset in args.assets]
    if args.all_of:
        below = args.all_of + "/"
        rows = facts.registry_rows()
        numbers += [row[0] for row in rows if row[5] == 0 and (row[3] == args.all_of or row[3].startswith(below))]
    return numbers


def _check_site(hand: Hand, args: Admission, numbers: list[int]) -> None:
    """An RSMP site is known by its id and is one junction. Raises Wrong."""
    kinds = {row[0]: row[2] for row in hand.opened.facts.registry_rows()}
    if [kinds.get(number) for number in numbers] != [Junction.kind]:
        raise Wrong("an RSMP site speaks for one junction: name it with --asset")
    for what, said in (("site id", args.name), ("id of the controller", args.controller)):
        if not 0 < len(said) <= ID_CHARS_MAX or said != said.strip():
            raise Wrong(f"the {what} has 1 to {ID_CHARS_MAX} characters, and no space at either end")
    if not 0 <= args.stage_inputs <= INPUT_MAX:
        raise Wrong(f"inputs have numbers from 1 to {INPUT_MAX}")


def _number(hand: Hand, name: str) -> int:
    devices = {known: number for number, known in hand.opened.facts.devices().values()}
    if name not in devices:
        raise Wrong(f"there is no device {name!r}. {nearest(name, devices, 'vigie devices list shows them.')}")
    return devices[name]


def _commit(hand: Hand, entry: Entry) -> None:
    hand.opened.facts.commit([entry])
