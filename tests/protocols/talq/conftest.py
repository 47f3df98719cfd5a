"""What the tests of TALQ share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.protocols.talq.standard import Standard, standard


@pytest.fixture(scope="session")
def talq(shared: Path) -> Standard:
    """The standard's own files; without them the test is skipped."""
    folder = shared / "standards" / "talq"
    if not folder.is_dir():
        pytest.skip("no folder ../shared/standards/talq with the OpenAPI files of TALQ 2.7.1")
    return standard(folder)
