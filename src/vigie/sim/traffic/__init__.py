"""Simulated traffic: SUMO's networks as junctions of ours, and its runs under our signals."""
