"""Addresses of mail: which are taken, in one form of writing."""

from __future__ import annotations

import re
from email.headerregistry import Address

ADDRESS_LENGTH_MAX, LOCAL_LENGTH_MAX = 254, 64
"""Characters of an address, and of what stands before its @ (RFC 5321)."""

_ATOM = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_LOCAL = re.compile(rf"{_ATOM}(?:\.{_ATOM})*")
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+")


class NoAddress(ValueError):
    """What was said is not one address that mail can be sent to; says why."""


def mail_address(said: str) -> str:
    """One address, its domain in ASCII (RFC 5891) as servers are told it. Raises NoAddress.

    No quotes, comments, names or blanks: what is taken ends in a header and in a line of SMTP. A local part beyond
    ASCII would want every server on the way to know RFC 6531.
    """
    local, at, domain = said.strip().rpartition("@")
    if not at or not _LOCAL.fullmatch(local) or len(local) > LOCAL_LENGTH_MAX:
        raise NoAddress("it is one address, such as anne@example.org, with letters of ASCII before its @")
    try:
        host = domain.encode("idna").decode("ascii")
    except UnicodeError:
        host = ""
    if not _DOMAIN.fullmatch(host) or len(local) + 1 + len(host) > ADDRESS_LENGTH_MAX:
        raise NoAddress("what stands behind its @ is no domain")
    address = f"{local}@{host}"
    try:
        if "=?" in local or Address(addr_spec=address).addr_spec != address:
            # What looks like words in a code (RFC 2047) is read as something else, or not at all.
            raise ValueError(address)
    except ValueError:
        raise NoAddress("what stands before its @ cannot be written in a header") from None
    return address
