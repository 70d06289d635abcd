"""How keeps stand, for screens and commands: out of the database, and of the chain where that is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from valtrac.core.chain import Head
from valtrac.core.errors import BadInput
from valtrac.core.money import ETH, TBTC, Amount, decimal_text
from valtrac.core.text import plain
from valtrac.database.engine import reading
from valtrac.keeps.looking import Watched, describe
from valtrac.keeps.model.policy import Group
from valtrac.keeps.model.states import DepositState
from valtrac.keeps.store import episodes, redemptions
from valtrac.keeps.store import keeps as store
from valtrac.keeps.store.keeps import Keep, Sighting
from valtrac.keeps.store.redemptions import Acted, Redemption
from valtrac.keeps.watching import Watching

SATOSHI = 100_000_000


@dataclass(frozen=True, slots=True)
class Counts:
    """How many keeps of ours there are, by what they are in. known: keeps of anybody's."""

    known: int
    watched: int
    danger: int
    low: int
    redeeming: int
    liquidation: int


@dataclass(frozen=True, slots=True)
class Story:
    """Everything that is known of one keep, the oldest first."""

    watched: Watched
    seen: tuple[Sighting, ...]
    acted: tuple[Acted, ...]
    redemptions: tuple[Redemption, ...]


@dataclass(frozen=True, slots=True)
class Holdings:
    """What the wallet has at a block, in wei. allowed: TBTC that the VendingMachine may take of it."""

    address: str
    tbtc: int
    ether: int
    allowed: int
    head: Head


def counts(engine: sa.Engine, watched: Sequence[Watched]) -> Counts:
    """How many are in what."""
    with reading(engine) as conn:
        known = len(store.listed(conn, over=True))
    groups = [each.danger for each in watched]
    states = [each.now.state for each in watched]
    return Counts(
        known,
        len(watched),
        groups.count(Group.DANGER),
        groups.count(Group.LOW),
        sum(state.being_redeemed for state in states),
        sum(
            state in (DepositState.LIQUIDATION_IN_PROGRESS, DepositState.FRAUD_LIQUIDATION_IN_PROGRESS)
            for state in states
        ),
    )


def last_look(watching: Watching) -> Head | None:
    """The block of the last look, as far as it is stored; None before any. Its time is the newest sighting's."""
    with reading(watching.engine) as conn:
        known = store.listed(conn)
        newest = max((keep.seen_block for keep in known), default=0)
        times = [seen[-1].at for keep in known if keep.seen_block and (seen := store.history(conn, keep.id, most=1))]
    if not newest or not times:
        return None
    return Head(newest, "", "", max(times))


def holdings(watching: Watching) -> Holdings:
    """What the wallet has now. Raises ChainUnreachable."""
    head = watching.agreed_head()
    tbtc, ether = watching.balances(head)
    machine = watching.first.contracts.machine
    return Holdings(watching.wallet, tbtc, ether, watching.first.chain.allowance(watching.wallet, machine, head), head)


def named(engine: sa.Engine, address: str) -> Keep:
    """The keep that an address, or the beginning of one, means. Raises BadInput for none, or for several."""
    typed = address.strip().lower()
    typed = typed if typed.startswith("0x") else f"0x{typed}"
    with reading(engine) as conn:
        meant = store.named(conn, typed) if len(typed) >= 4 else []
    if len(meant) == 1:
        return meant[0]
    if not meant:
        raise BadInput(f"no keep is called {plain(address, 60)!r}", fix="type more of its address, or of its deposit's")
    raise BadInput(
        f"{len(meant)} keeps begin with {plain(address, 60)!r}",
        fix="type more of it",
        problems=[f"{keep.keep} of deposit {keep.deposit}" for keep in meant[:10]],
    )


def story(watching: Watching, keep: Keep, head: Head) -> Story:
    """Everything that is known of a keep."""
    if keep.state is None:
        raise BadInput(f"keep {keep.keep} was not looked at yet", fix="look once: run.py keeps watch --once")
    with reading(watching.engine) as conn:
        return Story(
            describe(watching, keep, head),
            tuple(store.history(conn, keep.id)),
            tuple(redemptions.actions(conn, keep_id=keep.id)),
            tuple(redemptions.listed(conn, keep_id=keep.id)),
        )


def log(engine: sa.Engine, *, since: datetime | None = None, most: int | None = None) -> list[Acted]:
    """The audit log, the oldest first."""
    with reading(engine) as conn:
        return redemptions.actions(conn, since=since, most=most)


def lasting(engine: sa.Engine) -> list[dict[str, Any]]:
    """What the owner has to be told of now: kind, subject, words, began_at."""
    with reading(engine) as conn:
        return episodes.lasting(conn)


def as_json(each: Watched) -> dict[str, Any]:
    """A keep of the watch list as plain values; amounts as decimal strings."""
    return {
        "keep": each.keep.keep,
        "deposit": each.keep.deposit,
        "lot_btc": decimal_text(each.keep.lot, 8),
        "state": each.now.state.name.lower(),
        "percent": each.now.percent,
        "threshold": each.threshold,
        "courtesy_threshold": each.now.thresholds.courtesy,
        "severe_threshold": each.now.thresholds.severe,
        "token_holder": each.now.holder.value,
        "bond_eth": decimal_text(each.keep.bond, ETH.decimals),
        "own_members": each.own,
        "members": list(each.keep.members),
        "at_risk_eth": decimal_text(each.value, ETH.decimals),
        "wish": each.wish.act.value,
        "why": each.wish.why,
        "open_to_anybody": [call.value for call in each.open_calls],
        "block": each.keep.seen_block,
    }


def acted_json(each: Acted) -> dict[str, Any]:
    """A line of the audit log as plain values."""
    return {
        "at": each.at.isoformat(),
        "deposit": each.deposit,
        "action": each.action.value,
        "words": each.words,
        "batch": each.batch_id,
        "transaction": each.tx_id,
        "tbtc": decimal_text(each.tbtc, TBTC.decimals),
        "eth": decimal_text(each.ether, ETH.decimals),
        "block": each.block,
    }


def redemption_json(each: Redemption) -> dict[str, Any]:
    """A redemption as plain values."""
    return {
        "deposit": each.deposit,
        "keep": each.keep,
        "state": each.state.value,
        "route": each.route,
        "reason": each.reason,
        "tbtc_at_most": decimal_text(each.cost, TBTC.decimals),
        "tbtc_taken": None if each.taken is None else decimal_text(each.taken, TBTC.decimals),
        "saved_eth": decimal_text(each.value, ETH.decimals),
        "coin_btc": decimal_text(each.coin, 8),
        "bitcoin_fee_btc": decimal_text(each.fee * (1 + each.increases), 8),
        "transaction": each.tx_id,
        "bitcoin_transaction": each.bitcoin_tx,
        "confirmations": each.confirmations,
        "words": each.words,
        "batch": each.batch_id,
        "at": each.created_at.isoformat(),
    }


def in_btc(satoshi: int) -> str:
    """A lot as people write it: 0.01, 1, 10."""
    whole, places = divmod(satoshi, SATOSHI)
    return f"{whole}.{places:08d}".rstrip("0").rstrip(".")


def in_eth(wei: int) -> str:
    """Ether to four places, for a table."""
    return f"{wei // 10**14 / 10**4:,.4f}"


def in_tbtc(wei: int) -> Amount:
    """TBTC, exactly."""
    return Amount(wei, TBTC)
