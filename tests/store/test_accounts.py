"""Accounts in SQL: what is read is what the facts said, and what was erased is gone."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from argon2 import Parameters, Type
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import select

from tests.city import NOW_US, SeededDice, open_facts
from vigie.core.facts import COMMAND_LINE, POST, Entry, PersonalErased
from vigie.core.scope import Scope
from vigie.core.times import DAY_US, HOUR_US
from vigie.engine.accounts import LOGIN_KEPT_US, OPEN_ENDED_US, SESSION_US_MAX, Held, login_digest, secret_digest
from vigie.engine.keeper import By, Keeper, Means, Refused
from vigie.engine.passwords import Passwords
from vigie.store.facts import SqlFacts
from vigie.store.tables import LEAF, PERSONAL, SESSION, USER

KEY = Ed25519PrivateKey.from_private_bytes(bytes(32))
PASSWORD = "a lamp over the square"
BY = By(COMMAND_LINE)
HELD = Held("operator", "dijon", frozenset({"lighting", "signals"}))


class Clock:
    """A clock that is set by hand."""

    now = NOW_US

    def now_us(self) -> int:
        return self.now


class Town:
    """A store, and a keeper that commits to it."""

    def __init__(self, folder: Path) -> None:
        self.facts: SqlFacts = open_facts(folder)
        self.clock = Clock()
        self.keeper = self.keeper_made_anew()

    def keeper_made_anew(self) -> Keeper:
        async def commit(entries: Sequence[Entry]) -> None:
            self.facts.commit(entries)

        accounts = self.facts.accounts
        means = Means(commit, self.clock, SeededDice(self.clock.now), accounts, HELD.services | {"roads"})
        cheap = Passwords(Parameters(Type.ID, 19, 16, 32, 1, 8, 1))
        return Keeper(accounts.directory(self.clock.now), cheap, means)

    def make(self, login: str, *held: Held) -> str:
        return asyncio.run(self.keeper.make_user(BY, login, f"{login} Durand", PASSWORD, held, "en"))


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    made = Town(tmp_path)
    yield made
    made.facts.close()


def test_memory_made_anew_from_the_tables_is_what_it_was(town: Town) -> None:
    keeper = town.keeper
    users = [town.make("a", HELD), town.make("b", HELD, Held("elected", "", frozenset({"*"}))), town.make("c")]

    async def live() -> str:
        await keeper.withdraw(BY, users[1], "elected", "")
        await keeper.grant(BY, users[1], Held("crew", "dijon/nord", frozenset({"roads"})))
        await keeper.close_user(BY, users[2])
        opened = await keeper.log_in("A", PASSWORD, "peer")
        assert opened is not None
        left = await keeper.log_in("b", PASSWORD, "peer")
        assert left is not None
        await keeper.close_session(BY, left[0].id, "logout")
        await keeper.make_token(users[0], keeper.directory.scope_of(users[0]), "meter", HELD, DAY_US)
        _, gone = await keeper.make_token(COMMAND_LINE, Scope.everything(), "gone", HELD, HOUR_US)
        token = keeper.directory.token_of(secret_digest(gone), town.clock.now)
        assert token is not None
        await keeper.revoke_token(BY, token.id)
        return opened[1]

    secret = asyncio.run(live())
    again = town.facts.accounts.directory(town.clock.now)
    assert sorted(again.users, key=lambda user: user.id) == sorted(keeper.directory.users, key=lambda user: user.id)
    assert again.tokens == keeper.directory.tokens
    for user in users:
        assert again.roles_of(user) == keeper.directory.roles_of(user)
        assert again.sessions_of(user) == keeper.directory.sessions_of(user)
    assert again.session_of(secret_digest(secret), town.clock.now) is not None
    later = town.facts.accounts.directory(town.clock.now + SESSION_US_MAX)
    assert later.session_of(secret_digest(secret), town.clock.now + SESSION_US_MAX) is None


def test_a_session_that_has_run_out_leaves_the_tables(town: Town) -> None:
    town.make("jeanne", HELD)

    def sessions() -> list[int]:
        asyncio.run(town.keeper.log_in("jeanne", PASSWORD, "peer"))
        with town.facts._engine.connect() as read:
            return list(read.execute(select(SESSION.c.opened_us - NOW_US)).scalars())

    assert sessions() == [0]
    town.clock.now = NOW_US + SESSION_US_MAX - 1
    assert sessions() == [0, SESSION_US_MAX - 1]
    town.clock.now = NOW_US + SESSION_US_MAX
    assert sessions() == [SESSION_US_MAX - 1, SESSION_US_MAX]


def test_a_leaf_says_who_without_a_name(town: Town) -> None:
    user = town.make("jeanne", HELD)
    asyncio.run(town.keeper.log_in("jeanne", PASSWORD, "192.0.2.7"))
    with town.facts._engine.connect() as read:
        leaves = read.execute(select(LEAF.c.body, LEAF.c.subject, LEAF.c.verb)).all()
    assert {row.subject for row in leaves} == {user}
    assert {row.verb for row in leaves} == {"personal"}, "who logs in when is not for everybody who reads the journal"
    bodies = b"".join(row.body for row in leaves)
    for word in (b"jeanne", b"Durand", PASSWORD.encode(), b"192.0.2.7", login_digest("jeanne").hex().encode()):
        assert word not in bodies


def test_login_and_name_end_with_the_account_and_the_journal_holds(town: Town) -> None:
    facts, user = town.facts, town.make("jeanne", HELD)

    def ends() -> set[int]:
        with facts._engine.connect() as read:
            return set(read.execute(select(PERSONAL.c.until_us).where(PERSONAL.c.leaf_id == user)).scalars())

    assert ends() == {OPEN_ENDED_US}
    asyncio.run(town.keeper.close_user(BY, user))
    assert ends() == {NOW_US + LOGIN_KEPT_US}
    asyncio.run(town.keeper.reopen_user(BY, user))
    assert ends() == {OPEN_ENDED_US}
    asyncio.run(town.keeper.close_user(BY, user))
    assert facts.due_for_erasure(NOW_US + LOGIN_KEPT_US - 1) == []
    due = facts.due_for_erasure(NOW_US + LOGIN_KEPT_US)
    assert sorted(due) == [f"{user}/login", f"{user}/name"]
    erased = PersonalErased(id="e", at=NOW_US + LOGIN_KEPT_US, actor=POST, rule="end of its purpose", fields=due)
    facts.commit([Entry(erased)])
    person = facts.accounts.person(user)
    assert person is not None
    assert (person.login, person.name, facts.accounts.name_of(user)) == (None, None, None)
    with facts._engine.connect() as read:
        row = read.execute(select(USER.c.login_digest, USER.c.password).where(USER.c.id == user)).one()
    assert tuple(row) == (None, None), "a digest of a login would tell who it was"
    assert list(facts.journal.verify(KEY.public_key()))[-1] == facts.journal.size


def test_an_erased_login_may_be_given_anew_and_its_old_account_stays_closed(town: Town) -> None:
    user = town.make("jeanne", HELD)
    asyncio.run(town.keeper.close_user(BY, user))
    with pytest.raises(Refused, match="already"):
        town.make("Jeanne")
    fields = [f"{user}/login", f"{user}/name"]
    town.facts.commit([Entry(PersonalErased(id="e", at=NOW_US, actor=POST, rule="asked for", fields=fields))])
    with pytest.raises(Refused, match="erased"):
        asyncio.run(town.keeper.reopen_user(BY, user))
    other = town.make("jeanne")
    assert other != user
    assert town.keeper.directory.by_login(login_digest("jeanne")) == town.keeper.directory.user(other)
    assert town.keeper_made_anew().directory.by_login(login_digest("jeanne")) == town.keeper.directory.user(other)


def test_actors_have_names_as_long_as_they_are_kept(town: Town) -> None:
    accounts, user = town.facts.accounts, town.make("jeanne")
    token, _ = asyncio.run(town.keeper.make_token(COMMAND_LINE, Scope.everything(), "meter", HELD, DAY_US))
    assert [accounts.name_of(each) for each in (user, token.id, "nobody", POST)] == [
        "jeanne Durand",
        "meter",
        None,
        None,
    ]
    assert accounts.person("nobody") is None
    assert [each.login for each in accounts.people()] == ["jeanne"]
