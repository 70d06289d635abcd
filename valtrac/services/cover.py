"""Money between the custodian and its exchange accounts: asked for once, looked up before anything is repeated.

A withdrawal is written down with a memo of its own before the exchange hears of it. Where the answer is lost, the
exchange's own list says whether it was accepted; what arrives says so itself, by that memo, in an irreversible block.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

from valtrac.domain import contracts as domain
from valtrac.domain import memos
from valtrac.domain.chain import Withdrawal
from valtrac.domain.money import BTS, bts, decimal_text
from valtrac.errors import BadInput, ChainUnreachable, OutcomeUnknown, Refused, ValtracError
from valtrac.ports import Exchange
from valtrac.services.house import House
from valtrac.services.requests import arrived, may_be, new_reference
from valtrac.store import attempts, contracts, events, moves, operations
from valtrac.store.engine import reading, writing
from valtrac.store.moves import Move

LOST_AFTER = timedelta(minutes=30)  # an exchange that did not list a withdrawal by then has not accepted it
TOLD = "told as slow"
BEFORE = timedelta(minutes=10)  # clocks differ: looked for from a little before it was asked
SLOW = timedelta(hours=6)  # a withdrawal that has not arrived by then is told of
STALE = timedelta(hours=12)  # what a manager asked for is not done after that: he may have thought better of it


def step(house: House, missing: int, *, asked: Sequence[Move] | None = None) -> list[str]:
    """Look after everything that is asked of exchanges, then ask for what is missing, in the order of the settings.

    missing: satoshi beyond what is here; asked: what was on its way when that was reckoned (now, where it is not
    given), and is taken off it. Returns what was done, in words. Never raises for one exchange's sake: the next is
    asked.
    """
    said: list[str] = []
    asked = _open(house) if asked is None else asked
    for exchange in house.exchanges:
        try:
            said += _look_after(house, exchange)
        except (ChainUnreachable, Refused, OutcomeUnknown) as error:
            said.append(f"{exchange.name}: {error.what}")
    said += _slow(house)
    said += _deposits(house)
    missing -= on_the_way(house, asked) if missing > 0 else 0
    known = {move.id for move in asked}
    for exchange in house.exchanges:
        if missing <= 0:
            break
        try:
            coming = _cover(house, exchange, missing, known)
        except (ChainUnreachable, Refused, OutcomeUnknown) as error:
            said.append(f"{exchange.name}: {error.what}")
            continue
        if coming:
            missing -= coming
            said.append(f"{exchange.name}: {bts(coming)} asked for")
    return said


def on_the_way(house: House, asked: Sequence[Move] | None = None) -> int:
    """Satoshi that exchanges were asked for, less their fees.

    asked: as of a moment before; what has arrived meanwhile counts, what failed does not. None: as of now.
    """
    asked = _open(house) if asked is None else asked
    with reading(house.engine) as conn:
        failed = {move.id for move in moves.in_states(conn, "failed")}
    fees = {exchange.name: _fee(exchange) for exchange in house.exchanges}
    return sum(max(0, move.units - fees.get(move.exchange, 0)) for move in asked if move.id not in failed)


def _cover(house: House, exchange: Exchange, missing: int, known: set[int]) -> int:
    """Ask one account for what is missing or what it has; returns what should arrive, 0 where nothing was asked.

    known: the moves that `missing` reckons with. Where another process has planned one since, nothing is asked for:
    less is missing by now. One cover per account may be on its way; an index says so.
    """
    with reading(house.engine) as conn:
        if any(move.exchange == exchange.name for move in moves.in_states(conn, *moves.OPEN)):
            return 0
    available = exchange.available()
    if available <= house.settings.contracts_exchange_least:
        return 0
    fee = exchange.withdrawal_fee()
    most = domain.whole(available - house.settings.contracts_exchange_keep)
    gross = min(_up_to_whole(missing + fee), most)
    if gross <= fee:
        return 0
    with writing(house.engine) as conn:
        attempts.lock_wallet(conn, house.custodian.id)
        if any(move.id not in known for move in moves.in_states(conn, *moves.OPEN)):
            return 0
        move = moves.plan(
            conn, exchange=exchange.name, cause="cover", units=gross, memo=new_reference(), at=house.now()
        )
        if move is None:
            return 0
        msg = {"exchange": exchange.name, "amount": decimal_text(gross, BTS.decimals), "reference": move.memo}
        events.add(conn, "cover", msg)
    known.add(move.id)
    _ask(house, exchange, move)
    return gross - fee


def _look_after(house: House, exchange: Exchange) -> list[str]:
    """What became of what was asked of one account; what a manager asked for is asked now."""
    with reading(house.engine) as conn:
        mine = [move for move in moves.in_states(conn, *moves.OPEN) if move.exchange == exchange.name]
    if not mine:
        return []
    said = []
    asked = [move for move in mine if move.asked_at is not None]
    listed: Sequence[Withdrawal] = ()
    if asked:
        listed = exchange.withdrawals(min(move.asked_at or move.created_at for move in asked) - BEFORE)
    for move in mine:
        if move.asked_at is None and house.now() - move.created_at > STALE:
            said.append(_forget(house, move))
            continue
        if move.asked_at is None:
            _ask(house, exchange, move)
            said.append(f"{exchange.name}: {bts(move.units)} asked for")
            continue
        said += _compare(house, move, listed)
    return said


def _compare(house: House, move: Move, listed: Sequence[Withdrawal]) -> list[str]:
    """Let a move go where the exchange's list says that it went."""
    found = next((one for one in listed if one.memo == move.memo or (move.external_id and one.id == move.external_id)),
                 None)  # fmt: skip
    with writing(house.engine) as conn:
        if found is None:
            late = house.now() - (move.asked_at or move.created_at) > LOST_AFTER
            if move.state == "planned" and late and moves.set_state(conn, move, "failed", words="never accepted"):
                events.add(conn, "exchange_failed", {"exchange": move.exchange, "reference": move.memo})
                return [f"{move.exchange}: a withdrawal was never accepted"]
            return []
        if found.state == "failed":
            if moves.set_state(conn, move, "failed", external_id=found.id, words="the exchange refused it"):
                msg = {"exchange": move.exchange, "reference": move.memo, "warn": "the exchange refused a withdrawal"}
                events.add(conn, "alert", msg)
            return [f"{move.exchange}: a withdrawal was refused"]
        if move.state == "planned":
            moves.set_state(conn, move, "asked", external_id=found.id)
        elif found.tx_id:  # its memo may have been lost on the way: the transaction says who it is
            for one in operations.of_transaction(conn, found.tx_id):
                fits = one.direction == "in" and one.kind in ("", "loan", operations.SKIPPED) and may_be(move, one)
                if fits and not moves.came_with(conn, one.id):
                    arrived(conn, move, one)
                    if one.state != "handled" or one.kind == operations.SKIPPED:
                        operations.move(conn, one, "handled", kind="arrived")
                    break
    return []


