"""What the owner asks about contracts, and his word where only he can decide."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from valtrac.domain import contracts as domain
from valtrac.domain import memos
from valtrac.domain.contracts import Contract, Due, Liabilities
from valtrac.domain.money import BTS, bts, decimal_text, parse_units
from valtrac.domain.text import plain, storable
from valtrac.errors import BadInput, Refused
from valtrac.ports import NoKey, Unreadable
from valtrac.services.house import CORE_ASSET, House
from valtrac.services.requests import decide, stopped_later
from valtrac.store import attempts, batches, contracts, events, ledger, operations
from valtrac.store.engine import reading, writing
from valtrac.store.operations import Operation


@dataclass(frozen=True, slots=True)
class Standing:
    """A contract and where it stands: open, ended (early), completed. paid, open: satoshi to its client."""

    contract: Contract
    state: str
    paid: int
    open: int
    next_due: Due | None


@dataclass(frozen=True, slots=True)
class Client:
    """Somebody with contracts. Amounts in satoshi."""

    account: str
    name: str
    contracts: int
    running: int
    principal: int
    owed: int
    next_at: datetime | None


def listed(engine: sa.Engine, *, client: str | None = None) -> list[Standing]:
    """Contracts with their standing, the oldest first; of one client by name or id, or all."""
    with reading(engine) as conn:
        found = contracts.contracts(conn)
        rows = contracts.dues(conn)
    by_contract: dict[int, list[Due]] = {}
    for row in rows:
        if row.contract_id is not None:
            by_contract.setdefault(row.contract_id, []).append(row)
    wanted = [one for one in found if client is None or client.strip() in (one.name, one.account)]
    if client is not None and not wanted:
        raise BadInput(f"no client with a contract is called {plain(client, 60)}", "", "see: run.py contracts clients")
    return [_standing(one, by_contract.get(one.id, [])) for one in wanted]


def shown(engine: sa.Engine, number: int) -> tuple[Standing, list[Due], Operation | None]:
    """A contract, its rows in order, and the transfer that began it. Raises BadInput."""
    with reading(engine) as conn:
        found = contracts.get(conn, number)
        rows = contracts.dues_of(conn, number)
        began = [one for one in operations.listed(conn, account=found.account)
                 if one.place == (found.block, found.trx, found.op)]  # fmt: skip
    return _standing(found, rows), rows, began[0] if began else None


def clients(engine: sa.Engine) -> list[Client]:
    """Everybody with contracts, by name."""
    by_account: dict[str, list[Standing]] = {}
    for one in listed(engine):
        by_account.setdefault(one.contract.account, []).append(one)
    found = []
    for account, mine in by_account.items():
        dates = [one.next_due.due_at for one in mine if one.next_due is not None]
        found.append(
            Client(
                account,
                mine[0].contract.name,
                len(mine),
                sum(one.state == "open" for one in mine),
                sum(one.contract.amount for one in mine if one.state == "open"),
                sum(one.open for one in mine),
                min(dates, default=None),
            )
        )
    return sorted(found, key=lambda one: one.name)


def due(engine: sa.Engine, *states: str, now: datetime | None = None) -> list[Due]:
    """What is to be paid in some states (pending, processing, paid, delinquent), the first due first; now: only what
    is due by then."""
    with reading(engine) as conn:
        found = contracts.in_states(conn, *(states or domain.OPEN_STATES))
    return [
        one
        for one in found
        if one.type != domain.PENALTY and not one.was_paid_before and (now is None or one.due_at <= now)
    ]


def liabilities(engine: sa.Engine, now: datetime | None = None) -> Liabilities:
    """What is owed as of now."""
    with reading(engine) as conn:
        return domain.liabilities(contracts.obligations(conn), now or datetime.now(UTC))


def everywhere(engine: sa.Engine, wallet: int) -> int | None:
    """What all wallets hold together, by the last balances in the trail; None where one of them was not known."""
    with reading(engine) as conn:
        last = events.last(conn, "balances")
    told = {} if last is None else {key: value for key, value in last.msg["balances"].items() if key != "0"}
    if any(value is None for value in told.values()):
        return None
    return wallet + sum(parse_units(value, field="balance", decimals=BTS.decimals) for value in told.values())


def explain(engine: sa.Engine, number: int) -> dict[str, Any]:
    """Where a payment came from and what became of it: request, contract, terms, batch, transactions, receipt."""
    with reading(engine) as conn:
        one = contracts.due(conn, number)
        contract = contracts.get(conn, one.contract_id) if one.contract_id else None
        cause = operations.get(conn, one.operation_id) if one.operation_id else None
        line = batches.line(conn, one.line_id) if one.line_id else None
        tries = attempts.of_line(conn, one.line_id) if one.line_id else []
        receipt = ledger.receipt_of(conn, one.line_id) if one.line_id else None
    return {
        "no": one.id, "type": one.type, "number": one.number, "to": one.name, "account": one.account,
        "amount": decimal_text(one.units, BTS.decimals), "state": one.state, "due_at": one.due_at.isoformat(),
        "memo": one.memo, "words": one.words, "tx": one.tx_id, "block": one.block,
        "contract": None if contract is None else {
            "id": contract.id, "key": contract.key, "source": contract.source, "months": contract.months,
            "amount": decimal_text(contract.amount, BTS.decimals), "reward_bps": contract.reward_bps,
            "penalty_bps": contract.penalty_bps, "start_at": contract.start_at.isoformat(),
        },
        "request": None if cause is None else {
            "key": cause.key, "kind": cause.kind, "memo": cause.memo, "tx": cause.tx_id, "at": cause.at.isoformat(),
            "amount": decimal_text(cause.units, BTS.decimals),
        },
        "batch": None if line is None else line.batch_id,
        "transactions": [{"tx": one.tx_id, "state": one.state, "block": one.block, "error": one.error}
                         for one in tries],
        "receipt": receipt,
    }  # fmt: skip


# -- the owner's word -----------------------------------------------------------------------------------------


def read_by_hand(house: House, number: int, *, memo: str | None = None, refund: bool = False, keep: str = "") -> str:
    """Say what a parked transfer, or one of a skipped block, asks for: the memo as its sender told it, all of it back,
    or kept with a reason.

    With none of these its memo is tried once more. Raises BadInput where it waits for nobody.
    """
    head = house.chain.finalized().number
    with reading(house.engine) as conn:
        one = operations.get(conn, number)
    if (one.state not in ("parked", "waiting") and one.kind != operations.SKIPPED) or one.direction != "in":
        raise BadInput(f"transfer #{number} is {one.state}", "only what waits can be read", "run.py contracts waiting")
    if one.asset_id != CORE_ASSET:
        raise BadInput(f"transfer #{number} is of another asset", "nothing is done with those", "send it back yourself")
    if sum((memo is not None, refund, bool(keep.strip()))) > 1:
        raise BadInput("say one thing: a memo, a refund, or a reason to keep it", "", "--memo three_months")
    if memo is not None:
        _asks_for_something(house, one, memo)
    who = house.chain.accounts([one.account]).get(one.account)
    if who is None:
        raise BadInput(f"the chain has no account {one.account}", "", "use another node")
    words = None if memo is None else storable(memo)
    if memo is None and not refund and not keep.strip():
        try:
            words = house.chain.read_memo(one.sealed) if one.sealed else None
        except (NoKey, Unreadable) as error:
            raise Refused("its memo still cannot be read", plain(error), "say what it is: --memo WORDS") from error
    with writing(house.engine) as conn:
        fresh = operations.get(conn, number)
        skipped = operations.take_up(conn, fresh.block, fresh.trx, fresh.op)
        fresh = skipped or fresh
        if fresh.state == "handled":
            raise Refused(f"transfer #{number} was dealt with meanwhile", "", "see: run.py contracts operations")
        if skipped and not refund and not keep.strip():
            _in_order(conn, fresh, insists=memo is not None)
        msg: dict[str, Any] = {"no": number, "block_num": fresh.block, "by": "the owner"}
        if refund:
            if not domain.whole(fresh.units):
                raise BadInput("there is less than 1 BTS to send back", "", '--keep "REASON"')
            contracts.add_due(
                conn, type_=domain.REFUND, account=fresh.account, name=fresh.name, units=fresh.units,
                memo=domain.refund_memo(0, "returned by hand"), at=fresh.at, operation_id=fresh.id,
            )  # fmt: skip
            operations.move(conn, fresh, "handled", kind="returned", words="returned by the owner")
        elif keep.strip():
            operations.move(conn, fresh, "handled", kind="kept", words=keep.strip())
        else:
            decide(conn, house, fresh, words, who, head, by_owner=memo is not None)
        done = operations.get(conn, number)
        events.add(conn, "read_by_hand", {**msg, "memo": words, "kind": done.kind, "words": keep.strip()},
                   nonce=domain.milliseconds(fresh.at), name=fresh.name)  # fmt: skip
    return done.kind or done.state


def _in_order(conn: sa.Connection, one: Operation, *, insists: bool) -> None:
    """Raise Refused where taking up a skipped request now would turn an account's requests around."""
    skipped = operations.listed(conn, "handled", kind=operations.SKIPPED, account=one.account)
    older = [other for other in skipped if other.place < one.place]
    if older:
        raise Refused(
            f"an older transfer of {one.name} was skipped too",
            f"transfer #{older[0].id}: what it asked for comes first",
            f"run.py contracts read {older[0].id}, or keep it",
        )
    if stopped_later(conn, one) and not insists:
        raise Refused(
            f"{one.name} asked to stop after this transfer",
            "a contract that began with it now would run on",
            "send it back (--refund), or insist: --memo WORDS",
        )


