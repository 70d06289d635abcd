"""A custodian, clients and a BitShares chain of their own, for tests: send, read, let time pass, pay, compare."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from valtrac.chains.bitshares import connect
from valtrac.chains.bitshares.keys import dev_keys
from valtrac.chains.bitshares.slots import LENGTH_REHEARSAL_S
from valtrac.contracts import dues, exchange_transfers, listener
from valtrac.contracts.custodian import Custodian, find_custodian
from valtrac.contracts.model.contracts import WHOLE, Contract, Due
from valtrac.contracts.model.states import DueState, TransferState
from valtrac.contracts.store import contracts, transfers
from valtrac.database.engine import reading
from valtrac.database.opening import open_engine
from valtrac.devnet import bitshares
from valtrac.ports import Exchange
from valtrac.settings import load

NOTHING = Path("/nonexistent")
CLIENTS = ("ann", "bob", "cid", "dee")
DAY = 86_400


class World:
    """Everything whole BTS. settings: of VALTRAC_ names without the prefix."""

    def __init__(
        self,
        folder: Path,
        *,
        custodian: int = 100_000,
        first_block: int = 60_700_000,
        pace: Literal["look", "manual"] = "manual",
        **settings: str,
    ) -> None:
        self.folder, self.path = folder, folder / "data" / "bitshares-devnet.sqlite"
        self.path.parent.mkdir(parents=True, exist_ok=True)
        accounts = [
            bitshares.dev_account("custodian", satoshi=custodian * WHOLE),
            bitshares.dev_account("manager", lifetime=True, satoshi=1_000_000 * WHOLE),
            bitshares.dev_account("clerk", satoshi=1_000_000 * WHOLE),
            bitshares.dev_account("exchange", satoshi=10_000_000 * WHOLE),
            *(bitshares.dev_account(name, satoshi=50_000_000 * WHOLE) for name in CLIENTS),
        ]
        # ten minutes ago, at the beginning of a slot, so that a test is the same whenever it runs
        began = datetime.fromtimestamp(time.time() // LENGTH_REHEARSAL_S * LENGTH_REHEARSAL_S - 600, UTC)
        bitshares.seed(self.path, accounts=accounts, pace=pace, lib_lag=2, first_block=first_block, at=began)
        bitshares.produce(self.path, 5)
        given = {
            "HOME": str(folder),
            "CONTRACTS_AMOUNTS": "100,25000,50000,100000",
            "CONTRACTS_MANAGERS": "manager,clerk",
            **settings,
        }
        self.settings = load({f"VALTRAC_{name}": value for name, value in given.items()}, NOTHING)
        self.engine = open_engine(self.settings.bitshares_database)
        self.chain = connect.open_devnet(self.path, timeout_s=10)
        self.unlock()
        self.custodian = self.new_custodian()
        self.listen()

    def new_custodian(self, exchanges: Sequence[Exchange] = (), **changes: Any) -> Custodian:
        ticks = itertools.count()
        made = Custodian(
            self.engine,
            self.chain,
            self.settings,
            find_custodian(self.engine, self.chain, self.settings),
            exchanges=tuple(exchanges),
            log=self.folder / "logs" / "contract_payments.csv",
            sleep=lambda _: self.blocks(1),
            clock=lambda: float(next(ticks)),
        )
        return replace(made, **changes)

    def set(self, **settings: str) -> None:
        """Other settings from now on."""
        held = {name.upper(): value for name, value in settings.items()}
        fresh = load({f"VALTRAC_{name}": value for name, value in held.items()}, NOTHING)
        names = [name.lower() for name in held]
        self.settings = self.settings.model_copy(update={name: getattr(fresh, name) for name in names})
        self.custodian = replace(self.custodian, settings=self.settings)

    def lock(self) -> None:
        self.chain.keys = None

    def unlock(self) -> None:
        self.chain.keys = dev_keys("custodian")

    @property
    def payer(self) -> connect.BitSharesPayer:
        return connect.payer(self.chain, "custodian", dev_keys("custodian"))

    # -- what others do ---------------------------------------------------------------------------------------

    def send(self, who: str, whole: float, memo: Any = None, *, to: str = "custodian") -> str:
        """A transfer in a block of its own, not yet irreversible."""
        tx_id = bitshares.transfer(self.path, who, to, round(whole * WHOLE), memo)
        bitshares.produce(self.path, 1)
        return str(tx_id)

    def blocks(self, count: int = 3) -> None:
        bitshares.produce(self.path, count)

    def days(self, days: float) -> None:
        bitshares.advance(self.path, round(days * DAY))

    # -- what we do ---------------------------------------------------------------------------------------------

    def listen(self) -> listener.Progress:
        """Make what was sent irreversible, and read it."""
        self.blocks(3)
        return listener.listen(self.custodian)

    def take(self, who: str, whole: float, memo: Any = None) -> transfers.RecordedTransfer:
        """Send and read; the operation as it is then."""
        tx_id = self.send(who, whole, memo)
        self.listen()
        with reading(self.engine) as conn:
            return next(one for one in transfers.listed(conn) if one.tx_id == tx_id)

    def pay(self, **how: Any) -> dues.Round:
        return dues.pay(self.custodian, self.payer, patience_s=200, poll_s=0.0, **how)

    def round(self) -> dues.Round:
        """What a payer does in one turn: read, pay, cover."""
        self.listen()
        done = self.pay()
        if self.custodian.exchanges:
            exchange_transfers.step(self.custodian, done.outlook.missing, asked=done.outlook.asked)
        return done

    # -- what there is ------------------------------------------------------------------------------------------

    def held(self, who: str) -> int:
        """Satoshi of an account."""
        return bitshares.balances(self.path)[who]

    def dues(self, *states: str, type_: str = "") -> list[Due]:
        with reading(self.engine) as conn:
            found = contracts.in_states(conn, *(DueState(one) for one in states or ALL))
        return [one for one in found if not type_ or one.type == type_]

    def operations(self, *states: str) -> list[transfers.RecordedTransfer]:
        with reading(self.engine) as conn:
            return transfers.listed(conn, *(TransferState(one) for one in states))

    def contracts(self) -> list[Contract]:
        with reading(self.engine) as conn:
            return contracts.contracts(conn)

    def got(self, who: str, act: Callable[[], Any]) -> int:
        """How many satoshi an account has more after something was done."""
        before = self.held(who)
        act()
        return self.held(who) - before

    @property
    def now(self) -> datetime:
        return self.chain.finalized().at

    def close(self) -> None:
        self.chain.close()
        self.engine.dispose()


ALL = ("pending", "processing", "paid", "confirmed", "aborted", "premature", "delinquent")
