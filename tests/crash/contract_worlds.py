"""Custodians to die in: deposits on the chain, contracts that fall due, a payment that waits for the owner."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from tests.contracts_world import World
from tests.crash.worlds import Play
from tests.simulation.model import WHOLE, Reckoning, compare, reckon
from tests.simulation.year import chain_of
from valtrac.contracts import dues
from valtrac.contracts.model.states import DueState
from valtrac.core.chain import Payment, SignedTx
from valtrac.database.engine import reading, writing
from valtrac.devnet import bitshares
from valtrac.payments import accounts
from valtrac.payments.store import attempts, ledger

SETTINGS = {"VALTRAC_CONTRACTS_AMOUNTS": "100,25000,50000,100000", "VALTRAC_CONTRACTS_MANAGERS": "manager,clerk"}
AMOUNTS = {100 * WHOLE, 25_000 * WHOLE, 50_000 * WHOLE, 100_000 * WHOLE}
START = 100_000 * WHOLE
TRIES = 8
REQUESTS = (
    ("ann", 25_000, "three_months", "three_months"),
    ("bob", 50_000, '{"type":"six_months"}', "six_months"),
    ("cid", 99, "six_months", "invalid"),
    ("manager", 1_000, "loan_to_bmg", "loan"),
    ("ann", 100, '"three_months"', "three_months"),
    ("cid", 61, "nonsense", "invalid"),
)
LATER = (("ann", 1, "stop", "stop"), ("dee", 100, "twelve_months", "twelve_months"), ("bob", 70, None, "invalid"))


def prepared(home: Path, play: Play) -> tuple[int, str]:
    """A home in which the play's command is the next thing to do; (payment by hand or 0, its amount)."""
    world = World(home, pace="look", CONTRACTS_PATIENCE_HOURS="0")
    (home / "no.env").touch()
    meant = {world.send(who, whole, memo): asked for who, whole, memo, asked in REQUESTS}
    number, total = 0, ""
    try:
        if play.command != "listen":
            world.listen()
            world.pay()
            world.days(31)
            meant |= {world.send(who, whole, memo): asked for who, whole, memo, asked in LATER}
            world.listen()
        if play.command == "replay":
            world.pay()
        if play.command == "pay again":
            half_paid(world)
        if play.command == "by hand":
            number, total = delinquent(world)
        if play.faults:
            bitshares.misbehave(world.path, **play.faults)
        (home / "meant.json").write_text(json.dumps(meant), encoding="utf-8")
        return number, total
    finally:
        world.close()


def half_paid(world: World) -> None:
    """A payer that died after it had signed, written down and sent, before it saw what came of it."""
    payer = world.payer

    class Dies(Exception):
        """In the place of a death."""

    class Dying:
        address = payer.address

        def sign(self, payments: tuple[Payment, ...], *, nonce: int, period: int) -> SignedTx:
            return payer.sign(payments, nonce=nonce, period=period)

        def broadcast(self, raw: bytes) -> None:
            payer.broadcast(raw)
            raise KeyboardInterrupt

    try:
        dues.pay(world.custodian, Dying(), patience_s=1)
    except Exception as error:
        assert "left this machine" in str(error), error


def delinquent(world: World) -> tuple[int, str]:
    """Turn a reward that is due into one that the owner pays by hand."""
    from valtrac.contracts.store import contracts

    with writing(world.engine) as conn:
        one = next(due for due in contracts.payable(conn, world.now) if due.type == "reward")
        contracts.move(conn, [one.id], DueState.PENDING, DueState.DELINQUENT, words="for the play")
    return one.id, f"{one.units // WHOLE}.{one.units % WHOLE:05d}"


def command_of(play: Play, number: int, total: str) -> list[str]:
    """The words of the command that dies."""
    return {
        "listen": ["contracts", "listen"],
        "replay": ["contracts", "listen", "--from", "60700001"],
        "pay": ["contracts", "pay"],
        "pay again": ["contracts", "pay"],
        "by hand": ["contracts", "pay-delinquent", str(number), "--total", total],
    }[play.command]


def recovered(
    home: Path, play: Play, number: int, total: str, run: Callable[[Path, list[str]], int]
) -> tuple[int, int, list[str]]:
    """What an owner would do: read on, pay, pay by hand what waits for it; then (paid twice, lost, what is odd)."""
    path = home / "data" / "bitshares-devnet.sqlite"
    bitshares.clear(path)
    for _ in range(TRIES):
        run(home, ["contracts", "listen"])
        run(home, ["contracts", "pay"])
        if number:
            run(home, command_of(play, number, total))
        if not still_open(home):
            break
    return judged(home)


def still_open(home: Path) -> bool:
    world = reopened(home)
    try:
        return any(
            one.due_at <= world.now and one.type != "penalty"
            for one in world.dues("pending", "processing", "paid", "delinquent")
        )
    finally:
        world.close()


def reopened(home: Path) -> World:
    """The same custodian, seen from outside."""
    from valtrac.chains.bitshares import connect
    from valtrac.database.opening import open_engine
    from valtrac.settings import load

    world = World.__new__(World)
    world.folder, world.path = home, home / "data" / "bitshares-devnet.sqlite"
    world.settings = load({"VALTRAC_HOME": str(home), **SETTINGS}, home / "no.env")
    world.engine = open_engine(world.settings.bitshares_database)
    world.chain = connect.open_devnet(world.path, timeout_s=10)
    world.unlock()
    world.custodian = world.new_custodian()
    return world


def judged(home: Path) -> tuple[int, int, list[str]]:
    world = reopened(home)
    try:
        meant = json.loads((home / "meant.json").read_text(encoding="utf-8"))
        seen = chain_of(world)
        wanted: Reckoning = reckon(seen, meant, AMOUNTS, world.now)
        verdict = compare(seen, wanted, deposits=set(), by_hand=set())
        wrong = [f"{one.memo}: {one.units}" for one in verdict.strange]
        moved = sum(one.units if one.came_in else -one.units - one.fee for one in seen)
        if world.held("custodian") != START + moved:
            wrong.append("the custodian's balance is not what its transfers make")
        chain = sorted((one.tx_id, one.account, one.units) for one in seen if not one.came_in)
        if chain != sorted((one.tx_id, one.account, one.units) for one in world.dues("confirmed")):
            wrong.append("the books differ from the chain")
        wrong += [str(found) for found in accounts.unbalanced(world.engine)]
        with reading(world.engine) as conn:
            if ledger.broken_receipt(conn) or attempts.unresolved(conn):
                wrong.append("a receipt is broken or an attempt is open")
            receipts = len(ledger.receipts(conn))
        log = home / "logs" / "contract_payments.csv"
        rows = len(log.read_text(encoding="utf-8").splitlines()) - 1 if log.exists() else 0
        if not receipts == rows == len(chain):
            wrong.append(f"{len(chain)} payments, {receipts} receipts, {rows} rows in the log")
        return len(verdict.twice), len(verdict.forgotten), wrong
    finally:
        world.close()
