"""What clients, bystanders and restored copies tried: nobody is paid twice, and nothing stands still."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from tests.contracts_world import DAY, World
from tests.custody_world import assert_books_whole
from tests.databases import fresh
from valtrac.contracts import dues, import_stakebts, listener
from valtrac.contracts import rulings as owner
from valtrac.contracts.custodian import LARGEST_LAG, find_custodian
from valtrac.contracts.forecast import outlook
from valtrac.contracts.model.contracts import WHOLE, milliseconds
from valtrac.contracts.store.transfers import listed
from valtrac.core.errors import BadInput, Refused
from valtrac.database.engine import reading
from valtrac.database.opening import open_engine
from valtrac.devnet import bitshares
from valtrac.payments import payment_log
from valtrac.settings import load


@pytest.mark.parametrize("kind", ["sqlite", "postgresql"])
@pytest.mark.parametrize("memo", ["a\0b", "\0", "\x1b[2J", "[/bold]", "\u202e", "x" * 30_000])
def test_no_memo_stops_the_listener(world: World, tmp_path: Path, kind: str, memo: str) -> None:
    engine = open_engine(fresh(kind, tmp_path / "other"))
    custodian = replace(world.custodian, engine=engine)
    find_custodian(engine, world.chain, world.settings)
    listener.listen(custodian)
    world.send("cid", 1, memo)
    world.send("ann", 25_000, "three_months")
    world.blocks(4)
    listener.listen(custodian)
    with reading(engine) as conn:
        assert [one.kind for one in listed(conn)] == ["kept", "contract"]
    engine.dispose()


def brought_back(world: World, tmp_path: Path, blocks: int, pay: Callable[[], object]) -> None:
    """The database as it was before somebody was paid, so many blocks after it; the log of payments is gone too."""
    world.engine.dispose()
    path = Path(world.settings.bitshares_database)
    shutil.copy(path, tmp_path / "copy")
    pay()
    world.blocks(blocks)
    world.engine.dispose()
    for side in ("-wal", "-shm"):
        Path(f"{path}{side}").unlink(missing_ok=True)
    shutil.copy(tmp_path / "copy", path)
    shutil.rmtree(tmp_path / "logs", ignore_errors=True)


def test_a_copy_from_seconds_before_a_payment_waits_until_that_payment_is_read(world: World, tmp_path: Path) -> None:
    world.take("cid", 1_000, "bogus")

    def by_the_newer_copy() -> None:  # a transaction that this copy's journal does not know, in the newest block
        bitshares.transfer(world.path, "custodian", "cid", 950 * WHOLE, "the same refund")

    brought_back(world, tmp_path, 1, by_the_newer_copy)
    got = world.held("cid")
    with pytest.raises(Refused, match="has just left the account"):
        world.pay()
    assert [why for _, why in world.round().outlook.held] == [
        f"transfer {world.operations('unruled')[0].key} to it is not in the journal: run.py contracts waiting"
    ]
    assert world.held("cid") == got


def test_a_copy_from_before_a_payment_pays_nobody_again(world: World, tmp_path: Path) -> None:
    world.take("cid", 1_000, "bogus")
    brought_back(world, tmp_path, LARGEST_LAG + 1, world.pay)
    got = world.held("cid")
    with pytest.raises(Refused, match="blocks behind"):
        world.pay()
    assert world.round().outlook.held == ()
    assert world.held("cid") == got
    (one,) = [one for one in world.operations() if one.kind == "adopted"]  # by the number in its memo
    assert [due.tx_id for due in world.dues("confirmed", type_="refund")] == [one.tx_id]
    world.round()
    assert world.held("cid") == got
    assert_books_whole(world)


def test_a_lost_database_begun_again_from_the_first_block_knows_what_was_paid(world: World, tmp_path: Path) -> None:
    world.take("ann", 25_000, "three_months")
    world.take("cid", 1_000, "bogus")
    world.round()
    got = world.held("ann"), world.held("cid")
    engine = open_engine(tmp_path / "new.sqlite")
    world.custodian = replace(world.custodian, engine=engine, log=None)
    find_custodian(engine, world.chain, world.settings)
    listener.start_from(world.custodian, 60_700_001)
    world.engine = engine
    assert world.round().outlook.held == ()
    assert (world.held("ann"), world.held("cid")) == got
    assert len([one for one in world.operations() if one.kind == "adopted"]) == 2
    assert_books_whole(world)


def test_a_deposit_after_an_import_is_a_contract_of_its_own(world: World) -> None:
    start = milliseconds(world.now) - 2 * 3_600_000
    found = import_stakebts.read_text(f"ann {start} 25000 3 0", world.settings.contract_terms)
    import_stakebts.apply(world.custodian, import_stakebts.preview(world.custodian, found))
    assert world.take("ann", 25_000, "three_months").kind == "contract"
    assert len(world.contracts()) == 2


def test_a_reward_of_nothing_is_never_due_and_stops_nobody(world: World) -> None:
    world.set(contracts_amounts="5,25000")
    world.take("ann", 5, "three_months")
    world.take("bob", 25_000, "three_months")
    world.days(91)
    world.round()
    assert {due.units for due in world.dues("confirmed", type_="reward")} == {2_000 * WHOLE}
    assert sorted(due.units for due in world.dues("confirmed", type_="principal")) == [5 * WHOLE, 25_000 * WHOLE]


def test_a_skipped_block_does_not_hide_what_left_the_account(world: World) -> None:
    world.send("custodian", 7, "by other hands", to="dee")
    world.set(
        contracts_skip_blocks=str(world.chain.finalized().number + 2)
        + ","
        + ",".join(str(number) for number in range(60_700_001, 60_700_060))
    )
    world.listen()
    assert [one.name for one in world.operations("unruled")] == ["dee"]


def test_an_exchanges_wallet_neither_begins_nor_ends_contracts(world: World) -> None:
    world.set(contracts_never_refund="exchange")
    for whole, memo in ((25_000, "three_months"), (1, "stop"), (700, None)):
        assert world.take("exchange", whole, memo).state == "parked"
    assert world.take("exchange", 700, "loan").state == "parked"
    assert world.dues() == []


@pytest.mark.parametrize("word", ["stop", "loan", "invalid", "loan_to_bmg", "custodian_to_exchange"])
def test_words_with_a_meaning_of_their_own_are_no_contracts(word: str) -> None:
    with pytest.raises(BadInput, match="meaning of its own"):
        load({"VALTRAC_CONTRACTS_MONTHS": f"{word}=3"}, Path("/nonexistent"))


def test_settings_that_would_go_round_for_ever_or_mean_nothing_are_refused() -> None:
    for name, value in (("FEE", "0"), ("SUPPORT", "a\x1b[2J"), ("EXCHANGE", "nosuch")):
        with pytest.raises(BadInput, match=name):
            load({f"VALTRAC_CONTRACTS_{name}": value}, Path("/nonexistent"))


def test_the_custodian_cannot_be_its_own_client_by_import(world: World) -> None:
    found = import_stakebts.read_text(f"custodian {milliseconds(world.now)} 25000 3 0", world.settings.contract_terms)
    with pytest.raises(BadInput) as error:
        import_stakebts.preview(world.custodian, found)
    assert "the custodian itself" in error.value.problems[0]


def test_what_an_exchange_may_have_sent_without_its_memo_waits_for_a_word(world: World) -> None:
    from valtrac.contracts.store import withdrawals
    from valtrac.database.engine import writing

    with writing(world.engine) as conn:
        withdrawals.plan(conn, exchange="one", cause="cover", units=3_000 * WHOLE, memo="loan#1", at=world.now)
    assert world.take("exchange", 2_995, None).state == "parked"
    assert world.take("cid", 1_000, None).kind == "invalid"
    assert [due.name for due in world.dues("pending")] == ["cid"]
    assert outlook(world.custodian, world.chain.finalized()).due == 950 * WHOLE


def test_what_was_parked_is_taken_as_the_owner_says_it(world: World) -> None:
    world.set(contracts_never_refund="exchange")
    parked = world.take("exchange", 25_000, "hello")
    assert parked.state == "parked"
    assert owner.read_by_hand(world.custodian, parked.id, owner.Word(memo="three_months")) == "contract"
    assert len(world.contracts()) == 1
    assert (
        owner.read_by_hand(world.custodian, world.take("exchange", 700, None).id, owner.Word(refund=True)) == "returned"
    )
    assert [due.units for due in world.dues("pending", type_="refund")] == [700 * WHOLE]


def test_a_stop_that_is_on_the_chain_before_a_reward_falls_due_comes_first_however_late_it_is_read(
    world: World,
) -> None:
    world.take("ann", 25_000, "three_months")
    world.round()
    due = world.dues("pending", type_="reward")[0].due_at
    world.days((due - world.now).total_seconds() / DAY - 0.0006)
    world.listen()
    world.send("ann", 1, "stop")
    while world.now < due:
        world.blocks(1)
    world.pay()  # a payer that is faster than the listener, which is a few blocks behind
    assert world.dues("confirmed", type_="reward") == []
    world.round()
    assert [one.state for one in world.dues(type_="reward")] == ["aborted"] * 3
    assert [one.units for one in world.dues("confirmed", type_="stop")] == [21_250 * WHOLE]


def test_a_payment_by_hand_for_which_there_is_no_money_stands_in_nobodys_way(tmp_path: Path) -> None:
    world = World(tmp_path, custodian=200, CONTRACTS_PATIENCE_HOURS="1")
    world.take("ann", 25_000, "three_months")
    world.take("cid", 100, "three_months")
    world.pay()
    bitshares.transfer(world.path, "custodian", "exchange", 23_400 * WHOLE, None)
    world.listen()
    owner.rule(world.custodian, world.operations("unruled")[0].id, words="spent elsewhere")
    for days in (30.1, 0.1):
        world.days(days)
        world.round()
    (late,) = world.dues("delinquent")
    with pytest.raises(Refused, match="are missing for payment") as error:
        dues.pay_delinquent(world.custodian, world.payer, late.id, "2000")
    assert "with the memo loan" in error.value.fix
    assert [one.id for one in world.dues("delinquent")] == [late.id]
    world.days(30)
    world.round()
    assert len([one for one in world.dues("confirmed", type_="reward") if one.name == "cid"]) == 2
    world.close()


def test_one_account_does_not_pay_what_another_owes(world: World) -> None:
    world.take("ann", 25_000, "three_months")
    world.set(bitshares_custodian="clerk")
    with pytest.raises(Refused, match="belongs to the account custodian, and not to clerk"):
        find_custodian(world.engine, world.chain, world.settings)


@pytest.mark.parametrize(
    ("whole", "memo"), [(25_000, ""), (25_000, "three_month"), (99, "three_months"), (500, "hello")]
)
def test_a_slip_of_the_owner_costs_the_client_nothing(world: World, whole: int, memo: str) -> None:
    for_another = bitshares.RawMemo("six_months", to_key=bitshares.dev_public("bob", "memo"), declared=True)
    parked = world.take("ann", whole, for_another)
    for _ in range(world.settings.contracts_tries):
        world.listen()
    with pytest.raises(BadInput, match=r"ask for nothing|no amount that a contract"):
        owner.read_by_hand(world.custodian, parked.id, owner.Word(memo=memo))
    assert [one.id for one in world.operations("parked")] == [parked.id]
    assert world.dues() == []


def test_payments_to_one_client_are_a_row_of_the_log_each_wherever_it_was_torn(
    world: World,
) -> None:
    world.send("cid", 1_000, "bogus")
    world.send("cid", 1_000, "bogus")
    world.send("cid", 2_000, "bogus")
    world.round()
    log = world.custodian.log
    assert log is not None
    whole = log.read_bytes()
    head, *rows = whole.splitlines(keepends=True)
    assert len({row.split(b",")[7] for row in rows}) == len(rows) == 3  # each in a transaction of its own
    for kept in range(len(whole) - 2, len(head) - 1, -7):
        log.write_bytes(whole[:kept])
        payment_log.sync(world.custodian.door(), log)
        assert sorted(log.read_bytes().splitlines()) == sorted(whole.splitlines())
        payment_log.sync(world.custodian.door(), log)
        assert len(log.read_bytes().splitlines()) == 4
