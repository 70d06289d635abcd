"""What commands and menus of stake contracts both do: show, read on, pay, start and stop, import."""

from __future__ import annotations

from pathlib import Path

from menus.contracts import records, views
from menus.contracts.opened import of_the_chain
from menus.contracts.unlocking import exchange_keys
from menus.frame.layout import count
from menus.frame.ui import Ui
from valtrac import settings
from valtrac.contracts import overview
from valtrac.contracts import rulings as services
from valtrac.contracts.model.contracts import warnings
from valtrac.contracts.model.states import DueState, TransferState
from valtrac.contracts.store.transfers import RecordedTransfer
from valtrac.contracts.store.withdrawals import Withdrawal
from valtrac.core.errors import BadInput, Refused, ValtracError
from valtrac.core.money import bts
from valtrac.loggers.jobs import agreements
from valtrac.wiring.contracts import ContractsApp


def show_due(ui: Ui, own: ContractsApp, hours: int) -> None:
    """What falls due within some hours, as a table."""
    from datetime import timedelta

    from valtrac.contracts.forecast import held_back
    from valtrac.database.engine import reading

    now = of_the_chain(ui, own)
    dues = overview.due(own.engine, now=now + timedelta(hours=hours))
    with reading(own.engine) as conn:
        waits = held_back(conn, own.settings, [due for due in dues if due.state == DueState.PENDING])
    title = "Past due" if hours == 0 else f"Due within {hours} hours"
    views.dues(ui, dues, title=title, empty="Nothing is due.", waits=waits)


def show_liabilities(ui: Ui, own: ContractsApp) -> None:
    """What is owed, beside what there is, as far as the node tells."""
    wallet, now = None, None
    try:
        head = own.chain.finalized()
        wallet, now = own.chain.balance(own.account.id, head), head.at
    except ValtracError as error:
        ui.warn(error.what)
    owed = overview.liabilities(own.engine, now)
    everywhere = None if wallet is None else overview.everywhere(own.engine, wallet)
    said = [] if wallet is None else warnings(owed, wallet, everywhere)
    views.liabilities(ui, owed, said, wallet=wallet)


def show_waiting(ui: Ui, own: ContractsApp) -> None:
    """What waits for the owner's word, with what it may have been."""
    from valtrac.contracts.store import transfers as stored
    from valtrac.database.engine import reading

    with reading(own.engine) as conn:
        waiting = stored.listed(conn, TransferState.WAITING, TransferState.PARKED, TransferState.UNRULED)
    views.transfers(ui, waiting, title="Waiting for your word", empty="Nothing waits for your word.")
    for transfer in waiting if not ui.as_json else ():
        ui.hint(f"#{transfer.id}: {_what_to_do(own, transfer)}")


def _what_to_do(own: ContractsApp, transfer: RecordedTransfer) -> str:
    """Why a transfer waits, and the words for it."""
    why = f"{transfer.words}. " if transfer.words else ""
    if transfer.state == TransferState.WAITING:
        return f"{why}Unlock the payer, or tell its memo: run.py contracts read {transfer.id} --memo WORDS"
    if transfer.state == TransferState.PARKED:
        return f"{why}run.py contracts read {transfer.id} --memo WORDS, or --refund, or --keep WHY"
    may_be = [views.named(due) for due in services.matching(own.engine, transfer)]
    if not may_be:
        return f"{why}run.py contracts rule {transfer.id} --words WHAT"
    could = " or ".join(may_be[:3])
    return f"{why}It may have been {could}: run.py contracts rule {transfer.id} --pays NO, or --words WHAT"


def show_withdrawals(ui: Ui, own: ContractsApp) -> list[Withdrawal]:
    """What was asked of exchanges, the newest first; returns what has not come yet."""
    from valtrac.contracts.store import withdrawals
    from valtrac.database.engine import reading

    with reading(own.engine) as conn:
        listed = withdrawals.listed(conn)[::-1]
    views.withdrawals(ui, listed[:50])
    return [withdrawal for withdrawal in listed if withdrawal.state in withdrawals.OPEN]


def give_up_withdrawal(ui: Ui, own: ContractsApp, number: int, words: str) -> None:
    """The owner's word that a withdrawal never comes."""
    from valtrac.contracts import exchange_transfers

    done = exchange_transfers.give_up(own.custodian, number, words)
    ui.done(f"Withdrawal #{number} is given up. Should it come after all, it is known by its memo.")
    if ui.as_json:
        ui.records(records.withdrawal(done))


