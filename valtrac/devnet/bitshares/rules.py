"""What a node checks before a transaction counts, in its order and its words (`database::_apply_transaction`).

"now" is the time of the newest block, not of the block that is being made: that is why a transaction may stand in
a block stamped up to one interval after its expiration.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from valtrac.devnet.bitshares import keys, packing, state, witnesses
from valtrac.devnet.bitshares.packing import CORE, TRANSFER, WITNESS_UPDATE, NodeError
from valtrac.devnet.bitshares.state import Chain, Holder

MAX_EXPIRATION_S = 86400
MAX_AUTHORITY_DEPTH = 2


@dataclass(frozen=True, slots=True)
class Signed:
    """A transaction as taken from the wire. keys: the public keys that signed it; expires: seconds since 1970."""

    body: dict[str, Any]
    id: str
    keys: tuple[str, ...]
    expires: int


class Ledger:
    """Balances in satoshi while transactions are tried: what is put here reaches the file with `store` only."""

    def __init__(self, db: sqlite3.Connection, *, pending: bool) -> None:
        self.db = db
        self.pending = pending
        self.rows: dict[int, int] = {}
        self.before: dict[int, int] = {}

    def get(self, account: int) -> int:
        """Satoshi that the account holds."""
        if account not in self.rows:
            self.rows[account] = self.before[account] = state.balance(self.db, account, pending=self.pending)
        return self.rows[account]

    def add(self, account: int, satoshi: int) -> None:
        """Change a balance, up or down."""
        self.rows[account] = self.get(account) + satoshi

    def changed(self) -> dict[int, int]:
        """account -> satoshi gained (or lost, below zero), where there was any change."""
        return {
            account: now - self.before[account] for account, now in self.rows.items() if now != self.before[account]
        }

    def store(self) -> None:
        """Write the balances that changed where they were read from."""
        table = "pending" if self.pending else "balances"
        self.db.executemany(
            f"INSERT INTO {table} VALUES (?, ?)"  # noqa: S608 - one of two
            " ON CONFLICT (account) DO UPDATE SET satoshi = excluded.satoshi",
            [(account, self.rows[account]) for account in self.changed()],
        )


def read(trx: Mapping[str, Any], chain_id: str) -> Signed:
    """Parse a transaction and recover who signed it. NodeError where it is malformed or a signature is."""
    body = packing.tidy(trx)
    raw = packing.packed(body)
    signers: list[str] = []
    for text in body["signatures"]:
        try:
            signer = keys.recover(bytes.fromhex(chain_id) + raw, bytes.fromhex(text))
        except keys.BadSignature as error:
            raise NodeError(str(error)) from error
        if signer in signers:
            raise NodeError("Duplicate Signature detected", 3030007, "tx_duplicate_sig")
        signers.append(signer)
    return Signed(body, packing.transaction_id(raw), tuple(signers), state.unstamp(body["expiration"]))


def apply(db: sqlite3.Connection, chain: Chain, trx: Signed, ledger: Ledger) -> int:
    """Check everything and move the money in the ledger; the fees paid, in satoshi.

    NodeError says why a transaction does not count; the ledger is as before then, however many operations went well.
    """
    validate(trx.body)
    _never_seen(db, chain, trx.id)
    verify_authority(db, trx.body, trx.keys)
    _on_this_branch(db, chain, trx.body)
    if trx.expires > chain.head_at + MAX_EXPIRATION_S:
        raise NodeError("trx.expiration <= now + chain_parameters.maximum_time_until_expiration: ")
    if chain.head_at > trx.expires:
        raise NodeError("now <= trx.expiration: ")
    rows = dict(ledger.rows)
    try:
        return sum(_evaluate(db, kind, body, ledger) for kind, body in trx.body["operations"])
    except NodeError:
        ledger.rows = {**ledger.before, **rows}
        raise


def validate(body: Mapping[str, Any]) -> None:
    """What can be said of a transaction without looking at the chain."""
    for kind, operation in body["operations"]:
        if operation["fee"]["amount"] < 0:
            raise NodeError("fee.amount >= 0: ")
        if kind == TRANSFER:
            if operation["from"] == operation["to"]:
                raise NodeError("from != to: ")
            if operation["amount"]["amount"] <= 0:
                raise NodeError("amount.amount > 0: ")


def verify_authority(db: sqlite3.Connection, body: Mapping[str, Any], signers: Collection[str]) -> None:
    """Every account named as acting has signed, by enough weight, and nobody signed without need. NodeError."""
    used: set[str] = set()
    for kind, operation in body["operations"]:
        who = packing.payer(kind, operation)
        account = _known(db, who)
        if not (_satisfied(db, account.active, signers, used) or _satisfied(db, account.owner, signers, used)):
            raise NodeError(f"Missing Active Authority {who}", 3030001, "tx_missing_active_auth")
    if not used >= set(signers):
        raise NodeError("Unnecessary signature(s) detected", 3030005, "tx_irrelevant_sig")


def potential_keys(db: sqlite3.Connection, body: Mapping[str, Any]) -> list[str]:
    """All public keys whose signatures could count for a transaction."""
    allowed: set[str] = set()
    waiting = [(packing.payer(kind, operation), 0) for kind, operation in body["operations"]]
    while waiting:
        who, depth = waiting.pop()
        account = _known(db, who)
        for authority in (account.active, account.owner):
            allowed |= {key for key, _ in authority["key_auths"]}
            if depth < MAX_AUTHORITY_DEPTH:
                waiting += [(other, depth + 1) for other, _ in authority["account_auths"]]
    return sorted(allowed - {keys.NULL_KEY})


def _never_seen(db: sqlite3.Connection, chain: Chain, tx_id: str) -> None:
    if recent(db, chain, tx_id) is not None:
        raise NodeError(f"Transaction '{tx_id}' is already in the database", 3030008, "duplicate_transaction")


def recent(db: sqlite3.Connection, chain: Chain, tx_id: str, *, top: int | None = None) -> dict[str, Any] | None:
    """A transaction that waits or was included, as long as the node remembers it: until it expires."""
    row = db.execute("SELECT body FROM pool WHERE id = ?", (tx_id,)).fetchone()
    row = (
        row
        or db.execute(
            "SELECT body FROM transactions WHERE id = ? AND expires >= ? AND block <= ?",
            (tx_id, chain.head_at, chain.head if top is None else top),
        ).fetchone()
    )
    return None if row is None else json.loads(row[0])


def _satisfied(
    db: sqlite3.Connection, authority: Mapping[str, Any], signers: Collection[str], used: set[str], depth: int = 0
) -> bool:
    weight, mine = 0, set[str]()
    for key, worth in authority["key_auths"]:
        if key in signers:
            mine.add(key)
            weight += worth
    for other, worth in authority["account_auths"]:
        if depth < MAX_AUTHORITY_DEPTH and _satisfied(db, _known(db, other).active, signers, mine, depth + 1):
            weight += worth
    if weight < authority["weight_threshold"] or not weight:
        return False
    used |= mine
    return True


def _on_this_branch(db: sqlite3.Connection, chain: Chain, body: Mapping[str, Any]) -> None:
    number = chain.head - ((chain.head - body["ref_block_num"]) & 0xFFFF)
    block = state.block(db, number)
    if block is None or int.from_bytes(bytes.fromhex(block.id)[4:8], "little") != body["ref_block_prefix"]:
        raise NodeError("trx.ref_block_prefix == tapos_block_summary.block_id._hash[1].value(): ")


def _evaluate(db: sqlite3.Connection, kind: int, body: Mapping[str, Any], ledger: Ledger) -> int:
    """Carry out one operation; its fee."""
    fee = int(body["fee"]["amount"])
    sender = _known(db, packing.payer(kind, body))
    if body["fee"]["asset_id"] != CORE:
        raise NodeError("a rehearsal node takes fees in BTS")
    if fee < packing.required_fee(kind, body):
        raise NodeError("Insufficient Fee Paid", 3050002, "insufficient_fee")
    if kind == WITNESS_UPDATE:
        _next_key(db, body)
    amount = 0
    if kind == TRANSFER:
        amount, receiver = int(body["amount"]["amount"]), _known(db, body["to"])
        if body["amount"]["asset_id"] != CORE:
            raise NodeError(f"Unable to find Object {body['amount']['asset_id']}")
        held = ledger.get(sender.number)
        if held < amount:
            raise NodeError(
                f"Insufficient Balance: {pretty(held)}, unable to transfer '{pretty(amount)}' "
                f"from account '{sender.name}' to '{receiver.name}'"
            )
        ledger.get(receiver.number)
    left = ledger.get(sender.number) - fee - amount
    if left < 0:
        raise NodeError(
            f"Insufficient Balance: {sender.name}'s balance of {pretty(left + fee + amount)} "
            f"is less than required {pretty(fee + amount)}"
        )
    ledger.add(sender.number, -fee - amount)
    if amount:
        ledger.add(receiver.number, amount)
    return fee


def _next_key(db: sqlite3.Connection, body: Mapping[str, Any]) -> None:
    """A witness takes the key that follows from its present one: a rehearsal node holds no other to sign with."""
    witness = int(str(body["witness"]).removeprefix("1.6."))
    if body.get("new_signing_key") != witnesses.public(witness, witnesses.generation(db, witness) + 1):
        raise NodeError("a rehearsal node does not know the private half of this signing key")


def pretty(satoshi: int) -> str:
    """As a node writes an amount in its messages."""
    return f"{satoshi // 100_000}.{satoshi % 100_000:05d} BTS"


def _known(db: sqlite3.Connection, who: str) -> Holder:
    holder = state.holder(db, who)
    if holder is None:
        raise NodeError(f"Unable to find Object {who}")
    return holder
