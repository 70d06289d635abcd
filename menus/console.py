"""ValTrac from a shell. Without arguments: the menus. With arguments: one command (see --help)."""

from __future__ import annotations

import os
import sys

INTERRUPTED = 130
PLAIN, COMPLETE = "--plain", "--complete"


def main(arguments: list[str]) -> int:
    """Run the menus or one command; return its exit code. Never shows a traceback."""
    if arguments[:1] == [COMPLETE]:
        from menus.completing import answer

        return answer(arguments[1:])
    try:
        from menus.frame import background, plainly, streams
        from menus.frame.ui import Back, Ui
        from valtrac.core.errors import Exit
    except KeyboardInterrupt:
        return INTERRUPTED

    os.umask(0o077)  # what is written here has names and money in it; also what pm2 writes for us
    streams.begin()
    background.quiet()
    options = arguments[: arguments.index("--")] if "--" in arguments else arguments
    plainly.on = PLAIN in options
    arguments = [word for place, word in enumerate(arguments) if word != PLAIN or place >= len(options)]
    ui = Ui(as_json="--json" in arguments)
    try:
        code = _run(ui, arguments)
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
        plainly.on = False
        streams.let_go()


def _run(ui: object, arguments: list[str]) -> int:
    if not arguments:
        from menus import loop
        from menus.frame.ui import Ui

        assert isinstance(ui, Ui)
        return int(loop(ui))
    from menus.program import run

    return int(run(arguments))


def command() -> None:
    """The command `valtrac`, as an installation puts it onto the path."""
    raise SystemExit(main(sys.argv[1:]))


if __name__ == "__main__":
    command()
