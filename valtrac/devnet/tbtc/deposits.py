"""Deposits of the rehearsal: made through a real keep with real bonds, funded on the Bitcoin chain, proven by SPV.

Many are made step by step together, so that fifty take as many blocks as one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from valtrac.devnet.tbtc.chains import Chains
from valtrac.devnet.tbtc.evm import Contract, Tx
from valtrac.devnet.tbtc.signers import signing_key
from valtrac.devnet.tbtc.transactions import Outpoint
from valtrac.devnet.tbtc.witness import Unlocked

SETUP_TIMEOUT_S = FUNDING_TIMEOUT_S = 3 * 3_600
CONFIRMATIONS = 6
Until = Literal["signer setup", "funding", "active"]


@dataclass(frozen=True, slots=True)
class LocalDeposit:
    """A deposit that was made here.

    deposit, keep, members: addresses. lot_sat: satoshi. key: the one key that the members share here, where a real
    keep has shares of one. funding: the coin that funds it, of value_sat; None before that.
    """

    deposit: str
    keep: str
    members: tuple[str, ...]
    lot_sat: int
    key: Unlocked
    funding: Outpoint | None = None

    @property
    def value_sat(self) -> int:
        """What its coin is worth."""
        return self.lot_sat if self.funding else 0

    @property
    def tdt_id(self) -> int:
        """The number of the token that stands for the deposit."""
        return int(self.deposit, 16)

    @property
    def contract(self) -> Contract:
        return Contract("Deposit", self.deposit)

    @property
    def keep_contract(self) -> Contract:
        return Contract("BondedECDSAKeep", self.keep)


def make(
    chains: Chains, lots_sat: Sequence[int], *, until: Until = "active", tdt: str | None = None
) -> list[LocalDeposit]:
    """Make a deposit of each lot; they stand where `until` says.

    tdt: who has the token of the deposit in the end; None for the VendingMachine, and the depositor has the TBTC that
    it minted for it (the lot less 0.05 %).
    """
    made = _created(chains, lots_sat)
    if until == "signer setup":
        return made
    _set_up(chains, made)
    if until == "funding":
        return made
    made = prove_funding(chains, fund(chains, made))
    _hand_over(chains, made, tdt)
    return made


def make_one(chains: Chains, lot_sat: int, *, until: Until = "active", tdt: str | None = None) -> LocalDeposit:
    """The same for one."""
    return make(chains, [lot_sat], until=until, tdt=tdt)[0]


def fail_setup(chains: Chains, lot_sat: int, *, funding: bool = False) -> LocalDeposit:
    """A deposit whose setup failed: three hours pass in which no key comes, or (funding) no coin."""
    made = make_one(chains, lot_sat, until="funding" if funding else "signer setup")
    chains.ethereum.warp(SETUP_TIMEOUT_S + 1)
    call = "notifyFundingTimedOut" if funding else "notifySignerSetupFailed"
    chains.send_all([made.contract.tx(call, sender=chains.system.third)])
    return made


def fund(chains: Chains, deposits: Sequence[LocalDeposit]) -> list[LocalDeposit]:
    """Pay the lot of each on the Bitcoin chain; the coins wait in its pool."""
    return [replace(deposit, funding=chains.bitcoin.fund(deposit.key.script, deposit.lot_sat)) for deposit in deposits]


def prove_funding(chains: Chains, deposits: Sequence[LocalDeposit]) -> list[LocalDeposit]:
    """Mine what is missing of six confirmations, and prove the coin of each to its deposit, which is ACTIVE then."""
    txs = []
    for deposit in deposits:
        assert deposit.funding is not None
        missing = CONFIRMATIONS - chains.bitcoin.confirmations(deposit.funding.txid)
        if missing > 0:
            chains.bitcoin.mine(missing)
        proof = chains.bitcoin.proof(deposit.funding.txid, CONFIRMATIONS)
        arguments = proof.for_funding(deposit.funding.index)
        txs.append(deposit.contract.tx("provideBTCFundingProof", *arguments, sender=chains.system.third))
    chains.send_all(txs)
    return list(deposits)


def _created(chains: Chains, lots_sat: Sequence[int]) -> list[LocalDeposit]:
    system = chains.system
    fee = chains.read("TBTCSystem", "getNewDepositFeeEstimate")
    factory = system.at("DepositFactory")
    receipts = chains.send_all(
        [factory.tx("createDeposit", lot, sender=system.depositor, value=fee) for lot in lots_sat]
    )
    return [_of(chains, receipt, lot) for receipt, lot in zip(receipts, lots_sat, strict=True)]


def _of(chains: Chains, receipt: dict[str, Any], lot_sat: int) -> LocalDeposit:
    factory = chains.system.at("BondedECDSAKeepFactory")
    [told] = factory.events("BondedECDSAKeepCreated", receipt["logs"])
    keep = told["keepAddress"]
    return LocalDeposit(told["owner"], keep, told["members"], lot_sat, signing_key(keep))


def _set_up(chains: Chains, deposits: Sequence[LocalDeposit]) -> None:
    """The members tell the key of each keep, and the deposit asks for it."""
    told: list[Tx] = [
        deposit.keep_contract.tx("submitPublicKey", deposit.key.public_key, sender=member)
        for deposit in deposits
        for member in deposit.members
    ]
    chains.send_all(told)
    third = chains.system.third
    chains.send_all([deposit.contract.tx("retrieveSignerPubkey", sender=third) for deposit in deposits])


def _hand_over(chains: Chains, deposits: Sequence[LocalDeposit], tdt: str | None) -> None:
    depositor, token = chains.system.depositor, chains.system.at("TBTCDepositToken")
    if tdt is not None:
        given = [token.tx("transferFrom", depositor, tdt, one.tdt_id, sender=depositor) for one in deposits]
        chains.send_all(given if tdt != depositor else [])
        return
    machine = chains.system.at("VendingMachine")
    steps = []
    for deposit in deposits:
        steps.append(token.tx("approve", machine.address, deposit.tdt_id, sender=depositor))
        steps.append(machine.tx("tdtToTbtc", deposit.tdt_id, sender=depositor))
    chains.send_all(steps)
