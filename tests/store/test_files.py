"""Lists that are appended to: a line is whole or is not there."""

from __future__ import annotations

from pathlib import Path

import pytest

from vigie.store.files import append_lines, last_lines


def test_what_is_appended_is_the_end_of_the_file(tmp_path: Path) -> None:
    path = tmp_path / "list"
    assert last_lines(path, 2, bytes_max=100) == []
    append_lines(path, [b"one", b"two"])
    append_lines(path, [b"three"])
    assert path.read_bytes() == b"one\ntwo\nthree\n"
    assert last_lines(path, 2, bytes_max=100) == [b"two", b"three"]


def test_a_line_that_a_crash_has_cut_spoils_no_other(tmp_path: Path) -> None:
    path = tmp_path / "list"
    path.write_bytes(b"one\ntw")
    assert last_lines(path, 5, bytes_max=100) == [b"one", b"tw"]
    append_lines(path, [b"three"])
    assert path.read_bytes() == b"one\ntw\nthree\n"


@pytest.mark.parametrize(("bytes_max", "found"), [(4, []), (7, [b"three"]), (10, [b"three"]), (11, [b"two", b"three"])])
def test_only_the_end_of_a_long_list_is_read(tmp_path: Path, bytes_max: int, found: list[bytes]) -> None:
    path = tmp_path / "list"
    path.write_bytes(b"one\ntwo\nthree\n")
    assert last_lines(path, 5, bytes_max=bytes_max) == found
