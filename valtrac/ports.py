"""What the program asks of chains, wallets and exchanges, each port no wider than its callers use."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import Protocol

from valtrac.core.chain import (
    BlockView,
    DecodedTx,
    Delegate,
    ExchangeWithdrawal,
    Head,
    Identity,
    Limits,
    Named,
    Outcome,
    Payment,
    Roster,
    SealedMemo,
    SignedTx,
    TransferBlock,
)
from valtrac.core.events import Event, EventKind, Message, Sent, Status
from valtrac.core.finality import Pin, Proof
from valtrac.core.money import Asset
from valtrac.core.quotes import Answers


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


class Unreadable(Exception):
    """A memo that cannot be read though its key is at hand: whoever wrote it wrote no memo."""


class NoKey(Exception):
    """A memo for whose reading a key is missing here: the wallet is locked, or the memo is for another key."""


class Locked(NoKey):
    """No key is at hand at all: once the account is unlocked, the memo may well be read."""


class CustodianChain(PayingChain, Protocol):
    """A chain on which accounts have names and transfers carry memos (BitShares)."""

    def named(self, names: Sequence[str]) -> dict[str, Named]:
        """name -> account, for those that exist; as the node says now, never from a cache."""
        ...

    def accounts(self, ids: Sequence[str]) -> dict[str, Named]:
        """id -> account, for those that exist; as the node says now, never from a cache."""
        ...

    def transfers(self, first: int, last: int, account: str) -> Iterator[TransferBlock]:
        """Every block from first to last, in order, each once, with the transfers that touch the account.

        Raises ChainUnreachable where one is missing or does not follow from the one before."""
        ...

    def holding(self, account: str) -> tuple[int, int]:
        """(the node's newest block, units of the core asset that the account held a moment before, with what waits in
        the pool). That block may still be undone, and one more may have come in between: ask until two agree."""
        ...

    def may_sign(self, account: str, keys: frozenset[str]) -> bool:
        """Whether signatures by these public keys are an account's, as the node says of its keys now."""
        ...

    def read_memo(self, memo: SealedMemo) -> str:
        """The words of a memo. Raises Locked, NoKey or Unreadable; never anything else."""
        ...


class Rosters(Protocol):
    """Where it is kept from run to run who signs the blocks of a chain: what a chain's blocks are checked against."""

    def load(self) -> list[Roster]:
        """All that was kept, the oldest first: that one is the start, agreed upon at the first contact."""
        ...

    def save(self, roster: Roster) -> None:
        """Keep one more, as followed from the start."""
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


class Prices(Protocol):
    """Where the price of TAO is asked for. Its answers are what others say, to be judged by who reads them."""

    @property
    def currency(self) -> str:
        """The money that the prices are in, by its code: USD."""
        ...

    @property
    def stale_s(self) -> int:
        """How many seconds from now a price's own time may lie."""
        ...

    @property
    def any_time(self) -> bool:
        """Whether the price of now may stand for any moment: a rehearsal chain keeps a time of its own."""
        ...

    def quotes(self) -> Answers:
        """What each exchange says now (exact decimals, with their times), and why each of the others said
        nothing. Neither where none is set. Never raises; ends within a set time whatever they do."""
        ...


class Exchange(Protocol):
    """One account on an exchange, unlocked. Amounts are satoshi of BTS. Every method raises ChainUnreachable when
    the exchange does not answer or answers garbage, and Refused when it says no in words."""

    @property
    def name(self) -> str:
        """The name of this account in the settings: exchange-1."""
        ...

    def available(self) -> int:
        """What can be withdrawn or traded now, in satoshi."""
        ...

    def deposit_address(self) -> tuple[str, str]:
        """(account name, memo) that a deposit to this account of the exchange must carry."""
        ...

    def withdrawal_fee(self) -> int:
        """What the exchange keeps of a withdrawal, in satoshi."""
        ...

    def withdraw(self, units: int, *, to: str, memo: str) -> str:
        """Ask for a withdrawal of units (gross: the receiver gets units less the fee) to an account name with a
        memo; returns the exchange's id of it. Whole BTS only (ValueError).

        Raises OutcomeUnknown where the reply was lost: it may have been accepted; look for its memo, never repeat."""
        ...

    def withdrawals(self, since: datetime) -> tuple[ExchangeWithdrawal, ...]:
        """The withdrawals asked for since then, whoever asked."""
        ...

    def close(self) -> None:
        """Let go of the connection."""
        ...


class EventSource(Protocol):
    """Whatever has something to tell, read out of what it has stored anyway. It is asked, so that telling delays and
    stops nothing and survives a crash. It may raise whatever it likes: the others are read all the same."""

    @property
    def name(self) -> str:
        """Its own among all sources, for ever: how far it was read is kept under it."""
        ...

    @property
    def kinds(self) -> tuple[EventKind, ...]:
        """Every kind of event that it may offer."""
        ...

    def facts(self, since: datetime) -> Iterable[Event]:
        """What was written down since then, in any order. It is asked for several times, with the same id each time."""
        ...

    def states(self, now: datetime) -> Iterable[Event]:
        """What holds now. A state that is missing is over, so raise where it cannot be known."""
        ...

    def status(self, now: datetime) -> Status | None:
        """How it stands; None where it has nothing to say."""
        ...


class Notifier(Protocol):
    """What delivers one message to one target."""

    def send(self, address: str, message: Message) -> Sent:
        """Deliver to the address of a target, within a set time. Never raises, and tells nothing of the address."""
        ...
