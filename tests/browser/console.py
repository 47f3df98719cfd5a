"""The console in a browser, as its user sees it: one window of one person."""

from __future__ import annotations

import re
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

from playwright.sync_api import Browser, Locator, Page, expect

from tests.browser.town import Town

_WITHOUT = (
    # What Playwright leaves out: of two such lists only the last counts.
    "AvoidUnnecessaryBeforeUnloadCheckSync", "DestroyProfileOnBrowserClose", "HttpsUpgrades",
    "HttpsFirstBalancedModeAutoEnable", "LensOverlay", "MediaRouter", "PaintHolding", "ThirdPartyStoragePartitioning",
    "AvoidCorsURLLoaderRestartOnRedirect", "OptimizationHints", "NetworkTimeServiceQuerying", "AimEnabled",
    "PreconnectToSearch",
    # The browser's own list of what might be meant by what is typed into its address bar: a page in a process of its
    # own for each window, which costs as much as the console does to open.
    "WebUIOmniboxPopup", "WebUIOmniboxAimPopup",
)  # fmt: skip

CHROMIUM_FLAGS = [
    "--no-sandbox", "--disable-background-networking", "--disable-component-update", "--disable-sync",
    # No graphics card is assumed: the map is drawn in software. The page around it is put together without the graphics
    # card that is played for it, at half the cost.
    "--use-gl=angle", "--use-angle=swiftshader", "--enable-unsafe-swiftshader", "--ignore-gpu-blocklist",
    "--disable-gpu-compositing",
    f"--disable-features={','.join(_WITHOUT)}",
    # A name that is no machine's own: over plain http a browser trusts it less than it does 127.0.0.1.
    "--host-resolver-rules=MAP vigie.test 127.0.0.1",
]  # fmt: skip

PATIENCE_S = 30.0
"""How long something may take on a machine that does three other things. It is no measurement."""

PHONE_PX = 700
"""Screens that are narrower are touched."""

expect.set_options(timeout=PATIENCE_S * 1000)


@dataclass(frozen=True)
class Look:
    """What a window is like, apart from who sits at it. One that is worn is used by one test, and by no other."""

    size: tuple[int, int] = (1100, 720)
    theme: Literal["dark", "light"] = "dark"
    language: Literal["fr", "en"] = "fr"
    worn: bool = False

    @property
    def touched(self) -> bool:
        """Whether fingers do what a mouse does elsewhere."""
        return self.size[0] < PHONE_PX

    @property
    def kept(self) -> tuple[Any, ...]:
        """What a window keeps for life; its size it does not."""
        return self.theme, self.language, self.touched


class Windows:
    """The windows of a browser. To open one is a good part of what a short test costs, so it is cleared and handed on:
    a browser that was told to forget everything is a new one, but for the programs that it has read already."""

    def __init__(self, browser: Browser, *, points_per_px: float = 0.5) -> None:
        """points_per_px: a page is as large as it says, and tests have it drawn with a quarter of its points, which
        none of them counts."""
        self._browser, self._points_per_px = browser, points_per_px
        self._free: dict[tuple[Any, ...], list[Page]] = {}

    def take(self, look: Look) -> Page:
        """A blank page that remembers nothing."""
        free = self._free.get(look.kept)
        if look.worn or not free:
            return self._opened(look)
        page, (width, height) = free.pop(), look.size
        page.set_viewport_size({"width": width, "height": height})
        return page

    def give_back(self, page: Page, look: Look) -> None:
        """Makes it forget what was stored, routed and shown; one that was worn is closed."""
        if look.worn or page.is_closed():
            page.context.close()
            return
        page.unroute_all()
        page.context.set_offline(False)
        if page.url.startswith("http"):
            page.evaluate("() => { localStorage.clear(); sessionStorage.clear() }")
        # Whoever leaves a page by an address of the same page stays on it.
        page.goto("about:blank")
        page.context.clear_cookies()
        self._free.setdefault(look.kept, []).append(page)

    def _opened(self, look: Look) -> Page:
        width, height = look.size
        context = self._browser.new_context(
            viewport={"width": width, "height": height},
            device_scale_factor=self._points_per_px,
            color_scheme=look.theme,
            # Gliding costs a software renderer more than it shows a test.
            reduced_motion="reduce",
            locale={"fr": "fr-FR", "en": "en-GB"}[look.language],
            timezone_id="Europe/Paris",
            has_touch=look.touched,
        )
        context.set_default_timeout(PATIENCE_S * 1000)
        return context.new_page()


