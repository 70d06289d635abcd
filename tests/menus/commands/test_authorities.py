"""Commands around finality: who is pinned, what a payment's block is called, and the owner's word on another set."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import run as program
from tests.homes import move_in
from tests.payout_world import HOTKEY, World, seeded
from valtrac.core.errors import Exit
from valtrac.devnet import bittensor as devnet


@pytest.fixture
def world(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    move_in(monkeypatch, tmp_path)
    monkeypatch.setenv("VALTRAC_HOTKEYS", HOTKEY)
    seeded(tmp_path, justifies_every=8)
    made = World(tmp_path)
    yield made
    made.app.close()


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str]) -> Any:
    def run(*words: str) -> tuple[int, str, str]:
        capsys.readouterr()
        code = program.main(list(words))
        said = capsys.readouterr()
        return code, said.out, said.err

    return run


def settled(world: World) -> int:
    batch = world.people().day().approved()
    world.send(batch)
    return batch.id


def finality(call: Any) -> set[str]:
    code, out, _ = call("payout", "verify", "--json")
    assert code == 0
    return {record["finality"] for record in json.loads(out)}


def test_a_payment_is_believed_until_votes_for_a_later_block_prove_it(world: World, call: Any) -> None:
    settled(world)
    devnet.misbehave(world.node, justifications="none")
    assert finality(call) == {"believed"}
    _, out, err = call("payout", "verify")
    assert "believed: one node says that it is final" in out + err
    assert "Not proven: no votes for it or a later block are kept yet: one in 8 has them" in out + err
    devnet.misbehave(world.node, clear=True)
    devnet.advance(world.node, 20)
    assert finality(call) == {"proven"}
    _, out, err = call("payout", "verify")
    said = " ".join((out + err).split())
    assert "3 transactions in blocks 151 to 157: proven to be final by the votes of pinned authorities." in said


def test_a_node_that_forges_votes_is_named_and_proves_nothing(world: World, call: Any) -> None:
    devnet.misbehave(world.node, justifications="forged")
    settled(world)
    devnet.advance(world.node, 20)
    assert finality(call) == {"believed"}
    _, out, err = call("payout", "verify")
    assert "asked the rehearsal chain what makes blocks final: the votes that it keeps" in " ".join((out + err).split())


def test_the_send_report_says_that_a_block_is_proven(world: World) -> None:
    batch = world.people().day().approved()
    assert world.app.finality.pinned().number == 0
    devnet.misbehave(world.node, hold_pool=True)
    door = world.door(patience_s=3)
    from valtrac.core.errors import OutcomeUnknown
    from valtrac.payments import send
    from valtrac.payments.reconcile import reconcile

    with pytest.raises(OutcomeUnknown):
        send.send(door, world.app.unlock(), batch.id)
    devnet.misbehave(world.node, hold_pool=False)
    devnet.advance(world.node, 24)
    (finding,) = reconcile(world.door())
    assert finding.state == "landed"
    assert (
        "; proven under the block's header; proven to be final: the pinned authorities (pinned on one node's word)"
        in (finding.words)
    )


def test_the_pin_is_shown_and_says_on_whose_word_it_is(world: World, call: Any) -> None:
    devnet.advance(world.node, 30)
    code, out, err = call("payout", "authorities")
    assert code == 0
    assert "set 0, block 28, at the first contact, on one node's word" in " ".join((out + err).split())
    assert "pinned on one node's word: compare them" in " ".join(err.split())
    record = json.loads(call("payout", "authorities", "--json")[1])
    assert (record["set"], record["pinned"], record["needed"], record["stopped"]) == (0, "one node", 3, False)
    assert len(record["authorities"]) == 4


def test_a_forced_change_stops_and_goes_on_with_the_owners_word(world: World, call: Any) -> None:
    settled(world)
    devnet.advance(world.node, 10)
    assert finality(call) == {"proven"}
    devnet.misbehave(world.node, force_authorities=1)
    devnet.advance(world.node, 20)
    batch = world.day(1).approved()
    assert world.send(batch).state == "settled"  # paying goes on; nothing is called proven
    devnet.advance(world.node, 20)
    assert finality(call) == {"believed"}
    _, out, err = call("payout", "verify")
    assert "announces other authorities by force" in " ".join((out + err).split())
    _, _, err = call("payout", "authorities")
    assert "Nothing counts as proven" in err

    pin = ("payout", "pin-authorities", "--words", "announced by the network")
    code, _, err = call(*pin)
    assert code == Exit.REFUSED
    assert "--set 1 --words WHY" in err
    assert call(*pin, "--set", "0")[0] == Exit.REFUSED
    code, out, _ = call(*pin, "--set", "1", "--json")
    said = json.loads(out)
    assert (code, said["old"]["pinned"], said["new"]["set"], said["new"]["pinned"]) == (0, "forced", 1, "owner")
    devnet.advance(world.node, 20)
    assert finality(call) == {"proven"}


def test_the_owners_word_is_words(world: World, call: Any) -> None:
    assert call("payout", "pin-authorities", "--words", "ok", "--set", "0")[0] == Exit.BAD_INPUT
