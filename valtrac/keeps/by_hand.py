"""What an owner does himself: redeem one keep whatever its percentage, and see what a price would bring."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from valtrac.core.errors import BadInput, Refused
from valtrac.keeps.carrying_out import carry_out, close_allowances, go_on
from valtrac.keeps.deciding import Plan, decide
from valtrac.keeps.looking import Look, Watched, look
from valtrac.keeps.model.collateral import percentage, wei_per_satoshi
from valtrac.keeps.model.funds import Route
from valtrac.keeps.model.policy import Act, Group, Holder, wish
from valtrac.keeps.model.states import DepositState
from valtrac.keeps.store.keeps import Keep
from valtrac.keeps.watching import Watching, tie
from valtrac.payments.reconcile import Finding
from valtrac.ports import ReplacingPayer

ANY_PERCENT = 10**9


@dataclass(frozen=True, slots=True)
class AtPrice:
    """A keep as it would be at a price. percent: None where nothing is known of its bond."""

    watched: Watched
    percent: int | None


def plan_for(watching: Watching, keep: Keep) -> Plan:
    """What redeeming one keep now would take. Raises Refused where nobody but somebody else can."""
    tie(watching)
    seen = look(watching)
    each = next((each for each in seen.watched if each.keep.id == keep.id), None)
    if each is None:
        raise BadInput(
            f"deposit {keep.deposit} is none that is watched, or is over",
            fix="see: run.py keeps show",
        )
    wanted = wish(each.now, threshold=ANY_PERCENT, may_call=watching.settings.keeps_courtesy_calls)
    if wanted.act is Act.LEAVE_CALL:  # asked for by hand: it is redeemed all the same
        wanted = replace(wanted, act=Act.REDEEM, group=Group.DANGER, route=_route(each))
    if wanted.group is None:
        raise Refused(f"deposit {keep.deposit} cannot be redeemed now", why=wanted.why)
    chosen = replace(each, wish=replace(wanted, why=f"by hand, at {_percent(each)}"))
    return decide(watching, Look(seen.head, (chosen,), 1, ()), by_hand=True)


def _route(each: Watched) -> Route:
    return Route.MACHINE if each.now.holder is Holder.MACHINE else Route.DIRECT


def redeem(watching: Watching, payer: ReplacingPayer, keep: Keep) -> tuple[Plan, list[Finding]]:
    """Redeem one keep, after whatever is on its way has come to its end. Raises Refused, OutcomeUnknown."""
    go_on(watching, payer)
    close_allowances(watching, payer)
    plan = plan_for(watching, keep)
    if plan.nothing:
        words = plan.left[0].words if plan.left else "it cannot be decided"
        raise Refused(f"deposit {keep.deposit} is not redeemed", why=words, fix="see: run.py keeps wallet show")
    return plan, carry_out(watching, payer, plan, ())


def at_price(watched: Sequence[Watched], eth_per_btc: Decimal) -> list[AtPrice]:
    """The keeps as they would be if a bitcoin were worth so much ether, the lowest first. Raises BadInput."""
    if eth_per_btc <= 0:
        raise BadInput(f"{eth_per_btc} ETH is no price of a bitcoin", fix="write it like 58.5")
    price = wei_per_satoshi(int(Decimal(10**18) / eth_per_btc))
    found = []
    for each in watched:
        known = each.keep.bond if each.now.state in (DepositState.ACTIVE, DepositState.COURTESY_CALL) else 0
        percent = percentage(known, each.keep.lot, price) if known else None
        found.append(AtPrice(_as_if(each, percent), percent))
    return sorted(found, key=lambda each: (each.percent is None, each.percent or 0))


def _as_if(each: Watched, percent: int | None) -> Watched:
    if percent is None:
        return each
    now = replace(each.now, percent=percent)
    return replace(each, now=now, wish=wish(now, threshold=each.threshold, may_call=False))


def _percent(each: Watched) -> str:
    return "an unknown percentage" if each.now.percent is None else f"{each.now.percent} %"
