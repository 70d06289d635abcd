"""Ways in which ValTrac itself paid twice or not at all before, played here: everyone is paid once."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.once import assert_nothing_paid, assert_paid_once, tried
from tests.payments.doorway import LOG, failing_batch, ready, sent_by
from tests.payout_world import World, address, owed
from valtrac.core.errors import BadInput, Refused, ValtracError
from valtrac.core.money import decimal_text
from valtrac.devnet import bittensor as devnet
from valtrac.payouts import approvals
from valtrac.people import users


def test_valtrac_v1_one_failure_does_not_pay_the_others_again(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The log was written only if every transfer went well; after one failure all the others were paid again."""
    batch = failing_batch(world, monkeypatch)
    for _ in range(3):
        assert world.send(batch, isolate=True).state == "sending"
        assert world.received() == {name: units for name, units in owed(batch).items() if name != "u001"}
    with pytest.raises(Refused, match="in a batch already"):
        world.draft()


def test_valtrac_v2_an_idle_user_does_not_fail_the_payout(world: World) -> None:
    """A user without stake was owed less than nothing, its transfer failed, and the history was paid once more."""
    users.add(world.engine, "idle", [address(90)])
    batch = ready(world)
    assert "idle" not in owed(batch)
    assert all(line.amount > 0 for line in batch.payout.lines)
    world.send(batch)
    world.send(batch)
    assert_paid_once(world, batch)


def test_valtrac_v3_a_user_without_an_address_stops_nobody(world: World) -> None:
    """A user without any address broke the run after some transfers and before the log."""
    world.people()
    users.end_address(world.engine, "u003", address(3), from_block=1)
    users.add(world.engine, "nowhere", [])
    batch = world.day().approved()
    world.send(batch)
    world.send(batch)
    assert not {"u003", "nowhere"} & set(owed(batch))
    assert_paid_once(world, batch)


def test_valtrac_v4_a_payout_by_nominators_is_recorded(world: World) -> None:
    """Payouts by nominators were never recorded, and each run paid the full history again."""
    batch = world.day().approved(by="nominators")
    world.send(batch)
    assert_paid_once(world, batch)
    with pytest.raises(Refused, match="in a batch already"):
        world.draft(by="nominators")
    with pytest.raises(Refused, match="in a batch already"):
        world.people().draft()
    world.send(batch)
    assert_paid_once(world, batch)


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda text: text[: text.index(b"\n") + 1], id="header only"),
        pytest.param(lambda text: text + b"\n", id="a blank last line"),
        pytest.param(lambda text: text.replace(b"\n", b"\r\n"), id="another system's line ends"),
        pytest.param(lambda text: text.replace(b"\n", b"\n\n"), id="line ends doubled"),
        pytest.param(lambda text: text.replace(b"\n", b"\r\r\n"), id="line ends doubled by another system"),
        pytest.param(lambda text: text[:-1], id="no last line end"),
        pytest.param(lambda text: b"\xef\xbb\xbf" + text, id="a mark at the beginning"),
        pytest.param(lambda text: text + b"\xff\x00,,\n", id="garbage"),
        pytest.param(lambda text: b"", id="empty"),
    ],
)
def test_valtrac_v5_a_log_that_cannot_be_read_is_no_restart_from_the_beginning(
    world: World, change: Callable[[bytes], bytes]
) -> None:
    """A log whose last line could not be parsed made the next run begin at the first block."""
    batch = ready(world)
    world.send(batch)
    paid, path = world.received(), world.home.joinpath(*LOG)
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(Refused, match="in a batch already"):
        world.draft()
    try:
        assert world.send(batch).state == "settled"
    except ValtracError as error:
        assert str(path) in f"{error.what} {error.fix}"
    assert world.received() == paid
    assert len(tried(world, batch)) == 3
    following = world.day(1).draft()
    assert following.from_block == batch.to_block + 1


def test_valtrac_v6_a_block_that_is_undone_is_not_paid(world: World) -> None:
    """Inclusion was taken for payment, before any finality, and no id was kept to look for it afterwards."""
    batch = ready(world)
    devnet.misbehave(world.node, hold_finality=True)
    undone: list[None] = []

    def sleep(seconds: float) -> None:
        if not undone and world.slept > 3:
            assert_nothing_paid(world, batch)
            devnet.misbehave(world.node, fork=world.slept, drop=True, hold_finality=False)
            undone.append(None)
        world.sleep(seconds)

    sent_by(world, world.app.unlock(), batch, sleep=sleep)
    assert undone
    assert len({attempt.tx_id for attempt in tried(world, batch)}) == 3
    assert_paid_once(world, batch)


def test_valtrac_v12_an_address_belongs_to_one_user(world: World, tmp_path: Path) -> None:
    """The same address under two users was paid for both."""
    from valtrac.people import user_import

    world.people()
    with pytest.raises(BadInput, match="u001"):
        users.add(world.engine, "twin", [address(1)])
    with pytest.raises(BadInput, match="u001"):
        users.add_address(world.engine, "u002", address(1))
    sheet = tmp_path / "users.csv"
    sheet.write_text(f"Name,Address1\ntwin,{address(1)}\n", encoding="utf-8")
    with pytest.raises(BadInput, match="u001"):
        user_import.preview_import(world.engine, sheet)
    batch = world.day().approved()
    world.send(batch)
    assert_paid_once(world, batch)


def test_valtrac_v21_nothing_is_sent_that_was_not_confirmed_by_its_total(world: World) -> None:
    """Nobody was asked before the money went."""
    draft = world.people().day().draft()
    with pytest.raises(Refused, match="is a draft"):
        world.send(draft)
    for total in ("", "yes", "y", decimal_text(draft.total + 1), decimal_text(draft.pool)):
        with pytest.raises(BadInput):
            approvals.approve(world.engine, world.app.settings, world.app.caps, draft.id, total)
    with pytest.raises(Refused, match="is a draft"):
        world.send(draft)
    assert_nothing_paid(world, draft)
    approvals.approve(world.engine, world.app.settings, world.app.caps, draft.id, decimal_text(draft.total))
    world.send(draft)
    assert_paid_once(world, draft)
