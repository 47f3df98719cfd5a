"""Inventories: a city's own files (zipped shapefiles, GeoJSON, CSV, OpenStreetMap) read into drafts. Pure.

How an import goes:

    mapping = read_mapping(toml_bytes)
    reading = read_source(mapping, {"lights.zip": zip_bytes})  # SourceError: a file is bad, and nothing changes
    planned = plan(known_fingerprints, reading.drafts, {file.name for file in reading.files})
    # the store makes planned.made, changes planned.changed, and retires planned.gone if it was asked to
    for report in reports(reading, Outcome.of(planned)):
        report.to_json()
"""

from vigie.protocols.inventories.limits import Limits, SourceError
from vigie.protocols.inventories.mapping import SourceMapping, read_mapping
from vigie.protocols.inventories.mappings import shipped, shipped_mapping
from vigie.protocols.inventories.planning import Plan, fingerprint, part_of, plan
from vigie.protocols.inventories.projections import Recognised, detect_crs
from vigie.protocols.inventories.reading import FileReading, Rejection, SourceReading, read_file, read_source
from vigie.protocols.inventories.reports import Outcome, Report, reports

__all__ = [
    "FileReading",
    "Limits",
    "Outcome",
    "Plan",
    "Recognised",
    "Rejection",
    "Report",
    "SourceError",
    "SourceMapping",
    "SourceReading",
    "detect_crs",
    "fingerprint",
    "part_of",
    "plan",
    "read_file",
    "read_mapping",
    "read_source",
    "reports",
    "shipped",
    "shipped_mapping",
]
