"""Every irreversible block once: what it holds for the custodian and how far we are, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import sqlalchemy as sa

from valtrac.contracts.adopting import adopt_copies
from valtrac.contracts.custodian import Custodian
from valtrac.contracts.doubts import doubt_of
from valtrac.contracts.model.contracts import milliseconds
from valtrac.contracts.model.states import TransferState
from valtrac.contracts.requests import ReadTransfer, carry_out, read_transfer, record
from valtrac.contracts.store import audit_events, transfers
from valtrac.contracts.store.transfers import BASELINE, PASSED_OVER, Cursor, RecordedTransfer
from valtrac.core.chain import Head, Named, TransferBlock
from valtrac.core.endpoints import shown
from valtrac.core.errors import BadInput, ChainUnreachable, Refused
from valtrac.database.engine import reading, writing
from valtrac.ports import Locked, NoKey, Unreadable

CHUNK_BLOCKS, CHUNK_TRANSFERS = 1_000, 50
MOST_BLOCKS = 20_000  # in one go, so that a stop is read
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the listener is. block: dealt with; head: irreversible; transfers: new ones; unread: memos that wait."""

    block: int
    head: int
    transfers: int
    unread: int
    parked: int

    @property
    def behind(self) -> int:
        """Blocks still to be read."""
        return self.head - self.block


def listen(custodian: Custodian, *, most: int = MOST_BLOCKS, tell: Tell = lambda done, total: None) -> Progress:
    """Read on from the stored block, at most so many blocks; begins at the newest irreversible one.

    Raises ChainUnreachable; what was read before that stays dealt with.
    """
    head = custodian.chain.finalized()
    with writing(custodian.engine) as conn:
        cursor = transfers.cursor(conn)
        if cursor is None:
            cursor = _begin_at(conn, head)
    read_again(custodian, head)
    new_transfers = 0
    last = min(head.number, cursor.block + most)
    if last > cursor.block:
        first = cursor.block
        for done, new in _chunks(custodian, cursor, last, head):
            new_transfers += new
            cursor = done
            tell(cursor.block - first, last - first)
    if new_transfers:
        read_again(custodian, head, count=False)
        adopt_copies(custodian)
    with reading(custodian.engine) as conn:
        unread = len(transfers.listed(conn, TransferState.WAITING))
        parked = len(transfers.listed(conn, TransferState.PARKED, TransferState.UNRULED))
        now = transfers.cursor(conn) or cursor
    return Progress(now.block, head.number, new_transfers, unread, parked)


def note_start(custodian: Custodian) -> None:
    """Write into the trail what this listener starts with: where it is, and the terms in force."""
    settings, head = custodian.settings, custodian.chain.finalized()
    with writing(custodian.engine) as conn:
        cursor = transfers.cursor(conn)
        msg = {
            "node": list(map(shown, settings.bitshares_nodes)) or settings.bitshares_network,
            "custodian": custodian.account.name,
            "penalty_bps": settings.contracts_penalty,
            "reward_bps": settings.contracts_reward,
            "managers": list(settings.contracts_managers),
            "invest_amounts": list(settings.contracts_amounts),
            "database_block": cursor.block if cursor else None,
            "current_block": head.number,
            "time": head.at.isoformat(),
            "munix": milliseconds(head.at),
        }
        audit_events.add(conn, "initialize", msg)


def start_from(custodian: Custodian, block: int | None) -> int:
    """Set the stored block: what comes from `block` on is carried out; None: what comes from now on.

    Blocks between are read all the same, for what left the account: a payment that this database does not know of would
    be made again. What came in there is written down as skipped, and can be taken up by hand.
    What was dealt with before is not done again. What left the account after that block and is not in the journal then
    holds what is due to the same accounts, until the owner has ruled on it: it may be what is read anew.
    Returns how many blocks are passed over so. Raises BadInput for a block that is not irreversible yet.
    """
    head = custodian.chain.finalized()
    if block is not None and not 1 <= block <= head.number:
        raise BadInput(f"block {block} is not there to begin with", why=f"irreversible is block {head.number}")
    with writing(custodian.engine) as conn:
        cursor = transfers.cursor(conn) or _begin_at(conn, head)
        last = head.number if block is None else block - 1  # that is not carried out any more
        to = cursor if last >= cursor.block else Cursor(last, "")
        _pass_over(conn, Cursor(last, ""))
        baseline = transfers.cursor(conn, BASELINE)
        if baseline is not None and to.block < baseline.block:  # what is read anew is answered for from there on
            transfers.set_cursor(conn, to, expected=baseline, name=BASELINE)
        if cursor != to and not transfers.set_cursor(conn, to, expected=cursor):
            raise Refused("a listener moved on at this moment", fix="stop it first, then say where to begin")
        passed = max(0, last - cursor.block)
        audit_events.add(conn, "replay", {"from_block": to.block + 1, "was": cursor.block, "passed_over": passed})
    return passed


def _pass_over(conn: sa.Connection, to: Cursor) -> None:
    """Up to this block nothing is carried out, and after it everything."""
    known = transfers.cursor(conn, PASSED_OVER)
    if not transfers.set_cursor(conn, to, expected=known, name=PASSED_OVER):
        raise Refused("somebody else says where to begin at this moment", fix="try again")


