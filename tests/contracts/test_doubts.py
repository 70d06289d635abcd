"""What one node alone tells of counts where its sender has signed it; else the owner has to say."""

from __future__ import annotations

import contextlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta, tzinfo

import pytest

from tests.contracts_world import World
from tests.custody_world import bts, sums
from valtrac.chains.bitshares import connect
from valtrac.contracts import audit
from valtrac.contracts import rulings as owner
from valtrac.contracts.doubts import NOT_SIGNED
from valtrac.contracts.store import audit_events
from valtrac.core.errors import Refused
from valtrac.database.engine import reading
from valtrac.devnet import bitshares


def rekey(world: World, who: str, *names: str, accounts: dict[str, int] | None = None, threshold: int = 1) -> None:
    keys = {bitshares.dev_public(name): 1 for name in names}
    bitshares.reauthorize(world.path, who, threshold=threshold, key_weights=keys, account_weights=accounts)


def test_a_deposit_that_its_sender_has_not_signed_waits_for_the_owner(world: World) -> None:
    world.send("ann", 25_000, "three_months")
    rekey(world, "ann", "somebody else")  # as far as this node tells
    world.listen()
    (parked,) = world.operations("parked")
    assert (parked.name, parked.words) == ("ann", NOT_SIGNED)
    assert world.contracts() == []
    world.round()
    assert sums(world, "ann") == []
    owner.read_by_hand(world.custodian, parked.id, owner.Word(memo="three_months"))
    world.round()
    assert sums(world, "ann") == [bts(1)]


def test_what_is_older_than_a_day_is_not_doubted_since_accounts_change_their_keys(world: World) -> None:
    world.send("ann", 25_000, "three_months")
    rekey(world, "ann", "ann's new one")
    world.days(2)
    world.listen()
    assert [one.name for one in world.contracts()] == ["ann"]


def test_two_keys_of_three_and_an_account_that_acts_for_another_sign_as_well_as_one_key(world: World) -> None:
    client, ann, bob = bitshares.Client(world.path), "ann", "bob"
    rekey(world, ann, "one", "two", "three", threshold=2)
    rekey(world, bob, accounts={ann: 1})
    for who in (ann, bob):
        trx = client.build([(who, "custodian", bts(25_000), "three_months")], sign=False)
        client.call("broadcast_transaction", client.sign(trx, ["one", "three"]))
        world.blocks(1)
    world.listen()
    assert sorted(one.name for one in world.contracts()) == [ann, bob]
    assert world.chain.may_sign(world.chain.named([ann])[ann].id, frozenset({bitshares.dev_public("one")})) is False
    assert world.chain.may_sign(world.chain.named([ann])[ann].id, frozenset()) is False
    assert world.chain.may_sign("1.2.999999", frozenset({bitshares.dev_public("one")})) is False


def test_a_deposit_beside_an_operation_that_nobody_here_can_write_is_known_by_its_signatures_too(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    from valtrac.chains.bitshares import operations

    bitshares.foreign(world.path, "ann", "custodian", bts(25_000))
    monkeypatch.delitem(operations._KINDS, 35)
    world.blocks(1)
    world.listen()
    (one,) = world.operations()
    assert (one.state, one.words == NOT_SIGNED) == ("handled", False)


def hides(world: World, monkeypatch: pytest.MonkeyPatch, units: int) -> None:
    """The node tells a balance that lacks so much."""
    told = world.chain.holding
    monkeypatch.setattr(world.chain, "holding", lambda account: (told(account)[0], told(account)[1] - units))


def test_with_one_node_nothing_is_paid_while_the_account_lacks_what_came_in(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.round()
    audit.check_balance(world.custodian)
    world.send("ann", 777, "hello")
    world.listen()
    with monkeypatch.context() as lying:
        hides(world, lying, bts(777))
        with pytest.raises(Refused, match=r"holds 777\.00000 BTS less"):
            world.pay()
        assert sums(world, "ann") == []
    world.pay()
    assert sums(world, "ann") == [bts(727)]


def test_what_stays_missing_for_a_day_is_an_alert_and_stops_nothing_any_more(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "LASTS", 100)
    world.round()
    audit.check_balance(world.custodian)
    hides(world, monkeypatch, bts(777))
    world.send("ann", 777, "hello")
    world.listen()
    with pytest.raises(Refused, match="less than the transfers add up to"):
        world.pay()
    world.blocks(audit.LASTS + 20)
    world.round()
    assert sums(world, "ann") == [bts(727)]
    with reading(world.engine) as conn:
        said = [event.msg["warn"] for event in audit_events.search(conn, kind="alert")]
    assert any("777.00000 BTS left without any recorded transfer" in words for words in said)


def test_two_nodes_that_tell_the_same_blocks_need_no_balance(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.round()
    audit.check_balance(world.custodian)
    second = connect.open_devnet(world.path, timeout_s=10)
    world.custodian = replace(world.custodian, witnesses=(second,))
    hides(world, monkeypatch, bts(777))
    world.send("ann", 777, "hello")
    world.round()
    assert sums(world, "ann") == [bts(727)]
    second.close()


def test_a_client_who_has_a_little_wait_in_the_pool_at_each_look_stops_nobodys_payment(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    world.round()
    audit.check_balance(world.custodian)
    world.send("ann", 777, "hello")
    world.listen()
    told, dust = world.chain.holding, iter(range(1, 1_000))
    monkeypatch.setattr(world.chain, "holding", lambda account: (told(account)[0], told(account)[1] + next(dust)))
    world.pay()
    assert sums(world, "ann") == [bts(727)]


def test_what_goes_on_leaving_without_a_transfer_is_told_after_a_day_and_stops_nobody_for_ever(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(audit, "LASTS", 100)
    world.round()
    audit.check_balance(world.custodian)
    world.send("ann", 777, "hello")
    world.listen()
    left = 0
    told = world.chain.holding
    monkeypatch.setattr(world.chain, "holding", lambda account: (told(account)[0], told(account)[1] - left))
    for _ in range(8):
        left += 1_000
        world.blocks(20)
        with contextlib.suppress(Refused):
            world.round()
    assert sums(world, "ann") == [bts(727)]
    with reading(world.engine) as conn:
        assert any(
            "left without any recorded transfer" in event.msg["warn"]
            for event in audit_events.search(conn, kind="alert")
        )


def test_the_first_round_begins_the_reckoning_where_no_job_did(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.round()
    world.send("bob", 777, "hello")
    world.listen()
    hides(world, monkeypatch, bts(777))
    with pytest.raises(Refused, match="less than the transfers add up to"):
        world.pay()


def test_a_balance_that_could_not_be_read_for_a_day_is_told(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    world.round()
    audit.check_balance(world.custodian)
    later = datetime.now(UTC) + timedelta(days=1, hours=1)

    class Clock(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> datetime:  # type: ignore[override]
            return later

    monkeypatch.setattr(audit, "datetime", Clock)
    moves = iter(range(1, 1_000))
    told = world.chain.holding
    monkeypatch.setattr(world.chain, "holding", lambda account: (told(account)[0], told(account)[1] + next(moves)))
    said = audit.look(world.custodian, world.chain.finalized())
    assert said == "the balance cannot be compared now for a day: it changes from moment to moment"
