"""What the owner asks about contracts, and his word where only he can decide."""

from __future__ import annotations

from dataclasses import dataclass

import sqlalchemy as sa

from valtrac.contracts.custodian import CORE_ASSET, Custodian
from valtrac.contracts.model import contracts as domain
from valtrac.contracts.model import memos
from valtrac.contracts.model.contracts import Due
from valtrac.contracts.model.states import DueState, TransferState
from valtrac.contracts.model.statuses import status_of
from valtrac.contracts.requests import carry_out, stopped_later
from valtrac.contracts.store import audit_events, contracts, transfers
from valtrac.contracts.store.transfers import RecordedTransfer
from valtrac.core.errors import BadInput, Refused
from valtrac.core.money import bts
from valtrac.core.text import plain, storable
from valtrac.database.engine import reading, writing
from valtrac.payments.model.states import LineState
from valtrac.payments.store import attempts, batches, ledger
from valtrac.ports import NoKey, Unreadable

# -- the owner's word -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Word:
    """What the owner says of a transfer: its memo as the sender told it, all of it back, or kept with a reason; with
    none of these its memo is tried once more."""

    memo: str | None = None
    refund: bool = False
    keep: str = ""

    @property
    def asks_the_memo(self) -> bool:
        """Whether nothing is said, so that the memo has to speak for itself."""
        return self.memo is None and not self.refund and not self.keep.strip()


def read_by_hand(custodian: Custodian, number: int, word: Word) -> str:
    """Say what a parked transfer, or one of a skipped block, asks for. Returns what it was.

    Raises BadInput where it waits for nobody.
    """
    head = custodian.chain.finalized().number
    with reading(custodian.engine) as conn:
        transfer = transfers.get(conn, number)
    _can_be_read(custodian, transfer, word)
    who = custodian.chain.accounts([transfer.account]).get(transfer.account)
    if who is None:
        raise BadInput(f"the chain has no account {transfer.account}", fix="use another node")
    words = _memo_of(custodian, transfer) if word.asks_the_memo else None
    if word.memo is not None:
        words = storable(word.memo)
    with writing(custodian.engine) as conn:
        fresh = transfers.get(conn, number)
        skipped = transfers.take_up(conn, fresh.block, fresh.trx, fresh.op)
        fresh = skipped or fresh
        if fresh.state == TransferState.HANDLED:
            raise Refused(f"transfer #{number} was dealt with meanwhile", fix="see: run.py contracts transfers")
        if skipped and not word.refund and not word.keep.strip():
            _in_order(conn, fresh, insists=word.memo is not None)
        if word.refund:
            _send_back(conn, fresh)
        elif word.keep.strip():
            transfers.move(conn, fresh, TransferState.HANDLED, kind="kept", words=word.keep.strip())
        else:
            carry_out(conn, custodian, fresh, words, who, head, by_owner=word.memo is not None)
        done = transfers.get(conn, number)
        msg = {"no": number, "block_num": fresh.block, "by": "the owner", "memo": words, "kind": done.kind}
        nonce = domain.milliseconds(fresh.at)
        audit_events.add(conn, "read_by_hand", {**msg, "words": word.keep.strip()}, nonce=nonce, name=fresh.name)
    return done.kind or done.state


def _can_be_read(custodian: Custodian, transfer: RecordedTransfer, word: Word) -> None:
    """Raise BadInput where the transfer does not wait for the owner, or he says several things at once."""
    waits = transfer.state in (TransferState.PARKED, TransferState.WAITING) or transfer.kind == transfers.SKIPPED
    if not waits or transfer.direction != "in":
        raise BadInput(
            f"transfer #{transfer.id} is {transfer.state}",
            why="only what waits can be read",
            fix="run.py contracts waiting",
        )
    if transfer.asset_id != CORE_ASSET:
        raise BadInput(
            f"transfer #{transfer.id} is of another asset",
            why="nothing is done with those",
            fix="send it back yourself",
        )
    if sum((word.memo is not None, word.refund, bool(word.keep.strip()))) > 1:
        raise BadInput("say one thing: a memo, a refund, or a reason to keep it", fix="--memo three_months")
    if word.memo is not None:
        _asks_for_something(custodian, transfer, word.memo)


