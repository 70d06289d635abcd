"""Taking, listing, exporting and importing snapshots."""

from __future__ import annotations

from collections.abc import Callable

import sqlalchemy as sa

from valtrac.domain.chain import Delegate, Head, SubnetStake
from valtrac.domain.stakes import Snapshot
from valtrac.errors import BadInput, ChainUnreachable
from valtrac.ports import Chain
from valtrac.store import snapshots as stored
from valtrac.store.engine import claim_identity, writing

Stored = list[tuple[Snapshot, bool]]
"""Each snapshot read, and whether it was new."""


def take(
    engine: sa.Engine,
    chain: Chain,
    hotkey: str,
    netuid: int | None = None,
    *,
    at: Head | None = None,
    mirror: Callable[[Snapshot], None] | None = None,
) -> Stored:
    """Read a hotkey's stakes at the finalized block (or a given one) and store what is new.

    netuid None: every subnet that the hotkey has stake in. mirror: called with each new
    snapshot once it is stored (the daily CSV).
    Raises BadInput when the hotkey is no delegate or not in that subnet, ChainUnreachable when
    the answer does not add up; then nothing is stored.
    """
    identity = chain.identity()
    head = at or chain.finalized()
    delegate = chain.delegate(hotkey, head)
    if delegate is None:
        raise BadInput(
            f"{hotkey} is not a delegate at block {head.number}",
            f"asked of {identity.network}",
            "check the hotkey (VALTRAC_HOTKEYS) and the network",
        )
    read = [_checked(delegate, subnet, head) for subnet in delegate.subnets if netuid in (None, subnet.netuid)]
    if not read:
        raise BadInput(
            f"the hotkey has no stake on netuid {netuid} at block {head.number}", "", "choose another subnet"
        )
    with writing(engine) as conn:
        claim_identity(conn, identity.genesis_hash, identity.network, chain.asset)
        done = [(snapshot, stored.add(conn, snapshot)) for snapshot in read]
    for snapshot, new in done:
        if new and mirror:
            mirror(snapshot)
    return done


def _checked(delegate: Delegate, subnet: SubnetStake, head: Head) -> Snapshot:
    """A subnet's stakes as a snapshot; refused unless they sum to what the chain says is there."""
    held = sum(subnet.stakes.values())
    if held != subnet.total_units:
        raise ChainUnreachable(
            f"block {head.number}, netuid {subnet.netuid}: the node's stakes do not add up",
            f"they sum to {held}, the hotkey's total is {subnet.total_units}; some runtimes lose nominators this way",
            "nothing was stored; ask another node, or wait for its upgrade",
        )
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
    )
