"""Misbehaviour on demand: exactly what was asked for, as often as it was asked for."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from bittensor.result import ChainError

from tests.devnet.bittensor.conftest import TAO, Bench, signed, who
from valtrac.core.errors import BadInput
from valtrac.devnet.bittensor.codec import SubstrateRequestException


def lost(bench: Bench, raw: bytes) -> None:
    """A submission whose reply never comes: an error without the node's words."""
    with pytest.raises(SubstrateRequestException) as error:
        bench.send(raw)
    assert error.value.payload is None


def test_a_lost_request_changes_nothing(bench: Bench) -> None:
    bench.misbehave(lose_request=1)
    raw = bench.sign(bench.transfer("//ann", TAO))

    lost(bench, raw)

    assert (bench.status["number"], bench.status["pool"]) == (0, 0)
    assert bench.send(raw)


def test_a_lost_reply_hides_that_it_was_taken(bench: Bench) -> None:
    bench.misbehave(lose_reply=1)
    raw = bench.sign(bench.transfer("//ann", TAO))

    lost(bench, raw)

    assert bench.holds(raw) == 1
    assert "outdated" in bench.refusal(raw)


def test_a_lost_reply_hides_a_refusal_too(bench: Bench) -> None:
    raw = bench.sign(bench.transfer("//ann", TAO))
    bench.send(raw)
    bench.misbehave(lose_reply=1)

    lost(bench, raw)


def test_only_submissions_count_for_lost_requests_and_replies(bench: Bench) -> None:
    bench.misbehave(lose_request=1, lose_reply=1)
    for _ in range(5):
        bench.ask("block_number")

    assert bench.status["faults"] == {"lose_reply": 1, "lose_request": 1}
    lost(bench, bench.sign(bench.transfer("//ann", TAO)))
    lost(bench, bench.sign(bench.transfer("//ann", TAO)))
    assert bench.status["faults"] == {}
    assert bench.free("//ann") == TAO


def test_through_the_sdks_protocol_a_lost_reply_is_an_error_and_no_result(bench: Bench) -> None:
    bench.misbehave(lose_reply=1)

    with pytest.raises(ChainError, match="connection"):
        bench.ask("submit_signed", signed(bench.sign(bench.transfer("//ann", TAO))), None)


def test_an_outage_lasts_as_many_accesses_as_asked(bench: Bench) -> None:
    bench.misbehave(down=2)

    for _ in range(2):
        with pytest.raises(ChainError, match="connection"):
            bench.ask("block_number")
    assert bench.ask("block_number") == 0


def test_an_outage_without_a_number_lasts_until_it_is_cleared(bench: Bench) -> None:
    bench.misbehave(down=True)
    for _ in range(5):
        with pytest.raises(ChainError):
            bench.ask("finalized_block_number")

    bench.misbehave(down=False)
    assert bench.ask("finalized_block_number") == 0


def test_while_it_is_down_nothing_can_be_sent(bench: Bench) -> None:
    raw = bench.sign(bench.transfer("//ann", TAO))
    bench.misbehave(down=1)

    lost(bench, raw)
    assert bench.status["number"] == 0


def test_a_slow_chain_takes_its_time(bench: Bench) -> None:
    bench.misbehave(slow=0.2)
    started = time.perf_counter()

    bench.ask("block_number")

    assert time.perf_counter() - started >= 0.2


def test_a_fork_throws_away_blocks_above_finality_and_their_transactions_wait_again(make: Callable[..., Bench]) -> None:
    bench = make(auto_finalize=False)
    bench.advance(5)
    raw = bench.sign(bench.transfer("//ann", TAO))
    bench.send(raw)
    before, final = bench.ask("block_hash", 6), bench.ask("block_hash", 4)

    bench.misbehave(fork=9)

    assert bench.status["number"] == 6
    assert bench.ask("block_hash", 6) != before
    assert bench.ask("block_hash", 4) == final
    assert bench.ask("get_block", block_hash=before) is None
    assert (bench.holds(raw), bench.free("//ann"), bench.nonce("//Rich"), bench.status["pool"]) == (None, 0, 0, 1)

    bench.advance(1)
    assert (bench.holds(raw), bench.free("//ann")) == (7, TAO)


def test_a_fork_can_make_transactions_vanish(make: Callable[..., Bench]) -> None:
    bench = make(auto_finalize=False)
    raw = bench.sign(bench.transfer("//ann", TAO))
    bench.send(raw)

    bench.misbehave(fork=1, drop=True)
    bench.advance(3)

    assert (bench.holds(raw), bench.free("//ann"), bench.status["pool"]) == (None, 0, 0)
    assert bench.send(raw), "the same bytes may land after all"


