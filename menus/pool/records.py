"""What the pool tells programs: plain values for `--json`. Amounts are QTUM in decimal strings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from valtrac.core.money import decimal_text
from valtrac.core.staking import NodeState
from valtrac.pool.audit import Audit
from valtrac.pool.overview import Booked, Check, Delegate, Explained, Now, PaydayShown
from valtrac.pool.store.blocks import Looked


def coins(satoshi: int) -> str:
    """Satoshi as QTUM."""
    return decimal_text(satoshi, 8)


def now(standing: Now) -> dict[str, Any]:
    """How the pool stands."""
    last = standing.last_payday
    return {
        "staker": standing.staker,
        "node": None if standing.node is None else node(standing.node),
        "counted_from": None if standing.begun_after is None else standing.begun_after + 1,
        "looked_at": standing.looked_at,
        "owed_qtum": coins(standing.owed),
        "delegates_owed": standing.delegates_owed,
        "revenue_qtum": coins(standing.revenue),
        "left_over_qtum": coins(standing.opening),
        "next_payday": standing.next_payday.isoformat(),
        "due_payday": None if standing.due_at is None else standing.due_at.isoformat(),
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
        "balance_qtum": coins(state.balance),
        "stake_qtum": coins(state.stake),
        "weight_qtum": coins(state.weight),
        "delegated_weight_qtum": coins(state.delegated_weight),
        "net_weight_qtum": coins(state.net_weight),
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
        "reward_qtum": coins(looked.staker_reward),
        "delegate_reward_qtum": coins(looked.delegate_reward),
        "percent": looked.percent,
        "kernel": looked.kernel,
        "state": looked.state,
        "words": looked.words,
    }


def reward(each: Mapping[str, Any]) -> dict[str, Any]:
    """What a block of ours brought."""
    return {
        "height": each["height"],
        "at": each["at"].isoformat(),
        "won": each["won"],
        "delegate": each["delegate"],
        "reward_qtum": coins(each["reward"]),
        "remainder_qtum": coins(each["remainder"]),
        "undone": each["undone"],
    }


def delegate(each: Delegate) -> dict[str, Any]:
    """A delegate."""
    return {
        "delegate": each.address,
        "fee": each.fee,
        "since_block": each.since,
        "weight_qtum": coins(each.weight),
        "counts": each.counts,
        "owed_qtum": coins(each.owed),
    }


def explained(told: Explained) -> dict[str, Any]:
    """A reward down to the coins that it was shared by."""
    reward = told.reward
    return {
        "height": reward["height"],
        "hash": reward["hash"],
        "at": reward["block_at"].isoformat(),
        "state": reward["state"],
        "reward_qtum": coins(reward["reward"]),
        "remainder_qtum": coins(reward["remainder"]),
        "weight_qtum": coins(reward["weight"]),
        "least_coin_qtum": coins(reward["least_coin"]),
        "maturity": reward["maturity"],
        "rule": reward["rule"],
        "required_fee": reward["required_fee"],
        "winner": reward["delegate"],
        "shares": [
            {
                "delegate": share.delegate,
                "fee": share.fee,
                "weight_qtum": coins(share.weight),
                "share_qtum": coins(share.units),
                "coins": [
                    {"outpoint": coin.outpoint, "qtum": coins(coin.satoshi), "height": coin.height}
                    for coin in share.coins
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
        "minimum_qtum": coins(held["minimum"]),
        "to_pay_qtum": coins(held["paid"]),
        "paid_qtum": coins(shown.paid),
        "delegates_paid": held["delegates_paid"],
        "carried_qtum": coins(held["carried"]),
        "delegates_carried": held["delegates_carried"],
        "revenue_qtum": coins(shown.revenue),
        "network_fees_qtum": None if shown.fees is None else coins(shown.fees),
        "transactions": [
            {
                "tx_id": each.tx_id,
                "state": each.state,
                "block": each.block,
                "amount_qtum": coins(each.units),
                "fee_qtum": None if each.fee is None else coins(each.fee),
            }
            for each in shown.attempts
        ],
    }


def check(row: Check) -> dict[str, Any]:
    """One thing that was looked at."""
    return {"check": row.name, "good": row.good, "words": row.words, "fix": row.fix}


def audit(told: Audit) -> dict[str, Any]:
    """What the book comes to."""
    return {
        "rewards_qtum": coins(told.rewards),
        "paid_qtum": coins(told.landed),
        "under_way_qtum": coins(told.paid - told.landed),
        "held_qtum": coins(told.held),
        "revenue_qtum": coins(told.revenue),
        "opening_qtum": coins(told.opening),
        "unexplained_qtum": coins(told.unexplained),
        "payments_looked_up": told.verified.looked_up if told.verified else None,
        "payments_moved": [{"tx_id": moved.attempt.tx_id, "block": moved.head.number} for moved in told.moved],
        "problems": list(told.problems),
    }


def booked(row: Booked) -> dict[str, Any]:
    """A booking of a delegate, and how a payday paid it."""
    return {
        "at": row.at.isoformat(),
        "kind": row.kind,
        "block": row.block,
        "payday": None if row.payday is None else row.payday.isoformat(),
        "qtum": coins(row.units),
        "fee_qtum": None if row.fee is None else coins(row.fee),
        "net_qtum": None if row.net is None else coins(row.net),
        "tx_id": row.tx_id,
        "words": row.words,
    }
