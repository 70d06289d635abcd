"""`run.py completion SHELL`: a script that completes commands and options in a shell."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from menus.completing import SCRIPTS, how_called, script
from valtrac.core.errors import BadInput
from valtrac.core.text import plain


def completion(shell: Annotated[str, typer.Argument(help="bash, zsh or fish.")]) -> None:
    """Print a script that completes commands and options; for run.py, python run.py and valtrac alike.

    In ~/.bashrc or ~/.zshrc: eval "$(.venv/bin/python run.py completion bash)". In fish pipe it into source.
    """
    if shell not in SCRIPTS:
        raise BadInput(f"there is no script for {plain(shell, 40)!r}", fix=f"one of {', '.join(SCRIPTS)}")
    sys.stdout.write(script(shell, how_called()))
