"""Checks of providers, servers and wallet on the screen; what was sent, looked up once more."""

from __future__ import annotations

from menus.frame.layout import count
from menus.frame.ui import Ui
from menus.keeps.acts import unlock_here
from valtrac.core.text import plain
from valtrac.keeps import checking
from valtrac.keeps.checking import Grade
from valtrac.wiring.keeps import KeepsApp

MARKS = {Grade.GOOD: "✓", Grade.WARNING: "!", Grade.BAD: "✗"}
STYLES = {Grade.GOOD: "", Grade.WARNING: "yellow", Grade.BAD: "bold red"}


def show_checks(ui: Ui, own: KeepsApp) -> bool:
    """Every check, a line each; whether none is bad."""
    file = own.wallet_file
    with ui.working("Asking providers and servers"):
        known = bool(own.wallet)
        found = checking.checks(own.watching, wallet_file=plain(file, 200) if file else "", wallet_known=known)
    good = all(each.grade is not Grade.BAD for each in found)
    if ui.as_json:
        ui.records(
            [{"check": each.name, "grade": each.grade.value, "words": each.words, "fix": each.fix} for each in found]
        )
        return good
    ui.table(
        "Is everything in its place?",
        ["", "what", "words", "note"],
        [[MARKS[each.grade], each.name, plain(each.words, 300), plain(each.fix, 200)] for each in found],
        styles=[STYLES[each.grade] for each in found],
    )
    return good


def show_verified(ui: Ui, own: KeepsApp, *, password: str | None, hand_over: bool) -> bool:
    """Whether every transaction that landed is where the ledger has it. hand_over: give the bytes of one that is gone
    to the node again."""
    if hand_over:
        unlock_here(ui, own, password=password)
    with ui.working("Looking up what was sent"):
        done = checking.looked_up(own.watching, own.payer_or_none)
    if ui.as_json:
        ui.records(
            {
                "looked_up": done.looked_up,
                "gone": [{"transaction": each.attempt.tx_id, "words": each.words} for each in done.gone],
                "moved": [{"transaction": each.attempt.tx_id, "block": each.head.number} for each in done.moved],
            }
        )
        return not done.gone
    for gone in done.gone:
        ui.warn(f"{gone.attempt.tx_id}: {plain(gone.words, 300)}")
    for moved in done.moved:
        ui.say(f"{moved.attempt.tx_id} stands in block {moved.head.number:,} now.")
    if not done.gone:
        ui.done(f"{count(done.looked_up, 'transaction')} looked up: each is where the ledger has it.")
    return not done.gone


def rule_foreign(ui: Ui, own: KeepsApp, words: str) -> None:
    """Book the owner's word on a transaction that the journal does not know."""
    ruled = checking.rule_foreign(own.watching, words)
    ui.done(f"Number {ruled.used.nonce}, used in block {ruled.used.head.number:,}, counts as yours for other things.")
