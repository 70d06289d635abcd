"""Invented rows for every chart: a few days of a small validator, and names that mean harm."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from types import ModuleType
from typing import Any

from charts import (
    coverage,
    global_apr,
    held_balances,
    joiners_and_leavers,
    keeps_collateral,
    payout_sizes,
    pool_and_payouts,
    pool_rewards,
    pool_weight,
    referral_tree,
    shares,
    stake_by_nominator,
    stake_over_time,
    user_apr,
    user_balance,
    what_if,
)
from valtrac.reports.model.keeps_figures import Collateral, collateral
from valtrac.reports.model.pool_figures import PoolDay, WeightPoint
from valtrac.reports.model.statistics import (
    BalancePoint,
    CoverageDay,
    Difference,
    Flow,
    HeldBalance,
    Movement,
    PayoutPoint,
    PoolPoint,
    RatePoint,
    ReferralTree,
    Share,
    StakePoint,
    StakeStack,
)

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
HOSTILE = [
    "_hidden",
    "$a_b$",
    "$\\frac{$",
    "<script>alert(1)</script>",
    "\x1b[31m\x1b[2Jred",
    "bob [/oops]",
    "שלום ‮olleh",
    "محمد",
    "👩‍👩‍👧‍👦🇩🇪👍🏽❤️",
    "漢字" * 30,
    "x" * 200,
    "W" * 200,
    "Z̸̢̛͎̬̈́̓ä̷̯́l̶̡̛̎g̷̙̈́o" * 10,
    "﷽" * 20,
    "",
    "a\nb\tc",
    "&amp; ]]> --",
    "\ud800\ufffe",
]


@dataclass(frozen=True)
class Sample:
    """A chart with a way to make so many rows of it, and rows with given names where it has names."""

    chart: ModuleType
    rows: Callable[[int], Any]
    also: dict[str, Any] = field(default_factory=dict)
    named: Callable[[list[str]], Any] | None = None

    def draw(self, rows: Any, **also: Any) -> Any:
        return self.chart.draw(rows, unit="TAO", **{**self.also, **also})

    def sketch(self, rows: Any, *, width: int = 80, **also: Any) -> str:
        page: str = self.chart.sketch(rows, unit="TAO", width=width, **{**self.also, **also})
        return page


def at(n: int) -> datetime:
    return NOON + timedelta(hours=n)


def rates(size: int) -> list[RatePoint]:
    return [RatePoint(at(n), None if n < 2 else 20 + n % 3, 16 + n % 5, 17.5 + n % 5) for n in range(size)]


def balances(size: int) -> list[BalancePoint]:
    return [BalancePoint(at(n), 100 + n % 7, None if n % 10 == 4 else 400.0 + n % 11) for n in range(size)]


def stack(size: int) -> StakeStack:
    stakes = {name: tuple(big + float(n % 5) for n in range(size)) for name, big in (("alice", 50), ("bob", 20))}
    return StakeStack(tuple(map(at, range(size))), {**stakes, "others": tuple(9.0 for _ in range(size))})


def stack_of(names: list[str]) -> StakeStack:
    return StakeStack((at(0), at(1)), {name: (1.0 + n, 2.0) for n, name in enumerate(names)})


def tree(size: int) -> ReferralTree:
    return tree_of([f"user-{n}" for n in range(size)])


def tree_of(names: list[str]) -> ReferralTree:
    """Each name below one before it: three to a referrer."""
    flows = [Flow(name, names[(n - 1) // 3], 1000, 0.1 * (n % 4)) for n, name in enumerate(names) if n]
    return ReferralTree({name: Share(name, 1.0, 1.5) for name in names}, tuple(flows))


def share_rows(names: list[str]) -> list[Share]:
    return [Share(name, 2.0 + n % 7, 1.0 + n % 9, ((name, 1500),) if n % 2 else ()) for n, name in enumerate(names)]


def movements(size: int) -> list[Movement]:
    return [Movement((NOON + timedelta(days=n)).date(), n % 5, n % 3, 40 + n) for n in range(size)]


def days(size: int) -> list[CoverageDay]:
    return [CoverageDay((NOON + timedelta(days=n)).date(), (24, 23, 12, 1, 0)[n % 5], 24.0) for n in range(size)]


def held(names: list[str]) -> list[HeldBalance]:
    return [HeldBalance(name, 0.5 + n, 12.0 * n) for n, name in enumerate(names)]


def differences(names: list[str]) -> list[Difference]:
    return [Difference(name, 10.0, 10.0 + (n + 1) * (-1) ** n) for n, name in enumerate(names)]


def keeps(size: int) -> Collateral:
    return keeps_of([f"0x{n:08x}" for n in range(min(3, size))], size)


def keeps_of(names: list[str], size: int = 3) -> Collateral:
    """Each falls, is not known for a while, and the first is redeemed in the end."""
    seen = {
        name: [(at(n), None if n % 10 == 4 or (not place and n > 20) else 150.0 - n % 30 + place) for n in range(size)]
        for place, name in enumerate(names)
    }
    return collateral(seen, (130, 125, 110))


def numbered(make: Callable[[list[str]], Any]) -> Callable[[int], Any]:
    return lambda size: make([f"user-{n}" for n in range(size)])


PAYOUTS = [PayoutPoint(at(10 * n), n + 1, 5.0 + n, 40) for n in range(4)]
STAKES = Sample(stake_over_time, lambda size: [StakePoint(at(n), 300 * n, 1e4 + n, 1e3, 12) for n in range(size)])
GLOBAL = Sample(global_apr, rates)
USER = Sample(user_apr, rates, {"who": "alice"})
BALANCE = Sample(user_balance, balances, {"who": "alice", "currency": "USD"})
STACK = Sample(stake_by_nominator, stack, named=stack_of)
POOL = Sample(
    pool_and_payouts, lambda size: [PoolPoint(at(n), 2.0 * n, float(n)) for n in range(size)], {"payouts": PAYOUTS}
)
SHARES = Sample(shares, numbered(share_rows), named=share_rows)
TREE = Sample(referral_tree, tree, named=tree_of)
MOVES = Sample(joiners_and_leavers, movements)
SIZES = Sample(payout_sizes, lambda size: [0.001 * 1.3 ** (n % 50) for n in range(size)])
COVERAGE = Sample(coverage, days)
HELD = Sample(held_balances, numbered(held), named=held)
WHAT_IF = Sample(what_if, numbered(differences), named=differences)
REWARDS = Sample(
    pool_rewards, lambda size: [PoolDay(NOON + timedelta(days=n), 2.5, 0.5, 2.0 * (n > 0)) for n in range(size)]
)
KEEPS = Sample(keeps_collateral, keeps)
WEIGHT = Sample(pool_weight, lambda size: [WeightPoint(at(n), 2e4, 5e4 + n, 3.5) for n in range(size)])
OF_OTHERS = [REWARDS, WEIGHT, KEEPS]
ALL = [STAKES, GLOBAL, USER, BALANCE, STACK, POOL, SHARES, TREE, MOVES, SIZES, COVERAGE, HELD, WHAT_IF, *OF_OTHERS]


def bare(text: str) -> str:
    """A drawing without its colours."""
    return re.sub(r"\x1b\[\d+m", "", text)


def words_of(figure: Any) -> list[str]:
    """All that is written in a picture."""
    from matplotlib.text import Text

    return [text.get_text() for text in figure.findobj(Text) if text.get_text()]


def legend_of(axes: Any) -> list[str]:
    return [text.get_text() for text in axes.get_legend().get_texts()]
