"""Other words by which people know what stands in this menu; the palette finds it by them too."""

from __future__ import annotations

ALSO = {
    "Backups": "copy save dump safety",
    "Make a backup now": "copy save dump export",
    "Read the newest back and audit it": "verify test check backup",
    "Restore one, in the place of what is here": "bring back recover rollback",
    "Compare what was restored with the chain": "reconcile after restore pay again",
    "Count payouts that it has lost as paid": "adopt take over missing batch lost payout",
    "Make keys for sealed backups": "encrypt encryption public secret key",
}
