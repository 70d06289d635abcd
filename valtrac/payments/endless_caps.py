"""The caps of an unattended payer: without an end to them it is not given its keys."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from valtrac.core.errors import Refused
from valtrac.core.setting_types import LARGEST_SQL_INTEGER


def refuse_without_end(
    caps: Mapping[str, int],
    fitting: Callable[[], Mapping[str, int]],
    *,
    wallet: str,
    endless: int = LARGEST_SQL_INTEGER,
) -> None:
    """Raise Refused while a cap has no end.

    caps: setting -> units, those of a setting without a value the largest there are. fitting: setting -> a value that
    fits what is owed, as it would be written; asked only where one is needed. wallet: what could be emptied, in a word.
    endless: units of a cap without an end.
    """
    lacking = [name for name, units in caps.items() if units >= endless]
    if not lacking:
        return
    fits = fitting()
    raise Refused(
        f"{' and '.join(lacking)} {'has' if len(lacking) == 1 else 'have'} no value",
        why=f"whoever could make this payer believe something could empty the {wallet} at once",
        fix="write into .env, then unlock again: " + ", ".join(f"{name}={fits[name]}" for name in lacking),
    )