class Console:
    """A window. login: whose session it has; None: nobody's yet."""

    def __init__(
        self, page: Page, town: Town, login: str | None = "operator", *, path: str = "", host: str = "127.0.0.1"
    ) -> None:
        self.page, self.town = page, town
        self.context = page.context
        self.url = f"http://{host}:{town.port}"
        if login is not None:
            self.context.add_cookies([{"name": "vigie_session", "value": town.cookie(login), "url": self.url}])
        self.complaints: list[str] = []
        self.page.on("pageerror", self._failed)
        self.page.on("console", self._heard)
        self.page.goto(f"{self.url}/console{path}")

    def log_in(self, login: str, password: str) -> None:
        """Somebody fills in the form."""
        self.page.fill("input[name=login]", login)
        self.page.fill("input[name=password]", password)
        self.press("Enter")

    def leave(self) -> None:
        """Nobody listens to the page any more."""
        self.page.remove_listener("pageerror", self._failed)
        self.page.remove_listener("console", self._heard)

    def _failed(self, error: Any) -> None:
        self.complaints.append(f"script: {error}")

    def _heard(self, message: Any) -> None:
        # What the post refuses, the browser calls an error: whether a refusal is right, the test says.
        # The software renderer remarks on being slow.
        expected = ("Failed to load resource", "GPU stall", "swiftshader", "SwiftShader")
        if message.type in ("error", "warning") and not any(each in message.text for each in expected):
            self.complaints.append(f"{message.type}: {message.text}")

    def by(self, selector: str, **how: Any) -> Locator:
        """What a selector finds."""
        return self.page.locator(selector, **how)

    def button(self, name: str, **how: Any) -> Locator:
        """A button by its name."""
        return self.page.get_by_role("button", name=name, **how)

    def press(self, *keys: str) -> None:
        """Keys, one after the other."""
        for key in keys:
            self.page.keyboard.press(key)

    def see(self, text: str | re.Pattern[str]) -> None:
        """Waits until a text is to be seen."""
        expect(self.page.get_by_text(text).first).to_be_visible()

    def evaluate(self, script: str, value: Any = None) -> Any:
        """What the page says. `vigie` is the console's own hook (MapView.svelte)."""
        return self.page.evaluate(script, value)

    def until(self, holds: Callable[[], Any], what: str, patience_s: float = PATIENCE_S) -> Any:
        """Asks until something holds, and returns it."""
        end = time.monotonic() + patience_s
        while True:
            found = holds()
            if found:
                return found
            if time.monotonic() > end:
                raise AssertionError(f"still not after {patience_s:.0f} s: {what}")
            self.page.wait_for_timeout(60)

    def map_stands(self) -> None:
        """Waits until the map has drawn what it was given."""
        # Asked for within the page: each question from here goes through four processes.
        stands = "() => !!(window.vigie && vigie.map.loaded() && vigie.picture.end > 0)"
        self.page.wait_for_function(stands, polling=60)

    def go(self, place: tuple[float, float], zoom: float) -> None:
        """Turns the map to a place."""
        self.evaluate("([lon, lat, zoom]) => { vigie.map.jumpTo({ center: [lon, lat], zoom }) }", [*place, zoom])
        self.page.wait_for_timeout(200)
        self.map_stands()

    def search(self, text: str) -> None:
        """Ctrl-K, the words, Enter: as fast as an operator does, before any answer has come."""
        self.press("Control+k")
        self.page.keyboard.insert_text(text)
        self.press("Enter")
        expect(self.by("dialog")).to_have_count(0)

    def rings(self) -> dict[str, int]:
        """How many assets the map rings as what."""
        said = self.evaluate("() => ({ ...document.querySelector('.map').dataset })")
        return {name: int(count) for name, count in said.items()}

    def drawn_lamps(self) -> dict[int, dict[str, float]]:
        """The lamps that the map has drawn, by number, with the state each was drawn in: read out of MapLibre."""
        rows = self.evaluate(
            """() => vigie.map.queryRenderedFeatures({ layers: ['lamps'] }).map((each) => [each.id, each.state])"""
        )
        return {int(no): state for no, state in rows}

    def hold(self, button: Locator) -> None:
        """Holds a button down until it counts."""
        expect(button).to_be_enabled()
        button.hover()
        self.page.mouse.down()
        self.page.wait_for_timeout(1600)
        self.page.mouse.up()
