"""Where every unit of a pool goes, each part explained where it stands, and what became of the network's fee."""

from __future__ import annotations

from collections.abc import Sequence

from menus.frame.layout import count
from menus.frame.ui import Ui
from valtrac.core.money import decimal_text, rao
from valtrac.payments.model.batches import Attempt, BatchLine
from valtrac.payments.model.states import BatchState, LineState
from valtrac.payouts.model.batches import PayoutBatch
from valtrac.payouts.model.fees import Fees, fees_of

NOBODYS = "for stake at addresses of no user; it stays in the payout wallet. Add them under Add users"


def show(ui: Ui, shown: PayoutBatch, lines: Sequence[BatchLine], tried: Sequence[Attempt]) -> None:
    """The parts of the pool, what is paid beside it, and the fee to the last unit."""
    void, fees = shown.state == BatchState.VOID, fees_of(shown, lines, tried)
    live = [line for line in lines if void or line.state != LineState.VOID]
    aside = [line for line in lines if not void and line.state == LineState.VOID]
    parts = [
        ("to payees", sum(line.from_pool for line in live), ""),
        ("set aside", sum(line.from_pool for line in aside), "back on the balances, owed"),
        ("held", sum(kept.amount for kept in shown.payout.held), "on the balances, owed and paid later"),
        ("excluded", sum(kept.amount for kept in shown.payout.excluded), "withheld by a policy"),
        ("nobody's", shown.unassigned, NOBODYS),
        ("network fee", shown.payout.fee_from_pool, _of_fee(fees)),
    ]
    if shown.pool:
        ui.table(
            "Where the pool goes",
            ["part", "amount (TAO)", "note"],
            [[name, decimal_text(units), note] for name, units, note in parts if units],
            footer=["pool", decimal_text(shown.pool), ""],
        )
    released = sum(line.released for line in lines if line.released > 0)
    back = -sum(line.released for line in lines if line.released < 0)
    ui.hint(
        _fee(shown, fees)
        + (f" {rao(released)} held before are released on top." if released else "")
        + (f" {rao(back)} that were overpaid before are taken back." if back else "")
    )


def _of_fee(fees: Fees) -> str:
    """What the part of the pool for the fee is."""
    return "kept for the network" if fees.taken in (None, fees.kept) else "kept for the network, which took another sum"


def _fee(shown: PayoutBatch, fees: Fees) -> str:
    """The fee in words: before it is known as an estimate, afterwards to the unit, with whose the difference is."""
    if not fees.transactions:
        return f"Network fee {rao(shown.fee)}, borne by the {shown.fee_policy}."
    if fees.taken is None:
        return f"{rao(fees.kept)} were kept for the network's fee; the chain did not say what it took."
    took = f"The network took {rao(fees.taken)} for {count(fees.transactions, 'transaction')}"
    if fees.owner is None:
        return f"{took} so far; {rao(fees.kept)} are kept for it."
    if not fees.owner:
        return f"{took}, just what was kept for it."
    if not fees.kept:
        return f"{took}, which the owner bears."
    if fees.owner > 0:
        return f"{took}: {rao(fees.kept)} were kept for it, {rao(fees.owner)} more the owner bears."
    return f"{took}: {rao(fees.kept)} were kept for it, {rao(-fees.owner)} are left over and the owner's."
