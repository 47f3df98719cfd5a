"""Open311's documents: both forms say the same, the standard's examples are read, its schemas hold what is written, and
rubbish is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.protocols.open311 import (
    Attribute,
    Created,
    Definition,
    Discovery,
    Endpoint,
    Fault,
    Request,
    Service,
    Unreadable,
    Value,
    decode,
    encode,
)

EXAMPLE = Request(
    service_request_id="638344",
    status="closed",
    status_notes="Duplicate request.",
    service_name="Sidewalk and Curb Issues",
    service_code="6",
    requested_datetime="2010-04-14T06:37:38-08:00",
    updated_datetime="2010-04-14T06:37:38-08:00",
    expected_datetime="2010-04-15T06:37:38-08:00",
    address="8TH AVE and JUDAH ST",
    address_id="545483",
    zipcode="94122",
    lat=37.762221815,
    long=-122.4651145,
    media_url="http://city.gov.s3.amazonaws.com/requests/media/638344.jpg",
)

EXAMPLE_XML = b"""<?xml version="1.0" encoding="utf-8"?>
<service_requests>
  <request>
    <service_request_id>638344</service_request_id>
    <status>closed</status>
    <status_notes>Duplicate request.</status_notes>
    <service_name>Sidewalk and Curb Issues</service_name>
    <service_code>006</service_code>
    <description></description>
    <agency_responsible></agency_responsible>
    <service_notice></service_notice>
    <requested_datetime>2010-04-14T06:37:38-08:00</requested_datetime>
    <updated_datetime>2010-04-14T06:37:38-08:00</updated_datetime>
    <expected_datetime>2010-04-15T06:37:38-08:00</expected_datetime>
    <address>8TH AVE and JUDAH ST</address>
    <address_id>545483</address_id>
    <zipcode>94122</zipcode>
    <lat>37.762221815</lat>
    <long>-122.4651145</long>
    <media_url>http://city.gov.s3.amazonaws.com/requests/media/638344.jpg</media_url>
  </request>
