"""The process ends at any moment, and other hands use the wallet, or change the database."""

from __future__ import annotations

import json
from typing import Any

import pytest
import sqlalchemy as sa

from tests.keeps.once import COST, SEND, again, in_danger, redeemed_once
from tests.keeps.places import COIN, GWEI, Place, Places
from valtrac.core.errors import Refused, ValtracError
from valtrac.database.engine import writing
from valtrac.devnet.tbtc.deposits import LocalDeposit
from valtrac.keeps import carrying_out
from valtrac.payments import handover, side_by_side
from valtrac.payments.store import tables as door_tables


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
