"""The caps of the payer of contracts, and values that fit what is owed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import sqlalchemy as sa

from valtrac.contracts.model.contracts import WHOLE, Due
from valtrac.contracts.model.states import DueState
from valtrac.contracts.settings import ContractSettings
from valtrac.contracts.store import contracts
from valtrac.core.home import DEVNET
from valtrac.database.engine import reading
from valtrac.payments import endless_caps

DAY = timedelta(hours=24)
EACH, DAILY = "VALTRAC_CONTRACTS_CAP_PAYMENT", "VALTRAC_CONTRACTS_CAP_DAY"


def refuse_without_end(engine: sa.Engine, settings: ContractSettings) -> None:
    """Raise Refused, with caps that fit the contracts that exist, while one of the two has no end.

    A rehearsal pays with nothing and needs none.
    """
    if settings.bitshares_network == DEVNET:
        return
    caps = {EACH: settings.contracts_cap_payment, DAILY: settings.contracts_cap_day}

    def fitting() -> dict[str, int]:
        with reading(engine) as conn:
            owed = contracts.in_states(conn, DueState.PENDING, DueState.PROCESSING)
        return dict(zip((EACH, DAILY), suggested(owed), strict=True))

    endless_caps.refuse_without_end(caps, fitting, wallet="account")


def suggested(owed: Sequence[Due]) -> tuple[int, int]:
    """(cap per payment, cap per day) in whole BTS that let through what is owed, each with a fifth to spare.

    owed: all that is to be paid some time. Without any: 1,000,000 each, a large contract.
    """
    if not owed:
        return 1_000_000, 1_000_000
    within = [(due.due_at, due.units) for due in sorted(owed, key=lambda due: due.due_at)]
    most, left, total = 0, 0, 0
    for due_at, units in within:
        total += units
        while within[left][0] <= due_at - DAY:
            total -= within[left][1]
            left += 1
        most = max(most, total)
    return _with_room(max(due.units for due in owed)), _with_room(most)


def _with_room(units: int) -> int:
    return -(-units * 6 // (5 * WHOLE))
