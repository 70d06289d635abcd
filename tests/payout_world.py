"""A small world to pay in: an embedded chain, users with snapshots, and a draft, all of it real."""

from __future__ import annotations

import itertools
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

from valtrac.chains.bittensor import connect
from valtrac.core.addresses import address_of
from valtrac.core.money import decimal_text
from valtrac.database.engine import reading
from valtrac.devnet import bittensor as devnet
from valtrac.payments import send
from valtrac.payments.door import Door
from valtrac.payouts import approvals, drafts
from valtrac.payouts.model.batches import PayoutBatch
from valtrac.payouts.store import batches
from valtrac.people import users
from valtrac.settings import Settings
from valtrac.snapshots import snapshots
from valtrac.wiring.payouts import App

TAO = 10**9
OWNER = "//Owner"
HOTKEY = address_of(b"\x77" * 32)


def address(number: int) -> str:
    """The address of the n-th nominator; nobody has its key."""
    return address_of(number.to_bytes(32, "big"))


def seeded(home: Path, heads: int = 7, *, name: str = "test", free: int = 1000 * TAO, **world: Any) -> Path:
    """A chain in `home` on which `heads` nominators have 1, 2, 3 ... TAO on HOTKEY; its file."""
    owner = connect.dev_address(OWNER)
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
    )
    return path


class World:
    """One owner's ValTrac on one embedded chain; a home that has a chain already, as a copy of one has, keeps it."""

    def __init__(self, home: Path, heads: int = 7, **settings: object) -> None:
        self.home, self.heads = home, heads
        self.node = home / "data" / "devnet.sqlite"
        self.usual = not self.node.exists() and not settings  # as the template of an approved home is
        if not self.node.exists():
            seeded(home, heads)
        self.app = App(Settings(home=home, chunk_size=3, hotkeys=(HOTKEY,)).model_copy(update=settings))
        self.engine, self.told = self.app.engine, list[str]()
        self.slept = 0

    def reopened(self) -> World:
        """The same home after a crash: nothing of the old process is left but its files."""
        self.usual = False
        self.app.close()
        self.app = App(self.app.settings)
        self.engine = self.app.engine
        return self

    def untouched(self) -> bool:
        """Whether nothing has happened here since it was made as usual."""
        if not self.usual or self.app._chain is not None:
            return False
        stands = devnet.status(self.node)
        return not (stands["number"] or stands["pool"] or stands["faults"] or users.list_users(self.engine))

    def become(self, template: Path) -> None:
        """Take the place of another home, by a copy of its files."""
        self.engine.dispose()
        shutil.rmtree(self.home / "data")
        shutil.copytree(template, self.home, dirs_exist_ok=True)

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

    def request(self, **changes: object) -> drafts.Request:
        """What is asked for by default: 7 TAO by users."""
        asked = drafts.Request(HOTKEY, 7 * TAO, self.app.wallet_address, chunk_size=self.app.settings.chunk_size)
        return replace(asked, **changes)  # type: ignore[arg-type]

    def draft(self, **changes: object) -> PayoutBatch:
        """A draft, the node's fee included."""
        return drafts.draft(self.engine, self.request(**changes), self.app.chain)

    def approved(self, **changes: object) -> PayoutBatch:
        """A batch that the owner approved."""
        batch = self.draft(**changes)
        return approvals.approve(
            self.engine, self.app.settings, self.app.caps, batch.id, decimal_text(batch.total), despite="as planned"
        )

    def door(self, **changes: object) -> Door:
        """The door with no waiting: sleeping lets a block pass instead. chain: another node, asked for everything."""
        ticks = itertools.count()
        door = replace(
            self.app.door(tell=self.told.append),
            sleep=self.sleep,
            clock=lambda: next(ticks) * 1.0,
            poll_s=2.0,
            patience_s=200,
        )
        if "chain" in changes:
            node: Any = changes["chain"]
            changes = {"numbers": node, "producer": replace(self.app.producer, chain=lambda: node), **changes}
        return replace(door, **changes)  # type: ignore[arg-type]

    def sleep(self, seconds: float) -> None:
        """Time passes on the chain while the door waits."""
        self.slept += 1
        devnet.advance(self.node, 1)

    def send(self, batch: PayoutBatch, **how: object) -> PayoutBatch:
        """Send through the door."""
        send.send(self.door(), self.app.unlock(), batch.id, **how)  # type: ignore[arg-type]
        with reading(self.engine) as conn:
            return batches.get(conn, batch.id)

    def balance(self, number: int) -> int:
        """What the n-th nominator has, at the finalized block."""
        chain = self.app.chain
        return chain.balance(address(number), chain.finalized())

    def received(self) -> dict[str, int]:
        """What everyone received on the chain, who received anything; all begin with nothing."""
        found = {f"u{number:03}": self.balance(number) for number in range(1, self.heads + 1)}
        return {name: units for name, units in found.items() if units}


def owed(batch: PayoutBatch) -> dict[str, int]:
    """What a batch says that everyone gets."""
    return {line.user: line.amount for line in batch.payout.lines}
