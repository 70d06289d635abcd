"""What the program asks of a chain on which accounts have names and transfers carry memos, and of exchanges."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Protocol

from valtrac.core.chain import ExchangeWithdrawal, Named, Roster, SealedMemo, TransferBlock
from valtrac.core.quotes import Answers
from valtrac.ports.chains import PayingChain


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
