"""Who has an account in the demo."""

from __future__ import annotations

from dataclasses import dataclass

PASSWORD = "vigie-demo-only"
"""Everybody's in the demo, and known to everybody: a post with these accounts answers on this machine alone."""


@dataclass(frozen=True)
class Somebody:
    """An account of the demo. commune: the part of the town that it is for, "" for all of it. service: "*" for all."""

    login: str
    name: str
    role: str
    what: str
    commune: str = ""
    service: str = "*"


PEOPLE = (
    Somebody("operator", "Inès Martin", "operator", "sees all, gives orders, acknowledges alarms"),
    Somebody("supervisor", "Hélène Roux", "supervisor", "confirms what takes two persons"),
    Somebody("manager", "Nadia Perrin", "manager", "writes lighting programmes", service="lighting"),
    Somebody("planner", "Luc Moreau", "manager", "writes the circuits of rounds", service="roads"),
    Somebody("crew", "Karim Benali", "crew", "the lighting of Quetigny alone; locks out", "quetigny", "lighting"),
    Somebody("elected", "Paul Girard", "elected", "looks on; no crew's place, nothing personal"),
    Somebody("administrator", "Anne Morel", "administrator", "accounts; gives no orders"),
)
