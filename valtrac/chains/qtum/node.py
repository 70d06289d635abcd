"""The socket of a chain whose wallet lies in its node (`valtrac.ports.PoolChain`), over one node."""

from __future__ import annotations

import contextlib
from typing import Any

from valtrac.chains.qtum.encoding import Transaction, address_of, read_transaction, script_of
from valtrac.chains.qtum.networks import Network
from valtrac.chains.qtum.reading import parts
from valtrac.chains.qtum.rpc import NodeError, Rpc, coins, satoshi
from valtrac.chains.qtum.staking import StakingReader
from valtrac.chains.untrusted import Missing, Untrusted, whole
from valtrac.core.chain import DecodedTx, Head, Limits, Movement, Outcome, Payment, Rival
from valtrac.core.money import QTUM
from valtrac.core.staking import NodeState

FOR_EVER = 2**62  # such a transaction does not expire
MOST_PAYMENTS = 1_000  # of the 2,900 outputs that fit
LEAST_PAYMENT = 72_800  # a node passes nothing smaller on: 182 bytes at 0.004 coins for 1,000
STAKABLE = 100
INPUT_BYTES, OUTPUT_BYTES, FRAME_BYTES = 149, 34, 12
NO_FUNDS = (-6, -4)


class QtumChain(StakingReader):
    """`valtrac.ports.PoolChain` over one node. wallet: the address that stakes, pays and takes the change.

    reserve: satoshi that are kept for staking. fee_rate: satoshi for 1,000 bytes. maturity: blocks a coin rests.
    """

    asset = QTUM

    def __init__(
        self,
        rpc: Rpc,
        network: Network,
        *,
        wallet: str,
        final_depth: int,
        reserve: int,
        fee_rate: int,
        maturity: int,
    ) -> None:
        super().__init__(rpc, network, final_depth=final_depth)
        self.wallet, self.reserve, self.fee_rate, self.maturity = wallet, reserve, fee_rate, maturity
        self._searched: dict[str, tuple[int, int, str]] = {}

    def is_payable(self, address: str) -> bool:
        """Whether it is an address of this network. Asks no node."""
        try:
            return bool(script_of(address, self.of.prefixes))
        except ValueError:
            return False

    def balance(self, address: str, at: Head) -> int:
        """Satoshi that the node's wallet can send now: confirmed, neither locked nor resting after it has staked."""

        def read() -> int:
            return sum(satoshi(row["amount"]) for row in self.rpc.call("listunspent", 1) if row.get("spendable", True))

        return self.ask("a balance", read)

    def left_between(self, address: str, before: Head, after: Head) -> int | None:
        """None: a node keeps no balances of the past."""
        return None

    def limits(self) -> Limits:
        """What one transaction may hold, and what has to stay for staking."""
        return Limits(self.reserve, MOST_PAYMENTS, LEAST_PAYMENT)

    def estimate_fee(self, signer: str, payments: tuple[Payment, ...]) -> int:
        """Satoshi for one transaction, by the coins that the node would put in; by its usual size where they do not
        suffice."""

        def read() -> int:
            try:
                return satoshi(self.funded(payments, lock=False)["fee"])
            except NodeError as error:
                if error.code not in NO_FUNDS:
                    raise
                size = FRAME_BYTES + 2 * INPUT_BYTES + OUTPUT_BYTES * (len(payments) + 1)
                return -(-size * self.fee_rate // 1_000)

        return self.ask("a fee", read)

    def until(self, valid_until: int) -> str:
        """It lives as long as the coins that it spends."""
        return "another transaction spends one of its coins"

    def over(self, valid_until: int, number: int) -> bool:
        """Never: only a rival ends it."""
        return False

    def rival(self, raw: bytes, first: int, last: int) -> Rival | None:
        """The transaction, other than this one, that spends a coin of it in a block after `first` up to `last`."""

        def read() -> Rival | None:
            own = read_transaction(raw)
            if all(self._unspent(outpoint) for outpoint in own.inputs):
                return None
            for number in range(self._searched_to(own.tx_id, first) + 1, last + 1):
                block = self.whole_block(self.hash_at(number))
                for transaction in block.transactions:
                    if transaction.tx_id != own.tx_id and not set(own.inputs).isdisjoint(transaction.inputs):
                        return Rival(transaction.tx_id, self.head_of(number, block.header), transaction.raw)
                self._searched[own.tx_id] = (first, number, block.header.hash)
            return None

        return self.ask("who spent the coins of a payment", read)

    def _searched_to(self, tx_id: str, first: int) -> int:
        """The block up to which no rival of a transaction was found before, where it is still in the chain."""
        since, number, block_hash = self._searched.get(tx_id, (first, first, ""))
        return number if since <= first < number and self.hash_at(number) == block_hash else first

    def paid_by(self, raw: bytes) -> list[tuple[str, int]]:
        """(address, satoshi) of every output that is not the wallet's own; "" where nobody can be named. A coinstake
        pays nobody: what stands in it is made by the block."""
        outputs = read_transaction(raw).outputs
        if not outputs[0].satoshi and not outputs[0].script:
            return []
        named = ((address_of(output.script, self.of.prefixes), output.satoshi) for output in outputs)
        return [(address, units) for address, units in named if address != self.wallet]

    def sent_since(self, number: int) -> dict[str, list[tuple[str, int]]]:
        """What the node's wallet has sent after a block, by the bytes of each transaction."""

        def read() -> dict[str, list[tuple[str, int]]]:
            rows = self.rpc.call("listsinceblock", self.hash_at(number))["transactions"]
            sent = {
                str(row["txid"])
                for row in rows
                if row["category"] == "send" and row["confirmations"] >= 0 and row.get("abandoned") is not True
            }
            return {tx_id: self.paid_by(self._made(tx_id).raw) for tx_id in sorted(sent)}

        return self.ask("what its wallet has sent", read)

    def release(self, raw: bytes) -> None:
        """Unlock the coins of a transaction in the node's wallet, each by itself: one that is spent has no lock. A node
        that does not answer keeps them until it is started again."""
        with contextlib.suppress(Exception):
            for tx_id, place in map(parts, read_transaction(raw).inputs):
                with contextlib.suppress(NodeError):
                    self.rpc.call("lockunspent", True, [{"txid": tx_id, "vout": place}])

    def _unspent(self, outpoint: str) -> bool:
        tx_id, place = parts(outpoint)
        return self.rpc.call("gettxout", tx_id, place, False) is not None

    def decode(self, raw: bytes) -> DecodedTx:
        """The payments of a signed transaction: all outputs but the last one where that is change. Asks no node.

        ValueError where an output pays to nobody.
        """
        transaction = read_transaction(raw)
        payments = tuple(self._payments(transaction))
        return DecodedTx(transaction.tx_id, self.wallet, 0, 0, 0, payments, all_or_nothing=True, expires=FOR_EVER)

    def _payments(self, transaction: Transaction) -> list[Payment]:
        own, outputs = script_of(self.wallet, self.of.prefixes), list(transaction.outputs)
        if len(outputs) > 1 and outputs[-1].script == own:
            outputs.pop()
        payments = [Payment(address_of(output.script, self.of.prefixes), output.satoshi) for output in outputs]
        if any(not payment.address or payment.address == self.wallet for payment in payments):
            raise ValueError("an output that pays to nobody, or back to the wallet")
        return payments

    def outcome(self, tx_id: str, at: Head) -> Outcome | None:
        """What stands in a block was carried out. What it paid is read from its bytes; its fee, the wallet says."""

        def read() -> Outcome | None:
            block = self.whole_block(at.hash)
            if self.hash_at(at.number) != at.hash:
                raise Untrusted("it has another block at that height by now")
            transaction = next((each for each in block.transactions if each.tx_id == tx_id), None)
            if transaction is None:
                return None
            payments = self._payments(transaction)
            moved = tuple(Movement(self.wallet, payment.address, payment.units) for payment in payments)
            return Outcome((True,) * len(payments), self._fee(tx_id), moved=moved, proven=True)

        return self.ask(f"block {at.number}", read)

    def _fee(self, tx_id: str) -> int | None:
        """What a transaction of the node's wallet cost; None on a node that holds another wallet, or none."""
        try:
            fee = self.rpc.call("gettransaction", tx_id).get("fee")
        except NodeError:
            return None
        return None if fee is None else -satoshi(fee)

    def real_fee(self, transaction: Transaction) -> int:
        """What a transaction leaves to the network, by the transactions that made its coins, found by their hashes.
        Raises Untrusted, Missing, NodeError."""
        put_in = 0
        for outpoint in transaction.inputs:
            tx_id, place = parts(outpoint)
            put_in += self._made(tx_id).outputs[place].satoshi
        return put_in - sum(output.satoshi for output in transaction.outputs)

    def _made(self, tx_id: str) -> Transaction:
        """A transaction that paid this wallet: by the index of transactions, or as the wallet keeps it."""
        try:
            return self.transaction(tx_id)
        except Missing:
            return self.taken(tx_id, self.rpc.call("gettransaction", tx_id)["hex"])

    def state(self) -> NodeState:
        """How node and wallet do now."""

        def read() -> NodeState:
            least = {"minimumAmount": STAKABLE}
            chain, net, wallet, balances, staking, stakable = self.rpc.many(
                [
                    ("getblockchaininfo", []),
                    ("getnetworkinfo", []),
                    ("getwalletinfo", []),
                    ("getbalances", []),
                    ("getstakinginfo", []),
                    ("listunspent", [self.maturity, 9_999_999, [], True, least]),
                ]
            )
            mine = balances["mine"]
            return NodeState(
                tip=self.newest(chain),
                balance=satoshi(mine["trusted"]),
                stake=satoshi(mine.get("stake", mine.get("immature", 0))),
                weight=_whole_satoshi(staking["weight"]),
                delegated_weight=_whole_satoshi(staking.get("delegateweight", 0)),
                net_weight=_whole_satoshi(staking["netstakeweight"]),
                connections=whole(net["connections"], "a number of connections", 10_000),
                staking=staking["staking"] is True,
                expected_s=whole(staking["expectedtime"], "a time", 2**63),
                locked=_locked(wallet),
                stakable=len(stakable),
                words=str(staking.get("errors", "")),
                catching_up=chain.get("initialblockdownload") is True,
            )

        return self.ask("how it does", read)

    def close(self) -> None:
        """Let go of the connection. Idempotent."""
        self.rpc.close()

    def funded(self, payments: tuple[Payment, ...], *, lock: bool) -> dict[str, Any]:
        """An unsigned transaction with coins of the wallet put in, the change behind all else. Raises NodeError."""
        outputs = [{payment.address: coins(payment.units)} for payment in payments]
        options = {
            "changeAddress": self.wallet,
            "changePosition": len(outputs),
            "lockUnspents": lock,
            "feeRate": coins(self.fee_rate),
        }
        made = self.rpc.call("fundrawtransaction", self.rpc.call("createrawtransaction", [], outputs), options)
        return {"hex": str(made["hex"]), "fee": made["fee"]}


def _whole_satoshi(value: Any) -> int:
    return whole(int(value), "a weight", 2**63)


def _locked(wallet: Any) -> bool | None:
    """None for a wallet without a password. Unlocked for staking alone looks like unlocked."""
    until = wallet.get("unlocked_until")
    return None if until is None else until == 0
