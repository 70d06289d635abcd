"""States that last and that the owner has to be told of: written down, and read by the alerts."""

from __future__ import annotations

from collections.abc import Mapping

from valtrac.core.errors import ChainUnreachable
from valtrac.core.money import ETH, TBTC, Amount
from valtrac.core.text import plain
from valtrac.database.engine import writing
from valtrac.keeps.deciding import ETHER_IS_MISSING, Plan
from valtrac.keeps.looking import Look, Watched
from valtrac.keeps.model.collateral import auction
from valtrac.keeps.model.policy import Group
from valtrac.keeps.model.states import DepositState
from valtrac.keeps.store import episodes
from valtrac.keeps.watching import Watching

CALLED, DANGER, LOW, NO_TBTC, NO_ETHER = "called", "danger", "low", "no-tbtc", "no-ether"
LATE, PROVIDERS, WAITS, PRICE, LIQUIDATION = "late", "providers", "waits", "price", "liquidation"


def note(watching: Watching, look: Look, plan: Plan, late: Mapping[str, str], *, waits: str | None) -> None:
    """Write down which states hold as of a look, and end those that do not any more. waits: why what is to be sent is
    not, None where that will be seen."""
    now = watching.now()
    watched = [each for each in look.watched if not each.now.state.final]
    holding: dict[str, dict[str, str]] = {kind: {} for kind in (CALLED, DANGER, LOW, LATE, PRICE, LIQUIDATION)}
    for each in watched:
        kind, words = _state_of(each)
        if kind:
            holding[kind][each.keep.deposit] = words
    holding[LATE] = dict(late)
    short = sum(each.short for each in plan.left)
    without_ether = [each for each in plan.left if each.words == ETHER_IS_MISSING]
    holding[NO_TBTC] = {"": f"{Amount(short, TBTC)} are missing for what has to be redeemed"} if short else {}
    poor = f"{Amount(max(0, plan.ether), ETH)} do not bear the gas of {len(without_ether)} redemptions"
    if not without_ether and plan.ether < 0:
        poor = f"{Amount(-plan.ether, ETH)} are missing for the calls that bring redemptions on"
    holding[NO_ETHER] = {"": poor} if without_ether or plan.ether < 0 else {}
    if waits is not None:
        holding[WAITS] = {"": waits} if waits else {}
    with writing(watching.engine) as conn:
        for kind, subjects in holding.items():
            for subject, words in subjects.items():
                episodes.note(conn, kind, subject, words, now)
            episodes.over(conn, kind, but=set(subjects), now=now)
        episodes.over(conn, PROVIDERS, now=now)


def refused(watching: Watching, waits: str) -> None:
    """Write down why what is to be sent is not."""
    with writing(watching.engine) as conn:
        episodes.note(conn, WAITS, "", waits, watching.now())


def providers_are_away(watching: Watching, error: ChainUnreachable) -> None:
    """Write down that nobody tells how keeps are."""
    with writing(watching.engine) as conn:
        episodes.note(conn, PROVIDERS, "", plain(error, 400), watching.now())


def _state_of(each: Watched) -> tuple[str, str]:
    """(kind, words) of what a keep's owner has to be told; ("", "") where nothing."""
    loss = Amount(each.value, ETH)
    name = f"deposit {each.keep.deposit}"
    if each.now.state is DepositState.COURTESY_CALL:
        return CALLED, f"{name} is in courtesy call at {_percent(each)}; {loss} of bond are at risk"
    if each.now.state in (DepositState.LIQUIDATION_IN_PROGRESS, DepositState.FRAUD_LIQUIDATION_IN_PROGRESS):
        shares = auction(each.keep.bond, 0, members=max(1, len(each.keep.members)))
        back = Amount(shares.each_signer * each.own, ETH)
        return LIQUIDATION, f"{name} is in liquidation; of {loss} at most {back} come back"
    if each.now.state is DepositState.ACTIVE and each.now.percent is None:
        return PRICE, f"{name}: its price is unknown, and nothing is decided"
    if each.danger is Group.DANGER:
        return DANGER, f"{name} is at {_percent(each)}: anybody may make the courtesy call; {loss} of bond are at risk"
    low = each.now.percent is not None and each.now.percent < each.threshold
    if each.now.state is DepositState.ACTIVE and low:
        return LOW, f"{name} is at {_percent(each)}, below {each.threshold} %; {loss} of bond are at risk"
    return "", ""


def _percent(each: Watched) -> str:
    return "an unknown percentage" if each.now.percent is None else f"{each.now.percent} %"
