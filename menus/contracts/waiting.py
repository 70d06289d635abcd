"""What waits for the owner's word: memos that nobody could read, and money that left without being in the journal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from menus.frame.ui import Ui
from valtrac.contracts.model.states import TransferState

if TYPE_CHECKING:
    from valtrac.contracts.store.transfers import RecordedTransfer
    from valtrac.wiring.contracts import ContractsApp


def decide(own: ContractsApp, ui: Ui) -> None:
    """Show what waits, and have the owner decide on one of it."""
    from menus import same
    from menus.contracts.acts import show_waiting
    from valtrac.contracts.store import transfers
    from valtrac.database.engine import reading

    show_waiting(ui, own)
    with reading(own.engine) as conn:
        waiting = transfers.listed(conn, TransferState.WAITING, TransferState.PARKED, TransferState.UNRULED)
    if not waiting:
        same.tell(ui, "contracts waiting")
        return
    transfer = ui.choose("Which one?", waiting, label=lambda it: f"#{it.id}  {it.name}  {it.key}  {it.state}")
    if transfer is None:
        return
    dealt = _rule(own, ui, transfer) if transfer.state == TransferState.UNRULED else _read(own, ui, transfer)
    ui.done(dealt) if dealt else ui.hint("Nothing was changed.")


def _rule(own: ContractsApp, ui: Ui, transfer: RecordedTransfer) -> str:
    """Have the owner say what left the account; what was done, "" for nothing."""
    from menus import same
    from menus.contracts.views import named
    from valtrac.contracts import rulings

    may_be = {f"It was {named(due)}": due for due in rulings.matching(own.engine, transfer)}
    answer = ui.choose("What was it?", [*may_be, "It is none of our payments"])
    if answer is None:
        return ""
    chosen = may_be.get(answer)
    if chosen is None:
        words = ui.text("What was it, in your words? (empty to go back)")
        if not words:
            return ""
        rulings.rule(own.custodian, transfer.id, words=words)
        same.tell(ui, "contracts rule", number=transfer.id, words=words)
        return f"Transfer #{transfer.id} is none of ours."
    if not ui.confirm(f"Book it as {named(chosen)}? It is not paid again then."):
        return ""
    rulings.rule(own.custodian, transfer.id, pays=chosen.id)
    same.tell(ui, "contracts rule", number=transfer.id, pays=chosen.id)
    return f"Transfer #{transfer.id} was {named(chosen)}."


def _read(own: ContractsApp, ui: Ui, transfer: RecordedTransfer) -> str:
    """Have the owner say what came in; what was done, "" for nothing."""
    from menus import same
    from valtrac.contracts import rulings

    tell, back, keep = "I know what its memo was", "Send all of it back", "Keep it"
    chosen = ui.choose("What with it?", [tell, back, keep])
    if chosen == tell:
        memo = ui.text("The memo, as its sender told you (empty to go back):")
        if not memo:
            return ""
        kind = rulings.read_by_hand(own.custodian, transfer.id, rulings.Word(memo=memo))
        same.tell(ui, "contracts read", number=transfer.id, memo=memo)
        return f"Transfer #{transfer.id} was taken for: {kind}."
    if chosen == back and ui.confirm(f"Send it back to {transfer.name}?"):
        rulings.read_by_hand(own.custodian, transfer.id, rulings.Word(refund=True))
        same.tell(ui, "contracts read", number=transfer.id, refund=True)
        return f"Transfer #{transfer.id} goes back to {transfer.name} with the next payments."
    if chosen == keep and (why := ui.text("Why is it kept? (empty to go back)")):
        rulings.read_by_hand(own.custodian, transfer.id, rulings.Word(keep=why))
        same.tell(ui, "contracts read", number=transfer.id, keep=why)
        return f"Transfer #{transfer.id} is kept."
    return ""
