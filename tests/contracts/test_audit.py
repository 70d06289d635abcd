"""The books of the custodian: every satoshi that came or went is explained, and what is not is told."""

from __future__ import annotations

import pytest

from tests.contracts_world import World
from valtrac.contracts import audit
from valtrac.contracts.model.contracts import WHOLE
from valtrac.contracts.model.states import DueState, TransferState
from valtrac.contracts.store import audit_events, contracts, transfers
from valtrac.core.chain import SealedMemo, Transfer
from valtrac.core.errors import ChainUnreachable
from valtrac.database.engine import reading, writing
from valtrac.devnet import bitshares


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """What has to last for a day lasts for some minutes here."""
    monkeypatch.setattr(audit, "LASTS", 100)


def minutes(world: World) -> None:
    """As long as a doubt has to last."""
    for _ in range(6):
        world.blocks(20)
        world.listen()


def alarms(world: World) -> list[str]:
    with reading(world.engine) as conn:
        return [one.msg["warn"] for one in audit_events.search(conn, kind="alert")]


def test_the_first_reckoning_explains_nothing_and_says_so(world: World) -> None:
    found = audit.check_balance(world.custodian)
    assert (found.holds, found.since, found.unexplained) == (world.held("custodian"), None, 0)


def test_a_month_of_deposits_payments_and_fees_is_explained_to_the_satoshi(world: World) -> None:
    audit.check_balance(world.custodian)
    world.take("ann", 25_000, "three_months")
    world.take("cid", 1_000.5, "nonsense")
    world.pay()
    bitshares.transfer(world.path, "custodian", "dee", 77 * WHOLE, "rent")
    world.days(31)
    world.round()
    world.listen()
    found = audit.check(world.custodian)
    assert found.whole, found
    assert found.receipts == 3
    assert found.balance is not None
    assert (found.balance.unexplained, found.balance.holds) == (0, world.held("custodian"))
    assert not alarms(world)


def test_what_moves_without_a_transfer_is_told_once_to_the_satoshi(world: World) -> None:
    audit.check_balance(world.custodian)
    bitshares.fund(world.path, "custodian", 12_345_678)  # as an executed proposal would: in no block's transactions
    world.take("ann", 25_000, "three_months")
    found = audit.check(world.custodian)
    assert found.whole and found.balance is not None and not found.balance.sure
    assert "are not explained yet" in found.balance.words
    minutes(world)
    found = audit.check(world.custodian)
    assert not found.whole
    assert found.balance is not None and found.balance.unexplained == 12_345_678
    assert ["123.45678 BTS arrived without any recorded transfer" in words for words in alarms(world)] == [True]
    assert audit.check(world.custodian).whole
    assert len(alarms(world)) == 1


def test_a_transfer_that_waits_in_the_pool_or_can_still_be_undone_is_no_surprise(world: World) -> None:
    audit.check_balance(world.custodian)
    bitshares.transfer(world.path, "ann", "custodian", 25_000 * WHOLE, "three_months")  # in no block yet
    assert audit.check_balance(world.custodian).unexplained == 0
    bitshares.fork(world.path, 1, keep=True)
    assert audit.check_balance(world.custodian).unexplained == 0
    world.listen()
    assert audit.check_balance(world.custodian).unexplained == 0


def test_what_came_in_blocks_that_the_listener_passed_over_is_accounted_for(world: World) -> None:
    from valtrac.contracts import listener

    audit.check_balance(world.custodian)
    world.send("ann", 25_000, "three_months")
    world.blocks(4)
    listener.start_from(world.custodian, None)
    world.listen()
    found = audit.check_balance(world.custodian)
    assert (found.unexplained, found.sure) == (0, True)
    assert world.contracts() == []


def test_while_the_listener_is_behind_or_reads_anew_nothing_is_compared_and_it_says_why(world: World) -> None:
    from valtrac.contracts import listener

    audit.check_balance(world.custodian)
    world.blocks(audit.FARTHEST + 10)
    found = audit.check(world.custodian)
    assert (found.balance, found.whole) == (None, True)
    assert "blocks behind" in found.why_not
    listener.listen(world.custodian)
    audit.check_balance(world.custodian)
    with writing(world.engine) as conn:
        at = transfers.cursor(conn)
        assert at is not None
        transfers.set_cursor(conn, transfers.Cursor(at.block - 20, ""), expected=at)
    with pytest.raises(ChainUnreachable) as told:
        audit.check_balance(world.custodian)
    assert "reads old blocks anew" in told.value.why


