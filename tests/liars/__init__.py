"""Nodes that lie, in random combinations: whatever they say, nobody is paid twice, robbed or forgotten.

`lies` is what a node can say of a chain that it does not change; `worlds` plays a payout between the product and one
or two such nodes, then lets them tell the truth and looks what became of the money; `__main__` plays many worlds.
"""
