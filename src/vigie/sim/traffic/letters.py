"""What a light of SUMO's shows, as its letters, and as colours of our groups."""

from __future__ import annotations

from vigie.services.signals.junction import Colour, Second
from vigie.sim.traffic.network import Light


def letters_of(light: Light, second: Second) -> str:
    """What SUMO is to show: G where a green link meets no green that goes first, g where it does."""
    lit = {
        link
        for link, signal in enumerate(light.signals)
        if (signal.letter in "Gg" if signal.group is None else second[signal.group] is Colour.GREEN)
    }
    letters: list[str] = []
    for link, signal in enumerate(light.signals):
        if signal.group is None:
            letters.append(signal.letter)
        elif link in lit:
            letters.append("g" if signal.yields & lit else "G")
        else:
            letters.append("y" if second[signal.group] is Colour.YELLOW else signal.red)
    return "".join(letters)


def colours_of(light: Light, letters: str) -> Second:
    """What SUMO shows, as colours of the groups. Where the links of a group differ it is green if one of them is: the
    kernel is to see the worst."""
    found = [Colour.RED] * len(light.site.junction.groups)
    for signal, letter in zip(light.signals, letters, strict=False):
        if signal.group is None:
            continue
        if letter in "Gg":
            found[signal.group] = Colour.GREEN
        elif letter in "yY" and found[signal.group] is Colour.RED:
            found[signal.group] = Colour.YELLOW
    return tuple(found)
