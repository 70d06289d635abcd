"""A block is proven to be final by votes of the pinned authorities, and by nothing else that a node may say."""

from __future__ import annotations

import copy
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.chains import node as nodes
from tests.devnet.bittensor.conftest import Clock, world
from valtrac.chains.bittensor import connect, finality, pinning
from valtrac.chains.bittensor.finality import FinalBlocks, OtherHistory
from valtrac.chains.bittensor.node import BittensorChain
from valtrac.core.chain import Head
from valtrac.core.errors import ChainUnreachable, Refused
from valtrac.core.finality import Origin, Pin, Proof
from valtrac.devnet.bittensor import advance, misbehave, seed_world
from valtrac.devnet.bittensor.codec import rpc_error
from valtrac.wiring.payouts import PIN_ANEW

EVERY = 8


class Kept:
    """`valtrac.ports.Pins` in memory."""

    def __init__(self) -> None:
        self.pins: list[Pin] = []

    def load(self, genesis: str) -> list[Pin]:
        return list(self.pins)

    def save(self, pin: Pin) -> None:
        self.pins.append(replace(pin, id=len(self.pins) + 1))

    def saw(self, pin: Pin, block: int, block_hash: str) -> None:
        place = pin.id - 1
        self.pins[place] = replace(self.pins[place], proven_block=block, proven_hash=block_hash)


class Stage:
    """A rehearsal chain, asked directly, and what is known of its final blocks."""

    def __init__(self, path: Path, chain: BittensorChain, second: BittensorChain | None = None) -> None:
        self.path, self.chain, self.kept = path, chain, Kept()
        self.blocks = FinalBlocks(chain, self.kept, lambda: second, anew=PIN_ANEW)

    def head(self, number: int) -> Head:
        return self.chain.block(number).head

    def proof(self, number: int) -> Proof:
        return self.blocks.proof(self.head(number))

    def grow(self, blocks: int) -> Stage:
        advance(self.path, blocks)
        return self

    def sees(self, **faults: Any) -> Stage:
        misbehave(self.path, **faults)
        return self

    def origins(self) -> list[Origin]:
        return [pin.origin for pin in self.kept.pins]

    def pinned(self) -> Stage:
        """Grown a little, and pinned."""
        self.grow(5)
        assert self.blocks.pinned().number == 0
        return self


@pytest.fixture
def path(tmp_path: Path) -> Path:
    made = tmp_path / "chain.sqlite"
    seed_world(made, world(justifies_every=EVERY), clock=Clock())
    return made


@pytest.fixture
def stage(path: Path) -> Iterator[Stage]:
    chain = connect.open_devnet(path, timeout_s=10)
    yield Stage(path, chain)
    chain.close()


@pytest.fixture
def behind(path: Path) -> Iterator[Callable[..., tuple[Stage, list[nodes.Node]]]]:
    """Builds a stage whose chain is behind some nodes, asked one after the other; second: one more has to agree."""
    with ExitStack() as stack:

        def build(many: int = 1, *, second: bool = False) -> tuple[Stage, list[nodes.Node]]:
            running = [stack.enter_context(nodes.running(path)) for _ in range(many + second)]
            urls = [node.url for node in running]

            def opened(url: str, others: list[str]) -> BittensorChain:
                chain = connect.open_node(url, network="test", fallbacks=others, timeout_s=10, justifies_every=EVERY)
                stack.callback(chain.close)
                return chain

            other = opened(urls[-1], []) if second else None
            return Stage(path, opened(urls[0], urls[1:many]), other), running

        yield build


def test_blocks_are_proven_from_the_next_votes_back_and_no_others(stage: Stage) -> None:
    stage.pinned().grow(28)
    said = [stage.proof(number).proven for number in range(1, 32)]
    newest = said.index(False) + 1
    assert newest == 25
    assert not any(said[newest - 1 :])
    assert "no votes for it or a later block are kept yet" in stage.proof(31).words
    assert "voted for block" in stage.proof(6).words
    assert stage.kept.pins[0].proven_block == newest - 1
    assert stage.origins() == [Origin.ONE_NODE]


def test_what_was_only_told_when_it_was_pinned_is_not_called_proven(stage: Stage) -> None:
    stage.pinned()
    assert [stage.proof(number).proven for number in range(1, 6)] == [False] * 5
    stage.grow(20)
    assert all(stage.proof(number).proven for number in range(1, 6))


