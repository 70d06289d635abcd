"""What a keep's state and price ask for: nothing, a word, a call, a redemption. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum, StrEnum

from valtrac.keeps.model import deadlines
from valtrac.keeps.model.collateral import Thresholds
from valtrac.keeps.model.funds import Route
from valtrac.keeps.model.states import DepositState

USUAL = Thresholds()


class Holder(StrEnum):
    """Who holds the token of a deposit (TDT), which decides who may redeem it."""

    MACHINE = "vending machine"
    OWN = "this wallet"
    OTHER = "somebody else"


class Group(IntEnum):
    """Who is saved first. DANGER: in courtesy call, or below the courtesy threshold; LOW: below its own threshold."""

    DANGER = 1
    LOW = 2


class Act(StrEnum):
    """What is to be done with a keep now."""

    NOTHING = "nothing"
    REDEEM = "redeem"
    CALL_AND_REDEEM = "make the courtesy call, then redeem"
    LEAVE_CALL = "leave the courtesy call"


@dataclass(frozen=True, slots=True)
class KeepNow:
    """A keep as the chain has it at one block. percent: None where the price is unknown; called_at: of the courtesy
    call, 0 where there is none; now: the block's time; at_term: whether anybody may redeem it."""

    deposit: str
    state: DepositState
    percent: int | None
    holder: Holder
    called_at: int = 0
    now: int = 0
    at_term: bool = False
    thresholds: Thresholds = USUAL


@dataclass(frozen=True, slots=True)
class Wish:
    """What is wanted of a keep. group: None where it is not to be redeemed; route: how; why: in words, also of what
    cannot be done."""

    act: Act
    why: str
    group: Group | None = None
    route: Route | None = None


def wish(keep: KeepNow, *, threshold: int, may_call: bool) -> Wish:
    """What a keep asks for. threshold: the owner's own, above which nothing is done; may_call: whether the owner lets
    this wallet make courtesy calls.

    The state is looked at before the percentage, which is 0 once a bond was seized or freed.
    """
    if not keep.state.redeemable:
        return Wish(Act.NOTHING, _words(keep.state))
    if keep.percent is None:
        return Wish(Act.NOTHING, "its price is unknown")
    below = f"{keep.percent} %, below "
    if keep.state is DepositState.COURTESY_CALL:
        if keep.percent >= keep.thresholds.courtesy:
            return Wish(Act.LEAVE_CALL, f"back at {keep.percent} %; a call ends in liquidation at any price")
        return Wish(Act.REDEEM, "in courtesy call", Group.DANGER, _route(keep))
    if keep.percent < keep.thresholds.courtesy:
        reason = below + str(keep.thresholds.courtesy)
        if _open_to_us(keep):
            return Wish(Act.REDEEM, reason, Group.DANGER, _route(keep))
        if may_call:
            return Wish(Act.CALL_AND_REDEEM, reason, Group.DANGER, Route.DIRECT)
        return Wish(Act.NOTHING, f"{reason}; another has its token, and this wallet makes no courtesy calls")
    if keep.percent < threshold:
        if _open_to_us(keep):
            return Wish(Act.REDEEM, below + str(threshold), Group.LOW, _route(keep))
        return Wish(Act.NOTHING, f"{below}{threshold}; another has its token: redeemable once called")
    return Wish(Act.NOTHING, f"{keep.percent} %")


def danger(keep: KeepNow, *, threshold: int) -> Group | None:
    """In what danger a bond is, whether or not this wallet can do anything about it; None where in none, or where that
    is not known."""
    if keep.state is DepositState.COURTESY_CALL:
        return Group.DANGER
    if not keep.state.redeemable or keep.percent is None:
        return None
    if keep.percent < keep.thresholds.courtesy:
        return Group.DANGER
    return Group.LOW if keep.percent < threshold else None


def urgency(keep: KeepNow) -> tuple[int, int, int, str]:
    """What a keep is sorted by, the most urgent first: those that anybody may have liquidated now, then by percent,
    then by the older call."""
    percent = -1 if keep.percent is None else keep.percent
    called = keep.state is DepositState.COURTESY_CALL
    expired = called and deadlines.call_expired(keep.called_at, keep.now)
    lost = expired or percent < keep.thresholds.severe
    return (0 if lost else 1, percent, keep.called_at if called else 2**63, keep.deposit)


class OpenCall(StrEnum):
    """What anybody may call now, on the contract of a deposit."""

    COURTESY = "notifyCourtesyCall"
    EXPIRED = "notifyCourtesyCallExpired"
    LIQUIDATION = "notifyUndercollateralizedLiquidation"


def open_to_anybody(keep: KeepNow) -> tuple[OpenCall, ...]:
    """What anybody may call on a deposit now. Nothing of it happens by itself, and we start none on a keep of ours but
    the courtesy call that we answer ourselves."""
    if not keep.state.redeemable:
        return ()
    calls: list[OpenCall] = []
    known = keep.percent if keep.percent is not None else keep.thresholds.courtesy  # the contract says no to unknown
    if keep.state is DepositState.ACTIVE and known < keep.thresholds.courtesy:
        calls.append(OpenCall.COURTESY)
    if keep.state is DepositState.COURTESY_CALL and deadlines.call_expired(keep.called_at, keep.now):
        calls.append(OpenCall.EXPIRED)
    if known < keep.thresholds.severe:
        calls.append(OpenCall.LIQUIDATION)
    return tuple(calls)


def _open_to_us(keep: KeepNow) -> bool:
    return keep.holder in (Holder.MACHINE, Holder.OWN) or keep.at_term


def _route(keep: KeepNow) -> Route:
    """Through the VendingMachine where it holds the token, in courtesy call too: one approval serves all of those."""
    return Route.MACHINE if keep.holder is Holder.MACHINE else Route.DIRECT


def _words(state: DepositState) -> str:
    if state.final:
        return f"over: {state.name.lower().replace('_', ' ')}"
    if state.being_redeemed:
        return "being redeemed already"
    if state in (DepositState.LIQUIDATION_IN_PROGRESS, DepositState.FRAUD_LIQUIDATION_IN_PROGRESS):
        return "in liquidation: nothing can be saved any more"
    return "not funded yet"
