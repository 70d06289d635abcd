"""`run.py payout ...`: plan, approve, send, reconcile, show."""

from __future__ import annotations

import sys
from typing import Annotated, Any, get_args

import typer

from menus.frame.commands import LARGEST, Hotkey, Json, Number, opened, screen, units
from menus.frame.grouping import group
from menus.frame.layout import count
from menus.payouts import proof as proof_commands
from menus.payouts import records, views
from menus.payouts.authorities import authorities, pin_authorities
from menus.payouts.begin_after import begin_after
from menus.payouts.foreign import lost, rule_foreign, rule_gone
from menus.payouts.options import (
    AcceptFee,
    FallsAreZero,
    FeePolicy,
    FirstBlock,
    History,
    HowWeighed,
    LastBlock,
    Minimum,
    NetworkFee,
    Offline,
    Password,
    Pool,
    Subnet,
    Who,
    one_of,
)
from menus.payouts.sending import deliver, look, node_if_any
from menus.payouts.verify import verify
from valtrac.core.errors import OutcomeUnknown, Refused
from valtrac.core.money import decimal_text, parse_units, rao
from valtrac.payouts.model import plans as domain
from valtrac.payouts.model.batches import PayoutBatch
from valtrac.people.model.policies import By
from valtrac.snapshots.model.stakes import METHODS, parse_netuid
from valtrac.wiring.payouts import App

app = group("Payouts: plan, approve, send, resume, reconcile, show, list, void.")


@app.command()
def plan(
    pool: Pool,
    hotkey: Hotkey = None,
    by: Who = "users",
    method: HowWeighed = "mean-share",
    netuid: Subnet = "0",
    from_block: FirstBlock = None,
    to_block: LastBlock = None,
    fee_policy: FeePolicy = None,
    fee: NetworkFee = None,
    minimum: Minimum = None,
    ignore_withdrawals: FallsAreZero = False,
    offline: Offline = False,
    as_json: Json = False,
) -> None:
    """Compute who gets what, and store it as a draft. Nothing is owed or sent by that.

    On a terminal it shows tables; with --json, or where nobody looks, it prints the plan's record.
    """
    from valtrac.payouts import drafts

    # a script or a cron job reads the record; a person, on a terminal, the tables
    ui, valtrac = screen(as_json or not sys.stdout.isatty()), opened()
    settings = valtrac.settings
    try:
        request = drafts.Request(
            **_from_settings(valtrac),
            hotkey=valtrac.hotkey(hotkey),
            pool=parse_units(pool, field="pool"),
            by=one_of(by, get_args(By), "by"),
            method=one_of(method, METHODS, "method"),
            netuid=parse_netuid(netuid),
            from_block=from_block,
            to_block=to_block,
            fee=units(fee, "fee"),
            fee_policy=one_of(fee_policy or settings.fee_policy, get_args(domain.FeePolicy), "fee-policy"),
            minimum=settings.minimum if minimum is None else parse_units(minimum, field="minimum"),
            ignore_withdrawals=ignore_withdrawals,
        )
        batch = drafts.draft(valtrac.engine, request, None if offline else node_if_any(valtrac, ui))
        _drafted(ui, valtrac, batch, offline=offline)
    finally:
        valtrac.close()


@app.command()
def release(
    whom: Annotated[list[str] | None, typer.Argument(help="Users or addresses; everyone without.")] = None,
    fee: Annotated[
        str | None, typer.Option("--fee", help="The network fee in TAO, instead of asking the node.")
    ] = None,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask the node.")] = False,
    as_json: Json = False,
) -> None:
    """Draft a payout of held balances on request, whatever the minimum. Nothing is owed or sent by that."""
    from valtrac.database.engine import reading
    from valtrac.payouts import drafts
    from valtrac.people import policies

    ui, valtrac = screen(as_json or not sys.stdout.isatty()), opened()
    settings = valtrac.settings
    try:
        with reading(valtrac.engine) as conn:
            persons = tuple(policies.account(conn, name) for name in whom or ())
        request = drafts.Request(
            hotkey="",
            pool=0,
            wallet=valtrac.wallet_address,
            fee=units(fee, "fee"),
            fee_policy=settings.fee_policy,
            fee_per_payee=settings.fee_per_payee,
            chunk_size=settings.chunk_size,
            persons=persons,
        )
        chain = None if offline else node_if_any(valtrac, ui)
        _drafted(ui, valtrac, drafts.draft_balances(valtrac.engine, request, chain), offline=offline)
    finally:
        valtrac.close()


