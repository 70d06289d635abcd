"""`run.py backup ...`: copies of everything, read back, and put in place again."""

from __future__ import annotations

from typing import Annotated

import typer

from menus.backups import views
from menus.frame.commands import Json, Yes, agree, from_stdin, loaded, screen
from menus.frame.grouping import group
from valtrac.core.errors import Exit

app = group("Backups: now, list, verify, restore, compare, new-key.")
Named = Annotated[str | None, typer.Argument(help="Its name, or where it is; without one, the newest.")]
SecretStdin = Annotated[bool, typer.Option("--secret-stdin", help="Read the secret key of a sealed one from stdin.")]

AcceptHistory = Annotated[
    bool,
    typer.Option("--accept-history", help="Nothing that the payout wallet sent before its first batch was a payment."),
]


@app.command()
def now(as_json: Json = False) -> None:
    """Make a backup of every database and list of payments, while everything goes on."""
    views.make(screen(as_json), loaded())


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List the backups, the newest first."""
    views.show(screen(as_json), loaded())


@app.command()
def verify(name: Named = None, secret_stdin: SecretStdin = False, as_json: Json = False) -> int:
    """Read a backup back into a scratch folder, and audit its databases there."""
    secret = from_stdin(secret_stdin) or ""
    whole = views.verify(screen(as_json), views.chosen(loaded(), name), secret)
    return int(Exit.DONE if whole else Exit.OUR_FAULT)


@app.command()
def restore(name: Named = None, secret_stdin: SecretStdin = False, yes: Yes = False, as_json: Json = False) -> int:
    """Put a backup in the place of what is here, which is moved aside. Nobody is paid before `backup compare`."""
    ui, settings = screen(as_json), loaded()
    path, secret = views.chosen(settings, name), from_stdin(secret_stdin) or ""
    if not agree(ui, yes, f"Put {path.name} in the place of what is here? It is moved aside."):
        ui.say("Nothing was changed.")
        return int(Exit.REFUSED)
    views.restore(ui, settings, path, secret)
    return int(Exit.DONE)


@app.command()
def compare(accept_history: AcceptHistory = False, as_json: Json = False) -> None:
    """Compare restored databases with their chains and lists of payments; only then do they pay again."""
    views.compare(screen(as_json), loaded(), accept_history=accept_history)


@app.command("new-key")
def new_key() -> None:
    """Make keys for sealed backups: a public one for .env, and a secret one that no machine keeps."""
    views.new_key(screen())
