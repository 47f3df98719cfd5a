"""What facts of devices do to the tables."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import Connection, delete, func, insert, select, update

from vigie.core.facts import DeviceAdmitted, DeviceExpelled
from vigie.core.kinds import Catalogue
from vigie.store.projections.base import Projections
from vigie.store.tables import ASSET, DEVICE, SESSION_MEMORY


def _admit_device(
    catalogue: Catalogue, write: Connection, fact: DeviceAdmitted, payload: tuple[bytes, Sequence[int]]
) -> None:
    digest, assets = payload
    number = write.execute(select(func.coalesce(func.max(DEVICE.c.no), 0) + 1)).scalar_one()
    spoken = {"protocol": fact.protocol, "uri": fact.uri}
    write.execute(insert(DEVICE).values(no=number, name=fact.device, digest=digest, admitted_us=fact.at, **spoken))
    for start in range(0, len(assets), 500):
        write.execute(update(ASSET).where(ASSET.c.no.in_(assets[start : start + 500])).values(reporter=number))


def _expel_device(catalogue: Catalogue, write: Connection, fact: DeviceExpelled, payload: None) -> None:
    admitted = (DEVICE.c.name == fact.device) & DEVICE.c.expelled_us.is_(None)
    number = write.execute(select(DEVICE.c.no).where(admitted)).scalar_one()
    write.execute(update(DEVICE).where(DEVICE.c.no == number).values(expelled_us=fact.at))
    write.execute(delete(SESSION_MEMORY).where(SESSION_MEMORY.c.device == number))
    write.execute(update(ASSET).where(ASSET.c.reporter == number).values(reporter=0))


PROJECT: Projections = {DeviceAdmitted: _admit_device, DeviceExpelled: _expel_device}
