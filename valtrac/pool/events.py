"""What a pool has to tell: rewards, what was undone, paydays, and states that last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from valtrac.core.events import PUBLIC, Event, EventKind, Severity, Status
from valtrac.core.money import qtum
from valtrac.core.text import plain
from valtrac.database.engine import reading
from valtrac.pool import watch
from valtrac.pool.model.coinstakes import Won
from valtrac.pool.model.day_log import coins
from valtrac.pool.model.states import BlockState
from valtrac.pool.store import blocks, book, paydays
from valtrac.pool.store.blocks import Looked

WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL
A_QUARTER, AN_HOUR, A_DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
REWARD, OWN, UNSHARED, UNDONE, PAYDAY = FACTS = (
    EventKind("pool.reward", "Block reward"),
    EventKind("pool.own-block", "Block of the pool's own coins"),
    EventKind("pool.unshared", "A reward that nobody had a weight for", WARNING),
    EventKind("pool.undone", "A reward was undone", WARNING),
    EventKind("pool.payday", "Payday"),
)
STATES = {
    watch.DOWN: EventKind("pool.down", "qtumd does not answer", CRITICAL, "qtumd answers again"),
    watch.NOT_STAKING: EventKind("pool.not-staking", "Not staking", CRITICAL, "Staking again"),
    watch.LOCKED: EventKind("pool.locked", "The wallet is locked", CRITICAL, "The wallet is open for staking"),
    watch.FEW: EventKind("pool.connections", "Few connections", WARNING, "Enough connections", A_QUARTER),
    watch.STALE: EventKind("pool.stale", "No new block", WARNING, "Blocks come again", A_QUARTER),
    watch.NO_COIN: EventKind("pool.no-coin", "No coin to stake with", WARNING, "There is a coin to stake with", A_DAY),
    watch.CHANGED: EventKind(
        "pool.changed", "Node and settings differ on what they ask of delegates", WARNING, "As the settings say", A_DAY
    ),
    watch.WAITS: EventKind("pool.waits", "A payday waits", WARNING, "The payday is paid", AN_HOUR),
}
KINDS = (*FACTS, *STATES.values())
FIXES = {
    watch.DOWN: "start qtumd; it is asked again by itself",
    watch.NOT_STAKING: "run.py pool check",
    watch.LOCKED: "run.py pool unlock",
    watch.NO_COIN: "send the super staker coins of 100 QTUM and more",
    watch.CHANGED: "run.py pool check",
    watch.WAITS: "run.py pool payouts",
}


@dataclass(frozen=True, slots=True)
class PoolEvents:
    """The events of one pool in its database."""

    engine: sa.Engine

    name = "pool"
    kinds = KINDS

    def facts(self, since: datetime) -> Iterable[Event]:
        """Blocks that were won or undone, and paydays that were kept."""
        with reading(self.engine) as conn:
            won = blocks.won_since(conn, since)
            balance = sum(book.balances(conn).values())
            kept = [payday for payday in paydays.listed(conn, most=50) if payday["at"] >= since]
            shared = {block.id: reward for block in won if (reward := blocks.reward_of(conn, block.id))}
        for block in won:
            yield from self._won(block, balance, unshared=_unshared(shared.get(block.id)))
        for payday in kept:
            words = (
                f"{payday['delegates_paid']} delegates get {qtum(payday['paid'])}; "
                f"{payday['delegates_carried']} are carried over."
            )
            revenue = f"revenue {coins(payday['revenue'], 2)}"
            key, short = f"{PAYDAY.name}:{payday['id']}", f"{payday['delegates_paid']}get {coins(payday['paid'], 2)}"
            yield Event(
                key, PAYDAY.name, payday["at"], f"{words} {revenue} QTUM.", f"{short} {revenue}", "run.py pool payouts"
            )
            yield Event(f"{key}:public", PAYDAY.name, payday["at"], words, short, audience=PUBLIC)

    def _won(self, block: Looked, balance: int, *, unshared: bool) -> Iterable[Event]:
        height, reward = block.head.number, qtum(block.staker_reward)
        kind = OWN if block.won == Won.OWN else UNSHARED if unshared else REWARD
        stake = coins(block.node["stake"], 1)
        figures = (("block", str(height)), ("pool balance", str(qtum(balance))))
        words = f"Block {height} brought {reward}."
        if kind is REWARD:
            words = f"Block {height} brought {reward}, won by the coins of {plain(block.delegate, 40)}."
        short = f"blk {height} stk {stake} rwd {coins(block.staker_reward, 3)}"
        fix = f"run.py pool explain {height}" if kind is not OWN else "run.py pool rewards"
        key = f"{kind.name}:{block.id}"
        yield Event(key, kind.name, block.seen_at, words, short, fix, (reward,), figures=figures)
        if block.state == BlockState.UNDONE and block.undone_at is not None:
            words = f"Block {height} is another one now: {reward} were booked out again."
            yield Event(
                f"{UNDONE.name}:{block.id}", UNDONE.name, block.undone_at, words, f"undone blk {height}", fix, (reward,)
            )

    def states(self, now: datetime) -> Iterable[Event]:
        """The states that last."""
        with reading(self.engine) as conn:
            lasting = paydays.lasting(conn)
        for each in lasting:
            if each["kind"] in STATES:
                kind, words = STATES[each["kind"]], plain(each["words"], 300)
                yield Event(
                    kind.name, kind.name, each["began_at"], f"{words}.", words[:100], FIXES.get(each["kind"], "")
                )

    def status(self, now: datetime) -> Status | None:
        """The figures that the pool payout manager sent every hour."""
        with reading(self.engine) as conn:
            newest, owed = blocks.newest(conn), sum(book.balances(conn).values())
        if newest is None:
            return None
        node = newest.node
        stakes = "yes" if node["staking"] else "NOT"
        short = (
            f"stk {coins(node['stake'], 1)} bal {coins(node['balance'], 1)} blk {newest.head.number} "
            f"mwt {coins(node['weight'], 0)} dwt {coins(node['delegated_weight'], 0)} stking {stakes}"
        )
        words = f"block {newest.head.number}, staking {stakes}, {qtum(owed)} owed to delegates"
        return Status(words, short)


def _unshared(reward: dict[str, object] | None) -> bool:
    return reward is not None and reward["weight"] == 0
