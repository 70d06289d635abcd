"""The pool as its owner looks at it: now, delegates, rewards down to their coins, paydays. Reads, changes nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from valtrac.core.errors import BadInput
from valtrac.core.money import decimal_text
from valtrac.core.staking import NodePolicy, NodeState, OwnedCoin
from valtrac.core.text import plain
from valtrac.database.engine import reading
from valtrac.payments.model.batches import Attempt
from valtrac.payments.model.states import UNFINISHED, AttemptState
from valtrac.payments.store import attempts, batches, ledger
from valtrac.pool import payday, weighing
from valtrac.pool.model.coinstakes import Won
from valtrac.pool.model.delegates import counted
from valtrac.pool.model.paydays import net_of
from valtrac.pool.model.states import BlockState, Booking
from valtrac.pool.pool import Pool
from valtrac.pool.store import blocks, book, paydays
from valtrac.pool.store.blocks import Looked


@dataclass(frozen=True, slots=True)
class Now:
    """How the pool stands. looked_at: the last block that was; owed: satoshi of all delegates; revenue: the pool's own;
    next_payday: its moment; due_at: of one that has come and was not kept yet; last_paid: what of the last payday is
    in final blocks; lasting: states that hold, in words; latest: the newest blocks, the newest first."""

    staker: str
    node: NodeState | None
    looked_at: int | None
    begun_after: int | None
    owed: int
    delegates_owed: int
    revenue: int
    opening: int
    next_payday: datetime
    due_at: datetime | None
    last_payday: dict[str, Any] | None
    last_paid: int
    lasting: tuple[str, ...]
    latest: tuple[Looked, ...]


def now(pool: Pool, node: NodeState | None, *, most: int = 10) -> Now:
    """How the pool stands. node: None where it does not answer."""
    due_at = None if node is None else payday.moment(pool, node)
    with reading(pool.engine) as conn:
        newest, begun = blocks.newest(conn), blocks.beginning(conn)
        balances, last = book.balances(conn), paydays.last(conn)
        return Now(
            staker=pool.staker,
            node=node,
            looked_at=newest.head.number if newest else None,
            begun_after=begun[1] if begun else None,
            owed=sum(balances.values()),
            delegates_owed=len(balances),
            revenue=book.revenue(conn),
            opening=book.opening(conn),
            next_payday=pool.settings.pool_schedule.next(pool.now()),
            due_at=due_at,
            last_payday=last,
            last_paid=attempts.landed_units(conn, last["batch_id"] if last else None),
            lasting=tuple(f"{each['kind']}: {each['words']}" for each in paydays.lasting(conn)),
            latest=tuple(blocks.listed(conn, most=most)),
        )


@dataclass(frozen=True, slots=True)
class Delegate:
    """A delegate now. fee: None for one who delegates no more; weight: satoshi that may win the next block; counts:
    whether it has a part in rewards; owed: what is carried for it."""

    address: str
    fee: int | None
    since: int | None
    weight: int
    counts: bool
    owed: int


def delegates(pool: Pool) -> list[Delegate]:
    """Everybody who delegates, or is owed something; asks the node for coins. Nobody else stays in the list."""
    tip = pool.chain.tip()
    pool.roster.read(pool.chain, max(0, tip.number - pool.settings.pool_confirmations), pool.witnesses)
    delegations = pool.roster.at(pool.chain, tip.number)
    mine = {who: each for who, each in delegations.items() if each.staker == pool.staker}
    count = counted(
        {who: each.fee for who, each in mine.items() if each.proven},
        required=pool.settings.pool_required_fee,
        policy=pool.chain.policy(pool.staker),
    )
    weighed = {each.delegate: each.weight for each in weighing.weighed(pool, tip)}
    with reading(pool.engine) as conn:
        owed = book.balances(conn)
    listed = [
        Delegate(who, each.fee, each.since, weighed.get(who, 0), who in count, owed.get(who, 0))
        for who, each in mine.items()
    ]
    listed += [Delegate(who, None, None, 0, False, units) for who, units in owed.items() if who not in mine]
    return sorted(listed, key=lambda each: (-each.weight, -each.owed, each.address))


@dataclass(frozen=True, slots=True)
class ShareOf:
    """One delegate's part of a reward, down to the coins that it has it by."""

    delegate: str
    fee: int
    weight: int
    units: int
    coins: tuple[OwnedCoin, ...]


