"""A group of commands: with the help that all of them have, and nothing loaded for it but Typer."""

from __future__ import annotations

import typer


def group(help_: str) -> typer.Typer:
    """A group of commands."""
    return typer.Typer(
        help=help_,
        no_args_is_help=True,
        add_completion=False,  # `completion` prints scripts that know how this program is called
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
