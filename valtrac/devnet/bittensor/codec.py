"""The real codec of spec 461. The only file of the house that imports private modules of the SDK.

They are pinned to bittensor 11.3 by a test.
"""

from __future__ import annotations

import lzma
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from importlib import resources
from typing import Any

from bittensor._transport.codec import RuntimeCodec, multisig_account
from bittensor._transport.contract import SignedExtrinsic, UnsignedExtrinsic
from bittensor._transport.errors import SubstrateRequestException
from bittensor._transport.extrinsics import attach_signature, prepare_extrinsic, resolve_outcome, sign_unsigned
from bittensor.sp_core import Keypair

__all__ = [
    "SignedExtrinsic",
    "SubstrateRequestException",
    "UnsignedExtrinsic",
    "attach_signature",
    "codec",
    "multisig_account",
    "prepare",
    "resolve_outcome",
    "rpc_error",
    "sign_unsigned",
    "signature_holds",
    "take_apart",
    "tx_id_of",
    "uri_address",
]

SPEC_VERSION = 461
TRANSACTION_VERSION = 1
SPEC_NAME = "node-subtensor"
IMMORTAL = "00"


@dataclass(frozen=True, slots=True)
class Parts:
    """A signed extrinsic taken apart. period, phase: of its era, or None where it never dies.

    scheme: 0 ed25519, 1 sr25519. call: plain tree {"module", "function", "args"}.
    """

    tx_id: str
    signer: str
    scheme: int
    signature: bytes
    period: int | None
    phase: int | None
    nonce: int
    tip: int
    plain_mode: bool
    call: dict[str, Any]
    call_data: bytes


@lru_cache(maxsize=1)
def codec() -> RuntimeCodec:
    """The codec, built once per process from the metadata shipped beside this file."""
    packed = resources.files("valtrac.devnet").joinpath("metadata-461.xz").read_bytes()
    return RuntimeCodec(
        lzma.decompress(packed),
        spec_version=SPEC_VERSION,
        transaction_version=TRANSACTION_VERSION,
        spec_name=SPEC_NAME,
        ss58_format=42,
    )


def tx_id_of(raw: bytes) -> str:
    """The id of an extrinsic: blake2b-256 of its bytes, length prefix included."""
    return "0x" + blake2b(raw, digest_size=32).hexdigest()


def uri_address(uri: str) -> str:
    """The address of a rehearsal key such as //Alice."""
    return str(Keypair.create_from_uri(uri).ss58_address)


def take_apart(raw: bytes) -> Parts:
    """A signed extrinsic from its bytes. ValueError where they are none."""
    known = codec().decode_extrinsic(raw)
    if "signature" not in known:
        raise ValueError("the extrinsic is not signed")
    if not isinstance(known["address"], str):
        raise ValueError("the signer is no public key")
    ((scheme, signature),) = known["signature"].items()
    schemes = {"Ed25519": 0, "Sr25519": 1}
    if scheme not in schemes:
        raise ValueError(f"a signature of the kind {scheme} is not known here")
    era = known["era"]
    call_data = _call_data(raw, known["call"])
    return Parts(
        tx_id=tx_id_of(raw),
        signer=known["address"],
        scheme=schemes[scheme],
        signature=bytes.fromhex(signature.removeprefix("0x")),
        period=None if era == IMMORTAL else era[0],
        phase=None if era == IMMORTAL else era[1],
        nonce=known["nonce"],
        tip=known["tip"],
        plain_mode=known["mode"] == {"mode": "Disabled"},
        call=_tree(known["call"]),
        call_data=call_data,
    )


def _call_data(raw: bytes, call: dict[str, Any]) -> bytes:
    """The call's own bytes: the tail of the extrinsic whose hash is the call's."""
    wanted, index = call["call_hash"], bytes.fromhex(call["call_index"].removeprefix("0x"))
    start = raw.find(index, 100)
    while start >= 0:
        if tx_id_of(raw[start:]) == wanted:
            return raw[start:]
        start = raw.find(index, start + 1)
    raise ValueError("the call cannot be found in the extrinsic")


def _tree(call: dict[str, Any]) -> dict[str, Any]:
    """A decoded call, stripped to {"module", "function", "args"}, calls within calls too."""
    return {
        "module": call["call_module"],
        "function": call["call_function"],
        "args": {arg["name"]: _argument(arg["value"]) for arg in call["call_args"]},
    }


def _argument(value: Any) -> Any:
    if isinstance(value, dict) and "call_module" in value:
        return _tree(value)
    if isinstance(value, (list, tuple)):
        return [_argument(item) for item in value]
    return value


def signature_holds(parts: Parts, *, genesis: str, birth_hash: str) -> bool:
    """Whether the signature covers this call, nonce, era, chain, runtime and birth block."""
    if not parts.plain_mode:
        return False
    era: dict[str, int] | str = IMMORTAL
    if parts.period is not None and parts.phase is not None:
        era = {"period": parts.period, "phase": parts.phase}
    payload = codec().signature_payload(
        parts.call_data,
        era=era,
        nonce=parts.nonce,
        tip=parts.tip,
        tip_asset_id=None,
        genesis_hash=genesis,
        era_block_hash=birth_hash,
    )
    key = Keypair(ss58_address=parts.signer, crypto_type=parts.scheme)
    return bool(key.verify(payload, parts.signature))


def prepare(
    call: Any,
    *,
    address: str,
    crypto_type: int,
    nonce: int,
    period: int | None,
    tip: int,
    current: int,
    genesis: str,
    birth_hash: Any,
    metadata_hash: bytes | None,
) -> UnsignedExtrinsic:
    """What a signer signs. birth_hash: callable, block number -> its hash."""
    era: dict[str, int] | str = IMMORTAL if period is None else {"period": period, "current": current}
    birth = 0 if period is None else codec().era_birth({"period": period}, current)
    return prepare_extrinsic(
        codec(),
        call,
        address=address,
        public_key=Keypair(ss58_address=address).public_key,
        crypto_type=crypto_type,
        era=era,
        nonce=nonce,
        tip=tip,
        genesis_hash=genesis,
        era_block_hash=birth_hash(birth),
        metadata_hash=metadata_hash,
    )


def rpc_error(code: int, message: str, data: str | None = None) -> SubstrateRequestException:
    """The error that the transport raises when a node answers with one."""
    error: dict[str, Any] = {"code": code, "message": message}
    return SubstrateRequestException({"error": error if data is None else {**error, "data": data}})
