"""The door's only questions to a business: what only the business can know about its own batches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

import sqlalchemy as sa

from valtrac.core.chain import Head, Mark
from valtrac.payments.model.batches import Batch, BatchLine
from valtrac.payments.model.states import AttemptState


@dataclass(frozen=True, slots=True)
class Cap:
    """The most that may be paid without another word from the owner. setting: what raises it, as he writes it."""

    units: int
    setting: str


@dataclass(frozen=True, slots=True)
class Caps:
    """The caps on one payment, on one batch, and on what a wallet pays within 24 hours of the chain's time."""

    payment: Cap
    batch: Cap
    day: Cap


@dataclass(frozen=True, slots=True)
class Words:
    """How the owner of this business goes on: its commands, with `{batch}` where the number of a batch stands.

    take_over_log: takes payments over that only the log of payments knows, "" where nothing does. wallet_setting: what
    names the wallet that pays. high_fee: what to do where the network fee has risen. accept_history: how to say that
    earlier transactions of a wallet are no payments; pays_users: that one is none though it paid somebody of ours.
    compare_restored: lets a database that came out of a backup pay again.
    """

    send: str
    resume: str
    show: str
    approve: str
    reconcile: str
    adopt: str
    rule_foreign: str
    rule_gone: str
    verify: str
    take_over_log: str
    wallet_setting: str
    high_fee: str
    accept_history: str
    pays_users: str
    compare_restored: str

    def of(self, command: str, batch_id: int) -> str:
        """A command for one batch."""
        return command.format(batch=batch_id)


@dataclass(frozen=True, slots=True)
class Difference:
    """Why a batch may not be paid as it was approved. problems: what differs, line by line."""

    what: str
    why: str
    fix: str
    problems: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of the transaction that carries some lines: sent, landed in a block, failed or dead."""

    state: AttemptState
    tx_id: str
    head: Head | None = None


@dataclass(frozen=True, slots=True)
class LogColumns:
    """What the log of payments tells of a batch besides its payments: the blocks it is for and what was shared.
    what_for: line id -> which payment it is, where the business says so."""

    from_block: int
    to_block: int
    pool_units: int
    what_for: Mapping[int, str] = field(default_factory=dict)


class Producer(Protocol):
    """A business, as the door sees it."""

    @property
    def name(self) -> str:
        """What its batches are stored under."""
        ...

    @property
    def standing(self) -> bool:
        """Whether its batches are made under a standing policy, without a total that the owner typed."""
        ...

    @property
    def words(self) -> Words:
        """The commands of this business."""
        ...

    def caps(self, batch: Batch) -> Caps:
        """What may be paid of a batch without another word."""
        ...

    def recheck(self, conn: sa.Connection, batch: Batch, lines: Sequence[BatchLine]) -> Difference | None:
        """Is what was approved still what would be approved? Asked before anything of a batch is signed, in a
        transaction that may write: a business that takes its approval back does it there. None: yes, it is."""
        ...

    def look(self, lines: Sequence[BatchLine], wallet: str) -> None:
        """Ask the chain what only it knows about those who are to be paid, and about the wallet, and note it for
        `waits`. Raises Refused where nothing may be paid from the wallet, ChainUnreachable where it is not told."""
        ...

    def waits(self, conn: sa.Connection, lines: Sequence[BatchLine], head: Head | None) -> dict[int, str]:
        """line id -> why its payment has to wait, of those that have to. Asked before lines are chosen, and again in
        the transaction that writes the attempt. head: the final block; None where no node is to be asked for it."""
        ...

    def marks(self, conn: sa.Connection, lines: Sequence[BatchLine]) -> dict[int, Mark]:
        """line id -> what makes its payment the same in every copy of this program, where the chain can tell. As of
        the last `look`."""
        ...

    def moved(self, conn: sa.Connection, lines: Sequence[BatchLine], fate: Fate) -> None:
        """Book what follows for the business, in the transaction that books the fate."""
        ...

    def ruled(self, conn: sa.Connection, tx_ids: Iterable[str]) -> set[str]:
        """Those of some transactions that are not in the journal and that the owner has ruled on."""
        ...

    def owners(self, conn: sa.Connection, addresses: Iterable[str]) -> dict[str, str]:
        """address -> who of ours it belongs to, of those that belong to anybody."""
        ...

    def fee_set_aside(self, batch: Batch) -> int:
        """What was kept back for the network's fee, besides the parts that the payees bear."""
        ...

    @property
    def log_tells_what_for(self) -> bool:
        """Whether a log that is begun now has a column of which payment each is."""
        ...

    def log_columns(self, conn: sa.Connection, batches: Sequence[Batch]) -> Mapping[int, LogColumns]:
        """batch id -> what the log of payments tells of it."""
        ...
