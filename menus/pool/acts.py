"""What an owner does with the pool, from a menu or by a command."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from menus.backups.views import before_paying
from menus.frame.commands import agree
from menus.frame.layout import count
from menus.frame.ui import Ui
from menus.jobs import together
from menus.pool import check_views, views
from valtrac.core.errors import BadInput, ChainUnreachable
from valtrac.core.staking import NodeState
from valtrac.core.text import plain
from valtrac.pool import coming_over, day_log, monitor, overview, payday, share_files, watch
from valtrac.pool.audit import audit
from valtrac.pool.model import old_config
from valtrac.pool.model.weights import Rule
from valtrac.pool.pool import Pool
from valtrac.wiring.pool import PoolApp

START = "pool start"
ONE_NODE = "One node is trusted for what it says: name another in VALTRAC_QTUM_SECOND_NODE."


def show_now(ui: Ui, own: PoolApp) -> None:
    """How the pool stands; the node may be away."""
    with ui.working("Asking the node"):
        pool = own.pool
        node: NodeState | None = None
        try:
            node = pool.chain.state()
        except ChainUnreachable as error:
            ui.warn(str(error))
    views.now(ui, overview.now(pool, node))
    if own.settings.trusts_one_qtum_node and not ui.as_json:
        ui.hint(ONE_NODE)


def look(ui: Ui, own: PoolApp) -> dict[str, Any]:
    """Look at every block up to now, here; how many, and up to which."""
    pool = own.pool
    state = pool.chain.state()
    seen = 0
    with ui.progress("Looking at blocks") as tell:
        while True:
            done = monitor.look(pool, state, most=100)
            seen += done.looked_at
            tell(seen, seen + done.behind, f"block {done.block:,}")
            if not done.behind:
                break
    watch.watch(pool, state, watch.policy_of(pool), started_at=pool.now())
    _write_files(ui, pool)
    ui.done(f"{count(seen, 'block')} looked at, up to {done.block:,}.")
    return {"blocks_looked_at": seen, "looked_at": done.block}


def _write_files(ui: Ui, pool: Pool) -> None:
    """Write what people read beside the database; where that fails, what was done before stays done."""
    try:
        share_files.write(pool)
        day_log.write(pool)
    except BadInput as error:
        ui.warn(str(error))


def show_preview(ui: Ui, own: PoolApp) -> None:
    """What a payday would pay by what was looked at; changes nothing."""
    pool = own.pool
    with suppress(ChainUnreachable):  # it is asked only for how much is missing
        if behind := overview.unseen(pool, pool.chain.state()):
            ui.warn(f"{count(behind, 'block')} not looked at yet: what they brought is not in it (run.py pool look).")
    views.preview(ui, payday.preview(pool, pool.now()))


def is_due(ui: Ui, own: PoolApp) -> bool:
    """Whether there is something to pay, or to finish; says when the next payday is where there is not."""
    pool = own.pool
    if payday.moment(pool, pool.chain.state()) is not None or overview.waits_to_be_sent(pool):
        return True
    payday.list_what_landed(pool)
    ui.say(f"Nothing is due: the next payday is {pool.settings.pool_schedule.next(pool.now()):%Y-%m-%d %H:%M} UTC.")
    return False


def show_due(ui: Ui, own: PoolApp) -> None:
    """What would be sent now: a payday that was kept and is not paid whole, and the one that has come."""
    pool = own.pool
    if overview.waits_to_be_sent(pool):
        views.payouts(ui, overview.payouts(pool, most=3))
    if payday.moment(pool, pool.chain.state()) is not None:
        show_preview(ui, own)


def pay_due(ui: Ui, own: PoolApp, *, by_hand: bool = False) -> dict[str, Any]:
    """Finish what is open, keep the payday that is due, and send it; what came of it. by_hand: what the wallet paid
    delegates besides was the owner."""
    pool = own.pool if ui.as_json else replace(own.pool, tell=ui.say)
    done = payday.pay(pool, own.payer(), pool.chain.state(), by_hand=by_hand)
    _write_files(ui, pool)
    for words in done.words:
        ui.warn(words)
    if done.kept:
        ui.done(payday.in_words(done.kept))
    ui.done(f"{count(done.paid, 'payment')} final.")
    return {
        "payments_final": done.paid,
        "payday": done.kept and done.kept.due_at.isoformat(),
        "words": list(done.words),
    }


def named(own: PoolApp, who: str) -> str:
    """The address of somebody; in a rehearsal its people may be called by their names."""
    from valtrac.rehearsal import pool

    return pool.people(own.settings).get(who, who) if own.settings.rehearsing_pool else who


def show_delegates(ui: Ui, own: PoolApp) -> None:
    """Who delegates, with which weight; in a rehearsal with their names."""
    from valtrac.rehearsal import pool

    people = pool.people(own.settings) if own.settings.rehearsing_pool else {}
    names, by_ppmu = {address: name for name, address in people.items()}, own.settings.pool_rule == Rule.PPMU
    views.delegates(ui, overview.delegates(own.pool), names=names, by_ppmu=by_ppmu)


def show_audit(ui: Ui, own: PoolApp) -> bool:
    """Whether everything adds up; what is gone is handed over again where the payer is unlocked."""
    with ui.working("Adding up"):
        told = audit(own.pool, payer=None if own.locked else own.payer())
    return check_views.audit(ui, told)


def show_check(ui: Ui, own: PoolApp) -> bool:
    """Compare what the node does with what the settings say."""
    with ui.working("Asking the node"):
        pool = own.pool
        rows = overview.check(pool, pool.chain.state(), pool.chain.policy(pool.staker))
    return check_views.checks(ui, rows)


def unlock_here(ui: Ui, own: PoolApp, *, password: str | None = None) -> None:
    """Unlock this process alone, for one payment by hand."""
    if own.locked:
        before_paying(ui, own.settings)
        own.unlock(_password(ui, own, password))


def _password(ui: Ui, own: PoolApp, password: str | None) -> str:
    if not own.needs_password:
        return ""
    return ui.password("Password of the node's wallet:") if password is None else password


def unlock_job(ui: Ui, own: PoolApp, *, password: str | None = None) -> None:
    """Hand the wallet's password to the background job, which keeps it in memory only. Raises BadInput, Refused."""
    together.see_that_one_runs(own.settings, START)
    together.unlock(ui, own.settings, START, {"password": _password(ui, own, password)})


