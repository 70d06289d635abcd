"""Blocks as they come, as the pool payout manager's window had them. Leaving it leaves everything running."""

from __future__ import annotations

from menus.frame.live import Picture, watch
from menus.frame.ui import Ui
from menus.pool.views import MARKS
from valtrac.core.errors import ChainUnreachable
from valtrac.core.money import qtum
from valtrac.database.engine import reading
from valtrac.pool import overview
from valtrac.pool.model.coinstakes import Won
from valtrac.pool.model.day_log import coins
from valtrac.pool.pool import Pool
from valtrac.pool.store import blocks
from valtrac.pool.store.blocks import Looked
from valtrac.wiring.pool import PoolApp

ROWS = 12
FEW_BEHIND = 3
HEADS = ("time", "block", "balance", "stake", "stkg", "staker", "stk rwd", "delgte", "mypool", "pool bal")
STYLES = {Won.DELEGATED: "bold green", Won.OWN: "cyan", Won.OTHERS: ""}
LONGEST_WAIT_S = 1.0


def watch_blocks(ui: Ui, own: PoolApp, *, seconds: int = 0) -> None:
    """Show what the background job has looked at, and how the node does, until Ctrl-C."""
    pool = own.pool

    def look() -> Picture:
        with reading(pool.engine) as conn:
            listed = list(reversed(blocks.listed(conn, most=ROWS)))
        rows, styles = [_row(block) for block in listed], [STYLES[block.won] for block in listed]
        return Picture(_state(pool), HEADS, rows, styles, optional=("stake", "stkg"))

    watch(ui, look, every_s=min(LONGEST_WAIT_S, pool.settings.pool_look_s), seconds=seconds)


def _state(pool: Pool) -> str:
    try:
        node = pool.chain.state()
    except ChainUnreachable as error:
        return error.what
    staking, behind = "staking" if node.staking else "NOT STAKING", overview.unseen(pool, node)
    said = f"block {node.tip.number:,} · {staking} · {node.connections} peers · {qtum(node.balance)}"
    return said if behind <= FEW_BEHIND else f"{said} · {behind:,} blocks not looked at: run.py pool start"


def _row(block: Looked) -> list[str]:
    shown = block.node
    return [
        f"{block.head.at:%H:%M:%S}",
        str(block.head.number),
        coins(shown["balance"], 1),
        coins(shown["stake"], 1),
        "yes" if shown["staking"] else "NOT",
        block.staker[:6],
        coins(block.staker_reward, 3),
        block.delegate[:6] or "none",
        MARKS[block.won],
        coins(shown.get("pool_balance", 0), 3),
    ]
