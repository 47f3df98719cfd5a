"""Open311 GeoReport v2: how residents' applications and a town speak of what is reported. Both ends, no sockets."""

from vigie.protocols.open311.asking import (
    PAGE_MAX,
    REQUESTS_MAX,
    Query,
    Submission,
    Unasked,
    encode_form,
    encode_query,
    read_fields,
    read_query,
    submission_of,
)
from vigie.protocols.open311.documents import FORMATS, Unreadable, decode, encode
from vigie.protocols.open311.forms import (
    SPECIFICATION,
    Attribute,
    Created,
    Definition,
    Discovery,
    Endpoint,
    Fault,
    Request,
    Service,
    Value,
)
from vigie.protocols.open311.multipart import Part, encode_multipart, read_multipart

__all__ = [
    "FORMATS",
    "PAGE_MAX",
    "REQUESTS_MAX",
    "SPECIFICATION",
    "Attribute",
    "Created",
    "Definition",
    "Discovery",
    "Endpoint",
    "Fault",
    "Part",
    "Query",
    "Request",
    "Service",
    "Submission",
    "Unasked",
    "Unreadable",
    "Value",
    "decode",
    "encode",
    "encode_form",
    "encode_multipart",
    "encode_query",
    "read_fields",
    "read_multipart",
    "read_query",
    "submission_of",
]
