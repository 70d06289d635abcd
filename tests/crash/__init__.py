"""Killing the real command at every step of a payout, and looking what was paid.

`launcher` runs `run.py` in a process of its own with every step counted from outside: database
commits, port calls, writes to files of the ledger. It kills itself with SIGKILL at a given number.
`worlds` prepares homes, `harness` plays a point and compares chain and ledger, `__main__` plays many.
SIGKILL is not power loss: that what was committed stays is shown by the database's settings.
"""
