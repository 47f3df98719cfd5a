"""What facts of orders and lock-outs do to the tables."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, bindparam, insert, update

from vigie.core.facts import CommandMoved, CommandProposed, ConsignationMoved, ConsignationSet, TargetsMoved
from vigie.core.kinds import Catalogue
from vigie.core.lives import COMMAND as COMMAND_LIFE
from vigie.core.lives import CONSIGNATION as CONSIGNATION_LIFE
from vigie.core.service import AUTOMATION
from vigie.engine.command import ProposedRows, TargetRow
from vigie.store.projections.base import Projections
from vigie.store.tables import COMMAND, CONSIGNATION, TARGET


def _propose(catalogue: Catalogue, write: Connection, fact: CommandProposed, rows: ProposedRows) -> None:
    write.execute(
        insert(COMMAND).values(
            id=fact.command,
            action=fact.action,
            params=json.dumps(fact.params, sort_keys=True),
            selection=json.dumps(fact.selection, sort_keys=True),
            actor=fact.actor,
            key=rows.key or fact.command,
            asked=rows.asked,
            state=fact.state,
            hazard=fact.hazard,
            area=rows.area,
            service=rows.service,
            proposed_us=fact.at,
            expires_us=fact.expires,
            automation=fact.selection.get(AUTOMATION, ""),
        )
    )
    if rows.targets:
        write.execute(insert(TARGET), [_target(fact.command, row) for row in rows.targets])


def _target(command: str, row: TargetRow) -> dict[str, Any]:
    return {
        "command": command,
        "asset": row.asset,
        "state": row.state,
        "sent_us": row.sent_us,
        "ended_us": row.ended_us,
        "refusal": row.refusal or None,
    }


def _move_command(catalogue: Catalogue, write: Connection, fact: CommandMoved, payload: None) -> None:
    values: dict[str, Any] = {"state": fact.state}
    if fact.state in COMMAND_LIFE.last:
        values["ended_us"] = fact.at
    write.execute(update(COMMAND).where(COMMAND.c.id == fact.command).values(values))


def _move_targets(catalogue: Catalogue, write: Connection, fact: TargetsMoved, rows: list[TargetRow]) -> None:
    statement = (
        update(TARGET)
        .where(TARGET.c.command == bindparam("of_command"), TARGET.c.asset == bindparam("of_asset"))
        .values(
            state=bindparam("to_state"),
            sent_us=bindparam("to_sent_us"),
            ended_us=bindparam("to_ended_us"),
            refusal=bindparam("to_refusal"),
        )
    )
    write.execute(
        statement,
        [
            {
                "of_command": fact.command,
                "of_asset": row.asset,
                "to_state": row.state,
                "to_sent_us": row.sent_us,
                "to_ended_us": row.ended_us,
                "to_refusal": row.refusal or None,
            }
            for row in rows
        ],
    )


def _consign(catalogue: Catalogue, write: Connection, fact: ConsignationSet, asset: int) -> None:
    write.execute(
        insert(CONSIGNATION).values(
            id=fact.consignation, asset=asset, state=CONSIGNATION_LIFE.first, actor=fact.actor, set_us=fact.at
        )
    )


def _move_consignation(catalogue: Catalogue, write: Connection, fact: ConsignationMoved, payload: None) -> None:
    values: dict[str, Any] = {"state": fact.state}
    if fact.event == "ask_override":
        values["asked_by"] = fact.actor
    elif fact.event == "withdraw":
        values["asked_by"] = None
    if fact.state in CONSIGNATION_LIFE.last:
        values["ended_us"] = fact.at
    write.execute(update(CONSIGNATION).where(CONSIGNATION.c.id == fact.consignation).values(values))


PROJECT: Projections = {
    CommandProposed: _propose,
    CommandMoved: _move_command,
    TargetsMoved: _move_targets,
    ConsignationSet: _consign,
    ConsignationMoved: _move_consignation,
}
