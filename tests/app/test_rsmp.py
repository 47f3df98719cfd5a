"""Where sites of traffic signals connect, and what is kept of them at their admission."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from tests.transports.test_tcp import certify
from vigie.app import Binding, bind
from vigie.app.rsmp import BINDINGS, bindings, listening
from vigie.settings import Settings, SettingsWrong


def test_what_was_said_of_sites_is_kept_beside_the_others_and_shown_in_no_text(tmp_path: Path) -> None:
    assert bindings(tmp_path) == {}
    one, other = Binding("TC1", "one.example", ("11", "geheim")), Binding()
    bind(tmp_path, {"one": one})
    bind(tmp_path, {"other": other})
    assert bindings(tmp_path) == {"one": one, "other": other}
    assert (tmp_path / BINDINGS).stat().st_mode & 0o777 == 0o600
    assert "geheim" not in repr(one)
    bind(tmp_path, {}, without="one")
    assert bindings(tmp_path) == {"other": other}


def test_the_door_is_where_the_settings_say_and_asks_sites_for_certificates_where_they_say_so(tmp_path: Path) -> None:
    assert listening(Settings()) is None
    plain = listening(Settings(rsmp_port=12_111, rsmp_host="::1"))
    assert plain is not None
    assert (plain.host, plain.port, plain.tls) == ("::1", 12_111, None)
    certify(tmp_path, "post", certify(tmp_path, "authority"))
    pem = tmp_path / "post.pem"
    for clients, asks in ((None, ssl.CERT_NONE), (tmp_path / "authority.pem", ssl.CERT_REQUIRED)):
        at = listening(Settings(rsmp_port=1, rsmp_certificate=pem, rsmp_key=pem, rsmp_clients=clients))
        assert at is not None
        assert at.tls is not None
        assert at.tls.verify_mode is asks
    for wrong in ({"rsmp_certificate": pem}, {"rsmp_certificate": pem, "rsmp_key": tmp_path / "none"}):
        with pytest.raises(SettingsWrong, match="rsmp_"):
            listening(Settings(rsmp_port=1, **wrong))
