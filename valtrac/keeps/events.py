"""What the watch over keeps has to tell: what was done, what became of redemptions, and states that last."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

import sqlalchemy as sa

from valtrac.core.events import Event, EventKind, Severity, Status
from valtrac.core.money import ETH, TBTC, Amount
from valtrac.core.text import plain
from valtrac.database.engine import reading
from valtrac.keeps import told
from valtrac.keeps.model.progress import Action, RedemptionState
from valtrac.keeps.model.states import DepositState
from valtrac.keeps.store import episodes, redemptions
from valtrac.keeps.store import keeps as store

WARNING, CRITICAL = Severity.WARNING, Severity.CRITICAL
A_QUARTER, AN_HOUR, A_DAY = timedelta(minutes=15), timedelta(hours=1), timedelta(days=1)
REDEEMED, ASKED, LOST, FAILED, LEFT, SAVED = FACTS = (
    EventKind("keeps.redeemed", "A deposit was redeemed"),
    EventKind("keeps.asked", "A redemption was asked for"),
    EventKind("keeps.lost", "A deposit was lost to liquidation", CRITICAL),
    EventKind("keeps.redemption-failed", "A redemption failed", WARNING),
    EventKind("keeps.left", "A deposit could not be redeemed", CRITICAL),
    EventKind("keeps.saved", "A deposit was saved by somebody else"),
)
STATES = {
    told.CALLED: EventKind("keeps.courtesy-call", "Courtesy call", CRITICAL, "No courtesy call any more", AN_HOUR),
    told.DANGER: EventKind("keeps.danger", "Open to a courtesy call", CRITICAL, "Collateral is back", AN_HOUR),
    told.LOW: EventKind("keeps.low", "Below its threshold", WARNING, "Above its threshold again", A_DAY),
    told.LIQUIDATION: EventKind("keeps.liquidation", "In liquidation", CRITICAL, "The liquidation is over", A_DAY),
    told.LATE: EventKind("keeps.late", "A redemption is late", CRITICAL, "The redemption goes on", A_QUARTER),
    told.NO_TBTC: EventKind("keeps.out-of-tbtc", "Out of TBTC", CRITICAL, "There is TBTC again", AN_HOUR),
    told.NO_ETHER: EventKind("keeps.out-of-ether", "Out of ether", CRITICAL, "There is ether again", AN_HOUR),
    told.PROVIDERS: EventKind("keeps.providers", "Providers tell nothing", CRITICAL, "Providers tell again", A_QUARTER),
    told.WAITS: EventKind("keeps.waits", "Keeps wait, and nothing is sent", CRITICAL, "It is sent", A_QUARTER),
    told.PRICE: EventKind("keeps.price", "The price is unknown", CRITICAL, "The price is known again", AN_HOUR),
}
KINDS = (*FACTS, *STATES.values())
FIXES = {
    told.NO_TBTC: "send TBTC to the wallet: run.py keeps wallet show",
    told.NO_ETHER: "send ether to the wallet: run.py keeps wallet show",
    told.PROVIDERS: "name other providers in VALTRAC_KEEPS_NODES",
    told.WAITS: "run.py keeps now; a wallet that is locked: run.py keeps unlock",
    told.LATE: "run.py keeps redemptions",
}
OF_STATES = {
    RedemptionState.REDEEMED: REDEEMED,
    RedemptionState.LOST: LOST,
    RedemptionState.FAILED: FAILED,
    RedemptionState.REQUESTED: ASKED,
}


@dataclass(frozen=True, slots=True)
class KeepsEvents:
    """The events of one watch in its database."""

    engine: sa.Engine

    name = "keeps"
    kinds = KINDS

    def facts(self, since: datetime) -> Iterable[Event]:
        """What became of redemptions, and what could not be redeemed."""
        with reading(self.engine) as conn:
            changed = [each for each in redemptions.listed(conn) if each.changed_at >= since]
            acted = redemptions.actions(conn, since=since, most=500)
        for each in changed:
            kind = SAVED if each.saved_by_another else OF_STATES.get(each.state)
            if kind is None:
                continue
            saved, cost = Amount(each.value, ETH), Amount(each.cost if each.taken is None else each.taken, TBTC)
            words = f"Deposit {each.deposit}: {plain(each.words, 200)}. {cost} for {saved} of bond."
            ids = tuple(tx for tx in (each.tx_id, each.bitcoin_tx) if tx)
            short = f"{kind.title} {each.deposit[:10]}"
            fix = f"run.py keeps show {each.deposit}"
            yield Event(f"{kind.name}:{each.id}", kind.name, each.changed_at, words, short, fix, (cost, saved), ids)
        for action in acted:
            if action.action is Action.LEFT:
                words = f"Deposit {action.deposit}: {plain(action.words, 300)}."
                fix = f"run.py keeps show {action.deposit}"
                yield Event(f"{LEFT.name}:{action.id}", LEFT.name, action.at, words, action.words[:100], fix)

    def states(self, now: datetime) -> Iterable[Event]:
        """The states that last."""
        with reading(self.engine) as conn:
            lasting = episodes.lasting(conn)
        for each in lasting:
            kind = STATES.get(each["kind"])
            if kind is None:
                continue
            words, key = plain(each["words"], 300), f"{kind.name}:{each['subject']}"
            fix = FIXES.get(each["kind"], f"run.py keeps show {each['subject']}" if each["subject"] else "")
            yield Event(key, kind.name, each["began_at"], f"{words}.", words[:100], fix)

    def status(self, now: datetime) -> Status | None:
        """How many keeps are in what."""
        with reading(self.engine) as conn:
            known = [keep for keep in store.listed(conn) if keep.state is not None]
            still_open = len(redemptions.listed(conn, still_open=True))
        if not known:
            return None
        active = [keep.percent for keep in known if keep.state is DepositState.ACTIVE and keep.percent is not None]
        called = sum(keep.state is DepositState.COURTESY_CALL for keep in known)
        lowest = f"lowest {min(active)} %" if active else "none active"
        words = (
            f"{len(known)} keeps known and not over, {lowest}, {called} in courtesy call, {still_open} being redeemed."
        )
        return Status(words, f"keeps {lowest} call {called} red {still_open}")
