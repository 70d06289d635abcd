"""People at their wallets: a client in this process that builds, signs and sends with the rehearsal keys."""

from __future__ import annotations

import hashlib
import itertools
import json
import secrets
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from valtrac.core.errors import BadInput
from valtrac.devnet.bitshares import blocks, keys, packing, rpc, shapes, state, witnesses
from valtrac.devnet.bitshares.packing import CORE, CUSTOM, TRANSFER
from valtrac.devnet.bitshares.state import Chain, Holder

_nonces = itertools.count(secrets.randbits(40) << 20)


@dataclass(frozen=True, slots=True)
class RawMemo:
    """A memo that no wallet would write.

    data: with to_key=None the ciphertext itself, whatever it is (bytes, or their hex digits); with to_key a text
    (bytes of UTF-8 or any other) that is encrypted for that public key instead of the receiver's.
    declared: whether the memo also says so, as a wallet does that knows an old key of the receiver's.
    """

    data: bytes | str
    to_key: str | None = None
    declared: bool = False


class Client:
    """Talks to the chain in a file directly: no socket, and no fault but a held pool touches it."""

    def __init__(self, path: Path | str) -> None:
        self.path = path

    def call(self, method: str, *args: Any) -> Any:
        """The answer as it would arrive by JSON: large numbers are text. Raises NodeError where the node refuses."""
        plain = json.loads(json.dumps(args))
        return json.loads(json.dumps(shapes.fc_json(rpc.call(self.path, 0, method, plain))))

    def transfer(
        self, sender: str, receiver: str, satoshi: int, memo: str | RawMemo | None = None, *, expires_in_s: int = 60
    ) -> str:
        """Send money as a person does; the transaction's id. NodeError where the node refuses it.

        The same once more is a second payment: it expires a second later than asked for, which makes it another one.
        """
        return self.transfers([(sender, receiver, satoshi, memo)], expires_in_s=expires_in_s)

    def transfers(self, rows: Sequence[tuple[str, str, int, str | RawMemo | None]], *, expires_in_s: int = 60) -> str:
        """Several transfers in one transaction, all or none: (sender, receiver, satoshi, memo) each; its id."""
        db = state.connect(self.path)
        with state.writing(db):
            operations = [_transfer(self._who(s), self._who(r), satoshi, memo) for s, r, satoshi, memo in rows]
            return self._push(db, operations, sorted({row[0] for row in rows}), expires_in_s)

    def foreign(self, sender: str, receiver: str | None = None, satoshi: int = 0, *, data: bytes = b"\xde\xad") -> str:
        """A transaction that is not a mere transfer: it starts with operation 35, which moves nothing; its id.

        With a receiver a transfer of so much follows in the same transaction.
        """
        db = state.connect(self.path)
        with state.writing(db):
            who = self._who(sender)
            body: dict[str, Any] = {
                "fee": _asset(0),
                "payer": who.id,
                "required_auths": [],
                "id": 7,
                "data": data.hex(),
            }
            body["fee"] = _asset(packing.required_fee(CUSTOM, body))
            operations: list[Any] = [[CUSTOM, body]]
            if receiver is not None:
                operations.append(_transfer(who, self._who(receiver), satoshi, None))
            return self._push(db, operations, [sender], 60)

    def change_signing_key(self, witness: int, *, by: str) -> str:
        """Have a witness sign with its next key from the block after on; `by` pays the fee. The transaction's id."""
        db = state.connect(self.path)
        with state.writing(db):
            body = {
                "fee": _asset(packing.FEE),
                "witness": f"1.6.{witness}",
                "witness_account": self._who(by).id,
                "new_signing_key": witnesses.public(witness, witnesses.generation(db, witness) + 1),
            }
            return self._push(db, [[packing.WITNESS_UPDATE, body]], [by], 60)

    def build(
        self, rows: Sequence[tuple[str, str, int, str | RawMemo | None]], *, expires_in_s: int = 60, sign: bool = True
    ) -> dict[str, Any]:
        """The same transaction as JSON, signed but not sent."""
        db = state.connect(self.path)
        with state.reading(db):
            operations = [_transfer(self._who(s), self._who(r), satoshi, memo) for s, r, satoshi, memo in rows]
            return self._signed(operations, sorted({row[0] for row in rows}) if sign else [], expires_in_s)

    def sign(self, trx: dict[str, Any], signers: Sequence[str], *, chain_id: str | None = None) -> dict[str, Any]:
        """The transaction with exactly these accounts' active rehearsal keys as its signers."""
        message = bytes.fromhex(chain_id or self._chain().chain_id) + packing.packed(packing.tidy(trx))
        made = [keys.sign(message, keys.dev_secret(name, "active")).hex() for name in signers]
        return {**trx, "signatures": made}

    def _push(self, db: sqlite3.Connection, operations: list[Any], signers: Sequence[str], expires_in_s: int) -> str:
        """Send it; where the very same is known already, a second later counts as another one, as by a hand."""
        while True:
            try:
                return blocks.push(db, self._signed(operations, signers, expires_in_s))
            except packing.NodeError as error:
                if error.name != "duplicate_transaction":
                    raise
                expires_in_s += 1

    def _signed(self, operations: list[Any], signers: Sequence[str], expires_in_s: int) -> dict[str, Any]:
        chain = self._chain()
        anchor = state.block(state.connect(self.path), chain.lib)
        assert anchor is not None
        trx = {
            "ref_block_num": anchor.number & 0xFFFF,
            "ref_block_prefix": int.from_bytes(bytes.fromhex(anchor.id)[4:8], "little"),
            "expiration": state.stamp(chain.head_at + expires_in_s),
            "operations": operations,
            "extensions": [],
            "signatures": [],
        }
        return self.sign(trx, signers, chain_id=chain.chain_id)

    def _chain(self) -> Chain:
        return state.chain(state.connect(self.path))

    def _who(self, name: str) -> Holder:
        holder = state.holder(state.connect(self.path), name)
        if holder is None:
            raise BadInput(f"there is no account {name} on the rehearsal chain")
        return holder


