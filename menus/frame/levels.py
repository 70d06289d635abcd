"""Menus inside menus: Ctrl-C leads one level back, and whatever goes wrong is told where it happened."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

from menus.frame.ui import Back, Elsewhere, Ui

T = TypeVar("T")


def attempt(ui: Ui, act: Callable[[], T]) -> T | None:
    """Do one thing; None when the owner turned back or it went wrong, which is then on the screen."""
    try:
        return act()
    except Elsewhere:  # chosen in the palette: the main menu goes there
        raise
    except Back:
        ui.hint("Back.")
    except KeyboardInterrupt:  # not at a question but while something was being done
        ui.warn("Stopped.")
    except Exception as error:
        from menus.frame import problems

        problems.show(ui, error, problems.PAYOUTS, problems.CONTRACTS, problems.POOL, problems.KEEPS)
    return None


def repeat(
    ui: Ui,
    question: str,
    options: Callable[[], Sequence[T]],
    act: Callable[[T], object],
    *,
    label: Callable[[T], str] = str,
    back: str = "Back",
) -> None:
    """Ask what to do, do it, and ask again, until the owner goes back or nothing is left to choose from.

    options: called each time, and free to show the state of things first. act: what to do with the
    choice; returning ENDED leaves the level.
    """
    while listed := options():
        chosen = ui.choose(question, listed, label=label, back=back)
        if chosen is None or attempt(ui, partial(act, chosen)) is ENDED:
            return


class _Ended:
    """What an action returns when its level has nothing more to do."""


ENDED = _Ended()
