"""Accounts as they are read: everybody for the memory at the start, and names as long as they are not erased."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Select, select
from sqlalchemy.engine import Engine

from vigie.engine.accounts import Directory, Held, Session, Token, User
from vigie.store.tables import PERSONAL, ROLE, SESSION, TOKEN, USER
from vigie.store.transactions import reading


@dataclass(frozen=True, slots=True)
class Person:
    """What is known of a user. login, name: None once they were erased."""

    id: str
    login: str | None
    name: str | None
    language: str
    made_us: int
    closed_us: int | None


class SqlAccounts:
    """Reads accounts; what writes them are facts. May be asked from any thread."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def directory(self, now_us: int) -> Directory:
        """Everybody, as of now: sessions and tokens that are over are left out."""
        with reading(self._engine) as read:
            held = self._held(read)
            users = [
                User(row.id, row.login_digest, row.password, row.language, row.closed_us is not None)
                for row in read.execute(select(USER))
            ]
            open_sessions = select(SESSION).where(SESSION.c.closed_us.is_(None), SESSION.c.expires_us > now_us)
            sessions = [
                Session(row.id, row.digest, row.user, row.opened_us, row.expires_us)
                for row in read.execute(open_sessions)
            ]
            living = select(TOKEN).where(TOKEN.c.revoked_us.is_(None), TOKEN.c.expires_us > now_us)
            tokens = [
                Token(row.id, row.digest, row.name, row.maker, row.made_us, row.expires_us, held[row.id][0])
                for row in read.execute(living)
            ]
        return Directory(users, held, sessions, tokens, now_us=now_us)

    def people(self) -> list[Person]:
        """All users, the one made first first."""
        with reading(self._engine) as read:
            return self._people(read, None)

    def person(self, id: str) -> Person | None:
        """The user of this id."""
        with reading(self._engine) as read:
            found = self._people(read, id)
        return found[0] if found else None

    def name_of(self, id: str) -> str | None:
        """What an actor is called: a user's name, a token's label. None where there is none, or it was erased."""
        with self._engine.connect() as read:
            name = read.execute(_personal("name").where(PERSONAL.c.leaf_id == id)).one_or_none()
            if name is not None:
                return name.value
            return read.execute(select(TOKEN.c.name).where(TOKEN.c.id == id)).scalar_one_or_none()

    def holder_of(self, digest: bytes) -> str | None:
        """The user, closed or not, who has this login."""
        with self._engine.connect() as read:
            return read.execute(select(USER.c.id).where(USER.c.login_digest == digest)).scalar_one_or_none()

    def has_login(self, user: str) -> bool:
        """Whether the user's login was not erased."""
        with self._engine.connect() as read:
            digest = read.execute(select(USER.c.login_digest).where(USER.c.id == user)).scalar_one_or_none()
        return digest is not None

    def _people(self, read: Connection, id: str | None) -> list[Person]:
        query, logins, names = select(USER).order_by(USER.c.made_us, USER.c.id), _personal("login"), _personal("name")
        if id is not None:
            query = query.where(USER.c.id == id)
            logins, names = (each.where(PERSONAL.c.leaf_id == id) for each in (logins, names))
        login_of = {row.leaf_id: row.value for row in read.execute(logins)}
        name_of = {row.leaf_id: row.value for row in read.execute(names)}
        return [
            Person(row.id, login_of.get(row.id), name_of.get(row.id), row.language, row.made_us, row.closed_us)
            for row in read.execute(query)
        ]

    @staticmethod
    def _held(read: Connection) -> dict[str, list[Held]]:
        held: dict[str, list[Held]] = {}
        for row in read.execute(select(ROLE)):
            held.setdefault(row.holder, []).append(Held(row.role, row.area, frozenset(json.loads(row.services))))
        return held


def _personal(field: str) -> Select[Any, Any]:
    """The values of a personal field of users: only theirs are called so and have a user's id."""
    of_user = PERSONAL.c.leaf_id == USER.c.id
    return select(PERSONAL.c.leaf_id, PERSONAL.c.value).join(USER, of_user).where(PERSONAL.c.field == field)
