"""The junctions of the demo's streets given to adaptive control: what whoever installs it would do by hand.

Once for a demo: what people decide about a junction afterwards stays.
"""

from __future__ import annotations

import http.client
import json
import secrets
import time
from collections.abc import Callable, Collection, Sequence
from typing import Any
from urllib.parse import urlsplit

from vigie.app.signals import Became, take_in
from vigie.demo.people import PASSWORD, PEOPLE
from vigie.demo.processes import in_hand, streets_folder
from vigie.settings import Settings
from vigie.sim.traffic.netfile import read_network
from vigie.sim.traffic.network import lights_of
from vigie.sim.traffic.town import network_file

REASON = "the demo"
MOVES_S_MAX = 900
_LOOK_S = 2.0
_ASK_S = 30.0


def give_to_control(settings: Settings, url: str, say: Callable[[str], None]) -> None:
    """Takes the documents of the streets' junctions in, waits until these show what their documents say, and has the
    operator order that they be adaptive. Raises RuntimeError with what is wrong, and what `take_in` raises."""
    network = network_file(streets_folder(settings.data))
    sites = {light.name: light.site for light in lights_of(read_network(network))}
    taken = take_in(settings, sites, reason=REASON)
    known = [each.asset for each in taken if each.became in (Became.MADE, Became.CHANGED, Became.UNCHANGED)]
    if not known:
        raise RuntimeError("no junction of the streets could be taken in")
    post = _Post(url)
    try:
        post.log_in()
        _wait_until_told(post, known)
        ordered = post.order(known)
    finally:
        post.close()
    in_hand(settings.data).touch()
    say(f"{ordered} junctions stand in traffic now, and are given to adaptive control.")


def _wait_until_told(post: _Post, junctions: Collection[str]) -> None:
    """Until each junction has told who decides: before, it has no traffic, and nothing that may be asked of it."""
    end = time.monotonic() + MOVES_S_MAX
    while not post.told().issuperset(junctions):
        if time.monotonic() > end:
            raise RuntimeError("not all have told who decides; of a folder from before, none does: try another --data")
        time.sleep(_LOOK_S)


class _Post:
    """The post, as the operator is answered by it."""

    def __init__(self, url: str) -> None:
        parts = urlsplit(url)
        self._connection = http.client.HTTPConnection(str(parts.hostname), parts.port, timeout=_ASK_S)
        self._headers: dict[str, str] = {"Content-Type": "application/json"}

    def log_in(self) -> None:
        operator = next(each for each in PEOPLE if each.role == "operator")
        answer, cookie = self._ask("POST", "/api/v1/session", {"login": operator.login, "password": PASSWORD})
        self._headers |= {"Cookie": cookie.partition(";")[0], "X-CSRF-Token": answer["csrf"]}

    def told(self) -> set[str]:
        """The junctions that have told who decides at them."""
        answer, _ = self._ask("GET", "/api/v1/signals/junctions")
        return {each["id"] for each in answer["items"] if each["control"] is not None}

    def order(self, junctions: Sequence[str]) -> int:
        """Orders that they be adaptive, and confirms it; how many of them it is not refused for."""
        order = {"action": "junction.set_control", "params": {"control": "adaptive"}, "reason": REASON}
        self._headers["Idempotency-Key"] = secrets.token_hex(8)
        given, _ = self._ask("POST", "/api/v1/commands", {**order, "select": {"assets": list(junctions)}})
        if given["counts"].get("waiting"):
            self._ask("POST", f"/api/v1/commands/{given['id']}/confirm", {"reason": REASON})
        return len(junctions) - given["counts"].get("refused", 0)

    def close(self) -> None:
        self._connection.close()

    def _ask(self, method: str, path: str, body: Any = None) -> tuple[Any, str]:
        """The answer, and its cookie. Raises RuntimeError for anything but one."""
        try:
            self._connection.request(method, path, None if body is None else json.dumps(body), self._headers)
            answer = self._connection.getresponse()
            said = answer.read()
        except (OSError, http.client.HTTPException) as error:
            raise RuntimeError(f"the post does not answer: {error}") from None
        if answer.status >= 300:
            raise RuntimeError(f"{method} {path}: {answer.status} {said[:400].decode('utf-8', 'replace')}")
        return json.loads(said), answer.headers.get("Set-Cookie", "")