def test_a_fork_never_touches_what_is_final(bench: Bench) -> None:
    raw = bench.sign(bench.transfer("//ann", TAO))
    bench.send(raw)
    final = bench.ask("block_hash", 1)

    bench.misbehave(fork=100)

    assert (bench.ask("block_hash", 1), bench.holds(raw)) == (final, 1)


def test_held_finality_stands_still_and_catches_up(bench: Bench) -> None:
    bench.misbehave(hold_finality=True)
    bench.advance(10)
    assert bench.status["finalized"] == 0

    bench.misbehave(hold_finality=False)
    bench.advance(1)
    assert bench.status["finalized"] == 9


def test_a_held_pool_includes_nothing(bench: Bench) -> None:
    bench.misbehave(hold_pool=True)
    raw = bench.sign(bench.transfer("//ann", TAO))
    bench.send(raw)
    bench.advance(3)
    assert (bench.holds(raw), bench.status["pool"]) == (None, 1)

    bench.misbehave(hold_pool=False)
    bench.advance(1)
    assert bench.holds(raw) == 4


def test_evicted_means_gone_from_the_pool(bench: Bench) -> None:
    bench.misbehave(hold_pool=True)
    bench.send(bench.sign(bench.transfer("//ann", TAO)))

    bench.misbehave(evict=True, hold_pool=False)
    bench.advance(2)

    assert (bench.free("//ann"), bench.rpc("account_nextIndex", who("//Rich"))) == (0, 0)


def test_events_can_be_missing(bench: Bench) -> None:
    bench.land(bench.transfer("//ann", TAO))
    at = bench.ask("block_hash", 1)

    bench.misbehave(no_events=1)
    assert (bench.ask("events", at), len(bench.ask("events", bench.ask("block_hash", 2)))) == ([], 1)
    bench.misbehave(no_events=[1])
    assert bench.ask("events", at) == []
    assert bench.ask("events", bench.ask("block_hash", 2)) != []

    bench.misbehave(no_events=True)
    assert bench.ask("events", bench.ask("block_hash", 2)) == []
    bench.misbehave(no_events=False)
    assert len(bench.ask("events", at)) > 1


def test_a_pruned_node_has_blocks_and_no_state(bench: Bench) -> None:
    bench.advance(20)
    bench.misbehave(pruned=5)
    old, new = bench.ask("block_hash", 12), bench.ask("block_hash", 13)

    with pytest.raises(ChainError, match="State discarded"):
        bench.ask("query", "System", "Account", [who("//Rich")], old)
    assert bench.ask("query", "System", "Account", [who("//Rich")], new)["data"]["free"] == 1000 * TAO
    assert bench.ask("get_block", block_hash=old)["header"]["number"] == 12


def test_a_node_of_another_chain_has_another_genesis_and_takes_nothing_of_ours(bench: Bench) -> None:
    ours, raw = bench.ask("block_hash", 0), bench.sign(bench.transfer("//ann", TAO))

    bench.misbehave(wrong_genesis=True)

    assert bench.ask("block_hash", 0) != ours
    assert "bad signature" in bench.refusal(raw)


def test_clear_ends_everything(bench: Bench) -> None:
    bench.misbehave(down=3, slow=9, lose_reply=1, wrong_genesis=True)

    bench.misbehave(clear=True)

    assert bench.status["faults"] == {}


def test_unknown_misbehaviour_is_named(bench: Bench) -> None:
    with pytest.raises(BadInput, match="explode"):
        bench.misbehave(explode=1)


@pytest.mark.parametrize(
    "fault",
    [
        {"down": "2"},
        {"down": 1.5},
        {"lose_reply": -1},
        {"slow": True},
        {"slow": "1"},
        {"fork": True},
        {"fork": -1},
        {"hold_pool": 1},
        {"no_events": ["x"]},
        {"evict": 3},
    ],
)
def test_a_value_that_makes_no_sense_changes_nothing(bench: Bench, fault: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match=next(iter(fault))):
        bench.misbehave(**fault, wrong_genesis=True)

    assert bench.status["faults"] == {}


def test_a_hook_can_act_between_any_two_steps(bench: Bench) -> None:
    seen = []

    def strike(kind: str) -> None:
        seen.append(kind)
        if kind == "submit":
            raise ChainError("the cable was pulled")

    raw = bench.sign(bench.transfer("//ann", TAO))
    bench.substrate.before_access.append(strike)

    lost(bench, raw)
    bench.ask("block_number")
    assert seen == ["submit", "block_number"]
