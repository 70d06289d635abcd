"""A month of a super staker with hundreds of delegates, days made short, everything going wrong that can."""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.pool_world import COIN, DAY_S, SPACING_S, World
from tests.simulation_qtum.judge import Judge
from tests.simulation_qtum.troubles import Troubles
from valtrac.core.errors import BadInput, ValtracError
from valtrac.database.engine import reading
from valtrac.devnet import qtum
from valtrac.devnet.qtum import Person
from valtrac.payments import rivals
from valtrac.payments.store import attempts
from valtrac.pool import payday
from valtrac.pool.audit import audit
from valtrac.pool.overview import waits_to_be_sent
from valtrac.pool.store import paydays

REST, ROUNDS, NOON_ROUND = 50, 24, 12
REQUIRED = 80
FEES = (100, 100, 100, 100, 90, 80, 79, 50, 0)
COINS = (24, 25, 26, 60, 100, 250, 900)
MOST_TURNS = 40


@dataclass(frozen=True)
class Result:
    """What came of it, in satoshi."""

    blocks: int
    rewards: int
    paid: int
    held: int
    fees: int
    twice: int
    unexplained: tuple[str, ...]
    off: int
    paydays: int
    troubles: Counter[str]
    said: Counter[str]
    took_s: float

    @property
    def good(self) -> bool:
        return not (self.twice or self.off or self.unexplained)

    @property
    def line(self) -> str:
        return (
            f"simulate-qtum: blocks={self.blocks} rewards_sat={self.rewards} paid_sat={self.paid} "
            f"held_sat={self.held} fees_sat={self.fees} paid_twice={self.twice} unexplained_sat={self.off}"
        )


