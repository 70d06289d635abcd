"""What goes wrong in the background, in threads and in libraries: kept in a file, never printed over the screen."""

from __future__ import annotations

import logging
import sys
import threading
from typing import Any


def quiet() -> None:
    """From now on no thread, no destructor and no library writes onto the owner's screen by itself."""
    logging.getLogger().addHandler(logging.NullHandler())  # without any, Python prints warnings of libraries itself
    threading.excepthook = _of_thread
    sys.unraisablehook = _of_destructor


def _of_thread(found: threading.ExceptHookArgs) -> None:
    _kept(found.exc_value)


def _of_destructor(found: Any) -> None:
    _kept(found.exc_value)


def _kept(error: BaseException | None) -> None:
    from menus.frame.first_screen import keep_details

    if error is not None and not isinstance(error, SystemExit):
        keep_details(error)
