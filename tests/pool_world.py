"""A super staker, its delegates and a Qtum node of their own, for tests: let blocks come, look, pay, compare."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any

from valtrac.core.staking import NodeState
from valtrac.database.engine import reading
from valtrac.devnet import qtum
from valtrac.devnet.qtum import Person, Server, state
from valtrac.loggers.jobs.pool import Job
from valtrac.payments.store import attempts
from valtrac.pool import monitor, payday
from valtrac.pool.pool import Pool
from valtrac.pool.store import blocks, book, paydays
from valtrac.settings import load
from valtrac.wiring.pool import PoolApp

COIN = 100_000_000
NOTHING = Path("/nonexistent")
NOON = datetime(2026, 11, 1, 12, tzinfo=UTC)
DAY_S, SPACING_S = 86_400, 32
REST = 10
PEOPLE = (
    Person("pool", 40_000 * COIN, 80, wallet="", stakes=True),
    Person("ann", 900 * COIN, 3, to="pool"),
    Person("bob", 300 * COIN, 2, to="pool"),
    Person("cid", 100 * COIN, 1, to="pool", fee=60),
    Person("dan", 500 * COIN, 2),
)


class App(PoolApp):
    """The program's own wiring, with the world's clock in the place of this machine's, and a second node where there is
    one."""

    def __init__(self, world: World) -> None:
        super().__init__(world.settings)
        self._world = world

    def _pace(self, chain: Any) -> dict[str, Any]:
        world = self._world
        return {"now": world.now, "sleep": world.sleep, "clock": world.clock}

    @cached_property
    def witnesses(self) -> tuple[Any, ...]:
        folder = self._world.second
        if folder is None:
            return ()
        staker = qtum.addresses(self.settings.qtum_folder)["pool"]
        return (self._open(qtum.start(folder), str(folder / ".cookie"), staker, wallet=""),)


class World:
    """second: a further node that has to agree. apart: the node is a process of its own, which can be killed.
    settings: of VALTRAC_ names without the prefix. ahead_s: by how much the clock of this machine is wrong."""

    app: App

    def __init__(
        self,
        home: Path,
        *,
        people: Sequence[Person] = PEOPLE,
        rest: int = REST,
        second: bool = False,
        apart: bool = False,
        seed: dict[str, Any] | None = None,
        **settings: str,
    ) -> None:
        self.home, self.apart, self.ahead_s, self.waited_s = home, apart, 0, 0.0
        self.given = {
            "HOME": str(home),
            "QTUM_MATURITY": str(rest),
            "QTUM_FINAL_BLOCKS": "3",
            "TIMEOUT_S": "5",
            **{name.upper(): value for name, value in settings.items()},
        }
        self.settings = load({f"VALTRAC_{name}": value for name, value in self.given.items()}, NOTHING)
        self.folder = self.settings.qtum_folder
        flags = {
            "stakingminutxovalue": self.settings.pool_least_coin,
            "stakingminfee": self.settings.pool_required_fee,
        }
        named = {"people": tuple(people), "maturity": rest, "flags": flags, "subsidy": 4 * COIN, "at": NOON}
        named |= {"network_satoshi": 200 * COIN, **(seed or {})}
        home.mkdir(parents=True, exist_ok=True)
        shutil.copytree(_seeded(**named), self.folder)
        self.second: Path | None = home / "second" if second else None
        if self.second is not None:
            qtum.second(self.second, of=self.folder)
        self.servers: list[Server] = []
        self.start_nodes()
        self.restart()

    # -- the nodes --------------------------------------------------------------------------------------------

    def start_nodes(self) -> None:
        """Start what does not run, at the port that it had."""
        for folder in filter(None, (self.folder, self.second)):
            if qtum.running(folder) is None:
                port = self._ports.get(folder, 0)
                if self.apart:
                    url = qtum.start(folder, port=port)
                else:
                    self.servers.append(Server(folder, port=port))
                    url = self.servers[-1].url
                self._ports[folder] = int(url.rpartition(":")[2])

    @cached_property
    def _ports(self) -> dict[Path, int]:
        return {}

    def stop_nodes(self, *, hard: bool = False, folders: Sequence[Path] | None = None) -> None:
        for folder in folders or [each for each in (self.folder, self.second) if each is not None]:
            for server in [each for each in self.servers if each.directory == folder]:
                server.close()
                self.servers.remove(server)
            qtum.stop(folder, hard=hard)

    def misbehave(self, **faults: Any) -> None:
        qtum.misbehave(self.folder, **faults)

    # -- the program ------------------------------------------------------------------------------------------

    def restart(self, **settings: str) -> None:
        """A new program: all that it remembers is in its database. settings: other ones from now on."""
        self.given |= {name.upper(): value for name, value in settings.items()}
        self.settings = load({f"VALTRAC_{name}": value for name, value in self.given.items()}, NOTHING)
        if hasattr(self, "app"):
            self.app.close()
        self.app = App(self)
        self.job = Job(self.app)

    @property
    def pool(self) -> Pool:
        return self.app.pool

    @property
    def state(self) -> NodeState:
        return self.pool.chain.state()

    @property
    def engine(self) -> Any:
        return self.app.engine

    def unlock(self) -> None:
        if self.app.locked:
            self.app.unlock()

    def tick(self) -> str:
        """A turn of the background job; what it says."""
        return self.job.tick().words

    def look(self) -> monitor.Progress:
        while True:
            done = monitor.look(self.pool, self.state)
            if not done.behind:
                return done

    def pay(self) -> payday.Round:
        """Look, keep the payday that is due, send it."""
        self.unlock()
        self.look()
        return payday.pay(self.pool, self.app.payer(), self.state, patience_s=400)

    def close(self) -> None:
        self.app.close()
        self.stop_nodes()

    # -- time -------------------------------------------------------------------------------------------------

    def now(self) -> datetime:
        """The clock of this machine: the time of the newest block, unless it is wrong."""
        tip = state.tip(state.connect(self.folder))
        return datetime.fromtimestamp(tip.at, UTC) + timedelta(seconds=self.ahead_s)

    def sleep(self, seconds: float) -> None:
        """Waiting lets blocks be made."""
        self.waited_s += 40
        qtum.produce(self.folder, 1, by="network")

    def clock(self) -> float:
        return self.waited_s

    def blocks(self, count: int = 1, *, gap_s: int = 0) -> int:
        return qtum.produce(self.folder, count, by="network", gap_s=gap_s)

    def midnight(self) -> None:
        """Let the next day begin."""
        now = self.now()
        left = DAY_S - int(now.timestamp()) % DAY_S
        self.blocks(1, gap_s=left)
        self.blocks(self.settings.pool_confirmations)

    # -- what others do ---------------------------------------------------------------------------------------

    def win(self, *, bury: bool = True, delegate: str | None = qtum.ANY) -> int:
        """The pool wins a block, for a delegate or (None) with its own coins."""
        height = qtum.produce(self.folder, 1, by="pool", delegate=delegate)
        if bury:
            self.blocks(self.settings.pool_confirmations)
        return height

    def address(self, name: str) -> str:
        return qtum.dev_address(name)

    # -- what came of it --------------------------------------------------------------------------------------

    @property
    def height(self) -> int:
        return state.tip(state.connect(self.folder)).height

    def owed(self) -> dict[str, int]:
        with reading(self.engine) as conn:
            return book.balances(conn)

    def revenue(self) -> int:
        with reading(self.engine) as conn:
            return book.revenue(conn)

    def paydays(self) -> list[dict[str, Any]]:
        with reading(self.engine) as conn:
            return paydays.listed(conn)

    def rewards(self) -> list[dict[str, Any]]:
        with reading(self.engine) as conn:
            return blocks.rewards(conn)

    def shares(self, height: int) -> dict[str, int]:
        with reading(self.engine) as conn:
            reward = blocks.reward_at(conn, height)
            assert reward is not None
            return {row["delegate"]: row["units"] for row in blocks.shares_of(conn, reward["id"])}

    def attempts(self) -> list[Any]:
        with reading(self.engine) as conn:
            batch_ids = [each["batch_id"] for each in reversed(paydays.listed(conn)) if each["batch_id"]]
            return [attempt for batch_id in batch_ids for attempt in attempts.of_batch(conn, batch_id)]

    def received(self) -> dict[str, int]:
        """address -> satoshi that the pool's own payments brought it, by the chain alone."""
        return paid_on_chain(self.folder)


