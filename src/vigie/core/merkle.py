"""The Merkle tree of RFC 6962, section 2: roots, inclusion proofs and consistency proofs.

The tree is kept as the hashes of its complete subtrees, addressed by (level, index): node (0, i) is the hash of leaf
i, node (l, i) covers the leaves from i * 2**l. A leaf appended completes at most log2(n) nodes, and nothing that
was written is ever changed.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence

Node = Callable[[int, int], bytes]
"""node(level, index) -> the hash of a complete subtree."""

EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(leaf: bytes) -> bytes:
    """The hash of a leaf (the 0x00 keeps a leaf from passing for a node)."""
    return hashlib.sha256(b"\0" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of an inner node."""
    return hashlib.sha256(b"\1" + left + right).digest()


def completed(size: int, hashed: bytes, node: Node) -> list[tuple[int, int, bytes]]:
    """The nodes (level, index, hash) that become complete when leaf number `size` (from 0) is appended."""
    nodes = [(0, size, hashed)]
    level, index = 0, size
    while index & 1:
        hashed = node_hash(node(level, index - 1), hashed)
        level, index = level + 1, index >> 1
        nodes.append((level, index, hashed))
    return nodes


def root(size: int, node: Node) -> bytes:
    """The Merkle tree hash of the first `size` leaves."""
    return _subtree(0, size, node) if size else EMPTY_ROOT


def inclusion(index: int, size: int, node: Node) -> list[bytes]:
    """The audit path of leaf `index` in the tree of `size` leaves (RFC 6962, 2.1.1). Raises IndexError."""
    if not 0 <= index < size:
        raise IndexError(f"no leaf {index} in a tree of {size}")
    path: list[bytes] = []
    low, high = 0, size
    while high - low > 1:
        middle = low + _split(high - low)
        if index < middle:
            path.append(_subtree(middle, high, node))
            high = middle
        else:
            path.append(_subtree(low, middle, node))
            low = middle
    return path[::-1]


def consistency(old: int, new: int, node: Node) -> list[bytes]:
    """The proof that the tree of `new` leaves extends the one of `old` (RFC 6962, 2.1.2). Raises IndexError."""
    if not 0 < old <= new:
        raise IndexError(f"no proof from {old} to {new}")
    path: list[bytes] = []
    low, high, whole = 0, new, True
    while old != high:
        middle = low + _split(high - low)
        if old <= middle:
            path.append(_subtree(middle, high, node))
            high = middle
        else:
            path.append(_subtree(low, middle, node))
            low, whole = middle, False
    if not whole:
        path.append(_subtree(low, high, node))
    return path[::-1]


def root_from_inclusion(hashed: bytes, index: int, size: int, path: Sequence[bytes]) -> bytes | None:
    """The root that an audit path leads to; None if the path's length is impossible."""
    if not 0 <= index < size:
        return None
    position, last = index, size - 1
    for sibling in path:
        if last == 0:
            return None
        if position & 1 or position == last:
            hashed = node_hash(sibling, hashed)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            hashed = node_hash(hashed, sibling)
        position, last = position >> 1, last >> 1
    return hashed if last == 0 else None


def is_consistent(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """Whether the proof shows that the new tree extends the old (the algorithm of RFC 9162, 2.1.4.2)."""
    if old == new:
        return not path and old_root == new_root
    if not 0 < old < new or not path:
        return False
    proof = list(path) if old & (old - 1) else [old_root, *path]
    position, last = old - 1, new - 1
    while position & 1:
        position, last = position >> 1, last >> 1
    first = second = proof[0]
    for sibling in proof[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            while not position & 1 and position:
                position, last = position >> 1, last >> 1
        else:
            second = node_hash(second, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _subtree(low: int, high: int, node: Node) -> bytes:
    """The hash over the leaves [low, high); low is a multiple of the complete subtrees it is made of."""
    hashed: bytes | None = None
    parts: list[bytes] = []
    while low < high:
        level = min((low & -low).bit_length() - 1 if low else 63, (high - low).bit_length() - 1)
        parts.append(node(level, low >> level))
        low += 1 << level
    for part in reversed(parts):
        hashed = part if hashed is None else node_hash(part, hashed)
    return EMPTY_ROOT if hashed is None else hashed
