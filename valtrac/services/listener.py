"""Every irreversible block once: what it holds for the custodian and how far we are, in one transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import sqlalchemy as sa

from valtrac.domain.chain import Head, Named, TransferBlock
from valtrac.domain.contracts import milliseconds
from valtrac.errors import BadInput, ChainUnreachable, Refused
from valtrac.ports import Locked, NoKey, Unreadable
from valtrac.services.house import House
from valtrac.services.requests import Heard, decide, hear, take
from valtrac.store import events, operations
from valtrac.store.engine import reading, writing
from valtrac.store.operations import BASELINE, PASSED_OVER, Cursor

CHUNK_BLOCKS, CHUNK_TRANSFERS = 1_000, 50
MOST_BLOCKS = 20_000  # in one go, so that a stop is heard
Tell = Callable[[int, int], None]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the listener is. block: dealt with; head: irreversible; found: new transfers; unread: memos that wait."""

    block: int
    head: int
    found: int
    unread: int
    parked: int

    @property
    def behind(self) -> int:
        """Blocks still to be read."""
        return self.head - self.block


def listen(house: House, *, most: int = MOST_BLOCKS, tell: Tell = lambda done, total: None) -> Progress:
    """Read on from the stored block, at most so many blocks; begins at the newest irreversible one.

    Raises ChainUnreachable; what was read before that stays dealt with.
    """
    head = house.chain.finalized()
    with writing(house.engine) as conn:
        at = operations.cursor(conn)
        if at is None:
            at = _begin_at(conn, head)
    read_again(house, head)
    found = 0
    last = min(head.number, at.block + most)
    if last > at.block:
        first = at.block
        for done, new in _chunks(house, at, last, head):
            found += new
            at = done
            tell(at.block - first, last - first)
    if found:
        read_again(house, head, count=False)
    with reading(house.engine) as conn:
        unread = len(operations.listed(conn, "waiting"))
        parked = len(operations.listed(conn, "parked", "unruled"))
        now = operations.cursor(conn) or at
    return Progress(now.block, head.number, found, unread, parked)


def note_start(house: House) -> None:
    """Write into the trail what this listener starts with: where it is, and the terms in force."""
    settings, head = house.settings, house.chain.finalized()
    with writing(house.engine) as conn:
        at = operations.cursor(conn)
        msg = {
            "node": list(settings.bitshares_nodes) or settings.bitshares_network, "custodian": house.custodian.name,
            "penalty_bps": settings.contracts_penalty, "reward_bps": settings.contracts_reward,
            "managers": list(settings.contracts_managers), "invest_amounts": list(settings.contracts_amounts),
            "database_block": at.block if at else None, "current_block": head.number, "time": head.at.isoformat(),
            "munix": milliseconds(head.at),
        }  # fmt: skip
        events.add(conn, "initialize", msg)


def start_from(house: House, block: int | None) -> int:
    """Set the stored block: what comes from `block` on is carried out; None: what comes from now on.

    Blocks between are read all the same, for what left the account: a payment that this database does not know of would
    be made again. What came in there is written down as skipped, and can be taken up by hand.
    What was dealt with before is not done again. What left the account after that block and is not in the journal then
    holds what is due to the same accounts, until the owner has ruled on it: it may be what is read anew.
    Returns how many blocks are passed over so. Raises BadInput for a block that is not irreversible yet.
    """
    head = house.chain.finalized()
    if block is not None and not 1 <= block <= head.number:
        raise BadInput(f"block {block} is not there to begin with", f"irreversible is block {head.number}", "")
    with writing(house.engine) as conn:
        at = operations.cursor(conn) or _begin_at(conn, head)
        last = head.number if block is None else block - 1  # that is not carried out any more
        to = at if last >= at.block else Cursor(last, "")
        _pass_over(conn, Cursor(last, ""))
        baseline = operations.cursor(conn, BASELINE)
        if baseline is not None and to.block < baseline.block:  # what is read anew is answered for from there on
            operations.set_cursor(conn, to, expected=baseline, name=BASELINE)
        if at != to and not operations.set_cursor(conn, to, expected=at):
            raise Refused("a listener moved on at this moment", "", "stop it first, then say where to begin")
        passed = max(0, last - at.block)
        events.add(conn, "replay", {"from_block": to.block + 1, "was": at.block, "passed_over": passed})
    return passed


