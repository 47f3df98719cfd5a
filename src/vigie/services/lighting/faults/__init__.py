"""Faults of lamps, circuits and cabinets, from what they report and from what does not come.

`words` takes devices at their word, at once. `sweeper` looks over all of them each half minute. What each rule needs,
how soon it speaks and what it cannot see is told in docs/explanation/lighting-faults.md.
"""
