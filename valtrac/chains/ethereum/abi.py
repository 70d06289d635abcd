"""The contracts of tBTC v1 as far as they are asked here: functions and events by their signatures.

Source: the artifacts of @keep-network/tbtc 1.1.0 and @keep-network/keep-ecdsa 1.2.1; a test compares them.
"""

from __future__ import annotations

from functools import cache
from typing import Any

# name -> (types of its arguments, types of its answer); what has no answer changes the chain
FUNCTIONS: dict[str, tuple[tuple[str, ...], tuple[str, ...]]] = {
    "currentState": ((), ("uint256",)),
    "collateralizationPercentage": ((), ("uint256",)),
    "undercollateralizedThresholdPercent": ((), ("uint16",)),
    "severelyUndercollateralizedThresholdPercent": ((), ("uint16",)),
    "lotSizeSatoshis": ((), ("uint64",)),
    "utxoValue": ((), ("uint256",)),
    "fundingInfo": ((), ("bytes8", "uint256", "bytes")),
    "remainingTerm": ((), ("uint256",)),
    "keepAddress": ((), ("address",)),
    "getOwnerRedemptionTbtcRequirement": (("address",), ("uint256",)),
    "getRedemptionTbtcRequirement": (("address",), ("uint256",)),
    "checkBondAmount": ((), ("uint256",)),
    "getMembers": ((), ("address[]",)),
    "getPublicKey": ((), ("bytes",)),
    "getOpenedTimestamp": ((), ("uint256",)),
    "ownerOf": (("uint256",), ("address",)),
    "exists": (("uint256",), ("bool",)),
    "balanceOf": (("address",), ("uint256",)),
    "allowance": (("address", "address"), ("uint256",)),
    "priceFeed": ((), ("address",)),
    "fetchBitcoinPrice": ((), ("uint256",)),
    "getNewDepositFeeEstimate": ((), ("uint256",)),
    "getAllowedLotSizes": ((), ("uint64[]",)),
    "approve": (("address", "uint256"), ()),
    "tbtcToBtc": (("address", "bytes8", "bytes"), ()),
    "requestRedemption": (("bytes8", "bytes"), ()),
    "notifyCourtesyCall": ((), ()),
    "exitCourtesyCall": ((), ()),
    "provideRedemptionSignature": (("uint8", "bytes32", "bytes32"), ()),
    "increaseRedemptionFee": (("bytes8", "bytes8"), ()),
    "provideRedemptionProof": (("bytes4", "bytes", "bytes", "bytes4", "bytes", "uint256", "bytes"), ()),
    "createDeposit": (("uint64",), ()),
    "retrieveSignerPubkey": ((), ()),
    "provideBTCFundingProof": (
        ("bytes4", "bytes", "bytes", "bytes4", "uint8", "bytes", "uint256", "bytes"),
        (),
    ),
    "tdtToTbtc": (("uint256",), ()),
    "requestFunderAbort": (("bytes",), ()),
    "notifySignerSetupFailed": ((), ()),
    "notifyFundingTimedOut": ((), ()),
    "withdrawFunds": ((), ()),
}
CALLS = frozenset(name for name, (_, answer) in FUNCTIONS.items() if not answer)
# name -> its fields: type, name, whether it is indexed
EVENTS: dict[str, tuple[tuple[str, str, bool], ...]] = {
    "BondedECDSAKeepCreated": (
        ("address", "keepAddress", True),
        ("address[]", "members", False),
        ("address", "owner", True),
        ("address", "application", True),
        ("uint256", "honestThreshold", False),
    ),
    "Created": (
        ("address", "_depositContractAddress", True),
        ("address", "_keepAddress", True),
        ("uint256", "_timestamp", False),
    ),
    "RegisteredPubkey": (
        ("address", "_depositContractAddress", True),
        ("bytes32", "_signingGroupPubkeyX", False),
        ("bytes32", "_signingGroupPubkeyY", False),
        ("uint256", "_timestamp", False),
    ),
    "CourtesyCalled": (("address", "_depositContractAddress", True), ("uint256", "_timestamp", False)),
    "StartedLiquidation": (
        ("address", "_depositContractAddress", True),
        ("bool", "_wasFraud", False),
        ("uint256", "_timestamp", False),
    ),
    "RedemptionRequested": (
        ("address", "_depositContractAddress", True),
        ("address", "_requester", True),
        ("bytes32", "_digest", True),
        ("uint256", "_utxoValue", False),
        ("bytes", "_redeemerOutputScript", False),
        ("uint256", "_requestedFee", False),
        ("bytes", "_outpoint", False),
    ),
    "GotRedemptionSignature": (
        ("address", "_depositContractAddress", True),
        ("bytes32", "_digest", True),
        ("bytes32", "_r", False),
        ("bytes32", "_s", False),
        ("uint256", "_timestamp", False),
    ),
    "Redeemed": (
        ("address", "_depositContractAddress", True),
        ("bytes32", "_txid", True),
        ("uint256", "_timestamp", False),
    ),
    "SignatureSubmitted": (
        ("bytes32", "digest", True),
        ("bytes32", "r", False),
        ("bytes32", "s", False),
        ("uint8", "recoveryID", False),
    ),
    "Transfer": (("address", "from", True), ("address", "to", True), ("uint256", "value", False)),
}


