"""Run `run.py` with its steps counted, and SIGKILL at one of them: python -m tests.crash.launcher STEPS KILL_AT ...

STEPS is the file that each step reached is written to, a name per line. KILL_AT 0 only counts.
The rehearsal chain's own writes are no steps: it stands for a chain that goes on by itself.
"""

from __future__ import annotations

import io
import os
import signal
import sys
from collections.abc import Callable
from typing import Any


class Steps:
    """The counter: `at(name)` notes a step and dies at the wanted one."""

    def __init__(self, path: str, kill_at: int) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        self._kill_at = kill_at
        self._count = 0

    def at(self, name: str) -> None:
        self._count += 1
        os.write(self._file, (name + "\n").encode())
        if self._count == self._kill_at:
            os.kill(os.getpid(), signal.SIGKILL)

    def around(self, name: str, call: Callable[..., Any]) -> Callable[..., Any]:
        """The call with a step before and one after it."""

        def stepped(*args: Any, **kwargs: Any) -> Any:
            self.at(f"before {name}")
            result = call(*args, **kwargs)
            self.at(f"after {name}")
            return result

        return stepped


class TornFile:
    """A file whose writes can be cut in the middle."""

    def __init__(self, file: Any, steps: Steps) -> None:
        self._file, self._steps = file, steps

    def __getattr__(self, name: str) -> Any:
        return getattr(self._file, name)

    def __enter__(self) -> TornFile:
        self._file.__enter__()
        return self

    def __exit__(self, *problem: Any) -> Any:
        return self._file.__exit__(*problem)

    def write(self, data: bytes) -> int:
        self._steps.at("before write payout_log")
        self._file.write(data[: len(data) // 2])
        self._file.flush()
        self._steps.at("within write payout_log")
        self._file.write(data[len(data) // 2 :])
        self._file.flush()
        self._steps.at("after write payout_log")
        return len(data)


def wrap(steps: Steps) -> None:
    """Put a step before and after every commit, every port call and every write of the ledger's files."""
    import sqlalchemy.engine.default as dialects

    from valtrac.chains.bitshares import connect, node
    from valtrac.chains.bittensor import connect as bittensor
    from valtrac.chains.bittensor import node as substrate_node
    from valtrac.payments import payment_log

    dialect = dialects.DefaultDialect
    dialect.do_commit = steps.around("commit", dialect.do_commit)  # type: ignore[method-assign]
    owners = (substrate_node.BittensorChain, bittensor.KeyPayer, node.BitSharesChain, connect.BitSharesPayer)
    for owner in owners:
        for name in (
            "identity",
            "finalized",
            "block",
            "account",
            "swaps_announced",
            "next_index",
            "limits",
            "estimate_fee",
            "decode",
            "outcome",
            "sign",
            "broadcast",
            "accounts",
            "named",
            "read_memo",
        ):
            if name in vars(owner):
                setattr(owner, name, steps.around(name, vars(owner)[name]))
    payment_log.open = lambda *args: TornFile(io.open(*args), steps)  # type: ignore[attr-defined] # noqa: SIM115, UP020
    os.fsync = steps.around("fsync", os.fsync)


def main(arguments: list[str]) -> int:
    """Wrap, then run the command as it is."""
    import run

    wrap(Steps(arguments[0], int(arguments[1])))
    return run.main(arguments[2:])


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
