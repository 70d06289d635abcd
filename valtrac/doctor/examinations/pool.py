"""A Qtum pool: nodes, wallet and what it stakes, caps, and what is open."""

from __future__ import annotations

from valtrac.core.checks import Check
from valtrac.doctor import holding, nodes
from valtrac.doctor.patient import Patient

ORDER = 50
NAME = "pool"
LATE_AFTER_S = 7200.0  # a final block is ten blocks of two minutes back


def examine(patient: Patient) -> list[Check]:
    """None where no pool was begun here."""
    settings = patient.settings
    if not patient.condition(settings.qtum_database).exists:
        return []
    from valtrac.payments.store.counts import open_transactions
    from valtrac.pool.producer import WORDS
    from valtrac.wiring.pool import PoolApp

    limits = {"VALTRAC_POOL_CAP_PAYMENT": settings.pool_cap_payment, "VALTRAC_POOL_CAP_DAY": settings.pool_cap_day}
    app = PoolApp(settings)
    try:
        seen = nodes.look(
            lambda: app.chain,
            lambda: app.witnesses,
            patient.now,
            own_time=settings.rehearsing_pool,
            late_after_s=LATE_AFTER_S,
        )
    finally:
        app.close()
    return [
        holding.caps(NAME, limits, rehearsing=settings.rehearsing_pool),
        holding.unreconciled(NAME, open_transactions(settings.qtum_database), WORDS.reconcile),
        *nodes.judged(NAME, seen, "VALTRAC_QTUM_NODE", "VALTRAC_QTUM_SECOND_NODE"),
    ]
