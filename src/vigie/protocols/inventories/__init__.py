"""Inventories: a city's own files (zipped shapefiles, GeoJSON, CSV, OpenStreetMap) read into drafts. Pure.

How an import goes:

    mapping = read_mapping(toml_bytes)
    reading = read_source(mapping, {"lights.zip": zip_bytes})  # SourceError: a file is bad, and nothing changes
    reading, dead = linked(reading, known_keys)
    ...                                                        # the post takes reading.drafts in
    report_of(reading, Outcome(made=..., changed=..., dead=dead)).to_json()
"""

from vigie.protocols.inventories.limits import Limits, SourceError
from vigie.protocols.inventories.links import Link, linked
from vigie.protocols.inventories.mapping import SourceMapping, read_mapping
from vigie.protocols.inventories.mappings import shipped, shipped_mapping
from vigie.protocols.inventories.own import read_own
from vigie.protocols.inventories.projections import Recognised, detect_crs
from vigie.protocols.inventories.reading import (
    FileReading,
    Rejection,
    SourceReading,
    part_of,
    read_file,
    read_source,
)
from vigie.protocols.inventories.reports import Counts, FileReport, Outcome, Report, report_of

__all__ = [
    "Counts",
    "FileReading",
    "FileReport",
    "Limits",
    "Link",
    "Outcome",
    "Recognised",
    "Rejection",
    "Report",
    "SourceError",
    "SourceMapping",
    "SourceReading",
    "detect_crs",
    "linked",
    "part_of",
    "read_file",
    "read_mapping",
    "read_own",
    "read_source",
    "report_of",
    "shipped",
    "shipped_mapping",
]
