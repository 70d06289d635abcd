"""From snapshots to a payout plan: pure, exact, the same on every machine."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Literal

from valtrac.domain import money, referrals, stakes
from valtrac.domain.people import Terms
from valtrac.domain.stakes import Method, Moment
from valtrac.errors import BadInput, Refused

By = Literal["users", "nominators"]
FeePolicy = Literal["pool", "payee", "owner"]
UNASSIGNED = "unassigned"
NO_ADDRESS, BELOW_MINIMUM, OWN_WALLET = "no address", "below the minimum", "own wallet"


@dataclass(frozen=True, slots=True)
class Rules:
    """What was asked for. Amounts in rao; netuid None: all subnets, valued in TAO."""

    pool: int
    from_block: int
    to_block: int
    netuid: int | None = 0
    method: Method = "mean-share"
    by: By = "users"
    fee_policy: FeePolicy = "pool"
    minimum: int = 0
    ignore_withdrawals: bool = False


@dataclass(frozen=True, slots=True)
class Line:
    """One payment: amount = from_pool + released - fee_share, all in rao."""

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


@dataclass(frozen=True, slots=True)
class Kept:
    """What is not sent, and why: held is owed and kept back, excluded is not owed."""

    user: str
    person: str
    amount: int
    reason: str


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
        assert all(line.amount > 0 and line.from_pool >= 0 and line.released >= 0 for line in self.lines)
        assert len({line.user for line in self.lines}) == len(self.lines), "a name is in two lines"


@dataclass(frozen=True, slots=True)
class Weights:
    """name -> weight of everyone with any, `unassigned` included, and what was noticed on the way."""

    names: Mapping[str, int]
    notes: tuple[str, ...] = ()
    taxes: tuple[tuple[int, referrals.Tax], ...] = field(default=())


def weigh(
    rules: Rules, range_: Sequence[Moment], before: Moment | None, terms: Terms, *, interval: int | None = None
) -> Weights:
    """The weight of every user (after referral taxes) or nominator over the range.

    range_: the snapshots with from_block <= block <= to_block, by block; before: the one
    before them, for accrual. interval: blocks between snapshots; gaps longer than two are noted.
    Raises Refused where the range has no snapshot or nobody to share among.
    """
    if not range_:
        raise Refused(
            f"no snapshot lies in blocks {rules.from_block} to {rules.to_block}",
            "",
            "take one (run.py snapshot take), start the logger, or choose another range",
        )
    factors = stakes.time_weights(
        rules.method, range_, before, rules.from_block, ignore_withdrawals=rules.ignore_withdrawals
    )
    names: dict[str, int] = {}
    taxes: list[tuple[int, referrals.Tax]] = []
    for stretch in stretches(range_, terms if rules.by == "users" else Terms()):
        sums: dict[str, int] = {}
        for moment in stretch:
            stakes.add_weights(sums, rules.method, moment, factors[moment.block])
        if rules.by == "users":
            sums, taken = _by_users(sums, terms, stretch[0].block)
            taxes += [(stretch[0].block, tax) for tax in taken]
        for name, weight in sums.items():
            names[name] = names.get(name, 0) + weight
    notes = (*_empty(range_), *_gaps(rules, range_, interval))
    if not any(names.values()):
        raise Refused("nobody but the owner had stake in this range", "", "choose another range or subnet")
    return Weights({name: weight for name, weight in names.items() if weight}, notes, tuple(taxes))


def share_out(
    rules: Rules,
    weights: Weights,
    terms: Terms,
    held_before: Mapping[str, int],
    fee: int,
    *,
    wallet: str = "",
    excluded: Mapping[str, str] | None = None,
) -> PayoutPlan:
    """Split the pool by the weights: the only rounding there is.

    held_before: person -> rao owed and kept back so far. fee: the network's, in rao. wallet:
    the paying address. excluded: name -> reason, decided by policy.
    Raises Refused where the fee swallows the pool; the invariant is checked before returning.
    """
    fee_from_pool = fee if rules.fee_policy == "pool" else 0
    if fee_from_pool >= rules.pool:
        raise Refused(
            f"the network fee of {money.rao(fee)} leaves nothing of the pool of {money.rao(rules.pool)}",
            "",
            "share a larger pool, or let the owner bear the fee (--fee-policy owner)",
        )
    shares = money.split(rules.pool - fee_from_pool, weights.names, last=UNASSIGNED)
    unassigned = shares.pop(UNASSIGNED, 0) if rules.by == "users" else 0
    payees = _payees(rules, shares, terms, held_before)
    due_heads = sum(1 for line in payees if line.from_pool + line.released > 0 and line.user not in (excluded or {}))
    fee_share = -(-fee // due_heads) if rules.fee_policy == "payee" and due_heads else 0
    lines, held, out = [], [], []
    for payee in payees:
        reason = (excluded or {}).get(payee.user) or (OWN_WALLET if wallet and payee.address == wallet else "")
        if reason:
            out.append(Kept(payee.user, payee.person, payee.from_pool, reason))
        elif not payee.address:
            held.append(Kept(payee.user, payee.person, payee.from_pool, NO_ADDRESS))
        elif payee.from_pool + payee.released - fee_share < max(rules.minimum, 1):
            held.append(Kept(payee.user, payee.person, payee.from_pool, BELOW_MINIMUM))
        else:
            lines.append(Line(payee.user, payee.person, payee.address, payee.from_pool, payee.released, fee_share))
    plan = PayoutPlan(
        rules.pool,
        fee,
        rules.fee_policy,
        fee_from_pool,
        unassigned,
        tuple(lines),
        tuple(kept for kept in held if kept.amount or kept.user in weights.names),
        tuple(out),
        weights.notes,
    )
    plan.check()
    return plan


def due(rules: Rules, weights: Weights, terms: Terms, held_before: Mapping[str, int], *, wallet: str = "") -> list[str]:
    """The addresses of all payees with something due, before fee and minimum: what the fee is asked for."""
    shares = money.split(rules.pool, weights.names, last=UNASSIGNED)
    if rules.by == "users":
        shares.pop(UNASSIGNED, None)
    return [
        payee.address
        for payee in _payees(rules, shares, terms, held_before)
        if payee.from_pool + payee.released > 0 and payee.address and payee.address != wallet
    ]


def _by_users(sums: Mapping[str, int], terms: Terms, block: int) -> tuple[dict[str, int], list[referrals.Tax]]:
    """Weights of addresses as weights of users after the cascade; what is nobody's as `unassigned`."""
    owners, base = terms.owners_at(block), dict[str, int]()
    for address, weight in sums.items():
        name = owners.get(address, UNASSIGNED)
        base[name] = base.get(name, 0) + weight
    unassigned = base.pop(UNASSIGNED, 0)
    after, taxes = referrals.cascade(base, terms.referrals_at(block))
    return {**after, UNASSIGNED: unassigned}, taxes


