"""Looking at blocks one by one: who won, what it brought, whose it is. What the chain drops later is booked out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from valtrac.core.chain import Head
from valtrac.core.errors import ChainUnreachable
from valtrac.core.staking import NodeState, StakedBlock
from valtrac.core.text import plain
from valtrac.database.engine import reading, writing
from valtrac.pool import weighing
from valtrac.pool.model import coinstakes
from valtrac.pool.model.coinstakes import Reward, Won
from valtrac.pool.model.schedule import believed
from valtrac.pool.model.shares import Shared, shared
from valtrac.pool.model.states import Booking
from valtrac.pool.pool import Pool
from valtrac.pool.store import blocks, book
from valtrac.pool.store.blocks import Looked, Share
from valtrac.pool.store.book import POOL, Entry

MOST = 100  # blocks in one go: then the owner hears how far it is
MOST_UNDONE = 1_000  # blocks: so far back no chain is rewritten


@dataclass(frozen=True, slots=True)
class Progress:
    """What one look did. block: the last one that was looked at; behind: how many are left to be made up."""

    block: int
    looked_at: int
    behind: int
    rewards: tuple[int, ...] = ()
    undone: tuple[int, ...] = ()


def look(pool: Pool, state: NodeState, *, most: int = MOST) -> Progress:
    """Look at every block that is deep enough and was not looked at, in order, each once.

    Raises ChainUnreachable where a node does not tell, or tells what cannot be; what was stored before stays.
    """
    start = _begun(pool, state)
    undone = unwind(pool, state)
    with reading(pool.engine) as conn:
        newest = blocks.newest(conn)
    before = newest.head.number if newest else start
    last = state.tip.number - pool.settings.pool_confirmations
    rewards, first, now = list[int](), before + 1, pool.now()
    upto = min(last, before + most)
    if upto > first:
        pool.chain.read_ahead(first, upto)
    pool.roster.read(pool.chain, max(0, upto - 1), pool.witnesses)
    for height in range(first, upto + 1):
        if _look_at(pool, height, state, newest, now) == Won.DELEGATED:
            rewards.append(height)
        with reading(pool.engine) as conn:
            newest = blocks.newest(conn)
        before = height
    return Progress(before, before - first + 1, max(0, last - before), tuple(rewards), tuple(undone))


def _begun(pool: Pool, state: NodeState) -> int:
    """The block after which rewards are counted: now, where nobody has said anything else."""
    with writing(pool.engine) as conn:
        begun = blocks.beginning(conn)
        if begun is None:
            if state.catching_up:
                raise ChainUnreachable(
                    f"the node is at block {state.tip.number}, and has not caught up with the others",
                    why="rewards of long ago would be shared once more",
                    fix="wait until it has: rewards are counted from then on",
                )
            after = max(0, state.tip.number - pool.settings.pool_confirmations)
            blocks.begin(conn, pool.staker, after, "the first look", believed(pool.now(), state.tip.at))
            return after
        return begun[1]


def unwind(pool: Pool, state: NodeState) -> list[int]:
    """Book out the newest blocks for as long as the chain has others in their place; their heights.

    Raises ChainUnreachable where the node has not got as far as what is stored, or a second one does not agree.
    """
    undone: list[int] = []
    while True:
        with reading(pool.engine) as conn:
            newest = blocks.newest(conn)
        if newest is None:
            return undone
        if newest.head.number > state.tip.number:
            raise ChainUnreachable(
                f"the node is at block {state.tip.number}, and block {newest.head.number} was looked at before",
                why="it reads its blocks anew, or stands on another branch",
                fix="wait until it has caught up",
            )
        there = pool.chain.head(newest.head.number)
        if there.hash == newest.head.hash:
            return undone
        if not undone:
            _is_this_chain(pool, newest)
        for witness in pool.witnesses:
            if witness.head(newest.head.number).hash != there.hash:
                raise ChainUnreachable(
                    f"the nodes have different blocks {newest.head.number}",
                    why="one of them stands on another branch, or lies",
                    fix="nothing is credited or taken back until they agree",
                )
        _undo(pool, newest)
        undone.append(newest.head.number)


def _is_this_chain(pool: Pool, newest: Looked) -> None:
    """Raise ChainUnreachable where a node has another history further back than any real chain is rewritten: it is a
    chain begun anew, or a node that lies, and nothing is taken back for it."""
    with reading(pool.engine) as conn:
        deep = blocks.at_height(conn, newest.head.number - MOST_UNDONE)
    if deep is not None and pool.chain.head(deep.head.number).hash != deep.head.hash:
        raise ChainUnreachable(
            f"the node has another history for more than {MOST_UNDONE:,} blocks",
            why=f"block {deep.head.number} is another one there",
            fix="ask another node; nothing is taken back",
        )


def _undo(pool: Pool, block: Looked) -> None:
    """Mark a block as undone, and take back what it brought, in one transaction."""
    with writing(pool.engine) as conn:
        if not blocks.undo(conn, block.id, pool.now()):
            return
        booked = book.of_block(conn, block.id)
        words = f"block {block.head.number} is another one now"
        book.add(
            conn, [Entry(entry.delegate, Booking.UNDONE, -entry.units, words) for entry in booked], block_id=block.id
        )


def _look_at(pool: Pool, height: int, state: NodeState, before: Looked | None, now: datetime) -> Won:
    """Look at one block and store it with what it brings."""
    staked = pool.chain.staked(height)
    if before is not None and staked.head.parent_hash != before.head.hash:
        raise ChainUnreachable(
            f"block {height} does not follow from block {before.head.number}",
            why="the chain has changed at this moment",
            fix="it is looked at again",
        )
    for witness in pool.witnesses:
        if witness.head(height).hash != staked.head.hash:
            raise ChainUnreachable(
                f"the nodes have different blocks {height}", fix="nothing is credited until they agree"
            )
    reward, words = _reward(pool, staked)
    ours = reward.won == Won.DELEGATED
    weighed = weighing.weighed(pool, staked.head) if ours else ()
    parts = shared(reward.staker if ours else 0, {each.delegate: each.weight for each in weighed})
    looked = _looked(pool, staked, (reward, words), state, now)
    with writing(pool.engine) as conn:
        owed = sum(book.balances(conn).values()) + sum(parts.each.values())
        newest = blocks.newest(conn)
        if (newest.head.hash if newest else None) != (before.head.hash if before else None):
            return Won.OTHERS  # another process was faster
        block_id = blocks.add(conn, replace(looked, node={**looked.node, "pool_balance": owed}))
        if reward.won == Won.OWN:
            book.add(conn, [Entry(POOL, Booking.OWN, reward.staker)], block_id=block_id)
        elif ours:
            _share(conn, pool, block_id, reward.staker, weighed, parts)
    return reward.won


def _reward(pool: Pool, staked: StakedBlock) -> tuple[Reward, str]:
    """What a block brought to whom; words where it is not what it should be, and credited to nobody."""
    nothing = Reward(Won.OTHERS, 0)
    if staked.coinstake is None:
        return nothing, ""
    try:
        reward = coinstakes.reward(staked.coinstake, pool.staker)
    except coinstakes.NoCoinstake as error:
        return nothing, f"no reward can be read from it: {error}"
    if reward.won != Won.OTHERS and staked.signer != pool.staker:
        raise ChainUnreachable(
            f"the node calls block {staked.head.number} ours, and another key has signed it",
            why=f"{plain(staked.signer or 'nobody', 40)} has: only the super staker's own key makes its blocks",
            fix="ask another node",
        )
    if reward.won != Won.OTHERS and staked.delegated and not staked.winner:  # it would pass for one of our own coins
        raise ChainUnreachable(
            f"the coin that won block {staked.head.number} is not told",
            why="the node has no index of transactions",
            fix="start it with -txindex once, which needs -reindex",
        )
    return reward, ""


def _share(
    conn: sa.Connection, pool: Pool, block_id: int, reward: int, weighed: Sequence[weighing.Weighed], parts: Shared
) -> None:
    """Book the parts of a reward, and store by which coins; what nobody has a weight for is the pool's."""
    rows = [
        Share(each.delegate, each.fee, each.weight, parts.each.get(each.delegate, 0), each.coins) for each in weighed
    ]
    terms = pool.settings.pool_terms
    values = {
        "reward": reward,
        "remainder": parts.remainder,
        "weight": sum(each.weight for each in weighed),
        "least_coin": terms.least,
        "maturity": terms.maturity,
        "rule": terms.rule,
        "required_fee": pool.settings.pool_required_fee,
        "nodes": 1 + len(pool.witnesses),
    }
    blocks.add_reward(conn, block_id, values, rows)
    left = Booking.REMAINDER if parts.each else Booking.UNSHARED
    entries = [Entry(delegate, Booking.SHARE, units) for delegate, units in parts.each.items()]
    book.add(conn, [*entries, Entry(POOL, left, parts.remainder)], block_id=block_id)


def _looked(pool: Pool, staked: StakedBlock, brought: tuple[Reward, str], state: NodeState, now: datetime) -> Looked:
    reward, words = brought
    first = staked.coinstake.outputs[0] if staked.coinstake and staked.coinstake.outputs else None
    return Looked(
        head=staked.head,
        won=reward.won,
        staker=first.address if first else "",
        delegate=staked.winner if staked.delegated else "",
        kernel=staked.kernel,
        staker_reward=reward.staker,
        delegate_reward=reward.delegate,
        percent=reward.percent,
        words=words,
        node=_shown(pool, staked.head, state),
        late_s=max(0, int((now - staked.head.at).total_seconds())),
        seen_at=now,
    )


def _shown(pool: Pool, head: Head, state: NodeState) -> Mapping[str, Any]:
    """How the node does, as the log of the day shows it beside a block."""
    delegations = weighing.delegates_of(pool, head.number)
    return {
        "balance": state.balance,
        "stake": state.stake,
        "weight": state.weight,
        "net_weight": state.net_weight,
        "delegated_weight": state.delegated_weight,
        "delegations": len(delegations),
        "connections": state.connections,
        "staking": state.staking,
        "expected_s": state.expected_s,
    }
