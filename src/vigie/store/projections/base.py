"""What a projection is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import Connection

from vigie.core.facts import AnyFact
from vigie.core.kinds import Catalogue

Projections = Mapping[type[AnyFact], Callable[[Catalogue, Connection, Any, Any], None]]
"""Fact -> project(catalogue, write, fact, payload): moves the tables within the transaction that appends the leaf."""