def test_a_block_that_was_proven_is_known_without_another_look(stage: Stage) -> None:
    head = stage.pinned().grow(30).head(12)
    assert stage.blocks.proof(head).proven
    stage.sees(justifications="none")
    assert stage.blocks.proof(head).proven
    assert FinalBlocks(stage.chain, stage.kept).proof(head).proven  # by the newest block that was proven before


@pytest.mark.parametrize(
    ("kind", "words"),
    [("forged", "a signature that is not"), ("few", "votes of 2, and 3 are"), ("elsewhere", "are for another block")],
)
def test_a_node_that_keeps_votes_which_are_none_proves_nothing_and_is_named(
    stage: Stage, kind: str, words: str
) -> None:
    stage.pinned().grow(30).sees(justifications=kind)
    said = stage.proof(20)
    assert not said.proven
    assert words in said.words
    assert "the rehearsal chain" in said.words
    assert stage.kept.pins[0].proven_block == stage.kept.pins[0].block


def test_a_node_that_keeps_no_votes_proves_nothing_and_is_no_liar(stage: Stage) -> None:
    said = stage.pinned().grow(30).sees(justifications="none").proof(20)
    assert not said.proven
    assert stage.chain.left == ()


def test_a_liar_is_left_and_the_next_node_proves_it(behind: Any) -> None:
    stage, (liar, honest) = behind(2)
    stage.pinned().grow(30)

    def twist(method: str, params: list[Any], result: Any) -> Any:
        if method == "chain_getBlock" and result and result["justifications"]:
            result = copy.deepcopy(result)
            result["justifications"][0][1][-40] ^= 1
        return result

    liar.twist = twist
    assert stage.proof(20).proven
    (left,) = stage.chain.left
    assert f"127.0.0.1:{liar.port}" in left and "votes that it keeps" in left
    assert stage.chain.asked == f"127.0.0.1:{honest.port}"


@pytest.mark.parametrize("hexadecimal", [(True, True), (True, False), (False, True)])
def test_votes_are_read_in_either_shape(behind: Any, hexadecimal: tuple[bool, bool]) -> None:
    stage, (node,) = behind()

    def twist(method: str, params: list[Any], result: Any) -> Any:
        if method != "chain_getBlock" or not result or not result["justifications"]:
            return result
        pair = result["justifications"][0]
        shaped = ["0x" + bytes(part).hex() if as_hex else part for part, as_hex in zip(pair, hexadecimal, strict=True)]
        return {**result, "justifications": [[[66, 65, 66, 69], [1]], shaped]}

    node.twist = twist
    assert stage.pinned().grow(30).proof(20).proven


@pytest.mark.parametrize("shape", [7, "0x", [[1]], [[[70, 82, 78, 75], [300]]], [["FRNK", []]], [None]])
def test_votes_in_another_shape_are_no_votes(behind: Any, shape: Any) -> None:
    stage, (node,) = behind()
    stage.pinned().grow(30)
    head = stage.head(20)
    node.twist = lambda method, params, result: (
        {**result, "justifications": shape} if method == "chain_getBlock" and result else result
    )
    assert not stage.blocks.proof(head).proven


@pytest.mark.parametrize("delay", [0, 3])
def test_a_change_that_the_old_set_agreed_to_is_followed(stage: Stage, delay: int) -> None:
    stage.pinned().grow(15).sees(change_authorities=delay).grow(30)
    assert stage.proof(30).proven
    assert stage.origins() == [Origin.ONE_NODE, Origin.FOLLOWED]
    _, new = stage.kept.pins
    assert (new.number, new.block, new.words) == (1, 21 + delay, "announced in block 21")
    assert all(stage.proof(number).proven for number in range(1, 31))
    stage.sees(change_authorities=2).grow(30)
    assert stage.proof(60).proven
    assert stage.kept.pins[-1].number == 2


def test_who_keeps_up_has_followed_a_change_before_a_proof_is_needed(stage: Stage) -> None:
    stage.pinned().grow(15).sees(change_authorities=3).grow(80)
    assert stage.blocks.keep_up() == ""
    assert stage.kept.pins[-1].origin == Origin.FOLLOWED
    assert stage.kept.pins[-1].proven_block >= 56
    stage.sees(force_authorities=0).grow(80)
    assert "by force" in stage.blocks.keep_up()
    stage.sees(down=True)
    assert stage.blocks.keep_up() != ""


