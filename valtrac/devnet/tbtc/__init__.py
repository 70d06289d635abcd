"""The rehearsal chain of tBTC v1: the real contracts on a local Ethereum node, beside a small Bitcoin chain."""
