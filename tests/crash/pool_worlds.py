"""Pools to die in: a reward that was won, and a payday that is due, in three transactions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.crash.worlds import Play
from tests.once import Died, Meddling
from tests.pool_world import COIN, World, paid_on_chain
from valtrac.database.engine import reading
from valtrac.devnet import qtum
from valtrac.devnet.qtum import Person, state
from valtrac.payments import accounts
from valtrac.payments.store import attempts, ledger
from valtrac.pool import payday
from valtrac.pool.audit import audit
from valtrac.pool.overview import waits_to_be_sent
from valtrac.ports import Payer
from valtrac.wiring.pool import PoolApp

SETTINGS = {"VALTRAC_QTUM_MATURITY": "10", "VALTRAC_QTUM_FINAL_BLOCKS": "3", "VALTRAC_POOL_CHUNK": "3"}
DELEGATES = 7
NET = 4 * COIN // DELEGATES * 88 // 100
TRIES = 6
PEOPLE = (
    Person("pool", 40_000 * COIN, 80, wallet="", stakes=True),
    *(Person(f"d{number}", 100 * COIN, to="pool") for number in range(DELEGATES)),
)


def prepared(home: Path, play: Play) -> tuple[int, str]:
    """A home in which the play's command is the next thing to do."""
    world = World(home, people=PEOPLE, pool_chunk="3")
    (home / "no.env").touch()
    try:
        world.look()
        world.win()
        world.midnight()
        if play.command == "pay again":
            half_paid(world)
        if play.faults:
            world.misbehave(**{name: {"sendrawtransaction": count} for name, count in play.faults.items()})
    finally:
        world.close()
        state.connect(world.folder).execute("PRAGMA wal_checkpoint(TRUNCATE)")
        state.disconnect()
    return 0, ""


def half_paid(world: World) -> None:
    """A payer that died after it had handed its second transaction over, before it saw what came of it."""
    world.unlock()
    world.look()
    turns = iter(range(9))

    def dies_at_second(payer: Payer, raw: bytes) -> None:
        payer.broadcast(raw)
        if next(turns):
            raise Died

    try:
        payday.pay(world.pool, Meddling(world.app.payer(), dies_at_second), world.state)
    except Died:
        return
    raise AssertionError("the payer was meant to die")


def command_of(play: Play, number: int, total: str) -> list[str]:
    """The words of the command that dies."""
    return ["pool", "look" if play.command == "look" else "pay"]


def recovered(
    home: Path, play: Play, number: int, total: str, run: Callable[[Path, list[str]], int]
) -> tuple[int, int, list[str]]:
    """What an owner would do: pay until nothing waits; then (paid twice, lost, what is odd)."""
    folder = home / "data" / "qtum-devnet"
    qtum.clear(folder)
    try:
        for _ in range(TRIES):
            run(home, ["pool", "pay"])
            if not still_open(home):
                break
        return judged(home)
    finally:
        qtum.stop(folder)
        state.disconnect()


def reopened(home: Path) -> PoolApp:
    """The same pool, seen from outside."""
    from valtrac.settings import load

    return PoolApp(load({"VALTRAC_HOME": str(home), **SETTINGS}, home / "no.env"))


def still_open(home: Path) -> bool:
    app = reopened(home)
    try:
        return waits_to_be_sent(app.pool) or payday.moment(app.pool, app.chain.state()) is not None
    finally:
        app.close()


def judged(home: Path) -> tuple[int, int, list[str]]:
    """Chain, book, receipts, log and files, for every delegate, to the satoshi."""
    app = reopened(home)
    try:
        told, wrong = audit(app.pool), list[str]()
        wrong += told.problems
        received = paid_on_chain(app.settings.qtum_folder)
        owed = {qtum.dev_address(f"d{number}"): NET for number in range(DELEGATES)}
        if set(received) - set(owed):
            wrong.append("somebody else was paid")
        with reading(app.engine) as conn:
            if ledger.broken_receipt(conn) or attempts.unresolved(conn):
                wrong.append("a receipt is broken or an attempt is open")
            receipts = len(ledger.receipts(conn))
        wrong += [str(found) for found in accounts.unbalanced(app.engine)]
        log = home / "logs" / "pool_payments.csv"
        rows = len(log.read_text(encoding="utf-8").splitlines()) - 1 if log.exists() else 0
        if not receipts == rows == DELEGATES or told.unexplained:
            wrong.append(f"{receipts} receipts, {rows} rows in the log, {told.unexplained} satoshi unexplained")
        wrong += missing_files(app)
        until, only = (
            state.connect(app.settings.qtum_folder).execute("SELECT until, staking_only FROM wallets").fetchone()
        )
        if not (until and only):
            wrong.append("the wallet does not stake on")
        twice = sum(received.get(who, 0) > units for who, units in owed.items())
        return twice, sum(received.get(who, 0) < units for who, units in owed.items()), wrong
    finally:
        app.close()


def missing_files(app: PoolApp) -> list[str]:
    """The share files and logs that are not there, or stand half written beside their places."""
    settings = app.settings
    found = {path.name for path in settings.pool_folder.iterdir()} if settings.pool_folder.exists() else set()
    endings = {name.lstrip("0123456789") for name in found}
    wrong = [f"no share file {name}" for name in ("poolshare.csv", "poolshare_payday.csv") if name not in endings]
    wrong += [] if (settings.data / "currentpoolshare.csv").exists() else ["no current share file"]
    return wrong + ([] if list(settings.logs.glob("PPM_Log_*.csv")) else ["no log of the day"])
