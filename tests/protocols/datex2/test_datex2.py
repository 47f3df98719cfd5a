"""DATEX II: what is written is as the standard's schemas have it and is read as it was, real feeds of version 2 are
read, and what is no situation is refused or set aside with its reason."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings

from tests.protocols.datex2.conftest import etree
from tests.protocols.datex2.situations import publications
from vigie.protocols.datex2 import (
    ENUMERATIONS,
    EXTENSIONS,
    TEXT_LENGTH_MAX,
    Comment,
    Deviation,
    Hours,
    Period,
    Place,
    Publication,
    Record,
    Situation,
    Unreadable,
    Validity,
    read,
    write,
)

NIGHT = Period(hours=(Hours(21 * 3_600, 6 * 3_600),))
WORKS = Record(
    "R1", "3", "ConstructionWorks", 0, 60_000_000, Validity(0, 10**12, periods=(NIGHT,)),
    (Place(points=((5.04, 47.32), (5.05, 47.33)), road_name="rue des Forges", town="Dijon"),), ("constructionWork",),
)  # fmt: skip
PUBLICATION = Publication(10**9, "fr", "vigie", "fr", (Situation("S1", (WORKS,)),))


@given(publications)
@settings(max_examples=20)
def test_what_is_written_is_valid_and_read_as_it_was(schema: Any, publication: Publication) -> None:
    written = write(publication)
    schema.assertValid(etree.fromstring(written))
    told = read(written)
    assert told.publication == publication
    assert not told.deviations
    assert not told.set_aside


_NAMES = {
    "applicableDay": "DayEnum",
    "applicableForTrafficDirection": "DirectionEnum",
    "applicableMonth": "MonthOfYearEnum",
    "laneUsage": "LaneEnum",
}
"""Of the enumerations that are called otherwise than their elements."""


def test_each_enumeration_has_the_words_of_the_schemas(shared: Path) -> None:
    folder = shared / "standards" / "datex2" / "v3.7"
    if not folder.is_dir():
        pytest.skip("no folder ../shared/standards/datex2 with the schemas of DATEX II 3.7")
    names = [f"DATEXII_3_{each}.xsd" for each in ("Common", "LocationReferencing", "Situation")]
    types = {each.get("name"): each for name in names for each in etree.parse(str(folder / name)).getroot()}
    for element, words in ENUMERATIONS.items():
        kind = types[_NAMES.get(element, f"{element[0].upper()}{element[1:]}Enum")]
        assert words == {each.get("value") for each in kind.iter("{*}enumeration")} - {"_extended"}, element


def test_the_words_that_stand_beside_an_enumeration_are_those_of_the_schemas(schema: Any) -> None:
    """Each word is tried where it stands: the schemas take it, and none that is not among them."""

    def written(element: str, word: str) -> Any:
        measure = replace(
            WORKS, form="RoadOrCarriagewayOrLaneManagement", kinds=("roadClosed",), compliance="mandatory"
        )
        made = {
            "roadOrCarriagewayOrLaneManagementType": replace(measure, kinds=(word,)),
            "vehicleType": replace(measure, vehicles=(word,)),
            "causeType": replace(WORKS, cause=word),
            "laneUsage": replace(WORKS, places=(Place(lanes=(word,)),)),
        }[element]
        return etree.fromstring(write(replace(PUBLICATION, situations=(Situation("S", (made,)),))))

    for element in ("roadOrCarriagewayOrLaneManagementType", "vehicleType", "causeType", "laneUsage"):
        for word in EXTENSIONS[element]:
            schema.assertValid(written(element, word))
        with pytest.raises(ValueError, match="is no 'nonsense'"):
            written(element, "nonsense")


def test_a_word_outside_of_an_open_enumeration_is_written_beside_it(schema: Any) -> None:
    odd = replace(PUBLICATION, situations=(Situation("S1", (replace(WORKS, severity="terrible"),)),))
    written = write(odd)
    assert b'_extendedValue="terrible">_extended<' in written
    schema.assertValid(etree.fromstring(written))


def test_texts_are_cut_and_what_xml_cannot_say_is_told_as_such(schema: Any) -> None:
    long = Comment((("fr", "a\x00" + "b" * 2_000),), "description")
    written = write(replace(PUBLICATION, situations=(Situation("S1", (replace(WORKS, comments=(long,)),)),)))
    schema.assertValid(etree.fromstring(written))
    told = read(written).publication.situations[0].records[0].comments[0].words[0][1]
    assert told.startswith("a\ufffdb")
    assert told.endswith("…")
    assert len(told) == TEXT_LENGTH_MAX


@pytest.mark.parametrize(
    ("record", "why"),
    [
        (replace(WORKS, form="TransitInformation"), "is not written"),
        (replace(WORKS, places=()), "has no place"),
        (replace(WORKS, kinds=()), "0 kinds"),
        (replace(WORKS, kinds=("constructionWork", "demolitionWork")), "2 kinds"),
    ],
)
def test_what_no_document_says_is_not_written(record: Record, why: str) -> None:
    with pytest.raises(ValueError, match=why):
        write(replace(PUBLICATION, situations=(Situation("S1", (record,)),)))


def test_neither_is_a_situation_of_nothing_nor_a_publication_without_its_time() -> None:
    with pytest.raises(ValueError, match="no record"):
        write(replace(PUBLICATION, situations=(Situation("S1", ()),)))
    with pytest.raises(ValueError, match="when it was made"):
        write(replace(PUBLICATION, published_us=None))


# Feeds as they are.


def test_real_feeds_are_read_whole(captured: bytes) -> None:
    told = read(captured)
    assert not told.set_aside
    assert [each.path for each in told.deviations] in ([], ["publicationTime"])
    (situation,) = told.publication.situations
    if situation.id == "260724-000456":
        (record,) = situation.records
        (place,) = record.places
        assert (record.form, record.kinds, situation.severity) == (
            "VehicleObstruction", ("brokenDownVehicle",), "medium",
        )  # fmt: skip
        assert place.points == ((2.3988867, 48.821583),)
        assert (place.road_name, place.road_number, place.town) == ("A4", "A0004", "Charenton-le-Pont")
        assert place.lanes == ("hardShoulder", "lane1")
        assert place.alert_c[0].locations == ((14494, 582),)
        assert len(record.comments) == 5
    else:
        assert [each.form for each in situation.records] == [
            "MaintenanceWorks", "RoadOrCarriagewayOrLaneManagement", "ReroutingManagement",
        ]  # fmt: skip
        assert situation.records[0].places[0].alert_c[0].locations == ((7628, None), (7627, None))
        assert situation.records[2].kinds == ("followLocalDiversion",)


def test_a_feed_that_is_cut_is_refused_and_rubbish_around_it_too(captured: bytes) -> None:
    whole = captured.rstrip()
    for cut in (*range(0, len(whole), 97), len(whole) - 1):
        with pytest.raises(Unreadable):
            read(whole[:cut])
    for rubbish in (b"x" + whole, whole + b"<more/>", whole + b"\x00", b"\xff\xfe" + whole):
        with pytest.raises(Unreadable):
            read(rubbish)


def test_white_space_and_an_envelope_around_it_are_none() -> None:
    written = write(PUBLICATION).partition(b"?>")[2].lstrip()
    assert read(b"\n\t" + written + b"\n").publication == PUBLICATION
    envelope = b'<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Body>%b</s:Body></s:Envelope>'
    assert read(envelope % written).publication == PUBLICATION


_VERSION_2 = """<d2LogicalModel xmlns="http://datex2.eu/schema/2/2_0" modelBaseVersion="2"
 xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"><payloadPublication xsi:type="SituationPublication" lang="fr">
