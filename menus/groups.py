"""What the further entries of the main menu stand under; each screen says which it belongs to. The first eight, which
are ValTrac's, stand by themselves."""

from __future__ import annotations

PAYOUTS = "Payouts: history, balances, policies"
CHAINS = "Other chains: stake contracts, Qtum pool, tBTC keeps"
MACHINE = "This machine: loggers, alerts, backups, network, checks"
EXPLAINED = {
    PAYOUTS: "What was paid, what is still owed, and the rules that you set for persons.",
    CHAINS: "Stake contracts on BitShares, a Qtum super staker's pool, and keeps of tBTC.",
    MACHINE: "What runs in the background, who is told when something goes wrong, copies, nodes and wallets.",
}