def _forget(house: House, move: Move) -> str:
    """Leave what was to be asked for too long ago: by a manager, or by a process that died before it asked."""
    with writing(house.engine) as conn:
        if moves.set_state(conn, move, "failed", words="it could not be asked for in time"):
            msg = {"exchange": move.exchange, "reference": move.memo, "warn": "a withdrawal was not asked for in time"}
            events.add(conn, "alert", msg)
    return f"{move.exchange}: {bts(move.units)} were not asked for in time, and are not any more"


def _slow(house: House) -> list[str]:
    """What was asked for long ago and has not come: told at every look, and once in the trail."""
    said = []
    for move in _open(house):
        if move.asked_at is None or house.now() - move.asked_at < SLOW:
            continue
        said.append(f"{move.exchange}: {bts(move.units)} asked for and not come: run.py contracts moves")
        with writing(house.engine) as conn:
            if move.words != TOLD and moves.set_state(conn, move, move.state, words=TOLD):
                words = "a withdrawal does not come: ask the exchange, or say that it is lost"
                amount = decimal_text(move.units, BTS.decimals)
                msg = {"exchange": move.exchange, "reference": move.memo, "amount": amount, "warn": words}
                events.add(conn, "alert", msg)
    return said


def give_up(house: House, number: int, words: str) -> Move:
    """The owner's word that a withdrawal never comes: what is missing is asked for anew. Should it come after all, it
    is known again by its memo.

    Raises BadInput where it is none that waits, or was asked for a moment ago, and without words.
    """
    if not words.strip():
        raise BadInput("say why it will not come", "the ledger keeps the words", '--words "the exchange sent it back"')
    with writing(house.engine) as conn:
        move = moves.get(conn, number)
        if move.state not in moves.OPEN:
            raise BadInput(f"withdrawal #{number} is {move.state}", "", "see: run.py contracts moves")
        if house.now() - (move.asked_at or move.created_at) < LOST_AFTER:
            raise BadInput(
                f"withdrawal #{number} was asked for a moment ago", "it may be on its way", "wait half an hour"
            )
        moves.set_state(conn, move, "failed", words=words.strip()[:500])
        msg = {"exchange": move.exchange, "reference": move.memo, "by": "the owner", "words": words.strip()}
        events.add(conn, "exchange_failed", msg)
        return moves.get(conn, number)


