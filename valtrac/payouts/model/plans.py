"""From snapshots to a payout plan: pure, exact, the same on every machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from valtrac.core import money
from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.people.model import policies
from valtrac.people.model.policies import By
from valtrac.snapshots.model import stakes
from valtrac.snapshots.model.stakes import Method

FeePolicy = Literal["pool", "payee", "owner"]
UNASSIGNED = "unassigned"
NO_ADDRESS, BELOW_MINIMUM, OWN_WALLET = "no address", "below the minimum", "own wallet"


@dataclass(frozen=True, slots=True)
class Rules:
    """What was asked for. Amounts in rao; netuid None: all subnets, valued in TAO.

    least: the smallest payment that the chain allows. take_back_bps: how much of a payment may go against
    what a payee was overpaid. persons: by balances, the accounts that are paid out, and as_of the block
    whose terms count. sealed: how the hash of what the plan reads covers its snapshots.
    """

    pool: int
    from_block: int
    to_block: int
    netuid: int | None = 0
    method: Method = "mean-share"
    by: By = "users"
    fee_policy: FeePolicy = "pool"
    minimum: int = 0
    ignore_withdrawals: bool = False
    least: int = 0
    take_back_bps: int = 0
    persons: tuple[str, ...] = ()
    as_of: int = 0
    sealed: int = 0

    def spec(self) -> dict[str, Any]:
        """The rules as plain values; those that came later only where they say something."""
        added = {name: getattr(self, name) for name in ("least", "take_back_bps", "persons", "as_of", "sealed")}
        old = {name: value for name, value in asdict(self).items() if name not in added}
        return old | {name: value for name, value in added.items() if value}

    @property
    def until(self) -> int:
        """The block whose addresses, minima and balances count."""
        return self.as_of if self.by == "balances" else self.to_block


@dataclass(frozen=True, slots=True)
class Line:
    """One payment: amount = from_pool + released - fee_share, all in rao.

    released: of the balance that was held; below zero where an overpayment is taken back.
    """

    user: str
    person: str
    address: str
    from_pool: int
    released: int
    fee_share: int

    @property
    def amount(self) -> int:
        """What is sent."""
        return self.from_pool + self.released - self.fee_share

    def as_values(self) -> dict[str, str | int]:
        """The same as plain values, with what is sent."""
        return {
            "user": self.user,
            "person": self.person,
            "address": self.address,
            "from_pool": self.from_pool,
            "released": self.released,
            "fee_share": self.fee_share,
            "amount": self.amount,
        }


@dataclass(frozen=True, slots=True)
class Kept:
    """What is not sent, and why: held is owed and kept back, excluded is not owed.

    goes_to: whose it is instead, where a policy says so: pool or owner.
    """

    user: str
    person: str
    amount: int
    reason: str
    goes_to: str = ""


@dataclass(frozen=True, slots=True)
class PayoutPlan:
    """Who gets what. Invariant: sum(from_pool) + held + excluded + unassigned + fee_from_pool == pool."""

    pool: int
    fee: int
    fee_policy: FeePolicy
    fee_from_pool: int
    unassigned: int
    lines: tuple[Line, ...]
    held: tuple[Kept, ...]
    excluded: tuple[Kept, ...]
    notes: tuple[str, ...]

    @property
    def total(self) -> int:
        """The sum of what is sent, in rao; the network fee stands beside it."""
        return sum(line.amount for line in self.lines)

    def check(self) -> None:
        """Raise AssertionError unless every unit of the pool is accounted for, once."""
        parts = (
            sum(line.from_pool for line in self.lines),
            sum(kept.amount for kept in self.held),
            sum(kept.amount for kept in self.excluded),
            self.unassigned,
            self.fee_from_pool,
        )
        assert sum(parts) == self.pool, f"the pool is {self.pool}, its parts {parts} sum to {sum(parts)}"
        assert all(part >= 0 for part in parts), f"a part is negative: {parts}"
        assert all(line.amount > 0 and line.from_pool >= 0 for line in self.lines)
        assert len({line.user for line in self.lines}) == len(self.lines), "a name is in two lines"


def check_rules(rules: Rules) -> None:
    """Raise BadInput, naming the field, where the rules make no sense."""
    for field_, value, allowed in (
        ("by", rules.by, get_args(By)),
        ("method", rules.method, stakes.METHODS),
        ("fee-policy", rules.fee_policy, get_args(FeePolicy)),
    ):
        if value not in allowed:
            raise BadInput(f"{field_}: {plain(value, 40)!r} is none of {', '.join(allowed)}", fix="choose one of them")
    for field_, number in (
        ("pool", rules.pool),
        ("minimum", rules.minimum),
        ("from", rules.from_block),
        ("to", rules.to_block),
        ("take-back", rules.take_back_bps),
    ):
        if type(number) is not int:
            raise BadInput(f"{field_}: {plain(number, 40)!r} is no whole number of the smallest unit", fix="give one")
    if rules.minimum < 0 or not 0 <= rules.take_back_bps <= policies.ALL_BPS:
        raise BadInput("minimum, take-back: not below zero, and no part above the whole", fix="mend it")
    if rules.by == "balances":
        return
    if rules.pool <= 0:
        raise BadInput(f"pool: {money.decimal_text(rules.pool)} is nothing to share", fix="give an amount above zero")
    if rules.pool >= 21_000_000 * 10**9:
        raise BadInput("pool: more than all TAO that will ever be", fix="check the number; it is in TAO")
    if rules.from_block < 0 or rules.to_block < 0:
        raise BadInput("from and to: a block number is not negative", fix="give blocks from 0 upwards")
    if rules.from_block > rules.to_block:
        raise BadInput(
            f"from block {rules.from_block} lies after to block {rules.to_block}",
            fix="swap --from and --to, or wait for the next snapshot",
        )


def as_values(plan: PayoutPlan) -> dict[str, Any]:
    """A plan as plain values, whole numbers of rao."""
    return {
        "pool": plan.pool,
        "fee": plan.fee,
        "fee_policy": plan.fee_policy,
        "fee_from_pool": plan.fee_from_pool,
        "unassigned": plan.unassigned,
        "total": plan.total,
        "notes": list(plan.notes),
        "lines": [line.as_values() for line in plan.lines],
        "held": [asdict(kept) for kept in plan.held],
        "excluded": [asdict(kept) for kept in plan.excluded],
    }


def plan_of(values: Mapping[str, Any]) -> PayoutPlan:
    """The plan that was stored as these values."""
    fields = ("user", "person", "address", "from_pool", "released", "fee_share")
    return PayoutPlan(
        values["pool"],
        values["fee"],
        values["fee_policy"],
        values["fee_from_pool"],
        values["unassigned"],
        tuple(Line(*(line[name] for name in fields)) for line in values["lines"]),
        tuple(Kept(**kept) for kept in values["held"]),
        tuple(Kept(**kept) for kept in values["excluded"]),
        tuple(values["notes"]),
    )


def rules_of(spec: Mapping[str, Any]) -> Rules:
    """The rules that were stored as these values."""
    return Rules(**{**spec, "persons": tuple(spec.get("persons", ()))})