def _asks_for_something(house: House, one: Operation, memo: str) -> None:
    """Raise BadInput where the owner's words would cost the client the fee of an invalid request: a slip of his own."""
    terms = house.settings.contract_terms
    request = memos.parse(memo, frozenset(terms.months))
    fix = f"write {', '.join(sorted(terms.months))}, stop or loan; or send it back, or keep it"
    if request.type == memos.INVALID:
        raise BadInput(f"these words ask for nothing: {request.why}", "nothing was changed", fix)
    if request.type in terms.months and domain.whole(one.units) not in terms.amounts:
        raise BadInput(f"{bts(one.units)} is no amount that a contract may have", "nothing was changed", fix)


def rule(house: House, number: int, *, pays: int | None = None, words: str = "") -> Operation:
    """Rule on a transfer that left the account and is not in the journal: it paid one of ours, or it is foreign.

    pays: the number of the payment that it was. Raises BadInput where it cannot have been that one, and Refused where
    it went to somebody who is owed something and no words are given.
    """
    with writing(house.engine) as conn:
        one = operations.get(conn, number)
        if one.state != "unruled":
            raise BadInput(f"transfer #{number} is {one.state}", "", "see: run.py contracts waiting")
        if pays is None:
            owed = [due for due in contracts.in_states(conn, *domain.OPEN_STATES) if due.account == one.account]
            if owed and not words.strip():
                raise Refused(
                    f"transfer {one.key} went to {one.name}, who is owed something",
                    f"{amount_of(one)} left, and payment no. {owed[0].id} of {bts(owed[0].units)} is open"
                    + _skipped_of(conn, one),
                    'it was that payment: --pays NUMBER; it was not: say what it was with --words "..."',
                )
            operations.move(conn, one, "handled", kind="foreign", words=words.strip() or "not a payment of ours")
        else:
            _adopt(conn, house, one, contracts.due(conn, pays))
        events.add(conn, "ruled", {"no": number, "pays": pays, "words": words.strip(), "block_num": one.block},
                   nonce=domain.milliseconds(one.at), name=one.name)  # fmt: skip
        return operations.get(conn, number)


