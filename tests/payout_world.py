"""A small world to pay in: an embedded chain, users with snapshots, and a draft, all of it real."""

from __future__ import annotations

import itertools
from dataclasses import replace
from pathlib import Path

from valtrac import devnet
from valtrac.app import App
from valtrac.chains import bittensor
from valtrac.config import Settings
from valtrac.domain.addresses import address_of
from valtrac.domain.batches import Batch
from valtrac.domain.money import decimal_text
from valtrac.services import approvals, payouts, plans, snapshots, users

TAO = 10**9
OWNER = "//Owner"
HOTKEY = address_of(b"\x77" * 32)


def address(number: int) -> str:
    """The address of the n-th nominator; nobody has its key."""
    return address_of(number.to_bytes(32, "big"))


def seeded(home: Path, heads: int = 7, *, name: str = "test", free: int = 1000 * TAO, **world: object) -> Path:
    """A chain in `home` on which `heads` nominators have 1, 2, 3 ... TAO on HOTKEY; its file."""
    owner = bittensor.dev_address(OWNER)
    stakes = {owner: 100 * TAO} | {address(n): n * TAO for n in range(1, heads + 1)}
    path = home / "data" / "devnet.sqlite"
    path.parent.mkdir(parents=True, exist_ok=True)
    devnet.seed_world(
        path,
        devnet.World(
            name=name,
            accounts={owner: free},
            tempo=50,
            hotkeys=(devnet.Hotkey(HOTKEY, owner, 11_796, (devnet.Subnet(0, stakes),)),),
            **world,
        ),
    )  # type: ignore[arg-type]
    return path


class World:
    """One owner's ValTrac on one embedded chain."""

    def __init__(self, home: Path, heads: int = 7, **settings: object) -> None:
        self.home, self.heads = home, heads
        self.node = seeded(home, heads)
        self.app = App(Settings(home=home, chunk_size=3, hotkeys=(HOTKEY,)).model_copy(update=settings))
        self.engine, self.told = self.app.engine, list[str]()
        self.slept = 0

    def reopened(self) -> World:
        """The same home after a crash: nothing of the old process is left but its files."""
        self.app.close()
        self.app = App(self.app.settings)
        self.engine = self.app.engine
        return self

    def people(self) -> World:
        """Every nominator is a user: u001, u002 ..."""
        for number in range(1, self.heads + 1):
            users.add(self.engine, f"u{number:03}", [address(number)])
        return self

    def day(self, snapshots_: int = 3) -> World:
        """Some snapshots, fifty blocks apart."""
        for _ in range(snapshots_):
            devnet.advance(self.node, 50)
            snapshots.take(self.engine, self.app.chain, HOTKEY)
        return self

    def request(self, **changes: object) -> plans.Request:
        """What is asked for by default: 7 TAO by users."""
        asked = plans.Request(HOTKEY, 7 * TAO, self.app.wallet_address, chunk_size=self.app.settings.chunk_size)
        return replace(asked, **changes)  # type: ignore[arg-type]

    def draft(self, **changes: object) -> Batch:
        """A draft, the node's fee included."""
        return plans.draft(self.engine, self.request(**changes), self.app.chain)

    def approved(self, **changes: object) -> Batch:
        """A batch that the owner approved."""
        batch = self.draft(**changes)
        return approvals.approve(
            self.engine, self.app.settings, batch.id, decimal_text(batch.total), despite="as planned"
        )

    def door(self, **changes: object) -> payouts.Door:
        """The door with no waiting: sleeping lets a block pass instead."""
        ticks = itertools.count()
        door = payouts.Door(
            self.engine,
            self.app.chain,
            self.app.settings,
            log=self.home / "logs" / "payout_log.csv",
            tell=self.told.append,
            sleep=self.sleep,
            clock=lambda: next(ticks) * 1.0,
            patience_s=200,
        )
        return replace(door, **changes)  # type: ignore[arg-type]

    def sleep(self, seconds: float) -> None:
        """Time passes on the chain while the door waits."""
        self.slept += 1
        devnet.advance(self.node, 1)

    def send(self, batch: Batch, **how: object) -> Batch:
        """Send through the door."""
        return payouts.send(self.door(), self.app.unlock(), batch.id, **how)  # type: ignore[arg-type]

    def balance(self, number: int) -> int:
        """What the n-th nominator has, at the finalized block."""
        chain = self.app.chain
        return chain.account(address(number), chain.finalized()).free_units

    def received(self) -> dict[str, int]:
        """What everyone received on the chain, who received anything; all begin with nothing."""
        found = {f"u{number:03}": self.balance(number) for number in range(1, self.heads + 1)}
        return {name: units for name, units in found.items() if units}


def owed(batch: Batch) -> dict[str, int]:
    """What a batch says that everyone gets."""
    return {line["user"]: line["amount"] for line in batch.plan["lines"]}
