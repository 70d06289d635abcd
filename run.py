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
        from menus.frame.ui import Back, Ui
        from valtrac.core.errors import Exit, ValtracError
    except KeyboardInterrupt:
        return INTERRUPTED

    ui = Ui(as_json="--json" in arguments)
    try:
        if not arguments:
            from menus import loop

            code = int(loop(ui))
        else:
            from menus.program import run

            code = int(run(arguments))
        sys.stdout.flush()
        return code
    except ValtracError as error:
        ui.error(error)
        return int(error.exit_code)
    except (KeyboardInterrupt, Back):
        ui.say("Stopped.")
        return INTERRUPTED
    except BrokenPipeError:  # whoever read us has read enough; keep the interpreter's last flush quiet
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return int(Exit.DONE)
    except Exception as error:
        from menus.frame.first_screen import unforeseen

        ui.error(unforeseen(error))
        return int(Exit.OUR_FAULT)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
