"""The weight of everyone over a range of snapshots: policies, referral taxes, terms as they were."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import pairwise

from valtrac.core.errors import Refused
from valtrac.payouts.model.plans import UNASSIGNED, Rules
from valtrac.people.model import policies, referrals
from valtrac.people.model.policies import MARK, accounts
from valtrac.people.model.terms import Terms
from valtrac.snapshots.model import stakes
from valtrac.snapshots.model.stakes import Moment


def counted(
    moment: Moment, owners: Mapping[str, str], limits: Mapping[str, tuple[int, int | None]], *, scale: int = 1
) -> Moment:
    """A snapshot in which each name's stake counts within its limits; the rest is put under name + MARK.

    owners: address -> name. limits: name -> (least, most), each times `scale`. The sum of all stakes
    stays what it was. What does not count is taken from the last addresses first, in code-point order.
    """
    held: dict[str, dict[str, int]] = {}
    for address, name in owners.items():
        if name in limits and address in moment.stakes:
            held.setdefault(name, {})[address] = moment.stakes[address]
    stakes = dict(moment.stakes)
    for name, parts in held.items():
        least, most = limits[name]
        whole = sum(parts.values())
        over = whole if whole < least * scale else max(0, whole - (whole if most is None else most * scale))
        if over:
            stakes[name + MARK] = over
        for address in sorted(parts, reverse=True):
            taken = min(over, parts[address])
            stakes[address] -= taken
            over -= taken
    return replace(moment, stakes=stakes)


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
        raise no_snapshot(rules)
    factors = stakes.time_weights(
        rules.method, range_, before, rules.from_block, ignore_withdrawals=rules.ignore_withdrawals
    )
    names: dict[str, int] = {}
    taxes: list[tuple[int, referrals.Tax]] = []
    for stretch in stretches(range_, terms if rules.by == "users" or terms.policies else Terms()):
        block = stretch[0].block
        owners = terms.owners_at(block)
        sums, taken = stretch_weights(rules, stretch, factors, terms, owners, terms.referrals_at(block))
        taxes += [(block, tax) for tax in taken]
        for name, weight in sums.items():
            names[name] = names.get(name, 0) + weight
    empty = [moment.block for moment in range_ if moment.total == 0]
    return replace(finished(rules, names, [moment.block for moment in range_], empty, interval), taxes=tuple(taxes))


def no_snapshot(rules: Rules) -> Refused:
    """What is said of a range without any snapshot."""
    return Refused(
        f"no snapshot lies in blocks {rules.from_block} to {rules.to_block}",
        fix="take one, start the logger, or choose another range",
    )


def finished(
    rules: Rules, names: dict[str, int], blocks: Sequence[int], empty: Sequence[int], interval: int | None
) -> Weights:
    """The weights of a range from the sums by name, with what is noted of its blocks. empty: those that count nothing.

    Raises Refused where nobody has any weight.
    """
    given = _given_away(names)
    if not any(names.values()):
        raise Refused("nobody but the owner had stake in this range", fix="choose another range or subnet")
    notes = (*map(_counts_nothing, empty), *_gaps(rules, blocks, interval), *given)
    return Weights({name: weight for name, weight in names.items() if weight}, notes)


def _given_away(names: dict[str, int]) -> list[str]:
    """Take out what everyone else shares, and say whose it was."""
    pieces = []
    for key in sorted(names):
        name, reason, goes_to = policies.of_key(key) or (key, "", "pool")
        if goes_to == "everyone" and names.pop(key):
            pieces.append(f"{name}: {reason}; what it would have got is shared by the others")
    return pieces


def stretch_weights(
    rules: Rules,
    stretch: Sequence[Moment],
    factors: Mapping[int, int],
    terms: Terms,
    owners: Mapping[str, str],
    tree: Mapping[str, tuple[str, int]],
) -> tuple[dict[str, int], list[referrals.Tax]]:
    """The weights that snapshots without a change of terms between them give, and the taxes taken.

    owners: address -> user; tree: referee -> (referrer, rate). Both may be a part of everybody: whoever
    is in it with all below him gets what he gets in the whole. What policies withhold is under keys of its own.
    """
    block = stretch[0].block
    view, whose = policies.in_force(terms.policies, block), accounts(rules.by, terms, block)
    names = owners if rules.by == "users" else {address: address for moment in stretch for address in moment.stakes}
    limits = limits_of(view, whose, names.values())
    scale = 1 if rules.netuid is not None else 10**9  # all subnets: stake times the price in rao
    sums: dict[str, int] = {}
    for moment in stretch:
        stakes.add_weights(
            sums,
            rules.method,
            counted(moment, names, limits, scale=scale) if limits else moment,
            factors[moment.block],
        )
    marked = {key: sums.pop(key) for key in list(sums) if key.endswith(policies.MARK)}
    taxes: list[referrals.Tax] = []
    unassigned = 0
    if rules.by == "users":
        base = dict[str, int]()
        for address, weight in sums.items():
            name = owners.get(address, UNASSIGNED)
            base[name] = base.get(name, 0) + weight
        unassigned = base.pop(UNASSIGNED, 0)
        sums, taxes = referrals.cascade(base, tree)
    if view.values:
        sums = policies.withhold({**sums, **marked}, view, whose)
    return ({**sums, UNASSIGNED: unassigned} if unassigned else sums), taxes


def limits_of(
    view: policies.InForce, whose: Callable[[str], tuple[str, ...]], names: Iterable[str]
) -> dict[str, tuple[int, int | None]]:
    """name -> (least, most) stake that counts, of those for whom not all of it does."""
    if not view.limit_stake:
        return {}
    limits_by_name = {name: view.limits(*whose(name)) for name in set(names)}
    return {name: limits for name, limits in limits_by_name.items() if limits is not None}


def stretches(range_: Sequence[Moment], terms: Terms) -> list[list[Moment]]:
    """The snapshots in runs during which no term changes."""
    edges, runs, last = terms.edges(), list[list[Moment]](), -1
    passed = 0
    for moment in range_:
        while passed < len(edges) and edges[passed] <= moment.block:
            passed += 1
        if passed != last:
            runs.append([])
            last = passed
        runs[-1].append(moment)
    return runs


def _counts_nothing(block: int) -> str:
    return f"block {block} counts nothing: nobody but the owner had stake"


def _gaps(rules: Rules, blocks: Sequence[int], interval: int | None) -> list[str]:
    if interval is None:
        return []
    length = rules.to_block - rules.from_block + 1
    notes = [
        f"no snapshot in blocks {last + 1} to {here - 1}: {100 * (here - last - 1) / length:.1f} % of the range"
        for last, here in pairwise([rules.from_block - 1, *blocks])
        if here - last > 2 * interval
    ]
    if blocks[-1] < rules.to_block:
        notes.append(f"blocks {blocks[-1] + 1} to {rules.to_block} come after the last snapshot and carry no weight")
    return notes
