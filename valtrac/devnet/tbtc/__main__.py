"""The rehearsal as a process: `python -m valtrac.devnet.tbtc FOLDER`, until it is interrupted."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path
from types import FrameType

from valtrac.core.errors import Exit, ValtracError
from valtrac.devnet.tbtc.anvil import Options
from valtrac.devnet.tbtc.control import Control
from valtrac.devnet.tbtc.world import World


def main() -> int:
    """Run what a folder holds, and leave it there at the end."""
    said = argparse.ArgumentParser(prog="valtrac.devnet.tbtc", description=__doc__)
    said.add_argument("folder", type=Path, help="where it is left at the end; world.json in it tells where all is")
    said.add_argument("--interval", type=float, default=1.0, help="seconds between two Bitcoin blocks (1)")
    said.add_argument("--block-time", type=int, help="seconds between two Ethereum blocks; without: one a transaction")
    said.add_argument("--port", type=int, default=0, help="port of the Ethereum node; without: a free one")
    said.add_argument("--electrum", default="tcp", help="by commas: tcp, ssl, ws, wss (tcp)")
    asked = said.parse_args()
    ended = threading.Event()

    def end(_number: int, _frame: FrameType | None) -> None:
        ended.set()

    signal.signal(signal.SIGTERM, end)
    signal.signal(signal.SIGINT, end)
    options = Options(block_time_s=asked.block_time, port=asked.port)
    try:
        with World.start(asked.folder, options=options, transports=asked.electrum.split(",")) as world:
            world.run_in_background(asked.interval)
            control = Control(world)
            world.tell(control_url=control.url, control_word=control.word)
            sys.stdout.write(f"Ethereum {world.anvil.url}  Bitcoin {', '.join(world.electrum.urls.values())}\n")
            sys.stdout.flush()
            ended.wait()
            control.close()
    except ValtracError as error:
        sys.stderr.write(f"error  {error}\n")
        return int(error.exit_code)
    return int(Exit.DONE)


if __name__ == "__main__":
    sys.exit(main())
