"""Who delegates to whom at a block, from the events of the chain. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from valtrac.core.staking import DelegationEvent, NodePolicy


@dataclass(frozen=True, slots=True)
class Delegation:
    """To whom an address delegates, for how many percent of a reward, since which block. proven: whether blocks can be
    won with its coins."""

    staker: str
    fee: int
    since: int
    proven: bool = True


def following(before: Mapping[str, Delegation], events: Iterable[DelegationEvent]) -> dict[str, Delegation]:
    """delegate -> its delegation after these events, in their order: an address has one at a time, the last it gave."""
    now = dict(before)
    for event in events:
        if event.added:
            now[event.delegate] = Delegation(event.staker, event.fee, event.block, event.proven)
        else:
            now.pop(event.delegate, None)
    return now


def of_staker(delegations: Mapping[str, Delegation], staker: str) -> dict[str, int]:
    """delegate -> fee of those who delegate to one staker."""
    return {delegate: told.fee for delegate, told in delegations.items() if told.staker == staker}


def counted(fees: Mapping[str, int], *, required: int, policy: NodePolicy | None = None) -> dict[str, int]:
    """Those who have a part in rewards: with at least the required fee, and whom the node takes at all."""
    only = policy.only if policy else frozenset[str]()
    never = policy.never if policy else frozenset[str]()
    return {
        delegate: fee
        for delegate, fee in fees.items()
        if fee >= required and delegate not in never and (not only or delegate in only)
    }
