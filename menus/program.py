"""The commands: one file per group, found by its name; each parses, wires and hands over."""

from __future__ import annotations

import ast
import functools
import importlib
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from menus import examples
from menus.frame import calling, dashes
from valtrac import __version__
from valtrac.core.errors import BadInput

INTERRUPTED = 130


def run(arguments: list[str]) -> int:
    """Run one command. Raises BadInput where the words of the call are off."""
    command = commands(_called(arguments))
    try:
        with dashes.session(arguments):
            code = int(command.main(args=arguments or ["--help"], prog_name=calling.name(), standalone_mode=False) or 0)
    except typer.Exit as error:
        code = error.exit_code
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    except TyperException as error:
        if type(error).__name__ == "NoArgsIsHelpError":  # a group called alone: its help is the answer
            sys.stdout.write(error.format_message() + "\n")
            return 2
        raise BadInput(
            error.format_message(), fix=calling.named("see: run.py --help, or --help after the command")
        ) from error
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
    command = typer.main.get_command(program(called))
    examples.attach(command)
    dashes.attach(command)
    return command


def program(called: str) -> typer.Typer:
    """The whole tree of commands; only the group that is called, where it is one, is loaded with all it needs."""
    from menus.frame.grouping import group

    app = group(
        "ValTrac pays the people behind a validator exactly once. Without a command: the menus.\n\n"
        "Exit codes: 0 done, 1 our fault, 2 bad input, 3 refused by policy, 4 chain unreachable, "
        "5 outcome unknown: reconcile.\n\n"
        "With --plain tables are lines with tabs between columns, without colours. In the place of a file, - is "
        "standard input or output."
    )
    app.callback()(_no_command)  # or Typer would take a command that is loaded alone for the program itself
    known = found()
    if not called:
        for name in sorted(known):
            app.command(name, help=_help_of(name, known[name]))(_elsewhere)
        return app
    module = importlib.import_module(known[called])
    if hasattr(module, "app"):
        app.add_typer(module.app, name=called)
    else:
        app.command(called)(getattr(module, called.replace("-", "_")))
    return app


def _help_of(name: str, module: str) -> str:
    """What a group or command says of itself, read in its file: loading all of them takes seconds."""
    path = Path(__file__).parent.joinpath(*module.split(".")[1:]).with_suffix(".py")
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "app" and isinstance(node.value, ast.Call):
            said = [*node.value.args, *(word.value for word in node.value.keywords)][0]
            return str(ast.literal_eval(said))
        if isinstance(node, ast.FunctionDef) and node.name == name.replace("-", "_"):
            return ast.get_docstring(node) or ""
    raise LookupError(f"{module} has neither a group nor a command of its own name")


def found() -> dict[str, str]:
    """name -> module of every file in a folder `commands`: a group in `app`, or a command of the file's own name.
    Where that is a word of Python (import), the file's name ends with an underscore."""
    here = Path(__file__).parent
    files = [path for path in here.glob("*/commands/*.py") if path.stem != "__init__"]
    return {
        path.stem.rstrip("_").replace("_", "-"): ".".join(path.relative_to(here.parent).with_suffix("").parts)
        for path in files
    }


def _version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"ValTrac {__version__}\n")
        raise typer.Exit


Version = Annotated[
    bool, typer.Option("--version", callback=_version, is_eager=True, help="Say which version this is, and leave.")
]


def _no_command(version: Version = False) -> None:
    pass


def _elsewhere() -> None:
    """The place of a command that is loaded when it is called."""
