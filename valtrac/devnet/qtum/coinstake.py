"""The transactions that make coins: a coinstake of own coins or for a delegate, and the two kinds of coinbase."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass

from valtrac.core.errors import BadInput
from valtrac.devnet.qtum import codec, faults, headers, keys, ledger, state, transactions
from valtrac.devnet.qtum.contract import Event
from valtrac.devnet.qtum.ledger import Coin
from valtrac.devnet.qtum.rules import CENT, MOST_COMBINED, SUPERSTAKER_MINIMUM
from valtrac.devnet.qtum.stakes import Party, Place, Stakes
from valtrac.devnet.qtum.transactions import NOWHERE, Input, Paid, Tx


@dataclass(frozen=True, slots=True)
class Body:
    """What a block's reward is made of. reward: satoshi of subsidy and fees, without the gas that goes back."""

    height: int
    reward: int
    refunds: tuple[Paid, ...]
    branch: int


@dataclass(frozen=True, slots=True)
class Winner:
    """Who made a block. kernel: the coin that won; spends: the staker's coin that the coinstake spends first;
    delegation: where another's coin won."""

    key: keys.Key
    kernel: Place
    kernel_height: int
    kernel_script: bytes
    spends: Coin
    delegation: Event | None

    @property
    def delegate(self) -> bytes | None:
        """The hash of the delegate's key."""
        return None if self.delegation is None else self.delegation.delegate

    @property
    def proof(self) -> bytes:
        """The proof of delegation that goes into the header."""
        return b"" if self.delegation is None else self.delegation.proof


def resting(db: sqlite3.Connection) -> set[bytes]:
    """The stakers who do not take part in the draw: the wallet's, while the node does not stake."""
    flags, now = state.flags(db), state.now(db)
    idle = not flags["staking"] or not state.setting(db, "staking", True) or faults.active_flag(db, "no_staking")
    stakers = {bytes.fromhex(text) for text in state.setting(db, "resting", [])}
    for hashed, locked in db.execute(
        "SELECT k.hash, w.passphrase NOT NULL AND w.until <= ? FROM keys k JOIN wallets w ON w.name = k.wallet", (now,)
    ):
        if locked or idle:
            stakers.add(hashed)
    return stakers


def spares(db: sqlite3.Connection, stakes: Stakes, party: Party, kernel: Place) -> bool:
    """Whether a coin of the wallet's own may be staked beside what it keeps in reserve."""
    spare = _spare(db, party.staker) if party.delegation is None else None
    urn = stakes.urns[party.owner]
    return spare is None or urn.values[urn.index[kernel]] <= spare


def winner(db: sqlite3.Connection, stakes: Stakes, party: Party, kernel: Place, barred: set[Place]) -> Winner:
    """Everything about a party whose coin won. BadInput where the staker's key is not known here."""
    row = db.execute("SELECT secret FROM keys WHERE hash = ?", (party.staker,)).fetchone()
    if row is None:
        raise BadInput("the rehearsal does not know the key of that staker")
    won = ledger.coin(db, kernel)
    assert won is not None, "a coin that may win is there"
    spends = won
    if party.delegation is not None:
        place = stakes.urns[party.staker].first(SUPERSTAKER_MINIMUM, barred)
        coin = None if place is None else ledger.coin(db, place)
        assert coin is not None, "a super staker in the draw has a coin of 100 QTUM"
        spends = coin
    return Winner(keys.key_of(row[0]), kernel, won.height, won.script, spends, party.delegation)


def coinbase(body: Body, ids: Sequence[bytes]) -> Tx:
    """The first transaction of a staked block, which makes nothing. ids: of the others."""
    return Tx((_nowhere(body),), (Paid(0, b""), _commitment(ids)))


def mined(body: Body, miner: bytes, ids: Sequence[bytes]) -> Tx:
    """The first transaction of a mined block, which pays the miner. ids: of the others."""
    return Tx((_nowhere(body),), (Paid(body.reward, codec.p2pkh(miner)), *body.refunds, _commitment(ids)))


def _commitment(ids: Sequence[bytes]) -> Paid:
    """The output that commits to the transactions with their witnesses, of which there are none."""
    root = headers.merkle_root([b"\0" * 32, *ids])
    return Paid(0, b"\x6a\x24\xaa\x21\xa9\xed" + codec.sha256d(root + b"\0" * 32))


def _nowhere(body: Body) -> Input:
    # the branch makes the same height on another branch another block
    tail = codec.push_number(body.branch) if body.branch else b"\0"
    return Input(*NOWHERE, script=codec.push_number(body.height) + tail)


def coinstake(db: sqlite3.Connection, body: Body, won: Winner, stakes: Stakes, barred: set[Place]) -> Tx:
    """The second transaction of a staked block, signed."""
    own = codec.p2pk(won.key.public)
    if won.delegation is None:
        spent = [won.spends, *_combined(db, won, stakes, barred)]
        whole = ledger.total(spent) + body.reward
        paid = _split(whole, own)
    else:
        spent = [won.spends]
        share = body.reward * won.delegation.fee // 100
        paid = [Paid(won.spends.value + share, own)]
        if won.delegation.fee < 100:
            paid.append(Paid(body.reward - share, won.kernel_script))
    tx = Tx(tuple(Input(*coin.place) for coin in spent), (Paid(0, b""), *paid, *body.refunds))
    return transactions.signed(tx, [(coin.script, won.key) for coin in spent])


def _split(whole: int, script: bytes) -> list[Paid]:
    """One output, or two where there is enough for two that may stake."""
    if whole < 2 * SUPERSTAKER_MINIMUM:
        return [Paid(whole, script)]
    half = whole // 2 // CENT * CENT
    return [Paid(half, script), Paid(whole - half, script)]


def _combined(db: sqlite3.Connection, won: Winner, stakes: Stakes, barred: set[Place]) -> list[Coin]:
    """Small coins of the same key that an own block spends along with its kernel."""
    urn = stakes.urns[won.key.hash]
    spare = _spare(db, won.key.hash)
    added: list[Coin] = []
    whole = won.spends.value
    for place, value in urn.small.items():
        if place[0] == won.kernel[0] or place in barred:
            continue
        if 1 + len(added) >= MOST_COMBINED or (spare is not None and whole + value > spare):
            break
        coin = ledger.coin(db, place)
        assert coin is not None, "a coin that may win is there"
        added.append(coin)
        whole += value
    return added


def _spare(db: sqlite3.Connection, staker: bytes) -> int | None:
    """What the wallet may stake beyond its reserve; None without one, or where the staker is another's."""
    kept = state.flags(db)["reservebalance"]
    row = db.execute("SELECT wallet FROM keys WHERE hash = ? AND wallet NOT NULL", (staker,)).fetchone()
    if row is None or not kept:
        return None
    whole = db.execute(
        "SELECT COALESCE(SUM(c.value), 0) FROM keys k CROSS JOIN coins c ON c.owner = k.hash WHERE k.wallet = ?", row
    ).fetchone()[0]
    return int(whole) - int(kept)