</service_requests>"""
"""As the standard has it (GeoReport v2, GET service request), but for an entry of its own."""

EXAMPLE_JSON = b"""[{"service_request_id": 638344, "status": "closed", "status_notes": "Duplicate request.",
 "service_name": "Sidewalk and Curb Issues", "service_code": "6", "description": null, "agency_responsible": null,
 "service_notice": null, "requested_datetime": "2010-04-14T06:37:38-08:00",
 "updated_datetime": "2010-04-14T06:37:38-08:00", "expected_datetime": "2010-04-15T06:37:38-08:00",
 "address": "8TH AVE and JUDAH ST", "address_id": 545483, "zipcode": 94122, "lat": 37.762221815,
 "long": -122.4651145, "media_url": "http://city.gov.s3.amazonaws.com/requests/media/638344.jpg", "x": {"y": [1]}}]"""

DEFINITION = Definition(
    "DMV66",
    (
        Attribute(
            code="WHISHETN", datatype="singlevaluelist", required=True, order=1,
            description="What is the ticket/tag/DL number?", values=(Value("123", "Ford"), Value("124", "Chrysler")),
        ),
        Attribute(code="read", datatype="text", variable=False, description="Call 112 where somebody is in danger."),
    ),
)  # fmt: skip

DEFINITION_XML = b"""<?xml version="1.0" encoding="utf-8"?><service_definition><service_code>DMV66</service_code>
<attributes><attribute><variable>true</variable><code>WHISHETN</code><datatype>singlevaluelist</datatype>
<required>true</required><datatype_description></datatype_description><order>1</order>
<description>What is the ticket/tag/DL number?</description><values><value><key>123</key><name>Ford</name></value>
<value><key>124</key><name>Chrysler</name></value></values></attribute></attributes></service_definition>"""

ALL: list[tuple[Any, type[Any]]] = [
    ([Service(service_code="light", service_name="Éclairage", metadata=True, keywords="a, b", group="rue")], Service),
    (DEFINITION, Definition),
    ([EXAMPLE, EXAMPLE], Request),
    ([Created(service_request_id="7", token="7-ab", service_notice="<&>")], Created),
    ([Fault("404", "jurisdiction_id was not found")], Fault),
    (Discovery(contact="x", endpoints=(Endpoint(url="https://town.example/open311/v2"),)), Discovery),
    ([], Service),
]


@pytest.mark.parametrize("format", ["json", "xml"])
@pytest.mark.parametrize(("said", "kind"), ALL, ids=lambda each: getattr(each, "__name__", ""))
def test_what_is_written_is_read_again(said: Any, kind: type[Any], format: str) -> None:
    assert decode(encode(said, format, kind), format, kind) == (said if isinstance(said, list) else [said])


def test_the_examples_of_the_standard_are_read() -> None:
    (told,) = decode(EXAMPLE_XML, "xml", Request)
    assert told.service_code == "006"
    assert decode(EXAMPLE_XML.replace(b"006", b"6"), "xml", Request) == [EXAMPLE]
    assert decode(EXAMPLE_JSON, "json", Request) == [EXAMPLE]
    (definition,) = decode(DEFINITION_XML, "xml", Definition)
    assert definition.attributes == DEFINITION.attributes[:1]


@pytest.mark.parametrize(
    ("schema", "said"),
    [("services", ALL[0][0]), ("requests", [EXAMPLE]), ("service-definition", DEFINITION)],
    ids=lambda each: each if isinstance(each, str) else "",
)
def test_the_schemas_of_the_standard_hold_what_is_written(shared: Path, schema: str, said: Any) -> None:
    folder = shared / "standards" / "open311"
    wanted = json.loads((folder / f"{schema}.json").read_text("utf-8"))
    if "$ref" in wanted.get("items", {}):
        wanted["items"] = json.loads((folder / wanted["items"]["$ref"]).read_text("utf-8"))
    jsonschema.validate(json.loads(encode(said, "json")), wanted)


@given(st.text(max_size=20), st.text(min_size=1, max_size=5), st.floats(-90, 90))
@settings(max_examples=40)
def test_both_forms_say_the_same_whatever_people_write(notes: str, code: str, lat: float) -> None:
    said = Request(service_request_id="1", status="open", service_code=code, requested_datetime="x", status_notes=notes,
                   lat=lat)  # fmt: skip
    encodable = not any("\ud800" <= each <= "\udfff" for each in notes + code)
    if encodable:
        assert decode(encode([said], "json"), "json", Request)[0].status_notes == (notes or None)
    encode([said], "xml")


@pytest.mark.parametrize(
    ("format", "body"),
    [
        ("xml", b""),
        ("xml", b"<services/>"),
        ("xml", EXAMPLE_XML[:-1]),
        ("xml", b"<service_requests><request><status>open</status></request></service_requests>"),
        ("json", b"[{]"),
        ("json", b"[" * 10_000),
        ("json", b'[{"service_request_id": "1"}]'),
        ("json", b'[{"service_request_id": "1", "status": "open", "service_code": "6", "requested_datetime": [1]}]'),
        ("json", b"[7]"),
    ],
)
def test_rubbish_is_refused(format: str, body: bytes) -> None:
    with pytest.raises(Unreadable):
        decode(body, format, Request)


def test_no_entity_is_expanded_and_no_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("secret")
    head = f'<!DOCTYPE x [<!ENTITY a "aaaaaaaa"><!ENTITY f SYSTEM "file://{tmp_path}/secret">]>'.encode()
    body = EXAMPLE_XML.replace(b"?>", b"?>" + head, 1).replace(b"Duplicate request.", b"it is &a; and &f;")
    (told,) = decode(body, "xml", Request)
    assert "aaaa" not in (told.status_notes or "")
    assert "secret" not in (told.status_notes or "")
