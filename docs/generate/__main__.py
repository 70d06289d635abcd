"""`make reference`: write the pages of the reference that are made from the program."""

from __future__ import annotations

from docs.generate import write

print(f"{write()} pages of the reference are made")
