"""Migrations of the tables of facts: one file a version in `versions`, run by Alembic when an older store opens."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import Column, MetaData, String, Table, inspect, text
from sqlalchemy.engine import Connection, Engine

from vigie.store.tables import METADATA

HEAD = "0014"
"""The newest version. A store that is at it opens without loading Alembic, and a new one begins with it."""


def migrate(engine: Engine) -> None:
    """Brings the tables to the newest version; each step is one transaction."""
    with engine.connect() as read:
        tables, at = inspect(read).get_table_names(), None
        if "alembic_version" in tables:
            at = read.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    if at == HEAD:
        return
    if not tables:
        with engine.begin() as write:
            _begin(write)
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with engine.begin() as write:
        config.attributes["connection"] = write
        command.upgrade(config, "head")


def _begin(write: Connection) -> None:
    """Makes the tables as they are declared, which is what all migrations together lead to."""
    # Whoever is killed in between must find no table without its version: SQLite would commit each by itself.
    write.exec_driver_sql("BEGIN IMMEDIATE")
    METADATA.create_all(write)
    version = Table("alembic_version", MetaData(), Column("version_num", String(32), primary_key=True))
    version.create(write)
    write.execute(version.insert().values(version_num=HEAD))
