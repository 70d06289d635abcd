"""The caps of the wallet that redeems, and values that fit the keeps that there are."""

from __future__ import annotations

from valtrac.keeps.settings import NO_END, KeepsSettings
from valtrac.payments import endless_caps

EACH, DAILY = "VALTRAC_KEEPS_CAP_PAYMENT", "VALTRAC_KEEPS_CAP_DAY"
LARGEST_LOT, A_DAY = 11, 110  # TBTC: the largest lot of tBTC v1 with its fee, and ten of them


def refuse_without_end(settings: KeepsSettings) -> None:
    """Raise Refused, with caps that fit the lots of tBTC, while one of the two has no end. A rehearsal needs none."""
    if settings.rehearsing_keeps:
        return
    caps = {EACH: settings.keeps_cap_payment, DAILY: settings.keeps_cap_day}
    endless_caps.refuse_without_end(caps, lambda: {EACH: LARGEST_LOT, DAILY: A_DAY}, wallet="wallet", endless=NO_END)
