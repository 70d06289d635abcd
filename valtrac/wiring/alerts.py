"""The wiring of alerts: every business that has something to tell, the outbox, and where addresses are kept."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

from valtrac.secrets.addresses import AddressBook
from valtrac.settings import Settings
from valtrac.wiring.contracts import ContractsApp
from valtrac.wiring.keeps import KeepsApp
from valtrac.wiring.payouts import App
from valtrac.wiring.pool import PoolApp

if TYPE_CHECKING:
    import sqlalchemy as sa

    from valtrac.alerts.alerting import Alerting
    from valtrac.core.events import EventKind
    from valtrac.payouts.liquidity import Liquidity
    from valtrac.ports import EventSource

BLOCK_S = 12.0


class AlertsApp:
    """One running ValTrac's side of alerts. Opening it opens nothing; only databases that are there are read."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._payouts, self._contracts = App(settings), ContractsApp(settings)
        self._pool, self._keeps = PoolApp(settings), KeepsApp(settings)

    @cached_property
    def engine(self) -> sa.Engine:
        """The database of alerts, migrated."""
        from valtrac.database.opening import open_engine

        return open_engine(self.settings.alerts_database)

    @cached_property
    def addresses(self) -> AddressBook:
        """Where the addresses of targets are."""
        return AddressBook(self.settings.alerts_address_file, kept=self.settings.alerts_addresses != "none")

    @property
    def machine(self) -> str:
        """What this machine is called in every message."""
        return self.settings.alerts_machine or socket.gethostname()[:40] or "this machine"

    @property
    def in_use(self) -> tuple[bool, bool, bool, bool]:
        """Which databases are there to be read: of the pool, of payouts, of contracts, of keeps."""
        settings = self.settings
        places = (settings.qtum_database, settings.database, settings.bitshares_database, settings.keeps_database)
        pool, payouts, contracts, keeps = map(_is_there, places)
        return pool, payouts, contracts, keeps

    def sources(self) -> tuple[EventSource, ...]:
        """Everything that has something to tell and is in use here. A new business is one more part."""
        pool, payouts, contracts, keeps = self.in_use
        of_pool = self._of_pool() if pool else ()  # first: the hourly text message has room for its figures alone
        others = (*(self._of_payouts() if payouts else ()), *(self._of_contracts() if contracts else ()))
        return (*of_pool, *others, *(self._of_keeps() if keeps else ()))

    def kinds(self) -> tuple[EventKind, ...]:
        """Every kind of event of a business, in use here or not yet. A new business is one more line."""
        from valtrac.alerts import events as of_alerts
        from valtrac.contracts import events as of_contracts
        from valtrac.contracts.producer import NAME as CONTRACTS
        from valtrac.keeps import events as of_keeps
        from valtrac.keeps.producer import NAME as KEEPS
        from valtrac.payments.events import kinds_of
        from valtrac.payouts import events as of_payouts
        from valtrac.payouts.store.batches import NAME as PAYOUTS
        from valtrac.people import events as of_people
        from valtrac.pool import events as of_pool
        from valtrac.pool.producer import NAME as POOL
        from valtrac.snapshots import events as of_snapshots

        businesses = (of_pool, of_payouts, of_contracts, of_keeps, of_people, of_snapshots, of_alerts)
        declared = [kind for business in businesses for kind in business.KINDS]
        return (*declared, *(kind for name in (PAYOUTS, CONTRACTS, POOL, KEEPS) for kind in kinds_of(name)))

    def alerting(self, more: Sequence[EventSource] = ()) -> Alerting:
        """What the verbs work with. more: sources that live above the wiring."""
        from valtrac.alerts.alerting import Alerting, Health
        from valtrac.alerts.delivery import AppriseNotifier
        from valtrac.alerts.events import OwnEvents

        health = Health()
        sources = (*self.sources(), *more, OwnEvents(self.engine, health))
        return Alerting(self.engine, self.settings, sources, AppriseNotifier(), self.addresses, self.machine, health)

    def guard_memory(self) -> None:
        """To be called before an address is at hand: nothing of this process is left behind by a crash."""
        from valtrac.secrets.memory import keep_to_itself

        keep_to_itself()

    def close(self) -> None:
        """Let go of nodes and databases."""
        self._payouts.close()
        self._contracts.close()
        self._pool.close()
        self._keeps.close()
        engine = self.__dict__.pop("engine", None)
        if engine is not None:
            engine.dispose()

    def _of_pool(self) -> tuple[EventSource, ...]:
        from valtrac.payments.events import PaymentEvents
        from valtrac.pool.events import PoolEvents
        from valtrac.pool.producer import NAME, WORDS

        engine = self._pool.engine
        return (PoolEvents(engine), PaymentEvents(engine, NAME, WORDS, standing=True))

    def _of_payouts(self) -> tuple[EventSource, ...]:
        from valtrac.payments.events import PaymentEvents
        from valtrac.payouts.events import PayoutEvents
        from valtrac.payouts.producer import WORDS
        from valtrac.payouts.store.batches import NAME
        from valtrac.people.events import PeopleEvents
        from valtrac.snapshots.events import SnapshotEvents

        settings, app = self.settings, self._payouts
        return (
            PaymentEvents(app.engine, NAME, WORDS),
            SnapshotEvents(app.engine, settings.snapshot_interval, None if settings.rehearsing else BLOCK_S),
            PeopleEvents(app.engine, settings.quarantine),
            PayoutEvents(self._liquidity),
        )

    def _of_contracts(self) -> tuple[EventSource, ...]:
        from valtrac.contracts.events import ContractEvents
        from valtrac.contracts.producer import NAME, WORDS
        from valtrac.payments.events import PaymentEvents

        engine = self._contracts.engine
        return (PaymentEvents(engine, NAME, WORDS, standing=True), ContractEvents(engine))

    def _of_keeps(self) -> tuple[EventSource, ...]:
        from valtrac.keeps.events import KeepsEvents
        from valtrac.keeps.producer import NAME, WORDS
        from valtrac.payments.events import PaymentEvents

        engine = self._keeps.engine
        return (KeepsEvents(engine), PaymentEvents(engine, NAME, WORDS, standing=True))

    def _liquidity(self) -> Liquidity | None:
        """What the payout wallet holds, as the node says now; None where no payout was ever approved."""
        from valtrac.database.engine import reading
        from valtrac.payments.model.states import IN_FORCE
        from valtrac.payments.store import batches
        from valtrac.payouts.liquidity import liquidity

        app = self._payouts
        with reading(app.engine) as conn:
            if not batches.listed(conn, IN_FORCE, limit=1):
                return None
        return liquidity(app.engine, app.chain, app.wallet_address, chunk_size=self.settings.chunk_size)


def _is_there(database: str | Path) -> bool:
    """Whether there is something to read: a server, or a file that somebody has begun."""
    path = database if isinstance(database, Path) else Path(database.removeprefix("sqlite:///"))
    return path.exists() if isinstance(database, Path) or database.startswith("sqlite:///") else True
