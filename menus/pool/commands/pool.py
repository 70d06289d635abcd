"""`run.py pool ...`: a Qtum super staker and its delegates."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from menus.frame.commands import LARGEST, Json, Yes, from_stdin, screen
from menus.frame.grouping import group
from menus.jobs import together
from menus.pool import acts, views
from menus.pool.opened import with_app
from valtrac import settings as config
from valtrac.core.errors import Exit
from valtrac.pool import overview
from valtrac.wiring.pool import PoolApp

app = group("The Qtum pool: block rewards shared among delegates, paid every day.")
Most = Annotated[int, typer.Option("--limit", min=1, max=100_000, help="How many, the newest first.")]
Height = Annotated[int, typer.Argument(min=0, max=LARGEST, help="The block's height.")]
PasswordStdin = Annotated[bool, typer.Option("--password-stdin", help="Read the wallet's password from stdin.")]
Blocks = Annotated[int, typer.Option("--blocks", min=0, max=100_000, help="Let so many blocks be made.")]


@app.command()
def now(as_json: Json = False) -> None:
    """Show how the pool stands: node, weights, what is owed, the last blocks."""
    with_app(lambda own: acts.show_now(screen(as_json), own))


@app.command()
def delegates(as_json: Json = False) -> None:
    """Show who delegates, with which weight, and what each is owed."""
    with_app(lambda own: acts.show_delegates(screen(as_json), own))


@app.command()
def rewards(limit: Most = 20, as_json: Json = False) -> None:
    """Show the blocks that were won, and what they brought."""
    with_app(lambda own: views.rewards(screen(as_json), overview.rewards(own.pool, most=limit)))


@app.command()
def explain(
    height: Height,
    delegate: Annotated[str | None, typer.Option("--delegate", help="Of one delegate, down to its coins.")] = None,
    as_json: Json = False,
) -> None:
    """Show how a reward was shared, down to the coins."""

    def act(own: PoolApp) -> None:
        who = None if delegate is None else acts.named(own, delegate)
        views.explained(screen(as_json), overview.explain(own.pool, height, delegate=who))

    with_app(act)


@app.command()
def history(
    delegate: Annotated[str, typer.Argument(help="Its address.")],
    as_json: Json = False,
) -> None:
    """Show everything that was booked for one delegate."""

    def act(own: PoolApp) -> None:
        who = acts.named(own, delegate)
        views.history(screen(as_json), who, overview.history(own.pool, who))

    with_app(act)


@app.command()
def statement(
    delegate: Annotated[str, typer.Argument(help="Its address.")],
    out: Annotated[
        Path, typer.Option("--out", help="Where it goes: .html, a page; .csv, .xlsx, .parquet, .json, tables.")
    ],
    as_json: Json = False,
) -> None:
    """Write a delegate's statement: a page with its bookings by day and its payments, or a table of its bookings."""
    from menus.pool.proof import write_statement

    with_app(lambda own: write_statement(screen(as_json), own, acts.named(own, delegate), out))


@app.command()
def proof(
    delegate: Annotated[str, typer.Argument(help="Its address.")],
    out: Annotated[Path, typer.Option("--out", help="The file, .json; anybody checks it with run.py verify FILE.")],
    batch: Annotated[int | None, typer.Option("--batch", min=1, help="Of which batch; else of the last.")] = None,
    as_json: Json = False,
) -> None:
    """Prove a payment: from the delegate's coins at each block to the receipt."""
    from menus.pool.proof import write_proof

    with_app(lambda own: write_proof(screen(as_json), own, acts.named(own, delegate), out, batch))


@app.command()
def payouts(limit: Most = 20, as_json: Json = False) -> None:
    """Show the paydays with their transactions."""
    with_app(lambda own: views.payouts(screen(as_json), overview.payouts(own.pool, most=limit)))


@app.command()
def payout(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show it; nothing else can be asked here.")] = True,
    as_json: Json = False,
) -> None:
    """Show what a payday would pay now; changes nothing. It is paid by `pool pay`, or by itself."""
    with_app(lambda own: acts.show_preview(screen(as_json), own))


@app.command()
def pay(
    by_hand: Annotated[
        bool, typer.Option("--sent-by-hand", help="What the wallet paid delegates besides was you, for other things.")
    ] = False,
    password_stdin: PasswordStdin = False,
    as_json: Json = False,
) -> None:
    """Look at every block, then keep the payday that is due, here, within the standing caps."""

    def act(own: PoolApp) -> None:
        ui = screen(as_json)
        password = from_stdin(password_stdin)
        acts.look(ui, own)
        told: dict[str, object] = {"payments_final": 0, "payday": None, "words": []}
        if acts.is_due(ui, own):
            acts.unlock_here(ui, own, password=password)
            told = acts.pay_due(ui, own, by_hand=by_hand)
        if as_json:
            ui.records(told)

    with_app(act)


@app.command()
def look(as_json: Json = False) -> None:
    """Look at every block up to now, here, and stop."""

    def act(own: PoolApp) -> None:
        ui = screen(as_json)
        told = acts.look(ui, own)
        if as_json:
            ui.records(told)

    with_app(act)