def _transfer(sender: Holder, receiver: Holder, satoshi: int, memo: str | RawMemo | None) -> list[Any]:
    body: dict[str, Any] = {"fee": _asset(0), "from": sender.id, "to": receiver.id, "amount": _asset(satoshi)}
    if memo is not None:
        body["memo"] = _memo(sender, receiver, memo)
    body["extensions"] = []
    body["fee"] = _asset(packing.required_fee(TRANSFER, body))
    return [TRANSFER, body]


def _asset(satoshi: int) -> dict[str, Any]:
    return {"amount": satoshi, "asset_id": CORE}


def _memo(sender: Holder, receiver: Holder, memo: str | RawMemo) -> dict[str, Any]:
    nonce = next(_nonces)
    if isinstance(memo, RawMemo) and memo.to_key is None:
        message = memo.data.hex() if isinstance(memo.data, bytes) else memo.data
    else:
        text = memo if isinstance(memo, str) else memo.data
        raw = text.encode() if isinstance(text, str) else text
        other = receiver.memo if isinstance(memo, str) else memo.to_key or receiver.memo
        message = encrypt(sender.name, other, nonce, raw)
    to = receiver.memo
    if isinstance(memo, RawMemo) and memo.declared and memo.to_key is not None:
        to = memo.to_key
    return {"from": sender.memo, "to": to, "nonce": nonce, "message": message}


def encrypt(name: str, other: str, nonce: int, raw: bytes) -> str:
    """A memo from that account to the public memo key `other`: four bytes of sha256, the text, padding; as hex."""
    body = hashlib.sha256(raw).digest()[:4] + raw
    short = 16 - len(body) % 16
    cipher = keys.memo_cipher(keys.shared_secret(keys.dev_secret(name, "memo"), other), nonce)
    return str(cipher.encrypt(body + bytes([short]) * short).hex())


def transfer(
    path: Path | str,
    sender: str,
    receiver: str,
    satoshi: int,
    memo: str | RawMemo | None = None,
    *,
    expires_in_s: int = 60,
) -> str:
    """`Client(path).transfer(...)`."""
    return Client(path).transfer(sender, receiver, satoshi, memo, expires_in_s=expires_in_s)


def foreign(path: Path | str, sender: str, receiver: str | None = None, satoshi: int = 0) -> str:
    """`Client(path).foreign(...)`."""
    return Client(path).foreign(sender, receiver, satoshi)
