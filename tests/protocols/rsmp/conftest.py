"""What the tests of RSMP share."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.protocols.rsmp.standard import Standard, standard


@pytest.fixture(scope="session")
def rsmp(shared: Path) -> Standard:
    """The schemas of the core and of the traffic-light list; without them the test is skipped."""
    folder = shared / "standards" / "rsmp"
    if not folder.is_dir():
        pytest.skip("no folder ../shared/standards/rsmp with the JSON schemas of RSMP")
    return standard(folder)
