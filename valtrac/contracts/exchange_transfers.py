"""Money between the custodian and its exchange accounts: asked for once, looked up before anything is repeated.

A withdrawal is written down with a memo of its own before the exchange hears of it. Where the answer is lost, the
exchange's own list says whether it was accepted; what arrives says so itself, by that memo, in an irreversible block.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from valtrac.contracts import deposit_accounts
from valtrac.contracts.arrivals import arrived, may_be, new_reference
from valtrac.contracts.custodian import Custodian
from valtrac.contracts.model import contracts as domain
from valtrac.contracts.model import memos
from valtrac.contracts.model.money import withdrawal_for
from valtrac.contracts.model.states import TransferState, WithdrawalState
from valtrac.contracts.model.withdrawals import LOST_AFTER, SLOW, STALE, Step, next_step
from valtrac.contracts.store import audit_events, contracts, transfers, withdrawals
from valtrac.contracts.store.transfers import RecordedTransfer
from valtrac.contracts.store.withdrawals import Withdrawal
from valtrac.core.chain import ExchangeWithdrawal
from valtrac.core.errors import BadInput, ChainUnreachable, OutcomeUnknown, Refused, ValtracError
from valtrac.core.money import BTS, bts, decimal_text
from valtrac.database.engine import reading, writing
from valtrac.payments.store import attempts
from valtrac.ports import Exchange

TOLD = "told as slow"
MANAGER = "manager"  # the cause of a withdrawal of which a manager named the amount that has to arrive
BEFORE = timedelta(minutes=10)  # clocks differ: looked for from a little before it was asked


def step(custodian: Custodian, missing: int, *, asked: Sequence[Withdrawal] | None = None) -> list[str]:
    """Look after everything that is asked of exchanges, then ask for what is missing, in the order of the settings.

    missing: satoshi beyond what is here; asked: what was on its way when that was reckoned (now, where it is not
    given), and is taken off it. Returns what was done, in words. Never raises for one exchange's sake: the next is
    asked.
    """
    said: list[str] = []
    asked = _open(custodian) if asked is None else asked
    for exchange in custodian.exchanges:
        try:
            said += _look_after(custodian, exchange)
        except (ChainUnreachable, Refused, OutcomeUnknown) as error:
            said.append(f"{exchange.name}: {error.what}")
    said += _slow(custodian)
    said += _deposits(custodian)
    missing -= on_the_way(custodian, asked) if missing > 0 else 0
    known = {withdrawal.id for withdrawal in asked}
    for exchange in custodian.exchanges:
        if missing <= 0:
            break
        try:
            coming = _withdraw_what_is_missing(custodian, exchange, missing, known)
        except (ChainUnreachable, Refused, OutcomeUnknown) as error:
            said.append(f"{exchange.name}: {error.what}")
            continue
        if coming:
            missing -= coming
            said.append(f"{exchange.name}: {bts(coming)} asked for")
    return said


def on_the_way(custodian: Custodian, asked: Sequence[Withdrawal] | None = None) -> int:
    """Satoshi that exchanges were asked for, less their fees.

    asked: as of a moment before; what has arrived meanwhile counts, what failed does not. None: as of now.
    """
    asked = _open(custodian) if asked is None else asked
    with reading(custodian.engine) as conn:
        failed = {withdrawal.id for withdrawal in withdrawals.in_states(conn, WithdrawalState.FAILED)}
    fees = {exchange.name: _fee(exchange) for exchange in custodian.exchanges}
    return sum(
        max(0, withdrawal.units - (0 if withdrawal.cause == MANAGER else fees.get(withdrawal.exchange, 0)))
        for withdrawal in asked
        if withdrawal.id not in failed
    )


def _withdraw_what_is_missing(custodian: Custodian, exchange: Exchange, missing: int, known: set[int]) -> int:
    """Ask one account for what is missing or what it has; returns what should arrive, 0 where nothing was asked.

    known: the withdrawals that `missing` reckons with. Where another process has planned one since, nothing is asked
    for: less is missing by now. One cover per account may be on its way; an index says so.
    """
    with reading(custodian.engine) as conn:
        if any(withdrawal.exchange == exchange.name for withdrawal in withdrawals.in_states(conn, *withdrawals.OPEN)):
            return 0
    fee = exchange.withdrawal_fee()
    gross = withdrawal_for(
        missing,
        available=exchange.available(),
        fee=fee,
        least=custodian.settings.contracts_exchange_least,
        keep=custodian.settings.contracts_exchange_keep,
    )
    if not gross:
        return 0
    with writing(custodian.engine) as conn:
        attempts.lock_wallet(conn, custodian.account.id)
        if any(withdrawal.id not in known for withdrawal in withdrawals.in_states(conn, *withdrawals.OPEN)):
            return 0
        withdrawal = withdrawals.plan(
            conn, exchange=exchange.name, cause="cover", units=gross, memo=new_reference(), at=custodian.now()
        )
        if withdrawal is None:
            return 0
        msg = {"exchange": exchange.name, "amount": decimal_text(gross, BTS.decimals), "reference": withdrawal.memo}
        audit_events.add(conn, "cover", msg)
    known.add(withdrawal.id)
    _ask(custodian, exchange, withdrawal)
    return gross - fee


def _look_after(custodian: Custodian, exchange: Exchange) -> list[str]:
    """What became of what was asked of one account; what a manager asked for is asked now."""
    with reading(custodian.engine) as conn:
        running = withdrawals.in_states(conn, *withdrawals.OPEN)
    mine = [withdrawal for withdrawal in running if withdrawal.exchange == exchange.name]
    asked_at = [withdrawal.asked_at for withdrawal in mine if withdrawal.asked_at is not None]
    listed = exchange.withdrawals(min(asked_at) - BEFORE) if asked_at else ()
    said = (_go_on(custodian, exchange, withdrawal, listed) for withdrawal in mine)
    return [words for words in said if words]


def _go_on(
    custodian: Custodian, exchange: Exchange, withdrawal: Withdrawal, listed: Sequence[ExchangeWithdrawal]
) -> str:
    """Do the next thing about one withdrawal; what was done, or nothing."""
    listing = next((told for told in listed if _is_same(withdrawal, told)), None)
    step_ = next_step(
        withdrawal.state,
        created_at=withdrawal.created_at,
        asked_at=withdrawal.asked_at,
        listed_as=listing.state if listing else None,
        has_transaction=bool(listing and listing.tx_id),
        now=custodian.now(),
    )
    if step_ is Step.ASK:
        _ask(custodian, exchange, withdrawal)
        return f"{exchange.name}: {bts(withdrawal.units)} asked for"
    if step_ is Step.FORGET:
        return _forget(custodian, withdrawal)
    if step_ is Step.NEVER_ACCEPTED:
        return _never_accepted(custodian, withdrawal)
    if listing is None or step_ is Step.WAIT:
        return ""
    with writing(custodian.engine) as conn:
        if step_ is Step.REFUSED:
            return _refused(conn, withdrawal, listing)
        if step_ is Step.ACCEPTED:
            withdrawals.set_state(conn, withdrawal, WithdrawalState.ASKED, external_id=listing.id)
        else:
            _match(conn, withdrawal, listing)
    return ""


def _never_accepted(custodian: Custodian, withdrawal: Withdrawal) -> str:
    with writing(custodian.engine) as conn:
        if not withdrawals.set_state(conn, withdrawal, WithdrawalState.FAILED, words="never accepted"):
            return ""
        msg = {"exchange": withdrawal.exchange, "reference": withdrawal.memo}
        audit_events.add(conn, "exchange_failed", msg)
    return f"{withdrawal.exchange}: a withdrawal was never accepted"


def _refused(conn: sa.Connection, withdrawal: Withdrawal, listing: ExchangeWithdrawal) -> str:
    words = "the exchange refused it"
    if withdrawals.set_state(conn, withdrawal, WithdrawalState.FAILED, external_id=listing.id, words=words):
        msg = {"exchange": withdrawal.exchange, "reference": withdrawal.memo}
        audit_events.add(conn, "alert", {**msg, "warn": "the exchange refused a withdrawal"})
    return f"{withdrawal.exchange}: a withdrawal was refused"


def _match(conn: sa.Connection, withdrawal: Withdrawal, listing: ExchangeWithdrawal) -> None:
    """Let what an exchange says brought a withdrawal be it: its memo may have been lost on the way."""
    for transfer in transfers.of_transaction(conn, listing.tx_id):
        unnamed = transfer.direction == "in" and transfer.kind in ("", "loan", transfers.SKIPPED)
        fits = unnamed and may_be(withdrawal, transfer)
        if fits and not withdrawals.came_with(conn, transfer.id):
            arrived(conn, withdrawal, transfer)
            if transfer.state != TransferState.HANDLED or transfer.kind == transfers.SKIPPED:
                transfers.move(conn, transfer, TransferState.HANDLED, kind="arrived")
            break


def _is_same(withdrawal: Withdrawal, told: ExchangeWithdrawal) -> bool:
    """Whether what an exchange lists is what we asked for: by our own memo, or by the number that it gave."""
    return told.memo == withdrawal.memo or (bool(withdrawal.external_id) and told.id == withdrawal.external_id)


def _forget(custodian: Custodian, withdrawal: Withdrawal) -> str:
    """Cancel a withdrawal that should have been asked for long ago: by a manager, or by a process that died."""
    with writing(custodian.engine) as conn:
        if withdrawals.set_state(conn, withdrawal, WithdrawalState.FAILED, words="it could not be asked for in time"):
            msg = {
                "exchange": withdrawal.exchange,
                "reference": withdrawal.memo,
                "warn": "a withdrawal was not asked for in time",
            }
            audit_events.add(conn, "alert", msg)
    return f"{withdrawal.exchange}: {bts(withdrawal.units)} were not asked for in time, and are not any more"


def _slow(custodian: Custodian) -> list[str]:
    """What was asked for long ago and has not come: told at every look, and once in the trail."""
    said = []
    for withdrawal in _open(custodian):
        if withdrawal.asked_at is None or custodian.now() - withdrawal.asked_at < SLOW:
            continue
        said.append(
            f"{withdrawal.exchange}: {bts(withdrawal.units)} asked for and not come: run.py contracts withdrawals"
        )
        with writing(custodian.engine) as conn:
            if withdrawal.words != TOLD and withdrawals.set_state(conn, withdrawal, withdrawal.state, words=TOLD):
                words = "a withdrawal does not come: ask the exchange, or say that it is lost"
                amount = decimal_text(withdrawal.units, BTS.decimals)
                msg = {"exchange": withdrawal.exchange, "reference": withdrawal.memo, "amount": amount, "warn": words}
                audit_events.add(conn, "alert", msg)
    return said


def give_up(custodian: Custodian, number: int, words: str) -> Withdrawal:
    """The owner's word that a withdrawal never comes: what is missing is asked for anew. Should it come after all, it
    is known again by its memo.

    Raises BadInput where it is none that waits, or was asked for a moment ago, and without words.
    """
    if not words.strip():
        raise BadInput(
            "say why it will not come", why="the ledger keeps the words", fix='--words "the exchange sent it back"'
        )
    with writing(custodian.engine) as conn:
        withdrawal = withdrawals.get(conn, number)
        if withdrawal.state not in withdrawals.OPEN:
            raise BadInput(f"withdrawal #{number} is {withdrawal.state}", fix="see: run.py contracts withdrawals")
        if custodian.now() - (withdrawal.asked_at or withdrawal.created_at) < LOST_AFTER:
            raise BadInput(
                f"withdrawal #{number} was asked for a moment ago", why="it may be on its way", fix="wait half an hour"
            )
        withdrawals.set_state(conn, withdrawal, WithdrawalState.FAILED, words=words.strip()[:500])
        msg = {"exchange": withdrawal.exchange, "reference": withdrawal.memo, "by": "the owner", "words": words.strip()}
        audit_events.add(conn, "exchange_failed", msg)
        return withdrawals.get(conn, number)


def _ask(custodian: Custodian, exchange: Exchange, withdrawal: Withdrawal) -> None:
    """Ask for a withdrawal that is written down. From the note on it counts as asked, whatever comes back."""
    units = withdrawal.units + (_whole_fee(exchange) if withdrawal.cause == MANAGER else 0)
    with writing(custodian.engine) as conn:
        withdrawals.note_asked(conn, withdrawal, custodian.now())
    try:
        number = exchange.withdraw(units, to=custodian.account.name, memo=withdrawal.memo)
    except Refused as error:
        with writing(custodian.engine) as conn:
            fresh = withdrawals.by_memo(conn, withdrawal.memo)
            if fresh is not None and fresh.state == WithdrawalState.PLANNED:
                withdrawals.set_state(conn, fresh, WithdrawalState.FAILED, words=error.what[:500])
                msg = {
                    "exchange": withdrawal.exchange,
                    "reference": withdrawal.memo,
                    "error": f"{error.what} {error.why}".strip(),
                }
                audit_events.add(conn, "exchange_failed", msg)
        raise
    with writing(custodian.engine) as conn:
        fresh = withdrawals.by_memo(conn, withdrawal.memo)
        if fresh is not None and fresh.state == WithdrawalState.PLANNED:
            withdrawals.set_state(conn, fresh, WithdrawalState.ASKED, external_id=str(number)[:100])


def _deposits(custodian: Custodian) -> list[str]:
    """Turn managers' requests to send money to an exchange into payments, at the address that the exchange names."""
    with reading(custodian.engine) as conn:
        requests = [
            transfer
            for transfer in transfers.listed(conn, TransferState.HANDLED, kind="to_exchange")
            if not contracts.follows(conn, transfer.id, domain.DEPOSIT)
        ]
    said = (_deposit(custodian, request) for request in requests)
    return [words for words in said if words]