def start_job(ui: Ui, own: PoolApp) -> bool:
    """Start the background job; it starts locked: it watches, shares, and pays nothing."""
    _ = own.chain  # the node is named, or the rehearsal's is there
    started = together.start(ui, own.settings, START)
    if started:
        ui.hint("Next: unlock it, so that it stakes and pays: run.py pool unlock.")
    return started


def bring_over(ui: Ui, own: PoolApp, place: Path, *, dry_run: bool, yes: bool) -> bool:
    """Take over what an older program owes; asks before anything is changed; whether it was done."""
    if place.is_file() and place.name.lower() == "ppmconfig.txt":
        rows = old_config.read(place.read_text(encoding="latin-1"))
        if not any(row.line for row in rows):
            raise BadInput(
                f"{plain(place.name)} has none of the lines of the pool payout manager",
                why='a line of it reads "poolFee": 12, # a comment',
                fix="name its PPMConfig.txt",
            )
        check_views.old_settings(ui, rows)
        ui.hint("Write what you choose into .env; nothing was changed.")
        return False
    handover = coming_over.look(own.pool, place)
    check_views.found(ui, handover)
    for address in handover.strangers[:5]:
        ui.warn(f"{plain(address, 60)} is no address of this network")
    if dry_run:
        ui.hint("Nothing was changed.")
        return False
    if not agree(ui, yes, "Take this over? What it owes is owed here from then on."):
        return False
    ui.done(f"{count(coming_over.take(own.pool, handover), 'delegate')} taken over.")
    return True


def rehearsal_ready(ui: Ui, own: PoolApp) -> bool:
    """Make the rehearsal node where it is missing; whether it was. Raises BadInput where this is no rehearsal."""
    from valtrac.rehearsal import pool

    if not own.settings.rehearsing_pool:
        raise BadInput(
            "this is no rehearsal", why=f"VALTRAC_QTUM_NETWORK={own.settings.qtum_network}", fix="set it to devnet"
        )
    with ui.working("Making the node"):
        fresh = pool.prepare(own.settings)
    own.unlock()  # the wallet stakes; each start of the node locks it
    if fresh:
        ui.done(f"The rehearsal node is made: {', '.join(pool.DELEGATES)} delegate to it.")
    else:
        ui.hint(f"The rehearsal node is at block {own.chain.tip().number:,}.")
    return fresh
