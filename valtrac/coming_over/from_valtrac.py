"""Coming over from ValTrac: its users, referrals, log of stakes and log of payouts, from its own folder.

First everything small is read and checked, and nothing is stored where one of it cannot be used. Then the log of
stakes is stored as it is read, a hundred snapshots at a time: it may be larger than memory, and whoever stops it goes
on where it stopped by doing the same again. Then users, referrals, and up to which block was paid. A second time
changes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import tzinfo
from pathlib import Path

import sqlalchemy as sa

from valtrac.coming_over import stake_log
from valtrac.coming_over.model import layers
from valtrac.coming_over.model import old_payments as old_log
from valtrac.core.errors import BadInput, Refused
from valtrac.core.text import plain
from valtrac.database.engine import reading, writing
from valtrac.people import referral_import, referrals, user_import, users
from valtrac.people.referral_import import Row
from valtrac.reports.store import old_payments
from valtrac.snapshots import paid_before, rulings
from valtrac.snapshots.store import rulings as said_before
from valtrac.snapshots.store import snapshots as stored
from valtrac.tables import read
from valtrac.tables.records import header_of

USERS, LAYERS, STAKES, PAYOUTS = "user_data.json", "referral_layers.csv", "delegate_info.log", "payout_log.csv"
PAYMENTS = f"{PAYOUTS}, its payments"
SOURCE = "ValTrac's log"
FOLDERS = ("", "data", "logs")
LARGEST_LOG = 500_000_000
Tell = Callable[[int, int, str], None]


@dataclass(frozen=True, slots=True)
class Files:
    """The files of an old ValTrac that were found; None where one is not there."""

    users: Path | None
    layers: Path | None
    stakes: Path | None
    payouts: Path | None


@dataclass(slots=True)
class Part:
    """What became of one file. taken, known: rows that are new here, and that were here before. changed, refused: in
    words, each row that was taken otherwise than it was written, and each that was not taken, and why."""

    name: str
    taken: int = 0
    known: int = 0
    changed: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    words: str = ""


@dataclass(frozen=True, slots=True)
class Report:
    """What coming over did, or would do, file by file, in the order in which it is done. hotkeys: those of the log."""

    parts: tuple[Part, ...]
    hotkeys: tuple[str, ...] = ()

    @property
    def changes(self) -> bool:
        """Whether anything is new here."""
        return any(part.taken for part in self.parts)


@dataclass(frozen=True, slots=True)
class _Checked:
    """What was read of the small files before anything is stored."""

    tree: layers.Tree
    notes: tuple[str, ...]
    paid: paid_before.OldPayouts | None
    payments: old_log.OldLog


def files_in(folder: Path) -> Files:
    """ValTrac's files in its folder, or in data/ and logs/ of it. The users: user_data.json, or without one the only
    CSV file that begins like a sheet of users.

    Raises BadInput: there is no such folder, none of the files is in it, or one of them is there twice.
    """
    if not folder.is_dir():
        raise BadInput(f"{plain(folder)} is no folder", fix="name the folder of the old ValTrac")
    files = Files(*(_only(folder, name) for name in (USERS, LAYERS, STAKES, PAYOUTS)))
    if files.users is None:
        files = Files(_sheet_of_users(folder), files.layers, files.stakes, files.payouts)
    if files == Files(None, None, None, None):
        raise BadInput(
            f"there is nothing of ValTrac in {plain(folder)}",
            why=f"looked for {USERS}, {LAYERS}, {STAKES} and {PAYOUTS}, in it and in its data/ and logs/",
            fix="name the folder that ValTrac was started in",
        )
    return files


def come_over(
    engine: sa.Engine,
    files: Files,
    zone: tzinfo,
    *,
    head: int | None = None,
    dry: bool = False,
    tell: Tell = lambda done, total, words: None,
) -> Report:
    """Bring the files over, or with `dry` only say what that would do; the report.

    zone: what the clock showed that wrote the log of stakes. head: the chain's last block, None where no node was
    asked. tell: called with bytes read, bytes in all, and words. Raises BadInput naming every row of users, layers and
    payouts that cannot be read; nothing is stored then.
    """
    checked = _checked(engine, files)
    parts = list[Part]()
    newest = dict[str, int]()
    if files.stakes is not None:
        log = stake_log.bring(engine, files.stakes, zone, head=head, dry=dry, tell=tell)
        part = Part(STAKES, log.taken, log.known, log.changed, log.refused, log.words)
        parts.append(part)
        newest = log.newest
    if files.users is not None:
        parts.append(_users(engine, files.users, dry))
    if files.layers is not None:
        parts.append(_referrals(engine, checked, dry))
    if checked.paid is not None:
        parts.append(_payments(engine, checked.payments, dry))
        parts.append(_paid(engine, checked.paid, newest, dry))
    return Report(tuple(parts), tuple(sorted(newest)))


def _only(folder: Path, name: str) -> Path | None:
    found = [path for part in FOLDERS if (path := folder / part / name).is_file()]
    if len(found) > 1:
        raise BadInput(
            f"{name} is there twice: {', '.join(map(plain, found))}", fix="move the one that is not meant elsewhere"
        )
    return found[0] if found else None


def _sheet_of_users(folder: Path) -> Path | None:
    """The only CSV file beside the others whose first line begins with Name,Address1."""
    sheets = []
    for part in FOLDERS:
        for path in sorted((folder / part).glob("*.csv")):
            if path.name not in (LAYERS, PAYOUTS) and path.is_file() and _lists_users(path):
                sheets.append(path)
    if len(sheets) > 1:
        raise BadInput(
            f"there are several sheets of users: {', '.join(map(plain, sheets))}",
            fix="leave the one that holds all users there, and move the others elsewhere",
        )
    return sheets[0] if sheets else None


def _lists_users(path: Path) -> bool:
    try:
        with open(path, "rb") as file:
            begins = file.read(40).removeprefix(b"\xef\xbb\xbf").replace(b" ", b"").lower()
    except OSError as error:
        raise BadInput(
            f"{plain(path)} cannot be read", why=plain(error.strerror), fix="check the rights of the file"
        ) from error
    return begins.startswith(b"name,address")


def _checked(engine: sa.Engine, files: Files) -> _Checked:
    names = {view.name for view in users.list_users(engine)}
    if files.users is not None:
        user_import.preview_import(engine, files.users)
        names |= set(user_import.names_in(files.users))
    sheet = layers.Sheet((), (), ())
    if files.layers is not None:
        records, source = read.records(files.layers), plain(files.layers.name)
        sheet = layers.parse(records, header_of(records, source, layers.FIX), source)
        if sheet.problems:
            raise BadInput(
                f"{source}: {len(sheet.problems)} rows cannot be read",
                why="nothing was brought over",
                fix="mend the rows and do it again",
                problems=[str(problem) for problem in sheet.problems],
            )
    tree = layers.tree_of(sheet.rows, names)
    notes = (*sheet.changed, *layers.paid_otherwise(sheet.rows, tree, names))
    if files.payouts is None:
        return _Checked(tree, notes, None, old_log.OldLog((), ()))
    records, source = read.records(files.payouts, most_bytes=LARGEST_LOG), plain(files.payouts.name)
    payments = old_log.parse(records, header_of(records, source, "a log of payments has a header"))
    return _Checked(tree, notes, paid_before.read_log(files.payouts, most_bytes=LARGEST_LOG), payments)


def _users(engine: sa.Engine, path: Path, dry: bool) -> Part:
    preview = user_import.preview_import(engine, path)
    if preview.changes and not dry:
        user_import.apply_import(engine, preview)
    touched = {user.name for user in preview.new_users} | {change.user for change in preview.added}
    return Part(path.name, len(touched), preview.unchanged, [str(kept) for kept in preview.kept_payouts])


def _referrals(engine: sa.Engine, checked: _Checked, dry: bool) -> Part:
    part, new = Part(LAYERS, changed=list(checked.notes), refused=list(checked.tree.left_out)), list[layers.Referral]()
    known = {view.referee: view for view in referrals.list_referrals(engine)}
    for referral in checked.tree.referrals:
        here = known.get(referral.referee)
        if here is not None and (here.referrer, here.rate_bps) == (referral.referrer, referral.rate_bps):
            part.known += 1
            continue
        if here is not None:
            part.refused.append(
                f"row {referral.line}: {plain(referral.referee)!r} is referred by {plain(here.referrer)!r} here, "
                "at a rate that may differ, and that stays"
            )
            continue
        new.append(referral)
    part.taken = len(new)
    if not dry:
        _add(engine, new, part)
    return part


def _add(engine: sa.Engine, new: Sequence[layers.Referral], part: Part) -> None:
    """All that have their referrer's own rate at once, or none of them; then those with a rate for them alone."""
    together = [referral for referral in new if not referral.own_rate]
    try:
        rows = [Row(each.line, each.referrer, each.referee, each.rate_bps) for each in together]
        referral_import.add_all(engine, rows, LAYERS)
    except (BadInput, Refused) as error:
        part.taken = 0
        part.refused += [str(problem) for problem in error.problems] or [error.what]
        return
    for each in new:
        if each.own_rate:
            try:
                referrals.add(engine, each.referrer, each.referee, each.rate_bps, only_this_referee=True)
            except (BadInput, Refused) as error:
                part.taken -= 1
                part.refused.append(f"row {each.line}: {error.what}")


