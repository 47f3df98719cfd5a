"""Rounds: which streets were swept, salted or collected in, by what vehicles told of their positions and their tools.

A circuit is a list of streets that is driven in turns, each of which has an end by which it is due (`circuits`). What
was driven with the tool at work is kept of each few metres of each street, once for all circuits (`driving`); what that
means for a circuit is told from there (`turns`).
"""
