"""How contracts look: tables of what is owed, to whom, and why. As records for programs: `contract_records`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from menus import contract_records as records
from menus.layout import count
from menus.ui import Ui
from valtrac.domain.contracts import AGREEMENT, PENALTY, PRINCIPAL, REWARD, Due, Liabilities, bts_text
from valtrac.domain.money import bts
from valtrac.services.books import Books
from valtrac.services.contracts import Client, Standing
from valtrac.services.legacy.stakebts import Preview
from valtrac.store.events import Event
from valtrac.store.moves import Move
from valtrac.store.operations import Operation

DAY = "%Y-%m-%d"
MINUTE = "%Y-%m-%d %H:%M"
LONGEST_LINE = 100
ROUTINE = ("direction", "from", "to", "tx", "memo", "trx_idx", "ops_idx", "no")
ORDER = {AGREEMENT: 0, REWARD: 1, PRINCIPAL: 2, PENALTY: 3}


def contracts(ui: Ui, found: Sequence[Standing]) -> None:
    """Contracts, one a line."""
    if ui.as_json:
        ui.records([records.contract(one) for one in found])
        return
    ui.table(
        "Stake contracts",
        ["no.", "client", "amount (BTS)", "months", "since", "paid (BTS)", "open (BTS)", "next", "state"],
        [
            [
                one.contract.id, one.contract.name, bts_text(one.contract.amount), one.contract.months,
                one.contract.start_at.strftime(DAY), bts_text(one.paid), bts_text(one.open),
                one.next_due.due_at.strftime(DAY) if one.next_due else "", one.state,
            ]
            for one in found
        ],
        optional=["next", "paid (BTS)", "since"],
        empty="No contract yet. One begins when a client's deposit asks for it by memo: run.py contracts start",
    )  # fmt: skip
    if found:
        owed, standing = sum(one.open for one in found), sum(one.state == "open" for one in found)
        ui.hint(f"{standing} of {len(found)} open; {bts(owed)} owed over their terms.")


def contract(ui: Ui, one: Standing, rows: Sequence[Due], began: Operation | None) -> None:
    """One contract with all its rows."""
    if ui.as_json:
        ui.records({**records.contract(one), "rows": [records.due(row) for row in rows]})
        return
    held = one.contract
    ui.facts(
        [
            ("contract", f"#{held.id}, {held.called}, {one.state}"),
            ("client", f"{held.name} ({held.account})"),
            ("amount", str(bts(held.amount))),
            ("terms", f"{held.months} months of 30 days, {held.reward_bps / 100:g} % a month, "
                      f"penalty {held.penalty_bps / 100:g} %"),
            ("since", held.start_at.strftime(MINUTE) + " UTC"),
            ("request", f"transfer #{began.id} in block {began.block}: {began.memo}" if began else f"by {held.source}"),
        ]
    )  # fmt: skip
    dues(ui, sorted(rows, key=lambda row: (row.due_at, ORDER.get(row.type, 9))), title="Its rows", empty="")


def named(one: Due) -> str:
    """A payment in words: which, and due when."""
    which = f"{one.type} {one.number}" if one.number else one.type
    return f"payment no. {one.id}, {which} of {bts_text(one.units)} BTS, due {one.due_at.strftime(DAY)}"


def dues(ui: Ui, found: Sequence[Due], *, title: str, empty: str, waits: Mapping[int, str] | None = None) -> None:
    """Payments, one a line. waits: number -> why one is held back."""
    why = waits or {}
    if ui.as_json:
        ui.records([{**records.due(one), "waits": why.get(one.id)} for one in found])
        return
    ui.table(
        title,
        ["no.", "client", "what", "amount (BTS)", "due (UTC)", "status", "block", "note"],
        [
            [
                one.id, one.name, f"{one.type} {one.number}" if one.number else one.type, bts_text(one.units),
                one.due_at.strftime(MINUTE), one.state, one.block or "", why.get(one.id, one.words),
            ]
            for one in found
        ],
        optional=["block"] if why else ["block", "note"],
        empty=empty,
    )  # fmt: skip
    if found:
        total = sum(one.units for one in found if one.type != PENALTY and one.is_open)
        ui.hint(f"{count(len(found), 'row')}; {bts(total)} of them open.")


def clients(ui: Ui, found: Sequence[Client]) -> None:
    """Clients, one a line."""
    if ui.as_json:
        ui.records([records.client(one) for one in found])
        return
    ui.table(
        "Clients",
        ["client", "contracts", "open", "principal (BTS)", "owed (BTS)", "next"],
        [
            [one.name, one.contracts, one.running, bts_text(one.principal), bts_text(one.owed),
             one.next_at.strftime(DAY) if one.next_at else ""]
            for one in found
        ],
        optional=["next", "contracts"],
        empty="Nobody has a contract yet.",
    )  # fmt: skip


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


def books(ui: Ui, found: Books) -> None:
    """Whether receipts, accounts, payments and the balance fit together."""
    at = found.reckoning
    if ui.as_json:
        ui.records(records.books(found))
        return
    if found.broken is not None:
        ui.warn(f"The receipt {found.broken} does not follow from the one before: other hands changed the database.")
    for words in (*found.odd, at.words if at else ""):
        if words:
            ui.warn(f"{words[0].upper()}{words[1:]}.")
    if found.whole:
        ui.done(
            f"{count(found.receipts, 'receipt')}, each sealed with the one before; every payment is on the chain, once."
        )
    if at is None:
        ui.hint(f"The balance was not compared. {found.why_not[0].upper()}{found.why_not[1:]}.")
    elif at.since is None:
        ui.hint(f"The account holds {bts(at.holds)} at block {at.block}: from here on every satoshi is accounted for.")
    elif at.since == at.block:
        ui.hint(f"The account holds {bts(at.holds)} at block {at.block}, where it was compared before.")
    elif not at.unexplained:
        ui.done(f"{bts(at.holds)} at block {at.block}: every satoshi since block {at.since} is explained.")


def operations(ui: Ui, found: Sequence[Operation], *, title: str, empty: str) -> None:
    """Transfers to and from the account, one a line."""
    if ui.as_json:
        ui.records([records.operation(one) for one in found])
        return
    ui.table(
        title,
        ["no.", "block", "time (UTC)", "from / to", "amount (BTS)", "memo", "state", "note"],
        [
            [
                one.id, one.key, one.at.strftime(MINUTE), ("from " if one.direction == "in" else "to ") + one.name,
                bts_text(one.units) if one.asset_id == "1.3.0" else f"{one.units} of {one.asset_id}",
                (one.memo or "")[:40], f"{one.state} {one.kind}".strip(), one.words,
            ]
            for one in found
        ],
        optional=["note", "time (UTC)"],
        empty=empty,
    )  # fmt: skip


def moves(ui: Ui, found: Sequence[Move]) -> None:
    """What was asked of exchange accounts, one a line."""
    if ui.as_json:
        ui.records([records.move(one) for one in found])
        return
    ui.table(
        "Money asked of exchanges",
        ["no.", "account", "amount (BTS)", "asked (UTC)", "for", "state", "memo", "note"],
        [
            [one.id, one.exchange, bts_text(one.units), one.asked_at.strftime(MINUTE) if one.asked_at else "not yet",
             one.cause, one.state, one.memo, one.words]
            for one in found
        ],
        optional=["memo", "note", "for"],
        empty="Nothing was ever asked of an exchange.",
    )  # fmt: skip


def events(ui: Ui, found: Sequence[Event]) -> None:
    """The trail, newest first."""
    if ui.as_json:
        ui.records([records.event(one) for one in found])
        return
    ui.table(
        "Audit events, newest first",
        ["time (UTC)", "event", "client", "particulars"],
        [
            [datetime.fromtimestamp(one.now / 1000, UTC).strftime(MINUTE), _kind(one), one.name, _said(one.msg)]
            for one in found
        ],
        optional=["client"],
        empty="No event found.",
    )


def preview(ui: Ui, look: Preview) -> None:
    """What an import would do."""
    if ui.as_json:
        ui.records(records.preview(look))
        return
    words = {"new": "new", "known": "here already", "mark": "rewards are marked paid"}
    ui.table(
        "What would be imported",
        ["client", "amount (BTS)", "months", "paid", "since", "what happens"],
        [
            [step.old.name, bts_text(step.old.amount), step.old.months, step.old.months_paid,
             step.old.start_at.strftime(DAY), words[step.what]]
            for step in look.steps
        ],
    )  # fmt: skip
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


def explained(ui: Ui, found: dict[str, Any]) -> None:
    """Where a payment came from and what became of it."""
    if ui.as_json:
        ui.records(found)
        return
    contract, request = found["contract"], found["request"]
    pairs: list[tuple[str, object]] = [
        ("payment", f"no. {found['no']}: {found['type']} {found['number'] or ''}".strip()),
        ("to", f"{found['to']} ({found['account']})"),
        ("amount", f"{found['amount']} BTS"),
        ("status", f"{found['state']}{': ' + found['words'] if found['words'] else ''}"),
        ("due", found["due_at"]),
        ("memo", found["memo"]),
    ]
    if contract:
        pairs.append(
            ("contract", f"#{contract['id']} of {contract['amount']} BTS for {contract['months']} months since "
                         f"{contract['start_at']}, {contract['reward_bps'] / 100:g} % a month ({contract['key']})")
        )  # fmt: skip
    if request:
        pairs.append(
            ("request", f"{request['key']}: {request['amount']} BTS, memo {request['memo']!r}, {request['kind']}")
        )
    for one in found["transactions"]:
        pairs.append(
            ("transaction", f"{one['tx']}: {one['state']}{' in block ' + str(one['block']) if one['block'] else ''}")
        )
    if found["receipt"]:
        pairs.append(("receipt", found["receipt"]))
    ui.facts(pairs)


def _kind(one: Event) -> str:
    """What happened; of a transfer also which way it went."""
    return (
        f"{one.kind} {str(one.msg['direction']).lower()}"
        if one.kind == "transfer" and "direction" in one.msg
        else one.kind
    )


def _said(msg: dict[str, Any]) -> str:
    """An event's particulars in one short line: first what is to be noticed; all of it is in --json."""
    first = [key for key in ("warn", "why", "amount", "type", "number", "contract", "months", "pays") if msg.get(key)]
    rest = [key for key in msg if key not in first and key not in ROUTINE and msg[key]]
    words = ", ".join(
        f"{key} {msg[key] if isinstance(msg[key], str | int) else json.dumps(msg[key])}" for key in (*first, *rest)
    )
    return words if len(words) <= LONGEST_LINE else words[: LONGEST_LINE - 3] + "..."
