"""`run.py payout ...`: plan, approve, send, reconcile, show."""

from __future__ import annotations

import sys
from typing import Annotated, Any, get_args

import typer

from menus import payout_records as records
from menus import payout_views as views
from menus.commands import proof as proof_commands
from menus.commands.common import LARGEST, Hotkey, Json, Number, group, opened, screen, units
from menus.layout import count
from valtrac.app import App
from valtrac.domain import plans as domain
from valtrac.domain.batches import Batch
from valtrac.domain.money import decimal_text, parse_units, rao
from valtrac.domain.stakes import METHODS, parse_netuid
from valtrac.errors import BadInput, ChainUnreachable, OutcomeUnknown, Refused

app = group("Payouts: plan, approve, send, resume, reconcile, show, list, void.")
Password = Annotated[bool, typer.Option("--password-stdin", help="Read the wallet's password from standard input.")]
Fee = Annotated[bool, typer.Option("--accept-fee", help="Pay a network fee far above the draft's.")]
History = Annotated[
    bool, typer.Option("--accept-history", help="None of the wallet's older transactions was a payout.")
]


@app.command()
def plan(
    pool: Annotated[str, typer.Option("--pool", help="What is shared out, in TAO.")],
    hotkey: Hotkey = None,
    by: Annotated[str, typer.Option("--by", help="users (with referrals) or nominators.")] = "users",
    method: Annotated[str, typer.Option("--method", help="mean-share, stake-time or accrual.")] = "mean-share",
    netuid: Annotated[str, typer.Option("--netuid", help="Whose stake counts: a subnet, or all in TAO.")] = "0",
    from_block: Annotated[
        int | None, typer.Option("--from", min=0, max=LARGEST, help="First block; default: after the last batch.")
    ] = None,
    to_block: Annotated[
        int | None, typer.Option("--to", min=0, max=LARGEST, help="Last block; default: the last snapshot's.")
    ] = None,
    fee_policy: Annotated[
        str | None, typer.Option("--fee-policy", help="Who bears the fee: pool, payee, owner.")
    ] = None,
    fee: Annotated[
        str | None, typer.Option("--fee", help="The network fee in TAO, instead of asking the node.")
    ] = None,
    minimum: Annotated[str | None, typer.Option("--minimum", help="Below this (TAO) an amount is held.")] = None,
    ignore_withdrawals: Annotated[
        bool, typer.Option("--ignore-withdrawals", help="accrual: count a fall as 0.")
    ] = False,
    offline: Annotated[bool, typer.Option("--offline", help="Do not ask the node.")] = False,
    as_json: Json = False,
) -> None:
    """Compute who gets what, and store it as a draft. Nothing is owed or sent by that.

    On a terminal it shows tables; with --json, or where nobody looks, it prints the plan's record.
    """
    from valtrac.services import plans

    # a script or a cron job reads the record; a person, on a terminal, the tables
    ui, valtrac = screen(as_json or not sys.stdout.isatty()), opened()
    settings = valtrac.settings
    try:
        request = plans.Request(
            hotkey=valtrac.hotkey(hotkey),
            pool=parse_units(pool, field="pool"),
            wallet=valtrac.wallet_address,
            by=_one_of(by, get_args(domain.By), "by"),
            method=_one_of(method, METHODS, "method"),
            netuid=parse_netuid(netuid),
            from_block=from_block,
            to_block=to_block,
            fee=units(fee, "fee"),
            fee_policy=_one_of(fee_policy or settings.fee_policy, get_args(domain.FeePolicy), "fee-policy"),
            minimum=settings.minimum if minimum is None else parse_units(minimum, field="minimum"),
            fee_per_payee=settings.fee_per_payee,
            chunk_size=settings.chunk_size,
            interval=settings.snapshot_interval,
            ignore_withdrawals=ignore_withdrawals,
            take_back_bps=settings.take_back,
        )
        batch = plans.draft(valtrac.engine, request, None if offline else _chain_if_any(valtrac, ui))
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
    from valtrac.services import plans, policies
    from valtrac.store.engine import reading

    ui, valtrac = screen(as_json or not sys.stdout.isatty()), opened()
    settings = valtrac.settings
    try:
        with reading(valtrac.engine) as conn:
            persons = tuple(policies.account(conn, name) for name in whom or ())
        request = plans.Request(
            hotkey="",
            pool=0,
            wallet=valtrac.wallet_address,
            fee=units(fee, "fee"),
            fee_policy=settings.fee_policy,
            fee_per_payee=settings.fee_per_payee,
            chunk_size=settings.chunk_size,
            persons=persons,
        )
        chain = None if offline else _chain_if_any(valtrac, ui)
        _drafted(ui, valtrac, plans.draft_balances(valtrac.engine, request, chain), offline=offline)
    finally:
        valtrac.close()