def _payees(rules: Rules, shares: Mapping[str, int], terms: Terms, held_before: Mapping[str, int]) -> list[Line]:
    """Everyone with a share or a held balance, by name, with address ("" for none) and balance."""
    if rules.by == "nominators":
        owners, persons = terms.owners_at(rules.to_block), {term.name: term.person for term in terms.users}
        known = set(shares) | {person.removeprefix("addr:") for person in held_before if person.startswith("addr:")}
        return [
            Line(
                name,
                _debtor(name, owners, persons, held_before),
                name,
                shares.get(name, 0),
                held_before.get(f"addr:{name}", 0),
                0,
            )
            for name in sorted(known)
        ]
    persons = {term.name: term.person for term in terms.users}
    known = set(shares) | {name for name, person in persons.items() if held_before.get(person, 0) > 0}
    return [
        Line(
            name,
            persons[name],
            terms.payout_address(name, rules.to_block) or "",
            shares.get(name, 0),
            held_before.get(persons[name], 0),
            0,
        )
        for name in sorted(known)
    ]


def _debtor(address: str, owners: Mapping[str, str], persons: Mapping[str, str], held_before: Mapping[str, int]) -> str:
    """Whose account a nominator's share is booked on: the address' own while it has a balance, else
    that of the user who owns the address, else the address' own."""
    own = f"addr:{address}"
    return own if held_before.get(own, 0) or address not in owners else persons[owners[address]]


def stretches(range_: Sequence[Moment], terms: Terms) -> list[list[Moment]]:
    """The snapshots in runs during which no term changes."""
    edges, runs, last = terms.edges(), list[list[Moment]](), -1
    at = 0
    for moment in range_:
        while at < len(edges) and edges[at] <= moment.block:
            at += 1
        if at != last:
            runs.append([])
            last = at
        runs[-1].append(moment)
    return runs


def _empty(range_: Sequence[Moment]) -> list[str]:
    return [
        f"block {moment.block} counts nothing: nobody but the owner had stake" for moment in range_ if moment.total == 0
    ]


def _gaps(rules: Rules, range_: Sequence[Moment], interval: int | None) -> list[str]:
    if interval is None:
        return []
    length = rules.to_block - rules.from_block + 1
    marks = [rules.from_block - 1, *(moment.block for moment in range_)]
    notes = [
        f"no snapshot in blocks {last + 1} to {here - 1}: {100 * (here - last - 1) / length:.1f} % of the range"
        for last, here in pairwise(marks)
        if here - last > 2 * interval
    ]
    if range_[-1].block < rules.to_block:
        notes.append(
            f"blocks {range_[-1].block + 1} to {rules.to_block} come after the last snapshot and carry no weight"
        )
    return notes


def check_rules(rules: Rules) -> None:
    """Raise BadInput, naming the field, where the rules make no sense."""
    if rules.pool <= 0:
        raise BadInput(f"pool: {money.decimal_text(rules.pool)} is nothing to share", "", "give an amount above zero")
    if rules.pool >= 21_000_000 * 10**9:
        raise BadInput("pool: more than all TAO that will ever be", "", "check the number; it is in TAO")
    if rules.from_block < 0 or rules.to_block < 0:
        raise BadInput("from and to: a block number is not negative", "", "give blocks from 0 upwards")
    if rules.from_block > rules.to_block:
        raise BadInput(
            f"from block {rules.from_block} lies after to block {rules.to_block}",
            "",
            "swap --from and --to, or wait for the next snapshot",
        )