def _deposit(custodian: Custodian, request: RecordedTransfer) -> str:
    """Make the payment that a manager asked for; what became of it, or nothing where it has to wait."""
    amount = memos.parse(request.memo, frozenset(custodian.settings.contract_terms.months)).amount
    name = request.words
    exchange = next((candidate for candidate in custodian.exchanges if candidate.name == name), None)
    if amount is None or exchange is None:
        if name in custodian.settings.contracts_exchange_accounts:
            return ""
        return f"{request.name} asked for a deposit to {name}: no exchange account of the settings"
    if custodian.chain.finalized().at - request.at > STALE:
        with writing(custodian.engine) as conn:
            transfers.move(conn, request, TransferState.HANDLED, kind="ignored", words="it is too old by now")
        return f"{name}: what {request.name} asked for is too old by now"
    try:
        to, memo = exchange.deposit_address()
        account = custodian.chain.named([to]).get(to)
        if account is not None and memo:
            deposit_accounts.pin(custodian.engine, name, account, memo)
    except ValtracError as error:
        return f"{name}: {error.what}"
    if account is None or not memo:
        return f"{name}: the chain has no account {to}" if account is None else f"{name}: no deposit memo"
    with writing(custodian.engine) as conn:
        contracts.add_due(
            conn,
            type_=domain.DEPOSIT,
            account=account.id,
            name=account.name,
            units=amount * domain.WHOLE,
            memo=memo,
            at=request.at,
            operation_id=request.id,
            words=f"asked for by {request.name}",
        )
    return f"{name}: a deposit of {amount} BTS is due"


def _open(custodian: Custodian) -> list[Withdrawal]:
    with reading(custodian.engine) as conn:
        return withdrawals.in_states(conn, *withdrawals.OPEN)


def _whole_fee(exchange: Exchange) -> int:
    """What comes on top of what a manager asked for, so that it arrives whole: exchanges take whole BTS only."""
    return -(-exchange.withdrawal_fee() // domain.WHOLE) * domain.WHOLE


def _fee(exchange: Exchange) -> int:
    try:
        return exchange.withdrawal_fee()
    except ValtracError:
        return 0
