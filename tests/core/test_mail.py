"""Addresses of mail: one, in ASCII, with nothing in it that could end a line or begin another header."""

from __future__ import annotations

from email.headerregistry import Address

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from vigie.core.mail import NoAddress, mail_address


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ("anne@example.org", "anne@example.org"),
        (" anne.durand+rue@mairie.example.org ", "anne.durand+rue@mairie.example.org"),
        ("o'neil@example.org", "o'neil@example.org"),
        ("anne@bücher.example", "anne@xn--bcher-kva.example"),
    ],
)
def test_an_address_is_taken(said: str, taken: str) -> None:
    assert mail_address(said) == taken


@pytest.mark.parametrize(
    "said",
    [
        "", "anne", "anne@", "@example.org", "anne@example", "anne@exam ple.org", "anne@example.org, paul@example.org",
        "anne@example.org\r\nBcc: paul@example.org", "anne@@example.org", "Anne <anne@example.org>",
        '"a b"@example.org',
        "anne..durand@example.org", "andré@example.org", "anne@[192.0.2.1]", "anne@-example.org",
        "a" * 65 + "@example.org",
        "anne@" + "a." * 125 + "org", "anne@exa\x00mple.org", "=?utf-8?q?a?=@example.org", "a=?b@example.org",
    ],
)  # fmt: skip
def test_what_is_no_single_address_is_refused(said: str) -> None:
    with pytest.raises(NoAddress):
        mail_address(said)


_PARTS = st.text(st.sampled_from('ab.-+@<>\r\n ,;"é\x00ⅷ=?_'), max_size=12)


@given(st.tuples(_PARTS, _PARTS).map(lambda parts: f"{parts[0]}@{parts[1]}.fr"))
@example("anne@ⅷ.example")
@example("=?utf-8?q?a?=@example.org")
def test_what_is_taken_is_one_word_of_ascii_and_stays_so(said: str) -> None:
    try:
        taken = mail_address(said)
    except NoAddress:
        return
    assert taken.isascii()
    assert taken.isprintable()
    assert not set(taken) & set(' ,;:<>()[]"\\')
    assert mail_address(taken) == taken
    assert Address(addr_spec=taken).addr_spec == taken
