"""NAS luminaire controllers: the frames of their maker's documentation and one that was captured, whole, cut and as
rubbish, through both ends. Sources: docs.nasys.no/en/lcu, and github.com/nasys/nas-codecs."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.city import NOW_US
from vigie.protocols.lorawan import FAMILIES, Frame, Part, Unreadable

FAMILY = FAMILIES["nas-ul20xx"]

STATUS = "01 F37F205E 8244 32 09 16 20 07 01D202945504 01 FE501900 12501900"
USAGE = "00 FF80D0EF2F01 12FF 47940300 2A00 F94A0300 2700 5D E5 C072D902 D0EF2F01"

FRAMES = [
    ("the status of the documentation", 23, STATUS,
     [Part(level_pct=25.0, fault="none"), Part(name="dali-9", level_pct=25.0, fault="none")]),
    ("a status that was captured", 23, base64.b64decode("AY6ygmYgAEcHGgACAd7+IQAA").hex(),
     [Part(level_pct=0.0, fault="none")]),
    ("a status with a sensor that is not known", 23,
     "01 F37F205E 82C4 32 09 16 20 09 01D202945504 012100 FE511900 123F1900",
     [Part(level_pct=25.0, fault="none"), Part(name="dali-9", level_pct=25.0, fault="none")]),
    ("the usage of the documentation", 26, USAGE,
     [Part(), Part(name="dali-9", power_w=42.0, energy_wh=234_567.0)]),
    ("a driver's alert", 61, "83200202", [Part(name="dali-1", fault="lamp")]),
    ("a metering alert", 61, "84025900e50056", []),
    ("a movement", 61, "804106000000", []),
    ("a dimming taken", 60, "01FE64", []),
    ("a start", 99, "000D008350010101F37F205E000CFE0104", []),
    ("a relay that is open: the level is not said", 23, "01 F37F205E 0000 34 07 18 00 00 0EF5FFFF",
     [Part(name="dali-7")]),
    ("a driver that failed", 23, "01 F37F205E 0000 34 07 18 00 00 02506401", [Part(name="dali-1", level_pct=100.0,
                                                                                   fault="driver")]),
    ("lamp and driver that failed", 61, "8320FE03", [Part(fault="lamp")]),
    ("analog output, and a group", 23, "01 F37F205E 0000 34 07 18 00 00 01503200 86503200",
     [Part(name="analog", level_pct=50.0, fault="none"), Part(name="group-3", level_pct=50.0, fault="none")]),
]  # fmt: skip


@pytest.mark.parametrize(("f_port", "said", "parts"), [each[1:] for each in FRAMES], ids=[each[0] for each in FRAMES])
def test_a_frame_says_what_its_documentation_says(f_port: int, said: str, parts: list[Part]) -> None:
    assert FAMILY.hear(Frame(f_port, bytes.fromhex(said))) == parts


@pytest.mark.parametrize(
    ("f_port", "said", "why"),
    [
        (23, "00 F37F205E 92 32 09 16 00 FE711900 12811900", "1.1.4"),
        (24, "DFD41D5E004B041502AE05050AFF32030306FF00", "port 24"),
        (0, "", "port 0"),
        (26, "01 FF80D0EF2F01", "a usage of form 1"),
        (23, "01 F37F205E 0000 34 07 18 00 00 FE506500", "101 %"),
        (23, "01 F37F205E 0000 34 07 18 00 00 03506400", "0x03 is no address"),
        (61, "8320FF02", "0xFF is no address"),
    ],
)
def test_what_is_no_frame_of_it_is_refused_with_the_reason(f_port: int, said: str, why: str) -> None:
    with pytest.raises(Unreadable, match=why):
        FAMILY.hear(Frame(f_port, bytes.fromhex(said)))


@pytest.mark.parametrize(("f_port", "said"), [(23, STATUS), (26, USAGE), (61, "83200202")])
def test_a_frame_that_was_cut_says_less_or_is_refused(f_port: int, said: str) -> None:
    data = bytes.fromhex(said)
    whole = FAMILY.hear(Frame(f_port, data))
    refused = 0
    for length in range(len(data)):
        try:
            less = FAMILY.hear(Frame(f_port, data[:length]))
        except Unreadable:
            refused += 1
        else:
            assert less == whole[: len(less)]
    assert refused >= len(data) - 1 - len(whole)


@given(st.integers(0, 255), st.binary(max_size=300))
def test_rubbish_is_read_or_refused_and_nothing_else(f_port: int, data: bytes) -> None:
    try:
        parts = FAMILY.hear(Frame(f_port, data))
    except Unreadable:
        return
    assert all(each.level_pct is None or 0 <= each.level_pct <= 100 for each in parts)


heads = st.one_of(
    st.just(""), st.just("analog"), st.integers(0, 63).map("dali-{}".format), st.integers(0, 15).map("group-{}".format)
)


@given(heads, st.floats(0, 100))
def test_a_dimming_is_heeded_as_it_was_given(part: str, level: float) -> None:
    assert FAMILY.heed(FAMILY.dim(part, level)) == {part: round(level)}


@pytest.mark.parametrize(
    ("part", "level", "said"),
    [("", 100, "01FE64"), ("", 0, "01FE00"), ("analog", 50, "010132"), ("dali-2", 50, "010432")],
)
def test_a_dimming_is_written_as_the_documentation_has_it(part: str, level: float, said: str) -> None:
    assert FAMILY.dim(part, level) == Frame(60, bytes.fromhex(said))


def test_a_controller_heeds_several_and_no_resumption() -> None:
    assert FAMILY.heed(Frame(60, bytes.fromhex("0104320864"))) == {"dali-2": 50.0, "dali-4": 100.0}
    assert FAMILY.heed(Frame(60, bytes.fromhex("01FEFF"))) == {}
    assert FAMILY.heed(Frame(50, bytes.fromhex("01FE64"))) == {}


@pytest.mark.parametrize(
    ("part", "level"),
    [("dali-64", 1), ("group-16", 1), ("dali-", 1), ("head", 1), ("", 101), ("", -1), ("", float("nan"))],
)
def test_what_no_dimming_can_say_is_refused(part: str, level: float) -> None:
    with pytest.raises(ValueError, match=r"is no part|a level of"):
        FAMILY.dim(part, level)


parts = st.builds(
    Part,
    name=heads,
    level_pct=st.none() | st.integers(0, 100).map(float),
    power_w=st.none() | st.integers(0, 65_535).map(float),
    energy_wh=st.none() | st.integers(0, 2**32 - 1).map(float),
    fault=st.none() | st.sampled_from(["none", "lamp", "driver"]),
)


@given(st.lists(parts, max_size=5))
def test_what_a_controller_tells_is_heard(said: list[Part]) -> None:
    frames = FAMILY.tell(said, NOW_US)
    assert FAMILY.hear(frames[0]) == [Part(name=x.name, level_pct=x.level_pct, fault=x.fault) for x in said]
    metered = [x for x in said if x.power_w is not None or x.energy_wh is not None]
    assert len(frames) == 1 + bool(metered)
    if metered:
        assert FAMILY.hear(frames[1]) == [Part(name=x.name, power_w=x.power_w, energy_wh=x.energy_wh) for x in metered]
