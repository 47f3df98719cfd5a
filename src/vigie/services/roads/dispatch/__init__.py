"""Rounds for crews: who does what, in which order, and why something is left out. What is chosen is `solving`'s,
what may be `judging`'s, and how far it is `streets`'."""
