"""Other words by which people know what stands in these menus; the palette finds it by them too."""

from __future__ import annotations

ALSO = {
    "Qtum pool": "qtum staker superstaker ppm",
    "The pool now": "status now",
    "Watch blocks as they come": "console live watch monitor",
    "Delegates and what they are owed": "delegates shares balances",
    "Everything of one delegate": "history delegate one",
    "Rewards": "blocks won coinstake",
    "Explain one reward": "why explain reward",
    "What a payday would pay now": "preview payday",
    "Paydays": "payouts past payments",
    "Charts: rewards by day, weight over time": "charts graphs weight",
    "Compare the node's settings with ours": "check policy node",
    "Does everything add up?": "audit verify sum",
    "Start the background job": "start pool",
    "Stop the background job": "stop pool",
    "Unlock it: stake, and pay": "unlock password stake pool",
    "Look at all blocks and pay what is due, here": "pay now pool",
    "Come over from the pool payout manager": "import ppmconfig shares migrate",
    "Rehearse: win blocks, let somebody join or leave": "rehearse devnet try",
    "A statement, as a page": "statement delegate",
    "The proof of the newest payment": "proof delegate",
}
