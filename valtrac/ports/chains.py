"""What the program asks of chains, each port no wider than its callers use."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from valtrac.core.chain import BlockView, DecodedTx, Delegate, Head, Identity, Limits, Outcome, Payment, Rival, SignedTx
from valtrac.core.finality import Pin, Proof
from valtrac.core.money import Asset
from valtrac.core.staking import DelegationEvent, NodePolicy, NodeState, OwnedCoin, StakedBlock


class PayingChain(Protocol):
    """A chain that payments are made on, read through one node, blocking. Every method raises ChainUnreachable when
    the node does not answer, answers garbage, or no longer has what was asked for; none returns a guess."""

    @property
    def asset(self) -> Asset:
        """What this chain pays in. Known without asking a node."""
        ...

    def identity(self) -> Identity:
        """Which chain this node serves, at its head."""
        ...

    def finalized(self) -> Head:
        """The newest block that can no longer be undone."""
        ...

    def block(self, number: int) -> BlockView:
        """A block by height with the ids of its transactions."""
        ...

    def balance(self, address: str, at: Head) -> int:
        """Units that an account can spend at a block, or has to keep; 0 where it does not exist."""
        ...

    def left_between(self, address: str, before: Head, after: Head) -> int | None:
        """Units by which an account's balance fell from the end of one block to the end of another, negative where
        it rose; None where the chain keeps no balances of the past."""
        ...

    def limits(self) -> Limits:
        """What one transaction may hold, and what an account has to keep."""
        ...

    def estimate_fee(self, signer: str, payments: tuple[Payment, ...]) -> int:
        """What one all-or-nothing transaction with these payments would cost, in units."""
        ...

    def until(self, valid_until: int) -> str:
        """The end of a transaction's life in words, in what this chain counts: `block 1234`, or a time."""
        ...

    def over(self, valid_until: int, number: int) -> bool:
        """Whether a transaction that is valid until then is dead where no final block up to this one holds it."""
        ...

    def decode(self, raw: bytes) -> DecodedTx:
        """A signed transaction read back from its bytes; ValueError if it holds anything but payments."""
        ...

    def outcome(self, tx_id: str, at: Head) -> Outcome | None:
        """What became of a transaction of that block; None when the block does not hold it.
        A block whose events are missing raises ChainUnreachable: unknown is not failed."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class NumberedWallet(Protocol):
    """A chain that numbers the transactions of each account, so that a wallet's history can be seen to be whole."""

    def block(self, number: int) -> BlockView:
        """As of the paying chain."""
        ...

    def outside(self, raw: bytes) -> DecodedTx:
        """What surrounds the call of a signed transaction of any kind, and none of its payments. ValueError where it
        cannot be read, or may be included for ever."""
        ...

    def nonce(self, address: str, at: Head) -> int:
        """How many transactions of an account the chain counts at a block; 0 where it does not exist."""
        ...

    def next_index(self, address: str) -> int:
        """The next nonce counting the pool of pending transactions; never from a cache."""
        ...

    def signer(self, raw: bytes) -> str | None:
        """The address that signed a transaction of any kind; None: nobody, or it cannot be read."""
        ...


class SpentCoins(Protocol):
    """A chain whose transactions spend coins, each once, and never expire: one ends where a rival was faster."""

    def rival(self, raw: bytes, first: int, last: int) -> Rival | None:
        """Another transaction that spends a coin of this one, in a block after `first` up to `last`."""
        ...

    def paid_by(self, raw: bytes) -> list[tuple[str, int]]:
        """(address, units) of all that a transaction of any kind pays to others than the wallet. Asks no node."""
        ...

    def release(self, raw: bytes) -> None:
        """Let a wallet use the coins again that were kept for a transaction which is not to be. Never raises."""
        ...


class Pins(Protocol):
    """Where it is kept who decides what is final."""

    def load(self, genesis: str) -> list[Pin]:
        """Those of a chain, the newest last."""
        ...

    def save(self, pin: Pin) -> None:
        """Keep one more, after the newest; nothing happens where another process was faster."""
        ...

    def saw(self, pin: Pin, block: int, block_hash: str) -> None:
        """Note that a newer block is known to be final under a pinned set."""
        ...


