"""What an owner does with keeps, from a menu or by a command."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

from menus.backups.views import before_paying
from menus.frame.commands import agree
from menus.frame.layout import count
from menus.frame.ui import Ui
from menus.jobs import together
from menus.keeps import views
from valtrac.core.errors import BadInput, ChainUnreachable, Refused, ValtracError
from valtrac.core.money import decimal_text
from valtrac.core.text import plain
from valtrac.keeps import audit_log, by_hand, cycle, discovery, looking, overview
from valtrac.keeps.cycle import Round
from valtrac.keeps.looking import Watched
from valtrac.keeps.model import old_settings
from valtrac.keeps.overview import Holdings
from valtrac.keeps.watching import Watching
from valtrac.wiring.keeps import KeepsApp

START = "keeps start"
ONE_NODE = "One provider is trusted for what it says: name another in VALTRAC_KEEPS_NODES."
ONLY_LOOKED = "Only looked: nothing is sent."
NO_OPERATORS = "No operator is named: VALTRAC_KEEPS_OPERATORS=0x..., or `all` to watch everybody's keeps."


def watched(own: KeepsApp) -> tuple[Watched, ...]:
    """The keeps of ours as they were looked at last, without asking the chain."""
    watching = own.watching
    head = overview.last_look(watching)
    return () if head is None else looking.as_stored(watching, head)


def show_now(ui: Ui, own: KeepsApp) -> None:
    """How it all stands; the chain may be away."""
    watching, listed = own.watching, watched(own)
    held: Holdings | None = None
    with ui.working("Asking the providers"):
        try:
            held = overview.holdings(watching)
        except (ChainUnreachable, Refused) as error:
            ui.warn(str(error))
    told = overview.counts(watching.engine, listed)
    if ui.as_json:
        ui.records(
            {
                "known": told.known,
                "watched": told.watched,
                "in_danger": told.danger,
                "low": told.low,
                "being_redeemed": told.redeeming,
                "in_liquidation": told.liquidation,
                "wallet": watching.wallet,
                "tbtc": None if held is None else decimal_text(held.tbtc, 18),
                "eth": None if held is None else decimal_text(held.ether, 18),
                "lasting": [str(each["words"]) for each in overview.lasting(watching.engine)],
            }
        )
        return
    views.standing(ui, told, held, overview.lasting(watching.engine))
    views.watch_list(ui, listed[:15])
    weak_points(ui, watching)


def weak_points(ui: Ui, watching: Watching) -> None:
    """What is not set that should be."""
    if watching.settings.trusts_one_keeps_node:
        ui.hint(ONE_NODE)
    if not watching.settings.keeps_operators:
        ui.hint(NO_OPERATORS)


def show_list(ui: Ui, own: KeepsApp) -> None:
    """The whole watch list."""
    views.watch_list(ui, watched(own))


def show_keep(ui: Ui, own: KeepsApp, address: str) -> None:
    """Everything of one keep."""
    watching = own.watching
    keep = overview.named(watching.engine, address)
    told = overview.story(watching, keep, overview.last_look(watching) or watching.agreed_head())
    network = watching.settings.deployment
    views.story(ui, told, explorer=network.explorer if network else "")


def show_holdings(ui: Ui, own: KeepsApp) -> None:
    """What the wallet holds, and where redemptions are paid to."""
    from valtrac.devnet.tbtc import owner

    told = own.settings.keeps_bitcoin_address
    bitcoin = told or (owner.BITCOIN_ADDRESS if own.settings.rehearsing_keeps else "")
    with ui.working("Asking the providers"):
        held = overview.holdings(own.watching)
    views.holdings(ui, held, bitcoin)


def one_round(ui: Ui, own: KeepsApp, *, look_only: bool, password: str | None) -> Round:
    """One pass, here: see everything, and redeem what has to be, unless only looking."""
    watching = own.watching if ui.as_json else replace(own.watching, tell=ui.say)
    if not look_only and _has_a_wallet(ui, own):
        unlock_here(ui, own, password=password)
    with ui.working("Asking about every keep"):
        done = cycle.run(watching, None if look_only else own.payer_or_none)
    with suppress(BadInput):  # what people read beside the database: the next round writes it
        audit_log.write(watching)
    done.words = [ONLY_LOOKED if look_only and words == cycle.LOCKED else words for words in done.words]
    views.one_round(ui, done)
    if not ui.as_json:
        weak_points(ui, watching)
        _next(ui, own, done)
    return done


def _has_a_wallet(ui: Ui, own: KeepsApp) -> bool:
    """Whether there is one to redeem with; where none is set, it is said, and keeps are looked at all the same."""
    file = own.wallet_file
    if own.settings.rehearsing_keeps or (file is not None and file.exists()):
        return True
    if file is not None:
        raise BadInput(
            f"there is no wallet at {plain(file, 200)}",
            fix="set VALTRAC_KEEPS_WALLET_FILE right, make one: run.py keeps wallet make, or only look: --look-only",
        )
    if not ui.as_json:
        ui.warn("No wallet is set: this pass looks, and redeems nothing. Make one: run.py keeps wallet make")
    return False


def _next(ui: Ui, own: KeepsApp, done: Round) -> None:
    if not done.look.watched and not done.discovered.behind:
        ui.hint("None of these operators' keeps is active.")
    elif done.sent and own.settings.rehearsing_keeps:
        ui.hint("Next: let hours go by: run.py keeps rehearse --hours 1; then another pass.")
    elif done.sent:
        ui.hint("How far each is: run.py keeps redemptions")


def at_price(ui: Ui, own: KeepsApp, price: Decimal) -> None:
    """What a price would bring, by what was read last."""
    views.at_price(ui, by_hand.at_price(watched(own), price), str(price))


def redeem(ui: Ui, own: KeepsApp, address: str, *, yes: bool, password: str | None) -> bool:
    """Redeem one keep by hand, after it was shown what that takes; whether it was done."""
    watching = own.watching if ui.as_json else replace(own.watching, tell=ui.say)
    keep = overview.named(watching.engine, address)
    plan = by_hand.plan_for(watching, keep)
    if not ui.as_json:
        views.plan(ui, plan, sent=False)
    if plan.nothing:
        words = plan.left[0].words if plan.left else "nothing can be decided"
        raise Refused(f"deposit {keep.deposit} is not redeemed", why=words, fix="see: run.py keeps wallet show")
    if not agree(ui, yes, "Redeem it now?"):
        return False
    unlock_here(ui, own, password=password)
    done, sent = by_hand.redeem(watching, own.payer(), keep)
    with suppress(ValtracError):  # the list shows it; the next pass looks anyway
        looking.look(watching)
        audit_log.write(watching)
    if ui.as_json:
        ui.records([{"id": each.attempt.tx_id, "outcome": each.called, "words": each.words} for each in sent])
        return True
    for words in cycle.in_words(watching, sent):
        ui.say(words)
    views.plan(ui, done, sent=True)
    ui.hint("Next: the members sign, and Bitcoin is paid: run.py keeps redemptions shows how far it is.")
    return True


def unlock_here(ui: Ui, own: KeepsApp, *, password: str | None = None) -> None:
    """Open the wallet in this process alone."""
    if not own.locked:
        return
    before_paying(ui, own.settings)
    if password is None and (kept := _kept(own)):
        try:
            own.unlock(kept)
            return
        except Refused as error:  # the file was encrypted anew since: it is asked for
            ui.warn(f"The password in this system's keyring does not open it: {error}")
    own.unlock(_password(ui, own, password))


def _password(ui: Ui, own: KeepsApp, password: str | None) -> str:
    if not own.needs_password:
        return ""
    if password is None and not ui.can_ask:
        raise BadInput(
            "the wallet has a password, and there is no terminal to ask for it on",
            fix="pipe it in with --password-stdin, or let this system's keyring keep it: run.py keeps wallet "
            "keep-password; a pass that sends nothing needs none: --look-only",
        )
    return ui.password("Password of the wallet:") if password is None else password


def _kept(own: KeepsApp) -> str:
    """The password of this wallet in the keyring of the operating system; "" where there is none."""
    from valtrac.secrets import keyring

    return keyring.kept_password(own.wallet) if own.needs_password and own.wallet else ""


def start_job(ui: Ui, own: KeepsApp) -> bool:
    """Start the background job; it starts locked: it watches and warns, and redeems nothing."""
    _ = own.groups  # providers are named, or the rehearsal runs
    with ui.working("Starting it under pm2"):
        started = together.start(ui, own.settings, START)
    if started:
        ui.hint("Next: unlock it, so that it redeems: run.py keeps unlock.")
    return started


def unlock_job(ui: Ui, own: KeepsApp, *, password: str | None = None) -> None:
    """Hand the wallet's password to the background job, which keeps it in memory only. Raises BadInput, Refused."""
    from valtrac.keeps import caps

    together.see_that_one_runs(own.settings, START)
    caps.refuse_without_end(own.settings)
    together.unlock(ui, own.settings, START, {"password": password or _kept(own) or _password(ui, own, None)})


