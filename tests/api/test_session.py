"""Sessions of a real post: who comes in, who does not, and who is out again."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.requests import Request

from tests.people import PASSWORD, Browser, ask_json, make_people
from tests.post import RunningPost, make, running
from vigie.api.session import peer_of

SESSION = "/api/v1/session"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("post")


@pytest.fixture(scope="module")
def post(folder: Path) -> Iterator[RunningPost]:
    """One post for the questions here."""
    secret = make(folder)
    make_people(folder)
    with running(folder, secret) as started:
        yield started


def enter(post: RunningPost, login: str, password: str, **headers: str):
    return ask_json(post, "POST", SESSION, {"login": login, "password": password}, **headers)


def test_who_logs_in_is_told_who_they_are_and_what_they_may(post: RunningPost) -> None:
    crew = Browser(post, "Crew")
    assert crew.entered.status == 200
    body = crew.entered.body
    assert (body["user"]["login"], body["user"]["name"], body["user"]["language"]) == ("crew", "Crew Durand", "fr")
    assert body["roles"] == [
        {
            "role": "crew",
            "area": "dijon-metropole/quetigny",
            "services": ["lighting"],
            "verbs": ["consign", "inventory", "order", "see", "see_crew", "work"],
        }
    ]
    again = crew.ask("GET", SESSION)
    assert (again.status, again.body) == (200, body)


def test_the_cookie_cannot_be_read_by_scripts_nor_sent_by_other_sites(post: RunningPost) -> None:
    plain = enter(post, "operator", PASSWORD).headers["set-cookie"]
    flags = {each.strip().lower() for each in plain.split(";")[1:]}
    assert {"httponly", "samesite=strict", "path=/"} <= flags
    assert "secure" not in flags
    behind_tls = enter(post, "operator", PASSWORD, X_Forwarded_Proto="https").headers["set-cookie"]
    assert "secure" in {each.strip().lower() for each in behind_tls.split(";")}


def test_nobody_is_in_without_a_session(post: RunningPost) -> None:
    for cookie in ("", "vigie_session=", "vigie_session=nonsense", "other=1"):
        assert ask_json(post, "GET", SESSION, Cookie=cookie).status == 401
    for shown in ("Bearer", "Bearer vigie_nonsense", "Basic b3BlcmF0b3I6eA=="):
        assert ask_json(post, "GET", SESSION, Authorization=shown).status == 401


def test_a_wrong_password_and_an_unknown_login_are_told_alike(post: RunningPost) -> None:
    wrong, unknown = enter(post, "elected", "not this one, no"), enter(post, "nobody", PASSWORD)
    assert wrong.status == 401
    assert (wrong.status, wrong.body) == (unknown.status, unknown.body)
    assert "set-cookie" not in wrong.headers


def test_what_is_no_login_is_refused_in_words_that_repeat_nothing(post: RunningPost) -> None:
    secret = "my very own secret"
    for body, status in (({"login": "x"}, 422), ({"login": 1, "password": secret}, 422), ([secret], 422)):
        refused = ask_json(post, "POST", SESSION, body)
        assert refused.status == status
        assert secret not in str(refused.body)
    assert post.ask("POST", SESSION, b"{" + secret.encode(), Content_Type="application/json").status == 400
    assert post.ask("POST", SESSION, b'{"login":"operator"}').status == 415
    assert post.ask("POST", SESSION, b" " * (9 << 10), Content_Type="application/json").status == 413
    odd = b'{"login": "operator", "password": "\\ud800 and more of it"}'
    assert post.ask("POST", SESSION, odd, Content_Type="application/json").status in {400, 401, 422}


def test_a_session_ends_when_its_person_says_so(post: RunningPost) -> None:
    one, other = Browser(post, "operator"), Browser(post, "operator")
    left = one.ask("DELETE", SESSION)
    assert (left.status, left.body) == (204, "")
    assert 'vigie_session=""' in left.headers["set-cookie"]
    assert one.ask("GET", SESSION).status == 401
    assert one.ask("DELETE", SESSION).status == 401
    assert other.ask("GET", SESSION).status == 200


def test_a_browser_that_logs_in_again_leaves_no_session_behind(post: RunningPost) -> None:
    first = Browser(post, "operator")
    assert enter(post, "operator", PASSWORD, Cookie=first.cookie).status == 200
    assert first.ask("GET", SESSION).status == 401


@pytest.mark.parametrize(
    "headers",
    [
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "0" * 64},
        {"X-CSRF-Token": "\u00e9" * 8},
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_forged_request_changes_nothing(post: RunningPost, headers: dict[str, str]) -> None:
    victim = Browser(post, "operator")
    refused = victim.ask("DELETE", SESSION, **headers)
    assert (refused.status, bool(refused.body["mend"])) == (403, True)
    assert victim.ask("GET", SESSION).status == 200


def test_the_token_of_one_session_is_no_good_in_another(post: RunningPost) -> None:
    one, other = Browser(post, "operator"), Browser(post, "operator")
    assert one.csrf != other.csrf
    assert one.ask("DELETE", SESSION, **{"X-CSRF-Token": other.csrf}).status == 403


def test_another_site_cannot_log_a_browser_in(post: RunningPost) -> None:
    assert enter(post, "operator", PASSWORD, Sec_Fetch_Site="cross-site").status == 403
    assert enter(post, "operator", PASSWORD, Origin="https://elsewhere.example").status == 403
    own = f"http://127.0.0.1:{post.port}"
    assert enter(post, "operator", PASSWORD, Origin=own, Sec_Fetch_Site="same-origin").status == 200


def test_who_fails_too_often_waits_and_then_may_try_again(post: RunningPost) -> None:
    """Five may fail; then even the right password waits, for known and unknown logins alike."""
    for login in ("ghost", "supervisor"):
        assert [enter(post, login, "wrong wrong wrong").status for _ in range(5)] == [401] * 5
        throttled = enter(post, login.upper() + " ", PASSWORD)
        assert throttled.status == 429
    wait_s = int(throttled.headers["retry-after"])
    assert 1 <= wait_s <= 2
    time.sleep(wait_s)
    assert enter(post, "supervisor", PASSWORD).status == 200
    assert enter(post, "operator", PASSWORD).status == 200, "others are not held up"


def test_a_person_changes_their_own_password_and_all_their_sessions_end(tmp_path: Path) -> None:
    secret = make(tmp_path)
    make_people(tmp_path, ["crew"])
    with running(tmp_path, secret) as post:
        one, other = Browser(post, "crew"), Browser(post, "crew")
        path, new = f"{SESSION}/password", "quite another sentence"
        assert one.ask("POST", path, {"old": "not the old one", "new": new}).status == 403
        assert one.ask("POST", path, {"old": PASSWORD, "new": "too short"}).status == 422
        assert other.ask("GET", SESSION).status == 200
        assert one.ask("POST", path, {"old": PASSWORD, "new": new}).status == 204
        assert [each.ask("GET", SESSION).status for each in (one, other)] == [401, 401]
        assert enter(post, "crew", PASSWORD).status == 401
        assert Browser(post, "crew", new).entered.status == 200


def test_a_session_outlives_a_restart(tmp_path: Path) -> None:
    secret = make(tmp_path)
    make_people(tmp_path, ["crew"])
    with running(tmp_path, secret) as post:
        crew = Browser(post, "crew")
        post.kill()
    with running(tmp_path, secret) as again:
        crew.post = again
        assert crew.ask("GET", SESSION).status == 200


def test_no_secret_is_written_anywhere(folder: Path, post: RunningPost) -> None:
    operator = Browser(post, "operator")
    operator.ask("GET", SESSION)
    enter(post, "what I typed into the wrong field", "wrong wrong wrong")
    written = b"".join(path.read_bytes() for path in folder.rglob("*") if path.is_file())
    log = (folder / "log").read_text()
    assert "logged in" in log
    for secret in (operator.secret, operator.csrf, PASSWORD, "wrong wrong wrong", "wrong field"):
        assert secret.encode() not in written


def test_logins_are_counted_by_what_became_of_them(post: RunningPost) -> None:
    Browser(post, "operator")
    enter(post, "nobody else", "wrong wrong wrong")
    figures = post.ask("GET", "/metrics").body
    counted = dict(re.findall(r'^vigie_logins_total\{outcome="(\w+)"\} ([0-9.]+)$', figures, re.MULTILINE))
    assert set(counted) == {"let_in", "refused", "throttled", "busy"}
    assert float(counted["let_in"]) >= 1
    assert float(counted["refused"]) >= 1


@pytest.mark.parametrize(
    ("proxies", "said", "peer"),
    [
        (0, "203.0.113.9", "192.0.2.1"),
        (1, "198.51.100.1, 203.0.113.9", "203.0.113.9"),
        (2, "198.51.100.1, 203.0.113.9", "198.51.100.1"),
        (3, "203.0.113.9", "203.0.113.9"),
        (1, "", "192.0.2.1"),
        (1, "made up", "192.0.2.1"),
        (1, None, "192.0.2.1"),
    ],
)
def test_where_a_login_comes_from_is_what_our_own_proxies_say(proxies: int, said: str | None, peer: str) -> None:
    """What stands before our proxies' own words is whatever the sender liked to write."""
    headers = [] if said is None else [(b"x-forwarded-for", said.encode())]
    request = Request({"type": "http", "headers": headers, "client": ("192.0.2.1", 5)})
    assert peer_of(request, proxies) == peer


def test_figures_are_for_this_machine_and_for_whoever_is_known(post: RunningPost) -> None:
    assert post.ask("GET", "/metrics").status == 200
    # What comes through a proxy is from elsewhere, wherever the proxy is.
    from_elsewhere = {"X-Forwarded-For": "192.0.2.7"}
    assert post.ask("GET", "/metrics", **from_elsewhere).status == 401
    operator = Browser(post, "operator")
    made = operator.ask("POST", "/api/v1/tokens", {"name": "prometheus", "role": "operator"})
    shown = {"Authorization": f"Bearer {made.body['token']}"}
    said = post.ask("GET", "/metrics", **from_elsewhere, **shown)
    assert (said.status, "vigie_tiles_made_total" in said.body) == (200, True)
    assert operator.ask("GET", "/metrics", **from_elsewhere).status == 200
    assert post.ask("GET", "/health/ready", **from_elsewhere).status == 200