def _memo_of(custodian: Custodian, transfer: RecordedTransfer) -> str | None:
    try:
        return custodian.chain.read_memo(transfer.sealed) if transfer.sealed else None
    except (NoKey, Unreadable) as error:
        raise Refused("its memo still cannot be read", why=plain(error), fix="say what it is: --memo WORDS") from error


def _send_back(conn: sa.Connection, transfer: RecordedTransfer) -> None:
    """All of it, without a fee."""
    if not domain.whole(transfer.units):
        raise BadInput("there is less than 1 BTS to send back", fix='--keep "REASON"')
    contracts.add_due(
        conn,
        type_=domain.REFUND,
        account=transfer.account,
        name=transfer.name,
        units=transfer.units,
        memo=domain.refund_memo(0, "returned by hand"),
        at=transfer.at,
        operation_id=transfer.id,
    )
    transfers.move(conn, transfer, TransferState.HANDLED, kind="returned", words="returned by the owner")


def _in_order(conn: sa.Connection, transfer: RecordedTransfer, *, insists: bool) -> None:
    """Raise Refused where taking up a skipped request now would turn an account's requests around."""
    skipped = transfers.listed(conn, TransferState.HANDLED, kind=transfers.SKIPPED, account=transfer.account)
    older = [other for other in skipped if other.place < transfer.place]
    if older:
        raise Refused(
            f"an older transfer of {transfer.name} was skipped too",
            why=f"transfer #{older[0].id}: what it asked for comes first",
            fix=f"run.py contracts read {older[0].id}, or keep it",
        )
    if stopped_later(conn, transfer) and not insists:
        raise Refused(
            f"{transfer.name} asked to stop after this transfer",
            why="a contract that began with it now would run on",
            fix="send it back (--refund), or insist: --memo WORDS",
        )


def _asks_for_something(custodian: Custodian, transfer: RecordedTransfer, memo: str) -> None:
    """Raise BadInput where the owner's words would cost the client the fee of an invalid request: a slip of his own."""
    terms = custodian.settings.contract_terms
    request = memos.parse(memo, frozenset(terms.months))
    fix = f"write {', '.join(sorted(terms.months))}, stop or loan; or send it back, or keep it"
    if request.type == memos.INVALID:
        raise BadInput(f"these words ask for nothing: {request.why}", why="nothing was changed", fix=fix)
    if request.type in terms.months and domain.whole(transfer.units) not in terms.amounts:
        what = f"{bts(transfer.units)} is no amount that a contract may have"
        raise BadInput(what, why="nothing was changed", fix=fix)


def rule(custodian: Custodian, number: int, *, pays: int | None = None, words: str = "") -> RecordedTransfer:
    """Rule on a transfer that left the account and is not in the journal: it paid one of ours, or it is foreign.

    pays: the number of the payment that it was. Raises BadInput where it cannot have been that one, and Refused where
    it went to somebody who is owed something and no words are given.
    """
    with writing(custodian.engine) as conn:
        transfer = transfers.get(conn, number)
        if transfer.state != TransferState.UNRULED:
            raise BadInput(f"transfer #{number} is {transfer.state}", fix="see: run.py contracts waiting")
        if pays is None:
            owed = [due for due in contracts.in_states(conn, *domain.OPEN_STATES) if due.account == transfer.account]
            if owed and not words.strip():
                raise Refused(
                    f"transfer {transfer.key} went to {transfer.name}, who is owed something",
                    why=f"{amount_of(transfer)} left, and payment no. {owed[0].id} of {bts(owed[0].units)} is open"
                    + _skipped_of(conn, transfer),
                    fix='it was that payment: --pays NUMBER; it was not: say what it was with --words "..."',
                )
            transfers.move(
                conn, transfer, TransferState.HANDLED, kind="foreign", words=words.strip() or "not a payment of ours"
            )
        else:
            adopt(conn, custodian, transfer, contracts.due(conn, pays))
        audit_events.add(
            conn,
            "ruled",
            {"no": number, "pays": pays, "words": words.strip(), "block_num": transfer.block},
            nonce=domain.milliseconds(transfer.at),
            name=transfer.name,
        )
        return transfers.get(conn, number)


