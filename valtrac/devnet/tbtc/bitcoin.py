"""A small Bitcoin chain in memory, born with regtest's first block, that takes what real nodes take.

It checks of a transaction that its coins are there and unspent, their amounts, the signatures of P2WPKH coins, the fee
and its rivals in the pool. It does not know other kinds of coin, the maturity of new coins, nor halvings; and its first
block of its own gives the faucet more than any block may.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from valtrac.devnet.tbtc import blocks, mempool, witness
from valtrac.devnet.tbtc.blocks import Block
from valtrac.devnet.tbtc.mempool import IN_CHAIN, UNREADABLE, Refusal
from valtrac.devnet.tbtc.transactions import (
    FINAL_SEQUENCE,
    Input,
    Malformed,
    Outpoint,
    Output,
    Transaction,
    p2wpkh,
    parse,
)

START_TIME = 1_600_000_000
FAUCET = witness.Unlocked(b"faucet of the rehearsal".ljust(32, b"."))
_FAUCET_COINS, _FAUCET_COIN_SAT = 64, 100_000 * 10**8
FUNDING_FEE_SAT = 1_000


@dataclass(frozen=True, slots=True)
class SpvProof:
    """What a deposit's contract wants to see of a transaction, in the order in which it wants it."""

    version: bytes
    vin: bytes
    vout: bytes
    locktime: bytes
    branch: bytes
    index: int
    headers: bytes

    def for_redemption(self) -> tuple[Any, ...]:
        """The arguments of provideRedemptionProof."""
        return self.version, self.vin, self.vout, self.locktime, self.branch, self.index, self.headers

    def for_funding(self, output: int) -> tuple[Any, ...]:
        """The arguments of provideBTCFundingProof. output: which output funds the deposit."""
        return self.version, self.vin, self.vout, self.locktime, output, self.branch, self.index, self.headers


