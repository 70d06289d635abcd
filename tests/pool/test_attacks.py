"""What others may try to be paid more, or to have nobody paid: delegates, nodes that lie, copies of the program."""

from __future__ import annotations

import shutil
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.databases import fresh_postgresql
from tests.pool.ledger_world import credited, looked
from tests.pool_world import COIN, World
from valtrac.chains.qtum import rpc
from valtrac.chains.qtum.encoding import read_transaction
from valtrac.chains.qtum.staking import REMOVED
from valtrac.chains.untrusted import Untrusted
from valtrac.core.errors import BadInput, ChainUnreachable, OutcomeUnknown, ValtracError
from valtrac.core.money import QTUM
from valtrac.database.engine import claim_identity, reading, writing
from valtrac.database.opening import open_engine
from valtrac.devnet import qtum
from valtrac.devnet.qtum import Person, blocks, codec, keys, mempool, state, transactions
from valtrac.devnet.qtum.blocks import Order
from valtrac.payments import rivals
from valtrac.payments.model.states import AttemptState
from valtrac.pool import coming_over, payday
from valtrac.pool.audit import audit
from valtrac.pool.model.states import Booking
from valtrac.pool.store import book
from valtrac.pool.store.book import POOL, Entry

Pools = Callable[..., World]


def locked_coins(world: World) -> list[Any]:
    """The coins of the pool that are there and may not be spent."""
    chain: Any = world.pool.chain
    locked = [(row["txid"], row["vout"]) for row in chain.rpc.call("listlockunspent")]
    return [coin for coin in locked if chain.rpc.call("gettxout", *coin, False)]


# -- delegates ------------------------------------------------------------------------------------------------


def test_who_delegates_with_a_proof_that_no_block_can_use_has_no_part_in_rewards(pools: Pools) -> None:
    world = pools()
    qtum.delegate(world.folder, "dan", "pool", forged=True)
    world.blocks(1)
    world.look()
    height = world.win()
    world.look()
    assert set(world.shares(height)) == {world.address("ann"), world.address("bob")}
    assert sum(world.owed().values()) + world.revenue() == 4 * COIN


def test_two_calls_in_one_transaction_are_read_in_their_order(pools: Pools) -> None:
    world = pools()
    world.look()
    chain: Any = world.pool.chain
    ask = chain.rpc.call
    newest = max(event.block for event in chain.delegations(1, world.height))

    def call(method: str, *params: Any) -> Any:
        told = ask(method, *params)
        if method != "searchlogs":
            return told
        there = [receipt for receipt in told if receipt["blockNumber"] == newest]
        if not there:
            return told
        first, added = there[-1], there[-1]["log"][-1]
        removed = {"address": added["address"], "topics": [REMOVED, *added["topics"][1:]], "data": ""}
        log = {1: [removed], 2: [added], 3: [removed], 4: [added]}
        return [*told, *({**first, "outputIndex": 10 + n, "log": log[n]} for n in log)]

    chain.rpc.call = call
    events = [event for event in chain.delegations(1, world.height) if event.block == newest]
    assert [event.added for event in events][-5:] == [True, False, True, False, True]


