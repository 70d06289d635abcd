"""What a pool works with: database, chain, settings, the door."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from valtrac.core.errors import BadInput, Refused
from valtrac.database.engine import claim_identity, reading, writing
from valtrac.payments.door import Door
from valtrac.pool.model.schedule import believed
from valtrac.pool.producer import PoolProducer
from valtrac.pool.roster import Roster
from valtrac.pool.settings import PoolSettings
from valtrac.pool.store import blocks
from valtrac.ports import PoolChain

PATIENCE_S = 600.0


@dataclass(frozen=True, slots=True)
class Pool:
    """One super staker. witnesses: further nodes that must say the same. roster: who delegates, as far as it was read.
    now: the clock of this machine; sleep, clock: as the door's."""

    engine: sa.Engine
    chain: PoolChain
    settings: PoolSettings
    staker: str
    witnesses: Sequence[PoolChain] = ()
    roster: Roster = field(default_factory=Roster)
    log: Path | None = None
    tell: Callable[[str], None] = field(default=lambda words: None)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def producer(self) -> PoolProducer:
        """Paydays as the door sees them."""
        return PoolProducer(self.settings)

    @property
    def evidence(self) -> str:
        """How far what became of a payment is believed, as it is told with each."""
        if self.settings.rehearsing_pool:
            return ""
        if self.witnesses:
            return "; two nodes say so"
        return "; one node is trusted for it: name another, VALTRAC_QTUM_SECOND_NODE"

    def door(self, *, patience_s: float = PATIENCE_S, poll_s: float | None = None) -> Door:
        """The payment door of this wallet. poll_s: how often it looks."""
        return Door(
            self.engine,
            self.chain,
            self.producer,
            numbers=None,  # coins are spent, and nothing is numbered
            period=1,  # of no use: what is signed does not expire
            chunk_size=self.settings.pool_chunk,
            witnesses=self.witnesses,
            evidence=self.evidence,
            coins=(self.chain, *self.witnesses),
            log=self.log,
            tell=self.tell,
            sleep=self.sleep,
            clock=self.clock,
            poll_s=self.settings.pool_look_s if poll_s is None else poll_s,
            patience_s=patience_s,
        )


def tie(pool: Pool) -> None:
    """Tie the database to the chain and the super staker at the first contact; later, refuse any other. Raises Refused,
    ChainUnreachable."""
    identity = pool.chain.identity()
    for witness in pool.witnesses:
        if witness.identity().genesis_hash != identity.genesis_hash:
            raise Refused("the second node serves another chain", fix="mend VALTRAC_QTUM_SECOND_NODE")
    with writing(pool.engine) as conn:
        claim_identity(conn, identity.genesis_hash, identity.network, pool.chain.asset)
        begun = blocks.beginning(conn)
    if begun is not None and begun[0] != pool.staker:
        raise Refused(
            f"this database belongs to the super staker {begun[0]}, and not to {pool.staker}",
            why="what one owes is not paid by the other",
            fix="set VALTRAC_QTUM_STAKER back, or give the other one a home of its own: VALTRAC_HOME",
        )


def begin_at(pool: Pool, after: int, words: str) -> None:
    """Count rewards from the block after this one on. Raises BadInput where the pool has begun already, or the chain
    has not got that far."""
    tie(pool)
    with reading(pool.engine) as conn:
        begun = blocks.beginning(conn)
    if begun is not None:
        raise BadInput(f"rewards are counted from block {begun[1] + 1} on already", fix="see: run.py pool now")
    newest = pool.chain.tip()
    if not 0 <= after <= newest.number:
        raise BadInput(f"block {after} is not there yet", why=f"the newest is {newest.number}", fix="name an older one")
    with writing(pool.engine) as conn:
        blocks.begin(conn, pool.staker, after, words, believed(pool.now(), newest.at))
