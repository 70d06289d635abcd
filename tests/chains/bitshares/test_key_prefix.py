"""A BitShares chain whose keys begin with something else than BTS."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from valtrac.chains.bitshares import connect
from valtrac.chains.bitshares import keys as account_keys
from valtrac.core.chain import Payment
from valtrac.core.errors import BadInput, Refused
from valtrac.devnet import bitshares


@pytest.fixture
def other_prefix(path: Path) -> Iterator[connect.BitSharesChain]:
    """A node as of the public test chain, whose keys begin with TEST."""
    with bitshares.serve(path, key_prefix="TEST") as server:
        chain = connect.open_node([server.url], network="testnet", timeout_s=10, key_prefix="TEST")
        yield chain
        chain.close()


def test_on_a_chain_with_another_key_prefix_payments_and_memos_are_the_same(
    other_prefix: connect.BitSharesChain, path: Path
) -> None:
    keys = account_keys.dev_keys("custodian")
    payer, alice = connect.payer(other_prefix, "custodian", keys), other_prefix.named(["alice"])["alice"]
    signed = payer.sign((Payment(alice.id, 500_000, "hello"), Payment(alice.id, 1, "")), nonce=0, period=60)
    assert b'"BTS' in signed.raw and b'"TEST' not in signed.raw  # what is journaled is the same on every chain
    payer.broadcast(signed.raw)
    bitshares.produce(path, 5)

    last = other_prefix.finalized().number
    (found, small) = [one for block in other_prefix.transfers(1, last, alice.id) for one in block.transfers]
    assert (found.units, small.units, found.tx_id) == (500_000, 1, signed.tx_id)
    assert found.memo is not None
    assert found.memo.receiver_key.startswith("BTS")
    other_prefix.keys = keys
    assert other_prefix.read_memo(found.memo) == "hello"
    mute = other_prefix.named(["mute"])["mute"]
    assert other_prefix.estimate_fee(payer.address, (Payment(mute.id, 5, "no memo for the null key"),)) > 0


def test_a_wrong_key_prefix_opens_nothing_and_is_none_on_the_real_chain(path: Path) -> None:
    with bitshares.serve(path, key_prefix="TEST") as server:
        chain = connect.open_node([server.url], network="testnet", timeout_s=10)
        with pytest.raises(Refused, match="do not begin with BTS"):
            connect.payer(chain, "custodian", account_keys.dev_keys("custodian"))
        chain.close()
        with pytest.raises(BadInput, match="begin with BTS"):
            connect.open_node([server.url], network="mainnet", timeout_s=10, key_prefix="TEST")
