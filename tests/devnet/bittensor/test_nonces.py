"""Nonces: each is used once, in order; the pool holds what comes too early."""

from __future__ import annotations

from tests.devnet.bittensor.conftest import TAO, Bench, signed, who


def test_a_used_nonce_is_refused_as_outdated(bench: Bench) -> None:
    bench.land(bench.transfer("//ann", TAO))

    assert "Transaction is outdated" in bench.refusal(bench.sign(bench.transfer("//bob", TAO), nonce=0))


def test_the_same_bytes_are_refused_once_they_have_landed(bench: Bench) -> None:
    raw = bench.sign(bench.transfer("//ann", TAO))
    bench.send(raw)

    assert "Transaction is outdated" in bench.refusal(raw)
    assert bench.free("//ann") == TAO


def test_a_refusal_is_a_result_in_the_sdks_own_terms(bench: Bench) -> None:
    raw = bench.sign(bench.transfer("//ann", TAO))
    bench.send(raw)

    result = bench.ask("submit_signed", signed(raw), None)

    assert (result.success, result.error.name) == (False, "Stale")


def test_a_nonce_too_high_waits_until_the_gap_is_filled(bench: Bench) -> None:
    second = bench.sign(bench.transfer("//bob", 2 * TAO), nonce=1)
    bench.send(second)
    bench.advance(3)
    assert (bench.free("//bob"), bench.status["pool"]) == (0, 1)

    bench.send(bench.sign(bench.transfer("//ann", TAO), nonce=0))

    assert (bench.free("//ann"), bench.free("//bob"), bench.status["pool"]) == (TAO, 2 * TAO, 0)


def test_what_waits_too_long_for_its_turn_is_evicted_with_its_era(bench: Bench) -> None:
    bench.send(bench.sign(bench.transfer("//bob", TAO), nonce=1, period=8))

    bench.advance(8)

    assert bench.status["pool"] == 0
    bench.send(bench.sign(bench.transfer("//ann", TAO), nonce=0))
    assert bench.free("//bob") == 0


def test_the_next_index_counts_the_pool_and_the_account_does_not(bench: Bench) -> None:
    bench.misbehave(hold_pool=True)
    bench.send(bench.sign(bench.transfer("//ann", TAO)))
    bench.send(bench.sign(bench.transfer("//ann", TAO)))

    assert bench.rpc("account_nextIndex", who("//Rich")) == 2
    assert bench.nonce("//Rich") == 0


def test_what_is_in_the_pool_already_is_refused(bench: Bench) -> None:
    bench.misbehave(hold_pool=True)
    raw = bench.sign(bench.transfer("//ann", TAO))
    bench.send(raw)

    assert "Already Imported" in bench.refusal(raw)


def test_a_rival_for_a_nonce_in_the_pool_is_refused(bench: Bench) -> None:
    bench.misbehave(hold_pool=True)
    bench.send(bench.sign(bench.transfer("//ann", TAO), nonce=0))

    assert "Priority is too low" in bench.refusal(bench.sign(bench.transfer("//bob", TAO), nonce=0))