def _skipped_of(conn: sa.Connection, one: Operation) -> str:
    """Words about requests of the same account that were skipped: this may have been the answer to one."""
    found = operations.listed(conn, "handled", kind=operations.SKIPPED, account=one.account)
    numbers = ", ".join(f"#{other.id}" for other in found)
    return f"; it may answer what was skipped ({numbers}): take that up first, contracts read NO" if found else ""


def rule_before(house: House, block: int, words: str) -> int:
    """Rule on everything up to a block that left the account and is not in the journal: payments of a time before
    this ledger. Returns how many. Raises BadInput without words: what is owed to the same accounts is paid then."""
    if not words.strip():
        raise BadInput("say what these transfers were", "the ledger keeps the words", '--words "paid by the old bot"')
    with writing(house.engine) as conn:
        found = [one for one in operations.listed(conn, "unruled") if one.block <= block]
        for one in found:
            operations.move(conn, one, "handled", kind="foreign", words=words.strip())
        events.add(conn, "ruled", {"up_to_block": block, "count": len(found), "words": words.strip()})
    return len(found)


def amount_of(one: Operation) -> str:
    """How much a transfer moved, in words."""
    return str(bts(one.units)) if one.asset_id == CORE_ASSET else f"{one.units} units of {one.asset_id}"


