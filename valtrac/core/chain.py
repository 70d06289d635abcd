"""What a chain tells, and what is sent to it, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Identity:
    """Which chain a node serves. genesis_hash: 0x + 64 hex digits (BitShares: its chain id, 64 hex digits);
    spec_version: the runtime's, 0 where a chain has none."""

    network: str
    genesis_hash: str
    spec_version: int


@dataclass(frozen=True, slots=True)
class Head:
    """A block by number and hash. at: UTC, the block's own time stamp."""

    number: int
    hash: str
    parent_hash: str
    at: datetime


@dataclass(frozen=True, slots=True)
class BlockView:
    """A block, the ids (0x hashes) of its extrinsics and their bytes, in order."""

    head: Head
    tx_ids: tuple[str, ...]
    raw: tuple[bytes, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class Limits:
    """What the runtime allows. existential_units: what an account must keep; max_payments: in one transaction;
    least_payment: units below which nothing is taken."""

    existential_units: int
    max_payments: int
    least_payment: int = 1


@dataclass(frozen=True, slots=True)
class Mark:
    """What lets two copies of a program sign the very same payment, so that the chain takes one of them only.

    number: 0 < number < 2^64, of what it is owed for, as the chain tells it; no other payment has it. read: the newest
    final block up to which it is known that this payment was not made. own_key, memo_key: public keys for the words
    that go with it, as they stood in the request that it answers; "" where there was none; memo_key None: as the
    receiver's account says now.
    """

    number: int
    read: Head
    own_key: str = ""
    memo_key: str | None = ""


@dataclass(frozen=True, slots=True)
class Payment:
    """One transfer: units (rao, satoshi) to an address; memo: words that go with it, where the chain has such; mark:
    where copies of this program may pay the same, and the chain can tell."""

    address: str
    units: int
    memo: str = ""
    mark: Mark | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Rival:
    """A transaction that has spent a coin of another one, and the block that holds it. raw: its bytes."""

    tx_id: str
    head: Head
    raw: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class SignedTx:
    """A signed transaction that has not left this machine.

    tx_id: known before it is sent. valid_until: the last block that may hold it, decoded
    from the bytes; on BitShares its expiration in seconds since 1970. birth: the block its mortality counts from.
    lane: 0, or its nonce where a wallet may have several transactions on their way at once.
    """

    tx_id: str
    raw: bytes = field(repr=False)
    signer: str
    nonce: int
    birth_number: int
    birth_hash: str
    valid_until: int
    spec_version: int
    lane: int = 0


@dataclass(frozen=True, slots=True)
class DecodedTx:
    """The same transaction as read back from its bytes alone.

    era_period, era_phase: as encoded; expires: seconds since 1970, 0 where a chain has eras.
    all_or_nothing: no payment can land without the others.
    """

    tx_id: str
    signer: str
    nonce: int
    era_period: int
    era_phase: int
    payments: tuple[Payment, ...]
    all_or_nothing: bool
    expires: int = 0


@dataclass(frozen=True, slots=True)
class Movement:
    """Units that went from one account to another."""

    source: str
    to: str
    units: int


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the events of a block say about one of its extrinsics.

    items: per payment, whether it was made. fee_units: what the signer was charged, where the
    events say so. error: the chain's own words, "" when all went well. moved: every transfer that it caused, whatever
    call did it, in order; None where the chain does not tell. proven: whether all this follows from the header of the
    block, or is what one node says. taken: of a transaction with one payment, the units that really left, where the
    chain takes what it needs of what it was allowed; None where that is the payment itself.
    """

    items: tuple[bool, ...]
    fee_units: int | None
    error: str = ""
    moved: tuple[Movement, ...] | None = None
    proven: bool = False
    taken: int | None = None

    @property
    def ok(self) -> bool:
        """Whether every payment was made."""
        return all(self.items)


@dataclass(frozen=True, slots=True)
class SubnetStake:
    """Who has how much on a hotkey in one subnet, at one block.

    stakes: coldkey address -> units (netuid 0: rao; else that subnet's 1e-9 alpha), the
    owner's row included if it has one. total_units: TotalHotkeyAlpha. price_rao: TAO per
    1 alpha in rao; None where the chain does not tell.
    """

    netuid: int
    stakes: dict[str, int]
    total_units: int
    price_rao: int | None


@dataclass(frozen=True, slots=True)
class Delegate:
    """A hotkey with its owner's coldkey and its stakes in every subnet. take_raw: u16, of 65535."""

    hotkey: str
    owner: str
    take_raw: int
    subnets: tuple[SubnetStake, ...]


@dataclass(frozen=True, slots=True)
class Named:
    """An account of a chain whose accounts have names. lifetime: whether it is a lifetime member."""

    id: str
    name: str
    lifetime: bool


@dataclass(frozen=True, slots=True)
class Roster:
    """Who signs the blocks of a chain as of one of them. block_id: of that block; keys: witness ("1.6.17") -> the 66
    hex digits of its signing key. ValueError: nobody, or more than any chain has."""

    block: int
    block_id: str
    keys: Mapping[str, str]

    def __post_init__(self) -> None:
        if not 0 < len(self.keys) <= 1_000:
            raise ValueError(f"{len(self.keys)} witnesses")


@dataclass(frozen=True, slots=True)
class SealedMemo:
    """A memo as it stands in a block: public keys of both sides, nonce, ciphertext in hex. Nothing of it is checked."""

    sender_key: str
    receiver_key: str
    nonce: str
    message: str


@dataclass(frozen=True, slots=True)
class Transfer:
    """A transfer in a block. units: of the asset named by its id ("1.3.0" is the core asset); sender, receiver:
    account ids ("1.2.17"). fee_units: of the core asset, 0 where it was paid in another.
    tx_id: "" where it cannot be told (the transaction holds other operations). signers: the public keys that signed the
    transaction, of a transfer that came in; empty where that cannot be told."""

    block: int
    trx: int
    op: int
    tx_id: str
    sender: str
    receiver: str
    units: int
    asset_id: str
    fee_units: int
    memo: SealedMemo | None
    signers: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class TransferBlock:
    """A block and those transfers in it that touch one account, in order. previous: the id of the block before; id: its
    own, "" where that stands in the block after it alone."""

    number: int
    previous: str
    at: datetime
    transfers: tuple[Transfer, ...]
    id: str = ""


@dataclass(frozen=True, slots=True)
class ExchangeWithdrawal:
    """A withdrawal as an exchange tells of it. units: satoshi that leave the account, the fee included where the
    exchange says so. state: pending, ok, failed (also cancelled or rejected); tx_id: "" until known."""

    id: str
    units: int
    to: str
    memo: str
    at: datetime
    state: str
    tx_id: str
