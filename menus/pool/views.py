"""The pool on the screen: how it stands, its delegates, rewards and paydays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from menus.frame.layout import count
from menus.frame.ui import Ui
from menus.pool import records
from menus.pool.records import coins
from valtrac.core.money import qtum
from valtrac.core.staking import NodeState
from valtrac.pool.model.coinstakes import Won
from valtrac.pool.overview import Booked, Delegate, Explained, Now, PaydayShown
from valtrac.pool.payday import PaydayFigures
from valtrac.pool.store.blocks import Looked

MINUTE = "%Y-%m-%d %H:%M"
MARKS = {Won.DELEGATED: "=YES=>", Won.OWN: "self", Won.OTHERS: ""}
FEW_COINS = 40
FEW_PAID = 3


def now(ui: Ui, standing: Now) -> None:
    """How the pool stands."""
    if ui.as_json:
        ui.records(records.now(standing))
        return
    ui.facts([*_node(standing.node), *_books(standing)])
    blocks(ui, standing.latest, title="The last blocks")
    for words in standing.lasting:
        ui.warn(words)


def _node(node: NodeState | None) -> list[tuple[str, object]]:
    if node is None:
        return [("node", "does not answer")]
    hours = node.expected_s / 3600
    return [
        (
            "node",
            f"at block {node.tip.number:,}, {node.tip.at.strftime(MINUTE)} UTC, {count(node.connections, 'peer')}",
        ),
        ("staking", f"{'yes' if node.staking else 'NO'}; a block about every {hours:,.1f} hours"),
        ("balance", f"{qtum(node.balance)}, and {qtum(node.stake)} at rest"),
        ("weight", f"{qtum(node.weight)} of its own, {qtum(node.delegated_weight)} delegated"),
        ("network weight", str(qtum(node.net_weight))),
        ("coins to stake", f"{node.stakable} of 100 QTUM and more"),
    ]


def _books(standing: Now) -> list[tuple[str, object]]:
    last = standing.last_payday
    seen = "none yet" if standing.looked_at is None else f"up to {standing.looked_at:,}"
    told = (
        "none yet"
        if last is None
        else f"{last['due_at'].strftime(MINUTE)} UTC: {_so_far(last['paid'], standing.last_paid)}"
    )
    return [
        ("super staker", standing.staker),
        ("blocks looked at", seen),
        ("owed", f"{qtum(standing.owed)} to {count(standing.delegates_owed, 'delegate')}"),
        ("the pool's own", f"{qtum(standing.revenue)} since the last payday, the fees of the next one not yet in it"),
        *([("left over", f"{qtum(standing.opening)} from an older program")] if standing.opening else []),
        ("last payday", told),
        ("next payday", _next(standing)),
    ]


def _so_far(to_pay: int, paid: int) -> str:
    """What of a payday is paid."""
    return f"{qtum(to_pay)}, {'paid' if paid == to_pay else f'{qtum(paid)} of it paid so far'}"


def _next(standing: Now) -> str:
    if standing.due_at is not None:
        return f"that of {standing.due_at.strftime(MINUTE)} UTC is due now"
    return f"{standing.next_payday.strftime(MINUTE)} UTC"


def blocks(ui: Ui, looked: Sequence[Looked], *, title: str) -> None:
    """Blocks, one a line, the newest first."""
    ui.table(
        title,
        ["block", "at (UTC)", "mypool", "staker", "reward (QTUM)", "delegate", "percent"],
        [
            [
                block.head.number,
                block.head.at.strftime(MINUTE),
                MARKS[block.won],
                block.staker[:6],
                coins(block.staker_reward),
                block.delegate[:6] or "none",
                "" if block.percent is None else block.percent,
            ]
            for block in looked
        ],
        optional=["percent", "delegate"],
        empty="None was looked at yet: run.py pool start, or pool look",
    )


def delegates(
    ui: Ui, listed: Sequence[Delegate], *, names: Mapping[str, str] = MappingProxyType({}), by_ppmu: bool = True
) -> None:
    """Delegates, the heaviest first. names: address -> name of those who have one; by_ppmu: what the weights are by."""
    if ui.as_json:
        ui.records([records.delegate(each) for each in listed])
        return
    total = sum(each.weight for each in listed if each.counts)
    ui.table(
        "Delegates",
        ["name", "delegate", "fee", "since block", "weight (QTUM)", "part", "owed (QTUM)"],
        [
            [
                names.get(each.address, ""),
                each.address,
                "left" if each.fee is None else f"{each.fee} %",
                each.since or "",
                coins(each.weight),
                f"{100 * each.weight / total:.2f} %" if total and each.counts else "none",
                coins(each.owed),
            ]
            for each in listed
        ],
        optional=["name", "fee", "since block"],
        empty="Nobody delegates to this super staker yet.",
    )
    if listed:
        here = sum(each.fee is not None for each in listed)
        counting = sum(each.counts and each.weight > 0 for each in listed)
        owed = qtum(sum(each.owed for each in listed))
        ui.hint(f"{count(here, 'delegation')}, {counting} with weight; {owed} owed.")
        ui.hint(
            "Weight: coins that are large and old enough, those too that rest because they won: the node's own figure "
            "(pool now) is without these."
            if by_ppmu
            else "Weight: coins that are large and old enough, and do not rest because they won, as the node has it."
        )


def rewards(ui: Ui, listed: Sequence[Mapping[str, Any]]) -> None:
    """What blocks of ours brought, the newest first."""
    if ui.as_json:
        ui.records([records.reward(each) for each in listed])
        return
    ui.table(
        "Rewards",
        ["block", "at (UTC)", "whose", "reward (QTUM)", "won by the coins of", "note"],
        [
            [
                each["height"],
                each["at"].strftime(MINUTE),
                "the delegates'" if each["won"] == Won.DELEGATED else "the pool's own",
                coins(each["reward"]),
                each["delegate"] or "the super staker",
                "undone" if each["undone"] else "",
            ]
            for each in listed
        ],
        optional=["note"],
        empty="No block was won since this ledger began.",
    )


def explained(ui: Ui, told: Explained) -> None:
    """A reward down to the coins that it was shared by."""
    if ui.as_json:
        ui.records(records.explained(told))
        return
    reward = told.reward
    held = "" if reward["state"] == "held" else "; UNDONE: the chain has another block there, and it was booked out"
    ui.facts(
        [
            ("block", f"{reward['height']:,} of {reward['block_at'].strftime(MINUTE)} UTC{held}"),
            ("hash", reward["hash"]),
            ("won by", reward["delegate"]),
            ("reward", str(qtum(reward["reward"]))),
            ("weight", f"{qtum(reward['weight'])} of all who count"),
            (
                "what counts",
                f"coins of at least {qtum(reward['least_coin'])}, {reward['maturity']:,} blocks old, "
                f"by the rule {reward['rule']}, delegated for a fee of at least {reward['required_fee']} %",
            ),
            ("remainder", f"{reward['remainder']} satoshi, the pool's"),
        ]
    )
    ui.table(
        "Shares: reward x weight / all weight, rounded down",
        ["delegate", "coins", "weight (QTUM)", "share (QTUM)"],
        [[share.delegate, len(share.coins), coins(share.weight), coins(share.units)] for share in told.shares],
        empty="Nobody had a weight: the reward is the pool's.",
    )
    if len(told.shares) == 1:
        share = told.shares[0]
        ui.table(
            "Its coins just before that block",
            ["coin", "amount (QTUM)", "made in block"],
            [[coin.outpoint, coins(coin.satoshi), coin.height] for coin in share.coins[:FEW_COINS]],
            empty="None that counts.",
        )
        if len(share.coins) > FEW_COINS:
            ui.hint(f"{len(share.coins) - FEW_COINS:,} more: --json shows all.")
    elif told.shares:
        ui.hint(f"Down to the coins: run.py pool explain {reward['height']} --delegate {told.shares[0].delegate}")


def history(ui: Ui, delegate: str, booked: Sequence[Booked]) -> None:
    """What was booked for one delegate."""
    if ui.as_json:
        ui.records([records.booked(row) for row in booked])
        return
    ui.table(
        f"Bookings of {delegate}",
        ["at (UTC)", "what", "of block", "booked (QTUM)", "fee (QTUM)", "payment (QTUM)", "note"],
        [
            [
                row.at.strftime(MINUTE),
                row.kind,
                "" if row.block is None else row.block,
                coins(row.units),
                "" if row.fee is None else coins(row.fee),
                "" if row.net is None else coins(row.net),
                "not final yet" if row.net and not row.tx_id else row.words,
            ]
            for row in booked
        ],
        optional=["note", "fee"],
        empty="",
    )
    for row in [row for row in booked if row.tx_id][-FEW_PAID:]:
        ui.hint(f"Paid on {row.at:%Y-%m-%d}: {row.tx_id}")
    ui.hint(f"{qtum(sum(row.units for row in booked))} are owed.")


def preview(ui: Ui, kept: PaydayFigures) -> None:
    """What a payday would pay now."""
    plan = kept.payday
    if ui.as_json:
        ui.records(
            {
                "due_at": kept.due_at.isoformat(),
                "block": kept.block,
                "fee_bps": kept.fee_bps,
                "minimum_qtum": coins(kept.minimum),
                "payments": [
                    {"delegate": each.delegate, "gross_qtum": coins(each.gross), "net_qtum": coins(each.net)}
                    for each in plan.payments
                ],
                "carried_qtum": {who: coins(units) for who, units in plan.carried.items()},
                "to_pay_qtum": coins(plan.paid),
                "revenue_before_network_fees_qtum": coins(kept.revenue),
            }
        )
        return
    ui.table(
        f"A payday now would pay (fee {kept.fee_bps / 100:g} %, at least {qtum(kept.minimum)})",
        ["delegate", "share (QTUM)", "to pay (QTUM)"],
        [[each.delegate, coins(each.gross), coins(each.net)] for each in plan.payments],
        empty="Nobody is owed enough.",
    )
    ui.hint(
        f"{qtum(plan.paid)} in all; {count(len(plan.carried), 'delegate')} carried over with "
        f"{qtum(sum(plan.carried.values()))}. The pool's revenue with it: {qtum(kept.revenue)}, less the network's "
        "fee. Nothing was changed."
    )


def payouts(ui: Ui, shown: Sequence[PaydayShown]) -> None:
    """Paydays, the newest first."""
    if ui.as_json:
        ui.records([records.payday(each) for each in shown])
        return
    ui.table(
        "Paydays",
        [
            "due (UTC)",
            "delegates",
            "to pay (QTUM)",
            "paid (QTUM)",
            "carried (QTUM)",
            "revenue (QTUM)",
            "network fee",
            "state",
        ],
        [
            [
                each.payday["due_at"].strftime(MINUTE),
                each.payday["delegates_paid"],
                coins(each.payday["paid"]),
                coins(each.paid),
                coins(each.payday["carried"]),
                coins(each.revenue),
                "" if each.fees is None else coins(each.fees),
                _state_of(each),
            ]
            for each in shown
        ],
        optional=["network fee", "carried", "revenue"],
        empty="No payday yet. The first one comes by itself: run.py pool now tells when.",
    )
    for each in shown[:1]:
        for attempt in each.attempts:
            ui.hint(f"{attempt.tx_id}: {attempt.state}" + (f" in block {attempt.block}" if attempt.block else ""))


def _state_of(each: PaydayShown) -> str:
    if each.payday["batch_id"] is None:
        return "nothing to pay"
    states = {attempt.state.value for attempt in each.attempts}
    if each.paid == each.payday["paid"]:
        return "paid"
    return "open: " + ", ".join(sorted(states or {"not sent"}))
