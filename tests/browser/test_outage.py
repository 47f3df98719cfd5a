"""A breaker trips: what the cabinet and its lamps say at the door for devices is one alarm on the screen, with its
causes ranked and its lamps named."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser as Chromium
from playwright.sync_api import expect

from tests.browser.test_empty import console
from tests.people import Browser, make_people
from tests.post import NO_RESERVE, now_us, reading, running
from vigie.app import admit_device, installation
from vigie.core.drafts import Draft
from vigie.settings import Settings

# The post looks over its whole picture each half minute.
pytestmark = pytest.mark.timeout(240)

AREA, SEEN_MS = "metropole/dijon", 90_000
CABINETS = {"cabinet-1": "Armoire du Marché", "cabinet-2": "Armoire de la Gare"}
LAMPS = [(f"lamp-{n:02}", f"cabinet-{1 + n // 12}", 1.0 + n // 6 % 2) for n in range(18)]
"""Twelve on two circuits of the first cabinet, six on one of the second."""
LOST = [lamp for lamp, cabinet, circuit in LAMPS if (cabinet, circuit) == ("cabinet-1", 2.0)]


def drafts() -> Iterator[Draft]:
    for place, (key, name) in enumerate(CABINETS.items()):
        yield Draft(key=key, id=key, kind="cabinet", name=name, lon=5.04 + place / 500, lat=47.32, area=AREA,
                    attributes={"circuits": 2, "switching": "permanent"})  # fmt: skip
    for place, (lamp, cabinet, circuit) in enumerate(LAMPS):
        yield Draft(key=lamp, id=lamp, kind="luminaire", lon=5.04 + place / 5_000, lat=47.3201, area=AREA,
                    parent=cabinet, attributes={"circuit": circuit, "rated_power": 60.0, "lamp": "LED"})  # fmt: skip


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """The installation, and its devices' secret."""
    folder = tmp_path_factory.mktemp("outage")
    with installation(Settings(data=folder, city="Dijon", **NO_RESERVE)) as opened:
        opened.take_assets("test", list(drafts()))
        secret = admit_device(opened, "gateway", [row[0] for row in opened.facts.registry_rows() if row[2] != "post"])
    make_people(folder, ["operator"])
    return folder, secret


def said(asset: str, **points: Any) -> list[dict[str, Any]]:
    return [reading(asset, point, value, now_us()) for point, value in points.items()]


def test_a_breaker_that_trips_is_one_alarm_with_its_causes_and_its_lamps(
    installed: tuple[Path, str], browser: Chromium
) -> None:
    with running(*installed) as post:
        rows = [row for lamp, *_ in LAMPS for row in said(lamp, level=100.0, power=60.0, fault="none")]
        for cabinet in CABINETS:
            rows += said(cabinet, supply="on", breaker="closed", residual_current="closed", current=10.0, door="closed")
        assert post.send(rows).body["accepted"] == len(rows)
        page = console(browser, post.port, Browser(post, "operator").secret)
        desk = page.get_by_role("region", name="Alarmes")
        expect(desk.get_by_text("Aucune alarme")).to_be_visible()

        rows = said("cabinet-1", breaker="tripped", current=5.0)
        for lamp in LOST:
            rows += said(lamp, fault="supply", level=0.0, power=0.0)
        assert post.send(rows).body["accepted"] == len(rows)
        alarms = desk.get_by_role("listitem")
        expect(alarms).to_have_count(1, timeout=SEEN_MS)
        expect(alarms).to_contain_text("Départ perdu")
        expect(alarms).to_contain_text("Armoire du Marché")
        alarms.get_by_role("button", name=re.compile("Départ perdu")).first.click()
        sheet = page.get_by_role("region", name="Anomalies")
        causes = sheet.locator("ol > li")
        expect(causes.first).to_contain_text("Disjoncteur déclenché")
        expect(causes.first).to_contain_text("Le disjoncteur de l'armoire se dit déclenché.")
        shares = [int(re.search(r"(\d+)\s?%", text)[1]) for text in causes.all_inner_texts()]  # type: ignore[index]
        assert shares == sorted(shares, reverse=True)
        sheet.get_by_text("premiers points lumineux").click()
        assert sheet.locator(".lamps button").all_inner_texts() == LOST
        # Each lamp says that it has no supply, and none of them is an alarm of its own.
        expect(alarms).to_have_count(1)
        page.context.close()
