"""A frame is read as it was written, by the rules that the browser reads it by."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.live import read_frame
from vigie.api.live.frames import Frame

TYPES = {"u1": np.uint8, "u4": np.uint32, "f4": np.float32, "f8": np.float64}
NAMES = st.text(min_size=1, max_size=20)


@given(
    st.dictionaries(NAMES, st.sampled_from(sorted(TYPES)), max_size=5),
    st.lists(st.integers(0, 255), max_size=40),
    st.text(max_size=30),
    st.none() | st.integers(0, 2**31),
)
def test_what_is_written_is_read(kinds: dict[str, str], numbers: list[int], said: str, sub: int | None) -> None:
    columns = [(name, np.array(numbers, TYPES[kind])) for name, kind in kinds.items()]
    frame = Frame({"type": "delta", "data": {"said": said}}, columns).bytes_for(sub)
    header, read = read_frame(frame)
    assert header["data"] == {"said": said}
    assert header.get("sub") == sub
    assert header.get("columns", []) == [[name, kind] for name, kind in kinds.items()]
    assert {name: (column.dtype, column.tolist()) for name, column in read.items()} == {
        name: (column.dtype, column.tolist()) for name, column in columns
    }
    # A browser looks at the columns where they lie: each must lie on a multiple of 8.
    assert len(frame) % 8 == 0


def test_a_column_that_no_browser_reads_is_no_frame() -> None:
    with pytest.raises(ValueError, match="no columns"):
        Frame({"type": "delta"}, [("no", np.array([1], np.int64))])


def test_one_frame_serves_many_subscriptions_and_is_made_once_for_each_number() -> None:
    frame = Frame({"type": "delta"}, [("no", np.array([1, 2], np.uint32))])
    assert frame.bytes_for(1) is frame.bytes_for(1)
    assert read_frame(frame.bytes_for(1))[0]["sub"] == 1
    assert read_frame(frame.bytes_for(2))[0]["sub"] == 2
