"""The map as vector tiles, drawn from what the post holds: the town itself, and the assets that a Scope shows."""
