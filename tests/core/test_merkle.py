"""The Merkle tree against the definition of RFC 6962, section 2.1, and its proofs against forgery."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from vigie.core import merkle

leaves_of = st.lists(st.binary(max_size=8), min_size=1, max_size=70)


def mth(leaves: Sequence[bytes]) -> bytes:
    """MTH as the RFC defines it, word for word."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(b"\x00" + leaves[0]).digest()
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return hashlib.sha256(b"\x01" + mth(leaves[:split]) + mth(leaves[split:])).digest()


class Tree:
    """A tree kept as the journal keeps it: leaf by leaf, each node written once."""

    def __init__(self, leaves: Sequence[bytes]) -> None:
        self.nodes: dict[tuple[int, int], bytes] = {}
        for size, leaf in enumerate(leaves):
            for level, index, hashed in merkle.completed(size, merkle.leaf_hash(leaf), self.node):
                assert (level, index) not in self.nodes
                self.nodes[level, index] = hashed

    def node(self, level: int, index: int) -> bytes:
        return self.nodes[level, index]


def flipped(data: bytes, bit: int) -> bytes:
    at = bit % (len(data) * 8)
    return data[: at // 8] + bytes([data[at // 8] ^ 1 << at % 8]) + data[at // 8 + 1 :]


def test_the_empty_tree_has_the_root_of_the_rfc() -> None:
    assert merkle.root(0, Tree([]).node).hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"


def test_one_empty_leaf_has_the_known_root() -> None:
    root = merkle.root(1, Tree([b""]).node)
    assert root.hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


@given(leaves_of)
def test_every_root_on_the_way_is_that_of_the_definition(leaves: list[bytes]) -> None:
    tree = Tree(leaves)
    for size in range(len(leaves) + 1):
        assert merkle.root(size, tree.node) == mth(leaves[:size])


@settings(deadline=None)
@given(leaves_of, st.data())
def test_inclusion_holds_and_no_forgery_does(leaves: list[bytes], data: st.DataObject) -> None:
    size = data.draw(st.integers(1, len(leaves)))
    index = data.draw(st.integers(0, size - 1))
    tree = Tree(leaves)
    root, path = merkle.root(size, tree.node), merkle.inclusion(index, size, tree.node)
    hashed = merkle.leaf_hash(leaves[index])
    assert merkle.root_from_inclusion(hashed, index, size, path) == root

    bit = data.draw(st.integers(0, 10_000))
    assert merkle.root_from_inclusion(flipped(hashed, bit), index, size, path) != root
    if path:
        at = data.draw(st.integers(0, len(path) - 1))
        forged = [*path[:at], flipped(path[at], bit), *path[at + 1 :]]
        assert merkle.root_from_inclusion(hashed, index, size, forged) != root
        assert merkle.root_from_inclusion(hashed, index, size, path[:-1]) != root
    assert merkle.root_from_inclusion(hashed, index, size, [*path, hashed]) != root


@settings(deadline=None)
@given(st.integers(1, 40), st.data())
def test_a_leaf_is_in_no_other_place(count: int, data: st.DataObject) -> None:
    leaves = [bytes([n]) for n in range(count)]
    tree = Tree(leaves)
    index = data.draw(st.integers(0, count - 1))
    path, root = merkle.inclusion(index, count, tree.node), merkle.root(count, tree.node)
    hashed = merkle.leaf_hash(leaves[index])
    found = [at for at in range(-1, count + 2) if merkle.root_from_inclusion(hashed, at, count, path) == root]
    assert found == [index]


@settings(deadline=None)
@given(leaves_of, st.data())
def test_consistency_holds_and_no_forgery_does(leaves: list[bytes], data: st.DataObject) -> None:
    new = data.draw(st.integers(1, len(leaves)))
    old = data.draw(st.integers(1, new))
    tree = Tree(leaves)
    before, after = merkle.root(old, tree.node), merkle.root(new, tree.node)
    path = merkle.consistency(old, new, tree.node)
    assert merkle.is_consistent(old, new, before, after, path)

    bit = data.draw(st.integers(0, 10_000))
    assert not merkle.is_consistent(old, new, flipped(before, bit), after, path)
    assert not merkle.is_consistent(old, new, before, flipped(after, bit), path)
    assert not merkle.is_consistent(old, new, before, after, [*path, after])
    for at in range(len(path)):
        forged = [*path[:at], flipped(path[at], bit), *path[at + 1 :]]
        assert not merkle.is_consistent(old, new, before, after, forged)
        assert not merkle.is_consistent(old, new, before, after, path[:at])


@settings(deadline=None)
@given(st.integers(2, 40), st.data())
def test_a_rewritten_past_has_no_proof(count: int, data: st.DataObject) -> None:
    leaves = [bytes([n]) for n in range(count)]
    old = data.draw(st.integers(1, count - 1))
    changed = data.draw(st.integers(0, old - 1))
    rewritten = Tree([*leaves[:changed], b"another", *leaves[changed + 1 :]])
    before, after = mth(leaves[:old]), merkle.root(count, rewritten.node)
    assert not merkle.is_consistent(old, count, before, after, merkle.consistency(old, count, rewritten.node))


@pytest.mark.parametrize(("index", "size"), [(0, 0), (3, 3), (-1, 3)])
def test_no_path_of_a_leaf_that_is_not_there(index: int, size: int) -> None:
    with pytest.raises(IndexError):
        merkle.inclusion(index, size, Tree([b"a", b"b", b"c"]).node)


@pytest.mark.parametrize(("old", "new"), [(0, 3), (3, 2), (-1, 2)])
def test_no_proof_backwards_or_from_nothing(old: int, new: int) -> None:
    tree = Tree([b"a", b"b", b"c"])
    with pytest.raises(IndexError):
        merkle.consistency(old, new, tree.node)
    assert not merkle.is_consistent(old, new, mth([]), mth([b"a"]), [mth([b"a"])])


@given(st.binary(), st.binary())
def test_a_node_never_passes_for_a_leaf(left: bytes, right: bytes) -> None:
    assert merkle.node_hash(left, right) != merkle.leaf_hash(left + right)
