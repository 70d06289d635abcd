"""Bittensor: nodes, rehearsal chains, wallets. The one file of the product that imports the SDK.

The SDK is imported inside the functions, so that importing this file costs nothing.
"""

from __future__ import annotations

import atexit
import functools
import os
import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from valtrac.chains.bittensor import extrinsics
from valtrac.chains.bittensor.node import BittensorChain
from valtrac.chains.bittensor.payments import check_payments
from valtrac.chains.bittensor.reading import Nodes
from valtrac.core.chain import Payment, SignedTx
from valtrac.core.errors import BadInput, ChainUnreachable, Refused
from valtrac.core.text import plain

__all__ = [
    "BittensorChain",
    "KeyPayer",
    "dev_address",
    "dev_payer",
    "open_devnet",
    "open_node",
    "wallet_address",
    "wallet_payer",
]

_PERIODS = tuple(2**power for power in range(2, 13))


def open_node(
    url: str,
    *,
    network: str,
    fallbacks: Sequence[str] = (),
    archives: Sequence[str] = (),
    timeout_s: float = 30,
    unbound: bool = False,
    justifies_every: int = 512,
) -> BittensorChain:
    """A chain served by nodes over websockets; connects with the first question.

    Only the given endpoints are ever used: `url`, then `fallbacks`; `archives` for state that
    those no longer have. unbound: a chain for development, whose headers are not made of its blocks.
    justifies_every: in how many blocks nodes keep one with the votes that made it final; subtensor's nodes in 512.
    Raises BadInput for anything but ws:// and wss://.
    """
    for endpoint in (url, *fallbacks, *archives):
        if not endpoint.startswith(("ws://", "wss://")):
            raise BadInput(
                f"{plain(endpoint, 80)} is not the address of a node",
                why="nodes are reached by ws:// or wss://",
                fix="write it like wss://example.org:443",
            )
    _keep_home_clean()
    from bittensor import RpcSubstrate

    urls = list(dict.fromkeys([url, *fallbacks]))

    def opened(number: int) -> Any:
        others = urls[number + 1 :] + urls[:number]
        return RpcSubstrate(urls[number], fallback_endpoints=others, archive_endpoints=list(archives))

    names = [host_of(endpoint) for endpoint in urls]
    nodes = Nodes(opened, names, lambda: 2**63 if unbound else 0, lambda: justifies_every)
    return BittensorChain(
        nodes, network=network, timeout_s=timeout_s, name_error=_named, decode_storage=_decoded_storage
    )


def open_devnet(path: Path | str, *, timeout_s: float = 30, clock: Callable[[], float] = time.time) -> BittensorChain:
    """The rehearsal chain in that file. clock: seconds since 1970. No such file: ChainUnreachable, when asked."""
    from valtrac.devnet import bittensor as devnet

    facts = devnet.open_facts(path)
    nodes = Nodes(
        lambda number: devnet.open_substrate(path, clock=clock),
        ["the rehearsal chain"],
        lambda: facts().true_from,
        lambda: facts().justifies_every,
        in_process=True,
    )
    return BittensorChain(
        nodes, network="devnet", timeout_s=timeout_s, name_error=_named, decode_storage=_decoded_storage
    )


def host_of(url: str) -> str:
    """What of a node's address may be shown: providers put keys into the rest."""
    parts = urlsplit(url)
    return plain(parts.hostname or "a node", 80) + (f":{parts.port}" if parts.port else "")


async def _decoded_storage(substrate: Any, pallet: str, item: str, raw: bytes) -> Any:
    """The value of a storage item from its bytes, none too many and none too few. ValueError otherwise."""
    runtimes = getattr(substrate.raw, "_runtimes", None)
    if runtimes is None:
        from valtrac.devnet.bittensor.codec import codec as rehearsal_codec

        codec = rehearsal_codec()
    else:
        codec = await runtimes.codec_at(None)
    return codec.decode(codec.storage_entry(pallet, item).value_type, raw)


def dev_address(uri: str) -> str:
    """The address of a rehearsal key such as //Alice. BadInput where it is none."""
    return str(_dev_key(uri).ss58_address)


def dev_payer(chain: BittensorChain, uri: str) -> KeyPayer:
    """A payer with a rehearsal key such as //Alice: anyone can make it, so it must never hold real money."""
    return KeyPayer(chain, _dev_key(uri))


def wallet_address(name: str, path: Path | str) -> str:
    """The coldkey's address of a wallet, read without unlocking it. BadInput names the folder that lacks it."""
    wallet, folder = _wallet(name, path), Path(path).expanduser() / name
    try:
        return str(wallet.coldkeypub.ss58_address)
    except Exception as error:
        raise BadInput(
            f"the wallet in {folder} has no readable coldkeypub.txt",
            why=plain(error),
            fix="name another wallet, or make its coldkeypub.txt anew",
        ) from error


