"""What a custodian account works with: database, chain, the account itself, exchanges, the door."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import sqlalchemy as sa

from valtrac.contracts.producer import ContractProducer
from valtrac.contracts.settings import ContractSettings
from valtrac.contracts.store import audit_events
from valtrac.core.chain import Named
from valtrac.core.errors import BadInput, Refused
from valtrac.database.engine import claim_identity, writing
from valtrac.payments.door import Door
from valtrac.ports import CustodianChain, Exchange, PayingChain

MOST_PAYMENTS = 1  # in one transaction: what is owed once is one transaction, the same in every copy of this ledger
CORE_ASSET = "1.3.0"
LARGEST_LAG = 20  # blocks that the listener may be behind when a round of payments begins: a minute


@dataclass(frozen=True, slots=True)
class Custodian:
    """One custodian account. exchanges: unlocked accounts in the order in which they are drawn upon.
    now: the clock of this machine; sleep, clock: as the door's."""

    engine: sa.Engine
    chain: CustodianChain
    settings: ContractSettings
    account: Named
    witnesses: Sequence[PayingChain] = ()
    exchanges: Sequence[Exchange] = ()
    log: Path | None = None
    tell: Callable[[str], None] = field(default=lambda words: None)
    sleep: Callable[[float], None] = time.sleep
    clock: Callable[[], float] = time.monotonic
    now: Callable[[], datetime] = lambda: datetime.now(UTC)

    @property
    def producer(self) -> ContractProducer:
        """Contracts as the door sees them."""
        return ContractProducer(self.settings)

    @property
    def pace_s(self) -> float:
        """Seconds in which something may have changed on the chain."""
        return 0.03 if self.settings.bitshares_network == "devnet" else 2.0

    @property
    def _evidence(self) -> str:
        """How far what became of a payment is believed, as it is told with each."""
        if self.settings.bitshares_network == "devnet":
            return ""
        if self.witnesses:
            return "; two nodes say so"
        return "; one node is trusted for it: name another, VALTRAC_BITSHARES_SECOND_NODE"

    def door(self, *, patience_s: float = 180.0, poll_s: float | None = None) -> Door:
        """The payment door of this account. poll_s: how often it looks; by itself at the pace of the chain."""
        return Door(
            self.engine,
            self.chain,
            self.producer,
            numbers=None,  # the listener, which reads every block, finds what is not ours
            period=self.settings.bitshares_expiration_s,
            chunk_size=MOST_PAYMENTS,
            witnesses=self.witnesses,
            evidence=self._evidence,
            log=self.log,
            tell=self.tell,
            sleep=self.sleep,
            clock=self.clock,
            poll_s=self.pace_s if poll_s is None else poll_s,
            patience_s=patience_s,
        )


def find_custodian(engine: sa.Engine, chain: CustodianChain, settings: ContractSettings) -> Named:
    """The account of the settings on this chain; to both the database is tied from then on.

    Raises BadInput where the chain has no such account, Refused where the database belongs to another chain or account.
    """
    identity = chain.identity()
    with writing(engine) as conn:
        claim_identity(conn, identity.genesis_hash, identity.network, chain.asset)
    name = settings.bitshares_custodian
    account = chain.named([name]).get(name)
    if account is None:
        raise BadInput(
            f"the chain has no account {name}",
            why="it is the custodian of the settings",
            fix="mend VALTRAC_BITSHARES_CUSTODIAN",
        )
    with writing(engine) as conn:
        tied = audit_events.last(conn, "custodian")
        if tied is None:
            audit_events.add(conn, "custodian", {"id": account.id, "account": account.name})
        elif tied.msg["id"] != account.id:
            raise Refused(
                f"this database belongs to the account {tied.msg['account']}, and not to {account.name}",
                why="what one owes is not paid by the other",
                fix="set VALTRAC_BITSHARES_CUSTODIAN back, or give the other account a home of its own: VALTRAC_HOME",
            )
    return account
