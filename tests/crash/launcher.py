"""Run `run.py` with its steps counted, and SIGKILL at one of them: a list of calls per line of JSON on the standard
input, which run at the same time.

A call is {"folder", "environment", "arguments", "steps", "kill_at", "said"}. `steps` is the file that each step reached
is written to, a name per line; "" counts none. `kill_at` is the number of the step to die at, or "name" for the first
step of that name; 0 only counts. `said` is the beginning of the names of two files, .out and .err, for what it writes;
"" for none. Answered with the exit codes, in a line, once all have ended.
The rehearsal chain's own writes are no steps: it stands for a chain that goes on by itself.

Every call is a process of its own, forked off one that has loaded the program and done nothing else: loading it takes
longer than what most commands do, and nobody dies in it.
"""

from __future__ import annotations

import importlib
import io
import json
import os
import pkgutil
import signal
import sys
import threading
from collections.abc import Callable
from typing import Any

PATIENCE_S = 240
LAZY = ("bittensor", "httpx", "sqlalchemy.dialects.sqlite", "websockets.sync.client", "graphenebase", "bitsharesbase")


class Steps:
    """The counter: `at(name)` notes a step and dies at the wanted one."""

    def __init__(self, path: str, kill_at: int | str) -> None:
        self._file = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_APPEND, 0o600)
        self._kill_at = kill_at
        self._count = 0

    def at(self, name: str) -> None:
        self._count += 1
        os.write(self._file, (name + "\n").encode())
        if self._kill_at in (self._count, name):
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


READS = ("identity", "finalized", "block", "swaps_announced", "next_index", "limits", "outcome", "accounts", "named")
OF_POOLS = ("staked", "coins", "rival")
OF_KEEPS = ("created", "states", "readings", "costs", "requests", "signature", "relay", "gas_paid", "allowance")
PORT = (*READS, *OF_POOLS, *OF_KEEPS, "estimate_fee", "decode", "read_memo", "sign", "broadcast")
OTHERS = ("commit", "fsync", "replace", "rpc", "write payout_log")
# the kinds that the short form dies at; of those of keeps, whose worlds are slow to start, some
KINDS = {f"{when} {name}" for name in (*PORT, *OTHERS) for when in ("before", "after") if name not in OF_KEEPS}
KINDS |= {"after signature"}


def wrap(steps: Steps) -> None:
    """Put a step before and after every commit, every port call and every write of the ledger's files."""
    import sqlalchemy.engine.default as dialects

    from valtrac.chains.bitcoin import electrum
    from valtrac.chains.bitshares import connect, node
    from valtrac.chains.bittensor import connect as bittensor
    from valtrac.chains.bittensor import node as substrate_node
    from valtrac.chains.ethereum import node as ethereum_node
    from valtrac.chains.ethereum import payer as ethereum_payer
    from valtrac.chains.ethereum import reading as ethereum_reading
    from valtrac.chains.qtum import node as qtum_node
    from valtrac.chains.qtum import payer, reading, rpc, staking
    from valtrac.payments import payment_log

    dialect = dialects.DefaultDialect
    dialect.do_commit = steps.around("commit", dialect.do_commit)  # type: ignore[method-assign]
    owners: tuple[type, ...] = (substrate_node.BittensorChain, bittensor.KeyPayer)
    owners += (node.BitSharesChain, connect.BitSharesPayer)
    owners += (qtum_node.QtumChain, reading.NodeReader, staking.StakingReader, payer.QtumPayer)
    owners += (ethereum_node.EthereumChain, ethereum_reading.Contracts, ethereum_payer.EthereumPayer)
    owners += (electrum.ElectrumNetwork,)
    for owner in owners:
        for name in PORT:
            if name in vars(owner):
                setattr(owner, name, steps.around(name, vars(owner)[name]))
    payment_log.open = lambda *args, **how: TornFile(io.open(*args, **how), steps)  # type: ignore[attr-defined] # noqa: SIM115, UP020
    rpc.Rpc._post = steps.around("rpc", rpc.Rpc._post)  # type: ignore[method-assign]
    os.fsync = steps.around("fsync", os.fsync)
    os.replace = steps.around("replace", os.replace)


def preload() -> None:
    """Load the program, all of it. Raises AssertionError where that started a thread: a fork would lose it."""
    import menus
    import run  # noqa: F401
    import valtrac

    for package in (valtrac, menus):
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            if ".migrations" not in module.name:
                importlib.import_module(module.name)
    for name in LAZY:
        importlib.import_module(name)
    assert threading.active_count() == 1, threading.enumerate()


def called(call: dict[str, Any]) -> int:
    """In the forked process: become a process as a shell would start it, and run the command as it is."""
    import run

    signal.alarm(PATIENCE_S)
    kept = os.O_CREAT | os.O_WRONLY | os.O_TRUNC
    for stream, ending in enumerate((None, ".out", ".err")):
        named = call["said"] and ending
        os.dup2(os.open(call["said"] + ending, kept, 0o600) if named else os.open(os.devnull, os.O_RDWR), stream)
    os.chdir(call["folder"])
    os.environ.clear()
    os.environ.update(call["environment"])
    sys.argv = ["run.py", *call["arguments"]]
    if call["steps"]:
        wrap(Steps(call["steps"], call["kill_at"]))
    return run.main(call["arguments"])


def main() -> int:
    """Answer calls until there are no more."""
    preload()
    for line in sys.stdin:
        processes = []
        for call in json.loads(line):
            process = os.fork()
            if not process:
                return called(call)
            processes.append(process)
        codes = [os.waitstatus_to_exitcode(os.waitpid(process, 0)[1]) for process in processes]
        sys.stdout.write(f"{json.dumps(codes)}\n")
        sys.stdout.flush()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
