"""Every command with its arguments, options and examples, read from the tree that the program itself is called by."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from docs.generate.markdown import code, escaped, table
from menus import examples, program
from valtrac.core.home import CHECKOUT

EVERYWHERE = ("--help",)
INTRODUCTION = """# Commands

`run.py --help` lists them, `run.py GROUP --help` explains a group, and each help ends with examples. Without a command
you get the menus. In an [installed program](../../how-to/install.md#as-a-command-of-its-own) `run.py` is called
`valtrac`. What goes where, and what an exit code means: [Exit codes and output](../exit-codes.md).

"""


def pages() -> dict[str, str]:
    """name of the page -> its text: one for each group or command of the first level, and an `index` of all."""
    tree = {name: program.commands(name).commands[name] for name in sorted(program.found())}
    made = {name: _page(name, command) for name, command in tree.items()}
    return {"index": _index(tree), **made}


def walked(words: tuple[str, ...], command: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    """(words, command) of a command, or of every command under a group."""
    if not hasattr(command, "commands"):
        yield words, command
        return
    if command.invoke_without_command:  # a group that does something when it is called alone
        yield words, command
    for name, each in sorted(command.commands.items()):
        yield from walked((*words, name), each)


@contextmanager
def called(words: tuple[str, ...], command: Any, arguments: list[str], **how: bool) -> Iterator[Any]:
    """The context of a command that is called within the program, which is where it has its -h from."""
    whole = program.commands(words[0])
    with (
        whole.make_context("run.py", [], resilient_parsing=True) as parent,
        command.make_context(words[-1], arguments, parent=parent, **how) as context,
    ):
        yield context


def _index(tree: dict[str, Any]) -> str:
    rows = []
    for name, command in tree.items():
        under = [" ".join(words[1:]) for words, _ in walked((name,), command) if words[1:]]
        links = ", ".join(f"[{code(each)}]({name}.md#{name}-{each.replace(' ', '-')})" for each in under)
        rows.append((f"[{code(name)}]({name}.md)", escaped(_first(command)), links))
    return INTRODUCTION + table(("group", "what it is for", "commands"), rows)


def _page(name: str, command: Any) -> str:
    found = list(walked((name,), command))
    if found[0][0] == (name,) and len(found) == 1:
        return f"# {name}\n\n" + _command((name,), command)
    parts = [f"# {name}\n\n{_words(command)}\n"]
    parts += [f"## {' '.join(words)}\n\n" + _command(words, each) for words, each in found]
    return "\n".join(parts)


def _command(words: tuple[str, ...], command: Any) -> str:
    with called(words, command, [], resilient_parsing=True) as context:
        pieces = " ".join(command.collect_usage_pieces(context))
        records = [(each, each.get_help_record(context)) for each in command.params]
    shown = [(each, record) for each, record in records if record and each.opts[0] not in EVERYWHERE]
    usage = " ".join(["run.py", *words, pieces]).replace("{", "").replace("}", "").strip()
    parts = [f"{_words(command)}\n", f"```text\n{usage}\n```\n"]
    for kind, title in (("argument", "argument"), ("option", "option")):
        rows = [(code(_typed(record[0])), _told(record[1])) for each, record in shown if each.param_type_name == kind]
        parts.append(table((title, "what it is"), rows))
    parts.append(_examples(words))
    return "\n".join(part for part in parts if part)


def _examples(words: tuple[str, ...]) -> str:
    size = len(words)
    own = [line for line in examples.by_command().get(" ".join(words), []) if line.split()[:size] == list(words)]
    return '```sh title="Examples"\n' + "\n".join(f"run.py {line}" for line in own) + "\n```\n" if own else ""


def _words(command: Any) -> str:
    """What a command says of itself, in paragraphs."""
    told = inspect.cleandoc(command.help or "").replace("\b\n", "")
    return "\n\n".join(escaped(part) for part in told.split("\n\n"))


def _first(command: Any) -> str:
    return str(inspect.cleandoc(command.help or "").split("\n\n")[0])


def _typed(signature: str) -> str:
    """`--from <int range>` as people say it."""
    said = {"str": "WORDS", "int range": "NUMBER", "int": "NUMBER", "float range": "NUMBER", "float": "NUMBER"}
    return re.sub(r"<([^>]*)>", lambda found: said.get(found[1], found[1].upper().replace(" ", "-")), signature)


def _told(words: str) -> str:
    """The words about an option, without the bound that only says how large a number can be, and without the place of
    this checkout."""
    text = words.replace(f"{CHECKOUT}/", "")
    text = re.sub(r"\[0<=x<=9007199254740992\]|\[1<=x<=9007199254740992\]", "", text)
    text = re.sub(r"\[[01]<=x<=9007199254740992; ", "[", text)
    return escaped(text)
