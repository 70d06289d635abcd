"""From snapshots to a payout plan: pure, exact, the same on every machine."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import pairwise
from typing import Any, Literal, get_args

from valtrac.domain import money, policies, referrals, stakes
from valtrac.domain.people import Terms
from valtrac.domain.stakes import Method, Moment
from valtrac.domain.text import plain
from valtrac.errors import BadInput, Refused

By = Literal["users", "nominators", "balances"]
FeePolicy = Literal["pool", "payee", "owner"]
UNASSIGNED = "unassigned"
NO_ADDRESS, BELOW_MINIMUM, OWN_WALLET = "no address", "below the minimum", "own wallet"


@dataclass(frozen=True, slots=True)
class Rules:
    """What was asked for. Amounts in rao; netuid None: all subnets, valued in TAO.

    least: the smallest payment that the chain allows. take_back_bps: how much of a payment may go against
    what a payee was overpaid. persons: by balances, the accounts that are paid out, and as_of the block
    whose terms count.
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

    def spec(self) -> dict[str, Any]:
        """The rules as plain values; those that came later only where they say something."""
        added = {name: getattr(self, name) for name in ("least", "take_back_bps", "persons", "as_of")}
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
    for stretch in stretches(range_, terms if rules.by == "users" or terms.policies else Terms()):
        block = stretch[0].block
        owners = terms.owners_at(block)
        sums, taken = stretch_weights(rules, stretch, factors, terms, owners, terms.referrals_at(block))
        taxes += [(block, tax) for tax in taken]
        for name, weight in sums.items():
            names[name] = names.get(name, 0) + weight
    given = _given_away(names)
    notes = (*_empty(range_), *_gaps(rules, range_, interval), *given)
    if not any(names.values()):
        raise Refused("nobody but the owner had stake in this range", "", "choose another range or subnet")
    return Weights({name: weight for name, weight in names.items() if weight}, notes, tuple(taxes))


def _given_away(names: dict[str, int]) -> list[str]:
    """Take out what everyone else shares, and say whose it was."""
    found = []
    for key in sorted(names):
        name, reason, goes_to = policies.of_key(key) or (key, "", "pool")
        if goes_to == "everyone" and names.pop(key):
            found.append(f"{name}: {reason}; what it would have got is shared by the others")
    return found


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
            policies.counted(moment, names, limits, scale=scale) if limits else moment,
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


def accounts(by: By, terms: Terms, block: int) -> Callable[[str], tuple[str, ...]]:
    """A name's accounts, the nearest first: what policies are looked up by.

    By users: the user's. By nominators: the address' own, then that of the user who owns it at the block.
    """
    persons = {term.name: term.person for term in terms.users}
    if by != "nominators":
        return lambda name: (persons[name],) if name in persons else ()
    owners = terms.owners_at(block)
    return lambda name: (f"addr:{name}", *((persons[owners[name]],) if name in owners else ()))


def limits_of(
    view: policies.InForce, whose: Callable[[str], tuple[str, ...]], names: Iterable[str]
) -> dict[str, tuple[int, int | None]]:
    """name -> (least, most) stake that counts, of those for whom not all of it does."""
    if not any(kind in ("min-stake", "max-stake") for _, kind in view.values):
        return {}
    found = {name: view.limits(*whose(name)) for name in set(names)}
    return {name: limits for name, limits in found.items() if limits is not None}


