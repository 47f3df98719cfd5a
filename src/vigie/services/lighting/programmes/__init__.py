"""Programmes of street lighting: their words, their nights, and what comes of them."""
