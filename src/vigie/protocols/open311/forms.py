"""What GeoReport v2 answers, field by field as the standard names it."""

from __future__ import annotations

from msgspec import Struct

SPECIFICATION = "http://wiki.open311.org/GeoReport_v2"


class Service(Struct, frozen=True, kw_only=True):
    """What may be reported. metadata: whether there is more to ask, in its definition. type: realtime, an id is given
    at once; batch, it comes later, by a token; blackbox, never. keywords: separated by commas."""

    service_code: str
    service_name: str
    description: str | None = None
    metadata: bool = False
    type: str = "realtime"
    keywords: str | None = None
    group: str | None = None


class Value(Struct, frozen=True):
    """One answer of a list."""

    key: str
    name: str


class Attribute(Struct, frozen=True, kw_only=True):
    """What is asked beside. variable: whether an answer is wanted at all; else it is something to be read. datatype:
    string, number, datetime, text, singlevaluelist or multivaluelist. order: from 1."""

    code: str
    datatype: str
    description: str | None = None
    variable: bool = True
    required: bool = False
    datatype_description: str | None = None
    order: int | None = None
    values: tuple[Value, ...] = ()


class Definition(Struct, frozen=True):
    """What is asked of whoever reports something of a service."""

    service_code: str
    attributes: tuple[Attribute, ...] = ()


class Request(Struct, frozen=True, kw_only=True):
    """What was reported, and how it stands. status: open or closed. Instants are RFC 3339; long, lat: WGS84 degrees."""

    service_request_id: str
    status: str
    service_code: str
    requested_datetime: str
    status_notes: str | None = None
    service_name: str | None = None
    description: str | None = None
    agency_responsible: str | None = None
    service_notice: str | None = None
    updated_datetime: str | None = None
    expected_datetime: str | None = None
    address: str | None = None
    address_id: str | None = None
    zipcode: str | None = None
    lat: float | None = None
    long: float | None = None
    media_url: str | None = None


class Step(Struct, frozen=True, kw_only=True):
    """One step of a report: not of the standard. state: ours. why: what the town wrote for whoever reported it."""

    at: str
    state: str
    notes: str | None = None
    why: str | None = None


class OwnRequest(Request, frozen=True, kw_only=True):
    """A report as whoever made it is told of it: not of the standard. photos: how many it has."""

    steps: tuple[Step, ...] = ()
    photos: int = 0


class Created(Struct, frozen=True, kw_only=True):
    """What whoever reported something is told at once. token: where the id comes later; ours is the key to one's own
    report."""

    service_request_id: str | None = None
    token: str | None = None
    service_notice: str | None = None
    account_id: str | None = None


class Fault(Struct, frozen=True):
    """Why something was refused. code: as of HTTP."""

    code: str
    description: str


class Endpoint(Struct, frozen=True, kw_only=True):
    """Where the town answers. type: production, test or dev."""

    url: str
    specification: str = SPECIFICATION
    changeset: str | None = None
    type: str = "production"
    formats: tuple[str, ...] = ("application/json", "text/xml")


class Discovery(Struct, frozen=True, kw_only=True):
    """Where what is. key_service: how to get a key, where one is needed."""

    changeset: str | None = None
    contact: str | None = None
    key_service: str | None = None
    endpoints: tuple[Endpoint, ...] = ()
