"""Announced coldkey swaps: told to the chain from outside, part of its state from the next block on."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from valtrac.core.addresses import BadAddress, key_of
from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.devnet.bittensor import state


def announce_swap(path: Path | str, address: str, *, cancel: bool = False) -> int:
    """Announce a coldkey swap of an address, or take it back; the number of the block that first shows it.

    No block is made by it, and no fee is taken. Raises BadInput: what is given is no address, or nothing is
    announced that could be taken back.
    """
    try:
        key_of(address)
    except BadAddress as error:
        raise BadInput(
            f"{plain(address, 60)} is no address", why=plain(error), fix="name the coldkey by its address"
        ) from error
    db = state.connect(Path(path))
    try:
        with state.writing(db):
            block = state.head(db).number + 1
            if cancel and address not in announced(db, block):
                raise BadInput(f"no coldkey swap of {address} is announced", fix="announce it without --cancel")
            db.execute("INSERT OR REPLACE INTO swaps VALUES (?, ?, ?)", (address, block, not cancel))
        return block
    finally:
        db.close()


def announced(db: sqlite3.Connection, block: int) -> dict[str, int]:
    """Whose swap is announced as of a block: address -> the block of its newest announcement."""
    rows = db.execute(
        "SELECT address, block FROM swaps AS newest WHERE announced AND block ="
        " (SELECT MAX(block) FROM swaps WHERE address = newest.address AND block <= ?) ORDER BY address",
        (block,),
    )
    return dict(rows.fetchall())