def show_audit(ui: Ui, own: ContractsApp) -> bool:
    """Whether the ledger is whole, said in words; what is wrong, each in a line."""
    from valtrac.contracts import audit

    with ui.working("going through the ledger"):
        audited = audit.check(own.custodian)
    views.audit(ui, audited)
    return audited.whole


def show_settings(ui: Ui, held: settings.Settings) -> None:
    """The terms in force."""
    terms = held.contract_terms
    facts = {
        "network": held.bitshares_network,
        "custodian": held.bitshares_custodian,
        "amounts": ", ".join(held.contracts_amounts),
        "months": ", ".join(held.contracts_months),
        "reward a month": f"{terms.reward_bps / 100:g} %",
        "penalty": f"{terms.penalty_bps / 100:g} %",
        "fee of an invalid request": str(bts(terms.fee)),
        "kept in the account": str(bts(held.contracts_reserve)),
        "managers": ", ".join(held.contracts_managers) or "none",
        "cap per payment": _cap(held.contracts_cap_payment),
        "cap per day": _cap(held.contracts_cap_day),
        "exchange": f"{held.contracts_exchange or 'none'} {', '.join(held.contracts_exchange_accounts)}".strip(),
        "patience": f"{held.contracts_patience_hours} hours" if held.contracts_patience_hours else "without end",
        "support": held.contracts_support or "none: clients read 'please contact us' (VALTRAC_CONTRACTS_SUPPORT)",
        "payments": "on" if held.contracts_payments else "off",
    }
    if ui.as_json:
        ui.records(records.settings(held))
    else:
        ui.facts(list(facts.items()))
        ui.hint("They are set in .env; .env.example explains each. Contracts keep the terms of the day they began.")


def begin_from(ui: Ui, own: ContractsApp, start_: str) -> None:
    """Set where the listener begins: stored, now, or a block's number. Raises BadInput, and Refused while it runs."""
    from valtrac.contracts import listener
    from valtrac.loggers import pm2

    word = start_.strip().lower()
    if word == "stored":
        return
    if word != "now" and not (word.isascii() and word.isdigit() and len(word) < 13):
        raise BadInput(f"--from {start_[:40]!r} is not a place to begin", fix="write stored, now, or a block's number")
    if any(job.name == agreements.NAME and job.state in ("running", "restarting") for job in pm2.jobs(own.settings)):
        raise Refused("the listener runs", why="it would lose its place", fix="stop it first: run.py contracts stop")
    passed = listener.start_from(own.custodian, None if word == "now" else int(word))
    if passed:
        ui.hint(
            f"{count(passed, 'block')} since then are read only for what left the account. What came in there is "
            "written down as skipped: see run.py contracts transfers, take up what you want with contracts read NO"
        )


def catch_up(ui: Ui, own: ContractsApp) -> None:
    """Read on to the newest irreversible block, with a bar."""
    from valtrac.contracts import listener

    if not own.needs_password:
        own.unlock()
    _kept_up(ui, own)
    transfers = 0
    with ui.progress("reading blocks") as tell:
        while True:
            done = listener.listen(own.custodian, tell=lambda blocks_read, total: tell(blocks_read, total, ""))
            transfers += done.transfers
            if done.behind <= 1:
                break
    ui.done(f"Read up to block {done.block}: {count(transfers, 'new transfer')}.")
    if done.unread:
        ui.warn(f"{count(done.unread, 'memo')} not read yet, for want of keys.")
    if done.parked:
        ui.warn(f"{count(done.parked, 'transfer')} for your word: run.py contracts waiting")
    if ui.as_json:
        ui.records({"block": done.block, "found": transfers, "unread": done.unread, "waiting": done.parked})


def _kept_up(ui: Ui, own: ContractsApp) -> None:
    """Say it where a node stands still: what it does not tell would look like nothing having happened."""
    if words := own.keep_up():
        ui.warn(words[0].upper() + words[1:] + ".")


def read_on(ui: Ui, own: ContractsApp) -> None:
    """Read what the chain holds before anything is paid: a request to stop, or a payment by other hands."""
    from valtrac.contracts import listener

    _kept_up(ui, own)
    with ui.progress("reading blocks") as tell:
        while listener.listen(own.custodian, tell=lambda blocks_read, total: tell(blocks_read, total, "")).behind > 1:
            pass


