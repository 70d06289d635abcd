"""A history of prices played again over the rehearsal's keeps: what the watch would have done, and at what cost."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from decimal import Decimal, InvalidOperation
from itertools import pairwise

from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.database.engine import reading
from valtrac.keeps import cycle
from valtrac.keeps.model.progress import Action, RedemptionState
from valtrac.keeps.store import redemptions
from valtrac.keeps.watching import Watching
from valtrac.ports import ReplacingPayer
from valtrac.rehearsal import keeps as rehearsal

MOST_POINTS = 100_000
ENOUGH_ROUNDS = 12  # after the last price: what was asked for comes to its proof
AN_HOUR = Decimal(1)


@dataclass(frozen=True, slots=True)
class Point:
    """A price at a moment. eth_per_btc: 0 where the feed was offline."""

    at: datetime
    eth_per_btc: Decimal


@dataclass(frozen=True, slots=True)
class Step:
    """What was seen and done at one price. lowest: percent, None where unknown; left: why keeps were not redeemed."""

    point: Point
    lowest: int | None
    in_danger: int
    asked: int
    left: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the whole history came to. tbtc, ether: spent, in wei; bitcoin_fees, bitcoin: satoshi, paid on the way and
    received; saved: bond of our operators, in wei; lost, left: deposits that went into liquidation, or could not be
    redeemed."""

    steps: int
    redeemed: int
    lost: int
    left: int
    tbtc: int
    ether: int
    bitcoin: int
    bitcoin_fees: int
    saved: int


def points(rows: Iterable[tuple[int, str, str]]) -> list[Point]:
    """A history out of (line, time, price) as they stand in a table. Raises BadInput with every row that is wrong."""
    found, problems = list[Point](), list[str]()
    for line, at, price in rows:
        try:
            found.append(Point(_moment(at), _price(price)))
        except ValueError as error:
            problems.append(f"line {line}: {error}")
    for place, (before, after) in enumerate(pairwise(found)):
        if after.at <= before.at:
            problems.append(f"point {place + 2}: {after.at:%Y-%m-%d %H:%M} does not come after the one before it")
    if not found and not problems:
        problems.append("it holds no price")
    if problems or len(found) > MOST_POINTS:
        raise BadInput(
            problems[0] if len(problems) == 1 else f"{len(problems)} rows cannot be used",
            fix="write a time and the ETH that a bitcoin was worth in each row: 2020-11-26T09:00:00Z,32.4",
            problems=problems[:20],
        )
    return found


def play(watching: Watching, payer: ReplacingPayer, history: list[Point], tell: Callable[[Step], None]) -> Outcome:
    """Play a history: set each price, let the time between pass, and make one round of the watch at each point."""
    before, settings = history[0].at, watching.settings
    past = _past(watching)
    for point in history:
        gap = Decimal((point.at - before).total_seconds()) / 3600
        if gap > 0:
            rehearsal.let_pass(settings, min(gap, Decimal(rehearsal.MOST_HOURS)))
        rehearsal.set_price(settings, point.eth_per_btc)
        done = cycle.run(watching, payer)
        tell(_step(point, done))
        before = point.at
    for _ in range(ENOUGH_ROUNDS):
        with reading(watching.engine) as conn:
            if not redemptions.listed(conn, still_open=True):
                break
        rehearsal.let_pass(settings, AN_HOUR)
        cycle.run(watching, payer)
    return _outcome(watching, len(history), past)


def _step(point: Point, done: cycle.Round) -> Step:
    redeemable = [each.now.percent for each in done.look.watched if each.now.state.redeemable]
    active = [percent for percent in redeemable if percent is not None]
    asked = len(done.plan.redeem) if done.plan is not None and done.sent else 0
    left = {each.words: None for each in done.plan.left} if done.plan is not None else {}
    return Step(point, min(active, default=None), done.in_danger, asked, tuple(left))


def _past(watching: Watching) -> tuple[int, int]:
    """The newest redemption and the newest action before the first price: what was before is none of its."""
    with reading(watching.engine) as conn:
        listed, acted = redemptions.listed(conn), redemptions.actions(conn)
    return max((each.id for each in listed), default=0), max((each.id for each in acted), default=0)


def _outcome(watching: Watching, steps: int, past: tuple[int, int]) -> Outcome:
    with reading(watching.engine) as conn:
        listed = [each for each in redemptions.listed(conn) if each.id > past[0]]
        acted = [each for each in redemptions.actions(conn) if each.id > past[1]]
    redeemed = [each for each in listed if each.state is RedemptionState.REDEEMED]
    lost = sum(each.state is RedemptionState.LOST for each in listed)
    left = {each.deposit for each in acted if each.action is Action.LEFT} - {each.deposit for each in redeemed}
    fees = sum(each.fee * (1 + each.increases) for each in redeemed)
    return Outcome(
        steps,
        len(redeemed),
        lost,
        len(left),
        sum(each.tbtc for each in acted),
        sum(each.ether for each in acted),
        sum(each.coin for each in redeemed) - fees,
        fees,
        sum(each.value for each in redeemed),
    )


def _moment(text: str) -> datetime:
    written = text.strip()
    try:
        if written.isascii() and written.isdigit() and len(written) < 12:
            return datetime.fromtimestamp(int(written), UTC)
        at = datetime.fromisoformat(written.replace("Z", "+00:00"))
    except (ValueError, OverflowError, OSError) as error:
        raise ValueError(f"{plain(written, 40)!r} is no time") from error
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def _price(text: str) -> Decimal:
    try:
        price = Decimal(text.strip())
    except InvalidOperation as error:
        raise ValueError(f"{plain(text, 40)!r} is no price") from error
    if not price.is_finite() or price < 0 or price > 10**9:
        raise ValueError(f"{plain(text, 40)!r} is no price of a bitcoin in ETH")
    return price
