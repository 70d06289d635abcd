"""Qtum: nodes by address, and the payer over the wallet in one of them."""

from __future__ import annotations

from pathlib import Path

from valtrac.chains.qtum.encoding import key_hash
from valtrac.chains.qtum.networks import NETWORKS
from valtrac.chains.qtum.node import QtumChain
from valtrac.chains.qtum.payer import QtumPayer
from valtrac.chains.qtum.rpc import Rpc
from valtrac.core.errors import BadInput
from valtrac.core.text import plain

__all__ = ["QtumChain", "QtumPayer", "open_node"]


def open_node(
    url: str,
    *,
    login: Path | None,
    network: str,
    wallet: str,
    wallet_name: str = "",
    timeout_s: float,
    final_depth: int,
    reserve: int,
    fee_rate: int,
    maturity: int,
) -> QtumChain:
    """A node by its address; it is asked nothing yet. wallet: the super staker's address.

    Raises BadInput for an address that is none on this network.
    """
    of = NETWORKS[network]
    try:
        key_hash(wallet, of.prefixes)
    except ValueError as error:
        raise BadInput(
            f"{plain(wallet, 60)} is no super staker's address on the network {network}",
            why=plain(error),
            fix="set VALTRAC_QTUM_STAKER to the address that the node stakes with",
        ) from error
    rpc = Rpc(url, login=login, timeout_s=timeout_s, wallet=wallet_name, network=network)
    return QtumChain(
        rpc,
        of,
        wallet=wallet,
        final_depth=final_depth,
        reserve=reserve,
        fee_rate=fee_rate,
        maturity=maturity,
    )
