"""Who staked a block, who delegates to whom, and which coins could have staked: what rewards are shared by."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from valtrac.chains.qtum.blocks import NO_COIN, Block, proves
from valtrac.chains.qtum.encoding import address_of, address_of_hash
from valtrac.chains.qtum.reading import NodeReader, chunks, parts
from valtrac.chains.qtum.rpc import UNKNOWN_METHOD, NodeError, satoshi
from valtrac.chains.untrusted import Missing, Untrusted, whole
from valtrac.core.chain import Head
from valtrac.core.staking import Coinstake, DelegationEvent, NodePolicy, Output, OwnedCoin, StakedBlock

CONTRACT = "0000000000000000000000000000000000000086"
# keccak256 of AddDelegation(address,address,uint8,uint256,bytes) and RemoveDelegation(address,address)
ADDED = "a23803f3b2b56e71f2921c22b23c32ef596a439dbe03f7250e6b58a30eb910b5"
REMOVED = "7fe28d2d0b16cf95b5ea93f4305f89133b3892543e616381a1336fc1e7a01fa0"
BLOCKS_AT_ONCE = 50_000
ADDRESSES_AT_ONCE = 500
AGREEMENT_TRIES = 5
USUAL = {"stakingminutxovalue": "100", "stakingminfee": "10"}
NO_POLICY = (-3, -5, UNKNOWN_METHOD)  # a wallet without this staker, or a node that knows no such question
NO_INDEX = {
    "-addrindex": "no coins of an address are told without it",
    "-logevents": "no delegations are told without it",
    "-txindex": "the coin that won a block is not told without it",
}


class StakingReader(NodeReader):
    """Who reads what a pool shares its rewards by."""

    def staked(self, number: int) -> StakedBlock:
        """A block and who made it; amounts by the transactions themselves, found by the hashes that the block names."""

        def read() -> StakedBlock:
            block = self.whole_block(self.ahead(number))
            header, head = block.header, self.head_of(number, block.header)
            if header.kernel == NO_COIN or len(block.transactions) < 2:
                return StakedBlock(head, "", "", delegated=False, signer="", coinstake=None)
            try:
                script = self._output(header.kernel, block).script
            except Missing:
                script = b""
            winner = address_of(script, self.of.prefixes)
            delegated = bool(header.proof)
            made = self._coinstake(block, script.hex() if delegated else "")
            return StakedBlock(head, header.kernel, winner, delegated, header.signer(self.of.prefixes), made)

        return self.ask(f"who staked block {number}", read)

    def _coinstake(self, block: Block, delegate: str) -> Coinstake:
        transaction = block.transactions[1]
        if transaction.outputs[0].satoshi or transaction.outputs[0].script:
            raise Untrusted("a second transaction that is no coinstake")
        outputs = [
            Output(output.satoshi, output.script.hex(), address_of(output.script, self.of.prefixes))
            for output in transaction.outputs[1:]
        ]
        return Coinstake(sum(self._output(spent, block).satoshi for spent in transaction.inputs), outputs, delegate)

    def _output(self, outpoint: str, block: Block) -> Any:
        """An output that a block refers to. A node without an index of transactions is told by its own list of what the
        block spends in which block each of them was made."""
        tx_id, place = parts(outpoint)
        try:
            transaction = self.transaction(tx_id)
        except Missing:
            made_in = self._made_in(outpoint, block)
            transaction = self.transaction(tx_id, self.hash_at(made_in))
        if place >= len(transaction.outputs):
            raise Untrusted("an output that its transaction does not have")
        return transaction.outputs[place]

    def _made_in(self, outpoint: str, block: Block) -> int:
        for transaction in self.rpc.call("getblock", block.header.hash, 3)["tx"][1:]:
            for spent in transaction["vin"]:
                if f"{spent.get('txid')}:{spent.get('vout')}" == outpoint:
                    return whole(spent["prevout"]["height"], "a height", 2**31)
        raise Missing(f"the transaction {outpoint[:16]}... is not indexed")

    def delegations(self, first: int, last: int) -> list[DelegationEvent]:
        """Every delegation that was given or taken back from block first to block last, by anybody to anybody."""

        def read() -> list[DelegationEvent]:
            events: list[DelegationEvent] = []
            for start in range(max(first, self.of.delegations), last + 1, BLOCKS_AT_ONCE):
                end = min(start + BLOCKS_AT_ONCE - 1, last)
                for receipt in self.rpc.call("searchlogs", start, end, {"addresses": [CONTRACT]}):
                    events += self._events(receipt, start, end)
            return sorted(dict.fromkeys(events), key=lambda event: (event.block, event.place))

        return self.ask(f"delegations from block {first} on", read)

    def _events(self, receipt: Any, first: int, last: int) -> list[DelegationEvent]:
        block = whole(receipt["blockNumber"], "a height", 2**31)
        if not first <= block <= last:
            raise Untrusted("a delegation of a block that was not asked for")
        index, events = whole(receipt["transactionIndex"], "a place", 2**31), []
        output = whole(receipt.get("outputIndex", 0), "a place", 2**32)
        for place, entry in enumerate(receipt["log"]):
            topics = entry["topics"]
            if entry["address"] != CONTRACT or len(topics) != 3 or topics[0] not in (ADDED, REMOVED):
                continue
            staker, delegate = (_hash_in(topic) for topic in topics[1:])
            added = topics[0] == ADDED
            fee, proof = _added(bytes.fromhex(entry["data"])) if added else (0, b"")
            proven = not added or proves(proof, delegate, staker)
            who, to = (address_of_hash(each, self.of.prefixes) for each in (delegate, staker))
            events.append(DelegationEvent(block, (index, output, place), who, to, fee, added, proven))
        return events

    def delegated_now(self, staker: str) -> dict[str, int]:
        """delegate -> fee in percent, of those who delegate to a staker at the newest block."""

        def read() -> dict[str, int]:
            rows = self.rpc.call("getdelegationsforstaker", staker)
            return {str(row["delegate"]): whole(row["fee"], "a fee", 101) for row in rows}

        return self.ask("the delegates", read)

    def coins(self, addresses: Sequence[str], block: Head) -> dict[str, tuple[OwnedCoin, ...]]:
        """address -> the coins that it owned after the block before this one, also those that were spent since.

        Asked at the newest block and led back to that one. Raises ChainUnreachable where the node's answers do not fit
        together, or the block is not in its chain any more.
        """

        def read() -> dict[str, tuple[OwnedCoin, ...]]:
            for _ in range(AGREEMENT_TRIES):
                coins = self._coins(list(addresses), block)
                if coins is not None:
                    return coins
            raise Untrusted("new blocks came in faster than coins could be read")

        return self.ask(f"the coins of delegates at block {block.number}", read) if addresses else {}

    def _coins(self, addresses: list[str], block: Head) -> dict[str, tuple[OwnedCoin, ...]] | None:
        """None where a new block came in between."""
        owned: dict[str, list[OwnedCoin]] = {address: [] for address in addresses}
        tips, spending = set(), dict[int, int]()
        for some in chunks(addresses, ADDRESSES_AT_ONCE):
            told = self.rpc.call("getaddressutxos", {"addresses": list(some), "chainInfo": True})
            tips.add((str(told["hash"]), whole(told["height"], "a height", 2**31)))
            for row in told["utxos"]:
                height = whole(row["height"], "a height", 2**31)
                if height < block.number:
                    owned[row["address"]].append(_coin(row["txid"], row["outputIndex"], row["satoshis"], height))
        if len(tips) != 1:
            return None
        tip_hash, tip = tips.pop()
        if tip < block.number or self.hash_at(block.number) != block.hash:
            raise Missing("it is not in the chain any more")
        for some in chunks(addresses, ADDRESSES_AT_ONCE):
            asked = {"addresses": list(some), "start": max(1, block.number), "end": tip}
            for row in self.rpc.call("getaddressdeltas", asked):
                if row["satoshis"] < 0:
                    height = whole(row["height"], "a height", 2**31)
                    spending[height] = spending.get(height, 0) - row["satoshis"]
        for height, units in spending.items():
            self._unspend(owned, height, units, block.number)
        if self.hash_at(tip) != tip_hash:
            return None
        outpoints = [coin.outpoint for coins in owned.values() for coin in coins]
        if len(set(outpoints)) != len(outpoints):
            raise Untrusted("the same coin twice")
        return {address: tuple(coins) for address, coins in owned.items()}

    def _unspend(self, owned: dict[str, list[OwnedCoin]], height: int, units: int, before: int) -> None:
        """Give back what addresses spent in a block, where it was theirs before the one in question."""
        spent_units = 0
        for transaction in self.rpc.call("getblock", self.hash_at(height), 3)["tx"][1:]:
            for spent in transaction["vin"]:
                origin = spent["prevout"]
                address = address_of(bytes.fromhex(origin["scriptPubKey"]["hex"]), self.of.prefixes)
                if address not in owned:
                    continue
                value, made = satoshi(origin["value"]), whole(origin["height"], "a height", 2**31)
                spent_units += value
                if made < before:
                    coin = _coin(spent["txid"], spent["vout"], value, made)
                    owned[address].append(OwnedCoin(coin.outpoint, coin.satoshi, coin.height, height))
        if spent_units != units:
            raise Untrusted(f"what was spent in block {height} differs from what its transactions spend")

    def policy(self, staker: str) -> NodePolicy:
        """What the node asks of delegates, and which index it lacks."""

        def read() -> NodePolicy:
            lacking = dict[str, str]()
            newest = self.whole_block(str(self.rpc.call("getblockchaininfo")["bestblockhash"]))
            questions: dict[str, tuple[str, list[Any]]] = {
                "-addrindex": ("getaddressbalance", [{"addresses": [staker]}]),
                "-logevents": ("getdelegationsforstaker", [staker]),
                "-txindex": ("getrawtransaction", [newest.transactions[-1].tx_id, False]),
            }
            for flag, (method, params) in questions.items():
                try:
                    self.rpc.call(method, *params)
                except NodeError:
                    lacking[flag] = NO_INDEX[flag]
            return self._asked_of_delegates(staker, lacking)

        return self.ask("what it asks of delegates", read)

    def _asked_of_delegates(self, staker: str, lacking: dict[str, str]) -> NodePolicy:
        try:
            told = self.rpc.call("listsuperstakervaluesforaddress", staker)
        except NodeError as error:
            if error.code not in NO_POLICY:  # it may take only some, and cannot say so now
                raise
            told = {}
        if told.get("customconfig") is not True:  # nothing was set for this address: the flags hold
            told = {**self._flags(), **told}
        least, fee = told.get("stakingminutxovalue"), told.get("stakingminfee")
        return NodePolicy(
            None if least is None else satoshi(_decimal(least)),
            None if fee is None else whole(int(fee), "a fee", 101),
            frozenset(map(str, told.get("allow", ()))),
            frozenset(map(str, told.get("exclude", ()))),
            lacking,
        )

    def _flags(self) -> dict[str, Any]:
        """What the node was started with, its defaults where nothing was said; {} where it does not tell."""
        try:
            told = self.rpc.call("listconf")
        except NodeError:
            return {}
        return {name: told.get(name, usual) for name, usual in USUAL.items()}


def _hash_in(topic: str) -> bytes:
    """The hash of an address in an event. Raises Untrusted."""
    raw = bytes.fromhex(topic)
    if len(raw) != 32 or raw[:12] != bytes(12):
        raise Untrusted("a delegation by nobody")
    return raw[12:]


def _added(data: bytes) -> tuple[int, bytes]:
    """(fee, proof) of a delegation: AddDelegation(..., uint8 fee, uint256 block, bytes proof)."""
    start = 32 + int.from_bytes(data[64:96], "big")
    length = int.from_bytes(data[start - 32 : start], "big")
    return int.from_bytes(data[:32], "big"), data[start : start + length]


def _coin(tx_id: Any, place: Any, units: Any, height: int) -> OwnedCoin:
    if not isinstance(tx_id, str) or len(tx_id) != 64:
        raise Untrusted("a coin of no transaction")
    return OwnedCoin(f"{tx_id}:{whole(place, 'a place', 2**32)}", whole(units, "a coin", 2**63), height)


def _decimal(value: Any) -> Any:
    """An amount that some versions write as text."""
    from decimal import Decimal

    return Decimal(value) if isinstance(value, str) else value
