"""What follows from a request of a client or manager: decisions, as functions of values. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum, auto

from valtrac.contracts.model import contracts, memos
from valtrac.contracts.model.contracts import Contract, Due, Terms
from valtrac.contracts.model.states import DueState

UNREADABLE = memos.Request(memos.INVALID, why="the memo cannot be read")


class Action(Enum):
    """What is done about a transfer that came in."""

    PARK = auto()
    BEGIN = auto()
    STOP = auto()
    LOAN = auto()
    EXCHANGE = auto()
    REFUND = auto()


@dataclass(frozen=True, slots=True)
class Sender:
    """Who asks. never_refunded: such as an exchange's wallet, to which nothing may be sent back; by_owner: it is the
    owner who says what the transfer asks for."""

    manager: bool
    never_refunded: bool
    by_owner: bool = False


@dataclass(frozen=True, slots=True)
class Decision:
    """What to do, about which request, and for an action of PARK why."""

    action: Action
    request: memos.Request
    why: str = ""


def decide(
    request: memos.Request,
    sender: Sender,
    units: int,
    terms: Terms,
    *,
    may_be_withdrawal: bool = False,
    known_reference: bool = False,
) -> Decision:
    """What to do about a transfer of so many satoshi that asks for something.

    may_be_withdrawal: an exchange was asked for about as much. known_reference: what follows the # of a loan was given
    to its sender by the owner, or to an exchange by us.
    """
    lent = request.type == memos.LOAN and (sender.manager or sender.by_owner or known_reference)
    if not sender.by_owner and not lent:
        if sender.never_refunded:
            why = "from an account that is never sent anything back, such as an exchange's wallet"
            return Decision(Action.PARK, request, why)
        if request.type in (memos.INVALID, memos.LOAN) and may_be_withdrawal:
            return Decision(Action.PARK, request, "it may be what was asked of an exchange, without its memo")
    if request.type in terms.months:
        if contracts.whole(units) in terms.amounts:
            return Decision(Action.BEGIN, request)
        return _refused("the amount is none that a contract may have")
    if request.type == memos.STOP:
        return Decision(Action.STOP, request)
    if request.type == memos.LOAN:
        return Decision(Action.LOAN, request) if lent else _refused("only managers may lend without a reference")
    if request.about_exchange:
        return Decision(Action.EXCHANGE, request) if sender.manager else _refused("only managers may ask for this")
    return Decision(Action.REFUND, request)


def _refused(why: str) -> Decision:
    return Decision(Action.REFUND, memos.Request(memos.INVALID, why=why))


@dataclass(frozen=True, slots=True)
class Ending:
    """What a request to stop ends: the contracts; early: their principals and penalties; aborted: rewards that are not
    due yet; units: what is paid instead of the principals, in satoshi."""

    contracts: tuple[Contract, ...] = ()
    early: tuple[Due, ...] = ()
    aborted: tuple[Due, ...] = ()

    @property
    def units(self) -> int:
        """Principals less penalties."""
        return contracts.ended_early(self.early)


def end_early(
    held: Sequence[tuple[Contract, Sequence[Due]]], place: tuple[int, int, int], asked_at: datetime
) -> Ending:
    """What a request at a place of the chain ends, of the contracts of its sender with their rows.

    Those that began before it and are not at their term by then. What fell due before the request stays owed.
    """
    ended = [(contract, rows) for contract, rows in held if _is_ended_by(contract, rows, place, asked_at)]
    pending = [row for _, rows in ended for row in rows if row.state == DueState.PENDING]
    return Ending(
        tuple(contract for contract, _ in ended),
        tuple(row for row in pending if row.type in (contracts.PRINCIPAL, contracts.PENALTY)),
        tuple(row for row in pending if row.type == contracts.REWARD and row.due_at > asked_at),
    )


def _is_ended_by(contract: Contract, rows: Sequence[Due], place: tuple[int, int, int], asked_at: datetime) -> bool:
    # by its place on the chain; one that came from a list has none, and goes by its time
    began = (contract.block, contract.trx, contract.op)
    if not (began < place if contract.block else contract.start_at < asked_at):
        return False
    principal = next((row for row in rows if row.type == contracts.PRINCIPAL), None)
    return principal is not None and principal.state == DueState.PENDING and principal.due_at > asked_at


def ignored_because(
    request: memos.Request, *, lifetime_member: bool, age_blocks: int, oldest_blocks: int, accounts: int
) -> str:
    """Why a manager's request about an exchange is not carried out, or "".

    age_blocks: how far the chain has gone on since; accounts: how many exchange accounts the settings name.
    """
    if not lifetime_member:
        return "the manager is not a lifetime member"
    if age_blocks >= oldest_blocks:
        return f"it is older than {oldest_blocks} blocks"
    if request.account is None or request.account > accounts:
        return "there is no exchange account of this number in the settings"
    return "it names no amount" if request.amount is None else ""
