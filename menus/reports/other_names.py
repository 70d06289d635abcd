"""Other words by which people know what stands in these menus; the palette finds it by them too."""

from __future__ import annotations

ALSO = {
    "Charts and statistics": "stats graphs plots figures pictures",
    "Figures": "stats numbers tables",
    "Charts": "graphs plots pictures",
    "A statement for one user": "statement tax page payee",
    "Statements for everyone": "statements all pages month",
    "What if the rules were others?": "what-if simulate replay scenario",
    "? What the figures mean": "glossary meaning formula help",
    "Another take": "take commission validator",
    "Another rate of a referrer": "rate referrer percent",
    "A user without a referrer": "alone without",
    "Another method": "method mean-share stake-time accrual",
    "Another minimum": "minimum least",
    "Stake over time": "stake line total",
    "Rate of return, all nominators": "apr apy global return global-apr",
    "Rate of return, one user": "apr apy user return user-apr",
    "Balance of one user": "balance user user-balance",
    "Referral tree": "tree layers",
    "overview": "glance summary apr apy",
    "one user": "person apr",
    "payouts": "totals paid",
    "rates over time": "apr apy rates",
    "runway": "wallet lasts liquidity",
    "held": "held balances",
    "coverage": "gaps missing",
}
