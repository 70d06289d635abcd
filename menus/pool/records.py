"""What the pool tells programs: plain values for `--json`. Amounts in satoshi."""

from __future__ import annotations

from typing import Any

from valtrac.core.staking import NodeState
from valtrac.pool.audit import Audit
from valtrac.pool.overview import Check, Delegate, Explained, Now, PaydayShown
from valtrac.pool.store.blocks import Looked


def now(standing: Now) -> dict[str, Any]:
    """How the pool stands."""
    last = standing.last_payday
    return {
        "staker": standing.staker,
        "node": None if standing.node is None else node(standing.node),
        "counted_from": None if standing.begun_after is None else standing.begun_after + 1,
        "looked_at": standing.looked_at,
        "owed_satoshi": standing.owed,
        "delegates_owed": standing.delegates_owed,
        "revenue_satoshi": standing.revenue,
        "left_over_satoshi": standing.opening,
        "next_payday": standing.next_payday.isoformat(),
        "last_payday": None if last is None else last["due_at"].isoformat(),
        "lasting": list(standing.lasting),
        "blocks": [block(each) for each in standing.latest],
    }


def node(state: NodeState) -> dict[str, Any]:
    """How the node does."""
    return {
        "height": state.tip.number,
        "hash": state.tip.hash,
        "at": state.tip.at.isoformat(),
        "balance_satoshi": state.balance,
        "stake_satoshi": state.stake,
        "weight_satoshi": state.weight,
        "delegated_weight_satoshi": state.delegated_weight,
        "net_weight_satoshi": state.net_weight,
        "connections": state.connections,
        "staking": state.staking,
        "locked": state.locked,
        "expected_s": state.expected_s,
        "stakable_coins": state.stakable,
    }


def block(looked: Looked) -> dict[str, Any]:
    """A block that was looked at."""
    return {
        "height": looked.head.number,
        "hash": looked.head.hash,
        "at": looked.head.at.isoformat(),
        "won": looked.won,
        "staker": looked.staker,
        "delegate": looked.delegate,
        "reward_satoshi": looked.staker_reward,
        "delegate_reward_satoshi": looked.delegate_reward,
        "percent": looked.percent,
        "kernel": looked.kernel,
        "state": looked.state,
        "words": looked.words,
    }


def delegate(each: Delegate) -> dict[str, Any]:
    """A delegate."""
    return {
        "delegate": each.address,
        "fee": each.fee,
        "since_block": each.since,
        "weight_satoshi": each.weight,
        "counts": each.counts,
        "owed_satoshi": each.owed,
    }


def explained(told: Explained) -> dict[str, Any]:
    """A reward down to the coins that it was shared by."""
    reward = told.reward
    return {
        "height": reward["height"],
        "hash": reward["hash"],
        "at": reward["block_at"].isoformat(),
        "state": reward["state"],
        "reward_satoshi": reward["reward"],
        "remainder_satoshi": reward["remainder"],
        "weight_satoshi": reward["weight"],
        "least_coin_satoshi": reward["least_coin"],
        "maturity": reward["maturity"],
        "rule": reward["rule"],
        "required_fee": reward["required_fee"],
        "winner": reward["delegate"],
        "shares": [
            {
                "delegate": share.delegate,
                "fee": share.fee,
                "weight_satoshi": share.weight,
                "share_satoshi": share.units,
                "coins": [
                    {"outpoint": coin.outpoint, "satoshi": coin.satoshi, "height": coin.height} for coin in share.coins
                ],
            }
            for share in told.shares
        ],
    }


def payday(shown: PaydayShown) -> dict[str, Any]:
    """A payday with its transactions."""
    held = shown.payday
    return {
        "due_at": held["due_at"].isoformat(),
        "kept_at": held["at"].isoformat(),
        "height": held["height"],
        "batch": held["batch_id"],
        "fee_bps": held["fee_bps"],
        "minimum_satoshi": held["minimum"],
        "paid_satoshi": held["paid"],
        "delegates_paid": held["delegates_paid"],
        "carried_satoshi": held["carried"],
        "delegates_carried": held["delegates_carried"],
        "revenue_satoshi": held["revenue"],
        "network_fees_satoshi": shown.fees,
        "transactions": [
            {"tx_id": each.tx_id, "state": each.state, "block": each.block, "paid_satoshi": each.units, "fee": each.fee}
            for each in shown.attempts
        ],
    }


def check(row: Check) -> dict[str, Any]:
    """One thing that was looked at."""
    return {"check": row.name, "good": row.good, "words": row.words, "fix": row.fix}


def audit(told: Audit) -> dict[str, Any]:
    """What the book comes to."""
    return {
        "rewards_satoshi": told.rewards,
        "paid_satoshi": told.paid,
        "held_satoshi": told.held,
        "revenue_satoshi": told.revenue,
        "opening_satoshi": told.opening,
        "unexplained_satoshi": told.unexplained,
        "payments_looked_up": told.verified.looked_up if told.verified else None,
        "payments_moved": [{"tx_id": moved.attempt.tx_id, "block": moved.head.number} for moved in told.moved],
        "problems": list(told.problems),
    }
