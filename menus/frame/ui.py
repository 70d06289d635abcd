"""The screen: with the files beside it the only place that knows questionary and rich.

Everything that people or chains wrote passes `plain` and is printed as text, never as markup.
Records go to stdout, words to stderr; with `json=True` records are JSON and so are problems.
"""

from __future__ import annotations

from menus.frame.asking import Asking, Back, Elsewhere

__all__ = ["Back", "Elsewhere", "Ui"]


class Ui(Asking):
    """One terminal. Colours follow NO_COLOR and the terminal; without one, plain text."""
