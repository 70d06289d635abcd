"""Headers as the real chain makes them: bound to the block before, to the body, and to accounts and events.

Of the state only what can be asked for with a proof is in the trie: System.Account, System.Events, and who makes blocks
final, in Grandpa.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from hashlib import blake2b
from typing import Any

from valtrac.core import trie
from valtrac.core.addresses import key_of
from valtrac.core.header import header_bytes
from valtrac.devnet.bittensor import authorities, state
from valtrac.devnet.bittensor.authorities import Planned
from valtrac.devnet.bittensor.events import Event, encoded, inherent, record
from valtrac.devnet.bittensor.state import BlockRow, Settings

# twox128 of "System", of "Events" and of "Account": the keys of the two part at one nibble
_SYSTEM, _EVENTS, _ACCOUNTS = (
    "26aa394eea5630e07c48ae0c9558cef7",
    "80d41e5e16056765bc8461851072c9d7",
    "b99d880ec681799c0cf30e8886371da9",
)
EVENTS_KEY = bytes.fromhex(_SYSTEM + _EVENTS)
_BELOW = len(_SYSTEM) + 1  # nibbles above the two parts
_NO_PARENT = bytes(32)
_FREE_FLAGS = 2**127
_MOST_TRIES = 4
_tries: dict[str, trie.Nodes] = {}  # by their root: the same root is the same state, in whatever file
# the extrinsic that sets the time, up to the milliseconds: unsigned, Timestamp.set
_SET_TIME = bytes.fromhex("050200")


class Accounts:
    """The part of the state that accounts are, as of the block that is being built."""

    def __init__(self, db: sqlite3.Connection, chain: Settings) -> None:
        self._db, self._salt = db, chain.salt

    def part(self, block: int) -> bytes:
        """The reference to everyone's account; made anew only after a block that changed one. b"": nobody has any."""
        (changed,) = self._db.execute("SELECT MAX(block) FROM accounts WHERE block <= ?", (block,)).fetchone()
        known = state.setting(self._db, "accounts_part")
        if known is not None and known[:2] == [changed, self._salt]:
            return bytes.fromhex(known[2])
        pairs = account_pairs(self._db, block)
        part = trie.subtree(pairs, _BELOW, version=1) if pairs else b""
        state.put_setting(self._db, "accounts_part", [changed, self._salt, part.hex()])
        return part


def genesis(db: sqlite3.Connection, chain: Settings, content: bytes) -> BlockRow:
    """The first block. content: 32 bytes that tell this world from another."""
    root = trie.root(account_pairs(db, 0) + authorities.pairs(chain, (), 0), version=1)
    return _block(0, _NO_PARENT, chain.genesis_ms, (root, trie.EMPTY_ROOT), content, b"")


def sealed(
    db: sqlite3.Connection,
    chain: Settings,
    parent: BlockRow,
    accounts: Accounts,
    taken: list[bytes],
    changes: Sequence[Planned] = (),
) -> BlockRow:
    """The block after `parent` with these extrinsics, whose effects are stored. changes: of the authorities."""
    number = parent.number + 1
    at_ms = chain.genesis_ms + number * chain.block_ms
    stirred = taken or authorities.touches(changes, number) or number == chain.authorities_from
    if stirred or parent.state_root is None or parent.number == 0 or not _is_quiet(db, parent.number):
        finality = authorities.pairs(chain, changes, number)
        root = _state_root(accounts.part(number), events_bytes(db, number), finality)
    else:  # nothing has changed since
        root = bytes.fromhex(parent.state_root[2:])
    body_root, _ = trie.body_roots([timestamp_extrinsic(at_ms), *taken])
    mark = chain.salt.to_bytes(4, "little") if chain.salt else b""
    digest = authorities.digest(chain, changes, number)
    return _block(number, bytes.fromhex(parent.hash[2:]), at_ms, (root, body_root), mark, digest)


def header(block: BlockRow) -> dict[str, Any]:
    """A block's header as a node sends it, with number still in hex."""
    if block.state_root is None or block.extrinsics_root is None:  # of a chain that was made when headers were made up
        made_up = "0x" + blake2b(block.hash.encode(), digest_size=32).hexdigest()
        roots, logs = (made_up, made_up), list[bytes]()
    else:
        roots, logs = (
            (block.state_root, block.extrinsics_root),
            _logs(block.number, block.at_ms, block.mark, block.digest),
        )
    return {
        "parentHash": block.parent,
        "number": hex(block.number),
        "stateRoot": roots[0],
        "extrinsicsRoot": roots[1],
        "digest": {"logs": ["0x" + log.hex() for log in logs]},
    }


def in_bytes(block: BlockRow) -> bytes:
    """A true header in its SCALE bytes."""
    assert block.state_root is not None and block.extrinsics_root is not None
    parent, *roots = (bytes.fromhex(text[2:]) for text in (block.parent, block.state_root, block.extrinsics_root))
    logs = _logs(block.number, block.at_ms, block.mark, block.digest)
    return header_bytes(parent, block.number, roots[0], roots[1], logs)


