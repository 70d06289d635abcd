"""The commands: one file per group, found by its name; each parses, wires and hands over."""

from __future__ import annotations

import functools
import importlib
import sys
from pathlib import Path
from typing import Any

import typer
from typer.exceptions import TyperException

from valtrac.core.errors import BadInput

INTERRUPTED = 130


def run(arguments: list[str]) -> int:
    """Run one command. Raises BadInput where the words of the call are off."""
    command = commands(_called(arguments))
    try:
        code = int(command.main(args=arguments or ["--help"], prog_name="run.py", standalone_mode=False) or 0)
    except typer.Exit as error:
        code = error.exit_code
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    except TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # a group called alone: its help is the answer
            sys.stdout.write(error.format_message() + "\n")
            return 2
        raise BadInput(error.format_message(), fix="see: run.py --help, or --help after the command") from error
    if code == INTERRUPTED:  # what Typer makes of Ctrl-C
        raise KeyboardInterrupt
    return code


def _called(arguments: list[str]) -> str:
    """The command or group that is called; "" where it is none of ours."""
    called = next((word for word in arguments if not word.startswith("-")), "")
    return called if called in found() else ""


@functools.cache
def commands(called: str) -> Any:
    """The tree of commands as Typer reads it out of our functions, which takes longer than most commands: once."""
    return typer.main.get_command(program(called))


def program(called: str) -> typer.Typer:
    """The whole tree of commands; only the group that is called, where it is one, is loaded with all it needs."""
    from menus.frame.commands import group

    app = group(
        "ValTrac pays the people behind a validator exactly once. Without a command: the menus.\n\n"
        "Exit codes: 0 done, 1 our fault, 2 bad input, 3 refused by policy, 4 chain unreachable, "
        "5 outcome unknown: reconcile."
    )
    app.callback()(_no_command)  # or Typer would take a command that is loaded alone for the program itself
    known = found()
    for name in (called,) if called else sorted(known):
        module = importlib.import_module(known[name])
        if hasattr(module, "app"):
            app.add_typer(module.app, name=name)
        else:
            app.command(name)(getattr(module, name.replace("-", "_")))
    return app


def found() -> dict[str, str]:
    """name -> module of every file in a folder `commands`: a group in `app`, or a command of the file's own name.
    Where that is a word of Python (import), the file's name ends with an underscore."""
    here = Path(__file__).parent
    files = [path for path in here.glob("*/commands/*.py") if path.stem != "__init__"]
    return {
        path.stem.rstrip("_").replace("_", "-"): ".".join(path.relative_to(here.parent).with_suffix("").parts)
        for path in files
    }


def _no_command() -> None:
    pass
