"""The judge of the month: at each noon, when nothing is on its way, chain and oracle are compared with the program."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from tests.pool_world import World
from tests.simulation_qtum.oracle import Brought, Oracle, Terms
from valtrac.database.engine import reading
from valtrac.devnet import qtum
from valtrac.devnet.qtum import state
from valtrac.pool.audit import audit
from valtrac.pool.model import share_files
from valtrac.pool.store import blocks, book


class Judge:
    """wrong: what nothing accounts for, in words; off: satoshi of it. The other figures are of the last noon."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.network = state.network(state.connect(world.folder))
        settings = world.settings
        with reading(world.engine) as conn:
            begun = blocks.beginning(conn)
        assert begun is not None
        pool = self.network.key_hash(qtum.addresses(world.folder)["pool"])
        assert pool is not None
        terms = Terms(
            pool,
            settings.pool_least_coin,
            settings.qtum_maturity,
            settings.pool_required_fee,
            settings.pool_rule,
        )
        self.oracle = Oracle(world.folder, terms, begun[1])
        self.began = world.now()
        self.at_rest = False
        self.wrong: list[str] = []
        self.off = self.twice = self.paydays = 0
        self.rewards = self.paid = self.held = self.fees = 0
        self._chain: list[Brought] = []
        self._deep = 0

    def looked_at(self) -> int:
        """The last block that the program has looked at."""
        with reading(self.world.engine) as conn:
            newest = blocks.newest(conn)
        return newest.head.number if newest else self.oracle.after

    # -- around each turn of the program ------------------------------------------------------------------------

    def before_tick(self) -> None:
        """What the chain has now is what a payday in this turn is reckoned by."""
        tip = self.world.height
        self._deep = tip - self.world.settings.pool_confirmations
        self._chain = self.oracle.chain(tip)

    def after_tick(self) -> None:
        """Let the oracle keep the paydays that the program has kept, and compare."""
        kept = self.world.paydays()
        for row in reversed(kept[: len(kept) - self.paydays]):
            self.paydays += 1
            if row["height"] > self._deep:
                self._say(f"the payday of {row['due_at']} has rewards that are not deep enough")
            chain = [block for block in self._chain if block.height <= row["height"]]
            sent = self.oracle.payday(chain, fee_bps=row["fee_bps"], minimum=row["minimum"])
            if (sum(sent.values()), len(sent)) != (row["paid"], row["delegates_paid"]):
                self._say(f"the payday of {row['due_at']} pays {row['paid']}, and should {sum(sent.values())}")

    # -- at noon --------------------------------------------------------------------------------------------------

    def noon(self, day: int) -> None:
        """Everything, to the satoshi."""
        looked = self.looked_at()
        chain = self.oracle.chain(looked)
        told = audit(self.world.pool, payer=self.world.app.payer())
        self.wrong += [f"day {day + 1}, audit: {words}" for words in told.problems]
        self._same(day, "rewards", told.rewards, sum(block.reward for block in chain))
        owed = self._by_address(self.oracle.owed(chain))
        with reading(self.world.engine) as conn:
            booked = book.balances(conn)
        self._same_each(day, "is owed", booked, owed)
        received, due = self.world.received(), self._by_address(self.oracle.paid)
        self.twice += sum(received.get(who, 0) > due.get(who, 0) for who in received)
        self._same_each(day, "has received", received, due)
        self._same(day, "the pool's own", told.revenue, self.oracle.fees + sum(block.pools for block in chain))
        self._same(day, "what nobody has", told.unexplained, 0)
        days = [row["due_at"] for row in self.world.paydays()]
        if days != sorted(set(days), reverse=True) or len(days) != self._midnights():
            self._say(f"day {day + 1}: {len(days)} paydays for {self._midnights()} midnights")
        self._files(day, looked, owed)
        self.rewards, self.paid, self.held, self.fees = told.rewards, sum(received.values()), told.held, told.revenue
        self._same(day, "all of it", self.paid + self.held + self.fees, self.rewards)

    def words(self) -> str:
        return f"rewards {self.rewards}, paid {self.paid}, held {self.held}, fees {self.fees}, {len(self.wrong)} wrong"

    def _midnights(self) -> int:
        return (self.world.now().date() - self.began.date()).days

    def _files(self, day: int, looked: int, owed: dict[str, int]) -> None:
        """The share file of now, and the log of today and of the day before."""
        world = self.world
        file = share_files.read((world.settings.data / "currentpoolshare.csv").read_text(encoding="utf-8"))
        if (file.block, dict(file.shares)) != (looked, {who: units for who, units in owed.items() if units > 0}):
            self._say(f"day {day + 1}: the share file of block {file.block} differs")
        for back in (0, 1):
            at = world.now() - timedelta(days=back)
            path = world.settings.logs / f"PPM_Log_{at:%d_%b_%Y}.csv"
            if not path.exists():
                continue
            rows = [line.split(",") for line in path.read_text(encoding="utf-8").splitlines()]
            first = datetime(at.year, at.month, at.day, tzinfo=UTC)
            with reading(world.engine) as conn:
                seen = [block.head.number for block in blocks.of_days(conn, first, first + timedelta(days=1))]
            if sorted(int(row[3]) for row in rows if row[0] == "100") != sorted(seen):
                self._say(f"day {day + 1}: the log of {at:%Y-%m-%d} is not that of its blocks")

    def _by_address(self, units: dict[bytes, int]) -> dict[str, int]:
        return {self.network.address(who): amount for who, amount in units.items() if amount}

    def _same(self, day: int, what: str, ours: int, theirs: int) -> None:
        if ours != theirs:
            self._say(f"day {day + 1}: {what}: {ours}, and should be {theirs}", abs(ours - theirs))

    def _same_each(self, day: int, what: str, ours: dict[str, int], theirs: dict[str, int]) -> None:
        for who in sorted({*ours, *theirs}):
            have, should = ours.get(who, 0), theirs.get(who, 0)
            if have != should:
                self._say(f"day {day + 1}: {who} {what} {have}, and should {should}", abs(have - should))

    def _say(self, words: str, off: int = 0) -> None:
        self.wrong.append(words)
        self.off += off
