"""Stake contracts on BitShares: nodes, the custodian's account and wallet, caps, and what is open."""

from __future__ import annotations

from valtrac.core.checks import Check, bad, good
from valtrac.core.errors import ValtracError
from valtrac.doctor import holding, nodes
from valtrac.doctor.patient import Patient

ORDER = 40
NAME = "contracts"
LATE_AFTER_S = 180.0


def examine(patient: Patient) -> list[Check]:
    """None where contracts were never begun here."""
    settings = patient.settings
    if not patient.condition(settings.bitshares_database).exists:
        return []
    from valtrac.contracts.producer import WORDS
    from valtrac.payments.store.counts import open_transactions
    from valtrac.wiring.contracts import DEVNET, MAKES_WALLET, ContractsApp

    rehearsing = settings.bitshares_network == DEVNET
    limits = {
        "VALTRAC_CONTRACTS_CAP_PAYMENT": settings.contracts_cap_payment,
        "VALTRAC_CONTRACTS_CAP_DAY": settings.contracts_cap_day,
    }
    file = None if rehearsing else holding.look(settings.bitshares_wallet)
    checks = [
        holding.caps(NAME, limits, rehearsing=rehearsing),
        *holding.wallet(NAME, file, f"make it: {MAKES_WALLET}"),
        holding.unreconciled(NAME, open_transactions(settings.bitshares_database), WORDS.reconcile),
    ]
    if not patient.usable(settings.bitshares_database):
        return checks
    app = ContractsApp(settings)
    try:
        seen = nodes.look(
            lambda: app.chain, lambda: app.witnesses, patient.now, own_time=rehearsing, late_after_s=LATE_AFTER_S
        )
        checks += nodes.judged(NAME, seen, "VALTRAC_BITSHARES_NODES", "VALTRAC_BITSHARES_SECOND_NODE")
        checks += [] if seen.first.error else [account(_problem(app))]
    finally:
        app.close()
    return checks


def account(problem: str) -> Check:
    """problem: why the chain does not know the custodian's account, or ""."""
    if problem:
        fix = "compare VALTRAC_BITSHARES_CUSTODIAN with the name of your account"
        return bad(f"{NAME}.account", f"{problem}.", fix)
    return good(f"{NAME}.account", "The chain knows the custodian's account.")


def _problem(app: object) -> str:
    try:
        app.account  # type: ignore[attr-defined]  # noqa: B018
    except ValtracError as error:
        return str(error)
    return ""
