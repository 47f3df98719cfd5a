"""Which property of which entity says what of an asset. Data: a property more is a row more.

The models are those of https://github.com/smart-data-models/dataModel.Streetlighting. A row leaves out what the model
has no word for: no fault is told as a nearby one, and no figure is worked out from another.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One property, and the point or the attribute that it comes from; neither: the newest instant of all points.

    divisor: of a number, to the model's unit. unit: its UN/CEFACT code, as NGSI-LD's unitCode says it. words: choice ->
    the model's word. steps: of a number, (at most, word) from below. day: the text is a date, told as the instant at
    which it begins.
    """

    name: str
    point: str = ""
    attribute: str = ""
    divisor: float = 1.0
    unit: str = ""
    words: Mapping[str, str] = field(default_factory=dict[str, str])
    steps: tuple[tuple[float, str], ...] = ()
    day: bool = False

    @property
    def instant(self) -> bool:
        """Whether its value is a date and time."""
        return self.day or not (self.point or self.attribute)


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One relationship, to an entity of another type. many: a list of them."""

    name: str
    target: str
    many: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Model:
    """One type of entity: the kind of asset that it is, its properties and links, and what it may not lack.

    group: it is not the asset itself but all that the asset feeds.
    """

    kind: str
    rows: tuple[Row, ...] = ()
    links: tuple[Link, ...] = ()
    required: tuple[str, ...] = ()
    group: bool = False


_CABINET, _GROUP, _LIGHT = "StreetlightControlCabinet", "StreetlightGroup", "Streetlight"

TABLE: Mapping[str, Model] = {
    _LIGHT: Model(
        kind="luminaire",
        rows=(
            # The driver is a part of the lantern. A lost supply is no fault of the light, and "unknown" is none that
            # the model names.
            Row(
                name="status",
                point="fault",
                words={"none": "ok", "lamp": "defectiveLamp", "driver": "brokenLantern"},
            ),
            # An order to dim is proved within 1 %: what is nearer to full than that is full.
            Row(name="powerState", point="level", steps=((0.0, "off"), (99.0, "low"), (100.0, "on"))),
            Row(name="illuminanceLevel", point="level", divisor=100.0),
            Row(name="powerConsumption", point="power", unit="WTT"),
            Row(name="powerRating", attribute="rated_power", unit="WTT"),
            Row(name="dateServiceStarted", attribute="installed", day=True),
            Row(name="observationDateTime"),
        ),
        links=(
            Link(name="refStreetlightControlCabinet", target=_CABINET),
            Link(name="refStreetlightGroup", target=_GROUP),
        ),
        required=("status",),
    ),
    _CABINET: Model(
        kind="cabinet",
        rows=(
            # It switches by itself, and an order may switch it too. For one that feeds at all hours the model has no
            # word.
            Row(name="workingMode", attribute="switching", words={"switched": "semiautomatic"}),
            Row(name="totalActivePower", point="power", divisor=1_000.0, unit="KWT"),
            Row(name="lastMeterReading", point="energy", unit="KWH"),
        ),
        links=(Link(name="refStreetlightGroup", target=_GROUP, many=True),),
        required=("refStreetlightGroup", "workingMode"),
    ),
    _GROUP: Model(
        kind="cabinet",
        links=(
            Link(name="refStreetlightControlCabinet", target=_CABINET),
            Link(name="refStreetlight", target=_LIGHT, many=True),
        ),
        required=("location",),
        group=True,
    ),
}
"""Type of entity -> what it says."""
