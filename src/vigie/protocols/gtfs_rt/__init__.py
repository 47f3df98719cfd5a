"""GTFS Realtime: where the vehicles of an operator are (VehiclePositions). Both ends, no sockets."""

from vigie.protocols.gtfs_rt.positions import NAMES, Positions, Standing, Unreadable, read_positions, write_positions

__all__ = ["NAMES", "Positions", "Standing", "Unreadable", "read_positions", "write_positions"]
