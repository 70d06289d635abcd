"""Coming over from the pool payout manager: its shares become what is owed here, and rewards go on after its block."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from valtrac.core.errors import BadInput
from valtrac.core.text import plain
from valtrac.database.engine import reading, writing
from valtrac.pool.model.schedule import believed
from valtrac.pool.model.share_files import NotAShareFile, ShareFile, read
from valtrac.pool.model.states import Booking
from valtrac.pool.pool import Pool, tie
from valtrac.pool.store import blocks, book
from valtrac.pool.store.book import OPENING, POOL, Entry

NAMES = ("currentpoolshare.csv", "currentpoolshare.txt")


@dataclass(frozen=True, slots=True)
class Found:
    """What is taken over: one share file, and what was seen beside it. passed_over: other files, each with its block;
    strangers: addresses that cannot be on this network."""

    path: Path
    file: ShareFile
    passed_over: tuple[tuple[Path, int], ...]
    strangers: tuple[str, ...]


def look(pool: Pool, place: Path) -> Found:
    """Read a share file, or the newest one of a folder, without changing anything. Raises BadInput."""
    files = {path: _read(path) for path in _candidates(place)}
    path = max(files, key=lambda each: (files[each].block, each.name in NAMES))
    others = tuple(sorted((other, file.block) for other, file in files.items() if other != path))
    strangers = tuple(address for address in files[path].shares if not pool.chain.is_payable(address))
    return Found(path, files[path], others, strangers)


def take(pool: Pool, found: Found) -> int:
    """Book what is owed, in one transaction; the number of delegates. Rewards are counted from the next block on.

    Raises BadInput where the pool has begun already, and for addresses of another network: nothing is changed then.
    """
    if found.strangers:
        raise BadInput(
            f"{plain(found.path.name)}: {plain(found.strangers[0], 60)} is no address of this network",
            why=f"{len(found.strangers)} of {len(found.file.shares)} are not",
            fix="see VALTRAC_QTUM_NETWORK, or mend the file",
            problems=[plain(address, 60) for address in found.strangers],
        )
    tie(pool)
    newest = pool.chain.tip()
    if not 0 <= found.file.block <= newest.number:
        raise BadInput(
            f"{plain(found.path.name)} is of block {found.file.block}, and the newest is {newest.number}",
            why="rewards are counted from the block after it on",
            fix="see VALTRAC_QTUM_NETWORK, wait until the node has caught up, or mend the file",
        )
    with writing(pool.engine) as conn:
        file, words = found.file, f"taken over from {plain(found.path.name, 100)}"
        if not blocks.begin(conn, pool.staker, file.block, words, believed(pool.now(), newest.at)):
            begun = blocks.beginning(conn)
            raise BadInput(
                f"rewards are counted from block {begun[1] + 1 if begun else 0} on already",
                why="what an older program owed is taken over before that",
                fix="begin with an empty database: VALTRAC_HOME",
            )
        entries = [Entry(delegate, Booking.OPENING, units, words) for delegate, units in file.shares.items()]
        entries += [
            Entry(POOL, Booking.OPENING, file.revenue, words),
            Entry(OPENING, Booking.OPENING, file.difference, words),
        ]
        book.add(conn, entries)
    return len(found.file.shares)


def begun(pool: Pool) -> bool:
    """Whether rewards are counted already."""
    with reading(pool.engine) as conn:
        return blocks.beginning(conn) is not None


def _candidates(place: Path) -> Sequence[Path]:
    if place.is_file():
        return (place,)
    if not place.is_dir():
        raise BadInput(f"there is no file or folder {plain(place, 200)}", fix="give its whole path")
    folder = place / "poolshare" if (place / "poolshare").is_dir() else place
    named = [place / name for name in NAMES if (place / name).is_file()]
    numbered = sorted(folder.glob("*poolshare.csv"), key=lambda path: path.name)
    files = [*named, *(path for path in numbered if path.name[:1].isdigit())]
    if not files:
        raise BadInput(f"{plain(place, 200)} holds no share file", fix="name currentpoolshare.csv, or its folder")
    return files


def _read(path: Path) -> ShareFile:
    try:
        return read(path.read_text(encoding="latin-1"))
    except OSError as error:
        raise BadInput(f"{plain(path, 200)} cannot be read", why=plain(error), fix="see its rights") from error
    except NotAShareFile as error:
        raise BadInput(
            f"{plain(path.name)} is no share file",
            why=error.problems[0],
            fix="mend these lines, or name another file",
            problems=error.problems,
        ) from error
