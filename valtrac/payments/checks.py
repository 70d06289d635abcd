"""What must hold before a transaction is signed, and before a signed one is written down. Nothing is sent here."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa

from valtrac.core.chain import Head, Payment, SignedTx
from valtrac.core.errors import Refused
from valtrac.core.money import Amount, Asset
from valtrac.core.text import plain
from valtrac.database.engine import asset_of, claim_identity, reading, writing
from valtrac.payments import fees
from valtrac.payments.door import Door
from valtrac.payments.model.batches import Batch, BatchLine
from valtrac.payments.model.states import BatchState, LineState
from valtrac.payments.producer import Caps
from valtrac.payments.restored import refuse_unless_compared
from valtrac.payments.store import attempts, batches
from valtrac.ports import Payer, PayingChain

FEE_MARGIN_PERCENT = 20
FEE_MOST_TIMES = 10  # a payment with a long memo costs a few times what one without costs


class Tampered(Refused):
    """Stored figures that cannot have been written by this program."""


class Short(Refused):
    """The wallet does not hold what has to be paid."""


def check(door: Door, payer: Payer, batch_id: int, *, accept_fee: bool = False) -> None:
    """Everything that must hold before the next transaction is signed. Raises Refused in words."""
    identity = door.chain.identity()
    with writing(door.engine) as conn:
        claim_identity(conn, identity.genesis_hash, identity.network, door.chain.asset)
        refuse_unless_compared(conn, door.producer.words)
        batch, lines = batches.get(conn, batch_id), batches.lines_of(conn, batch_id)
        _may_be_sent(door, batch, identity.genesis_hash)
        check_sums(batch, lines, least=min(1, door.chain.limits().least_payment))
        changed = door.producer.recheck(conn, batch, lines)
    if changed is not None:
        raise Refused(changed.what, why=changed.why, fix=changed.fix, problems=changed.problems)
    owed = [line for line in lines if line.state == LineState.OWED]
    if not owed:
        return
    door.producer.look(owed, payer.address)
    payments = payments_of(door, owed)
    fee = fees.estimate(door.chain, payer.address, payments, door.chunk_size)
    if door.producer.standing:
        if not door.coins:  # by their number, which says nothing of the next one; the payer has a limit of its own
            _usual_fee(door, payer.address, fee, len(payments))
    elif not accept_fee and fee * 100 > batch.fee * (100 + FEE_MARGIN_PERCENT):
        raise Refused(
            f"the network fee is {Amount(fee, door.chain.asset)} now, the draft reckoned with "
            f"{Amount(batch.fee, door.chain.asset)}",
            why=f"more than {FEE_MARGIN_PERCENT} % above it",
            fix=door.producer.words.of(door.producer.words.high_fee, batch.id),
        )
    _funded(door, payer, batch, sum(line.amount for line in owed), fee)


def _usual_fee(door: Door, wallet: str, fee: int, payments: int) -> None:
    """Raise Refused for a fee far above what this wallet has paid so far, where nobody looks at it before."""
    with reading(door.engine) as conn:
        usual = attempts.usual_fee(conn, wallet)
    if usual is not None and fee > usual * payments * FEE_MOST_TIMES:
        asset = door.chain.asset
        raise Refused(
            f"the network fee is {Amount(fee, asset)} for {payments} payments",
            why=f"the last ones cost {Amount(usual, asset)} each: more than {FEE_MOST_TIMES} times as much is not paid "
            "unasked",
            fix="see what other nodes ask; it is tried again with every round",
        )


def payments_of(door: Door, lines: Sequence[BatchLine]) -> tuple[Payment, ...]:
    """The lines as payments, each with its mark where it has one. The producer has looked before."""
    with reading(door.engine) as conn:
        marks = door.producer.marks(conn, lines)
    return tuple(Payment(line.address, line.amount, line.memo, marks.get(line.id)) for line in lines)


def _may_be_sent(door: Door, batch: Batch, genesis: str) -> None:
    """Raise Refused for a batch of another chain or business, for a draft, and for one that was voided."""
    words = door.producer.words
    if batch.genesis not in ("", genesis):
        raise Refused(f"batch #{batch.id} was made for another chain", fix="set the network back")
    if batch.producer != door.producer.name:
        raise Refused(f"batch #{batch.id} is not of this ledger's making", fix="use the database that it is in")
    if batch.state == BatchState.DRAFT:
        raise Refused(
            f"batch #{batch.id} is a draft", why="nobody has approved it", fix=words.of(words.approve, batch.id)
        )
    if batch.state == BatchState.VOID:
        raise Refused(f"batch #{batch.id} was voided", why=plain(batch.note), fix="make a new draft")


def check_wallet(door: Door, payer: Payer, batch_id: int) -> None:
    """Raise Refused when a batch was made for another wallet, before anything is noted about this one."""
    with reading(door.engine) as conn:
        batch = batches.get(conn, batch_id)
    if batch.wallet != payer.address:
        raise Refused(
            f"batch #{batch_id} was made for wallet {batch.wallet}",
            why=f"this is wallet {payer.address}",
            fix=f"set {door.producer.words.wallet_setting} back, or make a new draft",
        )


def check_sums(batch: Batch, lines: Sequence[BatchLine], *, least: int = 1) -> None:
    """Raise Refused unless the stored lines are payments that sum to the total. least: units of a payment; 0 on a chain
    where a transaction may also do what moves none."""
    made = sum(line.amount for line in lines)
    parts = sum(line.from_pool + line.released - line.fee_share for line in lines)
    sums = {"the total": (made, batch.total), "the amounts": (parts, batch.total)}
    wrong = [f"{name}: {is_}, stored as {stored}" for name, (is_, stored) in sums.items() if is_ != stored]
    if wrong or any(line.amount < least for line in lines):
        raise does_not_add_up(batch.id, wrong)


def does_not_add_up(batch_id: int, problems: Sequence[str]) -> Tampered:
    """The error for figures that other hands have changed."""
    return Tampered(
        f"the figures of batch #{batch_id} do not add up",
        why="the database was changed by other hands",
        fix="bring a backup back, and do not pay from this database",
        problems=problems,
    )


def _funded(door: Door, payer: Payer, batch: Batch, owed: int, fee: int) -> None:
    """The wallet must hold all that is owed and stay alive, or nothing is paid at all."""
    holds = door.chain.balance(payer.address, door.chain.finalized())
    needs = owed + fees.with_slack(fee) + door.chain.limits().existential_units
    if holds < needs:
        asset = door.chain.asset
        raise Short(
            f"batch #{batch.id} needs {Amount(owed + fee, asset)}; the wallet holds {Amount(holds, asset)}",
            why=f"{Amount(needs - holds, asset)} is missing, fees and what an account must keep included",
            fix=f"send it to {payer.address}, then send the batch again",
        )


def compare(chain: PayingChain, tx: SignedTx, payments: tuple[Payment, ...], signer: str, nonce: int) -> None:
    """Read the signed bytes back and refuse unless they say exactly what was meant.

    Raises Refused naming the part that differs; nothing was sent.
    """
    try:
        read = chain.decode(tx.raw)
    except ValueError as error:
        raise Refused(
            "the signed transaction cannot be read back", why=plain(error), fix="nothing was sent; please report this"
        ) from error
    said = {
        "transaction id": (read.tx_id, tx.tx_id),
        "signer": (read.signer, signer),
        "nonce": (read.nonce, nonce),
        "payments": (_with_memos(read.payments, payments), payments),
        "all or nothing": (read.all_or_nothing, True),
        "last valid block": (read.expires or tx.birth_number + read.era_period - 1, tx.valid_until),
        "runtime version": (chain.identity().spec_version, tx.spec_version),
    }
    wrong = [name for name, (got, meant) in said.items() if got != meant]
    if wrong:
        raise Refused(
            f"the signed transaction differs from what was approved: {', '.join(wrong)}",
            why="the bytes were read back before sending, as always",
            fix="nothing was sent; please report this",
        )


def _with_memos(read: tuple[Payment, ...], meant: tuple[Payment, ...]) -> tuple[Payment, ...]:
    """What was read, with the memos that were meant where it has none: an account without a memo key takes none."""
    if len(read) != len(meant):
        return read
    return tuple(
        Payment(got.address, got.units, want.memo if got.memo == "" else got.memo)
        for got, want in zip(read, meant, strict=True)
    )


def check_caps(caps: Caps, asset: Asset, batch: Batch, lines: Sequence[BatchLine]) -> None:
    """Raise Refused when a payment or the batch is above what the owner allows."""
    for line in lines:
        if line.amount > caps.payment.units:
            raise Refused(
                f"{plain(line.name)} would get {Amount(line.amount, asset)}",
                why=f"the cap per payment is {Amount(caps.payment.units, asset)}",
                fix=f"raise {caps.payment.setting}, or pay less at once",
            )
    if batch.total > caps.batch.units:
        raise Refused(
            f"batch #{batch.id} pays {Amount(batch.total, asset)}",
            why=f"the cap per batch is {Amount(caps.batch.units, asset)}",
            fix=f"raise {caps.batch.setting}, or pay less at once",
        )


def check_spent(conn: sa.Connection, caps: Caps, batch: Batch, wallet: str, units: int, head: Head) -> None:
    """The caps over time, summed in the transaction that writes the attempt. Raises Refused."""
    asset = asset_of(conn)
    by_batch = attempts.spent_by_batch(conn, batch.id) + units
    if by_batch > caps.batch.units:
        raise Refused(
            f"batch #{batch.id} would have paid {Amount(by_batch, asset)}",
            why=f"the cap per batch is {Amount(caps.batch.units, asset)}",
            fix=f"raise {caps.batch.setting} to go on",
        )
    by_day = attempts.spent_since(conn, wallet, head.at) + units
    if by_day > caps.day.units:
        raise Refused(
            f"the wallet would have paid {Amount(by_day, asset)} within 24 hours",
            why=f"the cap per day is {Amount(caps.day.units, asset)}",
            fix=f"wait, or raise {caps.day.setting}; what is left stays owed",
        )
