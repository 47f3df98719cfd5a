"""Some nights of a small city as its lamps and its cabinet told them, so long ago that they are over."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.people import Browser
from tests.post import RunningPost, now_us, reading
from vigie.core.times import to_us

ZONE = ZoneInfo("Europe/Paris")
LIT_W = 60.0
STEP = timedelta(minutes=15)


def last_night() -> date:
    """The evening of the last night that is over."""
    here = datetime.fromtimestamp(now_us() / 1e6, UTC).astimezone(ZONE)
    return here.date() - timedelta(days=1 + (here.hour < 12))


def noon(day: date) -> datetime:
    """When the night of a day begins."""
    return datetime.combine(day, time(12), ZONE).astimezone(UTC)


def told(lamps: list[str], cabinet: str, first: date, nights: int, *, theft_w: float = 0.0) -> Iterator[dict[str, Any]]:
    """What they tell, each quarter of an hour: lit from six in the evening to six in the morning. theft_w: what the
    cabinet's meter sees beyond them."""
    at, index_kwh = noon(first) - STEP, 1_000.0
    while at <= noon(first + timedelta(days=nights)) + STEP:
        here = at.astimezone(ZONE)
        power = LIT_W if here.hour >= 18 or here.hour < 6 else 0.0
        for lamp in lamps:
            yield reading(lamp, "power", power, to_us(at))
        yield reading(cabinet, "energy", index_kwh, to_us(at))
        index_kwh += (power * len(lamps) + theft_w) * STEP.total_seconds() / 3.6e6
        at += STEP


def send(post: RunningPost, readings: Iterator[dict[str, Any]]) -> None:
    """All of them, in portions that a device may send."""
    every = list(readings)
    for start in range(0, len(every), 2_000):
        answer = post.send(every[start : start + 2_000])
        assert answer.status == 200, answer


def state(manager: Browser, deputy: Browser) -> None:
    """A tariff and the old inventory are in force from now on."""
    tariff = {"peak_eur_per_kwh": 0.2, "off_peak_eur_per_kwh": 0.2, "kg_co2_per_kwh": 0.05, "source": "marché 2026"}
    former = {"lamp_w": 150.0, "lamp_w_sd": 30.0, "surveyed": 40, "target": 0.6, "source": "relevé de 2019"}
    for kind, body in (("lighting.tariff", tariff), ("lighting.baseline", former)):
        plan: Any = manager.ask("POST", "/api/v1/plans", {"kind": kind, "body": body, "reason": "essai"}).body
        seen = {"version": 1, "revision": 1, "reason": "vu"}
        assert deputy.ask("POST", f"/api/v1/plans/{plan['id']}/approve", seen).status == 200