def _pass_over(conn: sa.Connection, to: Cursor) -> None:
    """Up to this block nothing is carried out, and after it everything."""
    known = operations.cursor(conn, PASSED_OVER)
    if not operations.set_cursor(conn, to, expected=known, name=PASSED_OVER):
        raise Refused("somebody else says where to begin at this moment", "", "try again")


def read_again(house: House, head: Head, *, count: bool = True) -> int:
    """Try the memos that wait once more, those of an account in their order; what no key of ours opens is parked after
    some tries. Returns how many were dealt with. While the wallet is locked they wait and no try is counted."""
    with reading(house.engine) as conn:
        waiting = operations.listed(conn, "waiting")
    if not waiting:
        return 0
    who = _who(house, {one.account for one in waiting})
    done = 0
    unread_of = set[str]()
    for one in waiting:
        if one.account in unread_of:
            continue
        words, broken, unread, locked = None, False, "", False
        try:
            words = house.chain.read_memo(one.sealed) if one.sealed else None
        except NoKey as error:
            unread, locked = str(error) or "the key for its memo is missing", isinstance(error, Locked)
        except Unreadable:
            broken = True
        if unread:
            unread_of.add(one.account)
        if unread and (locked or not count):
            continue
        with writing(house.engine) as conn:
            fresh = operations.get(conn, one.id)
            if fresh.state != "waiting":
                continue
            if not unread:
                decide(conn, house, fresh, words, who.get(fresh.account, Named(fresh.account, fresh.name, False)),
                       head.number, broken=broken)  # fmt: skip
                done += 1
            elif fresh.tries + 1 >= house.settings.contracts_tries:
                operations.move(conn, fresh, "parked", words=unread, tries=fresh.tries + 1)
                unread_of.discard(one.account)
                msg = {"warn": "a memo that no key of ours opens", "block_num": fresh.block, "no": fresh.id}
                events.add(conn, "alert", msg, name=fresh.name)
            else:
                operations.move(conn, fresh, "waiting", words=unread, tries=fresh.tries + 1)
    return done


def _begin_at(conn: sa.Connection, head: Head) -> Cursor:
    """The first start: from here on this ledger answers for the account."""
    to = Cursor(head.number, head.hash)
    operations.set_cursor(conn, to, expected=None)
    operations.set_cursor(conn, to, expected=None, name=BASELINE)
    return to


def _chunks(house: House, at: Cursor, last: int, head: Head) -> Iterator[tuple[Cursor, int]]:
    """Read and write chunk by chunk; yields (where we are, how many transfers were new)."""
    gathered: list[TransferBlock] = []
    expected, reached = at, at.block
    for block in house.chain.transfers(at.block + 1, last, house.custodian.id):
        if block.number == at.block + 1 and at.block_id and block.previous != at.block_id:
            raise ChainUnreachable(
                f"block {block.number} does not follow from the block {at.block} that was read before",
                "this node tells another history",
                "use another node; nothing was done",
            )
        full = len(gathered) and (
            block.number - expected.block > CHUNK_BLOCKS
            or sum(len(one.transfers) for one in gathered) >= CHUNK_TRANSFERS
        )
        if full:
            to = Cursor(block.number - 1, block.previous)
            yield to, _write(house, gathered, expected, to, head)
            expected, gathered = to, []
        if block.transfers:
            gathered.append(block)
        reached = block.number
    to = Cursor(reached, head.hash if reached == head.number else house.chain.block(reached).head.hash)
    yield to, _write(house, gathered, expected, to, head)


def _write(house: House, blocks: list[TransferBlock], expected: Cursor, to: Cursor, head: Head) -> int:
    """One transaction: the effects of some blocks, and that they are dealt with."""
    ids = {side for block in blocks for one in block.transfers for side in (one.sender, one.receiver)}
    who = _who(house, ids)
    heard: list[Heard] = [hear(house, one, block.at, who) for block in blocks for one in block.transfers]
    with writing(house.engine) as conn:
        new = sum(take(conn, house, one, head.number) is not None for one in heard)
        if not operations.set_cursor(conn, to, expected=expected):
            now = operations.cursor(conn)
            raise Refused(
                "another listener is at work on this database",
                f"it is at block {now.block if now else '?'}",
                "one is enough: run.py logger status",
            )
        return new


def _who(house: House, ids: set[str]) -> dict[str, Named]:
    return house.chain.accounts(sorted(ids)) if ids else {}
