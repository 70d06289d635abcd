"""Other words by which people know what stands in these menus; the palette finds it by them too."""

from __future__ import annotations

ALSO = {
    "Send payout by referral structure": "pay payout referral users plan draft distribute layers",
    "Full payout by nominator": "pay payout nominators delegators everyone",
    "Payout history and batches": "history payout_log log batches past drafts resume receipts",
    "Approve it": "approve accept confirm batch",
    "Send it": "send broadcast transfer batch",
    "Go on with it": "resume continue retry",
    "Take it back": "void cancel undo discard",
    "Look for its transactions": "reconcile find fate unknown lost",
    "Explain a payment": "why explain amount how",
    "Write a proof of a payment": "proof prove verify receipt",
    "Set a payment aside, to be paid later": "aside skip postpone hold",
    "Balances and corrections": "ledger accounts owed",
    "Look at one account": "balance account ledger user_balance",
    "Pay out all held balances": "release held minimum",
    "Pay out one held balance": "releases single",
    "Somebody got too little": "correct underpaid owe more",
    "Somebody got too much": "correct overpaid claw less",
    "Is there enough in the payout wallet?": "liquidity runway wallet fund enough",
}
