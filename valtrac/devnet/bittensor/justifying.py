"""Justifications of the rehearsal chain's blocks, signed when a reader asks: at each period, and where a set ends."""

from __future__ import annotations

import sqlite3

from valtrac.core import grandpa
from valtrac.core.grandpa import ENGINE, Vote, vote_bytes
from valtrac.core.trie import hash_of
from valtrac.devnet.bittensor import authorities, faults, headers, state
from valtrac.devnet.bittensor.state import BlockRow, Settings

_PLACES = 3  # a period's justification is of its first, second or third block: the first that was made final in it


def justifications(db: sqlite3.Connection, block: BlockRow) -> list[list[list[int]]] | None:
    """What `chain_getBlock` says of the finality of a block: (engine, bytes) of each justification, or None."""
    made = justification(db, block)
    return None if made is None else [[list(ENGINE), list(made)]]


def justification(db: sqlite3.Connection, block: BlockRow) -> bytes | None:
    """The justification that is kept for a block; None where there is none, or where a fault has it so."""
    chain, fault = state.settings(db), faults.fault(db, "justifications")
    changes = authorities.planned(db)
    ends_a_set = any(change.in_force == block.number and not change.forced for change in changes)
    if not chain.authorities_from <= block.number <= chain.finalized or not block.number or fault == "none":
        return None
    if not (ends_a_set or _is_due(chain, block.number)):
        return None
    target = hash_of(block.hash.encode()) if fault == "elsewhere" else bytes.fromhex(block.hash[2:])
    votes, ancestries = _votes(db, chain, block.number, target, authorities.set_deciding(changes, block.number))
    if fault == "few":
        votes, ancestries = votes[1:], []
    if fault == "forged":
        votes[-1] = Vote(votes[-1].hash, votes[-1].number, votes[0].signature, votes[-1].key)
    return grandpa.justification_bytes(block.number, target, block.number, votes, ancestries)


def _votes(
    db: sqlite3.Connection, chain: Settings, number: int, target: bytes, set_number: int
) -> tuple[list[Vote], list[bytes]]:
    """As many votes as are needed, the first of them for the next block where there is one, and its header then."""
    keys = authorities.keys(chain.authorities_seed, set_number)
    authority_set = authorities.authority_set(chain, set_number)
    after = state.block_by_number(db, number + 1)
    links = after is not None and after.parent == "0x" + target.hex()
    places = [(target, number)] * authority_set.needed
    ancestries = list[bytes]()
    if links and after is not None:
        places[0] = bytes.fromhex(after.hash[2:]), number + 1
        ancestries.append(headers.in_bytes(after))
    votes = [
        Vote(hash_, height, key.sign(vote_bytes(hash_, height, number, set_number)), public)
        for (hash_, height), key, (public, _) in zip(places, keys, authority_set.weights, strict=False)
    ]
    return votes, ancestries


def _is_due(chain: Settings, number: int) -> bool:
    every = chain.justifies_every
    return number % every == (number // every) % min(_PLACES, every)
