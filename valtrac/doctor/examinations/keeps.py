"""Keeps of tBTC: providers, the wallet that redeems, caps, and what is open."""

from __future__ import annotations

from typing import TYPE_CHECKING

from valtrac.core.checks import Check
from valtrac.doctor import holding, nodes
from valtrac.doctor.patient import Patient

if TYPE_CHECKING:
    from valtrac.wiring.keeps import KeepsApp

ORDER = 60
NAME = "keeps"
LATE_AFTER_S = 900.0


def examine(patient: Patient) -> list[Check]:
    """None where keeps were never watched here."""
    settings = patient.settings
    if not patient.condition(settings.keeps_database).exists:
        return []
    from valtrac.keeps.caps import DAILY, EACH
    from valtrac.keeps.producer import WORDS
    from valtrac.keeps.settings import NO_END
    from valtrac.payments.store.counts import open_transactions
    from valtrac.wiring.keeps import KeepsApp

    rehearsing, app = settings.rehearsing_keeps, KeepsApp(settings)
    limits = {EACH: settings.keeps_cap_payment, DAILY: settings.keeps_cap_day}
    try:
        seen = nodes.look(
            lambda: app.groups[0].chain,
            lambda: [group.chain for group in app.groups[1:]],
            patient.now,
            own_time=rehearsing,
            late_after_s=LATE_AFTER_S,
        )
        file = _file(app)
    finally:
        app.close()
    return [
        holding.caps(NAME, limits, rehearsing=rehearsing, endless=NO_END),
        *(
            []
            if file is None and not rehearsing
            else holding.wallet(NAME, file, "make one: run.py keeps wallet make FILE")
        ),
        holding.unreconciled(NAME, open_transactions(settings.keeps_database), WORDS.reconcile),
        *nodes.judged(NAME, seen, "VALTRAC_KEEPS_NODES", "VALTRAC_KEEPS_NODES"),
    ]


def _file(app: KeepsApp) -> holding.WalletFile | None:
    if app.settings.rehearsing_keeps or app.wallet_file is None:
        return None
    return holding.look(app.wallet_file)