def test_a_proof_says_on_whose_word_the_voters_are_pinned(behind: Any) -> None:
    for second, words in ((False, "(pinned on one node's word) voted"), (True, "authorities voted")):
        stage, _ = behind(second=second)
        stage.pinned().grow(30)
        assert words in stage.proof(10).words


def test_several_changes_are_followed_at_once(stage: Stage) -> None:
    stage.pinned()
    for delay in (2, 0, 5):
        stage.grow(9).sees(change_authorities=delay).grow(3)
    stage.grow(20)
    assert stage.proof(50).proven
    assert [pin.number for pin in stage.kept.pins] == [0, 1, 2, 3]


def test_a_change_announced_before_the_newest_proven_block_is_found(stage: Stage) -> None:
    stage.pinned().grow(10).sees(change_authorities=15).grow(14)
    assert stage.proof(17).proven
    assert stage.kept.pins[0].proven_block > 16
    stage.grow(20)
    assert stage.proof(40).proven
    assert stage.kept.pins[-1].words == "announced in block 16"


def test_a_change_without_the_old_sets_votes_is_not_followed(behind: Any) -> None:
    stage, (node,) = behind()
    stage.pinned().grow(15).sees(change_authorities=3).grow(30)
    end, heads = stage.head(24), [stage.head(20), stage.head(30)]

    def twist(method: str, params: list[Any], result: Any) -> Any:
        return {**result, "justifications": None} if method == "chain_getBlock" and params == [end.hash] else result

    node.twist = twist
    said = [stage.blocks.proof(head) for head in heads]
    assert [one.proven for one in said] == [False, False]
    assert all("keeps no votes of the old ones" in one.words for one in said)
    assert stage.origins() == [Origin.ONE_NODE]
    assert stage.chain.left == ()


def test_a_forced_change_stops_for_a_person_who_pins_anew(stage: Stage) -> None:
    stage.pinned().grow(15)
    assert stage.proof(10).proven
    stage.sees(force_authorities=1).grow(30)
    said = stage.proof(30)
    assert not said.proven
    assert "block 21 announces other authorities by force" in said.words
    assert "run.py payout pin-authorities" in said.words
    assert stage.origins() == [Origin.ONE_NODE, Origin.FORCED]
    assert not stage.proof(10).proven  # nothing is, meanwhile

    told = stage.blocks.told("as announced")
    assert (told.number, told.origin) == (1, Origin.OWNER)
    stage.blocks.pin(told)
    stage.grow(20)
    assert stage.proof(55).proven and stage.proof(10).proven


def test_a_forced_change_that_the_second_node_does_not_have_stops_nothing(behind: Any) -> None:
    stage, (_, second) = behind(second=True)
    stage.pinned().grow(15).sees(force_authorities=1).grow(30)
    head, before = stage.head(30), stage.head(10)
    second.twist = lambda method, params, result: (
        stage.head(22).hash if method == "chain_getBlockHash" and params == [21] else result
    )
    assert not stage.blocks.proof(head).proven
    assert stage.origins() == [Origin.TWO_NODES]
    assert stage.blocks.proof(before).proven
    second.twist = lambda method, params, result: result
    assert "by force" in stage.blocks.proof(head).words
    assert stage.origins() == [Origin.TWO_NODES, Origin.FORCED]


def test_a_node_with_another_history_than_the_proven_one_is_named(stage: Stage, tmp_path: Path) -> None:
    stage.pinned().grow(4)
    shutil.copy(stage.path, tmp_path / "before.sqlite")
    stage.grow(26)
    assert stage.proof(20).proven
    other = tmp_path / "before.sqlite"
    misbehave(other, fork=2)
    advance(other, 30)
    chain = connect.open_devnet(other, timeout_s=10)
    blocks = FinalBlocks(chain, stage.kept)
    with pytest.raises(OtherHistory, match="cannot be trusted") as told:
        blocks.proof(chain.block(30).head)
    assert "which is proven to be final, is another one" in told.value.why
    chain.close()


