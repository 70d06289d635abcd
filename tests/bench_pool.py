"""A pool's reward among many delegates, beside the way in which the pool payout manager shared it."""

from __future__ import annotations

import time
from pathlib import Path
from tempfile import TemporaryDirectory

from valtrac.core.money import QTUM
from valtrac.core.staking import OwnedCoin
from valtrac.database.engine import claim_identity, writing
from valtrac.database.opening import open_engine
from valtrac.pool.model.coinstakes import Won
from valtrac.pool.model.shares import shared
from valtrac.pool.model.states import Booking
from valtrac.pool.model.weights import Terms, that_count
from valtrac.pool.store import blocks, book
from valtrac.pool.store.blocks import Looked, Share
from valtrac.pool.store.book import POOL, Entry

COIN = 10**8
BLOCK, REWARD = 6_300_000, 50_000_000
TERMS = Terms(25 * COIN)
COINS_EACH = 40
Owned = dict[str, tuple[OwnedCoin, ...]]


def seconds(delegates: int, *, rewards: int = 5) -> tuple[float, float]:
    """(ours, the old way's) seconds for one reward, stored, once its delegates are known: the median of a few."""
    owned = _owned(delegates)
    with TemporaryDirectory() as folder:
        engine = open_engine(Path(folder) / "bench.sqlite")
        with writing(engine) as conn:
            claim_identity(conn, "0" * 64, "bench", QTUM)
        ours = [_ours(engine, owned, BLOCK + number) for number in range(rewards + 1)][1:]
        engine.dispose()
    theirs = [_theirs(owned) for _ in range(3)]
    return sorted(ours)[len(ours) // 2], sorted(theirs)[1]


def _owned(delegates: int) -> Owned:
    return {
        f"Q{number:033}": tuple(
            OwnedCoin(f"{number:032x}{coin:032x}:0", (26 + coin) * COIN, BLOCK - 3_000 - coin)
            for coin in range(COINS_EACH)
        )
        for number in range(delegates)
    }


def _ours(engine: object, owned: Owned, height: int) -> float:
    """Weigh, share, store with every coin, and book: as the monitor does it after the node has answered."""
    from valtrac.core.chain import Head

    start = time.process_time()
    counting = {delegate: that_count(coins, height, TERMS) for delegate, coins in owned.items()}
    weights = {delegate: sum(coin.satoshi for coin in coins) for delegate, coins in counting.items()}
    parts = shared(REWARD * 100, weights)
    head = Head(height, f"{height:064x}", f"{height - 1:064x}", blocks.NEVER)
    looked = Looked(head, Won.DELEGATED, "Q", "Q", "k:0", REWARD, 0, 100, "", {}, 0)
    rows = [Share(who, 100, weights[who], parts.each.get(who, 0), counting[who]) for who in counting]
    values = {
        "reward": REWARD * 100,
        "remainder": parts.remainder,
        "weight": sum(weights.values()),
        "least_coin": TERMS.least,
        "maturity": TERMS.maturity,
        "rule": TERMS.rule,
        "required_fee": 100,
        "nodes": 1,
    }
    with writing(engine) as conn:  # type: ignore[arg-type]
        block_id = blocks.add(conn, looked)
        blocks.add_reward(conn, block_id, values, rows)
        entries = [Entry(who, Booking.SHARE, units) for who, units in parts.each.items()]
        book.add(conn, [*entries, Entry(POOL, Booking.REMAINDER, parts.remainder)], block_id=block_id)
    return time.process_time() - start


def _theirs(owned: Owned) -> float:
    """As the old program did it: arrays of addresses that are searched from the beginning for every delegate, floats,
    and one text file written anew; no coin is kept."""
    start = time.process_time()
    array: list[str] = [""] * len(owned)
    weights, share, count = [0] * len(owned), [0] * len(owned), 0
    for delegate, coins in owned.items():
        place = 0
        while place < count and array[place] != delegate:
            place += 1
        if place == count:
            array[place], count = delegate, count + 1
        weights[place] = sum(
            coin.satoshi for coin in coins if coin.satoshi >= TERMS.least and coin.height <= BLOCK - 2_000
        )
    total = sum(weights)
    for place in range(count):
        share[place] += round(REWARD * 100 * weights[place] / total)
    text = "".join(f"delegate,{array[place]},poolshare,{share[place]},\n" for place in range(count))
    assert text
    return time.process_time() - start
