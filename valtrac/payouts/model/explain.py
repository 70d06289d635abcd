"""How one person's amount came about, down to the snapshots; and the same as a proof that anyone can check."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from valtrac.payouts.model.plans import Rules
from valtrac.payouts.model.weights import counted, limits_of, stretch_weights, stretches, weigh
from valtrac.people.model import policies, referrals
from valtrac.people.model.terms import Terms
from valtrac.snapshots.model import stakes
from valtrac.snapshots.model.stakes import Moment

FORMAT = "valtrac-proof-1"


@dataclass(frozen=True, slots=True)
class Step:
    """A stretch of snapshots without a change of terms. Weights as in the plan.

    owners: the addresses of the person and of everyone below it -> whose they are. tree: the
    referrals among these, and the person's own. base: the weight of the person's own addresses;
    taxes: every tax that touched what the person has, in order; limits: whose stake counts only within
    (least, most), times the scale; kept_bps: how much of the person's share is not the person's; weight:
    what it has in the end.
    """

    moments: tuple[Moment, ...]
    factors: tuple[int, ...]
    owners: Mapping[str, str]
    tree: Mapping[str, tuple[str, int]]
    base: int
    taxes: tuple[referrals.Tax, ...]
    limits: Mapping[str, tuple[int, int | None]]
    kept_bps: int
    weight: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """A person's way to its amount: steps, its weight, everyone's weight, the pool less the fee (rao).

    forfeits_shared: what someone forfeited was shared by the others, so that everyone's weight is less than it was.
    """

    user: str
    steps: tuple[Step, ...]
    weight: int
    whole: int
    shared: int
    forfeits_shared: bool = False

    @property
    def exact(self) -> tuple[int, int, int]:
        """shared * weight / whole as (whole rao, remainder, divisor)."""
        return (*divmod(self.shared * self.weight, self.whole), self.whole)


def explain(
    user: str, rules: Rules, range_: Sequence[Moment], before: Moment | None, terms: Terms, fee_from_pool: int
) -> Explanation:
    """Follow one user (or, in a payout by nominators, one address) through the range."""
    factors = stakes.time_weights(
        rules.method, range_, before, rules.from_block, ignore_withdrawals=rules.ignore_withdrawals
    )
    weights = weigh(rules, range_, before, terms)
    steps = [
        _step(user, rules, stretch, factors, terms)
        for stretch in stretches(range_, terms if rules.by == "users" or terms.policies else Terms())
    ]
    weight = sum(step.weight for step in steps)
    assert weight == weights.names.get(user, 0), "the explanation does not lead to the weight of the plan"
    return Explanation(
        user,
        tuple(steps),
        weight,
        sum(weights.names.values()),
        rules.pool - fee_from_pool,
        any(term.kind == "forfeits" and term.value == "everyone" for term in terms.policies),
    )


def _step(user: str, rules: Rules, stretch: Sequence[Moment], factors: Mapping[int, int], terms: Terms) -> Step:
    """One user's way through snapshots between which no term changes."""
    block = stretch[0].block
    view, whose = policies.in_force(terms.policies, block), policies.accounts(rules.by, terms, block)
    tree: Mapping[str, tuple[str, int]] = {}
    owners = {user: user}
    if rules.by == "users":
        tree = _around(user, terms.referrals_at(block))
        people = {user, *tree}
        owners = {address: name for address, name in terms.owners_at(block).items() if name in people}
    limits = limits_of(view, whose, owners.values())
    scale = 1 if rules.netuid is not None else 10**9
    sums: dict[str, int] = {}
    for moment in stretch:
        part = counted(moment, owners, limits, scale=scale)
        stakes.add_weights(sums, rules.method, part, factors[moment.block])
    after, taxes = stretch_weights(rules, stretch, factors, terms, owners, tree)
    return Step(
        tuple(stretch),
        tuple(factors[moment.block] for moment in stretch),
        owners,
        tree,
        sum(sums.get(address, 0) for address, owner in owners.items() if owner == user),
        tuple(tax for tax in taxes if user in (tax.referee, tax.referrer)),
        {name: (least * scale, None if most is None else most * scale) for name, (least, most) in limits.items()},
        view.kept_bps(*whose(user)),
        after.get(user, 0),
    )


def proof(explanation: Explanation, rules: Rules, line: Mapping[str, Any], about: Mapping[str, Any]) -> dict[str, Any]:
    """A self-contained proof as plain values: whole numbers as text, so that every reader keeps them whole.

    line: the payment as stored in the plan. about: batch, genesis, hotkey, netuid, the transaction and the
    receipt (None while unpaid).
    """
    return {
        "format": FORMAT,
        **about,
        "user": line["user"],
        "name": explanation.user,
        "address": line["address"],
        "method": rules.method,
        "by": rules.by,
        "pool_rao": str(rules.pool),
        "fee_from_pool_rao": str(rules.pool - explanation.shared),
        "weight": str(explanation.weight),
        "whole_weight": str(explanation.whole),
        "forfeits_shared": explanation.forfeits_shared,
        **{f"{name}_rao": str(line[name]) for name in ("from_pool", "released", "fee_share", "amount")},
        "stretches": [
            {
                "moments": [
                    {"block": moment.block, "factor": str(factor), "total": str(moment.total)}
                    for moment, factor in zip(step.moments, step.factors, strict=True)
                ],
                "stakes": {
                    address: [str(moment.stakes.get(address, 0)) for moment in step.moments] for address in step.owners
                },
                "owners": dict(step.owners),
                "tree": {referee: list(edge) for referee, edge in step.tree.items()},
                "limits": {
                    name: [str(least), None if most is None else str(most)]
                    for name, (least, most) in step.limits.items()
                },
                "kept_bps": step.kept_bps,
            }
            for step in explanation.steps
        ],
    }


def _around(user: str, tree: Mapping[str, tuple[str, int]]) -> dict[str, tuple[str, int]]:
    """The referrals below a user, and its own: all that can change what it has."""
    below = {user}
    nodes = {user: tree[user]} if user in tree else {}
    grown = True
    while grown:
        more = {referee: edge for referee, edge in tree.items() if edge[0] in below and referee not in below}
        nodes |= more
        below |= set(more)
        grown = bool(more)
    return nodes