@pytest.mark.parametrize("minimum", ["0", "0.00000001"])
def test_a_share_that_is_too_small_for_the_chain_holds_nobody_up(pools: Pools, minimum: str) -> None:
    people = (
        Person("pool", 40_000 * COIN, 80, wallet="", stakes=True),
        Person("ann", 40_000 * COIN, 4, to="pool"),
        Person("dust", COIN // 2, to="pool"),
    )
    world = pools(people=people, pool_minimum=minimum, pool_least_coin="0.1")
    world.look()
    world.win()
    world.midnight()
    assert world.pay().kept
    owed = world.owed()
    assert set(owed) == {world.address("dust")} and 0 < owed[world.address("dust")] < 72_800
    assert set(world.received()) == {world.address("ann")}


def put_in_a_block(world: World, raw: bytes) -> str:
    """A transaction that its maker puts into a block of his own, whatever the pool of transactions takes; its id."""
    db = state.connect(world.folder)
    with state.writing(db):
        maker = state.network(db).key_hash(world.address("network"))
        blocks.grow(db, 1, Order(maker, rivals=(raw,), without=True))
    return codec.shown(codec.sha256d(raw))


def assert_left_open(world: World) -> None:
    """However often it is tried, nothing is sent, and what is open is not given up."""
    for _ in range(2):
        with pytest.raises(ValtracError, match=r"not seen again|does not know"):
            payday.pay(world.pool, world.app.payer(), world.state, patience_s=100)
    (open_,) = world.attempts()
    assert open_.state is not AttemptState.DEAD


def without(world: World, raw: bytes, satoshi: int, *, to: str = "") -> bytes:
    """A transaction that spends the same coins and lacks the output of that much, which goes back to the wallet, or
    to another address."""
    tx, db = transactions.unpacked(raw), state.connect(world.folder)
    coins = [coin for spent in tx.ins if (coin := mempool.output_of(db, spent.place)) is not None]
    secrets = [db.execute("SELECT secret FROM keys WHERE hash = ?", (coin.owner,)).fetchone()[0] for coin in coins]
    (taken,) = (out for out in tx.outs if out.value == satoshi)
    *others, change = (out for out in sorted(tx.outs, key=lambda out: out.value) if out != taken)
    outs = (*others, replace(change, value=change.value + satoshi))
    if to:
        thief = state.network(db).key_hash(to)
        assert thief is not None
        outs = (*others, change, replace(taken, script=codec.p2pkh(thief)))
    unsigned = replace(tx, ins=tuple(replace(spent, script=b"") for spent in tx.ins), outs=outs)
    signers = [(coin.script, keys.key_of(secret)) for coin, secret in zip(coins, secrets, strict=True)]
    return transactions.packed(transactions.signed(unsigned, signers))


def waiting(world: World, **settings: str) -> Any:
    """The payment of a payday that was handed over and is in no block yet."""
    world.look()
    world.win()
    world.midnight()
    world.misbehave(hold_pool=True)
    world.unlock()
    world.look()
    with pytest.raises(ValtracError):
        payday.pay(world.pool, world.app.payer(), world.state, patience_s=100)
    world.misbehave(hold_pool=False)
    return world.attempts()[-1]


@pytest.mark.parametrize("second", [False, True])
def test_a_payment_that_a_maker_of_blocks_has_written_otherwise_is_not_made_again(pools: Pools, second: bool) -> None:
    world = pools(second=second)
    attempt = waiting(world)
    tx = transactions.unpacked(attempt.raw)
    other = replace(tx, ins=tuple(replace(one, script=b"\x4c" + one.script) for one in tx.ins))  # valid, another id
    twin = put_in_a_block(world, transactions.packed(other))
    assert twin != attempt.tx_id
    world.blocks(6)
    world.pay()
    world.blocks(6)
    world.pay()
    assert world.received() == {world.address("ann"): 264_000_000, world.address("bob"): 88_000_000}
    assert [(each.tx_id, each.state) for each in world.attempts()] == [
        (attempt.tx_id, AttemptState.DEAD),
        (twin, AttemptState.LANDED),
    ]
    assert not audit(world.pool).problems


def test_a_rival_that_pays_one_of_the_same_people_is_no_reason_to_pay_again(pools: Pools) -> None:
    world = pools()
    attempt = waiting(world)
    qtum.double_spend(world.folder, attempt.tx_id, to="ann")
    world.blocks(6)
    assert_left_open(world)


def test_a_rival_with_other_amounts_is_ruled_on_by_the_owner_and_all_are_paid_once(pools: Pools) -> None:
    """He sent it himself, for something else: without his word nothing more is sent, with it the payday is kept."""
    world = pools()
    attempt = waiting(world)
    qtum.double_spend(world.folder, attempt.tx_id, to="ann")
    world.blocks(6)
    before = world.received()
    world.unlock()
    with pytest.raises(ValtracError):
        payday.pay(world.pool, world.app.payer(), world.state, patience_s=100)
    with suppress(OutcomeUnknown):  # nobody makes a block while it waits
        payday.pay(world.pool, world.app.payer(), world.state, patience_s=100, by_hand=True)
    world.blocks(6)
    payday.pay(world.pool, world.app.payer(), world.state, patience_s=100, by_hand=True)
    gained = {who: units - before.get(who, 0) for who, units in world.received().items()}
    assert gained == {world.address("ann"): 264_000_000, world.address("bob"): 88_000_000}
    assert [each.state for each in world.attempts()] == [AttemptState.DEAD, AttemptState.LANDED]
    assert not audit(world.pool).problems


def test_a_rival_that_makes_a_part_of_the_payments_and_pays_somebody_else_is_left_to_the_owner(pools: Pools) -> None:
    """What it pays besides is not known here, so that it may be anything."""
    world = pools()
    attempt = waiting(world)
    other = without(world, attempt.raw, 88_000_000, to=world.address("network"))
    put_in_a_block(world, other)
    world.blocks(6)
    assert_left_open(world)


def test_a_rival_that_makes_a_part_of_the_payments_counts_for_these_and_the_rest_is_paid(pools: Pools) -> None:
    """Another copy of the program, which puts fewer payments into one transaction."""
    world = pools()
    attempt = waiting(world)
    copy = put_in_a_block(world, without(world, attempt.raw, 88_000_000))
    world.blocks(6)
    world.pay()
    world.blocks(6)
    world.pay()
    assert world.received() == {world.address("ann"): 264_000_000, world.address("bob"): 88_000_000}
    states = [(each.tx_id == copy, each.state) for each in world.attempts()]
    assert states == [(False, AttemptState.DEAD), (True, AttemptState.LANDED), (False, AttemptState.LANDED)]
    assert not audit(world.pool).problems


# -- nodes ----------------------------------------------------------------------------------------------------


def test_a_node_that_names_a_coin_twice_is_not_believed_though_another_has_the_same_coins(pools: Pools) -> None:
    world = pools(second=True)
    world.look()
    chain: Any = world.pool.chain
    ask, mine = chain.rpc.call, world.address("bob")

    def call(method: str, *params: Any) -> Any:
        told = ask(method, *params)
        if method == "getaddressutxos":
            told["utxos"] += [row for row in told["utxos"] if row["address"] == mine] * 3
        return told

    chain.rpc.call = call
    world.win()
    with pytest.raises(ChainUnreachable):
        world.look()
    assert not world.owed()


def test_a_node_that_reads_its_blocks_for_the_first_time_does_not_begin_the_pool(pools: Pools) -> None:
    world = pools()
    world.misbehave(syncing=True)
    with pytest.raises(ChainUnreachable, match="caught up"):
        world.look()
    world.misbehave(syncing=False)
    assert world.look().looked_at == 0


class Endless(BaseHTTPRequestHandler):
    """A node whose answers never end."""

    def do_POST(self) -> None:
        self.send_response(200)
        self.end_headers()
        with suppress(OSError):
            while True:
                self.wfile.write(b" " * self.server.size)  # type: ignore[attr-defined]
                time.sleep(self.server.pause_s)  # type: ignore[attr-defined]

    def log_message(self, *_: Any) -> None:
        pass


@pytest.mark.parametrize(("size", "pause_s"), [(1, 0.02), (100_000, 0.0)], ids=["slow", "large"])
def test_an_answer_without_an_end_is_let_go_of(monkeypatch: pytest.MonkeyPatch, size: int, pause_s: float) -> None:
    monkeypatch.setattr(rpc, "LARGEST_ANSWER", 1_000_000)
    with ThreadingHTTPServer(("127.0.0.1", 0), Endless) as server:
        server.size, server.pause_s, server.daemon_threads = size, pause_s, True  # type: ignore[attr-defined]
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        asked = rpc.Rpc(f"http://127.0.0.1:{server.server_address[1]}", login=None, timeout_s=0.1)
        with pytest.raises((Untrusted, TimeoutError)):
            asked.call("getblockcount")
        asked.close()
        server.shutdown()


def test_a_rival_is_believed_where_it_is_deep_on_every_node(pools: Pools) -> None:
    world = pools(second=True)
    world.look()
    door = world.pool.door()
    asked = list[int]()

    class Coins:
        def rival(self, raw: bytes, first: int, last: int) -> None:
            asked.append(last)

    class Attempt:
        birth_block, birth_hash, raw, valid_until = world.height - 3, "", b"", 0

    birth = door.chain.block(Attempt.birth_block).head
    Attempt.birth_hash = birth.hash
    door = replace(door, coins=(Coins(),))  # type: ignore[arg-type]
    rivals.rival_of(door, Attempt, world.height)  # type: ignore[arg-type]
    assert asked == [world.height - 3]


# -- what stays locked ----------------------------------------------------------------------------------------


def test_a_payment_that_a_cap_refuses_leaves_no_coin_locked(pools: Pools) -> None:
    world = pools(pool_cap_day="1")
    world.look()
    world.win()
    world.midnight()
    for _ in range(3):
        assert world.pay().words
    assert locked_coins(world) == []


def test_the_other_coins_of_a_payment_that_is_dead_are_free_again(pools: Pools, tmp_path: Path) -> None:
    world = pools()
    ann = world.address("ann")
    path = tmp_path / "currentpoolshare.csv"
    owed = 700 * COIN  # more than one coin of the pool
    text = f"block,{world.height},poolbalance,{owed},\npoolrevenue,0,\ndelegate,{ann},poolshare,{owed},\n"
    path.write_text(text)
    coming_over.take(world.pool, coming_over.look(world.pool, path))
    world.midnight()
    world.misbehave(hold_pool=True)
    world.unlock()
    world.look()
    with pytest.raises(ValtracError):
        payday.pay(world.pool, world.app.payer(), world.state, patience_s=100)
    (attempt,) = world.attempts()
    assert len(read_transaction(attempt.raw).inputs) == 2 == len(locked_coins(world))
    world.misbehave(hold_pool=False)
    qtum.double_spend(world.folder, attempt.tx_id, to="dan")
    world.blocks(6)
    world.pay()
    assert locked_coins(world) == []
    assert world.received()[ann] == owed * 88 // 100


# -- copies ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("paid_before", [False, True])
def test_a_copy_of_the_home_does_not_pay_what_the_other_has_paid(
    pools: Pools, tmp_path: Path, paid_before: bool
) -> None:
    world = pools()
    world.look()
    if paid_before:
        world.win()
        world.midnight()
        world.pay()
    world.win()
    world.look()
    world.app.close()
    copy, log = tmp_path / "copy.sqlite", world.settings.pool_log
    shutil.copy(str(world.settings.qtum_database), copy)
    listed = log.read_bytes() if log.exists() else b""
    world.restart()
    world.midnight()
    world.pay()
    before = world.received()
    log.write_bytes(listed)
    world.restart(qtum_database_url=f"sqlite:///{copy}")
    with pytest.raises(ValtracError, match="does not know"):
        world.pay()
    world.blocks(6)
    assert world.received() == before


def test_what_the_owner_has_sent_a_delegate_by_hand_is_ruled_on_in_words(pools: Pools) -> None:
    world = pools()
    world.look()
    world.win()
    qtum.pay(world.folder, "pool", {"ann": 5 * COIN})
    world.midnight()
    with pytest.raises(ValtracError, match="does not know"):
        world.pay()
    payday.pay(world.pool, world.app.payer(), world.state, by_hand=True, patience_s=400)
    assert world.received()[world.address("ann")] == 5 * COIN + 264_000_000
    world.win()
    world.midnight()
    assert world.pay().paid == 2


def test_two_that_book_at_once_on_a_server_lose_nothing(tmp_path: Path) -> None:
    engine = open_engine(fresh_postgresql("vt_attack_book"))
    with writing(engine) as conn:
        claim_identity(conn, "0" * 64, "devnet", QTUM)
    credited(engine, looked(1), {"QDelegate": 10 * COIN})
    started = threading.Event()

    def other() -> None:
        started.set()
        with writing(engine) as conn:
            book.add(conn, [Entry("QDelegate", Booking.SHARE, 5)])

    thread = threading.Thread(target=other)
    with writing(engine) as conn:
        book.add(conn, [Entry("QDelegate", Booking.PAYDAY, -400_000_000), Entry(POOL, Booking.FEE, 1)])
        thread.start()
        started.wait()
        thread.join(0.5)
    thread.join()
    with reading(engine) as conn:
        assert book.balances(conn) == {"QDelegate": 5}


# -- what is taken over ---------------------------------------------------------------------------------------


@pytest.mark.parametrize("block", ["-5", "99999999"])
def test_a_file_of_a_block_that_is_not_there_is_not_taken_over(pools: Pools, tmp_path: Path, block: str) -> None:
    world = pools()
    path = tmp_path / "currentpoolshare.csv"
    path.write_text(f"block,{block},poolbalance,5,\npoolrevenue,0,\ndelegate,{world.address('ann')},poolshare,5,\n")
    with pytest.raises(BadInput):
        coming_over.take(world.pool, coming_over.look(world.pool, path))
    assert not world.owed()