@app.command()
def liquidity(
    batch_id: Annotated[int | None, typer.Argument(min=1, max=LARGEST, help="A batch to pay; none: as it is.")] = None,
    as_json: Json = False,
) -> None:
    """Show what the payout wallet holds, what is missing, and for how many payouts it lasts."""
    from menus import ledger_views
    from valtrac.services import treasury

    ui, valtrac = screen(as_json), opened()
    try:
        ledger_views.liquidity(
            ui,
            treasury.liquidity(
                valtrac.engine, valtrac.chain, valtrac.wallet_address, batch_id, chunk_size=valtrac.settings.chunk_size
            ),
        )
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
    from menus import ledger_views
    from valtrac.services import balances

    ui, found = screen(as_json), balances.set_aside(opened().engine, batch_id, whom, reason)
    ui.done(f"Set aside. {found.name} has {rao(found.held)} held; the next payout pays it.")
    if as_json:
        ui.records(ledger_views.record(found))


@app.command()
def approve(
    batch_id: Number,
    total: Annotated[str, typer.Option("--total", help="The total of the batch, typed back.")],
    allow_overlap: Annotated[str, typer.Option("--allow-overlap", help="Why a range is paid again.")] = "",
    despite: Annotated[str, typer.Option("--despite", help="Why it is right though unlike the last payouts.")] = "",
    as_json: Json = False,
) -> None:
    """Approve a draft: its payments are owed from then on. Nothing is sent yet."""
    from valtrac.services import approvals

    ui, valtrac = screen(as_json), opened()
    batch = approvals.approve(
        valtrac.engine, valtrac.settings, batch_id, total, overlap_reason=allow_overlap, despite=despite
    )
    ui.done(f"Batch #{batch.id} is approved. Next: run.py payout send {batch.id}")
    if as_json:
        ui.records(records.summary(batch))


@app.command()
def send(
    batch_id: Number,
    password_stdin: Password = False,
    accept_history: History = False,
    accept_fee: Fee = False,
    as_json: Json = False,
) -> int:
    """Send an approved batch, chunk by chunk, and wait until each is final."""
    return _send(batch_id, password_stdin, as_json, accept_history=accept_history, accept_fee=accept_fee)


@app.command()
def resume(
    batch_id: Number,
    password_stdin: Password = False,
    accept_history: History = False,
    accept_fee: Fee = False,
    retry_failed: Annotated[bool, typer.Option("--retry-failed", help="Try again what failed alone.")] = False,
    as_json: Json = False,
) -> int:
    """Go on with a batch that stopped half-way; a payment that makes its chunk fail is set aside."""
    how = {"accept_history": accept_history, "accept_fee": accept_fee, "retry_failed": retry_failed}
    return _send(batch_id, password_stdin, as_json, isolate=True, **how)


