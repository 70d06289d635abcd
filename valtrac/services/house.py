"""What the custodian's house works with: database, chain, the account itself, exchanges, the door."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from valtrac.config import Settings
from valtrac.domain.batches import BatchLine
from valtrac.domain.chain import Named
from valtrac.errors import BadInput, Refused
from valtrac.ports import Chain, Custody, Exchange
from valtrac.services.door import Door
from valtrac.store import contracts, events, operations
from valtrac.store.engine import claim_identity, writing

CORE_ASSET = "1.3.0"
LARGEST_LAG = 20  # blocks that the listener may be behind when a round of payments begins: a minute


@dataclass(frozen=True, slots=True)
class House:
    """One custodian account. exchanges: unlocked accounts in the order in which they are drawn upon.
    now: the clock of this machine; sleep, clock: as the door's."""

    engine: sa.Engine
    chain: Custody
    settings: Settings
    custodian: Named
    witnesses: Sequence[Chain] = ()
    exchanges: Sequence[Exchange] = ()
    log: Path | None = None
    tell: Callable[[str], None] = field(default=lambda words: None)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def pace_s(self) -> float:
        """Seconds in which something may have changed on the chain."""
        return 0.1 if self.settings.bitshares_network == "devnet" else 2.0

    def door(self, *, patience_s: float = 180.0, poll_s: float | None = None) -> Door:
        """The payment door of this account. poll_s: how often it looks; by itself at the pace of the chain."""
        return Door(
            self.engine,
            self.chain,
            self.settings,
            witnesses=self.witnesses,
            log=self.log,
            tell=self.tell,
            sleep=self.sleep,
            clock=self.clock,
            poll_s=self.pace_s if poll_s is None else poll_s,
            patience_s=patience_s,
            waits=waits,
        )


def find_custodian(engine: sa.Engine, chain: Custody, settings: Settings) -> Named:
    """The account of the settings on this chain; to both the database is tied from then on.

    Raises BadInput where the chain has no such account, Refused where the database belongs to another chain or account.
    """
    identity = chain.identity()
    with writing(engine) as conn:
        claim_identity(conn, identity.genesis_hash, identity.network, chain.asset)
    name = settings.bitshares_custodian
    found = chain.named([name]).get(name)
    if found is None:
        raise BadInput(
            f"the chain has no account {name}",
            "it is the custodian of the settings",
            "mend VALTRAC_BITSHARES_CUSTODIAN",
        )
    with writing(engine) as conn:
        tied = events.last(conn, "custodian")
        if tied is None:
            events.add(conn, "custodian", {"id": found.id, "account": found.name})
        elif tied.msg["id"] != found.id:
            raise Refused(
                f"this database belongs to the account {tied.msg['account']}, and not to {found.name}",
                "what one owes is not paid by the other",
                "set VALTRAC_BITSHARES_CUSTODIAN back, or give the other account a home of its own: VALTRAC_HOME",
            )
    return found


def waits(conn: sa.Connection, lines: Sequence[BatchLine]) -> dict[int, str]:
    """line id -> why its payment has to wait, as `holds` says."""
    holding = holds(conn)
    if not holding:
        return {}
    carried = {due.line_id for due in contracts.of_lines(conn, [line.id for line in lines])}
    return {line.id: holding[line.address] for line in lines if line.id in carried and line.address in holding}


def holds(conn: sa.Connection) -> dict[str, str]:
    """account -> why nothing is paid to it for now: a transfer to it that is not in the journal, which may have been
    this very payment, or a memo of its own that was not read yet, which may end what would be paid."""
    found = {one.account: f"the memo of its transfer {one.key} is not read yet"
             for one in operations.listed(conn, "waiting")}  # fmt: skip
    return found | {
        one.account: f"transfer {one.key} to it is not in the journal: run.py contracts waiting"
        for one in operations.listed(conn, "unruled")
    }
