"""Functions and events as they are asked for here, compared with the contracts themselves."""

from __future__ import annotations

from typing import Any

import pytest

from valtrac.chains.ethereum import abi
from valtrac.devnet.tbtc import contracts

# keep-network's own names of what the contracts of several things share
ASKED = ("Deposit", "TBTCSystem", "VendingMachine", "TBTCToken", "TBTCDepositToken", "BondedECDSAKeep")
FACTORIES = ("BondedECDSAKeepFactory", "DepositFactory", "FeeRebateToken")


def entries(kind: str, name: str) -> list[dict[str, Any]]:
    return [
        entry
        for contract in (*ASKED, *FACTORIES)
        for entry in contracts.abi(contract)
        if entry["type"] == kind and entry.get("name") == name
    ]


def types(parts: list[dict[str, Any]]) -> tuple[str, ...]:
    return tuple(part["type"] for part in parts)


@pytest.mark.parametrize("name", sorted(abi.FUNCTIONS))
def test_a_function_is_that_of_the_contract(name: str) -> None:
    arguments, answer = abi.FUNCTIONS[name]
    real = [entry for entry in entries("function", name) if types(entry["inputs"]) == arguments]
    assert real, f"{name}{arguments} is in no contract"
    changes = [entry for entry in real if entry["stateMutability"] in ("nonpayable", "payable")]
    if name in abi.CALLS:
        assert changes
    else:
        assert any(types(entry["outputs"]) == answer for entry in real)


@pytest.mark.parametrize("name", sorted(abi.EVENTS))
def test_an_event_is_that_of_the_contract(name: str) -> None:
    said = [
        tuple((part["type"], part["name"], part["indexed"]) for part in entry["inputs"])
        for entry in entries("event", name)
    ]
    assert abi.EVENTS[name] in said


def test_selectors_and_topics_are_those_of_the_main_network() -> None:
    assert abi.selector("tbtcToBtc").hex() == "be138da7"
    assert abi.selector("requestRedemption").hex() == "994aa931"
    assert abi.selector("increaseRedemptionFee").hex() == "9894d734"
    assert abi.topic("BondedECDSAKeepCreated").startswith("0x7c030f3f8c902fa5a59193f1e3c08ae7")
    assert abi.topic("RedemptionRequested").startswith("0x7959c380174061a21a3ba80243a032ba")
    selectors = [abi.selector(name) for name in abi.FUNCTIONS]
    assert len(set(selectors)) == len(selectors)


@pytest.mark.parametrize("data", [b"", b"\x01", b"\x00" * 31, b"\xff" * 64 * 3])
def test_foreign_data_is_an_error_and_never_a_value(data: bytes) -> None:
    with pytest.raises(ValueError):
        abi.answered("getMembers", data)
    with pytest.raises(ValueError):
        abi.arguments(data)
    with pytest.raises(ValueError):
        abi.event("Transfer", [abi.topic("Transfer")], data)
