"""Other words by which people know what stands in these menus; the palette finds it by them too."""

from __future__ import annotations

ALSO = {
    "Network and wallet": "node endpoint chain settings devnet",
    "Begin the rehearsal chain": "seed devnet demo try",
    "Let an hour pass on it (300 blocks)": "advance blocks time hour",
    "Take a snapshot now": "snapshot stakes record",
}
