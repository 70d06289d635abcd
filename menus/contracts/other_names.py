"""Other words by which people know what stands in these menus; the palette finds it by them too."""

from __future__ import annotations

ALSO = {
    "Stake contracts (BitShares)": "stakebts bts custodian bitshares",
    "Contracts": "stakes list rows",
    "Contracts and all payments in one table": "rows everything statuses paid aborted premature refunds",
    "The last and the next 48 hours": "recent upcoming soon 48 history",
    "Watch contracts and payments live": "watch live console monitor",
    "Clients": "customers accounts senders",
    "Payments due within 48 hours": "due next soon tomorrow 48",
    "Past due": "late overdue missed",
    "Liabilities": "owed debt cover",
    "Audit the ledger": "audit verify receipts",
    "What waits for your word": "waiting parked unruled memo decide",
    "Delinquent payments: pay by hand": "delinquent failed manual",
    "Start listener and payer": "listen begin run",
    "Stop listener and payer": "halt end",
    "Unlock the payer": "password keys unlock",
    "Read the chain and pay what is due now": "listen pay now send",
    "Import from StakeBTS": "import stakebts sqlite migrate",
    "Search the audit events": "events receipts search trail",
    "Terms and caps": "settings caps months reward",
    "Money asked of exchanges": "withdrawals exchange kraken cover",
    "Rehearse: send as a client, let days go by": "rehearse devnet try test",
}