def _ask(house: House, exchange: Exchange, move: Move) -> None:
    """Ask for a withdrawal that is written down. From the note on it counts as asked, whatever comes back."""
    with writing(house.engine) as conn:
        moves.note_asked(conn, move, house.now())
    try:
        number = exchange.withdraw(move.units, to=house.custodian.name, memo=move.memo)
    except Refused as error:
        with writing(house.engine) as conn:
            fresh = moves.by_memo(conn, move.memo)
            if fresh is not None and fresh.state == "planned":
                moves.set_state(conn, fresh, "failed", words=error.what[:500])
                msg = {"exchange": move.exchange, "reference": move.memo, "error": f"{error.what} {error.why}".strip()}
                events.add(conn, "exchange_failed", msg)
        raise
    with writing(house.engine) as conn:
        fresh = moves.by_memo(conn, move.memo)
        if fresh is not None and fresh.state == "planned":
            moves.set_state(conn, fresh, "asked", external_id=str(number)[:100])


def _deposits(house: House) -> list[str]:
    """Turn managers' requests to send money to an exchange into payments, at the address that the exchange names."""
    with reading(house.engine) as conn:
        asked = [one for one in operations.listed(conn, "handled", kind="to_exchange")
                 if not contracts.follows(conn, one.id, domain.DEPOSIT)]  # fmt: skip
    said = []
    for one in asked:
        request, name = memos.parse(one.memo, frozenset(house.settings.contract_terms.months)), one.words
        exchange = next((found for found in house.exchanges if found.name == name), None)
        if request.amount is None or exchange is None:
            if name not in house.settings.contracts_exchange_accounts:
                said.append(f"{one.name} asked for a deposit to {name}, which is no exchange account of the settings")
            continue
        if house.chain.finalized().at - one.at > STALE:
            with writing(house.engine) as conn:
                operations.move(conn, one, "handled", kind="ignored", words="it is too old by now")
            said.append(f"{name}: what {one.name} asked for is too old by now")
            continue
        try:
            to, memo = exchange.deposit_address()
            account = house.chain.named([to]).get(to)
        except ValtracError as error:
            said.append(f"{name}: {error.what}")
            continue
        if account is None or not memo:
            said.append(f"{name}: the chain has no account {to}" if account is None else f"{name}: no deposit memo")
            continue
        with writing(house.engine) as conn:
            contracts.add_due(
                conn, type_=domain.DEPOSIT, account=account.id, name=account.name, units=request.amount * domain.WHOLE,
                memo=memo, at=one.at, operation_id=one.id, words=f"asked for by {one.name}",
            )  # fmt: skip
        said.append(f"{name}: a deposit of {request.amount} BTS is due")
    return said


def _open(house: House) -> list[Move]:
    with reading(house.engine) as conn:
        return moves.in_states(conn, *moves.OPEN)


def _fee(exchange: Exchange) -> int:
    try:
        return exchange.withdrawal_fee()
    except ValtracError:
        return 0


def _up_to_whole(units: int) -> int:
    return -(-units // domain.WHOLE) * domain.WHOLE