def bring_over(ui: Ui, own: KeepsApp, place: Path, *, dry_run: bool) -> None:
    """Come over from keep-collateral: its `.env` is explained, its keeps.json taken over as a hint."""
    try:
        text = place.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise BadInput(
            f"{plain(place)} cannot be read",
            why="it is no text" if isinstance(error, UnicodeDecodeError) else plain(error),
            fix="name its .env or its keeps.json",
        ) from error
    if not text.lstrip().startswith("{"):
        _settings(ui, text)
        return
    with ui.working("Reading the cache"):
        told = discovery.import_cache(own.watching, text, dry_run=dry_run)
    said = "would be" if dry_run else "are"
    if ui.as_json:
        ui.records({name: getattr(told, name) for name in discovery.Imported.__dataclass_fields__})
        return
    ui.done(
        f"{count(told.keeps, 'keep')} of blocks {told.first:,} to {told.last:,}: {told.new:,} {said} new here, "
        f"{told.watched:,} of your operators' and not over."
    )
    ui.hint("It is a hint: discovery reads every block from the start all the same.")


def _settings(ui: Ui, text: str) -> None:
    rows = old_settings.read(text)
    rows = rows if any(row.line for row in rows) else []
    if ui.as_json:
        ui.records(
            [{name: getattr(row, name) for name in old_settings.OldSetting.__dataclass_fields__} for row in rows]
        )
        return
    ui.table(
        "What each setting of keep-collateral becomes",
        ["line", "name", "stands there", "becomes", "value", "to be said"],
        [[row.line or "", row.name, row.written, row.becomes, row.value, row.ask] for row in rows],
        optional=["line", "stands there"],
        empty="There is none of its settings in this file.",
    )
    ui.hint("Write what you choose into .env; nothing was changed. A private key is never taken over.")
