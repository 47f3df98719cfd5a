"""Who is known and what they may: the laws of the directory and of the throttle."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Sequence

import pytest
from argon2 import Parameters, Type
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from tests.city import CATALOGUE, NOW_US, SeededDice
from vigie.core.facts import COMMAND_LINE, Entry, SessionClosed, TokenRevoked
from vigie.core.scope import ROLES, Grant, Placement, Scope, Verb
from vigie.core.times import DAY_US, HOUR_US, MINUTE_US, SECOND_US
from vigie.engine.accounts import (
    SESSION_IDLE_US_MAX,
    SESSION_US_MAX,
    Directory,
    Held,
    Session,
    User,
    common,
    lies_within,
    login_digest,
    secret_digest,
)
from vigie.engine.keeper import By, Keeper, Means, Owed, Refused, TooMany, network_of
from vigie.engine.passwords import AT_ONCE_MAX, WAITING_MAX, Passwords, PasswordsBusy, PasswordWeak
from vigie.engine.ports import StorageFull
from vigie.engine.throttle import Patience, Throttle

CHEAP = Parameters(Type.ID, 19, 16, 32, 1, 8, 1)
"""Argon2id at next to no cost: the tests of everything but its cost."""

PASSWORD = "a lamp over the square"
AREAS = ["", "dijon", "dijon/nord", "dijon/nord/gare", "dijon-sud", "dijo"]
SERVICES = ["lighting", "signals", "roads"]

areas = st.sampled_from(AREAS)
services = st.frozensets(st.sampled_from([*SERVICES, "*"]), min_size=1, max_size=3)
helds = st.builds(Held, st.sampled_from(list(ROLES)), areas, services)
grants = st.builds(Grant, areas, services, st.frozensets(st.sampled_from(list(Verb)), min_size=1, max_size=4))
scopes = st.builds(Scope, st.frozensets(grants, max_size=3))
placements = st.builds(Placement, areas, st.sampled_from([*SERVICES, "video"]), st.sampled_from(list(Verb)))


# --- scopes ---


@given(scopes, scopes, placements)
def test_what_is_common_to_two_scopes_is_what_both_cover(one: Scope, other: Scope, placed: Placement) -> None:
    assert common(one, other).covers(placed) == (one.covers(placed) and other.covers(placed))


@given(grants, scopes, placements)
def test_a_grant_within_a_scope_covers_nothing_that_the_scope_does_not(
    grant: Grant, scope: Scope, placed: Placement
) -> None:
    if lies_within(grant, scope) and grant.covers(placed):
        assert scope.covers(placed)


@given(grants, scopes)
def test_a_grant_is_within_a_scope_that_has_it(grant: Grant, scope: Scope) -> None:
    assert lies_within(grant, Scope(scope.grants | {grant}))
    assert lies_within(grant, Scope.everything())
    assert not lies_within(grant, Scope())


def test_an_elected_official_sees_no_crew_and_reads_nothing_personal() -> None:
    """The law of the scope, over every kind that there is: what moves with a crew takes a right they have not."""
    elected, operator = (Scope(frozenset({Held(role, "", frozenset({"*"})).grant})) for role in ("elected", "operator"))
    crewed = [kind for kind in CATALOGUE.assets.values() if kind.verb == Verb.SEE_CREW]
    assert "vehicle" in {kind.kind for kind in crewed}
    for kind in crewed:
        placed = Placement("dijon-metropole/dijon", kind.service, kind.verb, kind.public)
        assert not elected.sees(placed), kind.kind
        assert operator.sees(placed), kind.kind
    assert not any(elected.has(verb) for verb in set(Verb) - {Verb.SEE, Verb.JOURNAL})


# --- the throttle ---

PATIENCE = Patience(free=3, first_us=10, longest_us=80, forget_us=1_000, held_max=4)


def test_waits_double_to_an_end() -> None:
    throttle, now, waits = Throttle(PATIENCE), 0, list[int]()
    for _ in range(8):
        now += throttle.wait_us("k", now)
        throttle.attempt("k", now)
        waits.append(throttle.wait_us("k", now))
    assert waits == [0, 0, 10, 20, 40, 80, 80, 80]
    assert throttle.wait_us("other", now) == 0
    throttle.clear("k")
    assert throttle.wait_us("k", now) == 0


@given(st.lists(st.tuples(st.sampled_from("abcdefgh"), st.integers(0, 500)), max_size=60))
def test_no_wait_is_longer_than_the_longest_and_memory_is_bounded(steps: Sequence[tuple[str, int]]) -> None:
    throttle, now = Throttle(PATIENCE), 0
    for key, later in steps:
        now += later
        throttle.attempt(key, now)
        assert 0 <= throttle.wait_us(key, now) <= PATIENCE.longest_us
        assert throttle.wait_us(key, now + PATIENCE.longest_us) == 0
        assert len(throttle) <= PATIENCE.held_max


@given(st.integers(0, 200))
def test_many_attempts_at_once_gain_nothing(tries: int) -> None:
    """Each counts before its outcome is known: of any number within the first wait only the free ones pass."""
    throttle, passed = Throttle(PATIENCE), 0
    for _ in range(tries):
        if not throttle.wait_us("k", 0):
            throttle.attempt("k", 0)
            passed += 1
    assert passed == min(tries, PATIENCE.free)


def test_a_clock_that_is_set_back_makes_nobody_wait_longer_than_the_longest() -> None:
    throttle, ahead = Throttle(PATIENCE), 1_000_000
    for _ in range(9):
        throttle.attempt("k", ahead)
    assert throttle.wait_us("k", 0) <= PATIENCE.longest_us
    throttle.take_back("k", ahead)
    assert throttle.wait_us("k", 5) <= PATIENCE.longest_us
    # And the wait ends, though the clock stays where it is.
    assert throttle.wait_us("k", 5 + PATIENCE.longest_us) == 0


def test_what_is_long_ago_is_forgotten() -> None:
    throttle = Throttle(PATIENCE)
    for _ in range(3):
        throttle.attempt("k", 0)
    throttle.attempt("k", 2_000)
    assert throttle.wait_us("k", 2_000) == 0


def test_an_attempt_taken_back_leaves_the_failures_before_it() -> None:
    throttle = Throttle(PATIENCE)
    for _ in range(3):
        throttle.attempt("k", 0)
    throttle.take_back("k", 0)
    assert throttle.wait_us("k", 0) == 0
    throttle.attempt("k", 0)
    assert throttle.wait_us("k", 0) == PATIENCE.first_us


# --- sessions ---


def directory(*, closed: bool = False, opened_us: int = NOW_US) -> Directory:
    user = User("u", login_digest("u"), None, "fr", closed)
    session = Session("s", secret_digest("secret"), "u", opened_us, opened_us + SESSION_US_MAX)
    return Directory([user], {"u": [Held("elected", "", frozenset({"*"}))]}, [session], now_us=opened_us)


def test_a_session_ends_when_it_is_not_used() -> None:
    known = directory()
    assert known.alive("s", NOW_US + SESSION_IDLE_US_MAX - 1)
    assert not known.alive("s", NOW_US + SESSION_IDLE_US_MAX)
    known.use("s", NOW_US + SESSION_IDLE_US_MAX)
    assert not known.alive("s", NOW_US + SESSION_IDLE_US_MAX), "one that is over stays over"


def test_a_session_in_use_ends_after_a_shift() -> None:
    known, now = directory(), NOW_US
    while now < NOW_US + SESSION_US_MAX:
        assert known.session_of(secret_digest("secret"), now) is not None
        known.use("s", now)
        now += HOUR_US
    assert known.session_of(secret_digest("secret"), NOW_US + SESSION_US_MAX) is None
    assert [each.id for each in known.sessions_over(now)] == ["s"]


def test_a_closed_user_is_known_to_nobody() -> None:
    known = directory(closed=True)
    assert known.session_of(secret_digest("secret"), NOW_US) is None
    assert known.by_login(login_digest("u")) is None
    assert not known.scope_of("u").grants
    assert not known.alive("s", NOW_US)


def test_what_is_not_committed_is_passed_over() -> None:
    known = directory()
    for fact in (
        SessionClosed(id="1", at=NOW_US, actor="x", session="unknown", user="u", why="logout"),
        TokenRevoked(id="2", at=NOW_US, actor="x", token="unknown"),
    ):
        known.take(fact, None)
    assert known.alive("s", NOW_US)


def test_a_login_is_found_however_it_is_written() -> None:
    assert login_digest("Jeanne.Dupré") == login_digest(" jeanne.dupre\u0301 ") == login_digest("JEANNE.DUPRÉ")
    assert login_digest("jeanne") != login_digest("jean")
    login_digest("\ud800")


# --- passwords ---


def test_a_password_is_the_same_in_each_way_of_writing_it() -> None:
    passwords = Passwords(CHEAP)
    kept = asyncio.run(passwords.hash("ﬁnd the café \u212b"))
    assert kept.startswith("$argon2id$")
    assert asyncio.run(passwords.holds(kept, "find the cafe\u0301 Å"))
    assert not asyncio.run(passwords.holds(kept, "find the cafe Å"))


@pytest.mark.parametrize("password", ["", "eleven char", "ﬀ" * 300, "x" * 257, "e\u0301" * 11])
def test_a_weak_password_is_not_taken(password: str) -> None:
    with pytest.raises(PasswordWeak, match="12 characters"):
        asyncio.run(Passwords(CHEAP).hash(password))


@settings(max_examples=30)
@given(st.text(st.characters(categories=["L", "N", "P", "S", "Z", "Cs"]), min_size=12, max_size=80))
def test_any_long_text_is_a_password(password: str) -> None:
    passwords = Passwords(CHEAP)

    async def both() -> bool:
        return await passwords.holds(await passwords.hash(password), password)

    with contextlib.suppress(PasswordWeak):  # it may be shorter once it is normalised
        assert asyncio.run(both())


def test_an_unknown_login_costs_what_a_wrong_password_costs() -> None:
    """The same hash at the same cost is computed for both: what argon2 is asked is compared, no time is measured."""
    passwords = Passwords()
    asked: list[str] = []

    class Watching:
        def verify(self, kept: str, password: bytes) -> bool:
            asked.append(kept)
            return Passwords()._hasher.verify(kept, password)

    kept = asyncio.run(passwords.hash(PASSWORD))
    passwords._hasher = Watching()  # type: ignore[assignment]
    assert not asyncio.run(passwords.holds(kept, "wrong wrong wrong"))
    assert not asyncio.run(passwords.holds(None, "wrong wrong wrong"))
    cost = [each.split("$")[:4] for each in asked]
    assert cost[0] == cost[1] == ["", "argon2id", "v=19", "m=65536,t=3,p=4"]
    assert [len(part) for part in asked[0].split("$")] == [len(part) for part in asked[1].split("$")]


def test_too_many_at_once_are_sent_away() -> None:
    passwords = Passwords(CHEAP)

    async def flood() -> int:
        tries = [passwords.holds(None, PASSWORD) for _ in range(AT_ONCE_MAX + WAITING_MAX + 5)]
        done = await asyncio.gather(*tries, return_exceptions=True)
        return sum(isinstance(each, PasswordsBusy) for each in done)

    assert asyncio.run(flood()) == 5


# --- the keeper, on a journal that is a list ---


class Hands:
    """Time, dice and a journal in memory."""

    def __init__(self) -> None:
        self.now = NOW_US
        self.journal: list[Entry] = []
        self.logins: dict[str, bytes] = {}
        self._dice = SeededDice()

    def now_us(self) -> int:
        return self.now

    def bytes(self, length: int) -> bytes:
        return self._dice.bytes(length)

    def holder_of(self, digest: bytes) -> str | None:
        return next((user for user, held in self.logins.items() if held == digest), None)

    def has_login(self, user: str) -> bool:
        return user in self.logins

    async def commit(self, entries: Sequence[Entry]) -> None:
        self.journal += entries
        for entry in entries:
            if type(entry.fact).__name__ == "UserMade":
                self.logins[entry.fact.id] = entry.payload[0]

    def keeper(self, parameters: Parameters = CHEAP) -> Keeper:
        means = Means(self.commit, self, self, self, frozenset(SERVICES))
        return Keeper(Directory(), Passwords(parameters), means)


BY = By(COMMAND_LINE)


def test_a_password_hashed_at_another_cost_is_hashed_anew_at_login() -> None:
    hands = Hands()
    keeper = hands.keeper()
    user = asyncio.run(keeper.make_user(BY, "u", "U", PASSWORD, []))
    before = keeper.directory.user(user)
    keeper._passwords = Passwords(Parameters(Type.ID, 19, 16, 32, 2, 8, 1))
    assert asyncio.run(keeper.log_in("u", PASSWORD, "peer")) is not None
    after = keeper.directory.user(user)
    assert before is not None
    assert after is not None
    assert after.password != before.password
    assert "t=2" in (after.password or "")
    assert asyncio.run(keeper.log_in("u", PASSWORD, "peer")) is not None
    assert [entry.fact.change for entry in hands.journal if hasattr(entry.fact, "change")] == ["rehash"]


def test_an_address_that_fails_for_many_logins_waits() -> None:
    keeper = Hands().keeper()

    async def guess() -> int:
        for tried in range(100):
            try:
                await keeper.log_in(f"login{tried}", PASSWORD, "peer")
            except TooMany:
                return tried
        return 100

    assert asyncio.run(guess()) == 20
    assert keeper.logins == {"refused": 20, "throttled": 1}


def test_who_is_closed_while_the_password_is_checked_does_not_come_in() -> None:
    keeper = Hands().keeper()

    async def race() -> object:
        user = await keeper.make_user(BY, "u", "U", PASSWORD, [])
        entering = asyncio.create_task(keeper.log_in("u", PASSWORD, "peer"))
        await asyncio.sleep(0)
        await keeper.close_user(BY, user)
        return await entering

    assert asyncio.run(race()) is None


def test_who_goes_away_meanwhile_leaves_memory_and_journal_equal() -> None:
    hands = Hands()
    keeper = hands.keeper()

    async def leave() -> None:
        user = await keeper.make_user(BY, "u", "U", PASSWORD, [])
        committed = asyncio.Event()
        straight = hands.commit

        async def slowly(entries: Sequence[Entry]) -> None:
            await straight(entries)
            committed.set()
            await asyncio.sleep(0.01)

        object.__setattr__(keeper._means, "commit", slowly)
        closing = asyncio.create_task(keeper.close_user(BY, user))
        await committed.wait()
        closing.cancel()
        with pytest.raises(asyncio.CancelledError):
            await closing
        await asyncio.sleep(0.05)
        known = keeper.directory.user(user)
        assert known is not None
        assert known.closed

    asyncio.run(leave())


def test_a_full_disk_keeps_nobody_in_and_what_is_owed_is_kept_when_there_is_room() -> None:
    hands = Hands()
    keeper = hands.keeper()

    async def full(entries: Sequence[Entry]) -> None:
        raise StorageFull("full")

    async def live() -> None:
        straight = keeper._means.commit
        user = await keeper.make_user(BY, "u", "U", PASSWORD, [])
        opened = await keeper.log_in("u", PASSWORD, "peer")
        assert opened is not None
        object.__setattr__(keeper._means, "commit", full)
        with pytest.raises(StorageFull):
            await keeper.grant(BY, user, Held("elected", "", frozenset({"*"})))
        assert keeper.directory.roles_of(user) == []
        with pytest.raises(Owed):
            await keeper.close_user(BY, user)
        assert not keeper.directory.alive(opened[0].id, hands.now)
        assert "UserChanged" not in {type(entry.fact).__name__ for entry in hands.journal}
        object.__setattr__(keeper._means, "commit", straight)
        await keeper.make_user(BY, "v", "V", PASSWORD, [])
        kept = [type(entry.fact).__name__ for entry in hands.journal]
        assert kept[-3:] == ["UserChanged", "SessionClosed", "UserMade"]
        await keeper.make_user(BY, "w", "W", PASSWORD, [])
        assert len(hands.journal) == len(kept) + 1

    asyncio.run(live())


@pytest.mark.parametrize("area", ["A/x;*;journal,see|B", "/a", "a/", "a//b", "a|b", "a,b", "%", "*", "a\n", "\ud800"])
def test_no_role_is_given_in_what_is_no_area(area: str) -> None:
    keeper = Hands().keeper()
    with pytest.raises(Refused, match="is no area"):
        asyncio.run(keeper.make_user(BY, "u", "U", PASSWORD, [Held("elected", area, frozenset({"*"}))]))
    for good in ("", "dijon-metropole/quetigny", "Saint-Apollinaire", "L'Haÿ les Roses/a_b.c"):
        keeper._check_roles([Held("elected", good, frozenset({"*"}))])


def test_an_address_is_throttled_by_what_one_subscriber_has() -> None:
    assert network_of("2001:db8:1:2::7") == network_of("2001:db8:1:2:ffff::1") != network_of("2001:db8:1:3::7")
    assert network_of("::ffff:192.0.2.7") == network_of("192.0.2.7") != network_of("192.0.2.8")
    assert network_of("a unix socket") == "a unix socket"


@pytest.mark.parametrize(
    ("login", "name", "said"),
    [("", "N", "one word"), ("two words", "N", "one word"), ("x\n", "", "a name"), ("a\x00b", "N", "one word")],
)
def test_a_login_and_a_name_are_what_they_should_be(login: str, name: str, said: str) -> None:
    with pytest.raises(Refused, match=said):
        asyncio.run(Hands().keeper().make_user(BY, login, name, PASSWORD, []))


class Accounts(RuleBasedStateMachine):
    """People come, go, get roles and make tokens in any order; the laws hold after each step, and memory made anew
    from the facts is the memory that moved with them."""

    def __init__(self) -> None:
        super().__init__()
        self.hands = Hands()
        self.loop = asyncio.new_event_loop()
        self.users: list[str] = []
        self.secrets: dict[str, str] = {}
        self.ended: set[str] = set()

    @initialize()
    def start(self) -> None:
        self.keeper = self.hands.keeper()

    def teardown(self) -> None:
        self.loop.close()

    def do(self, work):
        """Does it, or says that it was refused."""
        try:
            return self.loop.run_until_complete(work)
        except Refused:
            return None

    def some(self, data: st.DataObject) -> str:
        return data.draw(st.sampled_from(self.users))

    @property
    def known(self) -> Directory:
        return self.keeper.directory

    @rule(held=st.lists(helds, max_size=2))
    def come(self, held: list[Held]) -> None:
        made = self.do(self.keeper.make_user(BY, f"login{len(self.users)}", "N", PASSWORD, held))
        self.users.append(made)

    @precondition(lambda self: self.users)
    @rule(data=st.data(), held=helds)
    def grant(self, data: st.DataObject, held: Held) -> None:
        self.do(self.keeper.grant(BY, self.some(data), held))

    @precondition(lambda self: self.users)
    @rule(data=st.data())
    def withdraw(self, data: st.DataObject) -> None:
        user = self.some(data)
        for held in self.known.roles_of(user)[:1]:
            self.do(self.keeper.withdraw(BY, user, held.role, held.area))

    @precondition(lambda self: self.users)
    @rule(data=st.data())
    def close_or_open(self, data: st.DataObject) -> None:
        user = self.some(data)
        person = self.known.user(user)
        assert person is not None
        if person.closed:
            self.do(self.keeper.reopen_user(BY, user))
        else:
            self.ended |= {session.id for session in self.known.sessions_of(user)}
            self.do(self.keeper.close_user(BY, user))

    @precondition(lambda self: self.users)
    @rule(data=st.data())
    def enter(self, data: st.DataObject) -> None:
        user = self.some(data)
        try:
            opened = self.do(self.keeper.log_in(f"login{self.users.index(user)}", PASSWORD, "peer"))
        except TooMany:
            return  # a closed account was tried too often
        person = self.known.user(user)
        assert person is not None
        assert (opened is None) == person.closed
        if opened is not None:
            assert self.known.session_of(secret_digest(opened[1]), self.hands.now) == opened[0]

    @precondition(lambda self: self.users)
    @rule(data=st.data(), held=helds)
    def make_token(self, data: st.DataObject, held: Held) -> None:
        user = self.some(data)
        scope = self.known.scope_of(user)
        made = self.do(self.keeper.make_token(user, scope, "t", held, DAY_US))
        assert (made is not None) == lies_within(held.grant, scope)

    @precondition(lambda self: self.known.tokens)
    @rule(data=st.data())
    def revoke_token(self, data: st.DataObject) -> None:
        self.do(self.keeper.revoke_token(BY, data.draw(st.sampled_from(self.known.tokens)).id))

    @rule(later_us=st.sampled_from([SECOND_US, 20 * MINUTE_US, HOUR_US, 3 * HOUR_US, 13 * HOUR_US]))
    def wait(self, later_us: int) -> None:
        self.hands.now += later_us

    @invariant()
    def a_token_shows_no_more_than_its_maker(self) -> None:
        if not hasattr(self, "keeper"):
            return
        for token in self.known.tokens:
            scope, maker = self.known.scope_of_token(token), self.known.scope_of(token.maker)
            assert all(lies_within(grant, maker) for grant in scope.grants)

    @invariant()
    def who_is_closed_is_nobody(self) -> None:
        if not hasattr(self, "keeper"):
            return
        for user in self.known.users:
            if user.closed:
                assert not self.known.scope_of(user.id).grants
                assert not self.known.sessions_of(user.id)
                assert not any(token.maker == user.id for token in self.known.tokens)
        assert not any(self.known.alive(session, self.hands.now) for session in self.ended)

    @invariant()
    def memory_is_what_the_facts_say(self) -> None:
        if not hasattr(self, "keeper"):
            return
        again = Directory()
        for entry in self.hands.journal:
            again.take(entry.fact, entry.payload)
        assert again.users == self.known.users
        assert again.tokens == self.known.tokens
        for user in self.users:
            assert again.roles_of(user) == self.known.roles_of(user)
            assert again.sessions_of(user) == self.known.sessions_of(user)
            assert again.scope_of(user) == self.known.scope_of(user)


Accounts.TestCase.settings = settings(max_examples=40, stateful_step_count=25, deadline=None)
TestAccounts = Accounts.TestCase


def test_tokens_of_the_command_line_are_the_towns_own() -> None:
    keeper = Hands().keeper()
    held = Held("operator", "dijon", frozenset({"lighting"}))
    token, secret = asyncio.run(keeper.make_token(COMMAND_LINE, Scope.everything(), "meter", held, DAY_US))
    assert secret.startswith("vigie_")
    assert keeper.directory.scope_of_token(token) == Scope(frozenset({held.grant}))
    assert keeper.directory.token_of(secret_digest(secret), NOW_US + DAY_US - 1) == token
    assert keeper.directory.token_of(secret_digest(secret), NOW_US + DAY_US) is None
