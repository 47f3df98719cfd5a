"""What each fact does to the tables that are read from, beside being a leaf: one module a subject."""

from vigie.store.projections import accounts, cases, commands, comparisons, conditions, devices, inventory, plans
from vigie.store.projections.base import Projections

PROJECT: Projections = {
    **inventory.PROJECT,
    **devices.PROJECT,
    **conditions.PROJECT,
    **commands.PROJECT,
    **accounts.PROJECT,
    **plans.PROJECT,
    **comparisons.PROJECT,
    **cases.PROJECT,
}
