"""Fixed plans made from counts: greens and cycles of a junction, offsets of a corridor."""
