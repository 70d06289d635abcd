"""What tests of stake contracts share: what left the account on the chain, and a World with accounts at an exchange."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.contracts_world import World
from tests.exchanges.poloniex import Account, Asked, Poloniex
from valtrac.chains.bitshares.keys import dev_keys
from valtrac.contracts.model.contracts import WHOLE
from valtrac.contracts.store import audit_events
from valtrac.core.chain import SealedMemo
from valtrac.core.errors import ChainUnreachable, Refused, ValtracError
from valtrac.database.engine import reading
from valtrac.devnet import bitshares
from valtrac.exchanges.account import open_account
from valtrac.payments.accounts import unbalanced
from valtrac.payments.store import ledger

FIRST = 60_700_000
NAMES = ("one", "two", "three")
_OPENED = dict[SealedMemo, str]()


@dataclass(frozen=True)
class Left:
    """A transfer out of the custodian in an irreversible block."""

    to: str
    units: int
    memo: str | None
    block: int
    tx_id: str


def bts(whole: float | Decimal) -> int:
    """Whole BTS as satoshi."""
    return round(whole * WHOLE)


def left(world: World, who: str = "", *, first: int = FIRST) -> list[Left]:
    """What the chain says has left the custodian, to one account or all, the oldest first. Nothing of the program's
    own books is asked."""
    keys, world.chain.keys = world.chain.keys, dev_keys("custodian")
    found = []
    for block in world.chain.transfers(first + 1, world.chain.finalized().number, world.custodian.account.id):
        for one in block.transfers:
            if one.sender == world.custodian.account.id:
                name = world.chain.accounts([one.receiver])[one.receiver].name
                memo = memo_of(world, one.memo) if one.memo else None
                found.append(Left(name, one.units, memo, one.block, one.tx_id))
    world.chain.keys = keys
    return [one for one in found if who in ("", one.to)]


def memo_of(world: World, sealed: SealedMemo) -> str:
    """A memo as the custodian reads it. It is asked for after each step, and opening one takes its time: once."""
    if sealed not in _OPENED:
        _OPENED[sealed] = world.chain.read_memo(sealed)
    return _OPENED[sealed]


def sums(world: World, who: str) -> list[int]:
    """The payments to an account on the chain, in satoshi."""
    return [one.units for one in left(world, who)]


def told(world: World, kind: str) -> list[dict[str, Any]]:
    """The events of a kind, the newest first."""
    with reading(world.engine) as conn:
        return [one.msg for one in audit_events.search(conn, kind=kind)]


def assert_books_whole(world: World) -> None:
    """Ledger and receipts, and every confirmed payment once on the chain with its transaction."""
    assert unbalanced(world.engine) == []
    with reading(world.engine) as conn:
        assert ledger.broken_receipt(conn) is None
    names: dict[str, list[tuple[str, int]]] = {one.tx_id: [] for one in left(world)}
    for one in left(world):
        names[one.tx_id].append((one.to, one.units))
    booked: dict[str, list[tuple[str, int]]] = {}
    for due in world.dues("confirmed"):
        booked.setdefault(due.tx_id, []).append((due.name, due.units))
    assert {key: sorted(value) for key, value in booked.items()} == {
        key: sorted(value) for key, value in names.items() if key in booked
    }


def at_once(*acts: Callable[[], Any]) -> list[Any]:
    """Run acts at the same time; what they return, or the ValtracError that they raise."""
    start, found = threading.Barrier(len(acts)), list[Any]([None] * len(acts))

    def run(place: int, act: Callable[[], Any]) -> None:
        start.wait()
        try:
            found[place] = act()
        except BaseException as error:
            found[place] = error

    threads = [threading.Thread(target=run, args=(place, act)) for place, act in enumerate(acts)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in found:
        if isinstance(one, BaseException) and not isinstance(one, ValtracError):
            raise one
    return found


def begun(world: World, who: str = "ann", whole: int = 25_000, word: str = "three_months") -> None:
    """A contract that stands, its notice paid."""
    assert world.take(who, whole, word).kind == "contract"
    world.round()


def delinquent(world: World, who: str = "ann") -> int:
    """A reward of 2000 BTS that was above the cap for longer than the owner's patience; its number."""
    begun(world, who)
    world.set(contracts_cap_payment="1500")
    world.days(31)
    world.round()
    (one,) = world.dues("delinquent")
    world.set(contracts_cap_payment="1000000")
    return one.id