@app.command()
def liquidity(
    batch_id: Annotated[int | None, typer.Argument(min=1, max=LARGEST, help="A batch to pay; none: as it is.")] = None,
    as_json: Json = False,
) -> None:
    """Show what the payout wallet holds, what is missing, and for how many payouts it lasts."""
    from menus.payouts import ledger_views

    ui, valtrac = screen(as_json), opened()
    try:
        ledger_views.liquidity(ui, valtrac.liquidity(batch_id), valtrac.settings.network)
    finally:
        valtrac.close()


@app.command("set-aside")
def set_aside(
    batch_id: Number,
    whom: str,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept for ever.")],
    as_json: Json = False,
) -> None:
    """Take one payment that is still owed out of its batch, back to the balance, to be paid later."""
    from menus.payouts import ledger_views
    from valtrac.payouts import balances

    ui, valtrac = screen(as_json), opened()
    account = balances.set_aside(valtrac.engine, valtrac.producer, batch_id, whom, reason)
    ui.done(f"Set aside. {account.name} has {rao(account.held)} held; the next payout pays it.")
    if as_json:
        ui.records(ledger_views.record(account))


@app.command()
def approve(
    batch_id: Number,
    total: Annotated[str, typer.Option("--total", help="The total of the batch, typed back.")],
    allow_overlap: Annotated[str, typer.Option("--allow-overlap", help="Why a range is paid again.")] = "",
    despite: Annotated[str, typer.Option("--despite", help="Why it is right though unlike the last payouts.")] = "",
    as_json: Json = False,
) -> None:
    """Approve a draft: its payments are owed from then on. Nothing is sent yet."""
    from valtrac.payouts import approvals

    ui, valtrac = screen(as_json), opened()
    batch = approvals.approve(
        valtrac.engine,
        valtrac.settings,
        valtrac.caps,
        batch_id,
        total,
        overlap_reason=allow_overlap,
        despite=despite,
    )
    ui.done(f"Batch #{batch.id} is approved. Next: run.py payout send {batch.id}")
    if as_json:
        ui.records(records.summary(batch))


@app.command()
def send(
    batch_id: Number,
    password_stdin: Password = False,
    accept_history: History = False,
    accept_fee: AcceptFee = False,
    as_json: Json = False,
) -> int:
    """Send an approved batch, chunk by chunk, and wait until each is final."""
    return _send(batch_id, password_stdin, as_json, accept_history=accept_history, accept_fee=accept_fee)


@app.command()
def resume(
    batch_id: Number,
    password_stdin: Password = False,
    accept_history: History = False,
    accept_fee: AcceptFee = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try again what failed alone.")] = False,
    as_json: Json = False,
) -> int:
    """Go on with a batch that stopped half-way; a payment that makes its chunk fail is set aside."""
    how = {"accept_history": accept_history, "accept_fee": accept_fee, "retry_failed": retry_failed}
    return _send(batch_id, password_stdin, as_json, isolate=True, **how)


@app.command()
def reconcile(as_json: Json = False) -> None:
    """Find out from the chain what became of everything that was sent."""
    ui, valtrac = screen(as_json), opened()
    try:
        batch = look(valtrac, ui)
    finally:
        valtrac.close()
    if as_json:
        with ui.afterwards():
            ui.records(
                [
                    {"tx_id": f.attempt.tx_id, "batch": f.attempt.batch_id, "state": f.called, "words": f.words}
                    for f in batch
                ]
            )
    unknown = [finding for finding in batch if finding.state is None]
    if unknown:
        raise OutcomeUnknown(
            f"{count(len(unknown), 'transaction')} not seen in a final block yet",
            why=unknown[0].words,
            fix="look again later: run.py payout reconcile",
        )
    ui.done("Nothing is open.")


