"""A node that lies about a block: what it says does not fit the header, so that it is no answer, and it is left."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.chains import node as nodes
from tests.chains.contract import Stage
from valtrac.chains.bittensor import connect, extrinsics, proofs
from valtrac.chains.untrusted import Untrusted
from valtrac.core.chain import Head, SignedTx
from valtrac.core.errors import ChainUnreachable

LIAR = "cannot be trusted"


@pytest.fixture
def node(chain_file: Path) -> Iterator[nodes.Node]:
    with nodes.running(chain_file) as running:
        yield running


@pytest.fixture
def stage(node: nodes.Node, stage_on: Callable[[connect.BittensorChain], Stage]) -> Stage:
    made = stage_on(connect.open_node(node.url, network="test", timeout_s=10))
    made.advance(2)
    return made


def paid(stage: Stage) -> Any:
    """A payment that landed, and its block."""
    tx = stage.sign(1_000_000)
    stage.payer.broadcast(tx.raw)
    stage.advance(3)
    number = next(n for n in range(stage.chain.finalized().number + 1) if tx.tx_id in stage.chain.block(n).tx_ids)
    return tx, stage.chain.block(number).head


def lying_about(method: str, change: Any) -> Any:
    def twist(asked: str, params: list[Any], result: Any) -> Any:
        return change(copy.deepcopy(result)) if asked == method and result is not None else result

    return twist


def without_the_payment(block: dict[str, Any]) -> dict[str, Any]:
    del block["block"]["extrinsics"][1:]
    return block


def with_one_twice(block: dict[str, Any]) -> dict[str, Any]:
    block["block"]["extrinsics"].append(block["block"]["extrinsics"][-1])
    return block


def with_another_time(block: dict[str, Any]) -> dict[str, Any]:
    block["block"]["extrinsics"][0] = block["block"]["extrinsics"][0][:-2] + "02"
    return block


def with_another_root(block: dict[str, Any]) -> dict[str, Any]:
    del block["block"]["extrinsics"][1:]
    made = [bytes.fromhex(text[2:]) for text in block["block"]["extrinsics"]]
    from valtrac.core.trie import body_roots

    block["block"]["header"]["extrinsicsRoot"] = "0x" + body_roots(made)[0].hex()
    return block


@pytest.mark.parametrize("change", [without_the_payment, with_one_twice, with_another_time, with_another_root])
def test_a_body_that_does_not_fit_its_header_is_no_answer(
    stage: Stage, node: nodes.Node, change: Callable[[dict[str, Any]], object]
) -> None:
    tx, head = paid(stage)
    node.twist = lying_about("chain_getBlock", change)

    with pytest.raises(ChainUnreachable, match=LIAR) as unreachable:
        stage.chain.block(head.number)
    assert f"127.0.0.1:{node.port}" in unreachable.value.why
    with pytest.raises(ChainUnreachable, match=LIAR):
        stage.chain.outcome(tx.tx_id, head)


@pytest.mark.parametrize("field", ["parentHash", "stateRoot", "extrinsicsRoot"])
def test_a_header_that_has_not_the_hash_of_its_block_is_no_answer(stage: Stage, node: nodes.Node, field: str) -> None:
    _, head = paid(stage)

    def change(block: dict[str, Any]) -> dict[str, Any]:
        block["block"]["header"][field] = "0x" + "77" * 32
        return block

    node.twist = lying_about("chain_getBlock", change)
    with pytest.raises(ChainUnreachable, match=LIAR):
        stage.chain.block(head.number)


def test_a_balance_and_a_nonce_are_those_of_the_state_under_the_header(stage: Stage, node: nodes.Node) -> None:
    tx, head = paid(stage)
    units, nonce = stage.chain.balance(tx.signer, head), stage.chain.nonce(tx.signer, head)
    rich = "0x" + (b"\x09" * 56).hex()

    node.twist = lying_about("state_getStorageAt", lambda _: rich)
    assert (stage.chain.balance(tx.signer, head), stage.chain.nonce(tx.signer, head)) == (units, nonce)

    node.twist = lying_about("state_getReadProof", lambda told: {**told, "proof": told["proof"][:-1]})
    with pytest.raises(ChainUnreachable, match=LIAR):
        stage.chain.balance(tx.signer, head)


def test_the_proof_of_another_block_proves_nothing_here(stage: Stage, node: nodes.Node) -> None:
    tx, head = paid(stage)
    before = stage.chain.block(head.number - 1).head

    def twist(method: str, params: list[Any], result: Any) -> Any:
        return earlier if method == "state_getReadProof" else result

    from tests.devnet.bittensor.conftest import run
    from valtrac.devnet.bittensor import open_substrate

    key = "0x" + proofs.account_key(tx.signer).hex()
    earlier = run(open_substrate(node.chain.path).raw.rpc_request("state_getReadProof", [[key], before.hash]))
    node.twist = twist
    with pytest.raises(ChainUnreachable, match=LIAR):
        stage.chain.balance(tx.signer, head)


def test_events_are_proven_where_the_node_proves_and_believed_where_it_cannot(stage: Stage, node: nodes.Node) -> None:
    tx, head = paid(stage)
    outcome = stage.chain.outcome(tx.tx_id, head)
    assert outcome is not None
    assert outcome.ok
    assert outcome.proven
    assert outcome.moved is not None
    assert [(m.source, m.units) for m in outcome.moved] == [(tx.signer, 1_000_000)]

    stage.misbehave(no_proofs=True)
    other = connect.open_node(node.url, network="test", timeout_s=10)
    believed = other.outcome(tx.tx_id, head)
    assert believed is not None
    assert believed.ok
    assert not believed.proven
    assert other.balance(tx.signer, head) == stage_balance(node, tx, head)
    other.close()


def stage_balance(node: nodes.Node, tx: SignedTx, head: Head) -> int:
    from tests.devnet.bittensor.conftest import run

    return int(run(node.chain.query("System", "Account", [tx.signer], head.hash))["data"]["free"])


def test_a_node_that_lied_is_named_and_left_for_the_next(
    chain_file: Path, stage_on: Callable[[connect.BittensorChain], Stage]
) -> None:
    with nodes.running(chain_file) as liar, nodes.running(chain_file) as honest:
        chain = connect.open_node(liar.url, network="test", fallbacks=[honest.url], timeout_s=10)
        stage = stage_on(chain)
        tx, head = paid(stage)
        liar.twist = lying_about("chain_getBlock", without_the_payment)
        with pytest.raises(ChainUnreachable) as unreachable:
            chain.block(head.number)
        assert f"127.0.0.1:{honest.port} is asked from now on" in unreachable.value.fix
        assert [words.partition(": ")[0] for words in chain.left] == [f"127.0.0.1:{liar.port}"]
        asked = len(liar.asked)
        assert tx.tx_id in chain.block(head.number).tx_ids
        outcome = chain.outcome(tx.tx_id, head)
        assert outcome is not None
        assert outcome.ok
        assert len(liar.asked) == asked


def test_what_is_signed_is_read_back_without_the_nodes_own_words_for_it(stage: Stage) -> None:
    tx = stage.sign(5, 7)
    call = extrinsics.envelope(tx.raw).call
    assert [payment.units for payment in extrinsics.payments_in(call)] == [5, 7]
    other_call = call.replace(extrinsics.TRANSFER_KEEP_ALIVE, bytes([5, 0]), 1)
    for wrong in (other_call, call[:-1], call + b"\x00", call[:2] + b"\x00", b"", b"\x05", bytes([11, 2, 0])):
        with pytest.raises(ValueError, match=r"payment|end too early"):
            extrinsics.payments_in(wrong)


def test_a_chain_for_development_whose_headers_are_made_up_is_read_where_the_owner_says_so(
    node: nodes.Node, chain_file: Path, stage_on: Callable[[connect.BittensorChain], Stage]
) -> None:
    stage = stage_on(connect.open_node(node.url, network="test", timeout_s=10, unbound=True))
    _, head = paid(stage)
    node.twist = lying_about("chain_getBlock", with_one_twice)
    assert len(stage.chain.block(head.number).tx_ids) == 3


@pytest.mark.parametrize("height", ["zz", "0x", "0xzz", "12", 5, None, "0x" + "f" * 6_000, "0x1_0"])
def test_a_height_that_is_no_number_is_an_answer_that_nobody_believes(height: Any) -> None:
    empty = "0x" + "00" * 32
    answer = {"parentHash": empty, "stateRoot": empty, "extrinsicsRoot": empty, "digest": {"logs": []}}
    assert proofs.header_of({**answer, "number": "0x0c"}).number == 12
    with pytest.raises(Untrusted):
        proofs.header_of({**answer, "number": height})