@dataclass(frozen=True, slots=True)
class Explained:
    """A reward and how it was shared. reward: as stored, with its block."""

    reward: dict[str, Any]
    shares: tuple[ShareOf, ...]


def explain(pool: Pool, height: int, *, delegate: str | None = None) -> Explained:
    """The reward of a block, down to the coins; of one delegate alone where it is named. Raises BadInput where that
    block brought none, or nothing to the delegate."""
    with reading(pool.engine) as conn:
        reward = blocks.reward_at(conn, height)
        if reward is None:
            raise _no_reward(conn, height)
        rows = [row for row in blocks.shares_of(conn, reward["id"]) if delegate in (None, row["delegate"])]
        shares = tuple(
            ShareOf(
                row["delegate"], row["fee"], row["weight"], row["units"], tuple(blocks.coins_of(conn, row["coin_set"]))
            )
            for row in rows
        )
    if not shares and delegate is not None:
        raise BadInput(f"{plain(delegate, 60)} had no part in block {height}", fix=f"see: run.py pool explain {height}")
    return Explained(reward, shares)


def rewards(pool: Pool, *, most: int) -> list[dict[str, Any]]:
    """The newest rewards, own blocks too, the newest first: height, at, won, delegate, reward, remainder, state."""
    with reading(pool.engine) as conn:
        shared = {reward["height"]: reward for reward in blocks.rewards(conn, most=most)}
        looked = blocks.listed(conn, most=most, won=(Won.DELEGATED, Won.OWN), undone=True)
    return [
        {
            "height": block.head.number,
            "at": block.head.at,
            "won": block.won,
            "delegate": block.delegate,
            "reward": block.staker_reward,
            "remainder": shared[block.head.number]["remainder"] if block.head.number in shared else 0,
            "undone": block.state == BlockState.UNDONE,
        }
        for block in looked
    ]


def _no_reward(conn: sa.Connection, height: int) -> BadInput:
    """Why there is nothing to explain about a block."""
    looked = blocks.at_height(conn, height)
    if looked is None:
        return BadInput(f"block {height} was not looked at", fix="see which were: run.py pool now")
    whose = "the pool's own coins won it" if looked.won == Won.OWN else "somebody else won it"
    return BadInput(f"block {height} brought the delegates nothing", why=whose, fix="see: run.py pool rewards")


@dataclass(frozen=True, slots=True)
class Booked:
    """A booking of a delegate. units: satoshi, below zero where they were taken off; block: of the reward it is of.

    Of a payday: its moment; fee: what of the units the pool kept, below zero where it added a bonus; net: what was to
    be paid; tx_id: the transaction that paid it, "" until that is final. None for all else.
    """

    at: datetime
    kind: str
    units: int
    block: int | None
    payday: datetime | None
    fee: int | None
    net: int | None
    tx_id: str | None
    words: str


def history(pool: Pool, delegate: str) -> list[Booked]:
    """What was booked for one delegate, in order. Raises BadInput where it was never credited, or is no address."""
    with reading(pool.engine) as conn:
        booked = book.of_delegate(conn, delegate)
        paid = ledger.transactions_of(conn, delegate) if booked else {}
    if not booked:
        wrong = "" if pool.chain.is_payable(delegate) else "that is no address of this network: a letter may be wrong"
        raise BadInput(f"{plain(delegate, 60)} was never credited here", why=wrong, fix="see: run.py pool delegates")
    return [_booked(row, paid) for row in booked]


def _booked(row: Mapping[str, Any], paid: Mapping[int, str]) -> Booked:
    common = row["at"], row["kind"], row["units"], row["height"], row["due_at"]
    if row["kind"] != Booking.PAYDAY:
        return Booked(*common, fee=None, net=None, tx_id=None, words=row["words"])
    net = net_of(-row["units"], row["fee_bps"])
    return Booked(*common, fee=-row["units"] - net, net=net, tx_id=paid.get(row["batch_id"], ""), words=row["words"])


@dataclass(frozen=True, slots=True)
class PaydayShown:
    """A payday with its transactions; fees: what the network took, None where it did not say."""

    payday: dict[str, Any]
    attempts: tuple[Attempt, ...]
    fees: int | None

    @property
    def paid(self) -> int:
        """What of it is in final blocks, in satoshi."""
        return sum(attempt.units for attempt in self.attempts if attempt.state == AttemptState.LANDED)

    @property
    def revenue(self) -> int:
        """What the pool has of it in the end, in satoshi: the network's fees are taken off."""
        return int(self.payday["revenue"]) - (self.fees or 0)


