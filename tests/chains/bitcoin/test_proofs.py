"""Headers and merkle branches: what is returned has been checked to the last hash."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.chains.bitcoin.vectors import (
    BLOCK_100000,
    EARLY,
    FIRST_HEADERS,
    GENESIS_ROOT,
    MAIN,
    REGTEST,
    TRANSACTIONS_OF_100000,
    mined,
    tree,
)
from valtrac.chains.bitcoin import proofs
from valtrac.chains.bitcoin.networks import TARGET_ONE
from valtrac.chains.bitcoin.proofs import Header
from valtrac.chains.qtum.encoding import hash256, shown, unshown
from valtrac.chains.untrusted import Untrusted

IDS = st.lists(st.binary(min_size=32, max_size=32).map(bytes.hex), min_size=1, max_size=20, unique=True)


def bitcoin_spv_proves(tx_id: bytes, root: bytes, merkle: bytes, index: int) -> bool:
    """ValidateSPV.prove of bitcoin-spv 3.1.0, written down apart from the code that it checks."""
    if tx_id == root and index == 0 and not merkle:
        return True
    whole = tx_id + merkle + root
    if len(whole) % 32 or len(whole) == 64:
        return False
    here = whole[:32]
    for at in range(1, len(whole) // 32 - 1):
        piece = whole[32 * at : 32 * at + 32]
        here = hash256(piece + here if index % 2 else here + piece)
        index >>= 1
    return here == whole[-32:]


def test_the_first_headers_of_bitcoin_follow_upon_each_other() -> None:
    found = proofs.chain(b"".join(FIRST_HEADERS), EARLY)
    assert [shown(one.hash) for one in found] == [
        "000000000019d6689c085ae165831e934ff763ae46a2a6c172b3f1b60a8ce26f",
        "00000000839a8e6886ab5951d76f411475428afc90947ee320161bbf18eb6048",
        "000000006a625f06636b8bb6ac7b960a8d03705d1ace08b1a19da3fdcc99ddbd",
    ]
    assert [one.difficulty for one in found] == [1, 1, 1]
    assert proofs.header(BLOCK_100000, EARLY).difficulty == 14484


def test_headers_with_the_work_of_a_laptop_are_not_those_of_today() -> None:
    with pytest.raises(Untrusted, match="less work than a block of the network main has"):
        proofs.chain(b"".join(FIRST_HEADERS), MAIN)


@pytest.mark.parametrize("place", [0, 4, 40, 68, 76, 79])
def test_a_header_with_one_other_byte_has_no_work(place: int) -> None:
    raw = bytearray(FIRST_HEADERS[1])
    raw[place] ^= 1
    with pytest.raises(Untrusted, match="without the work"):
        proofs.header(bytes(raw), EARLY)


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        FIRST_HEADERS[0][:-1],
        FIRST_HEADERS[0] + FIRST_HEADERS[2],
        FIRST_HEADERS[1] + FIRST_HEADERS[0],
        FIRST_HEADERS[1] + FIRST_HEADERS[1],
    ],
)
def test_headers_out_of_order_are_no_chain(raw: bytes) -> None:
    with pytest.raises(Untrusted):
        proofs.chain(raw, EARLY)


@pytest.mark.parametrize(
    ("bits", "target"),
    [("ffff001d", TARGET_ONE), ("ffff7f20", 0x7FFFFF << 232), ("4c86041b", 0x04864C << 192), ("00800002", 0x80)],
)
def test_bits_stand_for_their_target(bits: str, target: int) -> None:
    assert proofs.target_of(bytes.fromhex(bits)) == target


@pytest.mark.parametrize("bits", ["0000001d", "ffff801d", "ffff7fff", "01000001"])
def test_bits_that_are_zero_negative_or_beyond_are_none(bits: str) -> None:
    with pytest.raises(Untrusted, match="bits that are no target"):
        proofs.target_of(bytes.fromhex(bits))


def test_the_only_transaction_of_the_first_block_needs_no_hashes() -> None:
    headers = proofs.chain(FIRST_HEADERS[0], EARLY)
    made = proofs.proven(GENESIS_ROOT, 0, 0, [], headers)
    assert (made.merkle, made.index, made.headers) == (b"", 0, FIRST_HEADERS[0])
    assert bitcoin_spv_proves(unshown(GENESIS_ROOT), headers[0].root, made.merkle, made.index)


@pytest.mark.parametrize("index", range(4))
def test_the_transactions_of_block_100000_lead_to_its_root(index: int) -> None:
    headers = proofs.chain(BLOCK_100000, EARLY)
    tx_id = TRANSACTIONS_OF_100000[index]
    made = proofs.proven(tx_id, 100_000, index, tree(TRANSACTIONS_OF_100000, index)[1], headers)
    assert len(made.merkle) == 64
    assert bitcoin_spv_proves(unshown(tx_id), headers[0].root, made.merkle, made.index)


def test_a_wrong_branch_is_no_proof() -> None:
    root = proofs.header(BLOCK_100000, EARLY).root
    tx_id, siblings = TRANSACTIONS_OF_100000[2], tree(TRANSACTIONS_OF_100000, 2)[1]
    wrong: list[tuple[str, list[str], int]] = [
        (TRANSACTIONS_OF_100000[1], siblings, 2),
        (tx_id, siblings, 3),
        (tx_id, siblings, 2 + 4),  # bitcoin-spv would take the index of a tree that is higher than this one
        (tx_id, siblings, -1),
        (tx_id, siblings[::-1], 2),
        (tx_id, siblings[:1], 0),
        (tx_id, [], 0),
        (tx_id, [*siblings, siblings[0]], 2),
        (tx_id, ["00"], 0),
        (tx_id, ["zz" * 32, siblings[1]], 2),
        (tx_id, siblings * 20, 2),
    ]
    for case in wrong:
        with pytest.raises(Untrusted):
            proofs.branch(*case, root)


def test_a_list_that_repeats_its_last_transactions_is_noticed() -> None:
    """CVE-2012-2459: a list with its last one twice has the root of the list with it once."""
    ids = TRANSACTIONS_OF_100000[:3]
    root, siblings = tree(ids, 2)
    assert proofs.branch(ids[2], siblings, 2, root)
    with pytest.raises(Untrusted, match="repeats"):
        proofs.branch(ids[2], siblings, 3, root)


@given(IDS, st.data())
def test_every_transaction_of_a_block_is_proven_as_bitcoin_spv_takes_it(ids: list[str], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(ids) - 1))
    root, siblings = tree(ids, index)
    merkle = proofs.branch(ids[index], siblings, index, root)
    assert bitcoin_spv_proves(unshown(ids[index]), root, merkle, index)
    other = data.draw(st.integers(0, len(ids) - 1))
    if other != index:
        with pytest.raises(Untrusted):
            proofs.branch(ids[other], siblings, index, root)


def of_difficulty(*difficulties: int) -> list[Header]:
    return [Header(b"", b"", b"", TARGET_ONE // one, bytes(80)) for one in difficulties]


def test_six_blocks_are_enough_while_the_difficulty_holds() -> None:
    assert proofs.enough(of_difficulty(*[100] * 5), 6) is None
    assert len(proofs.enough(of_difficulty(*[100] * 9), 6) or ()) == 6
    assert len(proofs.enough(of_difficulty(100, 100, *[200] * 6), 6) or ()) == 6


def test_more_blocks_are_taken_where_the_difficulty_falls() -> None:
    assert proofs.enough(of_difficulty(100, 100, 100, 100, 90, 90), 6) is None
    assert len(proofs.enough(of_difficulty(100, 100, 100, 100, 90, 90, 90, 90), 6) or ()) == 7


def test_a_rehearsal_chain_has_no_difficulty_and_its_blocks_are_counted() -> None:
    first = mined(bytes(32), bytes(32))
    raw = first + mined(hash256(first), bytes(32))
    assert len(proofs.enough(proofs.chain(raw, REGTEST), 2) or ()) == 2
    assert proofs.enough(proofs.chain(raw, REGTEST), 3) is None
    assert proofs.enough((), 1) is None
