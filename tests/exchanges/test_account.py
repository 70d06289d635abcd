"""An exchange account: exact amounts, real signatures, and an answer that is lost proves nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest

from tests.exchanges.poloniex import Account, Poloniex
from valtrac.core.errors import BadInput, ChainUnreachable, OutcomeUnknown, Refused
from valtrac.exchanges.account import CcxtAccount, open_account

WHOLE = 100_000


@pytest.fixture
def stub() -> Iterator[Poloniex]:
    with Poloniex({"k1": Account("s1", Decimal("1000.12345678"))}) as running:
        yield running


def opened(stub: Poloniex, secret: str = "s1") -> CcxtAccount:
    keys = {"key": "k1", "secret": secret}
    return open_account("poloniex", "main", keys, network="BTS", timeout_s=5, urls=stub.urls)


def test_amounts_are_satoshi_and_what_is_finer_is_cut_off(stub: Poloniex) -> None:
    account = opened(stub)
    assert account.available() == 100_012_345
    assert account.withdrawal_fee() == 5 * WHOLE
    assert account.deposit_address() == ("exchange", "deposit-memo")


def test_a_withdrawal_is_asked_for_with_its_memo_and_found_again(stub: Poloniex) -> None:
    account = opened(stub)
    number = account.withdraw(300 * WHOLE, to="custodian", memo="loan#ab")
    (found,) = account.withdrawals(datetime.now(UTC) - timedelta(minutes=5))
    assert (found.id, found.units, found.to, found.memo, found.state) == (
        number,
        300 * WHOLE,
        "custodian",
        "loan#ab",
        "ok",
    )
    assert account.available() == 70_012_345


def test_a_lost_reply_leaves_the_outcome_unknown_and_the_list_tells(stub: Poloniex) -> None:
    account, stub.lose_replies = opened(stub), 1
    with pytest.raises(OutcomeUnknown):
        account.withdraw(300 * WHOLE, to="custodian", memo="loan#ab")
    assert [one.memo for one in account.withdrawals(datetime.now(UTC) - timedelta(minutes=5))] == ["loan#ab"]
    stub.lose_requests = 1
    with pytest.raises(OutcomeUnknown):
        account.withdraw(300 * WHOLE, to="custodian", memo="loan#cd")
    assert [one.memo for one in account.withdrawals(datetime.now(UTC) - timedelta(minutes=5))] == ["loan#ab"]


def test_what_the_exchange_refuses_was_not_done(stub: Poloniex) -> None:
    account = opened(stub)
    with pytest.raises(Refused, match="refused a withdrawal"):
        account.withdraw(9_000 * WHOLE, to="custodian", memo="loan#ab")
    assert stub.asked == []


def test_wrong_keys_are_refused_and_not_shown(stub: Poloniex) -> None:
    with pytest.raises(Refused, match="does not accept its keys") as error:
        opened(stub, secret="wrong-secret").available()
    assert "wrong-secret" not in str(error.value.as_dict())
    assert "s1" not in repr(opened(stub))


def test_an_exchange_that_is_away_tells_nothing(stub: Poloniex) -> None:
    account, stub.down = opened(stub), True
    with pytest.raises(ChainUnreachable):
        account.available()


@pytest.mark.parametrize("units", [0, -WHOLE, WHOLE + 1])
def test_only_whole_bts_are_asked_for(stub: Poloniex, units: int) -> None:
    with pytest.raises(ValueError, match="whole BTS"):
        opened(stub).withdraw(units, to="custodian", memo="m")
    assert stub.asked == []


def test_an_unknown_exchange_or_missing_keys_are_named() -> None:
    with pytest.raises(BadInput, match="no exchange"):
        open_account("bittrex", "main", {"key": "k", "secret": "s"}, network="BTS", timeout_s=1)
    with pytest.raises(BadInput, match="has no secret"):
        open_account("poloniex", "main", {"key": "k"}, network="BTS", timeout_s=1)


@pytest.mark.parametrize("answer", ["-5", "NaN", "Infinity", "1e400", "many", "1" + "0" * 20, [], {"free": 1}, True])
def test_a_balance_that_is_no_amount_is_refused_at_the_boundary(stub: Poloniex, answer: object) -> None:
    account = opened(stub)
    account._exchange.fetch_balance = lambda: {"BTS": {"free": answer}}
    with pytest.raises(ChainUnreachable, match="does not tell its balance"):
        account.available()


@pytest.mark.parametrize("answer", [None, [], {"BTS": 5}, "BTS"])
def test_a_balance_in_another_shape_is_refused_at_the_boundary(stub: Poloniex, answer: object) -> None:
    account = opened(stub)
    account._exchange.fetch_balance = lambda: answer
    with pytest.raises(ChainUnreachable, match="does not tell its balance"):
        account.available()


@pytest.mark.parametrize("fee", ["-1", "1001", "NaN", "much", "1e9"])
def test_a_fee_of_a_withdrawal_that_is_absurd_is_not_believed(stub: Poloniex, fee: str) -> None:
    account = opened(stub)
    account.available()
    account._exchange.currencies = {"BTS": {"networks": {"BTS": {"fee": fee}}}}
    with pytest.raises(ChainUnreachable):
        account.withdrawal_fee()


@pytest.mark.parametrize("answer", [None, [], "exchange", {"address": "", "tag": "x"}, {"address": "exchange"}])
def test_a_deposit_address_in_another_shape_is_refused_at_the_boundary(stub: Poloniex, answer: object) -> None:
    account = opened(stub)
    account._exchange.fetch_deposit_address = lambda code, params: answer
    with pytest.raises(ChainUnreachable):
        account.deposit_address()