def read_again(custodian: Custodian, head: Head, *, count: bool = True) -> int:
    """Try the memos that wait once more, those of an account in their order; what no key of ours opens is parked after
    some tries. Returns how many were dealt with. While the wallet is locked they wait and no try is counted."""
    with reading(custodian.engine) as conn:
        waiting = transfers.listed(conn, TransferState.WAITING)
    if not waiting:
        return 0
    who = _who(custodian, {transfer.account for transfer in waiting})
    done = 0
    unread_of = set[str]()
    for transfer in waiting:
        if transfer.account in unread_of:
            continue
        memo = _try_memo(custodian, transfer)
        if memo.unread:
            unread_of.add(transfer.account)
        if memo.unread and (memo.locked or not count):
            continue
        with writing(custodian.engine) as conn:
            fresh = transfers.get(conn, transfer.id)
            if fresh.state != TransferState.WAITING:
                continue
            if memo.unread:
                if _park_after_some_tries(conn, custodian, fresh, memo.unread):
                    unread_of.discard(transfer.account)
                continue
            sender = who.get(fresh.account, Named(fresh.account, fresh.name, False))
            carry_out(conn, custodian, fresh, memo.words, sender, head.number, broken=memo.broken)
            done += 1
    return done


@dataclass(frozen=True, slots=True)
class _Memo:
    """What came of reading a memo. unread: why it could not be read, "" where it was; locked: for want of any key."""

    words: str | None = None
    broken: bool = False
    unread: str = ""
    locked: bool = False


def _try_memo(custodian: Custodian, transfer: RecordedTransfer) -> _Memo:
    try:
        return _Memo(custodian.chain.read_memo(transfer.sealed) if transfer.sealed else None)
    except NoKey as error:
        return _Memo(unread=str(error) or "the key for its memo is missing", locked=isinstance(error, Locked))
    except Unreadable:
        return _Memo(broken=True)


def _park_after_some_tries(conn: sa.Connection, custodian: Custodian, transfer: RecordedTransfer, why: str) -> bool:
    """Count one more try; once there were enough, the owner has to say what the memo asks for. Whether he has to."""
    tries = transfer.tries + 1
    enough = tries >= custodian.settings.contracts_tries
    state = TransferState.PARKED if enough else TransferState.WAITING
    transfers.move(conn, transfer, state, words=why, tries=tries)
    if enough:
        msg = {"warn": "a memo that no key of ours opens", "block_num": transfer.block, "no": transfer.id}
        audit_events.add(conn, "alert", msg, name=transfer.name)
    return enough


def _begin_at(conn: sa.Connection, head: Head) -> Cursor:
    """The first start: from here on this ledger answers for the account."""
    to = Cursor(head.number, head.hash)
    transfers.set_cursor(conn, to, expected=None)
    transfers.set_cursor(conn, to, expected=None, name=BASELINE)
    return to


def _chunks(custodian: Custodian, cursor: Cursor, last: int, head: Head) -> Iterator[tuple[Cursor, int]]:
    """Read and write chunk by chunk; yields (where we are, how many transfers were new)."""
    gathered: list[TransferBlock] = []
    expected, reached = cursor, cursor.block
    for block in custodian.chain.transfers(cursor.block + 1, last, custodian.account.id):
        if block.number == cursor.block + 1 and cursor.block_id and block.previous != cursor.block_id:
            raise ChainUnreachable(
                f"block {block.number} does not follow from the block {cursor.block} that was read before",
                why="this node tells another history",
                fix="use another node; nothing was done",
            )
        full = len(gathered) and (
            block.number - expected.block > CHUNK_BLOCKS
            or sum(len(found_block.transfers) for found_block in gathered) >= CHUNK_TRANSFERS
        )
        if full:
            to = Cursor(block.number - 1, block.previous)
            yield to, _write(custodian, gathered, expected, to, head)
            expected, gathered = to, []
        if block.transfers:
            gathered.append(block)
        reached = block.number
    to = Cursor(reached, head.hash if reached == head.number else custodian.chain.block(reached).head.hash)
    yield to, _write(custodian, gathered, expected, to, head)


def _write(custodian: Custodian, blocks: list[TransferBlock], expected: Cursor, to: Cursor, head: Head) -> int:
    """One transaction: the effects of some blocks, and that they are dealt with."""
    for block in blocks:
        _agreed(custodian, block)
    ids = {side for block in blocks for transfer in block.transfers for side in (transfer.sender, transfer.receiver)}
    who = _who(custodian, ids)
    read: list[ReadTransfer] = [
        replace(read_transfer(custodian, transfer, block.at, who), doubt=doubt_of(custodian, transfer, block.at, head))
        for block in blocks
        for transfer in block.transfers
    ]
    with writing(custodian.engine) as conn:
        new = sum(record(conn, custodian, transfer, head.number) is not None for transfer in read)
        if not transfers.set_cursor(conn, to, expected=expected):
            now = transfers.cursor(conn)
            raise Refused(
                "another listener is at work on this database",
                why=f"it is at block {now.block if now else '?'}",
                fix="one is enough: run.py logger status",
            )
        return new


def _agreed(custodian: Custodian, block: TransferBlock) -> None:
    """Raise ChainUnreachable unless every further node tells the same block: what comes in counts only where all do."""
    for witness in custodian.witnesses:
        other = witness.block(block.number).head
        if other.number != block.number or (block.id and other.hash != block.id):
            raise ChainUnreachable(
                f"two nodes tell different blocks {block.number}",
                why="it holds a transfer of this account, and one of the two lies or is on another branch",
                fix="find out which, and take the other out of the settings; nothing was done",
            )


def _who(custodian: Custodian, ids: set[str]) -> dict[str, Named]:
    return custodian.chain.accounts(sorted(ids)) if ids else {}
