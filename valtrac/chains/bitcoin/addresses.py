"""Bitcoin addresses: which output script one stands for, and the address of a key. Pure.

No library that is installed knows them all: the base58 kinds are read with the bytes of Qtum's adapter, the segwit
kinds with `bech32.py`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from valtrac.chains.bitcoin import bech32
from valtrac.chains.bitcoin.networks import NETWORKS, Network
from valtrac.chains.qtum import encoding
from valtrac.core.errors import BadInput
from valtrac.core.text import plain

_FIX = "copy the address anew from the wallet that is to receive the bitcoin"


class Kind(StrEnum):
    """What an address pays to."""

    P2PKH = "P2PKH"
    P2SH = "P2SH"
    P2WPKH = "P2WPKH"
    P2WSH = "P2WSH"
    P2TR = "P2TR"


_SEGWIT = {(0, 20): Kind.P2WPKH, (0, 32): Kind.P2WSH, (1, 32): Kind.P2TR}
# tBTC v1 takes what bitcoin-spv 3.1.0 `extractHash` knows: it reverts for taproot, which is younger
TBTC_KINDS = frozenset(Kind) - {Kind.P2TR}


@dataclass(frozen=True, slots=True)
class Destination:
    """Where bitcoin go. script: the output script (scriptPubKey) without its length."""

    address: str
    kind: Kind
    script: bytes

    @property
    def with_length(self) -> bytes:
        """The script with its length before it, as tBTC's `requestRedemption` takes it."""
        return encoding.count_bytes(len(self.script)) + self.script


def destination(address: str, network: Network, *, field: str = "the Bitcoin address") -> Destination:
    """An address, checked to the last letter. field: what the owner calls it.

    Raises BadInput: no address, a wrong checksum, another network, or a kind that nobody can spend from yet.
    Test and regtest share the first letters of their base58 addresses: those are taken on either.
    """
    text = address.strip()
    if not text:
        raise BadInput(f"{field} is empty", fix=_FIX)
    try:
        kind, script = _read(text, network)
    except ValueError as error:
        other = _network_of(text, network)
        why = f"it is an address of the network {other}, not of {network.name}" if other else plain(error)
        raise BadInput(
            f"{field} {plain(text, 100)} cannot be used",
            why=why,
            fix=f"give an address of the network {network.name}" if other else _FIX,
        ) from None
    return Destination(text, kind, script)


def redemption_destination(address: str, network: Network, *, field: str = "the Bitcoin address") -> Destination:
    """An address that tBTC v1 pays a redemption to. Raises BadInput as `destination`, and for taproot."""
    found = destination(address, network, field=field)
    if found.kind not in TBTC_KINDS:
        raise BadInput(
            f"{field} {plain(found.address, 100)} cannot receive a redemption",
            why=f"it is {found.kind} (taproot), which the contracts of tBTC v1 do not know",
            fix=f"give a segwit address that begins with {network.hrp}1q",
        )
    return found


def address_of_key(key_hash: bytes, network: Network) -> str:
    """The P2WPKH address of a key by the hash160 of its 33 bytes."""
    if len(key_hash) != 20:
        raise ValueError("the hash of a key has 20 bytes")
    return bech32.encode(network.hrp, 0, key_hash)


def script_of_key(key_hash: bytes) -> bytes:
    """The P2WPKH output script of a key by the hash160 of its 33 bytes."""
    if len(key_hash) != 20:
        raise ValueError("the hash of a key has 20 bytes")
    return b"\x00\x14" + key_hash


def _read(text: str, network: Network) -> tuple[Kind, bytes]:
    """(kind, script). ValueError in words."""
    hrps = {known.hrp for known in NETWORKS.values()}
    if text.lower().rpartition("1")[0] in hrps:
        hrp, version, program = bech32.decode(text)
        if hrp != network.hrp:
            raise ValueError("an address of another network")
        kind = _SEGWIT.get((version, len(program)))
        if kind is None:
            raise ValueError(f"it is of a kind that nobody can spend from yet (version {version})")
        return kind, bytes([version + 0x50 if version else 0, len(program)]) + program
    script = encoding.script_of(text, network.prefixes)
    return (Kind.P2PKH if script[0] == 0x76 else Kind.P2SH), script


def _network_of(text: str, asked: Network) -> str:
    """The network that an address is of, where it is another one; "" for what is none anywhere."""
    for network in NETWORKS.values():
        if network.name == asked.name:
            continue
        try:
            _read(text, network)
        except ValueError:
            continue
        return network.name
    return ""
