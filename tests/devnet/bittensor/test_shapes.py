"""What the chain answers has the shape in which the real codec decodes the same from a node."""

from __future__ import annotations

from typing import Any

import pytest

from tests.devnet.bittensor.conftest import TAO, Bench, who
from valtrac.devnet.bittensor.codec import codec
from valtrac.devnet.bittensor.dispatch import CALL_FILTERED
from valtrac.devnet.bittensor.events import _EVENTS, dispatched, record, token_error

EXAMPLES = {
    "ExtrinsicSuccess": {"dispatch_info": dispatched(5)},
    "ExtrinsicFailed": {"dispatch_error": CALL_FILTERED, "dispatch_info": dispatched(5)},
    "NewAccount": {"account": who("//a")},
    "KilledAccount": {"account": who("//a")},
    "Endowed": {"account": who("//a"), "free_balance": 7},
    "DustLost": {"account": who("//a"), "amount": 7},
    "Transfer": {"from": who("//a"), "to": who("//b"), "amount": 7},
    "Deposit": {"who": who("//a"), "amount": 7},
    "Withdraw": {"who": who("//a"), "amount": 7},
    "TransactionFeePaid": {"who": who("//a"), "actual_fee": 7, "tip": 0},
    "BatchInterrupted": {"index": 1, "error": token_error("BelowMinimum")},
    "BatchCompleted": None,
    "BatchCompletedWithErrors": None,
    "ItemCompleted": None,
    "ItemFailed": {"error": token_error("NotExpendable")},
    "ProxyExecuted": {"result": {"Ok": []}},
}


@pytest.mark.parametrize(("pallet", "name"), list(_EVENTS))
def test_every_event_is_as_the_codec_decodes_it(pallet: str, name: str) -> None:
    attributes = EXAMPLES[name]
    wire = {"result": {"Ok": ()}} if name == "ProxyExecuted" else attributes
    value = [{"phase": {"ApplyExtrinsic": 3}, "event": {pallet: name if wire is None else {name: wire}}, "topics": []}]
    kind = codec().storage_entry("System", "Events").value_type

    assert codec().decode(kind, codec().encode(kind, value)) == [record((pallet, name, attributes), 3)]


def test_a_delegate_is_as_the_codec_decodes_it(bench: Bench) -> None:
    answer = bench.ask("runtime_call", "DelegateInfoRuntimeApi", "get_delegate", [who("//Hot")])
    kind = codec().runtime_api_map["DelegateInfoRuntimeApi"]["get_delegate"]["output"]

    assert codec().decode(kind, codec().encode(kind, answer)) == answer


def test_an_account_is_as_the_codec_decodes_it(bench: Bench) -> None:
    answer = bench.ask("query", "System", "Account", [who("//Rich")])
    kind = codec().storage_entry("System", "Account").value_type

    assert codec().decode(kind, codec().encode(kind, answer)) == answer
    assert bench.ask("query", "System", "Account", [who("//nobody")])["data"]["free"] == 0


def test_storage_that_the_chain_does_not_keep_has_its_default(bench: Bench) -> None:
    assert bench.ask("query", "SubtensorModule", "Tempo", [5]) == 10
    assert bench.ask("query_map", "SubtensorModule", "Keys", [1]) == []


def test_names_that_the_runtime_does_not_have_are_refused(bench: Bench) -> None:
    with pytest.raises(ValueError, match="Nope"):
        bench.ask("query", "System", "Nope", [])
    with pytest.raises(ValueError, match="not found in registry"):
        bench.ask("runtime_call", "SwapRuntimeApi", "nope", [])
    with pytest.raises(ValueError, match="requires 1 parameters"):
        bench.ask("query", "System", "Account", [])


def test_constants_come_from_the_metadata(bench: Bench) -> None:
    names = [
        ("Balances", "ExistentialDeposit"),
        ("System", "BlockHashCount"),
        ("System", "SS58Prefix"),
        ("Utility", "batched_calls_limit"),
        ("Utility", "nope"),
    ]

    assert [bench.ask("constant", *name) for name in names] == [500, 2400, 42, 10_922, None]


def test_the_protocol_of_the_sdk_is_there_in_full(bench: Bench) -> None:
    from bittensor._substrate import Substrate

    names = [name for name in dir(Substrate) if not name.startswith("_")] + ["token_symbols"]
    assert [name for name in names if not hasattr(bench.substrate, name)] == []


def test_the_sdks_own_client_works_on_it(bench: Bench) -> None:
    import asyncio

    import bittensor as bt

    from tests.devnet.bittensor.conftest import key

    async def pay() -> tuple[Any, Any]:
        async with bt.Client("local", substrate=bench.substrate) as client:
            intent = bt.Batch(intents=[bt.Transfer(dest_ss58=who(uri), amount_tao=2) for uri in ("//x", "//y")])
            result = await client.execute(intent, key("//Rich"))
            return result, await client.balances.get(who("//y"))

    result, balance = asyncio.run(pay())
    assert (result.success, balance.rao) == (True, 2 * TAO)


def test_multisig_is_refused_clearly(bench: Bench) -> None:
    from bittensor.result import ChainError

    assert bench.substrate.multisig_account([who("//a"), who("//b")], 2).threshold == 2
    with pytest.raises(ChainError, match="multisig"):
        bench.ask("submit_multisig", None, None, None)
