"""What facts of accounts do to the tables: users, their roles, sessions, tokens, and what is erased of them."""

from __future__ import annotations

import json
from typing import Any

from sqlalchemy import Connection, delete, insert, update

from vigie.core.facts import (
    PersonalErased,
    RoleGranted,
    RoleWithdrawn,
    SessionClosed,
    SessionOpened,
    TokenMade,
    TokenRevoked,
    UserChanged,
    UserMade,
)
from vigie.core.kinds import Catalogue
from vigie.engine.accounts import LOGIN_KEPT_US, OPEN_ENDED_US
from vigie.engine.cases import PHOTO, TITLE, WORDS
from vigie.store.journal import erase_fields
from vigie.store.projections.base import Projections
from vigie.store.projections.cases import erase_photo, erase_words
from vigie.store.tables import PERSONAL, ROLE, SESSION, TOKEN, USER


def _make_user(catalogue: Catalogue, write: Connection, fact: UserMade, payload: tuple[bytes, str]) -> None:
    digest, password = payload
    write.execute(
        insert(USER).values(
            id=fact.user, login_digest=digest, password=password, language=fact.language, made_us=fact.at
        )
    )


def _change_user(catalogue: Catalogue, write: Connection, fact: UserChanged, values: dict[str, Any]) -> None:
    """values: the columns of USER that change. Closing sets the end date of login and name, reopening takes it away."""
    write.execute(update(USER).where(USER.c.id == fact.user).values(values))
    if "closed_us" in values:
        closed_us = values["closed_us"]
        until_us = OPEN_ENDED_US if closed_us is None else closed_us + LOGIN_KEPT_US
        of_user = (PERSONAL.c.leaf_id == fact.user) & PERSONAL.c.field.in_(("login", "name"))
        write.execute(update(PERSONAL).where(of_user, PERSONAL.c.erased_us.is_(None)).values(until_us=until_us))


def _grant(catalogue: Catalogue, write: Connection, fact: RoleGranted, payload: None) -> None:
    _write_role(write, fact.user, fact.role, fact.area, fact.services)


def _write_role(write: Connection, holder: str, role: str, area: str, services: list[str]) -> None:
    held = (ROLE.c.holder == holder) & (ROLE.c.role == role) & (ROLE.c.area == area)
    write.execute(delete(ROLE).where(held))
    write.execute(insert(ROLE).values(holder=holder, role=role, area=area, services=json.dumps(services)))


def _withdraw(catalogue: Catalogue, write: Connection, fact: RoleWithdrawn, payload: None) -> None:
    held = (ROLE.c.holder == fact.user) & (ROLE.c.role == fact.role) & (ROLE.c.area == fact.area)
    write.execute(delete(ROLE).where(held))


def _open_session(catalogue: Catalogue, write: Connection, fact: SessionOpened, payload: tuple[bytes, int]) -> None:
    digest, expires_us = payload
    # What has run out lets nobody in; that it was, its facts say.
    write.execute(delete(SESSION).where(SESSION.c.expires_us <= fact.at))
    write.execute(
        insert(SESSION).values(id=fact.session, digest=digest, user=fact.user, opened_us=fact.at, expires_us=expires_us)
    )


def _close_session(catalogue: Catalogue, write: Connection, fact: SessionClosed, payload: None) -> None:
    write.execute(update(SESSION).where(SESSION.c.id == fact.session).values(closed_us=fact.at))


def _make_token(catalogue: Catalogue, write: Connection, fact: TokenMade, payload: tuple[bytes, str]) -> None:
    digest, name = payload
    write.execute(
        insert(TOKEN).values(
            id=fact.token, digest=digest, name=name, maker=fact.actor, made_us=fact.at, expires_us=fact.expires
        )
    )
    _write_role(write, fact.token, fact.role, fact.area, fact.services)


def _revoke_token(catalogue: Catalogue, write: Connection, fact: TokenRevoked, payload: None) -> None:
    write.execute(update(TOKEN).where(TOKEN.c.id == fact.token).values(revoked_us=fact.at))


def _erase(catalogue: Catalogue, write: Connection, fact: PersonalErased, payload: None) -> None:
    erase_fields(write, fact.fields, fact.at, fact.rule)
    for each in fact.fields:
        leaf_id, field = each.rsplit("/", 1)
        if field == "login":
            # A digest of a login is found by trying logins, so it tells who it was; and nobody logs in by it any more.
            write.execute(update(USER).where(USER.c.id == leaf_id).values(login_digest=None, password=None))
        elif field in (TITLE, WORDS):
            erase_words(write, leaf_id, field)
        elif field == PHOTO:
            erase_photo(write, leaf_id, fact.at)


PROJECT: Projections = {
    UserMade: _make_user,
    UserChanged: _change_user,
    RoleGranted: _grant,
    RoleWithdrawn: _withdraw,
    SessionOpened: _open_session,
    SessionClosed: _close_session,
    TokenMade: _make_token,
    TokenRevoked: _revoke_token,
    PersonalErased: _erase,
}
