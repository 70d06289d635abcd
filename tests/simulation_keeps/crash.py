"""A price crash over many keeps on the real contracts, with everything going wrong that can.

The price stands still for a moment; providers fail and lie meanwhile, replies are lost, blocks are exchanged, the
process ends, somebody else is faster. When the moment ends in calm, whatever could be saved has to be.
"""

from __future__ import annotations

import random
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.keeps.places import BTC, COIN, ETHER, GWEI, Place, Places, faster
from tests.simulation_keeps.oracle import Oracle
from valtrac.core.errors import ValtracError
from valtrac.devnet.tbtc import deposits, market, system
from valtrac.devnet.tbtc.bitcoin import Bitcoin
from valtrac.devnet.tbtc.chains import ACTIVE, COURTESY_CALL, Chains
from valtrac.devnet.tbtc.deposits import LocalDeposit
from valtrac.devnet.tbtc.electrum_server import ElectrumServer
from valtrac.devnet.tbtc.evm import Reverted
from valtrac.devnet.tbtc.node import NodeSaid

LOTS = (10**6, 10**7, 5 * 10**7, BTC, BTC, BTC, 5 * BTC, 10 * BTC)
START_PRICE = 50.0
MOST_ROUNDS = 14
FAILS = ("lose_reply", "lose_request", "internal", "too_many", "limit", "garbage", "wrong_id")


@dataclass(frozen=True)
class Result:
    """What came of it."""

    keeps: int
    savable: int
    saved: int
    requested_twice: int
    unexplained_wei: int
    allowed: int
    lost: int
    by_others: int
    proven: int
    wrong: tuple[str, ...]
    troubles: Counter[str]
    said: Counter[str]
    took_s: float

    @property
    def good(self) -> bool:
        whole = self.saved == self.savable and not self.allowed
        return whole and not (self.requested_twice or self.unexplained_wei or self.wrong)

    @property
    def line(self) -> str:
        return (
            f"simulate-keeps: keeps={self.keeps} savable={self.savable} saved={self.saved} "
            f"requested_twice={self.requested_twice} unexplained_wei={self.unexplained_wei}"
        )


