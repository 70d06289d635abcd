"""The rehearsal chain's blocks are made final by authorities of its own, who are in its state and sign it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest

from tests.devnet.bittensor.conftest import TAO, Bench
from valtrac.core import grandpa, trie
from valtrac.core.errors import BadInput
from valtrac.core.grandpa import AuthoritySet, Justification, Unfounded
from valtrac.devnet.bittensor import authorities
from valtrac.devnet.bittensor.codec import codec


@pytest.fixture
def bench(make: Callable[..., Bench]) -> Bench:
    return make(justifies_every=8)


def raw(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))


def hash_at(bench: Bench, number: int) -> str:
    found: str = bench.rpc("chain_getBlockHash", number)
    return found


def kept(bench: Bench, number: int) -> bytes | None:
    found = bench.rpc("chain_getBlock", hash_at(bench, number))["justifications"]
    if found is None:
        return None
    ((engine, data),) = found
    assert bytes(engine) == b"FRNK"
    return bytes(data)


def justified(bench: Bench, number: int) -> Justification:
    data = kept(bench, number)
    assert data is not None
    return grandpa.read_justification(data)


def proven(bench: Bench, key: bytes, number: int) -> bytes | None:
    at = hash_at(bench, number)
    root = raw(bench.rpc("chain_getHeader", at)["stateRoot"])
    return trie.read(root, [raw(n) for n in bench.rpc("state_getReadProof", ["0x" + key.hex()], at)["proof"]], key)


def set_at(bench: Bench, number: int) -> AuthoritySet:
    weights, current = (proven(bench, key, number) for key in (authorities.AUTHORITIES_KEY, authorities.SET_KEY))
    assert weights is not None and current is not None
    return AuthoritySet(int.from_bytes(current, "little"), grandpa.read_weights(weights))


def digests(bench: Bench, number: int) -> grandpa.Change | None:
    header = bench.rpc("chain_getHeader", hash_at(bench, number))
    return grandpa.announced([raw(log) for log in header["digest"]["logs"]])


def test_the_keys_of_the_state_are_those_of_the_runtime() -> None:
    names = {"Authorities": authorities.AUTHORITIES_KEY, "CurrentSetId": authorities.SET_KEY}
    for name, key in {**names, "PendingChange": authorities.PENDING_KEY}.items():
        assert codec().storage_key(codec().storage_entry("Grandpa", name), []) == key


def test_one_block_of_each_period_is_justified_by_those_in_the_state(bench: Bench) -> None:
    bench.land(bench.transfer("//ann", TAO))
    bench.advance(60)
    found = [number for number in range(60) if kept(bench, number) is not None]
    assert [number // 8 for number in found] == list(range(1, 7)) or [n // 8 for n in found] == list(range(1, 8))
    assert len({number % 8 for number in found}) > 1
    for number in found:
        said = justified(bench, number)
        assert (said.number, "0x" + said.hash.hex()) == (number, hash_at(bench, number))
        grandpa.check(said, set_at(bench, number))
        assert [link.number for link in said.ancestries] == [number + 1]


def test_nothing_that_is_not_final_is_justified(bench: Bench) -> None:
    bench.misbehave(hold_finality=True)
    bench.advance(30)
    assert [number for number in range(30) if kept(bench, number) is not None] == []


@pytest.mark.parametrize("delay", [0, 3])
def test_another_set_is_announced_ends_the_old_one_and_decides_from_then_on(bench: Bench, delay: int) -> None:
    bench.advance(10)
    old = set_at(bench, 10)
    bench.misbehave(change_authorities=delay)
    bench.advance(30)
    change = digests(bench, 11)
    assert change is not None and (change.delay, change.forced) == (delay, False)
    assert [number for number in range(1, 40) if digests(bench, number)] == [11]
    end = 11 + delay
    assert set_at(bench, end) == AuthoritySet(1, change.weights)
    assert set_at(bench, end - 1).number == 0
    assert (proven(bench, authorities.PENDING_KEY, 11) is not None) == bool(delay)
    assert proven(bench, authorities.PENDING_KEY, end) is None
    grandpa.check(justified(bench, end), old)
    later = next(number for number in range(end + 1, 40) if kept(bench, number))
    grandpa.check(justified(bench, later), set_at(bench, end))
    with pytest.raises(Unfounded):
        grandpa.check(justified(bench, later), old)


def test_a_forced_change_needs_no_word_of_the_old_set(bench: Bench) -> None:
    bench.advance(10)
    bench.misbehave(force_authorities=2)
    bench.advance(20)
    change = digests(bench, 11)
    assert change is not None and change.forced
    assert kept(bench, 13) is None
    later = next(number for number in range(13, 30) if kept(bench, number))
    grandpa.check(justified(bench, later), AuthoritySet(1, change.weights))


def test_the_state_is_proven_and_read_alike_around_a_change(bench: Bench) -> None:
    bench.misbehave(change_authorities=2)
    bench.advance(6)
    for number in range(6):
        read = bench.ask("query", "Grandpa", "CurrentSetId", [], hash_at(bench, number))
        assert read == set_at(bench, number).number
        assert len(bench.ask("query", "Grandpa", "Authorities", [], hash_at(bench, number))) == authorities.MANY


@pytest.mark.parametrize("kind", ["forged", "few", "elsewhere", "none"])
def test_justifications_are_bad_on_demand(bench: Bench, kind: str) -> None:
    bench.advance(30)
    number = next(number for number in range(1, 30) if kept(bench, number))
    bench.misbehave(justifications=kind)
    if kind == "none":
        assert kept(bench, number) is None
    elif kind == "elsewhere":
        grandpa.check(justified(bench, number), set_at(bench, number))
        assert "0x" + justified(bench, number).hash.hex() != hash_at(bench, number)
    else:
        with pytest.raises(Unfounded, match="signature" if kind == "forged" else "are needed"):
            grandpa.check(justified(bench, number), set_at(bench, number))
    bench.misbehave(justifications=False)
    grandpa.check(justified(bench, number), set_at(bench, number))


@pytest.mark.parametrize("fault", [{"justifications": "odd"}, {"change_authorities": True}, {"force_authorities": -1}])
def test_a_fault_that_makes_no_sense_is_refused(bench: Bench, fault: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="makes no sense"):
        bench.misbehave(**fault)


def test_a_chain_of_before_has_authorities_from_its_next_block_on(bench: Bench) -> None:
    bench.advance(20)
    before = [hash_at(bench, number) for number in range(21)]
    bench.ask("close")
    with closing(sqlite3.connect(bench.path)) as db:
        db.execute("ALTER TABLE blocks DROP COLUMN digest")
        db.executescript(
            "DROP TABLE authority_changes; UPDATE settings SET value = '3' WHERE name = 'layout';"
            "DELETE FROM settings WHERE name = 'justifies_every' OR name LIKE 'authorities_%'"
        )
    bench.advance(600)
    assert [hash_at(bench, number) for number in range(21)] == before
    assert kept(bench, 16) is None
    number = next(number for number in range(512, 520) if kept(bench, number))
    grandpa.check(justified(bench, number), set_at(bench, 21))
