"""The record that figures are made from, read in one view of the database; `model/` says what they mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import cached_property
from typing import Protocol

import numpy as np
import sqlalchemy as sa

from valtrac.core.addresses import is_address, shortened
from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.database.engine import reading
from valtrac.payments.model.states import IN_FORCE, BatchState, LineState
from valtrac.payments.store import attempts, ledger
from valtrac.payments.store import batches as batch_lines
from valtrac.payouts.store import batches
from valtrac.people.model.terms import Terms
from valtrac.people.register import named, register
from valtrac.people.store import people
from valtrac.reports.model import history, ranges, replay
from valtrac.reports.model.ranges import Bound
from valtrac.reports.model.record import Payout, Record
from valtrac.reports.model.statistics import HeldBalance
from valtrac.reports.store import history as stored
from valtrac.reports.store import prices
from valtrac.snapshots.model.newest import ROOT, most_first
from valtrac.snapshots.store import newest, snapshots

BLOCK_S = 12.0
UNIT = 10**9
OPEN = Bound()
NAMED = 5  # subnets that an error lists


class FigureSettings(Protocol):
    """What figures are drawn by: the money, how old a price may be, and how many blocks lie between snapshots."""

    currency: str
    price_max_age_s: int
    snapshot_interval: int


@dataclass(frozen=True, slots=True)
class Range:
    """Which part of the record is looked at. netuid None: all subnets, valued in TAO."""

    hotkey: str
    netuid: int | None = 0
    first: Bound = OPEN
    last: Bound = OPEN
    preset: str = "all"


def subnets(engine: sa.Engine, hotkey: str) -> list[int]:
    """The subnets of which a hotkey has snapshots, the one with the most stake at its last snapshot first."""
    with reading(engine) as conn:
        return most_first(newest.by_subnet(conn, hotkey))


def subnet_of_stake(engine: sa.Engine, hotkey: str) -> int:
    """The subnet meant where nobody named one: the only one, else the one with the most stake; root before any."""
    return next(iter(subnets(engine, hotkey)), ROOT)


def record(engine: sa.Engine, settings: FigureSettings, chosen: Range) -> Record:
    """Everything that figures of a range need. Raises BadInput: no snapshots there, or a reversed range."""
    with reading(engine) as conn:
        from_block, to_block = _blocks(conn, chosen)
        netuids = [number for key, number in snapshots.hotkeys(conn) if key == chosen.hotkey]
        wanted = [number for number in netuids if chosen.netuid in (None, number)]
        parts = [stored.load(conn, chosen.hotkey, number, from_block, to_block) for number in wanted]
        parts = [part for part in parts if len(part)]
        if not parts:
            raise _nothing(conn, chosen)
        whole = parts[0] if chosen.netuid is not None else history.joined(parts)
        terms, names = people.terms(conn), _names(people.terms(conn))
        of_time = prices.between(conn, settings.currency, _earliest(whole.at[0], settings), whole.at[-1])
        return Record(
            chosen.hotkey,
            "TAO" if chosen.netuid in (None, 0) else f"alpha of subnet {chosen.netuid}",
            _priced(whole, chosen.netuid),
            terms,
            _payouts(conn, chosen, names),
            tuple((price.at, price.price_nano / UNIT) for price in of_time),
            settings.currency,
            settings.price_max_age_s,
            settings.snapshot_interval * BLOCK_S,
            {
                names.get(person, person.removeprefix("addr:")): units / UNIT
                for person, units in ledger.held(conn).items()
            },
            chosen.netuid,
        )


def shares(made: Record) -> replay.Shares:
    """Base and adjusted parts of everyone over the range. Raises Refused where nobody had stake."""
    return replay.shares(made.history, made.terms)


@dataclass(frozen=True)
class Figures:
    """What the charts of a record are drawn from, each read when one first asks for it. who: the user that a chart is
    of, "" where it is of all."""

    engine: sa.Engine
    record: Record
    who: str = ""

    @cached_property
    def shares(self) -> replay.Shares:
        """Everybody's shares, before and after referrals."""
        return shares(self.record)

    @cached_property
    def held_balances(self) -> list[HeldBalance]:
        """What is owed and held back."""
        return held_balances(self.engine)


def user(engine: sa.Engine, text: str) -> str:
    """The name of a user as it is written, or an address. Raises BadInput with the nearest name."""
    with reading(engine) as conn:
        known = register(people.terms(conn))
    if not is_address(text.strip()):
        return named(known, text)
    owner = known.owner_of(text.strip())
    if owner is not None:
        raise BadInput(
            f"{shortened(text.strip())} is an address of {plain(owner)}",
            why="a user is looked at with all addresses together",
            fix=f"name the user: {plain(owner)}",
        )
    return text.strip()


