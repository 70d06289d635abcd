"""Payouts whose batch a restored database has lost: counted as paid, from the chain and the log of payments.

What was paid is the chain's word, and the log's where it lists the transaction: both have to say the same. The stretch
that such a payout was for is not paid again, nor what was held for its payees before it, and its payments stand in
statements. What it held back for later is in no account any more: the owner is told so.
"""

from __future__ import annotations

import hashlib
from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from decimal import Decimal

import sqlalchemy as sa

from valtrac.coming_over import lost_balances
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
from valtrac.payments.store import batches as stored
from valtrac.payouts import ranges
from valtrac.payouts.store import batches
from valtrac.people.store import people
from valtrac.reports.store import old_payments
from valtrac.snapshots.store import claims, rulings, snapshots

SOURCE = "a payout whose batch this database has lost"
BALANCES = -1  # where the log has the last block of a payout of held balances
_OPEN = (BatchState.DRAFT, BatchState.APPROVED, BatchState.SENDING)
_MOST_DIGITS = 18


class NotListed(Refused):
    """Nothing but the owner's word says for which blocks a transaction paid."""


@dataclass(frozen=True, slots=True)
class Lost:
    """A transaction that counts as a payout now. to_block: the last block that it paid for, -1 where it paid held
    balances; gap: the blocks before it that nothing here says were paid for, or None; held_rao: what was held for its
    payees before, and counts as paid with it."""

    tx_id: str
    block: int
    payments: int
    amount_rao: int
    to_block: int
    gap: tuple[int, int] | None
    held_rao: int = 0


@dataclass(frozen=True, slots=True)
class _Stretch:
    """first: None where nobody tells."""

    first: int | None
    last: int


def take_over(
    door: Door,
    wallet: str,
    hotkey: str,
    *,
    to_block: int | None = None,
    words: str = "",
    accept_history: bool = False,
    hotkeys: Collection[str] = (),
) -> list[Lost]:
    """Count the wallet's unexplained transactions as payouts of a hotkey, one after the other, while the log of
    payments lists them; one that it does not list counts with to_block alone, as the owner's word on what it paid for.

    accept_history: what the wallet sent before the first that the log lists was no payment. hotkeys: all that are paid
    for here; the log does not tell one from another, so of several each transaction needs its to_block.
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
        if rows and to_block is None:
            try:
                _one_hotkey(door, {hotkey, *hotkeys}, found, rows)
            except NotListed:
                if done:
                    return done
                raise
        done.append(_one(door, wallet, hotkey, found, rows, to_block, words))
        if to_block is not None:
            return done


def _begin(door: Door, wallet: str, listed: Mapping[str, Sequence[Mapping[str, str]]], *, accept_history: bool) -> None:
    """Answer for a wallet from the first transaction in the log on, where this database is of a time before that."""
    with reading(door.engine) as conn:
        begun = histories.baseline(conn, wallet) is not None
    told = [_block(row["Block"].strip()) for rows in listed.values() for row in rows]
    blocks = [block for block in told if block is not None]
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


def _one_hotkey(door: Door, hotkeys: Collection[str], found: Foreign, rows: Sequence[Mapping[str, str]]) -> None:
    """Raise NotListed where a payout that the log lists may have been one of several hotkeys."""
    with reading(door.engine) as conn:
        several = {*hotkeys, *(known for known, _ in snapshots.hotkeys(conn))}
    last = _stretch(found, rows, None).last
    if len(several) > 1 and last != BALANCES:
        raise NotListed(
            f"the log of payments does not say for which hotkey the transaction in block {found.used.head.number} paid",
            why=f"there are {len(several)} of them, and counting it for another one would pay its blocks again",
            fix=f"say it, if it was a payout of this one: --hotkey HOTKEY --to {last}",
        )


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
        foreign.check_still_first(conn, found)
        matched = foreign.match(conn, found)
        if matched is not None:
            raise Refused(
                f"the transaction in block {used.head.number} paid {len(matched.lines)} payments of batch "
                f"#{matched.batch.id}, which is here",
                fix=f"take it over: {door.producer.words.adopt}",
            )
        _no_open_batch(conn, hotkey, stretch.last, payments)
        paid = ranges.paid_up_to(conn, hotkey, None)
        if paid is not None and not rows and stretch.last < paid:
            raise BadInput(
                f"to: blocks up to {paid} are paid for already, and it would count for none after {stretch.last}",
                why="what it paid for after them would be paid again",
                fix=f"look at the number once more; {paid} says that it was for blocks that are paid for",
            )
        gap = None
        if stretch.first is not None and paid is not None and stretch.first > paid + 1:
            gap = (paid + 1, stretch.first - 1)
        block, last = used.head.number, stretch.last
        what = "a payout of held balances" if last == BALANCES else f"a payout up to block {last}"
        histories.rule(conn, wallet, used.nonce, tx_id=used.tx_id, block=block, words=f"{what}: {reason}", adopted=True)
        named = _named(door, conn, payments, rows)
        old_payments.add(conn, _told(found, named, stretch))
        held = lost_balances.paid_with(conn, named, f"a payout in block {block}: {reason}", listed=bool(rows))
        if last > (rulings.paid_before(conn, hotkey) or 0):
            rulings.begin_after(conn, hotkey, last, f"a payout in block {block}: {reason}")
    units = sum(payment.units for payment in payments)
    return Lost(used.tx_id, block, len(payments), units, last, gap, held)


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
    listed = Counter((row["Address"].strip(), _units(door, row)) for row in rows)
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


def _units(door: Door, row: Mapping[str, str]) -> int:
    """The amount of a row; 0 where it is none that could be paid."""
    with suppress(ArithmeticError, ValueError):
        amount = Decimal(row["Amount Paid"].strip().replace(",", "."))
        if amount.adjusted() < _MOST_DIGITS:
            return int(amount * 10**door.chain.asset.decimals)
    return 0


def _stretch(found: Foreign, rows: Sequence[Mapping[str, str]], to_block: int | None) -> _Stretch:
    """The blocks that were paid for. Raises Refused and BadInput where nobody tells, or where they cannot be so."""
    number = found.used.head.number
    told = {tuple(row[column].strip() for column in ("Batch", "Start Block", "End Block")) for row in rows}
    if len(told) > 1:
        raise _changed(number, "of different batches or blocks")
    ((_, start, end),) = told or {("", "", "")}
    first, last = _block(start), _block(end)
    if (first, last) == (0, BALANCES):
        if to_block is not None:
            raise BadInput(f"the transaction in block {number} paid held balances, of no block", fix="leave --to out")
        return _Stretch(None, BALANCES)
    if last is not None and not 0 <= (first or 0) <= last:
        raise _changed(number, f"for blocks {first} to {last}")
    if last is not None and to_block is not None and to_block != last:
        raise BadInput(
            f"the log of payments says that it paid up to block {last}, and not {to_block}", fix="leave --to out"
        )
    last = to_block if last is None else last
    if last is None:
        raise NotListed(
            f"the log of payments does not {'say for which blocks' if rows else 'list'} the transaction in block "
            f"{number}{' paid' if rows else ''}",
            why="it paid users of yours, and nothing here says for which blocks",
            fix="if it was a payout, say up to which block it paid: --to BLOCK",
        )
    if last > found.used.head.number:
        raise BadInput(
            f"to: block {last} lies after the payment itself, which is in block {found.used.head.number}",
            fix="say the last block that it paid for",
        )
    return _Stretch(first, last)


def _changed(number: int, what: str) -> Refused:
    return Refused(
        f"the log of payments lists the transaction in block {number} as {what}",
        why="a payout writes no such rows: they were changed",
        fix="bring the log back as it was written",
    )


def _block(text: str) -> int | None:
    """A block's number, or the -1 of held balances; None where it is neither."""
    if text == str(BALANCES):
        return BALANCES
    return int(text) if text.isdecimal() and len(text) <= _MOST_DIGITS else None