@cache
def selector(name: str) -> bytes:
    """The four bytes that a call of a function begins with."""
    from eth_utils.crypto import keccak

    return bytes(keccak(text=f"{name}({','.join(FUNCTIONS[name][0])})")[:4])


@cache
def topic(name: str) -> str:
    """The first topic of an event, 0x + 64 hex digits."""
    from eth_utils.crypto import keccak

    return "0x" + keccak(text=f"{name}({','.join(kind for kind, _, _ in EVENTS[name])})").hex()


def encoded(name: str, *values: Any) -> bytes:
    """The data of a call. Raises ValueError where a value is not of its type."""
    from eth_abi.abi import encode
    from eth_abi.exceptions import EncodingError

    try:
        return selector(name) + encode(FUNCTIONS[name][0], values)
    except (EncodingError, TypeError) as error:
        raise ValueError(f"{name} does not take that: {error}") from error


def arguments(data: bytes) -> tuple[str, tuple[Any, ...]]:
    """(name, values) of a call of one of those that change the chain. Raises ValueError for any other."""
    name = next((each for each in CALLS if selector(each) == data[:4]), None)
    if name is None:
        raise ValueError(f"0x{data[:4].hex()} is no call that is made here")
    values = _decoded(FUNCTIONS[name][0], data[4:])
    if encoded(name, *values) != data:
        raise ValueError(f"the data of {name} is written in another way than ours")
    return name, values


def answered(name: str, data: bytes) -> Any:
    """What a function answered: a value, or a tuple of several. Raises ValueError for what is no such answer."""
    values = _decoded(FUNCTIONS[name][1], data)
    return values[0] if len(values) == 1 else values


def event(name: str, topics: list[str], data: bytes) -> dict[str, Any]:
    """The fields of an event by their names, addresses in lower case. Raises ValueError."""
    fields = EVENTS[name]
    indexed = [(kind, field) for kind, field, is_indexed in fields if is_indexed]
    plainly = [(kind, field) for kind, field, is_indexed in fields if not is_indexed]
    if len(topics) != len(indexed) + 1 or topics[0] != topic(name):
        raise ValueError(f"an event that is no {name}")
    values: dict[str, Any] = {}
    for (kind, field), text in zip(indexed, topics[1:], strict=True):
        values[field] = _decoded((kind,), bytes.fromhex(text.removeprefix("0x")))[0]
    values |= dict(zip((field for _, field in plainly), _decoded([kind for kind, _ in plainly], data), strict=True))
    return values


def _decoded(kinds: Any, data: bytes) -> tuple[Any, ...]:
    from eth_abi.abi import decode
    from eth_abi.exceptions import DecodingError

    try:
        return tuple(decode(list(kinds), data))
    except (DecodingError, OverflowError, ValueError) as error:
        raise ValueError(f"data of another shape: {plain_of(error)}") from error


def plain_of(error: Exception) -> str:
    """What a library says of foreign data, cut and made harmless."""
    from valtrac.core.text import plain

    return plain(error, 120)