class Month:
    """seed: makes it repeatable. people: how many delegates."""

    def __init__(self, folder: Path, *, seed: int, days: int, people: int, apart: bool, second: bool = True) -> None:
        self.odds, self.days = random.Random(seed), days
        self.world = World(
            folder,
            people=_people(people, random.Random(seed)),
            rest=REST,
            second=second,
            apart=apart,
            seed={"network_satoshi": 1_000 * COIN},
            pool_required_fee=str(REQUIRED),
            pool_chunk=str(max(20, people * 2 // 5)),
            qtum_final_blocks="4",
        )
        self.names = [f"d{number}" for number in range(people)]
        qtum.produce(self.world.folder, rivals.REWRITTEN + 10, by="network")  # so far back a payment is looked for
        self.world.unlock()
        self.world.tick()
        self.troubles = Troubles(self.world, self.odds)
        self.judge = Judge(self.world)
        self.said = Counter[str]()
        self.world.sleep = self._sleep  # type: ignore[method-assign]
        self.world.restart()
        self.world.unlock()
        self.bonus_day = days // 2
        self.began = self.world.height

    def live(self, tell: Callable[[str], None]) -> None:
        """Day after day from noon to noon, so that midnight is in the middle of everything, judged at each noon."""
        for day in range(self.days):
            if self.bonus_day in (day, day - 1):
                self._fee("-10" if day == self.bonus_day else "12")
            for _ in range(ROUNDS):
                self._others()
                if self.odds.random() < 0.6:
                    self.troubles.strike()
                self._blocks()
                self._tick()
            self._come_to_rest()
            self.judge.noon(day)
            tell(f"day {day + 1}: {self.judge.words()}; {sum(self.troubles.count.values())} troubles")

    def _fee(self, percent: str) -> None:
        locked = self.world.app.locked
        self.world.restart(pool_fee=percent)
        if not locked:
            self.world.unlock()

    # -- what others do ---------------------------------------------------------------------------------------

    def _others(self) -> None:
        odds, folder = self.odds, self.world.folder
        for _ in range(odds.choice((0, 1, 1, 2, 4))):
            who, act = odds.choice(self.names), odds.random()
            try:
                if act < 0.22:
                    qtum.delegate(folder, who, "pool", fee=odds.choice(FEES))
                elif act < 0.30:
                    qtum.delegate(folder, who, "other", fee=100)
                elif act < 0.48:
                    qtum.undelegate(folder, who)
                elif act < 0.75:
                    qtum.fund(
                        folder, who, odds.choice(COINS) * COIN - odds.choice((0, 0, 1)), coins=odds.choice((1, 2))
                    )
                else:
                    to = odds.choice([*self.names, who, "other"])
                    qtum.pay(folder, who, {to: odds.choice((1, 25, 70, 300)) * COIN})
            except (BadInput, qtum.NodeError):
                continue  # it has not got that much, or delegates to nobody
            if odds.random() < 0.3:
                qtum.produce(folder, 1, by="network")

    def _blocks(self) -> None:
        """An hour or so of blocks."""
        count = self.odds.randint(2, 9)
        self._block(gap_s=max(0, DAY_S // ROUNDS - count * SPACING_S))
        for _ in range(count - 1):
            self._block()

    def _block(self, gap_s: int = 0) -> None:
        luck, folder = self.odds.random(), self.world.folder
        try:
            if luck < 0.10:
                qtum.produce(folder, 1, by="pool", delegate=qtum.ANY, gap_s=gap_s)
            elif luck < 0.13:
                qtum.produce(folder, 1, by="pool", gap_s=gap_s)
            elif luck < 0.16:
                qtum.produce(folder, 1, by="other", delegate=self.odds.choice((None, qtum.ANY)), gap_s=gap_s)
            elif luck < 0.25:
                qtum.produce(folder, 1, gap_s=gap_s)
            else:
                qtum.produce(folder, 1, by="network", gap_s=gap_s)
        except (BadInput, qtum.NodeError):
            qtum.produce(folder, 1, by="network", gap_s=gap_s)

    # -- what the program does ----------------------------------------------------------------------------------

    def _sleep(self, seconds: float) -> None:
        """While a payment is waited for, the chain goes on, and not always well."""
        self.world.waited_s += 40
        for _ in range(self.odds.choice((0, 1, 1, 2))):
            self._block()
        if not self.judge.at_rest:
            self.troubles.while_waiting()

    def _tick(self) -> None:
        """A turn of the background job, which may fail and is simply run again later."""
        self.judge.before_tick()
        try:
            self._blocks_meanwhile()
            words = self.world.tick()
            self.said["said something" if words else "nothing to say"] += 1
        except ValtracError as error:
            self.said[type(error).__name__] += 1
        self.judge.after_tick()

    def _blocks_meanwhile(self) -> None:
        """Now and then a block comes while others are being looked at."""
        chain: Any = self.world.pool.chain
        if self.odds.random() < 0.2 and "staked" not in vars(chain):
            staked = chain.staked

            def and_a_block(number: int) -> Any:
                if self.odds.random() < 0.2:
                    self._block()
                return staked(number)

            chain.staked = and_a_block

    def _come_to_rest(self) -> None:
        """Trouble ends, and what is on its way arrives."""
        self.troubles.calm()
        self.judge.at_rest = True
        for turn in range(MOST_TURNS):
            self._block()
            self._tick()
            if turn % 10 == 9:  # as its owner does who is told that a payment is not where it was
                audit(self.world.pool, payer=self.world.app.payer())
            if not self._open_now():
                break
        else:
            raise AssertionError(f"it did not come to rest: {self._open_now()}")
        self.judge.at_rest = False

    def _open_now(self) -> list[str]:
        """What is not done yet, in words."""
        pool, state = self.world.pool, self.world.state
        with reading(pool.engine) as conn:
            found = [f"open: {attempt.tx_id}, {attempt.error}" for attempt in attempts.unresolved(conn)]
            lasting = [f"{each['kind']}: {each['words']}" for each in paydays.lasting(conn)]
        behind = state.tip.number - pool.settings.pool_confirmations - self.judge.looked_at()
        found += [f"{behind} blocks behind"] if behind else []
        found += ["a batch waits"] if waits_to_be_sent(pool) else []
        moment = payday.moment(pool, state)
        found += [f"{moment} is due"] if moment else []
        return found + lasting if found else []

    def result(self, took_s: float) -> Result:
        judge = self.judge
        return Result(
            blocks=self.judge.looked_at() - judge.oracle.after,
            rewards=judge.rewards,
            paid=judge.paid,
            held=judge.held,
            fees=judge.fees,
            twice=judge.twice,
            unexplained=tuple(judge.wrong),
            off=judge.off,
            paydays=judge.paydays,
            troubles=self.troubles.count,
            said=self.said,
            took_s=took_s,
        )


def _people(count: int, odds: random.Random) -> tuple[Person, ...]:
    pool = Person("pool", 60_000 * COIN, 150, wallet="", stakes=True)
    other = Person("other", 20_000 * COIN, 40, stakes=True)
    some = [
        Person(f"d{n}", odds.choice(COINS) * COIN * (coins := odds.choice((1, 1, 2, 4))), coins, to=to, fee=fee)
        for n in range(count)
        for to, fee in [odds.choice((("pool", odds.choice(FEES)), ("pool", 100), ("other", 100), (None, 100)))]
    ]
    return (pool, other, *some)


def simulate(
    *, seed: int, days: int, people: int = 500, apart: bool = True, tell: Callable[[str], None] = lambda words: None
) -> Result:
    """Live and judge a month, or so many days."""
    began = time.process_time()
    with tempfile.TemporaryDirectory(prefix="vt-month-") as folder:
        month = Month(Path(folder) / "home", seed=seed, days=days, people=people, apart=apart)
        try:
            month.live(tell)
            return month.result(time.process_time() - began)
        finally:
            month.world.close()
