"""What the tests of DATEX II share: the standard's schemas, the feeds that were read, and situations of all sorts."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

etree: Any = import_module("lxml.etree")


@pytest.fixture(scope="session")
def schema(shared: Path) -> Any:
    """The schemas of DATEX II 3.7, all of those that the payload imports."""
    path = shared / "standards" / "datex2" / "v3.7" / "DATEXII_3_D2Payload.xsd"
    if not path.exists():
        pytest.skip("no folder ../shared/standards/datex2 with the schemas of DATEX II 3.7")
    return etree.XMLSchema(etree.parse(str(path)))


@pytest.fixture(params=["bison-fute-events-v2.2.xml", "finland-roadworks.xml"])
def captured(shared: Path, request: pytest.FixtureRequest) -> bytes:
    """A feed as its keeper published it."""
    path = shared / "standards" / "datex2" / "examples" / request.param
    if not path.exists():
        pytest.skip("no folder ../shared/standards/datex2 with real feeds")
    return path.read_bytes()
