"""Homes to die in: an owner's ledger and chain, made once and copied for each point."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.payout_world import World
from valtrac.core.money import decimal_text
from valtrac.devnet import bittensor as devnet
from valtrac.payouts import approvals, balances

HEADS = 7
ASIDE = "u002"


@dataclass(frozen=True, slots=True)
class Play:
    """What happens before the killed command: the command, and how the chain misbehaves during it."""

    name: str
    command: str
    faults: dict[str, Any]
    contracts: bool = False
    pool: bool = False
    keeps: bool = False


PLAYS = (
    Play("send", "send", {}),
    Play("send, reply lost", "send", {"lose_reply": 2}),
    Play("send, request lost", "send", {"lose_request": 2}),
    Play("send, node down", "send", {"down": 3}),
    Play("reconcile after a send died", "reconcile", {}),
    Play("resume after a send died", "resume", {}),
    Play("approve", "approve", {}),
    Play("set a payment aside", "set-aside", {}),
    Play("release what was set aside", "release", {}),
    Play("listen", "listen", {}, contracts=True),
    Play("listen again from an older block", "replay", {}, contracts=True),
    Play("pay what is due", "pay", {}, contracts=True),
    Play("pay, reply lost", "pay", {"lose_reply": 2}, contracts=True),
    Play("pay, request lost", "pay", {"lose_request": 2}, contracts=True),
    Play("pay after a payer died", "pay again", {}, contracts=True),
    Play("pay a delinquent one by hand", "by hand", {}, contracts=True),
    Play("look at blocks of a pool", "look", {}, pool=True),
    Play("keep a payday", "payday", {}, pool=True),
    Play("keep a payday, reply lost", "payday", {"lose_reply": 2}, pool=True),
    Play("keep a payday, request lost", "payday", {"lose_request": 2}, pool=True),
    Play("a payday after its payer died", "pay again", {}, pool=True),
    Play("redeem keeps", "redeem", {}, keeps=True),
    Play("redeem keeps after their payer died", "redeem again", {}, keeps=True),
    Play("prove redemptions", "prove", {}, keeps=True),
)


def prepared(home: Path, play: Play) -> tuple[int, str]:
    """A home in which `play.command` is the next thing to do; the batch's number and its total."""
    world = World(home, heads=HEADS).people().day()
    (home / "no.env").touch()  # so that the owner's own settings are not read
    try:
        batch = world.draft()
        total = decimal_text(batch.total)
        if play.command != "approve":
            approvals.approve(world.engine, world.app.settings, world.app.caps, batch.id, total, despite="as planned")
        if play.command == "release":
            balances.set_aside(world.engine, world.app.producer, batch.id, ASIDE, "asked to wait")
            world.send(batch)
        if play.command in ("reconcile", "resume"):
            half_sent(world, batch.id)
        if play.faults:
            devnet.misbehave(world.node, **play.faults)
        return batch.id, total
    finally:
        world.app.close()


def half_sent(world: World, batch_id: int) -> None:
    """One chunk landed, the next was handed over and its sender died before looking."""
    from valtrac.payments import send

    class Died(BaseException):
        """Not an error that anyone may catch: the process is gone."""

    def die_at_second(words: str) -> None:
        if "landed" in words:
            seen.append(words)

    seen: list[str] = []
    payer = world.app.unlock()

    class Dying:
        address = payer.address

        def sign(self, payments: Any, *, nonce: int, period: int) -> Any:
            return payer.sign(payments, nonce=nonce, period=period)

        def broadcast(self, raw: bytes) -> None:
            payer.broadcast(raw)
            if seen:
                raise Died

    try:
        send.send(world.door(tell=die_at_second), Dying(), batch_id)
    except Died:
        return
    raise AssertionError("the sender was meant to die")
