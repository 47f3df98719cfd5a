"""A question to the observations: read only, of one moment, in so much time and no longer."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

import duckdb

from vigie.store.observations import DuckObservations

T = TypeVar("T")


def asked(
    observations: DuckObservations,
    ask: Callable[[duckdb.DuckDBPyConnection], T],
    deadline_s: float,
    too_long: type[Exception],
    setting: str = "",
) -> T:
    """What `ask` reads, on a connection of its own; raises `too_long` where that takes longer. setting: a statement of
    DuckDB's that is run before."""
    try:
        return _once(observations, ask, deadline_s, too_long, setting)
    except duckdb.IOException:
        # A day was compacted between the look at the list of segments and the look into them.
        return _once(observations, ask, deadline_s, too_long, setting)


def _once(
    observations: DuckObservations,
    ask: Callable[[duckdb.DuckDBPyConnection], T],
    deadline_s: float,
    too_long: type[Exception],
    setting: str,
) -> T:
    with observations.reading() as read:
        timer = threading.Timer(deadline_s, read.interrupt)
        timer.start()
        try:
            if setting:
                read.execute(setting)
            read.execute("BEGIN TRANSACTION READ ONLY")
            return ask(read)
        except duckdb.InterruptException as error:
            raise too_long(f"it took more than {deadline_s:g} s") from error
        finally:
            timer.cancel()
