"""Who redeems deposits in these tests: a wallet that does by hand what a bot would do."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any

from valtrac.devnet.tbtc import market, signers, witness
from valtrac.devnet.tbtc.chains import Chains
from valtrac.devnet.tbtc.deposits import LocalDeposit
from valtrac.devnet.tbtc.evm import Tx, send_all
from valtrac.devnet.tbtc.node import NodeSaid
from valtrac.devnet.tbtc.transactions import Input, Output, Transaction, prefixed

TBTC = 10**18
FEE_SAT = 36_000
PAYEE = witness.Unlocked(b"who is paid in bitcoin".ljust(32, b"."))
SCRIPT = prefixed(PAYEE.script)


def out(value_sat: int) -> bytes:
    """An output value as the deposit's contract takes it."""
    return struct.pack("<Q", value_sat)


class Redeemer:
    """A wallet of the local node."""

    def __init__(self, chains: Chains, address: str) -> None:
        self.chains, self.address = chains, address

    def filled(self, units: int) -> Redeemer:
        """The same with so many 10^-18 TBTC."""
        market.give_tbtc(self.chains, self.address, units)
        return self

    def approval(self, whom: str, units: int) -> Tx:
        return self.chains.system.at("TBTCToken").tx("approve", whom, units, sender=self.address)

    def by_machine(self, deposit: LocalDeposit) -> Tx:
        machine = self.chains.system.at("VendingMachine")
        value = out(deposit.value_sat - FEE_SAT)
        return machine.tx("tbtcToBtc", deposit.deposit, value, SCRIPT, sender=self.address)

    def directly(self, deposit: LocalDeposit) -> Tx:
        value = out(deposit.value_sat - FEE_SAT)
        return deposit.contract.tx("requestRedemption", value, SCRIPT, sender=self.address)

    def cost_by_machine(self, deposit: LocalDeposit) -> int:
        fee: int = deposit.contract.read(self.chains.ethereum, "getOwnerRedemptionTbtcRequirement", self.address)
        return deposit.lot_sat * 10**10 + fee

    def cost_directly(self, deposit: LocalDeposit) -> int:
        node = self.chains.ethereum
        cost: int = deposit.contract.read(node, "getRedemptionTbtcRequirement", self.address, sender=self.address)
        return cost

    def many_by_machine(self, deposits: Sequence[LocalDeposit], allowance: int) -> list[dict[str, Any]]:
        """One approval and the redemptions after it, in one block; the receipts of the redemptions, whatever came."""
        machine = self.chains.system.at("VendingMachine").address
        node = self.chains.ethereum
        txs = [self.approval(machine, allowance), *(self.by_machine(one) for one in deposits)]
        with node.held():
            first = int(node.call("eth_getTransactionCount", self.address, "pending"), 16)
            hashes = node.batch([("eth_sendTransaction", tx.as_request(first + at)) for at, tx in enumerate(txs)])
            node.mine()
        receipts = node.batch([("eth_getTransactionReceipt", one) for one in hashes])
        return receipts[1:]

    def request(self, deposit: LocalDeposit) -> dict[str, Any]:
        """What the newest redemption request of a deposit says."""
        system, node = self.chains.system.at("TBTCSystem"), self.chains.ethereum
        told = system.events("RedemptionRequested", system.logs(node, "RedemptionRequested"))
        return [one for one in told if one["_depositContractAddress"] == deposit.deposit][-1]

    def transaction(self, deposit: LocalDeposit) -> Transaction:
        """The Bitcoin transaction that a request asks for, not signed yet."""
        assert deposit.funding is not None
        asked = self.request(deposit)
        assert asked["_outpoint"] == deposit.funding.packed()
        value = asked["_utxoValue"] - asked["_requestedFee"]
        return Transaction((Input(deposit.funding, sequence=0),), (Output(value, PAYEE.script),))

    def signed(self, deposit: LocalDeposit) -> Transaction:
        """The same with the signature that the keep published, which the deposit is told too."""
        tx, coin = self.transaction(deposit), Output(deposit.value_sat, deposit.key.script)
        digest = witness.digest(tx, 0, coin)
        assert digest == self.request(deposit)["_digest"]
        said = signers.signature(self.chains, deposit.keep, digest)
        assert said is not None
        given = (27 + said["recoveryID"], said["r"], said["s"])
        send_all(
            self.chains.ethereum,
            [deposit.contract.tx("provideRedemptionSignature", *given, sender=self.address)],
        )
        written = witness.der(int.from_bytes(said["r"], "big"), int.from_bytes(said["s"], "big"))
        return tx.with_witness(0, (written + bytes([witness.SIGHASH_ALL]), deposit.key.compressed))

    def prove(self, deposit: LocalDeposit, txid: str) -> dict[str, Any]:
        arguments = self.chains.bitcoin.proof(txid).for_redemption()
        proof = deposit.contract.tx("provideRedemptionProof", *arguments, sender=self.address)
        return send_all(self.chains.ethereum, [proof])[0]

    def refusal(self, tx: Tx) -> str:
        """The words with which a transaction would be refused now; "" where it would not."""
        try:
            self.chains.ethereum.call("eth_call", tx.as_request(), "latest")
        except NodeSaid as said:
            return said.message.removeprefix("execution reverted: ")
        return ""
