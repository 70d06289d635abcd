"""A year of a custodian account on the rehearsal chain: clients, nonsense, managers, a bad exchange, a bad node."""

from __future__ import annotations

import json
import random
import tempfile
import time
from collections import Counter
from dataclasses import dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.contracts_world import DAY, World
from tests.exchanges.poloniex import Account, Asked, Poloniex
from tests.simulation.model import MONTHS, WHOLE, Reckoning, Seen, Verdict, compare, reckon
from valtrac.chains.bitshares.keys import dev_keys
from valtrac.contracts import audit, dues, exchange_transfers, listener, rulings
from valtrac.contracts.store import audit_events, transfers
from valtrac.core.errors import ChainUnreachable, ValtracError
from valtrac.database.engine import reading, writing
from valtrac.devnet import bitshares
from valtrac.exchanges.account import open_account

AMOUNTS = (25_000, 50_000, 100_000, 200_000)
NONSENSE = ("four_months", "hello", '{"type":"stop","type":"six_months"}', "123", "", "x" * 3_000, "null", "six-months")
GOOD = (
    "three_months",
    " six_months",
    '{"type":"twelve_months"}',
    '"six_months"',
    "Three_Months",
    "{'type':'six_months'}",
)
EXCHANGES = ("one", "two", "three")
OLD_KEY = bitshares.RawMemo("six_months", to_key=bitshares.dev_public("bob", "memo"), declared=True)


@dataclass(frozen=True)
class Result:
    """What came of it. unexplained: satoshi and transfers that nothing accounts for, in words."""

    clients: int
    contracts: int
    verdict: Verdict
    unexplained: tuple[str, ...]
    faults: dict[str, int]
    happened: dict[str, int]
    took_s: float

    @property
    def line(self) -> str:
        return (
            f"simulate-bitshares: clients={self.clients} payments={self.verdict.payments} "
            f"paid_twice={len(self.verdict.twice)} owed_forgotten={len(self.verdict.forgotten)} "
            f"unexplained={len(self.unexplained)}"
        )


