"""How contracts look: tables of what is owed, to whom, and why. As records for programs: `contract_records`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from menus.contracts import records
from menus.frame.layout import count
from menus.frame.ui import Ui
from valtrac.contracts.audit import Audit
from valtrac.contracts.import_stakebts import Preview
from valtrac.contracts.model.contracts import PENALTY, Due, Liabilities, bts_text
from valtrac.contracts.model.statuses import Status, status_of
from valtrac.contracts.overview import Client, Standing, Stop
from valtrac.contracts.rows import place
from valtrac.contracts.store.transfers import RecordedTransfer
from valtrac.contracts.store.withdrawals import Withdrawal
from valtrac.core.money import bts

DAY = "%Y-%m-%d"
MINUTE = "%Y-%m-%d %H:%M"


def contracts(ui: Ui, standings: Sequence[Standing]) -> None:
    """Contracts, one a line."""
    if ui.as_json:
        ui.records([records.contract(standing) for standing in standings])
        return
    ui.table(
        "Stake contracts",
        ["no.", "client", "amount (BTS)", "months", "since", "paid (BTS)", "open (BTS)", "next", "state"],
        [
            [
                standing.contract.id,
                standing.contract.name,
                bts_text(standing.contract.amount),
                standing.contract.months,
                standing.contract.start_at.strftime(DAY),
                bts_text(standing.paid),
                bts_text(standing.open),
                standing.next_due.due_at.strftime(DAY) if standing.next_due else "",
                standing.state,
            ]
            for standing in standings
        ],
        optional=["next", "paid", "since"],
        empty="No contract yet. One begins when a client's deposit asks for it by memo: run.py contracts start",
    )
    if standings:
        owed = sum(standing.open for standing in standings)
        running = sum(standing.state == "open" for standing in standings)
        ui.hint(f"{running} of {len(standings)} open; {bts(owed)} owed over their terms.")


def contract(ui: Ui, standing: Standing, rows: Sequence[Due], began: RecordedTransfer | None) -> None:
    """One contract with all its rows."""
    if ui.as_json:
        ui.records({**records.contract(standing), "rows": [records.due(row) for row in rows]})
        return
    held = standing.contract
    ui.facts(
        [
            ("contract", f"#{held.id}, {held.called}, {standing.state}"),
            ("client", f"{held.name} ({held.account})"),
            ("amount", str(bts(held.amount))),
            (
                "terms",
                f"{held.months} months of 30 days, {held.reward_bps / 100:g} % a month, "
                f"penalty {held.penalty_bps / 100:g} %",
            ),
            ("since", held.start_at.strftime(MINUTE) + " UTC"),
            ("request", f"transfer #{began.id} in block {began.block}: {began.memo}" if began else f"by {held.source}"),
            *([("stopped", _stopped(standing, standing.stop))] if standing.stop else []),
        ]
    )
    rows = [*rows, *([standing.stop.due] if standing.stop else [])]
    dues(ui, sorted(rows, key=place), title="Its rows", empty="")


def _stopped(standing: Standing, stop: Stop) -> str:
    """What ending a contract early pays for it, and how that payment stands."""
    whole, due = standing.contract.amount, stop.due
    status = status_of(due)
    shared = "" if due.units == stop.units else f" of {bts_text(due.units)} BTS, for several contracts"
    where = f" in block {due.block}" if status == Status.PAID else ""
    return (
        f"{due.start_at.strftime(MINUTE)} UTC: {bts_text(stop.units)} of {bts_text(whole)} BTS, penalty "
        f"{bts_text(whole - stop.units)} BTS; {status}{where}, payment no. {due.id}{shared}"
    )


def what(due: Due) -> str:
    """Which payment it is: `reward 2`, `principal`."""
    return f"{due.type} {due.number}" if due.number else due.type


def named(due: Due) -> str:
    """A payment in words: which, and due when."""
    return f"payment no. {due.id}, {what(due)} of {bts_text(due.units)} BTS, due {due.due_at.strftime(DAY)}"


def dues(ui: Ui, rows: Sequence[Due], *, title: str, empty: str, waits: Mapping[int, str] | None = None) -> None:
    """Payments, one a line. waits: number -> why one is held back."""
    why = waits or {}
    if ui.as_json:
        ui.records([{**records.due(due), "waits": why.get(due.id)} for due in rows])
        return
    ui.table(
        title,
        ["no.", "client", "what", "amount (BTS)", "due (UTC)", "status", "block", "note"],
        [
            [
                due.id,
                due.name,
                what(due),
                bts_text(due.units),
                due.due_at.strftime(MINUTE),
                status_of(due),
                due.block or "",
                why.get(due.id, due.words),
            ]
            for due in rows
        ],
        optional=["block"] if why else ["block", "note"],
        empty=empty,
    )
    if rows:
        total = sum(due.units for due in rows if due.type != PENALTY and due.is_open)
        ui.hint(f"{count(len(rows), 'row')}; {f'{bts(total)} of them open' if total else 'nothing of it is open'}.")


def clients(ui: Ui, rows: Sequence[Client]) -> None:
    """Clients, one a line."""
    if ui.as_json:
        ui.records([records.client(client) for client in rows])
        return
    ui.table(
        "Clients",
        ["client", "contracts", "open", "principal (BTS)", "owed (BTS)", "next"],
        [
            [
                client.name,
                client.contracts,
                client.running,
                bts_text(client.principal),
                bts_text(client.owed),
                client.next_at.strftime(DAY) if client.next_at else "",
            ]
            for client in rows
        ],
        optional=["next", "contracts"],
        empty="Nobody has a contract yet.",
    )


def liabilities(ui: Ui, owed: Liabilities, said: Sequence[str], *, wallet: int | None) -> None:
    """What is owed, by when, and what to worry about."""
    if ui.as_json:
        ui.records(records.liabilities(owed, said, wallet=wallet))
        return
    ui.table(
        "Liabilities",
        ["what", "amount (BTS)"],
        [
            ["owed in all", bts_text(owed.gross)],
            ["of it due within 30 days", bts_text(owed.month)],
            ["within 7 days", bts_text(owed.week)],
            ["within 24 hours", bts_text(owed.day)],
            ["past due", bts_text(owed.past_due)],
            ["paid in the last 48 hours", bts_text(owed.processed_48h)],
            ["due in the next 48 hours", bts_text(owed.due_48h)],
            *([["the account holds", bts_text(wallet)]] if wallet is not None else []),
        ],
    )
    ui.hint(f"{owed.clients} client{'' if owed.clients == 1 else 's'} with something open.")
    for words in said:
        ui.warn(words)


def audit(ui: Ui, audited: Audit) -> None:
    """Whether receipts, accounts, payments and the balance fit together."""
    balance = audited.balance
    if ui.as_json:
        ui.records(records.audit(audited))
        return
    if audited.broken is not None:
        ui.warn(f"The receipt {audited.broken} does not follow from the one before: other hands changed the database.")
    for words in (*audited.odd, balance.words if balance else ""):
        if words:
            ui.warn(f"{words[0].upper()}{words[1:]}.")
    if audited.whole:
        ui.done(
            f"{count(audited.receipts, 'receipt')}, each sealed with the one before; each payment is on the chain once."
        )
    if balance is None:
        ui.hint(f"The balance was not compared. {audited.why_not[0].upper()}{audited.why_not[1:]}.")
    elif balance.since is None:
        holds = f"The account holds {bts(balance.holds)} at block {balance.block}"
        ui.hint(f"{holds}: from here on every satoshi is accounted for.")
    elif balance.since == balance.block:
        ui.hint(f"The account holds {bts(balance.holds)} at block {balance.block}, where it was compared before.")
    elif not balance.unexplained:
        ui.done(
            f"{bts(balance.holds)} at block {balance.block}: every satoshi since block {balance.since} is explained."
        )


def transfers(ui: Ui, rows: Sequence[RecordedTransfer], *, title: str, empty: str) -> None:
    """Transfers to and from the account, one a line."""
    if ui.as_json:
        ui.records([records.transfer(transfer) for transfer in rows])
        return
    ui.table(
        title,
        ["no.", "block", "time (UTC)", "from / to", "amount (BTS)", "memo", "state", "note"],
        [
            [
                transfer.id,
                transfer.key,
                transfer.at.strftime(MINUTE),
                ("from " if transfer.direction == "in" else "to ") + transfer.name,
                _units_text(transfer),
                (transfer.memo or "")[:40],
                f"{transfer.state} {transfer.kind}".strip(),
                transfer.words,
            ]
            for transfer in rows
        ],
        optional=["note", "time"],
        empty=empty,
    )


def withdrawals(ui: Ui, rows: Sequence[Withdrawal]) -> None:
    """What was asked of exchange accounts, one a line."""
    if ui.as_json:
        ui.records([records.withdrawal(withdrawal) for withdrawal in rows])
        return
    ui.table(
        "Money asked of exchanges",
        ["no.", "account", "amount (BTS)", "asked (UTC)", "for", "state", "memo", "note"],
        [
            [
                withdrawal.id,
                withdrawal.exchange,
                bts_text(withdrawal.units),
                withdrawal.asked_at.strftime(MINUTE) if withdrawal.asked_at else "not yet",
                withdrawal.cause,
                withdrawal.state,
                withdrawal.memo,
                withdrawal.words,
            ]
            for withdrawal in rows
        ],
        optional=["memo", "note", "for"],
        empty="Nothing was ever asked of an exchange.",
    )


def preview(ui: Ui, look: Preview) -> None:
    """What an import would do."""
    if ui.as_json:
        ui.records(records.preview(look))
        return
    words = {"new": "new", "known": "here already", "mark": "rewards count as paid before"}
    ui.table(
        "What would be imported",
        ["client", "amount (BTS)", "months", "paid before", "since", "what happens"],
        [
            [
                step.old.name,
                bts_text(step.old.amount),
                step.old.months,
                step.old.months_paid,
                step.old.start_at.strftime(DAY),
                words[step.what],
            ]
            for step in look.steps
        ],
    )
    for said in look.differences:
        ui.warn(said)
    if look.past_due:
        ui.warn(f"{bts(look.past_due)} of it are past due and are paid as soon as the payer is unlocked.")
    if look.receipts:
        ui.hint(f"{count(len(look.receipts), 'receipt')} of the program before for the trail of events.")
    if look.read_to is not None:
        ui.hint(
            f"It had read up to block {look.read_to}. A listener that has never run here goes on from there; "
            f"another one with: run.py contracts start --from {look.read_to + 1}"
        )


def _units_text(transfer: RecordedTransfer) -> str:
    if transfer.asset_id == "1.3.0":
        return bts_text(transfer.units)
    return f"{transfer.units} of {transfer.asset_id}"
