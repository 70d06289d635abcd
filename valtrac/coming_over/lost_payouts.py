"""Payouts whose batch a restored database has lost: counted as paid, from the chain and the log of payments.

What was paid is the chain's word, and the log's where it lists the transaction: both have to say the same. The stretch
that such a payout was for is not paid again, and its payments stand in statements. What it held back for later is in no
account any more: the owner is told so.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from valtrac.core.chain import Payment
from valtrac.core.errors import BadInput, Refused
from valtrac.core.money import Amount
from valtrac.core.text import csv_uncell, plain, storable
from valtrac.database.engine import reading, writing
from valtrac.payments import foreign, payment_log
from valtrac.payments.door import Door
from valtrac.payments.foreign import Foreign
from valtrac.payments.model.states import BatchState
from valtrac.payments.store import attempts, histories
from valtrac.payouts import ranges
from valtrac.payouts.store import batches
from valtrac.reports.store import old_payments
from valtrac.snapshots.store import claims, rulings

SOURCE = "a payout whose batch this database has lost"
_OPEN = (BatchState.DRAFT, BatchState.APPROVED, BatchState.SENDING)


class NotListed(Refused):
    """Nothing but the owner's word says for which blocks a transaction paid."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A transaction that counts as a payout now. to_block: the last block that it paid for; gap: the blocks
    before it that nothing here says were paid for, or None."""

    tx_id: str
    block: int
    payments: int
    amount_rao: int
    to_block: int
    gap: tuple[int, int] | None


@dataclass(frozen=True, slots=True)
class _Stretch:
    """first: None where nobody tells."""

    first: int | None
    last: int


def take_over(
    door: Door, wallet: str, hotkey: str, *, to_block: int | None = None, words: str = "", accept_history: bool = False
) -> list[Lost]:
    """Count the wallet's unexplained transactions as payouts of a hotkey, one after the other, while the log of
    payments lists them; one that it does not list counts with to_block alone, as the owner's word on what it paid for.

    accept_history: what the wallet sent before the first that the log lists was no payment.
    Raises BadInput where there is none, Refused where the chain and the log differ, where nobody is told to have been
    paid, or where a batch that is open here is for the same blocks. Each that was taken over before that stays so.
    """
    listed = {} if door.log is None else payment_log.unknown(door, door.log)
    _begin(door, wallet, listed, accept_history=accept_history)
    done = list[Lost]()
    while True:
        try:
            found = foreign.find(door, wallet)
        except BadInput:
            if done:
                return done
            raise
        rows = listed.get(found.used.tx_id, [])
        if done and not rows:
            return done
        done.append(_one(door, wallet, hotkey, found, rows, to_block, words))
        if to_block is not None:
            return done


def _begin(door: Door, wallet: str, listed: Mapping[str, Sequence[Mapping[str, str]]], *, accept_history: bool) -> None:
    """Answer for a wallet from the first transaction in the log on, where this database is of a time before that."""
    with reading(door.engine) as conn:
        begun = histories.baseline(conn, wallet) is not None
    blocks = [int(row["Block"]) for rows in listed.values() for row in rows if row["Block"].strip().isdecimal()]
    if begun or not blocks or door.numbers is None:
        return
    before = door.chain.block(max(0, min(blocks) - 1)).head
    earlier = door.numbers.nonce(wallet, before)
    if earlier and not accept_history:
        raise Refused(
            f"wallet {wallet} made {earlier} transactions before the first that the log of payments lists",
            why="if some of them were payments of yours, they would be made again",
            fix="restore a later backup, or say that none of them was one: --accept-history",
        )
    with writing(door.engine) as conn:
        attempts.lock_wallet(conn, wallet)
        histories.set_baseline(conn, wallet, before, earlier)


def _one(
    door: Door,
    wallet: str,
    hotkey: str,
    found: Foreign,
    rows: Sequence[Mapping[str, str]],
    to_block: int | None,
    words: str,
) -> Lost:
    used = found.used
    payments = _paid(door, found, rows)
    stretch = _stretch(found, rows, to_block)
    reason = storable(words.strip(), 400) or "its batch is not in this database"
    with writing(door.engine) as conn:
        attempts.lock_wallet(conn, wallet)
        matched = foreign.match(conn, found)
        if matched is not None:
            raise Refused(
                f"the transaction in block {used.head.number} paid {len(matched.lines)} payments of batch "
                f"#{matched.batch.id}, which is here",
                fix=f"take it over: {door.producer.words.adopt}",
            )
        _no_open_batch(conn, hotkey, stretch.last)
        paid = ranges.paid_up_to(conn, hotkey, None)
        gap = None
        if stretch.first is not None and paid is not None and stretch.first > paid + 1:
            gap = (paid + 1, stretch.first - 1)
        histories.rule(
            conn,
            wallet,
            used.nonce,
            tx_id=used.tx_id,
            block=used.head.number,
            words=f"a payout up to block {stretch.last}: {reason}",
            adopted=True,
        )
        old_payments.add(conn, _told(door, conn, found, payments, rows, stretch))
        if stretch.last > (rulings.paid_before(conn, hotkey) or 0):
            rulings.begin_after(conn, hotkey, stretch.last, f"a payout in block {used.head.number}: {reason}")
    units = sum(payment.units for payment in payments)
    return Lost(used.tx_id, used.head.number, len(payments), units, stretch.last, gap)


def _paid(door: Door, found: Foreign, rows: Sequence[Mapping[str, str]]) -> tuple[Payment, ...]:
    """What the transaction paid, as the chain has it. Raises Refused where that cannot be read, pays nobody of ours, or
    is not what the log lists."""
    block = found.used.head.number
    if not found.payments or not found.whole:
        raise Refused(
            f"the transaction in block {block} is no payout: {foreign.described(found, door.chain.asset)}",
            why="a payout moves money to its payees and does nothing else",
            fix=f"look at it on an explorer; say what it was: {door.producer.words.rule_foreign}",
        )
    if rows:
        _same(door, found, rows)
        return found.payments
    with reading(door.engine) as conn:
        if not door.producer.owners(conn, [payment.address for payment in found.payments]):
            raise Refused(
                f"the transaction in block {block} paid nobody who is or was a user",
                fix=f"it was no payout; say what it was: {door.producer.words.rule_foreign}",
            )
    return found.payments


def _same(door: Door, found: Foreign, rows: Sequence[Mapping[str, str]]) -> None:
    """Raise Refused where the log does not list what the chain has."""
    scale = 10**door.chain.asset.decimals
    listed = Counter[tuple[str, int]]()
    for row in rows:
        units = 0
        with suppress(ArithmeticError, ValueError):
            units = int(Decimal(row["Amount Paid"].strip().replace(",", ".")) * scale)
        listed[row["Address"].strip(), units] += 1
    paid = Counter((payment.address, payment.units) for payment in found.payments or ())
    if listed == paid:
        return
    asset = door.chain.asset
    problems = [f"listed and not paid: {Amount(units, asset)} to {plain(who)}" for who, units in (listed - paid)]
    problems += [f"paid and not listed: {Amount(units, asset)} to {plain(who)}" for who, units in (paid - listed)]
    raise Refused(
        f"the log of payments lists something else than the transaction in block {found.used.head.number} paid",
        why="one of the two was changed",
        fix="bring the log back as it was written, or take it away and say up to which block was paid: --to BLOCK",
        problems=problems[:20],
    )


def _stretch(found: Foreign, rows: Sequence[Mapping[str, str]], to_block: int | None) -> _Stretch:
    """The blocks that were paid for. Raises Refused and BadInput where nobody tells, or where they cannot be so."""
    ends = [int(row["End Block"]) for row in rows if row["End Block"].strip().isdecimal()]
    starts = [int(row["Start Block"]) for row in rows if row["Start Block"].strip().isdecimal()]
    if ends and to_block is not None and to_block != max(ends):
        raise BadInput(
            f"the log of payments says that it paid up to block {max(ends)}, and not {to_block}", fix="leave --to out"
        )
    last = max(ends, default=to_block)
    if last is None:
        raise NotListed(
            f"the log of payments does not list the transaction in block {found.used.head.number}",
            why="it paid users of yours, and nothing here says for which blocks",
            fix="if it was a payout, say up to which block it paid: --to BLOCK",
        )
    if last > found.used.head.number:
        raise BadInput(
            f"to: block {last} lies after the payment itself, which is in block {found.used.head.number}",
            fix="say the last block that it paid for",
        )
    return _Stretch(min(starts, default=None), last)


def _no_open_batch(conn: sa.Connection, hotkey: str, last: int) -> None:
    """Raise Refused where a batch that may still be sent is for blocks that were paid for."""
    waiting = [batch.id for batch in batches.listed(conn, _OPEN)]
    for number, claimed in claims.of_batches(conn, waiting).items():
        if claimed.hotkey == hotkey and claimed.from_block <= last:
            raise Refused(
                f"batch #{number}, which is open here, is for blocks {claimed.from_block} to {claimed.to_block} too",
                why="sending it as well would pay them twice",
                fix=f"take it back first: run.py payout void {number} --reason WHY",
            )


def _told(
    door: Door,
    conn: sa.Connection,
    found: Foreign,
    payments: Sequence[Payment],
    rows: Sequence[Mapping[str, str]],
    stretch: _Stretch,
) -> list[old_payments.Told]:
    """The payments as statements show them: by the name that the log has, else by whose address it is."""
    used = found.used
    names = {row["Address"].strip(): csv_uncell(row["Username"].strip()) for row in rows}
    names = dict(door.producer.owners(conn, [payment.address for payment in payments])) | names
    return [
        old_payments.Told(
            SOURCE,
            storable(names.get(payment.address, payment.address), 100),
            payment.address,
            payment.units,
            stretch.first or 0,
            stretch.last,
            used.head.at,
            hashlib.sha256(f"{used.tx_id} {place}".encode()).hexdigest(),
        )
        for place, payment in enumerate(payments)
    ]