@app.command("show")
def show(batch_id: Number, as_json: Json = False) -> None:
    """Show a batch with its payments and transactions."""
    from valtrac.database.engine import reading
    from valtrac.payouts.store import batches

    ui, valtrac = screen(as_json), opened()
    with reading(valtrac.engine) as conn:
        batch = batches.get(conn, batch_id)
    views.batch(ui, valtrac.engine, batch, always_whole=True)
    views.unusual(ui, valtrac, batch)
    views.waiting(ui, valtrac, batch)


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List all batches, the newest first."""
    views.batches(screen(as_json), opened().engine)


@app.command()
def void(
    batch_id: Number,
    reason: Annotated[str, typer.Option("--reason", help="Why; kept for ever.")],
    as_json: Json = False,
) -> None:
    """Take back a draft or an approved batch of which nothing was signed."""
    from valtrac.payouts import approvals

    ui, batch = screen(as_json), approvals.void(opened().engine, batch_id, reason)
    ui.done(f"Batch #{batch.id} is void; its range is free again.")
    if as_json:
        ui.records(records.summary(batch))


@app.command()
def adopt(as_json: Json = False) -> None:
    """Take over a transaction that the journal has lost, where it paid what a batch owes; then reconcile."""
    from valtrac.payments import foreign

    ui, valtrac = screen(as_json), opened()
    try:
        taken_over, matched = foreign.adopt(valtrac.door(), valtrac.wallet_address)
    finally:
        valtrac.close()
    ui.done(
        f"The transaction in block {taken_over.used.head.number} counts as the payment of {len(matched.lines)} lines "
        f"of batch #{matched.batch.id}."
    )
    reconcile(as_json)


def _from_settings(valtrac: App) -> dict[str, Any]:
    """What a request takes from the settings and not from the command."""
    settings = valtrac.settings
    return {
        "wallet": valtrac.wallet_address,
        "fee_per_payee": settings.fee_per_payee,
        "chunk_size": settings.chunk_size,
        "interval": settings.snapshot_interval,
        "take_back_bps": settings.take_back,
    }


def _drafted(ui: Any, valtrac: App, batch: PayoutBatch, *, offline: bool) -> None:
    """Show a draft, what is unusual about it, whether the wallet can pay it, and the next step."""
    views.batch(ui, valtrac.engine, batch)
    if not ui.as_json:
        views.unusual(ui, valtrac, batch)
        views.waiting(ui, valtrac, batch)
        if not offline:
            views.wallet(ui, valtrac, batch)
    ui.hint(f"Next: run.py payout approve {batch.id} --total {decimal_text(batch.total)}")


def _send(batch_id: Number, password_stdin: bool, as_json: bool, **how: bool) -> int:
    """Unlock, send, show. Missing password: nothing is signed (exit 3)."""
    ui, valtrac = screen(as_json), opened()
    try:
        payer = valtrac.unlock(_password(valtrac, ui, password_stdin))
        return deliver(valtrac, ui, payer, batch_id, **how)
    finally:
        valtrac.close()


def _password(valtrac: App, ui: Any, from_stdin: bool) -> str:
    if not valtrac.needs_password:
        return ""
    valtrac.guard_memory()
    if from_stdin:
        return sys.stdin.readline().rstrip("\r\n")
    if not ui.can_ask:
        raise Refused(
            "the wallet is locked and nobody can be asked for its password",
            fix="give it with --password-stdin, or run this on a terminal",
        )
    return str(ui.password(f"Password of wallet {valtrac.settings.wallet_name}:"))


others = (begin_after, proof_commands.explain, proof_commands.proof, lost, rule_foreign, rule_gone, verify)
for command in (*others, authorities, pin_authorities):
    app.command()(command)
