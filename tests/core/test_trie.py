"""Tries and headers of Substrate, against blocks and proofs of public chains and against themselves."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from valtrac.core import trie
from valtrac.core.header import header_hash
from valtrac.core.trie import Unproven

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent.parent / "data" / "substrate-vectors.json").read_text(encoding="utf-8")
)


def raw(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def hash_of_header(header: dict[str, Any]) -> bytes:
    logs = [raw(log) for log in header["digest"]["logs"]]
    roots = raw(header["stateRoot"]), raw(header["extrinsicsRoot"])
    return header_hash(raw(header["parentHash"]), int(header["number"], 16), *roots, logs)


def told(vector: dict[str, Any], nodes: list[bytes]) -> str | None:
    """What a proof shows: a value in hexadecimal, None for nothing there, `incomplete` for neither."""
    try:
        value = trie.read(raw(vector["root"]), nodes, raw(vector["key"]))
    except Unproven:
        return "incomplete"
    return None if value is None else value.hex()


@pytest.mark.parametrize("vector", VECTORS["headers"], ids=lambda vector: vector["source"][:40])
def test_a_header_of_a_public_chain_has_the_hash_that_everybody_knows(vector: dict[str, Any]) -> None:
    assert hash_of_header(vector["header"]).hex() == vector["hash"].removeprefix("0x")


@pytest.mark.parametrize("vector", VECTORS["bodies"], ids=lambda vector: vector["source"][:40])
def test_a_body_has_the_root_of_its_header_and_no_other_body_has(vector: dict[str, Any]) -> None:
    body, known = [raw(text) for text in vector["extrinsics"]], raw(vector["root"])
    assert trie.body_roots(body)[vector["version"]] == known
    changed = [body[0][:-1] + bytes([body[0][-1] ^ 1]), *body[1:]]
    turned = body[::-1] if len(body) > 1 else body * 2
    for other in (body[:-1], [*body, body[-1]], turned, changed):
        assert known not in trie.body_roots(other)


@pytest.mark.parametrize("vector", VECTORS["proofs"], ids=lambda vector: vector["source"][:40])
def test_a_proof_says_what_it_says_or_nothing(vector: dict[str, Any]) -> None:
    nodes = [raw(node) for node in vector["nodes"]]
    assert told(vector, nodes) == vector["value"]
    for place, node in enumerate(nodes):
        without, forged = nodes[:place] + nodes[place + 1 :], node[:-1] + bytes([node[-1] ^ 1])
        for lie in (without, [*without, forged]):
            assert told(vector, lie) in (vector["value"], "incomplete")


KEYS = st.binary(min_size=1, max_size=4) | st.binary(min_size=30, max_size=34)
VALUES = st.binary(max_size=3) | st.binary(min_size=31, max_size=35)


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=40), st.sampled_from([0, 1]), KEYS)
def test_whatever_a_trie_holds_is_read_back_under_its_root(
    pairs: dict[bytes, bytes], version: int, other: bytes
) -> None:
    nodes: trie.Nodes = {}
    root = trie.root(pairs.items(), version=version, nodes=nodes)
    for key in {*pairs, other}:
        assert trie.read(root, nodes.values(), key) == pairs.get(key)


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=20), st.integers(0, 10**9))
def test_one_pair_more_or_less_is_another_root(pairs: dict[bytes, bytes], pick: int) -> None:
    less = dict(pairs)
    less.pop(sorted(pairs)[pick % len(pairs)])
    assert trie.root(pairs.items(), version=1) != trie.root(less.items(), version=1)


@pytest.mark.parametrize("number", [0, 63, 64, 2**14 - 1, 2**14, 2**30 - 1, 2**30, 2**64, 2**100])
def test_a_number_is_read_as_it_was_written(number: int) -> None:
    written = trie.compact(number)
    assert trie.read_compact(b"\x07" + written + b"\x09", 1) == (number, 1 + len(written))
    with pytest.raises(ValueError, match="end within"):
        trie.read_compact(written[:-1] if len(written) > 1 else b"", 0)


def test_a_part_of_a_trie_is_the_same_part_when_the_rest_changes() -> None:
    left, right = {b"\x11\x01": b"a", b"\x11\x02": b"b"}, {b"\x12\x01": b"c"}
    parts = {
        "1": trie.subtree(left.items(), 2, version=1),
        "2": trie.subtree(right.items(), 2, version=1),
    }
    assert trie.branch("1", parts) == trie.root([*left.items(), *right.items()], version=1)