def _skipped_of(conn: sa.Connection, transfer: RecordedTransfer) -> str:
    """Words about requests of the same account that were skipped: this may have been the answer to one."""
    skipped = transfers.listed(conn, TransferState.HANDLED, kind=transfers.SKIPPED, account=transfer.account)
    numbers = ", ".join(f"#{other.id}" for other in skipped)
    return f"; it may answer what was skipped ({numbers}): take that up first, contracts read NO" if skipped else ""


def rule_before(custodian: Custodian, block: int, words: str) -> int:
    """Rule on everything up to a block that left the account and is not in the journal: payments of a time before
    this ledger. Returns how many. Raises BadInput without words: what is owed to the same accounts is paid then."""
    if not words.strip():
        raise BadInput(
            "say what these transfers were", why="the ledger keeps the words", fix='--words "paid by the old bot"'
        )
    with writing(custodian.engine) as conn:
        unruled = [transfer for transfer in transfers.listed(conn, TransferState.UNRULED) if transfer.block <= block]
        for transfer in unruled:
            transfers.move(conn, transfer, TransferState.HANDLED, kind="foreign", words=words.strip())
        audit_events.add(conn, "ruled", {"up_to_block": block, "count": len(unruled), "words": words.strip()})
    return len(unruled)


def amount_of(transfer: RecordedTransfer) -> str:
    """How much a transfer moved, in words."""
    if transfer.asset_id == CORE_ASSET:
        return str(bts(transfer.units))
    return f"{transfer.units} units of {transfer.asset_id}"


def matching(engine: sa.Engine, transfer: RecordedTransfer) -> list[Due]:
    """The open payments that a transfer that is not in the journal may have been: same account, same amount of BTS."""
    if transfer.asset_id != CORE_ASSET:
        return []
    with reading(engine) as conn:
        return [
            due
            for due in contracts.in_states(conn, DueState.PENDING, DueState.PROCESSING, DueState.DELINQUENT)
            if (due.account, due.units) == (transfer.account, transfer.units)
        ]


def adopt(conn: sa.Connection, custodian: Custodian, transfer: RecordedTransfer, due: Due) -> None:
    """Book a transfer that another hand made as the payment that it was."""
    same = (due.account, due.units) == (transfer.account, transfer.units) and transfer.asset_id == CORE_ASSET
    if not same or due.type == domain.PENALTY:
        raise BadInput(
            f"payment no. {due.id} is {bts(due.units)} to {due.name}; "
            f"the transfer was {amount_of(transfer)} to {transfer.name}",
            fix="see what it may have been: run.py contracts waiting",
        )
    attempts.lock_wallet(conn, custodian.account.id)
    person, cause = f"account:{due.account}", f"paid by transfer {transfer.key}, outside the journal"
    common = {"person": person, "units": due.units, "cause": cause}
    if due.state == DueState.PROCESSING and due.line_id is not None:
        batches.move_lines(conn, [due.line_id], LineState.OWED, LineState.VOID)
        line = batches.line(conn, due.line_id)
        ledger.book(conn, [{**common, "kind": "paid", "batch_id": line.batch_id, "line_id": line.id}])
    elif due.state in (DueState.PENDING, DueState.DELINQUENT):
        contracts.drop_note(conn, due.id)
        contracts.move(conn, [due.id], due.state, DueState.PROCESSING)
        ledger.book(conn, [{**common, "kind": "accrued"}, {**common, "kind": "paid"}])
        if due.type == domain.PRINCIPAL and due.contract_id is not None:
            contracts.end_penalties(conn, [due.contract_id], transfer.at)
    else:
        under_way = due.state in (DueState.PROCESSING, DueState.HANDED_OVER)
        raise BadInput(
            f"payment no. {due.id} is {status_of(due)}",
            why="only an open payment can have been made so",
            fix="its own transaction is under way: pay once more, which waits for its end, then say it again"
            if under_way
            else "say what it was with --words WHAT",
        )
    contracts.move(
        conn,
        [due.id],
        DueState.PROCESSING,
        DueState.CONFIRMED,
        block=transfer.block,
        tx_id=transfer.tx_id,
        processed_at=transfer.at,
        words=cause,
    )
    transfers.move(conn, transfer, TransferState.HANDLED, kind="adopted", words=f"payment no. {due.id}")
