"""The two chains of the rehearsal as one value, and the questions that every part asks of them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from valtrac.devnet.tbtc.bitcoin import Bitcoin
from valtrac.devnet.tbtc.evm import Contract, Tx, send, send_all
from valtrac.devnet.tbtc.node import Node
from valtrac.devnet.tbtc.system import System

START, AWAITING_SIGNER_SETUP, AWAITING_FUNDING_PROOF, FAILED_SETUP, ACTIVE = range(5)
AWAITING_SIGNATURE, AWAITING_WITHDRAWAL_PROOF, REDEEMED, COURTESY_CALL = range(5, 9)
FRAUD_LIQUIDATION, LIQUIDATION, LIQUIDATED = range(9, 12)


@dataclass(frozen=True, slots=True)
class Chains:
    """Ethereum with tBTC on it, and Bitcoin."""

    ethereum: Node
    system: System
    bitcoin: Bitcoin

    def read(self, name: str, function: str, *args: Any, sender: str | None = None) -> Any:
        """Ask the contract of that name."""
        return self.system.at(name).read(self.ethereum, function, *args, sender=sender)

    def send(self, name: str, function: str, *args: Any, sender: str, value: int = 0) -> dict[str, Any]:
        """Call the contract of that name by a transaction; its receipt. Raises Reverted."""
        return send(self.ethereum, self.system.at(name).tx(function, *args, sender=sender, value=value))

    def send_all(self, txs: list[Tx]) -> list[dict[str, Any]]:
        """Carry out many at once."""
        return send_all(self.ethereum, txs)

    def state(self, deposit: str) -> int:
        """The state of a deposit, as its contract numbers them."""
        return int(Contract("Deposit", deposit).read(self.ethereum, "currentState"))

    def collateral_percent(self, deposit: str) -> int:
        """The collateralization in whole percent; 0 where no bond is left. NodeSaid while the feed is off."""
        return int(Contract("Deposit", deposit).read(self.ethereum, "collateralizationPercentage"))

    def tbtc(self, address: str) -> int:
        """What an address has, in 10^-18 TBTC."""
        return int(self.read("TBTCToken", "balanceOf", address))
