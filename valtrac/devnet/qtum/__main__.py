"""`python -m valtrac.devnet.qtum DIRECTORY [--port N] [--pace SECONDS]`: serve a node until it is told to end."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from pathlib import Path

from valtrac.core.errors import ValtracError
from valtrac.devnet.qtum.server import Server


def main() -> int:
    """Serve until SIGTERM or SIGINT; the exit code."""
    parser = argparse.ArgumentParser(prog="qtumd", description=__doc__)
    parser.add_argument("directory", type=Path)
    parser.add_argument("--port", type=int, default=0, help="0: any that is free")
    parser.add_argument("--pace", type=float, metavar="SECONDS", help="make a block each so many seconds")
    given = parser.parse_args()
    ended = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: ended.set())
    try:
        with Server(given.directory, port=given.port, pace_s=given.pace):
            ended.wait()
    except ValtracError as error:
        print(error, file=sys.stderr)
        return int(error.exit_code)
    return 0


if __name__ == "__main__":
    sys.exit(main())
