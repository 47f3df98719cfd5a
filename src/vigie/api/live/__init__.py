"""The live door: one WebSocket, any number of subscriptions, each told what changed and nothing else."""

from vigie.api.live.feeds import Describe
from vigie.api.live.figures import LiveFigures
from vigie.api.live.hub import Hub
from vigie.api.live.socket import LIVE_PATH, live_routes

__all__ = ["LIVE_PATH", "Describe", "Hub", "LiveFigures", "live_routes"]
