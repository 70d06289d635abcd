"""One payout with one or two nodes that lie, and what became of the money."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.liars.bittensor_lies import Liar
from tests.liars.played import Played
from tests.payout_world import World, owed
from valtrac.chains.bittensor import connect
from valtrac.core.errors import ValtracError
from valtrac.devnet import bittensor as devnet
from valtrac.payments import foreign
from valtrac.payments.reconcile import reconcile
from valtrac.payments.send import send

ROUNDS, HONEST_ROUNDS = 6, 12


def play(seed: int, folder: Path) -> Played:
    """Pay a batch while the nodes lie, then while they do not."""
    rng = random.Random(seed)
    world = World(folder, heads=rng.randint(3, 7))
    batch = world.people().day().approved()
    before = world.app.chain.balance(world.app.wallet_address, world.app.chain.finalized())
    liars = [_liar(world, rng) for _ in range(rng.choice([1, 2]))]
    payer = connect.dev_payer(liars[0], world.app.settings.wallet_name)
    door = _door(world, liars, rng)
    for _ in range(ROUNDS):
        with suppress(ValtracError):
            send(door, payer, batch.id, isolate=rng.random() < 0.3, accept_history=True)
        with suppress(ValtracError):
            reconcile(door)
        devnet.advance(world.node, rng.choice([1, 3, 20, 70]))
    for chain in liars:
        chain.substrate.honest = True
    stuck = _finished(world, door, payer, batch)
    received, meant = world.received(), owed(batch)
    after = world.app.chain.balance(world.app.wallet_address, world.app.chain.finalized())
    fees = before - after - sum(received.values())
    told = Counter[str]()
    for chain in liars:
        told += chain.substrate.lies
        chain.close()
    world.app.close()
    return Played(
        seed,
        told,
        twice=sum(max(0, units - meant.get(name, 0)) for name, units in received.items()),
        lost=sum(max(0, units - received.get(name, 0)) for name, units in meant.items()),
        stolen=max(0, fees - 10**9),
        stuck=stuck,
    )


def _liar(world: World, rng: random.Random) -> Any:
    chain = connect.open_devnet(world.node)
    chain.substrate = Liar(chain.substrate, rng.randrange(2**32), rng.choice([0.02, 0.1, 0.3]))
    chain._nodes = replace(chain._nodes, open=lambda number: chain.substrate)  # left, it is asked again: there is none
    return chain


def _door(world: World, liars: Sequence[Any], rng: random.Random) -> Any:
    def sleep(seconds: float) -> None:
        devnet.advance(world.node, rng.choice([1, 5]))

    return world.door(chain=liars[0], witnesses=tuple(liars[1:]), sleep=sleep, patience_s=8)


def _finished(world: World, door: Any, payer: Any, batch: Any) -> str:
    """Go on as an owner would until all is paid; why it is not, or ""."""
    words = "nothing was tried"
    for _ in range(HONEST_ROUNDS):
        try:
            if send(door, payer, batch.id, isolate=True, retry_failed=True, accept_history=True).state == "settled":
                return ""
            words = "it is not settled"
        except ValtracError as error:
            words = str(error)
            if "has landed after all" in words or "not in the journal" in words:
                with suppress(ValtracError):
                    foreign.adopt(door, world.app.wallet_address)
        devnet.advance(world.node, 70)
    return words
