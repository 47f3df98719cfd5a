"""A publication as bytes: a SituationPublication of DATEX II 3.7, whole, as the standard's schemas have it.

The order of the elements is the schema's. A word that an enumeration does not have is written as the standard lets it:
`_extended`, with the word beside it, where it takes that word there. Texts are cut at the length that it gives them.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import cache
from importlib import import_module
from typing import Any

from vigie.core.times import from_us, nameable_us
from vigie.protocols.datex2.model import Period, Place, Position, Publication, Record, Situation, Validity, Words
from vigie.protocols.datex2.vocabulary import ENUMERATIONS, EXTENSIONS, FORMS, Family

# lxml has no types: what leaves this file is typed.
_etree: Any = import_module("lxml.etree")

MEDIA_TYPE = "application/xml; charset=utf-8"
TEXT_LENGTH_MAX = 1_024
"""Of every text of the standard's."""
DEGREE_DIGITS = 7
"""A ten-millionth of a degree is a centimetre."""

_SPACES = {
    "d2": "http://datex2.eu/schema/3/d2Payload",
    "com": "http://datex2.eu/schema/3/common",
    "sit": "http://datex2.eu/schema/3/situation",
    "loc": "http://datex2.eu/schema/3/locationReferencing",
    "xsi": "http://www.w3.org/2001/XMLSchema-instance",
}
_TYPE = f"{{{_SPACES['xsi']}}}type"
# What XML 1.0 has no way to say.
_UNSAYABLE = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def write(publication: Publication) -> bytes:
    """The publication as a document. Raises ValueError for what no document says: a record of a class that the post
    does not write, without kinds where its class needs one, or without a place; a situation without a record; a word
    that the standard takes nowhere."""
    if publication.published_us is None:
        raise ValueError("a publication says when it was made")
    root = _etree.Element(f"{{{_SPACES['d2']}}}payload", nsmap=_SPACES)
    root.set(_TYPE, "sit:SituationPublication")
    root.set("lang", publication.language)
    root.set("modelBaseVersion", "3")
    _say(root, "com:publicationTime", _instant(publication.published_us))
    creator = _add(root, "com:publicationCreator")
    _say(creator, "com:country", publication.country)
    _say(creator, "com:nationalIdentifier", publication.creator)
    for each in publication.situations:
        _situation(root, each)
    return _etree.tostring(root, xml_declaration=True, encoding="utf-8")


def _situation(root: Any, said: Situation) -> None:
    if not said.records:
        raise ValueError(f"the situation {said.id!r} has no record")
    made = _add(root, "sit:situation", id=said.id)
    _word(made, "sit:overallSeverity", said.severity, "severity")
    _say(made, "sit:situationVersionTime", _instant(said.changed_us))
    header = _add(made, "sit:headerInformation")
    _say(header, "com:confidentiality", "noRestriction")
    _word(header, "com:informationStatus", said.status, "informationStatus")
    for each in said.records:
        _record(made, each)


