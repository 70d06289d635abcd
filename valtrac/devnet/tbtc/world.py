"""The whole rehearsal as one thing: Ethereum with tBTC, Bitcoin with an Electrum server, and the members of the keeps.

A folder holds it: what is left there at the end is gone on from at the next start. `world.json` in it tells other
processes where everything is while it runs.
"""

from __future__ import annotations

import json
import logging
import os
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

from valtrac.core.errors import BadInput, ValtracError
from valtrac.core.home import write_for_its_owner
from valtrac.devnet.tbtc import system
from valtrac.devnet.tbtc.anvil import CHAIN_ID, Anvil, Options
from valtrac.devnet.tbtc.bitcoin import Bitcoin
from valtrac.devnet.tbtc.chains import Chains
from valtrac.devnet.tbtc.electrum_server import ElectrumServer
from valtrac.devnet.tbtc.evm import Reverted
from valtrac.devnet.tbtc.node import NodeSaid
from valtrac.devnet.tbtc.signers import Signers
from valtrac.devnet.tbtc.system import System

NOTE, ETHEREUM, BITCOIN = "world.json", "ethereum.json", "bitcoin.json"
QUIET_BLOCKS = 12
_PATIENCE_S = 10.0
# a node that was started again knows the state of its newest block alone: so many more, and a final one has one too
FRESH_BLOCKS = 4
_log = logging.getLogger(__name__)


class World:
    """A running rehearsal, until it is stopped.

    chains: what deposits and market take. electrum, signers: the servers and people beside it. mining: whether a
    tick mines a Bitcoin block where something waits, or was mined less than twelve blocks ago.
    """

    def __init__(self, folder: Path, anvil: Anvil, chains: Chains, electrum: ElectrumServer) -> None:
        """Use `World.start`."""
        self.folder, self.anvil, self.chains, self.electrum = folder, anvil, chains, electrum
        self.signers = Signers(chains)
        self.mining = True
        self._ends = threading.Event()
        chains.bitcoin.on_block.append(self._store_bitcoin)
        self._thread: threading.Thread | None = None
        self._lock, self._storing = threading.Lock(), threading.Lock()

    @classmethod
    def start(
        cls,
        folder: Path,
        *,
        options: Options | None = None,
        operators: int = 5,
        transports: Sequence[str] = ("tcp",),
        states: Path | None = None,
    ) -> World:
        """Start what a folder holds, or a fresh one where it holds nothing.

        states: where the state of a fresh system is stored for the next one; the folder itself by default. The thread
        that starts it has to live as long as the rehearsal. Raises BadInput where there is no anvil, or where the
        folder's rehearsal runs already.
        """
        folder.mkdir(parents=True, exist_ok=True)
        if where(folder) is not None:
            raise BadInput(f"the rehearsal of {folder} runs already", fix="stop it, or take another folder")
        _await_end(folder)
        wanted = replace(options or Options(), dump=folder / ETHEREUM)
        if (folder / ETHEREUM).exists() and (folder / BITCOIN).exists():
            left = json.loads((folder / BITCOIN).read_text(encoding="utf-8"))
            made, bitcoin = System.of_json(left["system"]), Bitcoin(left["bitcoin"])
            anvil = Anvil(replace(wanted, load=folder / ETHEREUM))
            anvil.mine(FRESH_BLOCKS)
        else:
            anvil, made = system.open_deployed(states or folder, wanted, operators=operators)
            bitcoin = Bitcoin()
        world = cls(folder, anvil, Chains(anvil, made, bitcoin), ElectrumServer(bitcoin, transports))
        world._write(NOTE, world.told())
        return world

    def told(self) -> dict[str, Any]:
        """Where everything is, as `world.json` tells it."""
        made = self.chains.system
        return {
            "pid": os.getpid(),
            "born": _born(os.getpid()),
            "anvil_pid": self.anvil.pid,
            "ethereum_url": self.anvil.url,
            "chain_id": CHAIN_ID,
            "electrum_urls": self.electrum.urls,
            "electrum_certificate": self.electrum.certificate,
            "bitcoin_genesis": self.chains.bitcoin.block(0).name,
            **made.as_json(),
        }

    def tell(self, **more: Any) -> None:
        """Add to what `world.json` tells."""
        self._write(NOTE, {**self.told(), **more})

    def tick(self) -> int:
        """Let the members sign what is asked of them, and Bitcoin mine; how many signatures that were."""
        with self._lock:
            signed = self.signers.tick()
            bitcoin = self.chains.bitcoin
            # with nothing to confirm it rests, or a rehearsal of days would fill the disk
            if self.mining and (bitcoin.pool() or bitcoin.quiet_blocks() < QUIET_BLOCKS):
                bitcoin.mine()
            return signed

    def run_in_background(self, interval_s: float) -> None:
        """Tick each so many seconds from now on, until it is stopped."""
        if self._thread is not None:
            raise BadInput("the rehearsal ticks already")
        self._thread = threading.Thread(target=self._run, args=(interval_s,), name="tbtc rehearsal", daemon=True)
        self._thread.start()

    def _run(self, interval_s: float) -> None:
        while not self._ends.wait(interval_s):
            try:
                self.tick()
            except (ValtracError, Reverted, NodeSaid) as error:  # the next tick looks again
                _log.warning("the rehearsal's tick failed: %s", error)

    def stop(self) -> None:
        """End everything, and leave both chains in the folder. Twice does no harm."""
        self._ends.set()
        if self._thread is not None:
            self._thread.join(30)
        self.electrum.close()
        self._store_bitcoin()
        self.anvil.stop()
        (self.folder / NOTE).unlink(missing_ok=True)

    def _store_bitcoin(self) -> None:
        """At every block: anvil leaves its state when this process is killed, and the two have to fit."""
        with self._storing:  # the newest is what stays, whoever mined
            self._write(BITCOIN, {"system": self.chains.system.as_json(), "bitcoin": self.chains.bitcoin.dump()})

    def _write(self, name: str, value: dict[str, Any]) -> None:
        fresh = self.folder / f"{name}.new"
        write_for_its_owner(fresh, json.dumps(value, indent=1, sort_keys=True).encode())
        fresh.replace(self.folder / name)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def where(folder: Path) -> dict[str, Any] | None:
    """What `world.json` of a folder tells; None while its rehearsal does not run."""
    told = _note(folder)
    if told is None or not _lives(told["pid"]) or told.get("born", "") != _born(told["pid"]):
        return None
    return told


def _note(folder: Path) -> dict[str, Any] | None:
    try:
        told: dict[str, Any] = json.loads((folder / NOTE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return None
    return told


def _await_end(folder: Path) -> None:
    """Wait until the anvil of a rehearsal that was killed has left its state."""
    told, until = _note(folder), time.monotonic() + _PATIENCE_S
    while told is not None and _lives(told["anvil_pid"]) and time.monotonic() < until:
        time.sleep(0.02)


def _born(pid: int) -> str:
    """When a process began, which tells it from a later one of the same number; "" where the system does not say. One
    that has ended, and whose parent took no notice, began at no time."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return ""
    return "never" if fields[0] == "Z" else fields[19]


def _lives(pid: int) -> bool:
    with suppress(ProcessLookupError, PermissionError):
        os.kill(pid, 0)
        return True
    return False
