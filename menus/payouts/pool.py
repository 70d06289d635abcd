"""The question of how much is shared out: what there is stands above it, and far more than that is asked about."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from menus.frame.ui import Back, Ui
from valtrac.core.errors import ValtracError
from valtrac.core.money import decimal_text, parse_units, rao

if TYPE_CHECKING:
    from valtrac.wiring.payouts import App

OTHER = "other"
FAR = 2  # times what there is: more than that is a slip of a digit, or money that comes from elsewhere


@dataclass(frozen=True, slots=True)
class Means:
    """What there is to share, in rao. holds: in the payout wallet; take: what came in of it since the block `since`,
    about, as the record of stakes tells it. None: not known."""

    holds: int | None
    take: int | None
    since: int | None

    @property
    def most(self) -> int | None:
        """The larger of the two; None where nobody knows what the wallet holds: then nothing is far above it."""
        return None if self.holds is None else max(self.holds, self.take or 0)


def means(app: App, hotkey: str, netuid: int | None) -> Means:
    """What there is; a node that is away or a record that tells no take leaves a part of it unknown."""
    from valtrac.database.engine import reading
    from valtrac.payouts import ranges
    from valtrac.reports import statistics
    from valtrac.reports.model import measures
    from valtrac.reports.model.ranges import Bound

    holds = take = None
    with suppress(ValtracError):
        holds = app.chain.balance(app.wallet_address, app.chain.finalized())
    with reading(app.engine) as conn:
        since = ranges.paid_up_to(conn, hotkey, netuid)
    with suppress(ValtracError):
        chosen = statistics.Range(hotkey, netuid, Bound(block=since))
        income = measures.take_income(statistics.record(app.engine, app.settings, chosen))
        take = None if income is None else round(float(income[-1]) * 10**9)
    return Means(holds, take, since)


def asked(app: App, ui: Ui, hotkey: str, netuid: int | None, *, other: bool = False) -> int | None:
    """How much is shared out, in rao. other: the terms may be chosen anew instead; None then. Raises Back."""
    with ui.working("Looking what there is"):
        there = means(app, hotkey, netuid)
    if there.holds is not None:
        ui.say(f"The payout wallet holds {rao(there.holds)}.")
    if there.take:
        since = (
            "in the record of stakes" if there.since is None else f"since block {there.since}, the last payout's end"
        )
        ui.say(f"About {rao(there.take)} of take came in {since}.")
    usual = decimal_text(there.take) if there.take else ""
    hint = (f"Enter: {usual}" if usual else "empty to go back") + (f"; {OTHER}: other terms" if other else "")

    def check(text: str) -> object:
        return None if other and text.strip().lower() == OTHER else _amount(text)

    while True:
        typed = ui.text(f"How much is shared out, in TAO ({hint})?", check=check) or usual
        if not typed:
            raise Back
        if other and typed.lower() == OTHER:
            return None
        pool = _amount(typed)
        if there.most is None or pool <= FAR * there.most:
            return pool
        if ui.confirm(f"{rao(pool)} is far above what there is ({rao(there.most)}). Share it out all the same?"):
            return pool


def _amount(text: str) -> int:
    return parse_units(text, field="pool")
