"""Publications of situations as others write them: DATEX II of version 2 and of version 3, in an envelope or bare.

Feeds are not what their schemas have. A word that an enumeration does not have is kept as it was told, and noted as a
deviation; what is missing or senseless in a record is noted too, where the record says something without it; a record
that says nothing is set aside with the reason. The others are read. Entities are not expanded, a document type is
refused, nothing is fetched, and a document is no larger than a country's can be.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from importlib import import_module
from math import isfinite
from typing import Any

from vigie.core.times import to_us
from vigie.protocols.datex2.model import (
    AlertC,
    Comment,
    Days,
    Hours,
    Period,
    Place,
    Position,
    Publication,
    Record,
    Situation,
    Source,
    Validity,
    Words,
)
from vigie.protocols.datex2.vocabulary import FORMS, OTHER_FORMS, Family, knows

# lxml has no types: what leaves this file is typed.
_etree: Any = import_module("lxml.etree")

BYTES_MAX = 32 << 20
NOTED_MAX = 500
"""So many deviations, and records set aside, are told one by one; all of them are counted."""

_TYPE = "{http://www.w3.org/2001/XMLSchema-instance}type"
_SPACES = ("http://datex2.eu/schema/2/", "http://datex2.eu/schema/3/")
_INSTANT = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?(Z|[+-]\d\d:\d\d)?")
_TIME = re.compile(r"(\d\d):(\d\d):(\d\d)(\.\d+)?(Z|[+-]\d\d:\d\d)?")


class Unreadable(ValueError):
    """What was sent is no publication of situations; says why."""


class _Senseless(ValueError):
    """A record that says nothing."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """Where a document is not as the standard has it, and what it says there."""

    path: str
    value: str


@dataclass(frozen=True, slots=True)
class SetAside:
    """A record that could not be read, and why."""

    id: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What a document says, and what is wrong with it: the first of each; deviations_total and set_aside_total count
    all."""

    publication: Publication
    deviations: tuple[Deviation, ...]
    deviations_total: int
    set_aside: tuple[SetAside, ...]
    set_aside_total: int


def read(body: bytes, *, zone: tzinfo = UTC) -> Reading:
    """What a document says. zone: that times are in which do not say theirs. Raises Unreadable."""
    if len(body) > BYTES_MAX:
        raise Unreadable(f"it is larger than {BYTES_MAX >> 20} MiB")
    if b"<!DOCTYPE" in body:
        raise Unreadable("it has a document type")
    parser = _etree.XMLParser(
        resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False, remove_comments=True, remove_pis=True
    )
    try:
        root = _etree.fromstring(body, parser)
    except (_etree.XMLSyntaxError, ValueError) as error:
        raise Unreadable(f"it is no XML: {error}") from None
    if root.getroottree().docinfo.doctype:
        raise Unreadable("it has a document type")
    payloads = [each for each in root.iter("{*}payload", "{*}payloadPublication") if _space(each).startswith(_SPACES)]
    if not payloads:
        raise Unreadable(f"it is a {_local(root)[:60]!r}, and holds no payload of DATEX II")
    # Others say that it is so of each document that they tell all in: only this tells less than all for certain.
    if any((each.text or "").strip() == "singleElementUpdate" for each in root.iter("{*}updateMethod")):
        raise Unreadable("it tells only what has changed, not all that is so")
    told = [each for each in payloads if _form(each) == "SituationPublication"]
    if not told:
        raise Unreadable(f"it is a {_form(payloads[0])[:60]!r}, no SituationPublication")
    return _Reader(zone, _space(told[0]).startswith(_SPACES[0])).publication(told)