def share_out(
    rules: Rules,
    weights: Weights,
    terms: Terms,
    held_before: Mapping[str, int],
    fee: int,
    *,
    wallet: str = "",
) -> PayoutPlan:
    """Split the pool by the weights: the only rounding there is.

    held_before: person -> rao owed and kept back so far, below zero what was overpaid. fee: the
    network's, in rao. wallet: the paying address.
    Raises Refused where the fee swallows the pool; the invariant is checked before returning.
    """
    view, whose = policies.in_force(terms.policies, rules.until), accounts(rules.by, terms, rules.until)
    bearers = _bearers(rules, weights, terms, held_before, wallet)
    share = -(-fee // len(bearers)) if bearers else 0
    by_pool = sum(1 for payer in bearers.values() if payer == "pool")
    fee_from_pool = fee if rules.fee_policy == "pool" and not bearers else fee * by_pool // max(len(bearers), 1)
    if fee_from_pool and fee_from_pool >= rules.pool:
        raise Refused(
            f"the network fee of {money.rao(fee)} leaves nothing of the pool of {money.rao(rules.pool)}",
            "",
            "share a larger pool, or let the owner bear the fee (--fee-policy owner)",
        )
    shares, withheld = _split(rules, weights, terms, held_before, rules.pool - fee_from_pool)
    unassigned = shares.pop(UNASSIGNED, 0) if rules.by == "users" else 0
    payees = _payees(rules, shares, terms, held_before)
    heads = sum(1 for line in payees if line.from_pool + line.released > 0)
    if rules.fee_policy == "payee" and heads and not bearers:
        share = -(-fee // heads)
    lines, held, out = [], [], list(withheld)
    for payee in payees:
        own = whose(payee.user)
        payer = _payer(rules, view.of("fee-payer", *own))
        least = max(rules.least, _minimum(rules, view.units("minimum", *own)), 1)
        fee_share = share if payer == "payee" else 0
        if wallet and payee.address == wallet:
            out.append(Kept(payee.user, payee.person, payee.from_pool, OWN_WALLET))
        elif not payee.address:
            held.append(Kept(payee.user, payee.person, payee.from_pool, NO_ADDRESS))
        elif payee.from_pool + payee.released - fee_share < least:
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
        tuple(kept for kept in held if kept.amount or kept.user in weights.names or rules.by == "balances"),
        tuple(out),
        weights.notes,
    )
    plan.check()
    return plan


def due(
    rules: Rules, weights: Weights, terms: Terms, held_before: Mapping[str, int], *, wallet: str = ""
) -> list[Line]:
    """All payees with something due, before fee and minimum: what the fee is asked for."""
    shares, _ = _split(rules, weights, terms, held_before, rules.pool)
    if rules.by == "users":
        shares.pop(UNASSIGNED, None)
    return [
        payee
        for payee in _payees(rules, shares, terms, held_before)
        if payee.from_pool + payee.released > 0 and payee.address and payee.address != wallet
    ]


def _bearers(
    rules: Rules, weights: Weights, terms: Terms, held_before: Mapping[str, int], wallet: str
) -> dict[str, str]:
    """name -> who bears its part of the network fee, of everyone with something due before the fee.

    Empty where nobody has terms of his own: then the fee is one amount, and is not cut into parts.
    """
    view, whose = policies.in_force(terms.policies, rules.until), accounts(rules.by, terms, rules.until)
    if not any(kind == "fee-payer" for _, kind in view.values):
        return {}
    return {
        payee.user: _payer(rules, view.of("fee-payer", *whose(payee.user)))
        for payee in due(rules, weights, terms, held_before, wallet=wallet)
    }


def _split(
    rules: Rules, weights: Weights, terms: Terms, held_before: Mapping[str, int], units: int
) -> tuple[dict[str, int], list[Kept]]:
    """The units by name, and what policies withhold of them."""
    if rules.by == "balances":
        return {}, []
    shares, withheld = money.split(units, weights.names, last=UNASSIGNED), []
    owners, persons = terms.owners_at(rules.to_block), {term.name: term.person for term in terms.users}
    for key in [key for key in shares if policies.MARK in key]:
        name, reason, goes_to = policies.of_key(key) or ("", "", "")
        amount = shares.pop(key)
        person = _debtor(name, owners, persons, held_before) if rules.by == "nominators" else persons[name]
        if amount:
            withheld.append(Kept(name, person, amount, reason, goes_to))
    return shares, sorted(withheld, key=lambda kept: (kept.user, kept.reason))


def _payer(rules: Rules, own: str | None) -> str:
    """Who bears somebody's part of the fee; where nothing is shared out there is no pool that could."""
    payer = own or rules.fee_policy
    return "owner" if payer == "pool" and rules.by == "balances" else payer


def _minimum(rules: Rules, own: int | None) -> int:
    """The smallest payment: a person's own rule goes before the owner's; balances are paid as they are."""
    if rules.by == "balances":
        return 0
    return rules.minimum if own is None else own


def _payees(rules: Rules, shares: Mapping[str, int], terms: Terms, held_before: Mapping[str, int]) -> list[Line]:
    """Everyone with a share or a held balance, by name, with address ("" for none) and balance."""
    view, whose = policies.in_force(terms.policies, rules.until), accounts(rules.by, terms, rules.until)
    persons = {term.name: term.person for term in terms.users}
    by_address = {person.removeprefix("addr:"): person for person in held_before if person.startswith("addr:")}

    def line(name: str, person: str, address: str, balance: int) -> Line:
        from_pool = shares.get(name, 0)
        # an overpayment is taken back of what the pool gives, a part of it at a time
        released = balance if balance >= 0 else -min(-balance, from_pool * rules.take_back_bps // policies.ALL_BPS)
        return Line(name, person, view.of("redirect", *whose(name)) or address, from_pool, released, 0)

    found = []
    if rules.by != "users":
        owners, debts = terms.owners_at(rules.to_block), dict(held_before)
        for name in sorted({*shares, *by_address}):
            person = by_address[name] if rules.by == "balances" else _debtor(name, owners, persons, held_before)
            own = person == f"addr:{name}"
            one = line(name, person, name, debts.get(person, 0) if own else min(0, debts.get(person, 0)))
            debts[person] = (
                debts.get(person, 0) - one.released
            )  # a user's debt is taken back once, of several addresses
            found.append(one)
    if rules.by != "nominators":
        known = {*shares, *(name for name, person in persons.items() if held_before.get(person, 0) > 0)}
        addresses = terms.payout_addresses(rules.until)
        for name in sorted(known):
            person = persons[name]
            found.append(line(name, person, addresses.get(name, ""), held_before.get(person, 0)))
    if rules.by == "balances":
        found = [one for one in found if one.released > 0 and (not rules.persons or one.person in rules.persons)]
    return found


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
    for field_, value, allowed in (
        ("by", rules.by, get_args(By)), ("method", rules.method, stakes.METHODS),
        ("fee-policy", rules.fee_policy, get_args(FeePolicy)),
    ):  # fmt: skip
        if value not in allowed:
            raise BadInput(f"{field_}: {plain(value, 40)!r} is none of {', '.join(allowed)}", "", "choose one of them")
    for field_, number in (("pool", rules.pool), ("minimum", rules.minimum), ("from", rules.from_block),
                           ("to", rules.to_block), ("take-back", rules.take_back_bps)):  # fmt: skip
        if type(number) is not int:
            raise BadInput(f"{field_}: {plain(number, 40)!r} is no whole number of the smallest unit", "", "give one")
    if rules.minimum < 0 or not 0 <= rules.take_back_bps <= policies.ALL_BPS:
        raise BadInput("minimum, take-back: not below zero, and no part above the whole", "", "mend it")
    if rules.by == "balances":
        return
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
