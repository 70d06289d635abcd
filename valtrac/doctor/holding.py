"""What every business that pays is looked at for: caps, transactions whose fate is open, and the file of its wallet."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from valtrac.core.checks import Check, bad, good, warning
from valtrac.core.setting_types import LARGEST_SQL_INTEGER

OTHERS = 0o077


@dataclass(frozen=True, slots=True)
class WalletFile:
    """The file of a wallet. others: other users may read it."""

    path: Path
    exists: bool
    others: bool


def look(path: Path) -> WalletFile:
    """How a wallet's file is; it is not opened."""
    there = path.is_file()
    return WalletFile(path, there, there and bool(stat.S_IMODE(path.stat().st_mode) & OTHERS))


def wallet(name: str, file: WalletFile | None, fix: str) -> list[Check]:
    """The file of a wallet; None: the wallet is of a rehearsal, and has none."""
    if file is None:
        return [good(f"{name}.wallet", "A rehearsal has a wallet of its own.")]
    if not file.exists:
        return [bad(f"{name}.wallet", f"There is no wallet at {file.path}.", fix)]
    if file.others:
        words = f"Other users of this machine can read the wallet {file.path}."
        return [
            good(f"{name}.wallet", f"The wallet is {file.path}."),
            bad(f"{name}.wallet-private", words, f"chmod 600 {quote(str(file.path))}"),
        ]
    return [
        good(f"{name}.wallet", f"The wallet is {file.path}."),
        good(f"{name}.wallet-private", "Only you can read its file."),
    ]


def caps(name: str, given: Mapping[str, int], *, rehearsing: bool, endless: int = LARGEST_SQL_INTEGER) -> Check:
    """given: setting -> units, of each cap."""
    open_ended = [setting for setting, units in given.items() if units >= endless]
    if rehearsing:
        return good(f"{name}.caps", "A rehearsal needs no caps.")
    if open_ended:
        words = f"Nothing caps what leaves the wallet: no value for {', '.join(open_ended)}."
        return warning(f"{name}.caps", words, f"write into .env the most that may leave it: {open_ended[0]}=...")
    return good(f"{name}.caps", "What may leave the wallet is capped.")


def unreconciled(name: str, rows: list[tuple[str, int]] | None, fix: str) -> Check:
    """rows: (transaction, batch) of those whose fate is not known; None: nobody could look. The name is that of the
    state which alerts tell after a while."""
    if rows is None:
        return bad(f"{name}.unknown", "Whether a transaction is open cannot be read.", fix)
    if rows:
        batches = ", ".join(f"#{number}" for number in sorted({number for _, number in rows}))
        words = f"What became of {len(rows)} transactions of batch {batches} is not known."
        return bad(f"{name}.unknown", words, f"find out: {fix}")
    return good(f"{name}.unknown", "The fate of every transaction is known.")
