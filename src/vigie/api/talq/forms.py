"""What is answered of TALQ gateways."""

from __future__ import annotations

from vigie.api.city.forms import Form

TOLD_MAX = 100
"""Devices, assets and differences of one gateway that are told one by one."""


class UnknownDevice(Form, frozen=True, kw_only=True):
    """A device that a gateway has, and that is none of the assets it speaks for. asset: as the gateway names it."""

    address: str
    name: str
    asset: str


class GatewayNotice(Form, frozen=True, kw_only=True):
    """What a gateway says of what it was asked: that it cannot be done, or that a device does not answer. event: TALQ's
    own word. begins: null for what has no length. asset: null where the device is none."""

    event: str
    begins: bool | None
    at: str
    device: str
    asset: str | None


class SaidForm(Form, frozen=True, kw_only=True):
    """What something in a gateway says. calendar: the one that a lamp follows, "" for none. nights: how many kinds of
    days a calendar tells apart. lit: from how many minutes after sunset to how many after sunrise a night is lit, null
    where it follows no sun. levels: the minutes after local midnight, and the level in % from then on. What does not
    apply is null."""

    calendar: str | None = None
    nights: int | None = None
    lit: tuple[int, int] | None = None
    levels: list[tuple[int, int]] | None = None


class DifferenceForm(Form, frozen=True, kw_only=True):
    """Something that a gateway holds otherwise than it should. sort: TALQ's own word. what: `missing`, `other`,
    `surplus`, or `strange`: there, and in words that the post does not know. ours: whether the post mends it; what
    another system has put there it leaves alone. asset: the lamp whose calendar it is, null for what is no lamp's.
    wanted, held: what it should say and what it says, null for what should not be or is not there, and for what cannot
    be told in these words."""

    sort: str
    name: str
    what: str
    ours: bool
    asset: str | None
    wanted: SaidForm | None
    held: SaidForm | None


class HeldForm(Form, frozen=True, kw_only=True):
    """How a gateway stands to the programmes in force.

    stands: `unknown` until it was read, `unable` where it takes none, `pending` where what it should hold has changed
    since it was read, `differs` while what differs is being mended, `in_step`, `refuses` where it differs still after
    three tries. busy: it is being read or mended now. read: when it was last read whole. due: when it is read next,
    null where that is not known. lamps: how many lamps have a calendar of ours. step_min: to how many minutes dusk and
    dawn are rounded, so that it has room. plans: for how many of its lamps each programme speaks, by the programme's
    id. mended, sent: when what differed was last sent, and how many things; tries: how often in a row. differences:
    what was found when it was read: the first of each sort, 100 in all at most, or as many as were asked for.
    differing: how many there were of each sort.
    """

    stands: str
    busy: bool
    read: str | None
    due: str | None
    lamps: int
    step_min: int
    plans: dict[str, int]
    mended: str | None
    sent: int
    tries: int
    differences: list[DifferenceForm]
    differences_total: int
    differing: dict[str, int]


class GatewayCondition(Form, frozen=True, kw_only=True):
    """What is wrong with a gateway, as a condition of the asset that stands for it."""

    id: str
    condition: str
    outlet: str
    priority: int
    raised: str
    asset: str


class GatewayForm(Form, frozen=True, kw_only=True):
    """A TALQ gateway.

    step: how far it is attached; `ready` when whole. telling: it has begun anew, and still tells its devices. attached:
    since when, null for never. heard: when it last said or answered anything, null for not since the post started.
    reached: whether it answered the last time it was asked, null where it was not. clock_ahead_s: how far its clock is
    ahead, less than 0 behind. assets: how many of those it speaks for you see; kinds: of each kind; bounds: west,
    south, east and north of them, degrees. devices: how many it has announced. unknown: devices that are none of its
    assets; missing: assets of yours that it has no device for; the first 100 of each, or as many as were asked for.
    waiting: requests that wait for it. orders: targets of orders under way among its assets that you see, by state.
    refused: readings of it that were refused since the post started, by outcome. programmes: what it holds of them.
    conditions: what is wrong with it. notices: the last, the newest first. may_read: whether you may have it read
    again.
    """

    name: str
    uri: str
    step: str
    telling: bool
    attached: str | None
    heard: str | None
    reached: bool | None
    clock_ahead_s: float
    assets: int
    kinds: dict[str, int]
    bounds: tuple[float, float, float, float]
    devices: int
    unknown: list[UnknownDevice]
    unknown_total: int
    missing: list[str]
    missing_total: int
    waiting: int
    orders: dict[str, int]
    refused: dict[str, int]
    programmes: HeldForm
    conditions: list[GatewayCondition]
    notices: list[GatewayNotice]
    may_read: bool
