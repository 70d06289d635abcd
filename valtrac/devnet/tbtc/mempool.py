"""What a Bitcoin node lets into its pool, and the words with which it refuses. Pure: the caller says which coins are.

Amounts are satoshi. The words are those of bitcoind 24, since a wallet has to tell them apart.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from valtrac.devnet.tbtc import witness
from valtrac.devnet.tbtc.transactions import MAX_MONEY_SAT, Outpoint, Output, Transaction

RELAY_SAT_PER_VBYTE = 1
DUST_SAT = 294  # an output to a P2WPKH address below this costs more to spend than it is worth
REPLACEABLE = 0xFFFFFFFD  # BIP125: a sequence up to this says that a better paying rival may take its place
REJECTED, IN_CHAIN, UNREADABLE, MISSING = -26, -27, -22, -25


class Refusal(Exception):
    """A transaction that the node does not take. code, message: as bitcoind gives them."""

    def __init__(self, code: int, message: str) -> None:
        super().__init__(message)
        self.code, self.message = code, message


@dataclass(frozen=True, slots=True)
class Pool:
    """What a newcomer is held against.

    coin: the output that an outpoint is, confirmed or of the pool; None where there is none that is unspent in the
    chain. spenders: which transaction of the pool spends an outpoint. waiting: the pool by txid.
    """

    coin: Callable[[Outpoint], Output | None]
    spenders: Mapping[Outpoint, str]
    waiting: Mapping[str, Transaction]

    def fee(self, tx: Transaction) -> int:
        """What its inputs are more than its outputs. Every coin must be known."""
        coins = [self.coin(one.outpoint) for one in tx.inputs]
        return sum(coin.value_sat for coin in coins if coin) - sum(one.value_sat for one in tx.outputs)

    def with_descendants(self, txids: set[str]) -> set[str]:
        """These and all that spend from them in turn."""
        found = set(txids)
        while True:
            more = {
                txid
                for txid, tx in self.waiting.items()
                if txid not in found and any(one.outpoint.txid in found for one in tx.inputs)
            }
            if not more:
                return found
            found |= more


def admitted(tx: Transaction, pool: Pool) -> set[str]:
    """The transactions of the pool that this one takes the place of. Raises Refusal where it may not come in."""
    _well_formed(tx)
    coins = _coins(tx, pool)
    _amounts(tx, coins)
    rivals = _rivals(tx, pool)
    for index, coin in enumerate(coins):
        said = witness.fault(tx, index, coin)
        if said:
            raise Refusal(REJECTED, f"mandatory-script-verify-flag-failed ({said})")
    return rivals


def _well_formed(tx: Transaction) -> None:
    if tx.coinbase:
        raise Refusal(REJECTED, "coinbase")
    if len({one.outpoint for one in tx.inputs}) != len(tx.inputs):
        raise Refusal(REJECTED, "bad-txns-inputs-duplicate")
    if any(one.value_sat > MAX_MONEY_SAT for one in tx.outputs):
        raise Refusal(REJECTED, "bad-txns-vout-toolarge")
    if tx.version not in (1, 2):
        raise Refusal(REJECTED, "version")
    if any(_dust(one) for one in tx.outputs):
        raise Refusal(REJECTED, "dust")


def _dust(output: Output) -> bool:
    return output.value_sat < DUST_SAT and output.script[:1] != b"\x6a"


def _coins(tx: Transaction, pool: Pool) -> list[Output]:
    coins = [pool.coin(one.outpoint) for one in tx.inputs]
    if any(coin is None for coin in coins):
        raise Refusal(MISSING, "bad-txns-inputs-missingorspent")
    return [coin for coin in coins if coin is not None]


def _amounts(tx: Transaction, coins: Sequence[Output]) -> None:
    spent, paid = sum(coin.value_sat for coin in coins), sum(one.value_sat for one in tx.outputs)
    if spent < paid:
        raise Refusal(REJECTED, f"bad-txns-in-belowout, value in ({_btc(spent)}) < value out ({_btc(paid)})")
    least = tx.vsize * RELAY_SAT_PER_VBYTE
    if spent - paid < least:
        raise Refusal(REJECTED, f"min relay fee not met, {spent - paid} < {least}")


def _rivals(tx: Transaction, pool: Pool) -> set[str]:
    """Those of the pool that spend the same coins, and what hangs on them, if this one may replace them (BIP125)."""
    direct = {pool.spenders[one.outpoint] for one in tx.inputs if one.outpoint in pool.spenders}
    if not direct:
        return set()
    if any(all(one.sequence > REPLACEABLE for one in pool.waiting[txid].inputs) for txid in direct):
        raise Refusal(REJECTED, "txn-mempool-conflict")
    rivals = pool.with_descendants(direct)
    new, old = pool.fee(tx), sum(pool.fee(pool.waiting[txid]) for txid in rivals)
    said = f"insufficient fee, rejecting replacement {tx.txid}"
    if new < old:
        raise Refusal(REJECTED, f"{said}, less fees than conflicting txs; {_btc(new)} < {_btc(old)}")
    least = tx.vsize * RELAY_SAT_PER_VBYTE
    if new - old < least:
        raise Refusal(REJECTED, f"{said}, not enough additional fees to relay; {_btc(new - old)} < {_btc(least)}")
    return rivals


def _btc(sat: int) -> str:
    whole, rest = divmod(sat, 10**8)
    return f"{whole}.{rest:08d}".rstrip("0").ljust(len(str(whole)) + 3, "0")
