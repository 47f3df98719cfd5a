"""Mail as the settings have it: what they must say, what the doctor says of it, and a trial that arrives."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from tests.mail_end import MailEnd
from tests.post import NO_RESERVE, make
from vigie.app.doctor import Check, examine
from vigie.app.mail import sender_of, server_of, try_mail
from vigie.core.mail import NoAddress
from vigie.settings import Settings, SettingsWrong, load_settings

SAID: dict[str, Any] = {
    "smtp_host": "127.0.0.1", "smtp_security": "none", "mail_from": "voirie@town.example",
    "public_url": "https://post.example",
}  # fmt: skip


@pytest.mark.parametrize(
    ("said", "why"),
    [
        ({"smtp_host": "mail.example"}, "on this machine alone"),
        ({"smtp_host": "mail.example", "smtp_security": "none_anywhere", "smtp_username": "vigie"}, "under TLS alone"),
        ({"mail_from": ""}, "mail_from"),
        ({"mail_from": "voirie@town.example\r\nBcc: a@b.example"}, "mail_from"),
        ({"public_url": ""}, "public_url"),
        ({"mail_name": "Voirie\r\nBcc: a@b.example"}, "mail_name"),
        ({"smtp_password_file": Path("not-there")}, "smtp_password_file"),
    ],
)
def test_what_could_not_be_sent_is_said_before_anything_is(said: dict[str, Any], why: str) -> None:
    settings = Settings(**(SAID | said))
    with pytest.raises(SettingsWrong, match=why):
        sender_of(settings, "Essai") and server_of(settings)


def test_the_password_comes_from_the_environment_or_a_file_and_is_shown_nowhere(tmp_path: Path) -> None:
    told = {f"VIGIE_{name.upper()}": value for name, value in SAID.items()}
    settings = load_settings(environment=told | {"VIGIE_SMTP_USERNAME": "vigie", "VIGIE_SMTP_PASSWORD": "hush"})
    found = server_of(settings)
    assert found is not None
    assert found.password == "hush"
    assert "hush" not in f"{settings!r} {settings} {found!r}"
    (tmp_path / "password").write_text("from the file\n")
    found = server_of(Settings(**SAID, smtp_password_file=tmp_path / "password"))
    assert found is not None
    assert found.password == "from the file"
    assert server_of(Settings()) is None


def test_the_doctor_tries_the_server_and_a_trial_arrives(tmp_path: Path) -> None:
    make(tmp_path)

    def doctor(**said: Any) -> Check:
        found = examine(Settings(data=tmp_path, **said, **NO_RESERVE), lambda what, done, total: None)
        (check,) = [each for each in found if each.name == "mail"]
        return check

    async def run() -> None:
        async with MailEnd().there() as end:
            said = SAID | {"smtp_port": end.port}
            check = await asyncio.to_thread(doctor, **said)
            assert (check.state, end.taken) == ("ok", [])
            assert "0 mails wait" in check.says
            assert await try_mail(Settings(**said), "anne@example.org", 0, b"x") == f"127.0.0.1:{end.port}"
            assert [str(each["To"]) for each in end.taken] == ["anne@example.org"]
            with pytest.raises(NoAddress):
                await try_mail(Settings(**said), "anne", 0, b"x")
        check = await asyncio.to_thread(doctor, **said)
        assert check.state == "warn"
        assert "does not take mail" in check.says

    asyncio.run(run())
    assert "told nothing by mail" in doctor().says
    assert doctor(**(SAID | {"mail_from": "nobody"})).state == "bad"
