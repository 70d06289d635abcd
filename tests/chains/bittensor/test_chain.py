"""The Bittensor adapter on the rehearsal chain: the contract, and what only this adapter has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.chains.conftest import adapter
from tests.chains.contract import *  # noqa: F403 - the contract's tests run here
from tests.chains.contract import Stage
from tests.devnet.bittensor.conftest import Clock, who, world
from valtrac.chains.bittensor import connect
from valtrac.core.addresses import address_of, key_of
from valtrac.core.chain import Payment
from valtrac.core.errors import BadInput, ChainUnreachable, OutcomeUnknown
from valtrac.devnet.bittensor import misbehave, seed_world


@pytest.fixture
def stage(chain_file: Path, stage_on: Callable[[connect.BittensorChain], Stage]) -> Stage:
    return stage_on(connect.open_devnet(chain_file))


def test_a_timeout_is_unreachable_for_reads_and_unknown_for_sending(
    chain_file: Path, stage_on: Callable[[connect.BittensorChain], Stage]
) -> None:
    stage = stage_on(connect.open_devnet(chain_file))
    tx = stage.sign(1_000_000)
    stage.misbehave(slow=5)
    adapter(stage).timeout_s = 0.2

    with pytest.raises(ChainUnreachable, match=r"0\.2 s"):
        stage.chain.finalized()
    with pytest.raises(OutcomeUnknown, match="reply was lost"):
        stage.payer.broadcast(tx.raw)


def test_a_chain_without_a_file_is_unreachable_when_asked(tmp_path: Path) -> None:
    chain = connect.open_devnet(tmp_path / "none.sqlite")

    with pytest.raises(ChainUnreachable, match="no rehearsal chain"):
        chain.identity()
    chain.close()


def test_after_closing_nothing_is_answered_and_closing_again_is_no_error(stage: Stage) -> None:
    stage.chain.identity()
    stage.chain.close()
    stage.chain.close()

    with pytest.raises(ChainUnreachable, match="did not tell"):
        stage.chain.identity()


def test_several_threads_may_ask_at_once(stage: Stage) -> None:
    from concurrent.futures import ThreadPoolExecutor

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(lambda _: stage.chain.identity(), range(40)))

    assert len(set(answers)) == 1


def test_the_chains_clock_can_be_given(tmp_path: Path) -> None:
    clock = Clock()
    seed_world(tmp_path / "c.sqlite", world(block_time_s=12, finality_lag=0), clock=clock)
    chain = connect.open_devnet(tmp_path / "c.sqlite", clock=clock)

    clock.now += 120
    assert chain.finalized().number == 10
    assert chain.finalized().at.timestamp() == clock.now
    chain.close()


def test_a_fork_before_finality_takes_a_block_and_its_account_state_away(
    chain_file: Path, stage_on: Callable[[connect.BittensorChain], Stage], tmp_path: Path
) -> None:
    seed_world(tmp_path / "f.sqlite", world(auto_finalize=False, accounts={who("//Hand"): 10**12}))
    chain = connect.open_devnet(tmp_path / "f.sqlite")
    payer = connect.dev_payer(chain, "//Hand")
    tx = payer.sign((Payment(who("//x"), 10**6),), nonce=0, period=64)
    payer.broadcast(tx.raw)
    head = chain.block(1).head
    assert tx.tx_id in chain.block(1).tx_ids

    misbehave(tmp_path / "f.sqlite", fork=1, drop=True)

    assert tx.tx_id not in chain.block(1).tx_ids
    with pytest.raises(ChainUnreachable):
        chain.balance(payer.address, head)
    with pytest.raises(ChainUnreachable):
        chain.outcome(tx.tx_id, head)
    chain.close()


def test_a_delegate_in_another_shape_is_not_believed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    head = stage.chain.finalized()

    async def nonsense(api: str, method: str, params: list[Any], block_hash: str | None = None) -> dict[str, Any]:
        return {"delegate_ss58": params[0], "nominators": 5}

    monkeypatch.setattr(adapter(stage).substrate, "runtime_call", nonsense)
    with pytest.raises(ChainUnreachable, match="cannot be trusted"):
        stage.chain.delegate(stage.hotkey, head)


def test_a_runtime_without_a_price_leaves_the_price_open(stage: Stage) -> None:
    ask = adapter(stage).substrate.runtime_call

    async def without_prices(api: str, method: str, params: list[Any], block_hash: str | None = None) -> Any:
        if api == "SwapRuntimeApi":
            raise ValueError("Runtime API Call 'SwapRuntimeApi.current_alpha_price' not found in registry")
        return await ask(api, method, params, block_hash)

    adapter(stage).substrate.runtime_call = without_prices
    delegate = stage.chain.delegate(stage.hotkey, stage.chain.finalized())
    assert delegate is not None
    assert [subnet.price_rao for subnet in delegate.subnets] == [10**9, None]


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.tuples(st.binary(min_size=32, max_size=32), st.integers(1, 2**63)), min_size=1, max_size=5),
    st.integers(0, 2**32 - 1),
    st.sampled_from([4, 64, 4096]),
)
def test_whatever_is_signed_is_read_back_from_its_bytes(
    stage: Stage, payments: list[tuple[bytes, int]], nonce: int, period: int
) -> None:
    asked = tuple(Payment(address_of(public), units) for public, units in payments)
    tx = stage.payer.sign(asked, nonce=nonce, period=period)

    decoded = stage.chain.decode(tx.raw)

    assert (decoded.payments, decoded.nonce, decoded.era_period) == (asked, nonce, period)
    assert decoded.tx_id == tx.tx_id


def test_300_payments_are_one_transaction(stage: Stage) -> None:
    tx = stage.sign(*range(1_000, 1_300))
    stage.payer.broadcast(tx.raw)

    (outcome,) = stage.outcomes(tx)
    assert outcome.items == (True,) * 300
    assert stage.free("person 299") == 1_299


def test_rehearsal_keys_are_named_by_two_slashes(stage: Stage) -> None:
    assert connect.dev_address("//Alice") == "5GrwvaEF5zXb26Fz9rcQpDWS57CtERHpNehXCPcNoHGKutQY"
    for bad in ("Alice", "", "/x", "bottom drive obey"):
        with pytest.raises(BadInput):
            connect.dev_payer(adapter(stage), bad)


def test_our_addresses_are_the_sdks() -> None:
    from bittensor_core import ss58_decode

    assert key_of(who("//Alice")) == bytes(ss58_decode(who("//Alice")))
