"""Worlds in which two or three copies of the same books pay at once, each in a process of its own.

`python -m tests.contracts.two_copies [WORLDS [FIRST_SEED]]` runs many and tells what became of them.
"""

from __future__ import annotations

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.contracts_world import NOTHING, World
from tests.custody_world import left
from valtrac.contracts.model.states import DueState, TransferState
from valtrac.core.errors import ValtracError
from valtrac.devnet import bitshares
from valtrac.devnet.bitshares.endpoint import Endpoint, Request
from valtrac.devnet.bitshares.server import Server

UNDER_WAY = (DueState.PROCESSING, DueState.HANDED_OVER, DueState.DELINQUENT)

SLOT_BLOCKS = 20
BLOCK_S = 0.03  # of our time; a block is 3 s of the chain's
ROOT = Path(__file__).parent.parent.parent


@dataclass(frozen=True)
class Verdict:
    """What a world came to. twice, missing: payments on the chain beyond one and below; open: not booked as paid by
    one of the copies."""

    seed: int
    copies: int
    twice: int
    missing: int
    open: int
    booked: tuple[int, ...]
    adopted: int
    said: str = ""

    @property
    def good(self) -> bool:
        return not (self.twice or self.missing or self.open)


class LateNode(Endpoint):
    """A node that loses one broadcast in some, and hands others on late: after up to two slots."""

    def __init__(self, path: Path, dice: random.Random) -> None:
        self.dice, self.calm, self.waiting = dice, False, list[tuple[int, Any]]()
        super().__init__(path)

    def result(self, request: Request) -> dict[str, Any]:
        if request.method == "broadcast_transaction" and not self.calm:
            fate = self.dice.random()
            if fate < 0.25:
                return {"result": None}
            if fate < 0.5:
                late = self.dice.choice((1, 3, SLOT_BLOCKS, 2 * SLOT_BLOCKS))
                self.waiting.append((bitshares.status(self.path)["head"] + late, request.args[0]))
                return {"result": None}
        return super().result(request)

    def hand_on(self) -> None:
        head = bitshares.status(self.path)["head"]
        for at, trx in [one for one in self.waiting if one[0] <= head]:
            self.waiting.remove((at, trx))
            with suppress(bitshares.NodeError):
                bitshares.Client(self.path).call("broadcast_transaction", trx)


def copied_home(world: World, name: str) -> Path:
    """A home of its own with a copy of the ledger, as a backup makes it."""
    import sqlite3

    home = world.folder / name
    (home / "data").mkdir(parents=True)
    file = "valtrac-bitshares-devnet.sqlite"
    with sqlite3.connect(world.folder / "data" / file) as old, sqlite3.connect(home / "data" / file) as new:
        old.backup(new)
    return home


def owing(folder: Path) -> World:
    """A custodian who owes eight payments: notices of contracts, and money back with words and without."""
    world = World(folder, custodian=1_000_000)
    for who, whole, memo in (
        ("ann", 25_000, "three_months"),
        ("bob", 25_000, "three_months"),
        ("bob", 25_000, "six_months"),
        ("cid", 61, None),
        ("dee", 70, "nonsense"),
        ("dee", 70, "nonsense"),
        ("ann", 100, "twelve_months"),
        ("cid", 100, "hello"),
    ):
        world.send(who, whole, memo)
    world.listen()
    return world


def run(
    seed: int, *, copies: int | None = None, trouble: bool = True, deadline_s: float = 240.0, trouble_s: float = 30.0
) -> Verdict:
    """One world: copies of the same books, each with another offset of up to two slots, on a chain that forks and
    loses; one copy sleeps or dies in the middle and comes back."""
    dice = random.Random(seed)
    folder = Path(tempfile.mkdtemp(prefix="copies"))
    world, stop = owing(folder), threading.Event()
    owed = {due.id: (due.name, due.units) for due in world.dues("pending") if due.due_at <= world.now}
    homes = [copied_home(world, f"copy{number}") for number in range(copies or dice.choice((2, 2, 3)))]
    node = LateNode(world.path, dice)
    server = Server(node)
    node.calm = not trouble
    ticking = threading.Thread(target=tick, args=(world.path, node, dice, stop), daemon=True)
    running = [start(home, server.url, dice.randrange(2 * SLOT_BLOCKS)) for home in homes]
    try:
        ticking.start()
        until = time.monotonic() + deadline_s
        victim = dice.randrange(len(homes))
        at = time.monotonic() + dice.uniform(1.5, 4.0)
        if trouble:
            time.sleep(max(0.0, at - time.monotonic()))
            if dice.random() < 0.5:
                running[victim].send_signal(signal.SIGSTOP)
                time.sleep(dice.uniform(0.3, 2.5))
                running[victim].send_signal(signal.SIGCONT)
            else:
                running[victim].kill()
                running[victim].wait()
                if dice.random() < 0.5:  # and it comes back from its backup, with nothing remembered
                    shutil.rmtree(homes[victim])
                    homes[victim] = copied_home(world, f"copy{victim}")
                time.sleep(dice.uniform(0.0, 1.5))
                running[victim] = start(homes[victim], server.url, 0)
        while time.monotonic() < until and any((home / "open").read_text() != "0" for home in homes):
            time.sleep(0.1)
            node.calm = node.calm or time.monotonic() > until - deadline_s + trouble_s
    finally:
        for home in homes:
            (home / "stop").write_text("")
        for one in running:
            with suppress(subprocess.TimeoutExpired):
                one.wait(20)
            one.kill()
            one.wait()
        stop.set()
        ticking.join()
    world.blocks(10)
    verdict = judged(world, seed, homes, list(owed.values()))
    server.close()
    world.close()
    shutil.rmtree(folder)
    return verdict


