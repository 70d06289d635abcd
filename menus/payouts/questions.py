"""What is asked before a payout is drafted: everything the first time, afterwards only how much is shared out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from menus.frame import pick
from menus.frame.ui import Back, Ui
from menus.payouts import pool as pools
from valtrac.core.addresses import shortened
from valtrac.core.money import rao
from valtrac.people.model.policies import By
from valtrac.snapshots.model.stakes import Method

if TYPE_CHECKING:
    from valtrac.payouts.drafts import Request
    from valtrac.payouts.model.batches import PayoutBatch
    from valtrac.wiring.payouts import App

METHODS: dict[Method, str] = {
    "mean-share": "mean share: all snapshots weigh the same",
    "stake-time": "stake-time: stake by the blocks it was there",
    "accrual": "accrual: by how the owner's stake grew",
}
SUBNET, METHOD = "payout.subnet", "payout.method"


@dataclass(frozen=True, slots=True)
class Terms:
    """What is paid for, and how stake counts. netuid None: all subnets."""

    hotkey: str
    netuid: int | None
    method: Method


@dataclass(frozen=True, slots=True)
class Reached:
    """How far a record goes, and up to which block it is paid; None: nothing is, or nothing is recorded."""

    recorded: int | None
    paid: int | None

    @property
    def nothing_new(self) -> bool:
        """Whether everything that is recorded is paid."""
        return self.recorded is not None and self.paid is not None and self.recorded <= self.paid


def asked(app: App, ui: Ui, by: By) -> Request | PayoutBatch | None:
    """What is to be drafted, or a draft that waits already; None where there is nothing to pay by."""
    hotkey = pick.hotkey(app, ui)
    netuids = _netuids(app, hotkey)
    if not netuids:
        ui.say(
            "There are no snapshots yet. Start the record under Begin logging, take one under Network and wallet, "
            "or: run.py snapshot import FILE"
        )
        return None
    terms = _as_last_time(ui, hotkey, netuids)
    anew = terms is None
    terms = terms or _terms(ui, hotkey, netuids)
    waiting = _draft_that_waits(app, ui, terms, by)
    if waiting is not None:
        return waiting
    older = False
    if reached(app, terms.hotkey, terms.netuid).nothing_new:
        ui.say(next_one(app, terms.hotkey, terms.netuid))
        older = ui.confirm("Pay for older blocks all the same?")
        if not older:
            return None
    if not anew:
        ui.say(_in_words(app, terms))
    pool = pools.asked(app, ui, terms.hotkey, terms.netuid, other=not anew)
    if pool is None:
        anew, terms = True, _terms(ui, hotkey, netuids)
        pool = pools.asked(app, ui, terms.hotkey, terms.netuid)
    first, last = _range(app, ui, terms, anew=anew, older=older)
    return _request(app, terms, by, pool or 0, first, last)


def reached(app: App, hotkey: str, netuid: int | None) -> Reached:
    """How far the record of a hotkey goes, and up to where it is paid."""
    from valtrac.database.engine import reading
    from valtrac.payouts import ranges
    from valtrac.snapshots.store import snapshots

    with reading(app.engine) as conn:
        return Reached(snapshots.last_block(conn, hotkey, netuid), ranges.paid_up_to(conn, hotkey, netuid))


def next_one(app: App, hotkey: str, netuid: int | None) -> str:
    """When the next payout makes sense."""
    there = reached(app, hotkey, netuid)
    due = (there.recorded or 0) + app.settings.snapshot_interval
    if there.nothing_new:
        return (
            f"Everything recorded up to block {there.recorded} is paid or approved. The next payout makes sense after "
            f"the next snapshot, about block {due}; see that the logger runs, under Background loggers."
        )
    return f"Blocks after {there.paid} are recorded and not paid yet: the next payout is for them."


def _netuids(app: App, hotkey: str) -> list[int]:
    from valtrac.database.engine import reading
    from valtrac.snapshots.store import snapshots

    with reading(app.engine) as conn:
        return [netuid for known, netuid in snapshots.hotkeys(conn) if known == hotkey]


def _as_last_time(ui: Ui, hotkey: str, netuids: list[int]) -> Terms | None:
    """The terms of the last payout, where they can hold again; None: they are asked for."""
    method = next((method for method in METHODS if method == ui.remembered.last(METHOD)), None)
    known = [pick.ALL_SUBNETS, *map(str, netuids)]
    subnet = ui.remembered.last(SUBNET) if len(netuids) > 1 else str(netuids[0])
    if method is None or subnet not in known:
        return None
    return Terms(hotkey, None if subnet == pick.ALL_SUBNETS else int(subnet), method)


def _terms(ui: Ui, hotkey: str, netuids: list[int]) -> Terms:
    netuid = pick.subnet(ui, "Whose stake counts?", netuids, remember=SUBNET)
    method = ui.choose("How does stake become a share?", list(METHODS), label=lambda key: METHODS[key], remember=METHOD)
    if method is None:
        raise Back
    return Terms(hotkey, netuid, method)


def _in_words(app: App, terms: Terms) -> str:
    paid = reached(app, terms.hotkey, terms.netuid).paid
    since = "everything recorded" if paid is None else f"everything since block {paid}, the last payout's end"
    subnet = pick.subnet_words(pick.ALL_SUBNETS if terms.netuid is None else str(terms.netuid))
    return f"As last time: {shortened(terms.hotkey)}, {subnet}, {METHODS[terms.method].partition(':')[0]}; {since}."


def _draft_that_waits(app: App, ui: Ui, terms: Terms, by: By) -> PayoutBatch | None:
    """A draft of the same, if the owner goes on with it: two cannot both be approved. One whose blocks are paid by now
    waits for nothing."""
    from valtrac.database.engine import reading
    from valtrac.payments.model.states import BatchState
    from valtrac.payouts.store import batches

    paid = reached(app, terms.hotkey, terms.netuid).paid
    with reading(app.engine) as conn:
        drafts = [
            batch
            for batch in batches.listed(conn, (BatchState.DRAFT,))
            if (batch.hotkey, batch.rules.netuid, batch.rules.by) == (terms.hotkey, terms.netuid, by)
            and (paid is None or batch.rules.to_block > paid)
        ]
    if not drafts:
        return None
    draft = drafts[0]
    ui.say(
        f"Draft #{draft.id} of {rao(draft.total)} for blocks {draft.rules.from_block} to {draft.rules.to_block} waits "
        "already. Of two drafts for the same blocks only one can be approved."
    )
    go_on, new = f"Go on with draft #{draft.id}", "Make another one"
    chosen = ui.choose("Which one?", [go_on, new])
    if chosen is None:
        raise Back
    return draft if chosen == go_on else None


def _range(app: App, ui: Ui, terms: Terms, *, anew: bool, older: bool) -> tuple[int | None, int | None]:
    """The blocks; (None, None): everything since the last payout."""
    from valtrac.database.engine import reading
    from valtrac.snapshots.store import snapshots

    if not older and (not anew or ui.confirm("Pay for everything since the last payout?", enter_means=True)):
        return None, None
    with reading(app.engine) as conn:
        oldest = snapshots.first_block(conn, terms.hotkey, terms.netuid)
        newest = snapshots.last_block(conn, terms.hotkey, terms.netuid)
    first = pick.block(ui, "From block:", oldest or 0)
    return first, pick.block(ui, "To block:", newest or 0, most=newest)


def _request(app: App, terms: Terms, by: By, pool: int, first: int | None, last: int | None) -> Request:
    from valtrac.payouts import drafts

    settings = app.settings
    return drafts.Request(
        hotkey=terms.hotkey,
        pool=pool,
        wallet=app.wallet_address,
        by=by,
        method=terms.method,
        netuid=terms.netuid,
        from_block=first,
        to_block=last,
        fee_policy=settings.fee_policy,
        minimum=settings.minimum,
        fee_per_payee=settings.fee_per_payee,
        chunk_size=settings.chunk_size,
        interval=settings.snapshot_interval,
        take_back_bps=settings.take_back,
    )
