"""Facts: one form of bytes for each, and nothing personal to be learned from it."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from vigie.core.facts import (
    AnyFact,
    AssetsTaken,
    ConditionMoved,
    ConditionRaised,
    DeviceAdmitted,
    DeviceExpelled,
    GatewayReread,
    InstallationMade,
    PersonalErased,
    commitment,
    digest,
    fact_of,
    leaf_bytes,
)

words = st.text(max_size=6)
numbers = st.integers(0, 2**53)
evidence = st.dictionaries(words, words | st.floats(allow_nan=False, allow_infinity=False), max_size=3)
common = {"id": words, "at": numbers, "actor": words, "sealed": st.dictionaries(words, words, max_size=3)}
counts = dict.fromkeys(("made", "changed", "unchanged", "retired", "rejected"), numbers)
moved = dict.fromkeys(("condition", "event", "state"), words)
raised = dict.fromkeys(("condition", "kind", "asset", "state"), words)

facts: st.SearchStrategy[AnyFact] = st.one_of(
    st.builds(InstallationMade, **common, city=words, shard=words, key=words),
    st.builds(AssetsTaken, **common, **counts, source=words, items=words),
    st.builds(ConditionRaised, **common, **raised, evidence=evidence, received=numbers),
    st.builds(ConditionMoved, **common, **moved),
    st.builds(DeviceAdmitted, **common, device=words, count=numbers, items=words),
    st.builds(DeviceExpelled, **common, device=words),
    st.builds(GatewayReread, **common, device=words),
    st.builds(PersonalErased, **common, rule=words, fields=st.lists(words, max_size=3)),
)


@given(facts)
def test_a_leaf_says_its_fact_and_has_one_form(fact: AnyFact) -> None:
    leaf = leaf_bytes(fact)
    assert fact_of(leaf) == fact
    assert leaf_bytes(fact_of(leaf)) == leaf


@given(facts)
def test_the_keys_of_a_leaf_are_sorted_at_every_depth(fact: AnyFact) -> None:
    def in_order(pairs: list[tuple[str, object]]) -> dict[str, object]:
        names = [name for name, _ in pairs]
        assert names == sorted(names, key=str.encode)
        return dict(pairs)

    said = json.loads(leaf_bytes(fact), object_pairs_hook=in_order)
    assert said["type"] == type(fact).__name__


@given(facts, facts)
def test_two_facts_never_share_a_leaf(one: AnyFact, other: AnyFact) -> None:
    assert (leaf_bytes(one) == leaf_bytes(other)) == (one == other)


@given(st.binary(min_size=16, max_size=16), st.binary(min_size=16, max_size=16), words, words)
def test_a_commitment_binds_its_value_and_its_salt(salt: bytes, other_salt: bytes, value: str, other: str) -> None:
    sealed = commitment(salt, value)
    assert (sealed == commitment(salt, other)) == (value == other)
    assert (sealed == commitment(other_salt, value)) == (salt == other_salt)


def test_a_commitment_is_hmac_sha256() -> None:
    """RFC 4231, test case 2."""
    sealed = commitment(b"Jefe", "what do ya want for nothing?")
    assert sealed == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"


@given(st.lists(st.binary(max_size=3), max_size=4), st.lists(st.binary(max_size=3), max_size=4))
def test_a_digest_knows_where_a_part_ends(one: list[bytes], other: list[bytes]) -> None:
    assert (digest(*one) == digest(*other)) == (one == other)