class Refusing:
    """The unlocked account at a node that says no to every transaction which pays somebody in `bad`."""

    def __init__(self, world: World, *bad: str) -> None:
        self.world, self.payer = world, world.payer
        found = world.chain.named(bad)
        self.bad = {found[name].id for name in bad}

    @property
    def address(self) -> str:
        return self.payer.address

    def sign(self, payments: Any, *, nonce: int, period: int) -> Any:
        return self.payer.sign(payments, nonce=nonce, period=period)

    def broadcast(self, raw: bytes) -> None:
        if self.bad & {one.address for one in self.world.chain.decode(raw).payments}:
            raise Refused("the node refused the transaction", why="assert failed: account is blacklisted")
        self.payer.broadcast(raw)


def send_for_another_key(world: World, who: str, whole: float, memo: str) -> None:
    """A transfer to the custodian whose memo only another key than his opens, as after a change of keys."""
    client = bitshares.Client(world.path)
    trx = client.build([(who, "custodian", bts(whole), memo)], sign=False)
    trx["operations"][0][1]["memo"]["to"] = bitshares.dev_public("bob", "memo")
    client.call("broadcast_transaction", client.sign(trx, [who]))
    world.blocks(1)


@contextmanager
def with_exchanges(folder: Path, *held: float, **settings: Any) -> Iterator[tuple[World, Poloniex]]:
    """A World with as many accounts at the exchange as amounts are given; what leaves them comes over the chain."""
    names = NAMES[: len(held)]
    accounts = {
        f"key-{name}": Account(f"secret-{name}", Decimal(str(amount)), f"deposit-{name}")
        for name, amount in zip(names, held, strict=True)
    }
    given = {"CONTRACTS_EXCHANGE": "poloniex", "CONTRACTS_EXCHANGE_ACCOUNTS": ",".join(names), **settings}
    with Poloniex(accounts, deposit_account="exchange") as stub:
        world = World(folder, **given)

        def settle(asked: Asked) -> str:
            units = bts(asked.amount - stub.fee)
            return str(bitshares.transfer(world.path, "exchange", asked.address, units, asked.memo))

        stub.settle, stub.clock = settle, lambda: world.now.timestamp()
        opened = tuple(
            open_account(
                "poloniex",
                name,
                {"key": f"key-{name}", "secret": f"secret-{name}"},
                network="BTS",
                timeout_s=5,
                urls=stub.urls,
            )
            for name in names
        )
        world.custodian = replace(world.custodian, exchanges=opened, now=lambda: world.now)
        try:
            yield world, stub
        finally:
            world.close()
            for one in opened:
                one.close()


def copied(world: World, name: str) -> Path:
    """A copy of the database as a backup makes it."""
    to = world.folder / name
    with sqlite3.connect(world.folder / "data" / "valtrac-bitshares-devnet.sqlite") as old, sqlite3.connect(to) as new:
        old.backup(new)
    return to


class Lost:
    """The unlocked account at a node that loses every transaction."""

    def __init__(self, payer: Any) -> None:
        self.payer, self.address = payer, payer.address

    def sign(self, *args: Any, **named: Any) -> Any:
        return self.payer.sign(*args, **named)

    def broadcast(self, raw: bytes) -> None:
        raise ChainUnreachable("the request was lost")


def stakebts_file(
    world: World, folder: Path, *, penalty: str = "pending", principal: str = "pending", processed: int = 0
) -> Path:
    """A database of StakeBTS with one contract of three months that began 32 days ago; its rewards are pending."""
    month, path = 86_400_000 * 30, folder / "old.db"
    start = int(world.now.timestamp() * 1000) - month - 2 * 86_400_000
    rows = [
        ("agreement_3", 1, start, "confirmed", 0),
        ("base_amount", 25_000, start + 3 * month, principal, 0),
        ("penalty", -3_750, start + 3 * month, penalty, 0),
    ]
    rows += [("reward", 2_000, start + number * month, "pending", number) for number in (1, 2, 3)]
    with sqlite3.connect(path) as db:
        db.execute(
            "CREATE TABLE stakes (nominator, digital_asset, amount INT, type, nonce INT, start INT, due INT, "
            "processed INT, status, block_start INT, trx_idx INT, ops_idx INT, block_processed INT, number INT)"
        )
        db.execute("CREATE TABLE receipts (nonce INT, now INT, msg)")
        db.execute("CREATE TABLE block (block_num INT)")
        db.execute("INSERT INTO block VALUES (60600000)")
        for type_, amount, due_at, status, number in rows:
            times, place = (start, start, due_at, processed), (60_500_000, 0, 0, 60_500_100)
            values = ("ann", "BTS", amount, type_, *times, status, *place, number)
            db.execute(f"INSERT INTO stakes VALUES ({','.join('?' * len(values))})", values)
    return path
