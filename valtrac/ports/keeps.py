"""What the program asks of Ethereum and of tBTC's contracts on it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Protocol

from valtrac.core.chain import Head
from valtrac.core.keeps import Costs, CreatedKeep, DepositReading, GasNow, GasPaid, KeepSignature, RedemptionRequest
from valtrac.ports.chains import PayingChain, SpentCoins


class KeepsChain(PayingChain, SpentCoins, Protocol):
    """A chain that a wallet pays with a token on and bears the cost in another asset (TBTC and ether). Every method
    raises ChainUnreachable where no provider answers, or one answers garbage."""

    @property
    def wallet(self) -> str:
        """The wallet's address, in lower case."""
        ...

    def tip(self) -> Head:
        """The newest block, which may still be undone."""
        ...

    def head(self, number: int) -> Head:
        """A block by height, as the chain has it now."""
        ...

    def ether(self, address: str, at: Head) -> int:
        """Ether of an address at a block, in wei."""
        ...

    def nonce(self, address: str, at: Head) -> int:
        """How many transactions of an account the chain counts at a block."""
        ...

    def allowance(self, owner: str, spender: str, at: Head) -> int:
        """What a spender may take of an owner's token, in wei."""
        ...

    def gas(self) -> GasNow:
        """What gas costs now."""
        ...

    def gas_paid(self, tx_id: str) -> GasPaid | None:
        """The ether that a transaction took; None while no block holds it."""
        ...

    def distrust(self) -> str:
        """Ask whoever told something last after all others of the group for a while; its name."""
        ...

    def refusal(self, to: str, text: str, *, at: int | str = "latest") -> str:
        """Why a contract would say no to a call by the wallet now, or ""."""
        ...


class KeepsContracts(Protocol):
    """The contracts of one deployment of tBTC, read through one group of providers. Raises as `KeepsChain`."""

    @property
    def machine(self) -> str:
        """The address of the VendingMachine."""
        ...

    @property
    def deposit_token(self) -> str:
        """The address of the token that stands for deposits."""
        ...

    @property
    def system(self) -> str:
        """The address of TBTCSystem."""
        ...

    def created(self, first: int, last: int) -> list[CreatedKeep]:
        """The keeps that were created in those blocks, in order."""
        ...

    def states(self, deposits: Sequence[str], at: Head) -> dict[str, tuple[int, int | None]]:
        """deposit -> (its state, its percent or None where its price is unknown)."""
        ...

    def readings(self, keeps: Mapping[str, str], at: Head) -> dict[str, DepositReading]:
        """deposit -> all that is decided by; keeps: deposit -> its keep."""
        ...

    def costs(self, deposits: Sequence[str], wallet: str, at: Head) -> dict[str, Costs]:
        """deposit -> what redeeming it would take of a wallet."""
        ...

    def requests(self, deposit: str, first: int, last: int) -> list[RedemptionRequest]:
        """The redemptions that were asked of a deposit in those blocks, and the increases of their fees, in order."""
        ...

    def signature(self, keep: str, digest: bytes, first: int, last: int) -> KeepSignature | None:
        """The signature of a digest that a keep's members have submitted; None while they have not."""
        ...

    def times(self, event: str, deposit: str, first: int, last: int) -> list[tuple[int, int]]:
        """(block, seconds since 1970) of every event of a kind that a deposit has told of, in order."""
        ...

    def created_by(self, tx_id: str) -> tuple[str, str] | None:
        """(deposit, keep) that a transaction has made; None where it made none."""
        ...

    def one(self, to: str, name: str, *values: Any, at: Head) -> Any:
        """What a contract answers to a function without arguments, or with these."""
        ...
