"""What was wrong in the pool payout manager, by the numbers of its list: here it does not happen.

D10 (weights of now in the place of those at the block) is among the worked examples, D18 (a dead mailer ends the
program) where alerts are; D21 and D23 (answers misread) where those of nodes are read.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest

from tests.once import Died, Meddling
from tests.pool_world import COIN, World
from valtrac.chains.qtum.rpc import coins
from valtrac.core.errors import ChainUnreachable, OutcomeUnknown, Refused, ValtracError
from valtrac.database.engine import reading
from valtrac.devnet import qtum
from valtrac.devnet.qtum import Person, state
from valtrac.pool import day_log, monitor, payday, share_files
from valtrac.pool.audit import audit
from valtrac.pool.store import blocks, book, paydays
from valtrac.ports import Payer

Pools = Callable[..., World]
SEVEN = (
    Person("pool", 40_000 * COIN, 80, wallet="", stakes=True),
    *(Person(f"d{n}", 100 * COIN, to="pool") for n in range(7)),
)


def rows_of(world: World, code: str) -> list[list[str]]:
    """The rows of a kind in today's log."""
    text = day_log.text_of(world.pool, world.now().date(), over=False)
    return [line.split(",") for line in text.splitlines() if line.startswith(code)]


def lasting(world: World) -> set[str]:
    with reading(world.engine) as conn:
        return {each["kind"] for each in paydays.lasting(conn)}


def asked(world: World, method: str) -> int:
    return sum(request["method"] == method for request in world.servers[0].log if isinstance(request, dict))


def rest_of_wallet(world: World) -> tuple[bool, bool]:
    """(unlocked, for staking only), which no call of the node tells."""
    db = state.connect(world.folder)
    until, only = db.execute("SELECT until, staking_only FROM wallets").fetchone()
    return until > state.now(db), bool(only)


def test_d1_three_restarts_credit_no_block_again(pools: Pools) -> None:
    world = pools()
    world.look()
    world.win()
    world.look()
    owed = world.owed()
    assert sum(owed.values()) == 4 * COIN
    for _ in range(3):
        world.restart()
        world.tick()
        assert world.owed() == owed


def test_d2_looking_at_the_same_block_again_and_again_credits_it_once(pools: Pools) -> None:
    world = pools()
    world.look()
    world.win()
    for _ in range(4):
        world.tick()
    assert sum(world.owed().values()) == 4 * COIN and len(world.rewards()) == 1


def test_d3_who_has_left_is_credited_no_more_and_shares_are_the_reward(pools: Pools) -> None:
    world = pools(
        people=(
            Person("pool", 40_000 * COIN, 80, wallet="", stakes=True),
            Person("a", 100 * COIN, to="pool"),
            Person("b", 300 * COIN, to="pool"),
        ),
        seed={"subsidy": 40_000_000},
    )
    world.look()
    first = world.win()
    qtum.undelegate(world.folder, "b")
    world.blocks(1)
    second = world.win()
    world.look()
    a, b = world.address("a"), world.address("b")
    assert world.shares(first) == {a: 10_000_000, b: 30_000_000}
    assert world.shares(second) == {a: 40_000_000}
    assert world.owed() == {a: 50_000_000, b: 30_000_000}


def test_d4_a_lost_reply_makes_no_second_payment_and_sendmany_is_never_asked(pools: Pools) -> None:
    world = pools()
    world.look()
    world.win()
    world.midnight()
    world.misbehave(lose_reply={"sendrawtransaction": 3})
    world.pay()
    assert sum(world.received().values()) == 4 * COIN * 88 // 100
    assert asked(world, "sendmany") == 0
    sent = {r["params"][0] for r in world.servers[0].log if r["method"] == "sendrawtransaction"}
    assert len(sent) == 1 and len(world.attempts()) == 1


@pytest.mark.parametrize("handed", [False, True], ids=["before it was handed over", "after"])
def test_d5_who_dies_between_two_batches_pays_each_of_them_once(pools: Pools, handed: bool) -> None:
    world = pools(people=SEVEN, pool_chunk="3")
    world.look()
    world.win()
    world.midnight()
    world.unlock()
    world.look()
    count = iter(range(9))

    def dies_at_second(payer: Payer, raw: bytes) -> None:
        second = next(count) == 1
        if not second or handed:
            payer.broadcast(raw)
        if second:
            raise Died

    with pytest.raises(Died):
        payday.pay(world.pool, Meddling(world.app.payer(), dies_at_second), world.state)
    world.restart()
    world.pay()
    each = 4 * COIN // 7 * 88 // 100
    assert world.received() == {world.address(f"d{n}"): each for n in range(7)}
    assert len(world.paydays()) == 1


