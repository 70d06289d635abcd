"""Splitting a pool by weights, to the last unit: the only rounding there is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from valtrac.core import money
from valtrac.core.errors import Refused
from valtrac.payouts.model.plans import BELOW_MINIMUM, NO_ADDRESS, OWN_WALLET, UNASSIGNED, Kept, Line, PayoutPlan, Rules
from valtrac.payouts.model.weights import Weights
from valtrac.people.model import policies
from valtrac.people.model.policies import accounts
from valtrac.people.model.terms import Terms


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
    bearers = _bearers(rules, weights, terms, held_before, wallet)
    fee_from_pool = _borne_by_pool(rules, bearers, fee)
    shares, withheld = _split(rules, weights, terms, held_before, rules.pool - fee_from_pool)
    unassigned = shares.pop(UNASSIGNED, 0) if rules.by == "users" else 0
    payees = _payees(rules, shares, terms, held_before)
    lines, held, own = _sorted_out(rules, terms, payees, _fee_share(rules, bearers, payees, fee), wallet)
    plan = PayoutPlan(
        rules.pool,
        fee,
        rules.fee_policy,
        fee_from_pool,
        unassigned,
        tuple(lines),
        tuple(kept for kept in held if kept.amount or kept.user in weights.names or rules.by == "balances"),
        (*withheld, *own),
        weights.notes,
    )
    plan.check()
    return plan


def _borne_by_pool(rules: Rules, bearers: Mapping[str, str], fee: int) -> int:
    """What of the fee the pool bears. Raises Refused where that leaves nothing of it."""
    if not bearers:
        borne = fee if rules.fee_policy == "pool" else 0
    else:
        borne = fee * sum(1 for payer in bearers.values() if payer == "pool") // len(bearers)
    if borne and borne >= rules.pool:
        raise Refused(
            f"the network fee of {money.rao(fee)} leaves nothing of the pool of {money.rao(rules.pool)}",
            fix="share a larger pool, or let the owner bear the fee (--fee-policy owner)",
        )
    return borne


def _fee_share(rules: Rules, bearers: Mapping[str, str], payees: Sequence[Line], fee: int) -> int:
    """The part of the fee that each payee bears who bears any, rounded up."""
    if bearers:
        return -(-fee // len(bearers))
    heads = sum(1 for line in payees if line.from_pool + line.released > 0)
    return -(-fee // heads) if rules.fee_policy == "payee" and heads else 0


def _sorted_out(
    rules: Rules, terms: Terms, payees: Sequence[Line], share: int, wallet: str
) -> tuple[list[Line], list[Kept], list[Kept]]:
    """(the payments, what is held and why, what would go to the paying wallet itself)."""
    view, whose = policies.in_force(terms.policies, rules.until), accounts(rules.by, terms, rules.until)
    lines, held, own_wallet = list[Line](), list[Kept](), list[Kept]()
    for payee in payees:
        own = whose(payee.user) if view.values else ()
        least = max(rules.least, _minimum(rules, view.units("minimum", *own)), 1)
        fee_share = share if _payer(rules, view.of("fee-payer", *own)) == "payee" else 0
        if wallet and payee.address == wallet:
            own_wallet.append(Kept(payee.user, payee.person, payee.from_pool, OWN_WALLET))
        elif not payee.address:
            held.append(Kept(payee.user, payee.person, payee.from_pool, NO_ADDRESS))
        elif payee.from_pool + payee.released - fee_share < least:
            held.append(Kept(payee.user, payee.person, payee.from_pool, BELOW_MINIMUM))
        else:
            lines.append(payee if not fee_share else replace(payee, fee_share=fee_share))
    return lines, held, own_wallet


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
        redirected = view.of("redirect", *whose(name)) if view.values else None
        return Line(name, person, redirected or address, from_pool, released, 0)

    lines = []
    if rules.by != "users":
        owners, debts = terms.owners_at(rules.to_block), dict(held_before)
        for name in sorted({*shares, *by_address}):
            person = by_address[name] if rules.by == "balances" else _debtor(name, owners, persons, held_before)
            own = person == f"addr:{name}"
            owner_line = line(name, person, name, debts.get(person, 0) if own else min(0, debts.get(person, 0)))
            debts[person] = (
                debts.get(person, 0) - owner_line.released
            )  # a user's debt is taken back once, of several addresses
            lines.append(owner_line)
    if rules.by != "nominators":
        known = {*shares, *(name for name, person in persons.items() if held_before.get(person, 0) > 0)}
        addresses = terms.payout_addresses(rules.until)
        for name in sorted(known):
            person = persons[name]
            lines.append(line(name, person, addresses.get(name, ""), held_before.get(person, 0)))
    if rules.by == "balances":
        lines = [line for line in lines if line.released > 0 and (not rules.persons or line.person in rules.persons)]
    return lines


def _debtor(address: str, owners: Mapping[str, str], persons: Mapping[str, str], held_before: Mapping[str, int]) -> str:
    """Whose account a nominator's share is booked on: the address' own while it has a balance, else
    that of the user who owns the address, else the address' own."""
    own = f"addr:{address}"
    return own if held_before.get(own, 0) or address not in owners else persons[owners[address]]