def proof(db: sqlite3.Connection, block: BlockRow, keys: list[bytes]) -> list[bytes]:
    """The nodes that show under a block's stateRoot what stands under some keys."""
    if block.state_root is None:
        return []
    if block.state_root not in _tries:
        while len(_tries) >= _MOST_TRIES:
            _tries.pop(next(iter(_tries)), None)
        _tries[block.state_root] = _nodes(db, block)
    return trie.proof_of(bytes.fromhex(block.state_root[2:]), _tries[block.state_root], keys)


def _nodes(db: sqlite3.Connection, block: BlockRow) -> trie.Nodes:
    """All nodes of the state after a block."""
    nodes: trie.Nodes = {}
    pairs = account_pairs(db, block.number)
    finality = authorities.pairs(state.settings(db), authorities.planned(db), block.number)
    if block.number == 0:
        root = trie.root(pairs + finality, version=1, nodes=nodes)
    else:
        part = trie.subtree(pairs, _BELOW, version=1, nodes=nodes) if pairs else b""
        root = _state_root(part, events_bytes(db, block.number), finality, nodes)
    assert "0x" + root.hex() == block.state_root
    return nodes


def account_key(address: str) -> bytes:
    """Where System.Account of an address stands."""
    key = key_of(address)
    return bytes.fromhex(_SYSTEM + _ACCOUNTS) + blake2b(key, digest_size=16).digest() + key


def account_pairs(db: sqlite3.Connection, block: int) -> list[tuple[bytes, bytes]]:
    """(key, AccountInfo in its bytes) of everyone as of the end of a block."""
    return [
        (account_key(address), _account_bytes(free, nonce)) for address, free, nonce in state.accounts_at(db, block)
    ]


def records(db: sqlite3.Connection, number: int) -> list[dict[str, Any]]:
    """System.Events of a block in the shape in which the SDK decodes them."""
    return [record(event, position) for position, event in _events(db, number)] if number else []


def events_bytes(db: sqlite3.Connection, number: int) -> bytes:
    """System.Events of a block in its bytes."""
    events = [encoded(event, position) for position, event in _events(db, number)]
    return trie.compact(len(events)) + b"".join(events)


def timestamp_extrinsic(at_ms: int) -> bytes:
    """The unsigned extrinsic at the top of every block, which sets its time."""
    body = _SET_TIME + trie.compact(at_ms)
    return trie.compact(len(body)) + body


def _events(db: sqlite3.Connection, number: int) -> list[tuple[int, Event]]:
    row = db.execute("SELECT records FROM events WHERE block = ?", (number,)).fetchone()
    stored = [] if row is None else json.loads(row[0])
    return [(0, inherent()), *((position, tuple(event)) for position, event in stored)]


def _is_quiet(db: sqlite3.Connection, number: int) -> bool:
    return db.execute("SELECT 1 FROM events WHERE block = ?", (number,)).fetchone() is None


def _state_root(
    accounts_part: bytes, events: bytes, finality: list[tuple[bytes, bytes]], nodes: trie.Nodes | None = None
) -> bytes:
    """finality: what the pallet Grandpa holds; in the blocks of a chain of before, nothing."""
    system = [(EVENTS_KEY, events)]
    if not finality and not accounts_part:
        return trie.root(system, version=1, nodes=nodes)
    shared = _SYSTEM[1:] if finality else _SYSTEM
    if accounts_part:
        parts = {_EVENTS[0]: trie.subtree(system, _BELOW, version=1, nodes=nodes), _ACCOUNTS[0]: accounts_part}
        below = trie.branch(shared, parts, nodes=nodes)
    else:
        below = trie.subtree(system, 1, version=1, nodes=nodes)
    if not finality:
        return below
    pallets = {_SYSTEM[0]: below, authorities.PALLET[0]: trie.subtree(finality, 1, version=1, nodes=nodes)}
    return trie.branch("", pallets, nodes=nodes)


def _block(number: int, parent: bytes, at_ms: int, roots: tuple[bytes, bytes], mark: bytes, digest: bytes) -> BlockRow:
    name = trie.hash_of(header_bytes(parent, number, *roots, _logs(number, at_ms, mark, digest)))
    texts = ["0x" + raw.hex() for raw in (name, parent, *roots)]
    return BlockRow(number, texts[0], texts[1], at_ms, texts[2], texts[3], mark, digest)


def _logs(number: int, at_ms: int, mark: bytes, digest: bytes) -> list[bytes]:
    """The digest: the slot, as Aura notes it before it runs a block, what tells branches and worlds apart, and the
    announcement of other authorities."""
    other = [b"\x00" + trie.compact(len(mark)) + mark] if mark else []
    if number == 0:
        return other
    slot = b"\x06aura\x20" + (at_ms // state.NOMINAL_BLOCK_MS).to_bytes(8, "little")
    return [slot, *other, *([digest] if digest else [])]


def _account_bytes(free: int, nonce: int) -> bytes:
    counters = b"".join(number.to_bytes(4, "little") for number in (nonce, 0, 1 if free else 0, 0))
    return counters + free.to_bytes(8, "little") + bytes(16) + _FREE_FLAGS.to_bytes(16, "little")