def rehearsal_ready(ui: Ui, own: ContractsApp) -> None:
    """Make the rehearsal chain where it is missing; what is sent before the listener first runs is read, too."""
    from valtrac.rehearsal import contracts

    if contracts.prepare(own.settings):
        begin_from(ui, own, "1")
        ui.done(f"The rehearsal chain is ready: {', '.join(contracts.CLIENTS)} have 1,000,000 BTS each.")


def wallet_first(ui: Ui, own: ContractsApp) -> None:
    """Offer to make the wallet where keys are needed and none are here yet."""
    if (
        own.needs_password
        and not own.has_wallet
        and ui.confirm("The custodian's keys are not here yet. Type them now?")
    ):
        make_wallet(ui, own)


def make_wallet(ui: Ui, own: ContractsApp) -> None:
    """Have the keys typed, and keep them under a password."""
    if not own.needs_password:
        raise BadInput(
            "the rehearsal chain needs no wallet", why="everybody knows its keys", fix="name your nodes in .env first"
        )
    own.no_wallet_yet()  # to be known before anything is typed
    own.guard_memory()
    password = ui.password("A password for the wallet:")
    if not password:
        raise BadInput("a wallet needs a password", why="nothing was typed", fix="try again")
    if ui.password("Once more:") != password:
        raise BadInput("the two passwords differ", fix="try again; nothing was kept")
    keys = []
    for which in ("Active", "Memo"):
        key = ui.password(f"{which} key, the private one (5...):")
        if key and not own.is_private_key(key):
            raise BadInput(
                f"what was typed as the {which.lower()} key is not a private key",
                why="private keys begin with 5, K or L, public ones with BTS",
                fix="try again; nothing was kept",
            )
        keys += [key] if key else []
    own.make_wallet(password, keys)
    ui.done(f"The wallet is in {own.settings.bitshares_wallet}. Keep a copy of the keys elsewhere.")
    ui.hint("Next: unlock the payer with its password.")


def keep_in_keyring(ui: Ui, own: ContractsApp, name: str) -> None:
    """Have the keys of an exchange account typed, try them, and keep them. Raises BadInput, Refused."""
    if name not in own.settings.contracts_exchange_accounts:
        raise BadInput(f"{name[:40]} is no exchange account of the settings", fix="VALTRAC_CONTRACTS_EXCHANGE_ACCOUNTS")
    if not own.settings.contracts_exchange:
        raise BadInput("no exchange is set", why="the keys are tried there", fix="set VALTRAC_CONTRACTS_EXCHANGE")
    own.guard_memory()
    keys = exchange_keys(ui, name)
    if not keys:
        raise BadInput("no key was typed", fix="try again")
    with ui.working("asking the exchange"):
        own.try_exchange(name, keys)
    if not own.keep_keys(name, keys):
        raise BadInput("this system has no keyring to keep them in", fix="type them at each unlock")
    ui.done(f"The keys of {name} are in the keyring.")


def bring_over(ui: Ui, own: ContractsApp, path: Path, *, dry_run: bool, yes: bool) -> bool:
    """Show what an import would do, and do it once that is agreed to; whether it was done."""
    from valtrac.contracts import import_stakebts

    custodian = own.custodian
    if not path.is_file():
        raise BadInput(f"{path.name} is no file on a disk", fix="name StakeBTS's list or database")
    with open(path, "rb") as file:
        database = file.read(16).startswith(b"SQLite format 3")
    if database:
        old_contracts, odd, receipts, last = import_stakebts.read_database(path)
        look = import_stakebts.preview(custodian, old_contracts, notes=odd, receipts=receipts, read_to=last)
    else:
        try:
            text = path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError as error:
            raise BadInput(f"{path.name} is not text in UTF-8", fix="save it as UTF-8") from error
        look = import_stakebts.preview(custodian, import_stakebts.read_text(text, custodian.settings.contract_terms))
    views.preview(ui, look)
    if dry_run:
        ui.hint("Nothing was changed.")
        return False
    if not (yes or ui.confirm("Write these contracts and payments into the ledger?")):
        ui.say("Nothing was changed.")
        return False
    made, marked, brought = import_stakebts.apply(custodian, look)
    ui.done(
        f"{count(made, 'contract')} imported, {count(marked, 'reward')} marked as paid before, "
        f"{count(brought, 'receipt')} brought over."
    )
    return True


def _cap(units: int) -> str:
    return "none" if units == records.NO_CAP else str(bts(units))
