"""Taking snapshots: read from the chain, checked against its own sums, stored."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import sqlalchemy as sa

from valtrac.core.chain import Delegate, Head, SubnetStake
from valtrac.core.errors import BadInput, ChainUnreachable, Refused
from valtrac.database.engine import claim_identity, reading, writing
from valtrac.ports import StakeSource
from valtrac.snapshots.model.stakes import Snapshot
from valtrac.snapshots.store import snapshots as stored


@dataclass(frozen=True, slots=True)
class Taken:
    """What one look at a hotkey brought. stored: each snapshot, and whether it was new; refused: in words, the
    subnets whose stakes do not add up, of which nothing was stored."""

    stored: list[tuple[Snapshot, bool]]
    refused: tuple[str, ...] = ()


def take(
    engine: sa.Engine,
    chain: StakeSource,
    hotkey: str,
    netuid: int | None = None,
    *,
    only: Collection[int] | None = None,
    at: Head | None = None,
    mirror: Callable[[Snapshot], None] | None = None,
) -> Taken:
    """Read a hotkey's stakes at the finalized block (or a given one) and store what is new.

    netuid None: every subnet that the hotkey has stake in, or those of them in `only`. mirror: called with each new
    snapshot once it is stored (the daily CSV).
    A subnet whose stakes do not add up is refused for itself; the others are stored.
    Raises BadInput when the hotkey is no delegate or not in that subnet, ChainUnreachable when
    no subnet adds up; then nothing is stored.
    """
    identity = chain.identity()
    head = at or chain.finalized()
    same_history(engine, chain)
    delegate = chain.delegate(hotkey, head)
    if delegate is None:
        raise BadInput(
            f"the chain does not list {hotkey} as a delegate at block {head.number}",
            why=f"{identity.network} knows it not at all, or as a hotkey that was registered and never took a take",
            fix="check VALTRAC_HOTKEYS and the network; a registered hotkey becomes a delegate when its owner sets its "
            "take once (btcli sudo set-take, or SubtensorModule.decrease_take)",
        )
    meant = only if netuid is None else {netuid}
    wanted = [subnet for subnet in delegate.subnets if meant is None or subnet.netuid in meant]
    if not wanted:
        which = "any subnet" if meant is None else f"netuid {', '.join(map(str, sorted(meant)))}"
        raise BadInput(f"the hotkey has no stake on {which} at block {head.number}", fix="choose another subnet")
    read, refused = _sums_checked(delegate, wanted, head)
    with writing(engine) as conn:
        claim_identity(conn, identity.genesis_hash, identity.network, chain.asset)
        done = [(snapshot, stored.add(conn, snapshot)) for snapshot in read]
    for snapshot, new in done:
        if new and mirror:
            mirror(snapshot)
    return Taken(done, refused)


def same_history(engine: sa.Engine, chain: StakeSource) -> None:
    """Raise Refused where the newest recorded block is another one on this chain: a chain that was begun anew has the
    genesis of the one before, and nothing of it may stand beside what was recorded of that."""
    with reading(engine) as conn:
        newest = stored.newest_block(conn)
    if newest is None:
        return
    number, block_hash = newest
    final = chain.finalized().number
    if final < number:
        raise ChainUnreachable(
            f"the node is at block {final}, and the record of stakes at {number}",
            why="it is behind, or its chain was begun anew",
            fix="wait until it has caught up; for a chain that was begun anew take another home (VALTRAC_HOME)",
        )
    if chain.block(number).head.hash != block_hash:
        raise Refused(
            f"block {number} of this node is not the one that was recorded",
            why="its chain has the same first block and another history: it was begun anew, or lies",
            fix="for a chain that was begun anew take another home (VALTRAC_HOME); else ask another node",
        )


def _sums_checked(
    delegate: Delegate, subnets: Sequence[SubnetStake], head: Head
) -> tuple[list[Snapshot], tuple[str, ...]]:
    """(the subnets that add up, why the others do not). Raises ChainUnreachable where none does."""
    refused = tuple(words for subnet in subnets if (words := _does_not_add_up(subnet, head)))
    if len(refused) == len(subnets):
        raise ChainUnreachable(
            f"block {head.number}: the node's stakes do not add up",
            why="; ".join(refused),
            fix="nothing was stored; ask another node, or wait for its upgrade",
        )
    return [_snapshot(delegate, subnet, head) for subnet in subnets if not _does_not_add_up(subnet, head)], refused


def dust_of(subnet: SubnetStake) -> int | None:
    """What the hotkey's total has beyond the stakes of all who hold some of it; None where they cannot be its parts.

    A runtime keeps shares and rounds each staker's part down, so that the parts may sum to less than the total: by
    less than one unit for each of them, and by one more that is left when somebody leaves (seen: 2 with 4 stakers, 502
    with 1,001, 506 with 1,003, 1 with none).
    """
    dust = subnet.total_units - sum(subnet.stakes.values())
    return dust if 0 <= dust <= len(subnet.stakes) + 1 else None


def _does_not_add_up(subnet: SubnetStake, head: Head) -> str:
    """Why nothing of a subnet is stored, or ""."""
    if dust_of(subnet) is not None:
        return ""
    return (
        f"netuid {subnet.netuid} at block {head.number}: {len(subnet.stakes):,} stakes sum to "
        f"{sum(subnet.stakes.values())}, the hotkey's total is {subnet.total_units}"
    )


def _snapshot(delegate: Delegate, subnet: SubnetStake, head: Head) -> Snapshot:
    """The stakes of a subnet that add up."""
    others = {address: units for address, units in subnet.stakes.items() if address != delegate.owner}
    return Snapshot(
        delegate.hotkey,
        subnet.netuid,
        head.number,
        head.hash,
        head.at,
        delegate.owner,
        subnet.stakes.get(delegate.owner, 0),
        others,
        subnet.price_rao,
        verified=True,
        take_raw=delegate.take_raw,
        dust=dust_of(subnet),
    )
