"""What the contracts of tBTC tell of keeps and their deposits, as plain values. Addresses are in lower case, 0x and 40
hex digits; amounts in wei unless a name says satoshi."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CreatedKeep:
    """A keep as its factory told of it. deposit: whose collateral it is; members: who signs for it, each as often as he
    was drawn; block, block_hash: where it was created."""

    keep: str
    deposit: str
    members: tuple[str, ...]
    block: int
    block_hash: str


@dataclass(frozen=True, slots=True)
class DepositReading:
    """A deposit at one block. state: as the contract numbers it; percent: None where its price is unknown; bond: of all
    members; courtesy, severe: its own thresholds in percent; holder: of its token, "" where nobody has it; left_s: of
    its term, 0 where that is over; lot: satoshi."""

    deposit: str
    state: int
    percent: int | None
    bond: int
    courtesy: int
    severe: int
    holder: str
    left_s: int
    lot: int


@dataclass(frozen=True, slots=True)
class Costs:
    """What redeeming a deposit takes of TBTC, in wei: through the vending machine, and asked of the deposit itself;
    None where the contract says no to that. coin: what it holds on Bitcoin, in satoshi."""

    machine: int | None
    direct: int | None
    coin: int


@dataclass(frozen=True, slots=True)
class RedemptionRequest:
    """A redemption as it was asked for, or its fee increased. digest: what the signers are to sign; coin, fee: satoshi;
    script: where it is paid to, with its length before it; outpoint: 36 bytes; at: seconds since 1970."""

    deposit: str
    requester: str
    digest: bytes
    coin: int
    fee: int
    script: bytes
    outpoint: bytes
    block: int
    at: int


@dataclass(frozen=True, slots=True)
class KeepSignature:
    """A signature that the members of a keep have submitted. recovery: 0 or 1."""

    digest: bytes
    r: int
    s: int
    recovery: int


@dataclass(frozen=True, slots=True)
class GasNow:
    """What gas costs now, in wei. base: of the newest block; tip: what goes to its maker besides."""

    base: int
    tip: int


@dataclass(frozen=True, slots=True)
class GasPaid:
    """What a transaction took of ether: gas, at a price in wei."""

    gas: int
    price: int

    @property
    def wei(self) -> int:
        """All of it."""
        return self.gas * self.price
