"""Batches on the screen: one form for menus and commands."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence

import sqlalchemy as sa

from menus.frame.layout import count
from menus.frame.plainly import short
from menus.frame.ui import Ui
from menus.payouts import records, where_it_goes
from valtrac.core.addresses import shortened
from valtrac.core.errors import ChainUnreachable
from valtrac.core.money import decimal_text, rao
from valtrac.database.engine import reading
from valtrac.payments.model.batches import Attempt, Batch, BatchLine
from valtrac.payments.model.states import AttemptState, BatchState, LineState
from valtrac.payments.reconcile import Finding
from valtrac.payments.store import attempts as stored_attempts
from valtrac.payments.store import batches as stored
from valtrac.payouts.model.batches import PayoutBatch
from valtrac.payouts.model.plans import Kept
from valtrac.payouts.store import batches as payout_batches
from valtrac.people.model.policies import CUT
from valtrac.wiring.payouts import App

PARTS = ["state", "released", "fee share", "from pool"]
PARTS_IN_TAO = ["from pool (TAO)", "released (TAO)", "fee share (TAO)"]
MOST_ROWS = 60  # of one table on a terminal; into a file or a pager all of them go


def batch(ui: Ui, engine: sa.Engine, shown: PayoutBatch, *, always_whole: bool = False) -> None:
    """A batch with its payments, what is kept back and why, its transactions, and where the pool goes.

    always_whole: no address loses its middle, though the table becomes cards on a narrow terminal.
    """
    with reading(engine) as conn:
        lines = stored.lines_of(conn, shown.id)
        tried = stored_attempts.of_batch(conn, shown.id)
        failed = stored_attempts.failures(conn, shown.id)
    if ui.as_json:
        ui.records(records.whole(shown, lines, tried))
        return
    ui.title(
        f"Batch #{shown.id}: {shown.state}",
        "Held balances, paid on request."
        if shown.by == "balances"
        else f"Blocks {shown.from_block} to {shown.to_block}, netuid {shown.netuid}, {shown.rules.method}, "
        f"by {shown.by}.",
    )
    failures = {line: words for line, (_, words) in failed.items()}
    _payments(ui, shown, lines, failures, always_whole=always_whole)
    for kept_back, title in (
        (shown.payout.held, "Held: owed, paid later"),
        (shown.payout.excluded, "Excluded: stays in the wallet"),
    ):
        kept = [[line.user, decimal_text(line.amount), _why(line)] for line in kept_back]
        if kept:
            _long(ui, shown, title, ["who", "amount (TAO)", "reason"], kept)
    if tried:
        _transactions(ui, shown, tried)
    where_it_goes.show(ui, shown, lines, tried)
    for note in shown.payout.notes:
        ui.warn(note)


def owed(engine: sa.Engine, shown: PayoutBatch) -> int:
    """What a batch still has to send, in rao: what was set aside or paid is not part of it."""
    with reading(engine) as conn:
        return sum(line.amount for line in stored.lines_of(conn, shown.id, LineState.OWED, LineState.CHUNKED))


def unusual(ui: Ui, valtrac: App, shown: PayoutBatch) -> bool:
    """Say what is unusual about a draft; whether approving it needs words."""
    from valtrac.payouts import approvals

    findings = approvals.unusual(valtrac.engine, valtrac.settings, shown.id) if shown.state == BatchState.DRAFT else []
    if findings and not ui.as_json:
        ui.say("Compared with the last payouts:")
        for finding in findings:
            (ui.warn if finding.asks else ui.say)(f"  {finding.words}")
    return any(finding.asks for finding in findings)


def waiting(ui: Ui, valtrac: App, shown: PayoutBatch) -> None:
    """Say which payments of a batch would have to wait at signing, and why; without a node what is known here."""
    from valtrac.people import destinations

    if ui.as_json or shown.state in (BatchState.SETTLED, BatchState.VOID):
        return
    with reading(valtrac.engine) as conn:
        lines = stored.lines_of(conn, shown.id, LineState.PLANNED, LineState.OWED)
        meant = [destinations.Destination(line.id, line.name, line.person, line.address) for line in lines]
        held = destinations.waits(conn, meant, valtrac.settings.quarantine)
    for line in lines:
        if line.id in held:
            ui.warn(f"{line.name} would wait at signing: {held[line.id]}")
    if held:
        ui.hint(
            'See: run.py users waiting. To pay it later elsewhere: run.py payout set-aside BATCH NAME --reason "WHY"'
        )


def wallet(ui: Ui, valtrac: App, shown: PayoutBatch) -> None:
    """Say whether the wallet can pay a batch; nothing where the node does not answer."""
    from menus.payouts import ledger_views

    with contextlib.suppress(ChainUnreachable):
        ledger_views.liquidity(ui, valtrac.liquidity(shown.id, wallet=shown.wallet), valtrac.settings.network)


def batches(ui: Ui, engine: sa.Engine, *states: BatchState) -> list[PayoutBatch]:
    """All batches, or those in some states, as a table or as JSON; returns them."""
    with reading(engine) as conn:
        listed = payout_batches.listed(conn, states)
    if ui.as_json:
        ui.records([records.summary(batch) for batch in listed])
        return listed
    ui.table(
        "Batches, the newest first",
        ["batch", "state", "blocks", "netuid", "pool (TAO)", "total (TAO)", "payees", "made at UTC"],
        [
            [
                f"#{batch.id}",
                batch.state,
                "held balances" if batch.by == "balances" else f"{batch.from_block}-{batch.to_block}",
                batch.netuid,
                decimal_text(batch.pool),
                decimal_text(batch.total),
                len(batch.payout.lines),
                f"{batch.created_at:%Y-%m-%d %H:%M}",
            ]
            for batch in listed
        ],
        optional=["made at UTC", "pool", "netuid"],
        empty="No batches yet. Make one under Send payout by referral structure, or: run.py payout plan --pool AMOUNT",
    )
    return listed


def after_sending(ui: Ui, valtrac: App, batch_id: int) -> None:
    """Show what became of a batch, and what to do while something of it is still owed."""
    with reading(valtrac.engine) as conn:
        shown = payout_batches.get(conn, batch_id)
    batch(ui, valtrac.engine, shown)
    if shown.state == BatchState.SETTLED:
        with reading(valtrac.engine) as conn:
            paid = stored.lines_of(conn, shown.id, LineState.PAID)
        ui.done(
            f"Batch #{shown.id} is settled: {rao(sum(line.amount for line in paid))} to "
            f"{count(len(paid), 'payee')}, each exactly once."
        )
        return
    ui.warn(f"Something of batch #{shown.id} is still owed. Go on: run.py payout resume {shown.id} --retry-failed")
    waiting(ui, valtrac, shown)


def note_price(ui: Ui, valtrac: App, shown: Batch) -> None:
    """Keep the price of the time at which a batch was settled; a price that is not known is said and stops nothing."""
    from valtrac.reports import prices

    if shown.settled_at is not None and (told := prices.note(valtrac.engine, valtrac.prices, shown.settled_at)):
        ui.hint(told)


def note_prices(ui: Ui, valtrac: App, findings: Sequence[Finding]) -> None:
    """The same for the batches of transactions that were looked for."""
    for number in sorted({finding.attempt.batch_id for finding in findings if finding.state == AttemptState.LANDED}):
        with reading(valtrac.engine) as conn:
            shown = payout_batches.get(conn, number)
        note_price(ui, valtrac, shown)


def _why(kept: Kept) -> str:
    """Why somebody is not paid something, and whose it is now where a policy says so."""
    where = {"pool": "; it stays in the pool", "owner": "; it is the owner's"}.get(kept.goes_to, "")
    return kept.reason + ("" if kept.reason == CUT else where)


def _payments(
    ui: Ui, shown: PayoutBatch, lines: Sequence[BatchLine], failed: Mapping[int, str], *, always_whole: bool
) -> None:
    """The lines; where each is paid just its part of the pool, that column would only repeat the amount."""
    parts = any(line.from_pool != line.amount for line in lines)
    nameless = all(line.name == line.address for line in lines)  # by nominators: the address is the name
    columns = ["nominator" if nameless else "who", "to", *PARTS_IN_TAO, "amount (TAO)", "state"]
    optional = ["to", *PARTS] if nameless else PARTS

    def rows(to: Callable[[str], str]) -> list[list[str]]:
        return [
            [
                line.name,
                "" if nameless else to(line.address),
                decimal_text(line.from_pool) if parts else "",
                decimal_text(line.released),
                decimal_text(line.fee_share),
                decimal_text(line.amount),
                "" if shown.state == BatchState.DRAFT else _state(shown, line),
            ]
            for line in lines
        ]

    # an address is compared with what somebody said: its middle is left out only where there is no room for it
    whole = always_whole or ui.has_room(columns, rows(str), optional)
    _long(
        ui,
        shown,
        "Payments",
        columns,
        rows(str if whole else short),
        footer=["total", "", "", "", "", decimal_text(_live(shown, lines)), ""],
        optional=optional,
        empty="Nobody is paid by this batch.",
    )
    for line in lines:
        if line.state == LineState.OWED and line.id in failed:
            ui.warn(f"{line.name} is still owed: {failed[line.id]}")


def _state(shown: PayoutBatch, line: BatchLine) -> str:
    return "set aside" if line.state == LineState.VOID and shown.state != BatchState.VOID else line.state


def _live(shown: PayoutBatch, lines: Sequence[BatchLine]) -> int:
    """The sum of what is not set aside."""
    return sum(line.amount for line in lines if shown.state == BatchState.VOID or line.state != LineState.VOID)


def _transactions(ui: Ui, shown: PayoutBatch, tried: Sequence[Attempt]) -> None:
    """Each transaction, and what was said about it where something was."""
    _long(
        ui,
        shown,
        "Transactions",
        ["id", "payments (TAO)", "fee (TAO)", "in block", "state"],
        [
            [
                short(attempt.tx_id),
                decimal_text(attempt.units),
                "" if attempt.fee is None else decimal_text(attempt.fee),
                attempt.block or "",
                attempt.state,
            ]
            for attempt in tried
        ],
    )
    for attempt in tried:
        if attempt.error:
            ui.hint(f"{shortened(attempt.tx_id)}: {attempt.error}")


def _long(
    ui: Ui,
    payout_batch: PayoutBatch,
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
        ui.hint(f"and {len(rows) - len(shown):,} more. All of them: run.py payout show {payout_batch.id} | less")
