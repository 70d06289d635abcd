"""A rehearsal chain of BitShares with a custodian and three others, and what is asked of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from valtrac.chains.bitshares import connect
from valtrac.core.chain import Payment, SignedTx
from valtrac.core.errors import OutcomeUnknown, Refused
from valtrac.devnet import bitshares

NULL_KEY = "BTS1111111111111111111111111111111114T1Anm"
NOBODY = "1.2.999999"


@dataclass
class World:
    """A rehearsal chain with a custodian who holds 1,000,000 BTS, alice, bob, and mute, who cannot get memos."""

    path: Path
    chain: connect.BitSharesChain
    payer: connect.BitSharesPayer
    ids: dict[str, str]

    def produce(self, blocks: int = 1, **how: int) -> None:
        bitshares.produce(self.path, blocks, **how)

    def sign(self, *pays: Payment, period: int = 60) -> SignedTx:
        return self.payer.sign(pays or (self.pay(),), nonce=0, period=period)

    def pay(self, name: str = "alice", units: int = 500_000, memo: str = "hi") -> Payment:
        return Payment(self.ids[name], units, memo)

    def got(self, name: str = "alice") -> int:
        return bitshares.balances(self.path).get(name, 0)

    def settle(self, tx: SignedTx) -> str:
        """What the door finds out: paid, dead or unknown, from irreversible blocks alone."""
        number, last = tx.birth_number, self.chain.finalized().number
        while number < last and not self.chain.over(tx.valid_until, number):
            view = self.chain.block(number + 1)
            if tx.tx_id in view.tx_ids:
                outcome = self.chain.outcome(tx.tx_id, view.head)
                assert outcome is not None
                return "paid" if outcome.ok else "failed"
            number += 1
        return "dead" if self.chain.over(tx.valid_until, number) else "unknown"

    def fails_to_send(self, tx: SignedTx) -> type[Exception]:
        with pytest.raises((OutcomeUnknown, Refused)) as caught:
            self.payer.broadcast(tx.raw)
        return caught.type


def seeded(path: Path, *, lib_lag: int = 2, first_block: int = 1) -> Path:
    people = [
        bitshares.dev_account("custodian", lifetime=True, satoshi=10**11),
        bitshares.dev_account("alice"),
        bitshares.dev_account("bob", satoshi=10**10),
    ]
    mute = replace(bitshares.dev_account("mute"), memo=NULL_KEY)
    bitshares.seed(path, accounts=[*people, mute], pace="manual", lib_lag=lib_lag, first_block=first_block)
    return path