class Crash:
    """seed: makes it repeatable. keeps, moments: how many."""

    def __init__(self, places: Places, electrum: ElectrumServer, *, seed: int, keeps: int, moments: int) -> None:
        self.odds, self.places, self.chains, self.moments = random.Random(seed), places, places.chains, moments
        self.troubles, self.said, self.wrong = Counter[str](), Counter[str](), list[str]()
        self.left: set[str] = set()  # what could have been saved at the end of a moment, and was not
        self.electrum = electrum
        self.proxies = [places.proxy(), places.proxy()]
        self.deposits = self._made(keeps)
        whole = sum(each.lot_sat for each in self.deposits) * 10**10
        self.minted = 0
        self.place: Place = places.new(
            urls=(self.proxies[0].url,),
            second=(self.proxies[1].url,),
            electrum_urls=(electrum.url,),
            ether=20 * ETHER,
            VALTRAC_KEEPS_COURTESY_CALLS="yes",
            VALTRAC_KEEPS_CAP_PAYMENT="100000",
            VALTRAC_KEEPS_CAP_DAY="100000",
            VALTRAC_KEEPS_FINAL_BLOCKS="2",
        )
        first = self.chains.ethereum.height()
        self._fill(whole * self.odds.randint(15, 35) // 100)
        self.oracle = Oracle(self.chains, self.place.key.address, self.deposits, first)
        self.percent = 142.0

    def _made(self, keeps: int) -> list[LocalDeposit]:
        """Deposits of many sizes, bonds and holders; no two bonds are alike, or two sets could be equally good."""
        made: list[LocalDeposit] = []
        for _ in range(keeps):
            market.set_price(self.chains, START_PRICE * (1 + self.odds.randint(-400, 400) / 10_000))
            holder = self.chains.system.third if self.odds.random() < 0.25 else None
            made += deposits.make(self.chains, [self.odds.choice(LOTS)], tdt=holder)
        return made

    def _fill(self, units: int) -> None:
        self.minted += units
        self.place.fund(units, 20 * ETHER)
        self.place.settle()

    # -- a moment --------------------------------------------------------------------------------------------------

    def live(self, tell: Callable[[str], None]) -> None:
        """Moment after moment, down and sometimes up again; at the end everything is brought to its proof."""
        for number in range(self.moments):
            self._market()
            self._struck()
            self._calm()
            self._rest(f"moment {number + 1}")
            self._bitcoin_and_members()
            asked = len(self.oracle.asked())
            tell(
                f"moment {number + 1}: {self.percent:.1f} %, {asked} asked for, {sum(self.troubles.values())} troubles"
            )
        self._to_the_proof()

    def _market(self) -> None:
        """The price moves, time passes, others do what anybody may, and now and then there is more TBTC."""
        odds, node = self.odds, self.chains.ethereum
        self.percent = max(104.0, self.percent + odds.choice((-9, -7, -6, -5, -4, -3, 2, 5, 9)))
        self.place.percent(max(1, round(self.percent)))
        node.warp(odds.randint(300, 2_400))
        for deposit in self.deposits:
            state, luck = self.chains.state(deposit.deposit), odds.random()
            if state not in (ACTIVE, COURTESY_CALL):
                continue
            call = "notifyCourtesyCall" if luck < 0.15 else "notifyUndercollateralizedLiquidation" if luck < 0.5 else ""
            call = "notifyCourtesyCallExpired" if state == COURTESY_CALL and luck < 0.15 else call
            if call:
                try:
                    market.by_third(self.chains, deposit.deposit, call)
                except (Reverted, NodeSaid):
                    continue  # the contract says no
        if odds.random() < 0.3:
            self._fill(odds.randint(1, 12) * COIN)
        # sometimes the ether bears a few at once only
        self.place.fund(0, odds.choice((20 * ETHER, 20 * ETHER, 20 * ETHER, ETHER // 2)))
        self.place.settle()

    def _struck(self) -> None:
        """Rounds in which something is wrong."""
        for _ in range(self.odds.choice((1, 1, 2, 3))):
            name, after = self.odds.choice(
                (
                    self._fails,
                    self._fails,
                    self._lies,
                    self._lies,
                    self._exchanged,
                    self._ends,
                    self._spike,
                    self._race,
                    self._race,
                )
            )()
            self.troubles[name] += 1
            self._round(troubled=True)
            after()
            self.place.on_wait = None

    def _calm(self) -> None:
        for proxy in self.proxies:
            proxy.behave()
        self.place.on_wait = None
        self.chains.ethereum.automine(True)
        self.chains.ethereum.set_base_fee(GWEI)
        self.place.settle()

    def _rest(self, when: str) -> None:
        """Rounds until nothing is to be done any more; then nothing may be left that could be saved."""
        for _ in range(MOST_ROUNDS):
            if not self._round(troubled=False):
                break
        else:
            self.wrong.append(f"{when}: it does not come to rest")
        left = self.oracle.choice()
        self.left |= left
        if left:
            self.wrong.append(f"{when}: could be saved and is not: {sorted(left)}")

    def _round(self, *, troubled: bool) -> bool:
        """One round, judged; whether anything was sent, or failed."""
        self.place.waited = 0
        due, before = self.oracle.choice(), set(self.oracle.asked())
        try:
            done = self.place.round()
            self.said["sent" if done.sent else "nothing to send"] += 1
            moving = bool(done.sent)
        except ValtracError as error:
            self.said[type(error).__name__] += 1
            moving, done = True, None
        new = set(self.oracle.asked()) - before
        if new - due:
            self.wrong.append(f"asked for, and should not be: {sorted(new - due)}")
        if done is not None and not troubled and due - new and len(due) <= 25:
            self.wrong.append(f"a round in calm left {sorted(due - new)}")
        return moving

    # -- what goes wrong ---------------------------------------------------------------------------------------------

    def _fails(self) -> tuple[str, Callable[[], None]]:
        fault, proxy = self.odds.choice(FAILS), self.odds.choice(self.proxies)
        proxy.misbehave(**{fault: self.odds.choice((1, 2, 5, 40))})
        return fault, proxy.behave

    def _lies(self) -> tuple[str, Callable[[], None]]:
        """One group at a time."""
        proxy, deposit = self.odds.choice(self.proxies), self.odds.choice(self.deposits)
        token, contract = self.chains.system.at("TBTCToken"), deposit.contract
        balance = (token.address, token.data("balanceOf", deposit.deposit)[:10])
        lies: dict[str, dict[str, Any]] = {
            "lies about a state": {"calls": {(deposit.deposit, contract.data("currentState")[:10]): f"0x{8:064x}"}},
            "lies about a balance": {"calls": {balance: f"0x{10**21:064x}"}},
            "lies about a block": {"other_block_hashes": {self.chains.ethereum.height()}},
            "hides events": {"hide_logs": True},
            "is behind": {"behind": 2},
        }
        name = self.odds.choice(sorted(lies))
        proxy.lie(**lies[name])
        if self.odds.random() < 0.3:
            self.place.on_wait = lambda: proxy.lie(other_status={each.tx_id for each in self.place.journal()})
            name = "lies about receipts"
            proxy.behave()
        return name, proxy.behave

    def _exchanged(self) -> tuple[str, Callable[[], None]]:
        """The newest block is exchanged while something is waited for: a transaction of ours, or none."""
        turns = [self.odds.randint(1, 2)]
        before = self.chains.ethereum.height()

        def undo() -> None:
            if turns[0] and self.chains.ethereum.height() > before + 1:
                turns[0] -= 1
                self.chains.ethereum.reorg(1)

        self.place.on_wait = undo
        return "exchanged block", lambda: None

    def _ends(self) -> tuple[str, Callable[[], None]]:
        self.place.restart()
        return "process ended", lambda: None

    def _spike(self) -> tuple[str, Callable[[], None]]:
        node = self.chains.ethereum
        if self.odds.random() < 0.5:
            node.set_base_fee(300 * GWEI)
            node.mine()
            return "gas above the cap", self._cheap
        node.automine(False)
        bids = [5 * GWEI, 20 * GWEI, 60 * GWEI]
        self.place.on_wait = lambda: node.set_base_fee(bids.pop(0)) if bids else None
        return "gas that rises", self._cheap

    def _cheap(self) -> None:
        node = self.chains.ethereum
        node.automine(True)
        for _ in range(3):
            node.set_base_fee(GWEI)
            node.mine()

    def _race(self) -> tuple[str, Callable[[], None]]:
        due = self.oracle.choice()
        ours = [each for each in self.deposits if each.deposit.lower() in due and self.oracle.in_machine(each)]
        if not ours:
            return "nobody to race", lambda: None
        faster(self.place, self.odds.choice(ours))
        return "somebody else is faster", lambda: self.chains.ethereum.automine(True)

    # -- signatures and proofs ---------------------------------------------------------------------------------------

    def _bitcoin_and_members(self) -> None:
        self.place.fund(0, 20 * ETHER)
        self.place.settle()
        if self.odds.random() < 0.75:  # else they are late
            self.place.signers.tick()
        if self.odds.random() < 0.7:
            self.chains.bitcoin.mine(self.odds.choice((1, 2, 6, 7)))
        self._rest("signatures and proofs")

    def _to_the_proof(self) -> None:
        for _ in range(4):
            self.place.signers.tick()
            self._rest("the end")
            self.chains.bitcoin.mine(6)
            self.place.settle()

    def result(self, took_s: float) -> Result:
        """What the chain says, and whether the ledger says so too."""
        asked = Counter(self.oracle.asked())
        left = self.minted - self.chains.tbtc(self.place.key.address)
        off = abs(left - self.place.booked()) + abs(left - self.oracle.taken())
        if self.oracle.open_redemptions():
            self.wrong.append(f"not proven at the end: {self.oracle.open_redemptions()}")
        states = Counter(str(each.state) for each in self.place.redemptions())
        return Result(
            keeps=len(self.deposits),
            savable=len(set(asked) | self.left),
            saved=len(asked),
            requested_twice=sum(times - 1 for times in asked.values()),
            unexplained_wei=off,
            allowed=self.oracle.allowed(),
            lost=sum(self.chains.state(each.deposit) > COURTESY_CALL for each in self.deposits),
            by_others=len(self.oracle.by_others()),
            proven=states["redeemed"],
            wrong=tuple(self.wrong),
            troubles=self.troubles,
            said=self.said,
            took_s=took_s,
        )


def simulate(
    *, seed: int, keeps: int, moments: int, states: Path | None = None, tell: Callable[[str], None] = lambda words: None
) -> Result:
    """One crash. states: where the deployed contracts are stored for the next one."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="vt-keeps-") as folder:
        node, made = system.open_deployed(states or Path(folder) / "states")
        chains = Chains(node, made, Bitcoin())
        try:
            with Places(chains, Path(folder)) as places, ElectrumServer(chains.bitcoin, ("tcp",)) as electrum:
                crash = Crash(places, electrum, seed=seed, keeps=keeps, moments=moments)
                crash.live(tell)
                return crash.result(time.monotonic() - began)
        finally:
            node.stop()
