"""Whether the ledger is whole: receipts, accounts, payments beside the chain's, and every satoshi that came or went.

A block shows transfers that somebody signed. What an executed proposal, a trade or another operation moves is not among
them, but it is in the balance: what the account holds is compared with what it held before and what was read since.
"""

from __future__ import annotations

from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from itertools import takewhile

import sqlalchemy as sa

from valtrac.contracts.custodian import CORE_ASSET, Custodian
from valtrac.contracts.model import contracts as domain
from valtrac.contracts.model.states import DueState, TransferState
from valtrac.contracts.store import audit_events, contracts, transfers
from valtrac.contracts.store.audit_events import Event
from valtrac.contracts.store.transfers import RecordedTransfer
from valtrac.core.chain import Head, Transfer
from valtrac.core.errors import ChainUnreachable, Refused, ValtracError
from valtrac.core.money import BTS, bts, decimal_text, parse_units
from valtrac.database.engine import reading, writing
from valtrac.payments import accounts
from valtrac.payments import audit as receipts_

BALANCES_EVERY_MS = 7_195_000  # a little under two hours, as before
LOOKS = 6  # how often a balance is read until two readings agree: a transfer that waits in the pool is in it already
A_DAY_MS = 86_400_000
FARTHEST = 60  # blocks between the last one that was read and the newest: what is not irreversible yet, and a little
A_ROUND = 1_200  # blocks: as long as a round of payments may take, in which nobody else may be reading, and then some
A_TICK = 6  # blocks that pass between two looks of a job, and a little
TOLD = 100  # blocks after which what does not fit is told of, and again after as many
LASTS = 28_900  # blocks: what is the same after a day waits in no pool, as the chain lets a transaction wait for a day
OFTEN = 2  # looks before this one
MOST_DOUBTS = 100_000  # one a look at most, and a day's are enough
RECKONED, DOUBT = "reckoned", "not_explained"


@dataclass(frozen=True, slots=True)
class BalanceCheck:
    """What the account held at a block that was read, beside what it must hold by the one before and by what was read.

    All in satoshi. unexplained: what it holds too much (> 0) or too little; since: the block of the reckoning before,
    None for the first one, which explains nothing yet; sure: whether it lasts: what waits in a node's pool is in the
    balance, and in no block yet.
    """

    block: int
    holds: int
    unexplained: int
    since: int | None
    sure: bool = True

    @property
    def words(self) -> str:
        """What the owner must hear, "" where all is explained."""
        if not self.unexplained:
            return ""
        if not self.sure:
            return f"{bts(abs(self.unexplained))} are not explained yet; they may wait in the node's pool: look again"
        what = "arrived without any recorded transfer" if self.unexplained > 0 else "left without any recorded transfer"
        return (
            f"{bts(abs(self.unexplained))} {what} (blocks {self.since} to {self.block}): "
            "an executed proposal, a trade, or blocks that were passed over"
        )


