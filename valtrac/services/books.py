"""Whether the books are whole: receipts, accounts, payments beside the chain's, and every satoshi that came or went.

A block shows transfers that somebody signed. What an executed proposal, a trade or another operation moves is not among
them, but it is in the balance: what the account holds is compared with what it held before and what was read since.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime

import sqlalchemy as sa

from valtrac.domain import contracts as domain
from valtrac.domain.chain import Head, Transfer
from valtrac.domain.money import BTS, bts, decimal_text, parse_units
from valtrac.errors import ChainUnreachable, ValtracError
from valtrac.services import balances, proofs
from valtrac.services.house import CORE_ASSET, House
from valtrac.store import contracts, events, operations
from valtrac.store.engine import reading, writing
from valtrac.store.events import Event
from valtrac.store.operations import Operation

BALANCES_EVERY_MS = 7_195_000  # a little under two hours, as before
LOOKS = 6  # how often a balance is read until two readings agree: a transfer that waits in the pool is in it already
FARTHEST = 60  # blocks between the last one that was read and the newest: what is not irreversible yet, and a little
LASTS = 100  # blocks: what is still the same after five minutes does not wait in a pool
OFTEN = 2  # looks before this one
RECKONED, DOUBT = "reckoned", "not_explained"


@dataclass(frozen=True, slots=True)
class Reckoning:
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
        what = "came that no transfer brought" if self.unexplained > 0 else "are gone that no transfer took"
        return (
            f"{bts(abs(self.unexplained))} {what} (blocks {self.since} to {self.block}): "
            "an executed proposal, a trade, or blocks that were passed over"
        )


@dataclass(frozen=True, slots=True)
class Books:
    """The state of all books. broken: the first receipt that does not follow; odd: in words, what does not fit.
    reckoning: None where the balance could not be compared now, and why not."""

    receipts: int
    broken: str | None
    odd: tuple[str, ...]
    reckoning: Reckoning | None
    why_not: str = ""

    @property
    def whole(self) -> bool:
        """Whether nothing is wrong, as far as it was looked at."""
        return (
            self.broken is None
            and not self.odd
            and not (self.reckoning and self.reckoning.unexplained and self.reckoning.sure)
        )


def check(house: House) -> Books:
    """Go through all books: the ledger alone, the ledger beside what was read of the chain, and the balance."""
    receipts, broken = proofs.audit(house.engine)
    odd = [f"the account of {one.name} does not add up" for one in balances.unbalanced(house.engine)]
    with reading(house.engine) as conn:
        odd += _beside_the_chain(conn)
    try:
        return Books(receipts, broken, tuple(odd), reckon(house))
    except ValtracError as error:
        return Books(receipts, broken, tuple(odd), None, f"{error.what}{': ' + error.why if error.why else ''}")


def reckon(house: House) -> Reckoning:
    """Compare the balance with the last one that was reckoned with, and write the new one down.

    What does not fit is a doubt at first, and told of when it is still the same some minutes later.
    Raises ChainUnreachable where no balance can be told: the node is away, the listener is behind, or the account has
    no moment of rest.
    """
    with reading(house.engine) as conn:
        at = operations.cursor(conn)
    if at is None:
        raise _not_now("the listener has never run")
    holds = _held_at(house, at.block)
    with writing(house.engine) as conn:
        found = _against_the_last(conn, at.block, holds)
        if not found.sure:
            if _doubt(conn, found.unexplained) is None:
                events.add(conn, DOUBT, {"block_num": at.block, "units": found.unexplained})
            return found
        events.add(conn, RECKONED, {"block_num": at.block, "holds": decimal_text(holds, BTS.decimals)})
        if found.unexplained:
            events.add(conn, "alert", {"warn": found.words, "block_num": at.block})
    return found


def look(house: House, head: Head) -> str:
    """What a job does every two hours: note the balances and reckon. Returns what the owner must hear, or ""."""
    note_balances(house, head)
    with reading(house.engine) as conn:
        doubt = _doubt(conn)
    if doubt is None and not _is_time(house, RECKONED, BALANCES_EVERY_MS):
        return ""
    if doubt is not None and head.number - int(doubt.msg["block_num"]) < LASTS:
        return ""
    try:
        found = reckon(house)
        return found.words if found.sure else ""
    except ChainUnreachable:
        return ""  # not a moment for it: at the next tick


def note_balances(house: House, head: Head, *, every_ms: int = BALANCES_EVERY_MS) -> bool:
    """Every two hours write every balance into the trail; an exchange that does not tell is noted as unknown."""
    if not _is_time(house, "balances", every_ms):
        return False
    told: dict[str, str | None] = {"0": decimal_text(house.chain.account(house.custodian.id, head).free_units, 5)}
    for place, exchange in enumerate(house.exchanges, 1):
        try:
            told[str(place)] = decimal_text(exchange.available(), BTS.decimals)
        except ValtracError:
            told[str(place)] = None
    with writing(house.engine) as conn:
        owed = domain.liabilities(contracts.obligations(conn), head.at)
        msg = {"balances": told, "liabilities": decimal_text(owed.gross, BTS.decimals), "block_num": head.number}
        events.add(conn, "balances", msg)
        known = [value for value in told.values() if value is not None]
        everywhere = sum(parse_units(value, field="balance", decimals=BTS.decimals) for value in known)
        wallet = parse_units(known[0], field="balance", decimals=BTS.decimals)
        for words in domain.warnings(owed, wallet, everywhere if len(known) == len(told) else None):
            events.add(conn, "alert", {"warn": words, "block_num": head.number})
    return True


# -- inside ---------------------------------------------------------------------------------------------------


def _is_time(house: House, kind: str, every_ms: int) -> bool:
    with reading(house.engine) as conn:
        last = events.last(conn, kind)
    return last is None or domain.milliseconds(datetime.now(UTC)) - last.now >= every_ms


def _against_the_last(conn: sa.Connection, block: int, holds: int) -> Reckoning:
    before = events.last(conn, RECKONED)
    if before is None:
        return Reckoning(block, holds, 0, None)
    since = int(before.msg["block_num"])
    if block < since:
        raise _not_now("the listener reads old blocks anew")
    held = parse_units(before.msg["holds"], field="balance", decimals=BTS.decimals)
    unexplained = holds - held - sum(_net_read(one) for one in operations.between(conn, since + 1, block))
    return Reckoning(block, holds, unexplained, since, not unexplained or _lasts(conn, block, unexplained))


def _lasts(conn: sa.Connection, block: int, unexplained: int) -> bool:
    """Whether what does not fit is no passing thing: the same for a while, or the third look in a row at which too much
    is there, or too little, as where money goes on moving."""
    same = _doubt(conn, unexplained)
    if same is not None and block - int(same.msg["block_num"]) >= LASTS:
        return True
    before = _doubts(conn)[:OFTEN]
    alike = all((int(one.msg["units"]) > 0) == (unexplained > 0) for one in before)
    return alike and len(before) == OFTEN and block - int(before[-1].msg["block_num"]) >= LASTS


def _doubts(conn: sa.Connection) -> list[Event]:
    """What did not fit since all did, the newest first."""
    before = events.last(conn, RECKONED)
    return [one for one in events.search(conn, kind=DOUBT, limit=50) if before is None or one.id > before.id]


def _doubt(conn: sa.Connection, units: int | None = None) -> Event | None:
    """The newest thing that did not fit, or the oldest of just so many satoshi; None where all has fitted since."""
    found = _doubts(conn)
    if units is None:
        return found[0] if found else None
    return next((one for one in reversed(found) if one.msg["units"] == units), None)


def _held_at(house: House, block: int) -> int:
    """Satoshi at a block that was read: the node's balance of now less what moved since, read until two agree."""
    last: int | None = None
    for _ in range(LOOKS):
        newest, units = house.chain.holding(house.custodian.id)
        if newest - block > FARTHEST:
            raise _not_now(f"the listener is {newest - block:,} blocks behind")
        after = house.chain.transfers(block + 1, newest, house.custodian.id)
        found = units - sum(_net(house, one) for view in after for one in view.transfers)
        if found == last:
            return found
        last = found
        house.sleep(house.pace_s)
    raise _not_now("it changes from moment to moment")