def payouts(pool: Pool, *, most: int = 100) -> list[PaydayShown]:
    """The newest paydays, the newest first."""
    with reading(pool.engine) as conn:
        return [
            PaydayShown(
                each,
                tuple(attempts.of_batch(conn, each["batch_id"])) if each["batch_id"] else (),
                attempts.fees_of_batch(conn, each["batch_id"]) if each["batch_id"] else 0,
            )
            for each in paydays.listed(conn, most=most)
        ]


@dataclass(frozen=True, slots=True)
class Check:
    """One thing that was looked at. good: None where it cannot be told; fix: what to do, "" where it is good."""

    name: str
    good: bool | None
    words: str
    fix: str = ""


def check(pool: Pool, state: NodeState, policy: NodePolicy) -> list[Check]:
    """Compare what the node does with what the settings say."""
    settings = pool.settings
    rows = [
        _compared("least coin (-stakingminutxovalue)", settings.pool_least_coin, policy.least_coin, "POOL_LEAST_COIN"),
        _compared_fee(settings.pool_required_fee, policy.least_fee),
        Check(
            "allow list", not policy.only, _listed(policy.only, "everybody is taken"), "who is not on it gets no part"
        ),
        Check(
            "exclude list", not policy.never, _listed(policy.never, "nobody is left out"), "who is on it gets no part"
        ),
    ]
    for flag in ("-addrindex", "-logevents", "-txindex"):
        lacking = policy.lacking.get(flag, "")
        fix = f"start qtumd with {flag} and once with -reindex" if lacking else ""
        rows.append(Check(f"index {flag}", not lacking, lacking or "is there", fix))
    rows += [
        Check("staking", state.staking, "yes" if state.staking else state.words or "no", "run.py pool unlock"),
        Check("wallet", not state.locked, "locked" if state.locked else "open for staking", "run.py pool unlock"),
        Check(
            "coins that can be put in",
            state.stakable > 0,
            f"{state.stakable} of at least 100 QTUM at rest",
            "send the super staker coins of 100 QTUM or more, and let them rest",
        ),
        Check(
            "connections",
            state.connections > settings.pool_few_connections,
            str(state.connections),
            "see that the node is reached from outside",
        ),
        Check(
            "second node",
            None if settings.rehearsing_pool else bool(pool.witnesses),
            "agrees" if pool.witnesses else "none: one node is trusted",
            "VALTRAC_QTUM_SECOND_NODE=http://...",
        ),
    ]
    return [row if not row.good else Check(row.name, row.good, row.words) for row in rows]


def _compared(name: str, ours: int, theirs: int | None, setting: str) -> Check:
    if theirs is None:
        return Check(name, None, f"ours is {decimal_text(ours, 8)} QTUM; the node does not tell", "compare its flags")
    fix = f"set VALTRAC_{setting}={decimal_text(theirs, 8)}, or the node's value"
    return Check(name, ours == theirs, f"ours {decimal_text(ours, 8)} QTUM, the node's {decimal_text(theirs, 8)}", fix)


def _compared_fee(ours: int, theirs: int | None) -> Check:
    name = "required fee (-stakingminfee)"
    if theirs is None:
        return Check(name, None, f"ours is {ours} %; the node does not tell", "compare its flags")
    return Check(
        name, ours == theirs, f"ours {ours} %, the node's {theirs} %", f"set VALTRAC_POOL_REQUIRED_FEE={theirs}"
    )


def _listed(addresses: Sequence[str] | frozenset[str], empty: str) -> str:
    return ", ".join(sorted(plain(address, 40) for address in addresses)) or empty


def unseen(pool: Pool, node: NodeState) -> int:
    """How many blocks are deep enough to count and were not looked at yet."""
    with reading(pool.engine) as conn:
        newest, begun = blocks.newest(conn), blocks.beginning(conn)
    last = newest.head.number if newest else begun[1] if begun else node.tip.number
    return max(0, node.tip.number - pool.settings.pool_confirmations - last)


def waits_to_be_sent(pool: Pool) -> bool:
    """Whether a payday was kept that is not paid whole, or a transaction is open."""
    with reading(pool.engine) as conn:
        return bool(batches.listed(conn, UNFINISHED) or attempts.unresolved(conn))
