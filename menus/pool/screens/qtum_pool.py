"""The Qtum pool: how it stands, who is owed what, what was won, and what has to be done."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from menus import groups
from menus.frame import levels
from menus.frame.ui import Ui

if TYPE_CHECKING:
    from valtrac.wiring.payouts import App
    from valtrac.wiring.pool import PoolApp

TITLE = "Qtum pool"
ORDER = 97
GROUP = groups.CHAINS
NEWEST = 15  # rows
NOW, CONSOLE, DELEGATES, HISTORY, REWARDS, EXPLAIN, PREVIEW, PAYOUTS = (
    "The pool now",
    "Watch blocks as they come",
    "Delegates and what they are owed",
    "Everything of one delegate",
    "Rewards",
    "Explain one reward",
    "What a payday would pay now",
    "Paydays",
)
CHARTS, CHECK, AUDIT, START, STOP, UNLOCK, PAY, IMPORT, REHEARSE = (
    "Charts: rewards by day, weight over time",
    "Compare the node's settings with ours",
    "Does everything add up?",
    "Start the background job",
    "Stop the background job",
    "Unlock it: stake, and pay",
    "Look at all blocks and pay what is due, here",
    "Come over from the pool payout manager",
    "Rehearse: win blocks, let somebody join or leave",
)

STATEMENT, PROOF = "A statement, as a page", "The proof of the newest payment"
SAME = {
    NOW: "pool now",
    CONSOLE: "pool console",
    DELEGATES: "pool delegates",
    PREVIEW: "pool payout",
    CHECK: "pool check",
    AUDIT: "pool verify",
    START: "pool start",
    STOP: "pool stop",
    UNLOCK: "pool unlock",
}
UNDER = {STATEMENT: HISTORY, PROOF: HISTORY}


def run(app: App, ui: Ui) -> None:
    from menus import same
    from menus.pool.second_node import opened

    own = opened(app.settings, ui)
    acts = {
        NOW: _now,
        CONSOLE: _console,
        DELEGATES: _delegates,
        HISTORY: _history,
        REWARDS: _rewards,
        EXPLAIN: _explain,
        PREVIEW: _preview,
        PAYOUTS: _payouts,
        CHARTS: _charts,
        CHECK: _check,
        AUDIT: _audit,
        START: _start,
        STOP: _stop,
        UNLOCK: _unlock,
        PAY: _pay,
        IMPORT: _import,
    }
    if own.settings.rehearsing_pool:
        acts[REHEARSE] = _rehearse
    try:
        levels.attempt(ui, lambda: _state(own, ui))
        while True:
            chosen = ui.choose("What about the pool?", list(acts), gap_before=CHECK)
            if chosen is None:
                return
            act = partial(acts[chosen], own, ui)
            levels.attempt(ui, partial(same.doing, ui, act, SAME.get(chosen), locked=own.needs_password))
    finally:
        own.close()


def _state(own: PoolApp, ui: Ui) -> None:
    """One line of where this is, and what to do next."""
    from valtrac.core.money import qtum
    from valtrac.database.engine import reading
    from valtrac.pool.store import blocks, book
    from valtrac.rehearsal import pool as rehearsal

    if own.settings.rehearsing_pool and not rehearsal.made(own.settings):
        ui.hint("Rehearsal: there is no node yet. Next: Rehearse makes one.")
        return
    with reading(own.engine) as conn:
        newest, balances = blocks.newest(conn), book.balances(conn)
    if newest is None:
        ui.hint("No block is processed yet. Next: start the background job, then unlock it.")
        return
    owed = qtum(sum(balances.values()))
    ui.hint(f"Looked at up to block {newest.head.number:,}; {owed} owed to {len(balances)} delegates.")


def _now(own: PoolApp, ui: Ui) -> None:
    from menus.pool.acts import show_now

    show_now(ui, own)


def _console(own: PoolApp, ui: Ui) -> None:
    from menus.pool.console import watch_blocks

    watch_blocks(ui, own)


def _delegates(own: PoolApp, ui: Ui) -> None:
    from menus.pool.acts import show_delegates

    show_delegates(ui, own)


def _history(own: PoolApp, ui: Ui) -> None:
    from menus import same
    from menus.pool import views
    from menus.pool.proof import write_proof, write_statement
    from valtrac.database.engine import reading
    from valtrac.pool import overview
    from valtrac.pool.store import book

    with reading(own.engine) as conn:
        known = sorted(book.accounts(conn))
    if not known:
        ui.hint("Nobody was credited yet.")
        return
    delegate = ui.choose("Which delegate?", known)
    if delegate is None:
        return
    views.history(ui, delegate, overview.history(own.pool, delegate))
    same.tell(ui, "pool history", delegate=delegate)
    written = ui.choose("Write it down for the delegate?", [STATEMENT, PROOF])
    folder = own.settings.data / "statements"
    if written == STATEMENT:
        out = folder / f"{delegate}.html"
        write_statement(ui, own, delegate, out)
        same.tell(ui, "pool statement", delegate=delegate, out=out)
    elif written == PROOF:
        out = folder / f"{delegate}-proof.json"
        write_proof(ui, own, delegate, out, None)
        same.tell(ui, "pool proof", delegate=delegate, out=out)


def _rewards(own: PoolApp, ui: Ui) -> None:
    from menus import same
    from menus.pool import views
    from valtrac.pool import overview

    views.rewards(ui, overview.rewards(own.pool, most=NEWEST))
    same.tell(ui, "pool rewards", limit=NEWEST)


def _explain(own: PoolApp, ui: Ui) -> None:
    from menus import same
    from menus.pool import views
    from valtrac.pool import overview
    from valtrac.pool.model.coinstakes import Won

    shared = [each for each in overview.rewards(own.pool, most=50) if each["won"] == Won.DELEGATED]
    if not shared:
        ui.hint("No block was won for the delegates yet.")
        return
    chosen = ui.choose("Which reward?", shared, label=lambda it: f"{it['height']}  {it['at']:%Y-%m-%d %H:%M}")
    if chosen is None:
        return
    told = overview.explain(own.pool, chosen["height"])
    views.explained(ui, told)
    same.tell(ui, "pool explain", height=chosen["height"])
    who = ui.choose("Down to the coins of whom?", [share.delegate for share in told.shares]) if told.shares else None
    if who is not None:
        views.explained(ui, overview.explain(own.pool, chosen["height"], delegate=who))
        same.tell(ui, "pool explain", height=chosen["height"], delegate=who)


def _preview(own: PoolApp, ui: Ui) -> None:
    from menus.pool.acts import show_preview

    show_preview(ui, own)


def _payouts(own: PoolApp, ui: Ui) -> None:
    from menus import same
    from menus.pool import views
    from valtrac.pool import overview

    views.payouts(ui, overview.payouts(own.pool, most=NEWEST))
    same.tell(ui, "pool payouts", limit=NEWEST)


def _charts(own: PoolApp, ui: Ui) -> None:
    from menus import same
    from menus.pool.drawing import draw, names

    name = ui.choose("Which chart?", names())
    if name is not None:
        draw(ui, own, name)
        same.tell(ui, "pool chart", name=name)


def _check(own: PoolApp, ui: Ui) -> None:
    from menus.pool.acts import show_check

    show_check(ui, own)


def _audit(own: PoolApp, ui: Ui) -> None:
    from menus.pool.acts import show_audit

    show_audit(ui, own)


def _start(own: PoolApp, ui: Ui) -> None:
    from menus.pool.acts import start_job

    start_job(ui, own)


def _stop(own: PoolApp, ui: Ui) -> None:
    from menus.jobs import together
    from menus.pool.acts import START as COMMAND

    together.stop(ui, own.settings, COMMAND)


def _unlock(own: PoolApp, ui: Ui) -> None:
    from menus.pool.acts import unlock_job

    unlock_job(ui, own)


def _pay(own: PoolApp, ui: Ui) -> None:
    from menus import same
    from menus.pool.acts import is_due, look, pay_due, show_due, unlock_here

    look(ui, own)  # what is asked about is what is owed now
    if not is_due(ui, own):
        same.tell(ui, "pool look")
        return
    show_due(ui, own)
    if ui.confirm("Pay this now?"):
        unlock_here(ui, own)
        pay_due(ui, own)
        same.tell(ui, "pool pay", password_stdin=own.needs_password)


def _import(own: PoolApp, ui: Ui) -> None:
    from pathlib import Path

    from menus import same
    from menus.pool.acts import bring_over
    from valtrac.core.errors import BadInput

    ui.say("A share file, the folder that it is in, or PPMConfig.txt.")
    typed = ui.path("Which one? (empty to go back)")
    if not typed:
        return
    place = Path(typed).expanduser()
    if not place.exists():
        raise BadInput(f"there is nothing called {typed[:100]}", fix="give its whole path")
    if bring_over(ui, own, place, dry_run=False, yes=False):
        same.tell(ui, "pool import", place=place, yes=True)


def _rehearse(own: PoolApp, ui: Ui) -> None:
    from menus import same
    from menus.pool.acts import look, rehearsal_ready
    from valtrac.rehearsal import pool

    if rehearsal_ready(ui, own):
        look(ui, own)  # counting begins with the node: what is won next counts
    win, day, wait, join, leave, undo = (
        "The pool wins a block",
        "A day goes by",
        "Blocks are made",
        "Somebody delegates",
        "A delegate leaves",
        "The chain drops its newest blocks",
    )
    chosen = ui.choose("What happens there?", [win, day, wait, join, leave, undo])
    if chosen == win:
        ui.done(f"Block {pool.win(own.settings):,} was won for a delegate, and is deep enough to count.")
        same.tell(ui, "pool rehearse", win=1)
    elif chosen == day:
        with ui.working("A day of blocks is made"):
            height = pool.a_day(own.settings)
        ui.done(f"A day went by: the chain is at block {height:,}. What is due is paid by: {PAY}.")
        same.tell(ui, "pool rehearse", days=1)
    elif chosen in (wait, undo):
        typed = ui.text("How many blocks? (empty to go back)", check=pool.blocks_of)
        if typed:
            act, option = (pool.let_pass, "blocks") if chosen == wait else (pool.undo, "undo")
            ui.done(f"The chain is at block {act(own.settings, pool.blocks_of(typed)):,}.")
            same.tell(ui, "pool rehearse", **{option: pool.blocks_of(typed)})
    elif chosen in (join, leave) and (who := ui.choose("Who?", list(pool.people(own.settings)))) is not None:
        ui.done(f"{who}: {(pool.join if chosen == join else pool.leave)(own.settings, who)}")
        same.tell(ui, "pool rehearse", **{"join" if chosen == join else "leave": who})