@dataclass
class _Reader:
    """Reads one document, and notes what is wrong with it. at: the path of what is being read."""

    zone: tzinfo
    version_2: bool
    at: str = ""
    deviations: list[Deviation] = field(default_factory=list[Deviation])
    deviations_total: int = 0
    set_aside: list[SetAside] = field(default_factory=list[SetAside])
    set_aside_total: int = 0

    def publication(self, told: Sequence[Any]) -> Reading:
        first = told[0]
        creator = _child(first, "publicationCreator")
        read = Publication(
            published_us=self.instant(first, "publicationTime", needed=True),
            country=_text(creator, "country"),
            creator=_text(creator, "nationalIdentifier"),
            language=first.get("lang", ""),
            situations=tuple(self.situations(told)),
        )
        return Reading(read, tuple(self.deviations), self.deviations_total, tuple(self.set_aside), self.set_aside_total)

    def situations(self, told: Sequence[Any]) -> Iterator[Situation]:
        for each in (situation for payload in told for situation in _children(payload, "situation")):
            id = each.get("id", "")
            header = _child(each, "headerInformation")
            secret = _text(header, "confidentiality")
            records: list[Record] = []
            for record in _children(each, "situationRecord"):
                self.at = f"{id}/{record.get('id', '')}"
                try:
                    if secret not in ("", "noRestriction"):
                        raise _Senseless(f"it is not for everybody: {secret}")
                    records.append(self.record(record))
                except _Senseless as error:
                    self.set_aside_total += 1
                    if len(self.set_aside) < NOTED_MAX:
                        self.set_aside.append(SetAside(record.get("id", ""), str(error)))
            self.at = id
            if records:
                yield Situation(
                    id=id,
                    records=tuple(records),
                    severity=self.word(each, "overallSeverity", "severity"),
                    changed_us=self.instant(each, "situationVersionTime"),
                    status=self.word(header, "informationStatus") or "real",
                )

    def record(self, said: Any) -> Record:
        """Raises _Senseless."""
        name = _form(said)
        if not name:
            raise _Senseless("it does not say what it is")
        if name not in FORMS and name not in OTHER_FORMS:
            self.deviates("@type", name)
        form = FORMS.get(name)
        changed_us = self.instant(said, "situationRecordVersionTime", needed=True)
        created_us = self.instant(said, "situationRecordCreationTime", needed=True)
        validity = self.validity(_child(said, "validity"))
        # Who does not say when a record was made or changed has it hold since it does.
        known_us = next((each for each in (changed_us, created_us) if each is not None), validity.begins_us)
        impact, whose = _child(said, "impact"), said if form and form.family is Family.TRAFFIC else None
        constriction = self.word(impact, "trafficConstrictionType") or self.word(whose, "trafficConstrictionType")
        return Record(
            id=said.get("id", ""),
            version=said.get("version", ""),
            form=name,
            created_us=known_us if created_us is None else created_us,
            changed_us=known_us if changed_us is None else changed_us,
            validity=validity,
            places=self.places(said),
            kinds=tuple(self.words_of(said, form.kinds)) if form else (),
            observed_us=self.instant(said, "situationRecordObservationTime"),
            probability=self.word(said, "probabilityOfOccurrence", needed=True),
            severity=self.word(said, "severity"),
            source=self.source(_child(said, "source")),
            cause=self.word(_child(said, "cause"), "causeType"),
            comments=tuple(self.comments(said)),
            constriction=constriction,
            lanes_restricted=self.count(impact, "numberOfLanesRestricted"),
            lanes_open=self.count(impact, "numberOfOperationalLanes"),
            compliance=self.word(said, "complianceOption"),
            directions=tuple(self.words_of(said, "applicableForTrafficDirection")),
            vehicles=tuple(
                vehicle
                for each in _children(said, "forVehiclesWithCharacteristicsOf")
                for vehicle in self.words_of(each, "vehicleType")
            ),
            identifier=_text(said, "roadworksIdentifier"),
            urgent=self.flag(said, "urgentRoadworks"),
            under_traffic=self.flag(said, "underTraffic"),
            route=tuple(place for each in _children(said, "alternativeRoute") for place in self.all_places(each)),
            route_words=_words(_child(said, "reroutingItineraryDescription")),
            withdrawn=self.withdrawn(_child(_child(said, "management"), "lifeCycleManagement")),
        )

    def withdrawn(self, said: Any) -> bool:
        return any(self.flag(said, name) for name in ("cancel", "end"))

    def validity(self, said: Any) -> Validity:
        """Raises _Senseless."""
        times = _child(said, "validityTimeSpecification")
        begins_us = self.instant(times, "overallStartTime")
        if begins_us is None:
            raise _Senseless("it does not say since when it holds")
        return Validity(
            begins_us=begins_us,
            ends_us=self.instant(times, "overallEndTime"),
            periods=tuple(self.period(each) for each in _children(times, "validPeriod")),
            exceptions=tuple(self.period(each) for each in _children(times, "exceptionPeriod")),
            status=self.word(said, "validityStatus", needed=True),
            overrunning=self.flag(said, "overrunning"),
        )

    def period(self, said: Any) -> Period:
        hours = [self.hours(each) for each in _children(said, "recurringTimePeriodOfDay")]
        days = [
            Days(tuple(self.words_of(each, "applicableDay")), tuple(self.words_of(each, "applicableMonth")))
            for each in _children(said, "recurringDayWeekMonthPeriod")
        ]
        return Period(
            begins_us=self.instant(said, "startOfPeriod"),
            ends_us=self.instant(said, "endOfPeriod"),
            hours=tuple(each for each in hours if each is not None),
            days=tuple(days),
        )

    def hours(self, said: Any) -> Hours | None:
        begins_s, ends_s = self.time(said, "startTimeOfPeriod"), self.time(said, "endTimeOfPeriod")
        return None if begins_s is None or ends_s is None else Hours(begins_s, ends_s)

    def source(self, said: Any) -> Source | None:
        if said is None:
            return None
        return Source(
            country=_text(said, "sourceCountry"),
            identification=_text(said, "sourceIdentification"),
            name=_words(_child(said, "sourceName")),
            kind=self.word(said, "sourceType"),
            reliable=self.flag(said, "reliable"),
        )

    def comments(self, said: Any) -> Iterator[Comment]:
        for each in _children(said, "generalPublicComment"):
            words = _words(_child(each, "comment"))
            if words:
                yield Comment(words, self.word(each, "commentType"))

    def places(self, said: Any) -> tuple[Place, ...]:
        """Where a record is. Raises _Senseless."""
        found = _child(said, "groupOfLocations" if self.version_2 else "locationReference")
        if found is None:
            raise _Senseless("it does not say where it is")
        return tuple(self.all_places(found))

    def all_places(self, said: Any) -> Iterator[Place]:
        """The places of a location, or of each in a group or on a way."""
        within = [*_children(said, "locationContainedInGroup")]
        steps = _children(said, "locationContainedInItinerary")
        within += [inner for step in sorted(steps, key=_index) for inner in _children(step, "location")]
        if not within:
            yield self.place(said)
        for each in within:
            yield from self.all_places(each)

    def place(self, said: Any) -> Place:
        about = _child(said, "supplementaryPositionalDescription")
        lanes: list[str] = []
        carriageway = ""
        for each in _children(about, "affectedCarriagewayAndLanes" if self.version_2 else "carriageway"):
            carriageway = carriageway or self.word(each, "carriageway")
            if self.version_2:
                lanes += self.words_of(each, "lane", "laneUsage")
            else:
                lanes += [lane for one in _children(each, "lane") for lane in self.words_of(one, "laneUsage")]
        road, element = _child(about, "roadInformation"), next(said.iter("{*}linearElement"), None)
        named = dict(self.tpeg_names(said))
        towns = _words(_child(_child(about, "namedArea"), "areaName"))
        direction = next(said.iter("{*}tpegDirection", "{*}alertCDirectionCoded", "{*}directionRelativeAtPoint"), None)
        names = _words(_child(element, "roadName"))
        return Place(
            points=self.points(said),
            road_name=_text(road, "roadName") or named.get("linkName", "") or (names[0][1] if names else ""),
            road_number=_text(road, "roadNumber") or _text(element, "roadNumber"),
            town=towns[0][1] if towns else named.get("townName", ""),
            description=_words(_child(about, "locationDescription")),
            carriageway=carriageway,
            lanes=tuple(lanes),
            direction="" if direction is None else (direction.text or "").strip(),
            alert_c=tuple(self.alert_c(said)),
        )

    def tpeg_names(self, said: Any) -> Iterator[tuple[str, str]]:
        """What TPEG calls what is there: the town, the road."""
        for each in said.iter("{*}name"):
            words = _words(_child(each, "descriptor"))
            if words:
                yield _text(each, "tpegOtherPointDescriptorType"), words[0][1]

    def points(self, said: Any) -> tuple[Position, ...]:
        """A line where one is told, else a point; none where a coordinate is no place on Earth."""
        line = next(said.iter("{*}posList"), None)
        if line is not None:
            return self.line(line)
        ends = [each for name in ("from", "to") for each in said.iter(f"{{*}}{name}")]
        found = [point for each in ends for point in each.iter("{*}pointCoordinates")] if len(ends) == 2 else []
        if len(found) != 2:
            found = [*said.iter("{*}pointCoordinates")][:1] or [
                *said.iter("{*}coordinatesForDisplay", "{*}locationForDisplay")
            ][:1]
        return self.positions([(_text(each, "longitude"), _text(each, "latitude")) for each in found])

    def line(self, said: Any) -> tuple[Position, ...]:
        numbers = (said.text or "").split()
        size = 3 if said.getparent().get("srsDimension") == "3" else 2
        firsts, seconds = numbers[0::size], numbers[1::size]
        if len(numbers) % size or len(firsts) < 2:
            self.deviates("posList", " ".join(numbers))
            return ()
        # The axes of EPSG:4326, which is meant where nothing is said, are latitude and longitude; those of CRS84 not.
        lons, lats = (firsts, seconds) if "CRS84" in said.getparent().get("srsName", "") else (seconds, firsts)
        return self.positions(list(zip(lons, lats, strict=True)))

    def positions(self, said: Sequence[tuple[str, str]]) -> tuple[Position, ...]:
        found: list[Position] = []
        for lon_text, lat_text in said:
            try:
                lon, lat = float(lon_text), float(lat_text)
            except ValueError:
                lon = lat = float("nan")
            if not (isfinite(lon) and isfinite(lat) and abs(lon) <= 180 and abs(lat) <= 90):
                self.deviates("coordinates", f"{lat_text} {lon_text}")
                return ()
            found.append((lon, lat))
        return tuple(found)

    def alert_c(self, said: Any) -> Iterator[AlertC]:
        for each in said.iter("{*}alertCPoint", "{*}alertCLinear"):
            locations: list[tuple[int, int | None]] = []
            for code in each.iter("{*}specificLocation"):
                offset = _child(code.getparent().getparent(), "offsetDistance")
                number = _whole(code.text)
                if number is None:
                    self.deviates("specificLocation", code.text or "")
                else:
                    locations.append((number, self.count(offset, "offsetDistance")))
            yield AlertC(
                country=_text(each, "alertCLocationCountryCode"),
                table=_text(each, "alertCLocationTableNumber"),
                version=_text(each, "alertCLocationTableVersion"),
                direction=_text(_child(each, "alertCDirection"), "alertCDirectionCoded"),
                locations=tuple(locations),
            )

    # Values.

    def deviates(self, what: str, value: str) -> None:
        self.deviations_total += 1
        if len(self.deviations) < NOTED_MAX:
            self.deviations.append(Deviation(f"{self.at}/{what}" if self.at else what, value[:200]))

    def word(self, said: Any, name: str, enumeration: str = "", *, needed: bool = False) -> str:
        """The word of an enumeration that an element says; "" where it says none."""
        word = next(self.words_of(said, name, enumeration), "")
        if needed and not word:
            self.deviates(name, "")
        return word

    def words_of(self, said: Any, name: str, enumeration: str = "") -> Iterator[str]:
        for each in _children(said, name):
            word = (each.text or "").strip()
            extended = each.get("_extendedValue", "") if word == "_extended" else ""
            if word and not extended and not knows(enumeration or name, word, version_2=self.version_2):
                self.deviates(name, word)
            if word:
                yield extended or word

    def instant(self, said: Any, name: str, *, needed: bool = False) -> int | None:
        text = _text(said, name)
        if not text:
            if needed:
                self.deviates(name, "")
            return None
        try:
            instant = datetime.fromisoformat(text) if _INSTANT.fullmatch(text) else None
        except ValueError:
            instant = None
        if instant is None:
            self.deviates(name, text)
            return None
        if instant.tzinfo is None:
            self.deviates(name, text)
            instant = instant.replace(tzinfo=self.zone)
        return to_us(instant)

    def time(self, said: Any, name: str) -> int | None:
        text = _text(said, name)
        parts = _TIME.fullmatch(text)
        hour, minute, second = (int(parts[1]), int(parts[2]), int(parts[3])) if parts else (99, 0, 0)
        if (hour, minute, second) == (24, 0, 0):
            return 0
        if hour > 23 or minute > 59 or second > 59:
            self.deviates(name, text)
            return None
        return hour * 3_600 + minute * 60 + second

    def count(self, said: Any, name: str) -> int | None:
        text = _text(said, name)
        number = _whole(text)
        if text and number is None:
            self.deviates(name, text)
        return number

    def flag(self, said: Any, name: str) -> bool | None:
        text = _text(said, name)
        if text in ("true", "1", "false", "0"):
            return text in ("true", "1")
        if text:
            self.deviates(name, text)
        return None


def _local(element: Any) -> str:
    return _etree.QName(element).localname


def _space(element: Any) -> str:
    return _etree.QName(element).namespace or ""


def _form(element: Any) -> str:
    """The class that an element says it is of."""
    return element.get(_TYPE, "").rpartition(":")[2].strip()


def _children(element: Any, name: str) -> list[Any]:
    return [] if element is None else element.findall(f"{{*}}{name}")


def _child(element: Any, name: str) -> Any:
    return None if element is None else element.find(f"{{*}}{name}")


def _text(element: Any, name: str) -> str:
    found = _child(element, name)
    return "" if found is None else (found.text or "").strip()


def _words(element: Any) -> Words:
    values = _children(_child(element, "values"), "value")
    return tuple((each.get("lang", ""), text) for each in values if (text := (each.text or "").strip()))


def _whole(text: str | None) -> int | None:
    said = (text or "").strip()
    return int(said) if said.isascii() and said.isdigit() and len(said) <= 12 else None


def _index(step: Any) -> int:
    return _whole(step.get("index")) or 0
