"""The Bitcoin transaction of a redemption, put together out of what the contracts tell."""

from __future__ import annotations

from valtrac.chains.bitcoin import addresses, transactions
from valtrac.chains.bitcoin.networks import network_named
from valtrac.chains.bitcoin.signatures import key_hash
from valtrac.core.bitcoin import SignedRedemption
from valtrac.core.keeps import KeepSignature, RedemptionRequest


class Redemptions:
    """`valtrac.ports.RedemptionTransactions`."""

    def signed(self, request: RedemptionRequest, public_key: bytes, signature: KeepSignature) -> SignedRedemption:
        """The transaction; its digest is reckoned anew, and the signature checked by the keep's key."""
        redemption = transactions.Redemption(
            request.outpoint, request.coin, key_hash(public_key), request.coin - request.fee, request.script[1:]
        )
        if redemption.digest != request.digest or signature.digest != request.digest:
            raise ValueError("the digest that was signed is not the one of this redemption")
        raw = transactions.signed(redemption, r=signature.r, s=signature.s, public_key=public_key)
        parts = redemption.parts
        return SignedRedemption(redemption.tx_id, raw, parts.version, parts.vin, parts.vout, parts.locktime)

    def parts(self, raw: bytes) -> tuple[bytes, bytes, bytes, bytes]:
        """The parts of a transaction as a proof takes them."""
        parts = transactions.read(raw).parts
        return parts.version, parts.vin, parts.vout, parts.locktime

    def paying(self, raw: bytes, script: bytes) -> list[tuple[int, int]]:
        """Its outputs to a script."""
        outputs = transactions.read(raw).outputs
        return [(place, output.satoshi) for place, output in enumerate(outputs) if output.script == script]

    def keeps_script(self, public_key: bytes) -> bytes:
        """Pay to the hash of the keep's key, by witness."""
        return addresses.script_of_key(key_hash(public_key))

    def keeps_address(self, public_key: bytes, network: str) -> str:
        """The same as people write it."""
        return addresses.address_of_key(key_hash(public_key), network_named(network))