class Bitcoin:
    """The chain and its pool. Threads may share it.

    held: transactions that no block takes, as if they paid too little. on_block: called after each change of the tip.
    """

    def __init__(self, stored: Mapping[str, Any] | None = None) -> None:
        """stored: what `dump` gave, to go on from there."""
        self.lock = threading.RLock()
        self.held: set[str] = set()
        self.on_block: list[Callable[[], None]] = []
        self._blocks: list[Block] = [blocks.genesis()]
        self._pool: dict[str, Transaction] = {}
        self._rebuild()
        if stored is None:
            grants = tuple(Output(_FAUCET_COIN_SAT, FAUCET.script) for _ in range(_FAUCET_COINS))
            first = blocks.coinbase(1, 0, FAUCET.script, [])
            self._append([Transaction(first.inputs, grants + first.outputs[1:], 2)], START_TIME)
        else:
            self._blocks = [
                Block(bytes.fromhex(one["header"]), tuple(parse(bytes.fromhex(raw)) for raw in one["transactions"]))
                for one in stored["blocks"]
            ]
            self._pool = {tx.txid: tx for tx in (parse(bytes.fromhex(raw)) for raw in stored["pool"])}
            self.held = set(stored["held"])
            self._rebuild()

    def dump(self) -> dict[str, Any]:
        """Everything, as plain values."""
        with self.lock:
            return {
                "blocks": [
                    {"header": block.header.hex(), "transactions": [tx.raw().hex() for tx in block.transactions]}
                    for block in self._blocks
                ],
                "pool": [tx.raw().hex() for tx in self._pool.values()],
                "held": sorted(self.held),
            }

    # what is known

    @property
    def height(self) -> int:
        """The number of the newest block."""
        return len(self._blocks) - 1

    def block(self, height: int) -> Block:
        """Raises IndexError for a height that is not there."""
        if height < 0:
            raise IndexError(height)
        return self._blocks[height]

    def quiet_blocks(self) -> int:
        """How many of the newest blocks have nothing but new coins."""
        with self.lock:
            busy = (at for at in range(self.height, -1, -1) if len(self._blocks[at].transactions) > 1)
            return self.height - next(busy, 0)

    def pool(self) -> list[Transaction]:
        """What waits for a block."""
        with self.lock:
            return list(self._pool.values())

    def transaction(self, txid: str) -> Transaction | None:
        """A transaction of the chain or of the pool."""
        with self.lock:
            if txid in self._pool:
                return self._pool[txid]
            at = self._where.get(txid)
            return None if at is None else next(tx for tx in self._blocks[at].transactions if tx.txid == txid)

    def height_of(self, txid: str) -> int | None:
        """The block that a transaction is in; None where in none."""
        return self._where.get(txid)

    def confirmations(self, txid: str) -> int:
        """How many blocks confirm it, its own included."""
        with self.lock:
            at = self._where.get(txid)
            return 0 if at is None else self.height - at + 1

    def branch(self, txid: str) -> tuple[list[bytes], int]:
        """The merkle branch of a transaction from below, and its place in its block. KeyError where in none."""
        with self.lock:
            transactions = self._blocks[self._where[txid]].transactions
            place = [tx.txid for tx in transactions].index(txid)
            return blocks.merkle_branch([tx.hash for tx in transactions], place), place

    def proof(self, txid: str, confirmations: int = 6) -> SpvProof:
        """The proof of a transaction, with so many headers or as many as there are.

        KeyError where it is in no block.
        """
        with self.lock:
            found, at = self.transaction(txid), self._where[txid]
            assert found is not None
            branch, place = self.branch(txid)
            headers = b"".join(block.header for block in self._blocks[at : at + confirmations])
        raw = found.stripped()
        return SpvProof(raw[:4], found.vin(), found.vout(), raw[-4:], b"".join(branch), place, headers)

    def history(self, script: bytes) -> list[tuple[int, Transaction]]:
        """Every transaction that pays to a script or spends from it, with its height; 0 while it is in the pool."""
        with self.lock:
            return [(at, tx) for at, tx in self._all() if self._touches(tx, script)]

    def unspent(self, script: bytes) -> dict[Outpoint, Output]:
        """The coins of a script that nothing spends, those of the pool included."""
        with self.lock:
            return {
                outpoint: coin
                for outpoint, coin in self._every_coin().items()
                if coin.script == script and outpoint not in self._spenders
            }

    def scripts(self) -> set[bytes]:
        """Every script that was ever paid."""
        with self.lock:
            return {output.script for _, tx in self._all() for output in tx.outputs}

    # what changes

    def accept(self, raw: bytes) -> str:
        """Take a transaction into the pool; its txid. Raises Refusal in bitcoind's words.

        One that waits already is taken again without a word, as bitcoind does.
        """
        try:
            tx = parse(raw)
        except Malformed:
            raise Refusal(UNREADABLE, "TX decode failed. Make sure the tx has at least one input.") from None
        with self.lock:
            if tx.txid in self._where:
                raise Refusal(IN_CHAIN, "Transaction already in block chain")
            if tx.txid not in self._pool:
                self._admit(tx)
        return tx.txid

    def fund(self, script: bytes, value_sat: int, *, fee_sat: int = FUNDING_FEE_SAT) -> Outpoint:
        """Let the faucet pay; the coin, which waits in the pool."""
        with self.lock:
            mine = self.unspent(FAUCET.script)
            outpoint, coin = max(mine.items(), key=lambda one: (one[0].txid in self._where, one[1].value_sat))
            change = coin.value_sat - value_sat - fee_sat
            outputs = (Output(value_sat, script), Output(change, FAUCET.script))
            tx = Transaction((Input(outpoint, sequence=FINAL_SEQUENCE),), outputs)
            return Outpoint(self.accept(witness.spend(tx, 0, coin, FAUCET).raw()), 0)

    def mine(self, count: int = 1, *, empty: bool = False) -> None:
        """Mine blocks; the first one takes all of the pool that is not held, unless they are to be empty."""
        with self.lock:
            for _ in range(count):
                self._append([] if empty else self._ready(), self._blocks[-1].time + blocks.SPACING_S)
        self._told()

    def reorg(self, depth: int) -> None:
        """Replace the newest blocks by as many empty ones; their transactions wait in the pool again."""
        with self.lock:
            gone = [tx for block in self._blocks[-depth:] for tx in block.transactions[1:]]
            del self._blocks[-depth:]
            waited, self._pool = list(self._pool.values()), {}
            self._rebuild()
            for _ in range(depth):  # one second later than they were, or they would be the same blocks
                self._append([], self._blocks[-1].time + blocks.SPACING_S + 1)
            for tx in (*gone, *waited):
                self._admit(tx)
        self._told()

    def forget(self, txid: str) -> None:
        """Drop a transaction of the pool, and what hangs on it, as a node does with what waited too long."""
        with self.lock:
            for gone in self._rules().with_descendants({txid}):
                self._pool.pop(gone, None)
            self._spenders = self._spending()

    # inside

    def _told(self) -> None:
        for listener in list(self.on_block):
            listener()

    def _rules(self) -> mempool.Pool:
        return mempool.Pool(self._coin, self._spenders, self._pool)

    def _coin(self, outpoint: Outpoint) -> Output | None:
        if outpoint.txid in self._pool:
            outputs = self._pool[outpoint.txid].outputs
            return outputs[outpoint.index] if outpoint.index < len(outputs) else None
        return self._coins.get(outpoint)

    def _every_coin(self) -> dict[Outpoint, Output]:
        waiting = {Outpoint(txid, at): one for txid, tx in self._pool.items() for at, one in enumerate(tx.outputs)}
        return self._coins | waiting

    def _admit(self, tx: Transaction) -> None:
        for rival in mempool.admitted(tx, self._rules()):
            del self._pool[rival]
        self._pool[tx.txid] = tx
        self._spenders = self._spending()

    def _spending(self) -> dict[Outpoint, str]:
        return {one.outpoint: txid for txid, tx in self._pool.items() for one in tx.inputs}

    def _ready(self) -> list[Transaction]:
        """Those of the pool that are not held and hang on none that is; parents come first, as they came."""
        kept = self._rules().with_descendants(self.held & set(self._pool))
        return [tx for txid, tx in self._pool.items() if txid not in kept]

    def _append(self, transactions: Sequence[Transaction], time: int) -> None:
        premine = bool(transactions) and transactions[0].coinbase
        if not premine:
            fees = sum(self._rules().fee(tx) for tx in transactions)
            height, value = len(self._blocks), blocks.SUBSIDY_SAT + fees
            transactions = [blocks.coinbase(height, value, FAUCET.script, transactions), *transactions]
        self._blocks.append(blocks.mined(self._blocks[-1], transactions, time))
        for tx in transactions:
            self._pool.pop(tx.txid, None)
        self._connect(self._blocks[-1], self.height)
        self._spenders = self._spending()

    def _connect(self, block: Block, height: int) -> None:
        for tx in block.transactions:
            for spent in tx.inputs:
                self._coins.pop(spent.outpoint, None)
            self._coins |= {Outpoint(tx.txid, at): output for at, output in enumerate(tx.outputs)}
            self._where[tx.txid] = height

    def _rebuild(self) -> None:
        """The coins and places anew, from the blocks."""
        self._coins: dict[Outpoint, Output] = {}
        self._where: dict[str, int] = {}
        for height, block in enumerate(self._blocks):
            self._connect(block, height)
        self._spenders = self._spending()

    def _all(self) -> Iterator[tuple[int, Transaction]]:
        for height, block in enumerate(self._blocks):
            yield from ((height, tx) for tx in block.transactions)
        yield from ((0, tx) for tx in self._pool.values())

    def _touches(self, tx: Transaction, script: bytes) -> bool:
        if any(output.script == script for output in tx.outputs):
            return True
        # a P2WPKH coin is spent by showing its key, so that one need not look the coin up
        return any(len(one.witness) == 2 and p2wpkh(one.witness[1]) == script for one in tx.inputs)