def test_a_payment_in_the_books_that_the_chain_has_not_is_told(world: World) -> None:
    world.take("cid", 1_000, "nonsense")
    (due,) = world.dues("pending")
    with writing(world.engine) as conn:
        contracts.move(conn, [due.id], DueState.PENDING, DueState.PROCESSING)
        at = transfers.cursor(conn)
        assert at is not None
        contracts.move(conn, [due.id], DueState.PROCESSING, DueState.CONFIRMED, tx_id="ab" * 20, block=at.block)
    (odd,) = audit.check(world.custodian).odd
    assert "950.00000 BTS" in odd and "that the chain has not" in odd


def test_a_payment_on_the_chain_that_is_not_in_the_books_is_told(world: World) -> None:
    world.take("cid", 1_000, "nonsense")
    world.pay()
    world.listen()
    assert audit.check(world.custodian).whole
    (paid,) = [one for one in world.operations() if one.direction == "out"]
    again = Transfer(
        paid.block,
        paid.trx + 1,
        0,
        paid.tx_id,
        world.custodian.account.id,
        paid.account,
        paid.units,
        "1.3.0",
        0,
        SealedMemo("", "", "0", ""),
    )
    with writing(world.engine) as conn:
        transfers.add(
            conn,
            again,
            at=paid.at,
            own_id=world.custodian.account.id,
            name=paid.name,
            state=TransferState.HANDLED,
            kind="ours",
        )
    found = audit.check(world.custodian)
    assert any("no payment is booked for it" in words for words in found.odd)
    assert not found.whole


def test_what_a_node_holds_back_in_its_pool_is_a_doubt_and_no_alarm(world: World) -> None:
    audit.check_balance(world.custodian)
    bitshares.misbehave(world.path, hold_pool=True)
    bitshares.transfer(world.path, "ann", "custodian", 40 * WHOLE, "nonsense")
    world.listen()
    found = audit.check_balance(world.custodian)
    assert (found.unexplained, found.sure) == (40 * WHOLE, False)
    bitshares.misbehave(world.path, hold_pool=False)
    world.listen()
    assert audit.check_balance(world.custodian).unexplained == 0
    assert not alarms(world)


def test_what_a_node_holds_back_for_minutes_is_told_as_a_doubt_and_is_no_alarm_when_it_is_dropped(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "LASTS", 28_900)
    audit.check_balance(world.custodian)
    bitshares.misbehave(world.path, hold_pool=True)
    bitshares.transfer(world.path, "exchange", "custodian", 5_501 * WHOLE, "a sweep", expires_in_s=7_200)
    assert not audit.check_balance(world.custodian).sure
    minutes(world)
    found = audit.check_balance(world.custodian)
    assert (found.unexplained, found.sure) == (5_501 * WHOLE, False)
    assert "may wait in the node's pool" in found.words
    bitshares.misbehave(world.path, hold_pool=False, drop_pool=True)
    minutes(world)
    assert audit.check_balance(world.custodian).unexplained == 0
    assert not alarms(world)


def test_a_doubt_of_another_amount_begins_anew(world: World) -> None:
    audit.check_balance(world.custodian)
    bitshares.fund(world.path, "custodian", 7)
    assert not audit.check_balance(world.custodian).sure
    minutes(world)
    bitshares.fund(world.path, "custodian", 7)
    assert not audit.check_balance(world.custodian).sure
    minutes(world)
    found = audit.check_balance(world.custodian)
    assert (found.unexplained, found.sure) == (14, True)


def test_the_job_reckons_by_itself_and_says_what_it_cannot_explain(world: World) -> None:
    def look() -> str:
        return audit.look(world.custodian, world.chain.finalized())

    assert look() == ""
    bitshares.fund(world.path, "custodian", 300 * WHOLE)
    assert look() == ""  # two hours have not gone by
    assert not audit.check_balance(world.custodian).sure
    assert look() == ""
    minutes(world)
    assert look().startswith("300.00000 BTS arrived without any recorded transfer")
    assert look() == ""
