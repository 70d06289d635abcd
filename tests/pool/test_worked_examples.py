"""The worked examples of the pool, from the chain to the files, in whole satoshi."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from tests.pool_world import COIN, World
from tests.simulation_qtum.oracle import Oracle, Terms
from valtrac.core.errors import BadInput
from valtrac.devnet import qtum
from valtrac.devnet.qtum import Person, codec, ledger, mempool, payer, state
from valtrac.devnet.qtum.transactions import Paid
from valtrac.pool import coming_over, day_log, overview, payday, share_files
from valtrac.pool.model import day_log as form

Pools = Callable[..., World]
STAKER = Person("pool", 40_000 * COIN, 80, wallet="", stakes=True)
REST = 30


def spend(world: World, who: str, satoshi: int, height: int, *, to: str = "erin") -> None:
    """Let somebody spend one coin of that size and height, in the next block."""
    db = state.connect(world.folder)
    with state.writing(db):
        owner = payer.key_named(db, who)
        coin = next(c for c in ledger.coins_of(db, owner.hash) if (c.value, c.height) == (satoshi, height))
        out = Paid(satoshi - 10**7, codec.p2pkh(payer.key_named(db, to).hash))
        mempool.admit(db, payer.built(owner, [coin], [out], paid=10**7), max_fee=0, now=state.now(db))
    world.blocks(1)


def six_coins(world: World) -> tuple[int, list[tuple[int, int]]]:
    """The pool wins a block while ann has the six coins of the example; its height, and (satoshi, height) of each."""
    held: list[tuple[int, int]] = []

    def fund(satoshi: int) -> None:
        qtum.fund(world.folder, "ann", satoshi)
        held.append((satoshi, world.blocks(1)))

    fund(40 * COIN)
    fund(25 * COIN - 1)
    world.blocks(REST - 15)
    fund(30 * COIN)
    world.blocks(14)
    fund(25 * COIN)  # of exactly the age that counts, REST before the block
    fund(100 * COIN)  # one block younger
    world.blocks(8)
    kernel = qtum.produce(world.folder, 1, by="pool", delegate=qtum.ANY)  # the 40: nothing else is large and old enough
    world.blocks(5)
    fund(60 * COIN)
    block = held[3][1] + REST
    world.blocks(block - 1 - world.height)
    assert qtum.produce(world.folder, 1, by="pool", delegate=qtum.ANY) == block and kernel > block - REST
    return block, held


@pytest.mark.parametrize(("rule", "whole"), [("ppmu", 95), ("node", 55)])
@pytest.mark.parametrize("later", [False, True], ids=["at its turn", "made up when all is spent"])
def test_the_weight_at_a_block_is_by_the_coins_that_could_have_staked_it(
    pools: Pools, rule: str, whole: int, later: bool
) -> None:
    people = (STAKER, Person("ann", to="pool"), Person("erin"))
    world = pools(people=people, rest=REST, pool_rule=rule)
    world.look()
    block, held = six_coins(world)
    world.blocks(2)
    spend(world, "ann", *held[2])  # block + 3
    world.blocks(2)
    if later:
        for satoshi, height in (held[0], held[3], held[4]):
            spend(world, "ann", satoshi, height)
        qtum.undelegate(world.folder, "ann")
        world.blocks(40)
    world.look()
    explained = overview.explain(world.pool, block)
    (share,) = explained.shares
    assert (share.weight, share.units) == (whole * COIN, explained.reward["reward"])
    expected = {(25 * COIN, held[3][1]), (30 * COIN, held[2][1]), (40 * COIN, held[0][1])}
    expected -= {(40 * COIN, held[0][1])} if rule == "node" else set()
    assert {(coin.satoshi, coin.height) for coin in share.coins} == expected


def test_the_oracle_of_the_simulation_knows_the_same_example(pools: Pools) -> None:
    world = pools(people=(STAKER, Person("ann", to="pool"), Person("erin")), rest=REST)
    block, held = six_coins(world)
    spend(world, "ann", *held[2])
    db = state.connect(world.folder)
    staker = state.network(db).key_hash(qtum.addresses(world.folder)["pool"])
    assert staker is not None
    for rule, whole in (("ppmu", 95), ("node", 55)):
        oracle = Oracle(world.folder, Terms(staker, 25 * COIN, REST, 100, rule), 0)
        assert sum(oracle._weights(db, block).values()) == whole * COIN


def test_three_paydays_with_what_is_carried_over_the_rows_and_the_file(pools: Pools) -> None:
    people = (STAKER, *(Person(name, whole * COIN, to="pool") for name, whole in (("a", 9_945), ("b", 25), ("c", 30))))
    world = pools(people=people, seed={"subsidy": 25_000_000})
    a, b, c = (world.address(name) for name in "abc")
    world.look()
    paid, rows = [], []
    for day in range(3):
        world.win()
        if day == 2:
            world.win(delegate=None)
        before = world.received()
        world.midnight()
        world.pay()
        after = world.received()
        paid.append({who: after[who] - before.get(who, 0) for who in after if after[who] != before.get(who, 0)})
        text = day_log.text_of(world.pool, world.now().date(), over=False)
        rows.append([line for line in text.splitlines() if line.startswith("300,") and ",transaction," not in line])
        if day == 0:
            share_files.write(world.pool)
            (kept,) = world.paydays()
            file = (world.settings.pool_folder / f"{kept['height']}poolshare_payday.csv").read_text()
    height = world.paydays()[2]["height"]
    assert file == (
        f"block,{height},poolbalance,137500,\npoolrevenue,0,\n"
        f"delegate,{b},poolshare,62500,\ndelegate,{c},poolshare,75000,\n"
    )
    assert paid[:2] == [{a: 21_879_000}, {a: 21_879_000, b: 110_000, c: 132_000}]
    assert paid[2] == {a: 21_879_000}
    revenue = [each["revenue"] for each in reversed(world.paydays())]
    assert revenue == [2_983_500, 3_016_500, 27_983_500]
    fees = [sum(t.fee for t in shown.attempts if t.fee) for shown in reversed(overview.payouts(world.pool))]
    assert rows[0] == [
        "300,payout,carryovers,2,sendmanyAmount,0.21879000",
        f"300,total,sendmanys,1,numDelegatesPaid,1,totalPaid,0.21879000,intsatspoolRevenue,{revenue[0] - fees[0]}",
    ]
    assert rows[1] == [
        f"300,total,sendmanys,1,numDelegatesPaid,3,totalPaid,0.22121000,intsatspoolRevenue,{revenue[1] - fees[1]}"
    ]


SAMPLE = {"d1": 1_359_008, "d2": 2_534_986_018, "d3": 112_492_863, "d4": 108_758_610}


def test_the_sample_file_is_taken_over_and_paid_and_rewards_go_on_with_the_next_block(pools: Pools) -> None:
    people = (STAKER, *(Person(name, 100 * COIN, to="pool") for name in SAMPLE))
    world = pools(people=people, seed={"first_height": 683_556})
    file = world.home / "currentpoolshare.csv"
    rows = [f"delegate,{world.address(name)},poolshare,{units}," for name, units in SAMPLE.items()]
    lines = ["block,683567,poolbalance,5724236827,", "poolrevenue,2303740788.0,", *rows, ""]
    file.write_bytes("\r\n".join(lines).encode("latin-1"))
    assert world.height >= 683_567
    first = world.win(bury=False)
    found = coming_over.look(world.pool, file)
    assert found.file.difference == 2_966_640_328 and not found.strangers
    assert coming_over.take(world.pool, found) == 4
    with pytest.raises(BadInput, match=r"683568"):
        coming_over.take(world.pool, found)
    kept = payday.preview(world.pool, world.now())
    net = {payment.delegate: payment.net for payment in kept.payday.payments}
    assert net == dict(zip(map(world.address, SAMPLE), (1_195_927, 2_230_787_695, 98_993_719, 95_707_576), strict=True))
    assert (kept.payday.paid, kept.payday.fees) == (2_426_684_917, 330_911_582)
    world.blocks(5)
    assert world.look().looked_at == world.height - 5 - 683_567
    assert [each["height"] for each in world.rewards()] == [first]
    world.midnight()
    world.pay()
    assert world.received()[world.address("d1")] == (1_359_008 + COIN) * 88 // 100
    from valtrac.pool.audit import audit

    told = audit(world.pool)
    assert (told.problems, told.unexplained, told.left_over) == ((), 0, 2_966_640_328)


def test_addresses_of_another_network_are_not_taken_over(pools: Pools) -> None:
    world = pools()
    file = world.home / "currentpoolshare.txt"
    file.write_text(
        "block,6300001,poolbalance,5,\npoolrevenue,0,\ndelegate,QUXM5s6exwXZoUQQXSvVeyrGGhoo5ZKCE2,poolshare,5,\n"
    )
    found = coming_over.look(world.pool, world.home)
    assert found.strangers == ("QUXM5s6exwXZoUQQXSvVeyrGGhoo5ZKCE2",)
    with pytest.raises(BadInput, match="no address of this network"):
        coming_over.take(world.pool, found)
    assert not coming_over.begun(world.pool)


def test_the_row_of_a_block_is_as_the_old_log_had_it() -> None:
    at = datetime.fromtimestamp(1_600_000_200, UTC)
    node = {
        "balance": 891_530_000_000,
        "stake": 157_450_000_000,
        "weight": 7_161_665_982_933,
        "net_weight": 710_952_093_708_961,
        "delegated_weight": 60_782_006_576_365,
        "delegations": 3,
        "connections": 10,
        "staking": True,
        "expected_s": 1_339,
        "pool_balance": 400_000_000,
    }
    row = form.looked_at(
        at=at,
        local=at,
        height=680_100,
        node=node,
        staker="QPooLGGp2FodAN1PpqvB7iLNK7kD3gSeko",
        delegate="QUXM5s6exwXZoUQQXSvVeyrGGhoo5ZKCE2",
        rewards=(400_000_000, 0),
        percent=100,
        mine=True,
        extra="",
    )
    assert ",".join(row) == (
        "100,1600000200,12:30:00,680100,8915.3,1574.5, 71616.7,7109520,607820,3,10, yes,0.4,"
        "QPooLGGp2FodAN1PpqvB7iLNK7kD3gSeko,4.000,QUXM5s6exwXZoUQQXSvVeyrGGhoo5ZKCE2,0.000,100,yes,4.000,"
    )