def _no_open_batch(conn: sa.Connection, hotkey: str, last: int, payments: Sequence[Payment]) -> None:
    """Raise Refused where a batch that may still be sent is for blocks, or of balances, that were paid."""
    waiting = [batch.id for batch in batches.listed(conn, _OPEN)]
    claimed, payees = claims.of_batches(conn, waiting), {payment.address for payment in payments}
    for number in waiting:
        of = claimed.get(number)
        if of is None:
            meets = any(line.address in payees for line in stored.lines_of(conn, number))
            what = "held balances of its payees"
        else:
            meets = of.hotkey == hotkey and of.from_block <= last
            what = f"blocks {of.from_block} to {of.to_block}"
        if meets:
            raise Refused(
                f"batch #{number}, which is open here, is for {what} too",
                why="sending it as well would pay them twice",
                fix=f"take it back first: run.py payout void {number} --reason WHY",
            )


def _named(
    door: Door, conn: sa.Connection, payments: Sequence[Payment], rows: Sequence[Mapping[str, str]]
) -> list[tuple[Payment, str]]:
    """Each payment with the name that its row in the log has, where there is one here, else whose address it is."""
    known = {term.name for term in people.terms(conn).users}
    owners = door.producer.owners(conn, [payment.address for payment in payments])
    names = defaultdict[tuple[str, int], list[str]](list)
    for row in rows:
        names[row["Address"].strip(), _units(door, row)].append(csv_uncell(row["Username"].strip()))
    named = list[tuple[Payment, str]]()
    for payment in payments:
        of_row = names[payment.address, payment.units]
        name = of_row.pop(0) if of_row else ""
        is_known = name in known or name == payment.address
        named.append((payment, name if is_known else owners.get(payment.address, name or payment.address)))
    return named


def _told(found: Foreign, named: Sequence[tuple[Payment, str]], stretch: _Stretch) -> list[old_payments.Told]:
    """The payments as statements show them."""
    used = found.used
    return [
        old_payments.Told(
            SOURCE,
            storable(name, 100),
            payment.address,
            payment.units,
            stretch.first or 0,
            stretch.last,
            used.head.at,
            hashlib.sha256(f"{used.tx_id} {place}".encode()).hexdigest(),
        )
        for place, (payment, name) in enumerate(named)
    ]
