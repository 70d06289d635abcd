"""Batches on the screen: one form for menus and commands."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence

import sqlalchemy as sa

from menus import payout_records as records
from menus.layout import count
from menus.ui import Ui
from valtrac.app import App
from valtrac.domain.addresses import shortened
from valtrac.domain.batches import Attempt, Batch, BatchLine
from valtrac.domain.money import decimal_text, rao
from valtrac.domain.policies import CUT
from valtrac.errors import ChainUnreachable, Exit
from valtrac.services import payouts
from valtrac.services.reconcile import Finding
from valtrac.store import attempts as stored_attempts
from valtrac.store import batches as stored
from valtrac.store.engine import reading

PARTS = ["state", "released", "fee share", "from pool"]
MOST_ROWS = 60  # of one table on a terminal; into a file or a pager all of them go


def door(valtrac: App, *, tell: Callable[[str], None]) -> payouts.Door:
    """The payment door of this app."""
    embedded = valtrac.settings.network == "devnet"
    return payouts.Door(
        engine=valtrac.engine,
        chain=valtrac.chain,
        settings=valtrac.settings,
        witnesses=valtrac.witnesses,
        log=valtrac.settings.logs / "payout_log.csv",
        tell=tell,
        poll_s=0.2 if embedded else 3.0,
        patience_s=30.0 if embedded else 1800.0,
    )


def batch(ui: Ui, engine: sa.Engine, found: Batch) -> None:
    """A batch with its payments, what is kept back and why, its transactions, and where the pool goes."""
    with reading(engine) as conn:
        lines = stored.lines_of(conn, found.id)
        tried = stored_attempts.of_batch(conn, found.id)
        failed = stored_attempts.failures(conn, found.id)
    if ui.as_json:
        ui.records(records.whole(found, lines, tried))
        return
    ui.title(
        f"Batch #{found.id}: {found.state}",
        "Held balances, paid on request."
        if found.spec["by"] == "balances"
        else f"Blocks {found.from_block} to {found.to_block}, netuid {found.netuid}, {found.spec['method']}, "
        f"by {found.spec['by']}.",
    )
    _payments(ui, found, lines, {line: words for line, (_, words) in failed.items()})
    for word, title in (("held", "Held: owed, paid later"), ("excluded", "Excluded: stays in the wallet")):
        kept = [[one["user"], decimal_text(one["amount"]), _why(one)] for one in found.plan[word]]
        if kept:
            _long(ui, found, title, ["who", "amount (TAO)", "reason"], kept)
    if tried:
        _transactions(ui, found, tried)
    _pool(ui, found, lines)
    for note in found.plan["notes"]:
        ui.warn(note)


def owed(engine: sa.Engine, found: Batch) -> int:
    """What a batch still has to send, in rao: what was set aside or paid is not part of it."""
    with reading(engine) as conn:
        return sum(line.amount for line in stored.lines_of(conn, found.id, "owed", "chunked"))


def unusual(ui: Ui, valtrac: App, found: Batch) -> bool:
    """Say what is unusual about a draft; whether approving it needs words."""
    from valtrac.services import approvals

    findings = approvals.unusual(valtrac.engine, valtrac.settings, found.id) if found.state == "draft" else []
    if findings and not ui.as_json:
        ui.say("Compared with the last payouts:")
        for finding in findings:
            (ui.warn if finding.asks else ui.say)(f"  {finding.words}")
    return any(finding.asks for finding in findings)


def waiting(ui: Ui, valtrac: App, found: Batch) -> None:
    """Say which payments of a batch would have to wait at signing, and why; without a node what is known here."""
    from valtrac.services import destinations

    if ui.as_json or found.state not in ("draft", "approved", "sending"):
        return
    with reading(valtrac.engine) as conn:
        lines = [line for line in stored.lines_of(conn, found.id) if line.state in ("planned", "owed")]
        held = destinations.entered(conn, valtrac.settings, lines)
    for line in lines:
        if line.id in held:
            ui.warn(f"{line.name} would wait at signing: {held[line.id]}")
    if held:
        ui.hint(
            'See: run.py users waiting. To pay it later elsewhere: run.py payout set-aside BATCH NAME --reason "WHY"'
        )


def wallet(ui: Ui, valtrac: App, found: Batch) -> None:
    """Say whether the wallet can pay a batch; nothing where the node does not answer."""
    from menus import ledger_views
    from valtrac.services import treasury

    with contextlib.suppress(ChainUnreachable):
        ledger_views.liquidity(
            ui,
            treasury.liquidity(
                valtrac.engine, valtrac.chain, found.wallet, found.id, chunk_size=valtrac.settings.chunk_size
            ),
        )


def batches(ui: Ui, engine: sa.Engine, *states: str) -> list[Batch]:
    """All batches, or those in some states, as a table or as JSON; returns them."""
    with reading(engine) as conn:
        found = stored.listed(conn, states)
    if ui.as_json:
        ui.records([records.summary(one) for one in found])
        return found
    ui.table(
        "Batches, the newest first",
        ["batch", "state", "blocks", "netuid", "pool (TAO)", "total (TAO)", "payees", "made at UTC"],
        [
            [
                f"#{one.id}",
                one.state,
                "held balances" if one.spec["by"] == "balances" else f"{one.from_block}-{one.to_block}",
                one.netuid,
                decimal_text(one.pool),
                decimal_text(one.total),
                len(one.plan["lines"]),
                f"{one.created_at:%Y-%m-%d %H:%M}",
            ]
            for one in found
        ],
        optional=["made at UTC", "pool", "netuid"],
        empty="No batches yet. Make one under Send payout, or: run.py payout plan --pool AMOUNT",
    )
    return found


def after_sending(ui: Ui, valtrac: App, found: Batch) -> int:
    """Show what became of a batch; the exit code is 3 while something of it is still owed."""
    batch(ui, valtrac.engine, found)
    if found.state == "settled":
        with reading(valtrac.engine) as conn:
            paid = stored.lines_of(conn, found.id, "paid")
        ui.done(
            f"Batch #{found.id} is settled: {rao(sum(line.amount for line in paid))} to "
            f"{count(len(paid), 'payee')}, each exactly once."
        )
        return int(Exit.DONE)
    ui.warn(f"Something of batch #{found.id} is still owed. Go on: run.py payout resume {found.id} --retry-failed")
    waiting(ui, valtrac, found)
    return int(Exit.REFUSED)


def note_price(ui: Ui, valtrac: App, found: Batch) -> None:
    """Keep the price of the time at which a batch was settled; a price that is not known is said and stops nothing."""
    from valtrac.services import prices

    if found.settled_at is not None and (told := prices.note(valtrac.engine, valtrac.prices, found.settled_at)):
        ui.hint(told)


def note_prices(ui: Ui, valtrac: App, findings: Sequence[Finding]) -> None:
    """The same for the batches of transactions that were looked for."""
    for number in sorted({finding.attempt.batch_id for finding in findings if finding.state == "landed"}):
        with reading(valtrac.engine) as conn:
            found = stored.get(conn, number)
        note_price(ui, valtrac, found)


def _why(kept: Mapping[str, str]) -> str:
    """Why somebody is not paid something, and whose it is now where a policy says so."""
    where = {"pool": "; it stays in the pool", "owner": "; it is the owner's"}.get(kept.get("goes_to", ""), "")
    return kept["reason"] + ("" if kept["reason"] == CUT else where)


def _payments(ui: Ui, found: Batch, lines: Sequence[BatchLine], failed: Mapping[int, str]) -> None:
    """The lines; where each is paid just its part of the pool, that column would only repeat the amount."""
    parts = any(line.from_pool != line.amount for line in lines)
    nameless = all(line.name == line.address for line in lines)  # by nominators: the address is the name
    _long(
        ui,
        found,
        "Payments",
        [
            "nominator" if nameless else "who",
            "to",
            "from pool (TAO)",
            "released (TAO)",
            "fee share (TAO)",
            "amount (TAO)",
            "state",
        ],
        [
            [
                line.name,
                "" if nameless else shortened(line.address),
                decimal_text(line.from_pool) if parts else "",
                decimal_text(line.released),
                decimal_text(line.fee_share),
                decimal_text(line.amount),
                "" if found.state == "draft" else _state(found, line),
            ]
            for line in lines
        ],
        footer=["total", "", "", "", "", decimal_text(_live(found, lines)), ""],
        optional=["to", *PARTS] if nameless else PARTS,
        empty="Nobody is paid by this batch.",
    )
    for line in lines:
        if line.state == "owed" and line.id in failed:
            ui.warn(f"{line.name} is still owed: {failed[line.id]}")


def _state(found: Batch, line: BatchLine) -> str:
    return "set aside" if line.state == "void" and found.state != "void" else line.state


def _live(found: Batch, lines: Sequence[BatchLine]) -> int:
    """The sum of what is not set aside."""
    return sum(line.amount for line in lines if found.state == "void" or line.state != "void")


def _transactions(ui: Ui, found: Batch, tried: Sequence[Attempt]) -> None:
    """Each transaction, and what was said about it where something was."""
    _long(
        ui,
        found,
        "Transactions",
        ["id", "payments (TAO)", "fee (TAO)", "in block", "state"],
        [
            [
                shortened(one.tx_id),
                decimal_text(one.units),
                "" if one.fee is None else decimal_text(one.fee),
                one.block or "",
                one.state,
            ]
            for one in tried
        ],
    )
    for one in tried:
        if one.error:
            ui.hint(f"{shortened(one.tx_id)}: {one.error}")


def _pool(ui: Ui, found: Batch, lines: Sequence[BatchLine]) -> None:
    """Where every unit of the pool goes; and what is paid beside it."""
    parts = [
        ("to payees", sum(line.from_pool for line in lines if found.state == "void" or line.state != "void")),
        ("set aside", sum(line.from_pool for line in lines if found.state != "void" and line.state == "void")),
        ("held", sum(kept["amount"] for kept in found.plan["held"])),
        ("excluded", sum(kept["amount"] for kept in found.plan["excluded"])),
        ("nobody's", found.unassigned),
        ("network fee", found.plan["fee_from_pool"]),
    ]
    if found.pool:
        ui.table(
            "Where the pool goes",
            ["part", "amount (TAO)"],
            [[name, decimal_text(units)] for name, units in parts if units],
            footer=["pool", decimal_text(found.pool)],
        )
    released = sum(line.released for line in lines if line.released > 0)
    back = -sum(line.released for line in lines if line.released < 0)
    ui.hint(
        f"Network fee {rao(found.fee)}, borne by the {found.fee_policy}."
        + (f" {rao(released)} held before are released on top." if released else "")
        + (f" {rao(back)} that were overpaid before are taken back." if back else "")
    )


def _long(
    ui: Ui,
    found: Batch,
    title: str,
    columns: Sequence[str],
    rows: Sequence[Sequence[object]],
    *,
    footer: Sequence[object] = (),
    optional: Sequence[str] = (),
    empty: str = "",
) -> None:
    """A table of which a terminal shows the first rows and says how to see the rest."""
    shown = rows[:MOST_ROWS] if ui.out.is_terminal else rows
    ui.table(title, columns, shown, footer=footer, optional=optional, empty=empty)
    if len(shown) < len(rows):
        ui.hint(f"and {len(rows) - len(shown):,} more. All of them: run.py payout show {found.id} | less")
