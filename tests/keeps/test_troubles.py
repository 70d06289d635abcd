"""Whatever providers, gas, blocks and other hands do: nothing is sent on one word, and nothing twice."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from tests.keeps.places import COIN, ETHER, GWEI, Place, Places
from valtrac.core.errors import ChainUnreachable, OutcomeUnknown, Refused, ValtracError
from valtrac.database.engine import reading, writing
from valtrac.devnet.tbtc import chains as on_chain
from valtrac.devnet.tbtc.deposits import LocalDeposit
from valtrac.devnet.tbtc.proxy import Proxy
from valtrac.keeps import carrying_out, told
from valtrac.keeps.model.progress import RedemptionState
from valtrac.payments import handover, side_by_side
from valtrac.payments.store import replacements
from valtrac.payments.store import tables as door_tables
from valtrac.payments.verify import verify

COST = 1_000_500_000_000_000_000
SEND = "eth_sendRawTransaction"


def in_danger(place: Place) -> Place:
    """The one deposit has fallen to 124 %."""
    place.percent(124)
    place.settle()
    return place


def redeemed_once(place: Place, one: LocalDeposit) -> bool:
    """Whether the deposit was asked for by one transaction that took its cost, the ledger says so, and no allowance is
    left."""
    asked = [each for each in place.redemptions() if each.state is RedemptionState.REQUESTED]
    taken = 12 * COIN - place.tbtc()
    return (
        place.chains.state(one.deposit) == on_chain.AWAITING_SIGNATURE
        and len(asked) == 1
        and taken == COST == place.booked()
        and place.allowed() == 0
    )


def again(place: Place, rounds: int = 4) -> None:
    """Rounds, of which some may fail, as the job does them."""
    for _ in range(rounds):
        try:
            place.round()
        except ChainUnreachable as error:
            told.providers_are_away(place.watching, error)
        except ValtracError:
            continue


# -- one provider that fails ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("fault", ["too_many", "limit", "internal", "garbage", "lose_request"])
def test_a_provider_that_fails_is_left_for_the_next_one(places: Places, one: LocalDeposit, fault: str) -> None:
    bad, good = places.proxy(), places.proxy()
    place = in_danger(places.new(tbtc=12, urls=(bad.url, good.url)))
    bad.misbehave(**{fault: True})
    place.round()
    assert redeemed_once(place, one)
    assert [method for method, _ in good.log].count(SEND) == 2


def test_a_provider_that_hangs_is_left_after_its_time(places: Places, one: LocalDeposit) -> None:
    bad, good = places.proxy(), places.proxy()
    place = in_danger(places.new(tbtc=12, urls=(bad.url, good.url), timeout_s=0.2))
    bad.misbehave(hang=True)
    place.round()
    assert redeemed_once(place, one)


def test_while_nobody_answers_it_is_told_and_nothing_is_sent(places: Places, one: LocalDeposit) -> None:
    bad = places.proxy()
    place = in_danger(places.new(tbtc=12, urls=(bad.url,)))
    bad.misbehave(internal=True)
    again(place, 1)
    assert "HTTP 500" in place.lasting()["providers"]
    assert place.journal() == []
    bad.behave()
    again(place, 1)
    assert redeemed_once(place, one)
    assert "providers" not in place.lasting()


def test_a_provider_of_another_chain_is_refused(places: Places, one: LocalDeposit) -> None:
    bad = places.proxy()
    place = in_danger(places.new(tbtc=12, urls=(bad.url,)))
    bad.lie(chain_id=1)
    with pytest.raises(Refused, match="serves chain 1, not 31337"):
        place.round()
    assert place.journal() == []


@pytest.mark.parametrize("fault", ["lose_reply", "lose_request", "garbage"])
def test_a_provider_that_dies_between_sending_and_answer_pays_once(
    places: Places, one: LocalDeposit, fault: str
) -> None:
    proxy = places.proxy()
    place = in_danger(places.new(tbtc=12, urls=(proxy.url,)))
    proxy.misbehave(**{fault: {SEND: 2}})
    place.round()
    assert any("looking for it on the chain" in words for words in place.said)
    assert redeemed_once(place, one)
    assert [attempt.nonce for attempt in place.journal()] == [0, 1]


# -- two groups that disagree ------------------------------------------------------------------------------------------


def two(places: Places) -> tuple[Place, Proxy, Proxy]:
    first, second = places.proxy(), places.proxy()
    return (
        in_danger(places.new(tbtc=12, urls=(first.url,), second=(second.url,), VALTRAC_KEEPS_FINAL_BLOCKS="3")),
        first,
        second,
    )


def word(value: int) -> str:
    return f"0x{value:064x}"


@pytest.mark.parametrize(
    ("what", "liar"),
    [
        ("state", 0),
        ("state", 1),
        ("percentage", 0),
        ("balance", 1),
        ("logs", 0),
        ("block", 1),
        ("cost", 0),
        ("cost", 1),
        ("chain", 1),
    ],
)
def test_nothing_is_sent_on_the_word_of_one_of_two_groups(
    places: Places, one: LocalDeposit, what: str, liar: int
) -> None:
    place, *proxies = two(places)
    contract, token = one.contract, place.chains.system.at("TBTCToken")
    lies: dict[str, dict[str, Any]] = {
        "state": {"calls": {(one.deposit, contract.data("currentState")[:10]): word(7)}},
        "percentage": {"calls": {(one.deposit, contract.data("collateralizationPercentage")[:10]): word(150)}},
        "balance": {"calls": {(token.address, token.data("balanceOf", one.deposit)[:10]): word(5 * COIN)}},
        "logs": {"hide_logs": True},
        "block": {"other_block_hashes": {place.chains.ethereum.height()}},
        "cost": {"calls": {(one.deposit, contract.data("utxoValue")[:10]): word(77 * 10**6)}},
        "chain": {"chain_id": 5},
    }
    proxies[liar].lie(**lies[what])
    again(place, 1)
    assert place.journal() == []
    if what != "chain":
        assert "providers" in place.lasting()
    proxies[liar].behave()
    again(place, 1)
    assert redeemed_once(place, one)


@pytest.mark.parametrize("liar", [0, 1])
def test_a_receipt_that_only_one_group_tells_otherwise_leaves_the_outcome_unknown(
    places: Places, one: LocalDeposit, liar: int
) -> None:
    place, *proxies = two(places)

    def lie() -> None:
        proxies[liar].lie(other_status={attempt.tx_id for attempt in place.journal()})

    place.on_wait = lie
    with pytest.raises(OutcomeUnknown):
        place.round()
    assert {str(attempt.state) for attempt in place.journal()} == {"sent"}
    assert place.booked() == 0
    place.on_wait = None
    proxies[liar].behave()
    place.round()
    assert redeemed_once(place, one)


def test_a_deposit_that_one_group_calls_redeemed_is_not_taken_for_redeemed(places: Places, one: LocalDeposit) -> None:
    place, first, _ = two(places)
    place.round()
    first.lie(calls={(one.deposit, one.contract.data("currentState")[:10]): word(7)})
    again(place, 2)
    assert place.redemptions()[0].state is RedemptionState.REQUESTED
    first.behave()
    place.round()
    assert redeemed_once(place, one)


def test_answers_that_no_deposit_gives_are_no_answers(places: Places, one: LocalDeposit) -> None:
    proxy = places.proxy()
    place = in_danger(places.new(tbtc=12, urls=(proxy.url,)))
    for function, value in (
        ("currentState", 12),
        ("collateralizationPercentage", 2**255),
        ("remainingTerm", 2**200),
    ):
        proxy.lie(calls={(one.deposit, one.contract.data(function)[:10]): word(value)})
        with pytest.raises(ChainUnreachable):
            place.round()
    proxy.behave()
    place.round()
    assert redeemed_once(place, one)


# -- gas -------------------------------------------------------------------------------------------------------------


def test_what_waits_because_of_its_price_is_signed_anew_with_its_number_and_lands_once(
    place: Place, one: LocalDeposit
) -> None:
    in_danger(place)
    node = place.chains.ethereum
    node.automine(False)
    bids = [10 * GWEI, 20 * GWEI]

    def dearer() -> None:
        if bids:
            node.set_base_fee(bids.pop(0))

    place.on_wait = dearer
    place.round()
    with reading(place.watching.engine) as conn:
        journal = place.journal()
        anew = replacements.of_attempts(conn, [attempt.id for attempt in journal])
    assert sorted({attempt.nonce for attempt in journal}) == [0, 1]
    assert sum(map(len, anew.values())) >= 2
    landed = [attempt for attempt in journal if attempt.state == "landed"]
    assert sorted(attempt.nonce for attempt in landed) == [0, 1]
    versions = {attempt.tx_id for attempt in journal} | {each.tx_id for some in anew.values() for each in some}
    assert {attempt.tx_id for attempt in landed} < versions  # the receipt names the one of all of them that landed
    for attempt in landed:
        assert node.call("eth_getTransactionReceipt", attempt.tx_id)["status"] == "0x1"
    assert redeemed_once(place, one)


def test_above_the_cap_nothing_is_signed_what_waits_waits_and_both_go_on_when_gas_falls(
    place: Place, one: LocalDeposit
) -> None:
    in_danger(place)
    node = place.chains.ethereum
    node.set_base_fee(200 * GWEI)
    node.mine()
    done = place.round()
    assert place.journal() == [] and place.lines() == []
    assert "above VALTRAC_KEEPS_GAS_CAP" in done.words[0] and "gas costs" in place.lasting()["waits"]

    node.set_base_fee(GWEI)
    node.mine()
    node.automine(False)

    def spike() -> None:
        node.set_base_fee(150 * GWEI)

    place.on_wait = spike
    with pytest.raises(OutcomeUnknown, match="2 transactions were sent and are not final yet"):
        place.round()
    place.waited = 0
    with pytest.raises(OutcomeUnknown):  # the keeps are looked at, and told of, all the same
        place.round()
    assert "not final yet" in place.lasting()["waits"] and "danger" in place.lasting()
    assert len(place.journal()) == 2

    place.on_wait = lambda: node.set_base_fee(GWEI)
    node.set_base_fee(GWEI)
    node.mine()
    place.round()
    assert redeemed_once(place, one)
    assert "waits" not in place.lasting() or place.round().sent == []


def test_out_of_ether_half_way_is_told_and_gone_on_with(place: Place, one: LocalDeposit) -> None:
    place.round()
    in_danger(place)
    place.round()
    place.chains.ethereum.set_balance(place.key.address, ETHER // 1000)
    place.settle()
    place.signers.tick()
    done = place.round()
    assert done.sent == [] and "ether for 1 calls is missing" in done.words
    assert "are missing for the calls that bring redemptions on" in place.lasting()["no-ether"]
    place.chains.ethereum.set_balance(place.key.address, ETHER)
    place.settle()
    assert [finding.called for finding in place.round().sent] == ["landed"]
    place.round()
    assert "no-ether" not in place.lasting()


# -- blocks that are exchanged ----------------------------------------------------------------------------------------


def test_a_reorganisation_under_a_sent_redemption_before_it_is_final_is_gone_on_from(
    places: Places, one: LocalDeposit
) -> None:
    place = in_danger(places.new(tbtc=12, VALTRAC_KEEPS_FINAL_BLOCKS="4"))
    left = [2]

    def undo() -> None:
        if left[0]:
            left[0] -= 1
            place.chains.ethereum.reorg(2)

    place.on_wait = undo
    again(place, 3)
    assert redeemed_once(place, one)


def test_a_reorganisation_deeper_than_final_is_told_and_nothing_is_asked_for_twice(
    place: Place, one: LocalDeposit
) -> None:
    in_danger(place)
    place.round()
    depth = place.chains.ethereum.height() - min(attempt.block or 0 for attempt in place.journal()) + 1
    place.chains.ethereum.reorg(depth)
    place.settle()
    assert place.chains.state(one.deposit) == on_chain.ACTIVE and place.tbtc() == 12 * COIN
    before = len(place.journal())
    done = place.round()
    assert done.plan is not None and "is gone: hand it over again: run.py keeps verify" in done.plan.left[0].words
    assert len(place.journal()) == before
    gone = verify(place.watching.door(), place.payer.broadcast)  # hands the same bytes over again
    assert len(gone.gone) == 2
    place.settle()
    assert redeemed_once(place, one)


def test_a_liquidation_that_is_undone_before_it_is_final_does_not_end_the_redemption(
    places: Places, one: LocalDeposit
) -> None:
    place = in_danger(places.new(tbtc=12, VALTRAC_KEEPS_FINAL_BLOCKS="4"))
    place.round()
    node = place.chains.ethereum
    mark = node.snapshot()
    node.warp(7_300)
    place.chains.send_all([one.contract.tx("notifyRedemptionSignatureTimedOut", sender=place.chains.system.third)])
    place.round()
    assert place.redemptions()[0].state is RedemptionState.REQUESTED
    node.revert(mark)
    node.mine(3)
    place.round()
    assert redeemed_once(place, one)


# -- the process ends -------------------------------------------------------------------------------------------------


class Killed(BaseException):
    """The process is gone."""


STAGES = ("batch", "signed", "sent", "mined", "booked")


@pytest.mark.parametrize("stage", STAGES)
def test_a_process_that_ends_at_any_stage_is_gone_on_with(
    place: Place, one: LocalDeposit, stage: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_danger(place)
    real = handover.hand_over

    def ends(*_: Any, **__: Any) -> Any:
        raise Killed

    with monkeypatch.context() as patch:
        if stage == "batch":
            patch.setattr(side_by_side, "send", ends)
        elif stage == "signed":
            patch.setattr(handover, "hand_over", ends)
        elif stage == "sent":
            patch.setattr(handover, "hand_over", lambda *args, **named: (real(*args, **named), ends())[0])
        elif stage == "mined":
            place.on_wait = ends
        else:
            patch.setattr(carrying_out, "drop_unsent", ends)
        with pytest.raises(Killed):
            place.round()
    place.on_wait = None
    place.restart()
    again(place, 2)
    assert redeemed_once(place, one)
    numbers = [attempt.nonce for attempt in place.journal() if attempt.state == "landed"]
    assert (
        len(numbers)
        == len(set(numbers))
        == place.chains.ethereum.call("eth_getTransactionCount", place.key.address, "latest").__len__() * 0
        + int(place.chains.ethereum.call("eth_getTransactionCount", place.key.address, "latest"), 16)
    )


# -- other hands -----------------------------------------------------------------------------------------------------


def by_hand(place: Place, nonce: int, to: str, data: str = "0x", *, tip: int = 50 * GWEI) -> str:
    """A transaction of the wallet that is not in the journal."""
    from eth_utils.address import to_checksum_address

    signed = place.key.sign_transaction(
        {
            "type": 2,
            "chainId": 31337,
            "nonce": nonce,
            "to": to_checksum_address(to),
            "value": 0,
            "data": data,
            "gas": 100_000,
            "maxFeePerGas": 90 * GWEI,
            "maxPriorityFeePerGas": tip,
        }
    )
    return str(place.chains.ethereum.call(SEND, "0x" + signed.hex()))


def test_a_foreign_transaction_with_a_number_of_the_wallet_stops_it_until_its_owner_has_ruled(
    place: Place, one: LocalDeposit
) -> None:
    place.round()
    in_danger(place)
    place.round()
    by_hand(place, 2, place.chains.system.third)
    place.settle()
    place.signers.tick()
    with pytest.raises(Refused, match="was used by a transaction that is not in the journal"):
        place.round()
    assert "not in the journal" in place.lasting()["waits"]
    assert len(place.journal()) == 2


def test_a_foreign_call_that_takes_the_number_of_an_approval_is_not_taken_for_it(
    place: Place, one: LocalDeposit
) -> None:
    """Both call the same contract, and an approval takes nothing: it is told apart by its call."""
    in_danger(place)
    node = place.chains.ethereum
    node.automine(False)
    token = place.chains.system.at("TBTCToken")

    def overtaken() -> None:
        place.on_wait = None
        by_hand(place, 0, token.address, token.data("transfer", place.chains.system.third, COIN))

    place.on_wait = overtaken
    with pytest.raises(ValtracError):
        place.round()
    again(place, 2)
    approval = next(attempt for attempt in place.journal() if attempt.nonce == 0)
    assert approval.state != "landed"
    assert next(line.state for line in place.lines() if line.memo.startswith("approve(")) != "paid"


def changed(place: Place, monkeypatch: pytest.MonkeyPatch, change: Any) -> None:
    """Let other hands change the batch between its making and its sending."""
    real = side_by_side.send

    def altered(door: Any, payer: Any, batch_id: int) -> Any:
        with writing(place.watching.engine) as conn:
            for (name,) in conn.execute(
                sa.text("SELECT name FROM sqlite_master WHERE type = 'trigger'")
            ).all():  # whoever has the file can do that too
                conn.execute(sa.text(f'DROP TRIGGER "{name}"'))
            change(conn, batch_id)
        return real(door, payer, batch_id)

    monkeypatch.setattr(side_by_side, "send", altered)


LINES, BATCHES = door_tables.lines, door_tables.batches
ELSEWHERE = "0x" + "66" * 20


def _amount(conn: Any, batch: int) -> None:
    here = (LINES.c.batch_id == batch, LINES.c.memo.like("tbtcToBtc%"))
    conn.execute(LINES.update().where(*here).values(amount=5 * COIN, from_pool=5 * COIN))
    conn.execute(BATCHES.update().where(BATCHES.c.id == batch).values(total=5 * COIN))


def _plan(conn: Any, batch: int, **values: Any) -> None:
    plan = json.loads(conn.execute(sa.select(BATCHES.c.plan).where(BATCHES.c.id == batch)).scalar_one())
    conn.execute(BATCHES.update().where(BATCHES.c.id == batch).values(plan=json.dumps({**plan, **values})))


def _memo(conn: Any, batch: int, old: str, new: str) -> None:
    """In the lines and in the plan beside them."""
    lines = conn.execute(sa.select(LINES.c.id, LINES.c.memo).where(LINES.c.batch_id == batch)).all()
    for line, memo in lines:
        conn.execute(LINES.update().where(LINES.c.id == line).values(memo=memo.replace(old, new)))
    plan = conn.execute(sa.select(BATCHES.c.plan).where(BATCHES.c.id == batch)).scalar_one()
    conn.execute(BATCHES.update().where(BATCHES.c.id == batch).values(plan=plan.replace(old, new)))


def _script(conn: Any, batch: int) -> None:
    _memo(conn, batch, "751e76e8199196d454941c45d1b3a323f1433bd6", "66" * 20)


def _text(conn: Any, batch: int) -> None:
    here = (LINES.c.batch_id == batch, LINES.c.memo.like("approve%"))
    conn.execute(LINES.update().where(*here).values(memo=f"approve({ELSEWHERE}, {COST})"))


def _token(conn: Any, batch: int) -> None:
    here = (LINES.c.batch_id == batch, LINES.c.memo.like("approve%"))
    conn.execute(LINES.update().where(*here).values(address=ELSEWHERE))


def _output(conn: Any, batch: int) -> None:
    _memo(conn, batch, "6054f50500000000", "00e1f50500000000")


def _line_gone(conn: Any, batch: int) -> None:
    _plan(conn, batch, calls=[])


@pytest.mark.parametrize("change", [_amount, _script, _text, _token, _output, _line_gone])
def test_figures_that_other_hands_have_changed_are_not_signed(
    place: Place, one: LocalDeposit, change: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_danger(place)
    changed(place, monkeypatch, change)
    with pytest.raises(Refused, match=r"is not what was decided|do not add up"):
        place.round()
    assert (place.journal(), place.tbtc()) == ([], 12 * COIN)


def test_a_provider_that_tells_garbage_in_the_middle_leaves_no_half_of_a_round(
    places: Places, one: LocalDeposit
) -> None:
    proxy = places.proxy()
    place = in_danger(places.new(tbtc=12, urls=(proxy.url,)))
    for number in range(1, 12, 3):
        proxy.misbehave(garbage={"eth_call": number})
        again(place, 1)
        proxy.behave()
    again(place, 2)
    assert redeemed_once(place, one)
