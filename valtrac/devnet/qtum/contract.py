"""The delegation contract at 0x...86: the calls that it takes, the events that it writes, who delegates to whom."""

from __future__ import annotations

import hashlib
import sqlite3
from typing import Any, NamedTuple

from valtrac.devnet.qtum import codec, keys
from valtrac.devnet.qtum.rules import DELEGATIONS
from valtrac.devnet.qtum.transactions import Paid, Tx

ADD_TOPIC = "a23803f3b2b56e71f2921c22b23c32ef596a439dbe03f7250e6b58a30eb910b5"
REMOVE_TOPIC = "7fe28d2d0b16cf95b5ea93f4305f89133b3892543e616381a1336fc1e7a01fa0"
_ADD, _REMOVE = bytes.fromhex("4c0e968c"), bytes.fromhex("3d666e8b")
_VM = 4
ADD_GAS, REMOVE_GAS, FAILED_GAS = 138_211, 27_534, 22_000
NOBODY = b"\0" * 20
_EVENT = "e.height, e.kind, e.staker, e.delegate, e.fee, e.proof"


class Event(NamedTuple):
    """What the contract wrote. kind: "add" or "remove"; height: of its block; fee: percent."""

    height: int
    kind: str
    staker: bytes
    delegate: bytes
    fee: int
    proof: bytes


class Call(NamedTuple):
    """A call in an output. gas_limit, gas_price: satoshi for each unit; data: as the contract gets it."""

    gas_limit: int
    gas_price: int
    data: bytes
    contract: bytes

    @property
    def paid(self) -> int:
        """Satoshi for the gas asked for, all of it."""
        return self.gas_limit * self.gas_price


def call_script(data: bytes, gas_limit: int, gas_price: int) -> bytes:
    """The output that calls the delegation contract."""
    head = codec.push_number(_VM) + codec.push_number(gas_limit) + codec.push_number(gas_price)
    return head + codec.push(data) + codec.push(DELEGATIONS) + bytes((codec.OP_CALL,))


def call_of(out: Paid) -> Call | None:
    """The call that an output is; None for another output."""
    if codec.output(out.script).kind != "call":
        return None
    given = codec.steps(out.script)
    limit, price = (int.from_bytes(data or b"", "little") if op < 0x50 else op - 0x50 for op, data in given[1:3])
    data, contract = given[3][1], given[4][1]
    return None if data is None or contract is None else Call(limit, price, data, contract)


def calls(tx: Tx) -> list[tuple[int, Call]]:
    """The calls of a transaction, each with the number of its output."""
    by_output = ((n, call_of(out)) for n, out in enumerate(tx.outs) if out.script[-1:] == bytes((codec.OP_CALL,)))
    return [(n, call) for n, call in by_output if call is not None]


def add_data(staker: bytes, fee: int, proof: bytes) -> bytes:
    """The call that delegates."""
    words = (staker.rjust(32, b"\0"), fee.to_bytes(32, "big"), (96).to_bytes(32, "big"))
    return _ADD + b"".join(words) + len(proof).to_bytes(32, "big") + proof.ljust(96, b"\0")


def remove_data() -> bytes:
    """The call that ends a delegation."""
    return _REMOVE


def executed(before: Event | None, sender: bytes, call: Call, height: int) -> tuple[list[Event], int]:
    """What a call does: the events it writes and the gas it uses. before: the sender's delegation until now."""
    if call.contract != DELEGATIONS:
        return [], FAILED_GAS
    ended = [] if before is None else [Event(height, "remove", before.staker, sender, 0, b"")]
    if call.data[:4] == _REMOVE:
        return ended, min(REMOVE_GAS, call.gas_limit)
    staker, fee, length = call.data[16:36], int.from_bytes(call.data[36:68], "big"), call.data[100:132]
    proof = call.data[132:197]
    good = call.data[:4] == _ADD and len(proof) == 65 == int.from_bytes(length, "big") and fee <= 100
    if not good or staker == NOBODY or call.gas_limit < ADD_GAS:
        return [], min(FAILED_GAS, call.gas_limit)
    return [*ended, Event(height, "add", staker, sender, fee, proof)], ADD_GAS


def delegation(db: sqlite3.Connection, delegate: bytes) -> Event | None:
    """The delegation of an address in the present branch; None without one."""
    row = db.execute(
        f"SELECT {_EVENT} FROM events e JOIN blocks b ON b.id = e.block AND b.active"  # noqa: S608 - a constant
        " WHERE e.delegate = ? ORDER BY e.height DESC, e.position DESC, e.n DESC, e.place DESC LIMIT 1",
        (delegate,),
    ).fetchone()
    event = None if row is None else Event(*row)
    return event if event is not None and event.kind == "add" else None


def delegations(db: sqlite3.Connection) -> dict[bytes, Event]:
    """delegate -> its delegation, of all who delegate in the present branch."""
    current: dict[bytes, Event] = {}
    rows = db.execute(
        f"SELECT {_EVENT} FROM events e JOIN blocks b ON b.id = e.block AND b.active"  # noqa: S608 - a constant
        " ORDER BY e.height, e.position, e.n, e.place"
    )
    for row in rows:
        event = Event(*row)
        if event.kind == "add":
            current[event.delegate] = event
        else:
            current.pop(event.delegate, None)
    return current


def verified(event: Event) -> bool:
    """Whether the proof that the contract keeps was made by the delegate."""
    return event.fee <= 100 and keys.proves(event.delegate, event.staker, event.proof)


def log_entry(event: Event) -> dict[str, Any]:
    """An event as `searchlogs` shows it."""
    topics = [event.staker.hex().rjust(64, "0"), event.delegate.hex().rjust(64, "0")]
    if event.kind == "remove":
        return {"address": DELEGATIONS.hex(), "topics": [REMOVE_TOPIC, *topics], "data": ""}
    words = (event.fee.to_bytes(32, "big"), event.height.to_bytes(32, "big"), (96).to_bytes(32, "big"))
    data = b"".join(words) + len(event.proof).to_bytes(32, "big") + event.proof.ljust(96, b"\0")
    return {"address": DELEGATIONS.hex(), "topics": [ADD_TOPIC, *topics], "data": data.hex()}


def state_root(before: bytes, events: list[Event]) -> bytes:
    """The contract's state after these events, as the header names it: another one whenever something was written."""
    for event in events:
        before = hashlib.sha256(before + repr(event).encode()).digest()
    return before
