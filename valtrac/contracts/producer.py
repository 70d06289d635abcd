"""Stake contracts as the payment door sees them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import sqlalchemy as sa

from valtrac.contracts.marks import marks_of
from valtrac.contracts.model.contracts import which
from valtrac.contracts.model.states import DueState, TransferState
from valtrac.contracts.settings import ContractSettings
from valtrac.contracts.store import audit_events, contracts, transfers
from valtrac.core.chain import Head, Mark
from valtrac.core.errors import Refused
from valtrac.payments.model.batches import Batch, BatchLine
from valtrac.payments.model.states import AttemptState
from valtrac.payments.producer import Cap, Caps, Difference, Fate, LogColumns, Words
from valtrac.payments.store import batches as batch_lines

NAME = "contracts"
WORDS = Words(
    send="run.py contracts pay",
    resume="run.py contracts pay",
    show="run.py contracts due",
    approve="run.py contracts pay",
    reconcile="run.py contracts pay",
    adopt="run.py contracts waiting",
    rule_foreign="run.py contracts rule",
    rule_gone='run.py contracts rule-gone TRANSACTION --words "..."',
    verify="run.py contracts verify",
    take_over_log="run.py contracts listen, then contracts rule",
    wallet_setting="VALTRAC_BITSHARES_CUSTODIAN",
    high_fee="wait for a lower one",
    accept_history="run.py contracts pay",
    pays_users="run.py contracts rule",
    compare_restored="run.py backup compare",
)


@dataclass(frozen=True, slots=True)
class ContractProducer:
    """The producer of what contracts and requests make due.

    read_on: reads what is left to be read, and tells the newest final block up to which all was; None: nothing is
    going to be signed. seen: that block, once it was told.
    """

    settings: ContractSettings
    name: str = NAME
    standing: bool = True
    words: Words = WORDS
    read_on: Callable[[], Head] | None = None
    seen: list[Head] = field(default_factory=list)

    def caps(self, batch: Batch) -> Caps:
        """The owner's standing caps; what he pays by hand, its amount typed, may be above the cap per payment."""
        day = Cap(self.settings.contracts_cap_day, "VALTRAC_CONTRACTS_CAP_DAY")
        each = self.settings.contracts_cap_payment
        if batch.spec["by_hand"]:
            each = max(each, batch.total)
        return Caps(Cap(each, "VALTRAC_CONTRACTS_CAP_PAYMENT"), day, day)

    def recheck(self, conn: sa.Connection, batch: Batch, lines: Sequence[BatchLine]) -> Difference | None:
        """Nothing: dues never change, and each is in one batch."""
        return None

    def look(self, lines: Sequence[BatchLine], wallet: str) -> None:
        """Read every final block that was not read yet: a payment that another copy of this ledger has made stands in
        one of them, or none may be made any more by now."""
        if self.read_on is not None:
            self.seen[:] = [self.read_on()]

    def marks(self, conn: sa.Connection, lines: Sequence[BatchLine]) -> dict[int, Mark]:
        """What each is owed for, and the block up to which it is known that it was not paid."""
        if not self.seen:
            raise Refused("nothing was read before a payment was to be signed", fix="please report this")
        carried = {due.line_id: due for due in contracts.of_lines(conn, [line.id for line in lines])}
        marks = marks_of(conn, list(carried.values()), self.seen[0])
        return {line.id: marks[carried[line.id].id] for line in lines if line.id in carried}

    def waits(self, conn: sa.Connection, lines: Sequence[BatchLine], head: Head | None) -> dict[int, str]:
        """Payments to accounts of which something is not clear yet, as `held_accounts` says."""
        held = held_accounts(conn)
        if not held:
            return {}
        carried = {due.line_id for due in contracts.of_lines(conn, [line.id for line in lines])}
        return {line.id: held[line.address] for line in lines if line.id in carried and line.address in held}

    def moved(self, conn: sa.Connection, lines: Sequence[BatchLine], fate: Fate) -> None:
        """Let the dues go where the lines went that carry them."""
        ids = [line.id for line in lines]
        if fate.state == AttemptState.SENT:
            contracts.follow(conn, ids, DueState.HANDED_OVER)
        elif fate.state == AttemptState.LANDED and fate.head is not None:
            paid = contracts.follow(
                conn, ids, DueState.CONFIRMED, block=fate.head.number, tx_id=fate.tx_id, at=fate.head.at
            )
            for due in paid:
                audit_events.paid(conn, due)
        else:
            contracts.follow(conn, ids, DueState.PROCESSING)

    def ruled(self, conn: sa.Connection, tx_ids: Iterable[str]) -> set[str]:
        """Transactions that left the account from elsewhere, and of which the owner said what they were."""
        return transfers.ruled(conn, tx_ids)

    def owners(self, conn: sa.Connection, addresses: Iterable[str]) -> dict[str, str]:
        """Clients by their accounts."""
        return {address: known[0].name for address in set(addresses) if (known := contracts.of_account(conn, address))}

    def fee_set_aside(self, batch: Batch) -> int:
        """Nothing: the custodian bears the fees."""
        return 0

    @property
    def log_tells_what_for(self) -> bool:
        """Yes: of a contract many payments are alike."""
        return True

    def log_columns(self, conn: sa.Connection, batches: Sequence[Batch]) -> Mapping[int, LogColumns]:
        """The block as of which each batch was made, what it paid, and which payment of which contract each line is."""
        columns = {}
        for batch in batches:
            carried = contracts.of_lines(conn, [line.id for line in batch_lines.lines_of(conn, batch.id)])
            held = contracts.by_number(conn, {due.contract_id for due in carried if due.contract_id is not None})
            what_for = {due.line_id: which(due, held.get(due.contract_id or 0)) for due in carried if due.line_id}
            columns[batch.id] = LogColumns(batch.spec["block"], batch.spec["block"], batch.total, what_for)
        return columns


def held_accounts(conn: sa.Connection) -> dict[str, str]:
    """account -> why nothing is paid to it for now: a transfer to it that is not in the journal, which may have been
    this very payment, or a memo of its own that was not read yet, which may end what would be paid."""
    unread = {
        transfer.account: f"the memo of its transfer {transfer.key} is not read yet"
        for transfer in transfers.listed(conn, TransferState.WAITING)
    }
    return unread | {
        transfer.account: f"transfer {transfer.key} to it is not in the journal: run.py contracts waiting"
        for transfer in transfers.listed(conn, TransferState.UNRULED)
    }
