"""The command that does the same as what was just done in a menu, ready to be pasted into a script.

It is made of the command's own parameters, so that it cannot name one that there is not. No command takes a secret as
an argument: where one needs a password, it reads it from standard input.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

from menus.frame import calling
from menus.frame.ui import Ui
from valtrac.core.text import plain

LONGEST = 20_000


def tell(ui: Ui, command: str, **given: object) -> None:
    """Show the command below what it does. command: its words, such as "payout plan"; given: its parameters, by the
    names of the function behind it; None, "", False and defaults are left out."""
    line = line_of(command, **given)
    if line == plain(line, LONGEST):  # else it would not be the same command any more
        ui.same_as(line)


def doing(ui: Ui, act: Callable[[], object], command: str | None, *, locked: bool = False) -> None:
    """Do something, and tell its command, where it has one that needs to be told nothing. locked: the wallet that it
    pays from has a password."""
    act()
    if command is not None:
        asks = any(parameter.name == "password_stdin" for parameter in _command(command.split()).params)
        tell(ui, command, **({"password_stdin": locked} if asks else {}))


def once(ui: Ui, command: str, **given: object) -> None:
    """The same for what a menu shows again after each of its actions: once for each time that it is opened."""
    if command not in ui.told:
        ui.told.add(command)
        tell(ui, command, **given)


def line_of(command: str, **given: object) -> str:
    """The command as a line for a shell. Raises ValueError for a parameter that it does not have, or one that lacks."""
    words = command.split()
    found = _command(words)
    known = {parameter.name for parameter in found.params}
    if set(given) - known:
        raise ValueError(f"{command} has no {', '.join(sorted(set(given) - known))}")
    options, arguments = list[str](), list[str]()
    for parameter in found.params:
        value = given.get(parameter.name)
        unsaid = value is None or value is False or value == "" or value == () or value == []
        if unsaid or (not parameter.required and type(value) is type(parameter.default) and value == parameter.default):
            if parameter.required:
                raise ValueError(f"{command} needs {parameter.name}")
            continue
        if parameter.param_type_name == "argument":
            arguments += _texts(value)
        else:
            options += _option(parameter, value)
    if any(text.startswith("-") for text in arguments):
        options, arguments = [*options, "--", *arguments], []
    return shlex.join([calling.name(), *words, *arguments, *options])


def _option(parameter: Any, value: object) -> list[str]:
    name = max(parameter.opts, key=len)
    if value is True:
        return [name]
    texts = _texts(value)
    return [word for text in texts for word in ([f"{name}={text}"] if text.startswith("-") else [name, text])]


def _texts(value: object) -> list[str]:
    many: Iterable[object] = value if isinstance(value, list | tuple) else [value]
    return [str(each.expanduser().resolve()) if isinstance(each, Path) else str(each) for each in many]


def _command(words: list[str]) -> Any:
    from menus.program import commands

    found = commands(words[0])
    for word in words:
        found = found.commands[word]
    return found
