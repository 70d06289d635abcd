"""What is to be done now: which keeps are redeemed with what is at hand, which calls are made, who is left and why."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from valtrac.core.errors import ChainUnreachable
from valtrac.core.money import TBTC, Amount
from valtrac.database.engine import reading
from valtrac.keeps.looking import Look, Watched
from valtrac.keeps.model import bitcoin_fees
from valtrac.keeps.model.funds import Gas, Route
from valtrac.keeps.model.lines import Asked
from valtrac.keeps.model.policy import Act, Group
from valtrac.keeps.model.selection import Candidate, choose
from valtrac.keeps.store import redemptions
from valtrac.keeps.watching import Watching
from valtrac.payments.store import attempts

ETHER_IS_MISSING = "ether for gas is missing"
MOST_FAILED, FAILED_WITHIN = 3, timedelta(hours=1)
VERIFY = "hand it over again: run.py keeps verify"


@dataclass(frozen=True, slots=True)
class Decided:
    """A redemption, and what it was decided by."""

    watched: Watched
    asked: Asked
    coin: int
    ether: int


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A keep that is to be redeemed and is not, in words; short: the TBTC that it lacks, in wei, 0 where ether does."""

    watched: Watched
    short: int
    words: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What is done at one block. redeem: in the order of urgency; leave: courtesy calls that are left; left: who cannot
    be saved now; tbtc, ether: at hand, in wei."""

    look: Look
    redeem: tuple[Decided, ...]
    leave: tuple[Watched, ...]
    left: tuple[LeftOut, ...]
    tbtc: int
    ether: int

    @property
    def nothing(self) -> bool:
        """Whether nothing is sent."""
        return not self.redeem and not self.leave


def decide(watching: Watching, look: Look, *, reserved: int = 0, by_hand: bool = False) -> Plan:
    """Decide on what is known of each keep at one block, with what the wallet holds there and in the final block, and
    what its owner lets it pay today. reserved: ether that other transactions need before; by_hand: also what has failed
    again and again. Raises ChainUnreachable."""
    tbtc, ether = _at_hand(watching, look)
    allowed = min(tbtc, _left_today(watching, look))
    ether -= reserved
    wanted = [each for each in look.watched if each.wish.group is not None]
    leave = tuple(each for each in look.watched if each.wish.act is Act.LEAVE_CALL and each.keep.confirmed)
    gas = Gas(watching.settings.keeps_gas_cap)
    ether -= gas.cap * gas.call * len(leave)
    costs = _costs(watching, wanted, look)
    asked_for = ({} if by_hand else _failed_lately(watching)) | _asked_for(watching)
    possible, left = list[tuple[Watched, int, int]](), list[LeftOut]()
    for each in wanted:
        cost, coin = costs[each.keep.deposit]
        words = asked_for.get(each.keep.id) or _impossible(watching, each, cost, coin)
        if words:
            left.append(LeftOut(each, 0, words))
        else:
            assert cost is not None
            possible.append((each, cost, coin))
    chosen, short = _chosen(watching, possible, gas, tbtc=tbtc, allowed=allowed, ether=ether)
    redeem = tuple(
        Decided(each, _asked(watching, each, cost, coin), coin, _ether_of(gas, each))
        for each, cost, coin in possible
        if each.keep.deposit in chosen
    )
    places = {deposit: place for place, deposit in enumerate(chosen)}
    ordered = tuple(sorted(redeem, key=lambda each: places[each.watched.keep.deposit]))
    return Plan(look, ordered, leave, (*left, *short), tbtc, ether)


def _chosen(
    watching: Watching, possible: Sequence[tuple[Watched, int, int]], gas: Gas, *, tbtc: int, allowed: int, ether: int
) -> tuple[tuple[str, ...], list[LeftOut]]:
    """The deposits that are redeemed, in order, and those that are not. allowed: what of the TBTC may be paid today."""
    groups = []
    for group in Group:
        rows = [(each, cost) for each, cost, _ in possible if each.wish.group is group]
        groups.append([Candidate(each.keep.deposit, cost, _ether_of(gas, each), each.value) for each, cost in rows])
    machine = any(each.wish.route is Route.MACHINE for each, _, _ in possible)
    at_hand = ether - (gas.cap * gas.approve if machine else 0)
    choice = choose(groups, tbtc=allowed, ether=max(0, at_hand))
    free = tbtc - allowed  # what there is and may not be paid today
    by_deposit = {each.keep.deposit: (each, cost) for each, cost, _ in possible}
    taken = choice.taken[: watching.settings.keeps_parallel]
    left = []
    for lacking in choice.left:
        each, _ = by_deposit[lacking.name]
        short = max(0, lacking.short - free)
        if short:
            words = f"{Amount(short, TBTC)} are missing"
        elif lacking.short:
            words = f"VALTRAC_KEEPS_CAP_DAY leaves {Amount(allowed, TBTC)} for today"
        else:
            words = ETHER_IS_MISSING
        left.append(LeftOut(each, short, words))
    for deposit in choice.taken[watching.settings.keeps_parallel :]:
        left.append(LeftOut(by_deposit[deposit][0], 0, "as many as may be sent at once are sent; it follows"))
    return taken, left


def _at_hand(watching: Watching, look: Look) -> tuple[int, int]:
    """(TBTC, ether) that the wallet has in the block of the look and in the final one: what has just come may go
    again, and what has just gone is not there."""
    newest, final = watching.balances(look.head), watching.balances(watching.final_head())
    return min(newest[0], final[0]), min(newest[1], final[1])


def _left_today(watching: Watching, look: Look) -> int:
    """The TBTC that the cap of the day leaves."""
    with reading(watching.engine) as conn:
        return max(0, watching.settings.keeps_cap_day - attempts.spent_since(conn, watching.wallet, look.head.at))


def _asked_for(watching: Watching) -> dict[int, str]:
    """keep -> why it is not asked back again, of those whose redemption is not over: the chain has dropped it."""
    with reading(watching.engine) as conn:
        still_open = redemptions.listed(conn, still_open=True)
    return {each.keep_id: f"transaction {each.tx_id} has asked for it, and is gone: {VERIFY}" for each in still_open}


def _failed_lately(watching: Watching) -> dict[int, str]:
    """keep -> why it is left for a while, of those whose redemption the contracts have taken ether for and refused
    several times: one that is decided anew with every round would use up the ether of all."""
    since = watching.now() - FAILED_WITHIN
    with reading(watching.engine) as conn:
        failed = [each.keep_id for each in redemptions.listed(conn) if each.refused and each.changed_at >= since]
    words = f"its redemption failed {MOST_FAILED} times within an hour; by hand: run.py keeps redeem"
    return {keep_id: words for keep_id in failed if failed.count(keep_id) >= MOST_FAILED}


def _ether_of(gas: Gas, each: Watched) -> int:
    assert each.wish.route is not None
    return gas.of(each.wish.route, first=False, calls=each.wish.act is Act.CALL_AND_REDEEM)


def _asked(watching: Watching, each: Watched, cost: int, coin: int) -> Asked:
    assert each.wish.route is not None
    output = bitcoin_fees.output(coin, watching.settings.keeps_bitcoin_fee)
    return Asked(each.keep.deposit, each.wish.route, cost, output, each.wish.act is Act.CALL_AND_REDEEM)


def _costs(watching: Watching, wanted: Sequence[Watched], look: Look) -> dict[str, tuple[int | None, int]]:
    """deposit -> (what its route costs, what it holds on Bitcoin), as both groups of providers tell."""
    if not wanted:
        return {}
    deposits = [each.keep.deposit for each in wanted]
    told = [side.contracts.costs(deposits, watching.wallet, look.head) for side in watching.sides]
    if any(other != told[0] for other in told[1:]):
        raise ChainUnreachable(
            "two providers tell what redemptions cost differently",
            why="nothing is decided on the word of either",
            fix="it is asked again",
        )
    found: dict[str, tuple[int | None, int]] = {}
    for each in wanted:
        costs = told[0][each.keep.deposit]
        cost = costs.machine if each.wish.route is Route.MACHINE else costs.direct
        if each.wish.act is Act.CALL_AND_REDEEM:  # in courtesy call anybody may, for the lot
            cost = each.keep.lot * 10**10
        found[each.keep.deposit] = (cost, costs.coin)
    return found


def _impossible(watching: Watching, each: Watched, cost: int | None, coin: int) -> str:
    """Why a keep cannot be redeemed whatever the wallet holds, or ""."""
    if not each.keep.confirmed:  # anybody could have put a contract of his own there, and would be allowed TBTC
        return "it is known from the old cache alone, until its creation is read"
    if cost is None:
        return "the contract says no to it"
    if not watching.script:
        return "no Bitcoin address is set: VALTRAC_KEEPS_BITCOIN_ADDRESS"
    if cost > watching.settings.keeps_cap_payment:
        return "it costs more than VALTRAC_KEEPS_CAP_PAYMENT"
    try:
        bitcoin_fees.output(coin, watching.settings.keeps_bitcoin_fee)
    except bitcoin_fees.BadFee as bad:
        return str(bad)
    return ""