@app.command()
def console(
    seconds: Annotated[int, typer.Option("--seconds", min=0, help="Stop by itself after so long; 0: never.")] = 0,
) -> None:
    """Watch blocks as they come; Ctrl-C leaves, and everything goes on running."""
    from menus.pool.console import watch_blocks

    with_app(lambda own: watch_blocks(screen(), own, seconds=seconds))


@app.command()
def chart(
    name: Annotated[str, typer.Argument(help="pool-rewards or pool-weight.")] = "pool-rewards",
    out: Annotated[Path | None, typer.Option("--out", help="Where it goes: .png or .svg.")] = None,
    width: Annotated[int | None, typer.Option("--width", min=300, max=10_000, help="Of the PNG, in pixels.")] = None,
    as_json: Json = False,
) -> None:
    """Draw rewards and payouts by day, or weights over time: picture files, and the terminal."""
    from menus.pool.drawing import draw

    with_app(lambda own: draw(screen(as_json), own, name, out, width_px=width))


@app.command()
def verify(as_json: Json = False) -> int:
    """Reckon everything anew: rewards, shares, paydays, and each payment beside the chain."""
    whole = with_app(lambda own: acts.show_audit(screen(as_json), own))
    return int(Exit.DONE if whole else Exit.OUR_FAULT)


@app.command()
def check(as_json: Json = False) -> int:
    """Compare the node's settings with ours."""
    good = with_app(lambda own: acts.show_check(screen(as_json), own))
    return int(Exit.DONE if good else Exit.REFUSED)


@app.command("begin-after")
def begin_after(block: Height, as_json: Json = False) -> None:
    """Count rewards from the block after this one on; once, before anything was counted."""
    from valtrac.pool.pool import begin_at

    def act(own: PoolApp) -> None:
        begin_at(own.pool, block, "as its owner said")
        screen(as_json).done(f"Rewards are counted from block {block + 1:,} on.")

    with_app(act)


@app.command()
def start() -> int:
    """Start the background job under pm2; it starts locked."""
    return int(Exit.DONE if with_app(lambda own: acts.start_job(screen(), own)) else Exit.REFUSED)


@app.command()
def stop() -> None:
    """Stop the background job; what is under way comes to its end first."""
    together.stop(screen(), config.load(), acts.START)


@app.command()
def unlock(password_stdin: PasswordStdin = False) -> None:
    """Hand the wallet's password to the background job; it keeps it in memory only."""
    with_app(lambda own: acts.unlock_job(screen(), own, password=from_stdin(password_stdin)))


@app.command("import")
def import_(
    place: Annotated[Path, typer.Argument(exists=True, help="A share file, its folder, or PPMConfig.txt.")],
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only show what would happen.")] = False,
    yes: Yes = False,
    as_json: Json = False,
) -> None:
    """Come over from the pool payout manager: what it owes, and from which block on to go on."""
    with_app(lambda own: acts.bring_over(screen(as_json), own, place, dry_run=dry_run, yes=yes))


@app.command()
def rehearse(
    blocks: Blocks = 0,
    days: Annotated[int, typer.Option("--days", min=0, max=60, help="Let so many days go by.")] = 0,
    win: Annotated[int, typer.Option("--win", min=0, max=1_000, help="Let the pool win so many blocks.")] = 0,
    join: Annotated[str | None, typer.Option("--join", help="Let somebody delegate: eve.")] = None,
    leave: Annotated[str | None, typer.Option("--leave", help="Let a delegate leave.")] = None,
    undo: Annotated[int, typer.Option("--undo", min=0, max=500, help="Let the chain drop its newest blocks.")] = 0,
    stop_: Annotated[
        bool, typer.Option("--stop", help="End the node's own process; it starts again when asked.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Make the Qtum rehearsal node where it is missing; let things happen on it."""
    from valtrac.rehearsal import pool

    held, ui = config.load(), screen(as_json)
    with_app(lambda own: acts.rehearsal_ready(ui, own))
    happened: list[dict[str, object]] = []

    def tell(what: str, value: int | str, words: str) -> None:
        happened.append({"what": what, "value": value})
        if not ui.as_json:
            ui.done(words)

    if join:
        tell("join", tx := pool.join(held, join), f"{join} delegates: {tx}")
    if leave:
        tell("leave", tx := pool.leave(held, leave), f"{leave} leaves: {tx}")
    for _ in range(win):
        tell("win", height := pool.win(held), f"Block {height:,} was won for a delegate.")
    if blocks:
        tell("blocks", height := pool.let_pass(held, blocks), f"The chain is at block {height:,}.")
    for _ in range(days):
        tell("day", height := pool.a_day(held), f"A day went by: the chain is at block {height:,}.")
    if undo:
        tell("undo", height := pool.undo(held, undo), f"The chain has other blocks now, up to {height:,}.")
    if stop_:
        pool.end(held)
        tell("stop", "node", "The rehearsal node has ended.")
    if ui.as_json:
        ui.records({"people": pool.people(held), "happened": happened})
