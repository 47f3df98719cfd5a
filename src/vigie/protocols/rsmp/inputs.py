"""Inputs of a controller as the list writes them: what sets several at once (M0013), and how they stand (S0003).

Source: the traffic-light list, "Activate a series of inputs" and "Input status". Inputs have numbers from 1 to 255.
What sets them names blocks of sixteen, each by the input that its lowest bit is: `offset,set,unset;offset,set,unset`.
"""

from __future__ import annotations

from collections.abc import Set

INPUT_MAX = 255
BLOCK = 16
_BLOCKS_MAX = 64
"""Blocks of one order: four times what sets every input there is."""


def written(on: Set[int], off: Set[int]) -> str:
    """What sets the inputs `on` and unsets the inputs `off`, as M0013 says it. Raises ValueError for a number that no
    input has, or that is in both."""
    if on & off or not all(1 <= each <= INPUT_MAX for each in on | off):
        raise ValueError(f"inputs {sorted(on)} cannot be set, or {sorted(off)} unset")
    left, blocks = sorted(on | off), list[str]()
    while left:
        first = left[0]
        here = [each for each in left if each < first + BLOCK]
        left = left[len(here) :]
        bits = [sum(1 << (each - first) for each in here if each in side) for side in (on, off)]
        blocks.append(f"{first},{bits[0]},{bits[1]}")
    return ";".join(blocks)


def read(said: str) -> tuple[frozenset[int], frozenset[int]]:
    """The inputs that an M0013 sets, and those that it unsets. Raises ValueError for what is not formed so, or means an
    input that there cannot be."""
    on, off = set[int](), set[int]()
    blocks = said.split(";")
    if len(blocks) > _BLOCKS_MAX:
        raise ValueError(f"more than {_BLOCKS_MAX} blocks of inputs")
    for block in blocks:
        numbers = block.split(",")
        if len(numbers) != 3 or not all(each.isdecimal() and len(each) <= 5 for each in numbers):
            raise ValueError(f"{block[:50]!r} is no block of inputs: offset,set,unset")
        first, bits_on, bits_off = map(int, numbers)
        for bits, side in ((bits_on, on), (bits_off, off)):
            side.update(first + bit for bit in range(bits.bit_length()) if bits >> bit & 1)
            if bits.bit_length() > BLOCK or any(not 1 <= each <= INPUT_MAX for each in side):
                raise ValueError(f"{block!r} means inputs that there are not")
    if on & off:
        raise ValueError(f"{said[:50]!r} sets an input and unsets it")
    return frozenset(on), frozenset(off)


def standing(on: Set[int], most: int) -> str:
    """How inputs stand, as S0003 says it: a 1 or a 0 for each from the first to the last that there is."""
    return "".join("1" if number in on else "0" for number in range(1, most + 1))


def active(said: str) -> frozenset[int]:
    """The inputs that an S0003 says are active."""
    return frozenset(number for number, each in enumerate(said, 1) if each == "1")