def tick(path: Path, node: LateNode, dice: random.Random, stop: threading.Event) -> None:
    """The chain's time: blocks, now and then a fork above what is irreversible, or a while without room."""
    while not stop.wait(BLOCK_S * (5 if node.calm else 1)):  # a busy machine has to keep up in the end
        node.hand_on()
        fate = dice.random()
        if fate < 0.03 and not node.calm:
            with suppress(ValtracError):
                bitshares.fork(path, dice.choice((1, 2)), keep=dice.random() < 0.7)
        if fate > 0.97:
            bitshares.misbehave(path, hold_pool=not node.calm)
        elif fate > 0.8:
            bitshares.misbehave(path, hold_pool=False)
        bitshares.produce(path, 1)


def start(home: Path, url: str, offset: int) -> subprocess.Popen[bytes]:
    """A copy in a process of its own, which begins so many blocks from now."""
    if not (home / "open").exists():
        (home / "open").write_text("?")
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    program = [sys.executable, "-m", "tests.contracts.two_copies", "--copy", str(home), url, str(offset)]
    with (home / "said").open("ab") as said:
        return subprocess.Popen(program, cwd=ROOT, env=environment, stdout=said, stderr=said)


def copy(home: Path, url: str, offset: int) -> None:
    """Listen and pay until told to stop; writes down how much is open."""
    from valtrac.chains.bitshares import connect
    from valtrac.chains.bitshares.keys import dev_keys
    from valtrac.contracts import dues, listener
    from valtrac.contracts.custodian import Custodian, find_custodian
    from valtrac.contracts.store import contracts
    from valtrac.database.engine import reading
    from valtrac.database.opening import open_engine
    from valtrac.settings import load

    given = {"HOME": str(home), "CONTRACTS_AMOUNTS": "100,25000,50000,100000", "CONTRACTS_MANAGERS": "manager,clerk"}
    settings = load({f"VALTRAC_{name}": value for name, value in given.items()}, NOTHING)
    engine = open_engine(settings.bitshares_database)
    chain = connect.open_node([url], network="devnet", timeout_s=10)
    chain.keys = dev_keys("custodian")
    time.sleep(offset * BLOCK_S)
    custodian = Custodian(
        engine, chain, settings, find_custodian(engine, chain, settings), sleep=lambda _: time.sleep(BLOCK_S)
    )
    payer = connect.payer(chain, "custodian", chain.keys)
    while not (home / "stop").exists():
        try:
            listener.listen(custodian)
            dues.pay(custodian, payer, patience_s=5.0, poll_s=0.05)
            now = chain.finalized().at
        except ValtracError as error:
            print(time.monotonic(), error, flush=True)
            time.sleep(BLOCK_S)
            continue
        with reading(engine) as conn:
            due = contracts.payable(conn, now)
            still = [*due, *contracts.in_states(conn, *UNDER_WAY)]
        part = home / "open.part"
        part.write_text(str(len(still)))
        part.replace(home / "open")


def judged(world: World, seed: int, homes: list[Path], owed: list[tuple[str, int]]) -> Verdict:
    """The chain against what was owed, and each copy's books against the chain."""
    from valtrac.contracts.store import contracts, transfers
    from valtrac.database.engine import reading
    from valtrac.database.opening import open_engine

    paid, due = Counter((one.to, one.units) for one in left(world)), Counter(owed)
    confirmed, still, adopted = [], 0, 0
    for home in homes:
        engine = open_engine(home / "data" / "valtrac-bitshares-devnet.sqlite")
        with reading(engine) as conn:
            confirmed.append(contracts.count(conn, DueState.CONFIRMED))
            still += len(contracts.in_states(conn, *UNDER_WAY))
            adopted += len(transfers.listed(conn, TransferState.HANDLED, kind="adopted"))
            still += len(transfers.listed(conn, TransferState.UNRULED))
        engine.dispose()
    twice, missing = sum((paid - due).values()), sum((due - paid).values())
    said = ""
    if twice or missing or still:
        said = "\n".join((home / "said").read_text()[-1500:] for home in homes)
    return Verdict(seed, len(homes), twice, missing, still, tuple(confirmed), adopted, said)


def main(worlds: int, first: int) -> None:
    bad = 0
    total = Counter[str]()
    for seed in range(first, first + worlds):
        began = time.monotonic()
        verdict = run(seed)
        bad += not verdict.good
        total.update(twice=verdict.twice, missing=verdict.missing, open=verdict.open, adopted=verdict.adopted)
        print(f"{time.monotonic() - began:5.1f} s", verdict, flush=True)
    print(f"{worlds} worlds: {dict(total)}; bad: {bad}")


if __name__ == "__main__":
    if sys.argv[1:2] == ["--copy"]:
        copy(Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
    else:
        count, begin = [*map(int, sys.argv[1:]), 200, 0][:2] if len(sys.argv) != 2 else (int(sys.argv[1]), 0)
        main(count, begin)
