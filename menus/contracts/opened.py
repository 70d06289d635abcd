"""The custodian's side, opened for one command."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Annotated, TypeVar

import typer

from menus.frame.commands import loaded
from menus.frame.ui import Ui
from valtrac.core.errors import ValtracError
from valtrac.wiring.contracts import ContractsApp

Client = Annotated[str | None, typer.Option("--client", help="Of one client, by name or account id.")]
T = TypeVar("T")


def with_app(act: Callable[[ContractsApp], T]) -> T:
    """Do something with the custodian's side, and close it."""
    own = ContractsApp(loaded())
    try:
        return act(own)
    finally:
        own.close()


def of_the_chain(ui: Ui, own: ContractsApp, *, quietly: bool = False) -> datetime:
    """What time it is on the chain; by the clock of this machine where no node tells it; quietly: that is not said."""
    try:
        return own.chain.finalized().at
    except ValtracError as error:
        if not quietly:
            ui.warn(f"{error.what}: by the clock of this machine")
        return datetime.now(UTC)