def _record(situation: Any, said: Record) -> None:
    form = FORMS.get(said.form)
    if form is None:
        raise ValueError(f"a {said.form} is not written")
    if not said.places:
        raise ValueError(f"the record {said.id!r} has no place")
    if (form.needed and not said.kinds) or (len(said.kinds) > 1 and not form.many):
        raise ValueError(f"the record {said.id!r} has {len(said.kinds)} kinds of {said.form}")
    made = _add(situation, "sit:situationRecord", id=said.id, version=said.version)
    made.set(_TYPE, f"sit:{said.form}")
    _say(made, "sit:situationRecordCreationTime", _instant(said.created_us))
    _say(made, "sit:situationRecordObservationTime", _instant(said.observed_us))
    _say(made, "sit:situationRecordVersionTime", _instant(said.changed_us))
    _word(made, "sit:probabilityOfOccurrence", said.probability)
    _word(made, "sit:severity", said.severity)
    _source(made, said)
    _validity(made, said.validity)
    if said.lanes_restricted is not None or said.lanes_open is not None:
        impact = _add(made, "sit:impact")
        _say(impact, "sit:numberOfLanesRestricted", _count(said.lanes_restricted))
        _say(impact, "sit:numberOfOperationalLanes", _count(said.lanes_open))
    if said.cause:
        _word(_add(made, "sit:cause"), "sit:causeType", said.cause)
    for comment in said.comments:
        told = _add(made, "sit:generalPublicComment")
        _words(told, "sit:comment", comment.words)
        _word(told, "sit:commentType", comment.kind)
    _location(made, said.places)
    if form.family is Family.WORKS:
        _say(made, "sit:roadworksIdentifier", said.identifier)
        _say(made, "sit:underTraffic", _flag(said.under_traffic))
        _say(made, "sit:urgentRoadworks", _flag(said.urgent))
    elif form.family is Family.MEASURE:
        _word(made, "sit:complianceOption", said.compliance or "mandatory")
        for direction in said.directions:
            _word(made, "sit:applicableForTrafficDirection", direction)
        for vehicle in said.vehicles:
            whose = _add(made, "sit:forVehiclesWithCharacteristicsOf")
            _word(whose, "com:vehicleType", vehicle)
    else:
        _word(made, "sit:trafficConstrictionType", said.constriction)
    for kind in said.kinds:
        _word(made, f"sit:{form.kinds}", kind)
    if said.form == "ReroutingManagement":
        _words(made, "sit:reroutingItineraryDescription", said.route_words)
        _route(made, said.route)


def _source(record: Any, said: Record) -> None:
    source = said.source
    if source is None:
        return
    made = _add(record, "sit:source")
    _say(made, "com:sourceCountry", source.country[:2])
    _say(made, "com:sourceIdentification", source.identification)
    _words(made, "com:sourceName", source.name)
    _word(made, "com:sourceType", source.kind)
    _say(made, "com:reliable", _flag(source.reliable))


def _validity(record: Any, said: Validity) -> None:
    made = _add(record, "sit:validity")
    _word(made, "com:validityStatus", said.status)
    _say(made, "com:overrunning", _flag(said.overrunning))
    times = _add(made, "com:validityTimeSpecification")
    _say(times, "com:overallStartTime", _instant(said.begins_us))
    _say(times, "com:overallEndTime", _instant(said.ends_us))
    for name, periods in (("com:validPeriod", said.periods), ("com:exceptionPeriod", said.exceptions)):
        for period in periods:
            _period(_add(times, name), period)


def _period(made: Any, said: Period) -> None:
    _say(made, "com:startOfPeriod", _instant(said.begins_us))
    _say(made, "com:endOfPeriod", _instant(said.ends_us))
    for hours in said.hours:
        each = _add(made, "com:recurringTimePeriodOfDay")
        _say(each, "com:startTimeOfPeriod", _time(hours.begins_s))
        _say(each, "com:endTimeOfPeriod", _time(hours.ends_s))
    for days in said.days:
        each = _add(made, "com:recurringDayWeekMonthPeriod")
        for day in days.days:
            _word(each, "com:applicableDay", day)
        for month in days.months:
            _word(each, "com:applicableMonth", month)


def _location(record: Any, places: Sequence[Place]) -> None:
    made = _add(record, "sit:locationReference")
    if len(places) == 1:
        _place(made, places[0])
        return
    made.set(_TYPE, "loc:LocationGroupByList")
    for each in places:
        _place(_add(made, "loc:locationContainedInGroup"), each)


def _route(record: Any, places: Sequence[Place]) -> None:
    if not places:
        return
    made = _add(record, "sit:alternativeRoute")
    made.set(_TYPE, "loc:ItineraryByIndexedLocations")
    for index, each in enumerate(places):
        _place(_add(_add(made, "loc:locationContainedInItinerary", index=str(index)), "loc:location"), each)


