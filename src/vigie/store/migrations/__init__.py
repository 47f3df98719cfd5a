"""Migrations of the tables of facts: one file a version in `versions`, run by Alembic when the store opens."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect, text
from sqlalchemy.engine import Engine

HEAD = "0007"
"""The newest version. A store that is at it opens without loading Alembic."""


def migrate(engine: Engine) -> None:
    """Brings the tables to the newest version; each step is one transaction."""
    with engine.connect() as read:
        at = None
        if inspect(read).has_table("alembic_version"):
            at = read.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    if at == HEAD:
        return
    from alembic import command
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent))
    with engine.begin() as write:
        config.attributes["connection"] = write
        command.upgrade(config, "head")
