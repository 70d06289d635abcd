"""Background loggers as a table, and starting one."""

from __future__ import annotations

from datetime import UTC, datetime

from menus.frame.ui import Ui
from valtrac.loggers import pm2
from valtrac.loggers.jobs import stakes
from valtrac.wiring.payouts import App


def start_stakes(valtrac: App, name: str, hotkey: str | None) -> str:
    """Start the stakes logger of one hotkey; its name under pm2."""
    chosen = valtrac.hotkey(hotkey)
    pm2_name = stakes.name_of(chosen)
    pm2.start(valtrac.settings, pm2_name, ["logger", "run", name, "--hotkey", chosen])
    return pm2_name


def show(ui: Ui, valtrac: App) -> list[pm2.Job]:
    """The loggers as a table, or as JSON; returns them."""
    rows, now = pm2.jobs(valtrac.settings), datetime.now(UTC)
    if ui.as_json:
        ui.records(
            [
                {
                    "name": job.name,
                    "state": job.state,
                    "pid": job.pid,
                    "restarts": job.restarts,
                    "words": job.words,
                    "heartbeat_at": job.beat.at.isoformat() if job.beat else None,
                    "age_s": round((now - job.beat.at).total_seconds(), 1) if job.beat else None,
                    "block": job.beat.block if job.beat else None,
                }
                for job in rows
            ]
        )
        return rows
    ui.table(
        "Background loggers",
        ["logger", "state", "last block", "heartbeat", "restarts"],
        [
            [
                job.name,
                job.state,
                job.beat.block if job.beat and job.beat.block is not None else "",
                f"{(now - job.beat.at).total_seconds():.0f} s ago" if job.beat else "none yet",
                job.restarts,
            ]
            for job in rows
        ],
        optional=["restarts", "last block"],
        empty="No logger runs. Start one under Begin logging, or: run.py logger start stakes",
    )
    for job in rows:
        if job.words:
            ui.warn(f"{job.name}: {job.words}")
    return rows
