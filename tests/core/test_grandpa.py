"""Justifications of public chains hold under their own set and under no other; what is made up is refused."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given, settings
from hypothesis import strategies as st

from valtrac.core import grandpa
from valtrac.core.grandpa import AuthoritySet, Change, Justification, Unfounded, Vote
from valtrac.core.header import header_bytes, read_header
from valtrac.core.trie import hash_of

VECTORS: dict[str, list[dict[str, Any]]] = json.loads(
    (Path(__file__).parent.parent / "data" / "grandpa-vectors.json").read_text(encoding="utf-8")
)
KEYS = [Ed25519PrivateKey.from_private_bytes(bytes([number]) * 32) for number in range(1, 8)]
PUBLIC = [key.public_key().public_bytes_raw() for key in KEYS]
SET = AuthoritySet(5, tuple((key, 1) for key in PUBLIC))
ROOTS = b"\x01" * 32, b"\x02" * 32


def raw(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def of_vector(vector: dict[str, Any]) -> tuple[bytes, AuthoritySet]:
    return raw(vector["bytes"]), AuthoritySet(vector["set_id"], tuple((raw(key), 1) for key in vector["authorities"]))


def checked(data: bytes, authorities: AuthoritySet) -> Justification:
    said = grandpa.read_justification(data)
    grandpa.check(said, authorities)
    return said


def refused(said: Justification, words: str, authorities: AuthoritySet = SET) -> None:
    with pytest.raises(Unfounded, match=words):
        grandpa.check(said, authorities)


def chain(first: int, blocks: int) -> list[bytes]:
    """Headers that link, in their bytes."""
    made, parent = list[bytes](), b"\x09" * 32
    for number in range(first, first + blocks):
        made.append(header_bytes(parent, number, *ROOTS, []))
        parent = hash_of(made[-1])
    return made


def vote(voter: int, header: bytes, number: int, *, round_: int = 3, of: AuthoritySet = SET) -> Vote:
    signature = KEYS[voter].sign(grandpa.vote_bytes(hash_of(header), number, round_, of.number))
    return Vote(hash_of(header), number, signature, PUBLIC[voter])


HEADERS = chain(100, 4)
LINKS = tuple(read_header(header, 0)[0] for header in HEADERS)
TARGET = HEADERS[0]


def justified(*votes: Vote, ancestries: tuple[int, ...] = ()) -> Justification:
    return Justification(3, hash_of(TARGET), 100, votes, tuple(LINKS[place] for place in ancestries))


@pytest.mark.parametrize("vector", VECTORS["justifications"], ids=lambda vector: vector["source"][:40])
def test_a_justification_of_a_public_chain_holds_and_under_no_other_set(vector: dict[str, Any]) -> None:
    data, authorities = of_vector(vector)
    said = checked(data, authorities)
    assert str(said.number) in vector["source"]
    refused(said, "not for this set", replace(authorities, number=authorities.number + 1))
    refused(said, "not of the set", AuthoritySet(authorities.number, SET.weights))
    strangers = tuple((bytes([number]) * 32, 1) for number in range(len(authorities.weights)))
    refused(said, "are needed", replace(authorities, weights=(*authorities.weights, *strangers)))
    refused(replace(said, hash=bytes(32)), "does not come after", authorities)
    again = grandpa.justification_bytes(said.round, said.hash, said.number, said.votes)
    assert again == data


@pytest.mark.parametrize("vector", VECTORS["justifications"], ids=lambda vector: vector["source"][:40])
def test_no_justification_holds_with_a_bit_changed_or_a_byte_more_or_less(vector: dict[str, Any]) -> None:
    data, authorities = of_vector(vector)
    for place in range(0, len(data), 7):
        with pytest.raises(Unfounded):
            checked(data[:place] + bytes([data[place] ^ 4]) + data[place + 1 :], authorities)
    for other in (data[:-1], data + b"\x00", b"", data[:44]):
        with pytest.raises(Unfounded):
            checked(other, authorities)


def test_the_authorities_of_bittensors_testnet_are_read() -> None:
    (vector,) = VECTORS["authority_sets"]
    weights = grandpa.read_weights(raw(vector["bytes"]))
    assert len(AuthoritySet(0, weights).weights) == 6
    assert grandpa.weights_bytes(weights) == raw(vector["bytes"])
    for other in (raw(vector["bytes"])[:-1], raw(vector["bytes"]) + b"\x00"):
        with pytest.raises(ValueError, match="list of authorities"):
            grandpa.read_weights(other)


def test_a_header_of_a_public_chain_is_read_to_its_last_byte() -> None:
    (vector,) = VECTORS["headers"]
    header = raw(vector["bytes"])
    linked, end = read_header(b"\x00" + header + b"\x00", 1)
    assert (end - 1, linked.number) == (len(header), 29_378_183)
    for short in (header[:-1], header[:60], b""):
        with pytest.raises(ValueError, match="too early"):
            read_header(short, 0)


@pytest.mark.parametrize(("weights", "needed"), [([1], 1), ([1] * 3, 3), ([1] * 4, 3), ([1] * 7, 5), ([10, 1, 1], 9)])
def test_more_than_two_thirds_of_the_weight_are_needed(weights: list[int], needed: int) -> None:
    assert AuthoritySet(0, tuple((bytes([n]) * 32, weight) for n, weight in enumerate(weights))).needed == needed


def test_votes_for_later_blocks_count_where_headers_lead_back() -> None:
    votes = [vote(0, TARGET, 100), vote(1, TARGET, 100), vote(2, HEADERS[1], 101), vote(3, HEADERS[3], 103)]
    said = justified(*votes, vote(4, HEADERS[2], 102), ancestries=(1, 2, 3))
    grandpa.check(said, SET)
    data = grandpa.justification_bytes(3, said.hash, 100, said.votes, HEADERS[1:])
    assert grandpa.read_justification(data) == said
    refused(replace(said, ancestries=said.ancestries[1:]), "does not come after")
    refused(justified(*(vote(n, TARGET, 100) for n in range(5)), ancestries=(1,)), "lead from no vote")
    wrong_height = replace(vote(4, TARGET, 100), number=101)
    refused(justified(*votes[:2], vote(3, TARGET, 100), vote(5, TARGET, 100), wrong_height), "another height")


def test_who_signs_twice_counts_once() -> None:
    few = [vote(n, TARGET, 100) for n in range(4)]
    refused(justified(*few, few[0]), "votes of 4, and 5")
    refused(justified(*few, vote(0, HEADERS[1], 101), ancestries=(1,)), "votes of 4, and 5")
    refused(justified(*few, few[0], few[0]), "more than two votes")
    grandpa.check(justified(*few, few[0], vote(4, TARGET, 100)), SET)


def other_round(said: Justification) -> Justification:
    return replace(said, round=4)


def a_stranger(said: Justification) -> Justification:
    return replace(said, votes=(*said.votes[:-1], replace(said.votes[-1], key=b"\x05" * 32)))


def somebody_elses(said: Justification) -> Justification:
    return replace(said, votes=(*said.votes[:-1], replace(said.votes[-1], key=PUBLIC[6])))


def one_bad_among_enough(said: Justification) -> Justification:
    bad = replace(vote(5, TARGET, 100), signature=bytes(64))
    return replace(said, votes=(*said.votes, bad))


@pytest.mark.parametrize("change", [other_round, a_stranger, somebody_elses, one_bad_among_enough])
def test_a_vote_that_is_not_one_spoils_it(change: Callable[[Justification], Justification]) -> None:
    said = justified(*(vote(n, TARGET, 100) for n in range(5)))
    grandpa.check(said, SET)
    refused(change(said), "signature|not of the set")


@settings(max_examples=60, deadline=None)
@given(st.lists(st.integers(0, 6), max_size=9), st.lists(st.integers(1, 5), min_size=7, max_size=7))
def test_it_holds_just_where_the_weight_of_different_voters_is_enough(voters: list[int], weights: list[int]) -> None:
    authorities = AuthoritySet(5, tuple(zip(PUBLIC, weights, strict=True)))
    said = justified(*(vote(voter, TARGET, 100) for voter in voters))
    enough = 3 * sum(weights[voter] for voter in set(voters)) > 2 * sum(weights)
    if enough and max(map(voters.count, voters)) <= 2:
        grandpa.check(said, authorities)
    else:
        refused(said, "are needed|more than two votes", authorities)


@pytest.mark.parametrize("forced", [False, True])
def test_an_announcement_is_read_back_and_a_forced_one_goes_before(forced: bool) -> None:
    change = Change(SET.weights, 7, forced)
    other = grandpa.announcement(Change(SET.weights[:1], 1, forced=False))
    seal = b"\x05FRNK\x04\x01"
    assert grandpa.announced([b"\x06aura\x04\x01", seal]) is None
    assert grandpa.announced([seal, grandpa.announcement(change, 9)]) == change
    assert grandpa.announced([b"\x04FRNK\x14\x03\x01\x02\x03\x04"]) is None  # somebody is disabled
    assert grandpa.announced([other, grandpa.announcement(change, 9)]) == (
        change if forced else grandpa.announced([other])
    )
    for bad in (grandpa.announcement(change)[:-1], b"\x04FRNK\x00", b"\x04FRNK\x04\x01"):
        with pytest.raises(ValueError, match=r"announcement|authorities|too early"):
            grandpa.announced([bad])


@given(st.binary(max_size=400))
def test_whatever_a_node_sends_is_a_justification_or_refused(data: bytes) -> None:
    with pytest.raises(Unfounded):
        checked(data, SET)


def test_nobody_and_somebody_twice_are_no_set() -> None:
    for weights in ((), (SET.weights[0],) * 2, ((b"\x01", 1),), ((b"\x01" * 32, 0),)):
        with pytest.raises(ValueError, match="authorit"):
            AuthoritySet(0, weights)
