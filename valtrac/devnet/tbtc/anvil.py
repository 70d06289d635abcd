"""anvil as a process of ours: found, started on a free port of this machine, stopped."""

from __future__ import annotations

import ctypes
import json
import os
import platform
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Self

from valtrac.core.errors import BadInput, ChainUnreachable
from valtrac.devnet.tbtc.node import Node

CHAIN_ID = 31337
ROOT = Path(__file__).parents[3]
_PATIENCE_S = 20.0
_SYSTEMS = {"Linux": "linux", "Darwin": "darwin", "Windows": "win32"}
_MACHINES = {"x86_64": "amd64", "AMD64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_PR_SET_PDEATHSIG = 1


def found(root: Path = ROOT) -> Path | None:
    """The program: that of the project's node_modules, or one on the PATH; None where neither is there and runs."""
    system, machine = _SYSTEMS.get(platform.system(), ""), _MACHINES.get(platform.machine(), "")
    # the package for this machine has the program itself; the one named `anvil` has a Node script that starts it
    here = root / "node_modules" / "@foundry-rs" / f"anvil-{system}-{machine}" / "bin"
    places = [here / name for name in ("anvil", "anvil.exe")]
    if on_path := shutil.which("anvil"):
        places.append(Path(on_path))
    return next((place for place in places if os.access(place, os.X_OK) and _runs(place)), None)


@cache
def _runs(program: Path) -> bool:
    """Whether this machine can run it: it wants a C library of 2022 or newer."""
    try:
        done = subprocess.run([str(program), "--version"], capture_output=True, timeout=_PATIENCE_S)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


@dataclass(frozen=True, slots=True)
class Options:
    """How anvil is started.

    block_time_s: a block each so many seconds. mining: False for blocks on demand only; neither of both: a block for
    each transaction. timestamp: the time of the first block, seconds since 1970. load, dump: a file with the state to
    begin with, and one to leave it in at the end. port: 0 for a free one.
    """

    block_time_s: int | None = None
    mining: bool = True
    timestamp: int | None = None
    load: Path | None = None
    dump: Path | None = None
    port: int = 0
    base_fee_wei: int | None = None

    def arguments(self, port: int) -> list[str]:
        """The same for the command line."""
        said = ["--host", "127.0.0.1", "--port", str(port), "--chain-id", str(CHAIN_ID), "--silent"]
        # fifo: what was sent first is mined first, as the nonces of several senders do not tell
        said += ["--order", "fifo", "--accounts", "20", "--balance", "1000000"]
        for option, value in (
            ("--block-time", self.block_time_s),
            ("--timestamp", self.timestamp if self.load is None else first_moment(self.load)),
            ("--load-state", self.load),
            ("--dump-state", self.dump),
            ("--block-base-fee-per-gas", self.base_fee_wei),
        ):
            said += [] if value is None else [option, str(value)]
        return said if self.mining else [*said, "--no-mining"]


class Anvil(Node):
    """A running anvil: started when made, stopped by `stop` or at the end of a `with`.

    On Linux it also ends with the thread that started it, so that a killed test leaves nothing behind: a thread that
    starts it has to live as long.
    """

    def __init__(self, options: Options | None = None, *, program: Path | None = None) -> None:
        """Raises BadInput where there is no anvil, ChainUnreachable where it does not come up."""
        options, program = options or Options(), program or found()
        if program is None:
            raise BadInput(
                "there is no anvil on this machine that runs",
                why=f"neither in {ROOT / 'node_modules'} nor on the PATH",
                fix="make tools",
            )
        port = _free_port(options.port)
        super().__init__(f"http://127.0.0.1:{port}")
        self._process = subprocess.Popen(  # noqa: S603 - a program of ours, and numbers
            [str(program), *options.arguments(port)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            preexec_fn=_dies_with_parent(),
        )
        try:
            self._await()
            if options.load is not None:
                self._go_on_from(options.timestamp)
        except BaseException:
            self.stop()
            raise

    def _await(self) -> None:
        until = time.monotonic() + _PATIENCE_S
        while self._process.poll() is None and time.monotonic() < until:
            try:
                self.call("web3_clientVersion")
            except ChainUnreachable:
                time.sleep(0.01)
            else:
                return
        self._process.kill()
        assert self._process.stderr is not None
        said = self._process.stderr.read().decode(errors="replace").strip()
        raise ChainUnreachable(
            "anvil does not start", why=said[-500:], fix="it needs glibc 2.35 or newer: ldd --version"
        )

    def _go_on_from(self, timestamp: int | None) -> None:
        """Let the clock go on where the loaded state stands, or from today where that is later: anvil itself would
        count on from its first block. The block that is made then carries that time."""
        head = self.now()
        self.call("evm_setTime", max(head + 1, int(time.time()) if timestamp is None else timestamp))
        self.call("evm_mine")

    @property
    def pid(self) -> int:
        """The number of the process."""
        return self._process.pid

    def stop(self) -> None:
        """End the process; its state is in the dump file afterwards, if there was to be one. Twice does no harm."""
        self.close()
        if self._process.poll() is None:
            self._process.terminate()
            try:
                self._process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        if self._process.stderr is not None:
            self._process.stderr.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def first_moment(state: Path) -> int | None:
    """The time of the first block of a stored state, seconds since 1970: a node that is started with the same one has
    the same first block, and so is the same chain for who knows it by that. None: it is no state; anvil says why."""
    try:
        blocks = json.loads(state.read_text(encoding="utf-8"))["blocks"]
        return min(int(each["header"]["timestamp"], 16) for each in blocks if int(each["header"]["number"], 16) == 0)
    except (OSError, ValueError, LookupError, TypeError):
        return None


def _free_port(wanted: int) -> int:
    """The wanted port, or any for 0. Raises ChainUnreachable where somebody has it: he would answer in our name."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # one that was just left is free
        try:
            listener.bind(("127.0.0.1", wanted))
        except OSError as error:
            raise ChainUnreachable(f"anvil cannot have port {wanted}", why=str(error), fix="take another") from error
        return int(listener.getsockname()[1])


def _dies_with_parent() -> Callable[[], None] | None:
    """What makes Linux end the child when we are killed; elsewhere a killed parent leaves its anvil behind."""
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None, use_errno=True)  # loaded here: nothing may be imported between fork and exec

    def ask() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)

    return ask
