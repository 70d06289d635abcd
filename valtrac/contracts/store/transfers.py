"""How far the listener has read, and every transfer that touched the custodian."""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

import sqlalchemy as sa

from valtrac.contracts.model.states import TransferState
from valtrac.contracts.store import tables as t
from valtrac.core.chain import SealedMemo, Transfer
from valtrac.core.errors import BadInput, Refused
from valtrac.database.engine import genesis_of, insert
from valtrac.database.holding import holds

P, C = t.operations.c, t.cursors.c
_CURSOR = sa.select(C.block, C.block_id).where(C.name == sa.bindparam("cursor"))
Place = tuple[int, int, int]  # block, transaction, operation
LISTENER, BASELINE, PASSED_OVER = "agreements", "baseline", "passed_over"
SKIPPED = "skipped"  # the kind of what stood in a block that is not carried out


@dataclass(frozen=True, slots=True)
class Cursor:
    """A block that has been dealt with, by number and id ("" where it is not known)."""

    block: int
    block_id: str


@dataclass(frozen=True, slots=True)
class RecordedTransfer:
    """A transfer to or from the custodian. units: of its asset, satoshi for BTS; memo: as read, None until then."""

    id: int
    block: int
    trx: int
    op: int
    tx_id: str
    at: datetime
    direction: str
    account: str
    name: str
    units: int
    asset_id: str
    fee: int
    sealed: SealedMemo | None
    state: TransferState
    kind: str
    memo: str | None
    tries: int
    words: str

    @property
    def place(self) -> Place:
        """Where it stands on the chain: of two, the one with the smaller place came first."""
        return (self.block, self.trx, self.op)

    @property
    def key(self) -> str:
        """block:transaction:operation, which no other has."""
        return f"{self.block}:{self.trx}:{self.op}"


_RECORDED = sa.select(*(P[name] for name in RecordedTransfer.__dataclass_fields__)).order_by(P.block, P.trx, P.op)
_BY_ID = _RECORDED.where(P.id == sa.bindparam("number"))
_BETWEEN = _RECORDED.where(P.block.between(sa.bindparam("first"), sa.bindparam("last")))


def cursor(conn: sa.Connection, name: str = LISTENER) -> Cursor | None:
    """The block up to which everything is done; None before the first start."""
    row = conn.execute(_CURSOR, {"cursor": name}).first()
    return None if row is None else Cursor(row.block, row.block_id)


def set_cursor(conn: sa.Connection, to: Cursor, *, expected: Cursor | None, name: str = LISTENER) -> bool:
    """Compare-and-set the cursor; False where it is not where it was expected: another listener moved it."""
    now = datetime.now(UTC)
    values = {"block": to.block, "block_id": to.block_id, "at": now}
    if expected is None:
        done = conn.execute(
            insert(conn, t.cursors)
            .values(name=name, genesis=genesis_of(conn), **values)
            .on_conflict_do_nothing()
            .returning(C.name)
        )
        return done.scalar() is not None
    done = conn.execute(
        t.cursors.update()
        .where(C.name == name, C.block == expected.block, C.block_id == expected.block_id)
        .values(**values)
    )
    return done.rowcount == 1


def begin_after(conn: sa.Connection, block: int) -> None:
    """Where no listener has run here yet: the first one reads on from this block, and answers for what comes then."""
    for name in (LISTENER, BASELINE):
        set_cursor(conn, Cursor(block, ""), expected=None, name=name)


def ruled(conn: sa.Connection, tx_ids: Iterable[str]) -> set[str]:
    """Those of the transactions that left the account, are not in the journal, and were ruled on as a whole."""
    wanted, known, open_ = sorted(tx_ids), set[str](), set[str]()
    for start in range(0, len(wanted), 500):
        chosen = sa.select(P.tx_id, P.state).where(P.tx_id.in_(wanted[start : start + 500]), P.direction == "out")
        for tx_id, state in conn.execute(chosen):
            (known if state == TransferState.HANDLED else open_).add(tx_id)
    return known - open_


def add(
    conn: sa.Connection,
    transfer: Transfer,
    *,
    at: datetime,
    own_id: str,
    name: str,
    state: TransferState,
    kind: str,
    words: str = "",
) -> RecordedTransfer | None:
    """Write a transfer down; None where it is there already: whoever wrote it dealt with it."""
    came_in = transfer.receiver == own_id
    now = datetime.now(UTC)
    row = {
        "genesis": genesis_of(conn),
        "block": transfer.block,
        "trx": transfer.trx,
        "op": transfer.op,
        "tx_id": transfer.tx_id,
        "at": at,
        "direction": "in" if came_in else "out",
        "account": transfer.sender if came_in else transfer.receiver,
        "name": name[:80],
        "units": transfer.units,
        "asset_id": transfer.asset_id,
        "fee": transfer.fee_units,
        "sealed": json.dumps(asdict(transfer.memo)) if transfer.memo else None,
        "state": state,
        "kind": kind,
        "memo": None,
        "tries": 0,
        "words": words[:500],
        "created_at": now,
        "handled_at": now if state == TransferState.HANDLED else None,
    }
    added = conn.execute(insert(conn, t.operations).values(row).on_conflict_do_nothing().returning(P.id)).scalar()
    return None if added is None else get(conn, int(added))


