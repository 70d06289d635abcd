"""What the payment door has to tell, in the name of the business whose batches they are."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from valtrac.core.events import OWNER, PUBLIC, Event, EventKind, Severity, Status, payee
from valtrac.core.money import Amount
from valtrac.core.text import plain
from valtrac.database.engine import asset_of, reading
from valtrac.payments.model.states import AttemptState, BatchState
from valtrac.payments.producer import Words
from valtrac.payments.store import events as stored
from valtrac.payments.store.attempts import SEEN
from valtrac.payments.store.events import Ended, Settled

UNKNOWN_AFTER = timedelta(minutes=10)  # so long a transaction may take until somebody has to look
STANDS_AFTER = timedelta(hours=1)
AGAIN = timedelta(hours=6)
A_DAY = timedelta(days=1)


def kinds_of(business: str) -> tuple[EventKind, ...]:
    """The kinds of events that come of the batches of a business."""
    warning, critical = Severity.WARNING, Severity.CRITICAL
    return (
        EventKind(f"{business}.settled", "Payout settled"),
        EventKind(f"{business}.failed", "A transaction failed on the chain", warning),
        EventKind(f"{business}.dead", "A transaction was ruled dead", warning),
        EventKind(f"{business}.seen", "A transaction that was ruled dead was seen", critical),
        EventKind(f"{business}.unknown", "Outcome of a payment unknown", critical, "Outcome of a payment known", AGAIN),
        EventKind(f"{business}.stands", "A batch is not paid yet", warning, "A batch is paid or taken back", A_DAY),
    )


@dataclass(frozen=True, slots=True)
class PaymentEvents:
    """The events of one business' batches in one database. standing: a job sends them, not the owner."""

    engine: sa.Engine
    business: str
    words: Words
    standing: bool = False

    @property
    def name(self) -> str:
        """As of the port."""
        return f"{self.business}-payments"

    @property
    def kinds(self) -> tuple[EventKind, ...]:
        """As of the port."""
        return kinds_of(self.business)

    def facts(self, since: datetime) -> Iterable[Event]:
        """Batches that were settled, transactions that failed, were ruled dead, or were seen after that."""
        with reading(self.engine) as conn:
            asset = asset_of(conn)
            for batch in stored.settled(conn, self.business, since):
                total = Amount(batch.total, asset)
                yield self._settled(batch, total)
                yield self._for_everybody(batch, total)
                for line in stored.paid(conn, batch.id):
                    amount = Amount(line.units, asset)
                    words = f"{amount} were paid to you at {plain(line.address, 70)}."
                    yield Event(
                        f"{self.business}.paid:{line.line_id}",
                        f"{self.business}.settled",
                        batch.at,
                        words,
                        f"{amount} were paid to you",
                        amounts=(amount,),
                        tx_ids=(line.tx_id,),
                        audience=payee(plain(line.name)),
                    )
            for tx in [*stored.ended(conn, self.business, since), *stored.unresolved(conn, self.business)]:
                yield from self._ended(tx, Amount(tx.units, asset))

    def states(self, now: datetime) -> Iterable[Event]:
        """Transactions whose outcome is open for long, and batches that nobody goes on with."""
        with reading(self.engine) as conn:
            asset = asset_of(conn)
            open_ = stored.unresolved(conn, self.business)
            unfinished = [] if self.standing else stored.unfinished(conn, self.business)
        for tx in open_:
            if now - tx.created_at >= UNKNOWN_AFTER:
                amount = Amount(tx.units, asset)
                words = f"It is not known what became of {amount} of batch #{tx.batch_id}; nothing more is sent."
                yield Event(
                    f"{self.business}.unknown:{tx.tx_id}",
                    f"{self.business}.unknown",
                    tx.created_at,
                    words,
                    f"batch #{tx.batch_id}, {amount}",
                    self.words.reconcile,
                    (amount,),
                    (tx.tx_id,),
                )
        for number, state, units, since in unfinished:
            if now - since < STANDS_AFTER or any(tx.batch_id == number for tx in open_):
                continue
            half_way = state is BatchState.SENDING
            amount = Amount(units, asset)
            words = (
                f"Batch #{number} {'stopped half-way' if half_way else 'is approved and not sent'}: {amount} are owed."
            )
            fix = self.words.of(self.words.resume if half_way else self.words.send, number)
            yield Event(
                f"{self.business}.stands:{number}", f"{self.business}.stands", since, words, "", fix, amounts=(amount,)
            )

    def status(self, now: datetime) -> Status | None:
        """What was paid within a day, and what is on its way."""
        with reading(self.engine) as conn:
            asset, settled = asset_of(conn), stored.settled(conn, self.business, now - A_DAY)
            open_ = len(stored.unresolved(conn, self.business))
        total = Amount(sum(batch.total for batch in settled), asset)
        words = f"{len(settled)} batches settled within a day, {total}; {open_} transactions open"
        return Status(words, f"{self.business} {len(settled)} batches {total} open {open_}")

    def _settled(self, batch: Settled, total: Amount) -> Event:
        """What the owner hears."""
        fee = "not told" if batch.fee is None else str(Amount(batch.fee, total.asset))
        return Event(
            f"{self.business}.settled:{batch.id}",
            f"{self.business}.settled",
            batch.at,
            f"Batch #{batch.id} is paid: {batch.lines} payments, {total}.",
            f"batch #{batch.id}, {batch.lines} payments, {total}",
            self.words.of(self.words.show, batch.id),
            (total,),
            batch.tx_ids,
            (("Paid from", batch.wallet), ("Network fee", fee)),
            OWNER,
        )

    def _for_everybody(self, batch: Settled, total: Amount) -> Event:
        """What a public channel hears: the payout, and nothing of the wallet."""
        return Event(
            f"{self.business}.settled:{batch.id}:public",
            f"{self.business}.settled",
            batch.at,
            f"A payout of {total} to {batch.lines} payees is settled.",
            f"{total} to {batch.lines} payees",
            amounts=(total,),
            tx_ids=batch.tx_ids,
            audience=PUBLIC,
        )

    def _ended(self, tx: Ended, amount: Amount) -> Iterable[Event]:
        where, moment = f"of batch #{tx.batch_id}, {amount}", tx.at or tx.created_at
        if tx.error == SEEN:
            words = f"A transaction {where}, was ruled dead and has been seen in a block: a node told something untrue."
            yield self._of("seen", tx, moment, words, amount, self.words.verify)
        if tx.state is AttemptState.DEAD:
            words = f"A transaction {where}, can never be included any more; what it carried is owed again."
            yield self._of("dead", tx, moment, words, amount, self.words.of(self.words.resume, tx.batch_id))
        elif tx.state is AttemptState.FAILED:
            words = f"A transaction {where}, failed on the chain: {plain(tx.error)}"
            yield self._of("failed", tx, moment, words, amount, self.words.of(self.words.resume, tx.batch_id))

    def _of(self, word: str, tx: Ended, at: datetime, words: str, amount: Amount, fix: str) -> Event:
        kind = f"{self.business}.{word}"
        return Event(f"{kind}:{tx.tx_id}", kind, at, words, "", fix, (amount,), (tx.tx_id,))