class Year:
    """seed: makes it repeatable; days of the chain's time; people: how many clients."""

    def __init__(self, folder: Path, *, seed: int, days: int, people: int, stub: Poloniex) -> None:
        self.random, self.days, self.stub = random.Random(seed), days, stub
        self.names = [f"client-{number}" for number in range(people)]
        self.world = World(
            folder,
            custodian=300_000,
            CONTRACTS_AMOUNTS=",".join(map(str, AMOUNTS)),
            CONTRACTS_EXCHANGE="poloniex",
            CONTRACTS_EXCHANGE_ACCOUNTS=",".join(EXCHANGES),
            CONTRACTS_PATIENCE_HOURS="240",
            CONTRACTS_ADMIN_AGE="10000000",
        )
        for name in self.names:
            bitshares.add_account(self.world.path, bitshares.dev_account(name, satoshi=20_000_000 * WHOLE))
        bitshares.fund(self.world.path, "manager", 300_000_000 * WHOLE)
        bitshares.fund(self.world.path, "exchange", 300_000_000 * WHOLE)
        self.meant: dict[str, str] = {}
        self.by_hand: set[str] = set()
        self.faults: dict[str, int] = {}
        self.credited: set[int] = set()
        self.began = self.world.now
        self.locked_until: datetime | None = None
        stub.settle, stub.clock = self._settle, lambda: self.world.now.timestamp()
        accounts = [
            open_account(
                "poloniex",
                name,
                {"key": f"key-{name}", "secret": f"secret-{name}"},
                network="BTS",
                timeout_s=5,
                urls=stub.urls,
            )
            for name in EXCHANGES
        ]
        self.world.custodian = replace(
            self.world.custodian,
            exchanges=tuple(accounts),
            now=lambda: self.world.now,
            sleep=lambda _: self.world.blocks(self.random.choice((1, 3, 9))),
        )

    @property
    def ebb(self) -> float:
        """How likely it is that nobody begins a contract: for a third of the time never, from the middle on nearly
        always, so that deposits do not pay for what falls due."""
        gone = (self.world.now - self.began).total_seconds() / (self.days * DAY)
        return min(0.97, max(0.0, 5 * gone - 1.7))

    def live(self, tell: Any = None) -> None:
        """Day after day, several rounds a day, then until nothing that is due is left."""
        start = self.world.now
        last = 0
        while (self.world.now - start).total_seconds() < self.days * DAY:
            self._others()
            self._trouble()
            self._our_round()
            self.world.days(self.random.uniform(0.1, 0.6))
            day = int((self.world.now - start).total_seconds() // DAY)
            if tell and day // 30 > last:
                last = day // 30
                tell(f"day {day}: {len(self.meant)} requests, {sum(self.faults.values())} troubles")
        self._come_to_rest()

    # -- what others do ---------------------------------------------------------------------------------------

    def _others(self) -> None:
        odds, path = self.random, self.world.path
        for _ in range(odds.choice((0, 1, 1, 2, 3))):
            who, whole = odds.choice(self.names), odds.choice(AMOUNTS)
            kind = odds.random() if odds.random() > self.ebb else odds.uniform(0.55, 1)
            if kind < 0.55:
                memo = odds.choice(GOOD)
                asked = memo.strip().lower().replace("'", '"').removeprefix('{"type":').strip('"{}')
                self._sends(who, whole + odds.choice((0, 0, 0.99999)), memo, asked)
            elif kind < 0.65:
                self._sends(
                    who, odds.choice((1, 25_000, 0.5)), odds.choice(("stop", '{"type":"STOP"}', "'stop'")), "stop"
                )
            elif kind < 0.80:
                memo = odds.choice(NONSENSE)
                self._sends(who, odds.choice((0.1, 40, 50, 51, 60, 61, 99, 5_000, whole)), memo, "invalid")
            elif kind < 0.86:
                self._sends(who, odds.choice((99, 25_001, 24_999)), "six_months", "invalid")
            elif kind < 0.90:
                self._sends(who, 1_000, bitshares.RawMemo("deadbeef" * 8), "invalid")
            elif kind < 0.93:
                self._sends(who, 2_000, OLD_KEY, "returned")
            elif kind < 0.96:
                self._sends(who, odds.choice((100, 10_000)), odds.choice(("loan_to_bmg", "loan")), "invalid")
            else:
                self._sends(who, 500, json.dumps({"type": "bmg_to_bittrex", "amount": 600, "api": 1}), "invalid")
        if odds.random() < 0.06:
            word = odds.choice(("bmg_to_bittrex", "bittrex_to_bmg"))
            memo = json.dumps(
                {"type": word, "amount": odds.choice((500, 20_000, 400_000)), "api": odds.choice((1, 2, 3))}
            )
            self._sends(odds.choice(("manager", "manager", "clerk")), 1, memo, "move")
        if odds.random() < 0.08:  # a manager sweeps what there is: the wallet will be short
            whole = self.world.held("custodian") // WHOLE - odds.choice((300, 5_000, 40_000))
            memo = json.dumps(
                {"type": "custodian_to_exchange", "amount": max(401, whole), "api": odds.choice((1, 2, 3))}
            )
            self._sends("manager", 1, memo, "move")
        self._credit()
        if odds.random() < 0.02 and self.world.held("custodian") > 80 * WHOLE:  # the owner pays with another wallet
            tx_id = bitshares.transfer(path, "custodian", "dee", 77 * WHOLE, "rent")
            self.by_hand.add(str(tx_id))
        bitshares.produce(path, 1)

    def _sends(self, who: str, whole: float, memo: Any, asked: str) -> None:
        units = round(whole * WHOLE)
        try:
            tx_id = bitshares.transfer(self.world.path, who, "custodian", units, memo)
        except ValtracError:
            return  # it has not got that much any more
        self.meant[str(tx_id)] = asked
        if self.random.random() < 0.5:
            bitshares.produce(self.world.path, 1)

    def _credit(self) -> None:
        """The exchange books what has arrived there."""
        for one in self.world.dues("confirmed", type_="exchange"):
            if one.id not in self.credited:
                self.credited.add(one.id)
                account = next(it for it in self.stub.accounts.values() if it.memo == one.memo)
                account.available += Decimal(one.units) / WHOLE

    def _settle(self, asked: Asked) -> str:
        units = round((asked.amount - self.stub.fee) * WHOLE)
        tx_id = str(bitshares.transfer(self.world.path, "exchange", asked.address, units, asked.memo))
        self.meant[tx_id] = "loan"
        return tx_id

    # -- what goes wrong --------------------------------------------------------------------------------------

    def _trouble(self) -> None:
        odds, path, stub = self.random, self.world.path, self.stub
        if odds.random() < 0.25:
            fault = odds.choice(("lose_reply", "lose_request", "drop", "fork", "fork_drop", "hold"))
            self._count(fault)
            if fault in ("lose_reply", "lose_request"):
                bitshares.misbehave(path, **{fault: odds.choice((1, 2, 3))})
            elif fault == "drop":
                bitshares.misbehave(path, drop_pool=True)
            elif fault == "hold":
                bitshares.misbehave(path, hold_pool=True)
            else:
                bitshares.fork(path, 1, keep=fault == "fork")
        elif odds.random() < 0.3:
            bitshares.misbehave(path, hold_pool=False, lose_reply=0, lose_request=0)
        if odds.random() < 0.2:
            fault = odds.choice(("late", "lossy", "deaf", "down", "refuse", "well", "well"))
            self._count(f"exchange {fault}")
            stub.late, stub.down = fault == "late", fault == "down"
            stub.lose_replies, stub.lose_requests = int(fault == "lossy"), int(fault == "deaf")
            stub.refuse = int(fault == "refuse")
            if not stub.late:
                stub.let_go()
        if odds.random() < 0.04:
            self._count("locked")
            self.world.lock()
        elif odds.random() < 0.5:
            self.world.unlock()
        if odds.random() < 0.03:
            self._count("replay")
            with writing(self.world.engine) as conn:
                at = transfers.cursor(conn)
                assert at is not None
                back = transfers.Cursor(max(60_700_010, at.block - odds.choice((10, 300, 5_000))), "")
                transfers.set_cursor(conn, back, expected=at)
        if odds.random() < 0.03:
            self._count("exchange accounts refilled")
            for account in stub.accounts.values():
                account.available += Decimal(odds.choice((0, 1_000, 300_000)))

    def _count(self, what: str) -> None:
        self.faults[what] = self.faults.get(what, 0) + 1

    # -- what the program does ----------------------------------------------------------------------------------

    def _our_round(self) -> None:
        """A turn of the listener and of the payer, each of which may fail and is simply run again later."""
        world, custodian = self.world, self.world.custodian
        bitshares.produce(world.path, 3)
        for act in (self._read, self._pay, self._word):
            try:
                act()
            except (ChainUnreachable, ValtracError) as error:
                self._count(type(error).__name__)
        try:
            audit.note_balances(custodian, world.chain.finalized())
            audit.check_balance(custodian)
        except ChainUnreachable:
            self._count("no moment for reckoning")

    def _read(self) -> None:
        while listener.listen(self.world.custodian).behind > 1:
            pass

    def _pay(self) -> None:
        world = self.world
        if world.chain.keys is None:
            return
        done = dues.pay(world.custodian, world.payer, patience_s=60, poll_s=0.0)
        exchange_transfers.step(world.custodian, done.outlook.missing, asked=done.outlook.asked)
        if done.outlook.missing and self.random.random() < 0.10:  # in the end somebody lends what is missing
            self._sends("manager", done.outlook.missing // WHOLE + 1, "loan_to_bmg", "loan")

    def _word(self) -> None:
        """The owner deals with what waits for him, now and then."""
        world = self.world
        if self.random.random() < 0.5:
            return
        for one in world.operations("parked"):
            self._returns(one)
        for one in world.operations("unruled"):
            rulings.rule(world.custodian, one.id, words="rent")
        for due in world.dues("delinquent"):
            if world.chain.keys is not None and self.random.random() < 0.5:
                whole = f"{due.units // WHOLE}.{due.units % WHOLE:05d}"
                dues.pay_delinquent(world.custodian, world.payer, due.id, whole, patience_s=60)

    def _returns(self, one: transfers.RecordedTransfer) -> None:
        """The owner sends back what waits for his word; that he did is for the model to know."""
        rulings.read_by_hand(self.world.custodian, one.id, rulings.Word(refund=True))
        self.meant[one.tx_id] = "returned"

    def _come_to_rest(self) -> None:
        """No more trouble, money for everything, time for what is on its way: then nothing due may be left."""
        world, stub = self.world, self.stub
        bitshares.misbehave(world.path, hold_pool=False, lose_reply=0, lose_request=0)
        stub.late = stub.down = False
        stub.lose_replies = stub.lose_requests = stub.refuse = 0
        stub.let_go()
        world.unlock()
        for turn in range(40):
            self.stop_at = world.now
            self._sends("manager", 2_000_000, "loan_to_bmg", "loan")
            bitshares.produce(world.path, 50)
            self._read()
            for one in world.operations("parked"):
                self._returns(one)
            for one in world.operations("unruled"):
                rulings.rule(world.custodian, one.id, words="rent")
            dues.pay(world.custodian, world.payer, patience_s=400, poll_s=0.0)
            exchange_transfers.step(world.custodian, 0)
            for due in world.dues("delinquent"):
                self._read()  # what was paid before it took its time
                whole = f"{due.units // WHOLE}.{due.units % WHOLE:05d}"
                dues.pay_delinquent(world.custodian, world.payer, due.id, whole, patience_s=400)
            open_now = [
                one
                for one in world.dues("pending", "processing", "paid", "delinquent")
                if one.due_at <= world.now and one.type != "penalty"
            ]
            if turn > 3 and not open_now and not world.operations("waiting", "parked", "unruled"):
                return
        raise AssertionError(f"it did not come to rest: {open_now[:5]}")

    # -- comparing ------------------------------------------------------------------------------------------------

    def judge(self) -> tuple[Verdict, Reckoning, list[str]]:
        seen = chain_of(self.world)
        wanted = reckon(seen, self.meant, {whole * WHOLE for whole in AMOUNTS}, self.world.now)
        deposits = {account.memo for account in self.stub.accounts.values()}
        verdict = compare(seen, wanted, deposits=deposits, by_hand=self.by_hand)
        odd = [f"{one.tx_id} of {one.units} to {one.account}: {one.memo}" for one in verdict.strange]
        moved = sum(one.units if one.came_in else -one.units - one.fee for one in seen)
        held = self.world.held("custodian")
        if held != 300_000 * WHOLE + moved:
            odd.append(f"the custodian holds {held} satoshi, its transfers make {300_000 * WHOLE + moved}")
        odd += self._books(seen)
        with reading(self.world.engine) as conn:
            said = [one.msg.get("warn", "") for one in audit_events.search(conn, kind="alert", limit=10**7)]
        odd += [words for words in said if "without any recorded transfer" in words]
        odd += audit.check(self.world.custodian).odd
        return verdict, wanted, odd

    def _books(self, seen: list[Seen]) -> list[str]:
        """The program's own books against the chain: each payment confirmed once, with its transaction."""
        odd, by_tx = list[str](), dict[str, list[tuple[str, int]]]()
        for one in seen:
            if not one.came_in and one.tx_id not in self.by_hand:
                by_tx.setdefault(one.tx_id, []).append((one.account, one.units))
        booked: dict[str, list[tuple[str, int]]] = {}
        for due in self.world.dues("confirmed"):
            booked.setdefault(due.tx_id, []).append((due.account, due.units))
        for tx_id in by_tx.keys() | booked.keys():
            if sorted(by_tx.get(tx_id, [])) != sorted(booked.get(tx_id, [])):
                odd.append(f"{tx_id}: the chain has {by_tx.get(tx_id)}, the books {booked.get(tx_id)}")
        from valtrac.payments.accounts import unbalanced

        odd += [str(found) for found in unbalanced(self.world.engine)]
        with reading(self.world.engine) as conn:
            from valtrac.payments.store import ledger

            broken = ledger.broken_receipt(conn)
        return odd + ([f"receipt {broken} does not follow"] if broken else [])

    def happened(self) -> dict[str, int]:
        """How often each kind of event is in the program's trail."""
        with reading(self.world.engine) as conn:
            return dict(Counter(one.kind for one in audit_events.search(conn, limit=10**7)))


def chain_of(world: World) -> list[Seen]:
    """Every irreversible transfer of the custodian's, read from the chain."""
    bitshares.produce(world.path, 5)
    world.chain.keys = dev_keys("custodian")
    custodian, found = world.custodian.account.id, []
    for block in world.chain.transfers(60_700_001, world.chain.finalized().number, custodian):
        for one in block.transfers:
            came_in = one.receiver == custodian
            memo = world.chain.read_memo(one.memo) if one.memo is not None and not came_in else None
            key, other = f"{one.block}:{one.trx}:{one.op}", one.sender if came_in else one.receiver
            found.append(Seen(key, one.tx_id, block.at, other, one.units, came_in, memo, one.fee_units))
    return found


def simulate(*, seed: int, days: int, people: int = 200, tell: Any = None) -> Result:
    """Live and judge."""
    began = time.monotonic()
    accounts = {f"key-{name}": Account(f"secret-{name}", Decimal(400_000), f"deposit-{name}") for name in EXCHANGES}
    with tempfile.TemporaryDirectory() as folder, Poloniex(accounts, deposit_account="exchange") as stub:
        year = Year(Path(folder), seed=seed, days=days, people=people, stub=stub)
        try:
            year.live(tell)
            verdict, wanted, odd = year.judge()
            took_s = time.monotonic() - began
            return Result(people, wanted.contracts, verdict, tuple(odd), year.faults, year.happened(), took_s)
        finally:
            year.world.close()
            for one in year.world.custodian.exchanges:
                one.close()


__all__ = ["MONTHS", "Result", "simulate"]