<publicationTime>2026-11-27T19:00:00+01:00</publicationTime><situation id="S"><headerInformation>
<confidentiality>{secret}</confidentiality><informationStatus>real</informationStatus></headerInformation>
<situationRecord xsi:type="{form}" id="R" version="1">
<situationRecordCreationTime>2026-11-27T18:00:00</situationRecordCreationTime>
<situationRecordVersionTime>2026-11-27T18:30:00+01:00</situationRecordVersionTime>
<probabilityOfOccurrence>certain</probabilityOfOccurrence><severity>{severity}</severity>
<validity><validityStatus>active</validityStatus><validityTimeSpecification>
<overallStartTime>{begins}</overallStartTime><validPeriod><recurringTimePeriodOfDay>
<startTimeOfPeriod>21:00:00</startTimeOfPeriod><endTimeOfPeriod>{until}</endTimeOfPeriod></recurringTimePeriodOfDay>
</validPeriod></validityTimeSpecification></validity>{where}<maintenanceWorkType>x</maintenanceWorkType>
<roadMaintenanceType>repairWork</roadMaintenanceType></situationRecord>
<situationRecord xsi:type="Accident" id="OTHER" version="1">
<situationRecordCreationTime>2026-11-27T18:00:00Z</situationRecordCreationTime>
<situationRecordVersionTime>2026-11-27T18:00:00Z</situationRecordVersionTime>
<probabilityOfOccurrence>certain</probabilityOfOccurrence><validity><validityStatus>active</validityStatus>
<validityTimeSpecification><overallStartTime>2026-11-27T18:00:00Z</overallStartTime></validityTimeSpecification>
</validity><groupOfLocations xsi:type="Point"/><accidentType>collision</accidentType></situationRecord>
</situation></payloadPublication></d2LogicalModel>"""
_LINE = """<groupOfLocations xsi:type="Linear"><tpegLinearLocation xsi:type="TpegLinearLocation">
<tpegDirection>northBound</tpegDirection><to xsi:type="TpegNonJunctionPoint"><pointCoordinates>
<latitude>47.33</latitude><longitude>5.05</longitude></pointCoordinates></to><from xsi:type="TpegNonJunctionPoint">
<pointCoordinates><latitude>{lat}</latitude><longitude>5.04</longitude></pointCoordinates></from></tpegLinearLocation>
</groupOfLocations>"""
_GOOD = {
    "form": "MaintenanceWorks",
    "secret": "noRestriction",
    "severity": "high",
    "begins": "2026-11-27T18:00:00Z",
    "until": "24:00:00",
    "where": _LINE.format(lat="47.32"),
}


def test_a_line_of_version_2_goes_from_its_begin_to_its_end() -> None:
    told = read(_VERSION_2.format(**_GOOD).encode())
    works = told.publication.situations[0].records[0]
    assert works.places[0].points == ((5.04, 47.32), (5.05, 47.33))
    assert works.places[0].direction == "northBound"
    assert works.validity.periods[0].hours == (Hours(75_600, 0),)
    # A time that does not say its zone is one of the zone that is handed in, and is told.
    assert told.deviations == (Deviation("S/R/situationRecordCreationTime", "2026-11-27T18:00:00"),)


@pytest.mark.parametrize("word", ["cancel", "end"])
def test_what_its_keeper_of_version_2_has_withdrawn_is_read_as_such(word: str) -> None:
    said = f"<management><lifeCycleManagement><{word}>true</{word}></lifeCycleManagement></management>"
    works, other = (
        read(_VERSION_2.format(**_GOOD | {"where": said + _GOOD["where"]}).encode()).publication.situations[0].records
    )
    assert (works.withdrawn, other.withdrawn) == (True, False)


@pytest.mark.parametrize(
    ("change", "deviation"),
    [
        ({"severity": "dreadful"}, Deviation("S/R/severity", "dreadful")),
        ({"form": "HoleInTheRoad"}, Deviation("S/R/@type", "HoleInTheRoad")),
        ({"until": "25:00:00"}, Deviation("S/R/endTimeOfPeriod", "25:00:00")),
        ({"where": _LINE.format(lat="147.32")}, Deviation("S/R/coordinates", "147.32 5.04")),
        ({"where": _LINE.format(lat="NaN")}, Deviation("S/R/coordinates", "NaN 5.04")),
    ],
)
def test_what_deviates_is_told_and_the_rest_is_kept(change: dict[str, str], deviation: Deviation) -> None:
    told = read(_VERSION_2.format(**_GOOD | change).encode())
    assert deviation in told.deviations
    works, accident = told.publication.situations[0].records
    assert (works.form, works.severity) == (change.get("form", "MaintenanceWorks"), change.get("severity", "high"))
    assert accident.kinds == ("collision",)


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"begins": "yesterday"}, "since when"),
        ({"where": ""}, "where it is"),
        ({"form": ""}, "what it is"),
    ],
)
def test_a_record_that_says_nothing_is_set_aside_and_the_others_kept(change: dict[str, str], reason: str) -> None:
    told = read(_VERSION_2.format(**_GOOD | change).encode())
    assert [each.id for each in told.publication.situations[0].records] == ["OTHER"]
    (aside,) = told.set_aside
    assert aside.id == "R"
    assert reason in aside.reason


def test_what_is_not_for_everybody_is_set_aside_whole() -> None:
    told = read(_VERSION_2.format(**_GOOD | {"secret": "internalUse"}).encode())
    assert not told.publication.situations
    assert told.set_aside_total == 2
    assert "internalUse" in told.set_aside[0].reason


def test_entities_and_document_types_are_refused() -> None:
    laughs = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10 if n else "ha"}">' for n in range(12))
    body = write(PUBLICATION).decode().partition("?>")[2].replace("rue des Forges", "&l11;")
    for encoding in ("utf-8", "utf-16"):
        with pytest.raises(Unreadable, match=r"document type|no XML"):
            read(f"<!DOCTYPE p [{laughs}]>{body}".encode(encoding))
    with pytest.raises(Unreadable, match="no XML"):
        read(body.encode())


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"<a/>",
        b"<payload/>",
        write(PUBLICATION).replace(b"sit:SituationPublication", b"vms:VmsPublication"),
    ],
)
def test_what_is_no_publication_of_situations_is_refused(body: bytes) -> None:
    with pytest.raises(Unreadable):
        read(body)


def test_what_tells_only_what_has_changed_is_refused() -> None:
    whole = _VERSION_2.format(**_GOOD)

    def exchanged(method: str) -> bytes:
        said = f"<exchange><subscription><updateMethod>{method}</updateMethod></subscription></exchange>"
        return whole.replace("<payloadPublication", said + "<payloadPublication").encode()

    # What Bison Futé says of a feed that tells all.
    assert read(exchanged("allElementUpdate")).publication == read(whole.encode()).publication
    with pytest.raises(Unreadable, match="only what has changed"):
        read(exchanged("singleElementUpdate"))


def test_what_is_too_large_is_refused_unread() -> None:
    with pytest.raises(Unreadable, match="larger"):
        read(b" " * ((32 << 20) + 1))
