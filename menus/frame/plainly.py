"""Whether everything is shown for grep, awk and people's ears: one line a row, tabs between columns, no colours."""

from __future__ import annotations

from valtrac.core.addresses import shortened

on = False  # set for one run by --plain


def short(address: str) -> str:
    """An address as a cell of a table shows it: shortened for the eye, whole for a program."""
    return address if on else shortened(address)
