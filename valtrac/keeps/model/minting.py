"""Minting TBTC: a deposit of one's own, from the wish to the TBTC. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from valtrac.core.states import State
from valtrac.keeps.model import deadlines
from valtrac.keeps.model.lines import Call
from valtrac.keeps.model.states import DepositState

CONFIRMATIONS = 6


class MintState(State):
    """asked: its transaction is signed or on its way; setup: the members are to make a key; funding: Bitcoin is to be
    paid; active: proven, its token can be turned into TBTC; minted; failed: it came to nothing, in words."""

    ASKED = "asked"
    SETUP = "setup"
    FUNDING = "funding"
    ACTIVE = "active"
    MINTED = "minted"
    FAILED = "failed"

    @classmethod
    def _moves(cls) -> Mapping[MintState, tuple[MintState, ...]]:
        return {
            cls.ASKED: (cls.SETUP, cls.FUNDING, cls.ACTIVE, cls.MINTED, cls.FAILED),
            cls.SETUP: (cls.FUNDING, cls.ACTIVE, cls.MINTED, cls.FAILED),
            cls.FUNDING: (cls.ACTIVE, cls.MINTED, cls.FAILED),
            cls.ACTIVE: (cls.MINTED, cls.FAILED),
        }


STILL_OPEN = (MintState.ASKED, MintState.SETUP, MintState.FUNDING, MintState.ACTIVE)


def state_of(deposit: DepositState, *, holds_token: bool) -> MintState:
    """How far a mint is, by the state of its deposit and whether the wallet still has its token."""
    if deposit in (DepositState.START, DepositState.AWAITING_SIGNER_SETUP):
        return MintState.SETUP
    if deposit is DepositState.AWAITING_BTC_FUNDING_PROOF:
        return MintState.FUNDING
    if deposit is DepositState.ACTIVE:
        return MintState.ACTIVE if holds_token else MintState.MINTED
    return MintState.FAILED


@dataclass(frozen=True, slots=True)
class Addresses:
    """Of the contracts that minting needs; the factory of deposits, the token of deposits, the VendingMachine."""

    factory: str
    token: str
    machine: str


def create(lot: int, fee: int, addresses: Addresses) -> Call:
    """Ask for a deposit. lot: satoshi; fee: ether in wei, which its contracts ask for."""
    with_fee = f" with {fee} wei" if fee else ""
    return Call(addresses.factory, f"createDeposit({lot}){with_fee}", 0, f"ask for a deposit of {lot} satoshi")


def setup(deposit: str, created_at: int, now: int, *, has_key: bool) -> Call | None:
    """Have a deposit take its members' key; once they are late, have the setup called failed, which brings the fee
    back. None: nothing can be done yet."""
    if has_key:
        return Call(deposit, "retrieveSignerPubkey()", 0, f"key of {deposit[:10]}", deposit)
    if deadlines.setup_late(created_at, now):
        return Call(deposit, "notifySignerSetupFailed()", 0, f"setup of {deposit[:10]} failed", deposit)
    return None


def turn_in(deposit: str, addresses: Addresses) -> list[Call]:
    """Turn the token of an active deposit into TBTC."""
    number = int(deposit, 16)
    return [
        Call(addresses.token, f"approve({addresses.machine}, {number})", 0, f"hand in {deposit[:10]}", deposit),
        Call(addresses.machine, f"tdtToTbtc({number})", 0, f"mint for {deposit[:10]}", deposit),
    ]


def abort(deposit: str, script: bytes) -> Call:
    """Ask the members to pay back what was paid to a deposit that has failed. script: where to, with its length."""
    return Call(
        deposit, f"requestFunderAbort(0x{script.hex()})", 0, f"ask {deposit[:10]} for the bitcoin back", deposit
    )
