"""Watches over keeps to die in: deposits in danger, and redemptions that are half way, on the real contracts."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

from tests.crash.worlds import Play
from tests.once import Died
from valtrac.core.chain import SignedTx
from valtrac.core.errors import OutcomeUnknown, ValtracError
from valtrac.database.engine import reading
from valtrac.devnet.tbtc import owner, process, world
from valtrac.devnet.tbtc.chains import REDEEMED
from valtrac.devnet.tbtc.evm import Contract
from valtrac.devnet.tbtc.node import Node
from valtrac.devnet.tbtc.system import System
from valtrac.keeps import cycle
from valtrac.keeps.store import redemptions
from valtrac.payments import accounts
from valtrac.payments.store import attempts, ledger
from valtrac.rehearsal import keeps as rehearsal
from valtrac.settings import Settings, load
from valtrac.wiring.keeps import KeepsApp

SETTINGS = {"VALTRAC_KEEPS_OPERATORS": "all", "VALTRAC_KEEPS_LOOK_S": "0.1"}
LOT, SAVED = 10**6, 2  # satoshi; TBTC suffices for so many of the three
TBTC = 29 * 10**15
PERCENT = 124
ROUNDS = 14


def prepared(home: Path, play: Play) -> tuple[int, str]:
    """A home in which the play's command is the next thing to do. The chains are at rest in it."""
    home.mkdir(parents=True, exist_ok=True)
    (home / "no.env").touch()
    settings = settings_of(home)
    process.start(settings.keeps_folder, interval_s=0.5)
    try:
        rehearsal.deposits(settings, [LOT] * 3)
        rehearsal.fund(settings, tbtc=TBTC, ether=10**19)
        (settings.keeps_folder / rehearsal.MADE).touch()
        rehearsal.set_percent(settings, PERCENT)
        if play.command == "prove":
            one_round(home)
            half_way(home)
        elif play.command == "redeem again":
            one_round(home, dies_at=3)
    finally:
        process.stop(settings.keeps_folder)
    return 0, ""


def settings_of(home: Path) -> Settings:
    """The settings that a command reads there."""
    return load({"VALTRAC_HOME": str(home), **SETTINGS}, home / "no.env")


def one_round(home: Path, *, dies_at: int = 0) -> None:
    """A pass of the watch, in this process. dies_at: the wallet dies after it has handed over so many transactions."""
    app = KeepsApp(settings_of(home))
    try:
        app.unlock()
        payer: Any = Dying(app.payer(), dies_at) if dies_at else app.payer()
        with suppress(Died, OutcomeUnknown):
            cycle.run(app.watching, payer)
    finally:
        app.close()


class Dying:
    """A wallet whose process is gone after so many transactions were handed over."""

    def __init__(self, payer: Any, dies_at: int) -> None:
        self._payer, self._left = payer, dies_at

    @property
    def address(self) -> str:
        return str(self._payer.address)

    def sign(self, payments: Any, *, nonce: int, period: int) -> SignedTx:
        signed: SignedTx = self._payer.sign(payments, nonce=nonce, period=period)
        return signed

    def replace(self, waiting: Any) -> dict[int, SignedTx]:
        return {}

    def broadcast(self, raw: bytes) -> None:
        self._payer.broadcast(raw)
        self._left -= 1
        if not self._left:
            raise Died


def half_way(home: Path) -> None:
    """The members have signed, and Bitcoin is mined: the next pass brings the proofs."""
    settings = settings_of(home)
    rehearsal.let_pass(settings, Decimal("0.2"))
    one_round(home)
    one_round(home)
    rehearsal.let_pass(settings, Decimal(2))


def command_of(play: Play, number: int, total: str) -> list[str]:
    """The words of the command that dies."""
    return ["keeps", "watch", "--once"]


def before_dying(home: Path) -> None:
    """Start the chains of a copied home."""
    process.start(settings_of(home).keeps_folder, interval_s=0.5)


def after_counting(home: Path) -> None:
    """End them."""
    process.stop(settings_of(home).keeps_folder)


def recovered(
    home: Path, play: Play, number: int, total: str, run: Callable[[Path, list[str]], int]
) -> tuple[int, int, list[str]]:
    """What an owner would do: pass after pass until everything is redeemed; then (requested twice, lost, what is
    odd)."""
    settings = settings_of(home)
    try:
        for _ in range(ROUNDS):
            run(home, ["keeps", "watch", "--once"])
            if settled(home):
                break
            rehearsal.let_pass(settings, Decimal("0.4"))
        return judged(home)
    finally:
        process.stop(settings.keeps_folder)


def settled(home: Path) -> bool:
    node, _, deposits = outside(home)
    states = [Contract("Deposit", deposit).read(node, "currentState") for deposit in deposits]
    app = KeepsApp(settings_of(home))
    try:
        with reading(app.engine) as conn:
            still_open = redemptions.listed(conn, still_open=True) or attempts.unresolved(conn)
    finally:
        app.close()
    return states.count(REDEEMED) == SAVED and not still_open


def outside(home: Path) -> tuple[Node, System, list[str]]:
    """The node, the contracts and the deposits in question, seen without the program."""
    note = world.where(settings_of(home).keeps_folder)
    assert note is not None
    names = System.__dataclass_fields__
    node = Node(note["ethereum_url"])
    system = System.of_json({name: note[name] for name in names})
    made = happened(node, system, "Created")
    deposits = [told["_depositContractAddress"] for told in made]
    small = [each for each in deposits if Contract("Deposit", each).read(node, "lotSizeSatoshis") == LOT]
    return node, system, small


def happened(node: Node, system: System, event: str) -> list[dict[str, Any]]:
    """What the system has told of, read."""
    contract = system.at("TBTCSystem")
    return contract.events(event, contract.logs(node, event))


def judged(home: Path) -> tuple[int, int, list[str]]:
    """Contracts, ledger and receipts, to the wei."""
    node, system, deposits = outside(home)
    wrong: list[str] = []
    asked = happened(node, system, "RedemptionRequested")
    times = [sum(told["_depositContractAddress"] == deposit for told in asked) for deposit in deposits]
    twice = sum(count > 1 for count in times)
    redeemed = sum(Contract("Deposit", each).read(node, "currentState") == REDEEMED for each in deposits)
    token, machine = system.at("TBTCToken"), system.addresses["VendingMachine"]
    left = token.read(node, "balanceOf", owner.ADDRESS)
    spent = TBTC - left
    if any(token.read(node, "allowance", owner.ADDRESS, spender) for spender in (machine, *deposits)):
        wrong.append("an allowance is open")
    app = KeepsApp(settings_of(home))
    try:
        with reading(app.engine) as conn:
            taken = sum(each.taken or 0 for each in redemptions.listed(conn))
            logged = sum(each.tbtc for each in redemptions.actions(conn))
            paid = sum(kinds.get("paid", 0) for kinds in ledger.totals(conn).values())
            if ledger.broken_receipt(conn) or attempts.unresolved(conn):
                wrong.append("a receipt is broken or an attempt is open")
        if not spent == taken == logged == paid:
            wrong.append(f"{spent} wei were spent, {taken} taken, {logged} logged, {paid} in the ledger")
        wrong += [str(found) for found in accounts.unbalanced(app.engine)]
    except ValtracError as error:
        wrong.append(str(error))
    finally:
        app.close()
    return twice, SAVED - redeemed, wrong
