"""Blocks of a node, each bound to its hash: what the bytes do not say is not believed."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, ClassVar, TypeVar

from valtrac.chains.asking import Asker, Errors
from valtrac.chains.qtum.blocks import Block, Header, next_header, read_block
from valtrac.chains.qtum.encoding import Reader, Transaction, read_transaction
from valtrac.chains.qtum.networks import Network
from valtrac.chains.qtum.rpc import NodeError, Rpc
from valtrac.chains.untrusted import Missing, Untrusted, whole
from valtrac.core.chain import BlockView, Head, Identity

T = TypeVar("T")
NO_PARENT = "0" * 64
NOT_FOUND = (-5, -8)
KEPT_BLOCKS, KEPT_TRANSACTIONS, AT_ONCE = 256, 4_096, 50


class NodeReader(Asker):
    """Who reads a node's blocks. final_depth: how many blocks from the newest on may still be undone."""

    errors_told: ClassVar[Errors] = (NodeError,)
    malformed: ClassVar[Errors] = (KeyError, TypeError, IndexError, AttributeError, ValueError)

    def __init__(self, rpc: Rpc, network: Network, *, final_depth: int) -> None:
        super().__init__(network.name, rpc.timeout_s)
        self.rpc, self.of, self.final_depth = rpc, network, final_depth
        self._blocks: OrderedDict[str, Block] = OrderedDict()
        self._transactions: OrderedDict[str, Transaction] = OrderedDict()
        self._ahead: dict[int, str] = {}

    def ask(self, what: str, read: Callable[[], T]) -> T:
        """What `read` returns. Raises ChainUnreachable for whatever goes wrong in it."""
        with self.in_words(what):
            return read()

    def identity(self) -> Identity:
        """Which chain the node serves. Raises ChainUnreachable where it is another than the settings name."""

        def read() -> Identity:
            first, chain = self.rpc.many([("getblockhash", [0]), ("getblockchaininfo", [])])
            genesis = _hash(first)
            if chain["chain"] != self.of.chain or self.of.genesis not in ("", genesis):
                raise Untrusted(f"it serves the network {chain['chain']}, not {self.of.name}")
            return Identity(self.network, genesis, 0)

        return self.ask("its chain", read)

    def tip(self) -> Head:
        """The newest block: it may still be undone."""

        def read() -> Head:
            return self.newest(self.rpc.call("getblockchaininfo"))

        return self.ask("the newest block", read)

    def finalized(self) -> Head:
        """The newest block deep enough to stay."""
        number = max(0, self.tip().number - self.final_depth)
        return self.ask(f"block {number}", lambda: self.head_of(number, self.header(self.hash_at(number))))

    def head(self, number: int) -> Head:
        """The block at a height, by its header."""
        return self.ask(f"block {number}", lambda: self.head_of(number, self.header(self.hash_at(number))))

    def heads(self, first: int, last: int) -> list[tuple[Head, str]]:
        """(head, the coin that won) of every block from first to last, each linked to the one before it."""

        def read() -> list[tuple[Head, str]]:
            numbers = range(first, last + 1)
            hashes = [_hash(answer) for answer in self.rpc.many([("getblockhash", [number]) for number in numbers])]
            raw = self.rpc.many([("getblockheader", [block_hash, False]) for block_hash in hashes])
            headers = [self._checked(text, block_hash) for text, block_hash in zip(raw, hashes, strict=True)]
            for before, after in pairwise(headers):
                if after.parent != before.hash:
                    raise Untrusted("blocks that do not follow from one another")
            return [
                (self.head_of(number, header), header.kernel) for number, header in zip(numbers, headers, strict=True)
            ]

        return self.ask(f"blocks {first} to {last}", read) if first <= last else []

    def block(self, number: int) -> BlockView:
        """A block with the ids and bytes of its transactions."""

        def read() -> BlockView:
            block = self.whole_block(self.hash_at(number))
            ids = tuple(transaction.tx_id for transaction in block.transactions)
            raw = tuple(transaction.raw for transaction in block.transactions)
            return BlockView(self.head_of(number, block.header), ids, raw)

        return self.ask(f"block {number}", read)

    def read_ahead(self, first: int, last: int) -> None:
        """Read those blocks, and what their coinstakes spend, in few questions, for who asks for them next."""

        def read() -> None:
            self._ahead = {}
            for numbers in chunks(range(first, min(last, first + KEPT_BLOCKS // 2 - 1) + 1), AT_ONCE):
                hashes = [_hash(each) for each in self.rpc.many([("getblockhash", [number]) for number in numbers])]
                raw = self.rpc.many([("getblock", [block_hash, 0]) for block_hash in hashes])
                for number, block_hash, text in zip(numbers, hashes, raw, strict=True):
                    self._kept(read_block(bytes.fromhex(text), block_hash, staked=self.of.staked))
                    self._ahead[number] = block_hash
                self._spent_ahead(hashes)

        self.ask(f"blocks from {first} on", read)

    def _spent_ahead(self, hashes: Sequence[str]) -> None:
        """Read the transactions that coinstakes refer to; without an index they are looked for one by one later."""
        wanted: set[str] = set()
        for block in map(self._blocks.__getitem__, hashes):
            outpoints = [block.header.kernel, *(block.transactions[1].inputs if len(block.transactions) > 1 else ())]
            wanted |= {parts(outpoint)[0] for outpoint in outpoints}
        lacking = sorted(wanted - set(self._transactions) - {NO_PARENT})
        try:
            answers = self.rpc.many([("getrawtransaction", [tx_id, False]) for tx_id in lacking])
        except NodeError:
            return
        for tx_id, text in zip(lacking, answers, strict=True):
            self.taken(tx_id, text)

    # What raises Untrusted, Missing and NodeError: to be called inside of `ask`

    def newest(self, info: Any) -> Head:
        """The newest block by what the node tells of its chain: it has to stand where the node says that it does."""
        number, best = whole(info["blocks"], "a height", 2**31), _hash(info["bestblockhash"])
        if info["chain"] != self.of.chain:
            raise Untrusted(f"it serves the network {info['chain']}, not {self.of.name}")
        if self.hash_at(number) != best:
            raise Untrusted(f"its newest block is not the one at height {number}")
        return self.head_of(number, self.header(best))

    def hash_at(self, number: int) -> str:
        """The hash of the block at a height, as the node has it now."""
        try:
            return _hash(self.rpc.call("getblockhash", number))
        except NodeError as error:
            if error.code in NOT_FOUND:
                raise Missing(str(error)) from error
            raise

    def header(self, block_hash: str) -> Header:
        """A header by its hash."""
        known = self._blocks.get(block_hash)
        return known.header if known else self._checked(self.rpc.call("getblockheader", block_hash, False), block_hash)

    def whole_block(self, block_hash: str) -> Block:
        """A block by its hash, with all of its transactions."""
        known = self._blocks.get(block_hash)
        if known is None:
            raw = bytes.fromhex(self.rpc.call("getblock", block_hash, 0))
            known = self._kept(read_block(raw, block_hash, staked=self.of.staked))
        return known

    def ahead(self, number: int) -> str:
        """The hash of a block that was read ahead, once; else as the node has it now."""
        return self._ahead.pop(number, "") or self.hash_at(number)

    def transaction(self, tx_id: str, block_hash: str | None = None) -> Transaction:
        """A transaction by its id, which is the hash of its bytes. Raises Missing where the node cannot find it:
        without an index of transactions it has to be told in which block it is."""
        known = self._transactions.get(tx_id)
        if known is None:
            where = () if block_hash is None else (block_hash,)
            try:
                raw = bytes.fromhex(self.rpc.call("getrawtransaction", tx_id, False, *where))
            except NodeError as error:
                if error.code in NOT_FOUND:
                    raise Missing(str(error)) from error
                raise
            known = self.taken(tx_id, raw.hex())
        return known

    def head_of(self, number: int, header: Header) -> Head:
        """A header as the rest of the program knows it."""
        return Head(number, header.hash, header.parent, header.at)

    def _checked(self, text: Any, block_hash: str) -> Header:
        reader = Reader(bytes.fromhex(text))
        header = next_header(reader, staked=self.of.staked)
        reader.end()
        if header.hash != block_hash:
            raise Untrusted(f"the header called {block_hash[:16]}... has the hash {header.hash[:16]}...")
        return header

    def _kept(self, block: Block) -> Block:
        self._blocks[block.header.hash] = block
        for transaction in block.transactions:
            self._keep(transaction)
        while len(self._blocks) > KEPT_BLOCKS:
            self._blocks.popitem(last=False)
        return block

    def taken(self, tx_id: str, text: str) -> Transaction:
        """A transaction by its bytes, which have to be those that it is called by. Raises Untrusted."""
        transaction = read_transaction(bytes.fromhex(text))
        if transaction.tx_id != tx_id:
            raise Untrusted(f"the transaction called {tx_id[:16]}... is {transaction.tx_id[:16]}...")
        self._keep(transaction)
        return transaction

    def _keep(self, transaction: Transaction) -> None:
        self._transactions[transaction.tx_id] = transaction
        while len(self._transactions) > KEPT_TRANSACTIONS:
            self._transactions.popitem(last=False)


def _hash(answer: Any) -> str:
    """A hash as a node writes it. Raises Untrusted."""
    if not isinstance(answer, str) or len(answer) != 64:
        raise Untrusted("a hash that is none")
    int(answer, 16)
    return answer.lower()


def when(seconds: Any) -> datetime:
    """A time stamp of a node's. Raises Untrusted."""
    return datetime.fromtimestamp(whole(seconds, "a time", 2**32), UTC)


def parts(outpoint: str) -> tuple[str, int]:
    """(transaction, number of its output) of `txid:n`."""
    tx_id, _, place = outpoint.partition(":")
    return tx_id, int(place)


def chunks(values: Sequence[T], size: int) -> list[Sequence[T]]:
    """The same in pieces of at most so many."""
    return [values[start : start + size] for start in range(0, len(values), size)]