@dataclass(frozen=True, slots=True)
class Audit:
    """What an audit found. broken: the first receipt that does not follow; odd: in words, what does not fit.
    balance: None where the balance could not be compared now, and why not."""

    receipts: int
    broken: str | None
    odd: tuple[str, ...]
    balance: BalanceCheck | None
    why_not: str = ""

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong, as far as it was looked at."""
        return (
            self.broken is None
            and not self.odd
            and not (self.balance and self.balance.unexplained and self.balance.sure)
        )


def check(custodian: Custodian) -> Audit:
    """Check everything: the ledger alone, the ledger beside what was read of the chain, and the balance."""
    receipts, broken = receipts_.audit(custodian.engine)
    odd = [
        f"the account of {fault.person.removeprefix('account:')} does not add up"
        for fault in accounts.unbalanced(custodian.engine)
    ]
    with reading(custodian.engine) as conn:
        odd += _beside_the_chain(conn)
    try:
        return Audit(receipts, broken, tuple(odd), check_balance(custodian))
    except ValtracError as error:
        return Audit(receipts, broken, tuple(odd), None, f"{error.what}{': ' + error.why if error.why else ''}")


def check_balance(custodian: Custodian) -> BalanceCheck:
    """Compare the balance with the last one that was reckoned with, and write the new one down.

    What does not fit is a doubt at first, told of as one after some minutes, and an alert when it is still the same
    after a day: so long a transaction may wait in a node's pool, where it is in the balance and in no block.
    Raises ChainUnreachable where no balance can be told: the node is away, the listener is behind, or the account has
    no moment of rest.
    """
    difference = _compared(custodian, farthest=FARTHEST)
    _write_down(custodian, difference)
    return difference


def begin(custodian: Custodian) -> None:
    """Reckon once, where no balance was ever reckoned with and one node alone tells of what comes in: from then on what
    came in has to be there. Where this is no moment for it, the first payment begins it."""
    with reading(custodian.engine) as conn:
        begun = audit_events.last(conn, RECKONED) is not None
    if not begun and not custodian.witnesses:
        with suppress(ChainUnreachable):
            check_balance(custodian)


def see_that_it_is_there(custodian: Custodian) -> None:
    """Raise Refused where the account holds less than the recorded transfers add up to: with one node, a deposit that
    is not in the balance may never have been made, and what would be paid on it is other people's money.

    Two nodes that tell the same blocks need no balance. What stays missing for a day is an alert, and counts then.
    """
    if custodian.witnesses:
        return
    seen = _compared(custodian, farthest=A_ROUND, enough=True)
    if seen.unexplained > 0 or (not seen.unexplained and seen.since is not None and not _in_doubt(custodian)):
        return
    _write_down(custodian, seen)
    if not seen.sure:
        raise Refused(
            f"the account holds {bts(-seen.unexplained)} less than the transfers add up to that were read up to "
            f"block {seen.block}",
            why="one node alone tells of what came in, and what is paid on a deposit that never came is other people's",
            fix="it is looked at again with every round; name a second node, VALTRAC_BITSHARES_SECOND_NODE, to know",
        )


def look(custodian: Custodian, head: Head) -> str:
    """What a job does every two hours: note the balances and reckon. Returns what the owner must hear, or ""."""
    note_balances(custodian, head)
    with reading(custodian.engine) as conn:
        doubt = _doubt(conn)
    if doubt is None and not _is_time(custodian, RECKONED, BALANCES_EVERY_MS):
        return ""
    age = 0 if doubt is None else head.number - int(doubt.msg["block_num"])
    if doubt is not None and age < TOLD:
        return ""
    try:
        reckoning = check_balance(custodian)
        return reckoning.words if reckoning.sure or age % TOLD < A_TICK else ""
    except ChainUnreachable as error:  # not a moment for it: at the next tick
        late = doubt is None and _is_time(custodian, RECKONED, A_DAY_MS)
        return f"{error.what} for a day: {error.why}" if late else ""


def note_balances(custodian: Custodian, head: Head, *, every_ms: int = BALANCES_EVERY_MS) -> bool:
    """Every two hours write every balance into the trail; an exchange that does not tell is noted as unknown."""
    if not _is_time(custodian, "balances", every_ms):
        return False
    told: dict[str, str | None] = {"0": decimal_text(custodian.chain.balance(custodian.account.id, head), 5)}
    for place, exchange in enumerate(custodian.exchanges, 1):
        try:
            told[str(place)] = decimal_text(exchange.available(), BTS.decimals)
        except ValtracError:
            told[str(place)] = None
    with writing(custodian.engine) as conn:
        owed = domain.liabilities(contracts.obligations(conn), head.at)
        msg = {"balances": told, "liabilities": decimal_text(owed.gross, BTS.decimals), "block_num": head.number}
        audit_events.add(conn, "balances", msg)
        known = [value for value in told.values() if value is not None]
        everywhere = sum(parse_units(value, field="balance", decimals=BTS.decimals) for value in known)
        wallet = parse_units(known[0], field="balance", decimals=BTS.decimals)
        for words in domain.warnings(owed, wallet, everywhere if len(known) == len(told) else None):
            audit_events.add(conn, "alert", {"warn": words, "block_num": head.number})
    return True


# -- inside ---------------------------------------------------------------------------------------------------


def _is_time(custodian: Custodian, kind: str, every_ms: int) -> bool:
    with reading(custodian.engine) as conn:
        last = audit_events.last(conn, kind)
    return last is None or domain.milliseconds(datetime.now(UTC)) - last.now >= every_ms


def _in_doubt(custodian: Custodian) -> bool:
    with reading(custodian.engine) as conn:
        return _doubt(conn) is not None


def _compared(custodian: Custodian, *, farthest: int, enough: bool = False) -> BalanceCheck:
    """The balance at the block that was read last, beside the one that was reckoned with before. farthest, enough: as
    below."""
    with reading(custodian.engine) as conn:
        cursor = transfers.cursor(conn)
        if cursor is None:
            raise _not_now("the listener has never run")
        wanted = _must_hold(conn, cursor.block)
    holds = _held_at(custodian, cursor.block, farthest, None if wanted is None else wanted[1], enough=enough)
    if wanted is None:
        return BalanceCheck(cursor.block, holds, 0, None)
    since, unexplained = wanted[0], holds - wanted[1]
    with reading(custodian.engine) as conn:
        sure = not unexplained or _lasts(conn, cursor.block, unexplained)
    return BalanceCheck(cursor.block, holds, unexplained, since, sure)


def _write_down(custodian: Custodian, seen: BalanceCheck) -> None:
    with writing(custodian.engine) as conn:
        if not seen.sure:
            if _doubt(conn, seen.unexplained) is None:
                audit_events.add(conn, DOUBT, {"block_num": seen.block, "units": seen.unexplained})
            return
        audit_events.add(conn, RECKONED, {"block_num": seen.block, "holds": decimal_text(seen.holds, BTS.decimals)})
        if seen.unexplained:
            audit_events.add(conn, "alert", {"warn": seen.words, "block_num": seen.block})


def _must_hold(conn: sa.Connection, block: int) -> tuple[int, int] | None:
    """(the block of the last reckoning, satoshi that must be there at a block by that and by what was read since); None
    where nothing was reckoned yet."""
    before = audit_events.last(conn, RECKONED)
    if before is None:
        return None
    since = int(before.msg["block_num"])
    if block < since:
        raise _not_now("the listener reads old blocks anew")
    held = parse_units(before.msg["holds"], field="balance", decimals=BTS.decimals)
    return since, held + sum(_net_read(transfer) for transfer in transfers.between(conn, since + 1, block))


def _lasts(conn: sa.Connection, block: int, unexplained: int) -> bool:
    """Whether what does not fit is no passing thing: the same amount for a day, or for a day too much at each look, or
    too little, as where money goes on moving."""
    same = _doubt(conn, unexplained)
    if same is not None and block - int(same.msg["block_num"]) >= LASTS:
        return True
    run = list(takewhile(lambda doubt: (int(doubt.msg["units"]) > 0) == (unexplained > 0), _doubts(conn)))
    return len(run) >= OFTEN and block - int(run[-1].msg["block_num"]) >= LASTS


def _doubts(conn: sa.Connection) -> list[Event]:
    """What did not fit since all did, the newest first."""
    before = audit_events.last(conn, RECKONED)
    doubts = audit_events.search(conn, kind=DOUBT, limit=MOST_DOUBTS)
    return [doubt for doubt in doubts if before is None or doubt.id > before.id]


def _doubt(conn: sa.Connection, units: int | None = None) -> Event | None:
    """The newest thing that did not fit, or the oldest of just so many satoshi; None where all has fitted since."""
    doubts = _doubts(conn)
    if units is None:
        return doubts[0] if doubts else None
    return next((doubt for doubt in reversed(doubts) if doubt.msg["units"] == units), None)


def _held_at(custodian: Custodian, block: int, farthest: int, wanted: int | None, *, enough: bool = False) -> int:
    """Satoshi at a block that was read: the node's balance of now less what moved since, read until two agree.
    farthest: how many blocks may have been made since. wanted: what must be there, which counts as one of the two.
    enough: whether more than that will do: anybody can have a little wait in the pool at each look."""
    last = wanted
    for _ in range(LOOKS):
        newest, units = custodian.chain.holding(custodian.account.id)
        if newest - block > farthest:
            raise _not_now(f"the listener is {newest - block:,} blocks behind")
        after = custodian.chain.transfers(block + 1, newest, custodian.account.id)
        rest = units - sum(_net(custodian, transfer) for view in after for transfer in view.transfers)
        if rest == last or (enough and wanted is not None and rest >= wanted):
            return rest
        last = rest
        custodian.sleep(custodian.pace_s)
    raise _not_now("it changes from moment to moment")


def _not_now(why: str) -> ChainUnreachable:
    return ChainUnreachable("the balance cannot be compared now", why=why, fix="try again a little later")


def _net(custodian: Custodian, transfer: Transfer) -> int:
    """What a transfer does to the balance, in satoshi."""
    units = transfer.units if transfer.asset_id == CORE_ASSET else 0
    own = custodian.account.id
    return (units if transfer.receiver == own else 0) - (units + transfer.fee_units if transfer.sender == own else 0)


def _net_read(transfer: RecordedTransfer) -> int:
    """The same of a transfer as it was written down."""
    units = transfer.units if transfer.asset_id == CORE_ASSET else 0
    return units if transfer.direction == "in" else -units - transfer.fee


def _beside_the_chain(conn: sa.Connection) -> list[str]:
    """What the ledger calls paid and what left the account, transaction by transaction, as far as was read."""
    cursor, base = transfers.cursor(conn), transfers.cursor(conn, transfers.BASELINE)
    if cursor is None or base is None:
        return []
    booked, seen = Counter[tuple[str, str, int]](), Counter[tuple[str, str, int]]()
    for due in contracts.in_states(conn, DueState.CONFIRMED):
        if due.block is not None and base.block < due.block <= cursor.block:
            booked[due.tx_id, due.account, due.units] += 1
    for transfer in transfers.listed(conn, TransferState.HANDLED):
        ours = transfer.direction == "out" and transfer.kind in ("ours", "adopted") and transfer.asset_id == CORE_ASSET
        if ours and transfer.block > base.block:
            seen[transfer.tx_id, transfer.account, transfer.units] += 1
    said = [
        f"the ledger has a payment of {bts(units)} to {account} in transaction {tx} that the chain has not"
        for tx, account, units in booked - seen
    ]
    waiting = {(due.account, due.units) for due in contracts.in_states(conn, DueState.PROCESSING, DueState.HANDED_OVER)}
    return said + [
        f"transaction {tx} paid {bts(units)} to {account}, and no payment is booked for it"
        for tx, account, units in seen - booked
        if (account, units) not in waiting  # read by the listener before the payer has booked it
    ]