def _not_now(why: str) -> ChainUnreachable:
    return ChainUnreachable("the balance cannot be compared now", why, "try again a little later")


def _net(house: House, one: Transfer) -> int:
    """What a transfer does to the balance, in satoshi."""
    units = one.units if one.asset_id == CORE_ASSET else 0
    own = house.custodian.id
    return (units if one.receiver == own else 0) - (units + one.fee_units if one.sender == own else 0)


def _net_read(one: Operation) -> int:
    """The same of a transfer as it was written down."""
    units = one.units if one.asset_id == CORE_ASSET else 0
    return units if one.direction == "in" else -units - one.fee


def _beside_the_chain(conn: sa.Connection) -> list[str]:
    """What the books call paid and what left the account, transaction by transaction, as far as was read."""
    at, base = operations.cursor(conn), operations.cursor(conn, operations.BASELINE)
    if at is None or base is None:
        return []
    booked, seen = Counter[tuple[str, str, int]](), Counter[tuple[str, str, int]]()
    for due in contracts.in_states(conn, "confirmed"):
        if due.block is not None and base.block < due.block <= at.block:
            booked[due.tx_id, due.account, due.units] += 1
    for one in operations.listed(conn, "handled"):
        ours = one.direction == "out" and one.kind in ("ours", "adopted") and one.asset_id == CORE_ASSET
        if ours and one.block > base.block:
            seen[one.tx_id, one.account, one.units] += 1
    said = [f"the books have a payment of {bts(units)} to {account} in transaction {tx} that the chain has not"
            for tx, account, units in booked - seen]  # fmt: skip
    waiting = {(due.account, due.units) for due in contracts.in_states(conn, "processing", "paid")}
    return said + [
        f"transaction {tx} paid {bts(units)} to {account}, and no payment is booked for it"
        for tx, account, units in seen - booked
        if (account, units) not in waiting  # read by the listener before the payer has booked it
    ]
