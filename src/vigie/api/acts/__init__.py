"""The acting half of the API: orders, lock-outs, alarms, the inventory by hand. Answered when the facts are on disk."""

from vigie.api.acts.base import Bench
from vigie.api.acts.orders import Orders
from vigie.api.acts.others import Alarms, ByHand, Consigning
from vigie.api.operation import Operation


def acting_operations(bench: Bench) -> list[Operation]:
    """The operations that change something, each below /api/v1/."""
    doors = (Orders(bench), Consigning(bench), Alarms(bench), ByHand(bench))
    return [operation for door in doors for operation in door.operations]
