"""The judge of all that passes."""

from tests.protocols.talq.conftest import talq

__all__ = ["talq"]
