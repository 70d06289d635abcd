"""One payout with one or two nodes that lie, and what became of the money.

In some worlds a second copy of the program pays the same batch at the same time; in some, one of two nodes serves a
history of its own for a while, whole and linked, in which a payment may be included, fail to be, or come too late.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.liars.bittensor_lies import Liar, copied, fork_off
from tests.liars.played import Played
from tests.payout_world import World, owed
from valtrac.chains.bittensor import connect
from valtrac.chains.bittensor.finality import FinalBlocks
from valtrac.core.errors import ValtracError
from valtrac.database.engine import reading
from valtrac.devnet import bittensor as devnet
from valtrac.payments import foreign
from valtrac.payments.pins import KeptPins
from valtrac.payments.reconcile import reconcile
from valtrac.payments.send import send
from valtrac.payments.store import histories

ROUNDS, HONEST_ROUNDS = 6, 20


def play(seed: int, folder: Path) -> Played:
    """Pay a batch while the nodes lie, then while they do not."""
    rng = random.Random(seed)
    world = World(folder, heads=rng.randint(3, 7))
    batch = world.people().day().approved()
    before = world.app.chain.balance(world.app.wallet_address, world.app.chain.finalized())
    liars = [_liar(world, rng) for _ in range(rng.choice([1, 2]))]
    if len(liars) == 2 and rng.random() < 0.5:
        fork_off(world.node, folder / "fork.sqlite", liars[rng.randrange(2)].substrate, rng)
    owners = [Owner(world, liars, rng)]
    owners[0].pays(batch.id)
    if rng.random() < 0.3 and _knows_its_wallet(world):
        owners.append(Owner(_copy(world, folder / "copy"), [_liar(world, rng) for _ in liars], rng))
    for _ in range(ROUNDS):
        for owner in rng.sample(owners, len(owners)):
            owner.pays(batch.id)
        for node in nodes_of(owners):
            devnet.advance(node, rng.choice([1, 3, 20, 70]))
    for owner in owners:
        for chain in owner.chains:
            chain.substrate.honest = True
    stuck = "; ".join(filter(None, [_finished(owner, batch) for owner in owners]))
    received, meant = world.received(), owed(batch)
    after = world.app.chain.balance(world.app.wallet_address, world.app.chain.finalized())
    fees = before - after - sum(received.values())
    told = Counter[str]()
    for owner in owners:
        for chain in owner.chains:
            told += chain.substrate.lies
            chain.close()
        owner.world.app.close()
    return Played(
        seed,
        told,
        twice=sum(max(0, units - meant.get(name, 0)) for name, units in received.items()),
        lost=sum(max(0, units - received.get(name, 0)) for name, units in meant.items()),
        stolen=max(0, fees - 10**9),
        stuck=stuck,
    )


class Owner:
    """One running copy of the program, between its nodes."""

    def __init__(self, world: World, chains: Sequence[Any], rng: random.Random) -> None:
        self.world, self.chains, self._rng = world, chains, rng
        self.payer = connect.dev_payer(chains[0], world.app.settings.wallet_name)
        second = next(iter(chains[1:]), None)
        self.door = world.door(
            chain=chains[0],
            witnesses=tuple(chains[1:]),
            finality=FinalBlocks(chains[0], KeptPins(world.engine), lambda: second),
            sleep=self._sleep,
            patience_s=8,
        )

    def pays(self, batch_id: int) -> None:
        """As far as it gets."""
        with suppress(ValtracError):
            send(self.door, self.payer, batch_id, isolate=self._rng.random() < 0.3)
        with suppress(ValtracError):
            reconcile(self.door)

    def _sleep(self, seconds: float) -> None:
        for node in nodes_of([self]):
            devnet.advance(node, self._rng.choice([1, 5]))


def nodes_of(owners: Sequence[Owner]) -> list[Path]:
    """The files of the histories that their nodes serve: the chain's, and those that were invented."""
    invented = [chain.substrate.own_history for owner in owners for chain in owner.chains]
    return [owners[0].world.node, *dict.fromkeys(filter(None, invented))]


def _knows_its_wallet(world: World) -> bool:
    """Whether the ledger has written down with which transaction it begins: a copy of an earlier one cannot know what
    the other pays, and asks its owner."""
    with reading(world.engine) as conn:
        return histories.baseline(conn, world.app.wallet_address) is not None


def _copy(world: World, home: Path) -> World:
    """The same ledger in another home, on the same chain."""
    (home / "data").mkdir(parents=True)
    copied(Path(world.app.settings.database), home / "data" / "valtrac-devnet.sqlite")
    (home / "data" / "devnet.sqlite").symlink_to(world.node)
    return World(home, world.heads)


def _liar(world: World, rng: random.Random) -> Any:
    chain = connect.open_devnet(world.node)
    chain.substrate = Liar(chain.substrate, rng.randrange(2**32), rng.choice([0.02, 0.1, 0.3]))
    chain._nodes = replace(chain._nodes, open=lambda number: chain.substrate)  # left, it is asked again: there is none
    return chain


def _finished(owner: Owner, batch: Any) -> str:
    """Go on as an owner would until all is paid; why it is not, or ""."""
    words = "nothing was tried"
    for _ in range(HONEST_ROUNDS):
        try:
            sent = send(owner.door, owner.payer, batch.id, isolate=True, retry_failed=True)
            if sent.state == "settled":
                return ""
            words = "it is not settled"
        except ValtracError as error:
            words = str(error)
            if "has landed after all" in words or "not in the journal" in words:
                with suppress(ValtracError):
                    foreign.adopt(owner.door, owner.world.app.wallet_address)
        devnet.advance(owner.world.node, 70)
    return words
