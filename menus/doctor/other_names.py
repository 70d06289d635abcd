"""Other words by which people know what stands in these menus; the palette finds it by them too."""

from __future__ import annotations

ALSO = {"Check everything (doctor)": "doctor health diagnose problems status"}