def held_balances(engine: sa.Engine, now: datetime | None = None) -> list[HeldBalance]:
    """Everyone's held balance and its age in days: since the oldest part that was not released. The largest first."""
    now = now or datetime.now(UTC)
    with reading(engine) as conn:
        names = _names(people.terms(conn))
        figures = [
            HeldBalance(
                names.get(person, person.removeprefix("addr:")),
                units / UNIT,
                max(0.0, (now - since).total_seconds() / 86_400),
            )
            for person, (units, since) in ledger.ages(conn).items()
        ]
    return sorted(figures, key=lambda figure: (-figure.amount, figure.name))


def _blocks(conn: sa.Connection, chosen: Range) -> tuple[int, int]:
    """The range in blocks; times are looked up among the snapshots."""
    newest_at = snapshots.newest_at(conn, chosen.hotkey, chosen.netuid)
    if newest_at is None:
        raise _nothing(conn, chosen)
    first, last = chosen.first, chosen.last
    if first == OPEN and last == OPEN:
        first = ranges.preset(chosen.preset, newest_at)
    from_block = first.block if first.at is None else snapshots.first_at(conn, chosen.hotkey, chosen.netuid, first.at)
    to_block = last.block if last.at is None else snapshots.last_at(conn, chosen.hotkey, chosen.netuid, last.at)
    if first.at is not None and last.at is not None and first.at > last.at:
        raise BadInput("the range ends before it begins", fix="swap --from and --to")
    if (first.at is not None and from_block is None) or (last.at is not None and to_block is None):
        raise _nothing(conn, chosen)
    from_block, to_block = from_block or 0, ranges.LAST_BLOCK if to_block is None else to_block
    if from_block > to_block:
        raise BadInput(f"from block {from_block} lies after to block {to_block}", fix="swap --from and --to")
    return from_block, to_block


def _nothing(conn: sa.Connection, chosen: Range) -> BadInput:
    where = "" if chosen.netuid is None else f" on netuid {chosen.netuid}"
    recorded = most_first(newest.by_subnet(conn, chosen.hotkey))
    if not recorded:
        fix = "start the record under Begin logging, or: run.py snapshot take"
    elif chosen.netuid is None or chosen.netuid in recorded:
        fix = "choose another range"
    else:
        fix = "choose a subnet that is recorded: " + ", ".join(f"--netuid {number}" for number in recorded[:NAMED])
    return BadInput(f"there is no snapshot of {plain(chosen.hotkey)}{where} in this range", fix=fix)


def _priced(stakes: history.History, netuid: int | None) -> history.History:
    """TAO per unit by row: one on the root network, where the chain tells none."""
    if netuid != 0:
        return stakes
    return history.History(
        stakes.blocks,
        stakes.at,
        stakes.addresses,
        stakes.stakes,
        stakes.owner_stake,
        np.ones(len(stakes)),
        stakes.take,
        stakes.verified,
    )


def _earliest(first: datetime, settings: FigureSettings) -> datetime:
    return first - timedelta(seconds=settings.price_max_age_s)


def _payouts(conn: sa.Connection, chosen: Range, names: Mapping[str, str]) -> tuple[Payout, ...]:
    """The approved batches of the hotkey, oldest first; of one subnet or of all."""
    made = []
    for batch in reversed(batches.listed(conn, IN_FORCE)):
        if batch.hotkey != chosen.hotkey or (
            chosen.netuid is not None and batch.netuid not in (str(chosen.netuid), "all")
        ):
            continue
        lines = batch_lines.lines_of(conn, batch.id)
        earned: dict[str, float] = {}
        paid: dict[str, float] = {}
        for line in lines:  # people are known by their account: names change, and another may take one over
            name = names.get(line.person, line.name)
            earned[name] = earned.get(name, 0.0) + line.from_pool / UNIT
            if line.state == LineState.PAID:
                paid[name] = paid.get(name, 0.0) + line.amount / UNIT
        for kept in batch.payout.held:
            name = names.get(kept.person, kept.user)
            earned[name] = earned.get(name, 0.0) + kept.amount / UNIT
        done = attempts.fees_of_batch(conn, batch.id)
        made.append(
            Payout(
                batch.id,
                batch.from_block,
                batch.to_block,
                attempts.landed_at(conn, batch.id) or batch.approved_at or batch.created_at,
                batch.state == BatchState.SETTLED,
                batch.pool / UNIT,
                sum(earned.values()),
                (done or 0) / UNIT,
                earned,
                paid,
            )
        )
    return tuple(made)


def _names(terms: Terms) -> dict[str, str]:
    return {term.person: term.name for term in terms.users}
