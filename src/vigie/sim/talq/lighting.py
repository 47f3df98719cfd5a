"""Lamps and cabinets behind their gateways: what they say goes in, what they are told comes out.

The gateways' sessions know the protocol, and the life of the lamps knows the street; this joins the two, and no more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from zlib import crc32
from zoneinfo import ZoneInfo

import msgspec
import numpy as np

from vigie.core.arrays import floats, ints
from vigie.core.times import MINUTE_US, from_us, rfc3339
from vigie.protocols.talq import Gateway, Identity
from vigie.protocols.talq.events import Assigned, GatewayEvent, Overridden, Stored
from vigie.protocols.talq.messages import Attribute, Command
from vigie.protocols.talq.network import Actuator, Network
from vigie.protocols.talq.schedules import level
from vigie.services.lighting.kinds import Cabinet, Luminaire
from vigie.sim.city.facts import ZONE
from vigie.sim.life.columns import Floats, Ints, Reports
from vigie.sim.life.lamps import LampLife
from vigie.sim.life.sky import sun_times
from vigie.sim.talq import equipment
from vigie.sim.talq.equipment import DOORS, FULL_LIGHT, LAMP, LOGGERS, METER, MONITOR, SEGMENT
from vigie.sim.talq.park import Park
from vigie.sim.talq.radio import Radio

KINDS = (Luminaire, Cabinet)
FULL_LEVEL = 100

Sign = tuple[str, str]
"""A function, and its event that stands or does not."""


@dataclass(frozen=True, slots=True)
class _Measured:
    """How the value of a point is an attribute."""

    function: str
    name: str
    sort: str
    form: Callable[[float], object]


_LEVELS = [{"name": "LevelState", "value": each} for each in range(FULL_LEVEL + 1)]
_FULL, _PROGRAM = (
    {"state": _LEVELS[said], "reason": reason} for said, reason in ((FULL_LEVEL, "override"), (0, "program"))
)

_MEASURED: dict[tuple[str, str], _Measured] = {
    ("luminaire", "level"): _Measured(LAMP, "actualLightState", "AttributeLevelState", lambda v: _LEVELS[round(v)]),
    ("luminaire", "power"): _Measured(MONITOR, "activePower", "AttributeFloat", float),
    ("luminaire", "driver_temperature"): _Measured(MONITOR, "temperature", "AttributeFloat", float),
    ("luminaire", "switch_ons"): _Measured(MONITOR, "switchOnCounter", "AttributeInteger", round),
    ("luminaire", "burning"): _Measured(MONITOR, "operatingHours", "AttributeFloat", float),
    ("cabinet", "power"): _Measured(METER, "totalPower", "AttributeFloat", lambda v: v / 1_000),
    ("cabinet", "energy"): _Measured(METER, "totalActiveEnergy", "AttributeFloat", float),
    ("cabinet", "current"): _Measured(METER, "totalCurrent", "AttributeFloat", float),
    ("cabinet", "full_light"): _Measured(
        FULL_LIGHT, "feedbackLightCommand", "AttributeCommand", lambda v: _FULL if v else _PROGRAM
    ),
}
_REASONS = {Luminaire.control.code(name): "program" for name in Luminaire.control.choices} | {
    Luminaire.control.code(name): "override" for name in ("order", "full_light")
}
_ON = Cabinet.supply.code("on")

_SIGNS: dict[tuple[str, str], dict[int, Sign]] = {
    ("luminaire", "fault"): {
        Luminaire.fault.code(fault): (MONITOR, event) for fault, event in equipment.FAULTS.items()
    },
    ("cabinet", "door"): {Cabinet.door.code("open"): (DOORS, "cabinetDoorOpen")},
    ("cabinet", "breaker"): {Cabinet.breaker.code("tripped"): (SEGMENT, "circuitBreakerTripped")},
    ("cabinet", "residual_current"): {Cabinet.residual_current.code("tripped"): (DOORS, "leakageDetected")},
    ("cabinet", "supply"): {Cabinet.supply.code("lost"): (METER, "supplyLoss")},
}
# A cabinet's contactor is the state of its relay: it is said with the supply, and not twice.
_CALM: dict[tuple[str, str], Sign] = {
    ("luminaire", "fault"): (MONITOR, equipment.FAULTS["lamp"]),
    ("cabinet", "door"): (DOORS, "cabinetDoorOpen"),
    ("cabinet", "breaker"): (SEGMENT, "circuitBreakerTripped"),
    ("cabinet", "residual_current"): (DOORS, "leakageDetected"),
}
"""What is said not to stand where nothing stands."""


class Lighting:
    """All gateways of a city's lighting."""

    def __init__(
        self, park: Park, lamps: LampLife, identities: Mapping[str, Identity], *, seed: str = "", lost: float = 0.0
    ) -> None:
        """identities: by the names of the park's gateways; the devices of one that is left out are not heard. seed:
        another for each start. lost: see `Radio`."""
        self._park, self._lamps, self._zone = park, lamps, ZoneInfo(ZONE)
        self.gateways = {
            name: Gateway(who, equipment.SERVICES, equipment.CLASSES, park.devices[name], zone=self._zone, seed=seed)
            for name, who in identities.items()
        }
        networks = {name: gateway.network for name, gateway in self.gateways.items()}
        self._networks = {kind: [networks.get(name) for name in names] for kind, names in park.gateways.items()}
        self._spoken_for = {kind: np.array([each is not None for each in own]) for kind, own in self._networks.items()}
        self._radio = Radio(lamps, crc32(seed.encode()), lost)
        self._stamped: Ints = np.empty(0, np.int64)
        self._rows: Ints = np.empty(0, np.int64)
        self._stamps: list[str] = []
        self._standing: dict[tuple[str, str], Sign] = {}
        self._calendars: list[tuple[str, str]] = [("", "")]
        self._ruled = np.zeros(len(park.gateways["luminaire"]), np.int64)
        self._levels, self._minute = np.empty(0), -1
        lamps.programmed = self._programmed
        for network in networks.values():
            self._log(network)

    # What lamps and cabinets say.

    def hear(self, reports: Reports) -> None:
        """What devices say, to their gateways."""
        kind, point = reports.kind.kind, reports.point.name
        networks, addresses = self._networks[kind], self._park.addresses[kind]
        measured, signs = _MEASURED.get((kind, point)), _SIGNS.get((kind, point))
        if reports.observed_us is not self._stamped:
            # A lamp says all its points at one instant.
            self._stamped = reports.observed_us
            heard = self._spoken_for[kind][reports.index]
            if reports.kind is Luminaire:
                heard &= self._radio.heard(reports.index, reports.observed_us)
            self._rows = np.flatnonzero(heard)
            self._stamps = [rfc3339(at_us) for at_us in ints(reports.observed_us[self._rows])]
        rows = self._rows
        if reports.kind is Luminaire:
            self._radio.answered(reports.point, reports.index[rows], reports.value[rows])
        said_by, instants = ints(reports.index[rows]), ints(reports.observed_us[rows])
        for index, value, at_us, stamp in zip(
            said_by, floats(reports.value[rows]), instants, self._stamps, strict=True
        ):
            network = networks[index]
            assert network is not None
            if point == "control":
                command: dict[str, object] = {
                    "state": _LEVELS[round(self._lamps.level[index])],
                    "reason": _REASONS[int(value)],
                }
                said = Attribute("AttributeCommand", command, stamp)
                network.observed(addresses[index], LAMP, "feedbackLightCommand", said, at_us)
            elif measured is not None:
                said = Attribute(measured.sort, measured.form(value), stamp)
                network.observed(addresses[index], measured.function, measured.name, said, at_us)
            elif signs is not None:
                self._stands(network, addresses[index], (kind, point), signs.get(int(value)), value, at_us)

    def _stands(
        self, network: Network, device: str, point: tuple[str, str], sign: Sign | None, value: float, at_us: int
    ) -> None:
        """What stands as it stood is said again as a status; what begins or ends is an event.

        Two values of one point and one instant would be one: so the new begins just before the old ends.
        """
        before = self._standing.pop((device, point[1]), None)
        if sign is not None:
            self._standing[device, point[1]] = sign
        since_us = at_us - (before is not None)
        if sign is None and point not in _CALM:
            state = Attribute("AttributeBinary", "ON" if value == _ON else "OFF", rfc3339(since_us))
            network.observed(device, SEGMENT, "actualState", state, since_us)
        shown = sign or _CALM.get(point)
        if sign == before:
            if shown is not None:
                status = Attribute("AttributeBoolean", sign is not None, rfc3339(at_us))
                network.observed(device, *shown, status, at_us)
            return
        if sign is not None:
            network.happened(device, *sign, True, since_us)
        if before is not None:
            network.happened(device, *before, False, at_us)

    # What they are told.

    def tick(self) -> None:
        """Time has passed, as far as lamps have lived."""
        self._radio.tick(self._lamps.now_us)

    def carry_out(self, name: str, events: Iterable[GatewayEvent], now_us: int) -> None:
        """What a gateway has learnt now, as far as lamps and cabinets have to do with it. They have not lived to this
        instant yet: nobody obeys before they were asked."""
        for event in events:
            match event:
                case Overridden():
                    self._override(event.actuators, event.command, now_us)
                case Assigned():
                    self._assign(name, event.actuators, event.calendar)
                case Stored(sort="logger-configs"):
                    self._log(self.gateways[name].network)
                case Stored():
                    self._minute = -1
                case _:
                    pass

    def _override(self, actuators: Sequence[Actuator], command: Command | None, at_us: int) -> None:
        places = [(self._park.places[device], function) for device, function in actuators]
        lamps = np.array([index for index, function in places if function == LAMP], np.int64)
        wanted = None if command is None else level(command.state)
        if wanted is None:
            self._radio.order(lamps, np.nan, at_us)
        else:
            self._radio.order(lamps, float(wanted), at_us)
        for index, function in places:
            if function == FULL_LIGHT:
                self._lamps.order_cabinet(index, {"on": wanted == FULL_LEVEL}, at_us)

    def _assign(self, name: str, actuators: Sequence[Actuator], calendar: str) -> None:
        code = 0
        if calendar:
            if (name, calendar) not in self._calendars:
                self._calendars.append((name, calendar))
            code = self._calendars.index((name, calendar))
        lamps = [self._park.places[device] for device, function in actuators if function == LAMP]
        self._ruled[np.array(lamps, np.int64)] = code
        self._minute = -1

    def _programmed(self, at_us: int) -> Floats:
        """What their gateway's calendar wants of the lamps, in per cent; not a number where they have none. Asked once
        a calendar and minute."""
        if at_us // MINUTE_US != self._minute:
            local = from_us(at_us).astimezone(self._zone)
            rise, set_ = sun_times(local.date())
            wanted = [np.nan]
            for name, calendar in self._calendars[1:]:
                command = self.gateways[name].network.programmed(calendar, local, rise, set_)
                wanted.append(0.0 if command is None else float(level(command.state)))
            self._levels, self._minute = np.array(wanted), at_us // MINUTE_US
        return self._levels[self._ruled]

    def _log(self, network: Network) -> None:
        """A gateway logs of its own accord while its CMS has configured nothing; what it has logged so is told in any
        case."""
        strange = network.loggers.loggers.keys() - {each.address for each in LOGGERS}
        for each in LOGGERS:
            config = msgspec.structs.replace(each, source_addresses=None) if strange else each
            network.loggers.put(config, self._lamps.now_us)
