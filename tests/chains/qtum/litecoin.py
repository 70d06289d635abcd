"""A real node with Bitcoin's wallet: Debian's litecoind on a chain of its own. Its wallet calls are those of qtumd."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from valtrac.chains.qtum.encoding import Prefixes
from valtrac.chains.qtum.networks import Network
from valtrac.chains.qtum.node import QtumChain
from valtrac.chains.qtum.payer import QtumPayer
from valtrac.chains.qtum.rpc import Rpc
from valtrac.core.staking import NodeState
from valtrac.database.engine import writing
from valtrac.database.opening import open_engine
from valtrac.pool.model.states import Booking
from valtrac.pool.pool import Pool, tie
from valtrac.pool.store import blocks, book
from valtrac.pool.store.book import Entry
from valtrac.settings import load

PLACE = Path(__file__).parents[3] / ".venv" / "litecoin"
PROGRAM = PLACE / "usr" / "lib" / "litecoin" / "litecoind"
NETWORK = Network("litecoin", "regtest", "", Prefixes(111, 58), staked=False)
PASSWORD = "tr0ub4dor &3"
NOTHING = Path("/nonexistent")
UP_S = 30.0


class Litecoind:
    """One node in a folder; it can be killed and started again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.start()
        self.rpc("createwallet", "pool", False, False, "", False, False)
        self.staker = str(self.rpc("getnewaddress", "", "legacy"))
        self.others = [str(self.rpc("getnewaddress", "", "legacy")) for _ in range(2)]  # of the wallet, not the payer
        self.rpc("generatetoaddress", 110, self.staker)
        self.rpc("encryptwallet", PASSWORD)

    def start(self) -> None:
        libraries = {"LD_LIBRARY_PATH": str(PLACE / "usr" / "lib" / f"{os.uname().machine}-linux-gnu")}
        flags = ["-regtest", "-server", "-listen=0", "-txindex", "-fallbackfee=0.004", "-printtoconsole=0"]
        known = [*flags, "-wallet=pool"] if list(self.folder.glob("regtest/**/pool/wallet.dat")) else flags
        self._process = subprocess.Popen(
            [str(PROGRAM), *known, f"-datadir={self.folder}", f"-rpcport={self.port}"],
            env={**os.environ, **libraries},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        until = time.monotonic() + UP_S
        while time.monotonic() < until:
            try:
                self.rpc("getblockcount")
                return
            except Exception:
                time.sleep(0.05)
        raise AssertionError("litecoind does not start")

    def stop(self, *, hard: bool = False) -> None:
        """hard: SIGKILL. What blocks it has is written first: nobody is there to give them to it again."""
        if hard:
            self.rpc("gettxoutsetinfo")
        self._process.send_signal(signal.SIGKILL if hard else signal.SIGTERM)
        self._process.wait(30)

    @property
    def cookie(self) -> Path:
        return self.folder / "regtest" / ".cookie"

    def rpc(self, method: str, *params: Any) -> Any:
        asked = Rpc(f"http://127.0.0.1:{self.port}", login=self.cookie, timeout_s=20)
        try:
            return asked.call(method, *params)
        finally:
            asked.close()

    def blocks(self, count: int = 1) -> None:
        self.rpc("generatetoaddress", count, self.staker)

    def person(self, number: int) -> str:
        """Somebody's address, whose key nobody has."""
        from valtrac.chains.qtum.encoding import address_of_hash, hash160

        return address_of_hash(hash160(f"person {number}".encode()), NETWORK.prefixes)

    def chain(self) -> QtumChain:
        rpc = Rpc(f"http://127.0.0.1:{self.port}", login=self.cookie, timeout_s=20)
        return QtumChain(rpc, NETWORK, wallet=self.staker, final_depth=2, reserve=0, fee_rate=400_000, maturity=100)

    def received(self) -> dict[str, int]:
        """address -> satoshi in the chain, of people."""
        from valtrac.chains.qtum.rpc import satoshi

        found: dict[str, int] = {}
        for height in range(1, int(self.rpc("getblockcount")) + 1):
            for tx in self.rpc("getblock", self.rpc("getblockhash", height), 2)["tx"][1:]:
                for out in tx["vout"]:
                    for address in out["scriptPubKey"].get("addresses", []):
                        found[address] = found.get(address, 0) + satoshi(out["value"])
        return {who: units for who, units in found.items() if who not in (self.staker, *self.others)}


class Owing:
    """A pool that owes people something on that node; `again` is what a restart of the program has."""

    pool: Pool

    def __init__(self, home: Path, node: Litecoind, owed: dict[str, int]) -> None:
        self.home, self.node = home, node
        given = {"HOME": str(home), "QTUM_NETWORK": "regtest", "POOL_FEE": "0", "POOL_CHUNK": "3"}
        self.settings = load({f"VALTRAC_{name}": value for name, value in given.items()}, NOTHING)
        self.waited_s = 0.0
        self.again()
        with writing(self.pool.engine) as conn:
            begun = datetime.now(UTC) - timedelta(days=2)
            blocks.begin(conn, node.staker, 100, "for the test", begun)
            book.add(conn, [Entry(who, Booking.OPENING, units) for who, units in owed.items()])

    def again(self, meanwhile: Callable[[], None] = lambda: None) -> None:
        """The program starts anew."""
        if hasattr(self, "pool"):
            self.pool.chain.close()
            self.pool.engine.dispose()
        meanwhile()
        chain = self.node.chain()
        self.pool = Pool(
            open_engine(self.settings.qtum_database),
            chain,
            self.settings,
            self.node.staker,
            log=self.settings.pool_log,
            sleep=self.sleep,
            clock=lambda: self.waited_s,
        )
        tie(self.pool)
        self.payer = QtumPayer(chain, PASSWORD, stakes=False)

    def sleep(self, seconds: float) -> None:
        self.waited_s += 10
        self.node.blocks()

    @property
    def state(self) -> NodeState:
        """How the node does, as far as a payday wants to know: it stakes nothing."""
        tip = self.pool.chain.tip()
        return NodeState(tip, 0, 0, 0, 0, 0, 0, False, 0, None, 0)

    def close(self) -> None:
        self.pool.chain.close()
        self.pool.engine.dispose()