def paid_on_chain(folder: Path) -> dict[str, int]:
    """address -> satoshi out of transactions that spend the pool's coins, coinstakes and its own change left out."""
    db = state.connect(folder)
    with state.reading(db):
        network = state.network(db)
        staker = network.key_hash(qtum.addresses(folder)["pool"])
        spends = (
            "SELECT DISTINCT t.id FROM transactions t JOIN blocks b ON b.id = t.block AND b.active JOIN spent s"
            " ON s.block = t.block AND s.position = t.position WHERE s.owner = ?"
        )
        ids = {row[0] for row in db.execute(spends, (staker,))}
        made: dict[tuple[bytes, int], tuple[bytes, int]] = {}
        for table in ("coins", "spent"):
            for txid, n, owner, value in db.execute(f"SELECT id, n, owner, value FROM {table} WHERE kind = 0"):
                if txid in ids:
                    made[txid, n] = (owner, value)
    found: dict[str, int] = {}
    for owner, value in made.values():
        if owner is not None and owner != staker:
            address = network.address(owner)
            found[address] = found.get(address, 0) + value
    return found


_templates: dict[str, Path] = {}


def _seeded(**named: Any) -> Path:
    """A node's folder as it was seeded; made once a run and copied."""
    key = repr(named)
    if key not in _templates:
        folder = Path(tempfile.mkdtemp(prefix="vt-pool-")) / "node"
        folder.mkdir()
        qtum.seed(folder, **named)
        (folder / ".made").touch()
        _templates[key] = folder
    return _templates[key]
