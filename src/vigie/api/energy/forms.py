"""What is asked of energy and what is answered, as types."""

from __future__ import annotations

from typing import Annotated, Literal

import msgspec
from msgspec import Meta

from vigie.api.city.forms import Form
from vigie.services.lighting.energy.model import Report

WAIT_S_MAX = 60


class EnergyQuery(msgspec.Struct, frozen=True, kw_only=True):
    """Which nights, where, and in which form."""

    start: Annotated[
        str,
        Meta(
            max_length=40,
            description="A month (2026-10) or the first night, by the day of its evening (2026-10-05); the last whole "
            "month unless said.",
        ),
    ] = msgspec.field(name="from", default="")
    end: Annotated[
        str, Meta(max_length=40, description="The last month or night, itself included; that of `from` unless said.")
    ] = msgspec.field(name="to", default="")
    area: Annotated[str, Meta(max_length=400, description="The path of an area, with all below it.")] = ""
    format: Annotated[
        Literal["json", "csv", "pdf"], Meta(description="csv: all rows in one table; pdf: the report on paper.")
    ] = "json"
    language: Annotated[Literal["", "fr", "en"], Meta(description="Of the table and the paper; yours unless said.")] = (
        ""
    )
    wait_s: Annotated[float, Meta(ge=0, le=WAIT_S_MAX, description="How long the answer may wait for the sums.")] = 10


class Energy(Form, frozen=True, kw_only=True):
    """Energy in some nights, or how far the sums are. state: "waiting" for others before it, "summing", "ready". sum:
    what it is called while it is not ready, to leave it by. done: the share that is done, 0 to 1. since: the first
    night that history or a kept sum covers, as a day. programmes, cabinets: what those of the report are called, by id;
    one that has no name, or is gone, is left out."""

    state: Literal["waiting", "summing", "ready"]
    sum: str | None = None
    done: float = 1.0
    since: str
    report: Report | None = None
    programmes: dict[str, str] = msgspec.field(default_factory=dict[str, str])
    cabinets: dict[str, str] = msgspec.field(default_factory=dict[str, str])