def wallet_payer(chain: BittensorChain, name: str, path: Path | str, password: str) -> KeyPayer:
    """A payer with a wallet's coldkey, unlocked with the password given here and nowhere else.

    Raises BadInput where there is no such wallet, Refused where the password does not open it.
    """
    wallet, folder = _wallet(name, path), Path(path).expanduser() / name
    if not wallet.coldkey_file.exists_on_device():
        raise BadInput(
            f"there is no coldkey in {folder}",
            why="the wallet holds only its public half, or is another one",
            fix="name the wallet that pays",
        )
    from bittensor.keyfiles import WrongPasswordError

    try:
        # Without a password the SDK would look for one in the environment or ask for it itself.
        if wallet.coldkey_file.is_encrypted() and not password:
            raise Refused(
                f"the coldkey in {folder} is locked", why="no password was given", fix="give the wallet's password"
            )
        return KeyPayer(chain, wallet.get_coldkey(password=password or None))
    except WrongPasswordError as error:
        raise Refused(f"the password does not open the coldkey in {folder}", fix="type it again") from error
    except Refused:
        raise
    except Exception as error:
        raise Refused(f"the coldkey in {folder} cannot be read", why=plain(error), fix="check the file") from error


class KeyPayer:
    """`valtrac.ports.Payer` with a key in memory, on one node."""

    def __init__(self, chain: BittensorChain, key: Any) -> None:
        self._chain = chain
        self._key = key

    @property
    def address(self) -> str:
        """The SS58 address that pays."""
        return str(self._key.ss58_address)

    def sign(self, payments: tuple[Payment, ...], *, nonce: int, period: int) -> SignedTx:
        """All payments in one transaction, all or nothing, signed against the finalized head and not sent.

        The last valid block is read out of the signed bytes. ValueError: no payment, one below
        1 rao, a nonce that is none, or a period that is no power of two from 4 to 4096.
        """
        if not 0 <= nonce < 2**32:
            raise ValueError(f"{nonce} is no nonce")
        if period not in _PERIODS:
            raise ValueError(f"a period of {period} blocks: it must be a power of two from 4 to 4096")
        check_payments(payments)
        signed = self._chain.ask("what is needed to sign", lambda: self._signed(payments, nonce, period))
        try:
            decoded = self._chain.decode(signed.raw)
        except ValueError as error:
            raise ChainUnreachable(
                "the signed bytes cannot be read back", why=plain(error), fix="nothing was sent; ask another node"
            ) from error
        if (decoded.payments, decoded.signer, decoded.nonce, decoded.tx_id) != (
            payments,
            self.address,
            nonce,
            signed.tx_id,
        ):
            raise ChainUnreachable(
                "the signed bytes differ from what was to be signed",
                why="the node's metadata may be wrong",
                fix="nothing was sent; ask another node",
            )
        return signed

    def broadcast(self, raw: bytes) -> None:
        """Hand signed bytes to the node, once, without waiting for inclusion."""
        self._chain.send(raw)

    async def _signed(self, payments: tuple[Payment, ...], nonce: int, period: int) -> SignedTx:
        node = self._chain.substrate
        unsigned = await node.prepare(
            await self._chain.compose(payments),
            address=self.address,
            crypto_type=self._key.crypto_type,
            nonce=nonce,
            period=period,
        )
        raw = bytes((await node.raw.attach_signature(unsigned, self._key.sign(unsigned.payload))).data)
        outside = extrinsics.envelope(raw)
        birth = extrinsics.era_birth(outside.era_period, outside.era_phase, unsigned.era["current"])
        birth_hash = await self._chain.hash_at(birth)
        if birth_hash != unsigned.era_block_hash or outside.era_period != period:
            raise ChainUnreachable(
                "the node contradicts itself about the block that the transaction counts from",
                why=f"block {birth}",
                fix="nothing was sent; try again",
            )
        return SignedTx(
            outside.tx_id,
            raw,
            self.address,
            outside.nonce,
            birth,
            birth_hash,
            extrinsics.era_last(outside.era_period, birth),
            unsigned.spec_version,
        )


@functools.lru_cache(maxsize=64)
def _dev_key(uri: str) -> Any:
    """A key that follows from its name alone: made once, it is asked for again and again."""
    from bittensor.keyfiles import Keypair

    if not uri.startswith("//"):
        raise BadInput(f"{plain(uri, 40)} is not a rehearsal key", fix="write it like //Alice")
    try:
        return Keypair.create_from_uri(uri)
    except Exception as error:
        raise BadInput(
            f"{plain(uri, 40)} is not a rehearsal key", why=plain(error), fix="write it like //Alice"
        ) from error


def _wallet(name: str, path: Path | str) -> Any:
    """A wallet's folder as the SDK sees it. BadInput names the folder that is not there."""
    folder = Path(path).expanduser() / name
    if not name or "/" in name or name in (".", "..") or not folder.is_dir():
        raise BadInput(f"there is no wallet in {plain(folder)}", fix="check the wallet's name and path in the settings")
    from bittensor.wallet import Wallet

    return Wallet(name=name, path=str(path))


def _named(pallet: int, error: int) -> str:
    """A pallet's error by name, with the runtime's own words."""
    from bittensor.result import chain_error_from_dispatch

    error_words = chain_error_from_dispatch({"Module": {"index": pallet, "error": f"0x{error:02x}000000"}})
    return f"{error_words.name}: {error_words.message}" if error_words.name else error_words.message


def _keep_home_clean() -> None:
    """The SDK caches runtime metadata in ~/.bittensor: give it a folder that goes with the process."""
    if "BITTENSOR_RUNTIME_CACHE_DIR" not in os.environ:
        folder = tempfile.mkdtemp(prefix="valtrac-runtime-")
        os.environ["BITTENSOR_RUNTIME_CACHE_DIR"] = folder
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
