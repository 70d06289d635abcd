"""What goes wrong in the month: nodes that fail, lie or forget, histories that change, clocks, locks, restarts."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.pool_world import World
from valtrac.core.errors import ValtracError
from valtrac.database.engine import reading
from valtrac.devnet import qtum
from valtrac.payments.store import attempts

# once each, n requests: the connection, the login, the answer's form
FAILS = ("down", "lose_request", "lose_reply", "busy", "warming_up", "refuse_login", "garbage", "wrong_id", "error")
# well formed and false; one node of two at a time
LIES = (
    *("hide_transaction", "invent_transaction", "other_body", "other_header", "unsigned_header"),
    *("hide_coin", "invent_coin", "hide_delta", "hide_delegation", "invent_delegation"),
    *("no_addrindex", "no_txindex", "no_logevents", "wrong_chain"),
)
# what only the wallet's node is asked
OF_WALLET = (
    *("claim_confirmed", "claim_unknown", "claim_conflicted", "claim_sent"),
    *("wrong_txid", "swap_payee", "high_fee"),
)
LASTING = ("hold_pool", "full_pool", "no_staking")
SHALLOW, DEEP = (1, 5), (6, 16)


class Troubles:
    """count: how often which came."""

    def __init__(self, world: World, odds: random.Random) -> None:
        self.world, self.odds = world, odds
        self.count = Counter[str]()
        self.kinds: dict[Callable[[], str], float] = {
            self._fails: 10,
            self._lies: 14,
            self._lasts: 4,
            self._tip: 3,
            self._other_history: 5,
            self._rival: 2,
            self._clock: 3,
            self._lock: 3,
            self._program: 5,
            self._node: 1.2,
            self._well: 12,
        }

    def strike(self) -> None:
        """One of them, or things get well."""
        (kind,) = self.odds.choices(list(self.kinds), weights=list(self.kinds.values()))
        name = kind()
        if name:
            self.count[name] += 1

    def calm(self) -> None:
        """Nothing is wrong any more."""
        world = self.world
        world.start_nodes()
        for folder in self._nodes():
            qtum.clear(folder)
        world.ahead_s = 0
        if world.app.locked:
            world.restart()
        world.unlock()

    def while_waiting(self) -> None:
        """What may happen between one look for a payment and the next."""
        luck = self.odds.random()
        if luck < 0.05:  # while it is open
            name = self._rival()
            self.count.update([name] if name else [])
        elif luck < 0.11:
            self.strike()

    def _nodes(self) -> list[Path]:
        return [folder for folder in (self.world.folder, self.world.second) if folder is not None]

    def _put(self, folder: Path, **faults: Any) -> None:
        qtum.misbehave(folder, **faults)

    def _fails(self) -> str:
        fault, many = self.odds.choice(FAILS), self.odds.choice((1, 1, 2, 3, 8))
        if fault == "busy":
            many = 1
        self._put(self.odds.choice(self._nodes()), **{fault: many})
        return fault

    def _lies(self) -> str:
        """Never both nodes at once: who is lied to by everybody cannot know."""
        for folder in self._nodes():
            self._put(folder, **dict.fromkeys((*LIES, *OF_WALLET), 0))
        if self.odds.random() < 0.3:
            lie, folder = self.odds.choice(OF_WALLET), self.world.folder
        else:
            lie, folder = self.odds.choice(LIES), self.odds.choice(self._nodes())
        self._put(folder, **{lie: self.odds.choice((1, 1, 2, 3, 20))})
        return lie

    def _lasts(self) -> str:
        fault = self.odds.choice(LASTING)
        self._put(self.world.folder, **{fault: True})
        return fault

    def _tip(self) -> str:
        fault = self.odds.choice(("stale_tip", "ahead_tip"))
        self._put(self.odds.choice(self._nodes()), **{fault: self.odds.choice((0, 1, 4, 30))})
        return fault

    def _other_history(self) -> str:
        deep = self.odds.random() < 0.4
        depth = self.odds.randint(*(DEEP if deep else SHALLOW))
        keep = self.odds.random() < 0.8
        qtum.reorganise(self.world.folder, depth, length=depth + self.odds.choice((0, 1, 1, 3)), keep=keep)
        return f"{'deeper' if deep else 'shallower'} reorganisation{'' if keep else ', its transactions forgotten'}"

    def _rival(self) -> str:
        """A coin of a payment that is open is spent elsewhere: it can never land."""
        try:
            with reading(self.world.engine) as conn:
                open_now = [attempt.tx_id for attempt in attempts.unresolved(conn)]
            if not open_now:
                return ""
            if self.odds.random() < 0.5:
                qtum.double_spend(self.world.folder, open_now[0])
            else:
                qtum.reorganise(self.world.folder, self.odds.randint(1, 9), rivals=open_now[:1])
        except (ValtracError, qtum.NodeError):
            return ""
        return "rival of a payment"

    def _clock(self) -> str:
        self.world.ahead_s = self.odds.choice((-3 * 86_400, -3_600, 3_600, 86_400, 365 * 86_400))
        return f"clock {'ahead' if self.world.ahead_s > 0 else 'behind'}"

    def _lock(self) -> str:
        """The wallet is locked in the node, or the program has no password."""
        if self.odds.random() < 0.5:
            self.world.restart()
            return "program locked"
        try:
            self.world.pool.chain.rpc.call("walletlock")  # type: ignore[attr-defined]
        except Exception:
            return ""
        return "wallet locked"

    def _program(self) -> str:
        locked = self.world.app.locked
        self.world.restart()
        if not locked:
            self._unlocked()
        return "program restarted"

    def _unlocked(self) -> None:
        try:
            self.world.unlock()
        except ValtracError:
            return  # the node is away; the owner tries again later

    def _node(self) -> str:
        hard, forgets = self.odds.random() < 0.5, self.odds.random() < 0.3
        folders = [self.odds.choice(self._nodes())]
        if forgets:
            self._put(self.world.folder, forget_pool=True)
            folders = [self.world.folder]
        self.world.stop_nodes(hard=hard, folders=folders)
        return f"node {'killed' if hard else 'stopped'}{', its pool forgotten' if forgets else ''}"

    def _well(self) -> str:
        for folder in self._nodes():
            qtum.clear(folder)
        self.world.ahead_s = 0
        self.world.start_nodes()
        self._unlocked()
        return ""
