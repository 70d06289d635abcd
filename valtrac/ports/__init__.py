"""What the program asks of chains, wallets, exchanges and listeners, each port no wider than its callers use."""

from __future__ import annotations

from valtrac.ports.bitcoin import BitcoinNetwork, RedemptionTransactions
from valtrac.ports.chains import (
    FinalityProofs,
    NumberedWallet,
    Payer,
    PayingChain,
    PayoutChain,
    Pins,
    PoolChain,
    ReplacingPayer,
    SpentCoins,
    StakeSource,
)
from valtrac.ports.custody import CustodianChain, Exchange, Locked, NoKey, Prices, Rosters, Unreadable
from valtrac.ports.events import EventSource, Notifier
from valtrac.ports.keeps import KeepsChain, KeepsContracts

__all__ = [
    "BitcoinNetwork",
    "CustodianChain",
    "EventSource",
    "Exchange",
    "FinalityProofs",
    "KeepsChain",
    "KeepsContracts",
    "Locked",
    "NoKey",
    "Notifier",
    "NumberedWallet",
    "Payer",
    "PayingChain",
    "PayoutChain",
    "Pins",
    "PoolChain",
    "Prices",
    "RedemptionTransactions",
    "ReplacingPayer",
    "Rosters",
    "SpentCoins",
    "StakeSource",
    "Unreadable",
]
