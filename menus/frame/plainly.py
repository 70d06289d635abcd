"""Whether everything is shown for grep, awk and people's ears: one line a row, tabs between columns, no colours."""

from __future__ import annotations

on = False  # set for one run by --plain
