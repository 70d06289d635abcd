"""The manual page of the command that an installation puts onto the path: every command with its options, in roff."""

from __future__ import annotations

import inspect
import re
from typing import Any

from docs.generate.commands import EVERYWHERE, called, walked
from menus import program
from valtrac import __version__
from valtrac.core.home import CHECKOUT

EXIT_CODES = (
    ("0", "done"),
    ("1", "a fault of the program"),
    ("2", "bad input; nothing was changed"),
    ("3", "refused by policy"),
    ("4", "the chain cannot be reached"),
    ("5", "the outcome is not known: valtrac payout reconcile"),
)


def page() -> str:
    """The whole page. It names no day: the same program makes the same page."""
    parts = [
        f'.TH VALTRAC 1 "" "ValTrac {__version__}" "User commands"',
        ".SH NAME\nvaltrac \\- pays the people behind a validator exactly once",
        ".SH SYNOPSIS\n.B valtrac\n.RI [ COMMAND ]\n.RI [ OPTIONS ]",
        ".SH DESCRIPTION\nWithout a command the menus open. Each command ends with examples of its own under "
        "\\fB\\-\\-help\\fR. With \\fB\\-\\-plain\\fR tables are lines with tabs between columns; in the place "
        "of a file, \\fB\\-\\fR is standard input or output.",
        ".SH COMMANDS",
    ]
    for name in sorted(program.found()):
        for words, command in walked((name,), program.commands(name).commands[name]):
            parts.append(_command(words, command))
    parts.append(".SH EXIT STATUS")
    parts += [f".TP\n.B {code}\n{words}" for code, words in EXIT_CODES]
    parts.append(
        ".SH FILES\n.TP\n.I ~/.local/share/valtrac\nThe home: .env with the settings, data/ and logs/. VALTRAC_HOME "
        "names another one."
    )
    return "\n".join(parts) + "\n"


def _command(words: tuple[str, ...], command: Any) -> str:
    with called(words, command, [], resilient_parsing=True) as context:
        pieces = " ".join(command.collect_usage_pieces(context))
        records = [(each, each.get_help_record(context)) for each in command.params]
    told = inspect.cleandoc(command.help or "").split("\n\n")[0]
    lines = [f".SS {_plain(' '.join((*words, pieces)))}", _plain(" ".join(told.split()))]
    for each, record in records:
        if record and each.opts[0] not in EVERYWHERE:
            lines.append(f".TP\n.B {_plain(record[0])}\n{_plain(' '.join(_bounded(record[1]).split()))}")
    return "\n".join(line for line in lines if line)


def _bounded(words: str) -> str:
    """Without the bound that only says how large a number can be, and without the place of this checkout."""
    return re.sub(r"\[[01]<=x<=9007199254740992\]", "", words.replace(f"{CHECKOUT}/", ""))


def _plain(text: str) -> str:
    """Text that roff takes for nothing but text."""
    escaped = text.replace("\\", "\\e").replace("-", "\\-")
    return f"\\&{escaped}" if escaped.startswith((".", "'")) else escaped
