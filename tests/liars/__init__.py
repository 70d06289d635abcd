"""Nodes that lie, in random combinations: whatever they say, nobody is paid twice, robbed or forgotten.

`bittensor` and `bitshares` play a payout, or a custodian account, with one or two such nodes, then let them tell the
truth and look what became of the money; `__main__` plays many worlds of both.
"""
