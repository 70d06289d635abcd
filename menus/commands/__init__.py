"""The commands: one file per group, found by name; each parses, wires and hands over."""

from __future__ import annotations

import importlib
import sys

import typer
from typer.exceptions import TyperException

from valtrac.errors import BadInput

INTERRUPTED = 130
GROUPS = ("users", "referrals", "policy", "snapshot", "payout", "contracts", "price", "ledger", "logger", "devnet")


def run(arguments: list[str]) -> int:
    """Run one command. Raises BadInput where the words of the call are off."""
    command = typer.main.get_command(program(arguments))
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
        raise BadInput(error.format_message(), "", "see: run.py --help, or --help after the command") from error
    if code == INTERRUPTED:  # what Typer makes of Ctrl-C
        raise KeyboardInterrupt
    return code


def program(arguments: list[str]) -> typer.Typer:
    """The whole tree of commands; only the group that is called is loaded with all it needs."""
    from menus.commands.common import group

    app = group(
        "ValTrac pays the people behind a validator exactly once. Without a command: the menus.\n\n"
        "Exit codes: 0 done, 1 our fault, 2 bad input, 3 refused by policy, 4 chain unreachable, "
        "5 outcome unknown: reconcile."
    )
    called = next((word for word in arguments if not word.startswith("-")), None)
    for name in GROUPS if called not in GROUPS else (called,):
        module = importlib.import_module(f"menus.commands.{name}")
        app.add_typer(module.app, name=name)
    if called not in GROUPS:
        from menus.commands import chart, demo, proof, statement, stats

        app.command("chart")(chart.chart)
        app.command("stats")(stats.stats)
        app.command("statement")(statement.statement)
        app.command("what-if")(stats.what_if)
        app.command("verify")(proof.verify)
        app.add_typer(proof.audit, name="audit")
        app.command("demo")(demo.demo)
    return app