@app.command()
def reconcile(as_json: Json = False) -> None:
    """Find out from the chain what became of everything that was sent."""
    from valtrac.services import reconcile as service

    ui, valtrac = screen(as_json), opened()
    try:
        found = service.reconcile(
            valtrac.engine, valtrac.chain, witnesses=valtrac.witnesses, log=valtrac.settings.logs / "payout_log.csv"
        )
        views.note_prices(ui, valtrac, found)
    finally:
        valtrac.close()
    for finding in found:
        ui.say(f"{finding.attempt.tx_id}: {finding.state}, {finding.words}")
    if as_json:
        ui.records(
            [{"tx_id": f.attempt.tx_id, "batch": f.attempt.batch_id, "state": f.state, "words": f.words} for f in found]
        )
    unknown = [finding for finding in found if finding.state == "unknown"]
    if unknown:
        raise OutcomeUnknown(
            f"{count(len(unknown), 'transaction')} not seen in a final block yet",
            unknown[0].words,
            "look again later: run.py payout reconcile",
        )
    ui.done("Nothing is open.")


@app.command("show")
def show(batch_id: Number, as_json: Json = False) -> None:
    """Show a batch with its payments and transactions."""
    from valtrac.store import batches
    from valtrac.store.engine import reading

    ui, valtrac = screen(as_json), opened()
    with reading(valtrac.engine) as conn:
        found = batches.get(conn, batch_id)
    views.batch(ui, valtrac.engine, found)
    views.unusual(ui, valtrac, found)
    views.waiting(ui, valtrac, found)


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
    from valtrac.services import approvals

    ui, batch = screen(as_json), approvals.void(opened().engine, batch_id, reason)
    ui.done(f"Batch #{batch.id} is void; its range is free again.")
    if as_json:
        ui.records(records.summary(batch))


@app.command()
def adopt(as_json: Json = False) -> None:
    """Take over a transaction that the journal has lost, where it paid what a batch owes; then reconcile."""
    from valtrac.services import foreign

    ui, valtrac = screen(as_json), opened()
    try:
        found, matched = foreign.adopt(valtrac.engine, valtrac.chain, valtrac.wallet_address)
    finally:
        valtrac.close()
    ui.done(
        f"The transaction in block {found.head.number} counts as the payment of {len(matched.lines)} lines of batch "
        f"#{matched.batch.id}."
    )
    reconcile(as_json)


@app.command("rule-foreign")
def rule_foreign(
    words: Annotated[str, typer.Option("--words", help="What the transaction was; kept for ever.")],
    it_pays_users: Annotated[
        bool, typer.Option("--it-pays-users", help="It pays addresses of users and was still no payout.")
    ] = False,
) -> None:
    """Say of the wallet's unexplained transaction that it was no payment of a batch, so that paying can go on."""
    from valtrac.services import foreign

    valtrac = opened()
    try:
        found = foreign.rule(valtrac.engine, valtrac.chain, valtrac.wallet_address, words, pays_users=it_pays_users)
    finally:
        valtrac.close()
    screen().done(
        f"Nonce {found.nonce}, used in block {found.head.number}, counts as foreign: {foreign.described(found)}."
    )


def _drafted(ui: Any, valtrac: App, batch: Batch, *, offline: bool) -> None:
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
    from valtrac.services import payouts

    ui, valtrac = screen(as_json), opened()
    try:
        payer = valtrac.unlock(_password(valtrac, ui, password_stdin))
        door = views.door(valtrac, tell=ui.say)
        with ui.working(f"Sending batch #{batch_id}, and waiting until it is final"):
            batch = payouts.send(door, payer, batch_id, **how)
        views.note_price(ui, valtrac, batch)
        return views.after_sending(ui, valtrac, batch)
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
            "",
            "give it with --password-stdin, or run this on a terminal",
        )
    return str(ui.password(f"Password of wallet {valtrac.settings.wallet_name}:"))


def _chain_if_any(valtrac: App, ui: Any) -> Any:
    """The node, or None, said aloud, where it does not answer: a plan can be made without one."""
    try:
        valtrac.chain.identity()
        return valtrac.chain
    except ChainUnreachable as error:
        ui.warn(f"planning without a node: {error.what}")
        return None


def _one_of(text: str, allowed: tuple[str, ...], field: str) -> Any:
    if text not in allowed:
        raise BadInput(f"{field}: {text[:40]!r} is none of {', '.join(allowed)}", "", f"--{field} {allowed[0]}")
    return text


app.command("explain")(proof_commands.explain)
app.command("proof")(proof_commands.proof)
