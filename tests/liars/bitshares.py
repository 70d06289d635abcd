"""A custodian account between nodes that lie, beside the same account among honest ones."""

from __future__ import annotations

import copy
import random
from collections import Counter
from collections.abc import Callable, Generator
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from tests.contracts_world import CLIENTS, World
from tests.liars.played import Played
from valtrac.chains.bitshares import connect
from valtrac.contracts.model.contracts import OPEN_STATES
from valtrac.core.errors import ChainUnreachable, OutcomeUnknown, ValtracError

ROUNDS, HONEST_ROUNDS = 5, 25
Wish = tuple[str, int, str]


def play(seed: int, folder: Path) -> Played:
    """Let the same wishes come to two custodians, of which one hears of them from liars; compare what clients got."""
    rng = random.Random(seed)
    wishes = [_wish(rng) for _ in range(rng.randint(2, 5))]
    honest = _honest(folder / "honest", wishes)
    world = World(folder / "lying")
    liars = [Liar(world.chain, rng.randrange(2**32), rng.choice([0.02, 0.08, 0.2]))]
    if rng.random() < 0.5:
        second = connect.open_devnet(world.path, timeout_s=10)
        liars.append(Liar(second, rng.randrange(2**32), rng.choice([0.02, 0.08, 0.2])))
        world.custodian = replace(world.custodian, witnesses=(second,))
    for wish in wishes:
        world.send(*wish)
        _lied_to(world, rng)
    for _ in range(ROUNDS):
        _lied_to(world, rng)
    for liar in liars:
        liar.honest = True
    stuck = _finish(world)
    got = {who: world.held(who) for who in CLIENTS}
    others = sum(world.held(who) for who in ("manager", "clerk", "exchange"))
    told = Counter[str]()
    for liar in liars:
        told += liar.lies
        liar.chain.close()
    return Played(
        seed,
        told,
        twice=sum(max(0, got[who] - honest[who]) for who in CLIENTS),
        lost=sum(max(0, honest[who] - got[who]) for who in CLIENTS),
        stolen=max(0, others - honest["others"]),
        stuck=stuck,
    )


def _wish(rng: random.Random) -> Wish:
    memo = rng.choice(["three_months", "hello", "stop", "", "six months please", "twelve_months"])
    return rng.choice(CLIENTS), rng.choice([100, 777, 25_000]), memo


def _honest(folder: Path, wishes: list[Wish]) -> dict[str, int]:
    world = World(folder)
    for wish in wishes:
        world.send(*wish)
        world.round()
    assert _finish(world) == ""
    held = {who: world.held(who) for who in CLIENTS}
    held["others"] = sum(world.held(who) for who in ("manager", "clerk", "exchange"))
    world.close()
    return held


def _lied_to(world: World, rng: random.Random) -> None:
    with suppress(ValtracError):
        world.listen()
    with suppress(ValtracError):
        world.pay()
    world.blocks(rng.choice([1, 3, 25]))


def _finish(world: World) -> str:
    """Go on until nothing that is due is open; what is left, or ""."""
    words = ""
    for _ in range(HONEST_ROUNDS):
        try:
            world.round()
            due = [due for due in world.dues(*OPEN_STATES) if due.due_at <= world.now]
            waiting = world.operations("waiting", "parked", "unruled")
            if not due and not waiting:
                return ""
            words = f"{len(due)} due, {len(waiting)} waiting"
        except ValtracError as error:
            words = str(error)
        world.blocks(25)
    return words


class Liar:
    """Wraps what one chain asks its node. lies: how often each was told; honest: no more of it."""

    def __init__(self, chain: Any, seed: int, often: float) -> None:
        self.chain, self._rng, self._often = chain, random.Random(seed), often
        self.lies: Counter[str] = Counter()
        self.honest = False
        rpc = chain.rpc
        self._call, self._stream, self._once = rpc.call, rpc.stream, rpc.call_once
        rpc.call, rpc.stream, rpc.call_once = self.call, self.stream, self.call_once

    def call(self, api: Any, method: str, *args: Any) -> Any:
        return self._told(method, self._call(api, method, *args))

    def stream(self, method: str, arguments: Any, window: int = 64) -> Generator[Any, None, None]:
        for answer in self._stream(method, arguments, window):
            yield self._told(method, answer)

    def call_once(self, api: Any, method: str, argument: bytes) -> None:
        if self.honest or self._rng.random() >= self._often:
            self._once(api, method, argument)
            return
        self.lies[f"{method}: swallowed or not answered"] += 1
        if self._rng.random() < 0.5:
            self._once(api, method, argument)
            raise OutcomeUnknown("no answer")

    def _told(self, method: str, value: Any) -> Any:
        lies = LIES.get(method, ())
        if self.honest or not lies or value is None or self._rng.random() >= self._often:
            return value
        lie = self._rng.choice(lies)
        self.lies[f"{method}: {lie.__name__.strip('_')}"] += 1
        return lie(self._rng, copy.deepcopy(value))


def _hide(rng: random.Random, block: Any) -> Any:
    block["transactions"] = block["transactions"][:-1]
    return block


def _repeat(rng: random.Random, block: Any) -> Any:
    block["transactions"] += block["transactions"][-1:]
    return block


def _more(rng: random.Random, block: Any) -> Any:
    """Every transfer of it is a thousand times as large."""
    for trx in block["transactions"]:
        for kind, operation in trx["operations"]:
            if kind == 0:
                operation["amount"]["amount"] = int(operation["amount"]["amount"]) * 1000
    return block


def _other_witness(rng: random.Random, block: Any) -> Any:
    block["witness"] = "1.6.99"
    return block


def _other_link(rng: random.Random, block: Any) -> Any:
    block["previous"] = block["previous"][:8] + rng.randbytes(16).hex()
    return block


def _nothing(rng: random.Random, value: Any) -> Any:
    return None


def _lost(rng: random.Random, value: Any) -> Any:
    raise ChainUnreachable("the connection was lost")


def _early(rng: random.Random, tip: Any) -> Any:
    """What may still be undone is called irreversible."""
    tip["last_irreversible_block_num"] = tip["head_block_number"]
    return tip


def _late(rng: random.Random, tip: Any) -> Any:
    tip["last_irreversible_block_num"] = max(1, tip["last_irreversible_block_num"] - rng.randrange(1, 30))
    return tip


def _other_balance(rng: random.Random, balances: Any) -> Any:
    for balance in balances:
        balance["amount"] = rng.choice([0, int(balance["amount"]) * 10, 10**15])
    return balances


LIES: dict[str, tuple[Callable[[random.Random, Any], Any], ...]] = {
    "get_block": (_hide, _repeat, _more, _other_witness, _other_link, _nothing, _lost),
    "get_block_header": (_other_link, _nothing, _lost),
    "get_dynamic_global_properties": (_early, _late, _lost),
    "get_account_balances": (_other_balance, _lost),
    "lookup_account_names": (_lost,),
    "get_objects": (_lost,),
}
