"""Substrate's tries: the root that binds a list of extrinsics, or a state, to a block's header. Pure.

A node is a byte that tells its kind and how many nibbles of the key it holds, those nibbles, its value, and its
children; whoever refers to a node of 32 bytes or more names its hash (blake2b-256). Layout: `sp-trie` of polkadot-sdk.
State version 1 stores a value of 33 bytes or more apart, under its own hash.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from hashlib import blake2b

Nodes = dict[bytes, bytes]
"""hash -> the bytes that have it."""

_LEAF, _BRANCH, _BRANCH_VALUE = (0x40, 6), (0x80, 6), (0xC0, 6)  # first byte, and the bits that count nibbles
_LEAF_HASHED, _BRANCH_HASHED = (0x20, 5), (0x10, 4)
_APART_FROM = 33
_HASH_BYTES = 32


class Unproven(ValueError):
    """Nodes that prove neither what stands under a key nor that nothing does."""


def hash_of(data: bytes) -> bytes:
    """blake2b-256: 32 bytes."""
    return blake2b(data, digest_size=_HASH_BYTES).digest()


EMPTY_ROOT = hash_of(b"\x00")


def compact(number: int) -> bytes:
    """A whole number as SCALE writes lengths and counts."""
    if number < 2**6:
        return bytes([number << 2])
    if number < 2**14:
        return (number << 2 | 1).to_bytes(2, "little")
    if number < 2**30:
        return (number << 2 | 2).to_bytes(4, "little")
    raw = number.to_bytes((number.bit_length() + 7) // 8, "little")
    return bytes([(len(raw) - 4) << 2 | 3]) + raw


def read_compact(data: bytes, start: int) -> tuple[int, int]:
    """(the number written there, the place after it). ValueError where the bytes end before."""
    first = data[start] if start < len(data) else 0
    width = (1, 2, 4, (first >> 2) + 5)[first & 3]
    if start + width > len(data):
        raise ValueError("the bytes end too early: they end within a number")
    if first & 3 == 3:
        return int.from_bytes(data[start + 1 : start + width], "little"), start + width
    return int.from_bytes(data[start : start + width], "little") >> 2, start + width


def body_roots(extrinsics: Sequence[bytes]) -> tuple[bytes, bytes]:
    """What a header's extrinsicsRoot may be for this body: by state version 0, as all runtimes so far, or 1.

    extrinsics: as chain_getBlock gives them, length prefix included. Source: sp-runtime, `ordered_trie_root`.
    """
    pairs = [(compact(place), raw) for place, raw in enumerate(extrinsics)]
    return root(pairs, version=0), root(pairs, version=1)


def root(pairs: Iterable[tuple[bytes, bytes]], *, version: int, nodes: Nodes | None = None) -> bytes:
    """The root (32 bytes) of a trie. pairs: (key, value), each key once. nodes: collects what a proof is made of."""
    kept: Nodes = {} if nodes is None else nodes
    items = sorted((key.hex(), value) for key, value in pairs)
    return _kept(_node(items, 0, version, kept), kept) if items else EMPTY_ROOT


def subtree(pairs: Iterable[tuple[bytes, bytes]], depth: int, *, version: int, nodes: Nodes | None = None) -> bytes:
    """The reference (a hash, or a short node itself) to what stands below a place that all keys share.

    depth: nibbles of the keys above that place. It stays the same while nothing below it changes.
    """
    kept: Nodes = {} if nodes is None else nodes
    return _reference(_node(sorted((key.hex(), value) for key, value in pairs), depth, version, kept), kept)


def branch(shared: str, children: Mapping[str, bytes], *, nodes: Nodes | None = None) -> bytes:
    """The root of a trie whose keys share some nibbles and then part. children: nibble -> reference (`subtree`)."""
    return _kept(_head(_BRANCH, shared) + _joined(children), {} if nodes is None else nodes)


def read(root_hash: bytes, proof: Iterable[bytes], key: bytes) -> bytes | None:
    """The value of a key under a root; None where the proof shows that there is none.

    proof: nodes in any order, as `state_getReadProof` gives them. Raises Unproven where they show neither.
    """
    return _walked(root_hash, {hash_of(node): node for node in proof}, key)[0]


def proof_of(root_hash: bytes, nodes: Nodes, keys: Iterable[bytes]) -> list[bytes]:
    """The nodes that show what stands under some keys, each once. nodes: of the whole trie."""
    return list(dict.fromkeys(node for key in keys for node in _walked(root_hash, nodes, key)[1]))


def _walked(root_hash: bytes, nodes: Nodes, key: bytes) -> tuple[bytes | None, list[bytes]]:
    """(the value of a key, None where there is none, and the nodes on the way to it)."""
    way: list[bytes] = []

    def looked_up(digest: bytes) -> bytes:
        if digest not in nodes:
            raise Unproven("the proof lacks a node")
        way.append(nodes[digest])
        return nodes[digest]

    rest, data = key.hex(), looked_up(root_hash)
    while True:
        nibbles, value, children = _taken_apart(data)
        if not rest.startswith(nibbles):
            return None, way
        rest = rest[len(nibbles) :]
        if not rest:
            if value is None:
                return None, way
            is_hash, content = value
            return looked_up(content) if is_hash else content, way
        child = children.get(rest[0])
        if child is None:
            return None, way
        rest, data = rest[1:], looked_up(child) if len(child) == _HASH_BYTES else child


def _node(items: Sequence[tuple[str, bytes]], depth: int, version: int, nodes: Nodes) -> bytes:
    """The node of items that share their first `depth` nibbles; items sorted by key."""
    first, last = items[0][0], items[-1][0]
    end = len(first) if len(items) == 1 else _parting(first, last, depth)
    ends_here = len(first) == end
    shared = first[depth:end]
    apart = ends_here and version == 1 and len(items[0][1]) >= _APART_FROM
    value = b""
    if ends_here:
        value = _kept(items[0][1], nodes) if apart else compact(len(items[0][1])) + items[0][1]
    if len(items) == 1:
        return _head(_LEAF_HASHED if apart else _LEAF, shared) + value
    children = dict[str, bytes]()
    start = int(ends_here)
    while start < len(items):
        nibble, stop = items[start][0][end], start + 1
        while stop < len(items) and items[stop][0][end] == nibble:
            stop += 1
        children[nibble] = _reference(_node(items[start:stop], end + 1, version, nodes), nodes)
        start = stop
    kind = _BRANCH if not ends_here else _BRANCH_HASHED if apart else _BRANCH_VALUE
    bitmap, references = _joined(children)[:2], _joined(children)[2:]
    return _head(kind, shared) + bitmap + value + references


def _parting(first: str, last: str, depth: int) -> int:
    """How many nibbles the first and the last of sorted keys share."""
    end = depth
    while end < len(first) and end < len(last) and first[end] == last[end]:
        end += 1
    return end


def _head(kind: tuple[int, int], nibbles: str) -> bytes:
    """The first bytes of a node: its kind, the number of its nibbles, and these, two a byte."""
    mark, bits = kind
    most, count = (1 << bits) - 1, len(nibbles)
    packed = bytes.fromhex("0" * (count % 2) + nibbles)
    if count < most:
        return bytes([mark | count]) + packed
    full, rest = divmod(count - most, 255)
    return bytes([mark | most]) + b"\xff" * full + bytes([rest]) + packed


def _joined(children: Mapping[str, bytes]) -> bytes:
    """Which children there are, 16 bits, and the reference to each with its length."""
    bitmap = sum(1 << int(nibble, 16) for nibble in children)
    return bitmap.to_bytes(2, "little") + b"".join(
        compact(len(children[nibble])) + children[nibble] for nibble in sorted(children)
    )


def _reference(node: bytes, nodes: Nodes) -> bytes:
    return node if len(node) < _HASH_BYTES else _kept(node, nodes)


def _kept(data: bytes, nodes: Nodes) -> bytes:
    digest = hash_of(data)
    nodes[digest] = data
    return digest


def _taken_apart(data: bytes) -> tuple[str, tuple[bool, bytes] | None, dict[str, bytes]]:
    """(nibbles, (whether it is a hash, value) or None, nibble -> reference). Raises Unproven for what is no node."""
    try:
        return _parts(data)
    except (ValueError, IndexError) as error:
        raise Unproven(f"a node that is none: {error}") from error


def _parts(data: bytes) -> tuple[str, tuple[bool, bytes] | None, dict[str, bytes]]:
    if data == b"\x00":
        return "", None, {}
    kinds = (_LEAF, _BRANCH, _BRANCH_VALUE, _LEAF_HASHED, _BRANCH_HASHED)
    kind = next((kind for kind in kinds if data[0] >> kind[1] == kind[0] >> kind[1]), None)
    if kind is None:
        raise ValueError("of no kind that there is")
    count, place = data[0] & (2 ** kind[1] - 1), 1
    if count == 2 ** kind[1] - 1:
        while True:
            count, place = count + data[place], place + 1
            if data[place - 1] < 255:
                break
    width = (count + 1) // 2
    nibbles = data[place : place + width].hex()
    if len(nibbles) != 2 * width or (count % 2 and nibbles[0] != "0"):
        raise ValueError("its nibbles end early, or are padded with something")
    place += width
    bitmap = 0
    if kind in (_BRANCH, _BRANCH_VALUE, _BRANCH_HASHED):
        bitmap, place = int.from_bytes(data[place : place + 2], "little"), place + 2
    value: tuple[bool, bytes] | None = None
    if kind in (_LEAF_HASHED, _BRANCH_HASHED):
        value, place = (True, data[place : place + _HASH_BYTES]), place + _HASH_BYTES
    elif kind != _BRANCH:
        content, place = _sized(data, place)
        value = (False, content)
    children = dict[str, bytes]()
    for number in range(16):
        if bitmap >> number & 1:
            children[f"{number:x}"], place = _sized(data, place)
    if place != len(data) or any(len(child) > _HASH_BYTES for child in children.values()):
        raise ValueError("it has not the length that it tells")
    return nibbles[count % 2 :], value, children


def _sized(data: bytes, place: int) -> tuple[bytes, int]:
    size, place = read_compact(data, place)
    return data[place : place + size], place + size
