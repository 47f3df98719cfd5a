"""What administrators do to accounts of a real post, and everybody's own tokens."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from tests.people import PASSWORD, QUETIGNY, Browser, ask_json, make_people
from tests.post import RunningPost, make, running

USERS, TOKENS, SESSION = "/api/v1/users", "/api/v1/tokens", "/api/v1/session"


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningPost, dict[str, str]]]:
    """One post, and the ids of its people."""
    folder = tmp_path_factory.mktemp("post")
    secret = make(folder)
    ids = make_people(folder)
    with running(folder, secret) as post:
        yield post, ids


@pytest.fixture
def post(town: tuple[RunningPost, dict[str, str]]) -> RunningPost:
    return town[0]


@pytest.fixture
def ids(town: tuple[RunningPost, dict[str, str]]) -> dict[str, str]:
    return town[1]


def newcomer(admin: Browser, login: str, *roles: dict[str, Any]) -> str:
    body = {"login": login, "name": "Nora Petit", "password": PASSWORD, "roles": list(roles)}
    made = admin.ask("POST", USERS, body)
    assert made.status == 201, made.body
    return made.body["id"]


@pytest.mark.parametrize("login", ["operator", "crew", "supervisor", "elected"])
def test_nobody_administers_without_the_right(post: RunningPost, ids: dict[str, str], login: str) -> None:
    person = Browser(post, login)
    assert person.ask("GET", USERS).status == 403
    for method, path, body in (
        ("POST", USERS, {"login": "x", "name": "x", "password": PASSWORD}),
        ("POST", f"{USERS}/{ids['administrator']}/close", None),
        ("POST", f"{USERS}/{ids[login]}/roles", {"role": "administrator"}),
        ("POST", f"{USERS}/{ids['administrator']}/password", {"password": PASSWORD}),
    ):
        assert person.ask(method, path, body).status == 403, path
    assert ask_json(post, "GET", USERS).status == 401


def test_an_account_is_made_used_and_closed_at_once(post: RunningPost) -> None:
    admin = Browser(post, "administrator")
    user = newcomer(admin, "nora@dijon.example", {"role": "operator", "area": QUETIGNY, "services": ["lighting"]})
    nora = Browser(post, "Nora@Dijon.example")
    listed = {each["id"]: each for each in admin.ask("GET", USERS).body["items"]}
    assert (listed[user]["login"], listed[user]["closed"]) == ("nora@dijon.example", None)
    assert len(listed[user]["sessions"]) == 1
    assert "password" not in str(listed[user])
    token = nora.ask("POST", TOKENS, {"name": "mine", "role": "operator", "area": QUETIGNY, "services": ["lighting"]})
    bearer = {"Authorization": f"Bearer {token.body['token']}"}
    assert ask_json(post, "GET", SESSION, **bearer).status == 200
    assert admin.ask("POST", f"{USERS}/{user}/close").status == 204
    assert nora.ask("GET", SESSION).status == 401
    assert ask_json(post, "GET", SESSION, **bearer).status == 401
    refused = ask_json(post, "POST", SESSION, {"login": "nora@dijon.example", "password": PASSWORD})
    assert refused.body["detail"] == "Login or password is wrong."
    assert admin.ask("POST", f"{USERS}/{user}/close").status == 409
    assert admin.ask("POST", USERS, {"login": "NORA@dijon.example", "name": "x", "password": PASSWORD}).status == 409
    assert admin.ask("POST", f"{USERS}/{user}/reopen").status == 204
    assert Browser(post, "nora@dijon.example").entered.status == 200
    assert nora.ask("GET", SESSION).status == 401, "a session that was ended stays so"


def test_a_session_is_revoked_by_its_id(post: RunningPost, ids: dict[str, str]) -> None:
    admin, one, other = Browser(post, "administrator"), Browser(post, "elected"), Browser(post, "elected")
    listed = next(each for each in admin.ask("GET", USERS).body["items"] if each["id"] == ids["elected"])
    newest = max(listed["sessions"], key=lambda each: each["opened"])["id"]
    path = f"/api/v1/sessions/{newest}"
    assert Browser(post, "operator").ask("DELETE", path).status == 404
    assert admin.ask("DELETE", path, **{"X-CSRF-Token": "no"}).status == 403
    assert admin.ask("DELETE", path).status == 204
    assert [each.ask("GET", SESSION).status for each in (one, other)] == [200, 401]
    assert admin.ask("DELETE", path).status == 404


def test_a_role_given_counts_at_once_and_one_taken_back_ends_the_sessions(post: RunningPost) -> None:
    admin = Browser(post, "administrator")
    user = newcomer(admin, "worker", {"role": "elected"})
    worker, roles = Browser(post, "worker"), f"{USERS}/{user}/roles"
    assert admin.ask("POST", roles, {"role": "crew", "area": QUETIGNY, "services": ["lighting"]}).status == 204
    assert {each["role"] for each in worker.ask("GET", SESSION).body["roles"]} == {"crew", "elected"}
    bad = ({"role": "king"}, {"role": "crew", "services": ["magic"]}, {"role": "crew", "area": "/x"})
    assert [admin.ask("POST", roles, each).status for each in bad] == [409] * 3
    assert admin.ask("DELETE", f"{roles}?role=crew&area={QUETIGNY}").status == 204
    assert worker.ask("GET", SESSION).status == 401
    assert admin.ask("DELETE", f"{roles}?role=crew&area={QUETIGNY}").status == 409


def test_an_administrator_of_one_commune_reaches_no_further(post: RunningPost, ids: dict[str, str]) -> None:
    warden = Browser(post, "warden")
    listed = {each["login"] for each in warden.ask("GET", USERS).body["items"]}
    assert {"crew", "warden"} <= listed
    assert not {"operator", "administrator"} & listed
    assert warden.ask("POST", f"{USERS}/{ids['operator']}/close").status == 404
    assert warden.ask("POST", f"{USERS}/{ids['warden']}/roles", {"role": "supervisor"}).status == 403
    wide = {"login": "w", "name": "W", "password": PASSWORD, "roles": [{"role": "elected", "area": "dijon-metropole"}]}
    assert warden.ask("POST", USERS, wide).status == 403
    newcomer(warden, "local", {"role": "elected", "area": f"{QUETIGNY}/centre"})


def test_a_token_does_no_more_than_its_maker_and_says_who_made_it(post: RunningPost, ids: dict[str, str]) -> None:
    crew = Browser(post, "crew")
    fine = {"name": "meter", "role": "crew", "area": f"{QUETIGNY}/centre", "services": ["lighting"], "days": 1}
    for wider in ({"area": ""}, {"services": ["*"]}, {"services": ["lighting", "signals"]}, {"role": "operator"}):
        assert crew.ask("POST", TOKENS, fine | wider).status == 409, wider
    assert crew.ask("POST", TOKENS, fine | {"days": 1000}).status == 409
    made = crew.ask("POST", TOKENS, fine)
    assert made.status == 201
    bearer = {"Authorization": f"Bearer {made.body['token']}"}
    said = ask_json(post, "GET", SESSION, **bearer).body
    assert (said["user"]["id"], said["roles"][0]["area"], said["csrf"]) == (ids["crew"], f"{QUETIGNY}/centre", "")
    assert ask_json(post, "POST", TOKENS, fine, **bearer).status == 403, "a token makes no other"
    listed = crew.ask("GET", TOKENS).body["items"]
    assert [each["name"] for each in listed] == ["meter"]
    assert "token" not in listed[0]
    path = f"{TOKENS}/{made.body['id']}"
    assert Browser(post, "operator").ask("DELETE", path).status == 404
    assert crew.ask("DELETE", path).status == 204
    assert ask_json(post, "GET", SESSION, **bearer).status == 401


def test_a_token_shown_decides_alone(post: RunningPost) -> None:
    """Whoever shows a bad token is nobody, whatever cookie comes with it."""
    assert Browser(post, "operator").ask("GET", SESSION, Authorization="Bearer vigie_bad").status == 401


def test_a_password_set_by_an_administrator_ends_the_sessions(post: RunningPost) -> None:
    admin = Browser(post, "administrator")
    user = newcomer(admin, "forgetful", {"role": "elected"})
    before = Browser(post, "forgetful")
    assert admin.ask("POST", f"{USERS}/{user}/password", {"password": "short"}).status == 422
    assert admin.ask("POST", f"{USERS}/{user}/password", {"password": "another long sentence"}).status == 204
    assert before.ask("GET", SESSION).status == 401
    assert Browser(post, "forgetful", "another long sentence").entered.status == 200


def test_one_person_has_so_many_sessions_and_no_more(post: RunningPost) -> None:
    admin = Browser(post, "administrator")
    newcomer(admin, "many", {"role": "elected"})
    opened = [Browser(post, "many") for _ in range(17)]
    assert [each.ask("GET", SESSION).status for each in (opened[0], opened[1], opened[-1])] == [401, 200, 200]


def listen(live: ClientConnection) -> None:
    """Takes what comes until the socket closes, which raises."""
    while True:
        live.recv(timeout=10)


def test_who_is_thrown_out_sees_no_more_through_an_open_socket(post: RunningPost) -> None:
    admin = Browser(post, "administrator")
    user = newcomer(admin, "watcher", {"role": "elected"})
    ends = ((f"{USERS}/{user}/password", {"password": PASSWORD}), (f"{USERS}/{user}/close", None))
    for path, body in ends:
        cookie = {"Cookie": Browser(post, "watcher").cookie}
        with connect(f"ws://127.0.0.1:{post.port}/api/v1/live", additional_headers=cookie) as live:
            assert live.ping().wait(10)
            assert admin.ask("POST", path, body).status == 204
            with pytest.raises(ConnectionClosed) as ended:
                listen(live)
            assert ended.value.rcvd is not None
            assert ended.value.rcvd.code == 1008


def test_a_page_of_another_site_opens_no_socket(post: RunningPost) -> None:
    victim = Browser(post, "operator")
    said = {"Cookie": victim.cookie, "Origin": "https://elsewhere.example"}
    with pytest.raises(InvalidStatus) as refused:
        connect(f"ws://127.0.0.1:{post.port}/api/v1/live", additional_headers=said)
    assert refused.value.response.status_code == 403