def test_a_block_of_another_branch_is_not_proven_by_the_chain_that_left_it(stage: Stage) -> None:
    stage.pinned().grow(30)
    with pytest.raises(OtherHistory):
        stage.blocks.proof(replace(stage.head(20), hash="0x" + "77" * 32))


def test_nobody_is_pinned_by_a_node_without_proofs(stage: Stage) -> None:
    stage.grow(30).sees(no_proofs=True)
    assert "gives no proofs of storage" in stage.proof(20).words
    assert stage.kept.pins == []


def test_nobody_is_pinned_while_a_change_is_on_its_way(stage: Stage) -> None:
    stage.sees(change_authorities=6).grow(5)
    assert "is on its way" in stage.proof(2).words
    assert stage.grow(20).blocks.pinned().number == 1
    assert stage.grow(20).proof(18).proven


def test_two_nodes_have_to_agree_on_the_block_that_is_pinned(behind: Any) -> None:
    stage, (first, second) = behind(second=True)
    stage.grow(12)
    head = stage.head(5)
    second.twist = lambda method, params, result: (
        "0x" + "55" * 32 if method == "chain_getBlockHash" and params[0] else result
    )
    said = stage.blocks.proof(head)
    assert not said.proven
    assert stage.kept.pins == []
    second.twist = lambda method, params, result: result
    assert stage.blocks.proof(head).proven or stage.grow(10).blocks.proof(head).proven
    assert stage.origins() == [Origin.TWO_NODES]
    assert first.asked


def test_the_number_of_the_set_is_the_one_that_is_signed_with(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.sees(change_authorities=0).grow(2).sees(change_authorities=0).grow(30)
    prove = pinning._proven
    assert prove(stage.chain, stage.chain.finalized())[1] == 2
    monkeypatch.setattr(pinning, "_proven", lambda node, at: (prove(node, at)[0], 0))
    assert stage.blocks.pinned().number == 2
    assert stage.grow(20).proof(45).proven


def test_a_way_that_is_too_long_is_not_walked(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    stage.pinned().grow(30)
    monkeypatch.setattr(finality, "MOST_HEADERS", 3)
    first = next(pin.block for pin in stage.kept.pins)
    assert "blocks on" in stage.proof(1).words
    assert first == 3


def test_headers_that_do_not_lead_back_prove_nothing(behind: Any) -> None:
    stage, (node,) = behind()
    stage.pinned().grow(30)
    head = stage.head(11)
    other = stage.head(15).hash

    def twist(method: str, params: list[Any], result: Any) -> Any:
        return other if method == "chain_getBlockHash" and params == [14] else result

    node.twist = twist
    assert not stage.blocks.proof(head).proven


def test_a_node_that_is_silent_proves_nothing(stage: Stage) -> None:
    head = stage.pinned().grow(30).head(20)
    stage.sees(down=True)
    assert not stage.blocks.proof(head).proven
    with pytest.raises((ChainUnreachable, Refused)):
        stage.blocks.told("as announced")


def test_a_node_that_has_another_block_than_a_told_one_is_no_liar(stage: Stage) -> None:
    stage.pinned()
    dead = "0x" + "55" * 32  # of a branch that was told, and died
    stage.kept.pins[0] = replace(stage.kept.pins[0], block_hash=dead, proven_hash=dead)
    said = stage.grow(30).proof(20)
    assert not said.proven
    assert "it was told and never proven" in said.words
    assert "run.py payout pin-authorities" in said.words
    stage.blocks.pin(stage.blocks.told("the branch of the first pin has died"))
    assert stage.grow(30).proof(45).proven


@pytest.mark.parametrize(
    "key", [pinning.AUTHORITIES_KEY, pinning.SET_KEY, pinning.PENDING_KEY], ids=["who", "the set", "a change"]
)
def test_each_of_the_three_has_to_be_proven(behind: Any, key: bytes) -> None:
    stage, (node,) = behind()
    stage.grow(12)

    def twist(method: str, params: list[Any], result: Any) -> Any:
        if method == "state_getReadProof" and params[0] == ["0x" + key.hex()]:
            raise rpc_error(-32000, "Client error: it is busy")
        return result

    node.twist = twist
    assert not stage.blocks.proof(stage.head(5)).proven
    assert stage.kept.pins == []