def get(conn: sa.Connection, number: int) -> RecordedTransfer:
    """One by number. Raises BadInput where there is none."""
    rows = _of(conn, _BY_ID, number=number)
    if not rows:
        raise BadInput(f"there is no transfer #{number}", fix="look at the list of transfers")
    return rows[0]


def listed(
    conn: sa.Connection,
    *states: TransferState,
    kind: str | None = None,
    account: str | None = None,
    limit: int | None = None,
) -> list[RecordedTransfer]:
    """Operations in some states (or all), the oldest first; the newest `limit` of them where one is given."""
    return _of(conn, _listed(states, kind, account, limit))


@functools.lru_cache(maxsize=64)
def _listed(
    states: tuple[TransferState, ...], kind: str | None, account: str | None, limit: int | None
) -> sa.Select[Any]:
    conditions: list[sa.ColumnElement[bool]] = [P.state.in_(states)] if states else []
    conditions += [P.kind == kind] if kind else []
    conditions += [P.account == account] if account else []
    if limit is not None:
        newest = sa.select(P.id).where(*conditions).order_by(P.block.desc(), P.trx.desc(), P.op.desc()).limit(limit)
        conditions = [P.id.in_(newest)]
    return _RECORDED.where(*conditions)


def between(conn: sa.Connection, first: int, last: int) -> list[RecordedTransfer]:
    """The transfers of some blocks, both ends included."""
    return _of(conn, _BETWEEN, first=first, last=last)


def holding(conn: sa.Connection, words: str, *, limit: int) -> list[RecordedTransfer]:
    """The newest transfers that hold some words, in any case: in the memo, the name or account of the other side, the
    transaction, the note, the memo as it stands encrypted on the chain, or their place, which is meant whole."""
    columns = (P.memo, P.name, P.account, P.tx_id, P.kind, P.words, P.sealed)
    conditions = [holds(column, words) for column in columns]
    at = [int(part) for part in words.split(":") if part.isascii() and part.isdecimal() and len(part) < 16]
    if len(at) == 3 and words.count(":") == 2:
        conditions.append(sa.and_(P.block == at[0], P.trx == at[1], P.op == at[2]))
    newest = sa.select(P.id).where(sa.or_(*conditions)).order_by(P.id.desc()).limit(limit)
    return _of(conn, _RECORDED.where(P.id.in_(newest)))


def at_places(conn: sa.Connection, places: Iterable[Place]) -> dict[Place, RecordedTransfer]:
    """place -> the transfer that stands there on the chain, of those that were read."""
    wanted = set(places)
    blocks, found = sorted({block for block, _, _ in wanted}), list[RecordedTransfer]()
    for start in range(0, len(blocks), 500):
        found += _of(conn, _RECORDED.where(P.block.in_(blocks[start : start + 500])))
    return {transfer.place: transfer for transfer in found if transfer.place in wanted}


def of_transaction(conn: sa.Connection, tx_id: str) -> list[RecordedTransfer]:
    """The transfers of one transaction that touch the custodian."""
    return _of(conn, _RECORDED.where(P.tx_id == tx_id))


def move(
    conn: sa.Connection,
    operation: RecordedTransfer,
    state: TransferState,
    *,
    kind: str | None = None,
    memo: str | None = None,
    words: str | None = None,
    tries: int | None = None,
) -> None:
    """Compare-and-set an operation from the state it was read in. Raises Refused when it is elsewhere by now."""
    values: dict[str, Any] = {"state": state}
    values |= {} if kind is None else {"kind": kind}
    values |= {} if memo is None else {"memo": memo}
    values |= {} if words is None else {"words": words[:500]}
    values |= {} if tries is None else {"tries": tries}
    if state == TransferState.HANDLED:
        values["handled_at"] = datetime.now(UTC)
    done = conn.execute(t.operations.update().where(P.id == operation.id, P.state == operation.state).values(values))
    if done.rowcount != 1:
        raise Refused(f"transfer {operation.key} was dealt with meanwhile", fix="look again at what waits")


def take_up(conn: sa.Connection, block: int, trx: int, op: int) -> RecordedTransfer | None:
    """Claim what a skipped block held, to deal with it after all; None: it was not skipped, or somebody was faster."""
    number = conn.execute(
        t.operations.update()
        .where(P.block == block, P.trx == trx, P.op == op, P.state == TransferState.HANDLED, P.kind == SKIPPED)
        .values(state=TransferState.WAITING, kind="", handled_at=None)
        .returning(P.id)
    ).scalar()
    return None if number is None else get(conn, int(number))


def _of(conn: sa.Connection, chosen: sa.Select[Any], **given: object) -> list[RecordedTransfer]:
    recorded = []
    for row in conn.execute(chosen, given):
        values = dict(row._mapping)
        sealed = values["sealed"]
        recorded.append(
            RecordedTransfer(
                **{
                    **values,
                    "sealed": SealedMemo(**json.loads(sealed)) if sealed else None,
                    "state": TransferState(values["state"]),
                }
            )
        )
    return recorded