def _payments(engine: sa.Engine, log: old_log.OldLog, dry: bool) -> Part:
    """The payments themselves, for statements: each at the time of the last snapshot that it pays for."""
    part = Part(PAYMENTS, refused=list(log.refused))
    with reading(engine) as conn:
        here = old_payments.known(conn, {row.digest for row in log.rows})
        at = {block: stored.last_before(conn, block) for block in {row.to_block for row in log.rows}}
    fresh = list[old_payments.Told]()
    for row in log.rows:
        moment = at[row.to_block]
        if row.digest in here:
            part.known += 1
        elif moment is None and not dry:
            part.refused.append(f"row {row.line}: no snapshot here tells when block {row.to_block} was")
        else:
            part.taken += 1
            if moment is not None:
                told = (row.name, row.address, row.amount, row.from_block, row.to_block, moment, row.digest)
                fresh.append(old_payments.Told(SOURCE, *told))
    if not dry:
        with writing(engine) as conn:
            old_payments.add(conn, fresh)
    return part


def _paid(engine: sa.Engine, paid: paid_before.OldPayouts, newest: Mapping[str, int], dry: bool) -> Part:
    """Say of the hotkey of the log up to which block was paid, unless that was said before.

    newest: hotkey -> its last block in the log of stakes.
    """
    until = paid.last_block
    part = Part(PAYOUTS, words=f"its last payment is up to block {until}")
    if len(newest) != 1:
        which = ", ".join(sorted(newest))
        part.refused.append(
            f"the log of stakes is of {len(newest)} hotkeys ({which}); whose payments these are is not told: say it "
            "for each: run.py payout begin-after BLOCK --hotkey H"
            if newest
            else "whose payments these are is told by the log of stakes alone, and that is not there"
        )
        return part
    ((hotkey, last),) = newest.items()
    with reading(engine) as conn:
        said, here = said_before.paid_before(conn, hotkey), stored.last_block(conn, hotkey, None)
    if said is not None and said != until:
        part.refused.append(
            f"here it was said that blocks up to {said} were paid, and the log ends with {until}; what was said stays: "
            f"run.py payout begin-after {until} changes it"
        )
    elif said is not None:
        part.known = 1
    elif until > max(last, here or 0):
        part.refused.append(
            f"it was paid up to block {until}, after the last snapshot of {hotkey}: say it yourself once there is one: "
            "run.py payout begin-after"
        )
    else:
        if not dry:
            rulings.begin_after(engine, hotkey, until, f"{PAYOUTS} of ValTrac ends with that block")
        part.taken, part.words = 1, f"{part.words}: payouts here begin after it"
    return part
