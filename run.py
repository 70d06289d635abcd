#!/usr/bin/env python3
"""ValTrac. Without arguments: the menus. With arguments: one command (see --help)."""

from __future__ import annotations

import os
import sys
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent
sys.path.insert(0, str(CHECKOUT))
INTERRUPTED = 130


def main(arguments: list[str]) -> int:
    """Run the menus or one command; return its exit code. Never shows a traceback."""
    try:
        from menus.frame import background, streams
        from menus.frame.ui import Back, Ui
        from valtrac.core.errors import Exit
    except KeyboardInterrupt:
        return INTERRUPTED

    os.umask(0o077)  # what is written here has names and money in it; also what pm2 writes for us
    streams.begin()
    background.quiet()
    ui = Ui(as_json="--json" in arguments)
    try:
        if not arguments:
            from menus import loop

            code = int(loop(ui))
        else:
            from menus.program import run

            code = int(run(arguments))
        streams.end()
        return code
    except (KeyboardInterrupt, Back):
        ui.say("Stopped.")
        return INTERRUPTED
    except BrokenPipeError:  # whoever read us has read enough; keep the interpreter's last flush quiet
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.DONE)
    except Exception as error:
        from menus.frame import problems

        return problems.show(ui, error, problems.business_of(arguments))
    finally:
        streams.let_go()


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
