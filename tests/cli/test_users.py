"""vigie users and tokens, on a real installation."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from tests.people import PASSWORD, QUETIGNY, Browser, ask_json
from tests.post import make, running
from vigie.app import installation
from vigie.app.accounts import DEMO
from vigie.cli import main
from vigie.engine.accounts import LOGIN_KEPT_US
from vigie.settings import Settings


class Vigie:
    """Runs the command on one installation."""

    def __init__(self, folder: Path) -> None:
        self.data = folder
        self.device = make(folder)
        self.password = folder / "password"
        self.password.write_text(PASSWORD + "\nnothing of this line\n", "utf-8")

    def __call__(self, *words: str, code: int = 0, typed: str | None = None) -> Result:
        result = CliRunner().invoke(main, [*words, "--data", str(self.data)], input=typed)
        assert result.exit_code == code, result.output
        return result

    def add(self, login: str, *words: str, code: int = 0) -> Result:
        named = ("--name", f"{login} Durand", "--password-file", str(self.password))
        return self("users", "add", login, *named, *words, code=code)


@pytest.fixture
def vigie(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Vigie:
    monkeypatch.setenv("COLUMNS", "400")
    monkeypatch.setenv("VIGIE_RESERVE_FACTS_MB", "0")
    monkeypatch.setenv("VIGIE_RESERVE_OBSERVATIONS_MB", "0")
    return Vigie(tmp_path)


def test_an_installation_starts_with_nobody_and_says_how_to_make_the_first(vigie: Vigie) -> None:
    assert "vigie users add LOGIN" in vigie("users", "list").stdout
    with running(vigie.data, vigie.device) as post:
        assert ask_json(post, "GET", "/api/v1/session").status == 401
    assert "vigie users add" in (vigie.data / "log").read_text()


def test_who_was_added_comes_in_with_the_password_that_was_typed_twice(vigie: Vigie) -> None:
    words = ("users", "add", "jeanne", "--name", "Jeanne Petit", "--role", "crew", "--area", QUETIGNY)
    assert "do not match" in vigie(*words, typed=f"{PASSWORD}\nsomething else\n\n", code=1).output
    shown = vigie(*words, "--services", "lighting, signals", typed=f"{PASSWORD}\n{PASSWORD}\n")
    assert f"jeanne may log in as crew of {QUETIGNY} for lighting, signals." in shown.stdout
    assert PASSWORD not in shown.output
    assert "Jeanne Petit" in vigie("users", "list").stdout
    with running(vigie.data, vigie.device) as post:
        assert Browser(post, "jeanne").entered.body["roles"][0]["services"] == ["lighting", "signals"]


def test_accounts_and_tokens_are_kept_by_the_same_commands_while_the_post_runs(vigie: Vigie) -> None:
    with running(vigie.data, vigie.device) as post:
        vigie.add("jeanne", "--role", "operator")
        jeanne = Browser(post, "jeanne")
        assert jeanne.entered.status == 200
        assert "jeanne Durand" in vigie("users", "list").stdout
        secret = vigie("tokens", "add", "meter", "--role", "operator").stdout.splitlines()[-1]
        as_program = {"Authorization": f"Bearer {secret}"}
        assert ask_json(post, "GET", "/api/v1/assets", **as_program).status == 200
        vigie("tokens", "revoke", "meter")
        assert ask_json(post, "GET", "/api/v1/assets", **as_program).status == 401
        vigie("users", "close", "jeanne", "--reason", "has left")
        assert jeanne.ask("GET", "/api/v1/session").status == 401
        assert Browser(post, "jeanne").entered.status == 401


def test_what_is_wrong_is_said_in_a_sentence(vigie: Vigie) -> None:
    # Before the password is asked for.
    assert "'king' is none of operator" in vigie("users", "add", "a", "--name", "A", "--role", "king", code=2).stderr
    assert "no such services: magic" in vigie.add("a", "--role", "crew", "--services", "magic", code=1).stderr
    assert "is no area" in vigie.add("a", "--role", "crew", "--area", "/dijon/", code=1).stderr
    assert "written right?" in vigie.add("far", "--role", "crew", "--area", "dijon-metropole/atlantis").stderr
    assert "already" in vigie.add("FAR", "--role", "crew", code=1).stderr
    for command in ("close", "reopen"):
        assert "no account 'nobody'. vigie users list" in vigie("users", command, "nobody", code=1).stderr
    assert "no account 'fra'. Did you mean 'far'?" in vigie("users", "close", "fra", code=1).stderr
    written = ("--password-file", str(vigie.password))
    assert "no account 'nobody'" in vigie("users", "password", "nobody", *written, code=1).stderr
    vigie.password.write_text("short\n")
    assert "12 characters" in vigie.add("b", "--role", "crew", code=1).stderr
    vigie.password.unlink()
    assert "cannot be read" in vigie.add("b", "--role", "crew", code=1).stderr


def test_roles_come_and_go(vigie: Vigie) -> None:
    vigie.add("jeanne", "--role", "elected")
    vigie("users", "grant", "jeanne", "--role", "operator", "--area", QUETIGNY, "--reason", "night shift")
    assert f"operator of {QUETIGNY}" in vigie("users", "list").stdout
    vigie("users", "withdraw", "jeanne", "--role", "elected")
    assert "elected" not in vigie("users", "list").stdout
    assert "no role 'elected'" in vigie("users", "withdraw", "jeanne", "--role", "elected", code=1).stderr
    assert "night shift" in vigie("journal", "show").stdout


def test_who_is_closed_is_out_and_erased_after_a_year_and_the_journal_holds(vigie: Vigie) -> None:
    vigie.add("jeanne", "--role", "operator")
    vigie("users", "close", "jeanne")
    assert "closed on 20" in vigie("users", "list").stdout
    assert "closed already" in vigie("users", "close", "jeanne", code=1).stderr
    vigie("users", "reopen", "jeanne")
    vigie("users", "close", "jeanne")
    with installation(Settings(data=vigie.data, reserve_facts_mb=0)) as opened:
        assert len(opened.erase_due()) == 0
        later_us = opened.clock.now_us() + LOGIN_KEPT_US
        opened.clock.now_us = lambda: later_us  # type: ignore[method-assign]
        assert len(opened.erase_due()) == 2
    for words in (("users", "list"), ("journal", "show")):
        shown = vigie(*words).stdout
        assert "Durand" not in shown
        assert "jeanne" not in shown
    assert "erased on" in vigie("journal", "show").stdout
    assert "leaves" in vigie("journal", "verify").stdout
    user = vigie("users", "list").stdout.split()[0]
    assert "make a new account" in vigie("users", "reopen", user, code=1).stderr
    assert "no account 'jeanne'" in vigie("users", "close", "jeanne", code=1).stderr
    vigie.add("jeanne", "--role", "elected")


def test_a_token_is_shown_once_and_counts_until_it_is_revoked(vigie: Vigie) -> None:
    secret = vigie("tokens", "add", "meter", "--role", "operator", "--area", QUETIGNY).stdout.splitlines()[-1]
    assert secret.startswith("vigie_")
    assert secret.encode() not in b"".join(path.read_bytes() for path in vigie.data.glob("facts.sqlite*"))
    listed = vigie("tokens", "list").stdout
    assert f"meter  operator of {QUETIGNY}  until" in listed
    assert secret not in listed
    assert "366 days" in vigie("tokens", "add", "x", "--role", "crew", "--days", "999", code=1).stderr
    with running(vigie.data, vigie.device) as post:
        said = ask_json(post, "GET", "/api/v1/session", Authorization=f"Bearer {secret}")
        assert (said.status, said.body["user"]["name"]) == (200, "meter")
    vigie("tokens", "revoke", "meter")
    assert "no token 'meter'. vigie tokens list" in vigie("tokens", "revoke", "meter", code=1).stderr
    with running(vigie.data, vigie.device) as post:
        assert ask_json(post, "GET", "/api/v1/session", Authorization=f"Bearer {secret}").status == 401


def test_accounts_that_everybody_knows_are_served_to_this_machine_alone(vigie: Vigie) -> None:
    with installation(Settings(data=vigie.data, reserve_facts_mb=0)) as opened:
        opened.facts.set_meta(DEMO, "accounts")
    refused = vigie("serve", "--host", "0.0.0.0", "--port", "0", code=1)
    assert "127.0.0.1 alone" in refused.stderr.replace("\n", " ")
    with running(vigie.data, vigie.device) as post:
        assert post.ask("GET", "/health/live").status == 200
