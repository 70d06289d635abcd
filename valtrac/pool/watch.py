"""How node and wallet do: states that last are noted when they begin and when they are over."""

from __future__ import annotations

from datetime import datetime, timedelta

import sqlalchemy as sa

from valtrac.core.errors import ValtracError
from valtrac.core.money import decimal_text
from valtrac.core.staking import NodePolicy, NodeState
from valtrac.core.text import plain
from valtrac.database.engine import writing
from valtrac.pool.pool import Pool
from valtrac.pool.store import paydays

DOWN, NOT_STAKING, LOCKED, FEW, STALE = "node down", "not staking", "wallet locked", "few connections", "stale chain"
NO_COIN, CHANGED, WAITS = "no stakable coin", "super staker changed", "payday waits"
KINDS = (DOWN, NOT_STAKING, LOCKED, FEW, STALE, NO_COIN, CHANGED, WAITS)
CONNECTING = timedelta(minutes=30)  # after a start a node is still looking for others


def node_is_away(engine: sa.Engine, error: Exception, at: datetime) -> bool:
    """Note that the node does not answer; whether that is news."""
    return note(engine, DOWN, plain(error, 300), at)


def watch(pool: Pool, state: NodeState, policy: NodePolicy | None, *, started_at: datetime) -> list[str]:
    """Compare how node and wallet do with how they should; words about what began or is over."""
    now, said = pool.now(), list[str]()
    wrong = {
        NOT_STAKING: "" if state.staking else plain(state.words, 200) or "the node does not stake",
        LOCKED: "the wallet is locked: nothing is staked" if state.locked else "",
        NO_COIN: "" if state.stakable else "no coin of 100 QTUM is at rest: the pool cannot win a block",
        STALE: _stale(pool, state, now),
        CHANGED: "" if policy is None else _changed(pool, policy),
        DOWN: "",
    }
    few = state.connections <= pool.settings.pool_few_connections
    if not few or now - started_at >= CONNECTING:
        wrong[FEW] = f"only {state.connections} connections" if few else ""
    for kind, words in wrong.items():
        if words and note(pool.engine, kind, words, now):
            said.append(f"{kind}: {words}")
        elif not words and over(pool.engine, kind, now):
            said.append(f"{kind}: over")
    return said


def note(engine: sa.Engine, kind: str, words: str, at: datetime) -> bool:
    """Note that a state has begun; False where it lasts already."""
    with writing(engine) as conn:
        return paydays.begin_episode(conn, kind, words, at)


def over(engine: sa.Engine, kind: str, at: datetime) -> bool:
    """Note that a state is over; False where it did not last."""
    with writing(engine) as conn:
        return paydays.end_episode(conn, kind, at)


def _stale(pool: Pool, state: NodeState, now: datetime) -> str:
    minutes = int((now - state.tip.at).total_seconds() // 60)
    return "" if minutes < pool.settings.pool_stale_minutes else f"no block for {minutes} minutes"


def _changed(pool: Pool, policy: NodePolicy) -> str:
    """What the node asks of delegates otherwise than the settings say."""
    settings, differing = pool.settings, list[str]()
    if policy.least_fee is not None and policy.least_fee != settings.pool_required_fee:
        differing.append(
            f"the node takes a fee from {policy.least_fee} % on, the settings {settings.pool_required_fee} %"
        )
    if policy.least_coin is not None and policy.least_coin != settings.pool_least_coin:
        ours, theirs = (decimal_text(units, 8) for units in (settings.pool_least_coin, policy.least_coin))
        differing.append(f"the node takes coins from {theirs} QTUM on, the settings {ours}")
    return "; ".join(differing)


def policy_of(pool: Pool) -> NodePolicy | None:
    """What the node asks of delegates; None where it does not tell now."""
    try:
        return pool.chain.policy(pool.staker)
    except ValtracError:
        return None
