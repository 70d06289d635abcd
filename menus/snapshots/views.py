"""Snapshots as a table, and what a file of them is compared with."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from menus.frame.plainly import short
from menus.frame.ui import Ui
from valtrac.core.errors import ChainUnreachable
from valtrac.core.money import decimal_text
from valtrac.database.engine import reading
from valtrac.snapshots.store import snapshots as stored

if TYPE_CHECKING:
    from valtrac.wiring.payouts import App


def last_block(ui: Ui, app: App) -> int | None:
    """The chain's last block, or None, said aloud, where no node answers: bringing in a file can do without."""
    try:
        return app.chain.finalized().number
    except ChainUnreachable as error:
        ui.warn(f"Not compared with the chain's last block: {error.what}.")
        return None


def show(ui: Ui, engine: object, hotkey: str | None, netuid: int | None, last: int) -> None:
    """The newest snapshots as a table, or as JSON."""
    with reading(engine) as conn:  # type: ignore[arg-type]
        rows = stored.listed(conn, hotkey, netuid, last)
    if ui.as_json:
        ui.records([_record(row) for row in rows])
        return
    ui.table(
        "Snapshots, the newest first",
        [
            "at UTC",
            "block",
            "hotkey",
            "netuid",
            "nominators",
            "their stake (TAO/alpha)",
            "owner's own (TAO/alpha)",
            "sum",
        ],
        [
            [
                f"{row.at:%Y-%m-%d %H:%M}",
                row.block,
                short(row.hotkey) if len({row.hotkey for row in rows}) > 1 else "",
                row.netuid,
                row.heads,
                decimal_text(row.others_stake),
                decimal_text(row.owner_stake),
                "ruled out: " + row.ruled_out if row.ruled_out else "" if row.verified else "unverified",
            ]
            for row in rows
        ],
        optional=["sum", "hotkey", "owner's own", "nominators"],
        empty="No snapshots yet. Take one: run.py snapshot take, or start the logger: run.py logger start stakes",
    )


def _record(row: Any) -> dict[str, object]:
    """A snapshot without its stakes, as plain values."""
    return {
        "hotkey": row.hotkey,
        "netuid": row.netuid,
        "block": row.block,
        "at": row.at.isoformat(),
        "nominators": row.heads,
        "owner": row.owner,
        "owner_stake_rao": str(row.owner_stake),
        "others_stake_rao": str(row.others_stake),
        "price_rao": None if row.price_rao is None else str(row.price_rao),
        "verified": row.verified,
        "ruled_out": row.ruled_out,
    }
