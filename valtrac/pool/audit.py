"""Does everything add up? Rewards, shares, bookings, paydays and what the chain holds, compared with one another."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa

from valtrac.core.chain import Head
from valtrac.database.engine import reading
from valtrac.payments.store import attempts, ledger
from valtrac.payments.verify import Moved, Verified, verify
from valtrac.pool.model.coinstakes import Won
from valtrac.pool.model.paydays import net_of
from valtrac.pool.model.states import BlockState, Booking
from valtrac.pool.pool import Pool
from valtrac.pool.store import blocks, book, paydays
from valtrac.ports import Payer

FEW = 20  # problems that are named


@dataclass(frozen=True, slots=True)
class Audit:
    """What the book comes to, in satoshi, and what does not add up. rewards: of all blocks that hold, own ones too;
    paid: net, to delegates, by the paydays that were kept; landed: what of that is in final blocks; held: owed to
    them; revenue: the pool's, taken and not taken yet; opening: what was taken over from an older program; left_over:
    what of that belongs to nobody."""

    rewards: int
    paid: int
    held: int
    revenue: int
    opening: int
    left_over: int
    problems: tuple[str, ...]
    verified: Verified | None = None
    landed: int = 0

    @property
    def moved(self) -> tuple[Moved, ...]:
        """Payments that are paid, in another block than the one that was written down."""
        return self.verified.moved if self.verified else ()

    @property
    def unexplained(self) -> int:
        """Satoshi of rewards that are neither paid, nor held, nor the pool's."""
        return self.rewards + self.opening - self.left_over - self.paid - self.held - self.revenue


def audit(pool: Pool, *, payer: Payer | None = None, chain: bool = True) -> Audit:
    """Reckon everything anew from the rows. chain: also look each credited block, and each payment, up on the chain.

    payer: to hand a payment that is gone over again; None: it is only named. Raises ChainUnreachable.
    """
    problems: list[str] = []
    with reading(pool.engine) as conn:
        sums = book.sums(conn)
        problems += _balances(conn, sums)
        problems += _rewards(conn)
        problems += _paydays(conn)
        broken = ledger.broken_receipt(conn)
        if broken:
            problems.append(f"receipt {broken[:16]}... does not follow from the one before it")
        rewards = sum(block.staker_reward for block in blocks.listed(conn, most=10**9, won=(Won.DELEGATED, Won.OWN)))
        paid = sum(payday["paid"] for payday in paydays.listed(conn))
        landed = sum(attempts.landed_units(conn, payday["batch_id"]) for payday in paydays.listed(conn))
        taken = sum(payday["revenue"] for payday in paydays.listed(conn))
        held, left = sum(book.balances(conn).values()), book.revenue(conn)
        opening = sum(units for (_, kind), units in sums.items() if kind == Booking.OPENING)
        left_over = book.opening(conn)
        newest = [block.head for block in blocks.listed(conn, most=1_000, won=(Won.DELEGATED, Won.OWN))]
    verified = None
    if chain:
        problems += _blocks(pool, newest)
        verified = verify(pool.door(), payer.broadcast if payer else _hand_nothing_over)
        problems += [f"{gone.attempt.tx_id}: {gone.words}" for gone in verified.gone]
    return Audit(rewards, paid, held, left + taken, opening, left_over, tuple(problems[:FEW]), verified, landed)


def _hand_nothing_over(raw: bytes) -> None:
    """The payer is locked: what is gone is named."""


def _balances(conn: sa.Connection, sums: Mapping[tuple[str, Booking], int]) -> list[str]:
    """Each account's balance is the sum of its bookings."""
    counted: dict[str, int] = {}
    for (account, _), units in sums.items():
        counted[account] = counted.get(account, 0) + units
    stored = {**book.balances(conn), book.POOL: book.revenue(conn), book.OPENING: book.opening(conn)}
    return [
        f"{account}: {stored.get(account, 0)} satoshi are stored, its bookings come to {counted.get(account, 0)}"
        for account in {*counted, *stored}
        if counted.get(account, 0) != stored.get(account, 0)
    ]


def _rewards(conn: sa.Connection) -> list[str]:
    """Shares and remainder are the reward, and the book has just these."""
    problems: list[str] = []
    for reward in blocks.rewards(conn):
        shares = {row["delegate"]: row["units"] for row in blocks.shares_of(conn, reward["id"])}
        height = reward["height"]
        if sum(shares.values()) + reward["remainder"] != reward["reward"]:
            problems.append(f"block {height}: shares and remainder are not the reward")
        booked: dict[str, int] = {}
        for entry in book.of_block(conn, reward["block_id"]):
            booked[entry.delegate] = booked.get(entry.delegate, 0) + entry.units
        meant = {} if reward["state"] == BlockState.UNDONE else {**shares, book.POOL: reward["remainder"]}
        differing = [who for who in {*booked, *meant} if booked.get(who, 0) != meant.get(who, 0)]
        if differing:
            problems.append(f"block {height}: {len(differing)} accounts were booked otherwise than it was shared")
    return problems


def _paydays(conn: sa.Connection) -> list[str]:
    problems: list[str] = []
    for payday in paydays.listed(conn):
        taken = book.taken_by(conn, payday["id"])
        net = sum(net_of(gross, payday["fee_bps"]) for gross in taken.values())
        if net != payday["paid"]:
            problems.append(f"payday of {payday['due_at']:%Y-%m-%d}: {payday['paid']} paid, its bookings make {net}")
    return problems


def _blocks(pool: Pool, heads: list[Head]) -> list[str]:
    """Every credited block is still in the chain."""
    return [
        f"block {head.number} was credited, and the chain has another one there"
        for head in heads
        if pool.chain.head(head.number).hash != head.hash
    ]
