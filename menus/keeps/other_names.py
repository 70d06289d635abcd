"""Other words by which people know what stands in these menus; the palette finds it by them too."""

from __future__ import annotations

ALSO = {
    "tBTC keeps": "tbtc ethereum collateral keep-collateral bonds",
    "The watch list now": "list keeps now status",
    "Watch them live": "live console watch keeps",
    "Everything of one keep": "show keep one",
    "Redemptions and how far they are": "redemptions progress",
    "The audit log": "log keeps trail",
    "What the wallet holds": "ether tbtc balance holdings",
    "What a price would bring": "price whatif eth",
    "Chart: collateral over time": "chart collateral graph",
    "One pass: look, and redeem what has to be": "pass once watch round",
    "Redeem one by hand": "redeem manual save",
    "Start the background job": "start keeps",
    "Stop the background job": "stop keeps",
    "Unlock it: redeem by itself": "unlock password keeps",
    "Is everything in its place?": "check setup keeps",
    "Settings: thresholds, caps, what is redeemed": "settings threshold caps operators",
    "The wallet: make one, bring one over, its password": "wallet keystore key password make",
    "Mint TBTC with bitcoin of yours": "mint lots bitcoin",
    "Come over from keep-collateral": "import env migrate",
    "Rehearse: move the price, let time pass": "rehearse anvil try",
}
