#!/usr/bin/env python3
"""ValTrac. Without arguments: the menus. With arguments: one command (see --help)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from valtrac.errors import ValtracError

CHECKOUT = Path(__file__).resolve().parent
sys.path.insert(0, str(CHECKOUT))


def main(arguments: list[str]) -> int:
    """Run the menus or one command; return its exit code. Never shows a traceback."""
    from menus.ui import Back, Ui
    from valtrac.errors import Exit, ValtracError

    ui = Ui(as_json="--json" in arguments)
    try:
        if not arguments:
            from menus import loop

            return int(loop(ui))
        from menus.commands import run

        return int(run(arguments))
    except ValtracError as error:
        ui.error(error)
        return int(error.exit_code)
    except (KeyboardInterrupt, Back):
        ui.say("Stopped.")
        return 130
    except BrokenPipeError:
        sys.stderr.close()
        return int(Exit.DONE)
    except Exception as error:
        ui.error(_unforeseen(error))
        return int(Exit.OUR_FAULT)


def _unforeseen(error: Exception) -> ValtracError:
    """An error nobody thought of: the details go to a file of the owner's, never to the screen."""
    import traceback

    from valtrac.domain.text import plain
    from valtrac.errors import ValtracError

    where = ""
    try:
        from valtrac.config import load

        path = load().logs / "errors.log"
        path.parent.mkdir(parents=True, exist_ok=True)
        with open(path, "a", encoding="utf-8") as file:
            file.write(
                "".join(plain(line, 2000) + "\n" for line in traceback.format_exc(chain=True).splitlines()) + "\n"
            )
        where = str(path)
    except (OSError, ValtracError):
        where = ""
    return ValtracError(
        f"something unforeseen: {type(error).__name__}: {plain(error)}",
        "this is a fault of ValTrac's",
        f"the details are in {where}; please report them" if where else "please report it",
    )


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
