"""How fast the listener reads a chain again, beside the bare rate at which the node hands blocks out."""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from websockets.sync.client import connect

BLOCKS, WINDOW = 100_000, 64
SERVE = """
import sys, time
from pathlib import Path
from valtrac.devnet import bitshares
server = bitshares.serve(Path(sys.argv[1]))
print(server.url, flush=True)
sys.stdin.read()
"""


@contextmanager
def node(path: Path) -> Iterator[str]:
    """The chain of a file, served by a process of its own; yields its address."""
    root = Path(__file__).parent.parent
    running = subprocess.Popen(
        [sys.executable, "-c", SERVE, str(path)], cwd=root, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert running.stdin is not None
    assert running.stdout is not None
    try:
        yield running.stdout.readline().strip()
    finally:
        running.stdin.close()
        running.wait(10)


def grown(path: Path, blocks: int) -> None:
    """A chain of empty blocks with a transfer now and then, some of them the custodian's."""
    from valtrac.devnet import bitshares

    names = ("custodian", "ann", "bob")
    bitshares.seed(path, pace="manual", accounts=[bitshares.dev_account(name, satoshi=10**13) for name in names])
    done = 0
    while done < blocks:
        bitshares.transfer(path, "ann", "bob", 100_000 + done)
        if done % 5_000 == 0:
            bitshares.transfer(path, "ann", "custodian", 2_500_000_000, "three_months")
        bitshares.produce(path, 500)
        done += 500
    bitshares.produce(path, 5)


def bare(url: str, last: int) -> float:
    """Blocks a second of get_block alone: requests kept under way, replies decoded and thrown away."""
    line = connect(url, proxy=None, compression=None, open_timeout=60, max_size=None)
    began = time.perf_counter()
    for number in range(1, last + 1):
        line.send(json.dumps({"method": "call", "params": [0, "get_block", [number]], "jsonrpc": "2.0", "id": number}))
        if number > WINDOW:
            json.loads(line.recv())
    for _ in range(min(WINDOW, last)):
        json.loads(line.recv())
    rate = last / (time.perf_counter() - began)
    line.close()
    return rate


def replay(url: str, folder: Path, last: int) -> float:
    """Blocks a second of the listener, with everything that it does, over the same blocks."""
    from valtrac.chains.bitshares import connect
    from valtrac.chains.bitshares.keys import dev_keys
    from valtrac.contracts import listener
    from valtrac.contracts.custodian import Custodian, find_custodian
    from valtrac.database.opening import open_engine
    from valtrac.settings import load

    chain = connect.open_node([url], network="bench", timeout_s=60)
    chain.keys = dev_keys("custodian")
    settings = load({"VALTRAC_HOME": str(folder)}, Path("/nonexistent"))
    engine = open_engine(folder / f"{time.monotonic_ns()}.sqlite")
    custodian = Custodian(engine, chain, settings, find_custodian(engine, chain, settings))
    listener.start_from(custodian, 1)
    began = time.perf_counter()
    while (done := listener.listen(custodian)).block < last:
        pass
    rate = done.block / (time.perf_counter() - began)
    chain.close()
    engine.dispose()
    return rate


def rates(blocks: int = BLOCKS) -> tuple[float, float]:
    """(the listener's, the node's own): the better of two runs each, taken in turn."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "chain.sqlite"
        grown(path, blocks)
        with node(path) as url:
            pairs = [(replay(url, Path(folder), blocks), bare(url, blocks)) for _ in range(2)]
    return max(ours for ours, _ in pairs), max(theirs for _, theirs in pairs)


if __name__ == "__main__":
    listener_rate, node_rate = rates(int(sys.argv[1]) if len(sys.argv) > 1 else BLOCKS)
    print(f"{listener_rate:.0f} of {node_rate:.0f} blocks a second: {listener_rate / node_rate:.2f}")
