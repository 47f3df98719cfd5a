"""The tokens that residents get: the same each time, of a key that is whole or is not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from vigie.app.installation import KeyMissing
from vigie.app.open311 import KEY, report_token


def test_a_token_is_the_same_each_time_and_no_others(tmp_path: Path) -> None:
    first = report_token(tmp_path, "a")
    assert report_token(tmp_path, "a") == first != report_token(tmp_path, "b")
    assert (tmp_path / KEY).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("left", [b"", b"half of it"])
def test_no_token_is_made_of_a_part_of_a_key(tmp_path: Path, left: bytes) -> None:
    (tmp_path / KEY).parent.mkdir()
    (tmp_path / KEY).write_bytes(left)
    with pytest.raises(KeyMissing, match="damaged"):
        report_token(tmp_path, "a")


def test_a_disk_that_is_full_leaves_no_part_of_a_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(handle: int) -> None:
        raise OSError("no space")

    with monkeypatch.context() as at_first:
        at_first.setattr(os, "fsync", full)
        with pytest.raises(OSError, match="no space"):
            report_token(tmp_path, "a")
    assert list((tmp_path / KEY).parent.iterdir()) == []
    assert report_token(tmp_path, "a")