class FinalityProofs(Protocol):
    """A chain whose blocks can be proven to be final."""

    def proof(self, head: Head) -> Proof:
        """Whether a block is proven to be final, and by what, or why not. Raises ChainUnreachable where a node
        contradicts what is proven; whatever else goes wrong proves nothing."""
        ...


class StakeSource(Protocol):
    """A chain that tells who has what stake on a hotkey, and whose coldkey is about to change."""

    @property
    def asset(self) -> Asset:
        """What this chain pays in."""
        ...

    def identity(self) -> Identity:
        """Which chain this node serves, at its head."""
        ...

    def finalized(self) -> Head:
        """The newest block that can no longer be undone."""
        ...

    def block(self, number: int) -> BlockView:
        """A block by height."""
        ...

    def delegate(self, hotkey: str, at: Head) -> Delegate | None:
        """The stakes on a hotkey at a block; None where it is not a delegate there."""
        ...

    def swaps_announced(self, addresses: Sequence[str], at: Head) -> frozenset[str]:
        """Those of these addresses whose coldkey has a swap announced or disputed at a block; empty
        where the runtime knows no such thing. A swap that has been carried out is no longer announced."""
        ...


class PayoutChain(PayingChain, NumberedWallet, StakeSource, Protocol):
    """A chain that stakes are read from and payments made on (Bittensor)."""


class PoolChain(PayingChain, SpentCoins, Protocol):
    """A chain whose wallet stakes with coins that others delegate to it (Qtum)."""

    def is_payable(self, address: str) -> bool:
        """Whether it is an address of this network. Asks no node."""
        ...

    def tip(self) -> Head:
        """The newest block, which may still be undone."""
        ...

    def head(self, number: int) -> Head:
        """A block by height, as the chain has it now; it may still be undone."""
        ...

    def heads(self, first: int, last: int) -> list[tuple[Head, str]]:
        """(block, the coin that won it) of every block from first to last, each linked to the one before."""
        ...

    def read_ahead(self, first: int, last: int) -> None:
        """Read those blocks in few questions, as far as they are kept, for `staked` to be asked about next."""
        ...

    def staked(self, number: int) -> StakedBlock:
        """A block by height and who made it."""
        ...

    def delegations(self, first: int, last: int) -> list[DelegationEvent]:
        """Every delegation given or taken back in those blocks, by anybody to anybody, in order."""
        ...

    def delegated_now(self, staker: str) -> dict[str, int]:
        """delegate -> fee in percent, of those who delegate to a staker at the newest block."""
        ...

    def coins(self, addresses: Sequence[str], block: Head) -> dict[str, tuple[OwnedCoin, ...]]:
        """address -> the coins that it owned just before a block, also those that it has spent since."""
        ...

    def state(self) -> NodeState:
        """How node and wallet do now."""
        ...

    def sent_since(self, number: int) -> dict[str, list[tuple[str, int]]]:
        """id -> (address, satoshi) of every transaction that the node's wallet has sent after a block, also of those
        that wait; without blocks that it won."""
        ...

    def policy(self, staker: str) -> NodePolicy:
        """What the node asks of delegates, and which index it lacks."""
        ...


class Payer(Protocol):
    """An unlocked wallet on one node. Its key lives in memory and goes with the process."""

    @property
    def address(self) -> str:
        """The address that pays."""
        ...

    def sign(self, payments: tuple[Payment, ...], *, nonce: int, period: int) -> SignedTx:
        """All payments in one transaction, all or nothing, signed and not sent.
        period: for how long it may be included, in what the chain counts: blocks (a power of two, 4..4096), or
        seconds of the chain's time."""
        ...

    def broadcast(self, raw: bytes) -> None:
        """Hand signed bytes to the node, without waiting for inclusion.

        Returns when the node took them. Any exception says nothing about whether it did:
        OutcomeUnknown where the reply was lost, Refused (in the node's words) where the node
        said no. Never signs, never retries."""
        ...


class ReplacingPayer(Payer, Protocol):
    """A wallet whose waiting transactions can be signed anew at a higher price."""

    def replace(self, waiting: Mapping[int, bytes]) -> dict[int, SignedTx]:
        """Of those that wait, by any names, the ones that are to be signed anew: the same call with the same number at
        today's price, signed and not sent. The others' price is good enough, or nothing higher may be paid. Raises
        ChainUnreachable."""
        ...