def matching(engine: sa.Engine, one: Operation) -> list[Due]:
    """The open payments that a transfer that is not in the journal may have been: same account, same amount of BTS."""
    if one.asset_id != CORE_ASSET:
        return []
    with reading(engine) as conn:
        return [due for due in contracts.in_states(conn, "pending", "processing", "delinquent")
                if (due.account, due.units) == (one.account, one.units)]  # fmt: skip


def _adopt(conn: sa.Connection, house: House, one: Operation, due: Due) -> None:
    """Book a transfer that another hand made as the payment that it was."""
    same = (due.account, due.units) == (one.account, one.units) and one.asset_id == CORE_ASSET
    if not same or due.type == domain.PENALTY:
        raise BadInput(
            f"payment no. {due.id} is {bts(due.units)} to {due.name}; the transfer was {amount_of(one)} to {one.name}",
            "", "see what it may have been: run.py contracts waiting",
        )  # fmt: skip
    attempts.lock_wallet(conn, house.custodian.id)
    person, cause = f"account:{due.account}", f"paid by transfer {one.key}, outside the journal"
    common = {"person": person, "units": due.units, "cause": cause}
    if due.state == "processing" and due.line_id is not None:
        batches.move_lines(conn, [due.line_id], "owed", "void")
        line = batches.line(conn, due.line_id)
        ledger.book(conn, [{**common, "kind": "paid", "batch_id": line.batch_id, "line_id": line.id}])
    elif due.state in ("pending", "delinquent"):
        contracts.drop_note(conn, due.id)
        contracts.move(conn, [due.id], due.state, "processing")
        ledger.book(conn, [{**common, "kind": "accrued"}, {**common, "kind": "paid"}])
        if due.type == domain.PRINCIPAL and due.contract_id is not None:
            contracts.end_penalties(conn, [due.contract_id], one.at)
    else:
        under_way = due.state in ("processing", "paid")
        raise BadInput(
            f"payment no. {due.id} is {due.state}",
            "only an open payment can have been made so",
            "its own transaction is under way: pay once more, which waits for its end, then say it again"
            if under_way
            else "say what it was with --words WHAT",
        )
    contracts.move(
        conn, [due.id], "processing", "confirmed", block=one.block, tx_id=one.tx_id, processed_at=one.at, words=cause
    )
    operations.move(conn, one, "handled", kind="adopted", words=f"payment no. {due.id}")


def _standing(contract: Contract, rows: Sequence[Due]) -> Standing:
    owed = [row for row in rows if row.type in domain.OWED]
    pending = [row for row in owed if row.is_open]
    principal = next((row for row in rows if row.type == domain.PRINCIPAL), None)
    state = "open"
    if principal is not None and principal.state == "premature":
        state = "ended"
    elif not pending:
        state = "completed"
    return Standing(
        contract,
        state,
        sum(row.units for row in owed if row.state == "confirmed" or row.was_paid_before),
        sum(row.units for row in pending),
        next((row for row in pending if row.state in ("pending", "processing", "delinquent")), None),
    )
