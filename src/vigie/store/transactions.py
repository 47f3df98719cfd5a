"""Transactions: one that reads all of a moment; one that writes, and what its failures mean to whoever asked for it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager

from sqlalchemy import Connection
from sqlalchemy.engine import Engine
from sqlalchemy.exc import OperationalError

from vigie.engine.ports import StorageFull


@contextmanager
def reading(engine: Engine) -> Generator[Connection]:
    """All that is read until it ends is of one moment, whatever is written meanwhile.

    For answers of several statements. One statement alone needs none of it: Python's driver begins a transaction only
    when something is written.
    """
    with engine.connect() as read:
        read.exec_driver_sql("BEGIN")
        yield read


@contextmanager
def writing(engine: Engine) -> Generator[Connection]:
    """Committed and synced when it ends without an error.

    Raises StorageFull where the disk is full, and OSError where the database cannot be written for another reason of
    its own: both may pass. What else is raised is the fault of what was to be written.
    """
    try:
        with engine.begin() as write:
            yield write
    except OperationalError as error:
        if "full" in str(error).lower():
            raise StorageFull(str(error)) from error
        raise OSError(str(error)) from error
