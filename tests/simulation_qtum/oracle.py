"""PPMU as its document tells it, reckoned from the chain alone: who owns which part of which reward, who must be paid.

Per block of the pool: each delegate that has given the required fee counts by its coins of at least the minimum size
that could have staked that block. Its share is floor(reward x weight / all weights); what rounding leaves is the
pool's, and so is a reward without any weight, and a block that the pool has won with coins of its own. On a day of
payment a delegate gets floor(share x (1 - fee)) where that is at least the minimum, and keeps its share otherwise.
A reward whose block the chain has dropped is nobody's, and what was paid by it comes off what its delegates earn next.

Nothing of the program under test is used here: the node's own tables of coins, of what spent them and in which block,
and of delegations are read.
"""

from __future__ import annotations

import sqlite3
from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path

WON = "SELECT id, hash, height, delegate FROM blocks WHERE active AND staker = ? AND height > ? AND height <= ?"
UNSPENT = "SELECT owner, value, id, n FROM coins WHERE height <= ? AND value >= ? AND owner NOT NULL"
SPENT = (
    "SELECT s.owner, s.value, s.id, s.n FROM spent s JOIN blocks b ON b.id = s.block AND b.active"
    " WHERE b.height >= ? AND s.height <= ? AND s.value >= ? AND s.owner NOT NULL"
)
GIVEN = (
    "SELECT e.delegate, e.kind, e.staker, e.fee FROM events e JOIN blocks b ON b.id = e.block AND b.active"
    " WHERE e.height < ? ORDER BY e.height, e.position, e.n, e.place"
)
KERNELS = "SELECT kernel, kernel_n FROM blocks WHERE active AND height > ? AND height < ? AND kernel NOT NULL"
MADE = "SELECT n, value, script FROM coins WHERE id = :id UNION SELECT n, value, script FROM spent WHERE id = :id"


@dataclass(frozen=True)
class Terms:
    """staker: the hash of its key. least: satoshi of a coin that counts; required: percent."""

    staker: bytes
    least: int
    maturity: int
    required: int
    rule: str = "ppmu"


@dataclass(frozen=True)
class Brought:
    """What one block brought. shares: hash of a delegate's key -> satoshi; own: won by the pool's own coins."""

    height: int
    reward: int
    shares: dict[bytes, int]
    own: bool

    @property
    def pools(self) -> int:
        return self.reward - sum(self.shares.values())


@dataclass
class Oracle:
    """after: the block after which rewards are counted. taken: what paydays have taken off each delegate, fees
    included; paid: what it must have been paid; pools: fees, of all paydays."""

    node: Path
    terms: Terms
    after: int
    seen: dict[bytes, Brought] = field(default_factory=dict)
    taken: Counter[bytes] = field(default_factory=Counter)
    paid: Counter[bytes] = field(default_factory=Counter)
    fees: int = 0

    def chain(self, upto: int) -> list[Brought]:
        """The pool's blocks that the chain has now, up to a height."""
        db = sqlite3.connect(self.node / "qtum.sqlite", timeout=30)
        try:
            rows = db.execute(WON, (self.terms.staker, self.after, upto)).fetchall()
            for number, hashed, height, delegate in rows:
                if hashed not in self.seen:
                    self.seen[hashed] = self._brought(db, number, height, own=delegate is None)
            return [self.seen[hashed] for _, hashed, _, _ in rows]
        finally:
            db.close()

    def _brought(self, db: sqlite3.Connection, number: int, height: int, *, own: bool) -> Brought:
        (txid,) = db.execute("SELECT id FROM transactions WHERE block = ? AND position = 1", (number,)).fetchone()
        (put_in,) = db.execute("SELECT SUM(value) FROM spent WHERE block = ? AND position = 1", (number,)).fetchone()
        outs = {n: (value, script) for n, value, script in db.execute(MADE, {"id": txid})}
        back = outs[1][0]
        if own and 2 in outs and outs[2][1] == outs[1][1]:
            back += outs[2][0]
        reward = back - put_in
        shares: dict[bytes, int] = {}
        if not own:
            weights = self._weights(db, height)
            total = sum(weights.values())
            shares = {who: reward * weight // total for who, weight in weights.items() if reward * weight // total}
        return Brought(height, reward, shares, own)

    def _weights(self, db: sqlite3.Connection, height: int) -> Counter[bytes]:
        terms, last = self.terms, dict[bytes, tuple[str, bytes, int]]()
        for delegate, kind, staker, fee in db.execute(GIVEN, (height,)):
            last[delegate] = (kind, staker, fee)
        counted = {
            who
            for who, (kind, staker, fee) in last.items()
            if kind == "add" and staker == terms.staker and fee >= terms.required
        }
        old = height - terms.maturity
        rows = db.execute(UNSPENT, (old, terms.least)).fetchall()
        rows += db.execute(SPENT, (height, old, terms.least)).fetchall()
        tired = set(db.execute(KERNELS, (old, height))) if terms.rule == "node" else set()
        weights = Counter[bytes]()
        for owner, value, txid, n in rows:
            if owner in counted and (txid, n) not in tired:
                weights[owner] += value
        return weights

    # -- what is owed -----------------------------------------------------------------------------------------

    def earned(self, chain: list[Brought]) -> Counter[bytes]:
        """delegate -> satoshi of its shares in these blocks."""
        sums = Counter[bytes]()
        for block in chain:
            sums.update(block.shares)
        return sums

    def owed(self, chain: list[Brought]) -> dict[bytes, int]:
        """delegate -> satoshi earned and not taken; below nothing where it was paid for blocks that are gone."""
        sums = self.earned(chain)
        sums.subtract(self.taken)
        return {who: units for who, units in sums.items() if units}

    def payday(self, chain: list[Brought], *, fee_bps: int, minimum: int) -> dict[bytes, int]:
        """Keep a day of payment; delegate -> satoshi that it must be sent."""
        sent: dict[bytes, int] = {}
        for who, gross in self.owed(chain).items():
            if gross <= 0:
                continue
            net = gross * (10_000 - fee_bps) // 10_000
            if net < max(1, minimum) and fee_bps < 10_000:
                continue
            self.taken[who] += gross
            self.fees += gross - net
            if net:
                sent[who] = net
                self.paid[who] += net
        return sent
