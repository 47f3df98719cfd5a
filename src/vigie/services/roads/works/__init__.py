"""Roadworks: permits and what they clash with, diversions, the year's calendar, and requests about buried networks."""
