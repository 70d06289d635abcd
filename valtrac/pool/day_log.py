"""The log of each day for people and spreadsheets: written from the database, whole, whenever something was added."""

from __future__ import annotations

import csv
import io
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import sqlalchemy as sa

from valtrac.core.text import plain
from valtrac.database.engine import reading, writing
from valtrac.payments.model.states import AttemptState
from valtrac.payments.store import attempts
from valtrac.pool import watch
from valtrac.pool.model import day_log as form
from valtrac.pool.model.coinstakes import Won
from valtrac.pool.model.day_log import Row
from valtrac.pool.model.states import BlockState
from valtrac.pool.pool import Pool
from valtrac.pool.store import blocks, paydays
from valtrac.pool.store.blocks import Looked
from valtrac.tables.write import write_text

START = "program start"
VERSION = "ValTrac"
SAID = {
    watch.DOWN: "QTUMD OFFLINE",
    watch.NOT_STAKING: "NOT STAKING",
    watch.FEW: "LOW CONNECTIONS",
    watch.LOCKED: "WALLET LOCKED",
    watch.STALE: "STALE CHAIN",
    watch.NO_COIN: "NO STAKABLE COIN",
    watch.CHANGED: "SUPER STAKER CHANGED",
    watch.WAITS: "PAYDAY WAITS",
}
LATE_BLOCKS = 3  # beyond the confirmations: a block that is looked at later than this was made up
SPACING_S = 32


def note_start(pool: Pool) -> None:
    """Note that the program starts: the log tells it."""
    with writing(pool.engine) as conn:
        paydays.mark(conn, START, VERSION, pool.now())


def write(pool: Pool, *, days: int = 2) -> list[Path]:
    """Write the logs of today and the days before it anew, where they differ from what is there; the files."""
    if not pool.settings.pool_logging:
        return []
    today, written = pool.now().astimezone(UTC).date(), list[Path]()
    for back in range(days):
        day = today - timedelta(days=back)
        text = text_of(pool, day, over=back > 0)
        path = pool.settings.logs / form.file_name(day, pool.settings.pool_log_date)
        if text and (not path.exists() or path.read_text(encoding="utf-8") != text):
            write_text(path, text)
            written.append(path)
    return written


def text_of(pool: Pool, day: date, *, over: bool) -> str:
    """The log of a day; "" where nothing happened. over: the day is, so that its last row is written too."""
    first = datetime(day.year, day.month, day.day, tzinfo=UTC)
    last = first + timedelta(days=1)
    with reading(pool.engine) as conn:
        looked = blocks.of_days(conn, first, last)
        rows = [*_starts(conn, first, last), *_blocks(pool, conn, looked), *_states(conn, first, last)]
        rows += _paydays(pool, conn, first, last)
    if not rows:
        return ""
    if not any(row[0] == "000" for _, row in rows):
        rows = [(first, row) for row in form.started(first, VERSION, midnight=True)] + rows
    rows.sort(key=lambda row: row[0])
    out = io.StringIO()
    lines = csv.writer(out, lineterminator="\n")
    lines.writerows(row for _, row in rows)
    if over:
        lines.writerow(form.ended(len(looked)))
    return out.getvalue()


def _starts(conn: sa.Connection, first: datetime, last: datetime) -> list[tuple[datetime, Row]]:
    return [
        (episode["began_at"], row)
        for episode in paydays.episodes_of(conn, first, last)
        if episode["kind"] == START
        for row in form.started(episode["began_at"], plain(episode["words"], 40))
    ]


def _blocks(pool: Pool, conn: sa.Connection, looked: list[Looked]) -> list[tuple[datetime, Row]]:
    zone, rows = ZoneInfo(pool.settings.pool_time_zone), list[tuple[datetime, Row]]()
    usual = (pool.settings.pool_confirmations + LATE_BLOCKS) * SPACING_S
    for block in looked:
        seen_at = block.seen_at
        if block.late_s > max(usual, 300):
            rows.append((seen_at, form.made_up(block.head.number, block.late_s)))
        rows.append((seen_at, _row(block, zone)))
        if block.won == Won.DELEGATED:
            rows += _credited(conn, block)
    return rows


def _row(block: Looked, zone: ZoneInfo) -> Row:
    return form.looked_at(
        at=block.head.at,
        local=block.head.at.astimezone(zone),
        height=block.head.number,
        node=block.node,
        staker=block.staker,
        delegate=block.delegate,
        rewards=(block.staker_reward, block.delegate_reward),
        percent=block.percent,
        mine=block.won == Won.DELEGATED,
        extra=f"prevoutStake {block.kernel}" if block.kernel else "",
    )


def _credited(conn: sa.Connection, block: Looked) -> list[tuple[datetime, Row]]:
    reward = blocks.reward_of(conn, block.id)
    if reward is None:
        return []
    count = sum(1 for share in blocks.shares_of(conn, reward["id"]) if share["units"])
    told = block.head.number, block.delegate, reward["reward"], reward["remainder"], count
    rows = [(block.seen_at, form.credited(*told, undone=False))]
    if block.state == BlockState.UNDONE and block.undone_at is not None:
        rows.append((block.undone_at, form.credited(*told, undone=True)))
    return rows


def _states(conn: sa.Connection, first: datetime, last: datetime) -> list[tuple[datetime, Row]]:
    rows: list[tuple[datetime, Row]] = []
    for episode in paydays.episodes_of(conn, first, last):
        if episode["kind"] not in SAID:
            continue
        said = SAID[episode["kind"]]
        if first <= episode["began_at"] < last:
            rows.append((episode["began_at"], form.state(said, over=False)))
        if episode["ended_at"] is not None and first <= episode["ended_at"] < last:
            rows.append((episode["ended_at"], form.state(said, over=True)))
    return rows


def _paydays(pool: Pool, conn: sa.Connection, first: datetime, last: datetime) -> list[tuple[datetime, Row]]:
    rows: list[tuple[datetime, Row]] = []
    for payday in paydays.listed(conn):
        if not first <= payday["at"] < last:
            continue
        made = [] if payday["batch_id"] is None else attempts.of_batch(conn, payday["batch_id"])
        landed = [attempt for attempt in made if attempt.state == AttemptState.LANDED]
        for attempt in landed:
            recipients = len(attempts.lines_of_chunk(conn, attempt.chunk_id))
            rows.append((payday["at"], form.sent(attempt.tx_id, recipients, attempt.units, attempt.fee)))
        totals = form.paid(
            carried=payday["delegates_carried"],
            last_amount=landed[-1].units if landed else 0,
            transactions=len(landed),
            delegates=payday["delegates_paid"],
            total=payday["paid"],
            revenue=payday["revenue"] - sum(attempt.fee or 0 for attempt in landed),
        )
        rows += [(payday["at"], row) for row in totals]
    return rows