def test_d6_the_revenue_of_three_batches_is_the_fee_once_and_the_networks_fee_is_taken_off_in_the_log(
    pools: Pools,
) -> None:
    world = pools(people=SEVEN, pool_chunk="3")
    world.look()
    world.win()
    world.midnight()
    world.pay()
    share = 4 * COIN // 7
    fee_and_remainder = 7 * (share - share * 88 // 100) + 4 * COIN % 7
    (kept,) = world.paydays()
    assert kept["revenue"] == fee_and_remainder and world.revenue() == 0
    fees = [attempt.fee for attempt in world.attempts()]
    assert len(fees) == 3 and all(fees)
    assert rows_of(world, "300,total")[0][-1] == str(fee_and_remainder - sum(fees))
    assert len(rows_of(world, "300,transaction")) == 3


def test_d7_a_reward_without_weights_is_the_pools_and_is_told(pools: Pools) -> None:
    people = (Person("pool", 40_000 * COIN, 80, wallet="", stakes=True), Person("a", 100 * COIN, to="pool"))
    world = pools(people=people, seed={"flags": {"stakingminfee": 0, "stakingminutxovalue": 25 * COIN}})
    world.look()
    with_another_rule = world.win(bury=False)
    world.restart(pool_least_coin="500")
    world.blocks(5)
    world.look()
    assert world.shares(with_another_rule) == {world.address("a"): 0}
    assert (world.owed(), world.revenue()) == ({}, 4 * COIN)


def test_d8_with_payments_switched_off_no_share_is_lost(pools: Pools) -> None:
    world = pools(pool_payments="no")
    world.look()
    world.win()
    world.midnight()
    world.unlock()
    assert "switched off" in world.tick()
    assert sum(world.owed().values()) == 4 * COIN and world.received() == {}
    world.restart(pool_payments="yes")
    world.pay()
    assert sum(world.received().values()) == 4 * COIN * 88 // 100


def test_d9_a_fee_of_all_sends_nothing_and_small_amounts_are_written_whole(pools: Pools) -> None:
    assert [coins(units) for units in (5_000, 1, 10**8)] == ["0.00005000", "0.00000001", "1.00000000"]
    world = pools(pool_fee="100")
    world.look()
    world.win()
    world.midnight()
    world.pay()
    assert (world.received(), world.owed(), world.paydays()[0]["revenue"]) == ({}, {}, 4 * COIN)
    assert asked(world, "sendrawtransaction") == 0


def test_d11_what_the_chain_drops_later_is_booked_out_and_what_was_paid_by_it_comes_off_what_follows(
    pools: Pools,
) -> None:
    world = pools()
    world.look()
    world.win()
    world.midnight()
    world.pay()
    qtum.reorganise(world.folder, world.height - world.rewards()[0]["height"] + 1, keep=True)
    world.blocks(8)
    for _ in range(3):
        world.look()
    assert sum(world.owed().values()) == -4 * COIN
    world.win()
    world.look()
    assert sum(world.owed().values()) == 0 and world.rewards()[1]["state"] == "undone"
    with reading(world.engine) as conn:
        undone = [e for e in book.of_delegate(conn, world.address("ann")) if e["kind"] == "undone"]
    assert len(undone) == 1


def test_d11_a_history_that_is_another_one_for_longer_than_a_chain_is_rewritten_takes_nothing_back(
    pools: Pools, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(monitor, "MOST_UNDONE", 12)
    world = pools()
    world.look()
    world.win()
    world.blocks(20)
    world.look()
    owed = world.owed()
    assert sum(owed.values()) == 4 * COIN
    qtum.reorganise(world.folder, world.height - world.rewards()[0]["height"] + 1, keep=True)
    with pytest.raises(ChainUnreachable, match="another history for more than 12 blocks"):
        world.look()
    assert world.owed() == owed


def test_d11_a_payday_that_the_wallet_cannot_cover_waits_whole(pools: Pools) -> None:
    world = pools(pool_reserve="100000")
    world.look()
    world.win()
    world.midnight()
    done = world.pay()
    assert any("holds" in words or "cannot" in words for words in done.words), done.words
    assert world.received() == {}
    world.restart(pool_reserve="0")
    world.pay()
    assert sum(world.received().values()) == 4 * COIN * 88 // 100 and len(world.paydays()) == 1


def test_d12_it_goes_on_from_the_last_block_it_saw_and_an_own_block_is_kept_at_once(pools: Pools) -> None:
    world = pools()
    world.look()
    world.win(delegate=None)
    world.look()
    assert world.revenue() == 4 * COIN
    world.restart()
    done = world.look()
    assert (done.looked_at, world.revenue()) == (0, 4 * COIN)
    missed = world.win()
    world.blocks(60)
    assert world.look().block == world.height - 5
    assert [each["height"] for each in world.rewards()] == [missed]


def test_d13_gas_that_goes_back_is_nobodys_reward_whatever_its_size(pools: Pools) -> None:
    world = pools()
    world.look()
    qtum.delegate(world.folder, "dan", "pool")  # most of its gas comes back, behind the staker's output
    shared = world.win()
    qtum.undelegate(world.folder, "dan")
    own = world.win(delegate=None)
    world.look()
    with reading(world.engine) as conn:
        found = {height: blocks.at_height(conn, height) for height in (shared, own)}
    db = state.connect(world.folder)
    for height, looked in found.items():
        assert looked is not None
        made = db.execute("SELECT made FROM blocks WHERE active AND height = ?", (height,)).fetchone()[0]
        assert 4 * COIN == made < looked.staker_reward < made + COIN  # the fee of a call, not the gas behind it


def test_d14_when_staking_comes_back_it_is_seen(pools: Pools) -> None:
    world = pools()
    world.unlock()
    world.misbehave(no_staking=True)
    assert "not staking" in world.tick()
    assert world.tick() == ""
    qtum.clear(world.folder)
    assert "not staking: over" in world.tick()


def test_d15_an_outage_is_said_and_waited_for(pools: Pools) -> None:
    world = pools()
    world.unlock()
    world.tick()
    world.stop_nodes()
    for _ in range(3):
        with pytest.raises(ChainUnreachable):
            world.tick()
    assert lasting(world) == {"node down"}
    world.start_nodes()
    world.misbehave(warming_up=1)
    with pytest.raises(ChainUnreachable):
        world.tick()
    height = world.win()
    world.tick()
    world.tick()  # the node's start has locked the wallet: its password is here
    assert lasting(world) == set() and rest_of_wallet(world) == (True, True)
    assert world.rewards()[0]["height"] == height


def test_d16_a_payday_is_kept_whenever_the_program_is_up_and_once_a_day(pools: Pools) -> None:
    world = pools()
    world.tick()
    world.win()
    world.tick()
    world.midnight()
    world.blocks(1, gap_s=15 * 3_600)
    world.unlock()
    assert "payday of 2026-11-02 00:00" in world.tick()
    world.blocks(1, gap_s=3_600)
    world.ahead_s = -20 * 3_600
    world.tick()
    world.restart()
    world.unlock()
    world.ahead_s = 0
    world.tick()
    assert len(world.paydays()) == 1 and sum(world.received().values()) == 4 * COIN * 88 // 100


def test_d16_blocks_that_were_missed_are_made_up_before_the_payday(pools: Pools) -> None:
    world = pools()
    world.look()
    for _ in range(3):
        world.win()
        world.blocks(30)
    world.midnight()
    world.unlock()
    while not world.paydays():
        world.tick()
    assert world.paydays()[0]["paid"] == 3 * 4 * COIN * 88 // 100


@pytest.mark.parametrize(
    "fault",
    [
        {"error": {"signrawtransactionwithwallet": 1}},
        {"down": {"signrawtransactionwithwallet": 1}},
        {"error": {"testmempoolaccept": 1}},
        {"swap_payee": {"signrawtransactionwithwallet": 1}},
        {"full_pool": True},
    ],
    ids=lambda fault: f"{next(iter(fault))}",
)
def test_d17_after_a_payment_that_failed_the_wallet_stakes_on_and_sends_nothing(
    pools: Pools, fault: dict[str, Any]
) -> None:
    world = pools()
    world.look()
    world.win()
    world.midnight()
    world.unlock()
    world.look()
    world.misbehave(**fault)
    with suppress(ValtracError):
        assert payday.pay(world.pool, world.app.payer(), world.state, patience_s=100).words
    assert rest_of_wallet(world) == (True, True)
    assert world.received() == {}
    qtum.clear(world.folder)
    world.pay()
    assert sum(world.received().values()) == 4 * COIN * 88 // 100


def test_d19_a_payday_does_not_overwrite_the_file_of_the_reward_before_it(pools: Pools) -> None:
    world = pools()
    world.look()
    height = world.win(bury=False)
    now = world.now()
    world.blocks(1, gap_s=86_400 - int(now.timestamp()) % 86_400)
    world.blocks(world.settings.pool_confirmations - 1)
    world.pay()
    assert world.paydays()[0]["height"] == height
    share_files.write(world.pool)
    folder = world.settings.pool_folder
    before = (folder / f"{height}poolshare.csv").read_text()
    after = (folder / f"{height}poolshare_payday.csv").read_text()
    assert before.startswith(f"block,{height},poolbalance,{4 * COIN},\n") and "delegate," in before
    assert after == f"block,{height},poolbalance,0,\npoolrevenue,0,\n"
    assert not list(folder.glob("*.tmp"))


def test_d20_balances_beyond_ten_million_and_any_height_are_shown(pools: Pools) -> None:
    rich = Person("pool", 12_345_678 * COIN, 80, wallet="", stakes=True)
    world = pools(people=(rich, Person("a", 100 * COIN, to="pool")), seed={"first_height": 21_000_000})
    world.look()
    world.win()
    world.look()
    row = rows_of(world, "100")[0]
    assert float(row[4]) > 12_000_000 and int(row[3]) > 21_000_000


def test_d22_the_password_is_in_no_file_no_table_and_no_request_but_the_one_that_needs_it(pools: Pools) -> None:
    word = "c0rrect horse_+!$ stapler"
    world = pools(seed={"passphrase": word})
    from valtrac.chains.qtum.payer import QtumPayer

    payer = QtumPayer(world.pool.chain, word)  # type: ignore[arg-type]
    payer.try_password()
    with pytest.raises(Refused, match="does not open"):
        QtumPayer(world.pool.chain, word[:-1]).try_password()  # type: ignore[arg-type]
    world.look()
    world.win()
    world.midnight()
    world.look()
    payday.pay(world.pool, payer, world.state, patience_s=400)
    assert sum(world.received().values()) == 4 * COIN * 88 // 100
    for path in world.home.rglob("*"):
        if path.is_file() and world.folder not in path.parents:
            assert word[:7].encode() not in path.read_bytes(), path
    carried = {r["method"] for r in world.servers[0].log if word[:7] in json.dumps(r)}
    assert carried == {"walletpassphrase"}
    assert word[:7] not in repr(payer) and word[:7] not in repr(world.settings)


def test_d24_a_chain_that_stands_still_is_told_and_the_log_has_rewards_and_blocks_made_up(pools: Pools) -> None:
    world = pools()
    world.tick()
    world.ahead_s = 1_900
    assert "no block for 31 minutes" in world.tick()
    world.ahead_s = 0
    world.win()
    world.blocks(40)
    world.tick()
    assert rows_of(world, "400")[0][:3] == ["400", "reward", "credited"]
    assert any("made" in row[2] for row in rows_of(world, "800"))
    assert ["900", " STALE CHAIN", "over"] in rows_of(world, "900")


def test_a_clock_that_is_a_year_ahead_at_the_start_delays_no_payday(pools: Pools) -> None:
    world = pools()
    world.ahead_s = 365 * 86_400
    world.look()
    world.ahead_s = 0
    world.win()
    world.midnight()
    world.pay()
    assert len(world.paydays()) == 1 and world.received()


def test_the_outcome_of_a_payment_that_stays_away_is_unknown_and_the_next_round_finds_it(pools: Pools) -> None:
    world = pools()
    world.look()
    world.win()
    world.midnight()
    world.unlock()
    world.look()
    world.misbehave(hold_pool=True)
    with pytest.raises(OutcomeUnknown):
        payday.pay(world.pool, world.app.payer(), world.state, patience_s=200)
    qtum.clear(world.folder)
    world.blocks(1)
    world.blocks(5)
    assert world.pay().paid == 2
    told = audit(world.pool)
    assert told.problems == () and told.unexplained == 0
    assert world.now() - world.paydays()[0]["due_at"] < timedelta(days=1)