def _place(made: Any, said: Place) -> None:
    is_line = len(said.points) > 1
    made.set(_TYPE, "loc:LinearLocation" if is_line else "loc:PointLocation")
    if said.description or said.carriageway or said.lanes or said.town or said.road_name or said.road_number:
        told = _add(made, "loc:supplementaryPositionalDescription")
        _words(told, "loc:locationDescription", said.description)
        if said.carriageway or said.lanes:
            carriageway = _add(told, "loc:carriageway")
            _word(carriageway, "loc:carriageway", said.carriageway or "unspecifiedCarriageway")
            for lane in said.lanes:
                _word(_add(carriageway, "loc:lane"), "loc:laneUsage", lane)
        if said.town:
            area = _add(told, "loc:namedArea")
            _words(area, "loc:areaName", (("", said.town),))
            _word(area, "loc:namedAreaType", "municipality", "")
        if said.road_name or said.road_number:
            road = _add(told, "loc:roadInformation")
            _say(road, "loc:roadName", said.road_name)
            _say(road, "loc:roadNumber", said.road_number)
    if is_line:
        # The axes of EPSG:4326 are latitude and longitude, in this order.
        line = _add(made, "loc:gmlLineString", srsName="EPSG:4326", srsDimension="2")
        _say(line, "loc:posList", " ".join(" ".join(_degrees(each)) for each in said.points))
    elif said.points:
        point = _add(_add(made, "loc:pointByCoordinates"), "loc:pointCoordinates")
        latitude, longitude = _degrees(said.points[0])
        _say(point, "loc:latitude", latitude)
        _say(point, "loc:longitude", longitude)


def _degrees(position: Position) -> tuple[str, str]:
    """Latitude and longitude. Adding zero turns -0.0, which has a sign, into it."""
    lon, lat = position
    return f"{lat + 0.0:.{DEGREE_DIGITS}f}", f"{lon + 0.0:.{DEGREE_DIGITS}f}"


@cache
def _whole(name: str) -> str:
    """A name with its prefix as lxml writes it."""
    space, _, local = name.partition(":")
    return f"{{{_SPACES[space]}}}{local}"


def _add(parent: Any, name: str, **attributes: str) -> Any:
    made = _etree.SubElement(parent, _whole(name))
    for key, value in attributes.items():
        made.set(key, _cut(value))
    return made


def _say(parent: Any, name: str, text: str | None) -> None:
    """An element with a text, unless there is nothing to say. A list of coordinates is as long as it is."""
    if text:
        _add(parent, name).text = text if name == "loc:posList" else _cut(text)


def _word(parent: Any, name: str, word: str, enumeration: str | None = None) -> None:
    """An element with a word of an enumeration: that of its own name, unless another is named; "" for a word that the
    post writes itself."""
    if not word:
        return
    made, element = _add(parent, name), enumeration or name.partition(":")[2]
    if enumeration == "" or word in ENUMERATIONS[element]:
        made.text = word
        return
    if word not in EXTENSIONS.get(element, (word,)):
        raise ValueError(f"{element} is no {word!r}")
    made.text = "_extended"
    made.set("_extendedValue", _cut(word))


def _words(parent: Any, name: str, words: Words) -> None:
    """An element with the same in some languages."""
    if words:
        values = _add(_add(parent, name), "com:values")
        for language, text in words:
            made = _add(values, "com:value", **({"lang": language} if language else {}))
            made.text = _cut(text)


def _cut(text: str) -> str:
    said = text if text.isprintable() else _UNSAYABLE.sub("\ufffd", text)
    return said if len(said) <= TEXT_LENGTH_MAX else said[: TEXT_LENGTH_MAX - 1] + "…"


def _instant(instant_us: int | None) -> str | None:
    if instant_us is None:
        return None
    instant = from_us(nameable_us(instant_us))
    return instant.isoformat(timespec="microseconds" if instant.microsecond else "seconds")[:-6] + "Z"


def _time(second: int) -> str:
    minute, second = divmod(second, 60)
    hour, minute = divmod(minute, 60)
    return f"{hour % 24:02}:{minute:02}:{second:02}"


def _count(number: int | None) -> str | None:
    return None if number is None else str(number)


def _flag(said: bool | None) -> str | None:
    return None if said is None else str(said).lower()
